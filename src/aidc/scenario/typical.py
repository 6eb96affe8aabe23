"""Typical years: the hours of a year by month, day and hour, moved to the years of a run.

Files give hour h of a local-standard-time day as the hour that ends at h: what is instantaneous
(temperature, humidity, pressure, wind, cloud) is read at that instant, irradiance is the mean over
that hour (Wilcox and Marion, Users Manual for TMY3 Data Sets, NREL/TP-581-43156, 2008, table 1-1).
The dates of the rows decide where they lie: a file may begin in any month. In a leap year 29 February is
the file's own, or 28 February again where it has none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import numpy as np

from aidc.clock import as_utc
from aidc.errors import InputError, Problem
from aidc.scenario.regular import LONGEST_GAP_S
from aidc.scenario.series import FloatArray, Series

__all__ = ["HOURS", "MEANS", "TypicalYear", "hour_of_year", "laid_on", "laid_out"]

HOURS = 8760
MEANS = ("ghi_w_m2", "dni_w_m2", "dhi_w_m2")  # quantities that are means over the hour before
_FEB_28, _MAR_1 = 58 * 24, 59 * 24  # hours of a plain year, and of 29 February in a leap year
_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_NAMES = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class TypicalYear:
    """Columns of a typical year (NaN = missing) and where it was measured.

    Columns have 8,760 hours from 1 January, or 8,784 where the file has its own 29 February. `notes` tell what was
    found while reading.
    """

    source: str
    station: str
    latitude_deg: float
    longitude_deg: float
    elevation_m: float
    utc_offset_h: float
    columns: Mapping[str, FloatArray]
    notes: tuple[str, ...] = ()
    instant_h: float = 1.0  # when in its hour an instant was taken
    irradiance_h: float | None = None  # the same for irradiance, or None where it is the mean over the hour


def hour_of_year(month: int, day: int, hour: int) -> int | None:
    """The hour of a leap year, from 0, that ends at `hour` (1 to 24) of a day; None where there is none."""
    if not (1 <= month <= 12 and 1 <= day <= _DAYS[month - 1] and 1 <= hour <= 24):
        return None
    return (sum(_DAYS[: month - 1]) + day - 1) * 24 + hour - 1


def laid_out(
    source: str, when: Sequence[tuple[int, int, int]], lines: Sequence[int], columns: Mapping[str, FloatArray]
) -> tuple[dict[str, FloatArray], tuple[str, ...]]:
    """Rows at their month, day and hour (1 to 24): columns of a typical year, and what was noticed.

    `source` names the file in messages, `when` has month, day and hour of each row, and `lines` its line in the file.

    Raises
    ------
    InputError
        A date that no year has, or one that comes twice.
    """
    hours = np.empty(len(when), dtype=np.int64)
    for row, date in enumerate(when):
        found = hour_of_year(*date)
        if found is None:
            what = f"has no date of a year: month {date[0]}, day {date[1]}, hour {date[2]}"
            raise InputError(Problem(what, "Correct the line.", source, f"line {lines[row]}"))
        hours[row] = found
    order = np.argsort(hours, kind="stable")
    again = np.flatnonzero(np.diff(hours[order]) == 0)
    if again.size:
        row = int(order[again[0] + 1])
        what = "has a date that an earlier line has: month {}, day {}, hour {}".format(*when[row])
        raise InputError(Problem(what, "A year has each hour once; drop one.", source, f"line {lines[row]}"))
    own_leap = bool(((hours >= _MAR_1) & (hours < _MAR_1 + 24)).any())
    notes: list[str] = []
    if hours.size and hours[0] != 0:
        month, day, hour = when[0]
        notes.append(f"begins on {day} {_NAMES[month - 1]} at hour {hour}; its rows are laid by their dates")
    laid: dict[str, FloatArray] = {}
    for name, column in columns.items():
        whole = np.full(HOURS + 24, np.nan)
        whole[hours] = column
        laid[name] = whole if own_leap else np.delete(whole, np.arange(_MAR_1, _MAR_1 + 24))
    return laid, tuple(notes)


def laid_on(year: TypicalYear, start: datetime, end: datetime) -> dict[str, Series]:
    """The year's columns as series that cover [start, end), in every calendar year that it touches.

    A column that is missing throughout is left out; up to three missing hours are interpolated.
    """
    offset = timedelta(hours=year.utc_offset_h)
    first = (as_utc(start) + offset).year
    last = (as_utc(end) + offset).year
    begin = datetime(first, 1, 1, tzinfo=UTC) - offset
    size = len(next(iter(year.columns.values())))
    hours = np.concatenate([_hours_of(one, own_leap=size > HOURS) for one in range(first, last + 1)])
    told = (*year.notes, *_leap_day(size, start + offset, end + offset))
    series: dict[str, Series] = {}
    for name, column in year.columns.items():
        if np.isnan(column).all():
            continue
        whole, repairs = _bridged(year.source, name, column)
        values = whole[hours]
        at_h = year.irradiance_h if name in MEANS else year.instant_h
        if at_h is None:
            series[name] = Series(
                begin, Fraction(3600), values, "mean", source=year.source, repairs=(*repairs, *told)
            )
            continue
        # the instant before the year's first is the last of the year
        values = np.concatenate((whole[-1:], values, whole[:1]))
        first = begin + timedelta(hours=at_h - 1.0)
        series[name] = Series(
            first, Fraction(3600), values, "linear", source=year.source, repairs=(*repairs, *told)
        )
    return series


def _leap_day(size: int, start: datetime, end: datetime) -> tuple[str, ...]:
    """What a reader should know where a run (local time) touches a 29 February."""
    touched = [
        one
        for one in range(start.year, end.year + 1)
        if _is_leap(one)
        and start < datetime(one, 3, 1, tzinfo=UTC)
        and end > datetime(one, 2, 29, tzinfo=UTC)
    ]
    if not touched or size > HOURS:
        return ()
    return (f"has no 29 February; in {touched[0]} its 28 February is taken again",)


def _is_leap(calendar_year: int) -> bool:
    return calendar_year % 4 == 0 and (calendar_year % 100 != 0 or calendar_year % 400 == 0)


def _hours_of(calendar_year: int, *, own_leap: bool) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The typical year's hours in the order of a calendar year."""
    leap = _is_leap(calendar_year)
    plain = np.arange(HOURS + 24 if own_leap else HOURS)
    if own_leap:
        return plain if leap else np.concatenate((plain[:_MAR_1], plain[_MAR_1 + 24 :]))
    return np.concatenate((plain[:_MAR_1], plain[_FEB_28:_MAR_1], plain[_MAR_1:])) if leap else plain


