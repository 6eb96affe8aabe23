"""Rows to grids: what is repaired and reported, what is refused and where."""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from aidc.errors import InputError
from aidc.scenario.regular import regular, tile_length
from aidc.scenario.table import read_table
from aidc.scenario.timeparse import clock_times, from_micro, laid_times, to_micro

FILE = Path("series.csv")
HOUR = 3600 * 10**6


def grid(hours, values, **options):
    times = (np.array(hours) * HOUR).astype(np.int64)
    return regular(FILE, times, {"x": np.array(values, dtype=float)}, **options)


def test_a_regular_series_passes_unchanged() -> None:
    found = grid([0, 1, 2, 3], [5, 6, 7, 8])
    assert found.columns["x"].tolist() == [5, 6, 7, 8]
    assert found.period_s == Fraction(3600)
    assert found.repairs == ()


def test_gaps_up_to_three_hours_are_joined_and_reported() -> None:
    found = grid([0, 1, 5, 6], [0, 10, 50, 60])
    assert found.columns["x"] == pytest.approx([0, 10, 20, 30, 40, 50, 60])
    assert "3 missing values in 1 gaps (longest 3 h" in found.repairs[0]


def test_empty_cells_count_as_gaps() -> None:
    found = grid([0, 1, 2, 3], [0, np.nan, 4, np.nan])
    assert found.columns["x"] == pytest.approx([0, 2, 4, 4])
    assert "2 missing values in 2 gaps" in found.repairs[0]


def test_longer_gaps_are_refused_with_their_place() -> None:
    with pytest.raises(InputError, match=r"lacks 4 values from 1970-01-01 02:00:00Z \(4 h\)"):
        grid([0, 1, 6, 7, 8], [0, 1, 2, 3, 4])


def test_rows_out_of_order_are_sorted_and_reported() -> None:
    found = grid([2, 0, 1], [7, 5, 6])
    assert found.columns["x"].tolist() == [5, 6, 7]
    assert "out of order" in found.repairs[0]


def test_equal_duplicates_are_dropped_and_others_refused() -> None:
    found = grid([0, 1, 1, 2], [5, 6, 6, 7])
    assert found.columns["x"].tolist() == [5, 6, 7]
    assert "given twice" in found.repairs[0]
    with pytest.raises(InputError, match=r"two values for 1970-01-01 01:00:00Z.*6\.0, 9\.0"):
        grid([0, 1, 1, 2], [5, 6, 9, 7])


def test_irregular_times_are_refused() -> None:
    with pytest.raises(InputError, match=r"most rows are 3600 s apart, but not the one at 1970-01-01 02:30"):
        grid([0, 1, 2.5, 3.5], [1, 2, 3, 4])


def test_a_far_away_row_is_refused_instead_of_filling_memory() -> None:
    seconds = np.array([0, 1, 2, 4 * 10**9], dtype=np.int64) * 10**6
    with pytest.raises(InputError, match="lacks 3999999997 values"):
        regular(FILE, seconds, {"x": np.zeros(4)})


def test_one_row_is_not_a_series() -> None:
    with pytest.raises(InputError, match="fewer than two rows"):
        grid([0], [1])


@pytest.mark.parametrize(
    ("count", "period_s", "expected"),
    [
        (8760, 3600, 8736),
        (2016, 600, 2016),
        (144, 600, 144),
        (5761, 15, 5760),
        (351, 10, 351),
        (100, 7000, 100),
    ],
    ids=["year-to-52-weeks", "two-weeks", "one-day", "day-and-one", "an-hour", "no-divisor"],
)
def test_tiles_are_whole_weeks_or_days(count, period_s, expected) -> None:
    assert tile_length(count, Fraction(period_s)) == expected


def table(tmp_path, text):
    path = tmp_path / "t.csv"
    path.write_text(text, encoding="utf-8")
    return read_table(path)


