"""What a service would draw if it were not capped, from the tokens that arrive.

Under a cap a service runs larger batches and keeps a queue: the power that it would draw for those is more than it
would draw had it never been capped, by less than a hundredth of its draw, but that is a tenth of a small cut. So
while nothing is asked the power of each service is kept by its tokens per second, in bins of half a percent, and
under a cap it is read there for what arrives: tokens that leave, and those that the queue grows by.
"""

from __future__ import annotations

import math

import numpy as np

from aidc.contract import FloatArray, Observation, Point, SiteView
from aidc.control.following.seen import fresh

__all__ = ["Demand"]

_FORGOTTEN_S = 2 * 86_400.0
_WIDTH, _BINS = 0.005, 1024  # of the logarithm of the rate, around the first that was seen
_FEW = 3  # bins, below which nothing is known


class Demand:
    """Watts by tokens per second for each pod that serves."""

    def __init__(self, site: SiteView) -> None:
        pods = len(site.pods)
        kinds = site.pod_kind or ("",) * pods
        self._serves = np.flatnonzero([one == "service" for one in kinds])
        self._first = np.zeros(len(self._serves))  # tokens/s in the middle bin
        self._sums = np.zeros((3, len(self._serves), _BINS))  # weight, tokens, watts
        self._queue = np.full(pods, np.nan)
        self._grown = 1.0
        self._curves: list[tuple[FloatArray, FloatArray]] | None = None

    def learn(self, observation: Observation, span_s: float) -> None:
        """Take in a window in which nothing was asked."""
        if not len(self._serves) or not span_s > 0:
            return
        self._curves = None
        self._queue = observation.value[Point.POD_QUEUE_TOKENS]
        rate = fresh(observation, Point.POD_TOKENS_PER_S)[self._serves]
        watts = fresh(observation, Point.POD_UNCAPPED_W)[self._serves]
        good = (rate > 0) & (watts > 0)
        self._first = np.where(good & (self._first <= 0), rate, self._first)
        rows = np.flatnonzero(good)
        place = np.log(rate[rows] / self._first[rows]) / _WIDTH + _BINS / 2
        place = np.clip(place, 0, _BINS - 1).astype(np.int64)
        # old sums are not made smaller; new ones count for more
        self._grown *= math.exp(span_s / _FORGOTTEN_S)
        weight = span_s * self._grown
        self._sums[0, rows, place] += weight
        self._sums[1, rows, place] += weight * rate[rows]
        self._sums[2, rows, place] += weight * watts[rows]
        if self._grown > 1e12:
            self._sums /= self._grown
            self._grown = 1.0

    def would_w(self, observation: Observation, span_s: float, uncapped_w: FloatArray) -> FloatArray:
        """What pods would draw [W]: services by what arrives, at most what they would draw now without a cap."""
        queue = observation.value[Point.POD_QUEUE_TOKENS]
        grown = np.nan_to_num((queue - self._queue) / max(span_s, 1e-9))
        self._queue = queue
        if self._curves is None:
            self._curves = [self._curve(row) for row in range(len(self._serves))]
        arrives = fresh(observation, Point.POD_TOKENS_PER_S) + grown
        found = uncapped_w.copy()
        for (rate, watts), pod in zip(self._curves, self._serves, strict=True):
            at = float(arrives[pod])
            if len(rate) >= _FEW and not math.isnan(at):
                found[pod] = min(_read(at, rate, watts), float(uncapped_w[pod]))
        return found

    def _curve(self, row: int) -> tuple[FloatArray, FloatArray]:
        """Mean tokens and watts of the bins that were seen."""
        seen = np.flatnonzero(self._sums[0, row] > 0)
        weight = self._sums[0, row, seen]
        return self._sums[1, row, seen] / weight, self._sums[2, row, seen] / weight


def _read(at: float, rate: FloatArray, watts: FloatArray) -> float:
    """Between the bins, and beyond them along the line through the outer third."""
    if rate[0] <= at <= rate[-1]:
        return float(np.interp(at, rate, watts))
    third = max(1, len(rate) // 3)
    one, other = (0, third) if at < rate[0] else (-1, -1 - third)
    slope = (watts[other] - watts[one]) / (rate[other] - rate[one])
    return max(0.0, float(watts[one] + slope * (at - rate[one])))
