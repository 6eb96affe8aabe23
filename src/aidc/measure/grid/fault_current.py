"""Current in a fault: converters do not cease where a rule wants them to go on.

A converter ceases where the share that is in operation falls; a trip is such a fall too, unless the ride-through
clauses of the set allow it. The voltage that counts is a one-cycle value, which follows the phasor by up to a cycle:
a cessation counts at the lowest voltage of the cycle that follows it, and one cycle of slack is left on
`cease_after_s`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from aidc.measure.grid.channel import cannot_judge, checked, first_s
from aidc.measure.grid.excursion import ROUND_S, running, stretches
from aidc.measure.grid.freedom import STILL_CONNECTED, Freedom
from aidc.measure.grid.verdict import Verdict, judge, not_applicable, not_assessable, worst
from aidc.record.waveform import FloatArray, Waveform
from aidc.schema.code import FaultCurrent

__all__ = ["fault_current"]

_LEAST_CYCLES = 2  # of voltage between the two edges: less has tried nothing


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a case shows: voltage, share in operation, step and start [s], and a cycle in steps."""

    voltage: FloatArray
    working: FloatArray
    step_s: float
    start_s: float
    cycle: int

    def time_s(self, sample: int) -> float:
        return self.start_s + sample * self.step_s


def fault_current(clause: FaultCurrent, w: Waveform, case: str = "", free: Freedom | None = None) -> Verdict:
    """Whether converters kept their current at `from_pu` and above, and for `cease_after_s` below it.

    - `fail`: `value` is the voltage at which they ceased, `limit` is `from_pu` [pu]; or the times below it [s].
    - `pass`: `value` is the lowest voltage that was tried, `margin` how far above `from_pu` it lies.
    - `not_applicable`: nothing was in operation, or no voltage between `from_pu` and `to_pu` was tried for two cycles.

    `case` names the window in the verdict.
    """
    channel = f"{clause.quantity}_pu"
    refusal = cannot_judge(clause, w, [channel, "in_operation_frac"], case)
    if refusal:
        return refusal
    step_s = float(w.step_s)
    seen = _Seen(
        checked(w, channel),
        checked(w, "in_operation_frac"),
        step_s,
        first_s(w),
        max(round(1.0 / (w.frequency_hz * step_s)), 1),
    )
    if seen.working[0] <= STILL_CONNECTED:
        return replace(not_applicable(clause, "nothing was in operation before the event"), case=case)
    stops = np.flatnonzero(seen.working[1:] < seen.working[:-1] - STILL_CONNECTED) + 1
    found = [_stopped(clause, seen, int(k), case, free) for k in stops]
    wrong = [one for one in found if one is not None]
    if wrong:
        return worst(wrong)
    return _kept(clause, seen, case)


def _kept(clause: FaultCurrent, seen: _Seen, case: str) -> Verdict:
    """Nothing ceased that may not: a pass, where anything was tried."""
    inside = (seen.voltage >= clause.from_pu) & (seen.voltage < clause.to_pu)
    below = seen.voltage < clause.from_pu
    timed = clause.cease_after_s > 0 or clause.back_within_s is not None
    if inside.sum() < _LEAST_CYCLES * seen.cycle and not (timed and below.any()):
        told = f"no voltage from {clause.from_pu:g} to {clause.to_pu:g} pu: nothing was tried"
        return replace(not_applicable(clause, told), case=case)
    lowest = float(seen.voltage[inside].min()) if inside.any() else clause.from_pu
    reason = f"current was kept down to {lowest:.4g} pu"
    return judge(clause, lowest, clause.from_pu, "pu", at_least=True, reason=reason, case=case)


def _stopped(clause: FaultCurrent, seen: _Seen, k: int, case: str, free: Freedom | None) -> Verdict | None:
    """What is wrong with a cessation at sample `k`; None where the rule allows it."""
    at_s = seen.time_s(k)
    if free is not None and free.within(at_s - seen.step_s, at_s):
        return None
    after = slice(k, k + seen.cycle + 1)
    lowest = float(seen.voltage[after].min())
    if lowest >= clause.from_pu:
        reason = f"current ceased at {at_s:.4g} s at {lowest:.4g} pu, where the rule asks for it"
        value = max(lowest, np.nextafter(clause.from_pu, np.inf))
        return judge(clause, float(value), clause.from_pu, "pu", reason=reason, case=case)
    cycle_s = seen.cycle * seen.step_s
    low = stretches(seen.voltage, seen.step_s, clause.from_pu, first_s=seen.start_s)
    held_s = running(low, at_s) + cycle_s
    if held_s < clause.cease_after_s - ROUND_S:
        reason = f"current ceased at {at_s:.4g} s, sooner than {clause.cease_after_s:g} s below {clause.from_pu:g} pu"
        return judge(clause, held_s, clause.cease_after_s, "s", at_least=True, reason=reason, case=case)
    if clause.back_within_s is None:
        return None
    return _late(clause, seen, k, low.end_s, case)


def _late(clause: FaultCurrent, seen: _Seen, k: int, ends_s: FloatArray, case: str) -> Verdict | None:
    """Whether current that ceased at sample `k` is back in time; None where it is."""
    limit_s = clause.back_within_s or 0.0
    last_s = seen.time_s(seen.working.size - 1)
    over_s = float(ends_s[min(int(np.searchsorted(ends_s, seen.time_s(k))), ends_s.size - 1)])
    back = np.flatnonzero(seen.working[k:] >= seen.working[k - 1] - STILL_CONNECTED)
    if back.size:
        took_s = max(seen.time_s(k + int(back[0])) - over_s, 0.0)
        if took_s <= limit_s + seen.step_s:
            return None
        reason = f"current was back {took_s:.4g} s after the voltage"
        return judge(clause, took_s, limit_s, "s", reason=reason, case=case)
    if last_s - over_s < limit_s:
        return not_assessable(
            clause, "the record ends before the time allowed for the current's return", case
        )
    reason = "current was not back by the end of the window"
    return judge(clause, last_s - over_s, limit_s, "s", reason=reason, case=case)
