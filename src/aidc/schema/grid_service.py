"""A frequency response that a site offers to the grid, and who gives it."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from aidc.schema.base import Frac, NonNegative, Positive, Shape

__all__ = ["GridService"]

_MOST_POINTS = 4


class GridService(Shape):
    """Offered power over the absolute deviation of frequency, from storage, UPS batteries and load.

    The curve is linear between its points, nothing below the first and constant beyond the last. The
    shares say who gives it: site storages by their rating, batteries of the lineups (which can only lower
    the site's draw), and accelerators of pods whose workload has a flex tier of 1 or more (likewise). The load
    answers with a lag of `load_lag_s`: a power cap takes effect within about a second (estimate without a
    checked source).
    """

    offered_mw: Positive
    """Power at full response."""
    deviation_hz: Annotated[tuple[NonNegative, ...], Field(min_length=1, max_length=_MOST_POINTS)]
    """Points of the curve: absolute deviation of frequency, rising."""
    response_frac: Annotated[tuple[Frac, ...], Field(min_length=1, max_length=_MOST_POINTS)]
    """Points of the curve: share of `offered_mw` at each deviation."""
    storage_share: Frac = 1.0
    """Share that site storages give."""
    ups_share: Frac = 0.0
    """Share that batteries of the lineups give (by lowering the site's draw)."""
    load_share: Frac = 0.0
    """Share that accelerators of pods with a flex tier of 1 or more give (likewise)."""
    load_lag_s: NonNegative = 1.0
    """Lag of the load's answer (estimate, no checked source)."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if len(self.deviation_hz) != len(self.response_frac):
            raise ValueError(
                f"deviation_hz and response_frac differ in length ({len(self.deviation_hz)} and "
                f"{len(self.response_frac)}); a point is missing"
            )
        if list(self.deviation_hz) != sorted(set(self.deviation_hz)):
            raise ValueError("deviation_hz does not rise; sort it and drop repeated values")
        if abs(self.storage_share + self.ups_share + self.load_share - 1.0) > 1e-9:
            raise ValueError("storage_share, ups_share and load_share do not add up to 1")
        return self
