"""The flickermeter of IEC 61000-4-15: from a voltage to instantaneous flicker sensation, Pst and Plt.

Chain: square; divide by its own slow mean (the voltage adapter); 0.05 Hz high-pass; Butterworth low-pass
of order 6 at 35 Hz (42 Hz on 60 Hz systems); weighting filter of lamp, eye and brain

    F(s) = k·w1·s / (s² + 2·l·s + w1²) · (1 + s/w2) / ((1 + s/w3)·(1 + s/w4));

square; 0.3 s low-pass; percentiles of 10 minutes. An instantaneous voltage has its double-frequency part
taken out by the low-pass; an RMS series has none, and is otherwise the same signal, so both run through
the same chain. The scale makes the greatest sensation 1 for a sinusoidal change of 0.250 % (230 V lamp,
50 Hz) or 0.321 % (120 V lamp, 60 Hz) peak to peak at 8.8 Hz, worked out from the filters as they are
sampled.

The chain runs at 1 to 4 kHz with sections that have the poles of the analogue filters and their gain at 0, at 20 Hz or
the corner, and at half the rate (`sos.matched`): against the gain at 8.8 Hz none errs by more than 0.4 % up to 40 Hz,
where the bilinear transform at 1 kHz is 2 % off. A slower series is doubled until it is there, each new sample being
the cubic through its four neighbours (weights -1, 9, 9, -1 over 16), which is right within a thousandth up to a twelfth
of the rate that was given.

Sources: weighting coefficients and the Pst formula as implemented in qwtb/qwtb and tshort/OpenDSS (read
second hand); the voltage adapter's minute (10 to 90 %: time constant 27.3 s) is engineering knowledge
without a checked source. The percentiles are of exact sorted values, not of classes, and 250 a
second: 50 miss the crests of slow changes, which costs 1 % of Pst at 1 change a minute.

Validity: voltage above a tenth of nominal, from 500 samples a second (1,000 for changes of more than 15 Hz). An
RMS series must be that of the phasor: one that is a mean over a cycle loses sin(x)/x of the modulation with
x = pi·f/f0: 3.5 % at 8.8 Hz on 60 Hz, 8 % at 13.5 Hz, 27 % at 25 Hz. `restored` tells how much that may be.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from aidc.measure.grid.means import ConsecutiveMeans
from aidc.measure.grid.sensation import sensation_block
from aidc.measure.grid.sos import gain, matched

__all__ = [
    "LAMPS",
    "PREROLL_S",
    "WINDOW_S",
    "CycleInverse",
    "Doubler",
    "Flickermeter",
    "Lamp",
    "cycle_gain",
    "plt_of",
    "pst_of",
    "pst_of_series",
]

FloatArray = NDArray[np.float64]

PREROLL_S = 120.0
WINDOW_S = 600.0
_LEAST_RATE_HZ = 1000.0
_MERGED_RATE_HZ = 2000.0  # samples are merged no further than to this rate: a mean takes off what is fast
_SENSATION_RATE_HZ = 250.0
_ADAPTER_S = 27.3
_SENSE_S = 0.3
_PERCENTS = (0.1, 0.7, 1, 1.5, 2.2, 3, 4, 6, 8, 10, 13, 17, 30, 50, 80)
_FLOOR = 0.005  # of the mean square: a tenth of nominal voltage, as an instantaneous series has it
_CALIBRATION_HZ = 8.8
_RESTORED_HZ = 40.0
_FADED_HZ = 55.0
_MATCHED_HZ = 20.0  # where the sections of the weighting have the gain of the analogue ones


@dataclass(frozen=True, slots=True)
class Lamp:
    """Reference lamp: corners in Hz, k, the low-pass, and the change that gives a sensation of 1."""

    k: float
    lambda_hz: float
    corners_hz: tuple[float, float, float, float]
    lowpass_hz: float
    calibration_frac: float


LAMPS: dict[int, Lamp] = {
    50: Lamp(1.74802, 4.05981, (9.15494, 2.27979, 1.22535, 21.9), 35.0, 0.00250),
    60: Lamp(1.6357, 4.167375, (9.077169, 2.939902, 1.394468, 17.31512), 42.0, 0.00321),
}
"""By system frequency: the 230 V lamp at 50 Hz, the 120 V lamp at 60 Hz."""


def weighting_sections(lamp: Lamp, rate_hz: float) -> FloatArray:
    """Sections of high-pass, low-pass and weighting filter at a rate, shape (6, 6)."""
    turn = 2 * math.pi
    damping = turn * lamp.lambda_hz
    corner = turn * lamp.lowpass_hz
    w1, w2, w3, w4 = (turn * corner_hz for corner_hz in lamp.corners_hz)
    sections = [np.asarray(signal.butter(1, 0.05, "highpass", fs=rate_hz, output="sos"))[0]]
    for k in (1, 3, 5):  # Butterworth, order 6
        analogue = [1.0, 2 * math.sin(k * math.pi / 12) * corner, corner**2]
        sections.append(matched([corner**2], analogue, lamp.lowpass_hz, rate_hz))
    sections.append(matched([lamp.k * w1, 0.0], [1.0, 2 * damping, w1**2], _MATCHED_HZ, rate_hz))
    gain_ = w3 * w4 / w2
    sections.append(matched([gain_, gain_ * w2], [1.0, w3 + w4, w3 * w4], _MATCHED_HZ, rate_hz))
    return np.array(sections)


def _one_pole(time_constant_s: float, rate_hz: float) -> FloatArray:
    corner_hz = 1 / (2 * math.pi * time_constant_s)
    return np.asarray(signal.butter(1, corner_hz, "lowpass", fs=rate_hz, output="sos"), np.float64)


def _first_order(sos: FloatArray) -> FloatArray:
    """[b0 b1 a1] of one section of the first order."""
    return np.array([sos[0, 0], sos[0, 1], sos[0, 4]])


def _scale(lamp: Lamp, sections: FloatArray, sense: FloatArray, rate_hz: float) -> float:
    """One over the greatest squared and smoothed response to the calibrating modulation.

    A change of d peak to peak is an amplitude d of the squared voltage; squared again, it is a mean with
    a ripple at twice its frequency, which the 0.3 s low-pass leaves in part.
    """
    amplitude = lamp.calibration_frac * gain(sections, _CALIBRATION_HZ, rate_hz)[0]
    ripple = gain(sense, 2 * _CALIBRATION_HZ, rate_hz)[0]
    return float(1 / (0.5 * amplitude**2 * (1 + ripple)))


class Doubler:
    """Twice as many samples a second: those of a series, and between them the cubic through four of them."""

    def __init__(self) -> None:
        self._last: FloatArray | None = None

    def feed(self, x: FloatArray) -> FloatArray:
        """The samples up to the last but one, and those between; the series is taken to have begun at its first."""
        if not x.size:
            return x
        held = np.full(2, x[0]) if self._last is None else self._last
        row = np.concatenate((held, x))
        self._last = row[-3:]
        if row.size < 4:
            return row[:0]
        out = np.empty(2 * (row.size - 3))
        out[0::2] = row[1:-2]
        out[1::2] = (9 * (row[1:-2] + row[2:-1]) - row[:-3] - row[3:]) / 16
        return out


class CycleInverse:
    """Gives back to squares of one-cycle RMS values what the mean over a cycle took, up to 40 Hz.

    A linear-phase filter with the gain 1/(sin(x)/x), x = pi·f/f0. It assumes a plain mean over one cycle.
    """

    def __init__(self, rate_hz: float, frequency_hz: int) -> None:
        taps = int(0.25 * rate_hz) // 2 * 2 + 1
        edges = np.linspace(0, _RESTORED_HZ, 41)
        hz = np.concatenate((edges, [_FADED_HZ, rate_hz / 2]))
        wanted = np.concatenate((1 / cycle_gain(edges, frequency_hz), [1.0, 1.0]))
        self._taps = np.asarray(signal.firwin2(taps, hz, wanted, fs=rate_hz), np.float64)
        self._taps /= self._taps.sum()
        self._state: FloatArray | None = None

    def feed(self, x: FloatArray) -> FloatArray:
        """The next samples, half of the filter's length late."""
        if not x.size:
            return x
        if self._state is None:
            self._state = np.full(self._taps.size - 1, x[0])
        row = np.concatenate((self._state, x))
        self._state = row[-(self._taps.size - 1) :]
        return np.asarray(signal.oaconvolve(row, self._taps, mode="valid"), np.float64)


