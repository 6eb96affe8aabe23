"""What work may be slowed down by, over which time, and what that costs: keys of services and jobs alike."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field

from aidc.schema.base import NonNegative, Shape

__all__ = ["SLOWDOWN_FRAC", "FlexTier", "FlexWindow", "Flexible"]

FlexTier = Literal[0, 1, 2, 3]
FlexWindow = Literal["event", "day", "life"]

SLOWDOWN_FRAC: Final[tuple[float, ...]] = (0.0, 0.10, 0.25, 0.50)
"""Mean loss of throughput that tiers Flex 0 to 3 put up with over their window (arXiv 2507.00909, section 3)."""


class Flexible(Shape):
    """How far a workload may be slowed down for the grid.

    `flex_tier` bounds the mean loss of throughput (`SLOWDOWN_FRAC`) over `flex_window`: over one grid event, over a
    day of the site's time zone, or over the workload's whole life in the run. The longer the window, the deeper a
    short event may cut. `curtailment_usd_per_mwh` is what the user is paid for each MWh that the workload's
    accelerators draw less than it wanted; by default nothing, so that tiers alone decide.
    """

    flex_tier: FlexTier = 0
    flex_window: FlexWindow = "event"
    curtailment_usd_per_mwh: NonNegative = Field(
        default=0.0, description="Paid to the user for each MWh that was wanted and not drawn."
    )
