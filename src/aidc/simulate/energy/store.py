"""A storage at its own node: what its rule or set point asks for, and what its cells make of what it does."""

from __future__ import annotations

from aidc.jit import part, scalar
from aidc.plant.storage import (
    StorageParams,
    auxiliary_w,
    dispatch_rule_w,
    smoothing_request_w,
    storage_limits_w,
    storage_step,
)
from aidc.simulate.energy.arrays import Fixed, FloatArray, Knobs, Scratch, State
from aidc.simulate.energy.fields import Store, StoreNow

_NOTHING = 1e-9  # of the rating: less is rounding, for which no converter starts

__all__ = ["keep_floors", "own_request_w", "reach_w", "settle_store"]


@scalar
def _params(c: FloatArray, floor_frac: float) -> StorageParams:
    return StorageParams(
        c[0], c[1], floor_frac, c[3], c[4], c[5], c[6], c[7], c[8], c[9], c[10], c[11], c[12], c[13]
    )


@part
def keep_floors(p: Fixed, now: Scratch, store: int, grid: float) -> None:
    """Keep the reserve of a storage as long as the grid is there.

    `store` is the storage's number, `grid` is 1 while the grid is there.
    """
    now.floor_frac[store] = p.storage[store, 2] + p.store[store, Store.RESERVE_FRAC] * grid


@part
def reach_w(p: Fixed, state: State, now: Scratch, store: int) -> tuple[float, float]:
    """Most that a storage can give and take over this step, as AC magnitudes [W].

    `store` is the storage's number.
    """
    params = _params(p.storage[store], now.floor_frac[store])
    return storage_limits_w(state.soc_frac[store], p.dt_s, params)


@part
def own_request_w(p: Fixed, knobs: Knobs, state: State, now: Scratch, store: int, node_w: float) -> float:
    """What a storage wants at its node [W], charging positive: its set point, else its rule.

    One that stays full wants to charge and never discharges of itself; what is lacking is asked of it by the
    merit order.

    `store` is the storage's number, `node_w` the load at its node without it [W].
    """
    request = knobs.storage_w[store]
    window_s = p.store[store, Store.SMOOTH_S]
    if window_s > 0.0:
        mean = state.smooth_w[store]
        smoothed, mean = smoothing_request_w(node_w, node_w if mean != mean else mean, p.dt_s, window_s)
        now.smooth_w[store] = mean
        if request != request:  # NaN: no set point in force
            request = smoothed
    elif request != request:
        request = dispatch_rule_w(
            node_w, p.store[store, Store.CHARGE_BELOW_W], p.store[store, Store.DISCHARGE_ABOVE_W]
        )
        if p.store[store, Store.STAYS_FULL] > 0.0:
            request = p.store[store, Store.CHARGE_LIMIT_W]
        request = min(request, p.store[store, Store.CHARGE_LIMIT_W])
    return request


@part
def settle_store(p: Fixed, state: State, now: Scratch, store: int) -> float:
    """Let a storage do what is asked of it; returns its AC power [W], charging positive.

    `store` is the storage's number.
    """
    ask_w = now.ask_w[store]
    is_now = now.store[store]
    if abs(ask_w) <= _NOTHING * p.storage[store, 1]:
        now.soc_frac[store] = state.soc_frac[store]
        is_now[StoreNow.CHARGE_W] = 0.0
        is_now[StoreNow.DISCHARGE_W] = 0.0
        is_now[StoreNow.LOSS_W] = 0.0
        now.auxiliary_w[store] = p.storage[store, 12]
        return 0.0
    params = _params(p.storage[store], now.floor_frac[store])
    power, soc, loss = storage_step(state.soc_frac[store], ask_w, p.dt_s, params)
    now.soc_frac[store] = soc
    is_now[StoreNow.CHARGE_W] = max(power, 0.0)
    is_now[StoreNow.DISCHARGE_W] = max(-power, 0.0)
    is_now[StoreNow.LOSS_W] = loss
    now.auxiliary_w[store] = auxiliary_w(power, params)
    return power
