"""Plants of chillers behind an economiser that shares their outdoor units: the laws of `chiller` and `chiller_map` at work.

The outdoor units carry the heat and the chillers' electricity. Behind what the economiser takes, chillers lift the rest;
what they draw follows a fraction of Carnot or a maker's map (`Figure.MAP`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np

from aidc.jit import inner, scalar
from aidc.plant.cooling.chiller import lifted_w, part_load_work
from aidc.plant.cooling.chiller_map import fill_map, map_capacity_frac, map_power_frac
from aidc.plant.cooling.column import (
    COLUMN,
    Figure,
    FloatArray,
    design_most_w_k,
    design_speed_frac,
    fan_power_w,
)
from aidc.plant.cooling.dry_cooler import DRY_COOLER
from aidc.plant.cooling.outdoor import Design, OutdoorUnits, Placed, liquid_w_k, units_for
from aidc.plant.cooling.tower import COOLING_TOWER, evaporated_kg_s, make_up_kg_s
from aidc.schema.cooling import ChillerEconomiser
from aidc.units import kelvin

__all__ = [
    "CHILLER_ECONOMISER",
    "ChillerPlant",
    "chiller_limit",
    "chiller_power",
    "condenser_inlet_k",
    "entering_k",
]

_HOT_K: Final = (
    333.15  # water or air from outdoors at which a chiller's high pressure stops it; no checked source
)
_VIRTUAL_BELOW_K: Final = 10.0
_ROUNDS: Final = 4  # of the fixed point between a map's capacity and the water that it warms
_BEHIND: Final[Mapping[str, OutdoorUnits]] = {"dry-cooler": DRY_COOLER, "cooling-tower": COOLING_TOWER}


@scalar
def entering_k(p: FloatArray, sink_k: float, outdoors_w: float, k_per_w: float) -> float:
    """What enters the condenser [K]: outdoor air, or water that the outdoor units leave above their sink.

    `outdoors_w` is what they give to the weather [W], `k_per_w` 1 / their conductance.

    `p` is the plant's column, `sink_k` the temperature of the weather that its outdoor units see [K].
    """
    return sink_k + p[Figure.MAP_BY_WATER] * outdoors_w * k_per_w


@scalar
def _carried_w(
    p: FloatArray,
    chiller_w: float,
    most: float,
    above_k: float,
    sink_k: float,
    rise_k: float,
    flow_frac: float,
) -> tuple[float, float]:
    """The most heat that goes through [W], chillers of this capacity being there, and how much of it they lift [W]."""
    outdoors = 1.0 / (1.0 + p[Figure.WORK_FRAC])
    flow_w_k = max(p[Figure.FLOW_W_K] * flow_frac, 1.0)
    # behind what the economiser takes, chillers at their limit cool the return by so much more, if it is so warm
    lifted_k = min(chiller_w / flow_w_k, rise_k)
    both = most * (above_k + lifted_k) * outdoors if lifted_k > 0.0 else 0.0
    condensed = most * (_HOT_K - sink_k) * outdoors
    return max(most * above_k, min(max(both, chiller_w), condensed), 0.0), lifted_k * flow_w_k


@scalar
def chiller_limit(
    p: FloatArray,
    dry_k: float,
    wet_k: float,
    supply_k: float,
    return_k: float,
    flow_frac: float,
    flows: float,
    outdoor: float,
    chillers: float,
) -> tuple[float, float]:
    """The most conductance [W/K], and a sink below the set point that it counts against [K]; see `rejection_limit`.

    Arguments as in `rejection_limit`.
    """
    sink = wet_k if p[Figure.WET] > 0.0 else dry_k
    above_k = supply_k - p[Figure.ECONOMISER_K] - sink
    most = outdoor * design_most_w_k(p, wet_k)
    rated_w = p[Figure.CHILLER_W] * chillers
    rise_k = max(return_k - supply_k, 0.0)
    heat_w, lifted = _carried_w(p, rated_w, most, above_k, sink, rise_k, flow_frac)
    if p[Figure.MAP] > 0.0:
        for _ in range(_ROUNDS):
            warmed = heat_w + p[Figure.WORK_FRAC] * min(heat_w, lifted)
            chiller_w = rated_w * map_capacity_frac(
                p, supply_k, entering_k(p, sink, warmed, 1.0 / max(most, 1.0))
            )
            heat_w, lifted = _carried_w(p, chiller_w, most, above_k, sink, rise_k, flow_frac)
    virtual_k = p[Figure.VIRTUAL_K]
    return flows * heat_w / max(supply_k - virtual_k, 1.0), virtual_k


class Bank(NamedTuple):
    """Chillers in service, at the present temperatures; hoisted out of the search for a fan speed."""

    flow_w_k: float
    supply_k: float
    sink_k: float
    above_k: float  # supply less the economiser's approach and the sink
    lift_k: float  # condensation less evaporation, where the outdoor water is at the sink
    lift_min_k: float
    per_k: float  # electricity per cooling and K of lift, at full load [1/K]
    rated_w: float
    per_rated_w: float
    least: float  # load below which no machine runs …
    per_least: float  # … and 1 / that
    part_0: float
    part_1: float
    part_2: float
    pump_w_w: float  # condenser pumps, per cooling
    work_frac: float  # electricity over cooling, for the heat that the outdoor units carry


@inner
def _map_w(p: FloatArray, bank: Bank, outdoors_w: float, k_per_w: float, cooled_w: float) -> float:
    """Electricity of chillers with a map for `cooled_w` [W]; called, so that a search without one stays short."""
    into_k = entering_k(p, bank.sink_k, outdoors_w, k_per_w)
    most = bank.rated_w * map_capacity_frac(p, bank.supply_k, into_k)
    return most * map_power_frac(p, bank.supply_k, into_k, cooled_w / most)


@scalar
def _at_share(heat_w: float, k_per_w: float, bank: Bank, p: FloatArray) -> tuple[float, float]:
    """Heat of the chillers, and the electricity for it [W], where the outdoor water warms by `k_per_w` [K/W]."""
    first = lifted_w(heat_w, heat_w * k_per_w - bank.above_k, bank.flow_w_k)
    outdoors_w = heat_w + bank.work_frac * first
    warmed_k = outdoors_w * k_per_w
    lifted = lifted_w(heat_w, warmed_k - bank.above_k, bank.flow_w_k)
    if p[Figure.MAP] > 0.0:
        return lifted, _map_w(p, bank, outdoors_w, k_per_w, lifted) + bank.pump_w_w * lifted
    per_cooling = max(bank.lift_k + warmed_k, bank.lift_min_k) * bank.per_k
    load = lifted * bank.per_rated_w
    work = bank.rated_w * part_load_work(
        load, bank.part_0, bank.part_1, bank.part_2, bank.least, bank.per_least
    )
    return lifted, work * per_cooling + bank.pump_w_w * lifted


@scalar
def _bank(
    above_k: float, supply_k: float, sink_k: float, flow_w_k: float, chiller_w: float, p: FloatArray
) -> Bank:
    evaporating_k = supply_k - p[Figure.EVAPORATOR_K]
    rated_w = max(chiller_w, 1.0)
    per_least = max(rated_w * p[Figure.PER_MACHINE_W], 1.0)
    return Bank(
        flow_w_k,
        supply_k,
        sink_k,
        above_k,
        sink_k + p[Figure.CONDENSER_K] - evaporating_k,
        p[Figure.LIFT_MIN_K],
        1.0 / (max(p[Figure.CARNOT_FRAC], 1e-6) * evaporating_k),
        rated_w,
        1.0 / rated_w,
        1.0 / per_least,
        per_least,
        p[Figure.PART_0],
        p[Figure.PART_1],
        p[Figure.PART_2],
        p[Figure.CONDENSER_PUMP_W_W],
        p[Figure.WORK_FRAC],
    )


@scalar
def chiller_power(
    p: FloatArray,
    heat_w: float,
    supply_k: float,
    dry_k: float,
    wet_k: float,
    flow_frac: float,
    outdoor: float,
    chillers: float,
) -> tuple[float, float, float, float]:
    """Fans, compressors, water and the chillers' share of the heat, for a heat [W]; the others as in `rejection_limit`.

    Where the economiser carries the heat with fans at full speed or below, it does so alone and the compressors
    rest. Elsewhere, of three fan speeds (full, as little as the load needs, and the middle) the one that draws
    least is taken. Where that is less than fans alone at full speed, the plant would draw more on a slightly
    colder day; it then shares its time between that speed and full speed, such that both draw the same.

    `heat_w` is what the loop gives away. Other arguments as in `rejection_limit`.
    """
    if heat_w <= 0.0:
        return 0.0, 0.0, 0.0, 0.0
    sink_k = wet_k if p[Figure.WET] > 0.0 else dry_k
    above_k = supply_k - p[Figure.ECONOMISER_K] - sink_k
    most = outdoor * design_most_w_k(p, wet_k)
    free_w = most * above_k
    compressor_w = lifted = 0.0
    if free_w >= heat_w * (1.0 - 1e-9):
        speed = design_speed_frac(p, wet_k, min(heat_w / free_w, 1.0))
        fan_w = outdoor * fan_power_w(p, speed)
    else:
        flow_w_k = max(p[Figure.FLOW_W_K] * flow_frac, 1.0)
        bank = _bank(above_k, supply_k, sink_k, flow_w_k, p[Figure.CHILLER_W] * chillers, p)
        k_per_w = 1.0 / max(most, 1.0)
        speed = 1.0
        alone_w = fan_w = outdoor * fan_power_w(p, 1.0)
        full_lifted, full_w = _at_share(heat_w, k_per_w, bank, p)
        lifted, compressor_w = full_lifted, full_w
        low = max(min(heat_w * bank.per_rated_w, 1.0), 0.2)
        for step in range(2):
            share = low + (1.0 - low) * 0.5 * step
            to_chillers, work = _at_share(heat_w, k_per_w / share, bank, p)
            at_speed = design_speed_frac(p, wet_k, share)
            fans = outdoor * fan_power_w(p, at_speed)
            if fans + work < fan_w + compressor_w:
                speed, fan_w, compressor_w, lifted = at_speed, fans, work, to_chillers
        gap_w = alone_w - fan_w - compressor_w
        if gap_w > 0.0:
            mix = gap_w / (gap_w + full_w)
            speed += mix * (1.0 - speed)
            fan_w += mix * (alone_w - fan_w)
            compressor_w += mix * (full_w - compressor_w)
            lifted += mix * (full_lifted - lifted)
    water = 0.0
    if p[Figure.WET] > 0.0:
        evaporated = evaporated_kg_s(
            heat_w + compressor_w, p[Figure.AIR_KG_S] * outdoor * speed, dry_k, wet_k
        )
        water = make_up_kg_s(evaporated, p[Figure.WATER_KG_S], p[Figure.CYCLES], p[Figure.DRIFT_FRAC])
    return fan_w, compressor_w, water, lifted / heat_w


@scalar
def condenser_inlet_k(p: FloatArray, heat_w: float, supply_k: float, dry_k: float, wet_k: float) -> float:
    """What enters the condensers of a plant with a map at a heat, fans at full speed [K]; NaN where none need run.

    `p` is the plant's column, `heat_w` what the loop gives away [W], `supply_k` the coolant's supply; `dry_k` and
    `wet_k` are the outdoor air's.
    """
    wet_k = max(wet_k, p[Figure.WET_LEAST_K])
    sink_k = wet_k if p[Figure.WET] > 0.0 else dry_k
    most = max(design_most_w_k(p, wet_k), 1.0)
    if most * (supply_k - p[Figure.ECONOMISER_K] - sink_k) >= heat_w:
        return np.nan
    return entering_k(p, sink_k, (1.0 + p[Figure.WORK_FRAC]) * heat_w, 1.0 / most)


class ChillerPlant(NamedTuple):
    """Chillers with the outdoor units behind them, by the outdoor units' kinds."""

    behind: Mapping[str, OutdoorUnits]

    def figures(self, column: FloatArray, rejection: ChillerEconomiser, at: Placed) -> None:
        """Write the chillers' figures, then those of the outdoor units, which have a circuit of their own."""
        _head(column, rejection, at.units, at.supply_k)
        unit, units = rejection.outdoor, self.outdoor_units(rejection, at.units)
        loop_w_k = units * liquid_w_k(unit)  # at design flow
        self.behind[unit.kind].figures(
            column, unit, Placed(units, loop_w_k, at.supply_k, at.air_density_frac)
        )

    def units(self, rejection: ChillerEconomiser, design: Design) -> int:
        """As many machines as carry the design heat; one with a map gives what that says in the design weather."""
        each_w = rejection.rated_heat_mw * 1e6
        if rejection.performance is not None:
            each_w *= self._design_frac(rejection, design)
        return units_for(design.heat_w, each_w)

    def outdoor_units(self, rejection: ChillerEconomiser, units: int) -> int:
        """Outdoor units that carry the chillers' heat and work at full load."""
        carried_mw = units * (1.0 + rejection.work_frac) * rejection.rated_heat_mw
        return max(1, math.ceil(carried_mw / rejection.outdoor.rated_heat_mw))

    def _design_frac(self, rejection: ChillerEconomiser, design: Design) -> float:
        """Capacity over that of the rating, where the outdoor units stand as far above the weather as at their rating."""
        unit = rejection.outdoor
        kind = self.behind[unit.kind]
        above_k = kelvin(unit.coolant_out_c) - kind.sink_k(unit, None, None)
        sink_k = kind.sink_k(unit, design.dry_bulb_k, design.wet_bulb_k)
        column = np.zeros(COLUMN)
        _head(column, rejection, 1, design.supply_k)
        return map_capacity_frac(column, design.supply_k, entering_k(column, sink_k, above_k, 1.0))


