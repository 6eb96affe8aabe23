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
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np

from aidc.errors import InputError, Problem
from aidc.scenario.series import FloatArray
from aidc.scenario.table import numbers, read_table, read_text
from aidc.scenario.typical import HOURS, TypicalYear

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
    table = read_table(path, skip_lines=1)
    line = _cells(read_text(path).partition("\n")[0])
    station = _station(path, line, name=1, latitude=4, longitude=5, utc_offset=3, elevation=6)
    cells = {name: table.text(str(quantity.place)) for name, quantity in _TMY3.items()}
    return _year(path, station, cells, table.lines, _TMY3)


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
    return _year(path, station, cells, [number for number, _ in rows], _TMY2)


def read_epw(path: Path) -> TypicalYear:
    """Read an EnergyPlus weather file: eight header lines, 8,760 (or, leap, 8,784) hours."""
    lines = read_text(path).splitlines()
    station = _station(path, _cells(lines[0]), name=1, latitude=6, longitude=7, utc_offset=8, elevation=9)
    numbered = [(number, line.split(",")) for number, line in enumerate(lines, 1) if line.strip()]
    rows = numbered[_EPW_HEADER_LINES:]
    for number, row in rows:
        if len(row) < 23:
            raise InputError(
                Problem(
                    f"has {len(row)} fields, not 35", "Give an unchanged EPW file.", path, f"line {number}"
                )
            )
    if len(rows) == HOURS + 24:
        rows = [(number, row) for number, row in rows if (row[1].strip(), row[2].strip()) != ("2", "29")]
    cells = {
        name: [row[quantity.place].strip() for _, row in rows]
        for name, quantity in _EPW.items()
        if isinstance(quantity.place, int)
    }
    return _year(path, station, cells, [number for number, _ in rows], _EPW)


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
) -> TypicalYear:
    if len(lines) != HOURS:
        raise InputError(Problem(f"has {len(lines)} hours", "A typical year has 8,760.", path))
    columns = {
        name: _column(path, name, cells[name], lines, quantity) for name, quantity in quantities.items()
    }
    return TypicalYear(str(path), *station, columns=columns)


def _column(
    path: Path, name: str, cells: Sequence[str], lines: Sequence[int], quantity: _Quantity
) -> FloatArray:
    values = numbers(cells, lines, path, name, -1e7, 1e7, empty=True)
    values = np.where((values >= quantity.missing) | (values <= -9900.0), np.nan, values)
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
