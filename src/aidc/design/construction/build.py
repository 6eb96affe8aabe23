"""`build`: when each prefabricated megawatt comes online, with which probability, and what holds it up."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from aidc.design.construction.bridges import bridges_of
from aidc.design.construction.draws import Draws, Prepared, draw, prepared, without_luck
from aidc.design.construction.exact import MOST_TASKS, shortest_days
from aidc.design.construction.online import Finishes, Power, online_curve
from aidc.design.construction.plan import Plan, load_plan
from aidc.design.construction.progress import progressed, read_progress
from aidc.design.construction.result import BuildResult, Gap, LotRow, TaskRow, WeekGain, dates_of
from aidc.design.construction.slips import beside, with_progress
from aidc.design.construction.steps import online_task
from aidc.design.construction.valuation import Valuation, valuation_of
from aidc.errors import InputError, Problem
from aidc.plant.freeze import frozen
from aidc.schema.site import Site
from aidc.site import load

__all__ = ["MOST_DRAWS", "build"]

FloatArray = NDArray[np.float64]
MOST_DRAWS: Final = 1_000_000
_LEAST_DRAWS: Final = 100
_MOST_CELLS: Final = 60_000_000  # draws times tasks: half a gigabyte of dates
_WEEK_DRAWS: Final = 2000
_WEEK_TASKS: Final = 25
_WEEK_CRITICAL: Final = 0.01


def build(
    site: Site | Path | str,
    *,
    plan: Path | str | None = None,
    draws: int = 10_000,
    seed: int | None = None,
    settings: Sequence[str] = (),
    value: bool = True,
    bridges: bool = False,
    against: Path | str | None = None,
    actual: Path | str | None = None,
    today: date | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> BuildResult:
    """When the modules of a site are online.

    Parameters
    ----------
    site
        A loaded site, or the path of a site file.
    plan
        The file that says how it is built; default: `build.toml` beside the site.
    draws
        Schedules to draw, 100 to 1,000,000.
    seed
        Of the draws; default: the plan's.
    settings
        As in `aidc.load`, where `site` is a path.
    value
        Whether to work out values where the plan asks for them: it runs up to 8 phases.
    bridges
        Whether to try the plan's bridges on the energy model: about six runs for each.
    against
        Another plan of the same site, to stand beside this one (stick-built, another supplier).
    actual, today
        A progress file (TOML), and the date after which it is from the future (default: that of the clock).
    progress
        Called with phases run and phases in all, where the plan asks for values.

    Returns
    -------
    BuildResult
        Dates and powers with probabilities 0.1, 0.5 and 0.9; `as_dict()` gives plain values.

    Raises
    ------
    InputError
        Everything that is wrong with the site or its plan.
    """
    if not _LEAST_DRAWS <= draws <= MOST_DRAWS:
        what = f"lies outside {_LEAST_DRAWS} to {MOST_DRAWS:,}"
        raise InputError(Problem(what, "Draw a few thousand.", key="--draws", value=draws))
    site = site if isinstance(site, Site) else load(site, settings)
    made = load_plan(frozen(site), None if plan is None else Path(plan))
    if draws * len(made.tasks) > _MOST_CELLS:
        what = f"are too many for {len(made.tasks)} tasks: their dates would not fit into memory"
        most = _MOST_CELLS // len(made.tasks)
        raise InputError(Problem(what, f"Draw {most:,} or fewer.", key="--draws", value=draws))
    if not value:
        made = _unvalued(made)
    seed = made.file.seed if seed is None else seed
    if actual is None:
        found = _studied(made, draws, seed, progress, bridges=bridges)
    else:
        file = read_progress(Path(actual), today or datetime.now(UTC).date())
        before = _studied(_unvalued(made), draws, seed, None, weeks=False)
        now = _studied(progressed(made, file, Path(actual)), draws, seed, progress, bridges=bridges)
        found = with_progress(now, before, file)
    if against is None:
        return found
    other = _studied(_unvalued(load_plan(made.site, Path(against))), draws, seed, None, weeks=False)
    return beside(found, other, Path(against).name)


def _unvalued(plan: Plan) -> Plan:
    return replace(plan, file=plan.file.model_copy(update={"value": None}))


def _studied(
    plan: Plan,
    draws: int,
    seed: int,
    progress: Callable[[int, int], None] | None,
    *,
    weeks: bool = True,
    bridges: bool = False,
) -> BuildResult:
    power = Power(plan.site, plan.lots, _limits(plan))
    goals = [*(online_task(lot) for lot in plan.halls), power.last_milestone]
    ready = prepared(
        plan.tasks,
        plan.tables,
        plan.file.crews,
        plan.file.correlation,
        plan.file.policy,
        goals=goals,
        weather_rows=plan.weather_rows,
        known=plan.known,
        first=plan.under_way,
    )
    drawn = draw(ready, draws, seed)
    finish = _finishes(plan, drawn)
    start = plan.file.start
    found = BuildResult(
        plan,
        draws,
        seed,
        _task_rows(plan, drawn),
        _lot_rows(plan, power, finish),
        {name: dates_of(start, finish[name], moment=True) for name in plan.file.milestones},
        dates_of(start, power.reached(finish, power.final_mw)),
        power.final_mw,
        online_curve(power, finish, _days(finish)),
        power.ratio,
        _gap(plan, ready),
        _promises(plan, power, finish),
        (*plan.told, *_grid_told(plan)),
    )
    if bridges:
        found = replace(found, bridges=bridges_of(found, power, finish, progress))
    valuation = None if plan.file.value is None else valuation_of(found, power, progress)
    if weeks:
        fewer = min(draws, _WEEK_DRAWS)
        gains = _weeks(plan, power, ready, drawn.critical_frac, fewer, seed, valuation)
        found = replace(found, weeks=gains)
    if valuation is None:
        return found
    facts = valuation.facts(finish, drawn.finish)
    return replace(found, value=facts, told=(*found.told, *valuation.told))


def _finishes(plan: Plan, drawn: Draws) -> dict[str, NDArray[np.float32]]:
    """When each lot and each milestone is done, (n_draw,)."""
    place = {task.name: number for number, task in enumerate(plan.tasks)}
    found = {lot.name: drawn.finish[:, place[online_task(lot)]] for lot in plan.lots}
    return found | {name: drawn.finish[:, place[name]] for name in plan.file.milestones}


def _limits(plan: Plan) -> dict[str, float]:
    """Import limit of each grid milestone [MW], never above what the site's own connection allows."""
    most = plan.site.grid.import_limit_mw
    return {
        name: min(one.import_limit_mw, most)
        for name, one in plan.file.milestones.items()
        if one.import_limit_mw
    }