def cycle_gain(modulation_hz: FloatArray | float, frequency_hz: float) -> FloatArray:
    """What a mean over a cycle leaves of a modulation: sin(x)/x, x = pi·f/f0."""
    return np.asarray(np.sinc(np.asarray(modulation_hz, np.float64) / frequency_hz), np.float64)


class Flickermeter:
    """Fed with a voltage in pu in blocks; `pst` lists the Pst of every whole 10 minutes after the pre-roll.

    `wave` says that samples are instantaneous values over the nominal amplitude, else RMS over nominal; with
    `restored` they are one-cycle RMS values, and what that took is given back.
    """

    def __init__(self, step_s: Fraction, frequency_hz: int, *, wave: bool, restored: bool = False) -> None:
        lamp = LAMPS[frequency_hz]
        rate_hz = float(1 / step_s)
        merge = max(1, int(rate_hz / _MERGED_RATE_HZ + 1e-9))
        rate_hz /= merge
        self._inverse = CycleInverse(rate_hz, frequency_hz) if restored else None
        self._doublers: list[Doubler] = []
        while rate_hz < _LEAST_RATE_HZ - 1e-6:
            self._doublers.append(Doubler())
            rate_hz *= 2
        sections = weighting_sections(lamp, rate_hz)
        sense = _one_pole(_SENSE_S, rate_hz)
        self._floor = _FLOOR if wave else 2 * _FLOOR
        self._merged = ConsecutiveMeans(merge, square=True)
        self._adapter, self._sense = (_first_order(sos) for sos in (_one_pole(_ADAPTER_S, rate_hz), sense))
        self._sections = np.ascontiguousarray(sections[:, [0, 1, 2, 4, 5]])
        self._state = np.zeros((len(sections), 2))
        self._poles = np.zeros(2)
        self._begun = False
        if wave:
            self._begin(0.5)
        self._factor = _scale(lamp, sections, sense, rate_hz)
        self._stride = max(1, int(rate_hz / _SENSATION_RATE_HZ + 1e-9))
        self.sensation_rate_hz = rate_hz / self._stride
        self._phase = 0
        self._preroll = round(PREROLL_S * self.sensation_rate_hz)
        self._window = np.empty(round(WINDOW_S * self.sensation_rate_hz))
        self._held = 0
        self._pst: list[float] = []

    def feed(self, voltage_pu: FloatArray) -> FloatArray:
        """Take the next samples; returns their instantaneous sensation at `sensation_rate_hz`."""
        square = self._merged.feed(voltage_pu)
        if self._inverse is not None:
            square = self._inverse.feed(square)
        for doubler in self._doublers:
            square = doubler.feed(square)
        if square.size and not self._begun:
            self._begin(float(square[0]))
        out = np.empty(square.size // self._stride + 1)
        found = sensation_block(
            square, self._floor, self._adapter, self._sections, self._sense, self._state, self._poles,
            self._stride, self._phase, out,
        )  # fmt: skip
        self._phase = (self._phase - square.size) % self._stride
        sensation = self._factor * out[:found]
        self._collect(sensation)
        return sensation

    def _begin(self, mean_square: float) -> None:
        """Let the voltage adapter stand where a constant square would have it."""
        self._poles[0] = (1.0 - self._adapter[0]) * mean_square
        self._begun = True

    def _collect(self, sensation: FloatArray) -> None:
        at = min(self._preroll, sensation.size)
        self._preroll -= at
        while at < sensation.size:
            take = min(sensation.size - at, self._window.size - self._held)
            self._window[self._held : self._held + take] = sensation[at : at + take]
            self._held += take
            at += take
            if self._held == self._window.size:
                self._pst.append(pst_of(self._window))
                self._held = 0

    def pst(self) -> FloatArray:
        """Pst of each whole 10 minutes after the pre-roll so far, shape (n,)."""
        return np.array(self._pst)


def _exceeded(sensation: FloatArray) -> dict[float, float]:
    """Sensation that is exceeded for each of `_PERCENTS` of the samples; only the values around them are put in order."""
    places = {percent: (1 - percent / 100) * (sensation.size - 1) for percent in _PERCENTS}
    below = {percent: int(place) for percent, place in places.items()}
    kept = {min(k + one, sensation.size - 1) for k in below.values() for one in (0, 1)}
    ordered = np.partition(sensation, sorted(kept))
    found = {}
    for percent, k in below.items():
        low, high = ordered[k], ordered[min(k + 1, sensation.size - 1)]
        found[percent] = float(low + (places[percent] - k) * (high - low))
    return found


def pst_of(sensation: FloatArray) -> float:
    """Short-term severity from the sensations of 10 minutes, with the smoothed percentiles.

    Pst = sqrt(0.0314 P0.1 + 0.0525 P1s + 0.0657 P3s + 0.28 P10s + 0.08 P50s), P_x being exceeded for x %.
    """

    def exceeded(*percents: float) -> float:
        return float(np.mean([at[percent] for percent in percents]))

    at = _exceeded(sensation)
    return math.sqrt(
        0.0314 * exceeded(0.1)
        + 0.0525 * exceeded(0.7, 1, 1.5)
        + 0.0657 * exceeded(2.2, 3, 4)
        + 0.28 * exceeded(6, 8, 10, 13, 17)
        + 0.08 * exceeded(30, 50, 80)
    )


def plt_of(pst: Sequence[float] | FloatArray) -> float:
    """Long-term severity: the cubic mean of 12 consecutive Pst."""
    return float(np.cbrt(np.mean(np.asarray(pst, np.float64) ** 3)))


def pst_of_series(
    voltage_pu: FloatArray, step_s: Fraction, frequency_hz: int, *, wave: bool = False
) -> FloatArray:
    """Pst of each whole 10 minutes of a series, after the pre-roll.

    `voltage_pu` are samples every `step_s` [s]: of the waveform where `wave` is set, else of its magnitude;
    `frequency_hz` is nominal, 50 or 60, and chooses the lamp.
    """
    meter = Flickermeter(step_s, frequency_hz, wave=wave)
    meter.feed(voltage_pu)
    return meter.pst()
