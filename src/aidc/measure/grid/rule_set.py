"""Leaving, judged by all ride-through clauses of a rule set together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aidc.measure.grid.channel import cannot_judge
from aidc.measure.grid.duty import Duty
from aidc.measure.grid.freedom import Departures, Freedom, departures, freedom
from aidc.measure.grid.frequency_ride_through import frequency_duties
from aidc.measure.grid.party import Party
from aidc.measure.grid.ride_through import judge_connection, voltage_duties
from aidc.measure.grid.verdict import Verdict
from aidc.record.waveform import Waveform
from aidc.schema.code import Clause, FrequencyRideThrough, VoltageRideThrough

__all__ = ["connection_verdicts", "duties_of", "set_freedom"]

RideThrough = VoltageRideThrough | FrequencyRideThrough


def duties_of(
    clauses: Sequence[Clause], w: Waveform, case: str = "", party: Party = "load"
) -> dict[int, list[Duty] | Verdict]:
    """What each ride-through clause for loads (or another party) asked, by its place; a verdict where it cannot be read.

    `clauses` is the whole rule set, `case` names the window in the verdicts.
    """
    found: dict[int, list[Duty] | Verdict] = {}
    for index, clause in enumerate(clauses):
        if clause.applies_to != party:
            continue
        if isinstance(clause, VoltageRideThrough):
            found[index] = voltage_duties(clause, w, case)
        elif isinstance(clause, FrequencyRideThrough):
            found[index] = frequency_duties(clause, w, case)
    return found


def set_freedom(clauses: Sequence[Clause], w: Waveform, found: Mapping[int, list[Duty] | Verdict]) -> Freedom:
    """When the set as a whole allows to leave; clauses that look at another place say nothing here."""
    parts: list[tuple[str, list[Duty], float]] = []
    unknown: list[str] = []
    for index, duties in found.items():
        clause = clauses[index]
        if isinstance(duties, list):
            renew_s = clause.renew_s if isinstance(clause, RideThrough) else 0.0
            parts.append((clause.clause, duties, renew_s))
        elif clause.location == w.location:
            unknown.append(f"{clause.clause} ({duties.reason})")
    return freedom(parts, unknown)


def connection_verdicts(
    clauses: Sequence[Clause],
    w: Waveform,
    case: str = "",
    known: Mapping[int, list[Duty] | Verdict] | None = None,
    gone: Departures | None = None,
) -> tuple[dict[int, Verdict], Freedom]:
    """Verdicts of every ride-through clause for loads, by its place, and what the set allows.

    `known` and `gone` are what `duties_of` and `departures` gave, where the caller has them.

    `clauses` is the whole rule set, `case` names the window in the verdicts.
    """
    found = duties_of(clauses, w, case) if known is None else known
    free = set_freedom(clauses, w, found)
    verdicts: dict[int, Verdict] = {}
    for index, duties in found.items():
        clause = clauses[index]
        if isinstance(duties, Verdict):
            verdicts[index] = duties
        elif isinstance(clause, RideThrough):
            refusal = cannot_judge(clause, w, ["connected_frac"], case)
            if refusal is None and gone is None:
                gone = departures(w)
            verdicts[index] = refusal or judge_connection(clause, w, duties, case, free, gone)
    return verdicts, free