def _grid_told(plan: Plan) -> list[str]:
    """What the milestones leave of the site's connection."""
    most, given = plan.site.grid.import_limit_mw, max(_limits(plan).values())
    told = [
        f"milestones.{name}: {one.import_limit_mw:g} MW are more than the site's own import limit of {most:g} MW,"
        " which is taken"
        for name, one in plan.file.milestones.items()
        if (one.import_limit_mw or 0.0) > most
    ]
    if given < most:
        told.append(f"grid: the milestones allow {given:g} MW in the end, the site {most:g} MW")
    return told


def _days(finish: Finishes) -> NDArray[np.int64]:
    """Every week from the start until nearly every draw is through."""
    last = max(float(np.quantile(one, 0.99)) for one in finish.values())
    return np.arange(0, math.ceil(last / 7.0) * 7 + 8, 7, dtype=np.int64)


def _task_rows(plan: Plan, drawn: Draws) -> tuple[TaskRow, ...]:
    start = plan.file.start
    return tuple(
        TaskRow(
            task.name,
            task.calendar,
            task.work.crews,
            task.mean_days,
            dates_of(start, drawn.start[:, place], moment=True),
            dates_of(start, drawn.finish[:, place], moment=task.name in plan.file.milestones),
            float(drawn.critical_frac[place]),
        )
        for place, task in enumerate(plan.tasks)
    )


def _lot_rows(plan: Plan, power: Power, finish: Finishes) -> tuple[LotRow, ...]:
    return tuple(
        LotRow(
            lot.name,
            lot.use.use,
            lot.module.role,
            lot.use.units,
            lot.power_mw,
            power.it_mw.get(lot.name, 0.0),
            lot.use.units * lot.module.cost_usd_million,
            dates_of(plan.file.start, finish[lot.name]),
        )
        for lot in plan.lots
    )


