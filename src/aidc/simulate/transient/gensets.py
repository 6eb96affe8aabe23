"""Generator sets: called by a lack, ready after their start, loaded along a ramp, kept at a least load.

They are called once photovoltaics, wind and the grid have lacked anything for `call_s`, whatever batteries
cover, and stop after these have sufficed for `stop_s`. Where nothing else does they form the bus; beside the
grid or a grid-forming storage they give what they are asked for. Their ramp is that of taking load up for the
first time: what they have carried once they carry again at once, as a governor does, and they fall at once.
"""

from __future__ import annotations

from aidc.firmware.virtual_machine import swing
from aidc.jit import part
from aidc.plant.genset import genset_clock
from aidc.simulate.transient.arrays import Plan, State, Work
from aidc.simulate.transient.consumers import KNEE_PU, passive_share
from aidc.simulate.transient.fields import (
    DOWN,
    GENERATOR,
    LOCKED,
    Energy,
    Genset,
    GensetState,
    Lane,
    LaneState,
    SiteParam,
    SiteState,
    Total,
)

__all__ = ["call_gensets", "give", "settle_gensets", "take_over"]

_OVERLOAD = 1.1  # ISO 8528-1 lets a generating set carry a tenth more for a short time
_LEAST_PU = 0.5  # below this their undervoltage relay opens (estimate without a checked source)


@part
def give(plan: Plan, state: State, work: Work, load_w: float, closed: bool) -> float:
    """What running sets put on the bus before it is solved, less what renewables are curtailed for it [W].

    `load_w` is what the bus lacks without them. On a bus that they form themselves the network decides, and
    only the curtailment counts. Beside the grid they keep their least load; on an island that a storage forms
    they take the whole load over. What nobody takes goes to a load bank.

    `closed` says whether the grid feeds the bus.
    """
    state.site[SiteState.BANK_W] = 0.0
    state.site[SiteState.CURTAILED_W] = 0.0
    work.total[Total.GIVEN_W] = 0.0
    if state.site[SiteState.GENSET_CAN_W] <= 0.0:
        return 0.0
    ramp = state.site[SiteState.GENSET_RAMP_W]
    reached = state.site[SiteState.GENSET_REACHED_W]
    room = max(state.site[SiteState.GENSET_CAN_W] - state.site[SiteState.GENSET_LANES_W], 0.0)
    low = state.site[SiteState.GENSET_LOW_W] if state.site[SiteState.GENSET_LANES_W] <= 0.0 else 0.0
    if state.site[SiteState.CARRIES] > 0.0:
        surplus = min(low, reached + ramp, room) - load_w
        curtailed = min(max(surplus, 0.0), plan.site[SiteParam.PV_W])
        given = 0.0
    else:
        goal = low if closed else max(load_w, low)
        power = min(goal, reached + ramp, room)
        state.site[SiteState.GENSET_REACHED_W] = power if closed else max(reached, power)
        curtailed = min(max(power - load_w, 0.0), plan.site[SiteParam.PV_W])
        given = min(power, max(load_w + curtailed, 0.0))
        state.site[SiteState.BANK_W] = power - given
    state.site[SiteState.CURTAILED_W] = curtailed
    work.total[Total.GIVEN_W] = given - curtailed
    return given - curtailed


@part
def settle_gensets(plan: Plan, state: State, work: Work, power_w: float, v_pu: float) -> None:
    """Book what the sets gave in the solved step; `power_w` is the bus's own. An overload trips them for good.

    `v_pu` is the voltage of the bus.
    """
    dt_s = plan.site[SiteParam.DT_S]
    lanes = state.site[SiteState.GENSET_LANES_W]
    bank = state.site[SiteState.BANK_W]
    state.site[SiteState.GENSET_W] = lanes
    if state.site[SiteState.GENSET_CAN_W] <= 0.0:
        return
    if state.site[SiteState.CARRIES] <= 0.0:
        share = passive_share(v_pu, KNEE_PU)
        power = (work.total[Total.GIVEN_W] + state.site[SiteState.CURTAILED_W]) * share + bank
    else:
        reached = state.site[SiteState.GENSET_REACHED_W]
        least = min(state.site[SiteState.GENSET_LOW_W], reached + state.site[SiteState.GENSET_RAMP_W])
        bank = max(least - power_w, 0.0)
        power = power_w + bank
        state.site[SiteState.GENSET_REACHED_W] = max(reached, power)
        _turn(plan, state, power, power + lanes, v_pu)
    state.energy[Energy.GENERATOR] += power * dt_s
    state.energy[Energy.LOAD_BANK] += bank * dt_s
    state.site[SiteState.GENSET_W] = power + lanes


