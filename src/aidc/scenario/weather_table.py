"""Weather from a table: which column is which quantity, in what unit, and what its rows stand for."""

from __future__ import annotations

import re
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
from aidc.scenario.unitnames import Unit, weather_unit
from aidc.schema.source import Meaning
from aidc.schema.weather import CsvWeather
from aidc.units import KELVIN_AT_0C

__all__ = ["QUANTITY_NAMES", "Read", "quantities_of", "read_weather_table"]

IRRADIANCE: Final = ("ghi_w_m2", "dni_w_m2", "dhi_w_m2")
# quantity: what columns call it (without the unit), lowest and highest credible in the quantity's unit
QUANTITY_NAMES: Final[Mapping[str, tuple[tuple[str, ...], float, float]]] = {
    "dry_bulb_c": (
        ("dry_bulb", "drybulb", "temp_air", "air_temp", "air_temperature", "temperature_2m", "temperature", "temp",
         "dry_bulb_temperature", "t2m", "ambient_temperature", "temp_dry_bulb"),
        -90.0, 70.0,
    ),
    "wet_bulb_c": (
        ("temp_wet_bulb", "wet_bulb", "wetbulb", "wet_bulb_temperature", "wet_bulb_temperature_2m"), -90.0, 60.0,
    ),
    "dew_point_c": (
        ("dew_point", "dewpoint", "temp_dew", "dew_point_2m", "dewpoint_2m", "dew_point_temperature"), -90.0, 60.0,
    ),
    "relative_humidity_percent": (
        ("relative_humidity", "rh", "humidity", "relative_humidity_2m", "relativehumidity_2m"), 0.0, 110.0,
    ),
    "wind_m_s": (("wind_speed_10m", "windspeed_10m", "wind_speed", "windspeed", "wind", "ws10m"), 0.0, 120.0),
    "pressure_pa": (("surface_pressure", "station_pressure", "pressure", "sp"), 30_000.0, 120_000.0),
    "ghi_w_m2": (("ghi", "shortwave_radiation", "global_horizontal_irradiance"), 0.0, 2000.0),
    "dni_w_m2": (("dni", "direct_normal_irradiance"), 0.0, 2000.0),
    "dhi_w_m2": (("dhi", "diffuse_radiation", "diffuse_horizontal_irradiance"), 0.0, 2000.0),
    "cloud_cover_percent": (("cloud_cover", "cloudcover"), 0.0, 100.0),
}  # fmt: skip
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

    Raises
    ------
    InputError
        Columns are missing or not credible, or the file does not cover the run.
    """
    table = read_layout(path)
    notes = list(table.notes)
    chosen = _enough(spec, table, _chosen(spec, table))
    columns = {name: _column(spec, table, name, column, notes) for name, column in chosen.items()}
    if spec.relative_humidity_percent is not None and "relative_humidity_percent" not in columns:
        columns["relative_humidity_percent"] = np.full(len(table), spec.relative_humidity_percent)
    time = spec.time_column or column_for(table, Role.TIME, "time_utc", "time_column")
    times = laid_times(
        table, time, spec.start, start, time_unit=spec.time_unit, timezone=spec.timezone
    )
    _wet_below_dry(table, times, columns, notes)
    meaning = _irradiance(spec, table, times, columns, sun_at, notes)
    names = dict.fromkeys((*columns, "dry_bulb_c", "wet_bulb_c", "relative_humidity_percent", "pressure_pa"))
    meanings = {name: spec.meanings.get(name, _default(name, table, meaning)) for name in names}
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


def quantities_of(table: Table) -> dict[str, str]:
    """The columns of a table that are quantities of the weather by their names."""
    found: dict[str, str] = {}
    for quantity, (names, _, _) in QUANTITY_NAMES.items():
        for name in names:
            column = next((one for one in table.columns if _is(one, quantity, name)), None)
            if column is not None:
                found[quantity] = column
                break
    return found


def _is(column: str, quantity: str, name: str) -> bool:
    """Whether a column is called so: the name alone, or with a unit that the quantity has."""
    plain = re.sub(r"[^a-z0-9%²]+", "_", column.lower().replace("°", "deg")).strip("_")
    if plain == name:
        return True
    return plain.startswith(f"{name}_") and weather_unit(quantity, plain[len(name) + 1 :]) is not None and (
        _only_unit(quantity, plain[len(name) + 1 :])
    )


def _only_unit(quantity: str, tail: str) -> bool:
    """`f` and `deg_f` are nothing but a unit; `min_f` says more."""
    words = tail.split("_")
    return all(weather_unit(quantity, "_".join(words[at:])) is not None for at in range(len(words) - 1)) or len(
        words
    ) == 1


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


def _column(spec: CsvWeather, table: Table, quantity: str, column: str, notes: list[str]) -> FloatArray:
    """A column in the unit of its quantity."""
    low, high = QUANTITY_NAMES[quantity][1:]
    stated = spec.units.get(quantity)
    unit = weather_unit(quantity, stated) if stated is not None else weather_unit(quantity, column)
    if stated is not None and unit is None:
        raise InputError(
            Problem("is not a known unit of it", "Write C, F, K, m/s, km/h, mph, kn, Pa, hPa, % or the like.",
                    key=f"units.{quantity}", value=stated)
        )  # fmt: skip
    known = unit is not None
    unit = unit or Unit("", 1.0)
    bounds = ((low - unit.offset) / unit.factor, (high - unit.offset) / unit.factor)
    try:
        raw = table.numbers(column, *bounds, empty=True)
    except InputError as error:
        if known or quantity in IRRADIANCE:
            raise
        hint = f'Correct the values, or state the unit: units = {{ {quantity} = "…" }}.'
        raise InputError([replace(one, remedy=hint) for one in error.problems]) from error
    values = raw * unit.factor + unit.offset
    if not known:
        _doubt(table, quantity, column, values)
    if (unit.factor, unit.offset) != (1.0, 0.0):
        notes.append(f"column {column} is in {unit.label}")
    return values


def _doubt(table: Table, quantity: str, column: str, values: FloatArray) -> None:
    """Figures without a stated unit that can only be of another."""
    known = values[np.isfinite(values)]
    if known.size == 0:
        return
    median, highest = float(np.median(known)), float(known.max())
    other = ""
    if quantity in ("dry_bulb_c", "wet_bulb_c", "dew_point_c") and median > 45.0:
        other, what = "F", f"has a median of {median:g}, hotter than any place in °C"
    elif quantity in ("relative_humidity_percent", "cloud_cover_percent") and 0 < highest <= 1.0:
        other, what = "frac", f"never exceeds {highest:g}, as a share and no percentage would"
    elif quantity == "wind_m_s" and median > 20.0:
        other, what = "km/h", f"has a median of {median:g}, stormier than any place in m/s"
    elif quantity in IRRADIANCE and 0 < highest <= 1.6:
        other, what = "kW/m2", f"never exceeds {highest:g}, as kW/m² would"
    else:
        return
    remedy = f'State the unit: units = {{ {quantity} = "{other}" }}.'
    raise InputError(Problem(what, remedy, table.path, f"column {column}"))


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
    defined = next((table.meanings[name] for name in parts if name in table.meanings), None)
    if defined is not None:
        return defined
    place = (table.station.latitude_deg, table.station.longitude_deg) if table.station else sun_at
    if place is not None:
        order = np.argsort(times, kind="stable")
        told = meaning_of_irradiance(times[order], {k: v[order] for k, v in parts.items()}, *place)
        if told is not None:
            notes.append(f"irradiance is {_WORDS[told]}, as the place of the sun tells; `meanings` says otherwise")
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


def _wet_below_dry(
    table: Table, times: MicroArray, columns: dict[str, FloatArray], notes: list[str]
) -> None:
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
            notes.append(f"{count} values of {name} lay up to {over[worst]:.2g} K above the dry bulb; set to it")
            columns[name] = np.where(over > 0, dry, columns[name])


def _completed(grid: Grid, elevation_m: float, notes: list[str]) -> Grid:
    """Dry bulb, wet bulb, humidity and pressure, each from the others where the file lacks it."""
    columns = dict(grid.columns)
    if "pressure_pa" not in columns:
        standard = pressure_at_elevation_pa(elevation_m)
        size = len(next(iter(columns.values())))
        columns["pressure_pa"] = np.full(size, standard)
        notes.append(
            f"{grid.path}: no pressure; standard atmosphere at {elevation_m:g} m, {standard / 100:.0f} hPa"
        )
    pressure = columns["pressure_pa"]
    if "dry_bulb_c" not in columns:
        wet = columns["wet_bulb_c"] + KELVIN_AT_0C
        humidity = np.clip(columns["relative_humidity_percent"] / 100.0, 0.01, 1.0)
        columns["dry_bulb_c"] = dry_bulb_k(wet, humidity, pressure) - KELVIN_AT_0C
        notes.insert(0, f"{grid.path.name}: dry bulb worked out from wet bulb and relative humidity")
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
