"""What the racks ask for in a step: waveforms, power smoothing, servers, shelf, losses down to the buffer."""

from __future__ import annotations

from aidc.firmware.fault_current import NO_LIMIT
from aidc.firmware.power_smoothing import smooth_power
from aidc.jit import part, scalar
from aidc.plant.conversion import loss_w, output_power_w
from aidc.plant.training import TrainingClock, TrainingLevels, step_job, steps_in_phase
from aidc.simulate.energy.fields import Kind
from aidc.simulate.transient.arrays import IntArray, Plan, State, Work
from aidc.simulate.transient.cells import battery_gives_w, recharge_w, step_lane_cells
from aidc.simulate.transient.fields import (
    DOWN,
    GENERATOR,
    LOCKED,
    ON_GRID,
    WALK_IN,
    DriveState,
    Energy,
    Lane,
    LaneState,
    SiteParam,
    SiteState,
    Total,
)

__all__ = ["arriving_w", "run_jobs", "wish"]

_FAR = 1 << 62
_NEAR = 1e-9


@part
def run_jobs(plan: Plan, state: State, no_faults: IntArray, tick: int) -> bool:
    """Power over rated of each job's pods; all of them move together, which is what makes a site swing.

    Returns whether any of them moved. Within a phase the power it goes for is not worked out again. Shares of phases come
    from differences of times, so they are known to rounding only: what is closer than `_NEAR` is the same.

    `no_faults` as in `engine.advance`; `tick` counts the window's steps.
    """
    moved = False
    for job in range(plan.job_start.shape[0]):
        goal = 0.0
        if state.job[0, job] > 0.0 and tick < state.job[3, job]:
            goal = state.job[2, job]
        elif state.job[0, job] > 0.0:
            c = plan.job_clock[:, job]
            clock = TrainingClock(
                plan.job_start[job], _FAR, 0,
                c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7], c[8], c[9], c[10], c[11], c[12], c[13],
            )  # fmt: skip
            v = plan.job_levels[:, job]
            levels = TrainingLevels(v[0], v[1], v[2], v[3], v[4], v[5])
            goal = step_job(tick, 0, no_faults, clock, levels)[0]
            state.job[3, job] = tick + steps_in_phase(tick, clock)
        if abs(goal - state.job[2, job]) > _NEAR:
            state.job[2, job] = goal
        left = state.job[2, job] - state.job[1, job]
        if left != 0.0:
            moved = True
            step = plan.job_edge[job] * left
            state.job[1, job] = state.job[2, job] if abs(left) <= _NEAR else state.job[1, job] + step
    return moved


@part
def _accelerators(plan: Plan, state: State, lane: int, sample: int) -> float:
    """Power that the work of one pod asks of its accelerators [W]."""
    kind = int(plan.lane[Lane.KIND, lane])
    idle = plan.lane[Lane.IDLE_W, lane]
    power = idle
    if kind == Kind.JOB:
        power = max(state.job[1, int(plan.lane[Lane.JOB, lane])] * plan.lane[Lane.RATED_W, lane], idle)
    elif kind != Kind.IDLE:
        power = plan.service_w[lane, sample]
    power = idle + (power - idle) * state.lane[LaneState.LOAD_FRAC, lane]
    above_k = state.lane[LaneState.CASE_K, lane] - plan.lane[Lane.THROTTLE_K, lane]
    if above_k > 0.0:  # throttling moves the cap from rated to the floor of the device
        heat = above_k / (plan.lane[Lane.TRIP_K, lane] - plan.lane[Lane.THROTTLE_K, lane])
        cap = 1.0 - min(heat, 1.0) * (1.0 - plan.lane[Lane.CAP_MIN_FRAC, lane])
        power = min(power, max(cap * plan.lane[Lane.RATED_W, lane], idle))
    given = state.site[SiteState.LOAD_ANSWER] * plan.lane[Lane.SERVICE_LOAD_W, lane]
    return max(power - given, min(power, idle)) if given > 0.0 else power


