"""After the network is solved: what reaches each lineup, what its buffers do, and whether it stays.

The clocks of its relays see this step's voltage; a departure they decide takes effect in the next step.
"""

from __future__ import annotations

import math

from aidc.firmware.excursion import clock_ticks
from aidc.firmware.fault_current import NO_LIMIT, ramp_limit_w, synchronise
from aidc.firmware.sag_counter import count_departure
from aidc.jit import part
from aidc.simulate.transient.arrays import Plan, State, Work
from aidc.simulate.transient.cells import recharge_w, step_lane_cells
from aidc.simulate.transient.consumers import lane_power
from aidc.simulate.transient.fields import (
    AWAY,
    CURVE,
    DOWN,
    GENERATOR,
    LOCKED,
    ON_GRID,
    SAGS,
    WALK_IN,
    Energy,
    Lane,
    LaneState,
    Segment,
    SiteParam,
    SiteState,
    Total,
)
from aidc.simulate.transient.load import arriving_w

__all__ = ["nothing_moves", "supply_as_before", "supply_lanes"]

_ROUNDING = 1e-9


@part
def _leave(plan: Plan, state: State, lane: int, tick: int) -> None:
    """Take a lineup off the grid; its sag counter may lock it out."""
    state.lane[LaneState.MODE, lane] = AWAY
    state.lane[LaneState.HEALTHY_TICKS, lane] = 0.0
    state.lane[LaneState.AWAY_TICKS, lane] = 0.0
    limit = plan.lane[Lane.SAG_COUNT, lane]
    if limit > 0.0:
        memory = state.lane[LaneState.SAG : LaneState.SAG + SAGS, lane]
        if count_departure(tick, plan.lane[Lane.SAG_WINDOW_TICKS, lane], limit, memory):
            state.lane[LaneState.MODE, lane] = LOCKED
            state.lane[LaneState.LOCKOUT, lane] = 1.0


@part
def _relay(plan: Plan, state: State, lane: int, low_pu: float, high_pu: float, hz: float) -> bool:
    """Run the clocks of a lineup's relays; true once one of them has run for longer than it is set to.

    A bus that nothing feeds has no frequency, so that a lineup leaves it even where no voltage relay tells it to.
    """
    out = False
    if (
        low_pu < plan.lane[Lane.WATCH_BELOW_PU, lane]
        or high_pu > plan.lane[Lane.WATCH_ABOVE_PU, lane]
        or state.lane[LaneState.CLOCKS, lane] > 0.0
    ):
        running = 0.0
        for k in range(CURVE):
            below = clock_ticks(low_pu < plan.leave_below_pu[k, lane], state.lane[LaneState.BELOW + k, lane])
            above = clock_ticks(high_pu > plan.leave_above_pu[k, lane], state.lane[LaneState.ABOVE + k, lane])
            state.lane[LaneState.BELOW + k, lane] = below
            state.lane[LaneState.ABOVE + k, lane] = above
            running += below + above
            out = out or (below > plan.leave_below_ticks[k, lane])
            out = out or (above > plan.leave_above_ticks[k, lane])
        state.lane[LaneState.CLOCKS, lane] = running
    dead = state.site[SiteState.DEAD] > 0.0
    off = dead or hz < plan.lane[Lane.LEAVE_LOW_HZ, lane] or hz > plan.lane[Lane.LEAVE_HIGH_HZ, lane]
    clock = clock_ticks(off, state.lane[LaneState.HZ_TICKS, lane])
    state.lane[LaneState.HZ_TICKS, lane] = clock
    return out or clock > plan.lane[Lane.LEAVE_HZ_TICKS, lane]