def test_times_in_any_zone_become_utc(tmp_path) -> None:
    cells = [
        "2025-07-07T00:00:00Z",
        "2025-07-06 20:30:00-04:00",
        "2025-07-07T03:00:00.5+0200",
        "2025-07-07T02:00+00",
    ]
    found = clock_times(table(tmp_path, "t\n" + "\n".join(cells)), "t")
    expected = [datetime(2025, 7, 7, *hour, tzinfo=UTC) for hour in ((0,), (0, 30), (1, 0, 0, 500_000), (2,))]
    assert [from_micro(micro) for micro in found] == expected


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("2025-07-07T00:00:00", "has no time zone"),
        ("2025-02-30T00:00:00Z", "not a time of any calendar day"),
        ("2025-07-07T25:00:00Z", "not a time of any calendar day"),
        ("0001-01-01T00:00:00Z", "outside the years"),
        ("yesterday", "is not a time"),
        ("", "is not a time"),
        ("NaT", "is not a time"),
    ],
)
def test_times_that_are_not_are_refused_with_their_line(tmp_path, cell, message) -> None:
    with pytest.raises(InputError, match=rf"line 3, column t: .*{message}"):
        clock_times(table(tmp_path, f"t,x\n2025-01-01T00:00:00Z,1\n{cell},2\n"), "t")


def test_seconds_count_from_the_stated_start_else_from_the_run(tmp_path) -> None:
    run, laid = datetime(2025, 1, 1, tzinfo=UTC), datetime(2022, 1, 1, tzinfo=UTC)
    rows = table(tmp_path, "t_s\n0\n0.5\n")
    assert laid_times(rows, "t_s", None, run).tolist() == [to_micro(run), to_micro(run) + 500_000]
    assert laid_times(rows, "t_s", laid, run)[0] == to_micro(laid)


def test_clock_times_move_together_to_a_stated_start(tmp_path) -> None:
    laid = datetime(2022, 1, 1, tzinfo=UTC)
    rows = table(tmp_path, "t\n2025-03-01T01:00:00Z\n2025-03-01T00:00:00Z\n")
    assert laid_times(rows, "t", laid, laid).tolist() == [to_micro(laid) + HOUR, to_micro(laid)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("t,x\n", "no rows"),
        ("t,t\n1,2\n", "twice"),
        ("t,x\n1,2\n3\n", r"line 3: has 1 cells where the header has 2"),
        ('t,x\n"1,2\n', "cells"),
    ],
)
def test_files_that_are_not_tables_are_refused(tmp_path, text, message) -> None:
    with pytest.raises(InputError, match=message):
        table(tmp_path, text)


def test_numbers_are_refused_with_line_column_and_value(tmp_path) -> None:
    rows = table(tmp_path, "x\n1\nnan\ninf\nabc\n1e9\n\n2\n")
    with pytest.raises(InputError) as caught:
        rows.numbers("x", 0, 1e6)
    assert [(p.key, p.value) for p in caught.value.problems] == [
        ("line 3, column x", "nan"),
        ("line 4, column x", "inf"),
        ("line 5, column x", "abc"),
        ("line 6, column x", "1e9"),
    ]


def test_an_absent_column_names_the_nearest(tmp_path) -> None:
    with pytest.raises(InputError, match="Did you mean 'price_usd_per_mwh'"):
        table(tmp_path, "time_utc,price_usd_per_mwh\n1,2\n").text("price_usd_mwh")


def test_binary_and_absent_files_are_refused(tmp_path) -> None:
    path = tmp_path / "b.csv"
    path.write_bytes(b"t,x\n\xff\xfe,1\n")
    with pytest.raises(InputError, match=r"line 2.*not UTF-8"):
        read_table(path)
    with pytest.raises(InputError, match="cannot be read"):
        read_table(tmp_path / "absent.csv")
    with pytest.raises(InputError, match="cannot be read"):
        read_table(tmp_path)