@part
def _shelf(plan: Plan, state: State, lane: int, server_w: float, dt_s: float) -> float:
    """Power that the rack's capacitors take so that the supplies see a smooth server [W]."""
    capacity = plan.lane[Lane.SHELF_J, lane]
    mean = state.lane[LaneState.SHELF_MEAN_W, lane]
    mean += plan.lane[Lane.SHELF_GAIN, lane] * (server_w - mean)
    state.lane[LaneState.SHELF_MEAN_W, lane] = mean
    charge = state.lane[LaneState.SHELF_FRAC, lane]
    middle = 0.5 * (plan.shelf[2, lane] + plan.shelf[3, lane])
    power = mean - server_w + (middle - charge) * capacity * plan.lane[Lane.SHELF_STEER_PER_S, lane]
    power, charge, loss = step_lane_cells(plan.shelf, lane, charge, power, dt_s)
    state.lane[LaneState.SHELF_FRAC, lane] = charge
    state.energy[Energy.BATTERY_LOSS] += loss * dt_s
    return power


@part
def _server(plan: Plan, lane: int, power_w: float) -> float:
    """Power that a pod's servers add to that of their accelerators [W]."""
    return (
        plan.lane[Lane.OVERHEAD_0_W, lane]
        + (plan.lane[Lane.OVERHEAD_1, lane] + plan.lane[Lane.OVERHEAD_2_PER_W, lane] * power_w) * power_w
    )


@part
def wish(plan: Plan, state: State, work: Work, sample: int) -> None:
    """Power leaving each lineup's buffer, and at the grid side what it would draw; sums in `work.total`.

    `sample` is the number of the 100 ms window of the replicas' ripple.
    """
    dt_s = plan.site[SiteParam.DT_S]
    wished_w = 0.0
    for lane in range(plan.lane.shape[1]):
        mode = state.lane[LaneState.MODE, lane]
        asked = _accelerators(plan, state, lane, sample)
        work.asked_w[lane] = asked
        power, low = smooth_power(
            asked,
            state.lane[LaneState.DRAWN_W, lane],
            plan.lane[Lane.FLOOR_W, lane],
            plan.lane[Lane.RISE_W, lane],
            plan.lane[Lane.FALL_W, lane],
            state.lane[LaneState.LOW_TICKS, lane],
            plan.lane[Lane.HOLD_TICKS, lane],
        )
        state.lane[LaneState.LOW_TICKS, lane] = low
        network = plan.lane[Lane.NETWORK_W, lane]
        server = power + _server(plan, lane, power)
        work.wished_w[lane] = server + network
        wished_w += server + network
        on = 1.0
        if mode != ON_GRID or state.lane[LaneState.HOT, lane] > 0.0:
            on = _switched_on(plan, state, lane, mode)
            power *= on
            server = power + on * _server(plan, lane, power)
        state.lane[LaneState.DRAWN_W, lane] = power
        work.it_w[lane] = server + on * network
        work.on[lane] = on
        shelf = 0.0
        if plan.lane[Lane.SHELF_J, lane] > 0.0 and on > 0.0:
            shelf = _shelf(plan, state, lane, server, dt_s)
        work.shelf_w[lane] = shelf
        need = server + shelf
        for stage in range(plan.server_stages):
            need += on * _stage_loss(plan, stage, lane, need)
        need += on * network
        for stage in range(plan.server_stages, plan.down_a_w.shape[0]):
            need += on * _stage_loss(plan, stage, lane, need)
        cooling = plan.lane[Lane.UPS_LOOP_W, lane] + plan.lane[Lane.UPS_AIR_W, lane]
        if cooling > 0.0:
            cooling = _cooling(plan, state, lane, mode, on)
        work.cooling_w[lane] = cooling
        work.need_w[lane] = need + cooling
    work.total[Total.WISHED_W] = wished_w
    work.total[Total.SAMPLE] = sample
    _ask(plan, state, work)


@part
def _cooling(plan: Plan, state: State, lane: int, mode: float, on: float) -> float:
    """Power of the pumps and fans that hang on a lineup's UPS bus [W]; they run while it has power."""
    loop = state.drive[DriveState.PUMPS, int(plan.lane[Lane.PLANT, lane])]
    air = state.drive[DriveState.PUMPS, int(plan.lane[Lane.AIR_PLANT, lane])]
    power = plan.lane[Lane.UPS_LOOP_W, lane] * loop + plan.lane[Lane.UPS_AIR_W, lane] * air
    return 0.0 if mode == DOWN else power * (on if mode == WALK_IN else 1.0)


@part
def _stage_loss(plan: Plan, stage: int, lane: int, power_w: float) -> float:
    """Loss of a conversion stage behind the buffer [W] at an output of `power_w`."""
    return loss_w(
        power_w, plan.down_a_w[stage, lane], plan.down_b[stage, lane], plan.down_c_per_w[stage, lane]
    )


