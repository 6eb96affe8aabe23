"""Cold plates: case temperature, throttling, and how fast a case warms up when the flow stops.

    T_case = T_in + R(V)·Q,   R(V) = a + b·V^-n

R is from the case to the coolant at the inlet, so the coolant's own rise is inside it. Form and figures:
OCP OAI System Liquid Cooling Guidelines (2023), figure 7, as tabulated in Modelica Buildings
(OCP_1kW_OAM_PG25); fitted for 0.5 to 2.4 l/min.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from aidc.jit import scalar

__all__ = [
    "case_temp_k",
    "fit_cold_plate",
    "hot_frac",
    "resistance_k_w",
]

FloatArray = NDArray[np.float64]


@scalar
def resistance_k_w(flow_l_min: float, a: float, b: float, n: float) -> float:
    """Case-to-inlet resistance of a plate [K/W] at a flow [l/min] above 0.

    The law is a + b / `flow_l_min` to the power n: `a` [K/W], `b` and `n` are fitted to the maker's curve.
    """
    return a + b * math.pow(flow_l_min, -n)


@scalar
def case_temp_k(
    inlet_k: float, heat_w_per_plate: float, flow_l_min: float, a: float, b: float, n: float
) -> float:
    """Temperature of the case under a plate in steady state [K].

    `inlet_k` is the coolant's temperature into the plate [K], `heat_w_per_plate` the heat of one plate [W] and
    `flow_l_min` its flow [l/min]; `a`, `b` and `n` as in `resistance_k_w`.
    """
    return inlet_k + resistance_k_w(flow_l_min, a, b, n) * heat_w_per_plate


@scalar
def hot_frac(temp_k: float, limit_k: float, per_band_k: float) -> float:
    """How hot a device is: 0 at its limit, 1 where it shuts down; between them it gives up this share of its power.

    `per_band_k` is 1 over the difference of the two temperatures [1/K].
    """
    return (temp_k - limit_k) * per_band_k


def fit_cold_plate(flow_l_min: FloatArray, measured_k_w: FloatArray) -> tuple[float, float, float]:
    """`a`, `b` and `n` of the curve through measured resistances, by least squares of relative error."""
    from scipy.optimize import curve_fit

    def curve(flow: FloatArray, a: float, b: float, n: float) -> FloatArray:
        return a + b * flow**-n

    found, _ = curve_fit(
        curve, flow_l_min, measured_k_w, p0=(measured_k_w.min() * 0.8, 0.01, 1.0), sigma=measured_k_w
    )
    return float(found[0]), float(found[1]), float(found[2])
