"""Series: windows, tiles and means, against numpy done the slow way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aidc.errors import InputError
from aidc.scenario.series import Series

START = datetime(2025, 7, 7, tzinfo=UTC)


def series(values, period_s=60, hold="mean", tiled=False):
    return Series(START, Fraction(period_s), np.array(values, dtype=float), hold, tiled)


def after(seconds):
    return START + timedelta(seconds=seconds)


def slow_value(one, second):
    """The value in the middle of a whole second, by the definition of the holds."""
    position = (second + 0.5) / float(one.period_s)
    index = int(np.floor(position))
    n = len(one)
    at = (lambda k: one.values[k % n]) if one.tiled else (lambda k: one.values[min(max(k, 0), n - 1)])
    if one.hold == "mean":
        return at(index)
    return at(index) + (at(index + 1) - at(index)) * (position - index)


HOLDS = pytest.mark.parametrize("hold", ["mean", "linear"])
TILED = pytest.mark.parametrize("tiled", [False, True], ids=["once", "tiled"])


@HOLDS
@TILED
def test_means_are_the_means_of_every_second(hold, tiled) -> None:
    one = series([3.0, 1.0, 4.0, 1.0, 5.0], period_s=4, hold=hold, tiled=tiled)
    begin = -7 if tiled else 1
    means = one.means(after(begin), Fraction(3), 6)
    expected = [np.mean([slow_value(one, begin + 3 * k + s) for s in range(3)]) for k in range(6)]
    assert means == pytest.approx(expected, rel=1e-12)


@HOLDS
@given(
    values=st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=40),
    period=st.integers(1, 900),
    shift=st.integers(-5000, 5000),
    count=st.integers(1, 50),
)
def test_a_window_of_a_tile_reads_as_the_tile(hold, values, period, shift, count) -> None:
    one = series(values, period, hold, tiled=True)
    part = one.window(after(shift), after(shift + count * period))
    times = [after(shift + s * period / 3) for s in range(3 * count)]
    assert part.start <= after(shift)
    assert part.at(times) == pytest.approx(one.at(times), abs=1e-6)
    assert len(part) <= max(len(one), count + 2)


@HOLDS
def test_a_whole_number_of_tiles_has_the_mean_of_one(hold) -> None:
    one = series([3.0, 1.0, 4.0, 1.0, 5.0], hold=hold, tiled=True)
    year = one.means(after(-12345), one.duration_s * 1000, 3)
    assert year == pytest.approx(np.full(3, 2.8), rel=1e-12)


def test_a_year_of_a_short_tile_stays_short() -> None:
    one = series(np.arange(60.0), 1, tiled=True)
    part = one.window(after(90), after(90 + 365 * 86_400))
    assert part.tiled
    assert part.values.tolist() == [*range(30, 60), *range(30)]


def test_a_series_that_ends_early_is_refused_with_both_spans() -> None:
    with pytest.raises(InputError, match=r"covers 2025-07-07 00:00:00Z to 2025-07-07 00:05:00Z.*00:05:01Z"):
        series(np.arange(5.0)).window(START, after(301))
    with pytest.raises(InputError, match="repeat"):
        series(np.arange(5.0)).window(after(-1), after(10))


def test_the_last_point_of_a_linear_series_holds_for_one_period() -> None:
    part = series([1.0, 2.0], hold="linear").window(START, after(120))
    assert part.values.tolist() == [1.0, 2.0, 2.0]
    with pytest.raises(InputError):
        series([1.0, 2.0], hold="linear").window(START, after(121))


def test_at_reads_numpy_times_and_datetimes_alike() -> None:
    one = series([0.0, 60.0], hold="linear", tiled=True)
    times = [after(s) for s in (0, 15, 75, -30)]
    stamps = np.array([time.replace(tzinfo=None) for time in times], dtype="datetime64[ms]")
    assert one.at(times).tolist() == [0.0, 15.0, 45.0, 30.0]
    assert one.at(stamps).tolist() == [0.0, 15.0, 45.0, 30.0]


def test_on_ticks_keeps_what_fits_and_averages_what_does_not() -> None:
    one = series(np.arange(10.0), 60)
    assert one.on_ticks(after(60), Fraction(1), 120).values.tolist() == [1.0, 2.0]
    coarse = one.on_ticks(START, Fraction(120), 5)
    assert coarse.period_s == 120
    assert coarse.values == pytest.approx([0.5, 2.5, 4.5, 6.5, 8.5])
    odd = one.on_ticks(START, Fraction(7), 10)
    assert odd.values.sum() * 7 == pytest.approx(60 * 0 + 10 * 1)


def test_values_are_read_only_and_the_callers_array_is_not() -> None:
    mine = np.arange(3.0)
    one = Series(START, Fraction(1), mine)
    with pytest.raises(ValueError, match="read-only"):
        one.values[0] = 1.0
    mine[0] = 7.0
    assert one.values[0] == 0.0


@pytest.mark.parametrize("values", [[], [1.0, float("nan")], [float("inf")], [[1.0, 2.0]]])
def test_what_is_not_a_finite_series_is_refused(values) -> None:
    with pytest.raises(InputError, match="finite"):
        Series(START, Fraction(1), np.array(values, dtype=float))


def test_peak_mean_is_the_highest_ten_minutes() -> None:
    minutes = np.zeros(60)
    minutes[20:30] = 6.0
    minutes[45] = 40.0
    assert series(minutes).peak_mean() == 6.0
    assert series([1.0, 3.0], 600).peak_mean() == 3.0
    assert series([1.0, 3.0], 1).peak_mean() == 2.0


def test_over_gives_the_mean_of_each_step_and_the_very_value_where_one_holds():
    """By hand: 10, 10, 1000 five minutes each; a quarter of an hour holds all three, 450 s one and a half."""
    series = Series(
        datetime(2025, 7, 7, tzinfo=UTC), Fraction(300), np.array([10.0, 10.0, 1000.0]), tiled=True
    )
    origin = np.datetime64("2025-07-07T00:00:00", "us")
    quarters = origin + np.arange(3) * np.timedelta64(900, "s")
    assert series.over(quarters, Fraction(900)) == pytest.approx([340.0] * 3)
    halves = origin + np.arange(2) * np.timedelta64(450, "s")
    assert series.over(halves, Fraction(450)) == pytest.approx([10.0, (150 * 10 + 300 * 1000) / 450])
    fine = origin + np.arange(9) * np.timedelta64(100, "s")
    assert series.over(fine, Fraction(100)).tolist() == series.at(fine).tolist()


@pytest.mark.parametrize(
    ("step_s", "inside"), [(300, False), (100, False), (900, True), (450, True), (200, True)]
)
def test_a_change_inside_a_step_is_noticed(step_s, inside):
    start = datetime(2025, 7, 7, tzinfo=UTC)
    series = Series(start, Fraction(300), np.array([10.0, 10.0, 1000.0]), tiled=True)
    end = start + timedelta(hours=3)
    assert series.changes_inside(start, end, Fraction(step_s)) == inside
    assert not series.scaled(0.0).changes_inside(start, end, Fraction(step_s))
