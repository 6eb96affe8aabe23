"""From the times of a recorder to an even step, or a refusal that names the row."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from aidc.errors import InputError, Problem

__all__ = ["Axis", "even_axis", "half_unit", "one_rate", "simplest_between"]

FloatArray = NDArray[np.float64]

_JITTER_FRAC = 0.01  # of a step, snapped and reported
_GAP_STEPS = 1.5
_EXACT_FRAC = 1e-6
_MOST_CELLS = 1000
_LEAST_PER_CYCLE = 8


@dataclass(frozen=True, slots=True)
class Axis:
    """An even time axis, and what was done to the times for it."""

    step_s: Fraction
    repairs: tuple[str, ...] = ()


def even_axis(
    time_s: FloatArray, half_unit_s: float, path: Path, row_names: Sequence[str] | None = None
) -> Axis:
    """The even step that the times of samples follow.

    A time that lies within 1 % of a step of the even grid is snapped onto it, and so is one that lies
    within the last digit that it was written with (30 samples a second written as 0.03, 0.07, 0.1); both
    are reported. The step is the simplest fraction that the times allow.

    `path` is the file, for messages.

    Parameters
    ----------
    time_s : (n_sample,)
        Times as written [s].
    half_unit_s
        Half of the last place of the written times [s].
    row_names : (n_sample,), optional
        How to name each row in a refusal; its number from 1 by default.

    Raises
    ------
    InputError
        Fewer than two samples, times that do not rise, a gap, uneven sampling.
    """
    if time_s.size < 2:
        raise InputError(Problem("has fewer than two samples", "Give a longer recording.", path))
    steps = np.diff(time_s)

    def refuse(row: int, what: str, remedy: str) -> InputError:
        name = row_names[row] if row_names is not None else f"sample {row + 1}"
        return InputError(Problem(what, remedy, path, name, float(time_s[row])))

    stuck = np.flatnonzero(~(steps > 0))
    if stuck.size:
        row = int(stuck[0]) + 1
        what = "has the time of the sample before" if steps[row - 1] == 0 else "lies before the sample before"
        raise refuse(row, what, "Sort the rows by time and drop repeated ones.")
    median_s = float(np.median(steps))
    wide = np.flatnonzero(steps > _GAP_STEPS * median_s + 2 * min(half_unit_s, median_s / 2))
    if wide.size:
        row = int(wide[0]) + 1
        raise refuse(
            row, f"follows a gap of {steps[row - 1]:g} s, where the step is {median_s:g} s",
            "Fill the gap, or cut the recording there.",
        )  # fmt: skip
    mean_s = float(time_s[-1] - time_s[0]) / (time_s.size - 1)
    exact_s, off_s = _fitted(time_s, mean_s, _EXACT_FRAC / 2 * mean_s / (time_s.size - 1))
    if off_s.max() <= _EXACT_FRAC * mean_s:
        return Axis(exact_s)
    allowed_s = max(_JITTER_FRAC * mean_s, min(half_unit_s * 1.01, 0.49 * mean_s))
    blur_s = min(max(float(off_s.max()), half_unit_s), allowed_s)
    step_s, off_s = _fitted(time_s, mean_s, 2 * blur_s / (time_s.size - 1))
    worst = int(np.argmax(off_s))
    if off_s[worst] > allowed_s:
        raise refuse(
            worst,
            f"lies {off_s[worst]:g} s off an even step of {mean_s:g} s",
            "Resample the recording evenly.",
        )
    moved = f"{off_s[worst]:.3g} s ({off_s[worst] / mean_s:.1%} of a step)"
    return Axis(
        step_s, (f"times were snapped to an even step of {float(step_s):g} s; the farthest moved by {moved}",)
    )


def one_rate(
    columns: dict[str, FloatArray],
    rates: Sequence[tuple[Fraction, int]],
    frequency_hz: float,
    path: Path,
) -> tuple[Axis, dict[str, FloatArray]]:
    """Sections of several rates on the even step of the fastest.

    A section begins one of its own steps after the last sample of the one before. Sections with eight samples a cycle
    or more are laid on the step by a cubic spline through all of their samples (0.5 % of a sinusoid at eight, 0.03 % at
    sixteen); slower ones at the ends are cut off.

    `columns` are the channels by name, one section after the other; `frequency_hz` is nominal, `path` the file for
    messages.

    Parameters
    ----------
    rates
        Samples a second and the number of the last sample, of each section.

    Raises
    ------
    InputError
        A slower section lies between faster ones, or a rate of zero stands beside others.
    """
    known = [float(rate) for rate, _ in rates]
    told = ", ".join(f"{rate:g}" for rate in known)
    least = _LEAST_PER_CYCLE * frequency_hz
    good = [k for k, rate in enumerate(known) if rate >= least - 1e-9]
    if min(known) <= 0 or not good or good != list(range(good[0], good[-1] + 1)):
        what = f"changes its sampling rate ({told} samples a second), and not to rates that can be joined"
        remedy = f"Export a stretch of {least:g} samples a second or more."
        raise InputError(Problem(what, remedy, path))
    last = [0, *(end for _, end in rates)]
    begin, end = last[good[0]], last[good[-1] + 1]
    steps = np.concatenate([np.full(last[k + 1] - last[k], 1.0 / known[k]) for k in good])
    at_s = np.cumsum(steps) - steps[0]
    step_s = 1 / max(rate for rate, _ in rates)
    even_s = np.arange(int(at_s[-1] / float(step_s) + 1e-6) + 1) * float(step_s)
    joined = {
        name: np.asarray(CubicSpline(at_s, values[begin:end])(even_s), np.float64)
        for name, values in columns.items()
    }
    cut = (
        begin > 0 or end < last[-1]
    ) * f"; {begin} samples before and {last[-1] - end} after were too slow, and cut off"
    note = f"sections of {told} samples a second were joined at {float(1 / step_s):g}{cut}"
    return Axis(step_s, (note,)), joined


def _fitted(time_s: FloatArray, mean_s: float, within_s: float) -> tuple[Fraction, FloatArray]:
    """The simplest step near the mean one, and how far each time lies off its grid [s]."""
    within_s = max(within_s, mean_s * 1e-13)
    step_s = simplest_between(Fraction(mean_s - within_s), Fraction(mean_s + within_s))
    rest_s = time_s - np.arange(time_s.size) * float(step_s)
    return step_s, np.abs(rest_s - np.median(rest_s))


def half_unit(cells: Sequence[str]) -> float:
    """Half of the last place that the greatest of these written numbers shows [their unit].

    A writer that keeps five significant digits shows 0.033333 and 149.97: the digits of all cells count
    together, the place is that of the greatest.
    """
    picked = cells[:: max(1, len(cells) // _MOST_CELLS)]
    most_digits, most_places, greatest = 1, 0, 0.0
    for cell in picked:
        mantissa = cell.strip().lower().partition("e")[0].lstrip("+-0.")
        most_digits = max(most_digits, sum(one.isdigit() for one in mantissa))
        most_places = max(most_places, len(cell.partition(".")[2]) if "e" not in cell.lower() else 0)
        greatest = max(greatest, abs(float(cell)))
    if greatest == 0 or most_places == 0:
        return 0.0  # whole numbers are exact
    return 0.5 * 10.0 ** (math.floor(math.log10(greatest)) - most_digits + 1)


def simplest_between(low: Fraction, high: Fraction) -> Fraction:
    """The fraction of smallest denominator in [low, high], 0 < low <= high (Stern-Brocot descent)."""
    whole = low.numerator // low.denominator
    if whole == low or whole + 1 <= high:
        return Fraction(whole if whole == low else whole + 1)
    return whole + 1 / simplest_between(1 / (high - whole), 1 / (low - whole))
