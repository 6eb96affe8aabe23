"""Largest simultaneous loss of load, the overvoltage it leaves, and how the load comes back.

A loss is power that the run without the fault draws, the run with it does not, and that stays away for at
least a second: the dip of power during the fault itself is no loss. The loss of a case is the greatest over
time of the least of (normal - actual) within the second that follows; one-cycle means, so that ripple does
not hide it. What remains of the load after the loss is solved exactly behind the Thévenin source that held
the voltage before it: with s = P + jQ, z = R + jX and V real,

    E^2 = (V + (R P + X Q)/V)^2 + ((X P - R Q)/V)^2
    V^4 + V^2 (2 (R P + X Q) - E^2) + |z|^2 |s|^2 = 0,   the upper root

(two-bus power flow in closed form, as in T. Van Cutsem and C. Vournas, Voltage Stability of Electric Power
Systems, Springer 1998, chapter 2; derived anew, and checked in the tests by putting the voltage back into
the circuit). In per unit of the short-circuit power |z| = 1.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from aidc.errors import InputError, Problem
from aidc.measure.grid.channel import cannot_judge, checked, first_s, same_clock
from aidc.measure.grid.one_cycle import cycle_mean
from aidc.measure.grid.verdict import Connection, Verdict, judge, not_assessable, worst
from aidc.record.waveform import FloatArray, Waveform
from aidc.schema.code import LoadLoss

__all__ = [
    "Loss",
    "LossCase",
    "after_loss_pu",
    "largest_loss",
    "load_loss",
    "loss_of",
    "source_pu",
    "terminal_pu",
]

STAYS_AWAY_S = 1.0
"""A load that is back within this time was not lost (our choice: longer than any fault and its recovery ramp)."""


@dataclass(frozen=True, slots=True)
class LossCase:
    """One fault: its name, the run with it and the run without it over the same window and seed."""

    name: str
    with_fault: Waveform
    without_fault: Waveform


@dataclass(frozen=True, slots=True)
class Loss:
    """A loss of load: power and reactive power lost, when, what was drawn before, and the largest step back.

    `reconnect_w` is the greatest rise of power (against the run without the fault) within any second once
    the loss has lasted; 0 where nothing came back. `before_pu` is the voltage before the loss.
    """

    loss_w: float = 0.0
    loss_var: float = 0.0
    at_s: float = 0.0
    before_w: float = 0.0
    before_var: float = 0.0
    before_pu: float = 1.0
    reconnect_w: float = 0.0
    case: str = ""


def load_loss(clause: LoadLoss, cases: Iterable[LossCase], connection: Connection) -> Verdict:
    """The largest loss against its limit, and the voltage it leaves against its own; the worse counts.

    `overvoltage_pu` is a limit of the voltage after the loss, in per unit of nominal. A clause without any
    limit is reported with its value and stays `not_assessable`.
    """
    greatest = Loss()
    seen = 0
    for one in cases:
        refusal = cannot_judge(clause, one.with_fault, ["p_w"], one.name)
        if refusal:
            return refusal
        seen += 1
        found = loss_of(one)
        greatest = found if found.loss_w > greatest.loss_w or seen == 1 else greatest
    if not seen:
        return not_assessable(clause, "no fault was simulated")
    verdicts: list[Verdict] = []
    after_pu = after_loss_pu(greatest, connection)
    reason = _told(greatest, after_pu)
    if clause.limit_mw is not None:
        verdicts.append(
            judge(clause, greatest.loss_w / 1e6, clause.limit_mw, "MW", reason=reason, case=greatest.case)
        )
    if clause.overvoltage_pu is not None:
        if after_pu is None:
            verdicts.append(
                not_assessable(clause, f"no short-circuit level, or no solution; {reason}", greatest.case)
            )
        else:
            verdicts.append(
                judge(clause, after_pu, clause.overvoltage_pu, "pu", reason=reason, case=greatest.case)
            )
    return (
        worst(verdicts)
        if verdicts
        else not_assessable(clause, f"the rule states no limit; {reason}", greatest.case)
    )


def largest_loss(cases: Iterable[LossCase]) -> Loss:
    """The greatest loss over cases; they are read one after another, so that a generator will do."""
    return max((loss_of(case) for case in cases), key=lambda loss: loss.loss_w, default=Loss())


def loss_of(case: LossCase, stays_s: float = STAYS_AWAY_S) -> Loss:
    """The greatest loss of one case that lasts at least `stays_s`."""
    same_clock(case.with_fault, case.without_fault)
    step_s = float(case.with_fault.step_s)
    steps = max(math.ceil(stays_s / step_s - 1e-9), 1)
    lost = _lacking(case, "p_w")
    if lost.size <= steps:
        raise InputError(
            Problem(
                f"the run of case {case.name or '(unnamed)'} is shorter than the {stays_s:g} s that a loss must last",
                "simulate a longer window",
                key="duration_s",
                value=case.with_fault.duration_s,
            )
        )
    lasting = _least_ahead(lost, steps)
    k = int(lasting.argmax())
    if lasting[k] <= 0:
        return Loss(case=case.name)
    normal = case.without_fault
    reactive = "q_var" in normal and "q_var" in case.with_fault
    loss_var = float(_lacking(case, "q_var")[k : k + steps + 1].mean()) if reactive else 0.0
    return Loss(
        loss_w=float(lasting[k]),
        loss_var=loss_var,
        at_s=first_s(normal) + k * step_s,
        before_w=float(checked(normal, "p_w")[k]),
        before_var=float(checked(normal, "q_var")[k]) if reactive else 0.0,
        before_pu=float(checked(normal, "v1_pu")[k]) if "v1_pu" in normal else 1.0,
        reconnect_w=_largest_return(lost[k + steps :], steps),
        case=case.name,
    )


def after_loss_pu(loss: Loss, connection: Connection) -> float | None:
    """Voltage after the loss [pu]; None without a short-circuit level, or where no steady state exists."""
    if connection.short_circuit_va is None or connection.short_circuit_va <= 0:
        return None
    base = connection.short_circuit_va
    r = 1.0 / math.hypot(1.0, connection.x_over_r)
    x = connection.x_over_r * r
    e = source_pu(loss.before_pu, loss.before_w / base, loss.before_var / base, r, x)
    p = (loss.before_w - loss.loss_w) / base
    q = (loss.before_var - loss.loss_var) / base
    return terminal_pu(e, p, q, r, x)


def source_pu(v: float, p: float, q: float, r: float, x: float) -> float:
    """Source voltage that holds `v` at a load p + jq behind r + jx [pu].

    `q` is reactive power drawn and `x` the reactance, all on one base.
    """
    if v <= 0:
        raise InputError(
            Problem("the voltage at the load is not positive", "give a positive one", key="v", value=v)
        )
    return math.hypot(v + (r * p + x * q) / v, (x * p - r * q) / v)


def terminal_pu(e: float, p: float, q: float, r: float, x: float) -> float | None:
    """Voltage at a load p + jq behind r + jx from a source `e` [pu]; None where the network cannot carry it.

    `q` is reactive power drawn and `x` the reactance, all on one base.
    """
    half = 0.5 * e * e - (r * p + x * q)
    inside = half * half - (r * r + x * x) * (p * p + q * q)
    if inside < 0 or half < 0:
        return None
    return math.sqrt(half + math.sqrt(inside))


def _lacking(case: LossCase, channel: str) -> FloatArray:
    """One-cycle mean of what the run without the fault draws and the run with it does not."""
    lacking = checked(case.without_fault, channel) - checked(case.with_fault, channel)
    return cycle_mean(lacking, float(case.with_fault.step_s), case.with_fault.frequency_hz)


def _least_ahead(values: FloatArray, steps: int) -> FloatArray:
    """Least of each sample and the `steps` after it; the last samples, which lack some, are left out."""
    from scipy.ndimage import minimum_filter1d

    size = steps + 1
    least: FloatArray = minimum_filter1d(values, size, mode="nearest", origin=-(size // 2))
    return least[: values.size - steps]


def _largest_return(lost: FloatArray, steps: int) -> float:
    """Greatest fall of what is lacking within `steps`: the largest step of reconnection."""
    from scipy.ndimage import maximum_filter1d

    if lost.size < 2:
        return 0.0
    size = steps + 1
    before = maximum_filter1d(lost, size, mode="nearest", origin=(size - 1) // 2)
    return max(float((before - lost).max()), 0.0)


def _told(loss: Loss, after_pu: float | None) -> str:
    if loss.loss_w <= 0:
        return "no load was lost"
    parts = [f"{loss.loss_w / 1e6:.4g} MW lost at {loss.at_s:.4g} s"]
    if after_pu is not None:
        parts.append(f"voltage {loss.before_pu:.4f} to {after_pu:.4f} pu")
    if loss.reconnect_w > 0:
        parts.append(f"largest step back {loss.reconnect_w / 1e6:.4g} MW within {STAYS_AWAY_S:g} s")
    return "; ".join(parts)
