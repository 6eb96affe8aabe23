"""The network as a CSV, for those who plan elsewhere: one line a task, names in `after` and `crews` apart by blanks."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from aidc.design.construction.network import NetworkTask
from aidc.errors import InputError, Problem
from aidc.files import is_number_text, read_file
from aidc.schema.module import Work
from aidc.site.refuse import problems_of

__all__ = ["COLUMNS", "network_csv", "read_network"]

COLUMNS: Final = (
    "task", "calendar", "after", "least_days", "likely_days", "most_days", "samples", "crews", "factor", "fail_frac",
    "rework_days", "not_before", "wind_limit_m_s",
)  # fmt: skip
_NEEDED: Final = ("task", "calendar", "least_days", "likely_days", "most_days")
_MOST_BYTES: Final = 8 * 1024 * 1024


def network_csv(tasks: Sequence[NetworkTask], start: date) -> str:
    """The network as text; learning is in the days."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for task in tasks:
        work = task.work
        days = [day * task.scale for day in work.days] if work.days else ["", "", ""]
        samples = " ".join(repr(one * task.scale) for one in work.samples or ())
        begins = start + timedelta(days=round(task.not_before_d)) if task.not_before_d else ""
        writer.writerow(
            [
                task.name, task.calendar, " ".join(task.after), *days, samples, " ".join(work.crews), work.factor or "",
                work.fail_frac or "", work.rework_days * task.scale or "", begins, work.wind_limit_m_s or "",
            ]
        )  # fmt: skip
    return out.getvalue()


def read_network(path: Path, start: date) -> list[NetworkTask]:
    """The tasks of a CSV.

    Raises
    ------
    InputError
        Every line that cannot be read, with its number.
    """
    raw = read_file(path, _MOST_BYTES)
    try:
        text = raw.decode("utf-8-sig")
        reader = csv.DictReader(io.StringIO(text), strict=True, restkey="…")
        rows = list(reader)
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(Problem(f"is no CSV of UTF-8 text: {error}", "Write it again.", path)) from error
    _refuse_columns(path, reader.fieldnames or ())
    problems: list[Problem] = []
    tasks: list[NetworkTask] = []
    for number, row in enumerate(rows, start=2):
        task = _task(path, number, row, start, problems)
        if task is not None:
            tasks.append(task)
    if not rows:
        problems.append(Problem("holds no task", "Write one line for each task.", path))
    if problems:
        raise InputError(problems)
    return tasks


def _refuse_columns(path: Path, found: Sequence[str]) -> None:
    problems = [
        Problem("lacks a column", f"Its head is: {','.join(COLUMNS)}", path, "line 1", name)
        for name in _NEEDED
        if name not in found
    ]
    for name in found:
        if name not in COLUMNS:
            close = get_close_matches(name, COLUMNS, n=1)
            remedy = f"Did you mean {close[0]!r}?" if close else f"Its head is: {','.join(COLUMNS)}"
            problems.append(Problem("has a column that is not known", remedy, path, "line 1", name))
    if problems:
        raise InputError(problems)


def _task(
    path: Path, number: int, row: Mapping[str, Any], start: date, problems: list[Problem]
) -> NetworkTask | None:
    """One line; what is wrong with it goes to the problems."""
    place = f"line {number}"
    before = len(problems)
    if "…" in row or any(cell is None for cell in row.values()):
        problems.append(Problem("has another number of cells than the head", "Mend it.", path, place))
        return None
    cell = {name: str(row.get(name, "")).strip() for name in COLUMNS}
    if not cell["task"]:
        problems.append(Problem("has no task", "Name it.", path, place))
    elif len(cell["task"].split()) > 1:  # `after` is apart by blanks
        what, remedy = "has blanks in the name of its task", "Write hyphens for them."
        problems.append(Problem(what, remedy, path, place, cell["task"]))
    values = _values(path, place, cell, problems)
    begins = _date(path, place, cell["not_before"], start, problems)
    if len(problems) > before:
        return None
    try:
        work = Work.model_validate({key: tuple(v) if isinstance(v, list) else v for key, v in values.items()})
    except ValidationError as error:
        found = problems_of(error, Work, path)
        problems += [
            Problem(one.what, one.remedy, path, f"{place}: {one.key or cell['task']}", one.value)
            for one in found
        ]
        return None
    return NetworkTask(cell["task"], work, cell["calendar"], tuple(cell["after"].split()), begins)


def _values(path: Path, place: str, cell: Mapping[str, str], problems: list[Problem]) -> dict[str, Any]:
    """The cells of a line as the keys of `Work`."""
    before = len(problems)
    values: dict[str, Any] = {"crews": cell["crews"].split(), "factor": cell["factor"] or None}
    days = [_number(path, place, name, cell[name], problems) for name in COLUMNS[3:6]]
    if any(day is not None for day in days):
        values["days"] = [0.0 if day is None else day for day in days]
        if None in days and len(problems) == before:
            what, remedy = "has some of its days alone", "Give least_days, likely_days and most_days."
            problems.append(Problem(what, remedy, path, place))
    if cell["samples"]:
        values["samples"] = [
            _number(path, place, "samples", one, problems) for one in cell["samples"].split()
        ]
    for name in ("fail_frac", "rework_days", "wind_limit_m_s"):
        if cell[name]:
            values[name] = _number(path, place, name, cell[name], problems)
    return values


def _number(path: Path, place: str, name: str, text: str, problems: list[Problem]) -> float | None:
    if not text:
        return None
    if not is_number_text(text):
        problems.append(Problem("is no number", "Write it with a point.", path, f"{place}: {name}", text))
        return None
    return float(text)


def _date(path: Path, place: str, text: str, start: date, problems: list[Problem]) -> float:
    """A date in days from the start; what lies before it does not hold anything up."""
    if not text:
        return 0.0
    try:
        return float(max((date.fromisoformat(text) - start).days, 0))
    except ValueError:
        what, remedy = "is no date", "Write it as 2026-01-31."
        problems.append(Problem(what, remedy, path, f"{place}: not_before", text))
        return 0.0
