"""Spectrum of power: strongest lines, share of a band, amplitudes near the modes of generators.

Power is low-passed (Butterworth of order 8) and decimated to about 200 samples/s, then averaged over
half-overlapping Hann segments (P. D. Welch, IEEE Trans. Audio Electroacoustics 15 (1967) 70-73,
doi:10.1109/TAU.1967.1161901). The low-pass is divided out again, so that a line reads what it is up to
80 Hz. The variance that shares refer to is that of the segments, and what the low-pass took of the series: it includes
what is faster, and nothing that is slower than a segment.

A line is the energy under the Hann window's main lobe (two bins to either side), as the amplitude of a
sine; its frequency is the centre of that energy. Each segment is freed of its straight line, so that a load that
drifts (weather, the course of a day) leaks into no line and dilutes no share. Validity: steady lines further apart than four bins; a
line that wanders or a load that steps spreads over bins and reads low.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from aidc.jit import engine
from aidc.measure.grid.sampling import band_too_fast, too_short
from aidc.measure.grid.sos import SosBank, gain
from aidc.measure.grid.stream import StreamMeter
from aidc.measure.grid.verdict import Connection, Verdict, judge, not_assessable
from aidc.record.waveform import Waveform
from aidc.schema.code import BandEnergy

__all__ = ["BandEnergyMeter", "Line", "Mode", "Spectrum", "SpectrumMeter", "spectrum_of"]

FloatArray = NDArray[np.float64]

SEGMENT_S = 100.0
_RATE_HZ = 200.0
_PASS_SHARE = 0.8  # of the Nyquist frequency after decimation
_LOBE = 2
_MODE_SHARE = 0.02
_ROUNDING = 1e-10


@dataclass(frozen=True, slots=True)
class Line:
    """A spectral line: frequency, amplitude of the sine, share of all variance."""

    frequency_hz: float
    amplitude_w: float
    variance_frac: float


@dataclass(frozen=True, slots=True)
class Mode:
    """Amplitude of power near a named generator mode; no rule limits it, so it informs."""

    name: str
    frequency_hz: float
    amplitude_w: float


@dataclass(frozen=True, slots=True)
class Spectrum:
    """One-sided variance per bin [W²] at `frequency_hz`, and the variance of the whole series [W²]."""

    frequency_hz: FloatArray
    variance_w2: FloatArray
    total_w2: float
    segments: int

    @property
    def bin_hz(self) -> float:
        return float(self.frequency_hz[1] - self.frequency_hz[0])

    def band_w2(self, low_hz: float, high_hz: float) -> float:
        """Variance between two frequencies, both included."""
        inside = (self.frequency_hz >= low_hz - 1e-9) & (self.frequency_hz <= high_hz + 1e-9)
        return float(self.variance_w2[inside].sum())

    def band_frac(self, low_hz: float, high_hz: float) -> float:
        """Share of the variance between two frequencies; from 0 Hz, all that is not faster."""
        if self.total_w2 <= 0:
            return 0.0
        if low_hz <= 0:
            beyond = self.band_w2(high_hz + self.bin_hz / 2, math.inf)
            return max(0.0, 1.0 - beyond / self.total_w2)
        return self.band_w2(low_hz, high_hz) / self.total_w2

    def lines(self, count: int = 5) -> tuple[Line, ...]:
        """The strongest lines, by amplitude."""
        energy = self.variance_w2.copy()
        energy[: _LOBE + 1] = 0.0  # the mean and its main lobe
        found: list[Line] = []
        while self.total_w2 > 0 and len(found) < count and energy.max() > 1e-12 * self.total_w2:
            peak = int(energy.argmax())
            lobe = slice(max(0, peak - _LOBE), peak + _LOBE + 1)
            inside = energy[lobe].sum()
            centre_hz = float((energy[lobe] * self.frequency_hz[lobe]).sum() / inside)
            found.append(Line(centre_hz, math.sqrt(2 * inside), float(inside / self.total_w2)))
            energy[max(0, peak - 2 * _LOBE) : peak + 2 * _LOBE + 1] = 0.0
        return tuple(sorted(found, key=lambda line: -line.amplitude_w))

    def mode(self, name: str, frequency_hz: float) -> Mode:
        """Amplitude within 2 % (at least two bins) of a mode."""
        half_hz = max(_LOBE * self.bin_hz, _MODE_SHARE * frequency_hz)
        inside = self.band_w2(frequency_hz - half_hz, frequency_hz + half_hz)
        return Mode(name, frequency_hz, math.sqrt(2 * inside))


@engine
def moment_block(x: FloatArray, offset: float, state: FloatArray) -> None:
    """Add x - offset and its square to `state`."""
    total, square = state[0], state[1]
    for j in range(x.size):
        value = x[j] - offset
        total += value
        square += value * value
    state[0], state[1] = total, square


def _variance(moments: FloatArray, count: int) -> float:
    mean = moments[0] / count
    return float(moments[1] / count - mean * mean)


class SpectrumMeter:
    """Fed with power in blocks; holds one segment and one spectrum whatever the length of the series."""

    def __init__(self, step_s: Fraction, segment_s: float = SEGMENT_S, high_hz: float = 0.0) -> None:
        rate_hz = float(1 / step_s)
        self._stride = max(1, int(rate_hz / max(_RATE_HZ, 2.5 * high_hz) + 1e-9))
        self._rate_hz = rate_hz / self._stride
        corner_hz = _PASS_SHARE * self._rate_hz / 2
        self._lowpass = np.asarray(signal.butter(8, corner_hz, "lowpass", fs=rate_hz, output="sos"))
        self._bank = SosBank([self._lowpass]) if self._stride > 1 else None
        self._source_hz = rate_hz
        self._size = max(16, round(segment_s * self._rate_hz) // 2 * 2)
        self._segment = np.empty(self._size)
        self._held = 0
        self._phase = 0
        self._window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(self._size) / self._size)
        self._line = np.stack((np.ones(self._size), np.linspace(-1, 1, self._size)), axis=1)
        self._fit = np.linalg.pinv(self._line)
        self._power = np.zeros(self._size // 2 + 1)
        self._segments = 0
        self._moments = np.zeros(2)
        self._slow = np.zeros(2)
        self._picked = 0
        self._samples = 0
        self._offset = 0.0

    def feed(self, power_w: FloatArray) -> None:
        """Take the next samples."""
        if not power_w.size:
            return
        if not self._samples:
            self._offset = float(power_w[0])
        self._samples += power_w.size
        moment_block(power_w, self._offset, self._moments)
        slow = power_w if self._bank is None else self._bank.feed(power_w)[0]
        picked = slow[self._phase :: self._stride]
        self._phase = (self._phase - power_w.size) % self._stride
        if picked.size:
            self._picked += picked.size
            moment_block(np.ascontiguousarray(picked), self._offset, self._slow)
        self._fill(picked)

    def _fill(self, picked: FloatArray) -> None:
        at = 0
        while at < picked.size:
            take = min(picked.size - at, self._size - self._held)
            self._segment[self._held : self._held + take] = picked[at : at + take]
            self._held += take
            at += take
            if self._held == self._size:
                level = self._segment - self._line @ (self._fit @ self._segment)
                level -= np.average(level, weights=self._window)
                lines = np.fft.rfft(level * self._window)
                self._power += lines.real**2 + lines.imag**2
                self._segments += 1
                half = self._size // 2
                self._segment[:half] = self._segment[half:].copy()
                self._held = half

    def spectrum(self) -> Spectrum | None:
        """The spectrum so far; None before the first segment is full."""
        if not self._segments:
            return None
        frequency_hz = np.arange(self._size // 2 + 1, dtype=np.float64) * (self._rate_hz / self._size)
        scale = 2.0 / (self._segments * self._size * (self._window**2).sum())
        variance_w2 = self._power * scale
        if self._bank is not None:
            variance_w2 = variance_w2 / gain(self._lowpass, frequency_hz, self._source_hz) ** 2
        usable = frequency_hz <= _PASS_SHARE * self._rate_hz / 2
        mean = self._moments[0] / self._samples
        whole_w2, slow_w2 = _variance(self._moments, self._samples), _variance(self._slow, self._picked)
        total_w2 = float(self._power.sum() * scale) + max(whole_w2 - slow_w2, 0.0)
        if whole_w2 <= (_ROUNDING * (self._offset + mean)) ** 2:
            total_w2 = 0.0  # the shares of rounding errors mean nothing
        return Spectrum(frequency_hz[usable], variance_w2[usable], total_w2, self._segments)


def spectrum_of(waveform: Waveform, segment_s: float = SEGMENT_S) -> Spectrum | None:
    """Spectrum of a waveform's power, in segments no longer than the waveform."""
    meter = SpectrumMeter(waveform.step_s, min(segment_s, waveform.duration_s))
    meter.feed(waveform["p_w"])
    return meter.spectrum()


