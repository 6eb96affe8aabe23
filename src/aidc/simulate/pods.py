"""Steps 2 and 3 of the energy engine: what each pod computes, and the power it takes to do so.

Everything expensive (batch, queueing, caps) was tabulated over load and cap when the site was
compiled; here the table is read, the queue is kept and the server's own consumption is added.
"""

from __future__ import annotations

import math

from aidc.jit import part, scalar
from aidc.simulate.arrays import FloatArray, Knobs, Params, Scratch, State
from aidc.simulate.fields import Channel, Kind, Pod, PodKnob, PodNow, PodState, Point

__all__ = ["blend_row", "run_pods", "share_work"]

_THROTTLE_STEPS = 64.0  # throttling moves in steps, so that the blended row is rarely made anew


@scalar
def blend_row(operating: FloatArray, cap_frac: float, cap_min_frac: float, row: FloatArray) -> None:
    """Write the operating table of one pod at one cap into `row`.

    `operating` is [cap, load, Point] with caps uniform from `cap_min_frac` to 1.
    """
    last = operating.shape[0] - 1
    place = (cap_frac - cap_min_frac) / (1.0 - cap_min_frac) * last if cap_min_frac < 1.0 else last
    place = min(max(place, 0.0), float(last))
    low = min(int(place), max(last - 1, 0))
    high = min(low + 1, last)
    weight = place - low
    for load in range(operating.shape[1]):
        for point in range(operating.shape[2]):
            a = operating[low, load, point]
            row[load, point] = a + weight * (operating[high, load, point] - a)


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
def _met_after_wait(
    meets: float, wait_s: float, slo_s: float, p50_s: float, p90_s: float, p99_s: float
) -> float:
    """Reduce a probability of meeting the SLO for a wait that the operating table does not know."""
    if wait_s <= 0.0:
        return meets
    before = _within(slo_s, p50_s, p90_s, p99_s)
    return meets * _within(slo_s - wait_s, p50_s, p90_s, p99_s) / before if before > 0.0 else 0.0


@part
def share_work(p: Params, knobs: Knobs, state: State, now: Scratch, first: int, last: int) -> None:
    """Find which pods can work, and how much of each workload's capacity that leaves."""
    for workload in range(now.share.shape[0]):
        now.share[workload] = 0.0
    for lane in range(first, last):
        powered = 0.0 if state.pod[PodState.TRIP_S, lane] > 0.0 or now.shed[lane] > 0.0 else 1.0
        now.powered[lane] = powered
        able = knobs.pod[PodKnob.RUN, lane] * powered
        now.able[lane] = able
        workload = int(p.pod[Pod.WORKLOAD, lane])
        if workload >= 0:
            now.share[workload] += able * knobs.pod[PodKnob.REPLICA_FRAC, lane] * p.pod[Pod.SHARE_FRAC, lane]


