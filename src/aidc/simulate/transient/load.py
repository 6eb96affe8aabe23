"""What the racks ask for in a step: waveforms, power smoothing, servers, shelf, losses down to the buffer."""

from __future__ import annotations

from aidc.firmware.power_smoothing import smooth_power
from aidc.jit import part
from aidc.plant.training import TrainingClock, TrainingLevels, step_job
from aidc.simulate.fields import Kind
from aidc.simulate.transient.arrays import IntArray, Plan, State, Work
from aidc.simulate.transient.fields import DOWN, ON_GRID, WALK_IN, Lane, LaneState, SiteParam

__all__ = ["run_jobs", "wish"]

_FAR = 1 << 62


@part
def run_jobs(plan: Plan, state: State, no_faults: IntArray, tick: int) -> None:
    """Power over rated of each job's pods; all of them move together, which is what makes a site swing."""
    for job in range(plan.job_start.shape[0]):
        goal = 0.0
        if state.job[0, job] > 0.0:
            c = plan.job_clock[:, job]
            clock = TrainingClock(
                plan.job_start[job], _FAR, 0,
                c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7], c[8], c[9], c[10], c[11], c[12], c[13],
            )  # fmt: skip
            v = plan.job_levels[:, job]
            levels = TrainingLevels(v[0], v[1], v[2], v[3], v[4], v[5])
            goal = step_job(tick, 0, no_faults, clock, levels)[0]
        state.job[1, job] += plan.job_edge[job] * (goal - state.job[1, job])


@part
def _accelerators(plan: Plan, state: State, lane: int, minute: int, within: float, ripple: int) -> float:
    """Power that the work of one pod asks of its accelerators [W]."""
    kind = int(plan.lane[Lane.KIND, lane])
    idle = plan.lane[Lane.IDLE_W, lane]
    power = idle
    if kind == Kind.JOB:
        power = max(state.job[1, int(plan.lane[Lane.JOB, lane])] * plan.lane[Lane.RATED_W, lane], idle)
    elif kind != Kind.IDLE:
        base = plan.base_w[lane, minute]
        base += (plan.base_w[lane, minute + 1] - base) * within
        power = base + plan.ripple_w[lane, ripple]
    power = idle + (power - idle) * state.lane[LaneState.LOAD_FRAC, lane]
    heat = (state.lane[LaneState.CASE_K, lane] - plan.lane[Lane.THROTTLE_K, lane]) / (
        plan.lane[Lane.TRIP_K, lane] - plan.lane[Lane.THROTTLE_K, lane]
    )
    if heat > 0.0:  # throttling moves the cap from rated to the floor of the device
        cap = 1.0 - min(heat, 1.0) * (1.0 - plan.lane[Lane.CAP_MIN_FRAC, lane])
        power = min(power, max(cap * plan.lane[Lane.RATED_W, lane], idle))
    return power


@part
def _shelf(plan: Plan, state: State, lane: int, server_w: float, dt_s: float) -> float:
    """Power that the rack's capacitors take so that the supplies see a smooth server [W]."""
    capacity = plan.lane[Lane.SHELF_J, lane]
    mean = state.lane[LaneState.SHELF_MEAN_W, lane]
    mean += plan.lane[Lane.SHELF_GAIN, lane] * (server_w - mean)
    state.lane[LaneState.SHELF_MEAN_W, lane] = mean
    stored = state.lane[LaneState.SHELF_J, lane]
    power = mean - server_w + (0.5 * capacity - stored) * plan.lane[Lane.SHELF_STEER_PER_S, lane]
    most = plan.lane[Lane.SHELF_W, lane]
    power = min(max(power, -most), most)
    power = min(max(power, -stored / dt_s), (capacity - stored) / dt_s)
    state.lane[LaneState.SHELF_J, lane] = stored + power * dt_s
    return power


