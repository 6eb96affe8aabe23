"""Rolling windows, filters and means against brute force, however the series is cut into blocks."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal

from aidc.measure.grid.bandpass import butterworth
from aidc.measure.grid.means import ConsecutiveMeans, mean_block
from aidc.measure.grid.rolling import RollingExtremes, RollingRate, extremes_block, rate_block
from aidc.measure.grid.sos import SosBank, filter_block, gain
from aidc.measure.grid.stream import Apart
from aidc.record.waveform import Mark, Waveform

values = st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=60).map(np.array)
cuts = st.lists(st.integers(0, 60), max_size=5)


def blocks(x: np.ndarray, where: list[int]) -> list[tuple[int, np.ndarray]]:
    edges = sorted({0, x.size, *(cut for cut in where if cut < x.size)})
    return [(a, x[a:b]) for a, b in pairwise(edges)]


@given(x=values, steps=st.integers(1, 20), where=cuts)
@settings(max_examples=200, deadline=None)
def test_greatest_swing_is_that_of_brute_force(x: np.ndarray, steps: int, where: list[int]) -> None:
    rolling = RollingExtremes(steps)
    for tick, part in blocks(x, where):
        rolling.feed(part, 0, part.size, tick)
    windows = [x[max(0, j - steps) : j + 1] for j in range(x.size)]
    assert rolling.swing()[0] == max(window.max() - window.min() for window in windows)
    assert rolling.rise()[0] == max(window[-1] - window.min() for window in windows)
    assert rolling.fall()[0] == max(window.max() - window[-1] for window in windows)
    assert rolling.seen() == (x.size > steps)
    at = rolling.swing()[1]
    assert np.ptp(windows[at]) == rolling.swing()[0]


@given(x=values, steps=st.integers(1, 20), where=cuts)
@settings(max_examples=100, deadline=None)
def test_greatest_change_between_ends_is_that_of_brute_force(
    x: np.ndarray, steps: int, where: list[int]
) -> None:
    rolling = RollingRate(steps)
    for tick, part in blocks(x, where):
        rolling.feed(part, 0, part.size, tick)
    changes = x[steps:] - x[:-steps] if x.size > steps else np.zeros(0)
    assert rolling.rise()[0] == max(changes.max(initial=0.0), 0.0)
    assert rolling.fall()[0] == max((-changes).max(initial=0.0), 0.0)
    assert rolling.seen() == (x.size > steps)


@given(x=values, window=st.integers(1, 20), where=cuts)
@settings(max_examples=100, deadline=None)
def test_means_do_not_depend_on_the_cut(x: np.ndarray, window: int, where: list[int]) -> None:
    means, squares = ConsecutiveMeans(window), ConsecutiveMeans(window, square=True)
    found = [(means.feed(part), squares.feed(part)) for _, part in blocks(x, where)]
    whole = x[: x.size // window * window].reshape(-1, window)
    np.testing.assert_allclose(np.concatenate([a for a, _ in found]), whole.mean(1), rtol=1e-12, atol=1e-3)
    np.testing.assert_allclose(np.concatenate([b for _, b in found]), (whole**2).mean(1), rtol=1e-12)
    assert np.array_equal(np.concatenate([a for a, _ in found]), ConsecutiveMeans(window).feed(x))


def test_compiled_kernels_equal_their_python_bodies() -> None:
    rng = np.random.default_rng(7)
    x = rng.standard_normal(300)

    def run(kernel: str) -> np.ndarray:
        pick = {
            "extremes": extremes_block,
            "rate": rate_block,
            "mean": mean_block,
            "filter": filter_block,
        }[kernel.removesuffix("-python")]
        body = pick.py_func if kernel.endswith("python") else pick  # type: ignore[attr-defined]
        found, state, out = np.zeros(4), np.zeros(2), np.zeros((1, 300))
        if kernel.startswith("extremes"):
            low, high = np.full(14, np.inf), np.full(14, -np.inf)
            body(x, 3, 290, 5, low, high, np.zeros(13), np.array([0, np.inf, -np.inf]), found)
        elif kernel.startswith("rate"):
            body(x, 3, 290, 5, np.zeros(13), state, found)
        elif kernel.startswith("mean"):
            body(x, 7, square=True, state=state, out=out[0])
        else:
            sos = butterworth(1, 5, 50, Fraction(1, 1000))[:, [0, 1, 2, 4, 5]]
            body(x, 0.5, np.ascontiguousarray(sos), np.array([0]), np.zeros((1, 2)), out)
        return np.concatenate((found, state, out[0]))

    for kernel in ("extremes", "rate", "mean", "filter"):
        np.testing.assert_allclose(run(kernel), run(f"{kernel}-python"), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("order", [1, 2, 4])
@pytest.mark.parametrize("low_hz", [0.0, 0.1, 5.0])
def test_bank_equals_scipy_from_the_same_steady_state(order: int, low_hz: float) -> None:
    """Oracle: `scipy.signal.sosfilt` started with `sosfilt_zi` scaled by the first sample."""
    rng = np.random.default_rng(order)
    x = 5.0 + rng.standard_normal(4000).cumsum()
    sos = butterworth(order, low_hz, 55.0, Fraction(1, 1000))
    expected, _ = signal.sosfilt(sos, x, zi=signal.sosfilt_zi(sos) * x[0])
    bank = SosBank([sos, butterworth(2, 0.1, 5.0, Fraction(1, 1000))])
    found = np.concatenate([bank.feed(part)[0].copy() for part in np.split(x, [1, 17, 1900])])
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)


def test_gain_is_that_of_scipy() -> None:
    sos = butterworth(4, 0.1, 55.0, Fraction(1, 1000))
    frequency_hz, response = signal.sosfreqz(sos, np.array([0.1, 1.0, 55.0, 200.0]), fs=1000.0)
    np.testing.assert_allclose(gain(sos, frequency_hz, 1000.0), np.abs(response), rtol=1e-6)
    np.testing.assert_allclose(gain(sos, frequency_hz, 1000.0)[[0, 2]], np.sqrt(0.5), rtol=1e-6)


@given(
    spans=st.lists(st.tuples(st.integers(0, 90), st.integers(0, 15)), max_size=4),
    reach=st.integers(1, 12),
    settle=st.integers(0, 10),
    where=st.lists(st.integers(0, 100), max_size=4),
)
@settings(max_examples=150, deadline=None)
def test_windows_apart_are_those_that_touch_a_mark(
    spans: list[tuple[int, int]], reach: int, settle: int, where: list[int]
) -> None:
    marks = (Mark("checkpoint", 0.0, 100.0), *(Mark("sag", float(a), float(a + n)) for a, n in spans))
    series = Waveform(Fraction(1), {"p_w": np.zeros(100)}, marks=marks)
    apart = Apart(frozenset({"sag"}), Fraction(1), reach, float(settle))
    found = np.full(100, -1)
    for tick, part in blocks(np.arange(100), where):
        for first, last, kind in apart.pieces(series.block(tick, tick + part.size)):
            assert (found[tick + first : tick + last] == -1).all()
            found[tick + first : tick + last] = kind
    expected = [any(a <= j and j - reach <= a + n + settle for a, n in spans) for j in range(100)]
    assert np.array_equal(found, np.array(expected, int))
