"""The common face of heat rejection: how much a plant can give to the weather, and what that costs.

`rejection_column` turns a kind of equipment, a number of units and the facility loop's flow into a column of
figures and tables; the engine calls `rejection_limit` and `rejection_power` with that column in every step.
A conductance G and a sink T_sink come out, so that the heat is G (T_supply − T_sink) and a backward-Euler step of
the loop is stable at any length.

With `outdoor` of the outdoor units in service the loop's flow goes through fewer of them, each of which then has
more (up to what the tables hold: full flow); with `chillers` of the machines the bank carries that much less. Below a
tenth of full flow the conductance falls to nothing with the flow.

To add a kind: a shape in `schema/cooling.py`, its physics in a file beside this one, a number in `KINDS`, a branch
in each of the two functions, and its figures in `plant/cooling/rejection_build.py`.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aidc.jit import scalar
from aidc.plant.cooling.adiabatic import pad_air_k, pad_share, pad_water_kg_s
from aidc.plant.cooling.chiller import lifted_w, part_load_work
from aidc.plant.cooling.tower import evaporated_kg_s, make_up_kg_s

__all__ = [
    "KINDS",
    "TABLE",
    "Figure",
    "most_index",
    "reject",
    "rejection_limit",
    "rejection_power",
    "speed_index",
]

FloatArray = NDArray[np.float64]

KINDS: Final = {"dry-cooler": 0, "adiabatic-cooler": 1, "cooling-tower": 2, "chiller-economiser": 3}
_DRY: Final = 0
_ADIABATIC: Final = 1
_TOWER: Final = 2

FLOWS: Final = 7  # grid of the tables: liquid flow fraction …
WETS: Final = 17  # … wet bulb …
SPANS: Final = 16  # … return above wet bulb …
SHARES: Final = 25  # … and share of the most that is possible
FLOW_LOW: Final = 0.1
WET_LOW_K: Final = 270.15
WET_STEP_K: Final = 2.25
SPAN_LOW_K: Final = 2.0
SPAN_STEP_K: Final = 4.0
_LEAST_K: Final = 0.05
_HOT_K: Final = (
    333.15  # water or air from outdoors at which a chiller's high pressure stops it; no checked source
)
_WORK: Final = 0.2  # of the heat: work of chillers of COP 5, which the outdoor units carry too


class Figure(IntEnum):
    """The head of a column; the tables follow."""

    KIND = 0
    FAN_W = 1  # all units, full speed
    FLOW_W_K = 2  # facility loop at full flow
    WET = 3  # 1: the outdoor units' sink is the wet bulb
    AIR_W_K = 4  # heat capacity flow of dry air at full speed, all units
    AIR_KG_S = 5
    WATER_KG_S = 6  # circulating over towers
    PAD_FRAC = 7
    WET_AT_FRAC = 8
    CYCLES = 9
    DRIFT_FRAC = 10
    CHILLER_W = 11
    CARNOT_FRAC = 12
    PART_0 = 13
    PART_1 = 14
    PART_2 = 15
    PER_MACHINE_W = 16  # 1 / the cooling below which no machine runs [1/W]
    EVAPORATOR_K = 17
    CONDENSER_K = 18
    ECONOMISER_K = 19
    LIFT_MIN_K = 20
    VIRTUAL_K = 21  # sink against which a chiller's conductance counts
    CONDENSER_PUMP_W_W = 22  # condenser pumps, per cooling
    DESIGN_SPAN_K = 23  # water returning to the outdoor units above their sink, at rated heat
    WET_LEAST_K = 24  # wet bulb below which a tower gains no more; see `tower`


TABLE: Final = len(Figure)
_SPEED: Final = TABLE + FLOWS * WETS * SPANS
COLUMN: Final = _SPEED + FLOWS * WETS * SHARES


def most_index(flow: int, wet: int, span: int) -> int:
    """Where the most conductance of a grid point stands in a column."""
    return TABLE + (flow * WETS + wet) * SPANS + span


def speed_index(flow: int, wet: int, share: int) -> int:
    """Where the fan speed of a grid point stands in a column."""
    return _SPEED + (flow * WETS + wet) * SHARES + share


@scalar
def _read(p: FloatArray, start: int, depth: int, flow: float, wet: float, third: float) -> float:
    """Trilinear reading of a table at places on its grid; clamped to its ends."""
    x = min(max(flow, 0.0), FLOWS - 1.0)
    y = min(max(wet, 0.0), WETS - 1.0)
    z = min(max(third, 0.0), depth - 1.0)
    i, j, k = min(int(x), FLOWS - 2), min(int(y), WETS - 2), min(int(z), depth - 2)
    x, y, z = x - i, y - j, z - k
    at = start + (i * WETS + j) * depth + k
    right, up = WETS * depth, depth
    near = (p[at] * (1.0 - z) + p[at + 1] * z) * (1.0 - y) + (p[at + up] * (1.0 - z) + p[at + up + 1] * z) * y
    at += right
    far = (p[at] * (1.0 - z) + p[at + 1] * z) * (1.0 - y) + (p[at + up] * (1.0 - z) + p[at + up + 1] * z) * y
    return near * (1.0 - x) + far * x


@scalar
def _read_full_flow(p: FloatArray, start: int, depth: int, wet: float, third: float) -> float:
    """Bilinear reading of a table at full flow, its last plane: what `_read` gives there, at half the cost."""
    y = min(max(wet, 0.0), WETS - 1.0)
    z = min(max(third, 0.0), depth - 1.0)
    j, k = min(int(y), WETS - 2), min(int(z), depth - 2)
    y, z = y - j, z - k
    at = start + ((FLOWS - 1) * WETS + j) * depth + k
    up = at + depth
    return (p[at] * (1.0 - z) + p[at + 1] * z) * (1.0 - y) + (p[up] * (1.0 - z) + p[up + 1] * z) * y


@scalar
def _most_w_k(p: FloatArray, flow_frac: float, wet_k: float, span_k: float) -> float:
    """Conductance of the outdoor units with fans at full speed [W/K]."""
    return _read(
        p,
        TABLE,
        SPANS,
        (flow_frac - FLOW_LOW) * ((FLOWS - 1) / (1.0 - FLOW_LOW)),
        (wet_k - WET_LOW_K) * (1.0 / WET_STEP_K),
        (span_k - SPAN_LOW_K) * (1.0 / SPAN_STEP_K),
    )


@scalar
def _speed_frac(p: FloatArray, flow_frac: float, wet_k: float, share: float) -> float:
    """Fan speed that gives a share of the most conductance."""
    return _read(
        p,
        _SPEED,
        SHARES,
        (flow_frac - FLOW_LOW) * ((FLOWS - 1) / (1.0 - FLOW_LOW)),
        (wet_k - WET_LOW_K) * (1.0 / WET_STEP_K),
        share * (SHARES - 1.0),
    )


@scalar
def _design_most_w_k(p: FloatArray, wet_k: float) -> float:
    """Conductance of a chiller's outdoor units with fans at full speed, at its design span [W/K]."""
    span = (p[Figure.DESIGN_SPAN_K] - SPAN_LOW_K) * (1.0 / SPAN_STEP_K)
    return _read_full_flow(p, TABLE, SPANS, (wet_k - WET_LOW_K) * (1.0 / WET_STEP_K), span)


