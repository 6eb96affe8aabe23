"""What of a frozen site the lots that are there make up: pods, lineups, plants, storage, gensets; nothing is resized.

Of a pod there are the racks of its halls, the lineup of the power modules that feed it, its CDUs and air handlers; of a plant the
units of its lots, each at its design heat and flow. Parts of units do not count.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Final

from aidc.design.construction.fit import givers_of
from aidc.design.construction.lots import GRID, Lot
from aidc.design.construction.online import pod_shares
from aidc.plant.lineup import transformer_rating_va
from aidc.schema.built import PlantBuilt, PodBuilt
from aidc.schema.site import Pod, Site
from aidc.units import MEGA

__all__ = ["Built"]

_ENOUGH: Final = 1e-9


class Built:
    """What of a frozen site its lots that are there make up."""

    def __init__(self, whole: Site, lots: Sequence[Lot], there: AbstractSet[str]) -> None:
        self.whole = whole
        self._by_name = {lot.name: lot for lot in lots}
        self._lots, self.there = lots, there
        self._halls = pod_shares(lots)

    def without(self, off: AbstractSet[str]) -> Built:
        """The same with some lots switched off."""
        return Built(self.whole, self._lots, self.there - off)

    def role(self, name: str) -> str:
        """The role of a lot's module."""
        return self._by_name[name].module.role

    def share(self, lots: Sequence[Lot]) -> float:
        """The share of lots that are there, by what they carry; 1 where there are none to wait for."""
        total = sum(lot.power_mw for lot in lots)
        done = sum(lot.power_mw for lot in lots if lot.name in self.there)
        return done / total if total else 1.0

    def of(self, section: str, name: str) -> list[Lot]:
        """Lots that are a part of the site."""
        return [lot for lot in self._lots if name in getattr(lot.use, section)]

    def racks(self) -> dict[str, int]:
        """Racks of each pod that are commissioned, pods without any left out."""
        found: dict[str, int] = {}
        for pod, shares in self._halls.items():
            share = sum(part for lot, part in shares.items() if lot in self.there)
            count = _whole(self.whole.pods[pod].racks, share)
            if count:
                found[pod] = count
        return found

    def stations_mw(self) -> float:
        """What the substations that are there carry [MW]."""
        stations = [lot for lot in self._lots if any(link.giver == GRID for link in lot.links)]
        if not stations:
            return math.inf
        return sum(lot.power_mw for lot in stations if lot.name in self.there)

    def site(self, racks: Mapping[str, int], limit_mw: float, renewables: set[str], name: str) -> Site:
        """The site with these racks.

        `racks` is how many of each pod there are, `limit_mw` the import limit, `renewables` those that stand, and
        `name` the site's.
        """
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
