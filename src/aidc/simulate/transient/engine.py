"""The transient engine: milliseconds, phasors, every step solved together with the network.

Order of a step: the grid's course, events of the load, what racks and motors ask for, storages, the
network, lineups and motors at the solved voltage, machines, record. Nothing in a step waits for the step
before but states with a time constant.
"""

from __future__ import annotations

import cmath
import math

from aidc.jit import engine, part
from aidc.plant.network.source import sending_power, sending_voltage
from aidc.simulate.transient.answering import answer
from aidc.simulate.transient.arrays import FloatArray, IntArray, Plan, State, Work
from aidc.simulate.transient.breaker import breaker, lacks
from aidc.simulate.transient.consumers import DRIVE_KNEE_PU, KNEE_PU, passive_share, renewable_share
from aidc.simulate.transient.drives import ask_drives, run_drives
from aidc.simulate.transient.fields import (
    Action,
    Drive,
    DriveState,
    Energy,
    LaneState,
    Out,
    Segment,
    SiteParam,
    SiteState,
    StoreState,
    Total,
)
from aidc.simulate.transient.gensets import call_gensets, give, settle_gensets
from aidc.simulate.transient.kirchhoff import check_bus, check_source
from aidc.simulate.transient.load import run_jobs, wish
from aidc.simulate.transient.network import form, solve_bus
from aidc.simulate.transient.repeating import QUIET, again, remember
from aidc.simulate.transient.storing import ask_storages, book_storages, island_hz, turn_machines
from aidc.simulate.transient.supply import nothing_moves, supply_as_before, supply_lanes

__all__ = ["OK", "UNSTABLE", "advance"]

OK = 0
UNSTABLE = 1
_WILD_PU = 3.0  # no voltage of a site reaches this
_WILD_W = 1e15
_JUMP_PU = 1e-3
_MANY_FLIPS = 20.0
_FIRST_WAIT = 16  # steps after one that did move something, before another is looked at closely
_LONGEST_WAIT = 1024


@part
def _act(plan: Plan, state: State, tick: int) -> bool:
    """Events of the load that fall on this tick; true if there are any."""
    first = int(state.site[SiteState.ACTION])
    here = first
    while here < plan.action_tick.shape[0] and plan.action_tick[here] <= tick:
        kind = int(plan.action[0, here])
        target = int(plan.action[1, here])
        value = plan.action[2, here]
        if kind == Action.LOAD_FRAC:
            state.lane[LaneState.LOAD_FRAC, target] = value
        elif kind == Action.JOB_RUNS:
            state.job[0, target] = value
            state.job[3, target] = -math.inf
        else:
            state.drive[DriveState.PUMPS, target] = value
            state.site[SiteState.COASTING] = 1.0
        here += 1
    state.site[SiteState.ACTION] = here
    return here > first


@part
def _is_unstable(state: State, v_pu: float, power_w: float) -> bool:
    """Whether this step cannot be: wild, not a number, or the voltage has jumped to and fro for many steps."""
    jump = v_pu - state.site[SiteState.V_BUS]
    if min(abs(jump), abs(state.site[SiteState.JUMPED_PU])) > _JUMP_PU and (
        jump * state.site[SiteState.JUMPED_PU] < 0.0
    ):
        state.site[SiteState.FLIPS] += 1.0
    else:
        state.site[SiteState.FLIPS] = 0.0
    state.site[SiteState.JUMPED_PU] = jump
    state.site[SiteState.V_BUS] = v_pu
    return not (
        v_pu < _WILD_PU and -_WILD_W < power_w < _WILD_W and state.site[SiteState.FLIPS] < _MANY_FLIPS
    )


