"""The energy engine: seconds to years, one fixed step, no algebraic loop inside a step.

Order of a step: inputs, compute and IT (`pods`), chains (`chain`), cooling (`cool`), site bus and
shedding (`bus`), commit, record. This file owns the loop; the rooms of the physics own the laws.
"""

from __future__ import annotations

import numpy as np

from aidc.jit import engine, glue, inner, part, scalar
from aidc.plant.training import TrainingClock, TrainingLevels, step_job
from aidc.plant.width import RUNS, STOPS, step_width
from aidc.simulate.energy.arrays import Fixed, Inputs, Knobs, Rows, Scratch, Span, State
from aidc.simulate.energy.bus import balance_calm, lacks_of_wants
from aidc.simulate.energy.chain import count_help, feed_chain
from aidc.simulate.energy.cool import cool_electric, exchange_heat
from aidc.simulate.energy.fields import (
    BusNow,
    Channel,
    GensetRange,
    GensetState,
    Hold,
    JobWidth,
    Plant,
    PlantState,
    Pod,
    PodCell,
    PodFlux,
    PodKnob,
    PodNow,
    PodState,
    Site,
    SiteNow,
    StoreNow,
    Wanted,
)
from aidc.simulate.energy.pods import keep_cells, leave_cell, run_pods, share_work
from aidc.simulate.energy.served import hang_on_ups
from aidc.simulate.energy.shed import MOST_LEVEL, foul_pass, note_wants
from aidc.simulate.energy.sources import burn_fuel, open_bus, open_foul

__all__ = ["NOT_FINITE", "OK", "advance"]

OK = 0
NOT_FINITE = 1

_FAR = 1 << 62
_ALL_PODS = 1.0 - 1e-9
_TRAINS, _CHANGES = 1.0, 0.5  # what a job does in a step, else nothing
_OPENED = MOST_LEVEL - 1.0  # level from which the lineups' breakers are open
_LONG_S = 1e9
_SPARE_PASSES = 8  # beside one for each pod that goes and one for each that comes back


@scalar
def _share_of(design: int, count: int) -> range:
    """The rows of one design. Unsigned, so that no index is tested for counting from the end."""
    return range(np.uint64(design * count), np.uint64((design + 1) * count))


@part
def _seek(inputs: Inputs, now: Scratch, tick: int) -> None:
    """Set each series' cursor to a tick; a series that ends before the run starts again."""
    for channel in range(inputs.first.shape[0]):
        place = (tick + inputs.shift[channel]) % (inputs.length[channel] * inputs.ticks[channel])
        now.cursor[channel, 0] = place // inputs.ticks[channel]
        now.cursor[channel, 1] = place % inputs.ticks[channel]


@part
def _read(inputs: Inputs, now: Scratch) -> None:
    """Read every series at this step and move on by one tick."""
    for channel in range(inputs.first.shape[0]):
        sample = now.cursor[channel, 0]
        passed = now.cursor[channel, 1]
        first = inputs.first[channel]
        value = inputs.values[first + sample]
        ticks = inputs.ticks[channel]
        if inputs.hold[channel] == Hold.LINEAR:
            after = sample + 1 if sample + 1 < inputs.length[channel] else 0
            value += (inputs.values[first + after] - value) * (passed + 0.5) / ticks
        for design in range(now.channel.shape[0]):
            now.channel[design, channel] = value * inputs.scale[channel, design]
        passed += 1
        if passed == ticks:
            passed = 0
            sample += 1
            if sample == inputs.length[channel]:
                sample = 0
        now.cursor[channel, 0] = sample
        now.cursor[channel, 1] = passed


@part
def _set_limits(p: Fixed, knobs: Knobs, now: Scratch) -> None:
    """What holds for a block: each pod's highest load at its batch limit, and what a step can make."""
    for lane in range(p.pod.shape[0]):
        last = p.batch_load.shape[1] - 1
        place = min(max(knobs.pod[lane, PodKnob.BATCH_FRAC], 0.0), 1.0) * last
        low = min(int(place), last - 1)
        a = p.batch_load[lane, low]
        now.plain[lane] = 0.0  # set points may have changed
        now.load_limit[lane] = a + (place - low) * (p.batch_load[lane, low + 1] - a)
        most = p.pod[lane, Pod.RATE_MAX_PER_S] * knobs.pod[lane, PodKnob.REPLICA_FRAC] * p.dt_s
        now.per_step_max[lane] = 1.0 / most if most > 0.0 else 0.0


