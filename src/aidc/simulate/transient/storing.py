"""Site storages in a step: the fast law, the converter's lag, the cells."""

from __future__ import annotations

import math

from aidc.firmware.droop import droop_frac
from aidc.firmware.excursion import clock_ticks
from aidc.firmware.fault_current import NO_LIMIT, ramp_limit_w, synchronise
from aidc.firmware.smoothing import follow_mean, follow_ramp, steer_soc_w
from aidc.firmware.virtual_machine import swing
from aidc.jit import part
from aidc.simulate.transient.arrays import Plan, State, Work
from aidc.simulate.transient.consumers import store_power
from aidc.simulate.transient.fields import Converter, Energy, Law, SiteParam, SiteState, StoreState, Total
from aidc.simulate.transient.network import step_cells
from aidc.simulate.transient.protection import in_operation, trips

__all__ = ["ask_storages", "book_storages", "island_hz", "turn_machines"]

_NEVER_FREE_PU = 10.0
_SYNCHRONISE_S = 0.25  # of the speed trim before the breaker closes, and after it (estimates)
_RELEASE_S = 2.0


@part
def _request(plan: Plan, state: State, store: int, load_w: float) -> float:
    """Power that the law of a storage asks for [W], charging positive; moves the law's memory."""
    law = int(plan.store[Converter.LAW, store])
    rated = plan.store[Converter.RATED_W, store]
    if law == Law.NONE:
        offered = state.site[SiteState.ANSWER] * plan.store[Converter.SERVICE_W, store]
        return plan.store[Converter.SET_W, store] - offered
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
def ask_storages(plan: Plan, state: State, work: Work, load_w: float, hz: float) -> float:
    """Set points of every storage for this step, before the network is solved.

    Later storages see the load with what the earlier ones take from it. Returns the least voltage at
    which none of them is limited: more than any where voltage control makes power depend on voltage.

    `load_w` is what the bus asks for [W], `hz` its frequency.
    """
    dt_s = plan.site[SiteParam.DT_S]
    free_pu = 0.0
    for store in range(plan.store.shape[1]):
        state.store[StoreState.HZ, store] += plan.store[Converter.PLL_GAIN, store] * (
            hz - state.store[StoreState.HZ, store]
        )
        request = _request(plan, state, store, load_w)
        # no law may push more into the grid than the connection takes
        request = max(request, min(-load_w - plan.site[SiteParam.EXPORT_W], 0.0))
        load_w += request
        if plan.store[Converter.FORMING, store] > 0.0:
            # the network decides what it gives; the request moves its reference
            request, _, _ = step_cells(plan, state, store, request, dt_s)
            state.store[StoreState.POWER_W, store] = request
            continue
        held = state.store[StoreState.POWER_W, store]
        held += plan.store[Converter.LAG_GAIN, store] * (request - held)
        limit_w = state.store[StoreState.LIMIT_W, store]
        if abs(held) <= limit_w:
            state.store[StoreState.LIMIT_W, store] = NO_LIMIT
        else:
            held = min(max(held, -limit_w), limit_w)
        tripped = state.store[StoreState.TRIPPED, store] > 0.0
        locked = state.store[StoreState.LOST, store] <= 0.0 and not tripped
        waited = state.store[StoreState.LOW_TICKS, store] >= plan.store[Converter.CEASE_TICKS, store]
        work.cease_pu[store] = plan.store[Converter.CEASE_PU, store] if waited else 0.0
        work.store_supports[store] = 1.0 if locked else 0.0
        held = held if locked else 0.0
        if held != 0.0:
            held, _, _ = step_cells(plan, state, store, held, dt_s)
            limit = plan.store[Converter.CURRENT_LIMIT, store] * plan.store[Converter.RATED_W, store]
            free_pu = max(free_pu, abs(held) / limit)
            free_pu = max(free_pu, plan.store[Converter.CEASE_PU, store] + 0.1)
            free_pu = max(free_pu, plan.store[Converter.FULL_PU, store])
        if not tripped:
            free_pu = max(free_pu, plan.store[Converter.PRIORITY_PU, store])
        state.store[StoreState.POWER_W, store] = held
        work.store_w[store] = held
        gain = plan.store[Converter.LAG_GAIN, store]
        per_pu = gain * plan.store[Converter.VOLT_VAR, store] * plan.store[Converter.RATED_W, store]
        per_pu = per_pu if locked else 0.0
        work.store_var[store] = (1.0 - gain) * state.store[StoreState.VAR, store] if locked else 0.0
        work.var_per_pu[store] = per_pu
        if per_pu != 0.0:
            free_pu = _NEVER_FREE_PU
    return free_pu


