"""Generated demand: a day shape, a weekly pattern and noise, sharpened to a stated peak-to-mean ratio.

The rate is exp(sharpness · day(t) + week(t) + noise(t)), where day(t) runs from -1 at the trough hour
to 0 at the peak hour of local time along half cosines, week(t) is the logarithm of the weekend's
share, and noise(t) a first-order autoregression. The sharpness is solved for, so that over the
reference days the highest 10-minute mean is `peak_to_mean` times the mean, as the ServeGen series
are described (Xiang et al., arXiv 2505.09999: 1.9 to 3.3). Where noise and weekend alone exceed the
ratio, they are damped until they meet it. Later days can exceed the reference peak; they are held
at it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from fractions import Fraction

import numpy as np

from aidc.clock import as_utc
from aidc.errors import InputError, Problem
from aidc.scenario.localtime import local_times
from aidc.scenario.series import FloatArray, Series
from aidc.schema.demand import Diurnal

__all__ = ["RESOLUTION_S", "generate"]

RESOLUTION_S = 60
_BLOCK = 10  # samples in a 10-minute mean
_PER_DAY = 1440
_SHARPEST = 400.0
_HALVINGS = 60


def generate(spec: Diurnal, start: datetime, days: float, timezone: str, rng: np.random.Generator) -> Series:
    """Output tokens per second at 60 s for `days` from `start`.

    The first days do not depend on how many follow: a one-day run sees the first day of the week.

    `timezone` is the site's zone, in which the day has its shape; `rng` draws the noise.

    Raises
    ------
    InputError
        No sharpness gives the ratio.
    """
    wanted = max(1, int(np.ceil(days * _PER_DAY)))
    reference = spec.reference_days * _PER_DAY
    count = -(-max(wanted, reference) // _BLOCK) * _BLOCK
    day, week = _patterns(spec, start, count, timezone)
    fixed = week + _noise(spec, count, rng)
    damping, sharpness = _solve(spec, day[:reference], fixed[:reference])
    exponent = sharpness * day + damping * fixed
    rate = np.exp(exponent - exponent[:reference].max())
    blocks = rate.reshape(-1, _BLOCK).mean(axis=1)
    peak = blocks[: reference // _BLOCK].max()
    rate *= np.repeat(np.minimum(1.0, peak / blocks), _BLOCK)
    values = rate[:wanted] * (spec.peak_output_tokens_per_s / peak)
    return Series(
        start, Fraction(RESOLUTION_S), values, "mean", source=f"generated demand ({spec.use or spec.kind})"
    )


def _patterns(spec: Diurnal, start: datetime, count: int, timezone: str) -> tuple[FloatArray, FloatArray]:
    """Logarithms of the day shape (before sharpening) and of the weekly pattern, (count,) each."""
    first = np.datetime64(as_utc(start).replace(tzinfo=None), "s")
    local = local_times(first + np.arange(count) * np.timedelta64(RESOLUTION_S, "s"), timezone)
    hour = (local - local.astype("datetime64[D]")).astype(np.float64) / 3.6e9
    weekday = (local.astype("datetime64[D]").astype(np.int64) + 3) % 7  # 1970-01-01 was a Thursday
    rise = (spec.peak_hour - spec.trough_hour) % 24.0
    since = (hour - spec.trough_hour) % 24.0
    phase = np.where(since < rise, since / rise, 1.0 + (since - rise) / (24.0 - rise))  # 0 trough, 1 peak
    day = -0.5 * (1.0 + np.cos(np.pi * phase))
    return day, np.where(weekday >= 5, np.log(spec.weekend_frac), 0.0)


def _noise(spec: Diurnal, count: int, rng: np.random.Generator) -> FloatArray:
    """Autoregressive noise of the stated deviation and correlation time, plus jitter from minute to minute."""
    from scipy.signal import lfilter

    draws = rng.standard_normal((count, 2))
    keep = np.exp(-RESOLUTION_S / (3600.0 * spec.noise_correlation_h))
    innovation = draws[:, 0] * spec.noise_frac * np.sqrt(1.0 - keep * keep)
    innovation[0] = draws[0, 0] * spec.noise_frac
    slow = np.asarray(lfilter([1.0], [1.0, -keep], innovation), dtype=np.float64)
    return slow + spec.jitter_frac * draws[:, 1]


def _solve(spec: Diurnal, day: FloatArray, fixed: FloatArray) -> tuple[float, float]:
    """Damping of the fixed part and sharpness of the day shape that give the stated ratio."""
    wanted = spec.peak_to_mean
    if _ratio(fixed) >= wanted:
        return _root(lambda damping: _ratio(damping * fixed), wanted, 1.0), 0.0
    if _ratio(_SHARPEST * day + fixed) < wanted:
        raise InputError(
            Problem(
                f"cannot be reached within {spec.reference_days} days",
                "Lower it, or raise `reference_days`.",
                key="demand.peak_to_mean",
                value=wanted,
            )
        )
    return 1.0, _root(lambda sharpness: _ratio(sharpness * day + fixed), wanted, _SHARPEST)


def _ratio(exponent: FloatArray) -> float:
    """Highest 10-minute mean over the mean of exp(exponent)."""
    rate = np.exp(exponent - exponent.max())
    blocks = rate.reshape(-1, _BLOCK).mean(axis=1)
    return float(blocks.max() / blocks.mean())


def _root(ratio: Callable[[float], float], wanted: float, high: float) -> float:
    """The argument in [0, high] at which a ratio that is below `wanted` at 0 reaches it."""
    low = 0.0
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if ratio(middle) < wanted else (low, middle)
    return 0.5 * (low + high)
