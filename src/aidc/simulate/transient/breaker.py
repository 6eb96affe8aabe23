"""The breaker between the site bus and the grid: when it opens, what holds an island until then, when it closes."""

from __future__ import annotations

import math

from aidc.jit import part
from aidc.simulate.transient.arrays import Plan, State, Work
from aidc.simulate.transient.consumers import KNEE_PU
from aidc.simulate.transient.fields import Converter, SiteParam, SiteState, StoreState
from aidc.simulate.transient.gensets import take_over

__all__ = ["breaker", "lacks"]

_CLOSE_RAD = math.radians(10.0)
_CLOSE_HZ = 0.1
_SLIP_HZ = 0.08
_SLIP_PER_RAD = 0.1


@part
def _synchronise(state: State, e_pu: float, grid_hz: float, grid_rad: float, own_hz: float) -> float:
    """Close the breaker of an island once it is in step with a grid that is back.

    Limits of 0.1 Hz and 10 degrees: IEEE 1547-2018, table 5 (largest class). The difference in voltage is no
    condition, as the virtual impedance has no voltage control. Returns the frequency that the island should
    take until then [Hz], 0 once it is closed.
    """
    ahead = grid_rad - state.site[SiteState.BUS_RAD]
    ahead -= 2.0 * math.pi * math.floor(ahead / (2.0 * math.pi) + 0.5)
    if e_pu >= KNEE_PU and abs(ahead) < _CLOSE_RAD and abs(grid_hz - own_hz) < _CLOSE_HZ:
        state.site[SiteState.ISLAND] = 0.0
        return 0.0
    return grid_hz + min(max(_SLIP_PER_RAD * ahead, -_SLIP_HZ), _SLIP_HZ)


@part
def breaker(
    plan: Plan,
    state: State,
    there: bool,
    e_pu: float,
    grid_hz: float,
    grid_rad: float,
    own_hz: float,
) -> tuple[bool, float]:
    """Whether the grid feeds the bus in this step, and what frequency an island should take until it does [Hz].

    An island of storages closes in step. One of generators, which were called while the grid was away or too
    low, goes back once its voltage is; their governor is taken to have them in step by then. A site
    without a grid never closes. Behind an open breaker with nothing that forms it the bus is dead.

    `there` says whether the grid is present, `e_pu` is its voltage, `grid_hz` its frequency, `grid_rad` its angle
    [rad], and `own_hz` the frequency of the bus.
    """
    trim_hz = 0.0
    if not there or plan.site[SiteParam.ISLAND] > 0.0:
        state.site[SiteState.ISLAND] = 1.0
    elif state.site[SiteState.ISLAND] > 0.0:
        if own_hz > 0.0:
            trim_hz = _synchronise(state, e_pu, grid_hz, grid_rad, own_hz)
        elif state.site[SiteState.GENSET_CAN_W] <= 0.0 or e_pu >= KNEE_PU:
            state.site[SiteState.ISLAND] = 0.0
    closed = state.site[SiteState.ISLAND] <= 0.0
    if not closed and state.site[SiteState.CLOSED] > 0.0:
        _release(plan, state)
    state.site[SiteState.CLOSED] = 1.0 if closed else 0.0
    carries = not closed and own_hz <= 0.0 and state.site[SiteState.GENSET_CAN_W] > 0.0
    state.site[SiteState.CARRIES] = 1.0 if carries else 0.0
    state.site[SiteState.DEAD] = 0.0 if closed or carries or own_hz > 0.0 else 1.0
    return closed, trim_hz


@part
def _release(plan: Plan, state: State) -> None:
    """Converters that form a voltage are limited by what they feed from now on, not by a fault behind the breaker."""
    for store in range(plan.store.shape[1]):
        if plan.store[Converter.FORMING, store] > 0.0 and state.store[StoreState.TRIPPED, store] <= 0.0:
            state.store[StoreState.KAPPA, store] = 1.0


@part
def lacks(
    plan: Plan, state: State, work: Work, e_pu: float, v_pu: float, load_w: float, closed: bool, own_hz: float
) -> bool:
    """Whether grid and renewables do not suffice in this step; a dead grid is cut off once generators are ready.

    A low voltage counts where any lineup gets less than it needs; a lineup that is locked out lacks the grid.

    `e_pu` is the grid's voltage and `v_pu` that of the bus, `load_w` what the bus asks for [W], `closed` whether the
    grid feeds it, and `own_hz` its frequency.
    """
    locked_out = take_over(plan, state, work)
    if not closed:
        return locked_out or own_hz <= 0.0 or load_w > 0.0
    if v_pu < KNEE_PU and state.site[SiteState.SHORT] > 0.0:
        if e_pu < KNEE_PU and state.site[SiteState.GENSET_CAN_W] > 0.0:
            state.site[SiteState.ISLAND] = 1.0
        return True
    return locked_out
