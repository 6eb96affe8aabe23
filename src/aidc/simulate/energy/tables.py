"""Uniform tables of several columns, read by linear interpolation in the engine's hot paths.

A table keeps, at each place, the value of each column and the step to its next one side by side: all
columns of a place lie together, one index serves them all, and the last place, whose steps are 0, needs
no case of its own.
"""

from __future__ import annotations

import numpy as np

from aidc.jit import scalar
from aidc.simulate.energy.arrays import FloatArray

__all__ = ["place_in", "read_at", "with_steps"]


def with_steps(values: FloatArray) -> FloatArray:
    """From values [..., place, column] to values and steps [..., place, 2 column]."""
    steps = np.diff(values, axis=-2, append=values[..., -1:, :])
    both = np.stack([values, steps], axis=-1)
    return both.reshape(*values.shape[:-1], 2 * values.shape[-1])


@scalar
def place_in(frac: float, places: int) -> tuple[np.uint64, float]:
    """The cell of a table over 0 … 1 in which a fraction lies, and how far into it."""
    place = min(max(frac, 0.0), 1.0) * (places - 1.0)
    cell = np.uint64(place)
    return cell, place - cell


@scalar
def read_at(here: FloatArray, column: int, frac: float) -> float:
    """A column's value in a cell, `frac` of the way to the next."""
    return here[2 * column] + frac * here[2 * column + 1]