class BandEnergyMeter(StreamMeter[BandEnergy]):
    """Judges the share of the power's variance between two frequencies."""

    needs = ("p_w",)

    def __init__(self, clause: BandEnergy, connection: Connection, step_s: Fraction) -> None:
        super().__init__(clause, connection, step_s)
        if self._reason:
            return
        self._segment_s = SEGMENT_S if clause.low_hz <= 0 else max(20.0, 10.0 / clause.low_hz)
        self._meter = SpectrumMeter(step_s, self._segment_s, clause.high_hz)

    def _unfit(self) -> str:
        return band_too_fast(self.step_s, self.clause.high_hz)

    def _take(self, block: Waveform) -> None:
        self._meter.feed(block["p_w"])

    def _judge(self) -> list[Verdict]:
        clause = self.clause
        found = self._meter.spectrum()
        if found is None:
            return [
                not_assessable(clause, too_short(self.duration_s, self._segment_s, "the band's spectrum"))
            ]
        share = found.band_frac(clause.low_hz, clause.high_hz)
        strongest = found.lines(1)
        reason = f"{clause.low_hz:g}-{clause.high_hz:g} Hz of {math.sqrt(found.total_w2) / 1e6:.3g} MW rms"
        if strongest:
            line = strongest[0]
            reason += f"; strongest line {line.amplitude_w / 1e6:.3g} MW at {line.frequency_hz:.3g} Hz"
        modes = [found.mode(*mode) for mode in self.connection.modes_hz]
        reason += "".join(
            f"; {mode.amplitude_w / 1e6:.3g} MW near {mode.name} ({mode.frequency_hz:g} Hz)" for mode in modes
        )
        return [judge(clause, share, clause.limit_frac, "", reason=reason)]
