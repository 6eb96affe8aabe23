"""Typical years: 8,760 hours without a calendar year, moved to the years of a run.

Files give hour h of a local-standard-time day as the hour that ends at h: what is instantaneous
(temperature, humidity, pressure, wind, cloud) is read at that instant, irradiance is the mean over
that hour (Wilcox and Marion, Users Manual for TMY3 Data Sets, NREL/TP-581-43156, 2008, table 1-1).
29 February repeats 28 February.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import numpy as np

from aidc.clock import as_utc
from aidc.errors import InputError, Problem
from aidc.scenario.regular import LONGEST_GAP_S
from aidc.scenario.series import FloatArray, Series

__all__ = ["HOURS", "MEANS", "TypicalYear", "laid_on"]

HOURS = 8760
MEANS = ("ghi_w_m2", "dni_w_m2", "dhi_w_m2")  # quantities that are means over the hour before
_FEB_28, _MAR_1 = 58 * 24, 59 * 24


@dataclass(frozen=True, slots=True)
class TypicalYear:
    """Columns of a typical year (NaN = missing) and where it was measured."""

    source: str
    station: str
    latitude_deg: float
    longitude_deg: float
    elevation_m: float
    utc_offset_h: float
    columns: Mapping[str, FloatArray]  # (8760,) each


def laid_on(year: TypicalYear, start: datetime, end: datetime) -> dict[str, Series]:
    """The year's columns as series that cover [start, end), in every calendar year that it touches.

    A column that is missing throughout is left out; up to three missing hours are interpolated.
    """
    offset = timedelta(hours=year.utc_offset_h)
    first = (as_utc(start) + offset).year
    last = (as_utc(end) + offset).year
    begin = datetime(first, 1, 1, tzinfo=UTC) - offset
    hours = np.concatenate([_hours_of(calendar_year) for calendar_year in range(first, last + 1)])
    series: dict[str, Series] = {}
    for name, column in year.columns.items():
        if np.isnan(column).all():
            continue
        whole, repairs = _bridged(year.source, name, column)
        values = whole[hours]
        hour = Fraction(3600)
        if name not in MEANS:  # instants from 01:00 on; midnight before is the last hour of the year
            values = np.concatenate((whole[-1:], values))
        hold = "mean" if name in MEANS else "linear"
        series[name] = Series(begin, hour, values, hold, source=year.source, repairs=repairs)
    return series


def _hours_of(calendar_year: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The typical year's hours in the order of a calendar year."""
    plain = np.arange(HOURS)
    leap = calendar_year % 4 == 0 and (calendar_year % 100 != 0 or calendar_year % 400 == 0)
    return np.concatenate((plain[:_MAR_1], plain[_FEB_28:_MAR_1], plain[_MAR_1:])) if leap else plain


def _bridged(source: str, name: str, column: FloatArray) -> tuple[FloatArray, tuple[str, ...]]:
    missing = np.isnan(column)
    if not missing.any():
        return column, ()
    edges = np.flatnonzero(np.diff(np.concatenate(([False], missing, [False]))))
    longest = int((edges[1::2] - edges[::2]).max())
    if longest * 3600 > LONGEST_GAP_S:
        raise InputError(
            Problem(
                f"lacks {longest} hours in a row",
                "Fill the gap, or use another file.",
                source,
                f"column {name}",
            )
        )
    known = np.flatnonzero(~missing)
    filled = np.interp(np.arange(HOURS), known, column[known], period=HOURS)
    return filled, (f"{source}, {name}: {np.count_nonzero(missing)} missing hours interpolated",)
