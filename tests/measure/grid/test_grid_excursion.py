"""d_k: closed forms, ways of counting, sub-step ends, and the second judge."""

from __future__ import annotations

import math

import numpy as np
import pytest
from brute_force import count_at, greatest_count, pieces_beyond
from hypothesis import given, settings
from hypothesis import strategies as st

from aidc.measure.grid import excursion
from aidc.measure.grid.excursion import Stretches, longest, past_limit, running, stretches

STEPS = [1e-3, 5e-4, 2.5e-4]


def trapezoid(step_s: float, start_s: float, fall_s: float, hold_s: float, depth: float, span_s: float = 2.0):
    t = np.arange(round(span_s / step_s)) * step_s
    corners = [start_s, start_s + fall_s, start_s + fall_s + hold_s, start_s + 2 * fall_s + hold_s]
    return np.interp(t, corners, [1.0, depth, depth, 1.0])


def exceeds_at(found: Stretches, limit_s: float, window_s: float | None = None) -> float:
    """The first instant at which d_k exceeds a limit; infinity where it never does."""
    past = past_limit(found, limit_s, window_s)
    return float(past.start_s[0]) if len(past) else math.inf


@pytest.mark.parametrize("step_s", STEPS)
@pytest.mark.parametrize("threshold", [0.9, 0.7, 0.5])
def test_a_trapezoidal_sag_lasts_as_geometry_says(step_s: float, threshold: float) -> None:
    depth, fall_s, hold_s = 0.4, 0.01337, 0.2
    v = trapezoid(step_s, 0.50071, fall_s, hold_s, depth)
    expected = hold_s + 2 * fall_s * (threshold - depth) / (1 - depth)
    found = stretches(v, step_s, threshold)
    # within a step + 0.5 %; a corner that falls between samples is all that is lost
    assert longest(found) == pytest.approx(expected, abs=0.3 * step_s)
    assert exceeds_at(found, 0.1) == pytest.approx(found.start_s[0] + 0.1)


@pytest.mark.parametrize("step_s", STEPS)
def test_an_abrupt_sag_is_known_within_a_step(step_s: float) -> None:
    t = np.arange(round(1 / step_s)) * step_s
    v = np.where((t >= 0.3) & (t < 0.45), 0.2, 1.0)
    assert longest(stretches(v, step_s, 0.5)) == pytest.approx(0.15, abs=step_s)


def test_a_sine_is_below_half_its_amplitude_for_a_third_of_its_period() -> None:
    step_s, period = 1e-3, 0.4
    t = np.arange(4000) * step_s
    v = 1 + 0.3 * np.sin(2 * math.pi * t / period)
    found = stretches(v, step_s, 1 - 0.15)
    assert longest(found) == pytest.approx(period / 3, rel=1e-4)
    assert longest(found, window_s=2 * period) == pytest.approx(2 * period / 3, rel=1e-4)
    assert longest(stretches(v, step_s, 1 + 0.15, above=True)) == pytest.approx(period / 3, rel=1e-4)


@pytest.mark.parametrize(("above", "level"), [(False, 0.5), (True, 1.2)])
def test_exactly_on_the_threshold_counts_only_when_inclusive(above: bool, level: float) -> None:
    v = np.ones(1000)
    v[200:301] = level
    strict = stretches(v, 1e-3, level, above=above)
    inclusive = stretches(v, 1e-3, level, above=above, inclusive=True)
    assert longest(strict) == 0.0
    assert longest(inclusive) == pytest.approx(0.1)


def test_a_touch_of_the_threshold_splits_a_strict_excursion_only() -> None:
    v = np.full(301, 0.8)
    v[100] = 0.9
    assert longest(stretches(v, 1e-3, 0.9)) == pytest.approx(0.2)
    assert longest(stretches(v, 1e-3, 0.9, inclusive=True)) == pytest.approx(0.3)


