"""Ramps: the mean rate over, or the greatest change within, every rolling window."""

from __future__ import annotations

from fractions import Fraction

from aidc.measure.grid.rolling import RollingExtremes, RollingRate
from aidc.measure.grid.sampling import (
    STEPS_PER_CHANGE,
    STEPS_PER_RATE,
    samples_of,
    too_short,
    window_too_fine,
)
from aidc.measure.grid.stream import GRID_KINDS, Apart, StreamMeter
from aidc.measure.grid.verdict import Connection, Verdict, judge, not_assessable
from aidc.record.waveform import Waveform
from aidc.schema.code import Ramp
from aidc.units import MEGA

__all__ = ["RECOVERY", "RampMeter"]

RECOVERY = "fault recovery"

_SEES_SWINGS_S = 0.02  # a slower series does not show the band of the oscillation rules


class RampMeter(StreamMeter[Ramp]):
    """Judges one ramp clause; windows that touch a fault are judged apart, starts and aborts are not.

    The mean rate over a window is (P(t + w) - P(t)) / w. Of a change, `direction` "up" counts the
    greatest rise from an earlier to a later sample within the window.
    """

    needs = ("p_w",)

    def __init__(self, clause: Ramp, connection: Connection, step_s: Fraction) -> None:
        super().__init__(clause, connection, step_s)
        if self._reason:
            return
        steps = samples_of(clause.window_s, step_s)
        self._window_s = steps * float(step_s)
        self._rolling = RollingRate(steps) if clause.form == "rate" else RollingExtremes(steps)
        self._apart = Apart(GRID_KINDS, step_s, steps)

    def _unfit(self) -> str:
        steps = STEPS_PER_RATE if self.clause.form == "rate" else STEPS_PER_CHANGE
        return window_too_fine(self.step_s, self.clause.window_s, steps)

    def _take(self, block: Waveform) -> None:
        for first, last, apart in self._apart.pieces(block):
            self._rolling.feed(block["p_w"], first, last, block.first_tick, apart)

    def _judge(self) -> list[Verdict]:
        short = too_short(self.duration_s, self.clause.window_s + float(self.step_s), "a rolling window")
        if short:
            return [not_assessable(self.clause, short)]
        verdicts = [self._verdict(0, "normal operation")]
        if self._rolling.seen(1):
            verdicts.append(self._verdict(1, RECOVERY))
        return verdicts

    def _verdict(self, apart: int, case: str) -> Verdict:
        if not self._rolling.seen(apart):
            return not_assessable(self.clause, "no window is free of faults", case)
        up, down = self._rolling.rise(apart), self._rolling.fall(apart)
        counted = {"up": (up,), "down": (down,), "both": (up, down)}[self.clause.direction]
        change_w, tick = max(counted, key=lambda found: found[0])
        way = "up" if (change_w, tick) == up else "down"
        reason = f"worst {self._window_s:g} s window ends at {tick * float(self.step_s):.3f} s, {way}"
        if float(self.step_s) > _SEES_SWINGS_S:
            reason += f"; swings faster than the {float(self.step_s):g} s samples are not seen"
        value, limit, unit = self._figures(change_w)
        return judge(
            self.clause, value, limit, unit, reason=reason, case=case,
            suggestion=f"cut the ramp by {value - limit:.3g} {unit}",
        )  # fmt: skip

    def _figures(self, change_w: float) -> tuple[float, float, str]:
        clause = self.clause
        if clause.form == "rate":
            return change_w / MEGA / (self._window_s / 60.0), clause.limit_mw_per_min or 0.0, "MW/min"
        limits = [] if clause.limit_mw is None else [clause.limit_mw]
        if clause.limit_frac is not None:
            limits.append(clause.limit_frac * self.connection.site_w / MEGA)
        return change_w / MEGA, min(limits), "MW"
