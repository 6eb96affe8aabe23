"""`check` on a recording: the evaluators of a rule set on a measured series instead of the twin."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from aidc.measure.grid.frequency_ride_through import frequency_ride_through
from aidc.measure.grid.meter import evaluate
from aidc.measure.grid.ride_through import ride_through
from aidc.measure.grid.served import it_served
from aidc.measure.grid.verdict import Connection, Verdict, not_applicable, not_assessable, worst
from aidc.record.recording import read_recording
from aidc.record.waveform import Waveform
from aidc.schema.code import Clause, FrequencyRideThrough, Uncaptured, VoltageRideThrough
from aidc.schema.site import Site
from aidc.study.check import connection_of, not_concerned, rule_set, tagged
from aidc.study.fault_verdicts import both_ways, readings
from aidc.study.verdicts import CheckResult, NamedWindow

__all__ = ["check_recording"]


def check_recording(site: Site, path: Path | str, *, code: str | None = None) -> CheckResult:
    """Judge a measured series by a rule set; the site says what it is connected to.

    Clauses that need a run without the event (recovery, loss of load) cannot be judged on a record of one
    event alone and say so. What the record lacks makes its clauses not assessable.

    Raises
    ------
    InputError
        The file cannot be read as a recording.
    """
    name, rules = rule_set(site, code)
    grid = site.grid
    waveform = read_recording(path, nominal_hz=float(grid.frequency_hz), nominal_kv=grid.voltage_kv)
    connection = connection_of(site)
    reason = not_concerned(rules, site)
    verdicts = [
        not_applicable(clause, reason) if reason else _of(clause, waveform, connection)
        for clause in rules.clauses
    ]
    if "it_demand_w" in waveform and "it_served_w" in waveform:
        verdicts.append(it_served(waveform))
    repairs = [mark.label for mark in waveform.marks if mark.kind == "repair"]
    facts: dict[str, Any] = {
        "recording": Path(path).name,
        "samples": len(waveform),
        "step_ms": 1e3 * float(waveform.step_s),
        "duration_s": waveform.duration_s,
        "channels": sorted(waveform.channels),
        "location": waveform.location,
        "repairs": repairs,
    }
    window = NamedWindow("recording", Path(path).name, waveform, waveform.marks)
    return CheckResult(site.site.name, name, rules, tagged(verdicts, name), (window,), facts)


def _of(clause: Clause, waveform: Waveform, connection: Connection) -> Verdict:
    """The verdict of one clause on the record."""
    if isinstance(clause, Uncaptured):
        return not_assessable(
            clause, f"the figures of this clause are not captured ({clause.judges or clause.note})"
        )
    if isinstance(clause, VoltageRideThrough):
        return _voltage(clause, waveform)
    if isinstance(clause, FrequencyRideThrough):
        return frequency_ride_through(clause, waveform)
    found: Sequence[Verdict] = evaluate(clause, waveform, connection)
    if not found:
        return not_assessable(clause, "needs the same window without the event, which a record does not have")
    return worst(found)


def _voltage(clause: VoltageRideThrough, waveform: Waveform) -> Verdict:
    """By the voltage that counts, and by positive sequence where the rule does not say and the record has it."""
    told = [ride_through(one, waveform) for one in readings(clause)]
    return both_ways(clause, told[0], told[1] if len(told) > 1 and "v1_pu" in waveform else None)
