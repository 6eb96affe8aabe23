"""Means of consecutive windows, carried across blocks; bit for bit the same however the series is cut."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from aidc.jit import engine

__all__ = ["ConsecutiveMeans", "mean_block"]

FloatArray = NDArray[np.float64]


@engine
def mean_block(x: FloatArray, window: int, square: bool, state: FloatArray, out: FloatArray) -> int:
    """Fill `out` with means of x (or of its square) and return how many; `state` is [sum, count].

    `window` is the number of samples of one mean.
    """
    total, count = state[0], int(state[1])
    found = 0
    for j in range(x.size):
        total += x[j] * x[j] if square else x[j]
        count += 1
        if count == window:
            out[found] = total / window
            found += 1
            total, count = 0.0, 0
    state[0], state[1] = total, count
    return found


class ConsecutiveMeans:
    """Means (or mean squares) of windows of `window` samples, one after the other."""

    def __init__(self, window: int, *, square: bool = False) -> None:
        self._window = window
        self._square = square
        self._state = np.zeros(2)

    def feed(self, x: FloatArray) -> FloatArray:
        """Means of the windows that this block completes."""
        out = np.empty(x.size // self._window + 1)
        return out[: mean_block(x, self._window, self._square, self._state, out)]
