"""Reading a CSV file into columns of text, and those into numbers, with the line of every mistake."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import numpy as np

from aidc.errors import InputError, Problem
from aidc.files import is_number_text, read_file
from aidc.scenario.cells import Rows, lines_of
from aidc.scenario.sentinel import sentinel_row
from aidc.scenario.series import FloatArray

__all__ = ["Table", "numbers", "read_table", "read_text"]

_LARGEST_BYTES = 1 << 30
_MOST_ROWS = 20_000_000
_MOST_REPORTED = 5


@dataclass(frozen=True, slots=True)
class Table:
    """Text columns of one file, and the line number of each row."""

    path: Path
    columns: dict[str, Sequence[str]]
    lines: Sequence[int]

    def __len__(self) -> int:
        return len(self.lines)

    def text(self, name: str) -> Sequence[str]:
        """One column as text.

        Raises
        ------
        InputError
            There is no such column.
        """
        if name in self.columns:
            return self.columns[name]
        close = get_close_matches(name, self.columns, n=1)
        known = ", ".join(list(self.columns)[:20])
        remedy = f"Did you mean {close[0]!r}?" if close else f"Columns here: {known}."
        raise InputError(Problem(f"has no column {name!r}", remedy, self.path))

    def numbers(self, name: str, low: float, high: float, *, empty: bool = False) -> FloatArray:
        """One column as numbers within [low, high]; an empty cell is NaN where `empty` allows it."""
        return numbers(self.text(name), self.lines, self.path, name, low, high, empty=empty)


def numbers(
    cells: Sequence[str],
    lines: Sequence[int],
    path: Path,
    name: str,
    low: float,
    high: float,
    *,
    empty: bool = False,
) -> FloatArray:
    """Cells of text as floats within [low, high].

    Raises
    ------
    InputError
        A cell is not a number, is NaN or infinite, or lies outside; the first few are listed.
    """
    values = np.fromiter((_number(cell) for cell in cells), dtype=np.float64, count=len(cells))
    vacant = np.fromiter((not cell for cell in cells), dtype=bool, count=len(cells))
    allowed = vacant if empty else np.zeros_like(vacant)
    wrong = np.flatnonzero(~(allowed | ((values >= low) & (values <= high))))
    if wrong.size == 0:
        row = sentinel_row(values)
        if row is not None:
            what, place = "stands for a missing value", f"line {lines[row]}, column {name}"
            raise InputError(Problem(what, "Leave the cell out, or give the value.", path, place, cells[row]))
        return values
    problems = [
        Problem(
            "is not a number" if not np.isfinite(values[row]) else f"lies outside {low:g} to {high:g}",
            "Correct the value; the unit is in the column's name.",
            path,
            f"line {lines[row]}, column {name}",
            cells[row],
        )
        for row in wrong[:_MOST_REPORTED]
    ]
    if wrong.size > _MOST_REPORTED:
        problems.append(
            Problem(f"and {wrong.size - _MOST_REPORTED} more of this kind", "Correct them too.", path)
        )
    raise InputError(problems)


def read_text(path: Path) -> str:
    """The file as text.

    Raises
    ------
    InputError
        It is absent, unreadable, too large, empty, or not UTF-8.
    """
    data = read_file(path, _LARGEST_BYTES)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(
            Problem("is not UTF-8 text", "Save it as UTF-8 text.", path, f"line {line}")
        ) from error
    if not text.strip():
        raise InputError(Problem("is empty", "Give a file with a header and rows.", path))
    return text


def read_table(path: Path, skip_lines: int = 0) -> Table:
    """Read a CSV file with one header line, after `skip_lines` lines of something else.

    Raises
    ------
    InputError
        It cannot be read, has no rows, twice the same column, or rows of another length.
    """
    reader = csv.reader(lines_of(read_text(path)))
    try:
        for _ in range(skip_lines):
            next(reader, None)
        header = [name.strip() for name in next(reader, [])]
        rows = Rows(len(header))
        for row in reader:
            if row and any(cell.strip() for cell in row):
                rows.add(row, reader.line_num)
            if len(rows) > _MOST_ROWS:
                raise InputError(Problem(f"has more than {_MOST_ROWS:,} rows", "Resample or split it.", path))
    except csv.Error as error:
        raise InputError(
            Problem(f"is not CSV: {error}", "Mend this line.", path, f"line {reader.line_num}")
        ) from error
    _check(path, header, rows)
    return Table(path, dict(zip(header, rows.columns(), strict=True)), rows.lines)


def _check(path: Path, header: list[str], rows: Rows) -> None:
    problems: list[Problem] = []
    twice = (
        sorted({name for name in header if header.count(name) > 1})[:_MOST_REPORTED]
        if len(header) < 10_000
        else []
    )
    if len(header) >= 10_000:
        problems.append(Problem("has more than 10,000 columns", "Is this the right file?", path))
    problems.extend(Problem("has this column twice", "Rename one.", path, "header", name) for name in twice)
    if not len(rows):
        problems.append(Problem("has no rows below its header", "Give a file with data.", path))
    problems.extend(
        Problem(
            f"has {cells} cells where the header has {len(header)}", "Mend the line.", path, f"line {line}"
        )
        for line, cells in rows.ragged
    )
    if problems:
        raise InputError(problems)


def _number(cell: str) -> float:
    return float(cell) if is_number_text(cell) else math.nan
