"""The state at the start of a window: every filter at its load, every buffer as the site left it."""

from __future__ import annotations

import math

import numpy as np

from aidc.firmware.fault_current import NO_LIMIT
from aidc.plant.training import TrainingClock, TrainingLevels, step_job
from aidc.simulate.energy.fields import Kind
from aidc.simulate.transient.arrays import FloatArray, Plan, State, Work
from aidc.simulate.transient.converters import site_columns
from aidc.simulate.transient.engine import advance
from aidc.simulate.transient.fields import (
    SAGS,
    Converter,
    Drive,
    DriveState,
    Energy,
    Genset,
    GensetState,
    Lane,
    LaneState,
    Mode,
    Out,
    Segment,
    SiteParam,
    SiteState,
    StoreState,
    Total,
)
from aidc.simulate.transient.modes import refuse_unstable
from aidc.simulate.transient.start import OperatingPoint

__all__ = ["at_rest", "work_of"]

_ROUNDS = 20
_NUDGE_RAD = 1e-5
_AT_REST = 1e-9
JOB_STATES = 4  # rows of `State.job`
_REFILL_S = 0.05  # how fast capacitors are filled again, unless that is shorter than two steps


def work_of(plan: Plan) -> Work:
    """Working memory for one step of a plan."""
    lanes, plants, stores = plan.lane.shape[1], plan.drive.shape[1], plan.store.shape[1]
    most_w = plan.lane[Lane.CURRENT_LIMIT] * plan.lane[Lane.INPUT_W]
    drives_w = float(plan.drive[Drive.POWER_W].sum() + plan.drive[Drive.COMPRESSOR_W].sum())

    def zeros(count: int) -> FloatArray:
        return np.zeros(count)

    return Work(
        per_rated=1.0 / max(float(plan.lane[Lane.INPUT_W].sum()) + drives_w, 1.0),
        rated_w=float(plan.lane[Lane.INPUT_W].sum()) + drives_w,
        drives_w=drives_w,
        drop_pu=float(plan.drive[Drive.DROP_PU].max(initial=0.0)),
        watch_below_pu=float(
            np.maximum(plan.lane[Lane.WATCH_BELOW_PU], plan.lane[Lane.LOST_PU]).max(initial=0.0)
        ),
        watch_above_pu=float(plan.lane[Lane.WATCH_ABOVE_PU].min(initial=np.inf)),
        watch_below_hz=float(plan.lane[Lane.LEAVE_LOW_HZ].max(initial=0.0)),
        watch_above_hz=float(plan.lane[Lane.LEAVE_HIGH_HZ].min(initial=np.inf)),
        total=zeros(len(Total)),
        refill_per_s=1.0 / max(_REFILL_S, 2.0 * float(plan.site[SiteParam.DT_S])),
        per_most=1.0 / most_w,
        most_w=most_w,
        asked_w=zeros(lanes),
        on=zeros(lanes),
        wished_w=zeros(lanes),
        it_w=zeros(lanes),
        shelf_w=zeros(lanes),
        cooling_w=zeros(lanes),
        need_w=zeros(lanes),
        buffer_w=zeros(lanes),
        want_w=zeros(lanes),
        drive_w=zeros(plants),
        store_w=zeros(stores),
        store_var=zeros(stores),
        var_per_pu=zeros(stores),
        kink_pu=np.zeros((3, stores)),
        reduced_pu=np.maximum(plan.lane[Lane.FULL_PU], plan.lane[Lane.PRIORITY_PU]),
        supports=np.ones(lanes),
        store_supports=np.ones(stores),
        cease_pu=zeros(stores),
        let_go=np.zeros((2, lanes)),
        store_let_go=np.zeros((4, stores)),
        formed_w=zeros(stores),
        formed_var=zeros(stores),
        before=zeros(_states(plan)),
        booked=zeros(len(Energy)),
    )


def _states(plan: Plan) -> int:
    """How many figures are remembered between steps, with those of `Work.total`, but for the sums of energy."""
    return (
        LaneState.SIZE * plan.lane.shape[1]
        + len(DriveState) * plan.drive.shape[1]
        + StoreState.SIZE * plan.store.shape[1]
        + len(GensetState) * plan.genset.shape[1]
        + JOB_STATES * plan.job_start.shape[0]
        + len(SiteState)
        + len(Total)
    )


