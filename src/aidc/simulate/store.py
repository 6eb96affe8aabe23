"""A storage at its own node: the site bus, the output of a UPS, or the rack."""

from __future__ import annotations

from aidc.jit import part
from aidc.plant.storage import StorageParams, auxiliary_w, dispatch_rule_w, smoothing_request_w, storage_step
from aidc.simulate.arrays import Knobs, Params, Scratch, State
from aidc.simulate.fields import Store, StoreNow

__all__ = ["run_store"]


@part
def run_store(
    p: Params, knobs: Knobs, state: State, now: Scratch, store: int, node_w: float, limit_w: float
) -> float:
    """Let a storage act on the power at its node; return its AC power [W], charging positive.

    A set point in force goes before the device's own rule, and neither may charge into a shortage:
    above `limit_w` the storage discharges whatever it was asked to do.
    """
    request = knobs.storage_w[store]
    window_s = p.store[Store.SMOOTH_S, store]
    if window_s > 0.0:
        mean = state.smooth_w[store]
        smoothed, mean = smoothing_request_w(node_w, node_w if mean != mean else mean, p.dt_s, window_s)
        now.smooth_w[store] = mean
        if request != request:  # NaN: no set point in force
            request = smoothed
    elif request != request:
        request = dispatch_rule_w(
            node_w, p.store[Store.CHARGE_BELOW_W, store], p.store[Store.DISCHARGE_ABOVE_W, store]
        )
    request = min(request, limit_w - node_w)
    if p.store[Store.LANE, store] >= 0.0:
        request = max(request, -node_w)  # a lineup does not feed back
    c = p.storage[:, store]
    params = StorageParams(
        c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7], c[8], c[9], c[10], c[11], c[12], c[13]
    )
    power, soc, loss = storage_step(state.soc_frac[store], request, p.dt_s, params)
    now.soc_frac[store] = soc
    now.store[StoreNow.POWER_W, store] = power
    now.store[StoreNow.CHARGE_W, store] = max(power, 0.0)
    now.store[StoreNow.DISCHARGE_W, store] = max(-power, 0.0)
    now.store[StoreNow.LOSS_W, store] = loss
    now.store[StoreNow.AUXILIARY_W, store] = auxiliary_w(power, params)
    return power
