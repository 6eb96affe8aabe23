"""The window that was asked for, refused before anything is computed if it cannot be stepped."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from fractions import Fraction

from aidc.clock import as_fraction
from aidc.errors import InputError, Problem

__all__ = ["asked_moment", "asked_seed", "asked_window"]

_STEPS_S = (Fraction(1, 10_000), Fraction(1, 100))
_LONGEST_S = 864_000.0
_YEARS = (1950, 2150)


def asked_moment(at: datetime | None) -> datetime | None:
    """A time without a zone is UTC, as everywhere in aidc.

    Raises
    ------
    InputError
        It lies in a year that no scenario has.
    """
    if at is not None and not _YEARS[0] <= at.year <= _YEARS[1]:
        what = f"lies outside {_YEARS[0]} to {_YEARS[1]}"
        raise InputError(Problem(what, "Check the year.", key="at", value=at.isoformat()))
    return at if at is None or at.tzinfo is not None else at.replace(tzinfo=UTC)


def asked_seed(seed: int | None) -> int | None:
    """A seed that a generator takes.

    Raises
    ------
    InputError
        It is negative, or beyond 63 bits.
    """
    if seed is not None and not 0 <= seed < 2**63:
        what = "must be a whole number from 0, of at most 63 bits"
        raise InputError(Problem(what, "Choose another seed.", key="seed", value=seed))
    return seed


def asked_window(duration_s: float, step_s: float | Fraction) -> Fraction:
    """The step as a fraction [s]; refuses steps beyond 0.1 to 10 ms and lengths beyond ten days.

    Raises
    ------
    InputError
        With every problem found.
    """
    problems: list[Problem] = []
    if not (math.isfinite(step_s) and _STEPS_S[0] <= as_fraction(step_s) <= _STEPS_S[1]):
        problems.append(
            Problem(
                "lies outside 0.1 to 10 ms", "Choose a step in that range.", key="step_s", value=float(step_s)
            )
        )
    if not 0 < duration_s <= _LONGEST_S:
        problems.append(
            Problem("must lie between 0 and ten days", "Choose a window.", key="duration_s", value=duration_s)
        )
    elif math.isfinite(step_s) and 0 < step_s <= 1 and duration_s < 2 * step_s:
        problems.append(
            Problem(
                "is shorter than two steps", "Choose a longer window.", key="duration_s", value=duration_s
            )
        )
    if problems:
        raise InputError(problems)
    return as_fraction(step_s)
