"""The configuration part of a COMTRADE record."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from aidc.errors import InputError, Problem
from aidc.files import is_number_text

__all__ = ["Analog", "Config", "parse_config"]

_FORMS = ("ASCII", "BINARY", "BINARY32", "FLOAT32")
_REVISIONS = ("1991", "1999", "2001", "2013")
_FIRST_YEAR, _LAST_YEAR = 1991, 2013
_MOST_CHANNELS = 100_000
_MOST_DIGITS = 20
_SLOWEST_HZ = 1e-9
_MOST_SAMPLES = 200_000_000


@dataclass(frozen=True, slots=True)
class Analog:
    """An analog channel: value = gain · raw + offset, in `unit`, on the `side` P or S of its transformer."""

    number: int
    name: str
    phase: str
    unit: str
    gain: float
    offset: float
    skew_us: float
    primary: float
    secondary: float
    side: str


@dataclass(frozen=True, slots=True)
class Config:
    """`rates` are (samples a second, last sample); a rate of zero means that time stamps count."""

    revision: str
    analog: tuple[Analog, ...]
    status_count: int
    frequency_hz: float | None
    rates: tuple[tuple[Fraction, int], ...]
    form: str
    stamp_unit_s: float

    @property
    def samples(self) -> int:
        return self.rates[-1][1]


class _Lines:
    """The lines in turn, and the number of the present one for messages."""

    def __init__(self, text: str, path: Path) -> None:
        self._lines: Iterator[str] = iter(text.replace("\x1a", "").splitlines())
        self.path = path
        self.number = 0

    def cells(self, what: str) -> list[str]:
        self.number += 1
        line = next(self._lines, None)
        if line is None:
            raise self.refuse(f"ends before {what}", "")
        return [cell.strip() for cell in line.split(",")]

    def refuse(self, what: str, value: str) -> InputError:
        return InputError(
            Problem(what, "Export the record again.", self.path, f"line {self.number}", value or None)
        )

    def number_of(self, cell: str, what: str, default: float | None = None) -> float:
        if not cell and default is not None:
            return default
        value = float(cell) if is_number_text(cell) else math.nan
        if not math.isfinite(value):
            raise self.refuse(f"{what} is not a number", cell)
        return value

    def count_of(self, cell: str, what: str, most: int) -> int:
        value = int(cell) if cell.isascii() and cell.isdigit() and len(cell) <= _MOST_DIGITS else -1
        if not 0 <= value <= most:
            raise self.refuse(f"{what} is not a whole number up to {most:,}", cell)
        return value


def parse_config(text: str, path: Path) -> Config:
    """Read the lines of a .cfg file.

    Raises
    ------
    InputError
        A line is missing or does not say what it should, with its number.
    """
    lines = _Lines(text, path)
    head = lines.cells("the station")
    revision = head[2] if len(head) > 2 and head[2] else "1991"
    if not (revision.isascii() and revision.isdigit() and _FIRST_YEAR <= int(revision[:4]) <= _LAST_YEAR):
        raise lines.refuse(f"names no known revision ({', '.join(_REVISIONS)})", revision)
    counts = lines.cells("the numbers of channels")
    analog_count = _channels(lines, counts, "A")
    status_count = _channels(lines, counts, "D")
    analog = tuple(_analog(lines) for _ in range(analog_count))
    for _ in range(status_count):
        lines.cells("its status channels")
    frequency_hz = lines.number_of(lines.cells("the line frequency")[0], "the line frequency", 0.0)
    rates = _rates(lines)
    stamps = [
        ",".join(lines.cells(what)) for what in ("the time of the first sample", "the time of the trigger")
    ]
    form = lines.cells("the form of the data")[0].upper()
    if form not in _FORMS:
        raise lines.refuse(f"is no form of data ({', '.join(_FORMS)})", form)
    multiplier = 1.0
    if revision != "1991":
        try:
            cell = lines.cells("the multiplier")[0]
        except InputError:  # many recorders leave it out
            cell = ""
        multiplier = lines.number_of(cell, "the multiplier of time stamps", 1.0)
    fine = any(len(stamp.rpartition(".")[2]) > 6 for stamp in stamps if "." in stamp)
    unit_s = (1e-9 if fine else 1e-6) * multiplier
    return Config(revision, analog, status_count, frequency_hz or None, rates, form, unit_s)


def _channels(lines: _Lines, counts: list[str], letter: str) -> int:
    for cell in counts[1:]:
        if cell[-1:].upper() == letter:
            return lines.count_of(cell[:-1], f"the number of channels of kind {letter}", _MOST_CHANNELS)
    raise lines.refuse(f"does not say how many channels are of kind {letter}", ",".join(counts))


def _analog(lines: _Lines) -> Analog:
    cells = lines.cells("its analog channels")
    if len(cells) < 7:
        raise lines.refuse("is no analog channel", ",".join(cells))
    cells += [""] * (13 - len(cells))
    name = cells[1] or f"channel {cells[0]}"
    primary = lines.number_of(cells[10], "the primary factor", 1.0)
    secondary = lines.number_of(cells[11], "the secondary factor", 1.0)
    side = cells[12].upper() or "P"
    if side == "S" and (primary <= 0 or secondary <= 0):
        raise lines.refuse("has no ratio of its transformer", ",".join(cells[10:13]))
    return Analog(
        lines.count_of(cells[0], "the number of the channel", _MOST_CHANNELS),
        name,
        cells[2],
        cells[4],
        lines.number_of(cells[5], "the gain"),
        lines.number_of(cells[6], "the offset", 0.0),
        lines.number_of(cells[7], "the skew", 0.0),
        primary,
        secondary,
        side,
    )


def _rates(lines: _Lines) -> tuple[tuple[Fraction, int], ...]:
    number = lines.count_of(lines.cells("the number of rates")[0], "the number of rates", 1000)
    rates: list[tuple[Fraction, int]] = []
    for _ in range(max(number, 1)):
        cells = lines.cells("its sampling rates")
        if len(cells) < 2:
            raise lines.refuse("is no sampling rate", ",".join(cells))
        rate = lines.number_of(cells[0], "the sampling rate")
        if (rate != 0 and rate < _SLOWEST_HZ) or rate > 1e9 or len(cells[0]) > _MOST_DIGITS:
            raise lines.refuse("is no sampling rate", cells[0])
        last = lines.count_of(cells[1], "the last sample", _MOST_SAMPLES)
        exact = Fraction(cells[0]) if number and rate >= _SLOWEST_HZ else Fraction(0)
        rates.append((exact, last))
    if rates[-1][1] < 1:
        raise lines.refuse("announces no samples", str(rates[-1][1]))
    return tuple(rates)
