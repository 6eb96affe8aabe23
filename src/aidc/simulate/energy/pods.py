"""Steps 2 and 3 of the energy engine: what each pod computes, and the power it takes to do so.

Everything expensive (batch, queueing, caps) was tabulated over load and cap when the site was
compiled; here the table is read, the queue is kept and the server's own consumption is added.
"""

from __future__ import annotations

import math

import numpy as np

from aidc.jit import part, scalar
from aidc.simulate.energy.arrays import Fixed, FloatArray, Knobs, Scratch, Span, State
from aidc.simulate.energy.fields import Channel, Kind, Pod, PodFlux, PodKnob, PodNow, PodState, Point
from aidc.simulate.energy.tables import place_in, read_at

__all__ = ["NEVER_LIMITED", "blend_row", "keep_cells", "leave_cell", "run_pods", "share_work"]

NEVER_LIMITED = 1e15  # [W/s]
_ROUNDING = 1e-9  # of the backlog; less than that is no queue
_THROTTLE_STEPS = 64.0  # throttling moves in steps, so that the blended row is rarely made anew


@scalar
def blend_row(operating: FloatArray, caps: FloatArray, cap_frac: float, row: FloatArray) -> None:
    """Write the operating table of one pod at one cap into `row`, [load, 2 Point] as `with_steps` does.

    `operating` is [cap, load, Point] with the rising `caps` [cap], two at least.
    `cap_frac` is the cap over rated power.
    """
    low = 0
    while low < caps.shape[0] - 2 and caps[low + 1] <= cap_frac:
        low += 1
    high = low + 1
    span = caps[high] - caps[low]
    weight = min(max((cap_frac - caps[low]) / span, 0.0), 1.0) if span > 0.0 else 1.0
    loads = operating.shape[1]
    for load in range(loads):
        for point in range(operating.shape[2]):
            a = operating[low, load, point]
            row[load, 2 * point] = a + weight * (operating[high, load, point] - a)
    for load in range(loads):
        after = min(load + 1, loads - 1)
        for point in range(operating.shape[2]):
            row[load, 2 * point + 1] = row[after, 2 * point] - row[load, 2 * point]


@scalar
def _within(limit_s: float, p50_s: float, p90_s: float, p99_s: float) -> float:
    """Probability of staying below a limit, linear between the quantiles that are known."""
    if limit_s <= 0.0:
        return 0.0
    if limit_s < p50_s:
        return 0.5 * limit_s / p50_s
    if limit_s < p90_s:
        return 0.5 + 0.4 * (limit_s - p50_s) / (p90_s - p50_s)
    if limit_s < p99_s:
        return 0.9 + 0.09 * (limit_s - p90_s) / (p99_s - p90_s)
    return 1.0


@scalar
def _met_after_wait(meets: float, wait_s: float, slo_s: float, here: FloatArray, frac: float) -> float:
    """Reduce a probability of meeting the SLO for a wait that the operating table does not know."""
    if wait_s <= 0.0:
        return meets
    p50_s = read_at(here, Point.TTFT_P50_S, frac)
    p90_s = read_at(here, Point.TTFT_P90_S, frac)
    p99_s = read_at(here, Point.TTFT_P99_S, frac)
    before = _within(slo_s, p50_s, p90_s, p99_s)
    return meets * _within(slo_s - wait_s, p50_s, p90_s, p99_s) / before if before > 0.0 else 0.0


@scalar
def _fill(pod: FloatArray, width: float) -> float:
    """Share of a pod's accelerators that a job of this width works on: it fills its pods one after the other."""
    if width >= 1.0:
        return 1.0
    return min(max((width - pod[Pod.SHARE_FROM]) / pod[Pod.SHARE_FRAC], 0.0), 1.0)


@part
def share_work(p: Fixed, knobs: Knobs, state: State, now: Scratch, at: Span, first_job: int) -> None:
    """Find which pods can work, and how much of each workload's capacity that leaves.

    `first_job` is the number of the design's first job among all.
    """
    for workload in range(now.share.shape[0]):
        now.share[workload] = 0.0
    for lane in at.lanes:
        powered = 0.0 if state.pod[lane, PodState.TRIP_S] > 0.0 or now.shed[lane] > 0.0 else 1.0
        able = knobs.pod[lane, PodKnob.RUN] * powered
        now.powered[lane] = powered
        now.able[lane] = able
        workload = p.workload[lane]
        if workload >= 0:
            in_use = able * knobs.pod[lane, PodKnob.REPLICA_FRAC] * p.pod[lane, Pod.SHARE_FRAC]
            if p.kind[lane] == Kind.JOB:
                fill = _fill(p.pod[lane], float(now.job_width[workload - first_job]))
                now.fill[lane] = fill
                in_use *= fill
            now.share[workload] += in_use
    for workload in range(now.share.shape[0]):
        now.per_share[workload] = 1.0 / now.share[workload]


