"""Dry coolers: finned coils and fans, heat to air at dry bulb.

UA follows from the design point by ε-NTU. Off design its films follow flow^0.85 (liquid) and flow^0.8 (air),
their ratio at design is 0.5, heat capacity flows are equal at design: the defaults of Modelica Buildings
(Fluid.HeatExchangers.CoolingTowers.DryCooler, data record Generic). Counterflow; air density as at design.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from aidc.errors import InputError, Problem
from aidc.jit import scalar
from aidc.plant.cooling.column import Figure, FloatArray, fan_power_w, most_w_k, speed_frac
from aidc.plant.cooling.exchanger import film_conductance_w_k, supply_conductance_w_k, transfer_units
from aidc.plant.cooling.moist_air import CP_AIR_J_KG_K
from aidc.plant.cooling.outdoor import Bare, OutdoorUnits, liquid_w_k
from aidc.schema.cooling import AdiabaticCooler, DryCooler
from aidc.units import kelvin

__all__ = [
    "DRY_COOLER",
    "DryParams",
    "air_figures",
    "dry_bare",
    "dry_conductance_w_k",
    "dry_limit",
    "dry_params",
    "dry_power",
]


class DryParams(NamedTuple):
    """One unit in SI at design flows [W/K]."""

    rated_heat_w: float
    ua_w_k: float
    liquid_w_k: float
    air_w_k: float
    air_over_liquid_film: float
    liquid_exponent: float
    air_exponent: float


@scalar
def dry_conductance_w_k(liquid_frac: float, air_frac: float, params: DryParams) -> float:
    """Conductance from coolant supply to dry bulb [W/K] at fractions of both design flows."""
    if liquid_frac <= 0.0 or air_frac <= 0.0:
        return 0.0
    ua_w_k = film_conductance_w_k(
        params.ua_w_k,
        params.air_over_liquid_film,
        air_frac**params.air_exponent,
        liquid_frac**params.liquid_exponent,
    )
    return supply_conductance_w_k(ua_w_k, params.liquid_w_k * liquid_frac, params.air_w_k * air_frac)


def dry_params(unit: DryCooler | AdiabaticCooler) -> DryParams:
    """A unit's parameters from its design point.

    Raises
    ------
    InputError
        No exchanger cools the coolant so near to the air.
    """
    heat_w = unit.rated_heat_mw * 1e6
    liquid_w_k = heat_w / (unit.coolant_in_c - unit.coolant_out_c)
    air_w_k = liquid_w_k * unit.air_over_liquid_capacity
    least = min(liquid_w_k, air_w_k)
    effectiveness_frac = heat_w / (least * (unit.coolant_in_c - unit.air_in_c))
    if effectiveness_frac >= 1.0:
        raise InputError(
            Problem(
                "no exchanger cools the coolant so near to the air at these flows",
                "Raise coolant_out_c or air_over_liquid_capacity.",
                key="coolant_out_c",
                value=unit.coolant_out_c,
            )
        )
    units = transfer_units(effectiveness_frac, least / max(liquid_w_k, air_w_k))
    return DryParams(
        heat_w,
        units * least,
        liquid_w_k,
        air_w_k,
        unit.air_over_liquid_film,
        unit.liquid_exponent,
        unit.air_exponent,
    )


@scalar
def dry_limit(
    p: FloatArray, dry_k: float, wet_k: float, flow_frac: float, outdoor: float
) -> tuple[float, float]:
    """The most conductance of dry coolers [W/K], and their sink: dry bulb [K]. Arguments as in `rejection_limit`."""
    return outdoor * most_w_k(p, flow_frac / max(outdoor, 1e-3), wet_k, 10.0), dry_k


@scalar
def dry_power(
    p: FloatArray, share: float, wet_k: float, flow_frac: float, outdoor: float
) -> tuple[float, float]:
    """Fans [W], and their speed (0 to 1), for a `share` of the most conductance; the others as in `rejection_limit`."""
    speed = speed_frac(p, flow_frac / max(outdoor, 1e-3), wet_k, share)
    return outdoor * fan_power_w(p, speed), speed


def dry_bare(unit: DryCooler | AdiabaticCooler) -> Bare:
    """Conductance of one unit's coils, whatever the wet bulb."""
    params = dry_params(unit)

    def bare(liquid_frac: float, air_frac: float, wet_k: float, span_k: float) -> float:
        del wet_k, span_k
        return dry_conductance_w_k(liquid_frac, air_frac, params)

    return bare


def air_figures(
    column: FloatArray, unit: DryCooler | AdiabaticCooler, units: int, air_density_frac: float
) -> None:
    """Air through the coils, in the head of a column."""
    column[Figure.AIR_W_K] = units * liquid_w_k(unit) * unit.air_over_liquid_capacity * air_density_frac
    column[Figure.AIR_KG_S] = column[Figure.AIR_W_K] / CP_AIR_J_KG_K


def _sink_k(unit: DryCooler, dry_k: float | None, wet_k: float | None) -> float:
    del wet_k
    return kelvin(unit.air_in_c) if dry_k is None else dry_k


DRY_COOLER: Final = OutdoorUnits(dry_bare, air_figures, _sink_k, "outdoor air")
