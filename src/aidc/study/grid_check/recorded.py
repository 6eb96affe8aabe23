"""`check` on a recording: the evaluators of a rule set on a measured series instead of the twin.

Disturbances of the grid are found from voltage and frequency, or given as marks. What they ask (ride-through,
recovery, loss of load) is judged in them, with the power before as the baseline; what the site does by itself
(oscillation, ramps, steps, flicker, power factor) outside them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from aidc.errors import InputError
from aidc.measure.grid.fault_current import fault_current
from aidc.measure.grid.frequency_ride_through import frequency_ride_through
from aidc.measure.grid.grid_faults import Swing, answered, found_faults
from aidc.measure.grid.meter import evaluate
from aidc.measure.grid.oscillation import APART
from aidc.measure.grid.ramp import RECOVERY
from aidc.measure.grid.ride_through import ride_through
from aidc.measure.grid.served import it_served
from aidc.measure.grid.source_voltage import shallow_faults
from aidc.measure.grid.stream import GRID_KINDS, SITE_KINDS
from aidc.measure.grid.verdict import Connection, Verdict, not_applicable, not_assessable, worst
from aidc.record.doubts import Expected, level_doubts, level_of, remarks
from aidc.record.marks import read_marks
from aidc.record.recording import Recording, open_recording
from aidc.record.waveform import Mark, Waveform
from aidc.schema.code import (
    Clause,
    FaultCurrent,
    FaultSequence,
    FrequencyRideThrough,
    Harmonics,
    Uncaptured,
    VoltageRideThrough,
)
from aidc.schema.site import Site
from aidc.study.faults.recorded import FaultsSeen, judge_record
from aidc.study.faults.verdicts import both_ways, readings
from aidc.study.grid_check.check import connection_of, not_concerned, rule_set, tagged
from aidc.study.windows.verdicts import CheckResult, NamedWindow
from aidc.units import MEGA

__all__ = ["check_recording", "disturbances", "own_swing"]


def check_recording(
    site: Site, path: Path | str, *, code: str | None = None, marks: Path | str | None = None
) -> CheckResult:
    """Judge a measured series by a rule set; the site says what it is connected to.

    What the record lacks makes its clauses not assessable.

    `path` is the record; `code` names the rule set, by default the site's own.

    Parameters
    ----------
    marks
        A file of stretches (`aidc.record.marks`) that are known to be disturbances of the grid, beside those
        that are found, or the site's own doing.

    Raises
    ------
    InputError
        The file cannot be read as a recording, or its base, nominal, unit or level does not fit the site.
    """
    name, rules = rule_set(site, code)
    grid = site.grid
    read = open_recording(path, nominal_hz=float(grid.frequency_hz), nominal_kv=grid.voltage_kv)
    warned = _doubted(read, site)
    found = disturbances(read.waveform, marks)
    shallow = _shallow(read.waveform, found, site, marks)
    kept = tuple(mark for mark in read.waveform.marks if mark.kind == "repair")
    waveform = replace(read.waveform, marks=(*kept, *answered(read.waveform, found), *shallow))
    verdicts, faults = _verdicts(rules.clauses, waveform, found, site, not_concerned(rules, site))
    if "it_demand_w" in waveform and "it_served_w" in waveform:
        verdicts.append(it_served(waveform))
    facts = _facts(read, Path(path).name, (*found, *shallow), faults, warned)
    window = NamedWindow("recording", Path(path).name, waveform, waveform.marks)
    return CheckResult(site.site.name, name, rules, tagged(verdicts, name), (window,), facts)


def disturbances(w: Waveform, marks: Path | str | None = None) -> tuple[Mark, ...]:
    """Disturbances that are found, and marks that are given; what is marked as the site's own is none."""
    given = () if marks is None else read_marks(marks, (w.first_tick + len(w)) * float(w.step_s))
    own = [mark for mark in given if mark.kind not in GRID_KINDS]

    def known(one: Mark) -> bool:
        return any(mark.start_s < one.end_s and mark.end_s > one.start_s for mark in given)

    found = [mark for mark in found_faults(w) if not known(mark)]
    listed = [mark for mark in (*given, *found) if mark.kind in GRID_KINDS or mark in own]
    return tuple(sorted(listed, key=lambda mark: mark.start_s))


def _shallow(w: Waveform, found: Sequence[Mark], site: Site, marks: Path | str | None) -> tuple[Mark, ...]:
    """What the source did within a tenth of nominal: kept out of the site's own doing, and asks nothing of the site."""
    grid = site.grid
    level_va = None if grid.short_circuit_mva is None else grid.short_circuit_mva * MEGA
    if w.location != "poi":
        return ()
    own = [] if marks is None else [one for one in disturbances(w, marks) if one.kind not in GRID_KINDS]
    known = [*found, *own]
    return tuple(
        one
        for one in shallow_faults(w, level_va, grid.x_over_r)
        if not any(mark.start_s < one.end_s and mark.end_s > one.start_s for mark in known)
    )


