"""What has happened so far laid over a plan: what is done is done, what is under way has its rest to go, the rest comes later.

A task that is under way is drawn given that it has lasted as long as it has; a date that has not come is drawn given that it has not.
Who is under way keeps its crews before anybody else gets one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from difflib import get_close_matches
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from aidc.design.construction.calendars import EVERY_DAY, HORIZON_DAYS
from aidc.design.construction.durations import Quantiles, quantiles_of, remaining
from aidc.design.construction.network import NetworkTask
from aidc.design.construction.plan import Plan
from aidc.errors import InputError, Problem
from aidc.schema.construction import Actual, ProgressFile
from aidc.schema.module import Work
from aidc.site.refuse import problems_of
from aidc.toml_file import read_toml

__all__ = ["progressed", "read_progress"]


def read_progress(path: Path, today: date) -> ProgressFile:
    """A progress file.

    Raises
    ------
    InputError
        It is none, is from the future, or has dates after its own status date.
    """
    try:
        file = ProgressFile.model_validate(read_toml(path))
    except ValidationError as error:
        raise InputError(problems_of(error, ProgressFile, path)) from error
    problems: list[Problem] = []
    if file.status > today:
        what = f"is from the future: today is {today}"
        problems.append(Problem(what, "Correct the status date.", path, "status", str(file.status)))
    for name, one in file.tasks.items():
        for key, day in (("started", one.started), ("finished", one.finished)):
            if day is not None and day > file.status:
                what = f"lies after the status date {file.status}: that has not happened yet"
                problems.append(
                    Problem(what, "Correct one of the dates.", path, f"tasks.{name}.{key}", str(day))
                )
    if problems:
        raise InputError(problems)
    return file


def progressed(plan: Plan, file: ProgressFile, path: Path) -> Plan:
    """The plan with what has happened; its `known` holds the rest of what is under way.

    Raises
    ------
    InputError
        An unknown task, a date before the project or before a predecessor is done, more under way than crews.
    """
    problems = [
        *_unknown(plan, file),
        *_too_early(plan, file),
        *_out_of_order(plan, file),
        *_too_many(plan, file),
    ]
    if problems:
        raise InputError([replace(one, file=path) for one in problems])
    status = float((file.status - plan.file.start).days + 1)  # the end of that day
    ends = {name: _end(plan, name, one.finished) for name, one in file.tasks.items() if one.finished}
    known: dict[str, Quantiles] = {}
    tasks: list[NetworkTask] = []
    for task in plan.tasks:
        actual = file.tasks.get(task.name)
        if task.name in ends:
            tasks.append(NetworkTask(task.name, Work(days=(0.0, 0.0, 0.0)), EVERY_DAY, (), ends[task.name]))
            continue
        elapsed = _elapsed(plan, task, actual, ends, status)
        if elapsed > 0:
            known[task.name] = remaining(quantiles_of(task.work, task.scale), elapsed)
        if actual is not None:
            tasks.append(replace(task, after=(), not_before_d=status))
            continue
        after = tuple(one for one in task.after if one not in ends)
        tasks.append(replace(task, after=after, not_before_d=max(status, task.not_before_d)))
    under_way = frozenset(name for name, one in file.tasks.items() if one.finished is None)
    return replace(plan, tasks=tuple(tasks), known=known, under_way=under_way)


def _end(plan: Plan, name: str, finished: date | None) -> float:
    """The moment at which something was done [days]: the end of its day, the morning of a milestone's."""
    day = float(((finished or plan.file.start) - plan.file.start).days)
    return day if name in plan.file.milestones else day + 1.0


def _elapsed(
    plan: Plan, task: NetworkTask, actual: Actual | None, ends: Mapping[str, float], status: float
) -> float:
    """Working days that something has lasted by the status date: since its start, or since a milestone could have come."""
    if actual is not None and actual.started is not None:
        begin = float((actual.started - plan.file.start).days)
    elif task.name in plan.file.milestones and all(one in ends for one in task.after):
        begin = max([task.not_before_d, *(ends[one] for one in task.after)])
    else:
        return 0.0
    row = plan.tables.names.index(task.calendar)
    count = plan.tables.count[row]
    low, high = int(min(begin, status)), int(status)
    return float(np.int64(count[high]) - np.int64(count[low]))


def _unknown(plan: Plan, file: ProgressFile) -> list[Problem]:
    names = [task.name for task in plan.tasks]
    found: list[Problem] = []
    for name in file.tasks:
        if name not in names:
            close = get_close_matches(name, names, n=1)
            remedy = (
                f"Did you mean {close[0]!r}?"
                if close
                else "aidc build --out writes all tasks into network.csv."
            )
            found.append(Problem("is no task of the plan", remedy, key="tasks", value=name))
    return found


def _too_early(plan: Plan, file: ProgressFile) -> list[Problem]:
    start = plan.file.start
    found: list[Problem] = []
    if (file.status - start).days >= HORIZON_DAYS:
        what = f"lies more than twenty years after the start of the project ({start})"
        found.append(Problem(what, "Correct one of them.", key="status", value=str(file.status)))
    if file.status < start:
        what = f"lies before the start of the project ({start})"
        found.append(Problem(what, "Correct it.", key="status", value=str(file.status)))
    for name, one in file.tasks.items():
        day = one.started or one.finished
        if day is not None and day < start:
            what = f"lies before the start of the project ({start})"
            found.append(Problem(what, "Correct one of them.", key=f"tasks.{name}", value=str(day)))
    return found


def _out_of_order(plan: Plan, file: ProgressFile) -> list[Problem]:
    """Tasks that have begun before what they wait for was done."""
    found: list[Problem] = []
    for task in plan.tasks:
        actual = file.tasks.get(task.name)
        if actual is None:
            continue
        begun = actual.started or actual.finished
        for other in task.after:
            done = file.tasks[other].finished if other in file.tasks else None
            if done is None:
                what = f"has begun, and {other}, which it waits for, is not done"
                remedy = f"Give tasks.{other!r} its finished date, or take it out of `after`."
                found.append(Problem(what, remedy, key=f"tasks.{task.name}"))
            elif begun is not None and begun < done:
                what = f"began before {other}, which it waits for, was done ({done})"
                found.append(
                    Problem(what, "Correct one of the dates.", key=f"tasks.{task.name}", value=str(begun))
                )
    return found


def _too_many(plan: Plan, file: ProgressFile) -> list[Problem]:
    """More under way at once than there are crews."""
    held: Counter[str] = Counter()
    for task in plan.tasks:
        actual = file.tasks.get(task.name)
        if actual is not None and actual.finished is None:
            held.update(task.work.crews)
    return [
        Problem(f"{count} of crew {crew} are under way, and there are {plan.file.crews[crew]}", f"Raise crews.{crew}, or correct the dates.", key="tasks")
        for crew, count in held.items()
        if count > plan.file.crews[crew]
    ]  # fmt: skip
