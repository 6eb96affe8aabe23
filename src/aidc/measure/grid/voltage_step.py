"""Voltage step: the greatest change of voltage within a short window that the site's own steps cause."""

from __future__ import annotations

from fractions import Fraction

from aidc.measure.grid.rolling import RollingExtremes
from aidc.measure.grid.sampling import STEPS_PER_CHANGE, samples_of, too_short, window_too_fine
from aidc.measure.grid.stream import GRID_KINDS, Apart, StreamMeter
from aidc.measure.grid.verdict import Connection, Verdict, judge, not_assessable
from aidc.record.waveform import Waveform
from aidc.schema.code import VoltageStep

__all__ = ["VoltageStepMeter"]


class VoltageStepMeter(StreamMeter[VoltageStep]):
    """Judges positive-sequence voltage; windows that touch a fault of the grid are left out."""

    needs = ("v1_pu",)

    def __init__(self, clause: VoltageStep, connection: Connection, step_s: Fraction) -> None:
        super().__init__(clause, connection, step_s)
        if self._reason:
            return
        steps = samples_of(clause.window_s, step_s)
        self._rolling = RollingExtremes(steps)
        self._apart = Apart(GRID_KINDS, step_s, steps)

    def _unfit(self) -> str:
        return window_too_fine(self.step_s, self.clause.window_s, STEPS_PER_CHANGE)

    def _take(self, block: Waveform) -> None:
        for first, last, apart in self._apart.pieces(block):
            self._rolling.feed(block["v1_pu"], first, last, block.first_tick, apart)

    def _judge(self) -> list[Verdict]:
        clause = self.clause
        short = too_short(self.duration_s, clause.window_s + float(self.step_s), "a rolling window")
        if short or not self._rolling.seen(0):
            return [not_assessable(clause, short or "no window is free of faults of the grid")]
        step_pu, tick = self._rolling.swing(0)
        reason = f"worst {clause.window_s:g} s window ends at {tick * float(self.step_s):.3f} s"
        return [
            judge(
                clause, 100 * step_pu, 100 * clause.limit_frac, "%", reason=reason,
                suggestion=self._suggestion(step_pu),
            )
        ]  # fmt: skip

    def _suggestion(self, step_pu: float) -> str:
        """The voltage step is in proportion to the step of power and to the source impedance."""
        if step_pu <= self.clause.limit_frac:
            return ""
        words = f"cut the steps of power to {self.clause.limit_frac / step_pu:.0%}"
        if self.connection.short_circuit_va:
            need_mva = self.connection.short_circuit_va / 1e6 * step_pu / self.clause.limit_frac
            words += f", or connect at {need_mva:.0f} MVA short-circuit level"
        return words
