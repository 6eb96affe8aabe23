"""What a cooling plant can carry in a given weather, and what it draws doing so."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aidc.plant.cooling.rejection import rejection_limit, rejection_power
from aidc.plant.cooling.sizing import FacilityLoop, column_of
from aidc.schema.cooling import CoolingPlant
from aidc.units import kelvin

__all__ = ["Bulbs", "capacity_w", "design_weather", "plant_power_w", "reached_supply_k", "with_units"]

_DRY_ABOVE_WET_K = 10.0  # of the design weather of equipment that states only one of the two
_ANY_C = 15.0  # dry bulb for equipment whose rating names no weather: the standard atmosphere's
_HOTTEST_K = 60.0  # above the set point: what a plant without any capacity is said to reach at most


class Bulbs(NamedTuple):
    """Outdoor air: dry and wet bulb [K]."""

    dry_k: float
    wet_k: float


def design_weather(plant: CoolingPlant) -> Bulbs:
    """The weather that a plant is sized for: the site's, else that of the equipment's rating."""
    dry_c = _first(plant.design_dry_bulb_c, plant.rejection.rated_dry_bulb_c)
    wet_c = _first(plant.design_wet_bulb_c, plant.rejection.rated_wet_bulb_c)
    if dry_c is None:
        dry_c = _ANY_C if wet_c is None else wet_c + _DRY_ABOVE_WET_K
    if wet_c is None:
        wet_c = dry_c - _DRY_ABOVE_WET_K
    return Bulbs(kelvin(dry_c), kelvin(min(wet_c, dry_c)))


def _first(stated: float | None, rated: float | None) -> float | None:
    return rated if stated is None else stated


def capacity_w(loop: FacilityLoop, heat_w: float, weather: Bulbs, supply_k: float | None = None) -> float:
    """Heat that a plant can give to the weather at a supply temperature (default: its set point) [W].

    `heat_w` is what comes back from the racks, which sets the return temperature.

    `supply_k` is the temperature [K] at which the coolant is to leave the plant.
    """
    supply_k = loop.supply_k if supply_k is None else supply_k
    return_k = supply_k + heat_w / loop.flow_w_k
    most_w_k, sink_k = rejection_limit(*weather, supply_k, return_k, loop.rejection)
    return max(most_w_k * (supply_k - sink_k), 0.0)


def reached_supply_k(loop: FacilityLoop, heat_w: float, weather: Bulbs) -> float:
    """The supply temperature at which a plant carries a heat: its set point where that suffices [K]."""
    low, high = loop.supply_k, loop.supply_k + _HOTTEST_K
    if capacity_w(loop, heat_w, weather, low) >= heat_w:
        return low
    for _ in range(30):
        middle = 0.5 * (low + high)
        if capacity_w(loop, heat_w, weather, middle) < heat_w:
            low = middle
        else:
            high = middle
    return high


def plant_power_w(loop: FacilityLoop, heat_w: float, weather: Bulbs) -> float:
    """Electricity of facility pumps, outdoor fans and compressors at a steady heat [W]."""
    supply_k = reached_supply_k(loop, heat_w, weather)
    return_k = supply_k + heat_w / loop.flow_w_k
    most_w_k, sink_k = rejection_limit(*weather, supply_k, return_k, loop.rejection)
    span_k = max(supply_k - sink_k, 1e-3)
    wanted_w_k = min(heat_w / span_k, most_w_k)
    fan_w, compressor_w, *_ = rejection_power(
        wanted_w_k, most_w_k, supply_k, return_k, *weather, loop.rejection
    )
    return loop.pump_w + fan_w + compressor_w


def with_units(plant: CoolingPlant, loop: FacilityLoop, units: int) -> FacilityLoop:
    """The same loop with another number of outdoor units or chillers; none reject nothing."""
    if units < 1:
        nothing: NDArray[np.float64] = np.zeros_like(loop.rejection)
        return loop._replace(units=0, rejection=nothing)
    return loop._replace(
        units=units,
        rejection=column_of(plant.rejection, units, loop.flow_w_k, loop.supply_k, loop.air_density_frac),
    )
