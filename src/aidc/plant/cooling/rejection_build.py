"""From a shape of heat rejection to its column of figures and tables, and to the number of units.

The tables hold, over the facility loop's flow, wet bulb and the return's height above it, the conductance at
full fan speed, and the fan speed for a share of that conductance while the water returns at its design
temperature. Dry kinds do not depend on wet bulb; their
tables repeat, so that all kinds are read alike.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from aidc.errors import InputError, Problem
from aidc.plant.cooling.dry_cooler import dry_conductance_w_k, dry_params
from aidc.plant.cooling.moist_air import CP_AIR_J_KG_K
from aidc.plant.cooling.rejection import (
    COLUMN,
    FLOW_LOW,
    FLOWS,
    KINDS,
    SHARES,
    SPAN_LOW_K,
    SPAN_STEP_K,
    SPANS,
    WET_LOW_K,
    WET_STEP_K,
    WETS,
    Figure,
    most_index,
    speed_index,
)
from aidc.plant.cooling.tower import (
    COLDEST_BELOW_DESIGN_K,
    CP_WATER_J_KG_K,
    tower_conductance_w_k,
    tower_params,
)
from aidc.schema.cooling import (
    AdiabaticCooler,
    ChillerEconomiser,
    CoolingTower,
    DryCooler,
    HeatRejection,
)
from aidc.units import kelvin

__all__ = ["outdoor_units", "rejection_column", "rejection_units", "unit_conductance_w_k"]

FloatArray = NDArray[np.float64]
Outdoor = DryCooler | AdiabaticCooler | CoolingTower

# conductance [W/K] of all units from flow fraction, air fraction, wet bulb [K], return above wet bulb [K]
Conductance = Callable[[float, float, float, float], float]

_SPEEDS: Final = np.linspace(0.0, 1.0, 41)
_MOST_UNITS: Final = 100_000
_LEAST_SPAN_K: Final = 0.5
VIRTUAL_BELOW_K: Final = 10.0


def rejection_column(
    rejection: HeatRejection,
    units: int,
    loop_w_k: float,
    supply_k: float = 293.15,
    air_density_frac: float = 1.0,
) -> FloatArray:
    """The column of a plant of `units` units on a loop of this heat capacity flow at full flow [W/K].

    `supply_k` is the loop's set point; a chiller's conductance counts against 10 K below it. Fans move volume: at
    `air_density_frac` of the density at sea level their mass of air and their power fall with it at equal speed
    (fan laws, ASHRAE Handbook HVAC Systems and Equipment 2020, chapter 21).
    """
    column = np.zeros(COLUMN)
    outdoor = rejection.outdoor if isinstance(rejection, ChillerEconomiser) else rejection
    column[Figure.KIND] = KINDS[rejection.kind]
    column[Figure.FLOW_W_K] = loop_w_k
    if isinstance(rejection, ChillerEconomiser):
        _chiller_figures(column, rejection, units, supply_k)
        units = _outdoor_units(rejection, units)
        loop_w_k = units * _liquid_w_k(outdoor)  # a circuit of its own, at design flow
    _outdoor_figures(column, outdoor, units, air_density_frac)
    _tables(column, _conductance(outdoor, units, loop_w_k, air_density_frac), kelvin(outdoor.coolant_in_c))
    return column


def outdoor_units(rejection: HeatRejection, units: int) -> int:
    """Units outdoors of a plant of `units` units: those of chillers are counted apart."""
    return _outdoor_units(rejection, units) if isinstance(rejection, ChillerEconomiser) else units


def rejection_units(
    rejection: HeatRejection,
    heat_w: float,
    loop_w_k: float,
    supply_k: float,
    dry_bulb_k: float | None = None,
    wet_bulb_k: float | None = None,
    air_density_frac: float = 1.0,
) -> int:
    """How many units reject a design heat at a supply set point and design weather, spares not counted.

    Parameters
    ----------
    rejection
        The equipment.
    heat_w
        Design heat, with whatever margin is wanted [W].
    loop_w_k
        Heat capacity flow of the facility loop at full flow [W/K].
    supply_k
        Set point of the supply [K].
    dry_bulb_k, wet_bulb_k
        Design weather [K]; by default that of the equipment's rating.
    air_density_frac
        Density of the air over that at sea level.

    Raises
    ------
    InputError
        The supply lies below what the design weather allows.
    """
    if isinstance(rejection, ChillerEconomiser):
        return max(1, math.ceil(heat_w / (rejection.rated_heat_mw * 1e6) - 1e-9))
    sink_k = _design_sink_k(rejection, dry_bulb_k, wet_bulb_k)
    if supply_k - sink_k < _LEAST_SPAN_K:
        raise _too_cold(rejection, supply_k, sink_k)
    span_k = heat_w / loop_w_k + supply_k - sink_k
    low, high = 0, 1
    design = (heat_w, loop_w_k, supply_k - sink_k, span_k, sink_k, air_density_frac)
    while not _suffices(rejection, high, *design):
        low, high = high, 2 * high
        if high > _MOST_UNITS:
            raise _too_cold(rejection, supply_k, sink_k)
    while high - low > 1:
        middle = (low + high) // 2
        if _suffices(rejection, middle, *design):
            high = middle
        else:
            low = middle
    return high


def unit_conductance_w_k(
    unit: Outdoor, liquid_frac: float, air_frac: float, wet_bulb_k: float = 298.15, span_k: float = 10.0
) -> float:
    """Conductance of one unit between coolant supply and its sink [W/K], its plate exchanger included."""
    if isinstance(unit, CoolingTower):
        bare = tower_conductance_w_k(
            liquid_frac, air_frac, wet_bulb_k, wet_bulb_k + span_k, tower_params(unit)
        )
    else:
        bare = dry_conductance_w_k(liquid_frac, air_frac, dry_params(unit))
    return _behind_plates(unit, bare)


def _suffices(
    unit: Outdoor,
    units: int,
    heat_w: float,
    loop_w_k: float,
    approach_k: float,
    span_k: float,
    sink_k: float,
    air_density_frac: float,
) -> bool:
    liquid_frac = loop_w_k / (units * _liquid_w_k(unit))
    conductance = unit_conductance_w_k(unit, liquid_frac, air_density_frac, sink_k, span_k)
    return units * conductance * approach_k >= heat_w


def _behind_plates(unit: Outdoor, bare_w_k: float) -> float:
    if unit.exchanger_approach_k <= 0 or bare_w_k <= 0:
        return bare_w_k
    return 1.0 / (1.0 / bare_w_k + unit.exchanger_approach_k / (unit.rated_heat_mw * 1e6))


def _liquid_w_k(unit: Outdoor) -> float:
    return unit.rated_heat_mw * 1e6 / (unit.coolant_in_c - unit.coolant_out_c)


def _design_span_k(unit: Outdoor) -> float:
    sink_c = unit.wet_bulb_c if isinstance(unit, CoolingTower) else unit.air_in_c
    return unit.coolant_in_c - sink_c


def _design_sink_k(unit: Outdoor, dry_bulb_k: float | None, wet_bulb_k: float | None) -> float:
    if isinstance(unit, CoolingTower):
        return kelvin(unit.wet_bulb_c) if wet_bulb_k is None else wet_bulb_k
    dry_k = kelvin(unit.air_in_c) if dry_bulb_k is None else dry_bulb_k
    if isinstance(unit, DryCooler):
        return dry_k
    wet_k = kelvin(unit.wet_bulb_c) if wet_bulb_k is None else wet_bulb_k
    return dry_k - unit.pad_effectiveness * max(dry_k - wet_k, 0.0)


def _too_cold(unit: Outdoor, supply_k: float, sink_k: float) -> InputError:
    sink = "wet bulb" if isinstance(unit, CoolingTower) else "outdoor air"
    return InputError(
        Problem(
            f"cannot be reached by a {unit.kind} at a design {sink} of {sink_k - kelvin(0):.1f} °C",
            "Raise supply_temp_c, set design_dry_bulb_c and design_wet_bulb_c to the site's, or use a chiller.",
            key="supply_temp_c",
            value=round(supply_k - kelvin(0), 2),
        )
    )


def _outdoor_units(rejection: ChillerEconomiser, units: int) -> int:
    """Outdoor units that carry the chillers' heat and work (COP 5 at full load)."""
    return max(1, math.ceil(units * 1.2 * rejection.rated_heat_mw / rejection.outdoor.rated_heat_mw))


