"""A phase of construction as a site: what is installed on a date, out of the frozen equipment of the whole, never resized.

A lot is there when the median of its date is. Medians keep order: whoever waits for another in every draw has no earlier
median. Of a pod there are the racks of its halls, the lineup of the power modules that feed it, its CDUs and air handlers; of a plant the
units of its lots, each at its design heat and flow. Racks that the connection cannot carry at nameplate in the design weather
stay dark, those of the lowest priority first.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from aidc.design.construction.fit import givers_of
from aidc.design.construction.lots import GRID, Lot
from aidc.design.construction.online import pod_shares
from aidc.design.construction.result import BuildResult
from aidc.errors import InputError, Problem
from aidc.plant.capacity import design_weather
from aidc.plant.design_check import design_peak_w
from aidc.plant.lineup import transformer_rating_va
from aidc.schema.built import PlantBuilt, PodBuilt
from aidc.schema.site import Pod, Site
from aidc.site.crosscheck import cross_check
from aidc.units import MEGA

__all__ = ["Phase", "Standing", "phase_dates", "phase_of", "standing_of"]

_ENOUGH: Final = 1e-9
_LONGEST_NAME: Final = 64


@dataclass(frozen=True, slots=True)
class Phase:
    """A site on a date: IT power that is commissioned and that is online, the import limit [MW], what is told of it."""

    date: date
    site: Site
    commissioned_mw: float
    online_mw: float
    import_limit_mw: float
    told: tuple[str, ...]


def phase_dates(found: BuildResult) -> list[date]:
    """Dates at which power online changes in the schedule of the medians, the first one first."""
    days = {lot.online.p50 for lot in found.lots if lot.it_mw > 0}
    days |= {
        found.milestones[name].p50 for name, one in found.plan.file.milestones.items() if one.import_limit_mw
    }
    first = min(lot.online.p50 for lot in found.lots if lot.it_mw > 0)
    return sorted(day for day in days if day >= first)


def phase_of(found: BuildResult, day: date) -> Phase:
    """The site as it stands on a date.

    Raises
    ------
    InputError
        Nothing is online yet, or the site replays measured power, which belongs to the whole of it.
    """
    plan = found.plan
    standing = standing_of(found, day)
    limit_mw, racks = standing.limit_mw, standing.built.racks()
    commissioned_mw = _it_mw(plan.site, racks)
    racks = standing.lit()
    online_mw = _it_mw(plan.site, racks)
    if not racks:
        what = f"nothing can run: the connection carries {limit_mw:.4g} MW on {day}"
        raise InputError(Problem(what, "Choose a later date.", key="--site-at", value=str(day)))
    site = standing.site(racks)
    problems = cross_check(site)
    if problems:
        raise InputError(problems)
    told = [
        f"{day}: {online_mw:.4g} MW of IT online of {commissioned_mw:.4g} MW commissioned, import limit {limit_mw:.4g} MW"
    ]
    if online_mw < commissioned_mw * (1.0 - _ENOUGH):
        told.append(
            f"{day}: {commissioned_mw - online_mw:.4g} MW of racks stay dark until the connection carries them"
        )
    return Phase(day, site, commissioned_mw, online_mw, limit_mw, tuple(told))


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands on a date, before it is decided which racks run."""

    day: date
    built: Built
    limit_mw: float
    renewables: frozenset[str]

    def site(self, racks: Mapping[str, int]) -> Site:
        """The site with these racks running."""
        name = f"{self.built.whole.site.name[: _LONGEST_NAME - 11]}-{self.day.isoformat()}"
        return self.built.site(racks, self.limit_mw, set(self.renewables), name)

    def first(self, count: int) -> dict[str, int]:
        """The first racks in the order of their pods' priorities."""
        pods, racks = self.built.whole.pods, self.built.racks()
        left, kept = count, dict[str, int]()
        for pod in sorted(racks, key=lambda name: (pods[name].priority, list(pods).index(name))):
            if left > 0:
                kept[pod] = min(racks[pod], left)
                left -= kept[pod]
        return kept

    def lit(self) -> dict[str, int]:
        """The racks that the connection carries at nameplate: as many as fit, the last priorities dark first."""

        def fits(count: int) -> bool:
            return count == 0 or _peak_mw(self.site(self.first(count))) <= self.limit_mw

        low, high = 0, sum(self.built.racks().values())
        if fits(high):
            return self.built.racks()
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if fits(middle) else (low, middle)
        return self.first(low)