@scalar
def _design_speed_frac(p: FloatArray, wet_k: float, share: float) -> float:
    """Fan speed of a chiller's outdoor units that gives a share of the most conductance."""
    return _read_full_flow(
        p, _SPEED, SHARES, (wet_k - WET_LOW_K) * (1.0 / WET_STEP_K), share * (SHARES - 1.0)
    )


@scalar
def _fan_w(p: FloatArray, speed: float) -> float:
    return p[Figure.FAN_W] * speed * speed * speed


@scalar
def rejection_limit(
    dry_k: float,
    wet_k: float,
    supply_k: float,
    return_k: float,
    p: FloatArray,
    flow_frac: float = 1.0,
    outdoor: float = 1.0,
    chillers: float = 1.0,
) -> tuple[float, float]:
    """The most conductance [W/K] of a plant, and the sink that it counts against [K].

    Parameters
    ----------
    dry_k, wet_k
        Outdoor dry and wet bulb [K].
    supply_k, return_k
        Facility water to and from the racks [K].
    p
        Column of `rejection_column`.
    flow_frac
        Flow of the facility loop over full flow.
    outdoor, chillers
        Shares of the outdoor units and of the chillers that are in service.
    """
    kind = int(p[Figure.KIND])
    flows = min(flow_frac * (1.0 / FLOW_LOW), 1.0)
    wet_k = max(wet_k, p[Figure.WET_LEAST_K])
    if kind > _TOWER:
        sink = wet_k if p[Figure.WET] > 0.0 else dry_k
        above_k = supply_k - p[Figure.ECONOMISER_K] - sink
        most = outdoor * _design_most_w_k(p, wet_k)
        chiller_w = p[Figure.CHILLER_W] * chillers
        # behind what the economiser takes, chillers at their limit cool the return by so much more, if it is so warm
        lifted_k = min(chiller_w / max(p[Figure.FLOW_W_K] * flow_frac, 1.0), max(return_k - supply_k, 0.0))
        both = most * (above_k + lifted_k) * (1.0 / (1.0 + _WORK)) if lifted_k > 0.0 else 0.0
        condensed = most * (_HOT_K - sink) * (1.0 / (1.0 + _WORK))
        virtual_k = p[Figure.VIRTUAL_K]
        heat_w = max(most * above_k, min(max(both, chiller_w), condensed), 0.0)
        return flows * heat_w / max(supply_k - virtual_k, 1.0), virtual_k
    share = flow_frac / max(outdoor, 1e-3)
    if kind == _DRY:
        return flows * outdoor * _most_w_k(p, share, wet_k, 10.0), dry_k
    if kind == _TOWER:
        return flows * outdoor * _most_w_k(p, share, wet_k, return_k - wet_k), wet_k
    most = flows * outdoor * _most_w_k(p, share, wet_k, 10.0)
    heat = p[Figure.FLOW_W_K] * flow_frac * max(return_k - supply_k, 0.0)
    span_k = p[Figure.PAD_FRAC] * max(dry_k - wet_k, 0.0)
    pads = pad_share(heat, most * p[Figure.WET_AT_FRAC], supply_k - dry_k, span_k)
    return most, pad_air_k(dry_k, wet_k, pads, p[Figure.PAD_FRAC])


