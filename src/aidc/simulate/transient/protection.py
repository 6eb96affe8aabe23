"""Protection of the site storages' converters: what trips them, and whether they give current at all."""

from __future__ import annotations

from aidc.firmware.excursion import clock_ticks
from aidc.jit import part
from aidc.simulate.transient.arrays import Plan, State, Work
from aidc.simulate.transient.fields import CURVE, Converter, Segment, SiteState, StoreState

__all__ = ["in_operation", "trips"]

_BELOW_PU, _ABOVE_PU, _BELOW_HZ, _ABOVE_HZ = 0, 1, 2, 3
_BELOW, _ABOVE = -1.0, 1.0


@part
def _clocks(plan: Plan, state: State, store: int, side: int, value: float, sign: float) -> bool:
    """Run the clocks of one side of a relay; true once one has run for longer than it is set to."""
    out = False
    for k in range(side * CURVE, (side + 1) * CURVE):
        beyond = sign * (value - plan.store[Converter.RELAY + k, store]) > 0.0
        clock = clock_ticks(beyond, state.store[StoreState.CLOCK + k, store])
        state.store[StoreState.CLOCK + k, store] = clock
        out = out or clock > plan.store[Converter.RELAY_TICKS + k, store]
    return out


@part
def trips(plan: Plan, state: State, store: int, v_pu: float, hz: float, segment: int) -> bool:
    """Whether protection takes a converter off the grid at the end of this step.

    Frequency is that of the converter's own PLL; a grid-forming one has none, and sees that of the bus. A bus without
    voltage has no frequency.

    `store` is the storage's number, `v_pu` and `hz` are voltage and frequency of the bus, `segment` is the number of
    the stretch of the grid's course.
    """
    low_pu = v_pu * plan.segment[Segment.BUS_MIN, segment]
    high_pu = v_pu * plan.segment[Segment.BUS_MAX, segment]
    seen_hz = state.store[StoreState.HZ, store]
    if plan.store[Converter.FORMING, store] > 0.0:
        seen_hz = hz
    out = _clocks(plan, state, store, _BELOW_PU, low_pu, _BELOW)
    out = _clocks(plan, state, store, _ABOVE_PU, high_pu, _ABOVE) or out
    if v_pu > 0.0:
        out = _clocks(plan, state, store, _BELOW_HZ, seen_hz, _BELOW) or out
        out = _clocks(plan, state, store, _ABOVE_HZ, seen_hz, _ABOVE) or out
    changed = abs(seen_hz - state.store[StoreState.LAST_HZ, store])
    state.store[StoreState.LAST_HZ, store] = seen_hz
    clock = clock_ticks(
        changed > plan.store[Converter.ROCOF_HZ, store], state.store[StoreState.ROCOF_TICKS, store]
    )
    state.store[StoreState.ROCOF_TICKS, store] = clock
    out = out or clock > plan.store[Converter.ROCOF_TICKS, store]
    jump_rad = plan.segment[Segment.JUMP_RAD, segment]
    jumped = abs(jump_rad - state.store[StoreState.GRID_RAD, store])
    state.store[StoreState.GRID_RAD, store] = jump_rad
    return out or jumped > plan.store[Converter.JUMP_RAD, store]


@part
def in_operation(plan: Plan, state: State, work: Work, store: int, v_pu: float) -> bool:
    """Whether a connected converter gives current, or would if it were asked to.

    Where the network could not carry what was asked for, a converter that is held at its limit counts as out of
    operation at the voltage that stands without it.

    `store` is the storage's number, `v_pu` the voltage of the bus.
    """
    if plan.store[Converter.FORMING, store] > 0.0:
        return True
    cease_pu = work.cease_pu[store]
    zero_pu = plan.store[Converter.ZERO_PU, store]
    silent = zero_pu > 0.0 and plan.store[Converter.PRIORITY_PU, store] <= v_pu <= zero_pu
    if silent or (cease_pu > 0.0 and v_pu <= cease_pu):
        return False
    if state.site[SiteState.UNSOLVED_NOW] <= 0.0:
        return work.store_supports[store] > 0.0
    if state.store[StoreState.LOST, store] > 0.0:
        return False
    limit_w = plan.store[Converter.CURRENT_LIMIT, store] * plan.store[Converter.RATED_W, store] * v_pu
    return abs(work.store_let_go[0, store]) <= limit_w
