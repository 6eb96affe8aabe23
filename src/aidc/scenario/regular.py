"""From rows with times to a regular grid: what is repaired, what is refused.

Repaired and reported: rows out of order (sorted), rows given twice (one dropped), and gaps or empty
cells up to a stated length (interpolated linearly). Refused: two different values for one time,
times off the grid, longer gaps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Final, Literal

import numpy as np

from aidc.errors import InputError, Problem
from aidc.scenario.series import FloatArray, Series
from aidc.scenario.timeparse import MicroArray, from_micro

__all__ = ["LONGEST_GAP_S", "Grid", "regular", "tile_length"]

LONGEST_GAP_S: Final = 3 * 3600.0  # an hourly series may lack three values in a row

_MICRO = 1_000_000
_DAY_S, _WEEK_S, _YEAR_S = 86_400, 7 * 86_400, 364 * 86_400


@dataclass(frozen=True, slots=True)
class Grid:
    """Columns on one regular time grid, and what was done to get there."""

    path: Path
    start: datetime
    period_s: Fraction
    columns: Mapping[str, FloatArray]
    repairs: tuple[str, ...]

    def series(
        self, name: str, hold: Literal["mean", "linear"], *, tiled: bool = False, offset: float = 0.0
    ) -> Series:
        """One column as a `Series`, `offset` added; tiled, it is cut to whole years, weeks or days."""
        values = self.columns[name] + offset
        if tiled:
            values = values[: tile_length(values.size, self.period_s)]
        return Series(
            self.start, self.period_s, values, hold, tiled, f"{self.path}, column {name}", self.repairs
        )


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


def regular(
    path: Path, times_us: MicroArray, columns: Mapping[str, FloatArray], longest_gap_s: float = LONGEST_GAP_S
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
    step_us = _spacing(path, times, longest_gap_s)
    index = (times - times[0]) // step_us
    count = int(index[-1]) + 1
    filled: dict[str, FloatArray] = {}
    for name, column in values.items():
        grid = np.full(count, np.nan)
        grid[index] = column
        filled[name] = _bridged(path, name, grid, times[0], step_us, longest_gap_s, repairs)
    return Grid(path, from_micro(times[0]), Fraction(int(step_us), _MICRO), filled, tuple(repairs))


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
                    f"gives two values for {from_micro(times[row]):%Y-%m-%d %H:%M:%SZ}",
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


def _spacing(path: Path, times: MicroArray, longest_gap_s: float) -> int:
    steps = np.diff(times)
    sizes, counts = np.unique(steps, return_counts=True)
    step = int(sizes[np.argmax(counts)])
    off = np.flatnonzero(steps % step)
    if off.size:
        raise InputError(
            Problem(
                f"is not regular: most rows are {step / _MICRO:g} s apart, but not the one at"
                f" {from_micro(times[int(off[0]) + 1]):%Y-%m-%d %H:%M:%SZ}",
                "Resample it to a fixed spacing.",
                path,
            )
        )
    widest = int(np.argmax(steps))
    if (steps[widest] - step) / _MICRO > longest_gap_s:  # before a far-away row fills the memory
        raise _gap(path, None, int(steps[widest] // step) - 1, int(times[widest]) + step, step, longest_gap_s)
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