@part
def _active(p: Fixed, state: State, job: int, slot: int, tick: int) -> bool:
    """Whether a job has begun and is not over."""
    return p.job_start[job] <= tick < p.job_end[job] and state.job_tokens[slot] < p.job_tokens[job]


@part
def _set_widths(p: Fixed, knobs: Knobs, state: State, now: Scratch, at: Span, tick: int) -> None:
    """How many of its accelerators each job holds, and where a change of that stands."""
    jobs = p.job_start.shape[0]
    for job in range(jobs):
        slot = at.design * jobs + job
        phase, left, width = (
            int(state.job_phase[slot]),
            int(state.job_left[slot]),
            float(state.job_width[slot]),
        )
        asked = float(knobs.job[slot])
        if (phase != RUNS or width != asked) and _active(p, state, job, slot, tick):
            costs = p.job_width[job]
            phase, left, width = step_width(
                phase, left, width, asked, bool(state.job_tick[slot] > 0),
                int(costs[JobWidth.STOP_TICKS]), int(costs[JobWidth.START_TICKS]),
            )  # fmt: skip
        now.job_phase[job] = phase
        now.job_left[job] = left
        now.job_width[job] = width


@part
def _read_jobs(p: Fixed, state: State, now: Scratch, at: Span, tick: int, first_job: int) -> None:
    """Where each job stands on its own clock, which advances only while all the pods that it holds can work."""
    jobs = p.job_start.shape[0]
    for job in range(jobs):
        slot = at.design * jobs + job
        now.job_load[job] = 0.0
        now.job_share[job] = 0.0
        now.job_runs[job] = 0.0
        now.job_fault[job] = state.job_fault[slot]
        held = now.job_width[job]
        if not _active(p, state, job, slot, tick) or now.share[first_job + job] < held * _ALL_PODS:
            continue
        if now.job_phase[job] != RUNS:
            now.job_runs[job] = _CHANGES
            now.job_load[job] = _changing_frac(p, now, job)
        elif held > 0.0:
            c = p.job_clock[job]
            clock = TrainingClock(
                0, _FAR, p.job_restart[job],
                c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7], c[8], c[9], c[10], c[11], c[12], c[13],
            )  # fmt: skip
            v = p.job_levels[job]
            levels = TrainingLevels(v[0], v[1], v[2], v[3], v[4], v[5])
            faults = p.fault_tick[p.fault_first[job] : p.fault_first[job + 1]]
            load, _, kept, _, fault = step_job(
                int(state.job_tick[slot]), int(state.job_fault[slot]), faults, clock, levels
            )
            now.job_load[job] = load
            now.job_share[job] = kept
            now.job_runs[job] = _TRAINS
            now.job_fault[job] = fault
        else:  # it holds no accelerator
            now.job_runs[job] = _CHANGES


@part
def _changing_frac(p: Fixed, now: Scratch, job: int) -> float:
    """Power over rated of the accelerators of a job that stops, restarts or loads."""
    levels = p.job_levels[job]
    if now.job_phase[job] == STOPS:
        return levels[3]  # it saves, as at a checkpoint
    if now.job_left[job] > p.job_width[job, JobWidth.LOADING_TICKS]:
        return levels[4]  # processes start, as after a fault
    return p.job_width[job, JobWidth.LOADING_FRAC]


@part
def _commit_jobs(p: Fixed, state: State, now: Scratch, at: Span, first_job: int) -> None:
    """Advance the clocks of the jobs that ran, and count what they trained."""
    jobs = p.job_start.shape[0]
    for lane in at.lanes:
        job = p.workload[lane] - first_job
        if job >= 0:
            state.job_tokens[at.design * jobs + job] += now.pod[lane, PodNow.TRAINED_TOKENS]
    for job in range(jobs):
        slot = at.design * jobs + job
        if now.job_runs[job] > 0.0:
            state.job_phase[slot] = now.job_phase[job]
            state.job_left[slot] = max(now.job_left[job] - 1, 0)
            state.job_width[slot] = now.job_width[job]
        if now.job_runs[job] == _TRAINS:
            state.job_tick[slot] += 1
            state.job_fault[slot] = now.job_fault[job]


