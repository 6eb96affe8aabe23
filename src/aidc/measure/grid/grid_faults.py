"""Disturbances of the grid in a record: found from voltage and frequency, and grouped into sequences.

A sag begins where any voltage falls below 0.9 pu of nominal and a swell where one rises above 1.1 pu, an
interruption leaves less than 0.1 pu of the least (the thresholds of IEC 61000-4-30 as recalled, without a checked
source). A frequency disturbance lies more than 0.5 Hz off nominal (our choice: far beyond what a grid does in normal
operation, and nothing that a site can cause). A site's own steps move the voltage by less than that; where they do
not, or where a shallower sag of the grid is to be told apart from the site's own doing, marks must say so.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from aidc.measure.grid.channel import first_s
from aidc.measure.grid.excursion import stretches
from aidc.measure.grid.one_cycle import cycle_mean
from aidc.measure.grid.stream import GRID_KINDS
from aidc.record.waveform import FloatArray, Mark, Waveform

__all__ = ["Before", "Swing", "answered", "before_fault", "found_faults", "grouped"]

SAG_PU, SWELL_PU, INTERRUPTION_PU = 0.9, 1.1, 0.1
OFF_HZ = 0.5
APART_S = 10.0
"""Disturbances that follow each other faster are one sequence: a site's recovery is judged after the last."""
_BEFORE_S = 10.0
_LEAST_CYCLES = 2.0
_BACK_FRAC = 0.9
_LEAST_ANSWER_S = 1.0
_MOST_ANSWER_S = 10.0
_LOW = ("v1_pu", "v_pn_min_pu", "v_pp_min_pu")
_HIGH = ("v1_pu", "v_pn_max_pu", "v_pp_max_pu")


@dataclass(frozen=True, slots=True)
class Swing:
    """What is known of a load's own course: its longest period [s], the share by which it falls, the most it draws [W]."""

    period_s: float = 0.0
    frac: float = 0.0
    most_w: float = np.inf


_STEADY = Swing()


@dataclass(frozen=True, slots=True)
class Before:
    """Power in the ten seconds before a disturbance, one-cycle means [W, var]; `low_w` to `high_w` hold 98 % of them.

    Where the record holds less than a period of the load's own swing, they are widened by it; `seen_low_w` and
    `seen_high_w` are not.
    """

    mean_w: float
    low_w: float
    high_w: float
    mean_var: float
    voltage_pu: float
    seen_low_w: float
    seen_high_w: float

    @property
    def spread(self) -> float:
        """How far the load itself may move, as a share of its mean."""
        return (self.high_w - self.low_w) / self.mean_w if self.mean_w > 0 else np.inf

    @property
    def seen_spread(self) -> float:
        """How far it was seen to move."""
        return (self.seen_high_w - self.seen_low_w) / self.mean_w if self.mean_w > 0 else np.inf


def found_faults(w: Waveform) -> tuple[Mark, ...]:
    """Every disturbance of the grid that voltage and frequency show, in order."""
    step_s, start_s = float(w.step_s), first_s(w)
    spans: list[tuple[float, float]] = []
    for names, level, above in ((_LOW, SAG_PU, False), (_HIGH, SWELL_PU, True)):
        for name in names:
            if name in w:
                spans += _spans(w[name], step_s, level, above=above, first_s=start_s)
    if "frequency_hz" in w:
        for sign in (-1.0, 1.0):
            edge = w.frequency_hz + sign * OFF_HZ
            spans += _spans(w["frequency_hz"], step_s, edge, above=sign > 0, first_s=start_s)
    cycle_s = 1.0 / w.frequency_hz
    return tuple(_mark(w, begin_s, end_s) for begin_s, end_s in _joined(spans, max(cycle_s, 2 * step_s)))


def grouped(marks: Iterable[Mark], apart_s: float = APART_S) -> list[Mark]:
    """Disturbances that follow each other within `apart_s` as one, named after its first."""
    found: list[Mark] = []
    for mark in sorted((one for one in marks if one.kind in GRID_KINDS), key=lambda one: one.start_s):
        if found and mark.start_s - found[-1].end_s < apart_s:
            found[-1] = replace(found[-1], end_s=max(found[-1].end_s, mark.end_s))
        else:
            found.append(mark)
    return found


