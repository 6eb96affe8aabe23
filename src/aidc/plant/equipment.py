"""The equipment schedule: what a site has, unit by unit, what its nameplate asks of it, and with one unit out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from aidc.plant.capacity import capacity_w, design_weather, with_units
from aidc.plant.conversion import online_multiple
from aidc.plant.cooling.cdu import secondary_flow_m3_s
from aidc.plant.cooling.rejection_build import outdoor_units
from aidc.plant.cooling.sizing import FacilityLoop, facility_loop, with_spares
from aidc.plant.design_check import design_peak_w
from aidc.plant.freeze import plant_heat
from aidc.plant.lineup import nameplate_flows, nameplate_heat_w, transformer_rating_va
from aidc.schema.built import PodBuilt
from aidc.schema.cooling import CoolingPlant
from aidc.schema.site import Site
from aidc.units import HOUR_S, KELVIN_AT_0C, MEGA

__all__ = ["Item", "equipment_of"]


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the schedule.

    `total` is what all units carry together under the design conditions, spares included, `one_out` the same with
    one unit less; `peak` is what the nameplate asks of them. All in `unit`; None where the question makes no sense.
    """

    of: str
    what: str
    entry: str
    units: int
    redundancy: str
    unit_rating: float | None
    total: float | None
    one_out: float | None
    peak: float | None
    unit: str
    design: str = ""
    basis: str = "sized"

    @property
    def margin_frac(self) -> float | None:
        """What is left over the peak, per unit of the peak."""
        return None if self.total is None or not self.peak else self.total / self.peak - 1.0

    @property
    def margin_one_out_frac(self) -> float | None:
        """The same with one unit out."""
        return None if self.one_out is None or not self.peak else self.one_out / self.peak - 1.0

    def as_dict(self) -> dict[str, object]:
        """Plain figures, for JSON."""
        names = (
            "of",
            "what",
            "entry",
            "units",
            "redundancy",
            "unit_rating",
            "total",
            "one_out",
            "peak",
            "unit",
        )
        margins = {"margin_frac": self.margin_frac, "margin_one_out_frac": self.margin_one_out_frac}
        return {
            **{name: getattr(self, name) for name in names},
            **margins,
            "design": self.design,
            "basis": self.basis,
        }


def equipment_of(site: Site) -> tuple[Item, ...]:
    """The schedule of a frozen site: cooling plants with their pods' units, lineups, and what stands at the bus."""
    found = [item for name in site.cooling for item in _plant(site, name)]
    found += [item for name in site.pods for item in (*_pod_units(site, name), *_lineup(site, name))]
    peak_w = design_peak_w(site, plants={name: design_weather(p) for name, p in site.cooling.items()})
    return (*found, *_bus(site, peak_w))


def _plant(site: Site, name: str) -> Iterator[Item]:
    """Outdoor units or chillers, and pumps."""
    plant, heat = site.cooling[name], plant_heat(site, name)
    loop = facility_loop(plant, *heat)
    weather = design_weather(plant)
    need_w = heat.heat_w + loop.pump_w
    of = f"cooling.{name}"
    design = (
        f"{need_w / MEGA:.4g} MW at {plant.supply_temp_c:g} °C supply, dry bulb {weather.dry_k - KELVIN_AT_0C:.3g} °C,"
        f" wet bulb {weather.wet_k - KELVIN_AT_0C:.3g} °C"
    )
    total_w = capacity_w(loop, need_w, weather)
    out_w = capacity_w(with_units(plant, loop, loop.units - 1), need_w, weather)
    yield Item(
        of,
        "chillers" if plant.rejection.compressors else "outdoor units",
        plant.rejection_name or plant.rejection.kind,
        loop.units,
        plant.redundancy,
        plant.rejection.rated_heat_mw,
        total_w / MEGA,
        out_w / MEGA,
        need_w / MEGA,
        "MW",
        design,
        "stated" if plant.units else "sized",
    )
    if plant.rejection.unit != plant.rejection:
        yield _behind_chillers(of, plant, loop)
    flow_m3_h = (plant.built.flow_m3_h if plant.built else None) or 0.0
    asked = flow_m3_h * min(need_w / loop.rated_heat_w, 1.0)
    each = flow_m3_h / plant.pump_units
    yield Item(
        of,
        "facility pumps",
        "",
        plant.pump_units,
        "N",
        each,
        flow_m3_h,
        flow_m3_h - each,
        asked,
        "m³/h",
        f"{plant.pump_head_kpa:g} kPa, {loop.pump_w / 1e3 / plant.pump_units:.3g} kW each",
        "stated",
    )


def _behind_chillers(of: str, plant: CoolingPlant, loop: FacilityLoop) -> Item:
    """The towers or coils that take the chillers' heat and work."""
    rejection, outdoor = plant.rejection, plant.rejection.unit
    units = outdoor_units(rejection, loop.units)
    each = outdoor.rated_heat_mw
    weather = design_weather(plant)
    design = f"at their rating: {outdoor.coolant_out_c:g} °C out, design dry bulb {weather.dry_k - KELVIN_AT_0C:.3g} °C"
    asked = (
        (1.0 + rejection.work_frac) * loop.units * rejection.rated_heat_mw
    )  # heat and the work of chillers
    total, out = units * each, (units - 1) * each
    return Item(of, "outdoor units", outdoor.kind, units, "N", each, total, out, asked, "MW", design)