@part
def _commit_pods(p: Fixed, state: State, now: Scratch, at: Span) -> None:
    """What pods remember, and what they wanted and drew."""
    for lane in at.lanes:
        was = state.pod[lane]
        is_now = now.pod[lane]
        pod = p.pod[lane]
        is_now[PodNow.BUS_WANTED_W] = now.flux[lane, PodFlux.PASS_W]
        is_now[PodNow.BUS_W] = now.flux[lane, PodFlux.BUS_W]
        trip_s = max(was[PodState.TRIP_S] - p.dt_s, 0.0)
        tripped = was[PodState.HOT_FRAC] >= 1.0
        was[PodState.TRIP_S] = pod[Pod.RESTART_S] if tripped else trip_s
        was[PodState.QUEUE_TOKENS] = now.flux[lane, PodFlux.QUEUE_TOKENS]
        was[PodState.ACCELERATOR_W] = is_now[PodNow.ACCELERATOR_W]


@part
def _commit_shed(p: Fixed, state: State, now: Scratch, at: Span) -> None:
    """What pods that are off were not supplied with, and how long they and their lineups wait."""
    bus = now.bus[at.design]
    fed = bus[BusNow.FORMED] > 0.0 and bus[BusNow.LEVEL] < _OPENED
    unserved = 0.0
    for lane in at.lanes:
        was = state.pod[lane]
        is_now = now.pod[lane]
        shed = now.shed[lane]
        missing = max(now.wanted[lane, Wanted.IT_W] - is_now[PodNow.IT_W], 0.0) * shed
        unserved += missing
        is_now[PodNow.NOT_SUPPLIED_W] = missing
        is_now[PodNow.TRIP_FRAC] *= 1.0 - shed  # off for one reason at a time
        is_now[PodNow.BUS_WANTED_W] = now.wanted[lane, Wanted.BUS_W]
        wait_s = was[PodState.SHED_S] if was[PodState.OFF] > 0.0 else p.pod[lane, Pod.RETURN_WAIT_S]
        was[PodState.SHED_S] = max(wait_s - p.dt_s, 0.0) * shed
        was[PodState.OFF] = shed
        was[PodState.INPUT_S] = min(was[PodState.INPUT_S] + p.dt_s, _LONG_S) if fed else 0.0
    now.site[at.design, SiteNow.UNSERVED_W] = unserved


@part
def _commit(p: Fixed, state: State, now: Scratch, at: Span, calm: bool) -> None:
    """Make the end of this step the start of the next; what is warm was advanced by `exchange_heat`."""
    _commit_pods(p, state, now, at)
    net = now.site[at.design, SiteNow.NET_IMPORT_W]
    now.site[at.design, SiteNow.IMPORT_W] = max(net, 0.0)
    now.site[at.design, SiteNow.EXPORT_W] = max(-net, 0.0)
    now.site[at.design, SiteNow.DRY_BULB_K] = now.channel[at.design, Channel.DRY_BULB_K]
    now.site[at.design, SiteNow.WET_BULB_K] = now.channel[at.design, Channel.WET_BULB_K]
    ambient = (
        now.site[at.design, SiteNow.AMBIENT_W]
        + now.site[at.design, SiteNow.AUXILIARY_W]
        + now.site[at.design, SiteNow.TRANSFORMER_W]
        + now.site[at.design, SiteNow.LOAD_BANK_W]
    )
    for place in range(p.site_store.shape[1]):
        store = p.site_store[at.design, place]
        state.soc_frac[store] = now.soc_frac[store]
        state.smooth_w[store] = now.smooth_w[store]
        ambient += now.store[store, StoreNow.LOSS_W]  # those in a lineup were booked where they stand
    now.site[at.design, SiteNow.AMBIENT_W] = ambient
    _commit_lineups(p, state, now, at)
    if not calm:
        _commit_foul(p, state, now, at)


@part
def _commit_lineups(p: Fixed, state: State, now: Scratch, at: Span) -> None:
    """What the storages of lineups remember; those of plain lineups have not moved, nor has what they draw."""
    bus = now.bus[at.design]
    if bus[BusNow.MOVING] + bus[BusNow.MOVED] <= 0.0:
        return
    auxiliary = 0.0
    for lane in at.lanes:
        for place in range(p.lane_store[lane, 0], p.lane_store[lane, 1]):
            store = p.node_store[place]
            state.soc_frac[store] = now.soc_frac[store]
            state.smooth_w[store] = now.smooth_w[store]
            auxiliary += now.auxiliary_w[store]
    bus[BusNow.LINEUP_AUXILIARY_W] = auxiliary
    bus[BusNow.MOVED] = bus[BusNow.MOVING]


