"""Storage with its converter: one step, its auxiliaries, and the rules that need no controller.

Cells hold energy E·SOC. The converter's efficiency is over AC power x = |P|/R in both directions,

    η = x / (x + a + b·x + c·x²)      charging: stored = P·η·η_cell,  discharging: drawn = P/(η·η_cell)

(Notton et al., doi:10.1016/j.renene.2009.07.013; the convention of SimSES, tum-ees/simses). Where a
limit binds, the AC power follows from the cells' limit by solving that equation, so no limit is ever
overstepped and `power·dt = Δstored + loss·dt` holds to rounding. A converter at rest loses nothing
here: its standby belongs to the auxiliaries. Self-discharge is not modelled (LFP loses 1-3 % a month).
"""

from __future__ import annotations

import math
from typing import NamedTuple, assert_never

from aidc.errors import InputError, Problem
from aidc.jit import scalar
from aidc.schema.storage import PeakShaving, Reserve, Rule, SelfConsumption, Smoothing, Storage
from aidc.units import J_PER_MWH, MEGA

__all__ = [
    "StorageParams",
    "auxiliary_w",
    "charge_power_w",
    "charge_stored_w",
    "discharge_drawn_w",
    "discharge_power_w",
    "dispatch_rule_w",
    "rule_thresholds_w",
    "smoothing_request_w",
    "storage_limits_w",
    "storage_params",
    "storage_step",
]

RECHARGE_SHARE = 0.85  # of the peak-shaving target, where the site does not say; a margin, not a finding


class StorageParams(NamedTuple):
    """What a step needs: capacity [J], AC rating [W], SOC limits, loss curves, auxiliaries."""

    capacity_j: float
    rated_w: float
    soc_min_frac: float
    soc_max_frac: float
    charge_a: float
    charge_b: float
    charge_c: float
    discharge_a: float
    discharge_b: float
    discharge_c: float
    cell_charge_frac: float
    cell_discharge_frac: float
    auxiliary_base_w: float
    auxiliary_share_frac: float


def storage_params(storage: Storage, accelerators: int = 0) -> StorageParams:
    """Parameters of a storage; `accelerators` scales what is given per accelerator."""
    power_w = storage.power_mw * MEGA if storage.power_mw is not None else 0.0
    energy_j = storage.energy_mwh * J_PER_MWH if storage.energy_mwh is not None else 0.0
    if storage.power_mw is None and storage.power_w_per_accelerator is not None:
        power_w = storage.power_w_per_accelerator * accelerators
    if storage.energy_mwh is None and storage.energy_j_per_accelerator is not None:
        energy_j = storage.energy_j_per_accelerator * accelerators
    if power_w <= 0 or energy_j <= 0:
        raise InputError(
            Problem(
                "a storage rated per accelerator has none",
                "Attach it to pods with accelerators, or give power_mw and energy_mwh.",
            )
        )
    charge, discharge = storage.charge_loss, storage.discharge_loss
    return StorageParams(
        energy_j,
        power_w,
        storage.soc_min_frac,
        storage.soc_max_frac,
        charge.a,
        charge.b,
        charge.c,
        discharge.a,
        discharge.b,
        discharge.c,
        storage.cell_charge_efficiency_frac,
        storage.cell_discharge_efficiency_frac,
        storage.auxiliary_base_frac * power_w,
        storage.auxiliary_share_frac,
    )


@scalar
def charge_stored_w(power_w: float, params: StorageParams) -> float:
    """Rate at which the cells fill [W] at AC power `power_w` ≥ 0 [W]."""
    if power_w <= 0.0:
        return 0.0
    load = power_w / params.rated_w
    loss_frac = params.charge_a + load * (params.charge_b + load * params.charge_c)
    return power_w * params.cell_charge_frac * load / (load + loss_frac)


@scalar
def charge_power_w(stored_w: float, params: StorageParams) -> float:
    """AC power [W] that fills the cells at `stored_w` ≥ 0 [W]: the inverse of `charge_stored_w`."""
    if stored_w <= 0.0:
        return 0.0
    dc = stored_w / (params.cell_charge_frac * params.rated_w)
    linear = dc * (1.0 + params.charge_b)
    bent = 1.0 - params.charge_c * dc
    return (
        params.rated_w
        * (linear + math.sqrt(linear * linear + 4.0 * bent * dc * params.charge_a))
        / (2.0 * bent)
    )


@scalar
def discharge_drawn_w(power_w: float, params: StorageParams) -> float:
    """Rate at which the cells empty [W] at AC output `power_w` ≥ 0 [W]."""
    if power_w <= 0.0:
        return 0.0
    load = power_w / params.rated_w
    loss_frac = params.discharge_a + load * (params.discharge_b + load * params.discharge_c)
    return (power_w + params.rated_w * loss_frac) / params.cell_discharge_frac


