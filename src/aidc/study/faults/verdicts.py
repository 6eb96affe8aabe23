"""What one disturbance says of every clause that faults judge, by each voltage that the rule may mean.

Leaving is held against all ride-through clauses of a set together (`measure/grid/freedom.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from aidc.measure.grid.channel import checked, first_s
from aidc.measure.grid.excursion import stretches
from aidc.measure.grid.fault_current import fault_current
from aidc.measure.grid.freedom import STILL_CONNECTED, Freedom, departures
from aidc.measure.grid.party import PARTIES, Party, seen_by
from aidc.measure.grid.recovery import recovery
from aidc.measure.grid.rule_set import connection_verdicts, duties_of
from aidc.measure.grid.verdict import Verdict, not_applicable, not_assessable, worst
from aidc.record.waveform import Waveform
from aidc.schema.code import Clause, FaultCurrent, Recovery, Uncaptured, VoltageRideThrough

__all__ = [
    "FaultVerdict",
    "asked",
    "both_ways",
    "by_sequence",
    "concerned",
    "freedoms",
    "judge_connected",
    "judge_fault",
    "readings",
    "unjudged",
]


_NONE = Uncaptured(rule="uncaptured", clause="stands for a clause that is not read again")


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


def by_sequence(clauses: Sequence[Clause]) -> list[Clause] | None:
    """The set with every voltage that its rule leaves open read as V1; None where none is left open."""
    other = [(readings(clause) or [clause])[-1] for clause in clauses]
    changed = any(one is not clause for one, clause in zip(other, clauses, strict=True))
    return other if changed else None


def judge_connected(clauses: Sequence[Clause], shown: Waveform, case: str = "") -> dict[int, FaultVerdict]:
    """Verdicts of the ride-through clauses for loads and storages, voltage and frequency, by their place in `clauses`."""
    found: dict[int, FaultVerdict] = {}
    for party in concerned(clauses):
        found |= _connected(clauses, seen_by(shown, party), case, party)[0]
    return found


def concerned(clauses: Sequence[Clause]) -> list[Party]:
    """The parties that any clause of a set concerns; the load always."""
    theirs = {clause.applies_to for clause in clauses}
    return [party for party in PARTIES if party == "load" or party in theirs]


def judge_fault(
    clauses: Sequence[Clause], shown: Waveform, calm: Waveform | None, case: str = ""
) -> dict[int, FaultVerdict]:
    """Verdicts of the voltage, recovery and fault current clauses, by their place in `clauses`.

    Each party's are held against what the clauses for that party allow.

    Recovery is asked only of what had to be ridden through: where any duty of the set was past in the excursion
    that it follows (by the reading in question), the site was free to leave. Without `calm`, the same window
    without the event, recovery is left out.

    `case` names the window in the verdicts.
    """
    found: dict[int, FaultVerdict] = {}
    for party in concerned(clauses):
        found |= _of_party(clauses, seen_by(shown, party), calm, case, party)
    return found


def _of_party(
    clauses: Sequence[Clause], shown: Waveform, calm: Waveform | None, case: str, party: Party
) -> dict[int, FaultVerdict]:
    told, free, other_free = _connected(clauses, shown, case, party)
    found = {index: one for index, one in told.items() if isinstance(clauses[index], VoltageRideThrough)}
    for index, clause in enumerate(clauses):
        if clause.applies_to != party:
            continue
        if isinstance(clause, FaultCurrent):
            found[index] = FaultVerdict(
                fault_current(clause, shown, case, free),
                None if other_free is None else fault_current(clause, shown, case, other_free),
            )
        if calm is not None and isinstance(clause, Recovery) and party == "load":
            verdict = recovery(clause, shown, calm, case)
            stated = asked(clause, shown, verdict, free, case)
            other = None if other_free is None else asked(clause, shown, verdict, other_free, case)
            found[index] = FaultVerdict(stated, other)
    return found


def freedoms(
    clauses: Sequence[Clause], shown: Waveform, case: str, party: Party
) -> tuple[Freedom, Freedom | None]:
    """When the set allows a party to leave, as it stands and by positive sequence where that is left open.

    `clauses` is the rule set, `case` names the window.
    """
    return _connected(clauses, shown, case, party)[1:]


def _connected(
    clauses: Sequence[Clause], shown: Waveform, case: str, party: Party
) -> tuple[dict[int, FaultVerdict], Freedom, Freedom | None]:
    """Verdicts by both readings, and when each allows to leave.

    A frequency clause has one quantity, but what voltage allows depends on the reading; a voltage clause whose
    quantity is defined has a second verdict where the set around it is read otherwise and comes out otherwise.
    """
    duties = duties_of(clauses, shown, case, party)
    gone = departures(shown) if "connected_frac" in shown else None
    stated, free = connection_verdicts(clauses, shown, case, duties, gone)
    other = by_sequence(clauses)
    if other is None:
        return {index: FaultVerdict(one) for index, one in stated.items()}, free, None
    changed = {index: one for index, one in enumerate(other) if one is not clauses[index]}
    again = duties_of([changed.get(index, _NONE) for index in range(len(other))], shown, case, party)
    second, other_free = connection_verdicts(other, shown, case, duties | again, gone)
    found = {
        index: FaultVerdict(
            one,
            second[index]
            if other[index] is not clauses[index] or second[index].result != one.result
            else None,
        )
        for index, one in stated.items()
    }
    return found, free, other_free


def asked(clause: Recovery, shown: Waveform, verdict: Verdict, free: Freedom, case: str) -> Verdict:
    """The verdict, or that the site was free to leave before the voltage returned.

    `case` names the window in the verdict.
    """
    if verdict.result == "not_applicable" or not free.because:
        return verdict
    channel, start_s = checked(shown, f"{clause.quantity}_pu"), first_s(shown)
    below = stretches(channel, float(shown.step_s), clause.from_pu, first_s=start_s)
    if not len(below):
        return verdict
    begin_s, back_s = float(below.start_s[-1]), float(below.end_s[-1])
    reason = free.within(begin_s, back_s)
    if "connected_frac" in shown:
        if departures(shown).unlawful_s(free) <= back_s:
            return verdict
        connected = shown["connected_frac"]
        before = connected[max(int((begin_s - start_s) / float(shown.step_s)), 0)]
        if not reason and before < connected[0] - STILL_CONNECTED:
            reason = free.within(-1e300, begin_s)  # it had left when it might, and was not back yet
    if not reason:
        return verdict
    told = f"the rule set does not ask to stay connected: {reason} had ended"
    return replace(not_applicable(clause, told), case=case)


def unjudged(clause: Clause, found: FaultVerdict, reason: str, case: str) -> FaultVerdict:
    """The same without a result, but where the clause does not ask anything of the case.

    `reason` is why there is no result, `case` names the window.
    """
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
