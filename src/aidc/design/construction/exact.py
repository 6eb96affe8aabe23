"""The shortest schedule of a small network with fixed days: what the policy's schedule is held against.

Some shortest schedule comes of starting tasks in the order of their starts, each as early as its predecessors, its calendar and
its crews allow and not before the one that started last: among the shortest, the one with the least sum of starts is such.
(Crews are free from a moment on, or not, because whoever started earlier only leaves as time goes.) So subsets of started tasks are
extended one task at a time. Of two ways to have started the same tasks, one is dropped whose last start and finishes are all
no earlier than the other's: whatever may follow it may follow the other.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aidc.design.construction.calendars import finish_of, next_working
from aidc.design.construction.kernel import Net

__all__ = ["MOST_TASKS", "shortest_days"]

FloatArray = NDArray[np.float64]
MOST_TASKS: Final = 12
_State = tuple[float, tuple[float, ...]]  # last start; finish of each task, -1 where it has not started


class _Case(NamedTuple):
    """A network with its days, and the predecessors of each task: as places and as bits."""

    net: Net
    days: FloatArray
    variant: int
    before: list[list[int]]
    bits: list[int]


def shortest_days(net: Net, days: FloatArray, variant: int = 0, *, bound: float = math.inf) -> float:
    """The least time at which all tasks are done [days from the start].

    Parameters
    ----------
    net
        Of at most 12 tasks.
    days : (n_task,)
        Working days of each.
    variant
        The weather year.
    bound
        Time of a schedule that is known: longer ones are not looked at.

    Raises
    ------
    ValueError
        There are more tasks: the search would take too long.
    """
    count = days.size
    if count > MOST_TASKS:
        message = f"an exact search of {count} tasks would take too long; the most is {MOST_TASKS}"
        raise ValueError(message)
    before = [[j for j in range(count) if i in _followers(net, j)] for i in range(count)]
    case = _Case(net, days, variant, before, [sum(1 << j for j in each) for each in before])
    tail = _tails(net, days)
    level: dict[int, list[_State]] = {0: [(0.0, (-1.0,) * count)]}
    for _ in range(count):
        reached: dict[int, list[_State]] = {}
        for started, states in level.items():
            for i in range(count):
                if started >> i & 1 or case.bits[i] & ~started:
                    continue
                for state in states:
                    new = _started(case, i, state)
                    if new[0] + tail[i] <= bound:
                        _keep(reached.setdefault(started | 1 << i, []), new)
        level = reached
    return min((max(state[1]) for states in level.values() for state in states), default=bound)


def _followers(net: Net, i: int) -> list[int]:
    return net.follower[net.first[i] : net.first[i + 1]].tolist()


def _tails(net: Net, days: FloatArray) -> list[float]:
    """Working days from the start of each task to the end of the longest path behind it."""
    tails: list[float] = days.tolist()
    for _ in range(days.size):
        for i in range(days.size):
            tails[i] = float(days[i]) + max((tails[j] for j in _followers(net, i)), default=0.0)
    return tails


def _started(case: _Case, i: int, state: _State) -> _State:
    """The state once task `i` has started, as early as it may."""
    net, days = case.net, float(case.days[i])
    last, finish = state
    row = int(net.calendar[i, case.variant])
    earliest = max([last, float(net.release[i]), *(finish[j] for j in case.before[i])])
    for moment in sorted({earliest, *(end for end in finish if end > earliest)}):
        time = float(next_working(net.worked, net.day_of, row, moment)) if days > 0 else moment
        if _fits(net, i, time, finish):
            done = float(finish_of(net.worked, net.day_of, row, time, days))
            return time, (*finish[:i], done, *finish[i + 1 :])
    message = "a crew is too small for a task"
    raise ValueError(message)


def _fits(net: Net, i: int, time: float, finish: Sequence[float]) -> bool:
    """Whether the crews of a task are free at a time: those who have started and not finished hold theirs."""
    held = net.needs[i].copy()
    for j, end in enumerate(finish):
        if end > time:
            held += net.needs[j]
    return bool(np.all(held <= net.crews))


def _keep(states: list[_State], new: _State) -> None:
    """Keep a state unless another is no later in all; drop those that it beats."""
    if any(_beats(other, new) for other in states):
        return
    states[:] = [other for other in states if not _beats(new, other)]
    states.append(new)


def _beats(one: _State, other: _State) -> bool:
    return one[0] <= other[0] and all(a <= b for a, b in zip(one[1], other[1], strict=True))
