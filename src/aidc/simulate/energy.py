"""The energy engine: seconds to years, one fixed step, no algebraic loop inside a step.

Order of a step: inputs, compute and IT (`pods`), chains (`chain`), cooling (`cool`), site bus and
shedding (`bus`), commit, record. This file owns the loop; the rooms of the physics own the laws.
"""

from __future__ import annotations

from aidc.jit import engine, part
from aidc.plant.training import TrainingClock, TrainingLevels, step_job
from aidc.simulate.arrays import Inputs, Knobs, Params, Records, Scratch, State
from aidc.simulate.bus import balance_bus, leave_unserved, shed_pods
from aidc.simulate.chain import feed_chain
from aidc.simulate.cool import cool_electric, exchange_heat
from aidc.simulate.fields import (
    Channel,
    Hold,
    PlantState,
    Pod,
    PodKnob,
    PodNow,
    PodState,
    SiteNow,
    Store,
    StoreNow,
)
from aidc.simulate.pods import run_pods, share_work

__all__ = ["NOT_FINITE", "OK", "advance"]

OK = 0
NOT_FINITE = 1

_FAR = 1 << 62
_ALL_PODS = 1.0 - 1e-9
_SHORT_W = 1e-6  # a shortage below a microwatt is rounding


@part
def _seek(inputs: Inputs, now: Scratch, tick: int) -> None:
    """Set each series' cursor to a tick; a series that ends before the run starts again."""
    for channel in range(inputs.first.shape[0]):
        place = (tick + inputs.shift[channel]) % (inputs.length[channel] * inputs.ticks[channel])
        now.cursor[0, channel] = place // inputs.ticks[channel]
        now.cursor[1, channel] = place % inputs.ticks[channel]


@part
def _read(inputs: Inputs, now: Scratch, design: int) -> None:
    """Read every series at this step and move on by one tick."""
    for channel in range(inputs.first.shape[0]):
        sample = now.cursor[0, channel]
        passed = now.cursor[1, channel]
        first = inputs.first[channel]
        value = inputs.values[first + sample]
        ticks = inputs.ticks[channel]
        if inputs.hold[channel] == Hold.LINEAR:
            after = sample + 1 if sample + 1 < inputs.length[channel] else 0
            value += (inputs.values[first + after] - value) * (passed + 0.5) / ticks
        now.channel[channel] = value * inputs.scale[channel, design]
        passed += 1
        if passed == ticks:
            passed = 0
            sample += 1
            if sample == inputs.length[channel]:
                sample = 0
        now.cursor[0, channel] = sample
        now.cursor[1, channel] = passed


@part
def _limit_loads(p: Params, knobs: Knobs, now: Scratch) -> None:
    """Translate the batch limits in force into the highest load of each pod (once a block)."""
    for lane in range(p.pod.shape[1]):
        last = p.batch_load.shape[1] - 1
        place = min(max(knobs.pod[PodKnob.BATCH_FRAC, lane], 0.0), 1.0) * last
        low = min(int(place), last - 1)
        a = p.batch_load[lane, low]
        now.load_limit[lane] = a + (place - low) * (p.batch_load[lane, low + 1] - a)


@part
def _read_jobs(p: Params, state: State, now: Scratch, design: int, tick: int, first_job: int) -> None:
    """Where each job stands on its own clock, which advances only while all its pods can work."""
    jobs = p.job_start.shape[0]
    for job in range(jobs):
        slot = design * jobs + job
        now.job_load[job] = 0.0
        now.job_share[job] = 0.0
        now.job_runs[job] = 0.0
        now.job_fault[job] = state.job_fault[slot]
        if (
            p.job_start[job] <= tick < p.job_end[job]
            and state.job_tokens[slot] < p.job_tokens[job]
            and now.share[first_job + job] > _ALL_PODS
        ):
            c = p.job_clock[:, job]
            clock = TrainingClock(
                0, _FAR, p.job_restart[job],
                c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7], c[8], c[9], c[10], c[11], c[12], c[13],
            )  # fmt: skip
            v = p.job_levels[:, job]
            levels = TrainingLevels(v[0], v[1], v[2], v[3], v[4], v[5])
            faults = p.fault_tick[p.fault_first[job] : p.fault_first[job + 1]]
            load, _, kept, _, fault = step_job(
                int(state.job_tick[slot]), int(state.job_fault[slot]), faults, clock, levels
            )
            now.job_load[job] = load
            now.job_share[job] = kept
            now.job_runs[job] = 1.0
            now.job_fault[job] = fault


