"""The baseline of a request: the mean import over the last hour without an event before its announcement."""

from __future__ import annotations

import math
from collections.abc import Sequence

from aidc.contract import Observation, Signal
from aidc.contract.requests import EVENTS, in_force, is_request

__all__ = ["Baseline"]

_HOUR_S = 3600.0


class Baseline:
    """Keeps an hour of import without an event, and what it was when each request was announced."""

    def __init__(self, step_s: float) -> None:
        self._step_s = step_s
        self._kept: list[tuple[float, float]] = []  # seconds, mean import over them [W]
        self._kept_s = 0.0
        self._sum_j = 0.0
        self._last_tick = 0
        self._announced: dict[str, int] = {}
        self.by_name: dict[str, float] = {}

    def see(self, observation: Observation, import_w: float) -> None:
        """Take in the window that has just been observed; what was told within it ends before it."""
        first, now = self._last_tick, observation.tick
        self._last_tick = now
        span_s = (now - first) * self._step_s
        fresh = [one for one in observation.signals if self._is_new(one)]
        self._note([one for one in fresh if one.announced_tick < now])
        free = not any(_within(one, first, now) for one in observation.signals)
        if free and span_s > 0 and not math.isnan(import_w):
            self._add(span_s, import_w)
        self._note([one for one in fresh if self._is_new(one)])

    def _is_new(self, signal: Signal) -> bool:
        """A request whose baseline is not known; a name that is announced again is a new request."""
        return self._announced.get(signal.name) != signal.announced_tick and is_request(signal)

    def mean_w(self) -> float:
        """Mean over the hour that is kept [W]; NaN before anything was measured."""
        return self._sum_j / self._kept_s if self._kept_s > 0 else math.nan

    def _note(self, signals: Sequence[Signal]) -> None:
        mean = self.mean_w()
        for one in signals if not math.isnan(mean) else ():
            self.by_name[one.name] = mean
            self._announced[one.name] = one.announced_tick

    def _add(self, span_s: float, import_w: float) -> None:
        self._kept.append((span_s, import_w))
        self._kept_s += span_s
        self._sum_j += span_s * import_w
        while self._kept_s - self._kept[0][0] >= _HOUR_S:
            span, mean = self._kept.pop(0)
            self._kept_s -= span
            self._sum_j -= span * mean


def _within(signal: Signal, first: int, last: int) -> bool:
    """Whether an event acted at any time of a window of ticks."""
    if signal.kind not in EVENTS:
        return False
    return in_force(signal, last - 1) or first <= signal.start_tick < last
