"""Rows with a date on the file's own fixed clock, as published weather has them: to a table, or a typical year."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np

from aidc.errors import InputError, Problem
from aidc.scenario.humidity import dew_point_humidity
from aidc.scenario.series import FloatArray
from aidc.scenario.table import Station, Table
from aidc.scenario.typical import TypicalYear, laid_out
from aidc.scenario.weather_names import IRRADIANCE, column_in_unit, quantities_of
from aidc.schema.source import Meaning
from aidc.units import KELVIN_AT_0C

__all__ = ["Stamped", "day_month_year", "month_day_year"]

_FAR = timedelta(days=40)


@dataclass(frozen=True, slots=True)
class Stamped:
    """What a weather file says, row by row.

    Parameters
    ----------
    layout
        Name of the published layout.
    station
        Where, and the offset of the file's clock.
    stamps
        Year, month, day, hour and minute of each row on that clock.
    columns
        Cells by a name with its unit.
    irradiance
        What a row of irradiance stands for.
    irradiance_offset_h
        How much later than the row's time irradiance was taken [h].
    typical
        Months of different years, whatever the stamps say.
    """

    path: Path
    layout: str
    station: Station
    stamps: Sequence[tuple[int, int, int, int, int]]
    lines: Sequence[int]
    columns: Mapping[str, Sequence[str]]
    irradiance: Meaning
    irradiance_offset_h: float = 0.0
    typical: bool = False
    notes: tuple[str, ...] = field(default=())

    @property
    def is_typical(self) -> bool:
        """Whether the rows are months of different years."""
        if self.typical:
            return True
        days = [self._moment(row, hour=False) for row in range(0, len(self.stamps), 24)]
        steps = [later - earlier for earlier, later in pairwise(days)]
        return any(step < timedelta(0) or step > _FAR for step in steps)

    def table(self) -> Table:
        """The rows as a table with times in UTC."""
        offset = timedelta(hours=self.station.utc_offset_h)
        times = [self._moment(row) - offset for row in range(len(self.stamps))]
        cells = [f"{time:%Y-%m-%dT%H:%M:%SZ}" for time in times]
        table = Table(self.path, {"time_utc": cells, **self.columns}, self.lines, self.layout)
        names = quantities_of(table)
        sun: dict[str, Meaning] = {name: self.irradiance for name in names if name in IRRADIANCE}
        hours = self.station.utc_offset_h
        zone = "UTC" if hours == 0 else f"UTC{hours:+g} h, made UTC"
        return Table(
            self.path,
            table.columns,
            self.lines,
            self.layout,
            zone,
            sun,
            self.station,
            self.notes,
        )

    def year(self) -> TypicalYear:
        """The rows as a typical year.

        Raises
        ------
        InputError
            Rows that are not one an hour, or figures that are not credible.
        """
        minutes = {stamp[4] for stamp in self.stamps}
        if len(minutes) != 1:
            raise InputError(
                Problem("is a typical year of more than one row an hour", "Give the hourly file.", self.path)
            )
        minute = minutes.pop()
        dates = [(month, day, hour + 1) for _, month, day, hour, _ in self.stamps]
        ends = self.irradiance == "mean-before" and minute == 0
        if ends:  # stamped at the end of each hour: midnight closes the day before
            dates = [_hour_before(*stamp[:4]) for stamp in self.stamps]
        table = self.table()
        names = quantities_of(table)
        values = {name: column_in_unit(table, name, column, [])[0] for name, column in names.items()}
        dew = values.pop("dew_point_c", None)
        if "relative_humidity_percent" not in values and dew is not None:
            share = dew_point_humidity(values["dry_bulb_c"] + KELVIN_AT_0C, dew + KELVIN_AT_0C)
            values["relative_humidity_percent"] = 100.0 * share
        laid, notes = laid_out(str(self.path), dates, self.lines, values)
        own = ("dry_bulb_c", "relative_humidity_percent")
        blank: FloatArray = np.full(len(next(iter(laid.values()))), np.nan)
        columns: Mapping[str, FloatArray] = {**dict.fromkeys(own, blank), **laid}
        at_h = 1.0 if ends else minute / 60.0
        lasting = self.irradiance != "instant"
        return TypicalYear(
            str(self.path),
            self.station.name or self.layout,
            self.station.latitude_deg,
            self.station.longitude_deg,
            self.station.elevation_m or 0.0,
            self.station.utc_offset_h,
            columns,
            (*self.notes, *notes),
            instant_h=at_h,
            irradiance_h=None if lasting else at_h + self.irradiance_offset_h,
        )

    def _moment(self, row: int, *, hour: bool = True) -> datetime:
        year, month, day, hours, minute = self.stamps[row]
        try:
            midnight = datetime(year, month, day)  # noqa: DTZ001  the file's own clock
            return midnight + timedelta(hours=hours if hour else 0, minutes=minute if hour else 0)
        except (ValueError, OverflowError) as error:
            place = f"line {self.lines[row]}"
            raise InputError(
                Problem(
                    "has no date of any calendar", "Correct the line.", self.path, place, self.stamps[row]
                )
            ) from error


def _hour_before(year: int, month: int, day: int, hour: int) -> tuple[int, int, int]:
    """Month, day and hour (1 to 24) of the hour that ends at a time."""
    if hour > 0:
        return month, day, hour
    before = datetime(year if month != 3 or day != 1 else 2001, month, day) - timedelta(days=1)  # noqa: DTZ001
    return before.month, before.day, 24


def month_day_year(text: str) -> tuple[int, int, int]:
    """`7/31/2025` or `2025-07-31` as year, month, day."""
    if "-" in text:
        year, month, day = (int(part) for part in text.split("-"))
    else:
        month, day, year = (int(part) for part in text.split("/"))
    return year, month, day


def day_month_year(text: str) -> tuple[int, int, int]:
    """`31.07.2025`, `31/07/2025` or `2025-07-31` as year, month, day."""
    if "-" in text:
        year, month, day = (int(part) for part in text.split("-"))
    else:
        day, month, year = (int(part) for part in text.replace("/", ".").split("."))
    return year, month, day
