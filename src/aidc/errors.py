"""The exception tree. Catch `AidcError` for everything that aidc raises on purpose.

    AidcError
    ├── InputError        what the user gave is wrong; carries every `Problem` found   (exit 2)
    ├── SimulationError   the model met a state that it cannot advance from            (exit 4)
    └── OutputError       a result could not be written: full disk, existing folder    (exit 5)

A message says what was wrong, the value, where it stands (file and key), and what to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

__all__ = ["AidcError", "InputError", "OutputError", "Problem", "SimulationError"]

_MOST_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with an input.

    `file` and `key` say where, `what` says what is wrong, `value` is the offending value as
    written, `remedy` says what to do about it.
    """

    what: str
    remedy: str
    file: str | Path | None = None
    key: str | None = None
    value: object = None

    def __str__(self) -> str:
        place = ": ".join(str(part) for part in (self.file, self.key) if part is not None)
        shown = "" if self.value is None else f" (got {_shorten(self.value)})"
        return f"{place + ': ' if place else ''}{self.what}{shown}. {self.remedy}"


class AidcError(Exception):
    """Root of every error that aidc raises on purpose."""

    exit_code = 1


class InputError(AidcError):
    """The site, a scenario, a data file or an argument is wrong. Holds all problems found."""

    exit_code = 2

    def __init__(self, problems: Problem | Sequence[Problem]) -> None:
        self.problems = (problems,) if isinstance(problems, Problem) else tuple(problems)
        shown = [str(problem) for problem in self.problems[:_MOST_SHOWN]]
        if len(self.problems) > _MOST_SHOWN:
            shown.append(f"and {len(self.problems) - _MOST_SHOWN} more of these")
        super().__init__("\n".join(shown))


class SimulationError(AidcError):
    """The plant reached a state that the model cannot advance from."""

    exit_code = 4


class OutputError(AidcError):
    """A result could not be written."""

    exit_code = 5


def _shorten(value: object, limit: int = 80) -> str:
    text = repr(_plain(value))
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _plain(value: object) -> object:
    """Fractions as people write them, also within lists: 50, 0.001, 1/3."""
    if isinstance(value, Fraction):
        if value.denominator == 1:
            return value.numerator
        short = float(f"{float(value):.12g}")
        return short if Fraction(str(short)) == value else _Ratio(value)
    if isinstance(value, (list, tuple)):
        return type(value)(_plain(one) for one in value) if type(value) in (list, tuple) else value
    return value


class _Ratio:
    """A fraction that no short decimal equals."""

    def __init__(self, value: Fraction) -> None:
        self._text = f"{value.numerator}/{value.denominator}"

    def __repr__(self) -> str:
        return self._text
