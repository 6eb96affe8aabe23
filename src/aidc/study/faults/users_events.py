"""Events of the user's own, judged by the clauses of a rule set beside its own battery."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from fractions import Fraction
from pathlib import Path

from aidc.measure.grid.meter import evaluate
from aidc.measure.grid.served import it_served
from aidc.measure.grid.stream import SITE_KINDS
from aidc.measure.grid.verdict import Connection, Verdict, not_assessable
from aidc.record.waveform import Waveform
from aidc.schema.code import Clause
from aidc.schema.site import Site
from aidc.study.faults.battery import one_cycle
from aidc.study.faults.verdicts import both_ways, judge_connected, judge_fault
from aidc.study.windows.transient import transient
from aidc.study.windows.verdicts import NamedWindow

__all__ = ["EventResult", "run_events"]

_OWN = SITE_KINDS | {"load-step"}
"""Events of the site's own: what they do to its draw counts as ramp and oscillation; the grid's do not."""


@dataclass
class EventResult:
    """Verdicts by clause index, of the racks' supply, and the windows."""

    verdicts: dict[int, list[Verdict]] = field(default_factory=dict[int, list[Verdict]])
    served: list[Verdict] = field(default_factory=list[Verdict])
    windows: list[NamedWindow] = field(default_factory=list[NamedWindow])
    collapsed: list[str] = field(default_factory=list[str])


def run_events(
    site: Site,
    clauses: Sequence[Clause],
    files: Sequence[Path],
    step_s: Fraction,
    connection: Connection,
    at: datetime | None = None,
) -> EventResult:
    """Run each event file with and without its events, on the same seed.

    `clauses` is the rule set, `files` are the event files, `step_s` is the step [s] and `at` the time of the run at
    which windows begin.
    """
    result = EventResult()
    for number, path in enumerate(files, start=1):
        done = transient(site, events=path, step_s=step_s, at=at)
        length_s = float(done.facts["duration_s"])
        calm = transient(site, duration_s=length_s, step_s=step_s, at=at).window.waveform
        shown = one_cycle(done.window.waveform)
        unsolved = str(done.facts["network_unsolved"] or "")
        for index, verdict in _verdicts(clauses, shown, calm, connection, done.title):
            if unsolved and verdict.result != "not_applicable":
                verdict = not_assessable(clauses[index], unsolved, done.title)  # noqa: PLW2901
            result.verdicts.setdefault(index, []).append(verdict)
        served = it_served(shown, done.title)
        if unsolved:
            served = replace(served, result="not_assessable", value=None, margin=None, reason=unsolved)
        result.served.append(served)
        if float(done.facts["voltage_collapse_s"]) > 0:
            result.collapsed.append(done.title)
        key = f"event-{number}-{path.stem}"
        result.windows.append(replace(done.window, key=key, title=done.title, waveform=shown, reference=calm))
    return result


def _verdicts(
    clauses: Sequence[Clause], shown: Waveform, calm: Waveform, connection: Connection, case: str
) -> list[tuple[int, Verdict]]:
    told = judge_fault(clauses, shown, calm, case) | judge_connected(clauses, shown, case)
    found = [(index, both_ways(clauses[index], one.stated, one.by_sequence)) for index, one in told.items()]
    own = bool(shown.marks) and all(mark.kind in _OWN for mark in shown.marks)
    for index, clause in enumerate(clauses):
        if own and clause.swings:  # a window too short for them adds nothing
            judged = evaluate(clause, shown, connection)
            found += [(index, replace(v, case=case)) for v in judged if v.result in {"pass", "fail"}]
    return found