def _outdoor_figures(column: FloatArray, unit: Outdoor, units: int, air_density_frac: float) -> None:
    column[Figure.FAN_W] = units * unit.fan_kw * 1e3 * air_density_frac
    column[Figure.DESIGN_SPAN_K] = _design_span_k(unit)
    if isinstance(unit, CoolingTower):
        column[Figure.WET] = 1.0
        column[Figure.WET_LEAST_K] = kelvin(unit.wet_bulb_c) - COLDEST_BELOW_DESIGN_K
        column[Figure.WATER_KG_S] = units * _liquid_w_k(unit) / CP_WATER_J_KG_K
        column[Figure.AIR_KG_S] = column[Figure.WATER_KG_S] / unit.water_over_air * air_density_frac
        column[Figure.AIR_W_K] = column[Figure.AIR_KG_S] * CP_AIR_J_KG_K
        column[Figure.CYCLES] = unit.cycles_of_concentration
        column[Figure.DRIFT_FRAC] = unit.drift_frac
        return
    column[Figure.AIR_W_K] = units * _liquid_w_k(unit) * unit.air_over_liquid_capacity * air_density_frac
    column[Figure.AIR_KG_S] = column[Figure.AIR_W_K] / CP_AIR_J_KG_K
    if isinstance(unit, AdiabaticCooler):
        column[Figure.PAD_FRAC] = unit.pad_effectiveness
        column[Figure.WET_AT_FRAC] = unit.wet_at_load_frac
        column[Figure.CYCLES] = unit.cycles_of_concentration


