"""The cooling plant in the engine's arrays: sized by `plant.cooling.sizing`, one column per pod and plant."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aidc.errors import InputError, Problem
from aidc.plant.conversion import chain_stages
from aidc.plant.cooling.moist_air import ATMOSPHERE_PA, pressure_at_elevation_pa
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
from aidc.schema.site import Pod as PodShape
from aidc.schema.site import Site
from aidc.simulate.arrays import FloatArray
from aidc.simulate.fields import Plant, Pod, PodFlow
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


def compile_cooling(site: Site, pod: FloatArray) -> Cooling:
    """Size and tabulate the plants; writes the cooling rows of `pod` in place.

    Raises
    ------
    InputError
        A design point that is thermodynamically impossible.
    """
    names = list(site.cooling)
    flow = np.zeros((len(PodFlow), len(site.pods), FLOW_POINTS))
    loop_k, air_k = np.zeros(len(site.pods)), np.zeros(len(site.pods))
    density = pressure_at_elevation_pa(site.site.location.elevation_m) / ATMOSPHERE_PA
    heat_w, drawn_w_k = dict.fromkeys(names, 0.0), dict.fromkeys(names, 0.0)
    for lane, shape in enumerate(site.pods.values()):
        plant, hall = site.cooling[shape.cooling], site.cooling[shape.air_plant]
        pod[Pod.PLANT, lane] = names.index(shape.cooling)
        pod[Pod.AIR_PLANT, lane] = names.index(shape.air_plant)
        liquid_w, air_w = _design_heat_w(site, shape)
        loop = _rack_loop(site, shape, liquid_w)
        if loop is not None:
            _lay_loop(pod, flow, lane, loop, shape)
            heat_w[shape.cooling] += liquid_w + loop.pump_w[-1]
            drawn_w_k[shape.cooling] += loop.facility_w_k
        else:
            _no_loop(pod, flow, lane, shape)
        crah = hall.crah_entry
        air = air_loop(crah, air_w, hall.redundancy, density) if crah is not None else None
        if air is not None:
            _lay_air(pod, flow, lane, air)
            heat_w[shape.air_plant] += air_w + air.fan_w[-1]
            drawn_w_k[shape.air_plant] += air.facility_w_k
        cdu = plant.cdu_entry
        loop_k[lane] = kelvin(plant.supply_temp_c) + (cdu.approach_k if cdu and loop else 0.0)
        air_k[lane] = kelvin(hall.supply_temp_c) + (crah.air_supply_c - crah.water_in_c if crah else 0.0)
    plants = np.zeros((len(Plant), len(names)))
    columns: list[FloatArray] = []
    for number, (name, plant) in enumerate(site.cooling.items()):
        try:
            facility = facility_loop(plant, heat_w[name], drawn_w_k[name], density)
        except InputError as error:
            raise InputError([_placed(one, f"cooling.{name}") for one in error.problems]) from error
        _lay_plant(plants, number, facility)
        plants[Plant.FOLLOWS, number] = float(plant.rejection.kind == "chiller-economiser")
        columns.append(facility.rejection)
    halls = {pod.air_plant for pod in site.pods.values()}
    remarks = tuple(
        f"cooling.{name}: {text}"
        for name, plant in site.cooling.items()
        for text in range_warnings(plant, cools_air=name in halls)
    )
    return Cooling(plants, flow, np.array(columns), loop_k, air_k, remarks)


def _placed(problem: Problem, place: str) -> Problem:
    key = f"{place}.{problem.key}" if problem.key else place
    return Problem(problem.what, problem.remedy, problem.file, key, problem.value)


def _design_heat_w(site: Site, pod: PodShape) -> tuple[float, float]:
    """Heat at rating into the cold plates and into the hall's air, losses of the chain included."""
    rated_w = pod.racks * pod.rack.rated_power_kw * 1e3
    liquid_w = rated_w * pod.rack.liquid_frac
    air_w = rated_w - liquid_w + pod.racks * pod.rack.network_w * pod.rack.accelerators
    for sized in chain_stages(site.chains[pod.chain], rated_w):
        loss = sized.loss
        loss_w = loss.no_load_w + loss.linear * rated_w + loss.quadratic_per_w * rated_w**2
        if sized.stage.heat_to == "liquid" and pod.rack.cooling == "liquid":
            liquid_w += loss_w
        elif sized.stage.heat_to != "ambient":
            air_w += loss_w
    return liquid_w, air_w


def _rack_loop(site: Site, pod: PodShape, heat_w: float) -> RackLoop | None:
    plant = site.cooling[pod.cooling]
    if plant.cdu_entry is None or pod.rack.cooling == "air":
        return None
    flow_m3_s = heat_w / 1e3 * pod.rack.coolant_l_min_per_kw / 60_000.0
    try:
        return rack_loop(plant.cdu_entry, heat_w, flow_m3_s, plant.redundancy)
    except InputError as error:
        raise InputError([_placed(one, f"cooling.{pod.cooling}.cdu") for one in error.problems]) from error


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