def at_rest(plan: Plan, point: OperatingPoint) -> State:
    """State at tick 0; one step on a copy tells the filters what the load is.

    Raises
    ------
    SimulationError
        A grid-forming converter that would run away, see `refuse_unstable`.
    """
    refuse_unstable(plan)
    state = _empty(plan, point)
    calm = plan._replace(segment_tick=plan.segment_tick[:1], segment=_calm(plan))
    work, out = _tried(calm, state)
    state.lane[LaneState.SHELF_MEAN_W] = work.it_w - plan.lane[Lane.NETWORK_W]
    state.site[SiteState.V_BUS] = out[Out.V_BUS_PU, 0]
    online_w = float(state.site[SiteState.GENSET_ONLINE_W])
    if plan.site[SiteParam.ISLAND] > 0.0 and online_w > 0.0:
        load_frac = float(out[Out.GENSET_W, 0]) / online_w
        state.site[SiteState.GENSET_OMEGA] = 1.0 - plan.site[SiteParam.GENSET_DROOP] * load_frac
    if plan.store.shape[1]:
        load_w = float(work.total[Total.WANT_W] + work.drive_w.sum())
        load_w += float(plan.site[SiteParam.AUXILIARY_W] - plan.site[SiteParam.PV_W])
        state.store[StoreState.TARGET_W] = load_w
        state.store[StoreState.DELTA_RAD] = -_lag_rad(plan, load_w, float(out[Out.Q_VAR, 0]))
        if np.any(plan.store[Converter.FORMING] > 0):
            _settle_machines(calm, state)
    return state


def _tried(calm: Plan, state: State) -> tuple[Work, FloatArray]:
    """One step on a copy of a state."""
    trial = State(*(np.array(part) for part in state))
    work = work_of(calm)
    out, where = np.empty((len(Out), 1)), np.zeros(1, dtype=np.int64)
    advance(calm, trial, work, out, where, np.zeros(0, dtype=np.int64), 0, 1)
    return work, out


def _settle_machines(calm: Plan, state: State) -> None:
    """Angles at which every grid-forming converter gives nothing, as Newton's method finds them one by one.

    The law's target starts at the load, so that nothing is also what the law asks for.
    """
    forming = np.flatnonzero(calm.store[Converter.FORMING] > 0)
    angle = state.store[StoreState.DELTA_RAD]
    for _ in range(_ROUNDS):
        worst = 0.0
        for store in forming:
            here = float(_tried(calm, state)[0].formed_w[store])
            angle[store] += _NUDGE_RAD
            slope = (float(_tried(calm, state)[0].formed_w[store]) - here) / _NUDGE_RAD
            turn = -here / slope if slope else 0.0
            angle[store] += float(np.clip(turn, -0.2, 0.2)) - _NUDGE_RAD
            worst = max(worst, abs(here) / float(calm.store[Converter.RATED_W, store]))
        if worst < _AT_REST:
            break
    state.site[SiteState.V_BUS] = _tried(calm, state)[1][Out.V_BUS_PU, 0]


