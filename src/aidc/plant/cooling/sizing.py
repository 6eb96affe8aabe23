"""From a site's cooling plant and its design heat to the figures and tables of an engine.

Flow fractions are over design flow; tables over flow are uniform from 0 to the most that the units can give
(`flow_most_frac`, at most twice design flow) and hold their value at the least flow below it, as the pumps do.
Spare units run and share the load; where one is out of service the others take its flow.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Final, NamedTuple, ParamSpec, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from aidc.plant.cooling.cdu import (
    cdu_conductance_w_k,
    cdu_params,
    cdu_units,
    secondary_flow_m3_s,
)
from aidc.plant.cooling.cold_plate import resistance_k_w
from aidc.plant.cooling.coolant import density_kg_m3, heat_capacity_j_kg_k
from aidc.plant.cooling.crah import crah_conductance_w_k, crah_params
from aidc.plant.cooling.pump_fan import fan_power_w, hydraulic_power_w, pump_power_w
from aidc.plant.cooling.rejection_build import rejection_column, rejection_units
from aidc.schema.built import PlantBuilt
from aidc.schema.chain import Redundancy
from aidc.schema.cooling import Cdu, ChillerEconomiser, ColdPlate, CoolingPlant, Crah, HeatRejection
from aidc.units import HOUR_S, MEGA, kelvin

__all__ = [
    "FLOW_POINTS",
    "AirLoop",
    "FacilityLoop",
    "PlantSize",
    "RackLoop",
    "air_loop",
    "case_table_k_w",
    "column_of",
    "facility_loop",
    "rack_loop",
    "range_warnings",
    "size_plant",
    "with_spares",
]

FloatArray = NDArray[np.float64]
P = ParamSpec("P")
R = TypeVar("R")

FLOW_POINTS: Final = 129
_FLOWS: Final = np.linspace(0.0, 1.0, FLOW_POINTS)
_MOST_FLOW: Final = 2.0  # tables end at this multiple of design flow
_WITHOUT_J_K: Final = 1e6  # heat capacity of a loop that is not there
_HALL_FLOWS: Final = 0.25  # share of the hall's air flow below which the coil's water is throttled no further


def _kept(count: int) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Keep the last results of a function of frozen shapes and numbers, with the types of its arguments."""
    return cast("Callable[[Callable[P, R]], Callable[P, R]]", lru_cache(maxsize=count))


class RackLoop(NamedTuple):
    """The rack loop of a pod: CDUs, coolant, pumps.

    `rated_heat_w` is the heat at which the loop runs at full flow; `facility_w_k` the heat capacity flow
    that its CDUs then draw from the facility loop. Tables over flow fraction: conductance from rack
    supply to facility supply [W/K], pump power [W]; they reach from no flow to `flow_most_frac` of design flow.
    """

    units: int
    rated_heat_w: float
    capacity_j_k: float
    flow_min_frac: float
    flow_m3_s: float
    facility_w_k: float
    conductance_w_k: FloatArray
    pump_w: FloatArray
    flow_most_frac: float = 1.0

    @property
    def design_pump_w(self) -> float:
        """Pumps at design flow [W]."""
        return float(np.interp(1.0 / self.flow_most_frac, _FLOWS, self.pump_w))

    @property
    def design_conductance_w_k(self) -> float:
        """From rack supply to facility supply, at design flow [W/K]."""
        return float(np.interp(1.0 / self.flow_most_frac, _FLOWS, self.conductance_w_k))


class AirLoop(NamedTuple):
    """The air of a pod's hall: CRAHs; tables as for the rack loop."""

    units: int
    rated_heat_w: float
    capacity_j_k: float
    flow_min_frac: float
    facility_w_k: float
    conductance_w_k: FloatArray
    fan_w: FloatArray
    flow_most_frac: float = 1.0

    @property
    def design_fan_w(self) -> float:
        """Fans at design flow [W]."""
        return float(np.interp(1.0 / self.flow_most_frac, _FLOWS, self.fan_w))

    @property
    def design_conductance_w_k(self) -> float:
        """Conductance at design flow [W/K]."""
        return float(np.interp(1.0 / self.flow_most_frac, _FLOWS, self.conductance_w_k))


class FacilityLoop(NamedTuple):
    """The facility loop of a plant and its heat rejection."""

    units: int
    rated_heat_w: float  # at which the loop runs at full flow
    supply_k: float
    capacity_j_k: float
    flow_w_k: float  # heat capacity flow at full flow
    flow_min_frac: float
    pump_w: float  # at full flow
    pump_static_frac: float
    response_s: float
    control_s: float
    reuse_frac: float
    reuse_limit_w: float
    reuse_min_k: float
    rejection: FloatArray  # see plant/cooling/rejection
    air_density_frac: float = 1.0  # of the air at the site over that at sea level


