"""A measured series in a CSV file: a header line, a column of times, columns of numbers.

Cells are parted by commas, semicolons or tabs; of the latter two, numbers may have decimal commas. Names are taken
without regard to case, and a unit in brackets is their last word: `Time`, `time (ms)`, `P [MW]`.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from aidc.errors import InputError, Problem
from aidc.record.phase_names import plain
from aidc.record.sampling import Axis, even_axis, half_unit
from aidc.record.source import Recorded
from aidc.scenario.epochs import Counted, Doubt, counted, is_number, micro_of
from aidc.scenario.sentinel import sentinel_row
from aidc.scenario.table import Table, delimiter_of, read_table
from aidc.scenario.timeparse import clock_times, counted_times
from aidc.schema.source import TimeUnit

if TYPE_CHECKING:
    import polars as pl

__all__ = ["TIME_COLUMNS", "read_csv"]

FloatArray = NDArray[np.float64]

TIME_COLUMNS = (
    "time_s", "t_s", "time", "time_utc", "timestamp", "t", "time_ms", "t_ms", "timestamp_ms", "time_us", "timestamp_us",
    "time_ns", "timestamp_ns", "timestamp_s", "timestamp_utc", "unix_time", "unix", "epoch", "epoch_s", "epoch_ms",
    "datetime", "date_time", "ts", "zeit", "seconds", "time_sec", "time_seconds", "time_milliseconds",
)  # fmt: skip
_LARGEST = 1e15
_LARGEST_TIME = 9e18  # nanoseconds since 1970 still fit
_FAST_BYTES = 1 << 30
_HEADER_BYTES = 1 << 20
_FRACTION = re.compile(r"\.(\d+)")


def read_csv(
    path: Path,
    time: str | None = None,
    step_s: float | None = None,
    skip_lines: int = 0,
    time_unit: TimeUnit | None = None,
) -> Recorded:
    """Read the columns of a CSV file that begin with a number.

    `path` is the file.

    Parameters
    ----------
    time
        The column of times, by default the first of `TIME_COLUMNS` that is there: ISO 8601, or numbers that
        are seconds unless their name (`t_ms`), their size (Unix time) or `time_unit` says otherwise.
    step_s
        The even step of a file without times [s].
    skip_lines
        Lines above the header.

    Raises
    ------
    InputError
        Not a table, no times, uneven times: with line, column, value and remedy. What is wrong with
        another column is raised when that column is asked for.
    """
    try:
        found = _fast(path, time, step_s, skip_lines, time_unit)
    except (OSError, ValueError, InputError):  # whatever it is, the careful reader says it with its line
        found = _careful(read_table(path, skip_lines), time, step_s, time_unit)
    size = len(next(iter(found.columns.values()), ()))
    if size == 1:
        raise InputError(Problem("has fewer than two samples", "Give a longer recording.", path))
    return found


def _fast(
    path: Path, time: str | None, step_s: float | None, skip_lines: int, time_unit: TimeUnit | None
) -> Recorded:
    """Read a clean file by polars; a ValueError where anything is unusual."""
    import polars as pl

    frame, pointed = _frame(path, skip_lines)
    column = None if step_s is not None else _time_column(frame.columns, time, path)
    columns: dict[str, FloatArray] = {}
    cells: pl.Series | None = None
    for name in frame.columns:  # one at a time, and its text let go: a long record is mostly text
        text = frame.drop_in_place(name).str.strip_chars()
        if pointed:
            text = text.str.replace_all(",", ".", literal=True)
        values = text.cast(pl.Float64, strict=False).to_numpy().astype(np.float64)
        limit = _LARGEST_TIME if name == column else _LARGEST
        if np.isfinite(values).all() and np.abs(values).max() < limit and sentinel_row(values) is None:
            columns[name] = values
        elif name == column or any(is_number(cell) for cell in text):
            raise ValueError(name)
        cells = text if name == column else cells
    if column is None or cells is None:
        return Recorded(path, columns, Axis(Fraction(str(step_s))))
    values = columns.pop(column)
    picked = cells.gather_every(max(1, len(cells) // 1000)).to_list()
    count = counted(plain(column), picked, values, time_unit)
    if isinstance(count, Doubt):
        raise ValueError(count.what)  # noqa: TRY004  the careful reader says it with its line
    whole = cells.cast(pl.Int64, strict=False)
    if whole.null_count() == 0:
        since = whole.to_numpy() - whole[0]
        exact = np.abs(since).max() < 2**53
        time_s = since.astype(np.float64) * _unit_s(count) if exact else values * _unit_s(count)
    else:
        time_s = (values - values[0] if count.unix else values) * _unit_s(count)
    return Recorded(path, columns, _told(even_axis(time_s, _half_s(picked, count), path), column, count))


def _unit_s(count: Counted) -> float:
    return {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9, "min": 60.0, "h": 3600.0}[count.unit]


def _half_s(cells: Sequence[str], count: Counted) -> float:
    """Half of the last place of written times [s]; whole numbers of a unit below a second have that place."""
    written = half_unit(cells)
    return (written or (0.5 if count.unit in ("ms", "us", "ns") else 0.0)) * _unit_s(count)


def _told(axis: Axis, column: str, count: Counted) -> Axis:
    """The axis with what its numbers were taken for, where their name does not say it."""
    if plain(column) in ("time_s", "t_s", "timestamp_s") and not count.unix:
        return axis
    return replace(axis, repairs=(*axis.repairs, f"numbers in {column} are taken as {count.words}"))


def _frame(path: Path, skip_lines: int) -> tuple[pl.DataFrame, bool]:
    """The file as columns of text under the names of its header, and whether commas in numbers are decimal ones."""
    import polars as pl

    if not 0 < path.stat().st_size <= _FAST_BYTES:
        raise ValueError(path)
    data = path.read_bytes()
    lines = data[:_HEADER_BYTES].decode("utf-8-sig", errors="replace").splitlines()
    first = lines[skip_lines] if len(lines) > skip_lines else ""
    mark = delimiter_of(first)
    header = [name.strip() for name in next(csv.reader([first], delimiter=mark), [])]
    try:
        frame = pl.read_csv(data, infer_schema=False, skip_rows=skip_lines, separator=mark)
    except pl.exceptions.PolarsError as error:
        raise ValueError(path) from error
    if len(set(header)) != len(header) or len(header) != frame.width or frame.height == 0:
        raise ValueError(path)
    frame.columns = header
    return frame, mark != ","


def _careful(table: Table, time: str | None, step_s: float | None, time_unit: TimeUnit | None) -> Recorded:
    """Read a file cell by cell, with the line of every mistake."""
    column = None if step_s is not None else _time_column(list(table.columns), time, table.path)
    columns: dict[str, FloatArray] = {}
    broken: dict[str, InputError] = {}
    for name, cells in table.columns.items():
        if name == column:
            continue
        try:
            columns[name] = table.numbers(name, -_LARGEST, _LARGEST)
        except InputError as error:
            if any(is_number(cell) for cell in cells):
                broken[name] = error
    axis = Axis(Fraction(str(step_s))) if column is None else _axis(table, column, time_unit)
    return Recorded(table.path, columns, axis, broken=broken)


def _axis(table: Table, column: str, time_unit: TimeUnit | None) -> Axis:
    lines = [f"line {line}, column {column}" for line in table.lines]
    cells = table.text(column)
    if is_number(cells[0]) or time_unit is not None:
        named = replace(table, columns={plain(column): table.columns[column]})
        _, count = counted_times(named, plain(column), time_unit)
        values = table.numbers(column, -_LARGEST_TIME, _LARGEST_TIME)
        if all(cell.lstrip("+-").isdigit() for cell in cells):
            micro = micro_of(cells, values, count.unit)
            time_s = (micro - micro[0]) / 1e6 if count.unit != "ns" else values * 1e-9 - values[0] * 1e-9
        else:
            time_s = (values - values[0] if count.unix else values) * _unit_s(count)
        return _told(even_axis(time_s, _half_s(cells, count), table.path, lines), column, count)
    micro = clock_times(table, column, naive_is_utc=True)
    places = max(len(match.group(1)) if (match := _FRACTION.search(cell)) else 0 for cell in cells)
    time_s = (micro - micro[0]) / 1e6
    return even_axis(time_s, 0.5 * 10.0 ** -min(places, 6) if places else 0.0, table.path, lines)


def _time_column(names: Sequence[str], time: str | None, path: Path) -> str | None:
    if time is not None and time in names:
        return time
    if time is None:
        by_name = {plain(name): name for name in reversed(names)}
        for known in TIME_COLUMNS:
            if known in by_name:
                return by_name[known]
    asked = "a column of times" if time is None else f"column {time!r}"
    remedy = f"Name it time_s, or say in a recording.toml which it is; columns here: {', '.join(names[:20])}."
    raise InputError(Problem(f"has no {asked}", remedy, path))
