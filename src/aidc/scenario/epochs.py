"""Numbers as times: seconds from a start, or Unix time in any of its units, told by name and by size."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, get_args

import numpy as np
from numpy.typing import NDArray

from aidc.schema.source import TimeUnit

__all__ = ["Counted", "Doubt", "counted", "is_number", "micro_of"]

_MICRO_PER: Final = {
    "ns": Fraction(1, 1000),
    "us": Fraction(1),
    "ms": Fraction(1000),
    "s": Fraction(10**6),
    "min": Fraction(60 * 10**6),
    "h": Fraction(3600 * 10**6),
}
_UNIX: Final = ("s", "ms", "us", "ns")
_FIRST_S, _LAST_S = 5e8, 4.2e9  # 1985 to 2103: as seconds from a start, sixteen years or more
_SERIAL: Final = (20_000.0, 80_000.0)  # days since 1899-12-30 as spreadsheets count them: 1954 to 2119
_WRITTEN = re.compile(
    r"(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])(([01]\d|2[0-4])([0-5]\d([0-5]\d)?)?)?"
)
_SUFFIX = re.compile(
    r"(?:^|[_\s(\[.])"
    r"(ns|nanoseconds?|us|µs|microseconds?|ms|msec|millis|milliseconds?|s|secs?|seconds?|mins?|minutes?|h|hrs?|hours?)"
    r"[)\]]?$",
    re.IGNORECASE,
)
_LONG: Final = {
    "nano": "ns", "micr": "us", "µs": "us", "mill": "ms", "msec": "ms", "sec": "s", "min": "min", "h": "h",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Counted:
    """What numbers in a column of times count: `unit` of time, since 1970 where `unix`, else from a start."""

    unit: str
    unix: bool

    @property
    def words(self) -> str:
        """As a reader says it."""
        name = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}
        unit = name.get(self.unit, {"min": "minutes", "h": "hours"}.get(self.unit, self.unit))
        return f"{unit} since 1970 (Unix time)" if self.unix else f"{unit} from the start"


@dataclass(frozen=True, slots=True)
class Doubt:
    """Numbers that are not what they seem: what is wrong, and what to do."""

    what: str
    remedy: str


def is_number(cell: str | None) -> bool:
    """Whether a cell is written as a number."""
    try:
        float(cell or "")
    except ValueError:
        return False
    return True


def counted(  # noqa: PLR0911  one return a doubt
    column: str, cells: Sequence[str], values: NDArray[np.float64], stated: TimeUnit | None = None
) -> Counted | Doubt:
    """What a column of numbers counts.

    Parameters
    ----------
    column
        Its name; `t_ms`, `time (s)` and the like tell a unit.
    cells, values
        As written, and as numbers (finite), (n,).
    stated
        What the user says; it decides.
    """
    if stated is not None:
        unit = stated.removeprefix("unix-")
        return Counted(unit, unix=stated != unit)
    named = _unit_of(column)
    low, high = float(values.min()), float(values.max())
    unix = next(
        (unit for unit in _UNIX if low >= _FIRST_S * _per_s(unit) and high <= _LAST_S * _per_s(unit)), None
    )
    choice = f"say what it is with `time_unit` ({', '.join(get_args(TimeUnit))})"
    if unix is not None:
        if _is_written(cells):
            return Doubt(
                "looks like dates written as whole numbers", f"Write 2025-07-07T00:00:00Z, or {choice}."
            )
        if named is not None and named != unix:
            return Doubt(
                f"has {named} in its name but numbers of the size of Unix time in {unix}",
                f'Rename the column, or {choice}: "unix-{unix}" if that is right.',
            )
        return Counted(unix, unix=True)
    if _is_written(cells):
        return Doubt("looks like dates written as whole numbers", f"Write 2025-07-07T00:00:00Z, or {choice}.")
    if named is None and _is_serial(values):
        return Doubt(
            "looks like a spreadsheet's days since 1900",
            f"Format the cells as 2025-07-07T00:00:00Z before saving, or {choice}.",
        )
    if (high - low) * float(_MICRO_PER[named or "s"]) > _LAST_S * 1e6 or abs(high) > _LAST_S * _per_s(
        named or "s"
    ):
        return Doubt(
            "has numbers too large for seconds from the start and of no unit of Unix time",
            f"Write 2025-07-07T00:00:00Z, or {choice}.",
        )
    return Counted(named or "s", unix=False)


def micro_of(cells: Sequence[str], values: NDArray[np.float64], unit: str) -> NDArray[np.int64]:
    """Whole microseconds of numbers in a unit, exact where they are written as whole numbers, (n,)."""
    scale = _MICRO_PER[unit]
    try:
        whole = np.array([int(cell) for cell in cells], dtype=np.int64)
    except (ValueError, OverflowError):
        return np.round(values * float(scale)).astype(np.int64)
    if np.abs(whole).max() > 2**62 // max(1, scale.numerator):
        return np.round(values * float(scale)).astype(np.int64)
    return whole * scale.numerator // scale.denominator


def _per_s(unit: str) -> float:
    return 1e6 / float(_MICRO_PER[unit]) if unit in _MICRO_PER else 1.0


def _unit_of(column: str) -> str | None:
    match = _SUFFIX.search(column.strip())
    if match is None:
        return None
    unit = match.group(1).lower()
    return unit if unit in _MICRO_PER else next(u for start, u in _LONG.items() if unit.startswith(start))


def _is_written(cells: Sequence[str]) -> bool:
    """Dates as digits alone: 20250707, 202507071230; a lone such number is no proof, three in order are."""
    if len(cells) < 3:
        return False
    picked = [cell.strip() for cell in cells[:100]]
    return all(_WRITTEN.fullmatch(cell) for cell in picked) and len({len(cell) for cell in picked}) == 1


def _is_serial(values: NDArray[np.float64]) -> bool:
    """Days that advance by less than a day or by whole days, of the size that dates of our time have."""
    if values.size < 3 or values.min() < _SERIAL[0] or values.max() > _SERIAL[1]:
        return False
    steps = np.diff(values)
    step = float(np.median(steps))
    return 0 < step <= 1.0 and abs(round(1 / step) - 1 / step) < 1e-2 / step
