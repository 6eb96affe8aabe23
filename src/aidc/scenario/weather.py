"""The weather of a run, from any of its sources, with the wet bulb worked out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import assert_never

import numpy as np

from aidc.errors import InputError, Problem
from aidc.scenario.files import path_of, user_file
from aidc.scenario.humidity import pressure_at_elevation_pa, wet_bulb_k
from aidc.scenario.layouts_years import year_of
from aidc.scenario.series import FloatArray, Series
from aidc.scenario.tmy import read_epw, read_tmy2, read_tmy3, shipped_file
from aidc.scenario.typical import TypicalYear, laid_on
from aidc.scenario.weather_table import read_weather_table
from aidc.schema.weather import ConstantWeather, CsvWeather, EpwWeather, TmyWeather
from aidc.units import KELVIN_AT_0C

__all__ = ["Weather", "load_weather"]


@dataclass(frozen=True, slots=True)
class Weather:
    """Series of one place. Irradiance, wind and cloud are None where the source has none.

    Temperatures, humidity, pressure, wind and cloud are instants joined by straight lines, unless a file
    says otherwise; irradiance is the mean over each hour in typical years, and in a table what its rows
    stand for. The place is the one that the source names.
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
    sun_at: tuple[float, float] | None = None,
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
    sun_at : tuple
        The site's place [°N, °E], where irradiance matters: its sun may tell what a row stands for.

    Raises
    ------
    InputError
        The source is missing, malformed, or does not cover the run.
    """
    match spec:
        case ConstantWeather():
            return _constant(spec, start, elevation_m)
        case CsvWeather():
            path = path_of(spec, base_dir)
            year = year_of(path)  # a typical year, whatever its name ends in
            if year is not None:
                return _from_year(year, start, end)
            return _from_table(spec, start, end, path, elevation_m, sun_at)
        case EpwWeather():
            return _from_year(read_epw(path_of(spec, base_dir)), start, end)
        case TmyWeather(kind=kind, shipped=shipped):
            path = shipped_file(shipped) if shipped is not None else user_file(str(spec.file), base_dir)
            readers = {"tmy2": read_tmy2, "tmy3": read_tmy3}
            return _from_year(readers[kind](path), start, end)
    assert_never(spec)


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


def _from_table(
    spec: CsvWeather,
    start: datetime,
    end: datetime,
    path: Path,
    elevation_m: float,
    sun_at: tuple[float, float] | None,
) -> Weather:
    read = read_weather_table(spec, path, start, end, elevation_m, sun_at)
    weather, station = _assembled(read.series, elevation_m, str(path)), read.station
    if station is None:
        return weather
    return replace(
        weather,
        latitude_deg=station.latitude_deg,
        longitude_deg=station.longitude_deg,
        elevation_m=station.elevation_m,
    )


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
    """Wet bulb and relative humidity; the wet bulb from the humidity in years that have none of their own."""
    humid = found["relative_humidity_percent"]
    if "wet_bulb_c" in found:
        given = found["wet_bulb_c"]
        return _changed(given, given.values + KELVIN_AT_0C), humid.scaled(0.01)
    humidity = np.clip(humid.values / 100.0, 0.0, 1.0)
    wet = wet_bulb_k(dry.values, humidity, pressure_pa)
    return _changed(dry, wet), _changed(dry, humidity)


def _changed(series: Series, values: FloatArray) -> Series:
    return replace(series, values=values)
