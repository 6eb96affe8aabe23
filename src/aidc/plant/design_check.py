"""What of a site is too small for its nameplate, before anything is run: by how much, and at which hour.

The load is the nameplate of all pods at once. A plant that suffices for it in every hour of the weather is not named.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from aidc.plant.capacity import Bulbs, capacity_w, plant_power_w, reached_supply_k
from aidc.plant.cooling.cdu import secondary_flow_m3_s
from aidc.plant.cooling.sizing import FacilityLoop, air_loop, facility_loop, rack_loop
from aidc.plant.freeze import plant_heat
from aidc.plant.lineup import (
    air_density_frac,
    grid_side_w,
    nameplate_flows,
    nameplate_heat_w,
    transformer_rating_va,
)
from aidc.schema.built import PodBuilt
from aidc.schema.cooling import Crah
from aidc.schema.site import Site
from aidc.units import KELVIN_AT_0C, MEGA

__all__ = ["Finding", "Weather", "design_findings", "design_peak_w"]

_ENOUGH = 1e-6  # shares below which nothing is short
_ENOUGH_HEAT = 1e-3  # of heat that the weather takes: the tables of heat rejection are no better than that
_AIR_ABOVE_K = 3.0  # of the hall's air over the air handlers' design that is worth a word


@dataclass(frozen=True, slots=True)
class Weather:
    """Hours of weather: their starts (UTC), dry and wet bulb [K]."""

    times: Sequence[datetime]
    dry_k: NDArray[np.float64]
    wet_k: NDArray[np.float64]

    def at(self, hour: int) -> Bulbs:
        """Dry and wet bulb of one hour [K]."""
        return Bulbs(float(self.dry_k[hour]), float(self.wet_k[hour]))


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is too small: what is needed and what is there, in one unit, and when it is most short."""

    where: str
    what: str
    need: float
    have: float
    unit: str
    time: datetime | None = None
    note: str = ""

    @property
    def text(self) -> str:
        """The finding in one line."""
        short = 1.0 - self.have / self.need
        when = f" at {self.time:%Y-%m-%d %H:%M}Z" if self.time else ""
        note = f"; {self.note}" if self.note else ""
        have, need = f"{self.have:.4g}", f"{self.need:.4g}"
        return (
            f"{self.where}: {self.what} {100 * short:.0f} % short{when} ({have} of {need} {self.unit}){note}"
        )


def design_findings(site: Site, weather: Weather | None = None) -> tuple[Finding, ...]:
    """Everything that is too small; `site` is frozen, and without `weather` its cooling is not judged by the hour."""
    found = [
        finding
        for name in site.pods
        for finding in (*_lineup(site, name), *_units(site, name), *_coolant(site, name))
    ]
    found += [finding for name in site.cooling if (finding := _hall(site, name))]
    if weather is not None and len(weather.times):
        found += [finding for name in site.cooling if (finding := _plant(site, name, weather))]
        found += _transformer(site, weather)
    return tuple(found)


def design_peak_w(site: Site, weather: Bulbs | None = None, plants: dict[str, Bulbs] | None = None) -> float:
    """Power at the site bus with every pod at nameplate, cooling and auxiliaries included [W].

    `weather` is that of all plants, `plants` that of each.
    """
    racks_w = sum(grid_side_w(site, name) for name in site.pods)
    cooling_w = 0.0
    for name, plant in site.cooling.items():
        heat = plant_heat(site, name)
        loop = facility_loop(plant, *heat)
        bulbs = weather or (plants or {})[name]
        cooling_w += plant_power_w(loop, heat.heat_w + loop.pump_w, bulbs) if heat.heat_w > 1.0 else 0.0
    cooling_w += sum(_pod_cooling_w(site, name) for name in site.pods)
    facts = site.site
    return (racks_w + cooling_w) * (1.0 + facts.auxiliary_frac) + facts.auxiliary_mw * MEGA