@part
def _turn(plan: Plan, state: State, power_w: float, all_w: float, v_pu: float) -> None:
    """Speed of the sets that form the bus; a load that they cannot carry trips them for good."""
    rated = state.site[SiteState.GENSET_ONLINE_W]
    too_much = all_w > _OVERLOAD * rated or state.site[SiteState.UNSOLVED_NOW] > 0.0
    if too_much or v_pu < _LEAST_PU:
        state.site[SiteState.GENSET_TRIPPED] = 1.0
    state.site[SiteState.GENSET_OMEGA] = swing(
        state.site[SiteState.GENSET_OMEGA],
        -power_w / rated,
        1.0,
        plan.site[SiteParam.DT_S],
        plan.site[SiteParam.GENSET_INERTIA_S],
        plan.site[SiteParam.GENSET_DROOP],
        0.0,
    )


@part
def _run_clock(plan: Plan, state: State, genset: int, lacks: bool) -> float:
    """Ticks since the lack began that called a set, after this step; 0 at rest. The law of the energy engine."""
    clock, sufficed = genset_clock(
        state.genset[GensetState.LACK_TICKS, genset],
        state.genset[GensetState.SUFFICED_TICKS, genset],
        lacks,
        1.0,
        plan.genset[Genset.CALL_TICKS, genset],
        plan.genset[Genset.STOP_TICKS, genset],
    )
    state.genset[GensetState.LACK_TICKS, genset] = clock
    state.genset[GensetState.SUFFICED_TICKS, genset] = sufficed
    return clock


@part
def call_gensets(plan: Plan, state: State, lacks: bool) -> None:
    """Run the clocks of all sets by one step, and sum up what those that are ready can do."""
    if not lacks and state.site[SiteState.GENSET_BUSY] <= 0.0:
        return
    can = 0.0
    online = 0.0
    low = 0.0
    ramp = 0.0
    busy = 0.0
    for genset in range(plan.genset.shape[1]):
        clock = _run_clock(plan, state, genset, lacks)
        busy = 1.0 if clock > 0.0 else busy
        ready = clock > 0.0 and clock >= plan.genset[Genset.READY_TICKS, genset]
        if ready and state.site[SiteState.GENSET_TRIPPED] <= 0.0:
            can += plan.genset[Genset.POWER_W, genset]
            online += plan.genset[Genset.ONLINE_W, genset]
            low += plan.genset[Genset.LOW_W, genset]
            ramp += plan.genset[Genset.RAMP_W, genset]
    state.site[SiteState.GENSET_BUSY] = busy
    state.site[SiteState.GENSET_CAN_W] = can
    state.site[SiteState.GENSET_ONLINE_W] = online
    state.site[SiteState.GENSET_LOW_W] = min(low, can)
    state.site[SiteState.GENSET_RAMP_W] = ramp
    if can <= 0.0:
        state.site[SiteState.GENSET_REACHED_W] = 0.0
        state.site[SiteState.GENSET_OMEGA] = 1.0


@part
def take_over(plan: Plan, state: State, work: Work) -> bool:
    """Let running sets carry lineups that are locked out, as far as they reach; true if there is any such."""
    found = False
    can = state.site[SiteState.GENSET_CAN_W]
    used = state.site[SiteState.GENSET_LANES_W]
    if state.site[SiteState.CARRIES] > 0.0:
        used += state.site[SiteState.GENSET_REACHED_W]
    for place in range(plan.order.shape[0]):
        lane = int(plan.order[place])
        if state.lane[LaneState.LOCKOUT, lane] <= 0.0:
            continue
        found = True
        mode = state.lane[LaneState.MODE, lane]
        if mode == GENERATOR:
            if can <= 0.0:
                state.lane[LaneState.MODE, lane] = LOCKED
        elif mode == LOCKED or state.lane[LaneState.AWAY_TICKS, lane] >= plan.lane[Lane.RESTART_TICKS, lane]:
            load = plan.lane[Lane.BUFFER_W, lane] if mode == DOWN else work.need_w[lane]
            if used + load <= can:
                state.lane[LaneState.MODE, lane] = GENERATOR
                used += load
    return found