@_kept(64)
def column_of(
    rejection: HeatRejection, units: int, flow_w_k: float, supply_k: float, air_density_frac: float = 1.0
) -> FloatArray:
    """`rejection_column`, kept: the tables of a plant are asked for several times on the way to a run.

    `rejection`, `units`, `flow_w_k` (its `loop_w_k`), `supply_k` and `air_density_frac` are those of
    `rejection_column`.
    """
    return _fixed(rejection_column(rejection, units, flow_w_k, supply_k, air_density_frac))


def _fixed(array: FloatArray) -> FloatArray:
    array.setflags(write=False)
    return array


class PlantSize(NamedTuple):
    """What a plant has: units with their spares, the heat and the flow that it is made for."""

    units: int
    heat_w: float
    flow_w_k: float
    flow_m3_s: float


def with_spares(units: int, redundancy: Redundancy) -> int:
    """Units that run: as many as needed, one more, or twice as many."""
    return 2 * units if redundancy == "2N" else units + (redundancy == "N+1")


@_kept(1024)
def rack_loop(
    cdu: Cdu, heat_w: float, flow_m3_s: float, redundancy: Redundancy = "N+1", units: int | None = None
) -> RackLoop:
    """Size the CDUs of a pod and tabulate them.

    Parameters
    ----------
    cdu
        The unit.
    heat_w
        Heat into the coolant when the pod runs at its rating [W].
    flow_m3_s
        Coolant that the racks want at that heat [m³/s].
    redundancy
        Of the CDUs.
    units
        CDUs that stand there, spares included; default: as many as the heat and the redundancy ask for.
    """
    if heat_w <= 0:
        none = np.zeros(FLOW_POINTS)
        return RackLoop(0, 1.0, _WITHOUT_J_K, 1.0, 0.0, 0.0, none, none)
    params = cdu_params(cdu)
    units = units or with_spares(cdu_units(cdu, heat_w, flow_m3_s), redundancy)
    design_flow_m3_s = max(flow_m3_s, heat_w / (cdu.rated_heat_kw * 1e3) * secondary_flow_m3_s(cdu))
    share = design_flow_m3_s / secondary_flow_m3_s(cdu) / units  # of a unit's rated flow, spares running
    primary = heat_w / params.rated_heat_w / units
    most = min(max(1.0 / share, 1.0), _MOST_FLOW)
    flows = np.maximum(_FLOWS * most, params.flow_min_frac)
    conductance = [units * cdu_conductance_w_k(flow * share, flow * primary, params) for flow in flows]
    pumps = [units * pump_power_w(flow * share, params.pump_w, params.pump_static_frac) for flow in flows]
    supply_k = kelvin(cdu.facility_in_c + cdu.approach_k)
    volume_m3 = cdu.inventory_l_per_kw * heat_w / 1e6
    heat_capacity = heat_capacity_j_kg_k(cdu.secondary_coolant, supply_k)
    return RackLoop(
        units,
        heat_w,
        volume_m3 * density_kg_m3(cdu.secondary_coolant, supply_k) * heat_capacity,
        params.flow_min_frac,
        design_flow_m3_s,
        params.primary_w_k * primary * units,
        _fixed(np.array(conductance)),
        _fixed(np.array(pumps)),
        most,
    )


@_kept(1024)
def air_loop(
    crah: Crah,
    heat_w: float,
    redundancy: Redundancy = "N+1",
    units: int | None = None,
    air_density_frac: float = 1.0,
) -> AirLoop:
    """Size the CRAHs of a pod's hall for a heat into its air [W] and tabulate them; `units` as in `rack_loop`.

    Fans move volume: in thin air (`air_density_frac` of that at sea level) the coils get less air for the same
    speed, and the fans draw less.

    `heat_w` is that heat; `redundancy` says how many spare units there are.
    """
    if heat_w <= 0:
        none = np.zeros(FLOW_POINTS)
        return AirLoop(0, 1.0, _WITHOUT_J_K, 1.0, 0.0, none, none)
    params = crah_params(crah)
    units = units or with_spares(max(1, math.ceil(heat_w / params.rated_heat_w - 1e-9)), redundancy)
    share = heat_w / params.rated_heat_w / units
    most = min(max(1.0 / share, 1.0), _MOST_FLOW)
    flows = np.maximum(_FLOWS * most, params.flow_min_frac)
    conductance = [
        units * crah_conductance_w_k(flow * share * air_density_frac, max(flow, _HALL_FLOWS) * share, params)
        for flow in flows
    ]
    return AirLoop(
        units,
        heat_w,
        crah.thermal_mass_kj_per_k_per_kw * heat_w,  # kJ/K per kW is J/K per W
        params.flow_min_frac,
        params.water_w_k * share * units,
        _fixed(np.array(conductance)),
        _fixed(
            np.array([units * fan_power_w(flow * share, params.fan_w) * air_density_frac for flow in flows])
        ),
        most,
    )


