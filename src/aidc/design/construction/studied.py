"""One plan studied: its draws, power over time, and what was asked for of its phases, bridges and value."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from aidc.design.construction.bridges import bridges_of
from aidc.design.construction.draws import Draws, Prepared, draw, prepared
from aidc.design.construction.earnings import refuse_unpriced
from aidc.design.construction.follow import followed
from aidc.design.construction.grid import finishes_of, grid_told, power_of
from aidc.design.construction.online import Finishes, Power, online_curve
from aidc.design.construction.phases import overstated
from aidc.design.construction.plan import Plan
from aidc.design.construction.result import BuildResult, dates_of
from aidc.design.construction.rows import days_of, gap_of, lot_rows, promises_of, task_rows
from aidc.design.construction.steps import online_task
from aidc.design.construction.valuation import Valuation, valuation_of
from aidc.design.construction.weeks import weeks_of

__all__ = ["Wanted", "studied", "unvalued"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of a study: draws and their seed, a week less for each task, every phase run, bridges tried."""

    draws: int
    seed: int
    weeks: bool = True
    follow: bool = False
    bridges: bool = False
    progress: Callable[[int, int], None] | None = None


def unvalued(plan: Plan) -> Plan:
    """The plan without its `[value]`."""
    return replace(plan, file=plan.file.model_copy(update={"value": None}))


def studied(plan: Plan, wanted: Wanted) -> BuildResult:
    """The study of a plan.

    Raises
    ------
    InputError, SimulationError
    """
    power = power_of(plan)
    ready = _prepared(plan, power)
    drawn = draw(ready, wanted.draws, wanted.seed)
    finish = finishes_of(plan, drawn)
    if plan.file.value is not None:
        refuse_unpriced(plan)
    found = _dates(plan, wanted, power, ready, drawn, finish)
    found = replace(found, told=(*found.told, *overstated(found)))
    if wanted.bridges:
        bridges = bridges_of(found, power, finish, wanted.progress)
        found = replace(found, bridges=bridges, told=(*found.told, *bridges["told"]))
    valuation: Valuation | None = None
    if wanted.follow or plan.file.value is not None:
        runs = followed(found, every=wanted.follow, progress=wanted.progress)
        told = tuple(line for one in runs for line in one.told)
        found = replace(found, phases=tuple(runs), told=(*found.told, *told))
    if plan.file.value is not None:
        valuation = valuation_of(found, power)
    if wanted.weeks:
        gains = weeks_of(found, power, ready, drawn.critical_frac, valuation)
        found = replace(found, weeks=gains)
    if valuation is None:
        return found
    facts = valuation.facts(finish, drawn.finish)
    return replace(found, value=facts, told=(*found.told, *valuation.told))


def _prepared(plan: Plan, power: Power) -> Prepared:
    return prepared(
        plan.tasks,
        plan.tables,
        plan.file.crews,
        plan.file.correlation,
        plan.file.policy,
        goals=[*(online_task(lot) for lot in plan.halls), power.last_milestone],
        weather_rows=plan.weather_rows,
        known=plan.known,
        first=plan.under_way,
    )


def _dates(
    plan: Plan, wanted: Wanted, power: Power, ready: Prepared, drawn: Draws, finish: Finishes
) -> BuildResult:
    """Dates and power over time."""
    start = plan.file.start
    return BuildResult(
        plan,
        wanted.draws,
        wanted.seed,
        task_rows(plan, drawn),
        lot_rows(plan, power, finish),
        {name: dates_of(start, finish[name], moment=True) for name in plan.file.milestones},
        dates_of(start, power.reached(finish, power.final_mw)),
        power.final_mw,
        online_curve(power, finish, days_of(finish)),
        power.ratio,
        gap_of(plan, ready),
        promises_of(plan, power, finish),
        (*plan.told, *grid_told(plan)),
    )
