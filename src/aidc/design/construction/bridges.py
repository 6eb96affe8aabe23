"""Bridges: what lets more of the commissioned racks run until the grid comes, as far as the energy model can run it.

For every phase of the medians in which racks wait for the grid, each bridge is put beside what stands there, and the energy model looks
for the most racks that run with the availability that is asked for: a bisection over racks in the order of their pods' priorities,
each try a run of the scenario with the demand that those racks serve. The first row is no bridge at all, judged alike. What it brings
over the draws is counted while such a limit is in force and the bridge is there.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import numpy as np

from aidc.design.construction.admission import admitted
from aidc.design.construction.online import Finishes, Power
from aidc.design.construction.phases import Standing, phase_dates, standing_of
from aidc.design.construction.result import BuildResult
from aidc.errors import InputError, Problem
from aidc.schema.construction import Bridge
from aidc.schema.site import Site
from aidc.study.site_run.run import run

__all__ = ["bridges_of"]

_TRIES: Final = 32  # steps of racks over all that are dark: five runs a bridge
_AVAILABILITY: Final = 0.999
_MOST_DATES: Final = 6
_ENOUGH: Final = 1e-9


@dataclass(frozen=True, slots=True)
class _Tried:
    """A run: the day it stands for, racks, their IT power, and what the energy model says of it."""

    day: date
    racks: int
    it_mw: float
    summary: Mapping[str, Any]

    @property
    def availability(self) -> float:
        return float(self.summary["supply"]["availability_frac"])


@dataclass(frozen=True, slots=True)
class _Dark:
    """A stretch of the schedule of medians in which racks wait for the grid: from a phase to the next one."""

    standing: Standing
    until: date

    @property
    def commissioned_mw(self) -> float:
        return self.standing.it_mw(self.standing.built.racks())


def bridges_of(
    found: BuildResult, power: Power, finish: Finishes, progress: Callable[[int, int], None] | None = None
) -> dict[str, Any]:
    """The bridges of a plan by the energy model, each on every date on which racks wait for the grid.

    `progress` is called with bridges tried and bridges in all.

    Parameters
    ----------
    finish : name to (n_draw,)
        When each lot and each milestone is done [days].

    Raises
    ------
    InputError
        The plan names none, or there is no phase in which racks stay dark.
    """
    _refuse_hopeless(found)
    darks, told = _picked(_darks(found, power))
    told += _unconnected(found)
    if not darks:
        what = "has no phase in which racks wait for a milestone of the grid: there is nothing to bridge"
        raise InputError(Problem(what, "Run it without --bridges.", found.plan.path, "bridges"))
    nothing = Bridge.model_construct(
        available=found.plan.file.start, import_limit_mw=None, availability_frac=_AVAILABILITY
    )
    options: dict[str, Bridge] = {"none": nothing, **found.plan.file.bridges}
    rows: list[dict[str, Any]] = []
    alone: list[float] = []  # what runs without any bridge: what a bridge brings is over that
    for number, (name, bridge) in enumerate(options.items()):
        tries: list[_Tried | None] = []
        for place, dark in enumerate(darks):
            if progress is not None:
                progress(number * len(darks) + place, len(options) * len(darks))
            tries.append(_better(_best(found, dark, bridge), tries, darks))
        able = [0.0 if one is None else one.it_mw for one in tries]
        alone = alone or able
        brings = _brings(found, power, finish, bridge, darks, (alone, able))
        rows.append(_row(found, name, bridge, tries, brings))
        if all(one.until <= bridge.available for one in darks):
            told.append(f"bridges.{name}: is there when no racks wait for the grid any more, by the medians")
    return {"dates": [_date_row(one) for one in darks], "options": rows, "told": told}


def _refuse_hopeless(found: BuildResult) -> None:
    """Refuse a plan without bridges, and a run too short to judge them by."""
    if not found.plan.file.bridges:
        what, remedy = "names no bridges", "Add [bridges.NAME] as in docs/build.md."
        raise InputError(Problem(what, remedy, found.plan.path, "bridges"))
    days = found.plan.site.scenario.days
    if days < 1.0:
        what = "is too short to judge a bridge by: batteries of lineups carry a shortage for a while"
        raise InputError(Problem(what, "Run a day or more.", found.plan.site.file, "scenario.days", days))


def _darks(found: BuildResult, power: Power) -> list[_Dark]:
    """Stretches in which racks stay dark that a later milestone lets run."""
    days = phase_dates(found)
    most = max(power.milestones.values())
    stands = [standing_of(found, day) for day in days]
    return [
        _Dark(one, until)
        for one, until in zip(stands, [*days[1:], date.max], strict=True)
        if 0.0 < one.limit_mw < most * (1.0 - _ENOUGH) and one.lit() != one.built.racks()
    ]


def _unconnected(found: BuildResult) -> list[str]:
    """Dates on which halls wait without any connection, where nothing is tried."""
    days = [str(day) for day in phase_dates(found) if standing_of(found, day).limit_mw <= 0.0]
    if not days:
        return []
    return [f"bridges: not tried without any connection, on which halls wait from {days[0]} on"]


def _picked(darks: list[_Dark]) -> tuple[list[_Dark], list[str]]:
    """No more than a few dates, ends included, and what is told of those left out."""
    if len(darks) <= _MOST_DATES:
        return darks, []
    places = sorted({round(k * (len(darks) - 1) / (_MOST_DATES - 1)) for k in range(_MOST_DATES)})
    told = f"bridges: tried on {len(places)} of {len(darks)} dates on which racks wait for the grid"
    return [darks[place] for place in places], [told]


def _best(found: BuildResult, dark: _Dark, bridge: Bridge) -> _Tried | None:
    """The most that runs with a bridge in a stretch; None where it is not there yet or too little of it runs."""
    if bridge.available >= dark.until:
        return None
    late = bridge.available > dark.standing.day
    return _most(standing_of(found, bridge.available) if late else dark.standing, bridge)


def _most(standing: Standing, bridge: Bridge) -> _Tried | None:
    """The most racks that run with the availability that is asked for; None where the least try does not."""
    total = sum(standing.built.racks().values())
    step = max(1, total // _TRIES)
    last = _tried(standing, bridge, total)
    if last.availability >= bridge.availability_frac:
        return last
    low, high, best = 0, -(-total // step), None
    while high - low > 1:
        middle = (low + high) // 2
        one = _tried(standing, bridge, min(middle * step, total))
        if one.availability >= bridge.availability_frac:
            low, best = middle, one
        else:
            high = middle
    return best


def _tried(standing: Standing, bridge: Bridge, count: int) -> _Tried:
    racks = standing.first(count)
    site, _, _ = admitted(_with(standing.site(racks), bridge))
    with tempfile.TemporaryDirectory(prefix="aidc-build-") as folder:
        summary = run(site, out=Path(folder) / "run").summary
    it_mw = sum(number * site.pods[pod].rack.rated_power_kw for pod, number in racks.items()) / 1e3
    return _Tried(standing.day, count, it_mw, summary)


def _with(site: Site, bridge: Bridge) -> Site:
    """A phase with a bridge beside it.

    The site's own gensets stand by for outages and are not counted on. A storage begins empty: a short run must not
    live on what it had at first.
    """
    update: dict[str, Any] = {"gensets": {} if bridge.genset is None else {"bridge": bridge.genset}}
    if bridge.storage is not None:
        empty = min(bridge.storage.soc_min_frac + bridge.storage.reserve_frac, bridge.storage.soc_max_frac)
        storage = bridge.storage.model_copy(update={"soc_initial_frac": empty})
        update["storage"] = {**site.storage, f"bridge-{len(site.storage)}": storage}
    if bridge.import_limit_mw is not None:
        update["grid"] = site.grid.model_copy(
            update={"import_limit_mw": max(bridge.import_limit_mw, site.grid.import_limit_mw)}
        )
    return site.model_copy(update=update)


def _better(one: _Tried | None, before: Sequence[_Tried | None], darks: Sequence[_Dark]) -> _Tried | None:
    """What runs on a date: no less than ran behind the same limit before, as lots that came since may stay switched off."""
    limit_mw = darks[len(before)].standing.limit_mw
    known = [
        other
        for other, dark in zip(before, darks, strict=False)
        if other is not None and abs(dark.standing.limit_mw - limit_mw) <= _ENOUGH
    ]
    return max([*([one] if one else []), *known], key=lambda each: each.it_mw, default=None)


def _date_row(dark: _Dark) -> dict[str, Any]:
    standing = dark.standing
    return {
        "date": standing.day.isoformat(),
        "import_limit_mw": standing.limit_mw,
        "commissioned_mw": dark.commissioned_mw,
        "lit_mw": standing.lit_mw(),
    }


def _row(
    found: BuildResult,
    name: str,
    bridge: Bridge,
    tries: Sequence[_Tried | None],
    brings: tuple[float, float],
) -> dict[str, Any]:
    """A bridge: what it lets run on each date, and what it brings and costs over the draws."""
    mw_days, days = brings
    return {
        "name": name,
        "available": bridge.available.isoformat(),
        "tries": [None if one is None else _try_row(one, found.plan.site.scenario.days) for one in tries],
        "mean_mw_days_gained": mw_days,
        "mean_days_in_use": days,
        "mean_cost_usd": 1e6 * bridge.cost_usd_million + bridge.usd_per_day * days,
    }


def _try_row(one: _Tried, days: float) -> dict[str, Any]:
    """The most that runs: what it delivers and draws a day."""
    summary = one.summary
    bill = (summary.get("cost_usd") or {}).get("prorated")
    return {
        "date": one.day.isoformat(),
        "it_mw": one.it_mw,
        "availability_frac": one.availability,
        "peak_import_mw": summary.get("peak_import_mw"),
        "useful_tokens_per_day": summary["tokens"]["useful"] / days,
        "energy_usd_per_day": None if bill is None else bill / days,
    }


def _brings(
    found: BuildResult,
    power: Power,
    finish: Finishes,
    bridge: Bridge,
    darks: Sequence[_Dark],
    able: tuple[Sequence[float], Sequence[float]],
) -> tuple[float, float]:
    """IT power over time that a bridge adds to what runs without it [MW-days], and days in use, means over the draws.

    It counts from the day on which it is available while the connection is at a limit that was tried. `able` is what runs without
    and with it on each date [MW]; between the commissioned powers of the dates of a limit it is taken in straight lines.
    """
    start = float((bridge.available - found.plan.file.start).days)
    times, levels = power.steps(finish)
    gained, used = np.zeros(times.shape[0]), np.zeros(times.shape[0])
    for place in range(times.shape[1] - 1):  # after the last event nothing waits for the grid
        begin = np.maximum(times[:, place], start)
        days = np.maximum(times[:, place + 1] - begin, 0.0)
        done = power.commissioned_mw(finish, times[:, place])
        limit = power.import_mw(finish, times[:, place])
        more = np.zeros(done.shape)
        for limit_mw in {one.standing.limit_mw for one in darks}:
            mine = [k for k, one in enumerate(darks) if abs(one.standing.limit_mw - limit_mw) <= _ENOUGH]
            corners = [darks[k].commissioned_mw for k in mine]
            alone, most = (np.minimum(done, np.interp(done, corners, [one[k] for k in mine])) for one in able)
            less = np.maximum(levels[:, place], alone)
            more = np.where(
                np.abs(limit - limit_mw) <= _ENOUGH * limit_mw, np.maximum(most - less, 0.0), more
            )
        gained += more * days
        used += days * (more > 0.0)
    return float(gained.mean()), float(used.mean())