@part
def _come_back(
    plan: Plan, state: State, work: Work, lane: int, low_pu: float, high_pu: float, hz: float
) -> None:
    """A lineup that is away or down returns once the bus has been good for long enough.

    On generators that form the bus racks that have lost power start again only where what they want fits with
    its margin, the best priority first.
    """
    good = (
        low_pu >= plan.lane[Lane.RETURN_PU, lane]
        and high_pu <= plan.lane[Lane.WATCH_ABOVE_PU, lane]
        and plan.lane[Lane.LEAVE_LOW_HZ, lane] <= hz <= plan.lane[Lane.LEAVE_HIGH_HZ, lane]
    )
    healthy = clock_ticks(good, state.lane[LaneState.HEALTHY_TICKS, lane])
    state.lane[LaneState.HEALTHY_TICKS, lane] = healthy
    away = state.lane[LaneState.AWAY_TICKS, lane] + 1.0
    state.lane[LaneState.AWAY_TICKS, lane] = away
    if healthy <= plan.lane[Lane.RETURN_TICKS, lane] or state.lane[LaneState.LOCKOUT, lane] > 0.0:
        return
    mode = state.lane[LaneState.MODE, lane]
    starts = mode == DOWN and away >= plan.lane[Lane.RESTART_TICKS, lane]
    if starts and state.site[SiteState.CARRIES] > 0.0:
        load = work.wished_w[lane] * plan.lane[Lane.PER_IT, lane] * plan.lane[Lane.RETURN_MARGIN, lane]
        starts = load <= state.site[SiteState.FREE_W]
        state.site[SiteState.FREE_W] -= load if starts else 0.0
    if mode == AWAY or starts:
        state.lane[LaneState.MODE, lane] = WALK_IN
        state.lane[LaneState.WALK_FRAC, lane] = 0.0
        state.lane[LaneState.COLD, lane] = 1.0 if mode == DOWN else 0.0


@part
def _reaches(plan: Plan, work: Work, lane: int, v_pu: float) -> tuple[float, float, float]:
    """Power that arrives at the buffer node, and power and reactive power drawn from the bus for it [W, var]."""
    drawn, var = lane_power(plan, work, lane, v_pu)
    if drawn >= work.want_w[lane]:
        return work.buffer_w[lane], drawn, var
    return arriving_w(plan, lane, drawn), drawn, var


@part
def _carry(plan: Plan, state: State, work: Work, lane: int, arrives_w: float) -> tuple[float, float]:
    """Battery and capacitors fill what the input lacks; returns the share of the racks that is served, and
    the battery's power [W], charging positive.
    """
    dt_s = plan.site[SiteParam.DT_S]
    need = work.need_w[lane]
    stored = state.lane[LaneState.HOLD_UP_J, lane]
    full = plan.lane[Lane.HOLD_UP_J, lane]
    mode = state.lane[LaneState.MODE, lane]
    short = need - arrives_w
    battery = 0.0
    if short > _ROUNDING * need:
        waited = state.lane[LaneState.SHORT_TICKS, lane] + 1.0
        state.lane[LaneState.SHORT_TICKS, lane] = waited
        answers = state.site[SiteState.ANSWER] > 0.0 and plan.lane[Lane.SERVICE_UPS_W, lane] > 0.0
        carried = state.site[SiteState.CARRIES] > 0.0  # its input is held to what generators can give
        recovers = state.lane[LaneState.LOST, lane] > 0.0 or state.lane[LaneState.LIMIT_W, lane] < NO_LIMIT
        may = mode != ON_GRID or plan.lane[Lane.SUPPLEMENTS, lane] > 0.0 or answers or carried or recovers
        if may and waited > plan.lane[Lane.BATTERY_TICKS, lane]:
            refill = (full - stored) * work.refill_per_s
            battery = -min(short + refill, plan.lane[Lane.BATTERY_W, lane])
    else:
        state.lane[LaneState.SHORT_TICKS, lane] = 0.0
        refill = (full - stored) * work.refill_per_s
        battery = min(max(arrives_w - need - refill, 0.0), recharge_w(plan, state, lane))
    if battery != 0.0:
        charge = state.lane[LaneState.BATTERY_FRAC, lane]
        battery, charge, loss = step_lane_cells(plan.battery, lane, charge, battery, dt_s)
        state.lane[LaneState.BATTERY_FRAC, lane] = charge
        state.energy[Energy.BATTERY_LOSS] += loss * dt_s
    left = stored + (arrives_w - battery - need) * dt_s
    served = 1.0
    if left < _ROUNDING * full and need > 0.0:
        served = min(max((stored / dt_s + arrives_w - battery) / need, 0.0), 1.0)
        left = 0.0
        if served < 1.0 - _ROUNDING:
            state.lane[LaneState.MODE, lane] = DOWN
            state.lane[LaneState.AWAY_TICKS, lane] = 0.0
            state.lane[LaneState.HEALTHY_TICKS, lane] = 0.0
    state.lane[LaneState.HOLD_UP_J, lane] = left
    return served, battery


