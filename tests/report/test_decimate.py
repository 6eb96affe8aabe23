"""Thinning keeps what a screen shows: the extremes, their order, and where they stand in time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from aidc.report.decimate import extremes, shared_extremes

series = arrays(
    np.float64,
    st.integers(1, 400),
    elements=st.one_of(st.floats(-1e9, 1e9), st.just(np.nan), st.just(np.inf)),
)


@given(values=series, points=st.integers(4, 120))
def test_positions_increase_and_fit_the_budget(values, points):
    kept = extremes(values, points)
    assert np.all(np.diff(kept) > 0)
    assert kept[0] == 0
    assert kept[-1] == values.size - 1
    assert kept.size <= points


@given(values=series, points=st.integers(4, 120))
def test_every_sample_has_a_kept_one_beyond_it_within_a_bucket(values, points):
    """A line through the kept samples reaches as far as the line through all, at the same place."""
    kept = extremes(values, points)
    bucket = -(-values.size // max(1, (points - 2) // 2))
    for place in np.flatnonzero(np.isfinite(values)):
        near = values[kept[np.abs(kept - place) < bucket]]
        near = near[np.isfinite(near)]
        assert near.max() >= values[place]
        assert near.min() <= values[place]


@given(values=series)
def test_a_short_series_stays_whole(values):
    assert extremes(values, max(4, values.size)).tolist() == list(range(values.size))


def test_one_minute_of_a_year_is_not_lost():
    values = np.full(525_600, 50.0)
    values[123_456], values[400_001] = 99.0, 1.0
    kept = extremes(values, 2000)
    assert {123_456, 400_001} <= set(kept.tolist())
    assert kept.size <= 2000


def test_a_gap_stays_a_gap():
    values = np.arange(10_000, dtype=float)
    values[4000:6000] = np.nan
    kept = extremes(values, 200)
    inside = (kept >= 4100) & (kept < 5900)
    assert inside.any()
    assert np.isnan(values[kept][inside]).all()


def test_stacked_layers_share_instants_and_keep_each_layers_peak():
    rng = np.random.default_rng(1)
    layers = [rng.random(50_000) for _ in range(6)]
    for place, layer in enumerate(layers):
        layer[1000 * place + 7] = 10.0 + place
    kept = shared_extremes(layers, 3000)
    assert kept.size <= 3000
    for place, layer in enumerate(layers):
        assert layer[kept].max() == 10.0 + place


@pytest.mark.parametrize("n", [0, 1, 2, 5])
def test_tiny_series(n):
    assert extremes(np.zeros(n), 4).size <= max(n, 4)