@part
def _cap(p: Fixed, knobs: Knobs, state: State, now: Scratch, lane: int) -> tuple[float, float]:
    """The cap in force, the controller's or the throttle's if that is lower, and the throttle; blends the row of a new one."""
    hot = state.pod[lane, PodState.HOT_FRAC]
    least = p.pod[lane, Pod.CAP_MIN_FRAC]
    throttle = 0.0
    if hot > 0.0:
        throttle = math.ceil(min(hot, 1.0) * _THROTTLE_STEPS) / _THROTTLE_STEPS
    cap = min(knobs.pod[lane, PodKnob.CAP_FRAC], 1.0 - throttle * (1.0 - least))
    if cap != now.row_cap[lane]:
        leave_cell(now, lane)
        blend_row(p.operating[lane], p.cap_frac[lane], cap, now.row[lane])
        now.row_cap[lane] = cap
    return cap, throttle


@part
def _load(
    p: Fixed, state: State, now: Scratch, at: Span, first_job: int, lane: int, replicas: float
) -> tuple[float, float, float]:
    """Tokens that arrive, tokens with the queue, and the load in shares of what the pod can do."""
    pod = p.pod[lane]
    able = now.able[lane]
    kind = p.kind[lane]
    workload = p.workload[lane]
    if kind == Kind.SERVICE:
        share = pod[Pod.SHARE_FRAC]
        if now.share[workload] > 0.0:
            share *= able * replicas * now.per_share[workload]
        arrived = now.channel[at.design, Channel.DEMAND + workload] * share * p.dt_s
        backlog = state.pod[lane, PodState.QUEUE_TOKENS] + arrived
        return arrived, backlog, min(backlog * now.per_step_max[lane], now.load_limit[lane]) * able
    if kind == Kind.JOB:
        return 0.0, 0.0, now.job_load[workload - first_job] * able
    if kind == Kind.REPLAY:
        power = now.channel[at.design, Channel.DEMAND + workload]
        return 0.0, 0.0, min(power / pod[Pod.RATE_MAX_PER_S], 1.0) * able
    return 0.0, 0.0, 0.0


@part
def _leaked(p: Fixed, state: State, lane: int) -> float:
    """Power with leakage at the inlet's temperature, over that at which power was measured."""
    pod = p.pod[lane]
    on_air = pod[Pod.CASE_ON_AIR]
    inlet_k = on_air * state.pod[lane, PodState.AIR_K] + (1.0 - on_air) * state.pod[lane, PodState.LOOP_K]
    return 1.0 + pod[Pod.LEAKAGE_PER_K] * (inlet_k - pod[Pod.REFERENCE_K])


@part
def _overhead_w(p: Fixed, state: State, lane: int, power_w: float) -> float:
    """Host and fans of the servers, whose fans speed up with warm air [W]."""
    pod = p.pod[lane]
    overhead = pod[Pod.OVERHEAD_0_W] + (pod[Pod.OVERHEAD_1] + pod[Pod.OVERHEAD_2_PER_W] * power_w) * power_w
    above_k = state.pod[lane, PodState.AIR_K] - pod[Pod.FAN_FROM_K]
    if above_k > 0.0:
        speed = min(1.0 + pod[Pod.FAN_PER_K] * above_k, pod[Pod.FAN_MOST])
        fans = pod[Pod.FAN_0_W] + pod[Pod.FAN_2_PER_W] * power_w * power_w
        overhead += fans * (speed * speed * speed - 1.0)
    return overhead


@part
def _serve(
    p: Fixed, now: Scratch, lane: int, backlog: float, rate: float, cell: np.uint64, frac: float
) -> None:
    """Tokens of a service that are delivered, dropped, useful and still queued."""
    pod = p.pod[lane]
    able = now.able[lane]
    is_now = now.pod[lane]
    here = now.row[lane, cell]
    now.cell[lane] = cell
    now.cell_frac[lane] = frac
    output = backlog
    dropped = 0.0
    wait_s = 0.0
    queue = 0.0
    meets = read_at(here, Point.MEETS_SLO_FRAC, frac)
    unmet = backlog - rate * p.dt_s * able
    if unmet > _ROUNDING * backlog:
        output = rate * p.dt_s * able
        dropped = max(unmet - pod[Pod.QUEUE_LIMIT_S] * pod[Pod.RATE_MAX_PER_S], 0.0)
        queue = unmet - dropped
        if queue > 0.0 and rate > 0.0:
            wait_s = min(queue / rate, pod[Pod.QUEUE_LIMIT_S])
            meets = _met_after_wait(meets, wait_s, pod[Pod.SLO_TTFT_S], here, frac)
    is_now[PodNow.OUTPUT_TOKENS] = output
    is_now[PodNow.DROPPED_TOKENS] = dropped
    is_now[PodNow.USEFUL_TOKENS] = output * meets
    is_now[PodNow.WAIT_S] = wait_s
    now.flux[lane, PodFlux.QUEUE_TOKENS] = queue


