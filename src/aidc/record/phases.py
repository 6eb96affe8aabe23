"""Instantaneous three-phase voltages and currents into one-cycle phasors, RMS, power and frequency.

Every quantity at a sample is an estimate over the cycle that ends there, fitted by least squares: a
fundamental (and a constant) for phasors, a constant and twice the fundamental for means of products. A
least-squares fit over a rounded number of samples is exact for a sinusoid of nominal frequency even
where a cycle is no whole number of samples, where a plain one-cycle sum leaks (A. G. Phadke and J. S.
Thorp, Synchronized Phasor Measurements and Their Applications, Springer 2008, chapter 1, for the sums;
not opened here). Where a cycle is a whole number of samples the fit is the discrete Fourier transform,
and harmonics vanish. Away from nominal frequency a single phase's phasor ripples by about half of the
relative deviation; positive sequence does not.

Phase-phase voltages carry no zero sequence. Three of them that add up to nothing give the phase-neutral voltages
of a star whose point floats, (v_ab - v_ca)/3 and so on: positive and negative sequence are those of the grid, and
power with three currents is exact where these add up to nothing (a grounded neutral carries none in a balanced
system).

Frequency is the turning of positive sequence over a cycle, of which the median over five cycles counts: it
follows a ramp without delay, and a jump of the angle, which turns one cycle at a time, is no frequency.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median_filter
from scipy.signal import oaconvolve

__all__ = ["LEAST_PER_CYCLE", "ThreePhase", "nominal_of", "one_cycle", "sequences"]

FloatArray = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

LEAST_PER_CYCLE = 8
_A = np.exp(2j * np.pi / 3)
_TO_SEQUENCE = np.array([[1, 1, 1], [1, _A, _A**2], [1, _A**2, _A]]) / 3  # zero, positive, negative
_LEAST_V1_PU = 0.05  # below, an angle is noise and the frequency holds
_MEDIAN_CYCLES = 5
_PER_CYCLE = 8  # estimates of frequency that the median is taken of


@dataclass(frozen=True, slots=True)
class ThreePhase:
    """One-cycle quantities of shape (n_sample - lead,); `lead` samples are spent on the first cycle."""

    lead: int
    channels: dict[str, FloatArray]


def one_cycle(
    voltage: FloatArray,
    current: FloatArray | None,
    step_s: float,
    nominal_hz: float,
    base: float,
    *,
    between: bool = False,
) -> ThreePhase:
    """Channels of a waveform from instantaneous phase quantities.

    Parameters
    ----------
    voltage : (3, n_sample)
        Phase-neutral voltages of phases a, b, c; phase-phase ones (a-b, b-c, c-a) where `between`.
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
    measured, own_base = voltage, base * np.sqrt(3) if between else base
    if between:
        voltage = (voltage - np.roll(voltage, 1, axis=0)) / 3
    phasors = np.stack([_phasor(phase, per_cycle, turn) for phase in voltage]) / base
    zero, positive, negative = _TO_SEQUENCE @ phasors
    angle = np.unwrap(np.angle(positive))
    pairs = measured if between else voltage - np.roll(voltage, -1, axis=0)
    apart = np.stack([_rms(pair, per_cycle, turn) for pair in pairs]) / (base * np.sqrt(3))
    channels = {"v1_pu": np.abs(positive), "v2_pu": np.abs(negative)}
    if between:
        channels |= _named("v_{}_pu", apart)
    else:
        squares = np.stack([_rms(phase, per_cycle, turn) for phase in voltage]) / base
        channels |= {"v0_pu": np.abs(zero), "v_pn_min_pu": squares.min(axis=0)}
        channels |= {"v_pn_max_pu": squares.max(axis=0)} | _named("v_{}_pu", squares)
    channels |= {"v_pp_min_pu": apart.min(axis=0), "v_pp_max_pu": apart.max(axis=0)}
    for name, phase in zip(("v_wave_pu", "v_wave_b_pu", "v_wave_c_pu"), measured, strict=True):
        channels[name] = phase[lead:] / (own_base * np.sqrt(2))
    channels["angle_rad"] = angle
    channels["frequency_hz"] = _frequency(angle, np.abs(positive), per_cycle, step_s, nominal_hz)
    if current is not None:
        flow = np.stack([_phasor(phase, per_cycle, turn) for phase in current])
        channels["p_w"] = _mean((voltage * current).sum(axis=0), per_cycle, turn)
        channels["q_var"] = (phasors * base * flow.conj()).sum(axis=0).imag
    return ThreePhase(lead, {name: np.ascontiguousarray(values) for name, values in channels.items()})


def sequences(values: FloatArray, step_s: float, nominal_hz: float) -> tuple[float, float, float]:
    """Zero, positive and negative sequence of three phases, medians over time of one-cycle magnitudes."""
    per_cycle = round(1 / (nominal_hz * step_s))
    turn = 2 * np.pi * nominal_hz * step_s
    parts = _TO_SEQUENCE @ np.stack([_phasor(phase, per_cycle, turn) for phase in values])
    zero, positive, negative = np.median(np.abs(parts), axis=1).tolist()
    return zero, positive, negative


def _named(pattern: str, rows: FloatArray) -> dict[str, FloatArray]:
    return {pattern.format(phase): row for phase, row in zip("abc", rows, strict=True)}


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
    return _without_jumps(frequency, per_cycle)


def _without_jumps(frequency: FloatArray, per_cycle: int) -> FloatArray:
    """The median over five cycles around each sample, of eight estimates a cycle, linear between them.

    The angle is that of the middle of its cycle, and so is its turning: a cycle of delay is taken out.
    """
    stride = max(1, per_cycle // _PER_CYCLE)
    picked = frequency[::stride]
    if picked.size < 3:
        return frequency
    size = min(_MEDIAN_CYCLES * _PER_CYCLE + 1, picked.size // 2 * 2 - 1)
    smooth: FloatArray = median_filter(picked, size, mode="nearest")
    at = np.arange(frequency.size) + per_cycle
    return np.interp(at, np.arange(picked.size) * float(stride), smooth)