@inner
def _commit_foul(p: Fixed, state: State, now: Scratch, at: Span) -> None:
    """What was not supplied, fuel, the clocks of what starts again, and whether the site has come to rest."""
    _commit_shed(p, state, now, at)
    burn_fuel(p, state, now, at)
    bus = now.bus[at.design]
    fed = bus[BusNow.FORMED] > 0.0 and bus[BusNow.LEVEL] <= 0.0
    calm = fed and now.channel[at.design, Channel.GRID] > 0.0
    for plant in at.plants:
        held_s = state.plant[plant, PlantState.BUS_S]
        held_s = min(held_s + p.dt_s, _LONG_S) if fed else 0.0
        state.plant[plant, PlantState.BUS_S] = held_s
        fixed = p.plant[plant]
        calm = calm and held_s >= fixed[Plant.RESTART_S] + fixed[Plant.RAMP_S]
        calm = calm and held_s >= fixed[Plant.COMPRESSOR_RESTART_S]
    for lane in at.lanes:
        pod = p.pod[lane]
        calm = calm and state.pod[lane, PodState.OFF] <= 0.0
        walked_s = pod[Pod.INPUT_RETURN_S] + pod[Pod.WALK_IN_S]
        calm = calm and state.pod[lane, PodState.INPUT_S] >= walked_s
    for genset in at.gensets:
        calm = calm and state.genset[genset, GensetState.CLOCK_S] <= 0.0
        calm = calm and now.genset_range[genset, GensetRange.ONLINE_W] <= 0.0
    for outage in range(p.outage.shape[0]):
        calm = calm and now.channel[at.design, p.first_outage + outage] >= 1.0
    if calm:
        _come_to_rest(state, now, at)


@part
def _come_to_rest(state: State, now: Scratch, at: Span) -> None:
    """Leave everything as a calm step expects it."""
    state.calm[at.design] = 1.0
    now.bus[at.design, BusNow.WISHES] = 0.0
    for lane in at.lanes:
        now.flux[lane, PodFlux.INPUT_FRAC] = 1.0
        for consumer in range(now.pod_served.shape[1]):
            now.pod_served[lane, consumer] = 1.0
    for plant in at.plants:
        for consumer in range(now.plant_served.shape[1]):
            now.plant_served[plant, consumer] = 1.0
    for genset in at.gensets:
        state.genset[genset, GensetState.POWER_W] = 0.0


@part
def _sum_up(state: State, now: Scratch, out: Rows, row: int, step: int) -> None:
    """Add this step to the sums of its row, and keep the extremes and the way of the storages."""
    for quantity in range(now.step.shape[0]):
        now.total[quantity] += now.step[quantity]
    for lane in range(out.case_k.shape[1]):
        out.case_k[row, lane] = max(out.case_k[row, lane], state.pod[lane, PodState.CASE_K])
    for design in range(out.net_import_w.shape[2]):
        net = now.site[design, SiteNow.NET_IMPORT_W]
        out.net_import_w[row, 0, design] = min(out.net_import_w[row, 0, design], net)
        out.net_import_w[row, 1, design] = max(out.net_import_w[row, 1, design], net)
    for store in range(state.soc_frac.shape[0]):
        out.soc_path[row, step, store] = state.soc_frac[store]


@part
def _write_row(state: State, now: Scratch, out: Rows, row: int, steps: int) -> None:
    """Turn the sums into the means of a row, and start the next."""
    for lane in range(state.pod.shape[0]):
        leave_cell(now, lane)
        for time in (PodCell.TTFT_P50_S, PodCell.TTFT_P90_S, PodCell.TTFT_P99_S):
            now.cell_total[lane, time] += now.pod_total[lane, PodNow.WAIT_S]
        out.queue_tokens[row, lane] = state.pod[lane, PodState.QUEUE_TOKENS]
        out.loop_k[row, 0, lane] = state.pod[lane, PodState.LOOP_K]
        out.loop_k[row, 1, lane] = state.pod[lane, PodState.AIR_K]
    for plant in range(state.plant.shape[0]):
        out.facility_k[row, plant] = state.plant[plant, PlantState.SUPPLY_K]
    for store in range(state.soc_frac.shape[0]):
        out.soc_frac[row, store] = state.soc_frac[store]
    for job in range(out.job_width.shape[1]):
        out.job_width[row, job] = state.job_width[job]
    share = 1.0 / steps
    for quantity in range(now.total.shape[0]):
        out.mean[row, quantity] = now.total[quantity] * share
        now.total[quantity] = 0.0


