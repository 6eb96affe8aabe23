"""Oscillation: greatest minus least of band-passed power within every rolling window.

The power is that of all three phases at the point of interconnection, sampled every 2 ms or faster. The
filter is causal and starts at the steady state of the first sample; the first 20 s are dropped. Windows
that touch a start, an abort or a fault (or the 20 s of filter memory after one) are judged apart.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from aidc.measure.grid.bandpass import ORDERS, butterworth
from aidc.measure.grid.rolling import RollingExtremes
from aidc.measure.grid.sampling import (
    STEPS_PER_CHANGE,
    band_too_fast,
    samples_of,
    too_short,
    too_slow,
    window_too_fine,
)
from aidc.measure.grid.sos import SosBank
from aidc.measure.grid.stream import GRID_KINDS, SITE_KINDS, Apart, StreamMeter
from aidc.measure.grid.verdict import Connection, Verdict, judge, not_assessable
from aidc.record.waveform import Waveform
from aidc.schema.code import Oscillation
from aidc.units import MEGA

__all__ = ["APART", "NORMAL", "SETTLE_S", "SLOWEST_S", "OscillationMeter"]

SETTLE_S = 20.0
SLOWEST_S = 0.002
NORMAL = "normal operation"
APART = "start, abort and fault recovery"


class OscillationMeter(StreamMeter[Oscillation]):
    """Judges one oscillation clause with filters of orders 1, 2 and 4 (and the rule's own)."""

    needs = ("p_w",)

    def __init__(self, clause: Oscillation, connection: Connection, step_s: Fraction) -> None:
        super().__init__(clause, connection, step_s)
        if self._reason:
            return
        self._steps = samples_of(clause.window_s, step_s)
        self._settle = samples_of(SETTLE_S, step_s)
        self._own = clause.order if clause.filter_defined else 2
        self._orders = tuple(sorted({*ORDERS, self._own}))
        self._bank = SosBank([butterworth(n, clause.low_hz, clause.high_hz, step_s) for n in self._orders])
        self._rolling = [RollingExtremes(self._steps) for _ in self._orders]
        self._apart = Apart(GRID_KINDS | SITE_KINDS, step_s, self._steps, SETTLE_S)

    def _unfit(self) -> str:
        clause = self.clause
        return (
            too_slow(self.step_s, SLOWEST_S, "oscillation")
            or band_too_fast(self.step_s, clause.high_hz)
            or window_too_fine(self.step_s, clause.window_s, STEPS_PER_CHANGE)
        )

    def _take(self, block: Waveform) -> None:
        filtered = self._bank.feed(block["p_w"])
        ready = max(0, self._settle - self.samples)
        for first, last, apart in self._apart.pieces(block):
            for row, rolling in enumerate(self._rolling):
                rolling.feed(filtered[row], max(first, ready), last, block.first_tick, apart)

    def swing_w(self, apart: int = 0) -> dict[int, float]:
        """Greatest swing by filter order [W]."""
        return {
            order: rolling.swing(apart)[0] for order, rolling in zip(self._orders, self._rolling, strict=True)
        }

    def _judge(self) -> list[Verdict]:
        short = too_short(self.duration_s, SETTLE_S + self.clause.window_s, "oscillation")
        if short:
            return [not_assessable(self.clause, short)]
        verdicts = [self._verdict(0, NORMAL)]
        if self._rolling[0].seen(1):
            verdicts.append(self._verdict(1, APART))
        return verdicts

    def _verdict(self, apart: int, case: str) -> Verdict:
        if not self._rolling[0].seen(apart):
            return not_assessable(self.clause, "no window is free of starts, aborts and faults", case)
        clause = self.clause
        limit_mw = _limit_mw(clause, self.connection)
        found = {order: swing / MEGA for order, swing in self.swing_w(apart).items()}
        value_mw = found[self._own]
        tick = self._rolling[self._orders.index(self._own)].swing(apart)[1]
        spread = ", ".join(f"{found[order]:.3g}" for order in self._orders)
        reason = (
            f"{clause.low_hz:g}-{clause.high_hz:g} Hz, worst window ends at {tick * float(self.step_s):.3f} s; "
            f"Butterworth orders {', '.join(map(str, self._orders))} read {spread} MW"
        )
        cut_mw = value_mw - limit_mw
        verdict = judge(
            clause, value_mw, limit_mw, "MW", reason=reason, case=case,
            suggestion=f"take {cut_mw:.3g} MW ({cut_mw / value_mw:.0%}) of the swing out of the band"
            if cut_mw > 0
            else "",
        )  # fmt: skip
        straddles = min(found.values()) <= limit_mw < max(found.values())
        if straddles and not clause.filter_defined:
            doubt = f"the rule does not define its filter and its order decides: {reason}"
            return replace(verdict, result="not_assessable", margin=None, reason=doubt, suggestion="")
        return verdict


def _limit_mw(clause: Oscillation, connection: Connection) -> float:
    limits = [] if clause.limit_mw is None else [clause.limit_mw]
    if clause.limit_frac is not None:
        limits.append(clause.limit_frac * connection.site_w / MEGA)
    return min(limits)
