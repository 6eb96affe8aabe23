"""Site storages in a step: the fast law, the converter's lag, the cells."""

from __future__ import annotations

import math

from aidc.firmware.droop import droop_frac
from aidc.firmware.smoothing import follow_mean, follow_ramp, steer_soc_w
from aidc.firmware.virtual_machine import swing
from aidc.jit import part
from aidc.plant.storage import StorageParams, storage_step
from aidc.simulate.transient.arrays import Plan, State, Work
from aidc.simulate.transient.fields import Converter, Energy, Law, SiteParam, SiteState, StoreState

__all__ = ["ask_storages", "book_storages", "turn_machines"]

_EXHAUSTED = 1e-3  # share of rated power that the cells may lack before a grid-forming converter trips


@part
def _request(plan: Plan, state: State, store: int, load_w: float) -> float:
    """Power that the law of a storage asks for [W], charging positive; moves the law's memory."""
    law = int(plan.store[Converter.LAW, store])
    rated = plan.store[Converter.RATED_W, store]
    if law == Law.NONE:
        return 0.0
    if law == Law.DROOP:
        deviation = state.store[StoreState.HZ, store] - plan.site[SiteParam.NOMINAL_HZ]
        share = plan.store[Converter.SHARE, store]
        return (
            share
            * rated
            * droop_frac(
                deviation, plan.store[Converter.DEADBAND_HZ, store], plan.store[Converter.FULL_HZ, store]
            )
        )
    target = state.store[StoreState.TARGET_W, store]
    middle = plan.store[Converter.SOC_MIDDLE, store]
    steer = steer_soc_w(
        state.store[StoreState.SOC_FRAC, store],
        middle,
        plan.storage[0, store],
        plan.store[Converter.STEER_PER_S, store],
    )
    steer = min(max(steer, -0.5 * rated), 0.5 * rated)
    if law == Law.SMOOTHING:
        target = follow_mean(target, load_w + steer, plan.store[Converter.LAW_GAIN, store])
    else:
        target = follow_ramp(target, load_w + steer, plan.store[Converter.LAW_GAIN, store])
    state.store[StoreState.TARGET_W, store] = target
    return min(max(target - load_w, -rated), rated)


@part
def ask_storages(plan: Plan, state: State, work: Work, load_w: float, hz: float) -> None:
    """Set points of every storage for this step, before the network is solved.

    Later storages see the load with what the earlier ones take from it.
    """
    dt_s = plan.site[SiteParam.DT_S]
    for store in range(plan.store.shape[1]):
        state.store[StoreState.HZ, store] += plan.store[Converter.PLL_GAIN, store] * (
            hz - state.store[StoreState.HZ, store]
        )
        request = _request(plan, state, store, load_w)
        load_w += request
        c = plan.storage[:, store]
        params = StorageParams(
            c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7], c[8], c[9], c[10], c[11], c[12], c[13]
        )
        if plan.store[Converter.FORMING, store] > 0.0:
            work.store_w[store] = 0.0  # the network decides; the request steers its reference
            work.store_var[store] = 0.0
            request, _, _ = storage_step(state.store[StoreState.SOC_FRAC, store], request, dt_s, params)
            state.store[StoreState.POWER_W, store] = request
        else:
            held = state.store[StoreState.POWER_W, store]
            held += plan.store[Converter.LAG_GAIN, store] * (request - held)
            held, _, _ = storage_step(state.store[StoreState.SOC_FRAC, store], held, dt_s, params)
            state.store[StoreState.POWER_W, store] = held
            work.store_w[store] = held
            rated = plan.store[Converter.RATED_W, store]
            short = state.site[SiteState.V_BUS] - 1.0
            room = math.sqrt(max(rated * rated - held * held, 0.0))
            var = plan.store[Converter.VOLT_VAR, store] * rated * short
            work.store_var[store] = min(max(var, -room), room)


@part
def turn_machines(plan: Plan, state: State, work: Work, hz: float, frame_hz: float) -> None:
    """Advance speed and angle of the grid-forming converters after the network is solved."""
    dt_s = plan.site[SiteParam.DT_S]
    nominal = plan.site[SiteParam.NOMINAL_HZ]
    for store in range(plan.store.shape[1]):
        if plan.store[Converter.FORMING, store] <= 0.0:
            continue
        rated = plan.store[Converter.RATED_W, store]
        measured = state.store[StoreState.MEASURED_W, store]
        measured += plan.store[Converter.POWER_GAIN, store] * (-work.formed_w[store] - measured)
        state.store[StoreState.MEASURED_W, store] = measured
        surplus = (-state.store[StoreState.POWER_W, store] - measured) / rated
        omega = swing(
            state.store[StoreState.OMEGA_PU, store],
            surplus,
            hz / nominal,
            dt_s,
            plan.store[Converter.INERTIA_S, store],
            plan.store[Converter.DROOP, store],
            plan.store[Converter.DAMPING, store],
        )
        state.store[StoreState.OMEGA_PU, store] = omega
        turn = 2.0 * math.pi * (omega * nominal - frame_hz) * dt_s
        state.store[StoreState.DELTA_RAD, store] += turn


@part
def book_storages(plan: Plan, state: State, work: Work, v_pu: float) -> float:
    """What the cells make of the power that the network let through; returns it [W], charging positive."""
    dt_s = plan.site[SiteParam.DT_S]
    total = 0.0
    for store in range(plan.store.shape[1]):
        c = plan.storage[:, store]
        params = StorageParams(
            c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7], c[8], c[9], c[10], c[11], c[12], c[13]
        )
        if plan.store[Converter.FORMING, store] > 0.0:
            power = work.formed_w[store]
        else:
            most = plan.store[Converter.CURRENT_LIMIT, store] * plan.store[Converter.RATED_W, store] * v_pu
            power = min(max(work.store_w[store], -most), most)
            if v_pu < plan.store[Converter.CEASE_PU, store]:
                power = 0.0
        possible, soc, loss = storage_step(state.store[StoreState.SOC_FRAC, store], power, dt_s, params)
        lacks = abs(possible - power) > _EXHAUSTED * plan.store[Converter.RATED_W, store]
        if lacks and plan.store[Converter.FORMING, store] > 0.0:
            state.store[StoreState.TRIPPED, store] = 1.0
            state.store[StoreState.KAPPA, store] = 0.0
        # what little the cells lack in the step before a converter trips is booked with its losses
        loss += power - possible
        state.store[StoreState.SOC_FRAC, store] = soc
        state.energy[Energy.STORAGE_LOSS] += loss * dt_s
        work.formed_w[store] = power
        total += power
    return total
