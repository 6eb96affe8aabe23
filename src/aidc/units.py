"""Conversions at the edges. Inside, everything is SI and named with its unit.

Only tables, TOML and reports speak megawatts, degrees Celsius and megatokens; they convert here.
"""

from __future__ import annotations

from typing import Final

__all__ = [
    "DAY_S",
    "HOUR_S",
    "J_PER_KWH",
    "J_PER_MWH",
    "KELVIN_AT_0C",
    "MEGA",
    "MINUTE_S",
    "YEAR_S",
    "celsius",
    "kelvin",
]

MINUTE_S: Final = 60.0
HOUR_S: Final = 3600.0
DAY_S: Final = 86_400.0
YEAR_S: Final = 365.0 * DAY_S
MEGA: Final = 1e6
J_PER_KWH: Final = 3.6e6
J_PER_MWH: Final = 3.6e9
KELVIN_AT_0C: Final = 273.15


def kelvin(temp_c: float) -> float:
    """Degrees Celsius to kelvin."""
    return temp_c + KELVIN_AT_0C


def celsius(temp_k: float) -> float:
    """Kelvin to degrees Celsius."""
    return temp_k - KELVIN_AT_0C
