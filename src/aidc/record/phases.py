"""Instantaneous three-phase voltages and currents into one-cycle phasors, RMS, power and frequency.

Every quantity at a sample is an estimate over the cycle that ends there, fitted by least squares: a
fundamental (and a constant) for phasors, a constant and twice the fundamental for means of products. A
least-squares fit over a rounded number of samples is exact for a sinusoid of nominal frequency even
where a cycle is no whole number of samples, where a plain one-cycle sum leaks (A. G. Phadke and J. S.
Thorp, Synchronized Phasor Measurements and Their Applications, Springer 2008, chapter 1, for the sums;
not opened here). Where a cycle is a whole number of samples the fit is the discrete Fourier transform,
and harmonics vanish. Away from nominal frequency a single phase's phasor ripples by about half of the
relative deviation; positive sequence does not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import oaconvolve

__all__ = ["LEAST_PER_CYCLE", "ThreePhase", "nominal_of", "one_cycle"]

FloatArray = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

LEAST_PER_CYCLE = 8
_A = np.exp(2j * np.pi / 3)
_TO_SEQUENCE = np.array([[1, 1, 1], [1, _A, _A**2], [1, _A**2, _A]]) / 3  # zero, positive, negative
_LEAST_V1_PU = 0.05  # below, an angle is noise and the frequency holds


@dataclass(frozen=True, slots=True)
class ThreePhase:
    """One-cycle quantities of shape (n_sample - lead,); `lead` samples are spent on the first cycle."""

    lead: int
    channels: dict[str, FloatArray]


def one_cycle(
    voltage: FloatArray, current: FloatArray | None, step_s: float, nominal_hz: float, base: float
) -> ThreePhase:
    """Channels of a waveform from instantaneous phase quantities.

    Parameters
    ----------
    voltage : (3, n_sample)
        Phase-neutral voltages of phases a, b, c.
    current : (3, n_sample) or None
        Phase currents towards the site [A]; voltages must then be in V.
    step_s, nominal_hz
        Step [s]; nominal frequency [Hz].
    base
        Nominal phase-neutral RMS voltage, in the unit of `voltage`.
    """
    per_cycle = round(1 / (nominal_hz * step_s))
    turn = 2 * np.pi * nominal_hz * step_s
    lead = per_cycle - 1
    phasors = np.stack([_phasor(phase, per_cycle, turn) for phase in voltage]) / base
    zero, positive, negative = _TO_SEQUENCE @ phasors
    between = voltage - np.roll(voltage, -1, axis=0)
    squares = np.stack([_rms(phase, per_cycle, turn) for phase in voltage]) / base
    apart = np.stack([_rms(pair, per_cycle, turn) for pair in between]) / (base * np.sqrt(3))
    angle = np.unwrap(np.angle(positive))
    channels = {
        "v1_pu": np.abs(positive),
        "v2_pu": np.abs(negative),
        "v0_pu": np.abs(zero),
        "v_pn_min_pu": squares.min(axis=0),
        "v_pn_max_pu": squares.max(axis=0),
        "v_pp_min_pu": apart.min(axis=0),
        "v_pp_max_pu": apart.max(axis=0),
        "v_wave_pu": voltage[0, lead:] / (base * np.sqrt(2)),
        "angle_rad": angle,
        "frequency_hz": _frequency(angle, np.abs(positive), per_cycle, step_s, nominal_hz),
    }
    if current is not None:
        flow = np.stack([_phasor(phase, per_cycle, turn) for phase in current])
        channels["p_w"] = _mean((voltage * current).sum(axis=0), per_cycle, turn)
        channels["q_var"] = (phasors * base * flow.conj()).sum(axis=0).imag
    return ThreePhase(lead, {name: np.ascontiguousarray(values) for name, values in channels.items()})


def nominal_of(voltage: FloatArray, step_s: float) -> float | None:
    """50 or 60 Hz, whichever the zero crossings of a voltage are near; None where they are near neither."""
    crossings = int(np.count_nonzero(np.diff(np.signbit(voltage))))
    measured_hz = crossings / (2 * step_s * max(voltage.size - 1, 1))
    nominal_hz = 50.0 if measured_hz < 55 else 60.0
    return nominal_hz if abs(measured_hz - nominal_hz) < 4 else None


def _taps(basis: FloatArray, wanted: ComplexArray) -> ComplexArray:
    """Weights over a window whose scalar product with it is a combination of fitted coefficients."""
    return wanted @ np.linalg.pinv(basis)


def _phasor(values: FloatArray, per_cycle: int, turn: float) -> ComplexArray:
    """RMS phasor over the cycle that ends at each sample, in a frame that turns at nominal frequency."""
    phase = turn * np.arange(per_cycle)
    basis = np.stack([np.ones(per_cycle), np.cos(phase), np.sin(phase)], axis=1)
    taps = _taps(basis, np.array([0j, 1, -1j])) / np.sqrt(2)
    fitted = oaconvolve(values, taps[::-1], mode="valid")
    return fitted * np.exp(-1j * turn * np.arange(fitted.size))


def _mean(values: FloatArray, per_cycle: int, turn: float) -> FloatArray:
    """Mean over the cycle that ends at each sample, free of a ripple at twice the nominal frequency."""
    phase = 2 * turn * np.arange(per_cycle)
    basis = np.stack([np.ones(per_cycle), np.cos(phase), np.sin(phase)], axis=1)
    return oaconvolve(values, _taps(basis, np.array([1.0 + 0j, 0, 0])).real[::-1], mode="valid")


def _rms(values: FloatArray, per_cycle: int, turn: float) -> FloatArray:
    return np.sqrt(np.maximum(_mean(values**2, per_cycle, turn), 0.0))


def _frequency(
    angle: FloatArray, magnitude: FloatArray, per_cycle: int, step_s: float, nominal_hz: float
) -> FloatArray:
    """Nominal plus the turning of positive sequence over a cycle; holds while there is hardly a voltage."""
    frequency = np.full(angle.size, float(nominal_hz))
    if angle.size > per_cycle:
        slip_hz = (angle[per_cycle:] - angle[:-per_cycle]) / (2 * np.pi * per_cycle * step_s)
        frequency[per_cycle:] += slip_hz
        frequency[:per_cycle] += slip_hz[0]
    known = magnitude >= _LEAST_V1_PU
    known[per_cycle:] &= known[:-per_cycle]
    if known.any():
        last = np.maximum.accumulate(np.where(known, np.arange(known.size), -1))
        frequency = frequency[np.where(last < 0, int(np.argmax(known)), last)]
    return frequency
