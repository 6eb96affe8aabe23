"""The greatest rise, fall and mean rate within every rolling window, in one pass and carried across blocks.

A window of n steps has n + 1 samples, both ends included: a power that changes by r per second changes
by r·w within w seconds. The greatest and least of every window come from the block algorithm of van Herk,
Gil and Werman (M. van Herk, Pattern Recognition Letters 13 (1992) 517-521, doi:10.1016/0167-8655(92)90069-C;
J. Gil and M. Werman, IEEE PAMI 15 (1993) 504-507, doi:10.1109/34.211471): three comparisons a sample
whatever the window, and no branch that depends on the data.

The rise that ends at a sample is its value less the least of the window that ends there; over all windows
the greatest of rises and falls is the greatest of max - min.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from aidc.jit import engine

__all__ = ["RollingExtremes", "RollingRate", "extremes_block", "rate_block"]

FloatArray = NDArray[np.float64]
_INF = math.inf


@engine
def extremes_block(
    x: FloatArray,
    first: int,
    last: int,
    tick: int,
    suffix_min: FloatArray,
    suffix_max: FloatArray,
    current: FloatArray,
    state: FloatArray,
    found: FloatArray,
) -> None:
    """Advance over x[first:last].

    `state` is [position in the current group, its running least, its running greatest]; `found` is
    [greatest rise, its tick, greatest fall, its tick]. `suffix_min` and `suffix_max` hold the least and greatest from a
    position of the last group to its end, with one entry that is neutral behind them; `tick` is that of x[0].
    """
    size = current.size
    r = int(state[0])
    low, high = state[1], state[2]
    rise, rise_at, fall, fall_at = found[0], found[1], found[2], found[3]
    for j in range(first, last):
        value = x[j]
        low = value if value < low else low  # noqa: FURB136
        high = value if value > high else high  # noqa: FURB136
        current[r] = value
        r += 1
        before = suffix_min[r]
        least = before if before < low else low  # noqa: FURB136
        before = suffix_max[r]
        greatest = before if before > high else high  # noqa: FURB136
        if value - least > rise:
            rise, rise_at = value - least, tick + j
        if greatest - value > fall:
            fall, fall_at = greatest - value, tick + j
        if r == size:
            low, high = _INF, -_INF
            for k in range(size - 1, -1, -1):
                low = current[k] if current[k] < low else low  # noqa: FURB136
                high = current[k] if current[k] > high else high  # noqa: FURB136
                suffix_min[k] = low
                suffix_max[k] = high
            low, high, r = _INF, -_INF, 0
    state[0], state[1], state[2] = r, low, high
    found[0], found[1], found[2], found[3] = rise, rise_at, fall, fall_at


@engine
def rate_block(
    x: FloatArray,
    first: int,
    last: int,
    tick: int,
    ring: FloatArray,
    state: FloatArray,
    found: FloatArray,
) -> None:
    """Advance over x[first:last]; `ring` holds the last window, `state` is [position, samples held].

    `tick` is that of x[0]; `found` is [greatest rise per window, its tick, greatest fall, its tick].
    """
    size = ring.size
    r, held = int(state[0]), int(state[1])
    rise, rise_at, fall, fall_at = found[0], found[1], found[2], found[3]
    for j in range(first, last):
        change = x[j] - ring[r]
        ring[r] = x[j]
        r += 1
        if r == size:
            r = 0
        if held < size:
            held += 1
            continue
        if change > rise:
            rise, rise_at = change, tick + j
        if -change > fall:
            fall, fall_at = -change, tick + j
    state[0], state[1] = r, held
    found[0], found[1], found[2], found[3] = rise, rise_at, fall, fall_at


class _Found:
    """Greatest rise and fall, for windows in normal operation (0) and apart (1)."""

    def __init__(self) -> None:
        self._found = np.zeros((2, 4))
        self._any = [False, False]

    def seen(self, apart: int = 0) -> bool:
        """Whether a whole window of the kind was judged."""
        return self._any[apart]

    def rise(self, apart: int = 0) -> tuple[float, int]:
        """Greatest rise within a window, and the tick where it ends."""
        return float(self._found[apart, 0]), int(self._found[apart, 1])

    def fall(self, apart: int = 0) -> tuple[float, int]:
        """Greatest fall within a window, and the tick where it ends."""
        return float(self._found[apart, 2]), int(self._found[apart, 3])

    def swing(self, apart: int = 0) -> tuple[float, int]:
        """Greatest max - min of a window, and the tick where it is reached."""
        return max(self.rise(apart), self.fall(apart), key=lambda found: found[0])


class RollingExtremes(_Found):
    """Greatest rise and fall within every window of `steps` steps."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        size = steps + 1
        self._suffix_min = np.full(size + 1, _INF)
        self._suffix_max = np.full(size + 1, -_INF)
        self._current = np.empty(size)
        self._state = np.array([0.0, _INF, -_INF])
        self._fed = 0

    def feed(self, x: FloatArray, first: int, last: int, tick: int, apart: int = 0) -> None:
        """Advance over x[first:last], where x[0] is at `tick`.

        `apart` is 1 for what is judged apart from normal operation, else 0.
        """
        if last <= first:
            return
        self._fed += last - first
        self._any[apart] |= self._fed >= self._current.size  # a whole window ended in this stretch
        extremes_block(
            x, first, last, tick,
            self._suffix_min, self._suffix_max, self._current, self._state, self._found[apart],
        )  # fmt: skip


class RollingRate(_Found):
    """Greatest change from one end of a window of `steps` steps to the other."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self._ring = np.zeros(steps)
        self._state = np.zeros(2)

    def feed(self, x: FloatArray, first: int, last: int, tick: int, apart: int = 0) -> None:
        """Advance over x[first:last], where x[0] is at `tick`.

        `apart` is 1 for what is judged apart from normal operation, else 0.
        """
        if last <= first:
            return
        self._any[apart] |= self._state[1] + (last - first) > self._ring.size
        rate_block(x, first, last, tick, self._ring, self._state, self._found[apart])
