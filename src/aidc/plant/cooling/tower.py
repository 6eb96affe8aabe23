"""Cooling towers by Merkel's theory: moist air as a gas of heat capacity c_e, whose sink is the wet bulb.

    c_e = (h_sat(T_wb,out) − h_sat(T_wb)) / (T_wb,out − T_wb),   UA_e = UA · (c_e/c_p) · f_wb · f_air · f_water

with counterflow ε-NTU between water and that gas; T_wb,out follows from the heat given to the air. Source:
EnergyPlus Engineering Reference, CoolingTower:VariableSpeed:Merkel, with Scheier's corrections f at their
default coefficients (also Modelica Buildings, CoolingTowers.Merkel). Corrections hold for 20 to 100 % of air,
30 to 100 % of water and wet bulbs from 25 K below design to 10 K above. Sea-level pressure.

The correction for wet bulb ends 25 K below design; air that is colder still is credited with nothing, as its
conductance would otherwise fall faster than its distance from the water grows. (Towers are throttled there anyway, lest
they freeze.)

Water evaporates as the air leaves saturated (EnergyPlus evaporation mode SaturatedExit).
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from aidc.jit import scalar
from aidc.plant.cooling.column import Figure, FloatArray, fan_power_w, most_w_k, speed_frac
from aidc.plant.cooling.exchanger import effectiveness
from aidc.plant.cooling.moist_air import (
    ATMOSPHERE_PA,
    CP_AIR_J_KG_K,
    enthalpy_j_kg,
    evaporation_heat_j_kg,
    humidity_ratio,
    saturated_enthalpy_j_kg,
    saturated_ratio,
)
from aidc.plant.cooling.outdoor import Bare, OutdoorUnits, liquid_w_k
from aidc.schema.cooling import CoolingTower
from aidc.units import kelvin

__all__ = [
    "COOLING_TOWER",
    "TowerParams",
    "evaporated_kg_s",
    "make_up_kg_s",
    "tower_conductance_w_k",
    "tower_heat_w",
    "tower_limit",
    "tower_params",
    "tower_power",
]

CP_WATER_J_KG_K = 4186.0
COLDEST_BELOW_DESIGN_K = 25.0  # where the correction for wet bulb ends
_ROUNDS = 12  # of the fixed point between heat and leaving air

_ENTHALPIES = 101
_ENTHALPY_LOW = -30e3  # J per kg of dry air
_ENTHALPY_STEP = 6e3


def _ratio_by_enthalpy() -> FloatArray:
    """Vapour per dry air of saturated air [kg/kg] over its enthalpy, so that a step needs no iteration."""
    temp_k = np.linspace(243.15, 353.15, 2201)
    ratio = humidity_ratio(temp_k, np.ones_like(temp_k), ATMOSPHERE_PA)
    enthalpies = _ENTHALPY_LOW + _ENTHALPY_STEP * np.arange(_ENTHALPIES)
    return np.interp(enthalpies, enthalpy_j_kg(temp_k, ratio), ratio)


_RATIO = _ratio_by_enthalpy()


class TowerParams(NamedTuple):
    """One cell in SI: design UA [W/K], heat capacity flow of water [W/K], air [kg/s], and corrections.

    `air_*`, `water_*` and `wet_*` are polynomials in air fraction, water fraction and design less present
    wet bulb [K].
    """

    rated_heat_w: float
    ua_w_k: float
    water_w_k: float
    air_kg_s: float
    wet_bulb_k: float
    free_frac: float
    air_0: float
    air_1: float
    air_2: float
    air_3: float
    water_0: float
    water_1: float
    water_2: float
    water_3: float
    wet_0: float
    wet_1: float
    wet_2: float
    wet_3: float


@scalar
def _corrected_ua_w_k(water_frac: float, air_frac: float, wet_bulb_k: float, p: TowerParams) -> float:
    """UA off design, before the heat capacity of the moist air comes in [W/K]."""
    a, w = air_frac, max(water_frac, 0.05)
    d = min(max(p.wet_bulb_k - wet_bulb_k, -10.0), 25.0)
    by_air = p.air_0 + a * (p.air_1 + a * (p.air_2 + a * p.air_3))
    by_water = p.water_0 + w * (p.water_1 + w * (p.water_2 + w * p.water_3))
    by_wet = p.wet_0 + d * (p.wet_1 + d * (p.wet_2 + d * p.wet_3))
    return p.ua_w_k * max(by_air, 0.0) * max(by_water, 0.05) * max(by_wet, 0.1)


@scalar
def tower_heat_w(
    water_frac: float, air_frac: float, water_in_k: float, wet_bulb_k: float, p: TowerParams
) -> float:
    """Heat that a cell takes from water entering at a temperature [K], fans at a fraction of air flow [W].

    `water_frac` and `air_frac` are flows over those of the design, `water_in_k` is the temperature of the hot water
    and `wet_bulb_k` that of the outdoor air [K].
    """
    span_k = water_in_k - wet_bulb_k
    if span_k <= 0.0 or water_frac <= 0.0 or air_frac <= 0.0:
        return 0.0
    ua_w_k = _corrected_ua_w_k(water_frac, air_frac, wet_bulb_k, p)
    water_w_k = p.water_w_k * water_frac
    air_kg_s = p.air_kg_s * air_frac
    enthalpy = saturated_enthalpy_j_kg(wet_bulb_k)
    leaving_k = wet_bulb_k + 0.6 * span_k
    heat_w = 0.0
    for _ in range(_ROUNDS):
        rise_k = max(leaving_k - wet_bulb_k, 0.01)
        heat_capacity = (saturated_enthalpy_j_kg(wet_bulb_k + rise_k) - enthalpy) / rise_k
        air_w_k = air_kg_s * heat_capacity
        least = min(air_w_k, water_w_k)
        ntu = ua_w_k * heat_capacity / 1006.0 / least
        heat_w = effectiveness(ntu, least / max(air_w_k, water_w_k)) * least * span_k
        leaving_k = 0.5 * leaving_k + 0.5 * (wet_bulb_k + heat_w / air_w_k)
    return heat_w


@scalar
def tower_conductance_w_k(
    water_frac: float, air_frac: float, wet_bulb_k: float, return_k: float, p: TowerParams
) -> float:
    """Conductance from water supply to wet bulb [W/K] while water returns at `return_k` [K].

    Without fans, `free_frac` of the conductance at full air flow remains.

    `water_frac` and `air_frac` are flows over those of the design; `wet_bulb_k` is that of the outdoor air [K].
    """
    span_k = max(return_k - wet_bulb_k, 0.5)
    water_w_k = p.water_w_k * water_frac
    if water_w_k <= 0.0:
        return 0.0
    full = tower_heat_w(water_frac, 1.0, wet_bulb_k + span_k, wet_bulb_k, p)
    full = full / max(span_k - full / water_w_k, 1e-3)
    forced = tower_heat_w(water_frac, air_frac, wet_bulb_k + span_k, wet_bulb_k, p)
    forced = forced / max(span_k - forced / water_w_k, 1e-3)
    return max(forced, p.free_frac * full)


@scalar
def evaporated_kg_s(heat_w: float, air_kg_s: float, dry_bulb_k: float, wet_bulb_k: float) -> float:
    """Water that evaporates [kg/s] where saturated air carries off a heat [W].

    The share of latent heat follows from dry bulb, wet bulb and air flow [kg/s]. Natural draught carries
    what the fans do not: the air's enthalpy rises by no more than 100 kJ/kg.

    `heat_w` is the heat rejected [W], `air_kg_s` the fans' flow, `dry_bulb_k` and `wet_bulb_k` are those of the air
    that enters [K].
    """
    if heat_w <= 0.0:
        return 0.0
    latent_j_kg = evaporation_heat_j_kg(wet_bulb_k)
    air_kg_s = max(air_kg_s, heat_w / 100e3)
    t = wet_bulb_k - 273.15
    saturated = saturated_ratio(wet_bulb_k)
    enthalpy = 1006.0 * t + saturated * (2.501e6 + 1860.0 * t) + heat_w / air_kg_s
    place = min(max((enthalpy - _ENTHALPY_LOW) / _ENTHALPY_STEP, 0.0), _ENTHALPIES - 1.001)
    low = int(place)
    leaving = _RATIO[low] + (place - low) * (_RATIO[low + 1] - _RATIO[low])
    # at wet bulb's enthalpy the entering air holds less than saturated air by its sensible excess
    entering = max(saturated - 1006.0 * (dry_bulb_k - wet_bulb_k) / latent_j_kg, 0.0)
    return min(max(air_kg_s * (leaving - entering), 0.0), 1.5 * heat_w / latent_j_kg)


@scalar
def make_up_kg_s(
    evaporated: float, circulating_kg_s: float, cycles_of_concentration: float, drift_frac: float
) -> float:
    """Water drawn [kg/s]: what evaporates, drifts off and is blown down.

    Blow-down keeps the concentration: evaporation / (cycles − 1), of which drift is a part.

    `evaporated` is the water that evaporates [kg/s], `circulating_kg_s` what the pumps turn over,
    `cycles_of_concentration` the concentration of salts over that of fresh water (above 1), and `drift_frac` the
    share of the circulating water that leaves as droplets.
    """
    drift = drift_frac * circulating_kg_s
    blow_down = max(evaporated / (cycles_of_concentration - 1.0) - drift, 0.0)
    return evaporated + drift + blow_down


def tower_params(unit: CoolingTower) -> TowerParams:
    """A cell's parameters; UA is found such that the design point holds."""
    heat_w = unit.rated_heat_mw * 1e6
    water_w_k = heat_w / (unit.coolant_in_c - unit.coolant_out_c)
    air_kg_s = water_w_k / CP_WATER_J_KG_K / unit.water_over_air
    # the plate exchanger's approach stands between tower water and facility water on both ends
    water_in_k = kelvin(unit.coolant_in_c - unit.exchanger_approach_k)
    wet_bulb_k = kelvin(unit.wet_bulb_c)
    curves = (*_four(unit.air_curve), *_four(unit.water_curve), *_four(unit.wet_bulb_curve))
    low, high = 1e-3 * water_w_k, 1e2 * water_w_k
    for _ in range(80):
        middle = (low * high) ** 0.5
        params = TowerParams(
            heat_w, middle, water_w_k, air_kg_s, wet_bulb_k, unit.free_convection_frac, *curves
        )
        if tower_heat_w(1.0, 1.0, water_in_k, wet_bulb_k, params) < heat_w:
            low = middle
        else:
            high = middle
    return TowerParams(heat_w, high, water_w_k, air_kg_s, wet_bulb_k, unit.free_convection_frac, *curves)


