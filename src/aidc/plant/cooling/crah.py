"""Air handlers of a hall: a coil between its air and the facility loop; fan power follows flow cubed.

UA follows from the design temperatures by ε-NTU, treated as counterflow (multi-row coils come near to it);
dry coil, no condensation. Three quarters of the resistance are taken to be on the air side (engineering
knowledge without a checked source).
"""

from __future__ import annotations

from typing import Final, NamedTuple

from aidc.jit import scalar
from aidc.plant.cooling.exchanger import film_conductance_w_k, supply_conductance_w_k, transfer_units
from aidc.schema.cooling import Crah

__all__ = ["CrahParams", "crah_conductance_w_k", "crah_params"]

_AIR_OVER_WATER: Final = 1.0 / 3.0  # conductance of the air's film over the water's


class CrahParams(NamedTuple):
    """One unit in SI: UA and heat capacity flows at rated flow [W/K], fan power [W]."""

    rated_heat_w: float
    ua_w_k: float
    air_w_k: float
    water_w_k: float
    film_exponent: float
    fan_w: float
    flow_min_frac: float


@scalar
def crah_conductance_w_k(air_frac: float, water_frac: float, params: CrahParams) -> float:
    """Conductance from supply air to facility supply [W/K] at fractions of both rated flows."""
    if air_frac <= 0.0 or water_frac <= 0.0:
        return 0.0
    ua_w_k = film_conductance_w_k(
        params.ua_w_k, _AIR_OVER_WATER, air_frac**params.film_exponent, water_frac**params.film_exponent
    )
    return supply_conductance_w_k(ua_w_k, params.air_w_k * air_frac, params.water_w_k * water_frac)


def crah_params(crah: Crah) -> CrahParams:
    """A unit's parameters from its design point (the shape has checked that the temperatures fit)."""
    heat_w = crah.rated_heat_kw * 1e3
    air_w_k = heat_w / (crah.air_return_c - crah.air_supply_c)
    water_w_k = heat_w / (crah.water_out_c - crah.water_in_c)
    least = min(air_w_k, water_w_k)
    effectiveness_frac = heat_w / (least * (crah.air_return_c - crah.water_in_c))
    units = transfer_units(effectiveness_frac, least / max(air_w_k, water_w_k))
    return CrahParams(
        heat_w,
        units * least,
        air_w_k,
        water_w_k,
        crah.film_exponent,
        crah.fan_kw * 1e3,
        crah.flow_min_frac,
    )