@part
def turn_machines(plan: Plan, state: State, work: Work, hz: float, trim_hz: float) -> None:
    """Advance speed and angle of the grid-forming converters after the network is solved.

    `hz` is the grid's (their own on an island), and `trim_hz` what a synchroniser wants of them, 0 for nothing.
    """
    dt_s = plan.site[SiteParam.DT_S]
    nominal = plan.site[SiteParam.NOMINAL_HZ]
    trim = state.site[SiteState.TRIM_PU]
    wanted = 0.0
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
        # power is held over the step and speed follows from its end: with a filter and an inertia in between,
        # the mean speed is what keeps the angle in time to second order, else the new one
        mean = omega
        if plan.store[Converter.INERTIA_S, store] > 0.0 and plan.store[Converter.POWER_GAIN, store] < 1.0:
            mean = 0.5 * (omega + state.store[StoreState.OMEGA_PU, store])
        state.store[StoreState.OMEGA_PU, store] = omega
        state.store[StoreState.DELTA_RAD, store] += 2.0 * math.pi * nominal * (mean + trim - 1.0) * dt_s
        if trim_hz > 0.0 and state.store[StoreState.TRIPPED, store] <= 0.0:
            wanted = trim_hz / nominal - omega
    slow_s = _SYNCHRONISE_S if trim_hz > 0.0 else _RELEASE_S
    state.site[SiteState.TRIM_PU] = trim + (wanted - trim) * dt_s / (slow_s + dt_s)


@part
def island_hz(plan: Plan, state: State) -> float:
    """Frequency that the first grid-forming converter at work gives an island; 0 where there is none."""
    for store in range(plan.store.shape[1]):
        if plan.store[Converter.FORMING, store] > 0.0 and state.store[StoreState.TRIPPED, store] <= 0.0:
            speed = state.store[StoreState.OMEGA_PU, store] + state.site[SiteState.TRIM_PU]
            return plan.site[SiteParam.NOMINAL_HZ] * speed
    return 0.0


@part
def _recover(plan: Plan, state: State, work: Work, store: int, v_pu: float, power_w: float) -> None:
    """Let a converter lose or find synchronism, and come back from a fault along its ramp."""
    lost_pu = plan.store[Converter.LOST_PU, store]
    ramp = plan.store[Converter.RECOVERY_W, store]
    low = v_pu < plan.store[Converter.CEASE_PU, store]
    state.store[StoreState.LOW_TICKS, store] = clock_ticks(low, state.store[StoreState.LOW_TICKS, store])
    if max(lost_pu, ramp) <= 0.0:
        return
    if state.site[SiteState.LET_GO_NOW] > 0.0 and plan.store[Converter.CEASE_TICKS, store] > 0.0:
        v_pu = 0.0  # what the network cannot carry counts as no voltage
    was = state.store[StoreState.LOST, store]
    state.store[StoreState.LOST, store], state.store[StoreState.SOUND_TICKS, store] = synchronise(
        was,
        state.store[StoreState.SOUND_TICKS, store],
        v_pu,
        lost_pu,
        plan.store[Converter.RESYNC_TICKS, store],
        plan.store[Converter.CEASE_TICKS, store],
    )
    if was > 0.0 or state.store[StoreState.LOST, store] > 0.0:
        state.store[StoreState.LIMIT_W, store] = ramp if ramp > 0.0 else NO_LIMIT
    else:
        limit = state.store[StoreState.LIMIT_W, store]
        asked = abs(work.store_w[store])
        state.store[StoreState.LIMIT_W, store] = ramp_limit_w(limit, asked, abs(power_w), ramp)


@part
def book_storages(
    plan: Plan, state: State, work: Work, v_pu: float, hz: float, segment: int
) -> tuple[float, float, float]:
    """What the cells make of the power that the network let through, and what protection makes of the voltage.

    Returns that power [W], charging positive, and the shares of all storages that are connected, and in operation.
    A trip takes effect in the next step.

    `v_pu` and `hz` are voltage and frequency of the bus, `segment` is the number of the stretch of the grid's course.
    """
    dt_s = plan.site[SiteParam.DT_S]
    total = 0.0
    work.total[Total.STORED_W] = 0.0
    work.total[Total.STORED_VAR] = 0.0
    rated = 0.0
    connected = 0.0
    operates = 0.0
    for store in range(plan.store.shape[1]):
        if plan.store[Converter.FORMING, store] > 0.0:
            power = work.formed_w[store]
        else:
            power, var, controlled = store_power(plan, work, store, v_pu)
            state.store[StoreState.VAR, store] = controlled
            work.total[Total.STORED_W] += power
            work.total[Total.STORED_VAR] += var
            _recover(plan, state, work, store, v_pu, power)
        if power != 0.0:
            possible, soc, loss = step_cells(plan, state, store, power, dt_s)
            state.store[StoreState.SOC_FRAC, store] = soc
            # the network has asked for no more than is possible, but for rounding
            state.energy[Energy.STORAGE_LOSS] += (loss + power - possible) * dt_s
        total += power
        one = plan.store[Converter.RATED_W, store]
        rated += one
        if state.store[StoreState.TRIPPED, store] <= 0.0:
            connected += one
            operates += one if in_operation(plan, state, work, store, v_pu) else 0.0
            if trips(plan, state, store, v_pu, hz, segment):
                state.store[StoreState.TRIPPED, store] = 1.0
                state.store[StoreState.KAPPA, store] = 0.0
                work.formed_w[store] = 0.0  # where nothing forms the bus any more the network does not set it
                work.formed_var[store] = 0.0
    return total, connected / max(rated, 1.0), operates / max(rated, 1.0)