@part
def _take(
    p: Fixed,
    knobs: Knobs,
    state: State,
    now: Scratch,
    at: Span,
    tick: int,
    first_job: int,
    calm: bool,
    wants: bool,
) -> None:
    """What pods, chains and cooling take, from the state at the start of the step."""
    _set_widths(p, knobs, state, now, at, tick)
    share_work(p, knobs, state, now, at, first_job)
    _read_jobs(p, state, now, at, tick, first_job)
    run_pods(p, knobs, state, now, at, first_job, wants)
    feed_chain(p, knobs, state, now, at, calm)
    cool_electric(p, knobs, state, now, at)


@part
def _calm_step(
    p: Fixed, knobs: Knobs, state: State, now: Scratch, at: Span, tick: int, first_job: int
) -> bool:
    """One pass with everything on; False where something lacks, and the step must be looked at closely."""
    _take(p, knobs, state, now, at, tick, first_job, True, True)
    if p.site[at.design, Site.ON_UPS] > 0.0:
        if now.bus[at.design, BusNow.ACTING] > 0.0:  # storages that see that cooling
            return False
        hang_on_ups(p, now, at, True)
    count_help(p, now, at)
    if lacks_of_wants(p, now, at, True):
        return False
    balance_calm(p, knobs, state, now, at)
    return True


@inner
def _foul_step(
    p: Fixed, knobs: Knobs, state: State, now: Scratch, at: Span, tick: int, first_job: int
) -> None:
    """A step in which something may lack.

    The first pass, with every pod on, tells what is wanted; further passes, each from the state at the start of the
    step, take off who cannot be carried and let back who can.
    """
    wants = True
    may_return = 1.0
    open_foul(p, state, now, at)
    for _ in range(2 * p.pod.shape[0] + _SPARE_PASSES):
        _take(p, knobs, state, now, at, tick, first_job, False, wants)
        if wants:
            if p.site[at.design, Site.ON_UPS] > 0.0:
                hang_on_ups(p, now, at, False)
            lacking = lacks_of_wants(p, now, at, False)
            wants = False
            if note_wants(p, state, now, at, lacking) > 0.0:
                continue
        if not foul_pass(p, knobs, state, now, at, may_return):
            break
        may_return *= 1.0 - now.bus[at.design, BusNow.CAME]


@glue
def _step(p: Fixed, knobs: Knobs, state: State, now: Scratch, at: Span, tick: int, first_job: int) -> None:
    """One step of one design."""
    calm = open_bus(p, state, now, at)
    if calm:
        calm = _calm_step(p, knobs, state, now, at, tick, first_job)
    if not calm:
        _foul_step(p, knobs, state, now, at, tick, first_job)
    exchange_heat(p, state, now, at)
    keep_cells(now, at)
    _commit_jobs(p, state, now, at, first_job)
    _commit(p, state, now, at, calm)


@engine
def advance(
    p: Fixed,
    inputs: Inputs,
    knobs: Knobs,
    state: State,
    now: Scratch,
    out: Rows,
    first_tick: int,
    n_steps: int,
    steps_per_row: int,
    first_job: int,
) -> int:
    """Advance every design by `n_steps`, writing one row per `steps_per_row` steps into `out`.

    State and records change in place. Returns OK or NOT_FINITE.

    `first_tick` counts the run's steps so far, and `first_job` is the number of the design's first job among all.
    """
    designs = p.site.shape[0]
    _set_limits(p, knobs, now)
    _seek(inputs, now, first_tick)
    row = 0
    in_row = 0
    for tick in range(first_tick, first_tick + n_steps):
        _read(inputs, now)
        for design in range(designs):
            at = Span(
                design,
                _share_of(design, p.pod.shape[0] // designs),
                _share_of(design, p.plant.shape[0] // designs),
                _share_of(design, p.store.shape[0] // designs),
                _share_of(design, p.genset.shape[0] // designs),
            )
            _step(p, knobs, state, now, at, tick, first_job)
        _sum_up(state, now, out, row, in_row)
        in_row += 1
        if in_row == steps_per_row:
            _write_row(state, now, out, row, in_row)
            in_row = 0
            row += 1
    for design in range(designs):
        net = now.site[design, SiteNow.NET_IMPORT_W]
        if not (-1e15 < net < 1e15):
            return NOT_FINITE
    return OK
