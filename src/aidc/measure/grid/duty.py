"""Duties: what a ride-through clause asks a site to withstand, and what a waveform asked of it.

A duty is one threshold of a clause with the time beyond it (or one size with its limit, for rates and phase
jumps). `past` are the stretches in which more was asked than the rule demands: from the instant at which the
count exceeds its limit to the end of the excursion that holds it. `beyond` are the stretches outside the
threshold, whatever they last; outside those of all duties, voltage and frequency are in the continuous band.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from aidc.measure.grid.channel import checked, first_s
from aidc.measure.grid.excursion import Stretches, longest, past_limit, running, stretches
from aidc.record.waveform import FloatArray, Waveform

__all__ = ["Duty", "level_duties", "size_duty"]


@dataclass(frozen=True, slots=True)
class Duty:
    """One demand of a clause.

    `asked_until` gives the greatest count up to an instant, `now_at` the count at an instant, both in
    `unit`, the latter 0 outside an excursion; `least` is the count below which a case has not tried the duty.
    """

    label: str
    unit: str
    limit: float
    beyond: Stretches
    past: Stretches
    asked_until: Callable[[float], float]
    now_at: Callable[[float], float]
    least: float = 0.0

    @property
    def over_s(self) -> float:
        """The first instant from which the rule asks no more [s]; infinity where there is none."""
        return float(self.past.start_s[0]) if len(self.past) else np.inf

    def share(self, asked: float) -> float:
        """Asked over limit; a duty of no time at all counts as fully asked."""
        return asked / self.limit if self.limit > 0 else float(asked > 0)


def level_duties(
    w: Waveform,
    channel: str,
    points: Sequence[tuple[float, float]],
    *,
    above: bool = False,
    inclusive: bool = False,
    window_s: float | None = None,
    unit: str,
) -> list[Duty]:
    """One duty for each (threshold, time) of a curve.

    `channel` is looked at, in `unit`. `points` are pairs of level and time [s]; a duty runs while the channel is
    below its level (`above`: above it; `inclusive`: or at it), in one piece or, with `window_s`, summed over that
    time [s].
    """
    values: FloatArray = checked(w, channel)
    step_s, start_s = float(w.step_s), first_s(w)
    side = "above" if above else "below"
    return [
        _level_duty(
            f"{side} {level:g} {unit}",
            limit_s,
            stretches(values, step_s, level, above=above, inclusive=inclusive, first_s=start_s),
            window_s,
        )
        for level, limit_s in points
    ]


def _level_duty(label: str, limit_s: float, found: Stretches, window_s: float | None) -> Duty:
    return Duty(
        label,
        "s",
        limit_s,
        found,
        past_limit(found, limit_s, window_s),
        lambda until_s: longest(found, window_s, until_s),
        lambda at_s: running(found, at_s, window_s) if running(found, at_s) > 0 else 0.0,
    )


def size_duty(label: str, unit: str, limit: float, course: FloatArray, w: Waveform, least: float) -> Duty:
    """A duty that is over while a size (rather than a time) exceeds its limit.

    A sample stands for the step that ends with it: the site may leave from the sample that exceeds the limit
    on.

    `course` is the size at each sample in `unit`, `label` its name and `limit` what it may reach; `least` is the size
    from which on there is anything to ride through.
    """
    size = np.abs(course)
    start_s, step_s = first_s(w), float(w.step_s)
    over = np.concatenate(([False], size > limit * (1 + 1e-9), [False])).astype(np.int8)
    edges = np.diff(over)
    last_s = start_s + (size.size - 1) * step_s
    begin: FloatArray = start_s + np.flatnonzero(edges == 1).astype(np.float64) * step_s
    end: FloatArray = start_s + np.flatnonzero(edges == -1).astype(np.float64) * step_s
    past = Stretches(begin, np.minimum(end, last_s), last_s)

    def asked(until_s: float) -> float:
        seen = size if until_s == np.inf else size[: max(round((until_s - start_s) / step_s), 0) + 1]
        return float(seen.max()) if seen.size else 0.0

    return Duty(label, unit, limit, past, past, asked, lambda _: 0.0, least)