def test_separate_dips_add_up_in_a_window_and_are_forgotten_after_it() -> None:
    v = np.ones(5000)
    for start in (500, 1000, 1500):
        v[start : start + 101] = 0.5  # straight edges of one step: 0.1 s and 2 x 0.2 of a step below 0.9
    found = stretches(v, 1e-3, 0.9)
    one = 0.1 + 2 * 1e-3 * 0.8
    assert longest(found) == pytest.approx(one)
    assert longest(found, window_s=10.0) == pytest.approx(3 * one)
    assert longest(found, window_s=0.65) == pytest.approx(2 * one)
    assert longest(found, window_s=0.05) == pytest.approx(0.05)
    assert running(found, 1.55, window_s=10.0) == pytest.approx(2 * one + 0.05 + 0.8e-3)
    assert running(found, 1.55) == pytest.approx(0.05 + 0.8e-3)
    assert running(found, 0.9) == 0.0
    assert exceeds_at(found, 2.5 * one, window_s=10.0) == pytest.approx(1.5 - 0.8e-3 + 0.5 * one)
    assert exceeds_at(found, 3.01 * one, window_s=10.0) == math.inf
    assert exceeds_at(found, one) == math.inf


def test_a_window_forgets_an_old_dip_while_a_new_one_goes_on() -> None:
    found = Stretches(np.array([0.0, 0.3]), np.array([0.1, 1.0]), 2.0)
    assert running(found, 0.55, window_s=0.5) == pytest.approx(
        0.3
    )  # the first dip leaves as fast as this one grows
    assert exceeds_at(found, 0.2, window_s=0.5) == pytest.approx(0.4)
    assert exceeds_at(found, 0.4, window_s=0.5) == pytest.approx(0.7)
    assert exceeds_at(found, 0.5, window_s=0.5) == math.inf


def test_until_an_instant_later_dips_do_not_count() -> None:
    v = np.ones(3000)
    v[500:600], v[1000:1400] = 0.5, 0.5
    found = stretches(v, 1e-3, 0.8)
    assert longest(found, until_s=0.9) == pytest.approx(0.1, abs=1e-3)
    assert longest(found, until_s=1.2) == pytest.approx(0.2, abs=1e-3)
    assert longest(found, 5.0, until_s=1.2) == pytest.approx(0.3, abs=2e-3)


def test_an_excursion_open_at_both_ends_fills_the_record() -> None:
    found = stretches(np.full(101, 0.1), 0.01, 0.5, first_s=7.0)
    assert (found.start_s[0], found.end_s[0]) == (7.0, 8.0)


LEVELS = st.sampled_from([0.0, 0.2, 0.45, 0.5, 0.5, 0.55, 0.9, 1.0, 1.1])
TRACES = st.lists(st.one_of(LEVELS, st.floats(0, 1.3)), min_size=2, max_size=60)


@settings(deadline=None, max_examples=300)
@given(
    TRACES,
    st.booleans(),
    st.booleans(),
    st.one_of(st.none(), st.floats(0.002, 0.2)),
    st.floats(0, 0.06),
    st.floats(0, 0.08),
)
def test_it_counts_as_the_second_judge(
    trace: list[float], above: bool, inclusive: bool, window_s: float | None, limit_s: float, at_s: float
) -> None:
    found = stretches(np.array(trace), 1e-3, 0.5, above=above, inclusive=inclusive)
    pieces = pieces_beyond(trace, 1e-3, 0.5, above, inclusive)
    total = sum(stop - begin for begin, stop in pieces)
    assert float((found.end_s - found.start_s).sum()) == pytest.approx(total, abs=1e-12)
    assert longest(found, window_s) == pytest.approx(greatest_count(pieces, window_s), abs=1e-12)
    assert longest(found, window_s, at_s) == pytest.approx(greatest_count(pieces, window_s, at_s), abs=1e-12)
    if window_s is not None:
        assert running(found, at_s, window_s) == pytest.approx(count_at(pieces, at_s, window_s), abs=1e-12)
    over = exceeds_at(found, limit_s, window_s)
    if over == math.inf:
        assert greatest_count(pieces, window_s) <= limit_s + 2e-9
    else:
        assert count_at(pieces, over, window_s) == pytest.approx(limit_s, abs=1e-9)
        assert greatest_count(pieces, window_s) > limit_s
        assert greatest_count(pieces, window_s, over - 1e-12) <= limit_s + 2e-9


def test_the_kernel_equals_its_python_body() -> None:
    v = 1 + 0.5 * np.sin(np.arange(500) * 0.37)
    compiled, plain = np.zeros((2, 251)), np.zeros((2, 251))
    for inclusive in (False, True):
        a = excursion._find(v, 0.8, 1.0, inclusive, compiled[0], compiled[1])
        b = excursion._find.py_func(v, 0.8, 1.0, inclusive, plain[0], plain[1])
        assert a == b > 10
        np.testing.assert_array_equal(compiled, plain)
