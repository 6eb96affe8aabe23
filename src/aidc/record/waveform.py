"""A waveform: evenly sampled channels at one measuring point, from the twin or from a recorder.

Evaluators see nothing else, so a measured series and a simulated one are judged by the same code. A long
window is a sequence of waveforms (blocks) whose first ticks follow each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["CHANNELS", "Location", "Mark", "Waveform"]

FloatArray = NDArray[np.float64]
Location = Literal["poi", "ups-input", "psu-terminals"]

CHANNELS: Mapping[str, str] = {
    "v1_pu": "positive-sequence voltage (magnitude of the phasor)",
    "v2_pu": "negative-sequence voltage",
    "v0_pu": "zero-sequence voltage",
    "v_pn_min_pu": "least of the three phase-neutral voltages",
    "v_pn_max_pu": "greatest phase-neutral voltage",
    "v_pp_min_pu": "least of the three phase-phase voltages, over nominal phase-phase voltage",
    "v_pp_max_pu": "greatest phase-phase voltage",
    "v_a_pu": "one-cycle RMS voltage of phase a (phase-phase: a-b), over nominal",
    "v_b_pu": "one-cycle RMS voltage of phase b (b-c)",
    "v_c_pu": "one-cycle RMS voltage of phase c (c-a)",
    "v_wave_pu": "instantaneous voltage of phase a (a-b) over the nominal amplitude (flickermeter input)",
    "v_wave_b_pu": "instantaneous voltage of phase b (b-c)",
    "v_wave_c_pu": "instantaneous voltage of phase c (c-a)",
    "frequency_hz": "frequency",
    "angle_rad": "voltage angle against a frame that turns at nominal frequency",
    "p_w": "active power of all three phases, import positive",
    "q_var": "reactive power, import positive",
    "connected_frac": "share of the load that has not tripped, transferred or locked out",
    "in_operation_frac": "share of the load that is connected and whose converters give or take current",
    "storage_connected_frac": "share of the storages at the site bus that has not tripped",
    "storage_in_operation_frac": "share of them that gives or takes current, or would if it were asked to",
    "it_demand_w": "power that the racks ask for",
    "it_served_w": "power that the racks get",
    "dc_bus_pu": "lowest direct voltage of any lineup",
    "storage_w": "power of the storages at the site bus, charging positive",
    "soc_frac": "state of charge of the first of them",
    "cooling_w": "power of the cooling plants",
    "battery_w": "power of all lineup batteries, charging positive",
    "genset_w": "output of all generator sets",
    "v_bus_pu": "voltage of the site bus, positive sequence",
}
"""Known channels; a waveform holds those that its source has."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A named stretch of a record, in seconds from tick 0: a sag, a start, an abort, a transfer."""

    kind: str
    start_s: float
    end_s: float
    label: str = ""


@dataclass(frozen=True, slots=True)
class Waveform:
    """Channels of equal length, shape (n_step,), the first sample at `first_tick`.

    Voltages are over nominal (phase-neutral or phase-phase alike), powers are three-phase totals. `averaged` names
    the channels that are known to be values over a cycle, and so follow nothing that is faster.
    """

    step_s: Fraction
    channels: Mapping[str, FloatArray]
    location: Location = "poi"
    frequency_hz: float = 60.0
    first_tick: int = 0
    marks: tuple[Mark, ...] = field(default=())
    averaged: frozenset[str] = frozenset()

    def __getitem__(self, channel: str) -> FloatArray:
        return self.channels[channel]

    def __contains__(self, channel: str) -> bool:
        return channel in self.channels

    def __len__(self) -> int:
        return next((values.size for values in self.channels.values()), 0)

    @property
    def time_s(self) -> FloatArray:
        """Time of each sample from tick 0 [s]."""
        return np.arange(self.first_tick, self.first_tick + len(self), dtype=np.float64) * float(self.step_s)

    @property
    def duration_s(self) -> float:
        return len(self) * float(self.step_s)

    def block(self, first: int, last: int) -> Waveform:
        """Samples `first` to `last` (exclusive), as views."""
        return Waveform(
            self.step_s,
            {name: values[first:last] for name, values in self.channels.items()},
            self.location,
            self.frequency_hz,
            self.first_tick + first,
            self.marks,
            self.averaged,
        )

    @classmethod
    def joined(cls, blocks: Sequence[Waveform]) -> Waveform:
        """Consecutive waveforms as one, with the channels and marks of the first."""
        first = blocks[0]
        channels = {name: np.concatenate([block[name] for block in blocks]) for name in first.channels}
        return cls(
            first.step_s,
            channels,
            first.location,
            first.frequency_hz,
            first.first_tick,
            first.marks,
            first.averaged,
        )

    def thinned(self, many: int) -> Waveform:
        """Means over `many` samples; a remainder at the end is dropped."""
        count = len(self) // many
        channels = {
            name: values[: count * many].reshape(count, many).mean(axis=1)
            for name, values in self.channels.items()
        }
        return Waveform(
            self.step_s * many,
            channels,
            self.location,
            self.frequency_hz,
            self.first_tick // many,
            self.marks,
            self.averaged,
        )
