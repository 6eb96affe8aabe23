"""From rows with times to a regular grid: what is repaired, what is refused.

Repaired and reported: rows out of order (sorted), rows given twice (one dropped), gaps or empty cells
up to a stated length (interpolated linearly), and a file whose spacing changes on the way (laid on the
finer one: what holds or is a mean stays so for its own period, instants are joined by straight lines).
Refused: two different values for one time, times off the grid, longer gaps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from aidc.errors import InputError, Problem
from aidc.scenario.series import FloatArray, Series
from aidc.scenario.timeparse import MicroArray, from_micro
from aidc.schema.source import Meaning

__all__ = ["LONGEST_GAP_S", "Grid", "regular", "repeated", "tile_length"]

LONGEST_GAP_S: Final = 3 * 3600.0  # an hourly series may lack three values in a row

_MICRO = 1_000_000
_DAY_S, _WEEK_S, _YEAR_S = 86_400, 7 * 86_400, 364 * 86_400
_FEWEST_STEPS = 3  # of an even coarser spacing, for it to be the file's own and no gap
_FEWEST_ON_CLOCK = 2  # the same where its rows stand on full hours, quarters and so on
_MOST_SAMPLES = 40_000_000
_MOST_REPEATED = 40_000_000  # samples laid out one by one; beyond it the tile alone repeats


@dataclass(frozen=True, slots=True)
class Grid:
    """Columns on one regular time grid, and what was done to get there."""

    path: Path
    start: datetime
    period_s: Fraction
    columns: Mapping[str, FloatArray]
    repairs: tuple[str, ...]

    def series(self, name: str, meaning: Meaning = "holds") -> Series:
        """One column as a `Series`: what a row stands for decides where its values lie."""
        found = Series(
            self.start,
            self.period_s,
            self.columns[name],
            "linear" if meaning == "instant" else "mean",
            source=f"{self.path}, column {name}",
            repairs=self.repairs,
        )
        return replace(found, start=found.instant(-1)) if meaning == "mean-before" else found


def tile_length(count: int, period_s: Fraction) -> int:
    """How many samples repeat: whole 52-week years, else weeks, else days, else all of them.

    Cutting to whole weeks keeps the hour and the weekday of the repeated values.
    """
    for unit_s in (_YEAR_S, _WEEK_S, _DAY_S):
        samples = unit_s / period_s
        whole = int(count // samples)
        if whole >= 1 and samples.denominator == 1:
            return whole * int(samples)
    return count


def repeated(series: Series, start: datetime, end: datetime) -> Series:
    """A series for [start, end): its own values as far as they reach, and its whole weeks repeated beyond.

    What is repeated, and from when, is added to the repairs.
    """
    if series.covers(start, end):
        return series
    tile = tile_length(len(series), series.period_s)
    span = f"{series.start:%Y-%m-%d %H:%MZ} to {series.end:%Y-%m-%d %H:%MZ}"
    what = f"{series.start:%Y-%m-%d %H:%MZ} to {series.instant(tile):%Y-%m-%d %H:%MZ}"
    note = f"the file covers {span}; outside it, {'it' if tile == len(series) else what} is repeated"
    repairs = (*series.repairs, note)
    first, last = series.bounds(start, end)
    if tile == len(series) or last - first > _MOST_REPEATED:
        return replace(series, values=series.values[:tile], tiled=True, repairs=repairs)
    index = np.arange(first, last + 1)
    own = (index >= 0) & (index < len(series))
    values = series.values[np.where(own, index, index % tile)]
    return replace(series, start=series.instant(first), values=values, repairs=repairs)


def regular(
    path: Path,
    times_us: MicroArray,
    columns: Mapping[str, FloatArray],
    longest_gap_s: float = LONGEST_GAP_S,
    meanings: Mapping[str, Meaning] | None = None,
) -> Grid:
    """Lay rows on a regular grid.

    Parameters
    ----------
    path : Path
        For messages.
    times_us : ndarray of int64, (n,)
        Times [µs since 1970, UTC].
    columns : mapping of str to ndarray (n,)
        Values; NaN marks an empty cell.
    longest_gap_s : float
        Gaps up to this length are interpolated [s].
    meanings : mapping of str to Meaning
        What a row of each column stands for; it holds by default.

    Raises
    ------
    InputError
        Fewer than two rows, contradicting rows, irregular times, or a longer gap.
    """
    repairs: list[str] = []
    times, values = _ordered(path, times_us, columns, repairs)
    times, values = _single(path, times, values, repairs)
    if times.size < 2:
        raise InputError(Problem("has fewer than two rows", "A series needs at least two.", path))
    own_us = _own_spacing(times)
    step_us = _spacing(path, times, own_us, longest_gap_s)
    if (own_us != step_us).any():
        repairs.append(_changes(path, times, own_us))
    index = (times - times[0]) // step_us
    meanings = meanings or {}
    widths = {False: np.maximum(own_us // step_us, 1)}
    if any(one == "mean-before" for one in meanings.values()):  # such a row stands for the step before it
        widths[True] = np.maximum(_own_spacing(-times[::-1])[::-1] // step_us, 1)
    back = int(widths[True][0]) - 1 if True in widths else 0
    count = back + int(index[-1]) + int(widths[False][-1])
    if count > _MOST_SAMPLES:
        span_s = count * step_us / _MICRO
        what = f"spans {span_s / 86_400:,.0f} days at {step_us / _MICRO:g} s, {count:,} samples"
        raise InputError(Problem(what, "Check the first and last time, or resample it.", path))
    filled: dict[str, FloatArray] = {}
    begin_us = int(times[0]) - back * step_us
    for name, column in values.items():
        meaning = meanings.get(name, "holds")
        grid = _spread(column, index + back, widths[meaning == "mean-before"], count, meaning)
        filled[name] = _bridged(path, name, grid, begin_us, step_us, longest_gap_s, repairs)
    return Grid(path, from_micro(begin_us), Fraction(int(step_us), _MICRO), filled, tuple(repairs))


def _own_spacing(times: MicroArray) -> NDArray[np.int64]:
    """How long each row stands for [µs]: the file's spacing where it is, (n,).

    A wider step is the spacing of its stretch where at least three steps keep it, or two on the clock's own
    multiples of it; elsewhere it is a gap, and the row stands for what the rows before it stand for.
    """
    steps = np.diff(times)
    sizes, counts = np.unique(steps, return_counts=True)
    common = int(sizes[np.argmax(counts)])
    edges = np.flatnonzero(np.diff(steps)) + 1
    begins, ends = np.concatenate(([0], edges)), np.concatenate((edges, [steps.size]))
    known = [
        (int(begin), int(end), int(steps[begin]))
        for begin, end in zip(begins, ends, strict=True)
        if steps[begin] == common
        or end - begin >= (_FEWEST_ON_CLOCK if times[begin] % steps[begin] == 0 else _FEWEST_STEPS)
    ]
    own = np.full(times.size, common, dtype=np.int64)
    for number, (begin, _, size) in enumerate(known):
        until = known[number + 1][0] if number + 1 < len(known) else times.size
        own[begin:until] = size
    if known:
        own[: known[0][0]] = known[0][2]
    return own


def _changes(path: Path, times: MicroArray, own_us: NDArray[np.int64]) -> str:
    at = np.flatnonzero(np.diff(own_us)) + 1
    told = ", ".join(
        f"{own_us[row - 1] / _MICRO:g} s until {from_micro(int(times[row])):%Y-%m-%d %H:%MZ}"
        for row in at[:3]
    )
    more = f" and {at.size - 3} more changes" if at.size > 3 else ""
    return f"{path.name}: its spacing changes: {told}{more}, then {own_us[-1] / _MICRO:g} s; each kept"


def _spread(
    column: FloatArray, index: NDArray[np.int64], width: NDArray[np.int64], count: int, meaning: Meaning
) -> FloatArray:
    """Rows on the fine grid; a row that stands for several periods fills them, an instant only its own."""
    grid = np.full(count, np.nan)
    grid[: index[0]], grid[index[-1] + 1 :] = column[0], column[-1]  # periods that only other columns reach
    if (width == 1).all():
        grid[index] = column
        return grid
    if meaning == "instant":  # straight lines between rows of a coarser stretch are no gaps
        grid[index] = column
        slots = np.arange(count)
        row = np.clip(np.searchsorted(index, slots, side="right") - 1, 0, index.size - 1)
        inner = (row < index.size - 1) & (width[row] > 1)
        inner[inner] = (index[row[inner] + 1] - index[row[inner]]) <= width[row[inner]]
        straight = np.interp(slots, index, column)
        grid[inner] = straight[inner]
        grid[index[-1] :] = column[-1]
        return grid
    apart = np.diff(index)
    if meaning == "mean-before":  # never over the row before, nor beyond the start
        reach = np.minimum(width, np.concatenate((index[:1] + 1, apart)))
        begin = index - reach + 1
    else:
        reach = np.minimum(width, np.concatenate((apart, [count - index[-1]])))
        begin = index
    before = np.concatenate(([0], np.cumsum(reach)[:-1]))
    grid[np.repeat(begin - before, reach) + np.arange(int(reach.sum()))] = np.repeat(column, reach)
    return grid


def _ordered(
    path: Path, times: MicroArray, columns: Mapping[str, FloatArray], repairs: list[str]
) -> tuple[MicroArray, dict[str, FloatArray]]:
    back = np.count_nonzero(np.diff(times) < 0)
    if back == 0:
        return times, dict(columns)
    order = np.argsort(times, kind="stable")
    repairs.append(f"{path.name}: rows were out of order in {back} places; sorted by time")
    return times[order], {name: column[order] for name, column in columns.items()}


def _single(
    path: Path, times: MicroArray, columns: dict[str, FloatArray], repairs: list[str]
) -> tuple[MicroArray, dict[str, FloatArray]]:
    again = np.flatnonzero(np.diff(times) == 0) + 1
    if again.size == 0:
        return times, columns
    for name, column in columns.items():
        differ = again[~np.isclose(column[again], column[again - 1], rtol=0.0, atol=0.0, equal_nan=True)]
        if differ.size:
            row = int(differ[0])
            raise InputError(
                Problem(
                    f"gives two values for {from_micro(int(times[row])):%Y-%m-%d %H:%M:%SZ}",
                    "Keep one. Local times in autumn need their UTC offset.",
                    path,
                    f"column {name}",
                    (float(column[row - 1]), float(column[row])),
                )
            )
    repairs.append(f"{path.name}: {again.size} rows were given twice with equal values; one of each dropped")
    keep = np.ones(times.size, dtype=bool)
    keep[again] = False
    return times[keep], {name: column[keep] for name, column in columns.items()}


def _spacing(path: Path, times: MicroArray, own_us: NDArray[np.int64], longest_gap_s: float) -> int:
    """The finest spacing that the file keeps, of which all its times are multiples [µs]."""
    steps = np.diff(times)
    step = int(own_us.min())
    off = np.flatnonzero((times - times[0]) % step)
    if off.size:
        raise InputError(
            Problem(
                f"is not regular: most rows are {step / _MICRO:g} s apart, but not the one at"
                f" {from_micro(times[int(off[0])]):%Y-%m-%d %H:%M:%SZ}",
                "Resample it to a fixed spacing.",
                path,
            )
        )
    lacking = steps - own_us[:-1]
    widest = int(np.argmax(lacking))
    if lacking[widest] / _MICRO > longest_gap_s:  # before a far-away row fills the memory
        own = int(own_us[widest])
        raise _gap(path, None, int(steps[widest] // own) - 1, int(times[widest]) + own, own, longest_gap_s)
    return step


def _bridged(
    path: Path,
    name: str,
    grid: FloatArray,
    first_us: int,
    step_us: int,
    longest_gap_s: float,
    repairs: list[str],
) -> FloatArray:
    """Fill runs of NaN by straight lines (the ends: by the nearest value), if they are short enough."""
    missing = np.isnan(grid)
    if not missing.any():
        return grid
    edges = np.flatnonzero(np.diff(np.concatenate(([False], missing, [False]))))
    begins, ends = edges[::2], edges[1::2]
    longest = int(np.argmax(ends - begins))
    count, begin = int(ends[longest] - begins[longest]), first_us + int(begins[longest]) * step_us
    gap_s = count * step_us / _MICRO
    if gap_s > longest_gap_s or missing.all():
        raise _gap(path, name, count, begin, step_us, longest_gap_s)
    repairs.append(
        f"{path.name}, column {name}: {np.count_nonzero(missing)} missing values in {begins.size} gaps"
        f" (longest {gap_s / 3600:g} h, from {from_micro(begin):%Y-%m-%d %H:%MZ}) interpolated"
    )
    known = np.flatnonzero(~missing)
    return np.interp(np.arange(grid.size), known, grid[known])


def _gap(
    path: Path, name: str | None, count: int, begin_us: int, step_us: int, longest_gap_s: float
) -> InputError:
    would = f" up to {longest_gap_s / 3600:g} h would be interpolated." if longest_gap_s else ""
    return InputError(
        Problem(
            f"lacks {count} values from {from_micro(begin_us):%Y-%m-%d %H:%M:%SZ}"
            f" ({count * step_us / _MICRO / 3600:g} h)",
            "Fill the gap;" + would if would else "Fill the gap.",
            path,
            None if name is None else f"column {name}",
        )
    )
