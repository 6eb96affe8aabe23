"""How long a quantity stays beyond a threshold, as a rule counts it: d_k and its course in time.

Between samples the quantity is a straight line, so that the instants of crossing, and with them every
duration, are known to far better than a step wherever the quantity is a one-cycle RMS value (which moves
little within a step). A duration is the measure of the set of instants beyond the threshold:

- contiguous: d(t) is the time since the stretch began that t lies in, 0 outside a stretch;
- in a window W: d(t) is the time beyond the threshold within [t - W, t], gaps left out.

d_k is the greatest d(t). A strict threshold splits a stretch where the quantity merely touches it; an
inclusive one counts time spent exactly on it. These are definitions, exact for the piecewise straight line;
which of them a rule means is data of its clause.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aidc.jit import engine
from aidc.record.waveform import FloatArray

__all__ = ["ROUND_S", "Stretches", "longest", "past_limit", "running", "stretches"]

ROUND_S = 1e-9
"""Durations that differ by less are equal: sums of binary fractions, not physics [s]."""


@dataclass(frozen=True, slots=True)
class Stretches:
    """The stretches of time beyond one threshold, in order, shape (n_stretch,); `last_s` ends the record."""

    start_s: FloatArray
    end_s: FloatArray
    last_s: float

    def __len__(self) -> int:
        return self.start_s.size


def stretches(
    values: FloatArray,
    step_s: float,
    threshold: float,
    *,
    above: bool = False,
    inclusive: bool = False,
    first_s: float = 0.0,
) -> Stretches:
    """Stretches of `values` below (or `above`) a threshold, their ends interpolated.

    Parameters
    ----------
    values : shape (n_step,), evenly sampled
    step_s : sampling step [s]
    threshold : in the unit of `values`
    inclusive : whether a value equal to the threshold counts as beyond it
    first_s : time of the first sample [s]
    """
    last_s = first_s + (values.size - 1) * step_s
    extreme = values.max() if above else values.min()
    if (extreme < threshold) if above else (extreme > threshold):
        return Stretches(np.empty(0), np.empty(0), last_s)
    room = values.size // 2 + 1
    start, end = np.empty(room), np.empty(room)
    values = np.ascontiguousarray(values, dtype=np.float64)
    found = _find(values, float(threshold), -1.0 if above else 1.0, inclusive, start, end)
    return Stretches(first_s + start[:found] * step_s, first_s + end[:found] * step_s, last_s)


def longest(found: Stretches, window_s: float | None = None, until_s: float = np.inf) -> float:
    """d_k: greatest time beyond the threshold up to `until_s` [s]; contiguous, or within `window_s`."""
    if not len(found):
        return 0.0
    if window_s is None:
        return max(float((np.minimum(found.end_s, until_s) - found.start_s).max()), 0.0)
    at, beyond = _course(found, window_s)
    before = beyond[at <= until_s]
    greatest = float(before.max()) if before.size else 0.0
    return max(greatest, running(found, until_s, window_s)) if until_s < at[-1] else greatest


def running(found: Stretches, at_s: float, window_s: float | None = None) -> float:
    """d_k(t): time beyond the threshold as counted at the instant `at_s` [s]."""
    if not len(found):
        return 0.0
    if window_s is None:
        k = int(np.searchsorted(found.start_s, at_s, side="right")) - 1
        return float(at_s - found.start_s[k]) if k >= 0 and at_s <= found.end_s[k] else 0.0
    nodes, total = _accumulated(found)
    since, now = np.interp([at_s - window_s, at_s], nodes, total)
    return float(now - since)


def past_limit(found: Stretches, limit_s: float, window_s: float | None = None) -> Stretches:
    """The stretches in which d_k exceeds a limit while the quantity lies beyond the threshold.

    Within a stretch d_k never falls, so that each lasts until its excursion ends.
    """
    limit = limit_s + ROUND_S
    if not len(found):
        return found
    if window_s is None:
        long = found.end_s - found.start_s > limit
        return Stretches(found.start_s[long] + limit_s, found.end_s[long], found.last_s)
    nodes, total = _accumulated(found)

    def counted(at_s: FloatArray) -> FloatArray:
        return np.interp(at_s, nodes, total) - np.interp(at_s - window_s, nodes, total)

    long = np.flatnonzero(counted(found.end_s) > limit)
    begun: list[float] = []
    for start_s, end_s in zip(found.start_s[long].tolist(), found.end_s[long].tolist(), strict=True):
        forgotten = nodes + window_s
        inside = forgotten[(forgotten > start_s) & (forgotten < end_s)]
        at = np.concatenate(([start_s], np.sort(inside), [end_s]))
        beyond = counted(at)
        k = int(np.argmax(beyond > limit_s))
        if k == 0:
            begun.append(start_s)
            continue
        rise = beyond[k] - beyond[k - 1]
        begun.append(float(at[k - 1] + (at[k] - at[k - 1]) * (limit_s - beyond[k - 1]) / rise))
    return Stretches(np.array(begun), found.end_s[long], found.last_s)


def _accumulated(found: Stretches) -> tuple[FloatArray, FloatArray]:
    """Corners of the total time beyond the threshold since the record began."""
    nodes = np.column_stack((found.start_s, found.end_s)).ravel()
    sums = np.cumsum(found.end_s - found.start_s)
    total = np.zeros(nodes.size)
    total[1::2] = sums
    total[2::2] = sums[:-1]
    return nodes, total


def _course(found: Stretches, window_s: float) -> tuple[FloatArray, FloatArray]:
    """Corners of d(t) counted in a window, within the record: where it starts, stops, and forgets."""
    nodes, total = _accumulated(found)
    at = np.sort(np.concatenate((nodes, nodes + window_s)))
    at = at[at <= found.last_s + ROUND_S]
    return at, np.interp(at, nodes, total) - np.interp(at - window_s, nodes, total)


@engine
def _find(
    values: FloatArray, threshold: float, sign: float, inclusive: bool, start: FloatArray, end: FloatArray
) -> int:
    """Write starts and ends in steps from the first sample; returns how many stretches there are."""
    found = 0
    was = False
    last = 0.0
    for i in range(values.size):
        depth = sign * (threshold - values[i])
        now = depth >= 0.0 if inclusive else depth > 0.0
        if now and not was:
            start[found] = i if i == 0 else i - 1 + last / (last - depth)
        elif was and not now:
            end[found] = i - 1 + last / (last - depth)
            found += 1
        was = now
        last = depth
    if was:
        end[found] = values.size - 1
        found += 1
    return found
