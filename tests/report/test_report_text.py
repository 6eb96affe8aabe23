"""Numbers read well and never as NaN."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aidc.report.text import (
    MISSING,
    aligned,
    closes,
    duration,
    figure,
    instant,
    label,
    local_span,
    money,
    percent,
    scaled,
    tokens,
)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0"),
        (0.0, "0"),
        (1234.5678, "1,235"),
        (12.345678, "12.35"),
        (1.0, "1"),
        (0.01234567, "0.01235"),
        (-3.5, "-3.5"),
        (3.1e-13, "3.1e-13"),
        (100_000, "100,000"),
        (None, MISSING),
        (float("nan"), MISSING),
        (float("inf"), MISSING),
        (True, MISSING),
        ("x", MISSING),
    ],
)
def test_figure(value, shown):
    assert figure(value) == shown


@given(st.floats(1e-3, 1e11))
def test_figure_keeps_four_figures(value):
    assert float(figure(value).replace(",", "")) == pytest.approx(value, rel=5.1e-4)


def test_a_column_has_the_same_decimals_and_shows_what_is_tiny():
    assert aligned([9865.6, 58.83, 0.0, 3e-10, None]) == [
        "9,865.6",
        "58.8",
        "0.0",
        "3e-10",
        MISSING,
    ]
    assert aligned([1.5, 0.25]) == ["1.5000", "0.2500"]
    assert aligned([]) == []


def test_units():
    assert scaled(1.87e12, "tok") == ("1.87", "Ttok")
    assert scaled(999_999, "tok") == ("1", "Mtok")
    assert tokens(None) == f"{MISSING} tok"
    assert tokens(12) == "12 tok"
    assert percent(0.12346) == "12.35 %"
    assert money(1_677_781.6) == "$1,677,782"
    assert money(-0.5) == "−$0.50"
    assert [duration(value) for value in (604_800, 60, 1, 0.1)] == ["7 d", "1 min", "1 s", "100 ms"]


def test_times_are_in_utc():
    east = timezone(timedelta(hours=2))
    assert instant(datetime(2025, 7, 7, 1, 30, tzinfo=east)) == "2025-07-06 23:30"
    assert instant("2025-07-07T00:00:05Z") == "2025-07-07 00:00:05"
    assert instant(datetime(2025, 7, 7, tzinfo=UTC)) == "2025-07-07 00:00"
    assert instant("soon") == "soon"
    assert instant(None) == MISSING


def test_a_chart_label_has_no_tags():
    assert label('<a href="x">&') == '&lt;a href="x"&gt;&amp;'


@pytest.mark.parametrize(
    ("frac", "words"),
    [
        (0.0, "close exactly"),
        (9.3e-17, "close to 1e-16"),
        (1e-16, "close to 1e-16"),
        (-2e-14, "close to 1e-13"),
        (3e-5, "do not close: 3e-5 is unexplained"),
        (None, "are not known to close"),
        (float("nan"), "are not known to close"),
    ],
)
def test_how_well_books_close_is_said_in_words(frac, words):
    assert closes(frac) == words


def test_a_window_is_told_on_the_clocks_of_the_site():
    """The clocks of New York go back on 2 November 2025 at 06:00 UTC."""
    start, end = "2025-11-01T04:00:00Z", "2025-11-03T05:00:00Z"
    assert (
        local_span(start, end, "America/New_York") == "2025-11-01 00:00 to 2025-11-03 00:00 America/New_York"
    )
    for zone in ("UTC", None, "Nowhere/Else"):
        assert local_span(start, end, zone) == ""
    assert local_span(None, end, "America/New_York") == ""