def _head(column: FloatArray, chiller: ChillerEconomiser, units: int, supply_k: float) -> None:
    column[Figure.CHILLER_W] = units * chiller.rated_heat_mw * 1e6
    column[Figure.PER_MACHINE_W] = 1.0 / (chiller.part_load_min_frac * chiller.rated_heat_mw * 1e6)
    column[Figure.ECONOMISER_K] = chiller.economiser_approach_k
    column[Figure.LIFT_MIN_K] = chiller.lift_min_k
    column[Figure.CONDENSER_PUMP_W_W] = chiller.condenser_pump_kw * 1e3 / (chiller.rated_heat_mw * 1e6)
    column[Figure.VIRTUAL_K] = supply_k - _VIRTUAL_BELOW_K
    column[Figure.WORK_FRAC] = chiller.work_frac
    if chiller.performance is not None:
        fill_map(column, chiller.performance, chiller.part_load_min_frac)
        return
    column[Figure.CARNOT_FRAC] = chiller.carnot_frac
    column[Figure.PART_0 : Figure.PART_2 + 1] = chiller.part_load
    column[Figure.EVAPORATOR_K] = chiller.evaporator_pinch_k
    column[Figure.CONDENSER_K] = chiller.condenser_pinch_k


CHILLER_ECONOMISER: Final = ChillerPlant(_BEHIND)
