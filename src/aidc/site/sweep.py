"""A job's cap sweep out of a CSV file, read when the site is loaded, so that a run folder holds its figures."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from aidc.errors import InputError, Problem
from aidc.files import is_number_text, read_file
from aidc.site.resolve import Resolver

__all__ = ["read_sweep"]

_COLUMNS: Final = ("cap_w", "power_w", "throughput")
_KEYS: Final = ("file", "workload", "columns")
_LARGEST_BYTES: Final = 1 << 24


def read_sweep(key: str, table: dict[str, Any], resolver: Resolver) -> dict[str, Any]:
    """The three columns of a sweep that names a `file`; any other table as it is.

    Where the file holds several workloads, `workload` says which; `columns` gives the file's own names for `cap_w`,
    `power_w`, `throughput` and `workload`. Rows are put in the order of their limits.
    """
    if "file" not in table:
        return table
    try:
        return _read(key, table, resolver)
    except InputError as error:
        resolver.problems += error.problems
        return {}


def _read(key: str, table: Mapping[str, Any], resolver: Resolver) -> dict[str, Any]:
    for name in table:
        if name not in _KEYS:
            remedy = f"Give the figures here or in the file. A sweep from a file has {', '.join(_KEYS)}."
            raise InputError(
                Problem("does not go with a file", remedy, resolver.file, f"{key}.{name}", table[name])
            )
    names = _names(key, table.get("columns", {}), resolver)
    where = table["file"]
    if not isinstance(where, str):
        raise InputError(
            Problem("must name a CSV file", 'Write file = "sweep.csv".', resolver.file, f"{key}.file", where)
        )
    path = resolver.file.parent / where
    rows = _rows(path, names, table.get("workload"), f"{key}.workload")
    rows.sort(key=lambda row: row[0])
    return {name: [row[place] for row in rows] for place, name in enumerate(_COLUMNS)}


def _names(key: str, given: Any, resolver: Resolver) -> dict[str, str]:
    known = (*_COLUMNS, "workload")
    if not isinstance(given, Mapping) or any(name not in known for name in given):
        remedy = f'Give the file\'s own names for {", ".join(known)}, such as {{ cap_w = "GPU power cap" }}.'
        raise InputError(
            Problem("names no column of a sweep", remedy, resolver.file, f"{key}.columns", given)
        )
    return {name: str(given.get(name, name)) for name in known}


def _rows(path: Path, names: Mapping[str, str], workload: Any, key: str) -> list[tuple[float, ...]]:
    text = read_file(path, _LARGEST_BYTES).decode("utf-8-sig", errors="replace")
    reader = csv.DictReader(io.StringIO(text))
    header = [name.strip() for name in reader.fieldnames or ()]
    reader.fieldnames = header
    missing = [names[one] for one in _COLUMNS if names[one] not in header]
    if missing:
        remedy = f"Columns here: {', '.join(header) or 'none'}. Name them in `columns`."
        raise InputError(Problem(f"has no column {missing[0]!r}", remedy, path))
    found: list[tuple[float, ...]] = []
    kinds: list[str] = []
    for row in reader:
        kind = (row.get(names["workload"]) or "").strip()
        kinds.append(kind)
        if workload is None or kind == workload:
            found.append(
                tuple(_number(row.get(names[one]), names[one], path, reader.line_num) for one in _COLUMNS)
            )
    several = list(dict.fromkeys(kinds))
    if not found or (workload is None and len(several) > 1):
        what = "holds several workloads" if workload is None else "names no workload of the file"
        raise InputError(Problem(what, f"Give one of: {', '.join(several) or 'none'}.", path, key, workload))
    return found


def _number(text: str | None, column: str, path: Path, line: int) -> float:
    cell = (text or "").strip()
    value = float(cell) if is_number_text(cell) else math.nan
    if not math.isfinite(value):
        raise InputError(Problem("is no number", f"Give a number in line {line}.", path, column, cell))
    return value