@scalar
def discharge_power_w(drawn_w: float, params: StorageParams) -> float:
    """AC output [W] from cells emptying at `drawn_w` ≥ 0 [W]; 0 where they do not cover the no-load loss."""
    surplus = drawn_w * params.cell_discharge_frac / params.rated_w - params.discharge_a
    if surplus <= 0.0:
        return 0.0
    slope = 1.0 + params.discharge_b
    return (
        params.rated_w
        * 2.0
        * surplus
        / (slope + math.sqrt(slope * slope + 4.0 * params.discharge_c * surplus))
    )


@scalar
def storage_limits_w(soc_frac: float, dt_s: float, params: StorageParams) -> tuple[float, float]:
    """Largest discharge and charge over a step, as AC magnitudes [W]."""
    per_soc_w = params.capacity_j / dt_s
    drawn_w = max(soc_frac - params.soc_min_frac, 0.0) * per_soc_w
    room_w = max(params.soc_max_frac - soc_frac, 0.0) * per_soc_w
    full_w = charge_stored_w(params.rated_w, params)
    return (
        min(params.rated_w, discharge_power_w(drawn_w, params)),
        params.rated_w if room_w >= full_w else charge_power_w(room_w, params),
    )


@scalar
def storage_step(
    soc_frac: float, request_w: float, dt_s: float, params: StorageParams
) -> tuple[float, float, float]:
    """Advance a storage by one step.

    Parameters
    ----------
    soc_frac
        State of charge at the start, share of the cells' capacity.
    request_w
        Wanted AC power [W], charging positive.
    dt_s
        Step [s].
    params
        From `storage_params`.

    Returns
    -------
    tuple
        AC power [W], charging positive; state of charge at the end; loss in converter and cells [W].
    """
    power_w = 0.0
    next_frac = soc_frac
    per_soc_w = params.capacity_j / dt_s
    if request_w > 0.0:
        room_w = max(params.soc_max_frac - soc_frac, 0.0) * per_soc_w
        power_w = min(request_w, params.rated_w)
        stored_w = charge_stored_w(power_w, params)
        if stored_w < room_w:
            next_frac = soc_frac + stored_w / per_soc_w
        else:
            power_w = min(power_w, charge_power_w(room_w, params))
            next_frac = max(soc_frac, params.soc_max_frac)
    elif request_w < 0.0:
        available_w = max(soc_frac - params.soc_min_frac, 0.0) * per_soc_w
        output_w = min(-request_w, params.rated_w)
        drawn_w = discharge_drawn_w(output_w, params)
        if drawn_w < available_w:
            next_frac = soc_frac - drawn_w / per_soc_w
            power_w = -output_w
        else:
            power_w = -min(output_w, discharge_power_w(available_w, params))
            if power_w < 0.0:
                next_frac = min(soc_frac, params.soc_min_frac)
    return power_w, next_frac, power_w - (next_frac - soc_frac) * per_soc_w


@scalar
def auxiliary_w(power_w: float, params: StorageParams) -> float:
    """Cooling, control and standby of a storage [W] at AC power `power_w` [W]."""
    return params.auxiliary_base_w + params.auxiliary_share_frac * abs(power_w)


@scalar
def dispatch_rule_w(net_load_w: float, charge_below_w: float, discharge_above_w: float) -> float:
    """Request to a storage [W]: fill a net load up to one threshold, cut it down to the other.

    Self-consumption is (0, 0); peak shaving is (target·share, target); reserve is (limit, limit).
    """
    return max(charge_below_w - net_load_w, 0.0) - max(net_load_w - discharge_above_w, 0.0)


@scalar
def smoothing_request_w(
    net_load_w: float, mean_w: float, dt_s: float, window_s: float
) -> tuple[float, float]:
    """Request that keeps the net load at its running mean, and the new mean [W] (backward Euler).

    `net_load_w` is the load at the storage's node [W], `mean_w` its running mean so far, `dt_s` the step and
    `window_s` the time constant of the mean [s].
    """
    new_w = (mean_w * window_s + net_load_w * dt_s) / (window_s + dt_s)
    return new_w - net_load_w, new_w


def rule_thresholds_w(rule: Rule, import_limit_w: float) -> tuple[float, float]:
    """Thresholds of `dispatch_rule_w` [W]: charge below, discharge above. Smoothing has its own law."""
    match rule:
        case SelfConsumption():
            return 0.0, 0.0
        case Reserve():
            return import_limit_w, import_limit_w
        case PeakShaving(target_mw=target_mw, charge_below_mw=below_mw):
            target_w = import_limit_w if target_mw is None else target_mw * MEGA
            below_w = RECHARGE_SHARE * target_w if below_mw is None else below_mw * MEGA
            return min(below_w, target_w), target_w
        case Smoothing():
            return 0.0, import_limit_w
    assert_never(rule)
