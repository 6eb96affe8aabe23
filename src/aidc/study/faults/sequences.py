"""Sequences of faults: one window each, in which batteries, counters and clocks go on from fault to fault."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

from aidc.measure.grid.fault_sequence import fault_sequence
from aidc.measure.grid.party import seen_by
from aidc.measure.grid.served import it_served
from aidc.measure.grid.verdict import Verdict, not_assessable, worst
from aidc.record.waveform import Mark, Waveform
from aidc.schema.code import Clause, FaultSequence
from aidc.schema.disturbance import Sag
from aidc.schema.site import Site
from aidc.simulate.transient.start import OperatingPoint
from aidc.simulate.transient.window import open_window
from aidc.study.faults.battery import BEFORE_S, one_cycle
from aidc.study.faults.cases import PHASES, FaultKind
from aidc.study.faults.verdicts import both_ways, freedoms
from aidc.study.windows.solved import why_unsolved
from aidc.study.windows.verdicts import NamedWindow

__all__ = ["SequenceResult", "run_sequences", "sags_of"]

_AFTER_S = 2.0


@dataclass
class SequenceResult:
    """Worst verdict of a clause, of the racks' supply, and the window behind it."""

    verdicts: list[Verdict] = field(default_factory=list[Verdict])
    served: list[Verdict] = field(default_factory=list[Verdict])
    windows: list[NamedWindow] = field(default_factory=list[NamedWindow])


def sags_of(clause: FaultSequence, kind: FaultKind, first_s: float) -> list[Sag]:
    """The faults of a sequence as events, the first at `first_s`."""
    return [
        Sag(use="sag", start_s=first_s + start_s, residual_pu=residual, duration_s=lasts_s, fault=kind)
        for start_s, residual, lasts_s in zip(
            clause.start_s, clause.residual_pu, clause.duration_s, strict=True
        )
    ]


def run_sequences(
    site: Site,
    point: OperatingPoint,
    clause: FaultSequence,
    step_s: Fraction,
    clauses: Sequence[Clause],
    levels: Mapping[str, float],
) -> SequenceResult:
    """Try every kind of fault at every short-circuit level, the first on the first part of the iteration.

    `clauses` is the rule set that `clause` belongs to: what it allows counts.

    `step_s` is the step of the windows [s], `levels` are short-circuit powers by name [VA].
    """
    result = SequenceResult()
    length_s = BEFORE_S + clause.start_s[-1] + clause.duration_s[-1] + _AFTER_S
    for level, level_va in levels.items():
        for kind in clause.faults:
            name = f"{len(clause.start_s)} {kind} faults in {clause.start_s[-1]:g} s, {level} short-circuit level"
            window = open_window(
                site,
                point,
                sags_of(clause, kind, BEFORE_S),
                duration_s=length_s,
                step_s=step_s,
                short_circuit_va=level_va,
                phase=(BEFORE_S, PHASES[0] if site.jobs else 0.0),
            )
            shown = one_cycle(window.advance())
            verdict = _judged(clause, clauses, shown, name)
            served = it_served(shown, name)
            if unsolved := why_unsolved(window):
                verdict = not_assessable(clause, unsolved, name)
                served = replace(served, result="not_assessable", value=None, margin=None, reason=unsolved)
            result.verdicts.append(verdict)
            result.served.append(served)
            if worst(result.verdicts).case == name:
                result.windows = [_named(clause, shown, name)]
    return result


def _judged(clause: FaultSequence, clauses: Sequence[Clause], shown: Waveform, case: str) -> Verdict:
    party = "storage" if clause.applies_to == "storage" else "load"
    theirs = seen_by(shown, party)
    stated, other = freedoms(clauses, theirs, case, party)
    first = fault_sequence(clause, theirs, BEFORE_S, stated, case)
    return both_ways(
        clause, first, None if other is None else fault_sequence(clause, theirs, BEFORE_S, other, case)
    )


def _named(clause: FaultSequence, shown: Waveform, name: str) -> NamedWindow:
    marks = tuple(
        Mark("sag", BEFORE_S + start_s, BEFORE_S + start_s + lasts_s, name)
        for start_s, lasts_s in zip(clause.start_s, clause.duration_s, strict=True)
    )
    return NamedWindow(f"sequence-{clause.clause}", f"Sequence: {name}", replace(shown, marks=marks), marks)
