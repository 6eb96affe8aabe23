"""The source's branch as a dynamic phasor: what the quasi-static network leaves out, and for how long.

A series R-L branch in a frame that turns at grid frequency ω0, positive sequence:

    L·di/dt = e - v - (R + jω0·L)·i

A constant voltage difference is met by i = (e - v)/(R + jX) plus a term that decays with R/L and turns at -ω0: the
direct-current offset, seen from the frame. S. Henschel, Analysis of Electromagnetic and Electromechanical
Power System Transients with Dynamic Phasors, UBC 1999; P. Kundur, Power System Stability and Control,
McGraw-Hill 1994, section 5.1 on neglecting it.

The engine itself is quasi-static. This module tells how far that is from the truth after a step: X/R
over ω0 is 27 ms at X/R = 10 and 60 Hz, so a verdict that rests on the first cycles after a fault does not hold where it
is long. Valid for constant L; saturation and harmonics are not in it.
"""

from __future__ import annotations

import cmath
import math

import numpy as np
from numpy.typing import NDArray

from aidc.jit import engine

__all__ = ["branch_current", "branch_voltage", "offset_time_s"]

ComplexArray = NDArray[np.complex128]


def offset_time_s(x_over_r: float, frequency_hz: float) -> float:
    """Time constant L/R of the direct-current offset [s]."""
    return x_over_r / (2.0 * math.pi * frequency_hz)


def branch_current(
    drop_pu: ComplexArray,
    r: float,
    x: float,
    frequency_hz: float,
    step_s: float,
    start: complex | None = None,
) -> ComplexArray:
    """Current through an R-L branch under a given voltage drop, exact for a drop that is linear within a step.

    Parameters
    ----------
    drop_pu
        Source less load voltage in the rotating frame, shape (n_step,), at the ends of steps.
    r, x
        Resistance and reactance, in any one unit; the current comes out in its inverse.
    frequency_hz, step_s
        Of the frame, and between samples.
    start
        Current at the first sample; default: the quasi-static one.

    Returns
    -------
    NDArray
        Current at every sample, shape (n_step,).
    """
    drop = np.ascontiguousarray(drop_pu, dtype=np.complex128)
    current = np.empty_like(drop)
    if drop.size == 0:
        return current
    z = complex(r, x)
    rate = z * (2.0 * math.pi * frequency_hz) / x  # (R + jX)/L
    kept = cmath.exp(-rate * step_s)
    # weights of the drop at both ends: integrals of the decay against a straight line
    mean = (1.0 - kept) / (rate * step_s)
    current[0] = drop[0] / z if start is None else start
    _march(drop, current, kept, (mean - kept) / z, (1.0 - mean) / z)
    return current


@engine
def _march(drop: ComplexArray, current: ComplexArray, kept: complex, before: complex, after: complex) -> None:
    for k in range(1, drop.shape[0]):
        current[k] = kept * current[k - 1] + before * drop[k - 1] + after * drop[k]


def branch_voltage(
    source_pu: ComplexArray, current: ComplexArray, r: float, x: float, frequency_hz: float, step_s: float
) -> ComplexArray:
    """Voltage behind an R-L branch that carries a given current, by the trapezoidal rule.

    The inverse of `branch_current` where the load's current is known instead: v = e - (R + jX)·i - L·di/dt. The
    first sample is quasi-static. The trapezoidal rule rings after a jump of the current, as no inductance
    lets one through: give a load its edge.

    `source_pu` are samples of the source's voltage phasor every `step_s` [s]; `r` and `x` are the branch's impedance
    at `frequency_hz` [pu].
    """
    source = np.ascontiguousarray(source_pu, dtype=np.complex128)
    voltage = np.empty_like(source)
    if source.size == 0:
        return voltage
    z, inductance = complex(r, x), x / (2.0 * math.pi * frequency_hz)
    static = source - z * current
    # the mean of two neighbouring ends is the static drop less L·Δi/Δt
    rise = 0.5 * (static[1:] + static[:-1]) - inductance * np.diff(current) / step_s
    voltage[0] = static[0]
    for k in range(1, voltage.size):
        voltage[k] = 2.0 * rise[k - 1] - voltage[k - 1]
    return voltage
