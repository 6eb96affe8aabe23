"""What a row of irradiance stands for, told from the data themselves by the place of the sun.

Global irradiance is direct times the cosine of the zenith plus diffuse, all at one time. Of the three readings of
a time stamp (mean of the period before, of the period after, instant) the right one closes that sum best; where
global irradiance is alone, the right one is most like a clear day, each day at its own level.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from aidc.scenario.series import FloatArray
from aidc.scenario.timeparse import MicroArray
from aidc.schema.source import Meaning

__all__ = ["meaning_of_irradiance"]

_MIDDLE: Final[Mapping[Meaning, float]] = {"mean-before": -0.5, "instant": 0.0, "mean-after": 0.5}
_MOST_ROWS: Final = 20_000
_FEWEST_BRIGHT: Final = 8
_PIECES: Final = 6
_CLEAR_FRAC: Final = 0.6  # the best reading leaves less than this share of the second best's error


def meaning_of_irradiance(
    times_us: MicroArray,
    columns: Mapping[str, FloatArray],
    latitude_deg: float,
    longitude_deg: float,
) -> Meaning | None:
    """The reading that the sun's place tells, or None where it tells none.

    Parameters
    ----------
    times_us
        Time stamps [µs since 1970], rising, (n,).
    columns
        `ghi_w_m2`, `dni_w_m2`, `dhi_w_m2` as far as there are [W/m²], (n,) each.
    latitude_deg, longitude_deg
        Where.
    """
    times = times_us[:_MOST_ROWS]
    if times.size < 2:
        return None
    step_us = int(np.median(np.diff(times)))
    sines: dict[Meaning, FloatArray] = {
        one: _sine(times + round(share * step_us), latitude_deg, longitude_deg)
        for one, share in _MIDDLE.items()
    }
    errors: dict[Meaning, float]
    parts = {name: np.nan_to_num(column[:_MOST_ROWS]) for name, column in columns.items()}
    if len(parts) == len(_MIDDLE):
        errors = {one: _unclosed(parts, sine) for one, sine in sines.items()}
    elif "ghi_w_m2" in parts:
        place = (latitude_deg, longitude_deg)
        errors = {
            one: _unlike_clear(parts["ghi_w_m2"], times, step_us, share, place)
            for one, share in _MIDDLE.items()
        }
    else:
        return None
    best, second = sorted(errors, key=lambda one: errors[one])[:2]
    if errors[second] <= 0 or errors[best] > _CLEAR_FRAC * errors[second]:
        return None
    return best


def _unclosed(parts: Mapping[str, FloatArray], sine: FloatArray) -> float:
    """How much of global irradiance direct and diffuse leave unexplained, a share; 0 where it tells nothing."""
    ghi, dni, dhi = parts["ghi_w_m2"], parts["dni_w_m2"], parts["dhi_w_m2"]
    bright = dni > 50.0
    if np.count_nonzero(bright) < _FEWEST_BRIGHT:
        return 0.0
    beam = dni * np.maximum(sine, 0.0)
    return float(np.abs(ghi - dhi - beam)[bright].sum() / max(ghi[bright].sum(), 1.0))


def _unlike_clear(
    ghi: FloatArray, times_us: MicroArray, step_us: int, share: float, place: tuple[float, float]
) -> float:
    """How far global irradiance is from a multiple of a clear day's, day by day, a share.

    A clear sky by Haurwitz, J. Meteorology 2 (1945) 154, over the period that the reading means.
    """
    parts = (0.0,) if share == 0 else tuple(share * 2 * (k + 0.5) / _PIECES for k in range(_PIECES))
    clear = np.mean([_haurwitz(_sine(times_us + round(part * step_us), *place)) for part in parts], axis=0)
    day = (times_us + round(place[1] / 360 * 86.4e9)) // 86_400_000_000  # of the sun's own time
    _, index = np.unique(day, return_inverse=True)
    product, square = (np.bincount(index, weights=one) for one in (ghi * clear, clear * clear))
    level = np.where(square > 0, product / np.where(square > 0, square, 1.0), 0.0)
    if np.count_nonzero(ghi > 5.0) < _FEWEST_BRIGHT:
        return 0.0
    return float(np.sqrt(((ghi - level[index] * clear) ** 2).sum() / max((ghi**2).sum(), 1.0)))


def _haurwitz(sine: FloatArray) -> FloatArray:
    up = np.maximum(sine, 1e-3)
    return np.where(sine > 0, 1098.0 * up * np.exp(-0.057 / up), 0.0)


def _sine(times_us: MicroArray, latitude_deg: float, longitude_deg: float) -> FloatArray:
    """Sine of the sun's height: declination and equation of time by Spencer (1971), good to 0.5°."""
    day = times_us / 86.4e9
    dates = (times_us // 86_400_000_000).astype("datetime64[D]")
    year = dates.astype("datetime64[Y]").astype("datetime64[D]").astype(np.int64)
    angle = 2 * np.pi * (day - year) / 365.25
    declination = (
        0.006918
        - 0.399912 * np.cos(angle)
        + 0.070257 * np.sin(angle)
        - 0.006758 * np.cos(2 * angle)
        + 0.000907 * np.sin(2 * angle)
        - 0.002697 * np.cos(3 * angle)
        + 0.00148 * np.sin(3 * angle)
    )
    equation_min = 229.18 * (
        0.000075
        + 0.001868 * np.cos(angle)
        - 0.032077 * np.sin(angle)
        - 0.014615 * np.cos(2 * angle)
        - 0.040849 * np.sin(2 * angle)
    )
    solar_h = (day % 1.0) * 24 + longitude_deg / 15 + equation_min / 60
    hour_angle = np.radians(15 * (solar_h - 12))
    latitude = np.radians(latitude_deg)
    return np.sin(latitude) * np.sin(declination) + np.cos(latitude) * np.cos(declination) * np.cos(
        hour_angle
    )
