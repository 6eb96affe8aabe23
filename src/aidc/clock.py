"""Time as integers: a tick count from a start in UTC, and a rational period.

Float seconds are never accumulated. A period read from TOML (`0.1`) is taken as the decimal that
was written, so ten of them make exactly one second.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

__all__ = ["Clock", "as_fraction", "as_utc"]

_MICRO = 1_000_000


def as_fraction(value: float | str | Decimal | Fraction) -> Fraction:
    """The rational number that was written: `0.1` is 1/10, not its binary neighbour."""
    return value if isinstance(value, Fraction) else Fraction(str(value))


def as_utc(moment: datetime) -> datetime:
    """The same instant in UTC; a naive time is refused because its zone would be a guess."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no time zone; write it as 2025-07-07T00:00:00Z")
    return moment.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Clock:
    """Ticks of `step_s` seconds from `start`; tick k is the instant `start + k * step_s`."""

    start: datetime
    step_s: Fraction
    steps: int

    @property
    def duration_s(self) -> Fraction:
        return self.steps * self.step_s

    @property
    def end(self) -> datetime:
        return self.at(self.steps)

    def at(self, tick: int) -> datetime:
        """The instant of a tick, to the microsecond."""
        return self.start + timedelta(microseconds=int(tick * self.step_s * _MICRO))

    def tick_of(self, moment: datetime) -> int:
        """The first tick at or after an instant (negative before the start)."""
        elapsed = (as_utc(moment) - self.start) / timedelta(microseconds=1)
        return -((-Fraction(int(elapsed), _MICRO)) // self.step_s)
