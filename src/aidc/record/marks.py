"""Marks of a recording: TOML (`[[marks]]`) or a table with the columns kind, start_s, end_s and perhaps label."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from aidc.errors import InputError, Problem
from aidc.record.waveform import Mark
from aidc.scenario.epochs import is_number
from aidc.scenario.table import read_table
from aidc.schema.recording import MarksFile
from aidc.site.refuse import problems_of
from aidc.toml_file import read_toml

__all__ = ["read_marks"]


def read_marks(path: Path | str, length_s: float) -> tuple[Mark, ...]:
    """Stretches of a record of `length_s` seconds, in order.

    Raises
    ------
    InputError
        Not readable, an unknown kind, a stretch that ends before it begins or lies beyond the record.
    """
    path = Path(path)
    document = _rows(path) if path.suffix.lower() in (".csv", ".txt", ".tsv") else read_toml(path)
    try:
        found = MarksFile.model_validate(document).marks
    except ValidationError as error:
        raise InputError(problems_of(error, MarksFile, path)) from error
    late = [k for k, one in enumerate(found) if one.start_s >= length_s]
    if late:
        what = f"begins after the record, which has {length_s:g} s"
        remedy = "Count seconds from the first sample of the record."
        key = f"marks[{late[0]}].start_s"
        raise InputError(Problem(what, remedy, path, key, found[late[0]].start_s))
    marks = [
        Mark(one.kind, one.start_s, min(one.end_s, length_s), one.label or f"marked: {one.kind}")
        for one in found
    ]
    return tuple(sorted(marks, key=lambda mark: mark.start_s))


def _rows(path: Path) -> dict[str, Any]:
    """The rows of a table as the TOML would have them; numbers as numbers, so that the schema says what is wrong."""
    table = read_table(path)
    names = list(table.columns)
    rows: list[dict[str, Any]] = []
    for place in range(len(table)):
        cells = {name.strip().lower(): table.columns[name][place] for name in names}
        rows.append(
            {
                name: float(cell) if name.endswith("_s") and is_number(cell) else cell
                for name, cell in cells.items()
                if cell or name != "label"
            }
        )
    return {"marks": rows}