@part
def _commit_jobs(
    p: Params, state: State, now: Scratch, design: int, first: int, last: int, first_job: int
) -> None:
    """Advance the clocks of the jobs that ran, and count what they trained."""
    jobs = p.job_start.shape[0]
    for lane in range(first, last):
        job = int(p.pod[Pod.WORKLOAD, lane]) - first_job
        if job >= 0:
            state.job_tokens[design * jobs + job] += now.pod[PodNow.TRAINED_TOKENS, lane]
    for job in range(jobs):
        slot = design * jobs + job
        if now.job_runs[job] > 0.0:
            state.job_tick[slot] += 1
            state.job_fault[slot] = now.job_fault[job]


@part
def _start_step(state: State, now: Scratch, first: int, last: int) -> None:
    """Clear the sums of the step and keep off the pods that were shed a moment ago."""
    now.site[SiteNow.REJECTED_W] = 0.0
    now.site[SiteNow.REUSED_W] = 0.0
    now.site[SiteNow.AMBIENT_W] = 0.0
    now.site[SiteNow.DRY_BULB_K] = now.channel[Channel.DRY_BULB_K]
    now.site[SiteNow.WET_BULB_K] = now.channel[Channel.WET_BULB_K]
    for lane in range(first, last):
        now.shed[lane] = 1.0 if state.pod[PodState.SHED_S, lane] > 0.0 else 0.0


@part
def _commit(p: Params, state: State, now: Scratch, design: int, first: int, last: int) -> None:
    """Make the end of this step the start of the next."""
    for lane in range(first, last):
        restart_s = p.pod[Pod.RESTART_S, lane]
        if now.shed[lane] > 0.0 and state.pod[PodState.SHED_S, lane] <= 0.0:
            state.pod[PodState.SHED_S, lane] = restart_s
        state.pod[PodState.SHED_S, lane] = max(state.pod[PodState.SHED_S, lane] - p.dt_s, 0.0)
        case_k = now.pod[PodNow.CASE_K, lane]
        trip_s = state.pod[PodState.TRIP_S, lane] - p.dt_s
        state.pod[PodState.TRIP_S, lane] = (
            restart_s if case_k >= p.pod[Pod.TRIP_K, lane] else max(trip_s, 0.0)
        )
        state.pod[PodState.QUEUE_TOKENS, lane] = now.pod[PodNow.QUEUE_TOKENS, lane]
        state.pod[PodState.LOOP_K, lane] = now.node[0, lane]
        state.pod[PodState.AIR_K, lane] = now.node[1, lane]
        state.pod[PodState.CASE_K, lane] = case_k
        state.pod[PodState.ACCELERATOR_W, lane] = now.pod[PodNow.ACCELERATOR_W, lane]
    plants = p.plant.shape[1] // p.site.shape[1]
    for plant in range(design * plants, (design + 1) * plants):
        state.plant[PlantState.SUPPLY_K, plant] = now.facility_k[plant]
        state.plant[PlantState.CONDUCTANCE_W_K, plant] = now.conductance[plant]
    stores = p.store.shape[1] // p.site.shape[1]
    now.site[SiteNow.IMPORT_W] = max(now.site[SiteNow.NET_IMPORT_W], 0.0)
    now.site[SiteNow.EXPORT_W] = max(-now.site[SiteNow.NET_IMPORT_W], 0.0)
    now.site[SiteNow.AMBIENT_W] += now.site[SiteNow.AUXILIARY_W] + now.site[SiteNow.TRANSFORMER_W]
    for store in range(design * stores, (design + 1) * stores):
        state.soc_frac[store] = now.soc_frac[store]
        state.smooth_w[store] = now.smooth_w[store]
        if p.store[Store.LANE, store] < 0.0:  # those in a lineup were booked where they stand
            now.site[SiteNow.AMBIENT_W] += now.store[StoreNow.LOSS_W, store]
    state.genset_s[design] = now.genset_s[design]


