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
from aidc.schema.code import Clause, FaultCurrent, Recovery, VoltageRideThrough
from aidc.schema.disturbance import Disturbance, Sag, Swell
from aidc.study.faults.verdicts import readings

__all__ = ["KINDS", "PHASES", "RESIDUALS", "FaultCase", "FaultKind", "fault_cases"]

FaultKind = Literal["3ph", "lg", "ll", "llg"]
KINDS: Final[tuple[FaultKind, ...]] = ("3ph", "lg", "ll", "llg")
RESIDUALS: Final = tuple(round(0.05 * k, 2) for k in range(20))
PHASES: Final = (0.05, 0.4, 0.72, 0.9)
"""Shares of a training iteration at which a fault falls: early and late in compute, at the edge, and within
communication (which takes about the last quarter, see catalogue/training)."""

_SPARE_CYCLES: Final = 0.25
"""By which a case stays short of the time that its one-cycle RMS may last: the load moves the voltage a little."""

_BELOW_NEXT: Final = 0.01  # pu by which a swell stays below the next threshold


@dataclass(frozen=True, slots=True)
class FaultCase:
    """One event on the grid at one moment of the load, behind one source.

    `storage_frac` is what storages without a law of their own are set to (1 charges with rated power, -1 discharges).
    """

    event: Sag | Swell
    phase: float
    level: str
    level_va: float
    storage_frac: float = 0.0

    @property
    def name(self) -> str:
        """In words, for the verdict."""
        one = self.event
        what = (
            f"{one.fault} fault, residual {one.residual_pu:.2f} pu"
            if isinstance(one, Sag)
            else f"swell to {one.voltage_pu:.2f} pu"
        )
        stored = {0.0: "", 1.0: ", storages charge", -1.0: ", storages discharge"}[self.storage_frac]
        return (
            f"{what}, {1e3 * one.duration_s:.0f} ms, at {self.phase:.2f} of the iteration, {self.level} short-circuit level"
            f"{stored}"
        )

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

    A set with a recovery clause alone is tried with a bolted and a half-depth fault of 150 ms; one with a clause on
    fault current and no curve with every depth. Clauses for storages are tried at rest, and at the first of `phases`
    charging and discharging too.

    `levels` are short-circuit powers by name [VA], `phases` the points in the training iteration at which faults
    begin (0 to 1), `cycle_s` the length of an iteration and `step_s` that of a step [s].
    """
    events: dict[tuple[object, ...], Sag | Swell] = {}
    stored = any(clause.applies_to == "storage" for clause in clauses)
    currents = any(isinstance(clause, FaultCurrent) for clause in clauses)
    curves = [reading for clause in clauses for reading in readings(clause)]
    for clause in curves:
        for event in (*_sags(clause, cycle_s, step_s), *_swells(clause, cycle_s, step_s)):
            key = tuple(event.model_dump().values())
            events.setdefault(key, event)
    if not curves and any(isinstance(clause, (Recovery, FaultCurrent)) for clause in clauses):
        for kind in KINDS:
            for residual in (0.0, 0.5) if not currents else RESIDUALS:
                event = Sag(use="sag", start_s=0.0, residual_pu=residual, duration_s=0.15, fault=kind)
                events[kind, residual] = event
    return [
        FaultCase(event, phase, level, level_va, share)
        for level, level_va in levels.items()
        for number, phase in enumerate(phases)
        for share in ((0.0, 1.0, -1.0) if stored and number == 0 else (0.0,))
        for event in events.values()
    ]


def _quantity(clause: VoltageRideThrough, kind: FaultKind, residual: float) -> float:
    """What the rule's quantity shows in an unloaded fault."""
    fault = fault_of(kind, residual)
    phases = phases_of(fault)
    ratio = {"v1": 1.0, "v_pn_min": phases.pn_min, "v_pp_min": phases.pp_min}[clause.quantity]
    return fault.source_frac * ratio


def _durations(
    points: Sequence[tuple[float, float]], quantity: float, cycle_s: float, step_s: float
) -> list[float]:
    """How long an excursion to `quantity` may last for each time of a curve that it reaches, the longest last.

    The rule counts one-cycle RMS, which follows the voltage with a delay: an excursion from 1 pu to q lies
    beyond V for cycle·(2V² - 1 - q²)/(1 - q²) longer than it lasts (the mean of squares over a cycle that
    has 1 on one side of the edge and q² on the other is V² at that place). Beyond a deep threshold it
    is shorter, so that a case of the rule's own time would not try the whole of it.
    """
    beyond = [(v, t) for v, t in points if (quantity < v if quantity < 1 else quantity > v)]
    if not beyond:  # within the continuous band: the longest time of the curve stands for always
        return [max((t for _, t in points), default=0.0)]
    spare_s = max(_SPARE_CYCLES * cycle_s, step_s)
    square = quantity * quantity
    late = {v: cycle_s * (2 * v * v - 1 - square) / (1 - square) for v, _ in beyond}
    most = min(t - late[v] for v, t in beyond)
    allowed = min(t for _, t in beyond)
    shorter = {t for _, t in points if 0 < t < allowed}
    return sorted(max(t - spare_s, 0.5 * t) for t in {*shorter, most} if t > 0)


def _sags(clause: VoltageRideThrough, cycle_s: float, step_s: float) -> list[Sag]:
    points = tuple(zip(clause.below_pu, clause.below_s, strict=True))
    return [
        Sag(use="sag", start_s=0.0, residual_pu=residual, duration_s=_ms(duration_s), fault=kind)
        for kind in (KINDS if points else ())
        for residual in RESIDUALS
        for duration_s in _durations(points, _quantity(clause, kind, residual), cycle_s, step_s)
        if duration_s > 0
    ]


def _swells(clause: VoltageRideThrough, cycle_s: float, step_s: float) -> list[Swell]:
    """To just below the next threshold, and half way there: a weak grid lifts the former beyond it."""
    found: list[Swell] = []
    points = sorted(zip(clause.above_pu, clause.above_s, strict=True))
    for k, (level, time_s) in enumerate(points):
        top = points[k + 1][0] - _BELOW_NEXT if k + 1 < len(points) else level + 0.05
        if time_s <= 0 or top <= level:
            continue
        for voltage in dict.fromkeys((round(top, 4), round(0.5 * (level + top), 4))):
            found += [
                Swell(use="swell", start_s=0.0, voltage_pu=voltage, duration_s=_ms(duration_s))
                for duration_s in _durations(points, voltage, cycle_s, step_s)[-1:]
            ]
    return found


def _ms(duration_s: float) -> float:
    """Whole milliseconds, so that cases that hardly differ are one."""
    return max(round(duration_s, 3), 0.001)
