"""Pst of a steady modulation from the analogue filters themselves, as sums of harmonics: nothing is sampled in time.

The transfer functions are those of IEC 61000-4-15 as written in the reference of this project (lamp coefficients in
Hz); no code of the product is used. A modulation of period T, squared and divided by its mean, is a Fourier series;
each harmonic passes the high-pass, the Butterworth low-pass and the weighting filter; the result is squared, its
series passes the 0.3 s low-pass, and percentiles of one period are those of ten minutes.
"""

from __future__ import annotations

import numpy as np

LAMPS = {
    50: (1.74802, 4.05981, 9.15494, 2.27979, 1.22535, 21.9, 35.0, 0.00250),
    60: (1.6357, 4.167375, 9.077169, 2.939902, 1.394468, 17.31512, 42.0, 0.00321),
}
POINTS = 1 << 15


def chain(hz: np.ndarray, lamp_hz: int) -> np.ndarray:
    """High-pass, low-pass of order 6, lamp and eye."""
    k, damping, w1, w2, w3, w4, corner, _ = LAMPS[lamp_hz]
    s = 2j * np.pi * hz
    turn = 2 * np.pi
    high = s / (s + turn * 0.05)
    poles = turn * corner * np.exp(1j * np.pi * (2 * np.arange(6) + 7) / 12)
    low = np.ones_like(s)
    for pole in poles:
        low = low * (-pole) / (s - pole)
    weight = k * turn * w1 * s / (s**2 + 2 * turn * damping * s + (turn * w1) ** 2)
    return high * low * weight * (1 + s / (turn * w2)) / ((1 + s / (turn * w3)) * (1 + s / (turn * w4)))


def sense(hz: np.ndarray) -> np.ndarray:
    return 1 / (1 + 2j * np.pi * hz * 0.3)


def scale(lamp_hz: int) -> float:
    """Sensation 1 at the crest for the calibrating sine at 8.8 Hz: d of the voltage is d of its square, in amplitude."""
    amplitude = LAMPS[lamp_hz][7] * abs(chain(np.array([8.8]), lamp_hz)[0])
    return 1 / (0.5 * amplitude**2 * (1 + abs(sense(np.array([17.6]))[0])))


def sensation(square: np.ndarray, period_s: float, lamp_hz: int) -> np.ndarray:
    """Sensation over one period of a squared voltage that is given over it, evenly."""
    hz = np.fft.rfftfreq(square.size, period_s / square.size)
    weighted = np.fft.irfft(np.fft.rfft(square / square.mean()) * chain(hz, lamp_hz), square.size)
    smooth = np.fft.irfft(np.fft.rfft(weighted**2) * sense(hz), square.size)
    return scale(lamp_hz) * smooth


def pst(felt: np.ndarray) -> float:
    ordered = np.sort(felt)

    def exceeded(*percent: float) -> float:
        at = [(1 - p / 100) * (ordered.size - 1) for p in percent]
        return float(np.mean(np.interp(at, np.arange(ordered.size), ordered)))

    return np.sqrt(
        0.0314 * exceeded(0.1)
        + 0.0525 * exceeded(0.7, 1, 1.5)
        + 0.0657 * exceeded(2.2, 3, 4)
        + 0.28 * exceeded(6, 8, 10, 13, 17)
        + 0.08 * exceeded(30, 50, 80)
    )


def modulation(
    shape: str, hz: float, percent: float, lamp_hz: int, *, wave: bool
) -> tuple[np.ndarray, float]:
    """A squared voltage over the common period of the modulation and, of a waveform, of the mains."""
    periods = (
        1
        if not wave
        else next(n for n in range(1, 400) if abs(n * 2 * lamp_hz / hz - round(n * 2 * lamp_hz / hz)) < 1e-9)
    )
    period_s = periods / hz
    time_s = (np.arange(POINTS) + 0.5) * period_s / POINTS
    turn = np.sin(2 * np.pi * hz * time_s)
    voltage = 1 + percent / 200 * (turn if shape == "sine" else np.sign(turn))
    if wave:
        voltage = voltage * np.sin(2 * np.pi * lamp_hz * time_s)
    return voltage**2, period_s


def exact_pst(shape: str, hz: float, percent: float, lamp_hz: int, *, wave: bool = False) -> float:
    return pst(sensation(*modulation(shape, hz, percent, lamp_hz, wave=wave), lamp_hz))
