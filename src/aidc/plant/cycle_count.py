"""Rainflow counting of a state of charge that comes piece by piece, in bounded memory.

The same cycles as `rainflow.cycles` finds in the whole series (ASTM E1049-85, section 5.4.4). Ranges that are not
closed yet are kept; of more than `_MOST_OPEN` the oldest is closed as half a cycle, which a series of real use does not
come near.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from aidc.jit import engine
from aidc.plant.rainflow import Cycles
from aidc.units import HOUR_S

__all__ = ["CycleCount"]

FloatArray = NDArray[np.float64]

_MOST_OPEN: Final = 4096
_SOC, _DIRECTION, _MOVED, _STEPS, _HEIGHT = range(5)  # of `state`


@engine
def _push(state: FloatArray, stack: FloatArray, closed: FloatArray, found: int) -> int:
    """Put the point where the series is now on the stack, and close the ranges that it closes."""
    height = int(state[_HEIGHT])
    if height == stack.shape[0]:  # no room: the oldest range is half a cycle
        found = _close(stack, closed, found, 0, 0.5)
        _drop_oldest(stack, height)
        height -= 1
    stack[height, 0] = state[_SOC]
    stack[height, 1] = state[_MOVED]
    stack[height, 2] = state[_STEPS]
    height += 1
    while height >= 3:
        inner = abs(stack[height - 2, 0] - stack[height - 3, 0])
        if abs(stack[height - 1, 0] - stack[height - 2, 0]) < inner:
            break
        if height == 3:
            found = _close(stack, closed, found, 0, 0.5)
            _drop_oldest(stack, height)
            height = 2
        else:
            found = _close(stack, closed, found, height - 3, 1.0)
            _move(stack, height - 1, height - 3)
            height -= 2
    state[_HEIGHT] = height
    return found


@engine
def _move(stack: FloatArray, source: int, target: int) -> None:
    for field in range(stack.shape[1]):
        stack[target, field] = stack[source, field]


@engine
def _drop_oldest(stack: FloatArray, height: int) -> None:
    for place in range(1, height):
        _move(stack, place, place - 1)


@engine
def _close(stack: FloatArray, closed: FloatArray, found: int, place: int, weight: float) -> int:
    """Note the range between two neighbours of the stack: depth, weight, way and moving steps."""
    closed[found, 0] = abs(stack[place + 1, 0] - stack[place, 0])
    closed[found, 1] = weight
    closed[found, 2] = stack[place + 1, 1] - stack[place, 1]
    closed[found, 3] = max(stack[place + 1, 2] - stack[place, 2], 1.0)
    return found + 1


@engine
def _follow(path: FloatArray, state: FloatArray, stack: FloatArray, closed: FloatArray) -> int:
    """Follow a piece of the series from reversal to reversal; how many ranges it closed."""
    found = 0
    for step in range(path.size):
        change = path[step] - state[_SOC]
        if change == 0.0:
            continue
        direction = 1.0 if change > 0.0 else -1.0
        if direction != state[_DIRECTION]:
            found = _push(state, stack, closed, found)
            state[_DIRECTION] = direction
        state[_SOC] = path[step]
        state[_MOVED] += abs(change)
        state[_STEPS] += 1.0
    return found


class CycleCount:
    """Counts the cycles of one storage; `feed` and `finish` give those that were closed since.

    Parameters
    ----------
    first_soc_frac
        State of charge before the first step.
    step_s
        Length of a step [s].
    """

    def __init__(self, first_soc_frac: float, step_s: float) -> None:
        self._step_h = step_s / HOUR_S
        self._state = np.zeros(5)
        self._state[_SOC] = first_soc_frac
        self._stack = np.zeros((_MOST_OPEN, 3))

    def feed(self, soc_frac: FloatArray) -> Cycles:
        """Take the state of charge at the end of each further step, shape (n_step,)."""
        closed = np.zeros((soc_frac.size + 1, 4))
        found = _follow(np.ascontiguousarray(soc_frac), self._state, self._stack, closed)
        return self._cycles(closed[:found])

    def finish(self) -> Cycles:
        """The series ends here: what is still open are half cycles."""
        closed = np.zeros((_MOST_OPEN + 2, 4))
        found = 0
        if self._state[_STEPS] > 0.0:
            found = _push(self._state, self._stack, closed, found)
            for place in range(int(self._state[_HEIGHT]) - 1):
                found = _close(self._stack, closed, found, place, 0.5)
        return self._cycles(closed[:found])

    def _cycles(self, closed: FloatArray) -> Cycles:
        return Cycles(closed[:, 0], closed[:, 1], closed[:, 2] / (closed[:, 3] * self._step_h))
