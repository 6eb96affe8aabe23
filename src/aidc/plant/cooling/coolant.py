"""Density and heat capacity of the coolants over temperature.

Polynomials in T − 313.15 K, fitted from 5 to 70 °C (water: 2 to 80 °C) to CoolProp 8.0: water by IAPWS-95,
propylene glycol by Melinder (Properties of Secondary Working Fluids, IIR 2010; fluid INCOMP::MPG).
PG25 and PG20 are 25 and 20 % glycol by volume, that is 25.75 and 20.61 % by mass. Largest error of
the fit 0.02 %; inhibitors of commercial fluids change the figures by about 1 %.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from aidc.schema.cooling import CoolantName

__all__ = ["COOLANTS", "Coolant", "density_kg_m3", "heat_capacity_j_kg_k"]

REFERENCE_K: Final = 313.15
RANGE_K: Final = (275.15, 343.15)


class Coolant(NamedTuple):
    """Coefficients of density [kg/m³] and heat capacity [J/(kg·K)] in ascending powers of T − 313.15 K."""

    density: tuple[float, ...]
    heat_capacity: tuple[float, ...]


COOLANTS: Final[dict[CoolantName, Coolant]] = {
    "water": Coolant(
        (992.303, -0.38349, -3.71271e-3, 2.00288e-5, -1.70762e-7),
        (4178.94, 0.125297, 0.0108843, -2.37866e-4, 4.1154e-6),
    ),
    "pg25": Coolant((1010.46, -0.524813, -2.74505e-3), (3960.39, 2.41429, -1.37537e-3)),
    "pg20": Coolant((1006.82, -0.480664, -3.04075e-3), (4013.23, 2.13707, -1.27722e-4)),
}


def density_kg_m3(coolant: CoolantName, temp_k: float) -> float:
    """Density of a coolant [kg/m³]; beyond 2 to 70 °C that at the end of the range."""
    return _polynomial(COOLANTS[coolant].density, temp_k)


def heat_capacity_j_kg_k(coolant: CoolantName, temp_k: float) -> float:
    """Heat capacity of a coolant [J/(kg·K)]; beyond 2 to 70 °C that at the end of the range."""
    return _polynomial(COOLANTS[coolant].heat_capacity, temp_k)


def _polynomial(coefficients: tuple[float, ...], temp_k: float) -> float:
    above_k = min(max(temp_k, RANGE_K[0]), RANGE_K[1]) - REFERENCE_K
    total = 0.0
    for coefficient in reversed(coefficients):
        total = total * above_k + coefficient
    return total
