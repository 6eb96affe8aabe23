"""Weather from a table: which column is which quantity, in what unit, and what its rows stand for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

import numpy as np

from aidc.errors import InputError, Problem
from aidc.scenario.humidity import (
    dew_point_humidity,
    dry_bulb_k,
    pressure_at_elevation_pa,
    relative_humidity,
    wet_bulb_k,
)
from aidc.scenario.layouts import Role, column_for, read_layout
from aidc.scenario.meaning import meaning_of_irradiance
from aidc.scenario.regular import Grid, regular, repeated
from aidc.scenario.series import FloatArray, Series
from aidc.scenario.table import Station, Table
from aidc.scenario.timeparse import MicroArray, from_micro, laid_times
from aidc.scenario.weather_names import IRRADIANCE, column_in_unit, quantities_of
from aidc.schema.source import Meaning
from aidc.schema.weather import CsvWeather
from aidc.units import KELVIN_AT_0C

__all__ = ["Read", "read_weather_table"]

_WET_ABOVE_DRY_K: Final = 0.5  # what rounding and two instruments explain


@dataclass(frozen=True, slots=True)
class Read:
    """Series of each quantity, in the unit of its name, and where they were measured, if the file tells."""

    series: Mapping[str, Series]
    station: Station | None


def read_weather_table(
    spec: CsvWeather,
    path: Path,
    start: datetime,
    end: datetime,
    elevation_m: float,
    sun_at: tuple[float, float] | None,
) -> Read:
    """Read a weather table for a run; `sun_at` is the place [°N, °E] whose sun may tell what rows mean.

    `path` is the file of `spec`, the run lasts from `start` to `end`, and `elevation_m` is the site's height above
    sea level [m].

    Raises
    ------
    InputError
        Columns are missing or not credible, or the file does not cover the run.
    """
    table = read_layout(path)
    notes = list(table.notes)
    chosen = _enough(spec, table, _chosen(spec, table))
    columns = {
        name: column_in_unit(table, name, column, notes, spec.units.get(name))[0]
        for name, column in chosen.items()
    }
    if spec.relative_humidity_percent is not None and "relative_humidity_percent" not in columns:
        columns["relative_humidity_percent"] = np.full(len(table), spec.relative_humidity_percent)
    time = spec.time_column or column_for(table, Role.TIME, "time_utc", "time_column")
    times = laid_times(table, time, spec.start, start, time_unit=spec.time_unit, timezone=spec.timezone)
    _wet_below_dry(table, times, columns, notes)
    meaning = _irradiance(spec, table, times, columns, sun_at, notes)
    names = dict.fromkeys((*columns, "dry_bulb_c", "wet_bulb_c", "relative_humidity_percent", "pressure_pa"))
    meanings: dict[str, Meaning] = {
        name: spec.meanings.get(name, _default(name, table, meaning)) for name in names
    }
    grid = regular(path, times, columns, meanings=meanings)
    height = spec.elevation_m if spec.elevation_m is not None else elevation_m
    if spec.elevation_m is None and table.station is not None and table.station.elevation_m is not None:
        height = table.station.elevation_m
    grid = _completed(grid, height, notes)
    grid = replace(grid, repairs=(*notes, *grid.repairs))
    found = {name: grid.series(name, meanings[name]) for name in grid.columns}
    if spec.repeat:
        found = {name: repeated(one, start, end) for name, one in found.items()}
    found["dry_bulb_c"].window(start, end)  # refuses where the file does not cover the run
    return Read(found, table.station)


def _chosen(spec: CsvWeather, table: Table) -> dict[str, str]:
    return {**quantities_of(table), **spec.columns}


def _enough(spec: CsvWeather, table: Table, chosen: dict[str, str]) -> dict[str, str]:
    temps = "dry_bulb_c" in chosen, "wet_bulb_c" in chosen
    humid = "relative_humidity_percent" in chosen or spec.relative_humidity_percent is not None
    if all(temps) or (any(temps) and humid) or (temps[0] and "dew_point_c" in chosen):
        return chosen
    raise InputError(
        Problem(
            "gives too little to know temperature and humidity",
            "Needed: dry bulb and humidity, or dry bulb and wet bulb or dew point, or one bulb and a constant"
            ' `relative_humidity_percent`. Name columns with `columns = { dry_bulb_c = "…" }`.',
            table.path,
            "header",
            list(table.columns),
        )
    )


def _default(name: str, table: Table, irradiance: Meaning | None) -> Meaning:
    if name in IRRADIANCE and irradiance is not None:
        return irradiance
    return table.meanings.get(name, "instant")


def _irradiance(
    spec: CsvWeather,
    table: Table,
    times: MicroArray,
    columns: Mapping[str, FloatArray],
    sun_at: tuple[float, float] | None,
    notes: list[str],
) -> Meaning | None:
    """What a row of irradiance stands for: as stated, as the layout says, as the sun tells, or the usual."""
    parts = {name: columns[name] for name in IRRADIANCE if name in columns}
    if not parts:
        return None
    stated = spec.meanings.get("irradiance")
    if stated is not None:
        return stated
    defined: Meaning | None = next((table.meanings[name] for name in parts if name in table.meanings), None)
    if defined is not None:
        return defined
    place = (table.station.latitude_deg, table.station.longitude_deg) if table.station else sun_at
    if place is not None:
        order = np.argsort(times, kind="stable")
        told = meaning_of_irradiance(times[order], {k: v[order] for k, v in parts.items()}, *place)
        if told is not None:
            notes.append(
                f"irradiance is {_WORDS[told]}, as the place of the sun tells; `meanings` says otherwise"
            )
            return told
        notes.append(
            f"irradiance is taken as {_WORDS['mean-before']}, as most services give it; `meanings` says otherwise"
        )
    return "mean-before"


_WORDS: Final[Mapping[Meaning, str]] = {
    "mean-before": "the mean of the period before each time",
    "mean-after": "the mean of the period after each time",
    "holds": "the mean of the period after each time",
    "instant": "an instant at each time",
}


def _wet_below_dry(table: Table, times: MicroArray, columns: dict[str, FloatArray], notes: list[str]) -> None:
    """A wet bulb (or dew point) above the dry bulb is refused beyond rounding, and lowered with a word within."""
    dry = columns.get("dry_bulb_c")
    if dry is None:
        return
    for name in ("wet_bulb_c", "dew_point_c"):
        if name not in columns:
            continue
        over = np.nan_to_num(columns[name] - dry)
        worst = int(np.argmax(over))
        if over[worst] > _WET_ABOVE_DRY_K:
            word = "wet bulb" if name == "wet_bulb_c" else "dew point"
            raise InputError(
                Problem(
                    f"has a {word} {over[worst]:.3g} K above the dry bulb at {from_micro(int(times[worst])):%Y-%m-%d %H:%MZ}"
                    f" ({np.count_nonzero(over > _WET_ABOVE_DRY_K)} rows), which no air has",
                    "Check which column is which, and their units.",
                    table.path,
                    f"line {table.lines[worst]}",
                    float(columns[name][worst]),
                )
            )
        if over[worst] > 0:
            count = np.count_nonzero(over > 0)
            notes.append(
                f"{count} values of {name} lay up to {over[worst]:.2g} K above the dry bulb; set to it"
            )
            columns[name] = np.where(over > 0, dry, columns[name])


def _completed(grid: Grid, elevation_m: float, notes: list[str]) -> Grid:
    """Dry bulb, wet bulb, humidity and pressure, each from the others where the file lacks it."""
    columns = dict(grid.columns)
    if "pressure_pa" not in columns:
        standard = pressure_at_elevation_pa(elevation_m)
        size = len(next(iter(columns.values())))
        columns["pressure_pa"] = np.full(size, standard)
        notes.append(f"no pressure; standard atmosphere at {elevation_m:g} m, {standard / 100:.0f} hPa")
    pressure = columns["pressure_pa"]
    if "dry_bulb_c" not in columns:
        wet = columns["wet_bulb_c"] + KELVIN_AT_0C
        humidity = np.clip(columns["relative_humidity_percent"] / 100.0, 0.01, 1.0)
        columns["dry_bulb_c"] = dry_bulb_k(wet, humidity, pressure) - KELVIN_AT_0C
        notes.insert(0, "dry bulb worked out from wet bulb and relative humidity")
    dry = columns["dry_bulb_c"] + KELVIN_AT_0C
    dew = columns.pop("dew_point_c", None)
    if "wet_bulb_c" in columns:
        wet = columns["wet_bulb_c"] + KELVIN_AT_0C
        columns["relative_humidity_percent"] = 100.0 * relative_humidity(dry, wet, pressure)
        return replace(grid, columns=columns)
    if "relative_humidity_percent" not in columns and dew is not None:
        columns["relative_humidity_percent"] = 100.0 * dew_point_humidity(dry, dew + KELVIN_AT_0C)
        notes.append("relative humidity worked out from dry bulb and dew point")
    share = np.clip(columns["relative_humidity_percent"] / 100.0, 0.0, 1.0)
    columns["relative_humidity_percent"] = 100.0 * share
    columns["wet_bulb_c"] = wet_bulb_k(dry, share, pressure) - KELVIN_AT_0C
    return replace(grid, columns=columns)
