"""Flicker of the site against its share of the planning level.

The share of a site in what the system may have is E = (L³ · S_site / S_system)^(1/3), the cubic summation
of IEC 61000-3-7 (exponent 3, no transfer from other voltage levels), but never less than the clause's floor, which
any installation is granted. Without S_system there is no limit to judge by. Ten minutes that touch a fault of the grid are left out, as IEC 61000-4-30 flags them.

Of three phases the worst counts. Values that are means over a cycle follow nothing that is fast: what they took is
worked out (`CycleInverse`), and where it is more than at 8 Hz, there is no verdict.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from aidc.measure.grid.flickermeter import LAMPS, PREROLL_S, WINDOW_S, Flickermeter, cycle_gain, plt_of
from aidc.measure.grid.sampling import too_short, too_slow
from aidc.measure.grid.stream import GRID_KINDS, FloatArray, StreamMeter
from aidc.measure.grid.verdict import Connection, Verdict, judge, not_applicable, not_assessable
from aidc.record.waveform import Mark, Waveform
from aidc.schema.code import Flicker

__all__ = ["FlickerMeter", "emission_limit"]

_WAVE_S = 1 / 600
_RMS_S = 1 / 500
_FINE_S = 1 / 1000
_PER_PLT = 12
_WAVES = ("v_wave_pu", "v_wave_b_pu", "v_wave_c_pu")
_PHASES = ("v_a_pu", "v_b_pu", "v_c_pu")
_LOST_HZ = 8.2  # a pure modulation of 8 Hz is still judged
_NEGLIGIBLE = 0.3  # of the limit: whatever a mean over a cycle took, it leaves more than this below 40 Hz


def emission_limit(planning: float, site_va: float, system_va: float) -> float:
    """The site's share of a planning level."""
    return float(np.cbrt(planning**3 * min(1.0, site_va / system_va)))


class FlickerMeter(StreamMeter[Flicker]):
    """Judges the worst Pst, and the worst Plt of 12 consecutive ones, of the worst phase.

    It reads the instantaneous voltages where they are sampled at 600 Hz or more (twice the mains and its side bands
    stay clear of what a lamp follows), else RMS voltages at 500 Hz or more: those of the phases, positive
    sequence, or the least phase-neutral, whichever there is first.
    """

    def __init__(self, clause: Flicker, connection: Connection, step_s: Fraction) -> None:
        super().__init__(clause, connection, step_s)
        self._names: tuple[str, ...] = ()
        self._meters: dict[str, Flickermeter] = {}
        self._restored: dict[str, Flickermeter] = {}
        self._faults: set[Mark] = set()

    def _unfit(self) -> str:
        frequency_hz = round(self.connection.frequency_hz)
        if frequency_hz not in LAMPS:
            return f"the flickermeter has no lamp for {frequency_hz} Hz"
        if self.clause.pst_planning is None and self.clause.plt_planning is None:
            return "the clause states no planning level"
        return too_slow(self.step_s, _RMS_S, "flicker from an RMS voltage")

    def _channels(self, block: Waveform) -> tuple[str, ...]:
        if not self._names:
            fast = too_slow(self.step_s, _WAVE_S, "") == ""
            order = [_WAVES] if fast else []
            order += [_PHASES, ("v1_pu",), ("v_pn_min_pu",)]
            present = (tuple(name for name in names if name in block) for names in order)
            self._names = next((names for names in present if names), ("v1_pu",))
        return self._names

    def _take(self, block: Waveform) -> None:
        if not self._meters:
            hertz = round(self.connection.frequency_hz)
            for name in self._names:
                wave = name in _WAVES
                self._meters[name] = Flickermeter(self.step_s, hertz, wave=wave)
                if name in block.averaged:
                    self._restored[name] = Flickermeter(self.step_s, hertz, wave=wave, restored=True)
        self._faults.update(mark for mark in block.marks if mark.kind in GRID_KINDS)
        for meters in (self._meters, self._restored):
            for name, meter in meters.items():
                meter.feed(block[name])

    def pst(self, name: str = "") -> FloatArray:
        """Pst of each whole 10 minutes after the pre-roll; NaN where a fault of the grid falls into it.

        Of one channel; by default the greatest of all.
        """
        if not name:
            return np.max([self.pst(one) for one in self._meters], axis=0) if self._meters else np.empty(0)
        return self._flagged(self._meters[name].pst())

    def _flagged(self, pst: FloatArray) -> FloatArray:
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
        by_channel = {name: self.pst(name) for name in self._meters}
        if short or np.isnan(next(iter(by_channel.values()))).all():
            return [not_assessable(self.clause, short or "every 10 minutes hold a fault of the grid")]
        verdicts: list[Verdict] = []
        if self.clause.pst_planning is not None:
            limit = max(self._share(self.clause.pst_planning), self.clause.pst_floor)
            name = max(by_channel, key=lambda one: float(np.nanmax(by_channel[one])))
            verdicts.append(self._held(self._short_term(name, by_channel[name], limit), name))
        if self.clause.plt_planning is not None:
            limit = max(self._share(self.clause.plt_planning), self.clause.plt_floor)
            name = max(by_channel, key=lambda one: _known_plt(by_channel[one]))
            verdicts.append(self._held(self._long_term(by_channel[name], limit), name))
        return verdicts

    def _held(self, verdict: Verdict, name: str) -> Verdict:
        """The verdict, unless it rests on values over a cycle that took more than they may."""
        if name not in self._restored or verdict.value is None or verdict.limit is None:
            return verdict
        if verdict.value <= _NEGLIGIBLE * verdict.limit:
            return verdict
        lossy, whole = self.pst(name), self._flagged(self._restored[name].pst())
        with np.errstate(invalid="ignore", divide="ignore"):
            most = float(np.nanmax(whole / lossy))
        if most <= 1 / float(cycle_gain(_LOST_HZ, self.connection.frequency_hz)):
            return verdict
        return not_assessable(
            self.clause,
            f"{name} holds values over a cycle, and its flicker lies above 8 Hz, which they do not follow: Pst reads "
            f"{verdict.value:.3g} and may be {most:.2g} times that; give the waveform, or phasor magnitudes",
            verdict.case,
        )

    def _share(self, planning: float) -> float:
        system_va = self.connection.system_va or self.connection.site_w
        return emission_limit(planning, self.connection.site_w, system_va)

    def _short_term(self, name: str, pst: FloatArray, limit: float) -> Verdict:
        value = float(np.nanmax(pst))
        flagged = int(np.isnan(pst).sum())
        left_out = f", {flagged} left out for faults of the grid" if flagged else ""
        phases = f", the worst of {len(self._meters)} phases" if len(self._meters) > 1 else ""
        reason = f"worst of {pst.size} times 10 minutes{left_out}; read from {name}{phases}"
        if self.step_s > Fraction(_FINE_S).limit_denominator(10**6) and name not in _WAVES:
            reason += "; below 1,000 samples a second steps faster than 15 Hz may read 10 % high"
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


def _known_plt(pst: FloatArray) -> float:
    return float(np.nansum(pst**3))


def _suggestion(value: float, limit: float) -> str:
    """Pst is in proportion to the voltage changes, these to the swings of power over the fault level."""
    if value <= limit:
        return ""
    return f"cut the swings of power to {limit / value:.0%}, or connect at {value / limit:.2g} times the fault level"