def _empty(plan: Plan, point: OperatingPoint) -> State:
    lanes, plants, stores = plan.lane.shape[1], plan.drive.shape[1], plan.store.shape[1]
    lane = np.zeros((LaneState.SIZE, lanes))
    lane[LaneState.MODE] = Mode.ON_GRID
    lane[LaneState.SHELF_FRAC] = 0.5 * (plan.shelf[2] + plan.shelf[3])
    lane[LaneState.HOLD_UP_J] = plan.lane[Lane.HOLD_UP_J]
    lane[LaneState.BATTERY_FRAC] = plan.lane[Lane.BATTERY_START_FRAC]
    lane[LaneState.LOAD_FRAC] = 1.0
    lane[LaneState.FLOW_FRAC] = 1.0
    lane[LaneState.CASE_K] = point.case_k
    lane[LaneState.SAG : LaneState.SAG + SAGS] = -np.inf
    lane[LaneState.WALK_FRAC] = 1.0
    lane[LaneState.LIMIT_W] = NO_LIMIT
    job = np.ones((JOB_STATES, plan.job_start.shape[0]))
    job[1:3] = _job_now(plan)
    job[3] = -np.inf
    runs_late = (plan.action_tick <= 0) & (plan.action[0] == 1.0)
    for target in plan.action[1, runs_late].astype(int):
        job[:3, target] = 0.0  # a job that starts within the window is idle until then
    lane[LaneState.DRAWN_W] = _drawn(plan, job)
    drive = np.zeros((len(DriveState), plants))
    drive[DriveState.RUNS_FRAC] = 1.0
    drive[DriveState.COMPRESSORS_FRAC] = 1.0
    drive[DriveState.PUMPS] = 1.0
    store = np.zeros((StoreState.SIZE, stores))
    store[StoreState.SOC_FRAC] = point.soc_frac[site_columns(point)]
    store[StoreState.HZ] = plan.site[SiteParam.NOMINAL_HZ]
    store[StoreState.LAST_HZ] = plan.site[SiteParam.NOMINAL_HZ]
    store[StoreState.OMEGA_PU] = 1.0
    store[StoreState.KAPPA] = 1.0
    store[StoreState.LIMIT_W] = NO_LIMIT
    site = np.zeros(len(SiteState))
    site[SiteState.V_BUS] = 1.0
    site[SiteState.HZ] = plan.site[SiteParam.NOMINAL_HZ]
    site[SiteState.SERVICE_HZ] = plan.site[SiteParam.NOMINAL_HZ]
    site[SiteState.GENSET_OMEGA] = 1.0
    genset = np.zeros((len(GensetState), plan.genset.shape[1]))
    if plan.site[SiteParam.ISLAND] > 0.0:
        _run_gensets(plan, genset, site)
    return State(lane, drive, store, genset, site, job, np.zeros(len(Energy)))


def _run_gensets(plan: Plan, genset: FloatArray, site: FloatArray) -> None:
    """On a site without a grid gensets run and carry at the start, as in the energy engine."""
    genset[GensetState.LACK_TICKS] = plan.genset[Genset.READY_TICKS] + 1.0
    site[SiteState.ISLAND] = 1.0
    site[SiteState.GENSET_BUSY] = 1.0 if plan.genset.shape[1] else 0.0
    site[SiteState.GENSET_CAN_W] = plan.genset[Genset.POWER_W].sum()
    site[SiteState.GENSET_ONLINE_W] = plan.genset[Genset.ONLINE_W].sum()
    site[SiteState.GENSET_LOW_W] = min(plan.genset[Genset.LOW_W].sum(), site[SiteState.GENSET_CAN_W])
    site[SiteState.GENSET_RAMP_W] = plan.genset[Genset.RAMP_W].sum()
    site[SiteState.GENSET_REACHED_W] = site[SiteState.GENSET_CAN_W]


def _calm(plan: Plan) -> FloatArray:
    """The first segment as if nothing happened."""
    segment = plan.segment[:, :1].copy()
    segment[Segment.E_PER_TICK] = 0.0
    segment[Segment.HZ_PER_TICK] = 0.0
    return segment


def _job_now(plan: Plan) -> FloatArray:
    """Power over rated that each job asks for at tick 0."""
    now = np.zeros(plan.job_start.shape[0])
    for job in range(now.size):
        clock = TrainingClock(
            int(plan.job_start[job]), 1 << 62, 0, *(float(v) for v in plan.job_clock[:, job])
        )
        levels = TrainingLevels(*(float(v) for v in plan.job_levels[:, job]))
        now[job] = step_job(0, 0, np.zeros(0, dtype=np.int64), clock, levels)[0]
    return now


def _drawn(plan: Plan, job: FloatArray) -> FloatArray:
    """Power of the accelerators at tick 0 [W]."""
    kind = plan.lane[Lane.KIND].astype(int)
    idle = plan.lane[Lane.IDLE_W]
    wanted = plan.service_w[:, 0]
    if job.shape[1]:
        training = np.maximum(job[1, plan.lane[Lane.JOB].astype(int)] * plan.lane[Lane.RATED_W], idle)
        wanted = np.where(kind == Kind.JOB, training, wanted)
    return np.where(kind == Kind.IDLE, idle, np.maximum(wanted, 0.0))


def _lag_rad(plan: Plan, p_w: float, q_var: float) -> float:
    """Angle by which the bus lags the source under a load."""
    r = float(plan.site[SiteParam.R] + plan.site[SiteParam.R_T])
    x = float(plan.site[SiteParam.X] + plan.site[SiteParam.X_T])
    return math.atan2(x * p_w - r * q_var, 1.0 + r * p_w + x * q_var)