def before_fault(w: Waveform, fault: Mark, since_s: float, swing: Swing = _STEADY) -> Before | None:
    """Power before a disturbance, not before `since_s`; None where the record holds less than two cycles of it."""
    step_s, start_s = float(w.step_s), first_s(w)
    cycle_s = 1.0 / w.frequency_hz
    last = round((fault.start_s - 1.5 * cycle_s - start_s) / step_s)
    first = max(round((max(fault.start_s - _BEFORE_S, since_s) - start_s) / step_s), 0)
    if (last - first) * step_s < _LEAST_CYCLES * cycle_s:
        return None
    power = cycle_mean(w["p_w"][first:last], step_s, w.frequency_hz)
    low_w, high_w = np.quantile(power, (0.01, 0.99)).tolist()
    seen_low_w, seen_high_w = low_w, high_w
    if (last - first) * step_s < min(swing.period_s, 0.95 * _BEFORE_S):
        low_w, high_w = low_w * (1 - swing.frac), max(min(high_w / (1 - swing.frac), swing.most_w), high_w)
    reactive = float(w["q_var"][first:last].mean()) if "q_var" in w else 0.0
    voltage = float(w["v1_pu"][first:last].mean()) if "v1_pu" in w else 1.0
    return Before(float(power.mean()), low_w, high_w, reactive, voltage, seen_low_w, seen_high_w)


def answered(w: Waveform, marks: Sequence[Mark]) -> tuple[Mark, ...]:
    """The disturbances with what the site's answer takes: until its power is back, for 1 s to 10 s after each."""
    found: list[Mark] = []
    for mark in marks:
        if mark.kind not in GRID_KINDS:
            found.append(mark)
            continue
        cycle_s = 1.0 / w.frequency_hz
        begin_s, end_s = mark.start_s - 2 * cycle_s, mark.end_s + _LEAST_ANSWER_S
        known = before_fault(w, mark, -np.inf) if "p_w" in w else None
        if known is not None and known.mean_w > 0:
            end_s = max(end_s, _back_s(w, mark.end_s, _BACK_FRAC * known.low_w))
        found.append(replace(mark, start_s=begin_s, end_s=end_s))
    return tuple(found)


def _back_s(w: Waveform, after_s: float, least_w: float) -> float:
    """When power last was below a level within ten seconds after a disturbance [s]."""
    step_s, start_s = float(w.step_s), first_s(w)
    first = max(round((after_s - start_s) / step_s), 0)
    power = w["p_w"][first : first + round(_MOST_ANSWER_S / step_s)]
    low = np.flatnonzero(power < least_w)
    return after_s + (int(low[-1]) + 1) * step_s if low.size else after_s


def _spans(
    values: FloatArray, step_s: float, level: float, *, above: bool, first_s: float
) -> list[tuple[float, float]]:
    found = stretches(values, step_s, level, above=above, first_s=first_s)
    return list(zip(found.start_s.tolist(), found.end_s.tolist(), strict=True))


def _joined(spans: list[tuple[float, float]], gap_s: float) -> list[tuple[float, float]]:
    found: list[tuple[float, float]] = []
    for begin_s, end_s in sorted(spans):
        if found and begin_s - found[-1][1] <= gap_s:
            found[-1] = (found[-1][0], max(found[-1][1], end_s))
        else:
            found.append((begin_s, end_s))
    return found


def _mark(w: Waveform, begin_s: float, end_s: float) -> Mark:
    """What kind of disturbance a stretch is, and how far it went."""
    first = max(int((begin_s - first_s(w)) / float(w.step_s)), 0)
    last = int((end_s - first_s(w)) / float(w.step_s)) + 2
    low = min((float(w[name][first:last].min()) for name in _LOW if name in w), default=1.0)
    high = max((float(w[name][first:last].max()) for name in _HIGH if name in w), default=1.0)
    span = f"{1e3 * (end_s - begin_s):.4g} ms"
    if low < SAG_PU:
        kind = "interruption" if low < INTERRUPTION_PU else "sag"
        return Mark(kind, begin_s, end_s, f"found: {kind} to {low:.3g} pu for {span}")
    if high > SWELL_PU:
        return Mark("swell", begin_s, end_s, f"found: swell to {high:.3g} pu for {span}")
    hertz = w["frequency_hz"][first:last]
    far = float(hertz[int(np.abs(hertz - w.frequency_hz).argmax())])
    return Mark("frequency", begin_s, end_s, f"found: frequency {far:.4g} Hz for {end_s - begin_s:.4g} s")
