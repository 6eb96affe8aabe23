"""Events of the user's own, judged by the clauses of a rule set beside its own battery."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

from aidc.measure.grid.frequency_ride_through import frequency_ride_through
from aidc.measure.grid.recovery import recovery
from aidc.measure.grid.ride_through import ride_through
from aidc.measure.grid.served import it_served
from aidc.measure.grid.verdict import Verdict
from aidc.record.waveform import Waveform
from aidc.schema.code import Clause, FrequencyRideThrough, Recovery, VoltageRideThrough
from aidc.schema.site import Site
from aidc.study.fault_battery import one_cycle
from aidc.study.transient import transient
from aidc.study.verdicts import NamedWindow

__all__ = ["EventResult", "run_events"]


@dataclass
class EventResult:
    """Verdicts by clause index, of the racks' supply, and the windows."""

    verdicts: dict[int, list[Verdict]] = field(default_factory=dict[int, list[Verdict]])
    served: list[Verdict] = field(default_factory=list[Verdict])
    windows: list[NamedWindow] = field(default_factory=list[NamedWindow])


def run_events(site: Site, clauses: Sequence[Clause], files: Sequence[Path], step_s: Fraction) -> EventResult:
    """Run each event file with and without its events, on the same seed."""
    result = EventResult()
    for path in files:
        done = transient(site, events=path, step_s=step_s)
        length_s = float(done.facts["duration_s"])
        calm = transient(site, duration_s=length_s, step_s=step_s).window.waveform
        shown = one_cycle(done.window.waveform)
        for index, clause in enumerate(clauses):
            verdict = _of(clause, shown, calm, done.title)
            if verdict is not None:
                result.verdicts.setdefault(index, []).append(verdict)
        result.served.append(it_served(shown, done.title))
        key = f"event-{path.stem}"
        result.windows.append(replace(done.window, key=key, title=done.title, waveform=shown, reference=calm))
    return result


def _of(clause: Clause, shown: Waveform, calm: Waveform, case: str) -> Verdict | None:
    if isinstance(clause, VoltageRideThrough):
        return ride_through(clause, shown, case)
    if isinstance(clause, Recovery):
        return recovery(clause, shown, calm, case)
    if isinstance(clause, FrequencyRideThrough):
        return frequency_ride_through(clause, shown, case)
    return None