@part
def _sum_up(p: Params, now: Scratch, out: Records, row: int, design: int, first: int, last: int) -> None:
    """Add this step to the sums of the output step, and keep the extremes."""
    for field in range(PodNow.SUPPLY_K + 1):
        for lane in range(first, last):
            now.sum_pod[field, lane] += now.pod[field, lane]
    for stage in range(now.stage.shape[0]):
        for lane in range(first, last):
            now.sum_stage[stage, lane] += now.stage[stage, lane]
    for lane in range(first, last):
        out.case_k[row, lane] = max(out.case_k[row, lane], now.pod[PodNow.CASE_K, lane])
    plants = p.plant.shape[1] // p.site.shape[1]
    for field in range(now.plant.shape[0]):
        for plant in range(design * plants, (design + 1) * plants):
            now.sum_plant[field, plant] += now.plant[field, plant]
    stores = p.store.shape[1] // p.site.shape[1]
    for field in range(now.store.shape[0]):
        for store in range(design * stores, (design + 1) * stores):
            now.sum_store[field, store] += now.store[field, store]
    for field in range(now.site.shape[0]):
        now.sum_site[field, design] += now.site[field]
    net = now.site[SiteNow.NET_IMPORT_W]
    out.net_import_w[row, 0, design] = min(out.net_import_w[row, 0, design], net)
    out.net_import_w[row, 1, design] = max(out.net_import_w[row, 1, design], net)


@part
def _write_row(
    p: Params,
    state: State,
    now: Scratch,
    out: Records,
    row: int,
    design: int,
    first: int,
    last: int,
    steps: int,
) -> None:
    """Turn the sums into the means of an output step, and start the next."""
    share = 1.0 / steps
    for lane in range(first, last):
        for field in range(PodNow.SUPPLY_K + 1):
            out.pod[row, field, lane] = now.sum_pod[field, lane] * share
            now.sum_pod[field, lane] = 0.0
        out.queue_tokens[row, lane] = state.pod[PodState.QUEUE_TOKENS, lane]
        out.loop_k[row, 0, lane] = state.pod[PodState.LOOP_K, lane]
        out.loop_k[row, 1, lane] = state.pod[PodState.AIR_K, lane]
        for stage in range(now.stage.shape[0]):
            out.stage[row, stage, lane] = now.sum_stage[stage, lane] * share
            now.sum_stage[stage, lane] = 0.0
    plants = p.plant.shape[1] // p.site.shape[1]
    for plant in range(design * plants, (design + 1) * plants):
        out.facility_k[row, plant] = state.plant[PlantState.SUPPLY_K, plant]
        for field in range(now.plant.shape[0]):
            out.plant[row, field, plant] = now.sum_plant[field, plant] * share
            now.sum_plant[field, plant] = 0.0
    stores = p.store.shape[1] // p.site.shape[1]
    for store in range(design * stores, (design + 1) * stores):
        out.soc_frac[row, store] = state.soc_frac[store]
        for field in range(now.store.shape[0]):
            out.store[row, field, store] = now.sum_store[field, store] * share
            now.sum_store[field, store] = 0.0
    for field in range(now.site.shape[0]):
        out.site[row, field, design] = now.sum_site[field, design] * share
        now.sum_site[field, design] = 0.0


@engine
def advance(
    p: Params,
    inputs: Inputs,
    knobs: Knobs,
    state: State,
    now: Scratch,
    out: Records,
    first_tick: int,
    n_steps: int,
    steps_per_row: int,
    first_job: int,
) -> int:
    """Advance every design by `n_steps`, writing one row per `steps_per_row` steps into `out`.

    State and records change in place. Returns OK or NOT_FINITE.
    """
    designs = p.site.shape[1]
    pods = p.pod.shape[1] // designs
    _limit_loads(p, knobs, now)
    for design in range(designs):
        first = design * pods
        last = first + pods
        _seek(inputs, now, first_tick)
        row = 0
        in_row = 0
        for tick in range(first_tick, first_tick + n_steps):
            _read(inputs, now, design)
            _start_step(state, now, first, last)
            short_w = 0.0
            for attempt in range(2):
                share_work(p, knobs, state, now, first, last)
                _read_jobs(p, state, now, design, tick, first_job)
                run_pods(p, knobs, state, now, first, last, first_job)
                feed_chain(p, knobs, state, now, design, first, last)
                cool_electric(p, knobs, state, now, design, first, last)
                short_w = balance_bus(p, knobs, state, now, design, first, last)
                if short_w <= _SHORT_W or attempt == 1:
                    break
                shed_pods(p, now, design, first, short_w)
            if short_w > _SHORT_W:
                leave_unserved(p, now, design, short_w, first, last)
            exchange_heat(p, state, now, design, first, last)
            _commit_jobs(p, state, now, design, first, last, first_job)
            _commit(p, state, now, design, first, last)
            _sum_up(p, now, out, row, design, first, last)
            in_row += 1
            if in_row == steps_per_row:
                _write_row(p, state, now, out, row, design, first, last, in_row)
                in_row = 0
                row += 1
        net = now.site[SiteNow.NET_IMPORT_W]
        if not (-1e15 < net < 1e15):
            return NOT_FINITE
    return OK
