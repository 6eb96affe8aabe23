"""COMTRADE records (IEEE C37.111-1991, -1999, -2013): cfg with dat, or cff; ASCII, 16-bit, 32-bit, float.

Strict where a lenient reader would invent data: rows that the configuration announces and the data file
lacks and skipped sample numbers are refused, and so are channels with samples marked missing once they are asked
for. A few rows beyond those announced are left out, and told. Sections of several rates become one of the fastest:
slower ones with eight samples a cycle or more are laid on it by a cubic spline, others are cut off. The layout of the files follows the
open-source reader `comtrade` (D. Parrini, MIT licence), which the tests hold this one against; the
standard itself was not opened. The 1991 binary form has no mark of missing data that could be told from
the value -1, so none is looked for.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from aidc.errors import InputError, Problem
from aidc.files import read_file
from aidc.record.comtrade_cfg import Analog, Config, parse_config
from aidc.record.phase_names import phase_in, phase_of, unit_of
from aidc.record.sampling import Axis, even_axis, one_rate
from aidc.record.source import Phases, Recorded

__all__ = ["read_comtrade"]

FloatArray = NDArray[np.float64]

_LARGEST_BYTES = 1 << 30
_SECTION = re.compile(
    rb"^[ \t]*---[ \t]*file type:[ \t]*(CFG|INF|HDR|DAT)(?:[ \t]+\w+)?[ \t]*(?::[ \t]*(\d+))?[ \t]*---[ \t]*\r?\n",
    re.IGNORECASE | re.MULTILINE,
)
_SI = {"v": 1.0, "kv": 1e3, "a": 1.0, "ka": 1e3}
_MOST_SURPLUS = 16
_NO_TIME: Final = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class _Samples:
    number: NDArray[np.int64]
    stamp: FloatArray
    raw: FloatArray  # (n_analog, n_sample), NaN where marked missing


def read_comtrade(path: Path) -> Recorded:
    """Read a record; `path` is its .cfg, .dat or .cff file.

    Channels in volts and amperes are given in V and A on the primary side, others as they stand.

    Raises
    ------
    InputError
        A file is absent, truncated or malformed, a sample is missing, times are uneven: with file, line
        or channel, value and remedy.
    """
    config, data, place = _parts(path)
    samples, surplus = _ascii(data, config, place) if config.form == "ASCII" else _binary(data, config, place)
    _refuse_skipped(samples, place)
    names = _names(config.analog)
    columns: dict[str, FloatArray] = {}
    broken: dict[str, InputError] = {}
    for name, channel, raw in zip(names, config.analog, samples.raw, strict=True):
        bad = ~np.isfinite(raw)
        if bad.any():
            broken[name] = _gaps(channel, bad, place)
            continue
        with np.errstate(over="ignore", invalid="ignore"):
            values = (channel.gain * raw + channel.offset) * _scale(channel)
        if np.isfinite(values).all():
            columns[name] = values
        else:
            what, remedy = "overflows", "Check its gain and offset."
            broken[name] = InputError(Problem(what, remedy, place, f"channel {channel.name}", channel.gain))
    axis, columns = _axis(samples, config, place, columns)
    skew_us = max((abs(channel.skew_us) for channel in config.analog), default=0.0)
    notes = [f"channel skew of up to {skew_us:g} µs was not corrected"] if skew_us else []
    if surplus:
        notes.append(
            f"{surplus} sample{'s' if surplus > 1 else ''} beyond the {config.samples} announced were left out"
        )
    axis = Axis(axis.step_s, (*axis.repairs, *notes))
    phases = _phases(names, config.analog)
    return Recorded(place, columns, axis, _nominal_hz(config.frequency_hz), phases, broken)


def _names(analog: Sequence[Analog]) -> list[str]:
    """A name of its own for each channel, in order."""
    found: list[str] = []
    for channel in analog:
        name = channel.name
        while name in found:
            name = f"{name}#{channel.number}"
        found.append(name)
    return found


def _nominal_hz(stated_hz: float | None) -> float | None:
    """50 or 60 Hz where the line frequency that the record states is near one of them."""
    return next((hz for hz in (50.0, 60.0) if stated_hz is not None and abs(stated_hz - hz) < 3), None)


def _parts(path: Path) -> tuple[Config, bytes, Path]:
    """The configuration, the bytes of the data, and the file that holds them."""
    if path.suffix.lower() == ".cff":
        whole = _bytes(path)
        sections: dict[str, bytes] = {}
        for match in _SECTION.finditer(whole):
            kind = match.group(1).decode().upper()
            following = _SECTION.search(whole, match.end())
            end = len(whole) if kind == "DAT" or following is None else following.start()
            if match.group(2) and kind == "DAT":
                end = min(end, match.end() + int(match.group(2)))
            sections[kind] = whole[match.end() : end]
            if kind == "DAT":  # binary data may hold anything, even a heading
                break
        if not {"CFG", "DAT"} <= set(sections):
            raise InputError(
                Problem("has no CFG and DAT sections", "Export the record again as a whole .cff.", path)
            )
        return parse_config(_text(sections["CFG"]), path), sections["DAT"], path
    cfg, dat = _sibling(path, ".cfg"), _sibling(path, ".dat")
    return parse_config(_text(_bytes(cfg)), cfg), _bytes(dat), dat


def _sibling(path: Path, suffix: str) -> Path:
    if path.suffix.lower() == suffix:
        return path
    for candidate in (path.with_suffix(suffix), path.with_suffix(suffix.upper())):
        if candidate.is_file():
            return candidate
    raise InputError(
        Problem(
            f"has no {suffix} file beside it",
            "A COMTRADE record is a pair of .cfg and .dat; copy both.",
            path,
        )
    )


def _bytes(path: Path) -> bytes:
    data = read_file(path, _LARGEST_BYTES)
    if not data.strip():
        raise InputError(Problem("is empty", "Copy the file again.", path))
    return data


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _ascii(data: bytes, config: Config, path: Path) -> tuple[_Samples, int]:
    """Rows of sample number, time stamp, analog and status values; an empty value is a missing one."""
    rows: list[list[str]] = []
    width = 2 + len(config.analog) + config.status_count
    for line, text in enumerate(_text(data).replace("\x1a", "").splitlines(), start=1):
        if not text.strip():
            continue
        cells = [cell.strip() for cell in text.split(",")]
        if len(cells) != width:
            raise InputError(
                Problem(
                    f"has {len(cells)} values where the configuration has {width}",
                    "Is this the data file of that .cfg?",
                    path,
                    f"line {line}",
                )
            )
        if not text.isascii() or "_" in text:  # Python would take `１` and `2_0` for numbers
            what = "holds something else than numbers"
            raise InputError(Problem(what, "Mend it.", path, f"line {line}", text[:80]))
        rows.append(cells)
    surplus = _surplus(len(rows), config, path)
    rows = rows[: config.samples]
    try:
        number = np.array([int(cells[0]) for cells in rows], dtype=np.int64)
        stamp = np.array([float(cells[1] or "nan") for cells in rows])
        raw = np.array(
            [[float(cell or "nan") for cell in cells[2 : 2 + len(config.analog)]] for cells in rows]
        ).T
    except (ValueError, OverflowError) as error:
        raise InputError(Problem(f"holds something else than numbers: {error}", "Mend it.", path)) from error
    if config.revision != "1991":
        raw = np.where(raw == 99999, np.nan, raw)
    return _Samples(number, stamp, np.ascontiguousarray(raw)), surplus


def _binary(data: bytes, config: Config, path: Path) -> tuple[_Samples, int]:
    """Little-endian rows: number, time stamp, analog values, status bits in words of 16."""
    analog = {"BINARY": "<i2", "BINARY32": "<i4", "FLOAT32": "<f4"}[config.form]
    row = np.dtype(
        [
            ("number", "<u4"),
            ("stamp", "<u4"),
            ("analog", analog, (len(config.analog),)),
            ("status", "<u2", (-(-config.status_count // 16),)),
        ]
    )
    surplus = _surplus(len(data) // row.itemsize, config, path)
    if len(data) % row.itemsize > 1:  # one byte of end mark is allowed
        raise InputError(
            Problem(
                f"holds {len(data)} bytes where {config.samples} samples need {config.samples * row.itemsize}",
                "Is this the data file of that .cfg?",
                path,
            )
        )
    table = np.frombuffer(data, row, config.samples)
    with np.errstate(invalid="ignore"):  # a signalling NaN of a spoilt file is a missing value like any other
        raw = table["analog"].T.astype(np.float64)
    if config.form == "BINARY" and config.revision != "1991":
        raw[raw == -(2**15)] = np.nan
    if config.form == "BINARY32":
        raw[raw == -(2**31)] = np.nan
    stamp = np.where(table["stamp"] == _NO_TIME, np.nan, table["stamp"].astype(np.float64))
    return _Samples(table["number"].astype(np.int64), stamp, np.ascontiguousarray(raw)), surplus


def _surplus(found: int, config: Config, path: Path) -> int:
    """Rows beyond those announced: a recorder's last one is left out, more are another record's."""
    if not 0 <= found - config.samples <= _MOST_SURPLUS:
        raise InputError(
            Problem(
                f"holds {found} samples where the configuration announces {config.samples}",
                "The record is cut short or the pair does not belong together; copy it again.",
                path,
            )
        )
    return found - config.samples


def _refuse_skipped(samples: _Samples, path: Path) -> None:
    skipped = np.flatnonzero(np.diff(samples.number) != 1)
    if skipped.size:
        row = int(skipped[0]) + 1
        raise InputError(
            Problem(
                "skips or repeats sample numbers",
                "Cut the record there.",
                path,
                f"sample {row + 1}",
                int(samples.number[row]),
            )
        )


def _gaps(channel: Analog, bad: NDArray[np.bool_], path: Path) -> InputError:
    return InputError(
        Problem(
            f"lacks {int(bad.sum())} of {bad.size} samples",
            "Cut the record to a whole stretch, or map other channels in a recording.toml.",
            path,
            f"channel {channel.name}, sample {int(np.argmax(bad)) + 1}",
        )
    )


def _axis(
    samples: _Samples, config: Config, path: Path, columns: dict[str, FloatArray]
) -> tuple[Axis, dict[str, FloatArray]]:
    """The stated rate where there is one, else the time stamps; several rates are made one."""
    rates = {rate for rate, _ in config.rates}
    stamp_s = samples.stamp * config.stamp_unit_s
    if len(rates) > 1:
        return one_rate(columns, config.rates, config.frequency_hz or 60.0, path)
    rate = rates.pop() if rates else Fraction(0)
    if rate == 0:
        if not np.isfinite(stamp_s).all():
            raise InputError(Problem("has neither a sampling rate nor time stamps", "Export it anew.", path))
        return even_axis(stamp_s, 0.5 * config.stamp_unit_s, path), columns
    if config.samples < 2:
        raise InputError(Problem("has fewer than two samples", "Give a longer recording.", path))
    notes: tuple[str, ...] = ()
    if np.isfinite(stamp_s[[0, -1]]).all() and stamp_s[-1] > stamp_s[0]:
        stated_s = float((config.samples - 1) / rate)
        if abs(float(stamp_s[-1] - stamp_s[0]) / stated_s - 1) > 0.01:
            notes = (f"time stamps disagree with the stated rate of {float(rate):g} Hz; the rate was used",)
    return Axis(1 / rate, notes), columns


def _scale(channel: Analog) -> float:
    """To SI units on the primary side."""
    unit = unit_of(channel.unit)
    secondary = channel.side.upper() == "S" and unit in _SI
    return _SI.get(unit, 1.0) * (channel.primary / channel.secondary if secondary else 1.0)


def _phases(names: Sequence[str], analog: Sequence[Analog]) -> Phases | None:
    """Three voltages and three currents by unit and phase label (else name); None where they are not just three.

    Voltages between phases count where there are none to neutral; two of them do.
    """
    currents = _three(names, analog, ("a", "ka"), between=False)
    voltages = _three(names, analog, ("v", "kv"), between=False)
    if voltages is not None:
        return Phases(voltages, currents, form="instantaneous")
    voltages = _three(names, analog, ("v", "kv"), between=True)
    return None if voltages is None else Phases(voltages, currents, form="instantaneous", between=True)


def _three(
    names: Sequence[str], analog: Sequence[Analog], units: Sequence[str], *, between: bool
) -> tuple[str, str, str] | None:
    found: dict[int, list[str]] = {0: [], 1: [], 2: []}
    for name, channel in zip(names, analog, strict=True):
        phase = phase_of(channel.phase) or phase_in(channel.name)
        if unit_of(channel.unit) in units and phase is not None and phase[0] is between:
            found[phase[1]].append(name)
    lacking = sum(not each for each in found.values())
    if any(len(each) > 1 for each in found.values()) or lacking > (1 if between else 0):
        return None
    first, second, third = (each[0] if each else "" for each in found.values())
    return first, second, third