@part
def supply_lanes(
    plan: Plan, state: State, work: Work, v_pu: float, hz: float, segment: int, tick: int
) -> tuple[float, float, float, float]:
    """Settle every lineup at this step's voltage.

    Returns power served to the racks [W], rated power that is connected [W], the lowest buffer voltage
    over nominal, and the power of all batteries [W]. What nothing will move before the work asks for
    something else is noted as steady.

    `v_pu` and `hz` are voltage and frequency of the bus, `segment` is the number of the stretch of the grid's course
    and `tick` counts the window's steps.
    """
    dt_s = plan.site[SiteParam.DT_S]
    served_w = 0.0
    down_w = 0.0
    up_w = 0.0
    connected_w = 0.0
    lowest = 1.0
    batteries = 0.0
    used = 0.0
    cooling_w = 0.0
    shortage = 0.0
    steady = True
    drawn_w = 0.0
    drawn_var = 0.0
    idle_w = 0.0
    for place in range(plan.order.shape[0]):
        lane = int(plan.order[place])
        arrives, drawn, var = _reaches(plan, work, lane, v_pu)
        drawn_w += drawn
        drawn_var += var
        full = plan.lane[Lane.HOLD_UP_J, lane]
        if state.lane[LaneState.MODE, lane] == GENERATOR:
            refill = (full - state.lane[LaneState.HOLD_UP_J, lane]) * work.refill_per_s
            arrives = work.need_w[lane] + refill
            used += arrives
            state.energy[Energy.GENERATOR] += arrives * dt_s
            up_w += drawn
        else:
            up_w += drawn - arrives
        served, battery = _carry(plan, state, work, lane, arrives)
        batteries += battery
        if arrives < work.need_w[lane] or state.lane[LaneState.MODE, lane] == DOWN:
            shortage = 1.0
        racks = work.it_w[lane] * served
        cooled = work.cooling_w[lane] * served
        served_w += racks
        cooling_w += cooled
        down_w += work.need_w[lane] * served - racks - cooled - work.shelf_w[lane]
        lowest = min(lowest, state.lane[LaneState.HOLD_UP_J, lane] / full)
        there_w = _decide(plan, state, work, lane, v_pu, hz, segment, tick, full)
        connected_w += there_w
        idle_w += there_w if _is_idle(plan, state, work, lane, v_pu) else 0.0
        _recover(plan, state, work, lane, v_pu, drawn)
        steady = steady and (
            state.lane[LaneState.MODE, lane] == ON_GRID
            and state.lane[LaneState.HOLD_UP_J, lane] == full
            and battery == 0.0
            and plan.lane[Lane.SHELF_J, lane] <= 0.0
            and (state.lane[LaneState.DRAWN_W, lane] == work.asked_w[lane])
            and state.lane[LaneState.LOW_TICKS, lane] == 0.0
            and state.lane[LaneState.CLOCKS, lane] == 0.0
            and state.lane[LaneState.HZ_TICKS, lane] == 0.0
            and state.lane[LaneState.LOST, lane] == 0.0
            and state.lane[LaneState.LIMIT_W, lane] >= NO_LIMIT
        )
    state.energy[Energy.IT] += served_w * dt_s
    state.energy[Energy.DOWNSTREAM_LOSS] += down_w * dt_s
    state.energy[Energy.UPSTREAM_LOSS] += up_w * dt_s
    state.site[SiteState.GENSET_LANES_W] = used
    state.site[SiteState.SHORT] = shortage
    work.total[Total.DRAWN_W] = drawn_w
    work.total[Total.DRAWN_VAR] = drawn_var
    work.total[Total.COOLING_W] = cooling_w
    work.total[Total.IT_W] = served_w
    work.total[Total.DOWN_W] = down_w
    work.total[Total.UP_W] = up_w
    work.total[Total.CONNECTED_W] = connected_w
    work.total[Total.IDLE_W] = idle_w
    work.total[Total.STEADY] = 1.0 if steady and state.site[SiteState.GENSET_BUSY] <= 0.0 else 0.0
    return served_w, connected_w, math.sqrt(max(lowest, 0.0)), batteries


