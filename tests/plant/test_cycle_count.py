"""Cycles counted piece by piece are those of the whole series."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from aidc.plant.cycle_count import CycleCount
from aidc.plant.rainflow import Cycles, cycles

LEVELS = st.lists(st.integers(0, 20), min_size=2, max_size=300)


def gathered(parts: list[Cycles]) -> np.ndarray:
    """Depth, weight and C-rate of all cycles, in an order of their own."""
    rows = np.column_stack([np.concatenate(column) for column in zip(*parts, strict=True)])
    return rows[np.lexsort(np.round(rows, 9).T)]


def counted(soc_frac: np.ndarray, cuts: list[int]) -> np.ndarray:
    count = CycleCount(soc_frac[0], 30.0)
    parts = [count.feed(piece) for piece in np.split(soc_frac[1:], sorted(cuts)) if piece.size]
    return gathered([*parts, count.finish()])


@given(LEVELS, st.lists(st.integers(0, 300), max_size=6))
def test_pieces_give_the_cycles_of_the_whole(levels: list[int], cuts: list[int]) -> None:
    soc_frac = np.array(levels) / 20.0
    np.testing.assert_allclose(counted(soc_frac, cuts), gathered([cycles(soc_frac, 30.0)]), atol=1e-9)


@given(LEVELS)
def test_half_the_way_is_the_full_cycles(levels: list[int]) -> None:
    """Whatever the order: the ranges add up to the way that the charge went, each direction a half."""
    soc_frac = np.array(levels) / 20.0
    rows = counted(soc_frac, [])
    assert abs(float(rows[:, 0] @ rows[:, 1]) - np.abs(np.diff(soc_frac)).sum() / 2) < 1e-9


def test_more_open_ranges_than_there_is_room_for_lose_no_way() -> None:
    """A swing that grows with every turn closes nothing; the oldest ranges are closed as halves."""
    swing = np.concatenate([[0.5], 0.5 + 0.5 * np.linspace(0, 1, 12_000) * (-1.0) ** np.arange(12_000)])
    falling = np.concatenate([[0.5], 0.5 + 0.5 * np.linspace(1, 0, 12_000) * (-1.0) ** np.arange(12_000)])
    for soc_frac in (swing, falling):
        rows = counted(soc_frac, [5000])
        assert abs(float(rows[:, 0] @ rows[:, 1]) - np.abs(np.diff(soc_frac)).sum() / 2) < 1e-6
