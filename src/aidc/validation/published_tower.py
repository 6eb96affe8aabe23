"""The published performance curve of a cooling tower: approach over wet bulb, range and flow ratio.

YorkCalc correlation of EnergyPlus (Engineering Reference, CoolingTower:VariableSpeed, "YorkCalc" empirical model,
27 coefficients), also in Modelica Buildings, Fluid.HeatExchangers.CoolingTowers.Correlations.yorkCalc. Valid for wet
bulbs from −34.4 to 26.7 °C, ranges from 1.1 to 22.2 K, approaches from 1.1 to 40 K, water flow from 75 to 125 % of
design and a ratio of flow fractions up to 8.
"""

from __future__ import annotations

from typing import Final

__all__ = ["york_approach_k"]

# by power of the flow ratio, then of range [K], then of wet bulb [°C]
_COEFFICIENTS: Final = (
    (
        (-0.359741205, -0.055053608, 0.0023850432),
        (0.173926877, -0.0248473764, 0.00048430224),
        (-0.005589849456, 0.0005770079712, -0.00001342427256),
    ),
    (
        (2.84765801111111, -0.121765149, 0.0014599242),
        (1.680428651, -0.0166920786, -0.0007190532),
        (-0.025485194448, 0.0000487491696, 0.00002719234152),
    ),
    (
        (-0.0653766255555556, -0.002278167, 0.0002500254),
        (-0.0910565458, 0.00318176316, 0.000038621772),
        (-0.0034285382352, 0.00000856589904, -0.000001516821552),
    ),
)


def york_approach_k(wet_bulb_c: float, range_k: float, water_frac: float, air_frac: float) -> float:
    """Approach of the leaving water to wet bulb [K] at fractions of design water and air flow.

    `wet_bulb_c` is that of the entering air [°C], `range_k` the cooling of the water [K]; `water_frac` and `air_frac`
    are flows over those of the design.
    """
    ratio = water_frac / air_frac
    return sum(
        coefficient * ratio**i * range_k**j * wet_bulb_c**k
        for i, by_range in enumerate(_COEFFICIENTS)
        for j, by_wet_bulb in enumerate(by_range)
        for k, coefficient in enumerate(by_wet_bulb)
    )
