"""Steps 2 and 3 of the energy engine: what each pod computes, and the power it takes to do so.

Everything expensive (batch, queueing, caps) was tabulated over load and cap when the site was
compiled; here the table is read, the queue is kept and the server's own consumption is added.
"""

from __future__ import annotations

import math

from aidc.jit import part, scalar
from aidc.simulate.arrays import Fixed, FloatArray, Knobs, Scratch, Span, State
from aidc.simulate.fields import Channel, Kind, Pod, PodFlux, PodKnob, PodNow, PodState, Point
from aidc.simulate.tables import place_in

__all__ = ["blend_row", "keep_cells", "leave_cell", "run_pods", "share_work"]

_THROTTLE_STEPS = 64.0  # throttling moves in steps, so that the blended row is rarely made anew


@scalar
def blend_row(operating: FloatArray, cap_frac: float, cap_min_frac: float, row: FloatArray) -> None:
    """Write the operating table of one pod at one cap into `row`, [load, Point, 2] as `with_steps` does.

    `operating` is [cap, load, Point] with caps uniform from `cap_min_frac` to 1.
    """
    last = operating.shape[0] - 1
    place = (cap_frac - cap_min_frac) / (1.0 - cap_min_frac) * last if cap_min_frac < 1.0 else last
    place = min(max(place, 0.0), float(last))
    low = min(int(place), max(last - 1, 0))
    high = min(low + 1, last)
    weight = place - low
    loads = operating.shape[1]
    for load in range(loads):
        for point in range(operating.shape[2]):
            a = operating[low, load, point]
            row[load, point, 0] = a + weight * (operating[high, load, point] - a)
    for load in range(loads):
        after = min(load + 1, loads - 1)
        for point in range(operating.shape[2]):
            row[load, point, 1] = row[after, point, 0] - row[load, point, 0]


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
    p50_s = here[Point.TTFT_P50_S, 0] + frac * here[Point.TTFT_P50_S, 1]
    p90_s = here[Point.TTFT_P90_S, 0] + frac * here[Point.TTFT_P90_S, 1]
    p99_s = here[Point.TTFT_P99_S, 0] + frac * here[Point.TTFT_P99_S, 1]
    before = _within(slo_s, p50_s, p90_s, p99_s)
    return meets * _within(slo_s - wait_s, p50_s, p90_s, p99_s) / before if before > 0.0 else 0.0


@part
def share_work(p: Fixed, knobs: Knobs, state: State, now: Scratch, at: Span) -> None:
    """Find which pods can work, and how much of each workload's capacity that leaves."""
    for workload in range(now.share.shape[0]):
        now.share[workload] = 0.0
    for lane in at.lanes:
        powered = 0.0 if state.pod[lane, PodState.TRIP_S] > 0.0 or now.shed[lane] > 0.0 else 1.0
        able = knobs.pod[lane, PodKnob.RUN] * powered
        now.powered[lane] = powered
        now.able[lane] = able
        workload = p.workload[lane]
        if workload >= 0:
            now.share[workload] += able * knobs.pod[lane, PodKnob.REPLICA_FRAC] * p.pod[lane, Pod.SHARE_FRAC]


