"""From lots, milestones and one's own tasks to one network.

Within a lot the steps follow each other. Between lots: connecting waits until those who give are set, start-up until they
have passed their own tests, and the functional test for the controls; what takes from the grid starts up at the
earliest milestone that allows import.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date

from aidc.design.construction.calendars import EVERY_DAY
from aidc.design.construction.lots import GRID, Lot
from aidc.design.construction.network import NetworkTask
from aidc.errors import InputError, Problem
from aidc.schema.construction import BuildFile, Milestone
from aidc.schema.module import STEPS, StepName, Work

__all__ = ["first_import", "network_of", "online_task", "refuse_disordered"]


def network_of(plan: BuildFile, lots: Sequence[Lot]) -> list[NetworkTask]:
    """All tasks: milestones, one's own, and the steps of every lot."""
    made = [_milestone(name, one, plan.start) for name, one in plan.milestones.items()]
    made += [
        NetworkTask(
            name, task, task.calendar, task.after, float(((task.not_before or plan.start) - plan.start).days)
        )
        for name, task in plan.tasks.items()
    ]
    by_name = {lot.name: lot for lot in lots}
    before: dict[str, int] = {}
    for lot in lots:
        count = before.get(lot.use.use, 0)
        made += _lot_tasks(plan, lot, by_name, count)
        before[lot.use.use] = count + lot.use.units
    return made


def online_task(lot: Lot) -> str:
    """The last step of a lot: when it is done, the lot is online."""
    return f"{lot.name}.{_steps(lot)[-1]}"


def first_import(plan: BuildFile) -> str | None:
    """The milestone that first allows import: that of the least limit, the earlier where two are equal."""
    grid = {name: one for name, one in plan.milestones.items() if one.import_limit_mw}
    return min(grid, key=lambda name: (grid[name].import_limit_mw or 0.0, grid[name].dates)) if grid else None


def _milestone(name: str, one: Milestone, start: date) -> NetworkTask:
    """A date as a task: not before the earliest, and then as long as it is late."""
    earliest, likely, latest = ((day - start).days for day in one.dates)
    work = Work(days=(0.0, float(likely - earliest), float(latest - earliest)), factor=one.factor)
    return NetworkTask(name, work, EVERY_DAY, one.after, float(max(earliest, 0)))


def refuse_disordered(plan: BuildFile) -> None:
    """Refuse milestones before the start or before a milestone that they wait for.

    Raises
    ------
    InputError
    """
    problems: list[Problem] = []
    grid = {name: one for name, one in plan.milestones.items() if one.import_limit_mw}
    if not grid:
        what, remedy = "has no grid milestone", "Give one of them import_limit_mw = … ."
        problems.append(Problem(what, remedy, key="milestones"))
    for name, one in plan.milestones.items():
        if one.dates[0] < plan.start:
            what = f"lies before the start of the project ({plan.start})"
            remedy = "Correct it, or let the project start earlier."
            problems.append(Problem(what, remedy, key=f"milestones.{name}.dates", value=str(one.dates[0])))
        for other in one.after:
            known = plan.milestones.get(other)
            if known is None:
                continue
            early = [k for k in range(3) if one.dates[k] < known.dates[k]]
            if early:
                what = f"comes before the milestone {other} that it waits for ({known.dates[early[0]]})"
                remedy = "Correct one of the dates, or take it out of `after`."
                value = str(one.dates[early[0]])
                problems.append(Problem(what, remedy, key=f"milestones.{name}.dates", value=value))
            if (one.import_limit_mw or math.inf) < (known.import_limit_mw or 0.0):
                what = f"allows less import than the milestone {other} that it waits for ({known.import_limit_mw:g} MW)"
                problems.append(
                    Problem(
                        what,
                        "Correct the limits.",
                        key=f"milestones.{name}.import_limit_mw",
                        value=one.import_limit_mw,
                    )
                )
    if problems:
        raise InputError(problems)


def _steps(lot: Lot) -> list[StepName]:
    return [step for step in STEPS if step in lot.module.steps]


def _lot_tasks(plan: BuildFile, lot: Lot, lots: Mapping[str, Lot], before: int) -> list[NetworkTask]:
    """The steps of a lot; `before` units of the same kind come earlier in the list."""
    made: list[NetworkTask] = []
    earlier: tuple[str, ...] = ()
    for step in _steps(lot):
        shape = lot.module.steps[step]
        name = f"{lot.name}.{step}"
        own = lot.use.after.get(step, ())
        after = (*earlier, *own, *_links(plan, lot, lots, step))
        factor = shape.factor or shape.place
        plain = {key: getattr(shape, key) for key in Work.model_fields}
        work = Work.model_validate({**plain, "factor": factor})
        scale = _scale(lot, learns=shape.learns, on_site=shape.place == "site", before=before)
        made.append(NetworkTask(name, work, shape.place, tuple(dict.fromkeys(after)), 0.0, scale))
        earlier = (name,)
    return made


def _links(plan: BuildFile, lot: Lot, lots: Mapping[str, Lot], step: str) -> list[str]:
    """What a step waits for at other lots and at the grid."""
    controlled = "functional" if "functional" in lot.module.steps else "startup"
    found: list[str] = []
    for link in lot.links:
        if link.giver == GRID:
            first = first_import(plan)
            found += [first] if step == "startup" and first else []
        elif link.medium == "control":
            found += [online_task(lots[link.giver])] if step == controlled else []
        elif step == "connect":
            found.append(f"{link.giver}.set")
        elif step == "startup":
            found.append(online_task(lots[link.giver]))
    return found


def _scale(lot: Lot, *, learns: bool, on_site: bool, before: int) -> float:
    """What the days of one first unit are multiplied by: unit n takes n^log2(b) of the first (Wright 1936)."""
    power = math.log2(lot.module.learning_frac) if learns else 0.0
    factors = [(before + number + 1) ** power for number in range(lot.use.units)]
    return sum(factors) if on_site else sum(factors) / len(factors)
