"""A bank of filters as second-order sections that remember their state between blocks.

All filters of a bank see the same input and run through one loop over samples, so that their recurrences
overlap in the processor: seven sections cost about as much as two run one after the other. Each section is
in transposed direct form II (A. V. Oppenheim and R. W. Schafer, Discrete-Time Signal Processing, 3rd
edition, section 6.3).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from aidc.jit import engine

__all__ = ["SosBank", "filter_block", "gain", "matched"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@engine
def filter_block(
    x: FloatArray,
    offset: float,
    sections: FloatArray,
    ends: IntArray,
    state: FloatArray,
    out: FloatArray,
) -> None:
    """Filter `x - offset`: sections [b0 b1 b2 a1 a2] in chains; `ends[s]` is the chain that s ends, or -1.

    `state` holds two values a section, carried from block to block; `out` is filled, (chain, sample).
    """
    for j in range(x.size):
        value = x[j] - offset
        carried = value
        for s in range(sections.shape[0]):
            y = sections[s, 0] * carried + state[s, 0]
            state[s, 0] = sections[s, 1] * carried - sections[s, 3] * y + state[s, 1]
            state[s, 1] = sections[s, 2] * carried - sections[s, 4] * y
            carried = y
            if ends[s] >= 0:
                out[ends[s], j] = y
                carried = value


class SosBank:
    """Several filters of one input, started at the steady state of a constant input `start`.

    The constant is subtracted before the filters and its response added after them: by linearity this is
    the start that `scipy.signal.sosfilt_zi` scaled by `start` gives, without its rounding error where a
    swing of watts rides on a load of gigawatts. `start` defaults to the first sample.
    """

    def __init__(self, filters: Sequence[FloatArray], start: float | None = None) -> None:
        self._sections = np.ascontiguousarray(np.concatenate(filters)[:, [0, 1, 2, 4, 5]])
        self._ends = np.full(len(self._sections), -1, np.int64)
        self._ends[np.cumsum([len(sos) for sos in filters]) - 1] = np.arange(len(filters))
        self._state = np.zeros((len(self._sections), 2))
        self._start = start
        self._dc = np.array([np.prod(sos[:, :3].sum(1) / sos[:, 3:].sum(1)) for sos in filters])
        self._out = np.empty((len(filters), 0))

    def feed(self, x: FloatArray) -> FloatArray:
        """The next outputs, shape (n_filter, n_sample); valid until the next call."""
        if self._start is None:
            self._start = float(x[0]) if x.size else None
        if self._start is None:
            return self._out[:, :0]
        if self._out.shape[1] < x.size:
            self._out = np.empty((len(self._dc), x.size))
        filter_block(x, self._start, self._sections, self._ends, self._state, self._out)
        out = self._out[:, : x.size]
        for row, dc in enumerate(self._dc):
            if dc * self._start != 0:
                out[row] += dc * self._start
        return out


def matched(
    numerator: Sequence[float], denominator: Sequence[float], frequency_hz: float, rate_hz: float
) -> FloatArray:
    """Section [b0 b1 b2 1 a1 a2] of an analogue filter of the second order, by matching poles and magnitudes.

    The poles are exp(p/rate); the zeros (of minimum phase) give the analogue magnitude at 0, at `frequency_hz` and at
    half the rate (M. Vicanek, Matched Second Order Digital Filters, 2016). Coefficients from the highest power of s
    on. For poles and zeros well below the rate.

    `numerator` and `denominator` are those coefficients, `rate_hz` is the sampling rate.

    Raises
    ------
    ValueError
        No filter of the second order has these three magnitudes.
    """
    poles = np.exp(np.roots(denominator) / rate_hz)
    a = np.real(np.poly(poles))
    hz = np.array([0.0, frequency_hz, rate_hz / 2])
    s, z = 2j * np.pi * hz, np.exp(-2j * np.pi * hz / rate_hz)
    wanted = np.abs(np.polyval(numerator, s) / np.polyval(denominator, s) * np.polyval(a[::-1], z)) ** 2
    sine = np.sin(np.pi * hz / rate_hz) ** 2  # in which the squared magnitude of b is a polynomial
    c = np.linalg.solve(np.stack((np.ones(3), sine, sine**2), axis=1), wanted)
    turned = (
        c[1] * np.array([0.0, -1.0, 2.0, -1.0, 0.0]) / 4 + c[2] * np.array([1.0, -4.0, 6.0, -4.0, 1.0]) / 16
    )
    turned[2] += c[0]
    zeros = sorted(np.roots(turned), key=abs)[:2]
    b = np.real(np.poly(zeros))
    b *= np.sqrt(wanted[1]) / abs(np.polyval(b[::-1], z[1]))
    held = np.abs([np.polyval(b[::-1], one) for one in z]) ** 2
    if not np.allclose(held, wanted, rtol=1e-6, atol=1e-9 * wanted.max()):
        message = (
            f"no section with the poles of {denominator} at {rate_hz} Hz has the magnitudes wanted of it"
        )
        raise ValueError(message)
    return np.asarray(np.concatenate((b, a)), np.float64)


def gain(sos: FloatArray, frequency_hz: float | FloatArray, rate_hz: float) -> FloatArray:
    """Magnitude of a filter's response at frequencies, shape (n_frequency,)."""
    back = np.exp(-2j * np.pi * np.atleast_1d(np.asarray(frequency_hz, np.float64)) / rate_hz)
    powers = np.stack((np.ones_like(back), back, back * back))
    sections = (sos[:, :3] @ powers) / (sos[:, 3:] @ powers)
    return np.abs(np.prod(sections, axis=0))
