"""The cooling plant in the engine's arrays: sized by `plant.cooling.sizing`, one column per pod and plant."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from aidc.errors import InputError, Problem
from aidc.plant.cooling.rejection_build import hold_column, outdoor_units
from aidc.plant.cooling.sizing import (
    FLOW_POINTS,
    AirLoop,
    FacilityLoop,
    RackLoop,
    air_loop,
    case_table_k_w,
    facility_loop,
    rack_loop,
    range_warnings,
)
from aidc.plant.freeze import frozen, plant_heat
from aidc.plant.lineup import air_density_frac
from aidc.schema.built import PodBuilt
from aidc.schema.site import Pod as PodShape
from aidc.schema.site import Site
from aidc.simulate.energy.arrays import FloatArray
from aidc.simulate.energy.fields import Plant, PlantPart, Pod, PodFlow
from aidc.units import kelvin

__all__ = ["Cooling", "compile_cooling"]

_NEVER_K = 1e4


@dataclass(frozen=True, slots=True)
class Cooling:
    """Arrays of the cooling plant, the temperatures that the loops start from, and remarks."""

    plant: FloatArray  # [Plant, plant]
    flow: FloatArray  # [PodFlow, lane, flow fraction]
    rejection: FloatArray  # [plant, figure]
    loop_k: FloatArray
    air_k: FloatArray
    remarks: tuple[str, ...]
    units: Mapping[tuple[str, int], int]  # by plant and PlantPart


def compile_cooling(site: Site, pod: FloatArray) -> Cooling:
    """Tabulate the plants as built, sized where they are not; writes the cooling rows of `pod` in place.

    Raises
    ------
    InputError
        A design point that is thermodynamically impossible.
    """
    site = frozen(site)
    names = list(site.cooling)
    flow = np.zeros((len(PodFlow), len(site.pods), FLOW_POINTS))
    loop_k, air_k = np.zeros(len(site.pods)), np.zeros(len(site.pods))
    units: dict[tuple[str, int], int] = defaultdict(int)
    density = air_density_frac(site)
    for lane, shape in enumerate(site.pods.values()):
        plant, hall = site.cooling[shape.cooling], site.cooling[shape.air_plant]
        pod[Pod.PLANT, lane] = names.index(shape.cooling)
        pod[Pod.AIR_PLANT, lane] = names.index(shape.air_plant)
        built = shape.built or PodBuilt()
        loop = _rack_loop(site, shape, built)
        if loop is not None:
            _lay_loop(pod, flow, lane, loop, shape)
            units[shape.cooling, PlantPart.CDUS] += loop.units
        else:
            _no_loop(pod, flow, lane, shape)
        cdu, crah = plant.cdu_entry, hall.crah_entry
        if crah is not None:
            air_w = (built.air_kw or 0.0) * 1e3
            air = air_loop(crah, air_w, hall.redundancy, built.crah_units, density)
            _lay_air(pod, flow, lane, air)
            units[shape.air_plant, PlantPart.CRAHS] += air.units
        loop_k[lane] = kelvin(plant.supply_temp_c) + (cdu.approach_k if cdu and loop else 0.0)
        air_k[lane] = kelvin(hall.supply_temp_c) + (crah.air_supply_c - crah.water_in_c if crah else 0.0)
    plants = np.zeros((len(Plant), len(names)))
    columns: list[FloatArray] = []
    for number, (name, plant) in enumerate(site.cooling.items()):
        try:
            facility = facility_loop(plant, *plant_heat(site, name))
        except InputError as error:
            raise InputError([_placed(one, f"cooling.{name}") for one in error.problems]) from error
        hold_column(plant.rejection.kind, facility.rejection)
        _lay_plant(plants, number, facility)
        units[name, PlantPart.PUMPS] = plant.pump_units
        units[name, PlantPart.OUTDOOR] = outdoor_units(plant.rejection, facility.units)
        if plant.rejection.compressors:
            units[name, PlantPart.CHILLERS] = facility.units
        plants[Plant.FOLLOWS, number] = float(plant.rejection.compressors)
        columns.append(facility.rejection)
    halls = {pod.air_plant for pod in site.pods.values()}
    remarks = tuple(
        f"cooling.{name}: {text}"
        for name, plant in site.cooling.items()
        for text in range_warnings(plant, cools_air=name in halls)
    )
    return Cooling(plants, flow, np.array(columns), loop_k, air_k, remarks, units)


def _placed(problem: Problem, place: str) -> Problem:
    key = f"{place}.{problem.key}" if problem.key else place
    return Problem(problem.what, problem.remedy, problem.file, key, problem.value)


def _rack_loop(site: Site, pod: PodShape, built: PodBuilt) -> RackLoop | None:
    plant = site.cooling[pod.cooling]
    if plant.cdu_entry is None or pod.rack.cooling == "air":
        return None
    heat_w, flow_m3_s = (built.liquid_kw or 0.0) * 1e3, (built.coolant_l_min or 0.0) / 60_000.0
    return rack_loop(plant.cdu_entry, heat_w, flow_m3_s, plant.redundancy, built.cdu_units)


def _lay_loop(pod: FloatArray, flow: FloatArray, lane: int, loop: RackLoop, shape: PodShape) -> None:
    flow[PodFlow.LOOP_W_K, lane] = loop.conductance_w_k
    flow[PodFlow.PUMP_W, lane] = loop.pump_w
    flow[PodFlow.CASE_K_W, lane] = _sink_k_w(shape)
    plate = shape.cold_plate_curve
    if plate is not None:
        litres = loop.flow_m3_s * 60_000.0 / max(shape.rack.cold_plates * shape.racks, 1)
        table = case_table_k_w(plate, litres, loop.flow_min_frac, loop.flow_most_frac)
        flow[PodFlow.CASE_K_W, lane] = table
        pod[Pod.CASE_J_K, lane] = plate.heat_capacity_j_per_k
    pod[Pod.PER_LOOP_MOST, lane] = 1.0 / loop.flow_most_frac
    pod[Pod.PER_LIQUID_RATED, lane] = 1.0 / loop.rated_heat_w
    pod[Pod.FLOW_MIN_FRAC, lane] = loop.flow_min_frac
    pod[Pod.LOOP_J_K, lane] = loop.capacity_j_k


def _no_loop(pod: FloatArray, flow: FloatArray, lane: int, shape: PodShape) -> None:
    """An air-cooled pod: a loop that carries nothing and follows its plant."""
    flow[PodFlow.LOOP_W_K, lane] = 1.0
    flow[PodFlow.CASE_K_W, lane] = _sink_k_w(shape)
    pod[Pod.LOOP_J_K, lane] = 1.0


def _sink_k_w(shape: PodShape) -> float:
    """Resistance of a heat sink; one of none keeps its case at the air's temperature."""
    return max(shape.rack.heat_sink_k_per_w, 1e-9)


