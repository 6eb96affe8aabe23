"""A measured series as a waveform, so that the evaluators judge it as they judge the twin."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from aidc.datasets import locate
from aidc.errors import InputError, Problem
from aidc.record.comtrade import read_comtrade
from aidc.record.mapping import Nominal, by_name, by_sidecar, phases_by_name, phases_by_sidecar
from aidc.record.phases import LEAST_PER_CYCLE, nominal_of, one_cycle
from aidc.record.recorded_csv import read_csv
from aidc.record.source import Phases, Recorded
from aidc.record.waveform import Mark, Waveform
from aidc.schema.recording import RecordingFile
from aidc.site.refuse import problems_of
from aidc.toml_file import read_toml

__all__ = ["read_recording"]

FloatArray = NDArray[np.float64]

_COMTRADE = (".cfg", ".dat", ".cff")
_MOST_PU = 10.0
_PLAUSIBLE_HZ = (30.0, 90.0)


def read_recording(
    path: Path | str, *, nominal_hz: float | None = None, nominal_kv: float | None = None
) -> Waveform:
    """Read a measured series: CSV, COMTRADE (.cfg with .dat, or .cff), or a sidecar (.toml) that names one.

    Columns that bear the name of a channel, or of its quantity in another unit (`p_mw`, `power_kw`,
    `frequency_pu`, `voltage_kv`), are those channels. `va`, `vb`, `vc` (and `ia`, `ib`, `ic`) that
    change sign are instantaneous values (per unit: over the nominal amplitude): they give one-cycle power, sequence voltages, RMS voltages
    and frequency, and the first cycle is spent on it; otherwise they are RMS voltages. What was done to
    the data (times snapped, columns left out) stands in marks of kind "repair".

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
    nominal = Nominal(record.path, hertz, sidecar.nominal_kv or nominal_kv)
    if sidecar.channels or sidecar.phases is not None:
        channels, ignored = by_sidecar(record, sidecar.channels, path), []
        phases = phases_by_sidecar(sidecar.phases) if sidecar.phases is not None else None
    else:
        channels, ignored = by_name(record, nominal)
        phases = record.phases if comtrade else phases_by_name(record)
    return _waveform(record, channels, phases, ignored, nominal, sidecar)


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


def _waveform(
    record: Recorded,
    channels: dict[str, FloatArray],
    phases: Phases | None,
    ignored: list[str],
    nominal: Nominal,
    sidecar: RecordingFile,
) -> Waveform:
    lead, hertz = 0, nominal.known_hz
    if phases is not None:
        used = {*phases.voltages, *(phases.currents or ())}
        ignored = [name for name in ignored if name not in used]
        lead, hertz, computed = _from_phases(record, phases, nominal)
        channels = {**computed, **{name: values[lead:] for name, values in channels.items()}}
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
    notes = list(record.axis.repairs)
    if ignored:
        notes.append(f"columns left out: {', '.join(ignored[:20])}")
    size = len(next(iter(channels.values())))
    step_s = record.axis.step_s
    made = Waveform(step_s, channels, sidecar.location, hertz or 60.0, lead)
    end_s = float((lead + size) * step_s)
    return replace(made, marks=tuple(Mark("repair", 0.0, end_s, note) for note in notes))


def _from_phases(
    record: Recorded, phases: Phases, nominal: Nominal
) -> tuple[int, float | None, dict[str, FloatArray]]:
    """Samples spent, nominal frequency, channels."""
    voltage = np.stack([record[name] for name in phases.voltages]) * phases.voltage_scale
    form = phases.form or ("instantaneous" if (voltage < 0).any() else "rms")
    if phases.base == "pu":
        base = 1.0 if form == "rms" else 1 / np.sqrt(2)
    else:
        base = nominal.voltage_v("a phase voltage") / np.sqrt(3)
    if form == "rms":
        over = voltage / base
        return 0, nominal.known_hz, {"v_pn_min_pu": over.min(axis=0), "v_pn_max_pu": over.max(axis=0)}
    step_s = float(record.axis.step_s)
    hertz = nominal.known_hz or nominal_of(voltage[0], step_s) or nominal.frequency_hz("this waveform")
    per_cycle = 1 / (hertz * step_s)
    if per_cycle < LEAST_PER_CYCLE:
        raise InputError(
            Problem(
                f"has {per_cycle:.3g} samples a cycle, too few for instantaneous values",
                f"Record at {LEAST_PER_CYCLE * hertz:g} samples a second or more, or give RMS values.",
                record.path,
                value=step_s,
            )
        )
    if voltage.shape[1] < 2 * per_cycle:
        raise InputError(
            Problem(
                "is shorter than two cycles", "Give a longer recording.", record.path, value=voltage.shape[1]
            )
        )
    current = None
    if phases.currents is not None:
        if phases.base == "pu":
            rms_v = nominal.voltage_v("power from a voltage per unit") / np.sqrt(3)
            voltage, base = voltage * (rms_v / base), rms_v
        current = np.stack([record[name] for name in phases.currents]) * phases.current_scale
    found = one_cycle(voltage, current, step_s, hertz, float(base))
    return found.lead, hertz, found.channels


def _plausible(channels: dict[str, FloatArray], path: Path) -> None:
    """Refuse what only a wrong unit or nominal value gives."""
    problems: list[Problem] = []
    for name, values in channels.items():
        if not np.isfinite(values).all():
            problems.append(Problem("overflows", "Check the scale.", path, name))
            continue
        low, high = float(values.min()), float(values.max())
        if name.endswith("_pu") and max(-low, high) > _MOST_PU:
            problems.append(
                Problem("lies far beyond 1 pu", "Check nominal_kv and the unit.", path, name, high)
            )
        if (
            name == "frequency_hz"
            and not _PLAUSIBLE_HZ[0] <= cast("float", np.median(values)) <= _PLAUSIBLE_HZ[1]
        ):
            problems.append(Problem("is no frequency of a grid", "Check the unit.", path, name, low))
    if problems:
        raise InputError(problems)
