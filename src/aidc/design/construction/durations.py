"""Durations as functions of a standard normal number, so that correlation is a matter of how those are mixed.

The quantile function of each shape is tabulated over z in [-5, 5]; a normal number beyond (6 in ten million) takes the
end. Beta-PERT: alpha = 1 + 4(m - a)/(b - a), beta = 1 + 4(b - m)/(b - a) on [a, b], with mean (a + 4m + b)/6 and
variance (mean - a)(b - mean)/7 (Malcolm et al., Operations Research 7 (1959), doi:10.1287/opre.7.5.646, whose
variance was ((b - a)/6)^2; the beta distribution with these parameters has the one given here). Observed durations: straight
lines between the sorted samples.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from aidc.jit import scalar
from aidc.schema.module import Work

__all__ = [
    "POINTS",
    "Z_MOST",
    "Quantiles",
    "failure_limits",
    "mean_days",
    "quantile",
    "quantiles_of",
    "remaining",
]

FloatArray = NDArray[np.float64]
POINTS: Final = 513
Z_MOST: Final = 5.0
_Z: Final = np.linspace(-Z_MOST, Z_MOST, POINTS)
_PER_Z: Final = (POINTS - 1) / (2.0 * Z_MOST)
_MOST_FAILURES: Final = 8


class Quantiles(NamedTuple):
    """A duration: least and span [working days], and its quantiles over z as shares of the span, (513,)."""

    least_d: float
    span_d: float
    share: FloatArray


def quantiles_of(work: Work, scale: float = 1.0) -> Quantiles:
    """The distribution of a duration, all of it times `scale`."""
    if work.samples is not None:
        low, high = min(work.samples), max(work.samples)
        return Quantiles(low * scale, (high - low) * scale, _observed(work.samples))
    least, likely, most = work.days or (0.0, 0.0, 0.0)
    if most <= least:
        return Quantiles(least * scale, 0.0, _beta(1.0, 1.0))
    span = most - least
    share = _beta(1.0 + 4.0 * (likely - least) / span, 1.0 + 4.0 * (most - likely) / span)
    return Quantiles(least * scale, span * scale, share)


@lru_cache(maxsize=512)
def _beta(alpha: float, beta: float) -> FloatArray:
    share = np.asarray(special.betaincinv(alpha, beta, special.ndtr(_Z)), dtype=np.float64)
    share.setflags(write=False)
    return share


@lru_cache(maxsize=64)
def _observed(samples: tuple[float, ...]) -> FloatArray:
    values = np.sort(np.array(samples))
    at = np.quantile(values, special.ndtr(_Z))
    span = values[-1] - values[0]
    share = (at - values[0]) / span if span > 0 else np.zeros(POINTS)
    share.setflags(write=False)
    return share


def remaining(known: Quantiles, elapsed_d: float) -> Quantiles:
    """What is left of a duration of which `elapsed_d` working days have passed and which has not ended.

    The distribution given that it is longer; one that has outrun its longest ends at once.
    """
    days = known.least_d + known.span_d * known.share
    most = known.least_d + known.span_d
    if elapsed_d >= most:
        return Quantiles(0.0, 0.0, known.share)
    passed = float(np.interp(elapsed_d, days, special.ndtr(_Z))) if elapsed_d > days[0] else 0.0
    chance = passed + (1.0 - passed) * special.ndtr(_Z)
    left = np.interp(chance, special.ndtr(_Z), days) - elapsed_d
    left = np.maximum(left, 0.0)
    low, span = float(left[0]), float(left[-1] - left[0])
    return Quantiles(low, span, (left - low) / span if span > 0 else np.zeros(POINTS))


def mean_days(work: Work, scale: float = 1.0) -> float:
    """Expected working days, rework after failed tests included."""
    if work.samples is not None:
        mean = float(np.mean(work.samples))
    else:
        least, likely, most = work.days or (0.0, 0.0, 0.0)
        mean = (least + 4.0 * likely + most) / 6.0
    failures = sum(work.fail_frac**count for count in range(1, _MOST_FAILURES + 1))
    return (mean + failures * (mean + work.rework_days)) * scale


def failure_limits(fail_frac: float) -> FloatArray:
    """Normal numbers below which a test has failed at least 1, 2, … times, (8,)."""
    if fail_frac <= 0.0:
        return np.full(_MOST_FAILURES, -np.inf)
    return np.asarray(special.ndtri(fail_frac ** np.arange(1.0, _MOST_FAILURES + 1.0)), dtype=np.float64)


@scalar
def quantile(shares: FloatArray, row: int, z: float) -> float:
    """The share of its span that a duration takes at a standard normal number."""
    at = (z + Z_MOST) * _PER_Z
    if at <= 0.0:
        return shares[row, 0]
    if at >= POINTS - 1:
        return shares[row, POINTS - 1]
    low = int(at)
    return shares[row, low] + (at - low) * (shares[row, low + 1] - shares[row, low])
