"""A measured cap sweep: what one accelerator draws and does under each power limit, for work known by that alone."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated

from pydantic import Field, model_validator

from aidc.schema.base import Positive, Shape

__all__ = ["SweepShape"]

_ABOVE_FRAC = 0.10  # a limit is a mean over some time; sweeps show up to 3 % more
_BACK_FRAC = 0.02  # what measuring may cost a rising curve

_Figures = Annotated[tuple[Positive, ...], Field(min_length=2, max_length=1000)]


class SweepShape(Shape):
    """Power limits [W], mean power under each [W], both of one accelerator, and throughput in any unit.

    The highest limit stands for work without one. Between the limits all is linear; below the lowest nothing is known,
    and no lower cap is set. In a site file the table may name a CSV file instead: `file`, `workload` (a value of the
    column `workload`), and `columns` where the file calls them otherwise.
    """

    cap_w: _Figures
    """Limits of one accelerator, rising."""
    power_w: _Figures
    """Its mean power under each."""
    throughput: _Figures
    """What the work does under each, in any unit."""

    @model_validator(mode="after")
    def _is_a_sweep(self) -> SweepShape:
        if not len(self.cap_w) == len(self.power_w) == len(self.throughput):
            raise ValueError(
                "has columns of different lengths. Give one power and one throughput for each limit"
            )
        rows = list(zip(self.cap_w, self.power_w, self.throughput, strict=True))
        for (cap, power, done), (higher, more, faster) in pairwise(rows):
            if higher <= cap:
                raise ValueError(
                    f"has a limit of {higher:g} W after one of {cap:g} W. Give the limits in rising order"
                )
            if more < power * (1 - _BACK_FRAC) or faster < done * (1 - _BACK_FRAC):
                raise ValueError(
                    f"draws or does less at {higher:g} W than at {cap:g} W. Check the rows, or leave one of them out"
                )
        for cap, power, _ in rows:
            if power > cap * (1 + _ABOVE_FRAC):
                raise ValueError(
                    f"draws {power:g} W under a limit of {cap:g} W. Give the power of one accelerator, not of several"
                )
        return self
