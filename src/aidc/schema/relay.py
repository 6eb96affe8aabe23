"""Protection settings of a storage converter: voltage and frequency curves, rate of change of frequency, phase jump."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from aidc.schema.base import NonNegative, Positive, Shape

__all__ = ["Relay"]

_Levels = Annotated[tuple[Positive, ...], Field(max_length=4)]
_Times = Annotated[tuple[NonNegative, ...], Field(max_length=4)]
_SIDES = ("below_pu", "above_pu", "below_hz", "above_hz")


class Relay(Shape):
    """When the protection of a converter takes it off the grid.

    It trips once the voltage has been below `below_pu[k]` for longer than `below_pu_s[k]` without a break, for any k
    (above alike, and frequency in hertz alike), once its frequency has changed by more than `rocof_hz_per_s` for
    longer than `rocof_s`, or where the voltage angle jumps by more than `phase_jump_deg`. Undervoltage sees the lowest
    phase at the site bus, overvoltage the highest; frequency and its rate are those of the converter's PLL (`pll_s`).
    What has tripped stays off for the rest of a window: enter-service delays are minutes.

    An empty curve, and 0 for the rate and the jump, say that there is no such relay; a key that is left out is not
    known, acts on nothing, and leaves the clauses of a rule set that rest on it without a verdict.
    """

    below_pu: _Levels | None = None
    """Levels of undervoltage. Left out: not known; empty: no such relay."""
    below_pu_s: _Times = ()
    """How long the voltage may stay below each."""
    above_pu: _Levels | None = None
    """Levels of overvoltage. Left out: not known; empty: no such relay."""
    above_pu_s: _Times = ()
    """How long the voltage may stay above each."""
    below_hz: _Levels | None = None
    """Levels of underfrequency. Left out: not known; empty: no such relay."""
    below_hz_s: _Times = ()
    """How long the frequency may stay below each."""
    above_hz: _Levels | None = None
    """Levels of overfrequency. Left out: not known; empty: no such relay."""
    above_hz_s: _Times = ()
    """How long the frequency may stay above each."""
    rocof_hz_per_s: NonNegative | None = None
    """Rate of change of frequency at which it trips; 0: no such relay. Left out: not known."""
    rocof_s: NonNegative = 0.0
    """How long that rate must last."""
    phase_jump_deg: Annotated[float, Field(ge=0, le=180)] | None = None
    """Jump of the voltage angle at which it trips; 0: no such relay. Left out: not known."""

    @model_validator(mode="after")
    def _whole_curves(self) -> Self:
        for side in _SIDES:
            levels, times = getattr(self, side) or (), getattr(self, f"{side}_s")
            if len(levels) != len(times):
                raise ValueError(
                    f"{side} and {side}_s differ in length ({len(levels)} and {len(times)}); a point is missing"
                )
        return self
