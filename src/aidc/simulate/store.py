"""A storage at its own node: the site bus, the output of a UPS, or the rack."""

from __future__ import annotations

from aidc.jit import part
from aidc.plant.storage import StorageParams, auxiliary_w, dispatch_rule_w, smoothing_request_w, storage_step
from aidc.simulate.arrays import Fixed, Knobs, Scratch, State
from aidc.simulate.fields import Store, StoreNow

__all__ = ["run_store"]


@part
def run_store(
    p: Fixed, knobs: Knobs, state: State, now: Scratch, store: int, node_w: float, limit_w: float
) -> float:
    """Let a storage act on the power at its node; return its AC power [W], charging positive.

    A set point in force goes before the device's own rule, and neither may charge into a shortage:
    above `limit_w` the storage discharges whatever it was asked to do.
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
    request = min(request, limit_w - node_w)
    if p.store[store, Store.LANE] >= 0.0:
        request = max(request, -node_w)  # a lineup does not feed back
    c = p.storage[store]
    params = StorageParams(
        c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7], c[8], c[9], c[10], c[11], c[12], c[13]
    )
    power, soc, loss = storage_step(state.soc_frac[store], request, p.dt_s, params)
    now.soc_frac[store] = soc
    now.store[store, StoreNow.POWER_W] = power
    now.store[store, StoreNow.CHARGE_W] = max(power, 0.0)
    now.store[store, StoreNow.DISCHARGE_W] = max(-power, 0.0)
    now.store[store, StoreNow.LOSS_W] = loss
    now.store[store, StoreNow.AUXILIARY_W] = auxiliary_w(power, params)
    return power
