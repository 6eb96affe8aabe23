"""Frequency ride-through: bands, rate of change and phase jump, read as `ride_through` reads voltages.

The site must stay connected while the time beyond each frequency is within its own, the rate of change of
frequency (difference over `rocof_window_s`, divided by it) is within the limit, and the voltage angle has
not jumped by more than the limit. Once any of them is exceeded the site may leave, until voltage and frequency
are back in the continuous band; a rate or a jump is past for as long as it exceeds its limit. `accumulate` says
whether separate excursions add up within `window_s`, as where a rule asks for 299 s in any ten minutes.

A phase jump is told from the turning of the angle at off-nominal frequency by comparing three consecutive
cycles: the change over the middle one less the mean of its neighbours. A jump of J within the middle cycle
gives J; a constant frequency deviation and a constant rate of change give 0.
"""

from __future__ import annotations

import math

import numpy as np

from aidc.measure.grid.channel import cannot_judge, checked
from aidc.measure.grid.duty import Duty, level_duties, size_duty
from aidc.measure.grid.freedom import Freedom
from aidc.measure.grid.ride_through import judge_connection
from aidc.measure.grid.verdict import Verdict, not_assessable
from aidc.record.waveform import FloatArray, Waveform
from aidc.schema.code import FrequencyRideThrough

__all__ = ["frequency_duties", "frequency_ride_through", "phase_jump_rad", "rocof_hz_per_s"]

_TRIED = 0.05
"""A rate or a jump below this share of its limit tries nothing: every record has some."""


def frequency_ride_through(
    clause: FrequencyRideThrough, w: Waveform, case: str = "", free: Freedom | None = None
) -> Verdict:
    """Whether the site stayed connected for as long as its frequency duty lasted.

    `free` says when the rule set allows to leave; without it the clause stands alone.

    `case` names the window in the verdict.
    """
    duties = frequency_duties(clause, w, case)
    if isinstance(duties, Verdict):
        return duties
    refusal = cannot_judge(clause, w, ["connected_frac"], case)
    return refusal or judge_connection(clause, w, duties, case, free)


def frequency_duties(clause: FrequencyRideThrough, w: Waveform, case: str = "") -> list[Duty] | Verdict:
    """What bands, rate and jump asked in this waveform, or why they cannot be read from it."""
    needed: list[str] = []
    if clause.below_hz or clause.above_hz or clause.rocof_hz_per_s is not None:
        needed.append("frequency_hz")
    if clause.phase_jump_deg is not None:
        needed.append("angle_rad")
    refusal = cannot_judge(clause, w, needed, case)
    if refusal:
        return refusal
    if clause.rocof_hz_per_s is not None and clause.rocof_window_s > (len(w) - 1) * float(w.step_s):
        return not_assessable(clause, "the record is shorter than the window of the rate of change", case)
    window_s = clause.window_s if clause.accumulate == "window" else None
    duties: list[Duty] = []
    for above, levels, times in (
        (False, clause.below_hz, clause.below_s),
        (True, clause.above_hz, clause.above_s),
    ):
        if levels:
            points = tuple(zip(levels, times, strict=True))
            duties += level_duties(
                w, "frequency_hz", points,
                above=above, inclusive=clause.inclusive, window_s=window_s, unit="Hz",
            )  # fmt: skip
    if clause.rocof_hz_per_s is not None:
        rate = rocof_hz_per_s(checked(w, "frequency_hz"), float(w.step_s), clause.rocof_window_s)
        limit = clause.rocof_hz_per_s
        duties.append(size_duty("rate of change of frequency", "Hz/s", limit, rate, w, _TRIED * limit))
    if clause.phase_jump_deg is not None:
        jump = np.degrees(phase_jump_rad(checked(w, "angle_rad"), float(w.step_s), w.frequency_hz))
        limit = clause.phase_jump_deg
        duties.append(size_duty("phase jump", "deg", limit, jump, w, _TRIED * limit))
    return duties


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