@part
def _feed(
    plan: Plan,
    state: State,
    work: Work,
    e_pu: float,
    grid_hz: float,
    grid_rad: float,
    segment: int,
    closed: bool,
    own_hz: float,
    store_pu: float,
) -> tuple[float, float, float, float, float, float, float]:
    """Solve the bus behind what feeds it: the grid, converters that form a voltage, or the generators.

    Returns its voltage, power and reactive power through the main transformer, those of the bus itself,
    frequency, and 1 for a collapse.
    """
    state.site[SiteState.UNSOLVED_NOW] = 0.0
    state.site[SiteState.LET_GO_NOW] = 0.0
    work.total[Total.FORMED_LACK_W] = 0.0
    r = plan.segment[Segment.SEEN_R, segment]
    x = plan.segment[Segment.SEEN_X, segment]
    e_pu *= plan.segment[Segment.SEEN_PU, segment]
    hz = grid_hz
    if own_hz > 0.0:
        grid = cmath.rect(e_pu, grid_rad + plan.segment[Segment.SEEN_RAD, segment])
        v, through_w, through_var, p, q, collapsed = form(plan, state, work, grid, r, x, closed, store_pu)
        if not closed:
            hz = own_hz
    else:
        source_pu = e_pu
        if not closed:
            source_pu = state.site[SiteState.CARRIES]
            hz = plan.site[SiteParam.NOMINAL_HZ] * state.site[SiteState.GENSET_OMEGA]
            r = plan.site[SiteParam.GENSET_R] / max(state.site[SiteState.GENSET_ONLINE_W], 1.0)
            x = plan.site[SiteParam.GENSET_X] / max(state.site[SiteState.GENSET_ONLINE_W], 1.0)
        v, p, q, collapsed = solve_bus(plan, state, work, source_pu, r, x, store_pu)
        through_w = p if closed else 0.0
        through_var = q if closed else 0.0
    if state.site[SiteState.CARRIES] <= 0.0:
        state.site[SiteState.UNSOLVED] += state.site[SiteState.UNSOLVED_NOW]
    return v, through_w, through_var, p, q, hz, collapsed


@part
def _meter(
    plan: Plan, e_pu: float, v_pu: float, through_w: float, through_var: float, closed: bool
) -> tuple[float, float, float, float]:
    """Voltage, power, reactive power at the point of interconnection, and the transformer's no-load loss."""
    poi_pu = e_pu
    poi_w = 0.0
    poi_var = 0.0
    iron = 0.0
    if closed:
        if v_pu > 0.0:
            r, x = plan.site[SiteParam.R_T], plan.site[SiteParam.X_T]
            poi_pu = sending_voltage(v_pu, r, x, through_w, through_var)
            poi_w, poi_var = sending_power(v_pu, r, x, through_w, through_var)
        iron = plan.site[SiteParam.IRON_W] * poi_pu * poi_pu
    return poi_pu, poi_w, poi_var, iron