def _weeks(
    plan: Plan,
    power: Power,
    ready: Prepared,
    critical: FloatArray,
    draws: int,
    seed: int,
    valuation: Valuation | None,
) -> tuple[WeekGain, ...]:
    """What a week less would bring, for the tasks that are critical most often, on the luck of the same draws."""
    week = dict(zip(plan.tables.names, plan.tables.week_days.tolist(), strict=True))
    often = [int(place) for place in np.argsort(-critical)[:_WEEK_TASKS] if critical[place] >= _WEEK_CRITICAL]
    drawn = draw(ready, draws, seed)
    finish = _finishes(plan, drawn)
    end = float(_days(finish)[-1])
    base = _outcome(power, finish, end)
    npv = None if valuation is None else valuation.worth(finish, drawn.finish).npv_usd

    def changed(place: int, weeks: float) -> tuple[tuple[float, float], FloatArray | None]:
        """The outcome with a task some weeks shorter, and the gain in net present value of each draw."""
        shorter = np.zeros(len(plan.tasks))
        shorter[place] = weeks * week[plan.tasks[place].calendar]
        drawn = draw(ready, draws, seed, shorter=shorter)
        finish = _finishes(plan, drawn)
        outcome = _outcome(power, finish, end)
        if valuation is None or npv is None:
            return outcome, None
        return outcome, valuation.worth(finish, drawn.finish).npv_usd - npv

    found = [
        _week_gain(plan.tasks[place].name, base, changed(place, 1.0), changed(place, -1.0)) for place in often
    ]
    return tuple(sorted(found, key=lambda one: -(one.npv_usd or one.online_mw_days)))


def _week_gain(
    name: str,
    base: tuple[float, float],
    less: tuple[tuple[float, float], FloatArray | None],
    more: tuple[tuple[float, float], FloatArray | None],
) -> WeekGain:
    mw_days = (less[0][1] - base[1], more[0][1] - base[1])
    if less[1] is None or more[1] is None:
        return WeekGain(name, base[0] - less[0][0], *mw_days)
    gain, error = float(less[1].mean()), float(less[1].std() / math.sqrt(less[1].size))
    return WeekGain(name, base[0] - less[0][0], *mw_days, gain, error, float(more[1].mean()))


def _outcome(power: Power, finish: Finishes, end: float) -> tuple[float, float]:
    """Mean day on which all is online that will be, and mean IT power over time up to a day [MW-days]."""
    times, levels = power.steps(finish)
    ends = np.concatenate([times[:, 1:], np.full((times.shape[0], 1), end)], axis=1)
    mw_days = (levels * np.maximum(np.minimum(ends, end) - times, 0.0)).sum(axis=1)
    return float(power.reached(finish, power.final_mw).mean()), float(mw_days.mean())


def _gap(plan: Plan, ready: Prepared) -> Gap:
    """The policy at expected days, against the optimum where the network is small, else against no limits of crews."""
    days = np.array([task.mean_days for task in plan.tasks])
    calm = without_luck(ready, days)
    policy = float(draw(calm, 1, 0).finish.max())
    if len(plan.tasks) <= MOST_TASKS and not plan.under_way:
        return Gap(exact=True, policy_days=policy, best_days=shortest_days(calm.net, days))
    free = calm.net._replace(has_crew=np.zeros_like(calm.net.has_crew))
    best = float(draw(Prepared(free, calm.normals, calm.variants), 1, 0).finish.max())
    return Gap(exact=False, policy_days=policy, best_days=best)


def _promises(plan: Plan, power: Power, finish: Finishes) -> tuple[dict[str, Any], ...]:
    """How likely each promise is kept, and the expected delay; None where it is above all that will ever be online."""
    found: list[dict[str, Any]] = []
    for promise in plan.file.promises:
        due = float((promise.date - plan.file.start).days + 1)  # by the end of the day
        late = np.maximum(power.reached(finish, promise.online_mw) - due, 0.0)
        certain = bool(np.all(np.isfinite(late)))
        found.append(
            {
                "online_mw": promise.online_mw,
                "date": promise.date.isoformat(),
                "kept_frac": float(np.mean(late <= 0)),
                "mean_days_late": float(late.mean()) if certain else None,
                "mean_penalty_usd": float(late.mean() * promise.usd_per_day) if certain else None,
            }
        )
    return tuple(found)