@part
def run_pods(
    p: Params, knobs: Knobs, state: State, now: Scratch, first: int, last: int, first_job: int
) -> None:
    """Load, power, tokens and latency of every pod, at the temperatures of the step's start."""
    dt_s = p.dt_s
    loads = p.operating.shape[2] - 1
    for lane in range(first, last):
        # the cap in force: the controller's, or the throttle's if that is lower
        heat = (state.pod[PodState.CASE_K, lane] - p.pod[Pod.THROTTLE_K, lane]) / (
            p.pod[Pod.TRIP_K, lane] - p.pod[Pod.THROTTLE_K, lane]
        )
        throttle = min(max(heat, 0.0), 1.0)
        cap_min = p.pod[Pod.CAP_MIN_FRAC, lane]
        if throttle > 0.0:
            throttle = math.ceil(throttle * _THROTTLE_STEPS) / _THROTTLE_STEPS
        cap = min(knobs.pod[PodKnob.CAP_FRAC, lane], 1.0 - throttle * (1.0 - cap_min))
        if cap != now.row_cap[lane]:
            blend_row(p.operating[lane], cap, cap_min, now.row[lane])
            now.row_cap[lane] = cap

        able = now.able[lane]
        powered = now.powered[lane]
        kind = int(p.pod[Pod.KIND, lane])
        workload = int(p.pod[Pod.WORKLOAD, lane])
        replicas = knobs.pod[PodKnob.REPLICA_FRAC, lane] if kind == Kind.SERVICE else 1.0
        rate_max = p.pod[Pod.RATE_MAX_PER_S, lane] * replicas
        arrived = 0.0
        backlog = 0.0
        load = 0.0
        if kind == Kind.SERVICE:
            share = p.pod[Pod.SHARE_FRAC, lane]
            if now.share[workload] > 0.0:
                share *= able * replicas / now.share[workload]
            arrived = now.channel[Channel.DEMAND + workload] * share * dt_s
            backlog = state.pod[PodState.QUEUE_TOKENS, lane] + arrived
            if rate_max > 0.0:
                load = min(backlog / (dt_s * rate_max), now.load_limit[lane]) * able
        elif kind == Kind.JOB:
            load = now.job_load[workload - first_job] * able
        elif kind == Kind.REPLAY:
            load = min(now.channel[Channel.DEMAND + workload] / rate_max, 1.0) * able

        place = load * loads
        low = min(int(place), loads - 1)
        weight = place - low
        here = now.row[lane, low]
        there = now.row[lane, low + 1]
        rate = (
            here[Point.RATE_PER_S] + weight * (there[Point.RATE_PER_S] - here[Point.RATE_PER_S])
        ) * replicas
        power = here[Point.ACCELERATOR_W] + weight * (there[Point.ACCELERATOR_W] - here[Point.ACCELERATOR_W])
        uncapped = here[Point.UNCAPPED_W] + weight * (there[Point.UNCAPPED_W] - here[Point.UNCAPPED_W])
        # replicas that take no requests stay powered and idle
        power = (power * replicas + p.pod[Pod.IDLE_W, lane] * (1.0 - replicas)) * powered
        ceiling = state.pod[PodState.ACCELERATOR_W, lane] + p.pod[Pod.RAMP_UP_W_PER_S, lane] * dt_s
        if power > ceiling:
            rate *= ceiling / power
            power = ceiling

        now.pod[PodNow.ACCELERATOR_W, lane] = power
        now.pod[PodNow.UNCAPPED_W, lane] = uncapped * replicas * powered
        overhead = (
            p.pod[Pod.OVERHEAD_0_W, lane]
            + (p.pod[Pod.OVERHEAD_1, lane] + p.pod[Pod.OVERHEAD_2_PER_W, lane] * power) * power
        ) * powered
        now.pod[PodNow.OVERHEAD_W, lane] = overhead
        now.pod[PodNow.NETWORK_W, lane] = p.pod[Pod.NETWORK_W, lane] * powered
        now.pod[PodNow.CAP_FRAC, lane] = cap
        now.pod[PodNow.THROTTLE_FRAC, lane] = throttle
        now.pod[PodNow.SHED_FRAC, lane] = now.shed[lane]
        now.pod[PodNow.LOAD_FRAC, lane] = load

        output = 0.0
        dropped = 0.0
        useful = 0.0
        wait_s = 0.0
        queue = 0.0
        if kind == Kind.SERVICE:
            output = min(rate * dt_s * able, backlog)
            queue = backlog - output
            if queue < 1e-9 * backlog:  # rounding, not a queue
                output = backlog
                queue = 0.0
            limit = p.pod[Pod.QUEUE_LIMIT_S, lane] * p.pod[Pod.RATE_MAX_PER_S, lane]
            dropped = max(queue - limit, 0.0)
            queue -= dropped
            if queue > 0.0 and rate > 0.0:
                wait_s = min(queue / rate, p.pod[Pod.QUEUE_LIMIT_S, lane])
            for point in range(6):
                row = Point.TTFT_P50_S + point
                now.pod[PodNow.TTFT_P50_S + point, lane] = here[row] + weight * (there[row] - here[row])
            meets = here[Point.MEETS_SLO_FRAC] + weight * (
                there[Point.MEETS_SLO_FRAC] - here[Point.MEETS_SLO_FRAC]
            )
            if wait_s > 0.0:
                meets = _met_after_wait(
                    meets,
                    wait_s,
                    p.pod[Pod.SLO_TTFT_S, lane],
                    now.pod[PodNow.TTFT_P50_S, lane],
                    now.pod[PodNow.TTFT_P90_S, lane],
                    now.pod[PodNow.TTFT_P99_S, lane],
                )
                for point in range(3):
                    now.pod[PodNow.TTFT_P50_S + point, lane] += wait_s
            useful = output * meets
        now.pod[PodNow.ARRIVED_TOKENS, lane] = arrived
        now.pod[PodNow.OUTPUT_TOKENS, lane] = output
        now.pod[PodNow.DROPPED_TOKENS, lane] = dropped
        now.pod[PodNow.USEFUL_TOKENS, lane] = useful
        now.pod[PodNow.QUEUE_TOKENS, lane] = queue
        now.pod[PodNow.BATCH, lane] = here[Point.BATCH] + weight * (there[Point.BATCH] - here[Point.BATCH])
        now.pod[PodNow.TRAINED_TOKENS, lane] = (
            rate * dt_s * now.job_share[workload - first_job] * able if kind == Kind.JOB else 0.0
        )