@engine
def advance(
    plan: Plan,
    state: State,
    work: Work,
    out: FloatArray,
    where: IntArray,
    no_faults: IntArray,
    first_tick: int,
    n_steps: int,
) -> int:
    """Advance by `n_steps`, writing `out` [Out, step] and the segment of each step into `where`.

    Lineups of which nothing moves are not computed again: their sums stand as they were. Where a whole step has
    moved nothing, those that would be the same are not computed at all (`repeating.py`).
    Returns OK, or UNSTABLE at the first step that no site could be in.

    `no_faults` are faults of jobs that never come, in the form that the jobs' law reads, and `first_tick` counts the
    window's steps so far.
    """
    segment = int(state.site[SiteState.SEGMENT])
    whole = plan.segment.shape[1] - 1  # phases behind an open breaker
    gensets = plan.genset.shape[1] > 0
    quiet = 0
    wait = _FIRST_WAIT
    k = 0
    while k < n_steps:
        tick = first_tick + k
        while segment + 1 < plan.segment_tick.shape[0] and plan.segment_tick[segment + 1] <= tick:
            segment += 1
        where[k] = segment
        looks = quiet >= QUIET
        if looks:
            remember(state, work)
        e_pu, grid_hz, grid_rad, there = _grid_now(plan, state, segment, tick)
        own_hz = island_hz(plan, state)
        closed, trim_hz = breaker(plan, state, there, e_pu, grid_hz, grid_rad, own_hz)
        phases = segment if closed else whole
        still = _is_still(plan, state, work, no_faults, tick)
        wanted_w = _wants(plan, state, work, tick, still)
        load_w = wanted_w
        if gensets:
            load_w -= give(plan, state, work, load_w, closed)
        store_pu = ask_storages(plan, state, work, load_w, grid_hz if closed else state.site[SiteState.HZ])

        v, through_w, through_var, p, q, hz, collapsed = _feed(
            plan, state, work, e_pu, grid_hz, grid_rad, segment, closed, own_hz, store_pu
        )
        unstable = _is_unstable(state, v, p)
        state.site[SiteState.HZ] = hz
        state.site[SiteState.COLLAPSED] += collapsed if closed else 0.0
        poi_pu, poi_w, poi_var, iron = _meter(plan, e_pu, v, through_w, through_var, closed)

        as_before = still and nothing_moves(plan, work, v, hz, phases)
        if as_before:
            served_w, connected_w, lowest, batteries_w = supply_as_before(plan, state, work)
        else:
            served_w, connected_w, lowest, batteries_w = supply_lanes(plan, state, work, v, hz, phases, tick)
        storage_w, stores, working = book_storages(plan, state, work, v, hz, phases)
        drives_w = _book(plan, state, work, v, poi_w, through_w, iron, p, q)
        if closed:
            check_source(plan, state, segment, e_pu, poi_pu, poi_w + iron, poi_var)
        if gensets:
            settle_gensets(plan, state, work, p, v)
            call_gensets(plan, state, lacks(plan, state, work, e_pu, v, wanted_w, closed, own_hz))
        connected_w += run_drives(plan, state, work, v, phases)
        if own_hz > 0.0:
            turn_machines(plan, state, work, hz, trim_hz)
        _turn_frame(plan, state, grid_hz)

        connected = connected_w / work.rated_w if closed else 0.0
        out[Out.IN_OPERATION, k] = connected - work.total[Total.IDLE_W] / work.rated_w if closed else 0.0
        out[Out.STORES_CONNECTED, k] = stores if closed else 0.0
        out[Out.STORES_IN_OPERATION, k] = working if closed else 0.0
        _record_meter(out, k, poi_pu, poi_w + iron, poi_var, grid_rad, connected)
        _record_site(out, k, served_w, lowest, storage_w, drives_w, batteries_w)
        _record_state(plan, state, work, out, k)
        quiet = quiet + 1 if as_before else min(quiet, 0)
        if looks:
            times = again(plan, state, work, out, where, k, first_tick, n_steps, as_before)
            quiet = quiet if times >= 0 else -wait
            wait = _FIRST_WAIT if times >= 0 else min(2 * wait, _LONGEST_WAIT)
            k += max(times, 0)
        if unstable:
            return UNSTABLE
        k += 1
    state.site[SiteState.SEGMENT] = segment
    return OK


@part
def _grid_now(plan: Plan, state: State, segment: int, tick: int) -> tuple[float, float, float, bool]:
    """Source voltage [pu], frequency [Hz] and angle [rad] of the grid in this step, and whether it is there."""
    since = tick - plan.segment_tick[segment]
    e_pu = plan.segment[Segment.E_PU, segment] + since * plan.segment[Segment.E_PER_TICK, segment]
    grid_hz = plan.segment[Segment.HZ, segment] + since * plan.segment[Segment.HZ_PER_TICK, segment]
    grid_rad = state.site[SiteState.FRAME_RAD] + plan.segment[Segment.JUMP_RAD, segment]
    return e_pu, grid_hz, grid_rad, plan.segment[Segment.CLOSED, segment] > 0.0


@part
def _is_still(plan: Plan, state: State, work: Work, no_faults: IntArray, tick: int) -> bool:
    """Let events, jobs and the answer to frequency act; whether no lineup asks for anything new in this step."""
    acted = _act(plan, state, tick)
    moved = run_jobs(plan, state, no_faults, tick)
    answers = answer(plan, state)
    return (
        work.total[Total.STEADY] > 0.0
        and work.total[Total.SAMPLE] == tick // plan.sample_ticks
        and state.site[SiteState.COASTING] <= 0.0
        and not (acted or moved or answers)
    )