def _pod_cooling_w(site: Site, name: str) -> float:
    """CDU pumps and air handlers' fans of a pod at full flow [W]."""
    pod = site.pods[name]
    built = pod.built or PodBuilt()
    plant, hall = site.cooling[pod.cooling], site.cooling[pod.air_plant]
    power_w = 0.0
    if plant.cdu_entry is not None and built.liquid_kw:
        flow_m3_s = (built.coolant_l_min or 0.0) / 60_000.0
        loop = rack_loop(plant.cdu_entry, built.liquid_kw * 1e3, flow_m3_s, plant.redundancy, built.cdu_units)
        power_w += loop.design_pump_w
    if hall.crah_entry is not None and built.air_kw:
        air = air_loop(
            hall.crah_entry, built.air_kw * 1e3, hall.redundancy, built.crah_units, air_density_frac(site)
        )
        power_w += air.design_fan_w
    return power_w


def _plant(site: Site, name: str, weather: Weather) -> Finding | None:
    """The hour in which a cooling plant is most short at its set point."""
    plant, heat = site.cooling[name], plant_heat(site, name)
    if heat.heat_w <= 1.0:
        return None
    loop = facility_loop(plant, *heat)
    need_w = heat.heat_w + loop.pump_w
    have_w = _by_hour(loop, need_w, weather)
    hour = int(np.lexsort((-weather.dry_k, have_w))[0])  # of hours that take nothing, the hottest
    if have_w[hour] >= need_w * (1.0 - _ENOUGH_HEAT):
        return None
    bulbs = weather.at(hour)
    reached_c = reached_supply_k(loop, need_w, bulbs) - KELVIN_AT_0C
    short = int(np.count_nonzero(have_w < need_w * (1.0 - _ENOUGH_HEAT)))
    note = (
        f"dry bulb {bulbs.dry_k - KELVIN_AT_0C:.1f} °C, wet bulb {bulbs.wet_k - KELVIN_AT_0C:.1f} °C; the supply"
        f" would reach {reached_c:.1f} °C instead of {plant.supply_temp_c:g} °C; {short} of {have_w.size} hours short"
    )
    return Finding(
        f"cooling.{name}",
        "heat rejection is",
        need_w / MEGA,
        float(have_w[hour]) / MEGA,
        "MW",
        weather.times[hour],
        note,
    )


def _by_hour(loop: FacilityLoop, need_w: float, weather: Weather) -> NDArray[np.float64]:
    return np.array([capacity_w(loop, need_w, weather.at(hour)) for hour in range(len(weather.times))])


def _lineup(site: Site, name: str) -> Iterator[Finding]:
    """The stage of a lineup that carries most over what it may at N."""
    flows = nameplate_flows(site, name)
    worst = max(flows, key=lambda one: one.output_w / one.stage.loss.capacity_w)
    over = [one for one in flows if one.output_w > one.stage.loss.capacity_w * (1.0 + _ENOUGH)]
    if over:
        where, what = f"chains.{site.pods[name].chain} ({name})", f"{worst.stage.stage.name} is"
        note = f"{len(over)} of {len(flows)} stages are too small" if len(over) > 1 else ""
        have_w = worst.stage.loss.capacity_w
        yield Finding(where, what, worst.output_w / MEGA, have_w / MEGA, "MW", None, note)


def _units(site: Site, name: str) -> Iterator[Finding]:
    """CDUs and air handlers of a pod, spares included."""
    pod = site.pods[name]
    built = pod.built or PodBuilt()
    plant, hall = site.cooling[pod.cooling], site.cooling[pod.air_plant]
    liquid_w, air_w = nameplate_heat_w(site, name)
    if plant.cdu_entry is not None and built.cdu_units and pod.rack.cooling == "liquid":
        flow_share = (
            liquid_w / 6e7 * pod.rack.coolant_l_min_per_kw / secondary_flow_m3_s(plant.cdu_entry)
        ) / built.cdu_units
        share = max(liquid_w / (built.cdu_units * plant.cdu_entry.rated_heat_kw * 1e3), flow_share)
        if share > 1.0 + _ENOUGH:
            yield Finding(f"pods.{name}", "CDUs are", liquid_w / MEGA, liquid_w / share / MEGA, "MW")
    crah = hall.crah_entry
    if crah is None or not built.air_kw or not built.crah_units:
        return
    have_w = built.crah_units * crah.rated_heat_kw * 1e3
    if air_w > have_w * (1.0 + _ENOUGH):
        yield Finding(f"pods.{name}", "air handlers are", air_w / MEGA, have_w / MEGA, "MW")


