"""When a series can carry a clause: fast enough, long enough, of the right place.

A rule that is checked on a series that cannot show a breach would always pass. The least numbers of
steps per window below are our choice, not figures of a rule: ten steps resolve the extremes of a swing
of the window's length to 2.5 % (half a step beside a sine's crest, 1 - cos(pi/10) of its half range),
four are enough for a mean rate, which needs only the two ends of its window.
"""

from __future__ import annotations

from fractions import Fraction

__all__ = [
    "STEPS_PER_CHANGE",
    "STEPS_PER_RATE",
    "band_too_fast",
    "samples_of",
    "too_short",
    "too_slow",
    "window_too_fine",
]

STEPS_PER_CHANGE = 10
STEPS_PER_RATE = 4
_BAND_SHARE_OF_RATE = 0.4


def samples_of(window_s: float, step_s: Fraction) -> int:
    """Steps that make a window, at least one."""
    return max(1, round(Fraction(window_s) / step_s))


def too_slow(step_s: Fraction, most_s: float, what: str) -> str:
    """Why a series is too slow, or an empty string."""
    if step_s <= Fraction(most_s).limit_denominator(10**9):
        return ""
    return f"{what} needs samples every {_time(most_s)} or faster; this series has one every {_time(float(step_s))}"


def window_too_fine(step_s: Fraction, window_s: float, steps: int) -> str:
    """Why a rolling window is too short for the series, or an empty string."""
    return too_slow(step_s, window_s / steps, f"a window of {_time(window_s)}")


def band_too_fast(step_s: Fraction, high_hz: float) -> str:
    """Why a band reaches too near the Nyquist frequency, or an empty string."""
    most_hz = _BAND_SHARE_OF_RATE / float(step_s)
    if high_hz <= most_hz:
        return ""
    return f"a band up to {high_hz:g} Hz cannot be judged at {1 / float(step_s):g} samples/s (at most {most_hz:g} Hz)"


def too_short(have_s: float, need_s: float, what: str) -> str:
    """Why a series is too short, or an empty string."""
    if have_s >= need_s - 1e-9:
        return ""
    return f"{what} needs {_time(need_s)}; this series has {_time(have_s)}"


def _time(time_s: float) -> str:
    return f"{time_s * 1e3:g} ms" if time_s < 1 else f"{time_s:g} s"
