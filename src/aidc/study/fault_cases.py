"""Which faults a rule set asks a site to ride through: the battery of cases.

Residual voltages from 0 to 0.95 pu in steps of 0.05, for each fault type, just as long as each time of
the rule's curve that the residual may last; swells to just below each threshold; on every stated part of the
training iteration and every short-circuit level.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from aidc.plant.network.sequence import fault_of, phases_of
from aidc.schema.code import Clause, Recovery, VoltageRideThrough
from aidc.schema.disturbance import Disturbance, Sag, Swell

__all__ = ["KINDS", "PHASES", "RESIDUALS", "FaultCase", "fault_cases", "readings"]

FaultKind = Literal["3ph", "lg", "ll", "llg"]
KINDS: Final[tuple[FaultKind, ...]] = ("3ph", "lg", "ll", "llg")
RESIDUALS: Final = tuple(round(0.05 * k, 2) for k in range(20))
PHASES: Final = (0.05, 0.4, 0.72, 0.9)
"""Shares of a training iteration at which a fault falls: early and late in compute, at the edge, and within
communication (which takes about the last quarter, see catalogue/training)."""

_STEP_MARGIN: Final = 1.0  # cycles by which a case is shorter than the rule's time, so that its one-cycle RMS
# stays within it: the trailing mean adds at most 0.62 of a cycle below 0.9 pu
_BELOW_NEXT: Final = 0.01  # pu by which a swell stays below the next threshold


@dataclass(frozen=True, slots=True)
class FaultCase:
    """One event on the grid at one moment of the load, behind one source."""

    event: Sag | Swell
    phase: float
    level: str
    level_va: float

    @property
    def name(self) -> str:
        """In words, for the verdict."""
        one = self.event
        what = (
            f"{one.fault} fault, residual {one.residual_pu:.2f} pu"
            if isinstance(one, Sag)
            else f"swell to {one.voltage_pu:.2f} pu"
        )
        return f"{what}, {1e3 * one.duration_s:.0f} ms, at {self.phase:.2f} of the iteration, {self.level} short-circuit level"

    def at(self, start_s: float) -> Disturbance:
        """The event moved to `start_s`."""
        return self.event.model_copy(update={"start_s": start_s})


def fault_cases(
    clauses: Sequence[Clause],
    levels: Mapping[str, float],
    phases: Sequence[float],
    cycle_s: float,
    step_s: float,
) -> list[FaultCase]:
    """Every case that the voltage clauses of a set ask for.

    A set with a recovery clause alone is tried with a bolted and a half-depth fault of 150 ms.
    """
    events: dict[tuple[object, ...], Sag | Swell] = {}
    curves = [reading for clause in clauses for reading in readings(clause)]
    for clause in curves:
        for event in (*_sags(clause, cycle_s, step_s), *_swells(clause, cycle_s, step_s)):
            key = tuple(event.model_dump().values())
            events.setdefault(key, event)
    if not curves and any(isinstance(clause, Recovery) for clause in clauses):
        for kind in KINDS:
            for residual in (0.0, 0.5):
                event = Sag(use="sag", start_s=0.0, residual_pu=residual, duration_s=0.15, fault=kind)
                events[kind, residual] = event
    return [
        FaultCase(event, phase, level, level_va)
        for level, level_va in levels.items()
        for phase in phases
        for event in events.values()
    ]


def readings(clause: Clause) -> list[VoltageRideThrough]:
    """A voltage clause as it stands and, where its rule does not say which voltage counts, by V1.

    Positive sequence stays higher in unbalanced faults, so that they must be ridden through for longer.
    """
    if not isinstance(clause, VoltageRideThrough):
        return []
    if clause.quantity_defined or clause.quantity == "v1":
        return [clause]
    return [clause, clause.model_copy(update={"quantity": "v1"})]


def _quantity(clause: VoltageRideThrough, kind: FaultKind, residual: float) -> float:
    """What the rule's quantity shows in an unloaded fault."""
    fault = fault_of(kind, residual)
    phases = phases_of(fault)
    ratio = {"v1": 1.0, "v_pn_min": phases.pn_min, "v_pp_min": phases.pp_min}[clause.quantity]
    return fault.source_frac * ratio


def _durations(clause: VoltageRideThrough, quantity: float) -> list[float]:
    """Times of the curve that an excursion to `quantity` may last, the longest last."""
    below = [t for v, t in zip(clause.below_pu, clause.below_s, strict=True) if quantity < v]
    if not below:  # within the continuous band: the longest time of the curve stands for always
        return [max(clause.below_s, default=0.0)]
    allowed = min(below)
    return sorted({t for t in clause.below_s if 0 < t <= allowed})


def _sags(clause: VoltageRideThrough, cycle_s: float, step_s: float) -> list[Sag]:
    found: list[Sag] = []
    for kind in KINDS if clause.below_pu else ():
        for residual in RESIDUALS:
            for time_s in _durations(clause, _quantity(clause, kind, residual)):
                duration_s = _shortened(time_s, cycle_s, step_s)
                found.append(
                    Sag(use="sag", start_s=0.0, residual_pu=residual, duration_s=duration_s, fault=kind)
                )
    return found


def _swells(clause: VoltageRideThrough, cycle_s: float, step_s: float) -> list[Swell]:
    found: list[Swell] = []
    points = sorted(zip(clause.above_pu, clause.above_s, strict=True))
    for k, (level, time_s) in enumerate(points):
        top = points[k + 1][0] - _BELOW_NEXT if k + 1 < len(points) else level + 0.05
        if time_s <= 0 or top <= level:
            continue
        duration_s = _shortened(time_s, cycle_s, step_s)
        found.append(Swell(use="swell", start_s=0.0, voltage_pu=round(top, 4), duration_s=duration_s))
    return found


def _shortened(time_s: float, cycle_s: float, step_s: float) -> float:
    """Just under a time of the rule, as its one-cycle RMS will count it."""
    return max(time_s - max(_STEP_MARGIN * cycle_s, step_s), 0.5 * time_s)