def _coolant(site: Site, name: str) -> Iterator[Finding]:
    """Coolant that is above its limit at the rack inlet while the plant's water is at its set point."""
    pod = site.pods[name]
    built, plant = pod.built or PodBuilt(), site.cooling[pod.cooling]
    if plant.cdu_entry is None or not built.liquid_kw or pod.rack.cooling != "liquid":
        return
    flow_m3_s = (built.coolant_l_min or 0.0) / 60_000.0
    loop = rack_loop(plant.cdu_entry, built.liquid_kw * 1e3, flow_m3_s, plant.redundancy, built.cdu_units)
    need_w = nameplate_heat_w(site, name)[0] + loop.design_pump_w
    have_w = max(pod.rack.coolant_limit_c - plant.supply_temp_c, 0.0) * loop.design_conductance_w_k
    if have_w < need_w * (1.0 - _ENOUGH_HEAT):
        note = (
            f"water of {plant.supply_temp_c:g} °C; the coolant would reach"
            f" {plant.supply_temp_c + need_w / loop.design_conductance_w_k:.1f} °C;"
            f" racks throttle above {pod.rack.coolant_limit_c:g} °C"
        )
        what = "heat that its CDUs carry below the limit of the coolant is"
        yield Finding(f"pods.{name}", what, need_w / MEGA, have_w / MEGA, "MW", None, note)


def _hall(site: Site, name: str) -> Finding | None:
    """Air handlers that a plant's water does not let come near their design, in the pod where it is worst."""
    plant, pods = site.cooling[name], [n for n, pod in site.pods.items() if pod.air_plant == name]
    crah = plant.crah_entry
    if crah is None or not pods:
        return None
    air_c, have_w, need_w, pod = max(_hall_air(site, name, crah, pod) for pod in pods)
    if air_c - crah.air_supply_c <= _AIR_ABOVE_K:
        return None
    note = (
        f"water of {plant.supply_temp_c:g} °C; the hall's air of {pod} would reach {air_c:.1f} °C"
        f" instead of {crah.air_supply_c:g} °C"
    )
    what = "cooling of the hall's air is"
    return Finding(f"cooling.{name}", what, need_w / MEGA, have_w / MEGA, "MW", None, note)


def _hall_air(site: Site, name: str, crah: Crah, pod: str) -> tuple[float, float, float, str]:
    """Air temperature of a pod's hall at nameplate [°C], heat at the design temperature and at nameplate [W]."""
    plant, built = site.cooling[name], site.pods[pod].built or PodBuilt()
    air = air_loop(
        crah, (built.air_kw or 0.0) * 1e3, plant.redundancy, built.crah_units, air_density_frac(site)
    )
    need_w = nameplate_heat_w(site, pod)[1] + air.design_fan_w
    w_k = air.design_conductance_w_k
    if w_k <= 0.0 or need_w <= 0.0:
        return plant.supply_temp_c, 1.0, 1.0, pod
    have_w = max(crah.air_supply_c - plant.supply_temp_c, 0.0) * w_k
    return plant.supply_temp_c + need_w / w_k, have_w, need_w, pod


def _transformer(site: Site, weather: Weather) -> Iterator[Finding]:
    hour = int(np.argmax(weather.dry_k))
    need_w, have_va = design_peak_w(site, weather.at(hour)), transformer_rating_va(site)
    if site.grid.import_limit_mw > 0 and need_w > have_va * (1.0 + _ENOUGH):
        yield Finding(
            "grid.transformer",
            "is",
            need_w / MEGA,
            have_va / MEGA,
            "MVA",
            weather.times[hour],
            "every pod at nameplate, cooling and auxiliaries included",
        )