@part
def _switched_on(plan: Plan, state: State, lane: int, mode: float) -> float:
    """Share of a pod's racks that has power, or starts with the input as it walks in."""
    if mode == DOWN or state.lane[LaneState.HOT, lane] > 0.0:
        return 0.0
    cold = state.lane[LaneState.COLD, lane] > 0.0 or plan.lane[Lane.BATTERY_W, lane] <= 0.0
    return state.lane[LaneState.WALK_FRAC, lane] if mode == WALK_IN and cold else 1.0


@part
def _ask(plan: Plan, state: State, work: Work) -> None:
    """What each lineup asks of the bus: its need, refilling its buffers, and the loss in front of them.

    While a lineup walks in, its input takes a rising share of what it wants; racks that had lost power start
    with that share instead, up to the same share of the rating.
    """
    carries = state.site[SiteState.CARRIES]
    free_pu = 0.0
    total_w = 0.0
    total_var = 0.0
    for lane in range(plan.lane.shape[1]):
        mode = state.lane[LaneState.MODE, lane]
        asked = 0.0
        if mode == ON_GRID or mode == WALK_IN:
            stored = state.lane[LaneState.HOLD_UP_J, lane]
            asked = work.need_w[lane] + (plan.lane[Lane.HOLD_UP_J, lane] - stored) * work.refill_per_s
            if carries <= 0.0 or plan.lane[Lane.FROM_GENSETS, lane] > 0.0:
                asked += recharge_w(plan, state, lane)
            given = max(state.site[SiteState.ANSWER], 0.0) * plan.lane[Lane.SERVICE_UPS_W, lane]
            asked = max(asked - given, 0.0) if given > 0.0 else asked
            if mode == WALK_IN:
                walked = state.lane[LaneState.WALK_FRAC, lane]
                cold = state.lane[LaneState.COLD, lane] > 0.0 or plan.lane[Lane.BATTERY_W, lane] <= 0.0
                asked = min(asked, walked * plan.lane[Lane.BUFFER_W, lane]) if cold else walked * asked
        work.buffer_w[lane] = asked
        for stage in range(plan.up_a_w.shape[0]):
            asked += loss_w(
                asked, plan.up_a_w[stage, lane], plan.up_b[stage, lane], plan.up_c_per_w[stage, lane]
            )
        if state.lane[LaneState.LOST, lane] > 0.0 or state.lane[LaneState.LIMIT_W, lane] < NO_LIMIT:
            asked = _held_back(plan, state, work, lane, mode, asked)
        work.want_w[lane] = asked
        free_pu = max(free_pu, asked * work.per_most[lane])
        if work.reduced_pu[lane] > 0.0:
            in_step = (mode == ON_GRID or mode == WALK_IN) and state.lane[LaneState.LOST, lane] <= 0.0
            work.supports[lane] = 1.0 if in_step else 0.0
            free_pu = max(free_pu, work.reduced_pu[lane]) if in_step else free_pu
        total_w += asked
        total_var += asked * (plan.lane[Lane.TAN_PHI, lane] + plan.lane[Lane.X_PER_W, lane] * asked)
    work.total[Total.WANT_W] = total_w
    work.total[Total.WANT_VAR] = total_var
    work.total[Total.FREE_PU] = free_pu
    if carries > 0.0:
        _share_gensets(plan, state, work)


@part
def _held_back(plan: Plan, state: State, work: Work, lane: int, mode: float, asked_w: float) -> float:
    """What a lineup asks of the bus [W] if it is in step with the grid, as far as it has recovered from a fault."""
    if state.lane[LaneState.LOST, lane] > 0.0:
        work.buffer_w[lane] = 0.0
        return 0.0
    limit = state.lane[LaneState.LIMIT_W, lane]
    if asked_w <= limit:
        if mode == ON_GRID or mode == WALK_IN:
            state.lane[LaneState.LIMIT_W, lane] = NO_LIMIT
        return asked_w
    work.buffer_w[lane] = arriving_w(plan, lane, limit)
    return limit


@scalar
def arriving_w(plan: Plan, lane: int, bus_w: float) -> float:
    """What of a power drawn from the bus arrives at a lineup's buffer [W]: the inverse of the losses before it."""
    power = bus_w
    for back in range(plan.up_a_w.shape[0]):
        stage = plan.up_a_w.shape[0] - 1 - back
        power = output_power_w(
            power, plan.up_a_w[stage, lane], plan.up_b[stage, lane], plan.up_c_per_w[stage, lane]
        )
    return power


