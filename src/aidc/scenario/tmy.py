"""Readers of typical years: TMY2, TMY3, EPW.

TMY2: Marion and Urban, User's Manual for TMY2s, NREL, 1995, table 3-2 (column positions).
TMY3: Wilcox and Marion, NREL/TP-581-43156, 2008, table 1-2.
EPW: EnergyPlus Auxiliary Programs, "EnergyPlus Weather File (EPW) Data Dictionary".
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np

from aidc.errors import InputError, Problem
from aidc.scenario.series import FloatArray
from aidc.scenario.table import numbers, read_text, table_of
from aidc.scenario.typical import HOURS, TypicalYear, laid_out

__all__ = ["read_epw", "read_tmy2", "read_tmy3", "shipped_file"]


@dataclass(frozen=True, slots=True)
class _Quantity:
    """Where a quantity stands, what makes it SI, its range as written, and from where it means "missing"."""

    place: str | int | slice
    factor: float
    low: float
    high: float
    missing: float


class _Station(NamedTuple):
    name: str
    latitude_deg: float
    longitude_deg: float
    elevation_m: float
    utc_offset_h: float


_TMY3: Mapping[str, _Quantity] = {
    "dry_bulb_c": _Quantity("Dry-bulb (C)", 1.0, -90.0, 70.0, 999.0),
    "relative_humidity_percent": _Quantity("RHum (%)", 1.0, 0.0, 110.0, 999.0),
    "pressure_pa": _Quantity("Pressure (mbar)", 100.0, 300.0, 1200.0, 9999.0),
    "wind_m_s": _Quantity("Wspd (m/s)", 1.0, 0.0, 120.0, 999.0),
    "ghi_w_m2": _Quantity("GHI (W/m^2)", 1.0, 0.0, 2000.0, 9999.0),
    "dni_w_m2": _Quantity("DNI (W/m^2)", 1.0, 0.0, 2000.0, 9999.0),
    "dhi_w_m2": _Quantity("DHI (W/m^2)", 1.0, 0.0, 2000.0, 9999.0),
    "cloud_cover_percent": _Quantity("TotCld (tenths)", 10.0, 0.0, 10.0, 99.0),
}
_TMY2: Mapping[str, _Quantity] = {
    "dry_bulb_c": _Quantity(slice(67, 71), 0.1, -900.0, 700.0, 9999.0),
    "relative_humidity_percent": _Quantity(slice(79, 82), 1.0, 0.0, 110.0, 999.0),
    "pressure_pa": _Quantity(slice(84, 88), 100.0, 300.0, 1200.0, 9999.0),
    "wind_m_s": _Quantity(slice(95, 98), 0.1, 0.0, 600.0, 999.0),
    "ghi_w_m2": _Quantity(slice(17, 21), 1.0, 0.0, 2000.0, 9999.0),
    "dni_w_m2": _Quantity(slice(23, 27), 1.0, 0.0, 2000.0, 9999.0),
    "dhi_w_m2": _Quantity(slice(29, 33), 1.0, 0.0, 2000.0, 9999.0),
    "cloud_cover_percent": _Quantity(slice(59, 61), 10.0, 0.0, 10.0, 99.0),
}
_EPW: Mapping[str, _Quantity] = {
    "dry_bulb_c": _Quantity(6, 1.0, -90.0, 70.0, 99.9),
    "relative_humidity_percent": _Quantity(8, 1.0, 0.0, 110.0, 999.0),
    "pressure_pa": _Quantity(9, 1.0, 30_000.0, 120_000.0, 999_999.0),
    "ghi_w_m2": _Quantity(13, 1.0, 0.0, 2000.0, 9999.0),
    "dni_w_m2": _Quantity(14, 1.0, 0.0, 2000.0, 9999.0),
    "dhi_w_m2": _Quantity(15, 1.0, 0.0, 2000.0, 9999.0),
    "wind_m_s": _Quantity(21, 1.0, 0.0, 120.0, 999.0),
    "cloud_cover_percent": _Quantity(22, 10.0, 0.0, 10.0, 99.0),
}
_EPW_HEADER_LINES = 8
_TMY2_LINE = 98  # characters up to the wind speed


def shipped_file(name: str) -> Path:
    """A weather file inside the installed pvlib, without importing it.

    Raises
    ------
    InputError
        pvlib or the file is not there.
    """
    spec = find_spec("pvlib")
    if spec is not None and spec.origin is not None:
        path = Path(spec.origin).parent / "data" / name
        if path.parent.name == "data" and path.is_file():
            return path
    raise InputError(
        Problem(
            "is not in the installed pvlib", "Reinstall pvlib, or give `file`.", key="shipped", value=name
        )
    )


def read_tmy3(path: Path) -> TypicalYear:
    """Read a TMY3 file: a station line, a header, 8,760 rows."""
    text = read_text(path)
    table = table_of(path, text, skip_lines=1)
    line = _cells(text.partition("\n")[0])
    station = _station(path, line, name=1, latitude=4, longitude=5, utc_offset=3, elevation=6)
    needed = ("dry_bulb_c", "relative_humidity_percent")  # SolarAnywhere's TMY3 has fewer columns than NREL's
    cells = {
        name: table.text(str(quantity.place))
        for name, quantity in _TMY3.items()
        if name in needed or quantity.place in table.columns
    }
    stamps = zip(table.text("Date (MM/DD/YYYY)"), table.text("Time (HH:MM)"), strict=True)
    when = [
        (*_whole(path, line, day.split("/")[:2], 2), *_whole(path, line, clock.split(":")[:1], 1))
        for line, (day, clock) in zip(table.lines, stamps, strict=True)
    ]
    return _year(path, station, cells, table.lines, _TMY3, when)


def read_tmy2(path: Path) -> TypicalYear:
    """Read a TMY2 file: a station line and 8,760 lines of fixed columns."""
    head, *body = read_text(path).splitlines()
    rows = [(number, line) for number, line in enumerate(body, 2) if line.strip()]
    short = [number for number, line in rows if len(line) < _TMY2_LINE]
    words = head[37:].split()  # N 25 48 W  80 16     2
    if short or len(words) != 7:
        place = f"line {short[0]}" if short else "line 1"
        raise InputError(Problem("is not a TMY2 line", "Give an unchanged TMY2 file.", path, place))
    degrees = [_degrees(words[:3]), _degrees(words[3:6])]
    line = [head[7:29].strip(), *degrees, head[33:36].strip(), words[6]]
    station = _station(path, line, name=0, latitude=1, longitude=2, utc_offset=3, elevation=4)
    cells = {
        name: [line[quantity.place].strip() for _, line in rows]
        for name, quantity in _TMY2.items()
        if isinstance(quantity.place, slice)
    }
    when = [_whole(path, number, [line[3:5], line[5:7], line[7:9]], 3) for number, line in rows]
    return _year(path, station, cells, [number for number, _ in rows], _TMY2, when)


def read_epw(path: Path) -> TypicalYear:
    """Read an EnergyPlus weather file: eight header lines, then hours that are laid by their own dates."""
    lines = read_text(path).splitlines()
    station = _station(path, _cells(lines[0]), name=1, latitude=6, longitude=7, utc_offset=8, elevation=9)
    _one_an_hour(path, lines)
    numbered = [(number, line.split(",")) for number, line in enumerate(lines, 1) if line.strip()]
    rows = numbered[_EPW_HEADER_LINES:]
    for number, row in rows:
        if len(row) < 23:
            raise InputError(
                Problem(
                    f"has {len(row)} fields, not 35", "Give an unchanged EPW file.", path, f"line {number}"
                )
            )
    cells = {
        name: [row[quantity.place].strip() for _, row in rows]
        for name, quantity in _EPW.items()
        if isinstance(quantity.place, int)
    }
    when = [_whole(path, number, row[1:4], 3) for number, row in rows]
    return _year(path, station, cells, [number for number, _ in rows], _EPW, when)


def _one_an_hour(path: Path, lines: Sequence[str]) -> None:
    """Refuse files that give several rows an hour: `DATA PERIODS,1,4,…`."""
    for number, line in enumerate(lines[:_EPW_HEADER_LINES], 1):
        cells = [cell.strip() for cell in line.split(",")]
        if cells[0].upper() == "DATA PERIODS" and len(cells) > 2 and cells[2] not in ("", "1"):
            what = (
                "gives several rows an hour"
                if cells[2].isdigit()
                else "does not say how many rows an hour has"
            )
            raise InputError(
                Problem(
                    what, "Give an hourly EPW file, or the series as CSV.", path, f"line {number}", cells[2]
                )
            )


def _whole(path: Path, line: int, cells: Sequence[str], count: int) -> tuple[int, ...]:
    """Whole numbers of a date; `1` and `1.0` are one."""
    try:
        values = [float(cell) for cell in cells]
    except ValueError:
        values = []
    if len(values) != count or any(value != int(value) for value in values if abs(value) < 1e6):
        raise InputError(Problem("has no date", "Correct the line.", path, f"line {line}", list(cells)))
    return tuple(int(max(-1, min(value, 99))) for value in values)


def _degrees(words: Sequence[str]) -> str:
    """`S 25 48` as decimal degrees; left as it is where it does not read so."""
    try:
        size = int(words[1]) + int(words[2]) / 60.0
    except ValueError:
        return " ".join(words)
    return str(-size if words[0] in ("S", "W") else size)


def _year(
    path: Path,
    station: _Station,
    cells: Mapping[str, Sequence[str]],
    lines: Sequence[int],
    quantities: Mapping[str, _Quantity],
    when: Sequence[tuple[int, ...]],
) -> TypicalYear:
    if not HOURS - 24 <= len(lines) <= HOURS + 24:
        raise InputError(Problem(f"has {len(lines)} hours", "A typical year has 8,760.", path))
    columns = {
        name: _column(path, name, cells[name], lines, quantity)
        for name, quantity in quantities.items()
        if name in cells
    }
    notes: list[str] = []
    dates = [(month, day, hour) for month, day, hour in when]
    hours = {hour for _, _, hour in dates}
    if 0 in hours and 24 not in hours:
        if dates[0][2] == 0:  # counted from 0 to 23, each the hour that begins then
            dates = [(month, day, hour + 1) for month, day, hour in dates]
            notes.append("counts its hours from 0 to 23; each is read as the hour that begins then")
        else:  # midnight is 00:00 of the next day
            dates = [one if one[2] else (*_day_before(*one[:2]), 24) for one in dates]
    laid, more = laid_out(str(path), dates, lines, columns)
    return TypicalYear(str(path), *station, columns=laid, notes=(*notes, *more))


def _day_before(month: int, day: int) -> tuple[int, int]:
    """The day before, of a year without 29 February."""
    try:
        before = date(2001, month, day) - timedelta(days=1)
    except ValueError:
        return month, day - 1
    return before.month, before.day


def _column(
    path: Path, name: str, cells: Sequence[str], lines: Sequence[int], quantity: _Quantity
) -> FloatArray:
    values = numbers(cells, lines, path, name, -1e7, 1e7, empty=True)
    values = np.where((values >= quantity.missing) | (values <= -999.0), np.nan, values)
    wrong = np.flatnonzero((values < quantity.low) | (values > quantity.high))
    if wrong.size:
        row = int(wrong[0])
        raise InputError(
            Problem(
                f"lies outside {quantity.low:g} to {quantity.high:g}",
                "Correct the value.",
                path,
                f"line {lines[row]}, {name}",
                cells[row],
            )
        )
    return values * quantity.factor


def _station(
    path: Path,
    cells: Sequence[str],
    *,
    name: int,
    latitude: int,
    longitude: int,
    utc_offset: int,
    elevation: int,
) -> _Station:
    ranges = ((latitude, 90.0), (longitude, 180.0), (elevation, 9000.0), (utc_offset, 14.0))
    if len(cells) <= max(place for place, _ in ranges):
        raise InputError(
            Problem("has no station in its first line", "Give an unchanged file.", path, "line 1")
        )
    places = [numbers([cells[at].strip()], [1], path, "station", -size, size)[0] for at, size in ranges]
    return _Station(cells[name].strip(), *(float(place) for place in places))


def _cells(line: str) -> list[str]:
    try:
        return next(csv.reader(io.StringIO(line)), [])
    except csv.Error:
        return []
