"""What one disturbance says of every clause that faults judge, by each voltage that the rule may mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from aidc.measure.grid.recovery import recovery
from aidc.measure.grid.ride_through import ride_through
from aidc.measure.grid.verdict import Verdict, not_applicable, not_assessable, worst
from aidc.record.waveform import Waveform
from aidc.schema.code import Clause, Recovery, VoltageRideThrough

__all__ = ["FaultVerdict", "both_ways", "judge_fault", "readings", "unjudged"]

_ROUND_S = 1e-9


@dataclass(frozen=True, slots=True)
class FaultVerdict:
    """As the clause stands and, where its rule does not say which voltage counts, by positive sequence."""

    stated: Verdict
    by_sequence: Verdict | None = None


def readings(clause: Clause) -> list[VoltageRideThrough]:
    """A voltage clause as it stands and, where its rule does not say which voltage counts, by V1.

    Positive sequence stays higher in unbalanced faults, so that they must be ridden through for longer.
    """
    if not isinstance(clause, VoltageRideThrough):
        return []
    if clause.quantity_defined or clause.quantity == "v1":
        return [clause]
    return [clause, clause.model_copy(update={"quantity": "v1"})]


def judge_fault(
    clauses: Sequence[Clause], shown: Waveform, calm: Waveform | None, case: str = ""
) -> dict[int, FaultVerdict]:
    """Verdicts of the voltage and recovery clauses for loads, by their place in `clauses`.

    Recovery is asked only of what had to be ridden through: where the excursion outlasts every voltage
    curve of the set (by the reading in question), the site was free to leave. Without `calm`, the same window
    without the event, recovery is left out.
    """
    found: dict[int, FaultVerdict] = {}
    for index, clause in enumerate(clauses):
        if isinstance(clause, VoltageRideThrough) and clause.applies_to == "load":
            told = [ride_through(one, shown, case) for one in readings(clause)]
            found[index] = FaultVerdict(told[0], told[1] if len(told) > 1 else None)
    curves = list(found.values())
    for index, clause in enumerate(clauses):
        if calm is not None and isinstance(clause, Recovery) and clause.applies_to == "load":
            found[index] = _recovery(clause, shown, calm, case, curves)
    return found


def _recovery(
    clause: Recovery, shown: Waveform, calm: Waveform, case: str, curves: Sequence[FaultVerdict]
) -> FaultVerdict:
    verdict = recovery(clause, shown, calm, case)
    free = replace(not_applicable(clause, "the voltage curve does not ask to stay connected"), case=case)
    stated = free if curves and all(_outlasted(one.stated) for one in curves) else verdict
    if all(one.by_sequence is None for one in curves):
        return FaultVerdict(stated)
    return FaultVerdict(stated, free if all(_outlasted(_last(one)) for one in curves) else verdict)


def _last(one: FaultVerdict) -> Verdict:
    return one.by_sequence or one.stated


def _outlasted(verdict: Verdict) -> bool:
    """Whether a case went on for longer than its curve asks, and the site stayed for as long as it asks."""
    if verdict.result != "pass" or verdict.value is None or verdict.limit is None:
        return False
    return verdict.value > verdict.limit + _ROUND_S


def unjudged(clause: Clause, found: FaultVerdict, reason: str, case: str) -> FaultVerdict:
    """The same without a result, but where the clause does not ask anything of the case."""
    verdict = not_assessable(clause, reason, case)

    def told(one: Verdict) -> Verdict:
        return one if one.result == "not_applicable" else verdict

    return FaultVerdict(told(found.stated), None if found.by_sequence is None else told(found.by_sequence))


def both_ways(clause: Clause, stated: Verdict, by_sequence: Verdict | None) -> Verdict:
    """A verdict that does not depend on which voltage counts, or the reason why there is none."""
    if by_sequence is None or by_sequence.result == stated.result:
        return stated
    sequence = worst([stated, by_sequence]).result == by_sequence.result
    worse = by_sequence if sequence else stated
    return worse if worse.result == "pass" else _in_doubt(clause, worse, sequence)


def _in_doubt(clause: Clause, verdict: Verdict, sequence: bool) -> Verdict:
    by = "positive sequence" if sequence else "the worst phase"
    ends = "the site fails" if verdict.result == "fail" else "it cannot be judged"
    return not_assessable(
        clause,
        f"the rule does not say which voltage counts, and by {by} {ends}: {verdict.reason}",
        verdict.case,
    )
