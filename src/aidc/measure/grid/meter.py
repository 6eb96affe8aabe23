"""Meters: one clause, fed with consecutive blocks of a waveform, answers with verdicts.

An hour at 1 ms is judged a minute at a time: no meter holds more than its own rolling window.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any, Protocol

from aidc.measure.grid.flicker import FlickerMeter
from aidc.measure.grid.harmonics import HarmonicsMeter
from aidc.measure.grid.oscillation import OscillationMeter
from aidc.measure.grid.power_factor import PowerFactorMeter
from aidc.measure.grid.ramp import RampMeter
from aidc.measure.grid.spectrum import BandEnergyMeter
from aidc.measure.grid.verdict import Connection, Verdict
from aidc.measure.grid.voltage_step import VoltageStepMeter
from aidc.record.waveform import Waveform
from aidc.schema.code import (
    BandEnergy,
    Clause,
    Flicker,
    Harmonics,
    Oscillation,
    PowerFactor,
    Ramp,
    VoltageStep,
)

__all__ = ["BLOCK_S", "Meter", "evaluate", "meter_of"]

BLOCK_S = 60.0


class Meter(Protocol):
    """What judges one clause."""

    def feed(self, block: Waveform) -> None:
        """Judge the next block, which must start where the last one ended."""
        ...

    def verdicts(self) -> list[Verdict]:
        """What the clause says of everything that was fed."""
        ...


_METERS: Mapping[type, Callable[[Any, Connection, Fraction], Meter]] = {
    Oscillation: OscillationMeter,
    BandEnergy: BandEnergyMeter,
    Ramp: RampMeter,
    VoltageStep: VoltageStepMeter,
    PowerFactor: PowerFactorMeter,
    Flicker: FlickerMeter,
    Harmonics: HarmonicsMeter,
}


def meter_of(clause: Clause, connection: Connection, step_s: Fraction) -> Meter | None:
    """The meter of a clause of normal operation; None for clauses that events judge."""
    made = _METERS.get(type(clause))
    return made(clause, connection, step_s) if made else None


def evaluate(clause: Clause, waveform: Waveform, connection: Connection) -> list[Verdict]:
    """Verdicts of one clause on a whole waveform; empty for clauses that events judge."""
    meter = meter_of(clause, connection, waveform.step_s)
    if meter is None:
        return []
    size = max(1, round(BLOCK_S / float(waveform.step_s)))
    for first in range(0, len(waveform), size):
        meter.feed(waveform.block(first, min(first + size, len(waveform))))
    return meter.verdicts()
