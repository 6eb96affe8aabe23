"""Weather windows: working days on which the wind lets a crane lift, from years of the site's own weather.

A day is open where the wind at 10 m stays below a task's limit in every hour from 7 to 18 o'clock local time. Each draw
takes one weather year, for all of its tasks and for every calendar year that it spans; 29 February is as the day before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from aidc.design.construction.calendars import (
    EVERY_DAY,
    HORIZON_DAYS,
    WorkTables,
    longest_gap,
    stacked,
    workdays,
)
from aidc.design.construction.network import NetworkTask
from aidc.errors import InputError, Problem
from aidc.scenario.weather import load_weather
from aidc.schema.construction import BuildFile, Calendar, WeatherYear
from aidc.schema.site import Site
from aidc.schema.weather import ConstantWeather

__all__ = ["daily_wind", "windows_of"]

FloatArray = NDArray[np.float64]
_HOURS: Final = range(7, 19)  # local; the last at 18 o'clock
_LONGEST_GAP: Final = 366


def windows_of(
    site: Site,
    plan: BuildFile,
    tasks: Sequence[NetworkTask],
    tables: WorkTables,
    calendars: Mapping[str, Calendar],
) -> tuple[WorkTables, dict[str, tuple[int, ...]], list[str]]:
    """Tables with rows for the tasks that wait for the wind, those rows by task, and what was taken, in words.

    Raises
    ------
    InputError
        The weather has no wind, or a limit leaves no working day for more than a year.
    """
    limited = {
        task.name: (task.calendar, task.work.wind_limit_m_s) for task in tasks if task.work.wind_limit_m_s
    }
    if not limited:
        return tables, {}, []
    years = plan.weather or (WeatherYear(year=plan.start.year, source=site.scenario.weather),)
    winds = [daily_wind(site, one) for one in years]
    works = {name: tables.count[row, 1:] > tables.count[row, :-1] for row, name in enumerate(tables.names)}
    place = _places(plan.start)
    rows: dict[tuple[str, float | None], tuple[int, ...]] = {}
    for calendar, limit in dict.fromkeys(limited.values()):
        base = works[calendar] if calendar == EVERY_DAY else workdays(calendars[calendar], plan.start)
        made: list[int] = []
        for year, wind in zip(years, winds, strict=True):
            is_open = base & (wind[place] < (limit or 0.0))
            _refuse_closed(is_open, plan.start, calendar, limit, year.year)
            made.append(len(works))
            works[f"{calendar}, wind below {limit:g} m/s, {year.year}"] = is_open
        rows[calendar, limit] = tuple(made)
    told = [f"weather windows: one of {len(years)} weather years for each draw, that of {_listed(years)}"]
    if len(years) == 1:
        told.append("weather windows: with one year of weather, every draw has the same wind")
    return stacked(works), {name: rows[key] for name, key in limited.items()}, told


def daily_wind(site: Site, one: WeatherYear) -> FloatArray:
    """The highest wind of the working hours of each day of a year at 10 m [m/s], (365,).

    Raises
    ------
    InputError
        The weather is constant, has no wind, or does not cover the year.
    """
    zone = ZoneInfo(site.site.location.timezone)
    days = [date(one.year, 1, 1) + timedelta(days=day) for day in range(366)]
    days = [day for day in days if day.year == one.year and (day.month, day.day) != (2, 29)]
    times = [
        datetime(day.year, day.month, day.day, hour, tzinfo=zone).astimezone(UTC)
        for day in days
        for hour in _HOURS
    ]
    if isinstance(one.source, ConstantWeather):
        what, remedy = (
            "is the same in every hour: it has no windows",
            "Name a file with wind, or take wind_limit_m_s out.",
        )
        raise InputError(Problem(what, remedy, key="weather"))
    weather = load_weather(
        one.source, start=times[0], end=times[-1] + timedelta(hours=1), base_dir=site.folder,
        elevation_m=site.site.location.elevation_m,
    )  # fmt: skip
    if weather.wind_m_s is None:
        what = f"{weather.source} has no wind, and tasks wait for it"
        raise InputError(
            Problem(what, "Name weather with a wind column, or take wind_limit_m_s out.", key="weather")
        )
    return weather.wind_m_s.at(times).reshape(len(days), len(_HOURS)).max(axis=1)


def _places(start: date) -> NDArray[np.int64]:
    """For each day from the start, its place in a year of 365 days."""
    days = [start + timedelta(days=day) for day in range(HORIZON_DAYS)]
    plain = [date(2001, day.month, day.day if (day.month, day.day) != (2, 29) else 28) for day in days]
    return np.array([(day - date(2001, 1, 1)).days for day in plain])


def _refuse_closed(
    is_open: NDArray[np.bool_], start: date, calendar: str, limit: float | None, year: int
) -> None:
    gap, at = longest_gap(is_open)
    if gap > _LONGEST_GAP:
        what = f"leaves no working day of {calendar} from {start + timedelta(days=at)} for {gap} days in the wind of {year}"
        raise InputError(
            Problem(what, "Raise it, or give the calendar more days.", key="wind_limit_m_s", value=limit)
        )


def _listed(years: Sequence[WeatherYear]) -> str:
    return ", ".join(str(one.year) for one in years)