def _chiller_figures(column: FloatArray, chiller: ChillerEconomiser, units: int, supply_k: float) -> None:
    column[Figure.CHILLER_W] = units * chiller.rated_heat_mw * 1e6
    column[Figure.CARNOT_FRAC] = chiller.carnot_frac
    column[Figure.PART_0 : Figure.PART_2 + 1] = chiller.part_load
    column[Figure.PER_MACHINE_W] = 1.0 / (chiller.part_load_min_frac * chiller.rated_heat_mw * 1e6)
    column[Figure.EVAPORATOR_K] = chiller.evaporator_pinch_k
    column[Figure.CONDENSER_K] = chiller.condenser_pinch_k
    column[Figure.ECONOMISER_K] = chiller.economiser_approach_k
    column[Figure.LIFT_MIN_K] = chiller.lift_min_k
    column[Figure.CONDENSER_PUMP_W_W] = chiller.condenser_pump_kw * 1e3 / (chiller.rated_heat_mw * 1e6)
    column[Figure.VIRTUAL_K] = supply_k - VIRTUAL_BELOW_K


def _conductance(unit: Outdoor, units: int, loop_w_k: float, air_density_frac: float) -> Conductance:
    flow_at_full = loop_w_k / (units * _liquid_w_k(unit))
    if isinstance(unit, CoolingTower):
        tower = tower_params(unit)

        def wet(flow: float, air: float, wet_k: float, span_k: float) -> float:
            air *= air_density_frac
            bare = tower_conductance_w_k(flow * flow_at_full, air, wet_k, wet_k + span_k, tower)
            return units * _behind_plates(unit, bare)

        return wet
    dry = dry_params(unit)

    def bare(flow: float, air: float, wet_k: float, span_k: float) -> float:
        del wet_k, span_k
        return units * _behind_plates(
            unit, dry_conductance_w_k(flow * flow_at_full, air * air_density_frac, dry)
        )

    return bare


def _tables(column: FloatArray, conductance: Conductance, return_k: float) -> None:
    shares = np.linspace(0.0, 1.0, SHARES)
    for i, flow in enumerate(np.linspace(FLOW_LOW, 1.0, FLOWS)):
        for j in range(WETS):
            wet_k = WET_LOW_K + j * WET_STEP_K
            span_k = max(return_k - wet_k, SPAN_LOW_K)
            for k in range(SPANS):
                column[most_index(i, j, k)] = conductance(flow, 1.0, wet_k, SPAN_LOW_K + k * SPAN_STEP_K)
            curve = np.array([conductance(flow, speed, wet_k, span_k) for speed in _SPEEDS])
            curve = curve / curve[-1]
            still = curve <= curve[0] * (1 + 1e-9)  # free convection alone
            start = int(np.argmin(still)) - 1 if still[0] and not still.all() else 0
            first = speed_index(i, j, 0)
            column[first : first + SHARES] = np.interp(shares, curve[start:], _SPEEDS[start:], left=0.0)