@part
def _wants(plan: Plan, state: State, work: Work, tick: int, still: bool) -> float:
    """What everything at the bus but storages and gensets asks for, less renewables [W]."""
    load_w = ask_drives(plan, state, work) + plan.site[SiteParam.AUXILIARY_W] - plan.site[SiteParam.PV_W]
    if not still:
        wish(plan, state, work, tick // plan.sample_ticks)
    return load_w + work.total[Total.WANT_W]


@part
def _turn_frame(plan: Plan, state: State, grid_hz: float) -> None:
    """Advance the angle of the grid against one of nominal frequency."""
    slip_hz = grid_hz - plan.site[SiteParam.NOMINAL_HZ]
    state.site[SiteState.FRAME_RAD] += 2.0 * math.pi * slip_hz * plan.site[SiteParam.DT_S]


@part
def _record_meter(
    out: FloatArray, k: int, v_pu: float, p_w: float, q_var: float, angle_rad: float, connected_frac: float
) -> None:
    """Record what the meter at the point of interconnection shows, and the share that is connected."""
    out[Out.V1_PU, k] = v_pu
    out[Out.P_W, k] = p_w
    out[Out.Q_VAR, k] = q_var
    out[Out.ANGLE_RAD, k] = angle_rad
    out[Out.CONNECTED, k] = connected_frac


@part
def _record_site(
    out: FloatArray,
    k: int,
    served_w: float,
    dc_bus_pu: float,
    storage_w: float,
    cooling_w: float,
    battery_w: float,
) -> None:
    """Record what the site made of it."""
    out[Out.IT_SERVED_W, k] = served_w
    out[Out.DC_BUS_PU, k] = dc_bus_pu
    out[Out.STORAGE_W, k] = storage_w
    out[Out.COOLING_W, k] = cooling_w
    out[Out.BATTERY_W, k] = battery_w


@part
def _record_state(plan: Plan, state: State, work: Work, out: FloatArray, k: int) -> None:
    """Record what state and working memory still hold at the end of the step."""
    out[Out.FREQUENCY_HZ, k] = state.site[SiteState.HZ]
    out[Out.IT_DEMAND_W, k] = work.total[Total.WISHED_W]
    out[Out.SOC_FRAC, k] = state.store[StoreState.SOC_FRAC, 0] if plan.store.shape[1] > 0 else 0.0
    out[Out.V_BUS_PU, k] = state.site[SiteState.V_BUS]
    out[Out.GENSET_W, k] = state.site[SiteState.GENSET_W]


@part
def _book(
    plan: Plan,
    state: State,
    work: Work,
    v_pu: float,
    poi_w: float,
    through_w: float,
    iron_w: float,
    bus_w: float,
    bus_var: float,
) -> float:
    """Add the step to the energy sums that are not booked where they arise; returns the power of cooling.

    What is booked must be what the network was solved with: `bus_w` and `bus_var`.
    """
    dt_s = plan.site[SiteParam.DT_S]
    drives = 0.0
    drives_var = 0.0
    for plant in range(plan.drive.shape[1]):
        drives += work.drive_w[plant]
        drives_var += work.drive_w[plant] * plan.drive[Drive.TAN_PHI, plant]
    share = passive_share(v_pu, DRIVE_KNEE_PU)
    drives *= share
    share_others = passive_share(v_pu, KNEE_PU)
    curtailed = state.site[SiteState.CURTAILED_W] * share_others
    auxiliary = plan.site[SiteParam.AUXILIARY_W] * share_others
    renewable = plan.site[SiteParam.PV_W] * renewable_share(plan, v_pu)
    booked_w = drives + auxiliary - renewable - work.total[Total.GIVEN_W] * share_others
    check_bus(state, work, booked_w - bus_w, drives_var * share - bus_var)
    state.energy[Energy.IMPORT] += (poi_w + iron_w) * dt_s
    state.energy[Energy.GRID_LOSS] += (poi_w - through_w + iron_w) * dt_s
    drives += work.total[Total.COOLING_W]
    state.energy[Energy.COOLING] += drives * dt_s
    state.energy[Energy.AUXILIARY] += auxiliary * dt_s
    state.energy[Energy.PV] += (renewable - curtailed) * dt_s
    return drives
