"""The grid as a Thevenin source, and the voltage at a load that draws constant power.

Voltages are per unit, powers in W and var, impedances per unit voltage squared over VA: a source of
short-circuit power S has |Z| = 1/S, and no base power is needed.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from aidc.jit import scalar

__all__ = [
    "NO_SOLUTION",
    "Impedance",
    "constant_power_voltage",
    "impedance_of",
    "mismatch",
    "sending_power",
    "sending_voltage",
]

NO_SOLUTION = -1.0


class Impedance(NamedTuple):
    """Series resistance and reactance [1/VA]."""

    r: float
    x: float


def impedance_of(short_circuit_va: float, x_over_r: float) -> Impedance:
    """Source impedance from short-circuit power and X/R (IEC 60909-0, with c = 1)."""
    r = 1.0 / short_circuit_va / math.hypot(1.0, x_over_r)
    return Impedance(r, r * x_over_r)


@scalar
def constant_power_voltage(source_pu: float, r: float, x: float, p_w: float, q_var: float) -> float:
    """Voltage at a load P + jQ behind a source: the upper root of the exact quadratic in V².

    V⁴ + (2(RP + XQ) - E²)·V² + |Z|²|S|² = 0; see P. Kundur, Power System Stability and Control,
    McGraw-Hill 1994, section 14.1.1. `NO_SOLUTION` where the load exceeds what the source can carry.

    `source_pu` is the voltage behind the impedance `r` + j `x` [pu]; `p_w` and `q_var` are the load in per unit of
    the base on which the impedance stands.
    """
    half = 0.5 * source_pu * source_pu - (r * p_w + x * q_var)
    rest = half * half - (r * r + x * x) * (p_w * p_w + q_var * q_var)
    if rest < 0.0 or half < 0.0:
        return NO_SOLUTION
    return math.sqrt(half + math.sqrt(rest))


@scalar
def mismatch(source_pu: float, r: float, x: float, p_w: float, q_var: float, v_pu: float) -> float:
    """Source voltage squared that a load P + jQ at V would need, less the one there is, times V².

    `source_pu`, `r`, `x`, `p_w` and `q_var` as in `constant_power_voltage`; `v_pu` is the voltage at the load that is
    tried.
    """
    a = v_pu * v_pu + r * p_w + x * q_var
    b = x * p_w - r * q_var
    return a * a + b * b - source_pu * source_pu * v_pu * v_pu


@scalar
def sending_voltage(v_pu: float, r: float, x: float, p_w: float, q_var: float) -> float:
    """Voltage in front of a series impedance whose far end has V and takes P + jQ.

    `v_pu` is the voltage at the far end, `r` + j `x` the impedance, `p_w` and `q_var` the power at the far end, all
    on one base.
    """
    if v_pu <= 0.0:
        return 0.0
    inverse = 1.0 / v_pu
    a = v_pu + (r * p_w + x * q_var) * inverse
    b = (x * p_w - r * q_var) * inverse
    return math.sqrt(a * a + b * b)


@scalar
def sending_power(v_pu: float, r: float, x: float, p_w: float, q_var: float) -> tuple[float, float]:
    """Power into a series impedance whose far end has V and takes P + jQ [W, var].

    `v_pu`, `r`, `x`, `p_w` and `q_var` as in `sending_voltage`.
    """
    if v_pu <= 0.0:
        return 0.0, 0.0
    square = (p_w * p_w + q_var * q_var) / (v_pu * v_pu)
    return p_w + r * square, q_var + x * square