@scalar
def rejection_power(
    conductance_w_k: float,
    most_w_k: float,
    supply_k: float,
    return_k: float,
    dry_k: float,
    wet_k: float,
    p: FloatArray,
    flow_frac: float = 1.0,
    outdoor: float = 1.0,
    chillers: float = 1.0,
) -> tuple[float, float, float, float]:
    """What a conductance costs: fans [W], compressors [W], water drawn [kg/s], and the chillers' share of the heat.

    The first six arguments as given to and returned by `rejection_limit`, with the conductance in force
    (at most `most_w_k`).
    """
    kind = int(p[Figure.KIND])
    share = min(conductance_w_k / most_w_k, 1.0) if most_w_k > 0.0 else 0.0
    wet_k = max(wet_k, p[Figure.WET_LEAST_K])
    if kind > _TOWER:
        heat = max(conductance_w_k * (supply_k - p[Figure.VIRTUAL_K]), 0.0)
        return _chiller_power(heat, supply_k, dry_k, wet_k, p, flow_frac, outdoor, chillers)
    speed = _speed_frac(p, flow_frac / max(outdoor, 1e-3), wet_k, share)
    fan = outdoor * _fan_w(p, speed)
    if kind == _DRY or share <= 0.0:
        return fan, 0.0, 0.0, 0.0
    if kind == _TOWER:
        heat = conductance_w_k * max(supply_k - wet_k, 0.0)
        evaporated = evaporated_kg_s(heat, p[Figure.AIR_KG_S] * outdoor * speed, dry_k, wet_k)
        circulating = p[Figure.WATER_KG_S] * flow_frac
        return fan, 0.0, make_up_kg_s(evaporated, circulating, p[Figure.CYCLES], p[Figure.DRIFT_FRAC]), 0.0
    heat = p[Figure.FLOW_W_K] * flow_frac * max(return_k - supply_k, 0.0)
    span_k = p[Figure.PAD_FRAC] * max(dry_k - wet_k, 0.0)
    pads = pad_share(heat, most_w_k * p[Figure.WET_AT_FRAC], supply_k - dry_k, span_k)
    air_k = pad_air_k(dry_k, wet_k, pads, p[Figure.PAD_FRAC])
    evaporated = pad_water_kg_s(p[Figure.AIR_W_K] * outdoor * speed, dry_k, air_k)
    return fan, 0.0, make_up_kg_s(evaporated, 0.0, p[Figure.CYCLES], 0.0), 0.0


