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
from aidc.schema.cooling import ColdPlate

__all__ = [
    "case_rise_k_s",
    "case_temp_k",
    "fit_cold_plate",
    "flow_l_min_for",
    "resistance_k_w",
    "throttle_frac",
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
    return inlet_k + (a + b * math.pow(flow_l_min, -n)) * heat_w_per_plate


@scalar
def throttle_frac(case_k: float, limit_k: float, trip_k: float) -> float:
    """Share of power that a device gives up: 0 at its limit, rising linearly to 1 where it shuts down."""
    return min(max((case_k - limit_k) / (trip_k - limit_k), 0.0), 1.0)


@scalar
def case_rise_k_s(heat_w: float, heat_capacity_j_k: float) -> float:
    """Rate at which a case warms up without flow [K/s]."""
    return heat_w / heat_capacity_j_k


def flow_l_min_for(plate: ColdPlate, resistance: float) -> float:
    """Flow [l/min] at which a plate has this resistance [K/W]; inf where it never has."""
    rest = resistance - plate.a_k_per_w
    return math.inf if rest <= 0 else (plate.b_k_per_w / rest) ** (1 / plate.exponent)


def fit_cold_plate(flow_l_min: FloatArray, measured_k_w: FloatArray) -> tuple[float, float, float]:
    """`a`, `b` and `n` of the curve through measured resistances, by least squares of relative error."""
    from scipy.optimize import curve_fit

    def curve(flow: FloatArray, a: float, b: float, n: float) -> FloatArray:
        return a + b * flow**-n

    found, _ = curve_fit(
        curve, flow_l_min, measured_k_w, p0=(measured_k_w.min() * 0.8, 0.01, 1.0), sigma=measured_k_w
    )
    return float(found[0]), float(found[1]), float(found[2])