@part
def run_pods(p: Fixed, knobs: Knobs, state: State, now: Scratch, at: Span, first_job: int) -> None:
    """Load, power, tokens and latency of every pod, at the temperatures of the step's start."""
    dt_s = p.dt_s
    for lane in at.lanes:
        pod = p.pod[lane]
        was = state.pod[lane]
        knob = knobs.pod[lane]
        # the cap in force: the controller's, or the throttle's if that is lower
        throttle = 0.0
        above_k = was[PodState.CASE_K] - pod[Pod.THROTTLE_K]
        if above_k > 0.0:
            heat = min(above_k / (pod[Pod.TRIP_K] - pod[Pod.THROTTLE_K]), 1.0)
            throttle = math.ceil(heat * _THROTTLE_STEPS) / _THROTTLE_STEPS
        cap = min(knob[PodKnob.CAP_FRAC], 1.0 - throttle * (1.0 - pod[Pod.CAP_MIN_FRAC]))
        if cap != now.row_cap[lane]:
            leave_cell(now, lane)
            blend_row(p.operating[lane], cap, pod[Pod.CAP_MIN_FRAC], now.row[lane])
            now.row_cap[lane] = cap

        able = now.able[lane]
        powered = now.powered[lane]
        kind = p.kind[lane]
        workload = p.workload[lane]
        replicas = knob[PodKnob.REPLICA_FRAC] if kind == Kind.SERVICE else 1.0
        rate_max = pod[Pod.RATE_MAX_PER_S] * replicas
        arrived = 0.0
        backlog = 0.0
        load = 0.0
        if kind == Kind.SERVICE:
            share = pod[Pod.SHARE_FRAC]
            if now.share[workload] > 0.0:
                share *= able * replicas / now.share[workload]
            arrived = now.channel[at.design, Channel.DEMAND + workload] * share * dt_s
            backlog = was[PodState.QUEUE_TOKENS] + arrived
            if rate_max > 0.0:
                load = min(backlog / (dt_s * rate_max), now.load_limit[lane]) * able
        elif kind == Kind.JOB:
            load = now.job_load[workload - first_job] * able
        elif kind == Kind.REPLAY:
            load = min(now.channel[at.design, Channel.DEMAND + workload] / rate_max, 1.0) * able

        cell, frac = place_in(load, now.row.shape[1])
        here = now.row[lane, cell]
        rate = (here[Point.RATE_PER_S, 0] + frac * here[Point.RATE_PER_S, 1]) * replicas
        power = here[Point.ACCELERATOR_W, 0] + frac * here[Point.ACCELERATOR_W, 1]
        uncapped = here[Point.UNCAPPED_W, 0] + frac * here[Point.UNCAPPED_W, 1]
        # replicas that take no requests stay powered and idle
        power = (power * replicas + pod[Pod.IDLE_W] * (1.0 - replicas)) * powered
        ceiling = was[PodState.ACCELERATOR_W] + pod[Pod.RAMP_UP_W_PER_S] * dt_s
        if power > ceiling:
            rate *= ceiling / power
            power = ceiling
        overhead = pod[Pod.OVERHEAD_0_W] + (pod[Pod.OVERHEAD_1] + pod[Pod.OVERHEAD_2_PER_W] * power) * power

        output = 0.0
        dropped = 0.0
        useful = 0.0
        wait_s = 0.0
        queue = 0.0
        trained = 0.0
        if kind == Kind.SERVICE:
            now.cell[lane] = cell
            now.cell_frac[lane] = frac
            output = min(rate * dt_s * able, backlog)
            queue = backlog - output
            if queue < 1e-9 * backlog:  # rounding, not a queue
                output = backlog
                queue = 0.0
            dropped = max(queue - pod[Pod.QUEUE_LIMIT_S] * pod[Pod.RATE_MAX_PER_S], 0.0)
            queue -= dropped
            meets = here[Point.MEETS_SLO_FRAC, 0] + frac * here[Point.MEETS_SLO_FRAC, 1]
            if queue > 0.0 and rate > 0.0:
                wait_s = min(queue / rate, pod[Pod.QUEUE_LIMIT_S])
                meets = _met_after_wait(meets, wait_s, pod[Pod.SLO_TTFT_S], here, frac)
            useful = output * meets
        elif kind == Kind.JOB:
            trained = rate * dt_s * now.job_share[workload - first_job] * able

        is_now = now.pod[lane]
        is_now[PodNow.ACCELERATOR_W] = power
        is_now[PodNow.UNCAPPED_W] = uncapped * replicas * powered
        is_now[PodNow.OVERHEAD_W] = overhead * powered
        is_now[PodNow.NETWORK_W] = pod[Pod.NETWORK_W] * powered
        is_now[PodNow.ARRIVED_TOKENS] = arrived
        is_now[PodNow.OUTPUT_TOKENS] = output
        is_now[PodNow.DROPPED_TOKENS] = dropped
        is_now[PodNow.USEFUL_TOKENS] = useful
        is_now[PodNow.TRAINED_TOKENS] = trained
        is_now[PodNow.LOAD_FRAC] = load
        is_now[PodNow.CAP_FRAC] = cap
        is_now[PodNow.THROTTLE_FRAC] = throttle
        is_now[PodNow.SHED_FRAC] = now.shed[lane]
        is_now[PodNow.WAIT_S] = wait_s
        now.flux[lane, PodFlux.QUEUE_TOKENS] = queue


@part
def leave_cell(now: Scratch, lane: int) -> None:
    """Book the batch and the latencies of the steps in which a pod stood in one cell of its table.

    They are linear inside a cell, so that the number of steps and the sum of the ways into it give
    their sums; a load rarely changes cell from one second to the next.
    """
    here = now.row[lane, now.held_cell[lane]]
    for place in range(Point.ITL_P99_S + 1 - Point.BATCH):
        value = here[Point.BATCH + place, 0] * now.held_steps[lane]
        value += here[Point.BATCH + place, 1] * now.held_frac[lane]
        now.pod_total[lane, PodNow.BATCH + place] += value
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