def _bridged(source: str, name: str, column: FloatArray) -> tuple[FloatArray, tuple[str, ...]]:
    missing = np.isnan(column)
    if not missing.any():
        return column, ()
    edges = np.flatnonzero(np.diff(np.concatenate(([False], missing, [False]))))
    lengths = edges[1::2] - edges[::2]
    longest = int(lengths.max())
    at = int(edges[::2][int(lengths.argmax())])
    if longest * 3600 > LONGEST_GAP_S:
        raise InputError(
            Problem(
                f"lacks {longest} hours in a row, from {_date_of(at, column.size)}",
                "Fill the gap, or use another file.",
                source,
                f"column {name}",
            )
        )
    known = np.flatnonzero(~missing)
    filled = np.interp(np.arange(column.size), known, column[known], period=column.size)
    return filled, (f"{source}, {name}: {np.count_nonzero(missing)} missing hours interpolated",)


def _date_of(hour: int, size: int) -> str:
    """Day, month and hour (1 to 24) of an hour of the year."""
    day, hour = divmod(hour if size > HOURS or hour < _MAR_1 else hour + 24, 24)
    month = 0
    while day >= _DAYS[month]:
        day -= _DAYS[month]
        month += 1
    return f"{day + 1} {_NAMES[month]} at hour {hour + 1}"
