"""Power of photovoltaics and wind from the weather, at the weather's own resolution, and what to know of it.

Where irradiance or wind is a mean over each period, so is the power, with the sun in the middle of the period; where
they are instants, power is worked out at those and joined by straight lines.
"""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from datetime import UTC
from fractions import Fraction
from typing import Final

import numpy as np
from numpy.typing import NDArray

from aidc.clock import Clock
from aidc.errors import InputError, Problem
from aidc.plant.photovoltaic import (
    Place,
    irradiance_from_cloud_cover,
    irradiance_from_parts,
    irradiance_within,
    pv_ac_power_w,
)
from aidc.plant.wind import wind_power_w
from aidc.scenario.humidity import air_density_kg_m3
from aidc.scenario.series import FloatArray, Series
from aidc.scenario.weather import Weather
from aidc.schema.renewables import Pv, Wind
from aidc.schema.site import Site

__all__ = ["distance_km", "photovoltaics", "place_notes", "wind"]

_HOUR: Final = Fraction(3600)
_FINEST: Final = Fraction(60)  # finer weather is averaged to minutes
_PIECE: Final = Fraction(600)  # of an hour's mean irradiance, by the course of the sun
_NEAR_KM: Final = 50.0
_EARTH_KM: Final = 6371.0  # mean radius, IUGG


