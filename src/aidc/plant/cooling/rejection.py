"""The common face of heat rejection: how much a plant can give to the weather, and what that costs.

`rejection_column` turns a kind of equipment, a number of units and the facility loop's flow into a column of
figures and tables; the engine calls `rejection_limit` and `rejection_power` with that column in every step.
A conductance G and a sink T_sink come out, so that the heat is G (T_supply − T_sink) and a backward-Euler step of
the loop is stable at any length.

To add a kind: a shape in `schema/cooling.py`, its physics in a file beside this one, a number in `KINDS`, a branch
in each of the two functions, and its figures in `plant/cooling/rejection_build.py`.
"""

from __future__ import annotations

import math
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from aidc.jit import scalar
from aidc.plant.cooling.adiabatic import pad_air_k, pad_share, pad_water_kg_s
from aidc.plant.cooling.chiller import carnot_w_per_w, economised_w, part_load_factor
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
WETS: Final = 13  # … wet bulb …
SPANS: Final = 8  # … return above wet bulb …
SHARES: Final = 25  # … and share of the most that is possible
FLOW_LOW: Final = 0.1
WET_LOW_K: Final = 253.15
WET_STEP_K: Final = 4.5
SPAN_LOW_K: Final = 2.0
SPAN_STEP_K: Final = 4.0
_LEAST_K: Final = 0.05
_CHEAP: Final = 0.01  # electricity per heat below which no other fan speed is tried


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
    PART_MIN_FRAC = 16
    EVAPORATOR_K = 17
    CONDENSER_K = 18
    ECONOMISER_K = 19
    LIFT_MIN_K = 20
    VIRTUAL_K = 21  # sink against which a chiller's conductance counts
    CONDENSER_PUMP_W = 22
    DESIGN_SPAN_K = 23  # water returning to the outdoor units above their sink, at rated heat


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
    dry_k: float, wet_k: float, supply_k: float, return_k: float, p: FloatArray, flow_frac: float = 1.0
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
    """
    kind = int(p[Figure.KIND])
    if kind == _DRY:
        return _most_w_k(p, flow_frac, wet_k, 10.0), dry_k
    if kind == _TOWER:
        return _most_w_k(p, flow_frac, wet_k, return_k - wet_k), wet_k
    if kind == _ADIABATIC:
        most = _most_w_k(p, flow_frac, wet_k, 10.0)
        heat = p[Figure.FLOW_W_K] * flow_frac * max(return_k - supply_k, 0.0)
        share = pad_share(heat, most * (supply_k - dry_k), p[Figure.WET_AT_FRAC])
        return most, pad_air_k(dry_k, wet_k, share, p[Figure.PAD_FRAC])
    sink = wet_k if p[Figure.WET] > 0.0 else dry_k
    most = _design_most_w_k(p, wet_k)
    free = most * (supply_k - p[Figure.ECONOMISER_K] - sink)
    virtual_k = p[Figure.VIRTUAL_K]
    return max(free, p[Figure.CHILLER_W]) / max(supply_k - virtual_k, 1.0), virtual_k


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
) -> tuple[float, float, float]:
    """What a conductance costs: fans [W], compressors [W], water drawn [kg/s].

    The first six arguments as given to and returned by `rejection_limit`, with the conductance in force
    (at most `most_w_k`).
    """
    kind = int(p[Figure.KIND])
    share = min(conductance_w_k / most_w_k, 1.0) if most_w_k > 0.0 else 0.0
    if kind > _TOWER:
        heat = max(conductance_w_k * (supply_k - p[Figure.VIRTUAL_K]), 0.0)
        return _chiller_power(heat, supply_k, return_k, dry_k, wet_k, p, flow_frac)
    speed = _speed_frac(p, flow_frac, wet_k, share)
    fan = _fan_w(p, speed)
    if kind == _DRY or share <= 0.0:
        return fan, 0.0, 0.0
    if kind == _TOWER:
        heat = conductance_w_k * max(supply_k - wet_k, 0.0)
        evaporated = evaporated_kg_s(heat, p[Figure.AIR_KG_S] * speed, dry_k, wet_k)
        circulating = p[Figure.WATER_KG_S] * flow_frac
        return fan, 0.0, make_up_kg_s(evaporated, circulating, p[Figure.CYCLES], p[Figure.DRIFT_FRAC])
    heat = p[Figure.FLOW_W_K] * flow_frac * max(return_k - supply_k, 0.0)
    pads = pad_share(heat, most_w_k * (supply_k - dry_k), p[Figure.WET_AT_FRAC])
    air_k = pad_air_k(dry_k, wet_k, pads, p[Figure.PAD_FRAC])
    evaporated = pad_water_kg_s(p[Figure.AIR_W_K] * speed, dry_k, air_k)
    return fan, 0.0, make_up_kg_s(evaporated, 0.0, p[Figure.CYCLES], 0.0)


@scalar
def _chilled_w(
    heat_w: float,
    share: float,
    most_w_k: float,
    sink_k: float,
    return_k: float,
    flow_w_k: float,
    approach_k: float,
) -> tuple[float, float]:
    """Heat left to the chillers [W] at a share of the outdoor units' conductance, and their water [K]."""
    k_per_w = 1.0 / (most_w_k * share)
    first = economised_w(heat_w, return_k, sink_k + heat_w * k_per_w, flow_w_k, approach_k)
    given_w = heat_w + 0.2 * (heat_w - first)  # with the work of chillers of COP 5
    outdoor_k = sink_k + given_w * k_per_w
    return heat_w - economised_w(heat_w, return_k, outdoor_k, flow_w_k, approach_k), outdoor_k


