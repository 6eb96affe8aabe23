"""Layouts of weather: Open-Meteo, NSRDB PSM3 and PSM4, PVGIS, SolarAnywhere.

Open-Meteo: open-meteo.com/en/docs (radiation is the mean of the preceding hour; times follow one fixed offset).
NSRDB: developer.nrel.gov/docs/solar/nsrdb and SAM's "Standard Time Series Data File Format" (two lines of facts,
a header, rows; values are instants at their minute). PVGIS: JRC, "PVGIS typical meteorological year generator"
(UTC; irradiance is taken `Irradiance Time Offset` later). SolarAnywhere: "Historical data file formats" (means
of the period that ends at the time, -999 for missing).
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from aidc.errors import InputError, Problem
from aidc.scenario.layouts import Layout, document_of
from aidc.scenario.stamped import Stamped, month_day_year
from aidc.scenario.table import Station, Table, table_of
from aidc.scenario.weather_names import quantities_of
from aidc.schema.source import Meaning

__all__ = ["LAYOUTS", "stamped_of"]

_MINUTELY: Final = "minutely_15"


# ---- Open-Meteo ------------------------------------------------------------------------------------


def _is_open_meteo(head: str) -> bool:
    if head[:1] in "[{":
        return '"utc_offset_seconds"' in head and '"latitude"' in head
    first = head.partition("\n")[0].strip().lower().lstrip("\ufeff")
    return "latitude,longitude,elevation,utc_offset_seconds" in first


def _open_meteo(path: Path, text: str, _: str | None) -> Table:
    if text.lstrip()[:1] in "[{":
        return _open_meteo_json(path, text)
    lines = text.splitlines()
    facts = dict(zip(_cells(lines[0]), _cells(lines[1]), strict=False))
    if len(lines) > 2 and lines[2].strip():
        raise InputError(Problem("holds several places", "Ask for one place at a time.", path, "line 3"))
    starts = [n for n, line in enumerate(lines) if n > 1 and line.strip() and not lines[n - 1].strip()]
    best: Table | None = None
    for start in starts:  # sections, parted by empty lines: current, 15 minutes, hourly, daily
        end = next((n for n in range(start, len(lines)) if not lines[n].strip()), len(lines))
        if end - start < 3 or not lines[start].lower().startswith("time,"):
            continue
        part = table_of(path, "\n" * start + "\n".join(lines[start:end]) + "\n", start)
        if best is None or len(quantities_of(part)) > len(quantities_of(best)):
            best = part
    if best is None:
        raise InputError(Problem("has no rows of an hourly table", "Ask for hourly variables.", path))
    return _of_open_meteo(best, facts, "time")


def _open_meteo_json(path: Path, text: str) -> Table:
    document = document_of(path, text)
    if isinstance(document, list):
        raise InputError(Problem("holds several places", "Ask for one place at a time.", path))
    kinds = [kind for kind in (_MINUTELY, "hourly") if isinstance(document.get(kind), dict)]
    if not kinds:
        raise InputError(Problem("has no hourly table", "Ask for hourly variables.", path))
    kind = kinds[-1]
    units: Mapping[str, str] = document.get(f"{kind}_units", {})
    columns = {
        (name if name == "time" else f"{name} ({units.get(name, '')})"): [
            "" if cell is None else str(cell) for cell in cells
        ]
        for name, cells in document[kind].items()
    }
    sizes = {len(cells) for cells in columns.values()}
    if len(sizes) != 1 or "time" not in columns:
        raise InputError(Problem("has lists of different lengths", "Give an unchanged file.", path, kind))
    table = Table(path, columns, list(range(1, sizes.pop() + 1)))
    return _of_open_meteo(table, {name: str(value) for name, value in document.items()}, "time")


def _of_open_meteo(table: Table, facts: Mapping[str, str], time: str) -> Table:
    offset_s = float(facts.get("utc_offset_seconds") or 0)
    sign = "-" if offset_s < 0 else "+"
    zone = f"{sign}{int(abs(offset_s)) // 3600:02d}:{int(abs(offset_s)) % 3600 // 60:02d}"
    cells = [cell if cell.isdigit() or "+" in cell else f"{cell}{zone}" for cell in table.columns[time]]
    rest = {name: column for name, column in table.columns.items() if name not in (time, "location_id")}
    names = quantities_of(table)
    sun: dict[str, Meaning] = {
        name: "mean-before" for name in names if name in ("ghi_w_m2", "dni_w_m2", "dhi_w_m2")
    }
    height = facts.get("elevation", "")
    station = Station(
        float(facts["latitude"]),
        float(facts["longitude"]),
        None if height in ("", "NaN", "None", "null") else float(height),
        utc_offset_h=offset_s / 3600,
    )
    told = f"{facts.get('timezone', 'GMT')}, UTC{offset_s / 3600:+g} h throughout"
    return replace(
        table,
        columns={"time": cells, **rest},
        layout="Open-Meteo",
        zone=told,
        meanings=sun,
        station=station,
    )


# ---- NSRDB -----------------------------------------------------------------------------------------

_PSM: Final[
    Mapping[str, tuple[tuple[str, ...], str, str]]
] = {  # our name, theirs, the key and default of the unit
    "temperature": (("Temperature", "Air Temperature", "Tdry"), "Temperature Units", "c"),
    "dew_point": (("Dew Point", "Tdew"), "Dew Point Units", "c"),
    "relative_humidity": (("Relative Humidity", "RH"), "Relative Humidity Units", "%"),
    "pressure": (("Pressure", "Surface Pressure", "Pres"), "Pressure Units", "mbar"),
    "wind_speed": (("Wind Speed", "Wspd"), "Wind Speed Units", "m/s"),
    "ghi": (("GHI",), "GHI Units", "w/m2"),
    "dni": (("DNI",), "DNI Units", "w/m2"),
    "dhi": (("DHI",), "DHI Units", "w/m2"),
}


def _is_psm(head: str) -> bool:
    first = head.partition("\n")[0].lower()
    return first.startswith("source,location id") and "latitude" in first and "time zone" in first


def _psm(path: Path, text: str) -> Stamped:
    lines = text.splitlines()
    facts = dict(zip(_cells(lines[0]), _cells(lines[1]), strict=False))
    table = table_of(path, text, 2)
    columns: dict[str, Sequence[str]] = {}
    for ours, (theirs, key, usual) in _PSM.items():
        name = next((one for one in theirs if one in table.columns), None)
        if name is not None:
            columns[f"{ours} ({(facts.get(key) or usual).strip()})"] = table.columns[name]
    minute = table.columns.get("Minute", ["0"] * len(table))
    stamps = _stamps(
        table, [table.text("Year"), table.text("Month"), table.text("Day"), table.text("Hour"), minute]
    )
    name = ", ".join(part for key in ("City", "State") if (part := facts.get(key, "").strip("- ")))
    station = Station(
        float(facts["Latitude"]),
        float(facts["Longitude"]),
        float(facts["Elevation"]) if facts.get("Elevation", "").strip() else None,
        name or f"NSRDB {facts.get('Location ID', '')}".strip(),
        float(facts["Time Zone"]),
    )
    # SAM's convention for a file without minutes: the value stands for the hour that begins then
    meaning: Meaning = "instant" if "Minute" in table.columns else "mean-after"
    version = facts.get("Version", "").strip()
    label = f"NSRDB PSM{version.strip('v')[:1]}" if version[:1] in "vV" or version[:1].isdigit() else "NSRDB"
    return Stamped(path, label, station, stamps, table.lines, columns, meaning)


# ---- PVGIS -----------------------------------------------------------------------------------------

_PVGIS: Final = {
    "T2m": "temperature (C)", "RH": "relative_humidity (%)", "SP": "pressure (Pa)", "WS10m": "wind_speed (m/s)",
    "G(h)": "ghi (W/m2)", "Gb(n)": "dni (W/m2)", "Gd(h)": "dhi (W/m2)",
}  # fmt: skip


def _is_pvgis(head: str) -> bool:
    if head[:1] == "{":
        return '"outputs"' in head and ('"tmy_hourly"' in head or '"hourly"' in head) and '"location"' in head
    return head.lower().startswith("latitude (decimal degrees)")


def _pvgis(path: Path, text: str) -> Stamped:
    if text.lstrip()[:1] == "{":
        return _pvgis_json(path, text)
    lines = text.splitlines()
    head = next((n for n, line in enumerate(lines) if line.lower().startswith(("time(utc),", "time,"))), None)
    if head is None:
        raise InputError(Problem("has no table of hours", "Give an unchanged PVGIS file.", path))
    end = next((n for n in range(head, len(lines)) if not lines[n].strip()), len(lines))
    facts = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines[:head])}
    table = table_of(path, "\n" * head + "\n".join(lines[head:end]) + "\n", head)
    return _of_pvgis(table, facts, "month,year" in (line.strip().lower() for line in lines[:head]))


def _pvgis_json(path: Path, text: str) -> Stamped:
    document = document_of(path, text)
    outputs, place = document["outputs"], document["inputs"]["location"]
    kind = "tmy_hourly" if "tmy_hourly" in outputs else "hourly"
    rows: Sequence[Mapping[str, Any]] = outputs[kind]
    columns = {name: [str(row.get(name, "")) for row in rows] for name in rows[0]}
    table = Table(path, columns, list(range(1, len(rows) + 1)))
    slope = document["inputs"].get("mounting_system", {}).get("fixed", {}).get("slope", {}).get("value", "")
    facts = {
        "Latitude (decimal degrees)": str(place["latitude"]),
        "Longitude (decimal degrees)": str(place["longitude"]),
        "Elevation (m)": str(place.get("elevation", "")),
        "Irradiance Time Offset (h)": str(place.get("irradiance_time_offset", 0) or 0),
        "Slope": f"{slope} deg",
    }
    return _of_pvgis(table, facts, kind == "tmy_hourly")


def _of_pvgis(table: Table, facts: Mapping[str, str], typical: bool) -> Stamped:
    time = "time(UTC)" if "time(UTC)" in table.columns else "time"
    stamps: list[tuple[int, int, int, int, int]] = []
    for row, cell in enumerate(table.text(time)):
        day, _, clock = cell.partition(":")
        if len(day) != 8 or len(clock) != 4 or not (day + clock).isdigit():
            place = f"line {table.lines[row]}, column {time}"
            raise InputError(
                Problem(
                    "is not a time of PVGIS (20250707:1200)", "Correct the line.", table.path, place, cell
                )
            )
        stamps.append((int(day[:4]), int(day[4:6]), int(day[6:]), int(clock[:2]), int(clock[2:])))
    columns = {ours: table.columns[theirs] for theirs, ours in _PVGIS.items() if theirs in table.columns}
    notes: list[str] = []
    flat = facts.get("Slope", "").split(" ")[0] in ("0", "0.0")
    if "G(i)" in table.columns and "ghi (W/m2)" not in columns:
        if flat:
            columns["ghi (W/m2)"] = table.columns["G(i)"]
            notes.append("G(i) of a plane with slope 0 is taken as global irradiance")
        else:
            notes.append("G(i) is irradiance on a tilted plane and is left out; ask PVGIS for slope 0")
    height = facts.get("Elevation (m)", "")
    station = Station(
        float(facts["Latitude (decimal degrees)"]),
        float(facts["Longitude (decimal degrees)"]),
        float(height) if height else None,
        "PVGIS",
    )
    offset_h = float(facts.get("Irradiance Time Offset (h)", "0") or 0)
    return Stamped(
        table.path, "PVGIS", station, stamps, table.lines, columns, "instant", offset_h, typical, tuple(notes)
    )


# ---- SolarAnywhere ---------------------------------------------------------------------------------

_ANYWHERE: Final = {
    "Global Horizontal Irradiance (GHI) W/m2": "ghi (W/m2)",
    "Direct Normal Irradiance (DNI) W/m2": "dni (W/m2)",
    "Diffuse Horizontal Irradiance (DIF) W/m2": "dhi (W/m2)",
    "AmbientTemperature (deg C)": "temperature (C)",
    "WindSpeed (m/s)": "wind_speed (m/s)",
    "Wind Speed (m/s)": "wind_speed (m/s)",
    "Relative Humidity (%)": "relative_humidity (%)",
}


def _is_anywhere(head: str) -> bool:
    return "ObservationTime(LST)" in head


def _anywhere(path: Path, text: str) -> Stamped:
    facts = _cells(text.partition("\n")[0])
    table = table_of(path, text, 1)
    columns = {
        ours: ["" if cell in ("-999", "-999.0") else cell for cell in table.columns[theirs]]
        for theirs, ours in _ANYWHERE.items()
        if theirs in table.columns
    }
    stamps: list[tuple[int, int, int, int, int]] = []
    for row, cell in enumerate(table.text("ObservationTime(LST)")):
        day, _, clock = cell.partition(" ")
        try:
            hour, minute = (int(part) for part in clock.split(":")[:2])
            stamps.append((*month_day_year(day), hour, minute))
        except ValueError as error:
            place = f"line {table.lines[row]}, column ObservationTime(LST)"
            raise InputError(
                Problem("is not a time (7/31/2025 13:00)", "Correct the line.", path, place, cell)
            ) from error
    station = Station(float(facts[4]), float(facts[5]), float(facts[6]), facts[1].strip(), float(facts[3]))
    told = " ".join(facts[7:])
    middle = "middle of period" in told.lower() or "center" in told.lower()
    begins = "beginning of period" in told.lower() or "start of period" in told.lower()
    meaning: Meaning = "instant" if middle else "mean-after" if begins else "mean-before"
    return Stamped(
        path, "SolarAnywhere", station, stamps, table.lines, columns, meaning, typical="Typical" in told
    )


# ---- all -------------------------------------------------------------------------------------------


def stamped_of(path: Path, text: str) -> Stamped | None:
    """The rows of a file of these layouts that has dates on its own clock, else None."""
    head = text[:4096].lstrip()
    for matches, read in ((_is_psm, _psm), (_is_pvgis, _pvgis), (_is_anywhere, _anywhere)):
        if matches(head):
            return read(path, text)
    return None


def _table(path: Path, text: str, _: str | None) -> Table:
    found = stamped_of(path, text)
    if found is None:  # the layout matched: it cannot be
        raise ValueError("no rows")
    return found.table()


def _stamps(table: Table, cells: Sequence[Sequence[str]]) -> list[tuple[int, int, int, int, int]]:
    found: list[tuple[int, int, int, int, int]] = []
    for row, parts in enumerate(zip(*cells, strict=True)):
        try:
            year, month, day, hour, minute = (int(float(part)) for part in parts)
        except ValueError as error:
            place = f"line {table.lines[row]}"
            raise InputError(Problem("has no date", "Correct the line.", table.path, place, parts)) from error
        found.append((year, month, day, hour, minute))
    return found


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in next(csv.reader([line]), [])]


LAYOUTS: Final = (
    Layout("Open-Meteo", _is_open_meteo, _open_meteo),
    Layout("NSRDB PSM3 or PSM4", _is_psm, _table),
    Layout("PVGIS", _is_pvgis, _table),
    Layout("SolarAnywhere", _is_anywhere, _table),
)
