"""The table of the kinds of heat rejection: how much a plant can give to the weather, and what that costs.

`rejection_build` turns a kind of equipment, a number of units and the facility loop's flow into a column of
figures and tables; the engine calls `rejection_limit` and `rejection_power` with that column in every step.
A conductance G and a sink T_sink come out, so that the heat is G (T_supply − T_sink) and a backward-Euler step of
the loop is stable at any length.

With `outdoor` of the outdoor units in service the loop's flow goes through fewer of them, each of which then has
more (up to what the tables hold: full flow); with `chillers` of the machines the bank carries that much less. Below a
tenth of full flow the conductance falls to nothing with the flow.

A kind stands in three places: its shape in `schema/cooling.py`, its physics in a file beside this one, and here (a
number, a row of `KINDS`, and a branch of each kernel). `docs/architecture.md` has it worked.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Final

from aidc.jit import scalar
from aidc.plant.cooling.adiabatic import ADIABATIC_COOLER, adiabatic_limit, adiabatic_power
from aidc.plant.cooling.chiller_plant import CHILLER_ECONOMISER, chiller_limit, chiller_power
from aidc.plant.cooling.column import FLOW_LOW, Figure, FloatArray
from aidc.plant.cooling.dry_cooler import DRY_COOLER, dry_limit, dry_power
from aidc.plant.cooling.outdoor import Physics
from aidc.plant.cooling.tower import COOLING_TOWER, tower_limit, tower_power

__all__ = ["KINDS", "Kind", "reject", "rejection_limit", "rejection_power"]


class Kind(IntEnum):
    """The number by which the kernels know a kind; its name is that of the schema, in capitals."""

    DRY_COOLER = 0
    ADIABATIC_COOLER = 1
    COOLING_TOWER = 2
    CHILLER_ECONOMISER = 3


KINDS: Final[Mapping[Kind, Physics]] = {
    Kind.DRY_COOLER: DRY_COOLER,
    Kind.ADIABATIC_COOLER: ADIABATIC_COOLER,
    Kind.COOLING_TOWER: COOLING_TOWER,
    Kind.CHILLER_ECONOMISER: CHILLER_ECONOMISER,
}

_LEAST_K: Final = 0.05
_UNKNOWN: Final = float("nan")  # what an unknown kind gives: a run of it ends in an error and not in a figure


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
        Column of `rejection_build.rejection_column`.
    flow_frac
        Flow of the facility loop over full flow.
    outdoor, chillers
        Shares of the outdoor units and of the chillers that are in service.
    """
    kind = int(p[Figure.KIND])
    flows = min(flow_frac * (1.0 / FLOW_LOW), 1.0)
    wet_k = max(wet_k, p[Figure.WET_LEAST_K])
    if kind == Kind.CHILLER_ECONOMISER:
        return chiller_limit(p, dry_k, wet_k, supply_k, return_k, flow_frac, flows, outdoor, chillers)
    if kind == Kind.DRY_COOLER:
        most, sink_k = dry_limit(p, dry_k, wet_k, flow_frac, outdoor)
        return flows * most, sink_k
    if kind == Kind.COOLING_TOWER:
        most, sink_k = tower_limit(p, wet_k, return_k, flow_frac, outdoor)
        return flows * most, sink_k
    if kind == Kind.ADIABATIC_COOLER:
        return adiabatic_limit(p, dry_k, wet_k, supply_k, return_k, flow_frac, flows, outdoor)
    return _UNKNOWN, _UNKNOWN


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

    `conductance_w_k` is in force; `supply_k`, `return_k`, `dry_k`, `wet_k`, `p`, `flow_frac`, `outdoor` and
    `chillers` as in `rejection_limit`.
    """
    kind = int(p[Figure.KIND])
    share = min(conductance_w_k / most_w_k, 1.0) if most_w_k > 0.0 else 0.0
    wet_k = max(wet_k, p[Figure.WET_LEAST_K])
    if kind == Kind.CHILLER_ECONOMISER:
        heat = max(conductance_w_k * (supply_k - p[Figure.VIRTUAL_K]), 0.0)
        return chiller_power(p, heat, supply_k, dry_k, wet_k, flow_frac, outdoor, chillers)
    if kind == Kind.DRY_COOLER:
        fan, _ = dry_power(p, share, wet_k, flow_frac, outdoor)
        return fan, 0.0, 0.0, 0.0
    if kind == Kind.COOLING_TOWER:
        fan, water = tower_power(p, conductance_w_k, share, supply_k, dry_k, wet_k, flow_frac, outdoor)
        return fan, 0.0, water, 0.0
    if kind == Kind.ADIABATIC_COOLER:
        fan, water = adiabatic_power(p, share, most_w_k, supply_k, return_k, dry_k, wet_k, flow_frac, outdoor)
        return fan, 0.0, water, 0.0
    return _UNKNOWN, _UNKNOWN, _UNKNOWN, _UNKNOWN


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

    `heat_command_w` is the heat asked for [W]. Other arguments as in `rejection_limit`.
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
