"""A measured series as a waveform, so that the evaluators judge it as they judge the twin."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from aidc.datasets import locate
from aidc.errors import InputError, Problem
from aidc.record.comtrade import read_comtrade
from aidc.record.doubts import phase_doubts
from aidc.record.mapping import Nominal, by_name, by_sidecar, phases_by_name, phases_by_sidecar
from aidc.record.phase_names import plain
from aidc.record.phases import LEAST_PER_CYCLE, nominal_of, one_cycle
from aidc.record.recorded_csv import read_csv
from aidc.record.source import Phases, Recorded
from aidc.record.waveform import Mark, Waveform
from aidc.schema.recording import RecordingFile
from aidc.site.refuse import problems_of
from aidc.toml_file import read_toml

__all__ = ["Recording", "open_recording", "read_recording"]

FloatArray = NDArray[np.float64]

_COMTRADE = (".cfg", ".dat", ".cff")
_MOST_PU = 10.0
_LARGEST = 1e30
_PLAUSIBLE_HZ = (30.0, 90.0)
_FAST = frozenset({"v_wave_pu", "v_wave_b_pu", "v_wave_c_pu", "angle_rad", "frequency_hz", "p_w", "q_var"})


@dataclass(frozen=True, slots=True)
class Recording:
    """A record as read: its waveform, what is wrong with its phases, and the nominal voltage that it was held against.

    `guessed` says that the nominal voltage is a guess from the level (a look, no verdict); `trusted` that the
    sidecar vouches for levels, units and directions.
    """

    waveform: Waveform
    path: Path
    doubts: tuple[Problem, ...] = ()
    trusted: bool = False
    nominal_kv: float | None = None
    guessed: bool = False


@dataclass(frozen=True, slots=True)
class _Computed:
    """What instantaneous phases gave: samples spent, nominal frequency, channels, which are over a cycle, notes."""

    lead: int
    hertz: float | None
    channels: dict[str, FloatArray]
    averaged: frozenset[str]
    notes: tuple[str, ...] = ()
    doubts: tuple[Problem, ...] = ()


def read_recording(
    path: Path | str, *, nominal_hz: float | None = None, nominal_kv: float | None = None
) -> Waveform:
    """Read a measured series: CSV, COMTRADE (.cfg with .dat, or .cff), or a sidecar (.toml) that names one.

    Columns that bear the name of a channel, or of its quantity in another unit (`p_mw`, `P [kW]`,
    `frequency_pu`, `voltage_kv`), are those channels. `va`, `vb`, `vc` or `vab`, `vbc`, `vca` (and `ia`, `ib`, `ic`)
    that change sign are instantaneous values (per unit: over the nominal amplitude): they give one-cycle power,
    sequence voltages, RMS voltages and frequency, and the first cycle is spent on it; otherwise they are RMS
    voltages. What was done to the data (times snapped, columns left out) stands in marks of kind "repair".

    Parameters
    ----------
    path
        The file; a sidecar is a `RecordingFile`.
    nominal_hz, nominal_kv
        The site's nominal frequency [Hz] and line-to-line voltage [kV], where the file states none.

    Raises
    ------
    InputError
        Not readable, no channel, uneven times, missing samples, implausible values: with file, place,
        value and remedy.
    """
    found = open_recording(path, nominal_hz=nominal_hz, nominal_kv=nominal_kv)
    _refuse_far(found)
    return found.waveform


def open_recording(
    path: Path | str,
    *,
    nominal_hz: float | None = None,
    nominal_kv: float | None = None,
    guess: bool = False,
) -> Recording:
    """As `read_recording`, with what is doubtful about it; `guess` takes the usual voltage where none is known.

    `path` is the file; `nominal_hz` and `nominal_kv` (line to line) are what it is held against, where known.
    """
    path = Path(path)
    if path.suffix.lower() == ".toml":
        sidecar = _sidecar(path)
        data = _data_file(sidecar, path)
    else:
        sidecar, data = RecordingFile(file=path.name), path
    comtrade = data.suffix.lower() in _COMTRADE
    if comtrade:
        record = read_comtrade(data)
    else:
        record = read_csv(data, sidecar.time, sidecar.step_s, sidecar.skip_lines, sidecar.time_unit)
    hertz = sidecar.nominal_hz or record.nominal_hz or nominal_hz
    nominal = Nominal(record.path, hertz, sidecar.nominal_kv or nominal_kv, guess=guess)
    if sidecar.channels or sidecar.phases is not None:
        channels, ignored = by_sidecar(record, sidecar.channels, path), []
        phases = phases_by_sidecar(sidecar.phases) if sidecar.phases is not None else None
    else:
        channels, ignored = by_name(record, nominal)
        phases = record.phases if comtrade else phases_by_name(record)
    return _made(record, channels, phases, ignored, nominal, sidecar)


def _sidecar(path: Path) -> RecordingFile:
    try:
        return RecordingFile.model_validate(read_toml(path))
    except ValidationError as error:
        raise InputError(problems_of(error, RecordingFile, path)) from error


def _data_file(sidecar: RecordingFile, path: Path) -> Path:
    if sidecar.dataset is not None:
        return locate(sidecar.dataset, sidecar.file)
    named = Path(str(sidecar.file))
    if named.suffix.lower() == ".toml":
        raise InputError(Problem("names another sidecar", "Name the data.", path, "file", sidecar.file))
    return path.parent / named


def _made(
    record: Recorded,
    channels: dict[str, FloatArray],
    phases: Phases | None,
    ignored: list[str],
    nominal: Nominal,
    sidecar: RecordingFile,
) -> Recording:
    lead, hertz = 0, nominal.known_hz
    notes = list(record.axis.repairs)
    averaged = _averaged(record, channels, sidecar)
    doubts: tuple[Problem, ...] = ()
    if phases is not None:
        used = {*phases.voltages, *(phases.currents or ())}
        ignored = [name for name in ignored if name not in used]
        found = _from_phases(record, phases, nominal)
        lead, hertz, doubts = found.lead, found.hertz, found.doubts
        averaged |= found.averaged
        notes += found.notes
        channels = {**found.channels, **{name: values[lead:] for name, values in channels.items()}}
    if not channels:
        raise InputError(
            Problem(
                f"has no column that is a known channel (columns: {', '.join(record.names[:20])})",
                "Name one p_mw, frequency_hz or the like, or map channels or phases in a recording.toml.",
                record.path,
            )
        )
    _plausible(channels, record.path)
    if hertz is None and "frequency_hz" in channels:
        hertz = 50.0 if float(np.median(channels["frequency_hz"])) < 55 else 60.0
    if ignored:
        notes.append(f"columns left out: {', '.join(ignored[:20])}")
    size = len(next(iter(channels.values())))
    step_s = record.axis.step_s
    end_s = float((lead + size) * step_s)
    marks = tuple(Mark("repair", 0.0, end_s, note) for note in notes)
    made = Waveform(step_s, channels, sidecar.location, hertz or 60.0, lead, marks, averaged)
    return Recording(
        made, record.path, doubts, sidecar.trusted, nominal.known_kv, nominal.guessed_kv is not None
    )


def _averaged(record: Recorded, channels: dict[str, FloatArray], sidecar: RecordingFile) -> frozenset[str]:
    """The voltages that are values over a cycle: as the sidecar says, else those of columns of plain RMS volts."""
    voltages = frozenset(name for name in channels if name.startswith("v") and name not in _FAST)
    if sidecar.averaged is not None:
        return voltages if sidecar.averaged else frozenset()
    if sidecar.channels:
        return frozenset()
    return voltages - {plain(name) for name in record.names}


def _from_phases(record: Recorded, phases: Phases, nominal: Nominal) -> _Computed:
    """Channels of three voltages and perhaps three currents, whatever they are written in."""
    voltage = _three_voltages(record, phases) * phases.voltage_scale
    if not np.abs(voltage).max() < _LARGEST:
        raise InputError(Problem("overflows", "Check the scale.", record.path, ", ".join(phases.voltages)))
    form = phases.form or ("instantaneous" if (voltage < 0).any() else "rms")
    neutral_of = np.sqrt(3) if phases.between else 1.0
    if phases.base == "pu":
        base = 1.0 if form == "rms" else 1 / np.sqrt(2)  # of the voltages as they are measured
    else:
        level = float(np.median(np.sqrt((voltage**2).mean(axis=1)))) * np.sqrt(3) / neutral_of
        base = nominal.voltage_v("a phase voltage", level) / np.sqrt(3) * neutral_of
    if form == "rms":
        return _rms_channels(voltage / base, nominal, between=phases.between)
    step_s = float(record.axis.step_s)
    hertz = nominal.known_hz or nominal_of(voltage[0], step_s) or nominal.frequency_hz("this waveform")
    _refuse_few(record, 1 / (hertz * step_s), voltage.shape[1], hertz)
    current = None
    if phases.currents is not None:
        if phases.base == "pu":
            rms_v = nominal.voltage_v("power from a voltage per unit") / np.sqrt(3) * neutral_of
            voltage, base = voltage * (rms_v / base), rms_v
        current = np.stack([record[name] for name in phases.currents]) * phases.current_scale
    hertz = _measured_hz(voltage, step_s, hertz)
    backwards, doubts = phase_doubts(voltage, current, step_s, hertz, record.path)
    notes: tuple[str, ...] = ()
    if backwards:
        voltage, current = _turned(voltage, current, between=phases.between)
        notes = ("the phases rotate backwards (a, c, b): read with b and c exchanged",)
    found = one_cycle(voltage, current, step_s, hertz, float(base / neutral_of), between=phases.between)
    return _Computed(
        found.lead, hertz, found.channels, frozenset(found.channels) - _FAST, notes, tuple(doubts)
    )


def _three_voltages(record: Recorded, phases: Phases) -> FloatArray:
    """The columns; of phase-phase voltages the one that lacks is what the others leave."""
    known = [record[name] for name in phases.voltages if name]
    rest = -np.sum(known, axis=0) if len(known) < 3 else known[0]
    rows = iter(known)
    return np.stack([next(rows) if name else rest for name in phases.voltages])


def _rms_channels(over: FloatArray, nominal: Nominal, *, between: bool) -> _Computed:
    kind = "pp" if between else "pn"
    named = {f"v_{phase}_pu": row for phase, row in zip("abc", over, strict=True)}
    channels = {f"v_{kind}_min_pu": over.min(axis=0), f"v_{kind}_max_pu": over.max(axis=0), **named}
    return _Computed(0, nominal.known_hz, channels, frozenset(channels))


def _measured_hz(voltage: FloatArray, step_s: float, hertz: float) -> float:
    """50 or 60 Hz: what the voltage itself turns with, where it is plain that this is the other one."""
    other = 110.0 - hertz
    spectrum = np.abs(np.fft.rfft(voltage[0] * np.hanning(voltage.shape[1])))
    at_hz = np.fft.rfftfreq(voltage.shape[1], step_s)
    strongest = float(at_hz[int(spectrum[1:].argmax()) + 1])
    seconds = voltage.shape[1] * step_s
    plain_ = abs(strongest - other) < min(3.0, 2.0 / seconds + 1.0) and seconds > 0.1
    return other if plain_ and hertz in (50.0, 60.0) else hertz


def _turned(
    voltage: FloatArray, current: FloatArray | None, *, between: bool
) -> tuple[FloatArray, FloatArray | None]:
    """Phases b and c exchanged; the pairs a-b, b-c, c-a become a-c, c-b, b-a."""
    order = [2, 1, 0] if between else [0, 2, 1]
    sign = -1.0 if between else 1.0
    return sign * voltage[order], None if current is None else current[[0, 2, 1]]


def _refuse_few(record: Recorded, per_cycle: float, samples: int, hertz: float) -> None:
    if per_cycle < LEAST_PER_CYCLE:
        raise InputError(
            Problem(
                f"has {per_cycle:.3g} samples a cycle, too few for instantaneous values",
                f"Record at {LEAST_PER_CYCLE * hertz:g} samples a second or more, or give RMS values.",
                record.path,
                value=float(record.axis.step_s),
            )
        )
    if samples < 2 * per_cycle:
        raise InputError(
            Problem("is shorter than two cycles", "Give a longer recording.", record.path, value=samples)
        )


def _refuse_far(found: Recording) -> None:
    """Refuse voltages that no grid has."""
    problems = [
        Problem(
            "lies far beyond 1 pu", "Check nominal_kv and the unit.", found.path, name, float(values.max())
        )
        for name, values in found.waveform.channels.items()
        if name.endswith("_pu") and float(np.abs(values).max()) > _MOST_PU
    ]
    if problems:
        raise InputError(problems)


def _plausible(channels: dict[str, FloatArray], path: Path) -> None:
    """Refuse what is no finite number, and what is no frequency."""
    problems: list[Problem] = []
    for name, values in channels.items():
        if not np.isfinite(values).all():
            problems.append(Problem("overflows", "Check the scale.", path, name))
        elif (
            name == "frequency_hz"
            and not _PLAUSIBLE_HZ[0] <= cast("float", np.median(values)) <= _PLAUSIBLE_HZ[1]
        ):
            low = float(values.min())
            problems.append(Problem("is no frequency of a grid", "Check the unit.", path, name, low))
    if problems:
        raise InputError(problems)