@part
def _is_idle(plan: Plan, state: State, work: Work, lane: int, v_pu: float) -> bool:
    """Whether the converter of a lineup gives and takes no current at this step's voltage, whatever it is asked."""
    zero_pu = plan.lane[Lane.ZERO_PU, lane]
    if zero_pu > 0.0 and plan.lane[Lane.PRIORITY_PU, lane] <= v_pu <= zero_pu:
        return True
    if state.site[SiteState.UNSOLVED_NOW] > 0.0 and state.lane[LaneState.LOST, lane] <= 0.0:
        return work.let_go[0, lane] > work.most_w[lane] * v_pu
    return state.lane[LaneState.LOST, lane] > 0.0


@part
def nothing_moves(plan: Plan, work: Work, v_pu: float, hz: float, segment: int) -> bool:
    """Whether steady lineups that ask for what they asked for before also find the grid as good as before.

    `v_pu`, `hz` and `segment` as in `supply_lanes`.
    """
    low_pu = v_pu * min(plan.segment[Segment.BUS_MIN, segment], plan.segment[Segment.UNIT_MIN, segment])
    high_pu = v_pu * max(plan.segment[Segment.BUS_MAX, segment], plan.segment[Segment.UNIT_MAX, segment])
    return (
        v_pu >= work.total[Total.FREE_PU]
        and low_pu >= work.watch_below_pu
        and high_pu <= work.watch_above_pu
        and work.watch_below_hz <= hz <= work.watch_above_hz
    )


@part
def supply_as_before(plan: Plan, state: State, work: Work) -> tuple[float, float, float, float]:
    """As `supply_lanes`, while nothing moves."""
    dt_s = plan.site[SiteParam.DT_S]
    work.total[Total.DRAWN_W] = work.total[Total.WANT_W]
    work.total[Total.DRAWN_VAR] = work.total[Total.WANT_VAR]
    work.total[Total.IDLE_W] = 0.0
    state.energy[Energy.IT] += work.total[Total.IT_W] * dt_s
    state.energy[Energy.DOWNSTREAM_LOSS] += work.total[Total.DOWN_W] * dt_s
    state.energy[Energy.UPSTREAM_LOSS] += work.total[Total.UP_W] * dt_s
    return work.total[Total.IT_W], work.total[Total.CONNECTED_W], 1.0, 0.0