def standing_of(found: BuildResult, day: date) -> Standing:
    """What stands on a date.

    Raises
    ------
    InputError
        As `phase_of`.
    """
    plan = found.plan
    there = {lot.name for lot in found.lots if lot.online.p50 <= day}
    _refuse_early(found, there, day)
    if plan.site.replays:
        what = "replays measured power, which belongs to the whole site and not to a phase"
        raise InputError(Problem(what, "Take [replays] out of the site.", plan.site.file, "replays"))
    built = Built(plan.site, plan.lots, there)
    return Standing(day, built, _limit_mw(found, built, day), frozenset(_renewables(found, day)))


def _refuse_early(found: BuildResult, there: set[str], day: date) -> None:
    halls = [lot for lot in found.lots if lot.it_mw > 0]
    if not any(lot.name in there for lot in halls):
        first = min(halls, key=lambda lot: lot.online.p50)
        what = f"lies before the first hall is online ({first.name}, {first.online.p50} with 50 %)"
        raise InputError(Problem(what, "Choose that date or a later one.", key="--site-at", value=str(day)))


def _limit_mw(found: BuildResult, built: Built, day: date) -> float:
    """The import limit on a date: the best milestone by then, within the substations by then and the site's own [MW]."""
    plan = found.plan
    limits = [
        one.import_limit_mw or 0.0
        for name, one in plan.file.milestones.items()
        if found.milestones[name].p50 <= day
    ]
    return min(max(limits, default=0.0), built.stations_mw(), plan.site.grid.import_limit_mw)


def _renewables(found: BuildResult, day: date) -> set[str]:
    """Renewables that are there: those of tasks that are done, and those that no task names."""
    ends = {task.name: task.finish.p50 for task in found.tasks}
    late = {
        name
        for task, one in found.plan.file.tasks.items()
        for name in one.renewables
        if task in ends and ends[task] > day
    }
    return set(found.plan.site.renewables) - late


def _it_mw(site: Site, racks: Mapping[str, int]) -> float:
    return sum(count * site.pods[pod].rack.rated_power_kw for pod, count in racks.items()) / 1e3


def _peak_mw(site: Site) -> float:
    """Import with every pod at nameplate, cooling in its design weather [MW]."""
    return (
        design_peak_w(site, plants={name: design_weather(plant) for name, plant in site.cooling.items()})
        / MEGA
    )


