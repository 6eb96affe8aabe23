"""Recovery: the site's power is back in time after the voltage returned, and stays.

The run with the fault is held against the run without it on the same seed, so that the load's own course (a
training iteration, a checkpoint) is no fault of recovery. t0 is the last upward crossing of `from_pu`.
Recovered is the instant from which the one-cycle mean of power stays at or above `least_frac` (and at or
below `most_frac`) of the one-cycle mean without the fault, for the rest of the window. A trailing one-cycle
mean is up to a cycle late, to the site's disadvantage, as the rules word it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from aidc.measure.grid.channel import cannot_judge, checked, first_s, same_clock
from aidc.measure.grid.excursion import ROUND_S, stretches
from aidc.measure.grid.one_cycle import cycle_mean
from aidc.measure.grid.verdict import Verdict, judge, not_applicable, not_assessable
from aidc.record.waveform import FloatArray, Waveform
from aidc.schema.code import Recovery

__all__ = ["recovery"]

_NO_POWER_W = 1.0
_ROUND = 1e-9


def recovery(clause: Recovery, with_fault: Waveform, without_fault: Waveform, case: str = "") -> Verdict:
    """Seconds from the voltage's return until power is back for good, against `within_s`.

    `not_applicable` where the voltage never fell below `from_pu` or the site draws nothing without the
    fault; `not_assessable` where the voltage does not return, or less than `hold_s` remains after it does.

    `case` names the window in the verdict.
    """
    channel = f"{clause.quantity}_pu"
    refusal = cannot_judge(clause, with_fault, [channel, "p_w"], case) or cannot_judge(
        clause, without_fault, ["p_w"], case
    )
    if refusal:
        return refusal
    same_clock(with_fault, without_fault)
    step_s, start_s = float(with_fault.step_s), first_s(with_fault)
    below = stretches(checked(with_fault, channel), step_s, clause.from_pu, first_s=start_s)
    if not len(below):
        return replace(
            not_applicable(clause, f"the voltage never fell below {clause.from_pu:g} pu"), case=case
        )
    t0_s = float(below.end_s[-1])
    remains_s = below.last_s - t0_s
    if remains_s <= ROUND_S:
        return not_assessable(clause, f"the voltage is still below {clause.from_pu:g} pu at the end", case)
    if remains_s + step_s < clause.hold_s - ROUND_S:  # the last sample stands for its step
        return not_assessable(
            clause,
            f"{remains_s:.4g} s remain after the voltage returned; {clause.hold_s:g} s are needed",
            case,
        )
    return _judged(clause, with_fault, without_fault, t0_s, case)


def _judged(clause: Recovery, fault: Waveform, calm: Waveform, t0_s: float, case: str) -> Verdict:
    step_s, start_s = float(fault.step_s), first_s(fault)
    power = cycle_mean(checked(fault, "p_w"), step_s, fault.frequency_hz)
    normal = cycle_mean(checked(calm, "p_w"), step_s, fault.frequency_hz)
    first = min(int(np.ceil((t0_s - start_s) / step_s - _ROUND)), power.size - 1)
    most_normal = float(normal[first:].max())
    if most_normal <= _NO_POWER_W:
        return replace(not_applicable(clause, "the site draws nothing without the fault"), case=case)
    slack = _ROUND * most_normal  # a reference of nothing asks for nothing
    low = power[first:] - clause.least_frac * normal[first:] + slack
    room = low
    if clause.most_frac is not None:
        room = np.minimum(low, clause.most_frac * normal[first:] - power[first:] + slack)
    last_s = start_s + (power.size - 1) * step_s
    back_s = _stays_from(room, start_s + first * step_s, step_s)
    worst = float((power[first:] - normal[first:]).min()) / most_normal
    if back_s is None:
        if last_s - t0_s < clause.within_s:
            return not_assessable(clause, "the record ends before the time allowed for recovery", case)
        return judge(
            clause, max(last_s - t0_s, np.nextafter(clause.within_s, np.inf)), clause.within_s, "s", case=case,
            reason=f"not recovered by the end of the window; lowest {100 * (1 + worst):.3g} % of normal",
        )  # fmt: skip
    return judge(
        clause, max(back_s - t0_s, 0.0), clause.within_s, "s", case=case,
        reason=f"voltage back above {clause.from_pu:g} pu at {t0_s:.4g} s",
    )  # fmt: skip


def _stays_from(room: FloatArray, first_at_s: float, step_s: float) -> float | None:
    """The instant from which `room` stays at or above 0, between samples; None where it ends below."""
    bad = np.flatnonzero(room < 0)
    if not bad.size:
        return first_at_s
    k = int(bad[-1])
    if k == room.size - 1:
        return None
    return first_at_s + (k + room[k] / (room[k] - room[k + 1])) * step_s