@part
def wish(plan: Plan, state: State, work: Work, tick: int) -> float:
    """Power leaving each lineup's buffer, and at the grid side what it would draw; returns the least
    voltage at which every lineup may draw all that it wants.
    """
    dt_s = plan.site[SiteParam.DT_S]
    minute = tick // plan.base_ticks
    within = (tick - minute * plan.base_ticks) / plan.base_ticks
    ripple = tick // plan.ripple_ticks
    lanes = plan.lane.shape[1]
    for lane in range(lanes):
        mode = state.lane[LaneState.MODE, lane]
        power = _accelerators(plan, state, lane, minute, within, ripple)
        power, state.lane[LaneState.LOW_TICKS, lane] = smooth_power(
            power,
            state.lane[LaneState.DRAWN_W, lane],
            plan.lane[Lane.FLOOR_W, lane],
            plan.lane[Lane.RISE_W, lane],
            plan.lane[Lane.FALL_W, lane],
            state.lane[LaneState.LOW_TICKS, lane],
            plan.lane[Lane.HOLD_TICKS, lane],
        )
        wished = power + (
            plan.lane[Lane.OVERHEAD_0_W, lane]
            + (plan.lane[Lane.OVERHEAD_1, lane] + plan.lane[Lane.OVERHEAD_2_PER_W, lane] * power) * power
        )
        work.wished_w[lane] = wished + plan.lane[Lane.NETWORK_W, lane]
        on = 0.0 if mode == DOWN else 1.0
        if mode == WALK_IN and plan.lane[Lane.BATTERY_W, lane] <= 0.0:
            on = state.lane[LaneState.WALK_FRAC, lane]  # nothing carries the racks: they start with the input
        power *= on
        state.lane[LaneState.DRAWN_W, lane] = power
        server = power + on * (
            plan.lane[Lane.OVERHEAD_0_W, lane]
            + (plan.lane[Lane.OVERHEAD_1, lane] + plan.lane[Lane.OVERHEAD_2_PER_W, lane] * power) * power
        )
        work.it_w[lane] = server + on * plan.lane[Lane.NETWORK_W, lane]
        work.on[lane] = on
        work.shelf_w[lane] = 0.0
        if plan.lane[Lane.SHELF_J, lane] > 0.0 and on > 0.0:
            work.shelf_w[lane] = _shelf(plan, state, lane, server, dt_s)
            server += work.shelf_w[lane]
        work.need_w[lane] = server
    for stage in range(plan.down_a_w.shape[0]):
        if stage == plan.server_stages:
            for lane in range(lanes):
                work.need_w[lane] += work.on[lane] * plan.lane[Lane.NETWORK_W, lane]
        for lane in range(lanes):
            through = work.need_w[lane]
            work.need_w[lane] = (
                through
                + (
                    plan.down_a_w[stage, lane]
                    + (plan.down_b[stage, lane] + plan.down_c_per_w[stage, lane] * through) * through
                )
                * work.on[lane]
            )
    if plan.server_stages >= plan.down_a_w.shape[0]:
        for lane in range(lanes):
            work.need_w[lane] += work.on[lane] * plan.lane[Lane.NETWORK_W, lane]
    return _ask(plan, state, work)


@part
def _ask(plan: Plan, state: State, work: Work) -> float:
    """What each lineup asks of the bus: its need, refilling its buffers, and the loss in front of them."""
    lanes = plan.lane.shape[1]
    free_pu = 0.0
    for lane in range(lanes):
        mode = state.lane[LaneState.MODE, lane]
        asked = 0.0
        if mode == ON_GRID or mode == WALK_IN:
            refill = (
                plan.lane[Lane.HOLD_UP_J, lane] - state.lane[LaneState.HOLD_UP_J, lane]
            ) * work.refill_per_s
            recharge = 0.0
            if state.lane[LaneState.BATTERY_J, lane] < plan.lane[Lane.BATTERY_J, lane]:
                recharge = plan.lane[Lane.RECHARGE_W, lane]
            asked = work.need_w[lane] + refill + recharge
            if mode == WALK_IN:
                asked = min(asked, state.lane[LaneState.WALK_FRAC, lane] * plan.lane[Lane.BUFFER_W, lane])
        work.buffer_w[lane] = asked
        work.want_w[lane] = asked
    for stage in range(plan.up_a_w.shape[0]):
        for lane in range(lanes):
            through = work.want_w[lane]
            work.want_w[lane] = through + (
                plan.up_a_w[stage, lane]
                + (plan.up_b[stage, lane] + plan.up_c_per_w[stage, lane] * through) * through
            )
    for lane in range(lanes):
        free_pu = max(free_pu, work.want_w[lane] * work.per_most[lane])
    return free_pu