class _Times:
    """The samples of a series that a run needs: their times, and other series at or over them."""

    def __init__(self, series: Series, clock: Clock) -> None:
        lasting = series.hold == "mean"
        self.period_s = max(series.period_s, _FINEST)
        if lasting and series.period_s > _HOUR:
            self.period_s = _HOUR
        base = replace(series, period_s=self.period_s) if self.period_s != series.period_s else series
        first, last = base.bounds(clock.start, clock.end)
        self.start = base.instant(first)
        self.count = last - first + 1
        self.lasting = lasting or self.period_s != series.period_s
        step_us = int(self.period_s * 1_000_000)
        origin = np.datetime64(self.start.replace(tzinfo=None), "us")
        self.utc: NDArray[np.datetime64] = origin + np.arange(self.count) * np.timedelta64(step_us, "us")

    @property
    def interval_s(self) -> float:
        """Length of what each value stands for [s]; 0 for instants."""
        return float(self.period_s) if self.lasting else 0.0

    def parted(self) -> tuple[_Times, int]:
        """These periods in pieces of ten minutes at most, and how many each has."""
        pieces = int(-(-self.period_s // _PIECE))
        if not self.lasting or pieces == 1:
            return self, 1
        fine = copy(self)
        fine.period_s, fine.count = self.period_s / pieces, self.count * pieces
        return fine, pieces

    def of(self, series: Series) -> FloatArray:
        """Another series at these instants, or its means over these periods."""
        if self.lasting:
            return series.means(self.start, self.period_s, self.count)
        return series.at(self.utc)

    def power(self, values: FloatArray) -> Series:
        held = "mean" if self.lasting else "linear"
        return Series(
            self.start.astimezone(UTC), self.period_s, np.maximum(values, 0.0), held, source="renewables"
        )


def photovoltaics(site: Site, weather: Weather, clock: Clock) -> tuple[Series, tuple[str, ...]]:
    """AC power of all fields [W], and what a reader should know of how it was found.

    Raises
    ------
    InputError
        The weather has neither irradiance nor cloud cover.
    """
    fields = {name: field for name, field in site.renewables.items() if isinstance(field, Pv)}
    if not fields:
        return _nothing(clock), ()
    parts = (weather.ghi_w_m2, weather.dni_w_m2, weather.dhi_w_m2)
    lead = parts[0] or parts[1]
    measured = parts[0] is not None or (parts[1] is not None and parts[2] is not None)
    place, notes = _sun_place(site, weather)
    if measured and lead is not None:
        times = _Times(lead, clock)
        given = [None if one is None else times.of(one) for one in parts]
        sun, how = irradiance_from_parts(times.utc, given[0], given[1], given[2], place, times.interval_s)
        notes += [f"irradiance: {how}"] if how else []
        fine, pieces = times.parted()
        if pieces > 1:
            fine.utc, sun = irradiance_within(times.utc, sun, place, times.interval_s, pieces)
        times = fine
    elif weather.cloud_frac is not None:
        times = _Times(weather.cloud_frac, clock)
        sun = irradiance_from_cloud_cover(times.utc, times.of(weather.cloud_frac), place, times.interval_s)
        notes.append("no irradiance; photovoltaics are estimated from cloud cover")
    else:
        has = [name for name, one in zip(("ghi", "dni", "dhi"), parts, strict=True) if one is not None]
        told = f"has only {' and '.join(has)}" if has else "has neither irradiance nor cloud cover"
        raise InputError(
            Problem(
                f"{told}, and the site has photovoltaics",
                "Use weather with ghi, or with dni and dhi, or with cloud cover.",
                weather.source,
                "scenario.weather",
            )
        )
    wind_m_s = times.of(weather.wind_m_s) if weather.wind_m_s is not None else np.ones(times.count)
    temp_k = times.of(weather.dry_bulb_k)
    power = np.sum(
        [
            pv_ac_power_w(times.utc, sun, temp_k, wind_m_s, place, field, times.interval_s)
            for field in fields.values()
        ],
        axis=0,
    )
    notes += _facing(fields, site.site.location.latitude_deg)
    return times.power(power), tuple(notes)


def wind(site: Site, weather: Weather, clock: Clock) -> Series:
    """Power of all wind farms [W], at the density of the air.

    Raises
    ------
    InputError
        The weather has no wind.
    """
    farms = [farm for farm in site.renewables.values() if isinstance(farm, Wind)]
    if not farms:
        return _nothing(clock)
    if weather.wind_m_s is None:
        raise InputError(
            Problem(
                "has no wind speed, and the site has wind turbines",
                "Use other weather.",
                weather.source,
                "scenario.weather",
            )
        )
    times = _Times(weather.wind_m_s, clock)
    speed = times.of(weather.wind_m_s)
    density = air_density_kg_m3(
        times.of(weather.dry_bulb_k), times.of(weather.relative_humidity), times.of(weather.pressure_pa)
    )
    return times.power(np.sum([wind_power_w(speed, farm, density) for farm in farms], axis=0))


def place_notes(site: Site, weather: Weather) -> tuple[str, ...]:
    """What a reader should know where the weather was measured elsewhere than the site lies."""
    apart = _apart_km(site, weather)
    if apart is None or apart <= _NEAR_KM:
        return ()
    location = site.site.location
    here = f"{location.latitude_deg:g} N, {location.longitude_deg:g} E"
    there = f"{weather.latitude_deg:g} N, {weather.longitude_deg:g} E"
    notes = [f"was measured at {there}, {apart:,.0f} km from the site ({here})"]
    for word, factors in (
        ("longitude", (1, -1)),
        ("latitude", (-1, 1)),
        ("latitude and longitude", (-1, -1)),
    ):
        moved = (location.latitude_deg * factors[0], location.longitude_deg * factors[1])
        if distance_km(moved, (weather.latitude_deg or 0.0, weather.longitude_deg or 0.0)) < min(
            200.0, apart / 5
        ):
            notes.append(
                f"the site's {word} may have the wrong sign: with the other it lies near the weather"
            )
            break
    return tuple(notes)


def distance_km(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Great-circle distance of two places [°N, °E] by the haversine formula."""
    (lat1, lon1), (lat2, lon2) = np.radians(one), np.radians(other)
    half = np.sin((lat2 - lat1) / 2) ** 2 + np.cos(lat1) * np.cos(lat2) * np.sin((lon2 - lon1) / 2) ** 2
    return float(2 * _EARTH_KM * np.arcsin(np.sqrt(min(1.0, half))))


def _apart_km(site: Site, weather: Weather) -> float | None:
    if weather.latitude_deg is None or weather.longitude_deg is None:
        return None
    location = site.site.location
    here = (location.latitude_deg, location.longitude_deg)
    return distance_km(here, (weather.latitude_deg, weather.longitude_deg))


def _sun_place(site: Site, weather: Weather) -> tuple[Place, list[str]]:
    """Where the sun is reckoned: at the site, or with the weather where that was measured elsewhere."""
    location = site.site.location
    apart = _apart_km(site, weather)
    if apart is None or apart <= _NEAR_KM or weather.latitude_deg is None or weather.longitude_deg is None:
        return Place(location.latitude_deg, location.longitude_deg, location.elevation_m), []
    height = location.elevation_m if weather.elevation_m is None else weather.elevation_m
    place = Place(weather.latitude_deg, weather.longitude_deg, height)
    return place, ["photovoltaics are reckoned with the sun of the place where the weather was measured"]


def _facing(fields: dict[str, Pv], latitude_deg: float) -> list[str]:
    """Fields of the southern hemisphere: turned to the north where nobody said, and told where they face south."""
    if latitude_deg >= 0:
        return []
    fixed = {name: field for name, field in fields.items() if not field.tracker and field.tilt_deg > 0}
    turned = [name for name, field in fixed.items() if field.azimuth_deg is None]
    away = [
        name
        for name, field in fixed.items()
        if field.azimuth_deg is not None and 90 < field.azimuth_deg < 270
    ]
    notes: list[str] = []
    if turned:
        notes.append(f"south of the equator; photovoltaics face north (0°): {', '.join(turned)}")
    if away:
        notes.append(f"south of the equator, and photovoltaics face away from the sun: {', '.join(away)}")
    return notes


def _nothing(clock: Clock) -> Series:
    return Series(clock.start, _HOUR, np.zeros(1), tiled=True, source="none")
