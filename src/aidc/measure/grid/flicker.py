"""Flicker of the site against its share of the planning level.

The share of a site in what the system may have is E = (L³ · S_site / S_system)^(1/3), the cubic summation
of IEC 61000-3-7 (exponent 3, no transfer from other voltage levels). Without S_system there is no limit to
judge by. Ten minutes that touch a fault of the grid are left out, as IEC 61000-4-30 flags them.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from aidc.measure.grid.flickermeter import LAMPS, PREROLL_S, WINDOW_S, Flickermeter, plt_of
from aidc.measure.grid.sampling import too_short, too_slow
from aidc.measure.grid.stream import GRID_KINDS, FloatArray, StreamMeter
from aidc.measure.grid.verdict import Connection, Verdict, judge, not_applicable, not_assessable
from aidc.record.waveform import Mark, Waveform
from aidc.schema.code import Flicker

__all__ = ["FlickerMeter", "emission_limit"]

_WAVE_S = 1 / 2000
_RMS_S = 1 / 500
_PER_PLT = 12


def emission_limit(planning: float, site_va: float, system_va: float) -> float:
    """The site's share of a planning level."""
    return float(np.cbrt(planning**3 * min(1.0, site_va / system_va)))


class FlickerMeter(StreamMeter[Flicker]):
    """Judges the worst Pst, and the worst Plt of 12 consecutive ones.

    It reads the instantaneous voltage where that is sampled at 2 kHz or more, else an RMS voltage at
    500 Hz or more: positive sequence, or the least phase-neutral where there is no other.
    """

    def __init__(self, clause: Flicker, connection: Connection, step_s: Fraction) -> None:
        super().__init__(clause, connection, step_s)
        self._channel = ""
        self._meter: Flickermeter | None = None
        self._faults: set[Mark] = set()

    def _unfit(self) -> str:
        frequency_hz = round(self.connection.frequency_hz)
        if frequency_hz not in LAMPS:
            return f"the flickermeter has no lamp for {frequency_hz} Hz"
        if self.clause.pst_planning is None and self.clause.plt_planning is None:
            return "the clause states no planning level"
        return too_slow(self.step_s, _RMS_S, "flicker from an RMS voltage")

    def _channels(self, block: Waveform) -> tuple[str, ...]:
        if not self._channel:
            fast = too_slow(self.step_s, _WAVE_S, "") == ""
            order = ("v_wave_pu", "v1_pu", "v_pn_min_pu") if fast else ("v1_pu", "v_pn_min_pu")
            self._channel = next((name for name in order if name in block), order[0])
        return (self._channel,)

    def _take(self, block: Waveform) -> None:
        if self._meter is None:
            wave = self._channel == "v_wave_pu"
            self._meter = Flickermeter(self.step_s, round(self.connection.frequency_hz), wave=wave)
        self._faults.update(mark for mark in block.marks if mark.kind in GRID_KINDS)
        self._meter.feed(block[self._channel])

    def pst(self) -> FloatArray:
        """Pst of each whole 10 minutes after the pre-roll; NaN where a fault of the grid falls into it."""
        pst = self._meter.pst() if self._meter else np.empty(0)
        begin_s = self.first_tick * float(self.step_s) + PREROLL_S
        for number in range(pst.size):
            start_s = begin_s + number * WINDOW_S
            if any(m.start_s < start_s + WINDOW_S and m.end_s > start_s - 1.0 for m in self._faults):
                pst[number] = np.nan
        return pst

    def verdicts(self) -> list[Verdict]:
        if not self.clause.min_kv <= self.connection.voltage_v / 1e3 < self.clause.max_kv:
            kv = f"{self.clause.min_kv:g} to {self.clause.max_kv:g} kV"
            return [not_applicable(self.clause, f"concerns {kv}, the site has {self._kv:g} kV")]
        return super().verdicts()

    @property
    def _kv(self) -> float:
        return self.connection.voltage_v / 1e3

    def _judge(self) -> list[Verdict]:
        if self.connection.system_va is None:
            missing = "the emission limit needs the system's capacity S_system, which is not stated"
            return [not_assessable(self.clause, missing)]
        short = too_short(self.duration_s, PREROLL_S + WINDOW_S, "Pst with its pre-roll")
        pst = self.pst()
        if short or np.isnan(pst).all():
            return [not_assessable(self.clause, short or "every 10 minutes hold a fault of the grid")]
        verdicts: list[Verdict] = []
        if self.clause.pst_planning is not None:
            verdicts.append(self._short_term(pst, self._share(self.clause.pst_planning)))
        if self.clause.plt_planning is not None:
            verdicts.append(self._long_term(pst, self._share(self.clause.plt_planning)))
        return verdicts

    def _share(self, planning: float) -> float:
        system_va = self.connection.system_va or self.connection.site_w
        return emission_limit(planning, self.connection.site_w, system_va)

    def _short_term(self, pst: FloatArray, limit: float) -> Verdict:
        value = float(np.nanmax(pst))
        flagged = int(np.isnan(pst).sum())
        left_out = f", {flagged} left out for faults of the grid" if flagged else ""
        reason = f"worst of {pst.size} times 10 minutes{left_out}; read from {self._channel}"
        return judge(
            self.clause, value, limit, "Pst", reason=reason, case="Pst",
            suggestion=_suggestion(value, limit),
        )  # fmt: skip

    def _long_term(self, pst: FloatArray, limit: float) -> Verdict:
        """Fewer than 12 Pst cannot pass, but fail where they alone exceed the limit."""
        if pst.size < _PER_PLT:
            known = np.nan_to_num(pst, nan=0.0)
            value = plt_of(np.concatenate((known, np.zeros(_PER_PLT - pst.size))))
        else:
            groups = np.lib.stride_tricks.sliding_window_view(pst, _PER_PLT)
            value = max(plt_of(np.nan_to_num(group, nan=0.0)) for group in groups)
            if not np.isnan(pst).any():
                return self._plt(value, limit, f"worst of {len(groups)} times 2 hours")
        if value > limit:
            return self._plt(value, limit, "at least this, from the Pst that are known")
        need_s = PREROLL_S + _PER_PLT * WINDOW_S
        return not_assessable(
            self.clause, f"Plt needs 12 consecutive Pst ({need_s:g} s free of faults)", "Plt"
        )

    def _plt(self, value: float, limit: float, reason: str) -> Verdict:
        return judge(
            self.clause, value, limit, "Plt", reason=reason, case="Plt", suggestion=_suggestion(value, limit)
        )


def _suggestion(value: float, limit: float) -> str:
    """Pst is in proportion to the voltage changes, these to the swings of power over the fault level."""
    if value <= limit:
        return ""
    return f"cut the swings of power to {limit / value:.0%}, or connect at {value / limit:.2g} times the fault level"
