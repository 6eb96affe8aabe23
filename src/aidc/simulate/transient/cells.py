"""Batteries of the lineups and capacitors of the racks, by the laws of `plant/storage`."""

from __future__ import annotations

from aidc.jit import part, scalar
from aidc.plant.storage import (
    StorageParams,
    charge_power_w,
    charge_stored_w,
    storage_limits_w,
    storage_step,
)
from aidc.simulate.transient.arrays import FloatArray, Plan, State
from aidc.simulate.transient.fields import ON_GRID, Lane, LaneState, SiteParam, SiteState

__all__ = ["battery_gives_w", "params_of", "recharge_w", "step_lane_cells"]

_FULL = 1e-9


@part
def params_of(table: FloatArray, column: int) -> StorageParams:
    """A column of [StorageParams, lane]."""
    c = table[:, column]
    return StorageParams(
        c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7], c[8], c[9], c[10], c[11], c[12], c[13]
    )


@scalar
def step_lane_cells(
    table: FloatArray, lane: int, soc_frac: float, power_w: float, dt_s: float
) -> tuple[float, float, float]:
    """`storage_step` of the battery or the capacitors of one lineup.

    `table` has a column a lineup and a row a parameter, `lane` is the lineup's number, `soc_frac` its state of
    charge, `power_w` the power asked for, charging positive [W], and `dt_s` the step [s]. Returns what `storage_step`
    returns.
    """
    return storage_step(soc_frac, power_w, dt_s, params_of(table, lane))


@scalar
def _recharge(table: FloatArray, lane: int, soc_frac: float, most_w: float, dt_s: float) -> float:
    """Charging power [W] that neither exceeds a limit nor what the cells can still take in a step."""
    params = params_of(table, lane)
    room_w = max(params.soc_max_frac - soc_frac, 0.0) * params.capacity_j / dt_s
    power_w = min(most_w, params.rated_w)
    return power_w if charge_stored_w(power_w, params) <= room_w else charge_power_w(room_w, params)


@part
def recharge_w(plan: Plan, state: State, lane: int) -> float:
    """Power with which a lineup refills its battery [W].

    None for what only rounding lacks, nor before it has walked in, nor while the site answers to low frequency.
    """
    lacking = plan.lane[Lane.REFILL_FRAC, lane] - state.lane[LaneState.BATTERY_FRAC, lane]
    if (
        lacking <= _FULL
        or plan.lane[Lane.RECHARGE_W, lane] <= 0.0
        or state.lane[LaneState.MODE, lane] != ON_GRID
        or state.site[SiteState.ANSWER] > 0.0
    ):
        return 0.0
    return _recharge(
        plan.battery,
        lane,
        state.lane[LaneState.BATTERY_FRAC, lane],
        plan.lane[Lane.RECHARGE_W, lane],
        plan.site[SiteParam.DT_S],
    )


@scalar
def battery_gives_w(table: FloatArray, lane: int, soc_frac: float, dt_s: float) -> float:
    """Most that a lineup's battery can give in a step [W].

    `table`, `lane`, `soc_frac` and `dt_s` as in `step_lane_cells`.
    """
    if table[0, lane] <= 0.0:
        return 0.0
    most, _ = storage_limits_w(soc_frac, dt_s, params_of(table, lane))
    return most
