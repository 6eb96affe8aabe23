"""Working time: tables that turn calendar days into working days and back, without a loop over days.

Time is in days from the start of the project, a float; a working day counts in full from its midnight to the next.
Row `c` of `count` holds how many working days lie before each day, row `c` of `day_of` the day of the k-th working day.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from aidc.errors import InputError, Problem
from aidc.jit import scalar
from aidc.schema.construction import Calendar

__all__ = [
    "EVERY_DAY",
    "HORIZON_DAYS",
    "WorkTables",
    "finish_of",
    "longest_gap",
    "next_working",
    "stacked",
    "tables_of",
    "workdays",
]

HORIZON_DAYS: Final = 7305  # twenty years
EVERY_DAY: Final = "every-day"  # a calendar that every plan has: dates, not work
_LONGEST_GAP: Final = 366
_SNAP: Final = 1e-6  # of a day: what of a working day is rounding
_WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

IntArray = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class WorkTables:
    """`count` (n_calendar, n_day + 1) and `day_of` (n_calendar, n_day) of all calendars, with their names in order.

    `day_of` is filled up with the end of the table, where no working day is left.
    """

    names: tuple[str, ...]
    count: IntArray
    day_of: IntArray

    @property
    def week_days(self) -> NDArray[np.float64]:
        """Working days of a mean week of each calendar."""
        return self.count[:, -1] / (self.count.shape[1] - 1) * 7.0


def workdays(calendar: Calendar, start: date, days: int = HORIZON_DAYS) -> NDArray[np.bool_]:
    """Whether each day from `start` on is a working day."""
    first = start.weekday()
    week = np.array([name in calendar.week for name in _WEEKDAYS])
    works = week[(first + np.arange(days)) % 7]
    off = [*calendar.holidays, *_observed(calendar, start, days)]
    for closure in calendar.closures:
        low, high = (closure.first - start).days, (closure.last - start).days + 1
        works[max(low, 0) : max(high, 0)] = False
    for holiday in off:
        place = (holiday - start).days
        if 0 <= place < days:
            works[place] = False
    return works


def _observed(calendar: Calendar, start: date, days: int) -> list[date]:
    """Holidays by rule, as they are observed where they fall on a weekend."""
    if calendar.observes is None:
        return []
    from pandas.tseries.holiday import USFederalHolidayCalendar

    found = USFederalHolidayCalendar().holidays(str(start), str(start + timedelta(days=days)))
    return [stamp.date() for stamp in found]


def tables_of(calendars: Mapping[str, Calendar], start: date) -> WorkTables:
    """Tables of all calendars; the first is `every-day`.

    Raises
    ------
    InputError
        A calendar on which nobody works for more than a year on end.
    """
    named = {EVERY_DAY: np.ones(HORIZON_DAYS, dtype=np.bool_)}
    problems: list[Problem] = []
    for name, calendar in calendars.items():
        works = workdays(calendar, start)
        gap, at = longest_gap(works)
        if gap > _LONGEST_GAP:
            what = f"has no working day from {start + timedelta(days=at)} for {gap} days"
            problems.append(
                Problem(what, "Take closures out, or add days to its week.", key=f"calendars.{name}")
            )
        named[name] = works
    if problems:
        raise InputError(problems)
    return stacked(named)


def stacked(named: Mapping[str, NDArray[np.bool_]]) -> WorkTables:
    """Tables of days that are given as truth values of one length."""
    days = len(next(iter(named.values())))
    count = np.zeros((len(named), days + 1), dtype=np.int32)
    day_of = np.full((len(named), days), days, dtype=np.int32)
    for row, works in enumerate(named.values()):
        count[row, 1:] = np.cumsum(works)
        there = np.flatnonzero(works)
        day_of[row, : there.size] = there
    return WorkTables(tuple(named), count, day_of)


def longest_gap(works: NDArray[np.bool_]) -> tuple[int, int]:
    """The longest stretch without a working day [days], and the day on which it begins."""
    marks: list[int] = np.concatenate(([-1], np.flatnonzero(works), [works.size])).tolist()
    gaps = [later - earlier - 1 for earlier, later in pairwise(marks)]
    widest = int(np.argmax(gaps))
    return gaps[widest], marks[widest] + 1


@scalar
def next_working(count: IntArray, day_of: IntArray, row: int, time_d: float) -> float:
    """The first moment from `time_d` on that is in a working day [days]; the end of the table where there is none.

    A negative row works on every day.

    `count` and `day_of` are the tables of a calendar: working days before each day, and the day of each working day;
    `row` chooses the calendar.
    """
    if row < 0:
        return time_d
    last = count.shape[1] - 1
    day = int(time_d)
    if day >= last:
        return float(last)
    if count[row, day + 1] > count[row, day]:
        return time_d
    place = count[row, day]
    return float(day_of[row, place]) if place < day_of.shape[1] else float(last)


@scalar
def finish_of(count: IntArray, day_of: IntArray, row: int, start_d: float, work_d: float) -> float:
    """When work that begins at a working moment is done [days]; beyond the table where it does not end within.

    What ends with a working day ends at its midnight, not on the next working day.

    `count`, `day_of` and `row` as in `next_working`; work of `work_d` working days begins at `start_d`.
    """
    if row < 0 or work_d <= 0.0:
        return start_d + work_d
    last = count.shape[1] - 1
    day = int(start_d)
    if day >= last:
        return start_d + work_d
    target = count[row, day] + (start_d - day) + work_d
    whole = int(target)
    rest = target - whole
    if rest < _SNAP and whole > 0:
        whole -= 1
        rest = 1.0
    if whole >= count[row, last]:
        return last + 1.0 + target - count[row, last]
    return day_of[row, whole] + rest
