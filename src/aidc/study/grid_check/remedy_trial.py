"""Remedies tried on the twin: a suggestion is worth the run that it passed in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from aidc.measure.grid.verdict import Connection, Verdict, worst
from aidc.schema.code import (
    Clause,
    FrequencyRideThrough,
    Oscillation,
    Ramp,
    Recovery,
    Uncaptured,
    VoltageRideThrough,
)
from aidc.schema.site import Site
from aidc.simulate.transient.start import OperatingPoint, operating_point
from aidc.study.faults.battery import run_battery
from aidc.study.faults.cases import PHASES, fault_cases
from aidc.study.faults.frequency import run_frequency
from aidc.study.faults.verdicts import both_ways
from aidc.study.grid_check.eco_mode import priced
from aidc.study.grid_check.normal_operation import NormalResult, run_normal
from aidc.study.grid_check.not_assessable import refusals
from aidc.study.grid_check.remedy import ride_through_remedy, storage_remedies

__all__ = ["RemedyTrial"]

_TRY_S = 900.0  # a storage is tried on a quarter of an hour, and on starts and aborts


@dataclass(frozen=True)
class RemedyTrial:
    """Looks for the smallest change that would pass, and tries it."""

    site: Site
    point: OperatingPoint
    clauses: Sequence[Clause]
    connection: Connection
    levels: dict[str, float]
    step_s: Fraction
    at: datetime | None
    say: Callable[[str], None]

    def suggestions(self, verdicts: Sequence[Verdict], normal: NormalResult) -> dict[int, str]:
        """A change for each failed clause that has one, by its place in the set."""
        failed = {
            k: c for k, (c, v) in enumerate(zip(self.clauses, verdicts, strict=False)) if v.result == "fail"
        }
        swings = [c for c in failed.values() if isinstance(c, (Oscillation, Ramp))]
        faults = [
            c for c in failed.values() if isinstance(c, (VoltageRideThrough, Recovery, FrequencyRideThrough))
        ]
        storage = self._storage(swings, normal) if swings else ""
        front = self._front(faults) if faults else ""
        texts = {k: storage if c in swings else front if c in faults else "" for k, c in failed.items()}
        return {k: text for k, text in texts.items() if text}

    def _storage(self, clauses: Sequence[Clause], normal: NormalResult) -> str:
        windows = [w.waveform for w in normal.windows if w.key != "normal-close"]
        tried = ""
        for remedy in storage_remedies(self.site, clauses, windows):
            tried = remedy.text
            if refusals(remedy.site, self.clauses, self.levels):
                continue  # a converter too large for the grid to be judged here is no remedy
            self.say("trying a storage")
            point = operating_point(remedy.site, self.at, _TRY_S)
            result = run_normal(remedy.site, point, clauses, self.connection, self.step_s, _TRY_S)
            found = [worst(one) for one in result.verdicts.values()]
            if all(verdict.result == "pass" for verdict in found) and result.collapsed_s <= 0:
                values = ", ".join(
                    f"{v.clause}: {v.value:.3g} {v.unit}" for v in found if v.value is not None
                )
                return (
                    f"{remedy.text} (tried on the twin for {_TRY_S / 60:g} min, starts and aborts: {values})"
                )
        return f"no storage found; the largest tried: {tried}" if tried else ""

    def _front(self, failed: Sequence[Clause]) -> str:
        asked = [c for c in self.clauses if not isinstance(c, Uncaptured) and c.applies_to == "load"]
        remedy = ride_through_remedy(self.site, asked)
        if remedy is None:
            return ""
        self.say("trying other settings")
        point = operating_point(remedy.site, self.point.start, _TRY_S) if remedy.losses else self.point
        results: list[str] = []
        words: list[str] = []
        if any(isinstance(c, (VoltageRideThrough, Recovery)) for c in failed):
            voltage = [c for c in asked if isinstance(c, (VoltageRideThrough, Recovery))]
            phases = PHASES[:1] if self.site.jobs else (0.0,)
            cycle_s = 1.0 / self.site.grid.frequency_hz
            cases = fault_cases(voltage, self.levels, phases, cycle_s, float(self.step_s))
            tried = run_battery(remedy.site, point, voltage, cases, self.step_s)
            results += [
                both_ways(c, tried.verdicts[k], tried.by_sequence.get(k)).result
                for k, c in enumerate(voltage)
            ]
            words.append(f"{len(cases)} faults")
        bands = [c for c in asked if isinstance(c, FrequencyRideThrough) and c in failed]
        if bands:
            results += [run_frequency(remedy.site, point, c, self.step_s, asked)[0].result for c in bands]
            words.append("every frequency excursion")
        ends = "passes" if set(results) <= {"pass", "not_applicable"} else "not enough alone"
        note = f"; {remedy.note}" if remedy.note else ""
        if remedy.losses:
            note += f"; {priced(self.point.import_w, point.import_w, self.site)}"
        return f"{remedy.text} (tried on the twin with {' and '.join(words)}: {ends}){note}"
