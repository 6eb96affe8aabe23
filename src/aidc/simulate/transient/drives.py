"""Motors of the cooling plants: they drop out, start again, and while they stand the racks warm up."""

from __future__ import annotations

from aidc.firmware.excursion import clock_ticks
from aidc.jit import part
from aidc.simulate.transient.arrays import Plan, State, Work
from aidc.simulate.transient.fields import (
    DOWN,
    Drive,
    DriveState,
    Lane,
    LaneState,
    Segment,
    SiteParam,
    SiteState,
)

__all__ = ["ask_drives", "run_drives"]

_COAST_S = 2.0  # flow after a pump has lost its drive falls with this time constant (estimate)
_LEAST_FLOW = 0.02  # thermosiphon and leakage that remain (estimate)
_AT_REST = 1e-3
_AT_REST_K = 0.5


@part
def ask_drives(plan: Plan, state: State, work: Work) -> float:
    """Power that each plant's motors ask of the site bus [W]; returns the sum."""
    total = 0.0
    for plant in range(plan.drive.shape[1]):
        power = plan.drive[Drive.POWER_W, plant] * state.drive[DriveState.RUNS_FRAC, plant]
        power += plan.drive[Drive.COMPRESSOR_W, plant] * state.drive[DriveState.COMPRESSORS_FRAC, plant]
        power *= state.drive[DriveState.PUMPS, plant]
        work.drive_w[plant] = power
        total += power
    return total


@part
def run_drives(plan: Plan, state: State, work: Work, v_pu: float, segment: int) -> float:
    """Let the motors drop out and come back; returns the rated power that stays connected [W].

    Compressors start again later than pumps and fans. Those on a UPS run as long as a lineup has power. On a bus
    that nothing feeds every motor drops out, whatever voltage it rides through.

    `v_pu` is the voltage of the bus; `segment` is the number of the stretch of the grid's course.
    """
    low_pu = v_pu * plan.segment[Segment.BUS_MIN, segment]
    dead = state.site[SiteState.DEAD] > 0.0
    if state.site[SiteState.COASTING] <= 0.0 and low_pu >= work.drop_pu and not dead:
        return work.drives_w
    connected = 0.0
    coasting = 0.0
    for plant in range(plan.drive.shape[1]):
        runs = state.drive[DriveState.RUNS_FRAC, plant]
        compress = state.drive[DriveState.COMPRESSORS_FRAC, plant]
        off = state.drive[DriveState.OFF_TICKS, plant]
        lost = dead or low_pu < plan.drive[Drive.DROP_PU, plant]
        low = clock_ticks(lost, state.drive[DriveState.LOW_TICKS, plant])
        state.drive[DriveState.LOW_TICKS, plant] = low
        on_ups = plan.drive[Drive.ON_UPS, plant] > 0.0
        if low > 0.0 and low >= plan.drive[Drive.DROP_TICKS, plant] and max(runs, compress) > 0.0:
            runs = runs if on_ups else 0.0
            compress = 0.0
            off = 0.0
        elif min(runs, compress) < 1.0:
            off = 0.0 if low > 0.0 else off + 1.0
            step = plan.drive[Drive.RAMP_STEP, plant]
            if off >= plan.drive[Drive.RESTART_TICKS, plant] and not on_ups:
                runs = min(runs + step, 1.0)
            if off >= plan.drive[Drive.COMPRESSOR_TICKS, plant]:
                compress = min(compress + step, 1.0)
        if on_ups:
            runs = _powered_frac(plan, state, plant)
        state.drive[DriveState.RUNS_FRAC, plant] = runs
        state.drive[DriveState.COMPRESSORS_FRAC, plant] = compress
        state.drive[DriveState.OFF_TICKS, plant] = off
        connected += runs * plan.drive[Drive.POWER_W, plant]
        connected += compress * plan.drive[Drive.COMPRESSOR_W, plant]
        if low > 0.0 or min(runs, compress) < 1.0 or state.drive[DriveState.PUMPS, plant] < 1.0:
            coasting = 1.0
    state.site[SiteState.COASTING] = max(coasting, _warm_racks(plan, state))
    return connected


@part
def _powered_frac(plan: Plan, state: State, plant: int) -> float:
    """Share of a plant's pumps and fans on UPS buses whose lineup has power."""
    every = 0.0
    powered = 0.0
    for lane in range(plan.lane.shape[1]):
        part_w = 0.0
        if int(plan.lane[Lane.PLANT, lane]) == plant:
            part_w += plan.lane[Lane.UPS_LOOP_W, lane]
        if int(plan.lane[Lane.AIR_PLANT, lane]) == plant:
            part_w += plan.lane[Lane.UPS_AIR_W, lane]
        every += part_w
        if state.lane[LaneState.MODE, lane] != DOWN:
            powered += part_w
    return powered / every if every > 0.0 else 1.0


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
