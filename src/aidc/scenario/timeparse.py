"""Columns of times into microseconds since 1970 in UTC, with the line of every mistake."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from aidc.clock import as_utc
from aidc.errors import InputError, Problem
from aidc.scenario.table import Table

__all__ = ["MicroArray", "clock_times", "from_micro", "laid_times", "to_micro"]

MicroArray = NDArray[np.int64]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ISO = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(:\d\d)?(?:\.(\d{1,9}))?\s*(Z|UTC|[+-]\d\d:?\d\d|[+-]\d\d)?", re.ASCII
)
_MICRO = 1_000_000
_LONGEST_S = 4e9  # 127 years
_FIRST, _LAST = np.datetime64("1900-01-01", "us"), np.datetime64("2200-01-01", "us")


def to_micro(moment: datetime) -> int:
    """Microseconds since 1970-01-01T00:00Z."""
    return (as_utc(moment) - _EPOCH) // timedelta(microseconds=1)


def from_micro(micro: int) -> datetime:
    """The UTC instant of microseconds since 1970-01-01T00:00Z."""
    return _EPOCH + timedelta(microseconds=int(micro))


def clock_times(table: Table, column: str, *, naive_is_utc: bool = False) -> MicroArray:
    """ISO 8601 times of a column.

    Raises
    ------
    InputError
        A cell is not a time, or has no time zone while `naive_is_utc` is false.
    """
    cells = table.text(column)
    plain: list[str] = []
    offset_us = np.zeros(len(cells), dtype=np.int64)
    for row, cell in enumerate(cells):
        match = _ISO.fullmatch(cell)
        if match is None:
            raise _refuse(table, row, column, "is not a time", "Write it as 2025-07-07T00:00:00Z.")
        day, minute, second, fraction, zone = match.groups()
        if zone is None and not naive_is_utc:
            raise _refuse(table, row, column, "has no time zone", "Write it as 2025-07-07T00:00:00Z.")
        plain.append(f"{day}T{minute}{second or ':00'}.{(fraction or '0')[:6]}")
        if zone not in (None, "Z", "UTC"):
            offset_us[row] = _offset_us(str(zone))
    return _parse(table, column, plain) - offset_us


def laid_times(table: Table, column: str, start: datetime | None, clock_start: datetime) -> MicroArray:
    """Times of a column, laid on `start` where one is given.

    Numbers are seconds after `start` (else after `clock_start`). Clock times stay where they are, or
    move together so that the earliest lies on `start`.
    """
    if _is_number(next(iter(table.text(column)), "")):
        seconds = table.numbers(column, -_LONGEST_S, _LONGEST_S)
        return np.round(seconds * _MICRO).astype(np.int64) + to_micro(start or clock_start)
    times = clock_times(table, column)
    return times if start is None else times - times.min() + to_micro(start)


def _parse(table: Table, column: str, plain: Sequence[str]) -> MicroArray:
    try:
        times = np.array(plain, dtype="datetime64[us]")
    except ValueError:
        row = next(row for row, text in enumerate(plain) if not _is_time(text))
        raise _refuse(table, row, column, "is not a time of any calendar day", "Correct the value.") from None
    outside = np.flatnonzero((times < _FIRST) | (times > _LAST))
    if outside.size:
        raise _refuse(
            table, int(outside[0]), column, "lies outside the years 1900 to 2200", "Check the year."
        )
    return times.astype(np.int64)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _is_time(text: str) -> bool:
    try:
        np.datetime64(text, "us")
    except ValueError:
        return False
    return True


def _offset_us(zone: str) -> int:
    sign = -1 if zone[0] == "-" else 1
    digits = zone[1:].replace(":", "").ljust(4, "0")
    return sign * (int(digits[:2]) * 60 + int(digits[2:])) * 60 * _MICRO


def _refuse(table: Table, row: int, column: str, what: str, remedy: str) -> InputError:
    path: Path = table.path
    return InputError(
        Problem(what, remedy, path, f"line {table.lines[row]}, column {column}", table.text(column)[row])
    )
