"""Fault records made from phasors: instantaneous voltages and currents of a site behind a grid with a sag.

Nothing of the product is used: voltage and power are stated, currents follow from I = (S / 3V)*.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl

NOMINAL_V = 138e3
TURN = np.exp(-2j * np.pi / 3 * np.arange(3))


@dataclass(frozen=True)
class Story:
    """A sag at `sag_s`, and a site that draws `mw`; from `left_s` to `back_s` it draws `away_mw`."""

    seconds: float = 26.0
    rate: float = 1200.0
    hertz: float = 60.0
    mw: float = 80.0
    sag_s: float = 10.0
    duration_s: float = 0.2
    residual: float = 0.3
    left_s: float = np.inf
    back_s: float = np.inf
    away_mw: float = 4.0
    swing_mw: float = 0.0
    noise: float = 0.0
    jump_deg: float = 0.0

    def but(self, **changes: float) -> Story:
        return replace(self, **changes)

    @property
    def time_s(self) -> np.ndarray:
        return np.arange(round(self.seconds * self.rate)) / self.rate

    def power_w(self) -> np.ndarray:
        """Power that the load asks for; a current limit of 1.05 holds it in the sag."""
        t = self.time_s
        power = (self.mw + self.swing_mw * np.sin(2 * np.pi * 0.7 * t)) * 1e6
        power[(t >= self.left_s) & (t < self.back_s)] = self.away_mw * 1e6
        return power

    def voltage_pu(self) -> np.ndarray:
        t = self.time_s
        return np.where((t >= self.sag_s) & (t < self.sag_s + self.duration_s), self.residual, 1.0)

    def waves(self) -> tuple[np.ndarray, np.ndarray]:
        """Phase-neutral voltages [V] and currents [A], instantaneous, (3, n)."""
        t, level = self.time_s, self.voltage_pu()
        jump = np.where(level == self.residual, np.radians(self.jump_deg), 0.0)
        turning = np.exp(1j * (2 * np.pi * self.hertz * t + jump))
        volts = NOMINAL_V / np.sqrt(3) * level
        most = 1.05 * (self.mw + self.swing_mw) * 1e6 / (np.sqrt(3) * NOMINAL_V)
        amps = np.minimum(self.power_w() / (3 * volts), most)
        rng = np.random.default_rng(4)
        made = []
        for size in (volts, amps * np.exp(-1j * 0.1)):
            wave = np.sqrt(2) * (TURN[:, None] * (size * turning)).real
            made.append(wave + self.noise * np.sqrt(2) * np.abs(size).max() * rng.standard_normal(wave.shape))
        return made[0], made[1]


def write_waves(
    folder: Path,
    voltage: np.ndarray,
    current: np.ndarray | None,
    rate: float,
    names: str = "va vb vc",
    **options: str,
) -> Path:
    """A CSV of the rows; `separator` is polars' own."""
    columns = dict(zip(names.split(), voltage, strict=True))
    if current is not None:
        columns |= dict(zip(("ia", "ib", "ic"), current, strict=True))
    time_s = np.arange(voltage.shape[1]) / rate
    frame = pl.DataFrame({"time_s": time_s.round(7), **columns})
    frame.write_csv(folder / "record.csv", float_precision=7, **options)
    return folder / "record.csv"


def record_of_story(folder: Path, story: Story) -> Path:
    return write_waves(folder, *story.waves(), story.rate)