@part
def _fill_batteries(plan: Plan, state: State, work: Work, surplus_w: float) -> None:
    """Charge the lineups' batteries with what the gensets' least load leaves, once renewables are curtailed."""
    for lane in range(plan.lane.shape[1]):
        if plan.lane[Lane.FROM_GENSETS, lane] <= 0.0 and surplus_w > 0.0:
            want = work.want_w[lane]
            buffer = arriving_w(plan, lane, want + surplus_w)
            buffer = min(buffer, work.buffer_w[lane] + recharge_w(plan, state, lane))
            if buffer > work.buffer_w[lane]:
                work.buffer_w[lane] = buffer
                for stage in range(plan.up_a_w.shape[0]):
                    buffer += loss_w(
                        buffer, plan.up_a_w[stage, lane], plan.up_b[stage, lane], plan.up_c_per_w[stage, lane]
                    )
                work.want_w[lane] = buffer
                work.total[Total.WANT_W] += buffer - want
                surplus_w -= buffer - want


@scalar
def _share_gensets(plan: Plan, state: State, work: Work) -> None:
    """Hold the lineups to what gensets that form the bus can give in this step.

    What they lack is shared by the lineups' batteries in proportion to the power that each can give; what exceeds
    both is shed. Leaves
    what may be added in this step, and what lineups that are down may count on.
    """
    dt_s = plan.site[SiteParam.DT_S]
    can = state.site[SiteState.GENSET_CAN_W] - state.site[SiteState.GENSET_LANES_W]
    reach = min(state.site[SiteState.GENSET_REACHED_W] + state.site[SiteState.GENSET_RAMP_W], can)
    others = plan.site[SiteParam.AUXILIARY_W] - plan.site[SiteParam.PV_W]
    for plant in range(plan.drive.shape[1]):
        others += work.drive_w[plant]
    lack = work.total[Total.WANT_W] + others - reach
    expected = others
    able = 0.0
    for lane in range(plan.lane.shape[1]):
        mode = state.lane[LaneState.MODE, lane]
        off = mode == DOWN or mode == LOCKED or mode == GENERATOR or state.lane[LaneState.HOT, lane] > 0.0
        if not off:
            expected += work.wished_w[lane] * plan.lane[Lane.PER_IT, lane]
        if work.buffer_w[lane] > 0.0:
            charge = state.lane[LaneState.BATTERY_FRAC, lane]
            able += min(battery_gives_w(plan.battery, lane, charge, dt_s), work.buffer_w[lane])
    state.site[SiteState.ROOM_W] = max(-lack, 0.0)
    state.site[SiteState.FREE_W] = can - expected
    surplus = min(state.site[SiteState.GENSET_LOW_W], reach) - plan.site[SiteParam.PV_W] - reach - lack
    if surplus > 0.0:
        _fill_batteries(plan, state, work, surplus)
    if lack <= 0.0:
        return
    share = min(lack / able, 1.0) if able > 0.0 else 0.0
    work.total[Total.WANT_VAR] = 0.0
    for lane in range(plan.lane.shape[1]):
        want = work.want_w[lane]
        if work.buffer_w[lane] > 0.0:
            charge = state.lane[LaneState.BATTERY_FRAC, lane]
            cut = share * min(battery_gives_w(plan.battery, lane, charge, dt_s), work.buffer_w[lane])
            want -= cut
            work.total[Total.WANT_W] -= cut
            work.want_w[lane] = want
            work.buffer_w[lane] = arriving_w(plan, lane, want)
        work.total[Total.WANT_VAR] += want * (
            plan.lane[Lane.TAN_PHI, lane] + plan.lane[Lane.X_PER_W, lane] * want
        )
    _shed(plan, work, work.total[Total.WANT_W] + others - can)


@scalar
def _shed(plan: Plan, work: Work, lack_w: float) -> None:
    """Cut lineups off for what gensets and batteries together cannot carry, the highest priority number first.

    Their capacitors last for milliseconds, then their racks are down.
    """
    for back in range(plan.order.shape[0]):
        if lack_w <= _NEAR * work.total[Total.WANT_W]:
            return
        last = int(plan.order[plan.order.shape[0] - 1 - back])
        if work.buffer_w[last] <= 0.0:
            continue
        want = work.want_w[last]
        lack_w -= want
        work.total[Total.WANT_W] -= want
        work.total[Total.WANT_VAR] -= want * (
            plan.lane[Lane.TAN_PHI, last] + plan.lane[Lane.X_PER_W, last] * want
        )
        work.want_w[last] = 0.0
        work.buffer_w[last] = 0.0