class Bank(NamedTuple):
    """Chillers in service, at the present temperatures; hoisted out of the search for a fan speed."""

    flow_w_k: float
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


@scalar
def _at_share(heat_w: float, k_per_w: float, bank: Bank) -> tuple[float, float]:
    """Heat of the chillers, and the electricity for it [W], where the outdoor water warms by `k_per_w` [K/W]."""
    first = lifted_w(heat_w, heat_w * k_per_w - bank.above_k, bank.flow_w_k)
    warmed_k = (heat_w + _WORK * first) * k_per_w
    lifted = lifted_w(heat_w, warmed_k - bank.above_k, bank.flow_w_k)
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
        above_k,
        sink_k + p[Figure.CONDENSER_K] - evaporating_k,
        p[Figure.LIFT_MIN_K],
        1.0 / (p[Figure.CARNOT_FRAC] * evaporating_k),
        rated_w,
        1.0 / rated_w,
        1.0 / per_least,
        per_least,
        p[Figure.PART_0],
        p[Figure.PART_1],
        p[Figure.PART_2],
        p[Figure.CONDENSER_PUMP_W_W],
    )


@scalar
def _chiller_power(
    heat_w: float,
    supply_k: float,
    dry_k: float,
    wet_k: float,
    p: FloatArray,
    flow_frac: float,
    outdoor: float,
    chillers: float,
) -> tuple[float, float, float, float]:
    """Fans, compressors, water and the chillers' share of the heat, for a heat [W]; see `chiller`.

    Where the economiser carries the heat with fans at full speed or below, it does so alone and the compressors
    rest. Elsewhere, of three fan speeds (full, as little as the load needs, and the middle) the one that draws
    least is taken. Where that is less than fans alone at full speed, the plant would draw more on a slightly
    colder day; it then shares its time between that speed and full speed, such that both draw the same.
    """
    if heat_w <= 0.0:
        return 0.0, 0.0, 0.0, 0.0
    sink_k = wet_k if p[Figure.WET] > 0.0 else dry_k
    above_k = supply_k - p[Figure.ECONOMISER_K] - sink_k
    most = outdoor * _design_most_w_k(p, wet_k)
    free_w = most * above_k
    compressor_w = lifted = 0.0
    if free_w >= heat_w * (1.0 - 1e-9):
        speed = _design_speed_frac(p, wet_k, min(heat_w / free_w, 1.0))
        fan_w = outdoor * _fan_w(p, speed)
    else:
        flow_w_k = max(p[Figure.FLOW_W_K] * flow_frac, 1.0)
        bank = _bank(above_k, supply_k, sink_k, flow_w_k, p[Figure.CHILLER_W] * chillers, p)
        k_per_w = 1.0 / max(most, 1.0)
        speed = 1.0
        alone_w = fan_w = outdoor * _fan_w(p, 1.0)
        full_lifted, full_w = _at_share(heat_w, k_per_w, bank)
        lifted, compressor_w = full_lifted, full_w
        low = max(min(heat_w * bank.per_rated_w, 1.0), 0.2)
        for step in range(2):
            share = low + (1.0 - low) * 0.5 * step
            to_chillers, work = _at_share(heat_w, k_per_w / share, bank)
            at_speed = _design_speed_frac(p, wet_k, share)
            fans = outdoor * _fan_w(p, at_speed)
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
def reject(
    heat_command_w: float,
    supply_k: float,
    return_k: float,
    dry_k: float,
    wet_k: float,
    p: FloatArray,
    flow_frac: float = 1.0,
    outdoor: float = 1.0,
    chillers: float = 1.0,
) -> tuple[float, float, float, float]:
    """Heat rejected [W] (0 up to what is possible), fans [W], compressors [W], water [kg/s].

    The steady face of `rejection_limit` and `rejection_power`, for sizing and tests.
    """
    most, sink_k = rejection_limit(dry_k, wet_k, supply_k, return_k, p, flow_frac, outdoor, chillers)
    span_k = supply_k - sink_k
    if span_k <= _LEAST_K or heat_command_w <= 0.0:
        return 0.0, 0.0, 0.0, 0.0
    conductance = min(heat_command_w / span_k, most)
    fan, compressor, water, _ = rejection_power(
        conductance, most, supply_k, return_k, dry_k, wet_k, p, flow_frac, outdoor, chillers
    )
    return conductance * span_k, fan, compressor, water
