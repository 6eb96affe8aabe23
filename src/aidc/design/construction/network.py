"""The task network: tasks, what they wait for, and the order in which crews are given out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from aidc.design.construction.durations import mean_days
from aidc.errors import InputError, Problem
from aidc.schema.construction import Policy
from aidc.schema.module import Work

__all__ = ["NetworkTask", "ranks", "refuse_broken", "refuse_cycles", "topological"]

_MOST_TASKS = 5000


@dataclass(frozen=True, slots=True)
class NetworkTask:
    """One task. `scale` multiplies its days (learning); `not_before_d` is in days from the start of the project."""

    name: str
    work: Work
    calendar: str
    after: tuple[str, ...] = ()
    not_before_d: float = 0.0
    scale: float = 1.0

    @property
    def mean_days(self) -> float:
        """Expected working days."""
        return mean_days(self.work, self.scale)


def refuse_broken(tasks: Sequence[NetworkTask], calendars: Sequence[str], crews: Mapping[str, int]) -> None:
    """Refuse names that lead nowhere, too few of a crew, and cycles.

    Raises
    ------
    InputError
    """
    known = tuple(task.name for task in tasks)
    problems: list[Problem] = []
    if len(known) > _MOST_TASKS:
        what, remedy = f"has more than {_MOST_TASKS} tasks", "Plan lots instead of single units."
        raise InputError(Problem(what, remedy, key="tasks", value=len(known)))
    names = set(known)
    twice = [name for name, count in Counter(known).items() if count > 1]
    problems += [Problem("two tasks bear this name", "Rename one.", key=name) for name in twice]
    for task in tasks:
        problems += [
            _unknown("waits for a task that there is not", f"{task.name}.after", one, known)
            for one in task.after
            if one not in names
        ]
        if task.calendar not in calendars:
            what = "names a calendar that there is not"
            problems.append(_unknown(what, f"{task.name}.calendar", task.calendar, tuple(calendars)))
        for crew in dict.fromkeys(task.work.crews):
            needed = task.work.crews.count(crew)
            if crew not in crews:
                what, remedy = "needs a crew of which no number is given", f"Add [crews] {crew} = 1 or more."
                problems.append(Problem(what, remedy, key=f"{task.name}.crews", value=crew))
            elif crews[crew] < needed:
                what = f"needs {needed} of a crew of which there are {crews[crew]}"
                problems.append(Problem(what, f"Raise crews.{crew}.", key=f"{task.name}.crews", value=crew))
    if problems:
        raise InputError(problems)
    refuse_cycles({task.name: task.after for task in tasks})


def _unknown(what: str, key: str, name: str, known: tuple[str, ...]) -> Problem:
    return Problem(what, _nearest(name, known), key=key, value=name)


@lru_cache(maxsize=64)
def _nearest(name: str, known: tuple[str, ...]) -> str:
    """A remedy; a name that leads nowhere stands in many tasks as a rule, and the search is slow."""
    close = get_close_matches(name, known, n=1)
    shown = f"Known: {', '.join(known[:20])}{' …' if len(known) > 20 else ''}."
    return f"Did you mean {close[0]!r}?" if close else shown


def refuse_cycles(after: Mapping[str, Sequence[str]]) -> None:
    """Refuse tasks that wait for each other, and show the circle.

    Raises
    ------
    InputError
    """
    done, path = set[str](), list[str]()
    for first in after:
        if first in done:
            continue
        path, left = [first], [list(after[first])]
        on_path = {first}
        while path:
            if not left[-1]:
                done.add(path[-1])
                on_path.discard(path.pop())
                left.pop()
                continue
            one = left[-1].pop()
            if one in on_path:
                circle = [*path[path.index(one) :], one]
                shown = " waits for ".join(circle)
                what = f"tasks wait for each other: {shown}"
                raise InputError(Problem(what, "Take one of these out of `after`.", key="tasks"))
            if one not in done:
                path.append(one)
                on_path.add(one)
                left.append(list(after[one]))


def topological(tasks: Sequence[NetworkTask]) -> list[int]:
    """Places of the tasks, each behind all that it waits for; the network has no cycle."""
    place = {task.name: number for number, task in enumerate(tasks)}
    waits = [len(set(task.after)) for task in tasks]
    followers: list[list[int]] = [[] for _ in tasks]
    for number, task in enumerate(tasks):
        for one in set(task.after):
            followers[place[one]].append(number)
    ready = [number for number, count in enumerate(waits) if count == 0]
    order: list[int] = []
    while ready:
        number = ready.pop()
        order.append(number)
        for one in followers[number]:
            waits[one] -= 1
            if waits[one] == 0:
                ready.append(one)
    return order


def ranks(tasks: Sequence[NetworkTask], week_days: Mapping[str, float], policy: Policy) -> NDArray[np.int32]:
    """The place of each task in the order in which crews are given out, 0 first; ties go by the list.

    One fixed order for all draws, from expected durations: no draw is planned with knowledge of its own luck.
    Latest start and finish come from a backward pass without crews; working days count as 7/n calendar days.
    """
    order = topological(tasks)
    place = {task.name: number for number, task in enumerate(tasks)}
    length = np.array([task.mean_days * 7.0 / week_days[task.calendar] for task in tasks])
    early = np.zeros(len(tasks))
    for number in order:
        task = tasks[number]
        start = max((early[place[one]] for one in task.after), default=0.0)
        early[number] = max(start, task.not_before_d) + length[number]
    late = np.full(len(tasks), early.max() if len(tasks) else 0.0)
    for number in reversed(order):
        for one in tasks[number].after:
            late[place[one]] = min(late[place[one]], late[number] - length[number])
    key = {
        "latest-finish": late,
        "latest-start": late - length,
        "listed": np.arange(len(tasks), dtype=np.float64),
    }[policy]
    found = np.empty(len(tasks), dtype=np.int32)
    found[np.argsort(key, kind="stable")] = np.arange(len(tasks), dtype=np.int32)
    return found
