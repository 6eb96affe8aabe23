"""Disturbances in a record, judged: ride-through, recovery and loss of load, with the power before as the baseline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from aidc.measure.grid.channel import cannot_judge, first_s
from aidc.measure.grid.duty import Duty
from aidc.measure.grid.freedom import Freedom
from aidc.measure.grid.grid_faults import APART_S, Before, Swing, before_fault, grouped
from aidc.measure.grid.inferred import Inferred, connection_in
from aidc.measure.grid.load_loss import LossCase, load_loss
from aidc.measure.grid.one_cycle import cycle_mean
from aidc.measure.grid.recovery import recovery
from aidc.measure.grid.ride_through import judge_connection
from aidc.measure.grid.rule_set import duties_of, set_freedom
from aidc.measure.grid.verdict import Connection, Verdict, not_applicable, not_assessable, worst
from aidc.record.waveform import FloatArray, Mark, Waveform
from aidc.schema.code import Clause, FrequencyRideThrough, LoadLoss, Recovery, VoltageRideThrough
from aidc.study.faults.verdicts import asked, both_ways, by_sequence

__all__ = ["FaultsSeen", "judge_record"]

_TRIED_FRAC = 0.1
_TRIED_CYCLES = 2.0
_STEADY = Swing()
_NEVER = "never beyond a threshold of the curve: nothing was tried"
_UNTRIED = "the record holds no disturbance of the grid: nothing was tried"


@dataclass(frozen=True, slots=True)
class FaultsSeen:
    """A disturbance (or a sequence of them), the power before it, where its record ends, and what power tells."""

    mark: Mark
    before: Before | None
    until_s: float
    inferred: Inferred | None


def judge_record(
    clauses: Sequence[Clause],
    w: Waveform,
    marks: Sequence[Mark],
    connection: Connection,
    swing: Swing = _STEADY,
) -> tuple[dict[int, Verdict], list[FaultsSeen]]:
    """Verdicts of the clauses that disturbances judge, by their place, and the disturbances.

    `swing` is what is known of the load's own course, for records that hold less than a period of it.
    """
    faults = _faults(clauses, w, marks, swing)
    verdicts = _reading(clauses, w, faults, connection, swing)
    other = by_sequence(clauses)
    if other is None or "v1_pu" not in w:
        return verdicts, faults
    second = _reading(other, w, faults, connection, swing)
    return {index: both_ways(clauses[index], one, second[index]) for index, one in verdicts.items()}, faults


def _faults(clauses: Sequence[Clause], w: Waveform, marks: Sequence[Mark], swing: Swing) -> list[FaultsSeen]:
    groups = grouped(marks, _apart_s(clauses))
    within_s = max((clause.within_s for clause in clauses if isinstance(clause, Recovery)), default=0.0)
    last_s = first_s(w) + len(w) * float(w.step_s)
    power = "p_w" in w and float(w.step_s) * w.frequency_hz <= 1 + 1e-9
    means = cycle_mean(w["p_w"], float(w.step_s), w.frequency_hz) if power and groups else np.empty(0)
    found: list[FaultsSeen] = []
    since_s = -np.inf
    for k, mark in enumerate(groups):
        until_s = groups[k + 1].start_s if k + 1 < len(groups) else last_s
        before = before_fault(w, mark, since_s, swing) if power else None
        inferred = None
        if power and "connected_frac" not in w:
            inferred = connection_in(w, means, mark, before, until_s, within_s)
        found.append(FaultsSeen(mark, before, until_s, inferred))
        since_s = mark.end_s + max(within_s, 1.0)
    return found


def _apart_s(clauses: Sequence[Clause]) -> float:
    return max([APART_S, *(clause.hold_s for clause in clauses if isinstance(clause, Recovery))])


def _reading(
    clauses: Sequence[Clause],
    w: Waveform,
    faults: Sequence[FaultsSeen],
    connection: Connection,
    swing: Swing,
) -> dict[int, Verdict]:
    """By one reading of the voltages that the rules leave open."""
    duties = duties_of(clauses, w)
    free = set_freedom(clauses, w, duties)
    seen, doubt, told = _connected(w, faults, free)
    verdicts: dict[int, Verdict] = {}
    for index, clause in enumerate(clauses):
        if index in duties and isinstance(clause, (VoltageRideThrough, FrequencyRideThrough)):
            verdicts[index] = _ridden(clause, seen, duties[index], free, doubt, told)
        elif isinstance(clause, (Recovery, LoadLoss)) and clause.applies_to == "load":
            verdicts[index] = _per_fault(clause, seen, faults, free, connection, swing)
    return verdicts


def _connected(w: Waveform, faults: Sequence[FaultsSeen], free: Freedom) -> tuple[Waveform, str, str]:
    """The record with `connected_frac`, why that cannot be told, and how it was told."""
    if "connected_frac" in w:
        return w, "", ""
    if "p_w" not in w:
        return w, "the record has no connected_frac, and no p_w that would show it", ""
    share = np.ones(len(w))
    doubts: list[str] = []
    for fault in faults:
        one = fault.inferred
        if one is None or one.how == "stayed":
            continue
        if one.how == "unknown":
            doubts.append(one.reason)
            continue
        at_s = _departure(one, free)
        if at_s is None:
            doubts.append(f"{one.reason}; whether a duty was past by then, power alone cannot tell")
            continue
        first = min(max(round((at_s - first_s(w)) / float(w.step_s)), 1), len(w) - 1)
        share[first:] = np.minimum(share[first:], share[first - 1] * 0.5)
    reasons = [fault.inferred.reason for fault in faults if fault.inferred is not None]
    told = (
        f"; connection told from power: {'; '.join(reasons)}" if reasons else "; connection told from power"
    )
    return replace(w, channels={**w.channels, "connected_frac": share}), "; ".join(doubts), told


def _departure(one: Inferred, free: Freedom) -> float | None:
    """An instant at which the load left, that stands for all that it may have; None where they differ in law."""
    hits = np.flatnonzero((free.start_s < one.by_s) & (free.end_s > one.since_s))
    if not hits.size:
        return one.since_s + 1e-3 if one.by_s - one.since_s > 2e-3 else one.by_s
    begin_s, end_s = float(free.start_s[hits[0]]), float(free.end_s[hits[0]])
    return 0.5 * (max(begin_s, one.since_s) + min(end_s, one.by_s)) if begin_s <= one.since_s else None


def _ridden(
    clause: VoltageRideThrough | FrequencyRideThrough,
    w: Waveform,
    duties: list[Duty] | Verdict,
    free: Freedom,
    doubt: str,
    told: str,
) -> Verdict:
    """One ride-through clause on the whole record."""
    if isinstance(duties, Verdict):
        return duties
    if "connected_frac" not in w:
        tried = any(duty.asked_until(np.inf) > duty.least for duty in duties)
        return not_assessable(clause, doubt) if tried else not_applicable(clause, _NEVER)
    refusal = cannot_judge(clause, w, ["connected_frac"])
    verdict = refusal or judge_connection(clause, w, duties, free=free)
    if verdict.result in {"pass", "not_applicable"} and doubt:
        return not_assessable(clause, doubt)
    if verdict.result in {"pass", "fail"}:
        verdict = replace(verdict, reason=verdict.reason + told)
    return _tried_enough(clause, verdict, w, duties) if verdict.result == "pass" else verdict


def _tried_enough(clause: Clause, verdict: Verdict, w: Waveform, duties: Sequence[Duty]) -> Verdict:
    """A short dip proves no curve: a pass says how much was tried, and needs a tenth of some duty's time."""
    asked_s = [(duty, duty.asked_until(np.inf)) for duty in duties]
    tried = [f"{_of(duty, most)} {duty.label}" for duty, most in asked_s if most > duty.least]
    rest = [duty.label for duty, most in asked_s if most <= duty.least]
    scope = f"; tried {', '.join(tried)}" + (f"; not tried: {', '.join(rest)}" if rest else "")
    enough = any(
        duty.share(most) >= _TRIED_FRAC and (duty.unit != "s" or most >= _TRIED_CYCLES / w.frequency_hz)
        for duty, most in asked_s
    )
    if not enough:
        return not_assessable(
            clause, f"what came was ridden through, but it tries too little of the curve{scope}"
        )
    return replace(verdict, reason=verdict.reason + scope)


