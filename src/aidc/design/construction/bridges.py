"""Bridges: what lets more of the commissioned racks run until the grid comes, as far as the energy model can run it.

For the phase of the medians in which most racks stay dark, each bridge is put beside what stands there, and the energy model looks
for the most racks that run with the availability that is asked for: a bisection over racks in the order of their pods' priorities,
each try a run of the scenario with the demand that those racks serve. The first row is no bridge at all, judged alike. What it brings
over the draws is counted while that limit is in force and the bridge is there.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from aidc.design.construction.admission import admitted
from aidc.design.construction.online import Finishes, Power
from aidc.design.construction.phases import Standing, phase_dates, standing_of
from aidc.design.construction.result import BuildResult
from aidc.errors import InputError, Problem
from aidc.schema.construction import Bridge
from aidc.schema.site import Site
from aidc.study.site_run.run import run

__all__ = ["bridges_of"]

FloatArray = NDArray[np.float64]
_TRIES: Final = 32  # steps of racks over all that are dark: five runs a bridge
_AVAILABILITY: Final = 0.999


@dataclass(frozen=True, slots=True)
class _Tried:
    """A run: racks, their IT power, and what the energy model says of it."""

    racks: int
    it_mw: float
    summary: Mapping[str, Any]

    @property
    def availability(self) -> float:
        return float(self.summary["supply"]["availability_frac"])


def bridges_of(
    found: BuildResult, power: Power, finish: Finishes, progress: Callable[[int, int], None] | None = None
) -> dict[str, Any]:
    """The bridges of a plan by the energy model.

    Parameters
    ----------
    finish : name to (n_draw,)
        When each lot and each milestone is done [days].

    Raises
    ------
    InputError
        The plan names none, or there is no phase in which racks stay dark.
    """
    bridges = found.plan.file.bridges
    if not bridges:
        what, remedy = "names no bridges", "Add [bridges.NAME] as in docs/build.md."
        raise InputError(Problem(what, remedy, found.plan.path, "bridges"))
    days = found.plan.site.scenario.days
    if days < 1.0:
        what = "is too short to judge a bridge by: batteries of lineups carry a shortage for a while"
        raise InputError(Problem(what, "Run a day or more.", found.plan.site.file, "scenario.days", days))
    standing = _darkest(found)
    rows: list[dict[str, Any]] = []
    alone_mw = 0.0  # what runs without any bridge: what a bridge brings is over that
    nothing = Bridge.model_construct(
        available=found.plan.file.start,
        import_limit_mw=standing.limit_mw,
        availability_frac=_AVAILABILITY,
    )
    options: dict[str, Bridge] = {"none": nothing, **bridges}
    for number, (name, bridge) in enumerate(options.items()):
        if progress is not None:
            progress(number, len(options))
        best = _most(standing, bridge)
        it_mw = 0.0 if best is None else best.it_mw
        if name == "none":
            alone_mw = it_mw
        brings = _brings(found, power, finish, standing.limit_mw, bridge, (alone_mw, it_mw))
        rows.append(_row(found, name, bridge, best, brings))
    return {"date": standing.day.isoformat(), "import_limit_mw": standing.limit_mw, "options": rows}


def _darkest(found: BuildResult) -> Standing:
    """What stands in the phase with the most dark racks."""
    stands = [standing_of(found, day) for day in phase_dates(found)]
    dark = [sum(one.built.racks().values()) - sum(one.lit().values()) for one in stands]
    if max(dark) == 0:
        what = "has no phase in which racks wait for the grid: there is nothing to bridge"
        raise InputError(Problem(what, "Run it without --bridges.", found.plan.path, "bridges"))
    return stands[dark.index(max(dark))]


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
    return _Tried(count, it_mw, summary)


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


def _row(
    found: BuildResult, name: str, bridge: Bridge, best: _Tried | None, brings: tuple[float, float]
) -> dict[str, Any]:
    """A bridge: what it lets run, what that delivers, and what it brings and costs over the draws."""
    mw_days, days = brings
    summary = {} if best is None else best.summary
    days_run = found.plan.site.scenario.days
    bill = (summary.get("cost_usd") or {}).get("prorated")
    return {
        "name": name,
        "it_mw": 0.0 if best is None else best.it_mw,
        "availability_frac": None if best is None else best.availability,
        "peak_import_mw": summary.get("peak_import_mw"),
        "useful_tokens_per_day": summary["tokens"]["useful"] / found.plan.site.scenario.days
        if summary
        else 0.0,
        "energy_usd_per_day": None if bill is None else bill / days_run,
        "mean_mw_days_gained": mw_days,
        "mean_days_in_use": days,
        "mean_cost_usd": 1e6 * bridge.cost_usd_million + bridge.usd_per_day * days,
    }


def _brings(
    found: BuildResult,
    power: Power,
    finish: Finishes,
    limit_mw: float,
    bridge: Bridge,
    it_mw: tuple[float, float],
) -> tuple[float, float]:
    """IT power over time that a bridge adds to what runs without it [MW-days], and days in use, means over the draws.

    It counts from the day on which it is available to the milestone that lifts the limit, while racks wait for the grid.
    `it_mw` is what runs without and with it.
    """
    start = float((bridge.available - found.plan.file.start).days)
    lifts = [
        finish[name].astype(np.float64) for name, mw in power.milestones.items() if mw > limit_mw * (1 + 1e-9)
    ]
    if not lifts:
        return 0.0, 0.0
    end = np.min(lifts, axis=0)
    times, levels = power.steps(finish)
    gained, used = np.zeros(end.shape), np.zeros(end.shape)
    for place in range(times.shape[1]):
        until = times[:, place + 1] if place + 1 < times.shape[1] else end
        begin = np.maximum(times[:, place], start)
        days = np.maximum(np.minimum(until, end) - begin, 0.0)
        done = power.commissioned_mw(finish, times[:, place])
        allowed = power.import_mw(finish, times[:, place]) > 0.0
        without = np.maximum(levels[:, place], np.minimum(done, it_mw[0]))
        more = np.where(allowed, np.maximum(np.minimum(done, it_mw[1]) - without, 0.0), 0.0)
        gained += more * days
        used += days * (more > 0.0)
    return float(gained.mean()), float(used.mean())
