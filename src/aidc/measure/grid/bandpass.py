"""Butterworth band-pass filters of power, as second-order sections.

A rule names a band but seldom a filter. Here it is a Butterworth band-pass of the order stated (of the
low-pass prototype; S. Butterworth, Experimental Wireless 7 (1930) 536-541), bilinear with both edges
prewarped, so that the edges are 3 dB down at any step. From 0 Hz it is a low-pass.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray
from scipy import signal

__all__ = ["ORDERS", "butterworth"]

FloatArray = NDArray[np.float64]

ORDERS = (1, 2, 4)
"""Orders that are computed where the rule does not define its filter: their spread is its doubt."""


def butterworth(order: int, low_hz: float, high_hz: float, step_s: Fraction) -> FloatArray:
    """Sections [b0 b1 b2 1 a1 a2] of the band-pass, shape (order, 6).

    `order` is that of the low-pass prototype; the band lies between `low_hz` (0: a low-pass) and `high_hz`, both -3
    dB, for samples every `step_s` [s].
    """
    if low_hz > 0:
        sos = signal.butter(order, (low_hz, high_hz), "bandpass", fs=float(1 / step_s), output="sos")
    else:
        sos = signal.butter(order, high_hz, "lowpass", fs=float(1 / step_s), output="sos")
    return np.asarray(sos, np.float64)