def _four(curve: tuple[float, ...]) -> tuple[float, ...]:
    return (*curve, 0.0, 0.0, 0.0, 0.0)[:4]


@scalar
def tower_limit(
    p: FloatArray, wet_k: float, return_k: float, flow_frac: float, outdoor: float
) -> tuple[float, float]:
    """The most conductance of towers [W/K], and their sink: wet bulb [K]. Arguments as in `rejection_limit`."""
    return outdoor * most_w_k(p, flow_frac / max(outdoor, 1e-3), wet_k, return_k - wet_k), wet_k


@scalar
def tower_power(
    p: FloatArray,
    conductance_w_k: float,
    share: float,
    supply_k: float,
    dry_k: float,
    wet_k: float,
    flow_frac: float,
    outdoor: float,
) -> tuple[float, float]:
    """Fans [W] and water drawn [kg/s].

    `conductance_w_k` is in force, `share` is it over the most; the others as in `rejection_limit`.
    """
    speed = speed_frac(p, flow_frac / max(outdoor, 1e-3), wet_k, share)
    fan = outdoor * fan_power_w(p, speed)
    if share <= 0.0:
        return fan, 0.0
    heat = conductance_w_k * max(supply_k - wet_k, 0.0)
    evaporated = evaporated_kg_s(heat, p[Figure.AIR_KG_S] * outdoor * speed, dry_k, wet_k)
    circulating = p[Figure.WATER_KG_S] * flow_frac
    return fan, make_up_kg_s(evaporated, circulating, p[Figure.CYCLES], p[Figure.DRIFT_FRAC])