def _pod_units(site: Site, name: str) -> Iterator[Item]:
    """CDUs and air handlers of one pod."""
    pod = site.pods[name]
    built = pod.built or PodBuilt()
    plant, hall = site.cooling[pod.cooling], site.cooling[pod.air_plant]
    liquid_w, air_w = nameplate_heat_w(site, name)
    if plant.cdu_entry is not None and built.cdu_units:
        each_w = plant.cdu_entry.rated_heat_kw * 1e3
        flow_m3_s = liquid_w / 6e7 * pod.rack.coolant_l_min_per_kw
        by_flow_w = liquid_w * secondary_flow_m3_s(plant.cdu_entry) / flow_m3_s if flow_m3_s else each_w
        most_w = min(each_w, by_flow_w)
        design = f"{plant.supply_temp_c:g} °C facility water, {flow_m3_s * 60_000:,.0f} l/min of coolant"
        yield _item(
            f"pods.{name}",
            "CDUs",
            plant.cdu or "cdu",
            built.cdu_units,
            plant.redundancy,
            most_w,
            liquid_w,
            design,
        )
    crah = hall.crah_entry
    if crah is not None and built.crah_units:
        design = f"{hall.supply_temp_c:g} °C water ({pod.air_plant}), air {crah.air_supply_c:g} °C"
        each_w = crah.rated_heat_kw * 1e3
        yield _item(
            f"pods.{name}",
            "air handlers",
            hall.crah or "crah",
            built.crah_units,
            hall.redundancy,
            each_w,
            air_w,
            design,
        )


def _item(
    of: str, what: str, entry: str, units: int, redundancy: str, each_w: float, peak_w: float, design: str
) -> Item:
    total, out = units * each_w / MEGA, (units - 1) * each_w / MEGA
    return Item(
        of, what, entry, units, redundancy, each_w / MEGA, total, out, peak_w / MEGA, "MW", design, "sized"
    )


def _lineup(site: Site, name: str) -> Iterator[Item]:
    """The stages of one pod's lineup, grid side first."""
    pod = site.pods[name]
    chain = site.chains[pod.chain]
    for one in reversed(nameplate_flows(site, name)):
        stage = one.stage.stage
        redundancy = stage.redundancy or chain.redundancy
        units = round(stage.modules * online_multiple(redundancy, stage.modules))
        each_w = one.stage.loss.capacity_w / stage.modules
        design = "inside the racks" if stage.boundary == "server" else f"{stage.sizing:g} x nameplate at N"
        item = _item(f"pods.{name}", stage.name, pod.chain, units, redundancy, each_w, one.output_w, design)
        yield item


def _bus(site: Site, peak_w: float) -> Iterator[Item]:
    """Main transformer, grid connection, gensets, storages."""
    grid, peak = site.grid, peak_w / MEGA
    design = "every pod at nameplate, cooling and auxiliaries at the plants' design weather"
    rating = transformer_rating_va(site) / MEGA
    stated = "stated" if grid.transformer.rating_mva else "sized"
    yield Item(
        "grid", "main transformer", "", 1, "N", rating, rating, 0.0, peak, "MVA", "unity power factor", stated
    )
    limit = grid.import_limit_mw
    yield Item("grid", "connection", "", 1, "N", limit, limit, 0.0, peak, "MW", design, "stated")
    for name, genset in site.gensets.items():
        each = genset.power_mw / genset.units
        units = with_spares(genset.units, genset.redundancy)
        total, out = units * each, (units - 1) * each
        yield Item(
            f"gensets.{name}",
            "gensets",
            genset.fuel,
            units,
            genset.redundancy,
            each,
            total,
            out,
            peak,
            "MW",
            design,
            "stated",
        )
    for name, storage in site.storage.items():
        power = storage.power_mw
        energy = f"{storage.energy_mwh:.4g} MWh" if storage.energy_mwh is not None else ""
        if power is None:
            power_w, energy_j = _of_racks(site, name)
            power, energy = power_w / MEGA, f"{energy_j / MEGA / HOUR_S:.3g} MWh"
        yield Item(
            f"storage.{name}",
            f"storage at the {storage.node}",
            energy,
            1,
            "N",
            power,
            power,
            None,
            None,
            "MW",
            "",
            "stated",
        )


def _of_racks(site: Site, name: str) -> tuple[float, float]:
    """Power and energy of a storage that comes with the racks [W], [J]."""
    storage = site.storage[name]
    accelerators = sum(
        pod.accelerators
        for pod_name, pod in site.pods.items()
        if not storage.at or pod_name in storage.at or pod.chain in storage.at
    )
    return (
        (storage.power_w_per_accelerator or 0.0) * accelerators,
        (storage.energy_j_per_accelerator or 0.0) * accelerators,
    )
