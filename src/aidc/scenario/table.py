"""Reading a CSV file into columns of text, and those into numbers, with the line of every mistake."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from itertools import islice
from pathlib import Path

import numpy as np

from aidc.errors import InputError, Problem
from aidc.files import is_number_text, read_file
from aidc.scenario.cells import Cells, Rows, lines_of
from aidc.scenario.sentinel import sentinel_row
from aidc.scenario.series import FloatArray
from aidc.schema.source import Meaning

__all__ = ["Station", "Table", "delimiter_of", "numbers", "read_table", "read_text", "table_of"]

_LARGEST_BYTES = 1 << 30
_MOST_ROWS = 20_000_000
_MOST_REPORTED = 5


_VACANT = frozenset(
    {"", "na", "n/a", "nan", "null", "none", "-", "--", "n/e"}
)  # what files write for "no value"
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Station:
    """Where a file says that it was measured; `utc_offset_h` is its own clock's."""

    latitude_deg: float
    longitude_deg: float
    elevation_m: float | None = None
    name: str = ""
    utc_offset_h: float = 0.0


@dataclass(frozen=True, slots=True)
class Table:
    """Text columns of one file, the line number of each row, and what its layout tells of them.

    `layout` names the published layout that the file was taken for, `zone` the clock that its times
    follow; `meanings` says what a row of a column stands for, where the layout defines it.
    """

    path: Path
    columns: Mapping[str, Sequence[str]]
    lines: Sequence[int]
    layout: str = "table"
    zone: str = ""
    meanings: Mapping[str, Meaning] = field(default_factory=dict[str, Meaning])
    station: Station | None = None
    notes: tuple[str, ...] = ()

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
        """The column `name` as numbers within [low, high]; an empty cell is NaN where `empty` allows it."""
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

    `cells` stand in the lines `lines` of the file at `path`, in the column `name`, as messages say; an empty cell is NaN
    where `empty` allows it. `low` and `high` are the bounds.

    Raises
    ------
    InputError
        A cell is not a number, is NaN or infinite, or lies outside; the first few are listed.
    """
    vacant = np.fromiter(
        (not cell or (empty and cell.lower() in _VACANT) for cell in cells), dtype=bool, count=len(cells)
    )
    values = np.fromiter((_number(cell) for cell in cells), dtype=np.float64, count=len(cells))
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
        It is absent, unreadable, too large, empty, or no text. Text is UTF-8, UTF-16 with its mark, or
        else Latin-1, as many weather files are that name a place with an accent.
    """
    text = _decoded(read_file(path, _LARGEST_BYTES), path)
    if not text.strip():
        raise InputError(Problem("is empty", "Give a file with a header and rows.", path))
    return text


def _decoded(data: bytes, path: Path) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") and len(data) % 2 == 0 and b"\0" in data:
        try:
            return data.decode("utf-16")
        except UnicodeDecodeError:
            data = data[2:]  # no text after all: refused below
    if b"\0" in data:
        line = data.count(b"\n", 0, data.index(b"\0")) + 1
        raise InputError(Problem("is not UTF-8 text", "Save it as UTF-8 text.", path, f"line {line}"))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        letters = np.frombuffer(data, dtype=np.uint8)
        odd = np.count_nonzero((letters < 32) & ~np.isin(letters, (9, 10, 13)))
        if odd or np.count_nonzero(letters > 126) > 0.1 * letters.size:
            line = data.count(b"\n", 0, error.start) + 1
            raise InputError(
                Problem("is not UTF-8 text", "Save it as UTF-8 text.", path, f"line {line}")
            ) from error
        return data.decode("latin-1")


def delimiter_of(line: str) -> str:
    """What parts the cells of a line: a comma, else a semicolon or a tab where there are more of them."""
    return max(",;\t", key=line.count)


def read_table(path: Path, skip_lines: int = 0) -> Table:
    """Read a table of text with one header line, after `skip_lines` lines of something else.

    Cells are parted by commas, semicolons or tabs, whichever the header has most of.

    Raises
    ------
    InputError
        It cannot be read, has no rows, twice the same column, or rows of another length.
    """
    return table_of(path, read_text(path), skip_lines)


def table_of(path: Path, text: str, skip_lines: int = 0) -> Table:
    """As `read_table`, of text that was read already; `path` is for messages."""
    mark = delimiter_of(next(islice(lines_of(text), skip_lines, None), ""))
    reader = csv.reader(lines_of(text), delimiter=mark)
    try:
        for _ in range(skip_lines):
            next(reader, None)
        header = [name.strip() for name in next(reader, [])]
        while header and not header[-1]:  # a comma at the end of the header
            header.pop()
        rows = Rows(len(header))
        for row in reader:
            if row and any(cell.strip() for cell in row):
                rows.add(_trimmed(row, len(header)), reader.line_num)
            if len(rows) > _MOST_ROWS:
                raise InputError(Problem(f"has more than {_MOST_ROWS:,} rows", "Resample or split it.", path))
    except csv.Error as error:
        raise InputError(
            Problem(f"is not CSV: {error}", "Mend this line.", path, f"line {reader.line_num}")
        ) from error
    _check(path, header, rows)
    columns = dict(zip(header, rows.columns(), strict=True))
    return Table(path, columns if mark == "," else _with_points(columns), rows.lines)


def _trimmed(row: list[str], width: int) -> list[str]:
    """A row without the empty cells that commas at its end make."""
    while len(row) > width and not row[-1].strip():
        row.pop()
    return row


def _with_points(columns: dict[str, Sequence[str]]) -> dict[str, Sequence[str]]:
    """Decimal commas, which only a file without commas between its cells can have, as points."""
    return {
        name: _pointed(cells) if any(_DECIMAL_COMMA.fullmatch(cell) for cell in cells[:1000]) else cells
        for name, cells in columns.items()
    }


def _pointed(cells: Sequence[str]) -> Sequence[str]:
    return cells.replaced(",", ".") if isinstance(cells, Cells) else [one.replace(",", ".") for one in cells]


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
            f"has {cells} cells where the header has {len(header)}", "Correct the line.", path, f"line {line}"
        )
        for line, cells in rows.ragged
    )
    if problems:
        raise InputError(problems)


def _number(cell: str) -> float:
    """A number as it is written in ASCII digits; Python alone would take `2_0` and full-width digits too."""
    return float(cell) if is_number_text(cell) else math.nan
