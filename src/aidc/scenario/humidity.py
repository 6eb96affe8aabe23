"""Moist air as weather needs it: wet bulb and relative humidity.

Source: ASHRAE Handbook Fundamentals 2017, chapter 1 (psychrometrics), equations 3, 5, 6, 20, 22, 33
and 35. Valid from -100 to 200 °C at the pressures of the atmosphere.
"""

from __future__ import annotations

import numpy as np

from aidc.scenario.series import FloatArray
from aidc.units import KELVIN_AT_0C

__all__ = [
    "air_density_kg_m3",
    "dew_point_humidity",
    "dry_bulb_k",
    "pressure_at_elevation_pa",
    "relative_humidity",
    "saturation_pa",
    "wet_bulb_k",
]

_ICE = (-5.6745359e3, 6.3925247, -9.677843e-3, 6.2215701e-7, 2.0747825e-9, -9.484024e-13, 4.1635019)
_WATER = (-5.8002206e3, 1.3914993, -4.8640239e-2, 4.1764768e-5, -1.4452093e-8, 6.5459673)
_MOLAR_RATIO = 0.621945
_R_DRY, _R_VAPOUR = 287.042, 461.524  # J/(kg K), ASHRAE 2017, chapter 1
_HALVINGS = 40  # 80 K / 2^40 is far below rounding of any weather file


def saturation_pa(temp_k: FloatArray | float) -> FloatArray:
    """Saturation pressure over water, below 0 °C over ice [Pa] (eq. 5 and 6)."""
    t = np.clip(np.asarray(temp_k, dtype=np.float64), 150.0, 480.0)
    ice = _ICE[0] / t + _ICE[1] + t * (_ICE[2] + t * (_ICE[3] + t * (_ICE[4] + t * _ICE[5])))
    ice += _ICE[6] * np.log(t)
    water = _WATER[0] / t + _WATER[1] + t * (_WATER[2] + t * (_WATER[3] + t * _WATER[4]))
    water += _WATER[5] * np.log(t)
    return np.exp(np.where(t < KELVIN_AT_0C, ice, water))


def pressure_at_elevation_pa(elevation_m: float) -> float:
    """Pressure of the standard atmosphere [Pa] (eq. 3; -5,000 to 11,000 m)."""
    return 101_325.0 * (1.0 - 2.25577e-5 * elevation_m) ** 5.2559


def wet_bulb_k(dry_bulb_k: FloatArray, rh: FloatArray, pressure_pa: FloatArray | float) -> FloatArray:
    """Thermodynamic wet bulb [K] of air at `dry_bulb_k` [K], relative humidity `rh` [0..1], pressure [Pa].

    Halves the interval in which the humidity ratio of eq. 33 (below 0 °C: 35) meets the air's own.
    """
    humidity = _humidity_ratio(rh * saturation_pa(dry_bulb_k), pressure_pa)
    low, high = dry_bulb_k - 80.0, np.array(dry_bulb_k, dtype=np.float64)
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        drier = _ratio_at_wet_bulb(dry_bulb_k, middle, pressure_pa) < humidity
        low, high = np.where(drier, middle, low), np.where(drier, high, middle)
    return np.where(rh >= 1.0, dry_bulb_k, 0.5 * (low + high))


def relative_humidity(
    dry_bulb_k: FloatArray, wet_bulb_k: FloatArray, pressure_pa: FloatArray | float
) -> FloatArray:
    """Relative humidity [0..1] from dry and wet bulb [K]."""
    ratio = np.maximum(_ratio_at_wet_bulb(dry_bulb_k, np.minimum(wet_bulb_k, dry_bulb_k), pressure_pa), 0.0)
    vapour_pa = pressure_pa * ratio / (_MOLAR_RATIO + ratio)
    return np.clip(vapour_pa / saturation_pa(dry_bulb_k), 0.0, 1.0)


def dry_bulb_k(wet_bulb: FloatArray, rh: FloatArray | float, pressure_pa: FloatArray | float) -> FloatArray:
    """Dry bulb [K] at which air of relative humidity `rh` [0..1] has this wet bulb [K]."""
    low, high = np.array(wet_bulb, dtype=np.float64), wet_bulb + 80.0
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        humid = relative_humidity(middle, wet_bulb, pressure_pa) > rh
        low, high = np.where(humid, middle, low), np.where(humid, high, middle)
    return 0.5 * (low + high)


def dew_point_humidity(dry_bulb: FloatArray, dew_point: FloatArray) -> FloatArray:
    """Relative humidity [0..1] of air of this dry bulb and dew point [K] (eq. 37 read backwards)."""
    return np.clip(saturation_pa(dew_point) / saturation_pa(dry_bulb), 0.0, 1.0)


def air_density_kg_m3(
    dry_bulb: FloatArray | float, rh: FloatArray | float, pressure_pa: FloatArray | float
) -> FloatArray:
    """Density of moist air [kg/m³] at dry bulb [K], relative humidity [0..1] and pressure [Pa] (eq. 26)."""
    vapour = np.asarray(rh) * saturation_pa(dry_bulb)
    temp = np.asarray(dry_bulb, dtype=np.float64)
    return (np.asarray(pressure_pa) - vapour) / (_R_DRY * temp) + vapour / (_R_VAPOUR * temp)


def _humidity_ratio(vapour_pa: FloatArray, pressure_pa: FloatArray | float) -> FloatArray:
    vapour = np.minimum(vapour_pa, 0.95 * pressure_pa)
    return _MOLAR_RATIO * vapour / (pressure_pa - vapour)


def _ratio_at_wet_bulb(
    dry_bulb: FloatArray, wet_bulb: FloatArray, pressure_pa: FloatArray | float
) -> FloatArray:
    """Humidity ratio of air with this dry and wet bulb (eq. 33, below 0 °C 35; temperatures in °C there)."""
    t, w = dry_bulb - KELVIN_AT_0C, wet_bulb - KELVIN_AT_0C
    saturated = _humidity_ratio(saturation_pa(wet_bulb), pressure_pa)
    water = ((2501.0 - 2.326 * w) * saturated - 1.006 * (t - w)) / (2501.0 + 1.86 * t - 4.186 * w)
    ice = ((2830.0 - 0.24 * w) * saturated - 1.006 * (t - w)) / (2830.0 + 1.86 * t - 2.1 * w)
    return np.where(w < 0.0, ice, water)