def _bare(unit: CoolingTower) -> Bare:
    params = tower_params(unit)

    def bare(liquid_frac: float, air_frac: float, wet_k: float, span_k: float) -> float:
        return tower_conductance_w_k(liquid_frac, air_frac, wet_k, wet_k + span_k, params)

    return bare


def _head(column: FloatArray, unit: CoolingTower, units: int, air_density_frac: float) -> None:
    column[Figure.WET] = 1.0
    column[Figure.WET_LEAST_K] = kelvin(unit.wet_bulb_c) - COLDEST_BELOW_DESIGN_K
    column[Figure.WATER_KG_S] = units * liquid_w_k(unit) / CP_WATER_J_KG_K
    column[Figure.AIR_KG_S] = column[Figure.WATER_KG_S] / unit.water_over_air * air_density_frac
    column[Figure.AIR_W_K] = column[Figure.AIR_KG_S] * CP_AIR_J_KG_K
    column[Figure.CYCLES] = unit.cycles_of_concentration
    column[Figure.DRIFT_FRAC] = unit.drift_frac


def _sink_k(unit: CoolingTower, dry_k: float | None, wet_k: float | None) -> float:
    del dry_k
    return kelvin(unit.wet_bulb_c) if wet_k is None else wet_k


COOLING_TOWER: Final = OutdoorUnits(_bare, _head, _sink_k, "wet bulb")
