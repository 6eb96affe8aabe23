"""The transient engine: milliseconds, phasors, every step solved together with the network.

Order of a step: the grid's course, events of the load, what racks and motors ask for, storages, the
network, lineups and motors at the solved voltage, machines, record. Nothing in a step waits for the step
before but states with a time constant.
"""

from __future__ import annotations

import cmath
import math

from aidc.firmware.virtual_machine import swing
from aidc.jit import engine, part
from aidc.plant.network.source import sending_power, sending_voltage
from aidc.simulate.transient.arrays import FloatArray, IntArray, Plan, State, Work
from aidc.simulate.transient.drives import ask_drives, run_drives, warm_racks
from aidc.simulate.transient.fields import (
    Action,
    Converter,
    DriveState,
    Energy,
    LaneState,
    Out,
    Segment,
    SiteParam,
    SiteState,
    StoreState,
)
from aidc.simulate.transient.load import run_jobs, wish
from aidc.simulate.transient.network import DRIVE_KNEE_PU, KNEE_PU, form, solve_bus
from aidc.simulate.transient.storing import ask_storages, book_storages, turn_machines
from aidc.simulate.transient.supply import supply_lanes

__all__ = ["OK", "UNSTABLE", "advance"]

OK = 0
UNSTABLE = 1
_WILD_PU = 3.0  # no voltage of a site reaches this


@part
def _act(plan: Plan, state: State, tick: int) -> None:
    """Events of the load that fall on this tick."""
    here = int(state.site[SiteState.ACTION])
    while here < plan.action_tick.shape[0] and plan.action_tick[here] <= tick:
        kind = int(plan.action[0, here])
        target = int(plan.action[1, here])
        value = plan.action[2, here]
        if kind == Action.LOAD_FRAC:
            state.lane[LaneState.LOAD_FRAC, target] = value
        elif kind == Action.JOB_RUNS:
            state.job[0, target] = value
        else:
            state.drive[DriveState.PUMPS, target] = value
        here += 1
    state.site[SiteState.ACTION] = here


@part
def _own_source(plan: Plan, state: State) -> tuple[float, float]:
    """Voltage and frequency of the site's generators while the grid is away and nothing else forms it."""
    calls = max(state.site[SiteState.GENSET_CALLED], 1.0)
    state.site[SiteState.GENSET_CALLED] = calls
    if plan.site[SiteParam.GENSET_W] <= 0.0 or calls < plan.site[SiteParam.GENSET_TICKS]:
        return 0.0, plan.site[SiteParam.NOMINAL_HZ]
    return 1.0, plan.site[SiteParam.NOMINAL_HZ] * state.site[SiteState.GENSET_OMEGA]


