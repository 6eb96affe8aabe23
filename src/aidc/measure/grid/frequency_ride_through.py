"""Frequency ride-through: bands, rate of change and phase jump, read as `ride_through` reads voltages.

The site must stay connected while the time beyond each frequency is within its own, the rate of change of
frequency (difference over `rocof_window_s`, divided by it) is within the limit, and the voltage angle has
not jumped by more than the limit. Once any of them is exceeded the duty has ended.

A phase jump is told from the turning of the angle at off-nominal frequency by comparing three consecutive
cycles: the change over the middle one less the mean of its neighbours. A jump of J within the middle cycle
gives J; a constant frequency deviation and a constant rate of change give 0.
"""

from __future__ import annotations

import math

import numpy as np

from aidc.measure.grid.channel import cannot_judge, checked, first_s
from aidc.measure.grid.ride_through import Duty, judge_connection, left_at, level_duties
from aidc.measure.grid.verdict import Verdict, not_assessable
from aidc.record.waveform import FloatArray, Waveform
from aidc.schema.code import FrequencyRideThrough

__all__ = ["frequency_ride_through", "phase_jump_rad", "rocof_hz_per_s"]

_TRIED = 0.05
"""A rate or a jump below this share of its limit tries nothing: every record has some."""


def frequency_ride_through(clause: FrequencyRideThrough, w: Waveform, case: str = "") -> Verdict:
    """Whether the site stayed connected for as long as its frequency duty lasted."""
    needed = ["connected_frac"]
    if clause.below_hz or clause.above_hz or clause.rocof_hz_per_s is not None:
        needed.append("frequency_hz")
    if clause.phase_jump_deg is not None:
        needed.append("angle_rad")
    refusal = cannot_judge(clause, w, needed, case)
    if refusal:
        return refusal
    if clause.rocof_hz_per_s is not None and clause.rocof_window_s > (len(w) - 1) * float(w.step_s):
        return not_assessable(clause, "the record is shorter than the window of the rate of change", case)
    left_s = left_at(w)
    duties: list[Duty] = []
    if clause.below_hz:
        points = tuple(zip(clause.below_hz, clause.below_s, strict=True))
        duties += level_duties(w, "frequency_hz", points, left_s, inclusive=clause.inclusive, unit="Hz")
    if clause.above_hz:
        points = tuple(zip(clause.above_hz, clause.above_s, strict=True))
        duties += level_duties(
            w, "frequency_hz", points, left_s, above=True, inclusive=clause.inclusive, unit="Hz"
        )
    if clause.rocof_hz_per_s is not None:
        rate = rocof_hz_per_s(checked(w, "frequency_hz"), float(w.step_s), clause.rocof_window_s)
        duties.append(
            _size_duty("rate of change of frequency", "Hz/s", clause.rocof_hz_per_s, rate, w, left_s)
        )
    if clause.phase_jump_deg is not None:
        jump = np.degrees(phase_jump_rad(checked(w, "angle_rad"), float(w.step_s), w.frequency_hz))
        duties.append(_size_duty("phase jump", "deg", clause.phase_jump_deg, jump, w, left_s))
    return judge_connection(clause, w, duties, left_s, case)


def rocof_hz_per_s(frequency_hz: FloatArray, step_s: float, window_s: float) -> FloatArray:
    """Change of frequency over the window that ends at each sample, over its length [Hz/s].

    The window is the nearest whole number of steps, at least one. Samples whose window reaches before the
    record count 0.
    """
    steps = max(round(window_s / step_s), 1)
    rate = np.zeros(frequency_hz.size)
    rate[steps:] = (frequency_hz[steps:] - frequency_hz[:-steps]) / (steps * step_s)
    return rate


def phase_jump_rad(angle_rad: FloatArray, step_s: float, frequency_hz: float) -> FloatArray:
    """Jump of the voltage angle within the cycle that ends at each sample [rad].

    The first two cycles and the last of a record count 0: the cycle that follows is what tells a jump from a
    new frequency. Jumps are known modulo a turn: beyond half a turn the smaller one the other way is found.
    """
    cycle = max(round(1.0 / (frequency_hz * step_s)), 1)
    jump = np.zeros(angle_rad.size)
    if angle_rad.size > 3 * cycle:
        turned = angle_rad[cycle:] - angle_rad[:-cycle]
        turned = turned - 2 * math.pi * np.round(turned / (2 * math.pi))
        middle = turned[cycle:-cycle]
        jump[2 * cycle : -cycle] = middle - 0.5 * (turned[: -2 * cycle] + turned[2 * cycle :])
    return jump


def _size_duty(label: str, unit: str, limit: float, course: FloatArray, w: Waveform, left_s: float) -> Duty:
    """A duty that is over once a size (rather than a time) exceeds its limit."""
    size = np.abs(course)
    beyond = size > limit * (1 + 1e-9)
    k = int(beyond.argmax())
    start_s, step_s = first_s(w), float(w.step_s)
    over_s = start_s + k * step_s if beyond[k] else np.inf
    until = size if left_s == np.inf else size[: max(round((left_s - start_s) / step_s), 0) + 1]
    asked = float(until.max()) if until.size else 0.0
    return Duty(label, unit, limit, asked, 0.0, over_s, _TRIED * limit)