def _of(duty: Duty, most: float) -> str:
    return f"{most:.3g} of {duty.limit:g} {duty.unit}"


def _per_fault(
    clause: Recovery | LoadLoss,
    w: Waveform,
    faults: Sequence[FaultsSeen],
    free: Freedom,
    connection: Connection,
    swing: Swing,
) -> Verdict:
    """The worst over all disturbances; each from the power before it."""
    needed = ["p_w", *([f"{clause.quantity}_pu"] if isinstance(clause, Recovery) else [])]
    refusal = cannot_judge(clause, w, needed)
    if refusal:
        return refusal
    if not faults:
        return not_applicable(clause, _UNTRIED)
    return worst([_one(clause, w, fault, free, connection, swing) for fault in faults])


def _one(
    clause: Recovery | LoadLoss,
    w: Waveform,
    fault: FaultsSeen,
    free: Freedom,
    connection: Connection,
    swing: Swing,
) -> Verdict:
    case = f"{fault.mark.label} at {fault.mark.start_s:.4g} s"
    if fault.before is None:
        why = "the record holds less than two cycles of power before the disturbance"
        return not_assessable(clause, why, case)
    step_s, start_s = float(w.step_s), first_s(w)
    begin_s = fault.mark.start_s - 1.5 / w.frequency_hz
    part = w.block(_place(begin_s, start_s, step_s), min(_place(fault.until_s, start_s, step_s), len(w)))
    low, high = (_against(clause, part, fault.before, power, case, connection) for power in ("low", "high"))
    if low.result != high.result:
        return not_assessable(
            clause,
            f"the load moved between {fault.before.low_w / 1e6:.4g} and {fault.before.high_w / 1e6:.4g} MW before the "
            f"disturbance, and which of them counts decides: {worst([low, high]).reason}",
            case,
        )
    found = worst([low, high])
    reason = f"{found.reason}; {fault.before.mean_w / 1e6:.4g} MW before the disturbance"
    found = replace(found, reason=reason)
    return _recovered(clause, part, fault, found, free, swing) if isinstance(clause, Recovery) else found