class Built:
    """What of a frozen site its lots that are there make up."""

    def __init__(self, whole: Site, lots: Sequence[Lot], there: set[str]) -> None:
        self.whole = whole
        self._by_name = {lot.name: lot for lot in lots}
        self._lots, self._there = lots, there
        self._halls = pod_shares(lots)

    def share(self, lots: Sequence[Lot]) -> float:
        """The share of lots that are there, by what they carry; 1 where there are none to wait for."""
        total = sum(lot.power_mw for lot in lots)
        done = sum(lot.power_mw for lot in lots if lot.name in self._there)
        return done / total if total else 1.0

    def of(self, section: str, name: str) -> list[Lot]:
        """Lots that are a part of the site."""
        return [lot for lot in self._lots if name in getattr(lot.use, section)]

    def racks(self) -> dict[str, int]:
        """Racks of each pod that are commissioned, pods without any left out."""
        found: dict[str, int] = {}
        for pod, shares in self._halls.items():
            share = sum(part for lot, part in shares.items() if lot in self._there)
            count = _whole(self.whole.pods[pod].racks, share)
            if count:
                found[pod] = count
        return found

    def stations_mw(self) -> float:
        """What the substations that are there carry [MW]."""
        stations = [lot for lot in self._lots if any(link.giver == GRID for link in lot.links)]
        if not stations:
            return math.inf
        return sum(lot.power_mw for lot in stations if lot.name in self._there)

    def site(self, racks: Mapping[str, int], limit_mw: float, renewables: set[str], name: str) -> Site:
        """The site with these racks."""
        whole = self.whole
        pods = {pod: self._pod(pod, count) for pod, count in racks.items()}
        plants = {one for pod in pods.values() for one in (pod.cooling, pod.air_plant)}
        update: dict[str, Any] = {
            "site": whole.site.model_copy(update={"name": name}),
            "grid": self._grid(limit_mw),
            "pods": pods,
            "chains": {
                one: chain
                for one, chain in whole.chains.items()
                if any(pod.chain == one for pod in pods.values())
            },
            "cooling": {one: self._plant(one) for one in whole.cooling if one in plants},
            "storage": self._storage(pods),
            "gensets": self._gensets(),
            "renewables": {one: shape for one, shape in whole.renewables.items() if one in renewables},
            "services": _with_pods(whole.services, pods),
            "jobs": _with_pods(whole.jobs, pods),
            "written": None,
            "changed": (),
            "resized": (),
        }
        return whole.model_copy(update=update)

    def _pod(self, name: str, racks: int) -> Pod:
        """A pod with its racks, and what of its lineup, CDUs and air handlers is there."""
        pod = self.whole.pods[name]
        built = pod.built or PodBuilt()
        halls = [lot for lot in self._lots if lot.name in self._halls[name]]
        givers = {giver.name: giver for hall in halls for giver in givers_of(hall, self._by_name).values()}
        hall_share = self.share(halls)
        power = self.share([one for one in givers.values() if pod.chain in one.use.chains])
        cdus = self.share([one for one in givers.values() if one.module.role == "cdu"])
        lit = racks / pod.racks  # flows are asked for by the racks that run
        update = {
            "stage_kw": {stage: kw * power for stage, kw in built.stage_kw.items()},
            "liquid_kw": (built.liquid_kw or 0.0) * lit,
            "coolant_l_min": (built.coolant_l_min or 0.0) * lit,
            "cdu_units": _whole(built.cdu_units or 0, cdus, least=1 if built.liquid_kw else 0),
            "air_kw": (built.air_kw or 0.0) * lit,
            "crah_units": _whole(built.crah_units or 0, hall_share, least=1 if built.air_kw else 0),
        }
        return pod.model_copy(update={"racks": racks, "built": built.model_copy(update=update)})

    def _plant(self, name: str) -> Any:
        """A cooling plant with the units of its lots that are there."""
        plant = self.whole.cooling[name]
        built = plant.built or PlantBuilt()
        share = self.share(self.of("plants", name))
        units = plant.units or built.units or 1
        made = PlantBuilt(
            units=_whole(units, share, least=1),
            heat_mw=None if built.heat_mw is None else built.heat_mw * share,
            flow_m3_h=None if built.flow_m3_h is None else built.flow_m3_h * share,
        )
        return plant.model_copy(update={"units": None, "built": made})

    def _grid(self, limit_mw: float) -> Any:
        """The connection: the limit of the date, and the transformers of the substations that are there."""
        grid = self.whole.grid
        stations = [lot for lot in self._lots if any(link.giver == GRID for link in lot.links)]
        rating = {
            "rating_mva": transformer_rating_va(self.whole) / MEGA * self.share(stations),
            "built_mva": None,
        }
        transformer = grid.transformer.model_copy(update=rating)
        return grid.model_copy(update={"import_limit_mw": limit_mw, "transformer": transformer})

    def _storage(self, pods: Mapping[str, Pod]) -> dict[str, Any]:
        """Storages of lots that are there; those of lineups and racks in the share of their racks."""
        found: dict[str, Any] = {}
        for name, one in self.whole.storage.items():
            if one.node == "site":
                share, update = self.share(self.of("storage", name)), dict[str, Any]()
            else:
                keys = {
                    pod: pod if one.node == "rack" else self.whole.pods[pod].chain for pod in self.whole.pods
                }
                mine = [pod for pod in keys if not one.at or keys[pod] in one.at]
                racks = sum(self.whole.pods[pod].racks for pod in mine)
                share = sum(pods[pod].racks for pod in mine if pod in pods) / racks if racks else 0.0
                update = {"at": tuple(key for key in one.at if any(keys[pod] == key for pod in pods))}
            if share <= 0.0:
                continue
            for key in ("power_mw", "energy_mwh"):
                value = getattr(one, key)
                update |= {} if value is None else {key: value * share}
            found[name] = one.model_copy(update=update)
        return found

    def _gensets(self) -> dict[str, Any]:
        """Gensets of lots that are there: whole units of the power of one."""
        found: dict[str, Any] = {}
        for name, one in self.whole.gensets.items():
            units = _whole(one.units, self.share(self.of("gensets", name)))
            if units:
                update: dict[str, Any] = {"units": units, "power_mw": one.power_mw * units / one.units}
                if one.fuel_mwh is not None:
                    update["fuel_mwh"] = one.fuel_mwh * units / one.units
                found[name] = one.model_copy(update=update)
        return found


def _whole(units: int, share: float, least: int = 0) -> int:
    """Whole units of a share, never more than are there."""
    return max(math.floor(units * share + _ENOUGH), least)


def _with_pods(loads: Mapping[str, Any], pods: Mapping[str, Pod]) -> dict[str, Any]:
    """Services or jobs on the pods that are there; those without any are left out."""
    found: dict[str, Any] = {}
    for name, one in loads.items():
        kept = tuple(pod for pod in one.pods if pod in pods)
        if kept:
            found[name] = one.model_copy(update={"pods": kept})
    return found