def case_table_k_w(
    plate: ColdPlate, flow_l_min: float, flow_min_frac: float = 0.3, flow_most_frac: float = 1.0
) -> FloatArray:
    """Resistance of a plate [K/W] over the flow of its loop; `flow_l_min` at design flow.

    The table runs from `flow_min_frac` to `flow_most_frac` of the design flow.
    """
    flows = np.maximum(_FLOWS * flow_most_frac, flow_min_frac) * flow_l_min
    return np.array(
        [resistance_k_w(float(flow), plate.a_k_per_w, plate.b_k_per_w, plate.exponent) for flow in flows]
    )


def facility_loop(
    plant: CoolingPlant, heat_w: float, facility_w_k: float, air_density_frac: float = 1.0
) -> FacilityLoop:
    """A plant's loop and heat rejection, as built or else sized; parameters and errors as in `size_plant`.

    `heat_w` is the heat of the design [W], `facility_w_k` the conductance of what hangs on the loop [W/K], and
    `air_density_frac` the air's density over that at sea level.
    """
    units, heat_w, flow_w_k, flow_m3_s = size_plant(plant, heat_w, facility_w_k, air_density_frac)
    supply_k = kelvin(plant.supply_temp_c)
    density = density_kg_m3(plant.loop_coolant, supply_k)
    heat_capacity = heat_capacity_j_kg_k(plant.loop_coolant, supply_k)
    return FacilityLoop(
        units=units,
        rated_heat_w=heat_w,
        supply_k=supply_k,
        capacity_j_k=plant.loop_inventory_l_per_kw * heat_w / 1e6 * density * heat_capacity,
        flow_w_k=flow_w_k,
        flow_min_frac=plant.flow_min_frac,
        pump_w=hydraulic_power_w(flow_m3_s, plant.pump_head_kpa * 1e3, plant.pump_efficiency_frac),
        pump_static_frac=plant.pump_static_frac,
        response_s=plant.rejection.response_s,
        control_s=plant.control_s,
        reuse_frac=plant.heat_reuse_frac,
        reuse_limit_w=plant.heat_reuse_limit_mw * MEGA,
        reuse_min_k=kelvin(plant.heat_reuse_min_c),
        rejection=column_of(plant.rejection, units, flow_w_k, supply_k, air_density_frac),
        air_density_frac=air_density_frac,
    )


def size_plant(
    plant: CoolingPlant, heat_w: float, facility_w_k: float, air_density_frac: float = 1.0
) -> PlantSize:
    """What of a plant is built, and the rest sized.

    Parameters
    ----------
    plant
        The plant as the site has it.
    heat_w
        Design heat of all its pods, liquid and air, their pumps and fans included [W].
    facility_w_k
        Heat capacity flow that their CDUs and CRAHs draw at design [W/K]; `return_rise_k` replaces it.
    air_density_frac
        Density of the air over that at sea level.

    Raises
    ------
    InputError
        The set point cannot be reached in the design weather.
    """
    known = plant.built or PlantBuilt()
    supply_k = kelvin(plant.supply_temp_c)
    density = density_kg_m3(plant.loop_coolant, supply_k)
    heat_capacity = heat_capacity_j_kg_k(plant.loop_coolant, supply_k)
    heat_w = known.heat_mw * MEGA if known.heat_mw else max(heat_w, 1.0)
    if known.flow_m3_h:
        flow_w_k = known.flow_m3_h / HOUR_S * density * heat_capacity
    else:
        flow_w_k = heat_w / plant.return_rise_k if plant.return_rise_k else max(facility_w_k, heat_w / 30.0)
    units = plant.units or known.units
    if units is None:
        wanted_w = heat_w * (1.0 + plant.margin_frac)
        design_k = (plant.design_dry_bulb_c, plant.design_wet_bulb_c)
        dry_k, wet_k = (None if bulb_c is None else kelvin(bulb_c) for bulb_c in design_k)
        needed = rejection_units(
            plant.rejection, wanted_w, flow_w_k, supply_k, dry_k, wet_k, air_density_frac
        )
        units = with_spares(needed, plant.redundancy)
    return PlantSize(units, heat_w, flow_w_k, flow_w_k / (density * heat_capacity))


def range_warnings(plant: CoolingPlant, *, cools_air: bool = True) -> list[str]:
    """Where a plant leaves the range of its models; for the run's list of repairs and remarks.

    `cools_air` tells whether any pod gives its air share to this plant.
    """
    found: list[str] = []
    rejection, supply_c = plant.rejection, plant.supply_temp_c
    if isinstance(rejection, ChillerEconomiser):
        low, high = rejection.supply_range_c
        if not low <= supply_c <= high:
            beyond = "extrapolated" if rejection.performance is None else "their map is read at its edge"
            found.append(
                f"supply at {supply_c:g} °C lies outside the chillers' {low:g} to {high:g} °C: {beyond}"
            )
    if cools_air and plant.crah_entry is not None and supply_c >= plant.crah_entry.air_supply_c:
        found.append(
            f"the hall's air cannot be cooled to its design {plant.crah_entry.air_supply_c:g} °C"
            f" by water of {supply_c:g} °C"
        )
    return found
