"""Cycles within a series of state of charge, by rainflow counting (ASTM E1049-85, section 5.4.4)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aidc.jit import engine
from aidc.units import HOUR_S

__all__ = ["Cycles", "cycles", "turning_points"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


class Cycles(NamedTuple):
    """Depth, weight (1 or ½) and C-rate of each cycle, arrays of one length.

    The C-rate is the mean of |dSOC/dt| while the cycle moved [1/h]; rests do not count.
    """

    depth_frac: FloatArray
    weight: FloatArray
    c_rate_per_h: FloatArray


def turning_points(soc_frac: FloatArray) -> IntArray:
    """Indices of the reversals of a series, with its first and last moving samples."""
    moves = np.flatnonzero(np.diff(soc_frac))
    if moves.size == 0:
        return np.zeros(0, dtype=np.int64)
    direction = soc_frac[moves + 1] > soc_frac[moves]
    turns = moves[1:][direction[1:] != direction[:-1]]
    return np.concatenate([moves[:1], turns, moves[-1:] + 1])


@engine
def _count(
    level: FloatArray, depth: FloatArray, weight: FloatArray, start: IntArray, end: IntArray, stack: IntArray
) -> int:
    """Pair the reversals; `start` and `end` are the reversals between which each range lies; `stack` is room to work in."""
    height = 0
    bottom = 0
    found = 0
    for point in range(level.size):
        stack[height] = point
        height += 1
        while height - bottom >= 3:
            inner = abs(level[stack[height - 2]] - level[stack[height - 3]])
            if abs(level[stack[height - 1]] - level[stack[height - 2]]) < inner:
                break
            depth[found] = inner
            start[found] = stack[height - 3]
            end[found] = stack[height - 2]
            if height - bottom == 3:
                weight[found] = 0.5
                bottom += 1
            else:
                weight[found] = 1.0
                stack[height - 3] = stack[height - 1]
                height -= 2
            found += 1
    for place in range(bottom, height - 1):
        depth[found] = abs(level[stack[place + 1]] - level[stack[place]])
        weight[found] = 0.5
        start[found] = stack[place]
        end[found] = stack[place + 1]
        found += 1
    return found


def cycles(soc_frac: FloatArray, step_s: float) -> Cycles:
    """Rainflow cycles of a series.

    Parameters
    ----------
    soc_frac
        State of charge at the end of each step, shape (n_step,).
    step_s
        Length of a step [s].

    Returns
    -------
    Cycles
        Σ weight·depth is half the total movement of the series: its equivalent full cycles.
    """
    points = turning_points(soc_frac)
    size = points.size
    depth, weight = np.zeros(size), np.zeros(size)
    start, end, stack = (np.zeros(size, dtype=np.int64) for _ in range(3))
    found = _count(soc_frac[points], depth, weight, start, end, stack)
    change = np.abs(np.diff(soc_frac, prepend=soc_frac[:1]))
    moved = np.cumsum(change)[points]
    moving_h = np.cumsum(change > 0)[points] * step_s / HOUR_S
    first, last = start[:found], end[:found]
    hours = np.maximum(moving_h[last] - moving_h[first], step_s / HOUR_S)
    return Cycles(depth[:found], weight[:found], (moved[last] - moved[first]) / hours)
