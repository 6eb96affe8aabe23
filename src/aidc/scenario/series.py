"""A regular time series at its native resolution, laid on UTC."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from aidc.clock import as_utc
from aidc.errors import InputError, Problem

__all__ = ["FloatArray", "Series"]

FloatArray = NDArray[np.float64]

_MICRO = 1_000_000


@dataclass(frozen=True, slots=True)
class Series:
    """Values every `period_s` seconds from `start`.

    Parameters
    ----------
    start : datetime
        UTC instant of the first sample.
    period_s : Fraction
        Spacing [s].
    values : ndarray (n,)
        Finite samples, made read-only.
    hold : {"mean", "linear"}
        "mean": sample k is the mean over [k, k+1) periods, constant in between. "linear": sample k
        is the value at instant k, interpolated in between; the last one holds for one more period.
    tiled : bool
        The series repeats in both directions, every n periods.
    source : str
        Where it came from, for messages and the report.
    repairs : tuple of str
        What was mended on reading, for the report.
    """

    start: datetime
    period_s: Fraction
    values: FloatArray
    hold: Literal["mean", "linear"] = "mean"
    tiled: bool = False
    source: str = ""
    repairs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        values = np.ascontiguousarray(self.values, dtype=np.float64)
        if values is self.values and values.flags.writeable:
            values = values.copy()  # the caller's array stays theirs
        if values.ndim != 1 or values.size == 0 or self.period_s <= 0 or not np.isfinite(values).all():
            raise InputError(
                Problem(
                    "is not a series of finite numbers at a positive spacing",
                    "Correct the input.",
                    self.source or None,
                )
            )
        values.flags.writeable = False
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "start", as_utc(self.start))

    def __len__(self) -> int:
        return self.values.size

    @property
    def duration_s(self) -> Fraction:
        """Length of the series, and of one tile [s]."""
        return self.period_s * len(self)

    @property
    def end(self) -> datetime:
        """The instant up to which the series speaks, where it is not tiled."""
        return self.instant(len(self))

    def instant(self, index: int) -> datetime:
        """The instant of a sample, to the microsecond."""
        return self.start + timedelta(microseconds=int(index * self.period_s * _MICRO))

    def index_at(self, moment: datetime) -> int:
        """The sample in force at an instant (negative before the start)."""
        return int(_since(self.start, moment) // self.period_s)

    def window(self, start: datetime, end: datetime) -> Series:
        """The part that covers [start, end), at native resolution.

        The result begins at or before `start`. A tiled series gives one of two things: where the
        window is shorter than a tile, the slice, no longer tiled; else one tile, rolled to begin at
        the window and still tiled, so that an hour repeated for a year stays an hour in memory.

        Raises
        ------
        InputError
            A series that is not tiled does not cover the window.
        """
        first, last = self.bounds(start, end)
        count = last - first + 1
        begin = self.instant(first)
        if self.tiled and count >= len(self):
            return replace(self, start=begin, values=np.roll(self.values, -(first % len(self))))
        index = np.arange(first, last + 1)
        if self.tiled:
            values = self.values[index % len(self)]
        else:
            self._check_cover(first, last, start, end)
            values = self.values[np.minimum(index, len(self) - 1)]
        return replace(self, start=begin, values=values, tiled=False)

    def at(self, times: Sequence[datetime] | NDArray[np.datetime64]) -> FloatArray:
        """Values at instants (naive datetime64 are UTC); the ends hold outside a series that is not tiled."""
        if isinstance(times, np.ndarray):
            micro = self._micro(times)
        else:
            micro = np.array(
                [(as_utc(time) - self.start) // timedelta(microseconds=1) for time in times], np.int64
            )
        scaled, unit = micro * self.period_s.denominator, self.period_s.numerator * _MICRO
        index, rest = np.divmod(scaled, unit)
        low = self.values[self._inside(index)]
        if self.hold == "mean":
            return low
        high = self.values[self._inside(index + 1)]
        share = np.where((index < 0) & (not self.tiled), 0.0, rest / unit)
        return low + (high - low) * share

    def over(self, times: NDArray[np.datetime64], step_s: Fraction) -> FloatArray:
        """Time means over the steps of `step_s` seconds that begin at `times`, exact where one value holds."""
        first = self._micro(times)
        last = first + int(step_s * _MICRO) - 1
        steady = (self._begun(first) == self._begun(last)) & (self.hold == "mean")
        if steady.all():
            return self.at(times)
        edges = first / (float(self.period_s) * _MICRO)
        share = float(step_s) / float(self.period_s)
        means = (self._integral(edges + share) - self._integral(edges)) / share
        return np.where(steady, self.at(times), means)

    def changes_inside(self, start: datetime, end: datetime, step_s: Fraction) -> bool:
        """Whether the value changes within one of the steps of `step_s` seconds from `start` to `end`."""
        index = np.arange(self.bounds(start, end)[0], self.bounds(start, end)[1] + 1)
        values = self.values[self._inside(index)]
        if self.hold == "linear":
            return bool(np.ptp(values) > 0.0)
        changed = index[1:][values[1:] != values[:-1]]
        unit = self.period_s.denominator * step_s.denominator  # all instants as whole parts of a microsecond
        offset = int(_since(start, self.start) * _MICRO * unit)
        place = offset + changed * int(self.period_s * _MICRO * unit)
        return bool((place % int(step_s * _MICRO * unit)).any())

    def means(self, start: datetime, step_s: Fraction, count: int) -> FloatArray:
        """Exact time means over `count` steps of `step_s` seconds from `start`, (count,)."""
        offset = float(_since(self.start, start))
        ticks = np.arange(count + 1, dtype=np.float64)
        edges: FloatArray = (offset + ticks * float(step_s)) / float(self.period_s)
        return np.diff(self._integral(edges)) * (float(self.period_s) / float(step_s))

    def on_ticks(self, start: datetime, step_s: Fraction, steps: int) -> Series:
        """The window of a run of `steps` ticks, its samples a whole number of ticks long and apart.

        A series that already fits (its period and its offset from `start` are multiples of `step_s`)
        keeps its resolution; any other becomes time means over each tick.

        Raises
        ------
        InputError
            A series that is not tiled does not cover the run.
        """
        start = as_utc(start)
        end = start + timedelta(microseconds=int(steps * step_s * _MICRO))
        part = self.window(start, end)
        if self.period_s % step_s == 0 and _since(part.start, start) % step_s == 0:
            return part
        return Series(
            start, step_s, self.means(start, step_s, steps), source=self.source, repairs=self.repairs
        )

    def scaled(self, factor: float) -> Series:
        """The same series times a factor."""
        return replace(self, values=self.values * factor)

    def peak_mean(self, window_s: float = 600.0) -> float:
        """The highest mean over any window (default ten minutes) that begins with a sample.

        The windows of a tiled series run on into its next tile; those of another end with it. Samples
        longer than the window are windows themselves, a series that is shorter is one.
        """
        samples = max(1, round(window_s / float(self.period_s)))
        if self.tiled:
            turns = -(-samples // len(self))
            sums = np.cumsum(np.concatenate(([0.0], self.values, np.tile(self.values, turns)[:samples])))
            return float((sums[samples:-1] - sums[: -samples - 1]).max() / samples)
        samples = min(samples, len(self))
        sums = np.cumsum(np.concatenate(([0.0], self.values)))
        return float((sums[samples:] - sums[:-samples]).max() / samples)

    def bounds(self, start: datetime, end: datetime) -> tuple[int, int]:
        """The first and the last sample that a window needs; outside the series where it is not covered."""
        first = self.index_at(start)
        after = -int(-_since(self.start, end) // self.period_s)  # ceiling
        return first, max(first, after if self.hold == "linear" else after - 1)

    def covers(self, start: datetime, end: datetime) -> bool:
        """Whether the series has its own values for all of a window."""
        return self._covers(*self.bounds(start, end))

    def _covers(self, first: int, last: int) -> bool:
        return first >= 0 and last < len(self) + (1 if self.hold == "linear" else 0)

    def _check_cover(self, first: int, last: int, start: datetime, end: datetime) -> None:
        if self._covers(first, last):
            return
        raise InputError(
            Problem(
                f"covers {_show(self.start)} to {_show(self.end)}, not the whole of the run"
                f" from {_show(start)} to {_show(end)}",
                "Move the scenario's start, shorten it, give a longer file, or set `repeat = true`.",
                self.source or None,
            )
        )

    def _micro(self, times: NDArray[np.datetime64]) -> NDArray[np.int64]:
        """Microseconds from the first sample."""
        origin = np.datetime64(self.start.replace(tzinfo=None), "us")
        return (times.astype("datetime64[us]") - origin).astype(np.int64)

    def _begun(self, micro: NDArray[np.int64]) -> NDArray[np.int64]:
        """The sample that has begun last, microseconds after the first one."""
        return micro * self.period_s.denominator // (self.period_s.numerator * _MICRO)

    def _inside(self, index: NDArray[np.int64]) -> NDArray[np.int64]:
        return index % len(self) if self.tiled else np.clip(index, 0, len(self) - 1)

    def _integral(self, position: FloatArray) -> FloatArray:
        """The integral from sample 0 to a position, both in periods."""
        n = len(self)
        following = np.append(self.values[1:], self.values[0] if self.tiled else self.values[-1])
        slope = following - self.values if self.hold == "linear" else np.zeros(n)
        total = np.concatenate(([0.0], np.cumsum(self.values + 0.5 * slope)))
        whole = np.floor(position / n) * total[-1] if self.tiled else 0.0
        inner = position - np.floor(position / n) * n if self.tiled else np.clip(position, 0.0, n)
        index = np.minimum(inner.astype(np.int64), n - 1)
        part = inner - index
        within = total[index] + part * (self.values[index] + 0.5 * slope[index] * part)
        if self.tiled:
            return whole + within
        before, beyond = np.minimum(position, 0.0), np.maximum(position - n, 0.0)
        return within + before * self.values[0] + beyond * self.values[-1]


def _since(origin: datetime, moment: datetime) -> Fraction:
    """Seconds from one instant to another, exact to the microsecond."""
    return Fraction((as_utc(moment) - origin) // timedelta(microseconds=1), _MICRO)


def _show(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