@part
def _decide(
    plan: Plan,
    state: State,
    work: Work,
    lane: int,
    v_pu: float,
    hz: float,
    segment: int,
    tick: int,
    full_j: float,
) -> float:
    """Let the relays and the return logic of a lineup act; its connected rating in this step [W]."""
    unit = plan.lane[Lane.HAS_UNIT, lane] > 0.0
    low_pu = v_pu * (
        plan.segment[Segment.UNIT_MIN, segment] if unit else plan.segment[Segment.BUS_MIN, segment]
    )
    high_pu = v_pu * (
        plan.segment[Segment.UNIT_MAX, segment] if unit else plan.segment[Segment.BUS_MAX, segment]
    )
    mode = state.lane[LaneState.MODE, lane]
    rated = plan.lane[Lane.INPUT_W, lane]
    if mode == ON_GRID or mode == WALK_IN:
        walked = 1.0
        if mode == WALK_IN:
            walked = min(state.lane[LaneState.WALK_FRAC, lane] + _walk_step(plan, state, lane), 1.0)
            state.lane[LaneState.WALK_FRAC, lane] = walked
            if walked >= 1.0:
                state.lane[LaneState.MODE, lane] = ON_GRID
        drained = (
            plan.lane[Lane.SUPPLEMENTS, lane] <= 0.0
            and plan.lane[Lane.BATTERY_W, lane] > 0.0
            and mode == ON_GRID
            and state.site[SiteState.CARRIES] <= 0.0
            and state.lane[LaneState.HOLD_UP_J, lane] < plan.lane[Lane.LEAVE_DC_FRAC, lane] * full_j
            and state.lane[LaneState.SHORT_TICKS, lane] >= plan.lane[Lane.CEASE_TICKS, lane]
        )
        if _relay(plan, state, lane, low_pu, high_pu, hz) or drained:
            _leave(plan, state, lane, tick)
        return rated * walked
    if mode == AWAY or mode == DOWN:
        _relay(plan, state, lane, low_pu, high_pu, hz)
        _come_back(plan, state, work, lane, low_pu, high_pu, hz)
    return 0.0


@part
def _recover(plan: Plan, state: State, work: Work, lane: int, v_pu: float, drawn_w: float) -> None:
    """Let a lineup lose or find synchronism, and come back from a fault along its ramp."""
    lost_pu = plan.lane[Lane.LOST_PU, lane]
    ramp = plan.lane[Lane.RECOVERY_W, lane]
    if max(lost_pu, ramp) <= 0.0:
        return
    mode = state.lane[LaneState.MODE, lane]
    if mode != ON_GRID and mode != WALK_IN:
        state.lane[LaneState.LOST, lane] = 0.0
        state.lane[LaneState.SOUND_TICKS, lane] = 0.0
        state.lane[LaneState.LIMIT_W, lane] = NO_LIMIT
        return
    if state.site[SiteState.LET_GO_NOW] > 0.0 and plan.lane[Lane.CEASE_TICKS, lane] > 0.0:
        v_pu = 0.0  # what the network cannot carry counts as no voltage
    was = state.lane[LaneState.LOST, lane]
    state.lane[LaneState.LOST, lane], state.lane[LaneState.SOUND_TICKS, lane] = synchronise(
        was,
        state.lane[LaneState.SOUND_TICKS, lane],
        v_pu,
        lost_pu,
        plan.lane[Lane.RESYNC_TICKS, lane],
        plan.lane[Lane.CEASE_TICKS, lane],
    )
    if was > 0.0 or state.lane[LaneState.LOST, lane] > 0.0:
        state.lane[LaneState.LIMIT_W, lane] = ramp if ramp > 0.0 else NO_LIMIT
    else:
        limit = state.lane[LaneState.LIMIT_W, lane]
        state.lane[LaneState.LIMIT_W, lane] = ramp_limit_w(limit, work.want_w[lane], drawn_w, ramp)


@part
def _walk_step(plan: Plan, state: State, lane: int) -> float:
    """By how much the share of a lineup's input rises in a step.

    Racks without a battery behind them start no faster than generators that form the bus take load up.
    """
    step = plan.lane[Lane.WALK_STEP, lane]
    cold = state.lane[LaneState.COLD, lane] > 0.0 or plan.lane[Lane.BATTERY_W, lane] <= 0.0
    if cold and state.site[SiteState.CARRIES] > 0.0:
        rated = plan.lane[Lane.INPUT_W, lane]
        step = min(step, state.site[SiteState.ROOM_W] / rated)
        state.site[SiteState.ROOM_W] -= step * rated
    return step