@part
def run_pods(
    p: Fixed, knobs: Knobs, state: State, now: Scratch, at: Span, first_job: int, wants: bool
) -> None:
    """Load, power, tokens and latency of every pod, at the temperatures of the step's start.

    In the pass that tells the wants, one that is off wants what it would draw without the ramp from nothing.

    `first_job` is the number of the design's first job among all; `wants` marks the pass that tells the wants.
    """
    for lane in at.lanes:
        pod = p.pod[lane]
        was = state.pod[lane]
        is_now = now.pod[lane]
        kind = p.kind[lane]
        powered = now.powered[lane]
        cap, throttle = _cap(p, knobs, state, now, lane)
        replicas = knobs.pod[lane, PodKnob.REPLICA_FRAC] if kind == Kind.SERVICE else now.fill[lane]
        arrived, backlog, load = _load(p, state, now, at, first_job, lane, replicas)
        cell, frac = place_in(load, now.row.shape[1])
        here = now.row[lane, cell]
        rate = read_at(here, Point.RATE_PER_S, frac) * replicas
        power = read_at(here, Point.ACCELERATOR_W, frac)
        # replicas that take no requests stay powered and idle, as do accelerators that a job has let go
        if replicas < 1.0:
            power = power * replicas + pod[Pod.IDLE_W] * (1.0 - replicas)
        power *= powered
        # up to the limit in force: what leakage takes then is missing for work
        ceiling = max(max(cap, pod[Pod.CAP_MIN_FRAC]) * pod[Pod.CEILING_W], power)
        leaked = _leaked(p, state, lane)
        power *= leaked
        if pod[Pod.RAMP_UP_W_PER_S] < NEVER_LIMITED and not (wants and was[PodState.OFF] > 0.0):
            ceiling = min(ceiling, was[PodState.ACCELERATOR_W] + pod[Pod.RAMP_UP_W_PER_S] * p.dt_s)
        if power > ceiling:
            rate *= ceiling / power
            power = ceiling
        trained = 0.0
        if kind == Kind.SERVICE:
            _serve(p, now, lane, backlog, rate, cell, frac)
        elif kind == Kind.JOB:
            trained = rate * p.dt_s * now.job_share[p.workload[lane] - first_job] * now.able[lane]
        is_now[PodNow.ACCELERATOR_W] = power
        uncapped = read_at(here, Point.UNCAPPED_W, frac)
        if replicas < 1.0:
            uncapped = uncapped * replicas + pod[Pod.IDLE_W] * (1.0 - replicas)
        is_now[PodNow.UNCAPPED_W] = uncapped * leaked * powered
        is_now[PodNow.OVERHEAD_W] = _overhead_w(p, state, lane, power) * powered
        is_now[PodNow.NETWORK_W] = pod[Pod.NETWORK_W] * powered
        is_now[PodNow.ARRIVED_TOKENS] = arrived
        is_now[PodNow.TRAINED_TOKENS] = trained
        is_now[PodNow.LOAD_FRAC] = load
        is_now[PodNow.CAP_FRAC] = cap
        is_now[PodNow.THROTTLE_FRAC] = throttle
        is_now[PodNow.SHED_FRAC] = now.shed[lane]
        is_now[PodNow.TRIP_FRAC] = 1.0 if was[PodState.TRIP_S] > 0.0 else 0.0


@part
def leave_cell(now: Scratch, lane: int) -> None:
    """Book the batch and the latencies of the steps in which a pod stood in one cell of its table.

    They are linear inside a cell, so that the number of steps and the sum of the ways into it give
    their sums; a load rarely changes cell from one second to the next.
    """
    here = now.row[lane, now.held_cell[lane]]
    for place in range(Point.ITL_P99_S + 1 - Point.BATCH):
        value = here[2 * (Point.BATCH + place)] * now.held_steps[lane]
        value += here[2 * (Point.BATCH + place) + 1] * now.held_frac[lane]
        now.cell_total[lane, place] += value
    now.held_steps[lane] = 0.0
    now.held_frac[lane] = 0.0


@part
def keep_cells(now: Scratch, at: Span) -> None:
    """Count the cells of the operating tables that this step's loads are in."""
    for lane in at.lanes:
        if now.cell[lane] != now.held_cell[lane]:
            leave_cell(now, lane)
            now.held_cell[lane] = now.cell[lane]
        now.held_steps[lane] += 1.0
        now.held_frac[lane] += now.cell_frac[lane]
