"""Pads that cool a dry cooler's air by evaporation, towards wet bulb at constant enthalpy.

    T_air = T_db − wet · η (T_db − T_wb),   water = C_air · (T_db − T_air) / h_fg

Source: ASHRAE Handbook HVAC Systems and Equipment 2020, chapter 41 (evaporative air-cooling equipment), direct
saturation effectiveness. The pads' resistance to the air is neglected.
"""

from __future__ import annotations

from typing import Final

from aidc.jit import scalar
from aidc.plant.cooling.column import Figure, FloatArray
from aidc.plant.cooling.dry_cooler import air_figures, dry_bare, dry_limit, dry_power
from aidc.plant.cooling.outdoor import OutdoorUnits
from aidc.plant.cooling.tower import make_up_kg_s
from aidc.schema.cooling import AdiabaticCooler
from aidc.units import kelvin

__all__ = [
    "ADIABATIC_COOLER",
    "adiabatic_limit",
    "adiabatic_power",
    "pad_air_k",
    "pad_share",
    "pad_water_kg_s",
]

_EVAPORATION_J_KG: Final = (
    2.45e6  # at 20 °C: 2501 + (1.86 - 4.186) t kJ/kg, ASHRAE Handbook Fundamentals, chapter 1
)


@scalar
def pad_share(heat_w: float, held_w_k: float, dry_span_k: float, wet_span_k: float) -> float:
    """How far the pads are wetted (0 to 1): as far as the fans need it to stay at a stated conductance.

    Fans first rise to it, then stay while the pads come on, then rise to full speed behind wet pads; so warmer air
    never draws less.

    Parameters
    ----------
    heat_w
        Heat to reject [W].
    held_w_k
        Conductance at which the fans are held [W/K].
    dry_span_k
        Supply above dry bulb [K].
    wet_span_k
        By how much wholly wetted pads cool the air [K].
    """
    if wet_span_k <= 0.0:
        return 1.0 if heat_w > held_w_k * dry_span_k else 0.0
    wanted_k = heat_w / max(held_w_k, 1e-9)
    return min(max((wanted_k - dry_span_k) / wet_span_k, 0.0), 1.0)


@scalar
def pad_air_k(dry_bulb_k: float, wet_bulb_k: float, share: float, pad_effectiveness: float) -> float:
    """Temperature of the air behind the pads [K].

    `dry_bulb_k` and `wet_bulb_k` are those of the outdoor air [K], `share` is the part of the air that passes wet
    pads (0 to 1), and `pad_effectiveness` the share of the wet-bulb depression that the pads take up.
    """
    return dry_bulb_k - share * pad_effectiveness * max(dry_bulb_k - wet_bulb_k, 0.0)


@scalar
def pad_water_kg_s(air_w_k: float, dry_bulb_k: float, air_k: float) -> float:
    """Water that evaporates from the pads [kg/s] into a heat capacity flow of air [W/K]."""
    return air_w_k * max(dry_bulb_k - air_k, 0.0) / _EVAPORATION_J_KG


@scalar
def _behind_pads_k(
    p: FloatArray,
    most_w_k: float,
    supply_k: float,
    return_k: float,
    dry_k: float,
    wet_k: float,
    flow_frac: float,
) -> float:
    """Air behind the pads [K], which are wetted as far as the loop's heat needs it."""
    heat = p[Figure.FLOW_W_K] * flow_frac * max(return_k - supply_k, 0.0)
    span_k = p[Figure.PAD_FRAC] * max(dry_k - wet_k, 0.0)
    pads = pad_share(heat, most_w_k * p[Figure.WET_AT_FRAC], supply_k - dry_k, span_k)
    return pad_air_k(dry_k, wet_k, pads, p[Figure.PAD_FRAC])


@scalar
def adiabatic_limit(
    p: FloatArray,
    dry_k: float,
    wet_k: float,
    supply_k: float,
    return_k: float,
    flow_frac: float,
    flows: float,
    outdoor: float,
) -> tuple[float, float]:
    """The most conductance [W/K], and the sink: the air behind the pads [K]. Arguments as in `rejection_limit`."""
    most, _ = dry_limit(p, dry_k, wet_k, flow_frac, outdoor)
    most *= flows
    return most, _behind_pads_k(p, most, supply_k, return_k, dry_k, wet_k, flow_frac)


@scalar
def adiabatic_power(
    p: FloatArray,
    share: float,
    most_w_k: float,
    supply_k: float,
    return_k: float,
    dry_k: float,
    wet_k: float,
    flow_frac: float,
    outdoor: float,
) -> tuple[float, float]:
    """Fans [W] and water drawn [kg/s].

    `most_w_k` is what `adiabatic_limit` gave, `share` the conductance in force over it; the others as there.
    """
    fan, speed = dry_power(p, share, wet_k, flow_frac, outdoor)
    if share <= 0.0:
        return fan, 0.0
    air_k = _behind_pads_k(p, most_w_k, supply_k, return_k, dry_k, wet_k, flow_frac)
    evaporated = pad_water_kg_s(p[Figure.AIR_W_K] * outdoor * speed, dry_k, air_k)
    return fan, make_up_kg_s(evaporated, 0.0, p[Figure.CYCLES], 0.0)


def _head(column: FloatArray, unit: AdiabaticCooler, units: int, air_density_frac: float) -> None:
    air_figures(column, unit, units, air_density_frac)
    column[Figure.PAD_FRAC] = unit.pad_effectiveness
    column[Figure.WET_AT_FRAC] = unit.wet_at_load_frac
    column[Figure.CYCLES] = unit.cycles_of_concentration


def _sink_k(unit: AdiabaticCooler, dry_k: float | None, wet_k: float | None) -> float:
    dry_k = kelvin(unit.air_in_c) if dry_k is None else dry_k
    wet_k = kelvin(unit.wet_bulb_c) if wet_k is None else wet_k
    return pad_air_k(dry_k, wet_k, 1.0, unit.pad_effectiveness)


ADIABATIC_COOLER: Final = OutdoorUnits(dry_bare, _head, _sink_k, "outdoor air")
