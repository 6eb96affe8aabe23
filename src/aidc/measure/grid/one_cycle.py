"""The one-cycle mean of a power: what a meter that measures over one cycle shows."""

from __future__ import annotations

import numpy as np

from aidc.jit import engine
from aidc.record.waveform import FloatArray

__all__ = ["cycle_mean"]


def cycle_mean(values: FloatArray, step_s: float, frequency_hz: float) -> FloatArray:
    """Mean over the cycle that ends at each sample, shape (n_step,).

    The values are a straight line between samples and the cycle need not be a whole number of steps. Before
    the first sample they are taken to have been as in the first. After a step the mean follows over one
    cycle: an evaluator of it is up to a cycle late, which is what "one-cycle mean" asks for.
    """
    out = np.empty(values.size)
    _trailing_mean(
        np.ascontiguousarray(values, dtype=np.float64), max(1.0 / (frequency_hz * step_s), 1e-9), out
    )
    return out


@engine
def _trailing_mean(values: FloatArray, steps: float, out: FloatArray) -> None:
    whole = int(steps + 1e-9)
    part = max(steps - whole, 0.0)
    first = values[0]
    total = whole * first  # trapezoids of the whole steps
    for i in range(values.size):
        k = i - whole
        if i > 0:
            total += 0.5 * (values[i] + values[i - 1])
            if whole > 0:
                total -= 0.5 * (values[k] + values[k - 1]) if k > 0 else first
            else:
                total = 0.0
        old = values[k] if k > 0 else first
        older = values[k - 1] if k > 0 else first
        out[i] = (total + part * (old + 0.5 * part * (older - old))) / steps
