"""Motors of the cooling plants: they drop out, start again, and while they stand the racks warm up."""

from __future__ import annotations

from aidc.firmware.excursion import clock_ticks
from aidc.jit import part
from aidc.simulate.transient.arrays import Plan, State, Work
from aidc.simulate.transient.fields import Drive, DriveState, Lane, LaneState, Segment, SiteParam, SiteState

__all__ = ["ask_drives", "run_drives"]

_COAST_S = 2.0  # flow after a pump has lost its drive falls with this time constant (estimate)
_LEAST_FLOW = 0.02  # thermosiphon and leakage that remain (estimate)
_AT_REST = 1e-3
_AT_REST_K = 0.5


@part
def ask_drives(plan: Plan, state: State, work: Work) -> float:
    """Power that each plant's motors ask for [W]; returns the sum."""
    total = 0.0
    for plant in range(plan.drive.shape[1]):
        power = plan.drive[Drive.POWER_W, plant] * state.drive[DriveState.RUNS_FRAC, plant]
        power *= state.drive[DriveState.PUMPS, plant]
        work.drive_w[plant] = power
        total += power
    return total


@part
def run_drives(plan: Plan, state: State, work: Work, v_pu: float, segment: int) -> float:
    """Let the motors drop out and come back; returns the rated power that stays connected [W]."""
    low_pu = v_pu * plan.segment[Segment.BUS_MIN, segment]
    if state.site[SiteState.COASTING] <= 0.0 and low_pu >= work.drop_pu:
        return work.drives_w
    connected = 0.0
    coasting = 0.0
    for plant in range(plan.drive.shape[1]):
        runs = state.drive[DriveState.RUNS_FRAC, plant]
        off = state.drive[DriveState.OFF_TICKS, plant]
        low = clock_ticks(low_pu < plan.drive[Drive.DROP_PU, plant], state.drive[DriveState.LOW_TICKS, plant])
        state.drive[DriveState.LOW_TICKS, plant] = low
        if plan.drive[Drive.ON_UPS, plant] <= 0.0:
            if runs > 0.0 and low > 0.0 and low >= plan.drive[Drive.DROP_TICKS, plant]:
                runs = 0.0
                off = 0.0
            elif runs < 1.0:
                off = 0.0 if low > 0.0 else off + 1.0
                if off >= plan.drive[Drive.RESTART_TICKS, plant]:
                    runs = min(runs + plan.drive[Drive.RAMP_STEP, plant], 1.0)
        state.drive[DriveState.RUNS_FRAC, plant] = runs
        state.drive[DriveState.OFF_TICKS, plant] = off
        connected += runs * plan.drive[Drive.POWER_W, plant]
        if low > 0.0 or runs < 1.0 or state.drive[DriveState.PUMPS, plant] < 1.0:
            coasting = 1.0
    state.site[SiteState.COASTING] = max(coasting, _warm_racks(plan, state))
    return connected


@part
def _warm_racks(plan: Plan, state: State) -> float:
    """Case temperatures where a plant stands still: a heat capacity behind a resistance that grows as the
    flow coasts down; accelerators that pass their limit shut down. Returns 1 while any of them is away from
    where its load at full flow would have it: once all are back, nothing is computed.
    """
    dt_s = plan.site[SiteParam.DT_S]
    away = 0.0
    for lane in range(plan.lane.shape[1]):
        plant = int(plan.lane[Lane.PLANT, lane])
        runs = state.drive[DriveState.RUNS_FRAC, plant] * state.drive[DriveState.PUMPS, plant]
        flow = state.lane[LaneState.FLOW_FRAC, lane]
        case = state.lane[LaneState.CASE_K, lane]
        flow += (runs - flow) * dt_s / (_COAST_S + dt_s)
        resistance = plan.lane[Lane.CASE_K_W, lane] / max(flow, _LEAST_FLOW)
        power = state.lane[LaneState.DRAWN_W, lane] * plan.lane[Lane.PER_ACCELERATOR, lane]
        capacity = plan.lane[Lane.CASE_J_K, lane] / dt_s
        rise = plan.lane[Lane.AMBIENT_K, lane] + power * resistance
        case = (case * capacity + rise / resistance) / (capacity + 1.0 / resistance)
        if runs >= 1.0 and flow > 1.0 - _AT_REST:
            flow = 1.0
        if flow < 1.0 or abs(case - rise) > _AT_REST_K:
            away = 1.0
        if case >= plan.lane[Lane.TRIP_K, lane]:
            state.lane[LaneState.HOT, lane] = 1.0
        state.lane[LaneState.FLOW_FRAC, lane] = flow
        state.lane[LaneState.CASE_K, lane] = case
    return away