def _lay_air(pod: FloatArray, flow: FloatArray, lane: int, air: AirLoop) -> None:
    flow[PodFlow.AIR_W_K, lane] = air.conductance_w_k
    flow[PodFlow.CRAH_W, lane] = air.fan_w
    pod[Pod.PER_AIR_RATED, lane] = 1.0 / air.rated_heat_w
    pod[Pod.PER_AIR_MOST, lane] = 1.0 / air.flow_most_frac
    pod[Pod.AIR_J_K, lane] = air.capacity_j_k


def _lay_plant(plants: FloatArray, number: int, facility: FacilityLoop) -> None:
    plants[Plant.LOOP_J_K, number] = facility.capacity_j_k
    plants[Plant.SET_K, number] = facility.supply_k
    plants[Plant.FAN_LAG_S, number] = facility.response_s
    # the loop is brought to its set point more slowly than the fans can follow, or the two would hunt
    plants[Plant.APPROACH_S, number] = max(facility.control_s, 4.0 * facility.response_s)
    plants[Plant.FLOW_W_K, number] = facility.flow_w_k
    plants[Plant.PER_HEAT_RATED, number] = 1.0 / facility.rated_heat_w
    plants[Plant.PUMP_W, number] = facility.pump_w
    plants[Plant.REUSE_W, number] = facility.reuse_limit_w
    plants[Plant.REUSE_FRAC, number] = facility.reuse_frac
    plants[Plant.REUSE_MIN_K, number] = facility.reuse_min_k if facility.reuse_limit_w > 0.0 else _NEVER_K
    plants[Plant.FLOW_MIN_FRAC, number] = facility.flow_min_frac
    plants[Plant.PUMP_STATIC_FRAC, number] = facility.pump_static_frac
