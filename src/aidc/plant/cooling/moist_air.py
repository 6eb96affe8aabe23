"""Moist air at the pressure of the atmosphere.

Vectorised saturation pressure, wet bulb and relative humidity (ASHRAE Handbook Fundamentals 2017, chapter 1)
are those of the weather (`aidc.scenario.humidity`) and are passed on here. The scalar functions below serve the
engine: saturation over water by Magnus' formula, which costs one exponential.

    p = 610.94 Pa · exp(17.625 t / (t + 243.04)),   t in °C

Alduchov and Eskridge, J. Appl. Meteorol. 35 (1996) 601-609, eq. 21, doi:10.1175/1520-0450(1996)035<0601:IMFAOS>2.0.CO;2:
within 0.4 % from −40 to 50 °C. Air and vapour are ideal gases of constant heat capacity; enthalpy is counted
from dry air and liquid water at 0 °C (ASHRAE 2017, chapter 1, eq. 30).
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from aidc.jit import scalar
from aidc.scenario.humidity import (
    pressure_at_elevation_pa,
    relative_humidity,
    saturation_pa,
    wet_bulb_k,
)
from aidc.units import KELVIN_AT_0C

__all__ = [
    "ATMOSPHERE_PA",
    "CP_AIR_J_KG_K",
    "enthalpy_j_kg",
    "evaporation_heat_j_kg",
    "humidity_ratio",
    "pressure_at_elevation_pa",
    "relative_humidity",
    "saturated_enthalpy_j_kg",
    "saturated_ratio",
    "saturation_pa",
    "wet_bulb_k",
]

ATMOSPHERE_PA: Final = 101_325.0
CP_AIR_J_KG_K: Final = 1006.0
CP_VAPOUR_J_KG_K: Final = 1860.0
EVAPORATION_J_KG: Final = 2.501e6  # at 0 °C
MOLAR_RATIO: Final = 0.621945

FloatArray = NDArray[np.float64]


def humidity_ratio(temp_k: FloatArray, rh: FloatArray, pressure_pa: FloatArray | float) -> FloatArray:
    """Vapour per dry air [kg/kg] of air at a temperature [K], relative humidity [0..1], pressure [Pa]."""
    vapour_pa = np.minimum(rh * saturation_pa(temp_k), 0.95 * np.asarray(pressure_pa))
    return MOLAR_RATIO * vapour_pa / (pressure_pa - vapour_pa)


def enthalpy_j_kg(temp_k: FloatArray, ratio: FloatArray) -> FloatArray:
    """Enthalpy per kg of dry air [J/kg] at a temperature [K] and humidity ratio [kg/kg]."""
    t = temp_k - KELVIN_AT_0C
    return CP_AIR_J_KG_K * t + ratio * (EVAPORATION_J_KG + CP_VAPOUR_J_KG_K * t)


@scalar
def saturated_ratio(temp_k: float) -> float:
    """Vapour per dry air of saturated air at sea level [kg/kg]; valid to 80 °C."""
    t = min(temp_k - 273.15, 80.0)
    vapour_pa = 610.94 * math.exp(17.625 * t / (t + 243.04))
    return 0.621945 * vapour_pa / (101_325.0 - vapour_pa)


@scalar
def saturated_enthalpy_j_kg(temp_k: float) -> float:
    """Enthalpy of saturated air at sea level [J per kg of dry air]."""
    t = min(temp_k - 273.15, 80.0)
    return 1006.0 * t + saturated_ratio(temp_k) * (2.501e6 + 1860.0 * t)


@scalar
def evaporation_heat_j_kg(temp_k: float) -> float:
    """Heat of evaporation of water [J/kg]; linear in temperature, within 0.3 % from 0 to 60 °C."""
    return 2.501e6 - 2361.0 * (temp_k - 273.15)
