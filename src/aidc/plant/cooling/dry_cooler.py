"""Dry coolers: finned coils and fans, heat to air at dry bulb.

UA follows from the design point by ε-NTU. Off design its films follow flow^0.85 (liquid) and flow^0.8 (air),
their ratio at design is 0.5, heat capacity flows are equal at design: the defaults of Modelica Buildings
(Fluid.HeatExchangers.CoolingTowers.DryCooler, data record Generic). Counterflow; air density as at design.
"""

from __future__ import annotations

from typing import NamedTuple

from aidc.errors import InputError, Problem
from aidc.jit import scalar
from aidc.plant.cooling.exchanger import film_conductance_w_k, supply_conductance_w_k, transfer_units
from aidc.schema.cooling import AdiabaticCooler, DryCooler

__all__ = ["DryParams", "dry_conductance_w_k", "dry_params"]


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