def _recovered(
    clause: Recovery, part: Waveform, fault: FaultsSeen, found: Verdict, free: Freedom, swing: Swing
) -> Verdict:
    """What recovery says once it is asked whether the site had to stay, and whether it is the load's own course."""
    if found.result == "fail" and swing.frac > 0 and _back_once(clause, part, fault):
        why = (
            "power was back in time and fell again: by the load's own course, or not? The record cannot tell"
        )
        return not_assessable(clause, f"{why}; {found.reason}", found.case)
    told, one = asked(clause, part, found, free, found.case), fault.inferred
    if one is None or told.result != "not_applicable" or found.result == "not_applicable":
        return told
    if one.how == "unknown" or (one.how == "left" and _departure(one, free) is None):
        why = f"the site was free to leave, if it had stayed until then: {one.reason}"
        return not_assessable(clause, why, found.case)
    return told


def _back_once(clause: Recovery, part: Waveform, fault: FaultsSeen) -> bool:
    """Whether power reached what is asked within the time that is asked, whatever it did afterwards."""
    step_s, start_s = float(part.step_s), first_s(part)
    power = cycle_mean(part["p_w"], step_s, part.frequency_hz)
    first = _place(fault.mark.end_s, start_s, step_s)
    within = power[first : first + round(clause.within_s / step_s) + 1]
    high_w = fault.before.high_w if fault.before is not None else np.inf
    return bool(within.size and within.max() >= clause.least_frac * high_w)


def _against(
    clause: Recovery | LoadLoss,
    part: Waveform,
    before: Before,
    which: str,
    case: str,
    connection: Connection,
) -> Verdict:
    """Held against a constant power as it was before."""
    power_w = before.low_w if which == "low" else before.high_w
    size = len(part)
    calm_channels: dict[str, FloatArray] = {"p_w": np.full(size, power_w)}
    if "q_var" in part:
        calm_channels["q_var"] = np.full(size, before.mean_var)
    calm_channels["v1_pu"] = np.full(size, before.voltage_pu)
    calm = replace(part, channels=calm_channels)
    if isinstance(clause, Recovery):
        return recovery(clause, part, calm, case)
    if part.duration_s <= 1.0 + 2 * float(part.step_s):
        return not_assessable(clause, "a loss must last a second, and the record ends before", case)
    return load_loss(clause, [LossCase(case, part, calm)], connection)


def _place(at_s: float, start_s: float, step_s: float) -> int:
    return max(round((at_s - start_s) / step_s), 0)
