"""`plan`: the cheapest schedule of a site's storage over its scenario, followed in the twin to see what it saves.

Three steps, each with the tools that stand: the site is run with its storage at rest, which gives load, sun, wind and
prices; the dispatch programme finds the cheapest schedule on them, with prices and load known ahead; and the site is run
again under that schedule. Both bills are `measure.cost`'s. Between what the programme says and what the twin bills lie
the curves of the converters, the losses of the transformer and steps shorter than the plan's.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import polars as pl

from aidc.clock import as_fraction
from aidc.control.schedule import Schedule, ScheduleOptions
from aidc.dispatch.shapes import Plan, Programme, StorageUnit
from aidc.dispatch.solve import InfeasibleError, Solver
from aidc.errors import InputError, Problem
from aidc.measure.frames import frames_of
from aidc.plant.freeze import frozen
from aidc.record.run import Run
from aidc.schema.event import ImportLimit
from aidc.schema.site import Site
from aidc.site import load
from aidc.study.planning.course import Course, HoldStill, course_of
from aidc.study.planning.site_programme import Seen, planned, programme_of, seen_over, set_points_mw
from aidc.study.planning.worth import limits_worth
from aidc.study.site_run.run import run
from aidc.units import J_PER_MWH

__all__ = ["PlanResult", "plan"]

_STEP_S = 900.0
_ROUNDS = 8
_PLENTY = 100.0  # times the import limit: more than any load
_STANDS_FRAC = 1e-3
_WEAR_USD_PER_MWH = 8.0
_MOST_WEAR = 10_000.0


@dataclass(frozen=True, slots=True)
class PlanResult:
    """A schedule, what it costs, and what the twin says of it.

    `schedule` has `time_utc` and `storage.NAME.power_mw`, as `[control] use = "schedule"` takes it; `idle`, `by_rule`
    and `followed` are `cost_usd` of the summaries of three runs: storage at rest, by its own rule, and under the plan.
    """

    site: Site
    course: Course
    programme: Programme
    plan: Plan
    schedule: pl.DataFrame
    idle: dict[str, Any]
    by_rule: dict[str, Any]
    followed: dict[str, Any]
    worth: tuple[dict[str, Any], ...]
    notes: tuple[str, ...]

    @property
    def planned_usd(self) -> dict[str, float]:
        """What the programme says that the bill is, by its parts, wear apart [USD]."""
        one, p = self.plan, self.programme
        energy = p.step_h * float(
            (p.buy_usd_per_mwh * one.import_mw - p.sell_usd_per_mwh * one.export_mw).sum()
        )
        demand = float(sum(c.usd_per_mw * k for c, k in zip(p.demand_charges, one.peak_mw, strict=True)))
        wear = sum(
            s.wear_usd_per_mwh * p.step_h * float(d.sum())
            for s, d in zip(p.storages, one.discharge_mw, strict=True)
        )
        return {"energy": energy, "demand": demand, "wear": float(wear)}

    def as_dict(self) -> dict[str, Any]:
        """All of it as plain values."""
        said = self.planned_usd
        billed = {
            key: {part: bill[part] for part in ("energy", "demand", "fixed", "fuel", "total")}
            for key, bill in (("idle", self.idle), ("by_rule", self.by_rule), ("followed", self.followed))
        }
        saving = self.idle["total"] - self.followed["total"]
        same = said["energy"] + said["demand"]
        twin = self.followed["energy"] + self.followed["demand"]
        return {
            "schema": 1,
            "name": self.site.site.name,
            "start": self.site.scenario.start.isoformat(),
            "days": self.site.scenario.days,
            "step_min": self.programme.step_h * 60.0,
            "planned_usd": said,
            "billed_usd": billed,
            "saving_usd": saving,
            "saving_over_rule_usd": self.by_rule["total"] - self.followed["total"],
            "off_frac": (same - twin) / twin if twin else None,
            "gap_frac": self.plan.gap_frac,
            "peaks_mw": [
                {"charge": c.name, "usd_per_kw": c.usd_per_mw / 1e3, "mw": float(k)}
                for c, k in zip(self.programme.demand_charges, self.plan.peak_mw, strict=True)
            ],
            "storages": [
                {
                    "name": unit.name,
                    "charged_mwh": float(charge.sum()) * self.programme.step_h,
                    "discharged_mwh": float(discharge.sum()) * self.programme.step_h,
                    "least_mwh": float(energy.min()),
                    "most_mwh": float(energy.max()),
                }
                for unit, charge, discharge, energy in zip(
                    self.programme.storages,
                    self.plan.charge_mw,
                    self.plan.discharge_mw,
                    self.plan.energy_mwh,
                    strict=True,
                )
            ],
            "worth": list(self.worth),
            "notes": list(self.notes),
            "course": self._course(),
        }

    def _course(self) -> dict[str, Any]:
        """Step by step, for charts: means over each step [MW], energy at its end [MWh], price [USD/MWh]."""
        one = self.plan
        idle_mw = np.maximum(self.course.load_mw - self.course.renewable_mw, 0.0)
        columns = {
            "load_mw": self.course.load_mw,
            "renewable_mw": one.renewable_mw,
            "idle_import_mw": idle_mw,
            "import_mw": one.import_mw,
            "export_mw": one.export_mw,
            "import_limit_mw": self.programme.import_limit_mw,
            "storage_mw": (one.charge_mw - one.discharge_mw).sum(axis=0),
            "storage_mwh": one.energy_mwh.sum(axis=0),
            "price_usd_per_mwh": self.course.buy_usd_per_mwh,
        }
        times = self.course.time.dt.strftime("%Y-%m-%dT%H:%M:%SZ").to_list()
        return {"time_utc": times, **{name: [float(v) for v in values] for name, values in columns.items()}}


def plan(
    site: Site | Path | str,
    *,
    settings: Sequence[str] = (),
    wear_usd_per_mwh: float = _WEAR_USD_PER_MWH,
    progress: Callable[[str], None] | None = None,
) -> PlanResult:
    """The cheapest schedule of the storages at a site's own bus, over its scenario.

    Parameters
    ----------
    site
        A loaded site, or the path of a site file.
    settings
        As in `aidc.load`.
    wear_usd_per_mwh
        What a MWh discharged costs in ageing [USD/MWh AC]. The default is an estimate without a checked source.
    progress
        Told which of the three steps begins.

    Raises
    ------
    InputError
        The site has no storage to plan or no prices, or no schedule meets its limits.
    """
    say = progress or (lambda _: None)
    if not 0.0 <= wear_usd_per_mwh <= _MOST_WEAR:
        what = "is not what a MWh discharged costs in ageing"
        raise InputError(
            Problem(what, "Give USD per MWh, from 0 to 10,000.", key="--wear", value=wear_usd_per_mwh)
        )
    site = frozen(site if isinstance(site, Site) else load(site, settings))
    names = tuple(planned(site))
    _refuse_unpriced(site)
    with tempfile.TemporaryDirectory(prefix="aidc-plan-") as folder:
        say("running the site with its storage at rest")
        still = HoldStill()
        still.names, still.period_s = names, Fraction(as_fraction(_period_s(site)))
        idle = run(_uncontrolled(site), out=Path(folder) / "idle", controller=still)
        short_mwh = _not_supplied_mwh(idle)
        if short_mwh > 0:
            say("running it without its import limit, to see what it wants")
            wanted = run(_unlimited(site), out=Path(folder) / "wanted", controller=still)
            course = course_of(wanted, _STEP_S)
        else:
            course = course_of(idle, _STEP_S)
        say("solving")
        programme, best = _settled(site, course, wear_usd_per_mwh)
        schedule = _schedule(site, course, best)
        say("running the site under the plan")
        followed = _follow(site, schedule, Path(folder))
        say("running the site by its storages' own rules")
        by_rule = run(_uncontrolled(site), out=Path(folder) / "by-rule")
        return PlanResult(
            site, course, programme, best, schedule, idle.summary["cost_usd"], by_rule.summary["cost_usd"], followed.summary["cost_usd"],
            tuple(limits_worth(course, programme, best)), _notes(site, short_mwh, followed),
        )  # fmt: skip


def _period_s(site: Site) -> float:
    """How often the plan is looked up: every minute, or as often as the site steps."""
    return max(60.0, site.scenario.step_s)


def _refuse_unpriced(site: Site) -> None:
    if site.scenario.tariff is None and site.scenario.prices is None:
        what = "has neither tariff nor prices, so that every schedule costs the same"
        raise InputError(
            Problem(what, 'Add tariff = { use = "tou-demand" } to [scenario].', site.file, "scenario")
        )


def _settled(site: Site, course: Course, wear_usd_per_mwh: float) -> tuple[Programme, Plan]:
    """Solve until efficiencies are those of the schedule that they lead to, and its cells stay in their range."""
    solver, step_h = Solver(), float(course.dt_s[0]) / 3600.0
    seen = seen_over(site, np.zeros((len(planned(site)), 1)), step_h)
    rounds = 0
    while True:
        rounds += 1
        programme = programme_of(site, course, seen, wear_usd_per_mwh=wear_usd_per_mwh)
        try:
            best = solver.plan(programme)
        except InfeasibleError as error:
            raise _refused(site, course, programme, error) from error
        found = seen_over(site, set_points_mw(site, best), step_h)
        still = (_stands(seen[n], found[n], unit) for n, unit in zip(seen, programme.storages, strict=True))
        if rounds == _ROUNDS or all(still):
            return programme, best
        # what leaves the range now is left out of it from now on
        seen = {
            name: replace(
                new,
                below_mwh=seen[name].below_mwh + new.below_mwh,
                above_mwh=seen[name].above_mwh + new.above_mwh,
            )
            for name, new in found.items()
        }


def _stands(before: Seen, after: Seen, unit: StorageUnit) -> bool:
    """Whether a round has moved nothing that matters."""
    moved = max(
        abs(before.charge_frac - after.charge_frac), abs(before.discharge_frac - after.discharge_frac)
    )
    return moved < _STANDS_FRAC and max(after.below_mwh, after.above_mwh) < _STANDS_FRAC * unit.most_mwh


def _schedule(site: Site, course: Course, best: Plan) -> pl.DataFrame:
    power = {
        f"storage.{name}.power_mw": np.round(row, 9) + 0.0
        for name, row in zip(planned(site), set_points_mw(site, best), strict=True)
    }
    return pl.DataFrame({"time_utc": course.time.dt.strftime("%Y-%m-%dT%H:%M:%SZ"), **power})


def _follow(site: Site, schedule: pl.DataFrame, folder: Path) -> Run:
    """The site under its schedule."""
    file = folder / "schedule.csv"
    schedule.write_csv(file)
    follower = Schedule()
    follower.period_s = Fraction(as_fraction(_period_s(site)))
    return run(
        _uncontrolled(site, ScheduleOptions(file=file).model_dump()),
        out=folder / "followed",
        controller=follower,
    )


def _uncontrolled(site: Site, options: Mapping[str, Any] = MappingProxyType({})) -> Site:
    """The site without a controller of its own; `options` are for one that is brought."""
    control = site.control.model_copy(update={"use": "none", "options": dict(options)})
    return site.model_copy(update={"control": control})


def _unlimited(site: Site) -> Site:
    """The site with all the import that it may want; outages of the supply stay."""
    scenario = site.scenario
    events = tuple(one for one in scenario.events if not isinstance(one, ImportLimit))
    grid = site.grid.model_copy(update={"import_limit_mw": _PLENTY * max(site.grid.import_limit_mw, 1.0)})
    return _uncontrolled(
        site.model_copy(update={"grid": grid, "scenario": scenario.model_copy(update={"events": events})})
    )


def _not_supplied_mwh(done: Run) -> float:
    """Energy that racks, cooling and auxiliaries wanted and did not get [MWh]."""
    frames = frames_of(done)
    names = ("unserved_w", "cooling_unserved_w", "auxiliary_unserved_w")
    frame = frames.columns(list(names))
    return float(sum((frame[name] * frame["dt_s"]).sum() for name in names)) / J_PER_MWH


def _notes(site: Site, idle_short_mwh: float, followed: Run) -> tuple[str, ...]:
    found = [
        "load, sun, wind and prices of the whole window are taken as known ahead",
        "the wear of the cells counts in the plan, not in the bill",
        "jobs and services are not moved",
    ]
    if site.gensets:
        found.append("gensets are left to their own rules; the plan neither starts nor counts them")
    others = [name for name, one in site.storage.items() if one.node != "site"]
    if others:
        found.append(f"storages inside lineups keep their own rules: {', '.join(others)}")
    if idle_short_mwh > 0:
        found.append(
            f"with its storage at rest the site lacks {idle_short_mwh:.3g} MWh, so that its bill then is that of less load"
        )
    short_mwh = _not_supplied_mwh(followed)
    if short_mwh > 0:
        found.append(
            f"under the plan the site still lacks {short_mwh:.3g} MWh: its bill is not that of the whole load"
        )
    return tuple(found)


def _refused(site: Site, course: Course, programme: Programme, error: InfeasibleError) -> InputError:
    """Which steps contradict each other, in the words of the site file."""
    n = programme.steps
    steps = sorted({row % n for row in error.rows} or set(range(n)))
    first, last = course.time[steps[0]], course.time[steps[-1]]
    short = programme.load_mw - programme.renewable_mw - programme.import_limit_mw
    worst = steps[int(np.argmax(short[steps]))]
    give = sum(unit.discharge_mw for unit in programme.storages)
    what = (
        f"leaves no schedule from {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC: at worst the load is"
        f" {short[worst]:.3g} MW above what sun, wind and connection give, and storage can give {give:.3g} MW"
        f" and {sum(u.most_mwh - u.least_mwh for u in programme.storages):.3g} MWh"
    )
    remedy = "Raise the limit, give the storage more energy, or make less of the load."
    return InputError(Problem(what, remedy, site.file, "grid.import_limit_mw", site.grid.import_limit_mw))
