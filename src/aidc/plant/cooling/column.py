"""The column of figures and tables of a heat-rejection plant, and how the kernels read it.

A column is one flat array per plant: a head (`Figure`), a table of the most conductance over the facility loop's
flow, wet bulb and the return's height above it, a table of the fan speed for a share of that conductance, and room for
figures of a kind's own, from `OWN` on (a chiller's performance map). Each kind of heat rejection fills in what it reads.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from aidc.jit import scalar

__all__ = [
    "COLUMN",
    "FLOWS",
    "FLOW_LOW",
    "OWN",
    "SHARES",
    "SPANS",
    "SPAN_LOW_K",
    "SPAN_STEP_K",
    "TABLE",
    "WETS",
    "WET_LOW_K",
    "WET_STEP_K",
    "Figure",
    "FloatArray",
    "design_most_w_k",
    "design_speed_frac",
    "fan_power_w",
    "most_index",
    "most_w_k",
    "speed_frac",
    "speed_index",
]

FloatArray = NDArray[np.float64]

FLOWS: Final = 7  # grid of the tables: liquid flow fraction …
WETS: Final = 17  # … wet bulb …
SPANS: Final = 16  # … return above wet bulb …
SHARES: Final = 25  # … and share of the most that is possible
FLOW_LOW: Final = 0.1
WET_LOW_K: Final = 270.15
WET_STEP_K: Final = 2.25
SPAN_LOW_K: Final = 2.0
SPAN_STEP_K: Final = 4.0


class Figure(IntEnum):
    """The head of a column; the tables follow."""

    KIND = 0  # `rejection.Kind`
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
    WORK_FRAC = 25  # chillers' electricity over cooling, for the heat that the outdoor units carry
    MAP = 26  # form of the chillers' performance map (`chiller_map.Form`); 0: a fraction of Carnot
    MAP_BY_WATER = 27  # 1: the map is over the water that enters the condenser; 0: over the outdoor air
    MAP_LEAST_FRAC = 28  # load below which a machine of the map cycles


TABLE: Final = len(Figure)
_SPEED: Final = TABLE + FLOWS * WETS * SPANS
OWN: Final = _SPEED + FLOWS * WETS * SHARES  # from here on: a kind's own figures, laid out by its own file
_OWN_FIGURES: Final = 640
COLUMN: Final = OWN + _OWN_FIGURES


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
def most_w_k(p: FloatArray, flow_frac: float, wet_k: float, span_k: float) -> float:
    """Conductance of the outdoor units with fans at full speed [W/K].

    `p` is the plant's column, `flow_frac` the loop's flow over that of the design, `wet_k` the outdoor wet bulb and
    `span_k` the coolant's cooling [K].
    """
    return _read(
        p,
        TABLE,
        SPANS,
        (flow_frac - FLOW_LOW) * ((FLOWS - 1) / (1.0 - FLOW_LOW)),
        (wet_k - WET_LOW_K) * (1.0 / WET_STEP_K),
        (span_k - SPAN_LOW_K) * (1.0 / SPAN_STEP_K),
    )


@scalar
def speed_frac(p: FloatArray, flow_frac: float, wet_k: float, share: float) -> float:
    """Fan speed that gives a share of the most conductance.

    `p`, `flow_frac` and `wet_k` as in `most_w_k`; `share` is that of the most conductance.
    """
    return _read(
        p,
        _SPEED,
        SHARES,
        (flow_frac - FLOW_LOW) * ((FLOWS - 1) / (1.0 - FLOW_LOW)),
        (wet_k - WET_LOW_K) * (1.0 / WET_STEP_K),
        share * (SHARES - 1.0),
    )


@scalar
def design_most_w_k(p: FloatArray, wet_k: float) -> float:
    """Conductance of a chiller's outdoor units with fans at full speed, at its design span [W/K]."""
    span = (p[Figure.DESIGN_SPAN_K] - SPAN_LOW_K) * (1.0 / SPAN_STEP_K)
    return _read_full_flow(p, TABLE, SPANS, (wet_k - WET_LOW_K) * (1.0 / WET_STEP_K), span)


@scalar
def design_speed_frac(p: FloatArray, wet_k: float, share: float) -> float:
    """Fan speed of a chiller's outdoor units that gives a share of the most conductance."""
    return _read_full_flow(
        p, _SPEED, SHARES, (wet_k - WET_LOW_K) * (1.0 / WET_STEP_K), share * (SHARES - 1.0)
    )


@scalar
def fan_power_w(p: FloatArray, speed: float) -> float:
    """Fans of all outdoor units at a fraction of full speed [W]."""
    return p[Figure.FAN_W] * speed * speed * speed
