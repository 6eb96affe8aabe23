"""Power factor and reactive share at the point of interconnection, as means of consecutive windows."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from aidc.measure.grid.means import ConsecutiveMeans
from aidc.measure.grid.sampling import STEPS_PER_RATE, samples_of, too_short, window_too_fine
from aidc.measure.grid.stream import GRID_KINDS, FloatArray, StreamMeter
from aidc.measure.grid.verdict import Connection, Verdict, judge, not_applicable, not_assessable
from aidc.record.waveform import Mark, Waveform
from aidc.schema.code import PowerFactor
from aidc.units import MEGA

__all__ = ["PowerFactorMeter"]


class PowerFactorMeter(StreamMeter[PowerFactor]):
    """Judges windows whose mean import is at least `above_load_frac` of the site's power, free of faults of the grid.

    Power factor is |P| / sqrt(P² + Q²) of the window's mean active and reactive power, the reactive share
    |Q| over the site's active power.
    """

    needs = ("p_w", "q_var")

    def __init__(self, clause: PowerFactor, connection: Connection, step_s: Fraction) -> None:
        super().__init__(clause, connection, step_s)
        window = samples_of(clause.window_s, step_s)
        self._means = {channel: ConsecutiveMeans(window) for channel in self.needs}
        self._windows: dict[str, list[FloatArray]] = {channel: [] for channel in self.needs}
        self._faults: set[Mark] = set()

    def _unfit(self) -> str:
        if self.clause.least_pf is None and self.clause.most_q_frac is None:
            return "the clause states neither a power factor nor a reactive share"
        return window_too_fine(self.step_s, self.clause.window_s, STEPS_PER_RATE)

    def _take(self, block: Waveform) -> None:
        self._faults.update(mark for mark in block.marks if mark.kind in GRID_KINDS)
        for channel, means in self._means.items():
            self._windows[channel].append(means.feed(block[channel]))

    def _judge(self) -> list[Verdict]:
        clause = self.clause
        if self.connection.site_w <= 0:
            return [
                not_applicable(clause, "the site may not import: there is no capability to take a share of")
            ]
        short = too_short(self.duration_s, clause.window_s, "one window")
        if short:
            return [not_assessable(clause, short)]
        p_w, q_var = (np.concatenate(self._windows[channel]) for channel in self.needs)
        calm = self._calm(p_w.size)
        if not calm.any():
            return [not_assessable(clause, "every window holds a fault of the grid")]
        loaded = np.flatnonzero(calm & (p_w >= max(clause.above_load_frac * self.connection.site_w, 1.0)))
        if not loaded.size:
            return [
                not_assessable(clause, f"the load never reached {clause.above_load_frac:.0%} of the site")
            ]
        verdicts: list[Verdict] = []
        if clause.least_pf is not None:
            verdicts.append(self._factor(p_w, q_var, loaded, clause.least_pf))
        if clause.most_q_frac is not None:
            verdicts.append(self._share(q_var, loaded, clause.most_q_frac))
        return verdicts

    def _calm(self, windows: int) -> np.ndarray:
        """Which windows touch no fault of the grid."""
        window_s = samples_of(self.clause.window_s, self.step_s) * float(self.step_s)
        begin_s = self.first_tick * float(self.step_s) + np.arange(windows) * window_s
        calm = np.ones(windows, bool)
        for mark in self._faults:
            calm &= (begin_s > mark.end_s) | (begin_s + window_s < mark.start_s)
        return calm

    def _factor(self, p_w: FloatArray, q_var: FloatArray, loaded: np.ndarray, least_pf: float) -> Verdict:
        factor = p_w[loaded] / np.hypot(p_w[loaded], q_var[loaded])
        at = int(loaded[np.argmin(factor)])
        spare_var = abs(q_var[at]) - p_w[at] * math.tan(math.acos(least_pf))
        return judge(
            self.clause, float(factor.min()), least_pf, "", at_least=True, case="power factor",
            reason=self._where(at, len(loaded)),
            suggestion=f"compensate {spare_var / MEGA:.3g} Mvar",
        )  # fmt: skip

    def _share(self, q_var: FloatArray, loaded: np.ndarray, most_frac: float) -> Verdict:
        share = np.abs(q_var[loaded]) / self.connection.site_w
        at = int(loaded[np.argmax(share)])
        over_var = (float(share.max()) - most_frac) * self.connection.site_w
        return judge(
            self.clause, float(share.max()), most_frac, "var/W", case="reactive share",
            reason=self._where(at, len(loaded)),
            suggestion=f"compensate {over_var / MEGA:.3g} Mvar",
        )  # fmt: skip

    def _where(self, at: int, loaded: int) -> str:
        start_s = (self.first_tick + at * samples_of(self.clause.window_s, self.step_s)) * float(self.step_s)
        return f"worst of {loaded} windows of {self.clause.window_s:g} s starts at {start_s:g} s"
