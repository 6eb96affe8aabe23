"""First-order lags, exact for any step."""

from __future__ import annotations

import math

__all__ = ["lag_gain"]


def lag_gain(step_s: float, time_constant_s: float) -> float:
    """Gain g of `y += g·(u - y)`: the exact answer to a held input, 1 (algebraic) below two steps."""
    if time_constant_s < 2.0 * step_s:
        return 1.0
    return -math.expm1(-step_s / time_constant_s)
