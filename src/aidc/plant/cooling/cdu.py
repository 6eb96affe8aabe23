"""Coolant distribution units: a counterflow exchanger between rack loop and facility loop, and pumps.

UA follows from the design point (rated heat, both flows, approach) by ε-NTU. Off design both films follow
flow^0.8 (Dittus-Boelter; the exponent of a plate exchanger is 0.6 to 0.8), equal at design.
"""

from __future__ import annotations

from typing import NamedTuple

from aidc.errors import InputError, Problem
from aidc.jit import scalar
from aidc.plant.cooling.coolant import density_kg_m3, heat_capacity_j_kg_k
from aidc.plant.cooling.exchanger import film_conductance_w_k, supply_conductance_w_k, transfer_units
from aidc.schema.cooling import Cdu, CoolantName
from aidc.units import kelvin

__all__ = ["CduParams", "cdu_conductance_w_k", "cdu_params", "cdu_units", "secondary_flow_m3_s"]


class CduParams(NamedTuple):
    """One unit in SI: UA and heat capacity flows at rated flow [W/K], pump power [W]."""

    rated_heat_w: float
    ua_w_k: float
    secondary_w_k: float
    primary_w_k: float
    film_exponent: float
    pump_w: float
    pump_static_frac: float
    flow_min_frac: float


@scalar
def cdu_conductance_w_k(flow_frac_secondary: float, flow_frac_primary: float, params: CduParams) -> float:
    """Conductance from rack supply to facility supply [W/K] at fractions of both rated flows."""
    if flow_frac_secondary <= 0.0 or flow_frac_primary <= 0.0:
        return 0.0
    ua_w_k = film_conductance_w_k(
        params.ua_w_k,
        1.0,
        flow_frac_secondary**params.film_exponent,
        flow_frac_primary**params.film_exponent,
    )
    return supply_conductance_w_k(
        ua_w_k, params.secondary_w_k * flow_frac_secondary, params.primary_w_k * flow_frac_primary
    )


def cdu_params(cdu: Cdu, facility_coolant: CoolantName = "water") -> CduParams:
    """A unit's parameters from its design point.

    Raises
    ------
    InputError
        No exchanger has this approach at these flows.
    """
    supply_k = kelvin(cdu.facility_in_c + cdu.approach_k)
    cp = (cdu.secondary_cp_kj_per_kg_k or 0.0) * 1e3 or heat_capacity_j_kg_k(cdu.secondary_coolant, supply_k)
    secondary_w_k = cdu.secondary_flow_kg_s * cp
    primary_w_k = cdu.primary_flow_kg_s * heat_capacity_j_kg_k(facility_coolant, kelvin(cdu.facility_in_c))
    heat_w = cdu.rated_heat_kw * 1e3
    least = min(secondary_w_k, primary_w_k)
    effectiveness_frac = heat_w / (least * (cdu.approach_k + heat_w / secondary_w_k))
    if effectiveness_frac >= 1.0:
        raise InputError(
            Problem(
                "no exchanger has this approach at these flows",
                "Raise approach_k or the flows.",
                key="approach_k",
                value=cdu.approach_k,
            )
        )
    units = transfer_units(effectiveness_frac, least / max(secondary_w_k, primary_w_k))
    return CduParams(
        heat_w,
        units * least,
        secondary_w_k,
        primary_w_k,
        cdu.film_exponent,
        cdu.pump_kw * 1e3,
        cdu.pump_static_frac,
        cdu.flow_min_frac,
    )


def secondary_flow_m3_s(cdu: Cdu) -> float:
    """Volume flow of the rack loop at rated flow [m³/s]."""
    supply_k = kelvin(cdu.facility_in_c + cdu.approach_k)
    return cdu.secondary_flow_kg_s / density_kg_m3(cdu.secondary_coolant, supply_k)


def cdu_units(cdu: Cdu, heat_w: float, flow_m3_s: float) -> int:
    """How many units carry a design heat [W] and a coolant flow [m³/s], spares not counted."""
    by_heat = heat_w / (cdu.rated_heat_kw * 1e3)
    by_flow = flow_m3_s / secondary_flow_m3_s(cdu)
    return max(1, int(-(-max(by_heat, by_flow) // 1)))
