"""What hangs on the site bus: how much each consumer and each current-controlled source takes at a voltage."""

from __future__ import annotations

import math

from aidc.firmware.fault_current import current_limits
from aidc.jit import part, scalar
from aidc.simulate.transient.arrays import Plan, Work
from aidc.simulate.transient.fields import Converter, Drive, Lane, SiteParam, Total

__all__ = [
    "DRIVE_KNEE_PU",
    "KNEE_PU",
    "draw",
    "lane_power",
    "passive_share",
    "renewable_share",
    "store_power",
]

_RAMP_PU = 0.02  # over which a converter that gives up at low voltage does so, which keeps a solution
DRIVE_KNEE_PU = 0.85  # below this a motor drive is current-limited (estimate, no checked source)
KNEE_PU = 0.9  # the same for auxiliaries and renewables
_PASSIVE_PU = 0.5  # below this both draw as an impedance does (estimate, no checked source)


@part
def passive_share(v_pu: float, knee_pu: float) -> float:
    """Share of its power that what has no stated law of its own draws at a voltage.

    Constant power above a knee, constant current below it, constant impedance below half the voltage: nothing
    passive draws a current from a voltage that is not there.
    """
    if v_pu >= knee_pu:
        return 1.0
    return v_pu / knee_pu * min(1.0, v_pu / _PASSIVE_PU)


@part
def renewable_share(plan: Plan, v_pu: float) -> float:
    """Share of their power that the inverters of the renewables give at a voltage."""
    if v_pu >= max(KNEE_PU, plan.site[SiteParam.PV_CUT_OFF_PU] + _RAMP_PU):
        return 1.0
    above = (v_pu - plan.site[SiteParam.PV_CUT_OFF_PU]) / _RAMP_PU
    return min(1.0, v_pu / KNEE_PU) * min(max(above, 0.0), 1.0)


@part
def store_power(plan: Plan, work: Work, store: int, v_pu: float) -> tuple[float, float]:
    """Power and reactive power of a current-controlled converter at a voltage.

    Active current goes first, but where it is stated that the voltage is supported.
    """
    rated = plan.store[Converter.RATED_W, store]
    limit = plan.store[Converter.CURRENT_LIMIT, store]
    most = limit * rated * v_pu
    support = 0.0
    full = plan.store[Converter.FULL_PU, store]
    priority = plan.store[Converter.PRIORITY_PU, store]
    if v_pu < max(full, priority):
        active, support = current_limits(
            v_pu,
            limit,
            full,
            plan.store[Converter.ZERO_PU, store],
            priority,
            plan.store[Converter.REACTIVE_GAIN, store],
        )
        most = active * rated * v_pu
        support *= work.store_supports[store] * rated * v_pu
    cease = work.cease_pu[store]
    if cease > 0.0:
        share = min(max((v_pu - cease) / _RAMP_PU, 0.0), 1.0)
        most *= share
        support *= share
    p = min(max(work.store_w[store], -most), most)
    q = work.store_var[store] + work.var_per_pu[store] * (v_pu - 1.0)
    if q != 0.0:
        most = min(most, rated)
        room = math.sqrt(max(most * most - p * p, 0.0))
        q = min(max(q, -room), room)
    return p, q - support


@part
def lane_power(plan: Plan, work: Work, lane: int, v_pu: float) -> tuple[float, float]:
    """Power and reactive power that a lineup draws at a voltage: what it wants, as far as its current allows."""
    most = work.most_w[lane] * v_pu
    support = 0.0
    if v_pu < work.reduced_pu[lane]:
        active, support = current_limits(
            v_pu,
            plan.lane[Lane.CURRENT_LIMIT, lane],
            plan.lane[Lane.FULL_PU, lane],
            plan.lane[Lane.ZERO_PU, lane],
            plan.lane[Lane.PRIORITY_PU, lane],
            plan.lane[Lane.REACTIVE_GAIN, lane],
        )
        rated = plan.lane[Lane.INPUT_W, lane]
        most = active * rated * v_pu
        support *= work.supports[lane] * rated * v_pu
    one = min(work.want_w[lane], most)
    return one, one * (plan.lane[Lane.TAN_PHI, lane] + plan.lane[Lane.X_PER_W, lane] * one) - support


@scalar
def draw(plan: Plan, work: Work, v_pu: float) -> tuple[float, float]:
    """Power that all consumers and current-controlled sources take from the bus at a voltage [W, var].

    Everything draws constant power above a knee and less below it: lineups and storages by their own current
    limits, the rest as `passive_share` has it.
    """
    p = plan.site[SiteParam.AUXILIARY_W] * passive_share(v_pu, KNEE_PU)
    p -= plan.site[SiteParam.PV_W] * renewable_share(plan, v_pu)
    p -= work.total[Total.GIVEN_W] * passive_share(v_pu, KNEE_PU)
    q = 0.0
    for lane in range(plan.lane.shape[1]):
        one, var = lane_power(plan, work, lane, v_pu)
        p += one
        q += var
    for plant in range(plan.drive.shape[1]):
        one = work.drive_w[plant] * passive_share(v_pu, DRIVE_KNEE_PU)
        p += one
        q += one * plan.drive[Drive.TAN_PHI, plant]
    for store in range(plan.store.shape[1]):
        one, var = store_power(plan, work, store, v_pu)
        p += one
        q += var
    return p, q