def own_swing(site: Site) -> Swing:
    """The swing of the site's training jobs: their longest iteration, and the share of the site that they drop."""
    racks = {name: pod.racks for name, pod in site.pods.items()}
    total = sum(racks.values())
    if not site.jobs or total <= 0:
        return Swing()
    falls = [
        sum(racks[pod] for pod in job.pods) / total * (1.0 - (job.communication_power_frac or 0.0))
        for job in site.jobs.values()
    ]
    period_s = max(float(job.iteration_s) for job in site.jobs.values())
    return Swing(period_s, min(sum(falls), 0.9), site.grid.import_limit_mw * MEGA)


def _doubted(read: Recording, site: Site) -> list[str]:
    """What is doubtful: refused, or told where the sidecar vouches for the record."""
    grid = site.grid
    expected = Expected(
        float(grid.frequency_hz), read.nominal_kv or grid.voltage_kv, grid.import_limit_mw * MEGA
    )
    problems = [*read.doubts, *level_doubts(read.waveform, expected, read.path)]
    if problems and not read.trusted:
        raise InputError(problems)
    return [
        *(f"{one.what} (the sidecar says that it can be trusted)" for one in problems),
        *remarks(read.waveform),
    ]


def _verdicts(
    clauses: Sequence[Clause], w: Waveform, found: Sequence[Mark], site: Site, reason: str
) -> tuple[list[Verdict], list[FaultsSeen]]:
    if reason:
        return [not_applicable(clause, reason) for clause in clauses], []
    connection = connection_of(site)
    judged, faults = judge_record(clauses, w, found, connection, own_swing(site))
    told = [judged[k] if k in judged else _of(clause, w, connection) for k, clause in enumerate(clauses)]
    return told, faults


def _of(clause: Clause, w: Waveform, connection: Connection) -> Verdict:
    """The verdict of one clause of normal operation on what lies outside the disturbances."""
    if isinstance(clause, Uncaptured):
        return not_assessable(
            clause, f"the figures of this clause are not captured ({clause.judges or clause.note})"
        )
    if clause.by_faults:
        return _of_others(clause, w)
    verdicts = evaluate(clause, w, connection)
    if clause.swings:
        started = any(mark.kind in SITE_KINDS for mark in w.marks)
        verdicts = [one for one in verdicts if one.case != RECOVERY and (started or one.case != APART)]
    if not verdicts:
        return not_assessable(clause, "a record does not show what this clause needs")
    outside = any(mark.kind in GRID_KINDS for mark in w.marks) and not isinstance(clause, Harmonics)
    chosen = worst(verdicts)
    if outside and chosen.result in {"pass", "fail"}:
        return replace(chosen, reason=f"{chosen.reason}; outside the disturbances of the grid")
    return chosen


def _of_others(clause: Clause, w: Waveform) -> Verdict:
    """A clause for equipment or storage: each stands alone, and the record is taken to be of what it concerns."""
    if isinstance(clause, VoltageRideThrough):
        told = [ride_through(one, w) for one in readings(clause)]
        return both_ways(clause, told[0], told[1] if len(told) > 1 and "v1_pu" in w else None)
    if isinstance(clause, FrequencyRideThrough):
        return frequency_ride_through(clause, w)
    if isinstance(clause, FaultCurrent):
        return fault_current(clause, w)
    if isinstance(clause, FaultSequence):
        told = "tried on the twin alone; what left in this record is held against the ride-through clauses"
        return not_applicable(clause, told)
    return not_applicable(clause, f"for {clause.applies_to}, not for the load that this record is of")


def _facts(
    read: Recording, name: str, found: Sequence[Mark], faults: Sequence[FaultsSeen], warned: Sequence[str]
) -> dict[str, Any]:
    w = read.waveform
    inferred = [one.inferred.reason for one in faults if one.inferred is not None]
    return {
        "recording": name,
        "samples": len(w),
        "step_ms": 1e3 * float(w.step_s),
        "duration_s": w.duration_s,
        "channels": sorted(w.channels),
        "location": w.location,
        "nominal_kv": read.nominal_kv,
        "nominal_hz": w.frequency_hz,
        "level_pu": level_of(w),
        "disturbances": [f"{mark.label} from {mark.start_s:.4g} s" for mark in found],
        "connection": inferred,
        "repairs": [mark.label for mark in w.marks if mark.kind == "repair"],
        "warnings": list(warned),
    }
