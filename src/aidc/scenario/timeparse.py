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
from aidc.scenario.epochs import Counted, Doubt, counted, is_number, micro_of
from aidc.scenario.localtime import utc_of
from aidc.scenario.table import Table
from aidc.schema.source import TimeUnit

__all__ = ["MicroArray", "clock_times", "counted_times", "from_micro", "laid_times", "to_micro"]

MicroArray = NDArray[np.int64]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ISO = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(:\d\d)?(?:\.(\d{1,9}))?\s*(Z|UTC|[+-]\d\d:?\d\d|[+-]\d\d)?", re.ASCII
)
_MICRO = 1_000_000
_LARGEST = 1e20
_FIRST, _LAST = np.datetime64("1900-01-01", "us"), np.datetime64("2200-01-01", "us")


def to_micro(moment: datetime) -> int:
    """Microseconds since 1970-01-01T00:00Z."""
    return (as_utc(moment) - _EPOCH) // timedelta(microseconds=1)


def from_micro(micro: int) -> datetime:
    """The UTC instant of microseconds since 1970-01-01T00:00Z."""
    return _EPOCH + timedelta(microseconds=int(micro))


def clock_times(
    table: Table, column: str, *, naive_is_utc: bool = False, timezone: str | None = None
) -> MicroArray:
    """ISO 8601 times of a column; those without a zone are of `timezone`, or of UTC where allowed.

    `naive_is_utc` allows times without a zone and reads them as UTC.

    Raises
    ------
    InputError
        A cell is not a time, or has no time zone while none is given.
    """
    cells = table.text(column)
    plain: list[str] = []
    offset_us = np.zeros(len(cells), dtype=np.int64)
    naive = np.zeros(len(cells), dtype=bool)
    for row, cell in enumerate(cells):
        match = _ISO.fullmatch(cell)
        if match is None:
            raise _refuse(table, row, column, "is not a time", "Write it as 2025-07-07T00:00:00Z.")
        day, minute, second, fraction, zone = match.groups()
        if zone is None and not naive_is_utc and timezone is None:
            raise _refuse(
                table,
                row,
                column,
                "has no time zone",
                "Write it as 2025-07-07T00:00:00Z, or name the file's clock:"
                ' timezone = "UTC" (or "Europe/Berlin").',
            )
        naive[row] = zone is None
        plain.append(f"{day}T{minute}{second or ':00'}.{(fraction or '0')[:6]}")
        if zone not in (None, "Z", "UTC"):
            offset_us[row] = _offset_us(str(zone))
    times = _parse(table, column, plain)
    if timezone is not None and timezone.upper() not in ("UTC", "Z") and naive.all():
        return _local(table, column, times, timezone)
    return times - offset_us


def counted_times(table: Table, column: str, stated: TimeUnit | None = None) -> tuple[MicroArray, Counted]:
    """Numbers of a column as microseconds, and what they count from and in.

    Raises
    ------
    InputError
        A cell is no number, or the numbers leave a doubt what they count.
    """
    cells = table.text(column)
    values = table.numbers(column, -_LARGEST, _LARGEST)
    found = counted(column, cells, values, stated)
    if isinstance(found, Doubt):
        raise _refuse(table, 0, column, found.what, found.remedy)
    if np.abs(values).max() > 9e18:
        raise _refuse(table, int(np.abs(values).argmax()), column, "is no time", "Correct the value.")
    micro = micro_of(cells, values, found.unit)
    last = (_LAST - np.datetime64(0, "us")).astype(np.int64)
    outside = np.flatnonzero(np.abs(micro) > last)
    if outside.size:
        raise _refuse(table, int(outside[0]), column, "lies outside the years 1900 to 2200", "Check it.")
    return micro, found


def laid_times(
    table: Table,
    column: str,
    start: datetime | None,
    clock_start: datetime,
    *,
    time_unit: TimeUnit | None = None,
    timezone: str | None = None,
) -> MicroArray:
    """Times of a column, laid on `start` where one is given.

    Numbers are seconds after `start` (else after `clock_start`), or another unit that their name, their
    size or `time_unit` tells. Clock times and Unix times stay where they are, or move together so that
    the earliest lies on `start`.

    `timezone` is the zone of times that state none.
    """
    if is_number(next(iter(table.text(column)), "")) or time_unit is not None:
        times, count = counted_times(table, column, time_unit)
        if not count.unix:
            return times + to_micro(start or clock_start)
    else:
        times = clock_times(table, column, timezone=timezone)
    return times if start is None else times - times.min() + to_micro(start)


def _local(table: Table, column: str, times: MicroArray, timezone: str) -> MicroArray:
    """Wall-clock times in UTC; the hour that comes twice in autumn is told apart by the order of the rows."""
    falling = times.size > 1 and int(np.count_nonzero(np.diff(times) < 0)) > times.size // 2
    found, absent = utc_of(times[::-1] if falling else times, timezone)
    if absent is not None:
        row = times.size - 1 - absent if falling else absent
        raise _refuse(
            table, row, column, f"does not exist in {timezone}: the clocks go forward", "Correct the value."
        )
    return found[::-1] if falling else found


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
