"""How much current a converter that follows the grid gives at low voltage, and how it comes back after a fault.

The keys are those of `aidc.schema.fault_behaviour.FaultBehaviour`; its text names the sources.
"""

from __future__ import annotations

import math

from aidc.jit import scalar

__all__ = ["NO_LIMIT", "current_limits", "ramp_limit_w", "synchronise"]

NO_LIMIT = 1e300
_NEAR = 1e-9


@scalar
def current_limits(
    v_pu: float, limit: float, full_pu: float, zero_pu: float, priority_pu: float, gain: float
) -> tuple[float, float]:
    """Greatest active current and the reactive current that supports the voltage, over the rated current.

    Parameters
    ----------
    v_pu
        Positive-sequence voltage.
    limit
        Greatest current.
    full_pu, zero_pu
        Voltages above which the whole limit, and below which no active current flows; 0 and 0: no reduction.
    priority_pu, gain
        Below this voltage reactive current goes first, `gain` times the voltage that is missing; 0: never.
    """
    active = limit
    reactive = 0.0
    if v_pu < priority_pu:
        reactive = min(gain * (priority_pu - v_pu), limit)
        active = math.sqrt(limit * limit - reactive * reactive)
    if v_pu < full_pu:
        active *= max((v_pu - zero_pu) / (full_pu - zero_pu), 0.0)
    return active, reactive


@scalar
def synchronise(
    lost: float, ticks: float, v_pu: float, lost_pu: float, resync_ticks: float, cease_ticks: float
) -> tuple[float, float]:
    """Whether a PLL is lost (1) after a step, and for how many steps it has been on its way to a change.

    One in step with the grid counts steps of too little voltage, and is lost once there are more than `cease_ticks`; a
    lost one counts steps of enough voltage, and is locked again at `resync_ticks`. `lost` and `ticks` are those before
    the step, `v_pu` is its voltage, and below `lost_pu` there is too little.
    """
    low = v_pu < lost_pu
    if lost > 0.0:
        if low:
            return 1.0, 0.0
        return (0.0, 0.0) if ticks + 1.0 >= resync_ticks else (1.0, ticks + 1.0)
    if not low:
        return 0.0, 0.0
    return (1.0, 0.0) if ticks + 1.0 > cease_ticks else (0.0, ticks + 1.0)


@scalar
def ramp_limit_w(limit_w: float, asked_w: float, given_w: float, ramp_w: float) -> float:
    """Power that a converter may give in the next step [W], after one in which it was asked for and gave some.

    `limit_w` is that of this step, `NO_LIMIT` where there is none. What the voltage held back comes back by `ramp_w`
    a step; 0: at once.

    `asked_w` and `given_w` are what was asked of the converter in the step that has passed, and what it gave [W].
    """
    if ramp_w <= 0.0:
        return NO_LIMIT
    if given_w < asked_w * (1.0 - _NEAR):
        return given_w + ramp_w
    return limit_w + ramp_w if limit_w < NO_LIMIT else NO_LIMIT
