"""The weather of a run, from any of its sources, with the wet bulb worked out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path

import numpy as np

from aidc.errors import InputError, Problem
from aidc.scenario.files import path_of, user_file
from aidc.scenario.humidity import dry_bulb_k, pressure_at_elevation_pa, relative_humidity, wet_bulb_k
from aidc.scenario.regular import Grid, regular
from aidc.scenario.series import FloatArray, Series
from aidc.scenario.table import Table, read_table
from aidc.scenario.timeparse import laid_times
from aidc.scenario.tmy import read_epw, read_tmy2, read_tmy3, shipped_file
from aidc.scenario.typical import TypicalYear, laid_on
from aidc.schema.weather import ConstantWeather, CsvWeather, EpwWeather, TmyWeather
from aidc.units import KELVIN_AT_0C

__all__ = ["Weather", "load_weather"]

# quantity: usual column names, lowest, highest, factor to the unit of the quantity's name
_CSV: Mapping[str, tuple[tuple[str, ...], float, float]] = {
    "dry_bulb_c": (("dry_bulb_c", "temp_air_c", "temperature_2m_c", "temp_c"), -90.0, 70.0),
    "wet_bulb_c": (("wet_bulb_c", "temp_wet_bulb_c"), -90.0, 60.0),
    "relative_humidity_percent": (("relative_humidity_percent", "rh_percent"), 0.0, 110.0),
    "wind_m_s": (("wind_m_s", "wind_speed_10m_m_s", "wind_speed_m_s"), 0.0, 120.0),
    "pressure_pa": (("pressure_pa", "surface_pressure_pa"), 30_000.0, 120_000.0),
    "ghi_w_m2": (("ghi_w_m2", "ghi"), 0.0, 2000.0),
    "dni_w_m2": (("dni_w_m2", "dni"), 0.0, 2000.0),
    "dhi_w_m2": (("dhi_w_m2", "dhi"), 0.0, 2000.0),
    "cloud_cover_percent": (("cloud_cover_percent",), 0.0, 100.0),
}
_TIMES = ("time_utc", "time", "timestamp", "t_s")


@dataclass(frozen=True, slots=True)
class Weather:
    """Series of one place. Irradiance, wind and cloud are None where the source has none.

    Temperatures, humidity, pressure, wind and cloud are instants joined by straight lines;
    irradiance of typical years is the mean over each hour.
    """

    dry_bulb_k: Series
    wet_bulb_k: Series
    relative_humidity: Series  # 0 to 1
    pressure_pa: Series
    wind_m_s: Series | None
    ghi_w_m2: Series | None
    dni_w_m2: Series | None
    dhi_w_m2: Series | None
    cloud_frac: Series | None
    source: str
    latitude_deg: float | None = None
    longitude_deg: float | None = None
    elevation_m: float | None = None
    repairs: tuple[str, ...] = ()


def load_weather(
    spec: TmyWeather | EpwWeather | CsvWeather | ConstantWeather,
    *,
    start: datetime,
    end: datetime,
    base_dir: Path,
    elevation_m: float = 0.0,
) -> Weather:
    """Read the weather for a run over [start, end).

    Parameters
    ----------
    spec : shape
        From `aidc.schema.weather`.
    start, end : datetime
        The run.
    base_dir : Path
        The site file's folder, for relative paths.
    elevation_m : float
        Of the site, for the pressure where the source has none [m].

    Raises
    ------
    InputError
        The source is missing, malformed, or does not cover the run.
    """
    if isinstance(spec, ConstantWeather):
        return _constant(spec, start, elevation_m)
    if isinstance(spec, CsvWeather):
        return _from_csv(spec, start, end, path_of(spec, base_dir), elevation_m)
    if isinstance(spec, EpwWeather):
        return _from_year(read_epw(path_of(spec, base_dir)), start, end)
    path = shipped_file(spec.shipped) if spec.shipped is not None else user_file(str(spec.file), base_dir)
    return _from_year(read_tmy2(path) if spec.kind == "tmy2" else read_tmy3(path), start, end)


def _constant(spec: ConstantWeather, start: datetime, elevation_m: float) -> Weather:
    def one(value: float) -> Series:
        return Series(start, Fraction(3600), np.array([value]), "mean", tiled=True, source="constant weather")

    temp = np.array([spec.dry_bulb_c + KELVIN_AT_0C])
    humidity = np.array([spec.relative_humidity_percent / 100.0])
    pressure = spec.pressure_pa or pressure_at_elevation_pa(elevation_m)
    wet = wet_bulb_k(temp, humidity, pressure)
    return Weather(
        one(temp[0]),
        one(wet[0]),
        one(humidity[0]),
        one(pressure),
        one(spec.wind_m_s),
        None,
        None,
        None,
        None,
        "constant weather",
    )


def _from_year(year: TypicalYear, start: datetime, end: datetime) -> Weather:
    for name in ("dry_bulb_c", "relative_humidity_percent"):
        if np.isnan(year.columns[name]).all():
            raise InputError(Problem(f"has no {name}", "Use another file.", year.source))
    margin = timedelta(hours=1)  # so that interpolation finds a point on both sides
    found = laid_on(year, start - margin, end + margin)
    weather = _assembled(found, year.elevation_m, f"{year.station} ({Path(year.source).name})")
    return replace(
        weather,
        latitude_deg=year.latitude_deg,
        longitude_deg=year.longitude_deg,
        elevation_m=year.elevation_m,
    )


def _from_csv(spec: CsvWeather, start: datetime, end: datetime, path: Path, elevation_m: float) -> Weather:
    table = read_table(path)
    chosen = _chosen(spec, table)
    columns = {name: table.numbers(column, *_CSV[name][1:], empty=True) for name, column in chosen.items()}
    time_column = spec.time_column or next((name for name in _TIMES if name in table.columns), None)
    if time_column is None:
        raise InputError(
            Problem(
                "has no column of times", "Name it with `time_column`.", path, "header", list(table.columns)
            )
        )
    grid = regular(path, laid_times(table, time_column, spec.start, start), columns)
    if "dry_bulb_c" not in chosen:
        grid = _with_dry_bulb(grid, spec, elevation_m)
    found = {name: grid.series(name, "linear", tiled=spec.repeat) for name in grid.columns}
    found["dry_bulb_c"].window(start, end)  # refuses where the file does not cover the run
    return _assembled(found, spec.elevation_m if spec.elevation_m is not None else elevation_m, str(path))


def _chosen(spec: CsvWeather, table: Table) -> dict[str, str]:
    unknown = sorted(set(spec.columns) - set(_CSV))
    if unknown:
        raise InputError(
            Problem(
                "is not a quantity of the weather",
                f"Known: {', '.join(_CSV)}.",
                key="columns",
                value=unknown[0],
            )
        )
    chosen = dict(spec.columns)
    for name, (aliases, _, _) in _CSV.items():
        found = next((alias for alias in aliases if alias in table.columns), None)
        if name not in chosen and found is not None:
            chosen[name] = found
    temps = "dry_bulb_c" in chosen, "wet_bulb_c" in chosen
    humid = "relative_humidity_percent" in chosen or spec.relative_humidity_percent is not None
    if not (all(temps) or (any(temps) and humid)):
        raise InputError(
            Problem(
                "gives too little to know temperature and humidity",
                "Needed: dry bulb and humidity, or dry and wet bulb, or one of them and a constant"
                ' `relative_humidity_percent`. Name columns with `columns = { dry_bulb_c = "…" }`.',
                table.path,
                "header",
                list(table.columns),
            )
        )
    if "relative_humidity_percent" in chosen or all(temps):
        return chosen
    table.columns["relative_humidity_percent"] = [str(spec.relative_humidity_percent)] * len(table)
    return {**chosen, "relative_humidity_percent": "relative_humidity_percent"}


def _with_dry_bulb(grid: Grid, spec: CsvWeather, elevation_m: float) -> Grid:
    """A file with the wet bulb alone: the dry bulb follows from the humidity."""
    height = spec.elevation_m if spec.elevation_m is not None else elevation_m
    pressure = grid.columns.get("pressure_pa", np.array(pressure_at_elevation_pa(height)))
    wet = grid.columns["wet_bulb_c"] + KELVIN_AT_0C
    humidity = np.clip(grid.columns["relative_humidity_percent"] / 100.0, 0.01, 1.0)
    dry = dry_bulb_k(wet, humidity, pressure) - KELVIN_AT_0C
    note = f"{grid.path.name}: dry bulb worked out from wet bulb and relative humidity"
    return replace(grid, columns={**grid.columns, "dry_bulb_c": dry}, repairs=(*grid.repairs, note))


def _assembled(found: Mapping[str, Series], elevation_m: float, source: str) -> Weather:
    dry = _changed(found["dry_bulb_c"], found["dry_bulb_c"].values + KELVIN_AT_0C)
    repairs = list(dry.repairs)
    if "pressure_pa" in found:
        pressure = found["pressure_pa"]
    else:
        standard = pressure_at_elevation_pa(elevation_m)
        pressure = _changed(dry, np.full(len(dry), standard))
        repairs.append(
            f"{source}: no pressure; standard atmosphere at {elevation_m:g} m, {standard / 100:.0f} hPa"
        )
    wet, humidity = _humid(dry, pressure.values, found)
    for series in found.values():
        repairs.extend(note for note in series.repairs if note not in repairs)
    cloud = found.get("cloud_cover_percent")
    return Weather(
        dry,
        wet,
        humidity,
        pressure,
        found.get("wind_m_s"),
        found.get("ghi_w_m2"),
        found.get("dni_w_m2"),
        found.get("dhi_w_m2"),
        None if cloud is None else cloud.scaled(0.01),
        source,
        repairs=tuple(repairs),
    )


def _humid(dry: Series, pressure_pa: FloatArray, found: Mapping[str, Series]) -> tuple[Series, Series]:
    """Wet bulb and relative humidity, each from the other where the file has one of them."""
    if "wet_bulb_c" in found:
        wet = np.minimum(found["wet_bulb_c"].values + KELVIN_AT_0C, dry.values)
        humidity = relative_humidity(dry.values, wet, pressure_pa)
    else:
        humidity = np.clip(found["relative_humidity_percent"].values / 100.0, 0.0, 1.0)
        wet = wet_bulb_k(dry.values, humidity, pressure_pa)
    return _changed(dry, wet), _changed(dry, humidity)


def _changed(series: Series, values: FloatArray) -> Series:
    return replace(series, values=values)
