"""From columns to channels: by the names of the columns, or as a sidecar says."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from aidc.errors import InputError, Problem
from aidc.record.phase_names import phase_of, plain, unit_of
from aidc.record.source import Phases, Recorded
from aidc.record.waveform import CHANNELS
from aidc.schema.recording import ChannelSource, PhaseColumns

__all__ = [
    "Nominal",
    "by_name",
    "by_sidecar",
    "channel_of",
    "near_usual",
    "phases_by_name",
    "phases_by_sidecar",
]

FloatArray = NDArray[np.float64]

_POWER = {"w": 1.0, "kw": 1e3, "mw": 1e6}
_REACTIVE = {"var": 1.0, "kvar": 1e3, "mvar": 1e6}
_VOLT = {"v": 1.0, "kv": 1e3}
_KINDS: Final[Mapping[str, tuple[str, Mapping[str, float]]]] = {
    "p": ("p_w", _POWER),
    "power": ("p_w", _POWER),
    "active_power": ("p_w", _POWER),
    "q": ("q_var", _REACTIVE),
    "reactive_power": ("q_var", _REACTIVE),
    "it_demand": ("it_demand_w", _POWER),
    "it_served": ("it_served_w", _POWER),
    "frequency": ("frequency_hz", {"hz": 1.0, "mhz": 1e-3}),
    "voltage": ("v1_pu", {"pu": 1.0, "v": 1.0, "kv": 1e3}),
}
_PHASE = re.compile(r"(v|u|i)_?([abc]n?|l[123]n?|ab|bc|ca|l?1_?l?2|l?2_?l?3|l?3_?l?1)(?:_(pu|[a-z]+))?")


_USUAL_KV = (
    0.208, 0.4, 0.415, 0.48, 0.69, 4.16, 6.6, 10, 11, 12.47, 13.8, 15, 20, 22, 24.9, 30, 33, 34.5, 46, 66, 69, 88, 110,
    115, 132, 138, 150, 161, 220, 230, 275, 330, 345, 380, 400, 500, 525, 735, 765,
)  # fmt: skip
_NEAR = 0.08


class Nominal:
    """Nominal frequency and voltage, and a refusal where one is needed and not known.

    With `guess` (a look at a file, never a verdict) an unknown voltage is the usual one next to what was measured.
    """

    def __init__(
        self, path: Path, frequency_hz: float | None, voltage_kv: float | None, *, guess: bool = False
    ) -> None:
        self._path = path
        self._frequency_hz = frequency_hz
        self._voltage_kv = voltage_kv
        self.guessing = guess
        self.guessed_kv: float | None = None

    @property
    def known_hz(self) -> float | None:
        return self._frequency_hz

    @property
    def known_kv(self) -> float | None:
        return self._voltage_kv

    def frequency_hz(self, why: str) -> float:
        if self._frequency_hz is None:
            raise InputError(
                Problem(
                    f"{why} needs the nominal frequency", "Give nominal_hz in a recording.toml.", self._path
                )
            )
        return self._frequency_hz

    def voltage_v(self, why: str, level_v: float | None = None) -> float:
        """Nominal line-to-line voltage [V]; where a guess is wanted, the usual one next to the level measured."""
        if self._voltage_kv is None and self.guessing and level_v is not None and level_v > 0:
            self.guessed_kv = near_usual(level_v / 1e3) or level_v / 1e3
            self._voltage_kv = self.guessed_kv
        if self._voltage_kv is None:
            raise InputError(
                Problem(
                    f"{why} needs the nominal voltage",
                    "Give nominal_kv (line-to-line) in a recording.toml.",
                    self._path,
                )
            )
        return self._voltage_kv * 1e3


def near_usual(kv: float) -> float | None:
    """The usual nominal voltage within 8 % of a level [kV]; None where there is none."""
    near = min(_USUAL_KV, key=lambda one: abs(np.log(one / kv)))
    return near if abs(np.log(near / kv)) < _NEAR else None


def by_name(record: Recorded, nominal: Nominal) -> tuple[dict[str, FloatArray], list[str]]:
    """Channels that the names of columns tell, and the columns that they leave out.

    A single voltage is taken as positive sequence, never as the worst phase.
    """
    channels: dict[str, FloatArray] = {}
    came_from: dict[str, str] = {}
    ignored: list[str] = []
    for name in record.names:
        found = channel_of(name)
        if found is None:
            ignored.append(name)
            continue
        channel, factor, unit = found
        if channel in channels:
            raise InputError(
                Problem(
                    f"columns {came_from[channel]!r} and {name!r} are both {channel}",
                    "Say in a recording.toml which one counts.",
                    record.path,
                )
            )
        if channel == "frequency_hz" and unit == "pu":
            factor = nominal.frequency_hz("frequency per unit")
        if channel == "v1_pu" and unit in _VOLT:
            factor /= nominal.voltage_v("a voltage in volts", factor * float(np.median(record[name])))
        channels[channel], came_from[channel] = record[name] * factor, name
    return channels, ignored


def by_sidecar(
    record: Recorded, sources: Mapping[str, ChannelSource], sidecar: Path
) -> dict[str, FloatArray]:
    """Channels as a sidecar says: a column or a sum of columns, scaled."""
    channels: dict[str, FloatArray] = {}
    for name, source in sources.items():
        if name not in CHANNELS:
            close = get_close_matches(name, CHANNELS, n=1, cutoff=0.4)
            remedy = f"Did you mean {close[0]!r}?" if close else f"Known: {', '.join(CHANNELS)}."
            raise InputError(Problem("is not a channel", remedy, sidecar, f"channels.{name}"))
        if source.column is not None:
            total = record[source.column]
        else:
            matched = [each for each in record.names if fnmatchcase(each, str(source.sum_of))]
            if not matched:
                raise InputError(
                    Problem(
                        "matches no column",
                        f"Columns here: {', '.join(record.names[:20])}.",
                        sidecar,
                        f"channels.{name}.sum_of",
                        source.sum_of,
                    )
                )
            total = np.sum([record[each] for each in matched], axis=0)
        channels[name] = total * source.scale + source.offset
    return channels


def phases_by_sidecar(columns: PhaseColumns) -> Phases:
    """Phase quantities as a sidecar says."""
    named = [name for name in (columns.ia, columns.ib, columns.ic) if name is not None]
    between = columns.va is None
    voltages = (columns.vab, columns.vbc, columns.vca) if between else (columns.va, columns.vb, columns.vc)
    first, second, third = (name or "" for name in voltages)
    return Phases(
        (first, second, third),
        (named[0], named[1], named[2]) if len(named) == 3 else None,
        columns.voltage_scale,
        columns.current_scale,
        form=columns.form,
        between=between,
    )


def phases_by_name(record: Recorded) -> Phases | None:
    """Phase quantities called va, vb, vc or vab, vbc, vca (V, or _kv, _pu) and ia, ib, ic (A, or _ka).

    None without voltages; phase-neutral ones go before phase-phase ones. Of three phase-phase voltages two do.
    """
    found: dict[str, dict[int, tuple[str, str]]] = {"v": {}, "vv": {}, "i": {}}
    for name in record.names:
        match = _PHASE.fullmatch(plain(name))
        phase = None if match is None else phase_of(match.group(2))
        if match is None or phase is None:
            continue
        between, place = phase
        kind = "i" if match.group(1) == "i" else "vv" if between else "v"
        stated = match.group(3) or ("a" if kind == "i" else "v")
        unit = "pu" if stated == "pu" else unit_of(stated)
        if unit in (("a", "ka") if kind == "i" else ("v", "kv", "pu")) and not (kind == "i" and between):
            found[kind].setdefault(place, (name, unit))
    between = not found["v"] and len(found["vv"]) >= 2
    voltages, voltage_unit = _three(found["vv" if between else "v"], record, two=between)
    if voltages is None:
        return None
    currents, current_unit = _three(found["i"], record)
    base: Literal["volt", "pu"] = "pu" if voltage_unit == "pu" else "volt"
    factor = _VOLT.get(voltage_unit, 1.0)
    return Phases(voltages, currents, factor, 1e3 if current_unit == "ka" else 1.0, base, between=between)


def _three(
    found: Mapping[int, tuple[str, str]], record: Recorded, *, two: bool = False
) -> tuple[tuple[str, str, str] | None, str]:
    """Three columns and their unit; with `two` the third may lack, and is left empty."""
    if not found:
        return None, ""
    units = {unit for _, unit in found.values()}
    if len(found) < (2 if two else 3) or len(units) > 1:
        names = ", ".join(name for name, _ in found.values())
        raise InputError(
            Problem(
                f"has phases that are incomplete or differ in unit: {names}", "Give all three.", record.path
            )
        )
    first, second, third = (found[place][0] if place in found else "" for place in range(3))
    return (first, second, third), units.pop()


def phase_voltages(names: Sequence[str]) -> int:
    """How many of these columns are named as voltages of phases or between them."""
    found = [match for name in names if (match := _PHASE.fullmatch(plain(name)))]
    return sum(match.group(1) != "i" for match in found)


def channel_of(name: str) -> tuple[str, float, str] | None:
    """Channel, factor and unit that a column's name tells."""
    lower = plain(name)
    if lower in CHANNELS:
        return lower, 1.0, ""
    kind, _, unit = lower.rpartition("_")
    if kind == "frequency" and unit == "pu":
        return "frequency_hz", 1.0, "pu"
    if kind in _KINDS and unit in _KINDS[kind][1]:
        channel, units = _KINDS[kind]
        return channel, units[unit], unit
    return None