@scalar
def _compressor_w(chilled_w: float, supply_k: float, outdoor_k: float, p: FloatArray) -> float:
    """Electricity of chillers and condenser pumps [W]."""
    if chilled_w <= 0.0:
        return 0.0
    per_cooling = carnot_w_per_w(
        supply_k - p[Figure.EVAPORATOR_K],
        outdoor_k + p[Figure.CONDENSER_K],
        p[Figure.CARNOT_FRAC],
        p[Figure.LIFT_MIN_K],
    )
    load = chilled_w / p[Figure.CHILLER_W]
    factor = part_load_factor(
        load, p[Figure.PART_0], p[Figure.PART_1], p[Figure.PART_2], p[Figure.PART_MIN_FRAC]
    )
    return chilled_w * per_cooling * factor + p[Figure.CONDENSER_PUMP_W] * load


@scalar
def _chiller_power(
    heat_w: float,
    supply_k: float,
    return_k: float,
    dry_k: float,
    wet_k: float,
    p: FloatArray,
    flow_frac: float,
) -> tuple[float, float, float]:
    """Fans, compressors and water of chillers with economiser for a heat [W]; see `chiller`.

    Of three fan speeds (as much economiser as the weather gives, as little as the load needs, and the
    middle) the one that draws least is taken.
    """
    if heat_w <= 0.0:
        return 0.0, 0.0, 0.0
    sink_k = wet_k if p[Figure.WET] > 0.0 else dry_k
    approach_k = p[Figure.ECONOMISER_K]
    flow_w_k = p[Figure.FLOW_W_K] * flow_frac
    most = _design_most_w_k(p, wet_k)
    free_w = most * max(supply_k - approach_k - sink_k, 0.0)
    high = heat_w / max(free_w, heat_w)
    low = max(min(heat_w / p[Figure.CHILLER_W], high), 0.2 * high)
    speed = fan_w = compressor_w = 0.0
    least_w = math.inf
    for step in range(3):
        share = low + (high - low) * 0.5 * (2 - step)
        chilled, outdoor_k = _chilled_w(heat_w, share, most, sink_k, return_k, flow_w_k, approach_k)
        at_speed = _design_speed_frac(p, wet_k, share)
        fans = _fan_w(p, at_speed)
        work = _compressor_w(chilled, supply_k, outdoor_k, p)
        if fans + work < least_w:
            least_w = fans + work
            speed, fan_w, compressor_w = at_speed, fans, work
        if least_w < _CHEAP * heat_w:
            break
    water = 0.0
    if p[Figure.WET] > 0.0:
        evaporated = evaporated_kg_s(heat_w + compressor_w, p[Figure.AIR_KG_S] * speed, dry_k, wet_k)
        water = make_up_kg_s(evaporated, p[Figure.WATER_KG_S], p[Figure.CYCLES], p[Figure.DRIFT_FRAC])
    return fan_w, compressor_w, water


@scalar
def reject(
    heat_command_w: float,
    supply_k: float,
    return_k: float,
    dry_k: float,
    wet_k: float,
    p: FloatArray,
    flow_frac: float = 1.0,
) -> tuple[float, float, float, float]:
    """Heat rejected [W] (0 up to what is possible), fans [W], compressors [W], water [kg/s].

    The steady face of `rejection_limit` and `rejection_power`, for sizing and tests.
    """
    most, sink_k = rejection_limit(dry_k, wet_k, supply_k, return_k, p, flow_frac)
    span_k = supply_k - sink_k
    if span_k <= _LEAST_K or heat_command_w <= 0.0:
        return 0.0, 0.0, 0.0, 0.0
    conductance = min(heat_command_w / span_k, most)
    fan, compressor, water = rejection_power(
        conductance, most, supply_k, return_k, dry_k, wet_k, p, flow_frac
    )
    return conductance * span_k, fan, compressor, water