@part
def _turn_genset(plan: Plan, state: State, power_w: float) -> None:
    rated = plan.site[SiteParam.GENSET_W]
    state.site[SiteState.GENSET_OMEGA] = swing(
        state.site[SiteState.GENSET_OMEGA],
        -power_w / rated,
        1.0,
        plan.site[SiteParam.DT_S],
        plan.site[SiteParam.GENSET_INERTIA_S],
        plan.site[SiteParam.GENSET_DROOP],
        0.0,
    )


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

    Returns OK, or UNSTABLE at the first step that no site could be in.
    """
    dt_s = plan.site[SiteParam.DT_S]
    nominal_hz = plan.site[SiteParam.NOMINAL_HZ]
    forming = False
    for store in range(plan.store.shape[1]):
        if plan.store[Converter.FORMING, store] > 0.0:
            forming = True
    segment = int(state.site[SiteState.SEGMENT])
    for k in range(n_steps):
        tick = first_tick + k
        while segment + 1 < plan.segment_tick.shape[0] and plan.segment_tick[segment + 1] <= tick:
            segment += 1
        since = tick - plan.segment_tick[segment]
        e_pu = plan.segment[Segment.E_PU, segment] + since * plan.segment[Segment.E_PER_TICK, segment]
        hz = plan.segment[Segment.HZ, segment] + since * plan.segment[Segment.HZ_PER_TICK, segment]
        z_frac = plan.segment[Segment.Z_FRAC, segment]
        jump = plan.segment[Segment.JUMP_RAD, segment]
        closed = plan.segment[Segment.CLOSED, segment] > 0.0
        r = z_frac * plan.site[SiteParam.R] + plan.site[SiteParam.R_T]
        x = z_frac * plan.site[SiteParam.X] + plan.site[SiteParam.X_T]
        _act(plan, state, tick)
        run_jobs(plan, state, no_faults, tick)
        free_pu = wish(plan, state, work, tick)
        load_w = ask_drives(plan, state, work) + plan.site[SiteParam.AUXILIARY_W] - plan.site[SiteParam.PV_W]
        for lane in range(plan.lane.shape[1]):
            load_w += work.want_w[lane]
        ask_storages(plan, state, work, load_w, state.site[SiteState.HZ])

        through_w = 0.0
        through_var = 0.0
        on_genset = False
        if forming:
            grid = cmath.rect(e_pu, state.site[SiteState.FRAME_RAD] + jump)
            v, through_w, through_var, p, q, collapsed = form(plan, state, work, grid, r, x, closed, free_pu)
            if not closed:
                hz = nominal_hz * state.store[StoreState.OMEGA_PU, 0]
        else:
            if not closed:
                e_pu, hz = _own_source(plan, state)
                r = plan.site[SiteParam.GENSET_R]
                x = plan.site[SiteParam.GENSET_X]
                on_genset = e_pu > 0.0
            v, p, q, collapsed = solve_bus(plan, state, work, e_pu, r, x, free_pu)
            if closed:
                through_w = p
                through_var = q
        state.site[SiteState.V_BUS] = v
        state.site[SiteState.HZ] = hz
        state.site[SiteState.COLLAPSED] += collapsed
        r_t = plan.site[SiteParam.R_T]
        x_t = plan.site[SiteParam.X_T]
        poi_pu = e_pu if not closed else sending_voltage(v, r_t, x_t, through_w, through_var)
        if closed and v <= 0.0:
            poi_pu = e_pu
        poi_w, poi_var = sending_power(v, r_t, x_t, through_w, through_var)
        iron = plan.site[SiteParam.IRON_W] * poi_pu * poi_pu if closed else 0.0

        served_w, connected_w, lowest, batteries_w = supply_lanes(plan, state, work, v, hz, segment, tick)
        storage_w = book_storages(plan, state, work, v)
        drives_w = _book(plan, state, work, v, poi_w, through_w, iron)
        if on_genset:
            state.energy[Energy.GENERATOR] += p * dt_s
            _turn_genset(plan, state, p)
        connected_w += run_drives(plan, state, v, segment)
        warm_racks(plan, state)
        turn_machines(plan, state, work, hz, nominal_hz)
        state.site[SiteState.FRAME_RAD] += 2.0 * math.pi * (hz - nominal_hz) * dt_s if closed else 0.0

        demand_w = 0.0
        for lane in range(plan.lane.shape[1]):
            demand_w += work.wished_w[lane]
        out[Out.V1_PU, k] = poi_pu
        out[Out.P_W, k] = poi_w + iron
        out[Out.Q_VAR, k] = poi_var
        out[Out.FREQUENCY_HZ, k] = hz
        out[Out.ANGLE_RAD, k] = state.site[SiteState.FRAME_RAD] + jump
        out[Out.CONNECTED, k] = connected_w / work.rated_w if closed else 0.0
        out[Out.IT_DEMAND_W, k] = demand_w
        out[Out.IT_SERVED_W, k] = served_w
        out[Out.DC_BUS_PU, k] = lowest
        out[Out.STORAGE_W, k] = storage_w
        out[Out.SOC_FRAC, k] = state.store[StoreState.SOC_FRAC, 0] if plan.store.shape[1] > 0 else 0.0
        out[Out.COOLING_W, k] = drives_w
        out[Out.BATTERY_W, k] = batteries_w
        out[Out.V_BUS_PU, k] = v
        where[k] = segment
        if not (v < _WILD_PU and -1e15 < poi_w < 1e15):
            return UNSTABLE
    state.site[SiteState.SEGMENT] = segment
    return OK


@part
def _book(
    plan: Plan, state: State, work: Work, v_pu: float, poi_w: float, through_w: float, iron_w: float
) -> float:
    """Add the step to the energy sums that are not booked where they arise; returns the motors' power."""
    dt_s = plan.site[SiteParam.DT_S]
    knee = min(1.0, v_pu / KNEE_PU)
    drives = 0.0
    for plant in range(plan.drive.shape[1]):
        drives += work.drive_w[plant] * min(1.0, v_pu / DRIVE_KNEE_PU)
    pv = plan.site[SiteParam.PV_W] * knee if v_pu > plan.site[SiteParam.PV_CUT_OFF_PU] else 0.0
    state.energy[Energy.IMPORT] += (poi_w + iron_w) * dt_s
    state.energy[Energy.GRID_LOSS] += (poi_w - through_w + iron_w) * dt_s
    state.energy[Energy.COOLING] += drives * dt_s
    state.energy[Energy.AUXILIARY] += plan.site[SiteParam.AUXILIARY_W] * knee * dt_s
    state.energy[Energy.PV] += pv * dt_s
    return drives
