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
    "next_kink_pu",
    "note_kinks",
    "passive_share",
    "renewable_share",
    "store_power",
]

_RAMP_PU = 0.02  # over which a converter that gives up at low voltage does so, which keeps a solution
DRIVE_KNEE_PU = 0.85  # below this a motor drive is current-limited (estimate, no checked source)
KNEE_PU = 0.9  # the same for auxiliaries and renewables
_HALVINGS = 40
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
def store_power(plan: Plan, work: Work, store: int, v_pu: float) -> tuple[float, float, float]:
    """Power, reactive power, and what of the latter is voltage control, of a current-controlled converter at a voltage.

    Active current goes first, but where it is stated that the voltage is supported: support has the next claim, and
    voltage control what both leave.

    `store` is the storage's number, `v_pu` the voltage of the bus.
    """
    rated = plan.store[Converter.RATED_W, store]
    limit = plan.store[Converter.CURRENT_LIMIT, store]
    whole = limit * rated * v_pu
    most = whole
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
        whole *= share
        most *= share
        support *= share
    p = min(max(work.store_w[store], -most), most)
    q = work.store_var[store] + work.var_per_pu[store] * (v_pu - 1.0)
    if q != 0.0:
        most = min(most, rated)
        room = math.sqrt(max(most * most - p * p, 0.0))
        q = min(max(q, -room), room)
        q = max(q, support - math.sqrt(max(whole * whole - p * p, 0.0)))
    return p, q - support, q


@part
def lane_power(plan: Plan, work: Work, lane: int, v_pu: float) -> tuple[float, float]:
    """Power and reactive power that a lineup draws at a voltage: what it wants, as far as its current allows.

    `lane` is the lineup's number, `v_pu` the voltage of the bus.
    """
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


@part
def next_kink_pu(plan: Plan, work: Work, below_pu: float) -> float:
    """The highest voltage below a given one at which something that feeds the bus begins to give way; 0 for none.

    Within 0.02 pu below it a feed may be gone: a search in coarser steps must look there. A storage gives way where
    its laws set in, and where what they leave no longer covers what is asked of it (`note_kinks`).
    """
    kink = plan.site[SiteParam.PV_CUT_OFF_PU] + _RAMP_PU if plan.site[SiteParam.PV_W] > 0.0 else 0.0
    found = kink if kink < below_pu else 0.0
    for store in range(plan.store.shape[1]):
        for k in range(work.kink_pu.shape[0]):
            if found < work.kink_pu[k, store] < below_pu:
                found = work.kink_pu[k, store]
    return found


@scalar
def note_kinks(plan: Plan, work: Work) -> None:
    """Note the voltages at which the laws of storages bend: where they set in, and where they bind (0: nowhere)."""
    for store in range(plan.store.shape[1]):
        cease = plan.store[Converter.CEASE_PU, store]
        full = plan.store[Converter.FULL_PU, store]
        work.kink_pu[0, store] = cease + _RAMP_PU if cease > 0.0 else 0.0
        work.kink_pu[1, store] = full
        work.kink_pu[2, store] = 0.0
        low = 0.0
        high = max(work.kink_pu[0, store], full, plan.store[Converter.PRIORITY_PU, store])
        if high <= 0.0 or _spare(plan, work, store, high) < 0.0:
            continue
        for _ in range(_HALVINGS):
            middle = 0.5 * (low + high)
            if _spare(plan, work, store, middle) < 0.0:
                low = middle
            else:
                high = middle
        work.kink_pu[2, store] = high


@scalar
def _spare(plan: Plan, work: Work, store: int, v_pu: float) -> float:
    """Power that the laws of a storage leave at a voltage, less what is asked of it and its voltage control."""
    active, _ = current_limits(
        v_pu,
        plan.store[Converter.CURRENT_LIMIT, store],
        plan.store[Converter.FULL_PU, store],
        plan.store[Converter.ZERO_PU, store],
        plan.store[Converter.PRIORITY_PU, store],
        plan.store[Converter.REACTIVE_GAIN, store],
    )
    most = active * plan.store[Converter.RATED_W, store] * v_pu
    cease = plan.store[Converter.CEASE_PU, store]
    if cease > 0.0:
        most *= min(max((v_pu - cease) / _RAMP_PU, 0.0), 1.0)
    var = work.store_var[store] + work.var_per_pu[store] * (v_pu - 1.0)
    return most - math.hypot(work.store_w[store], var)


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
        one, var, _ = store_power(plan, work, store, v_pu)
        p += one
        q += var
    return p, q
