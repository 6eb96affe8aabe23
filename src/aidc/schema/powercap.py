"""The shape of a power-cap entry: how a class of accelerators slows down under a power limit."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from aidc.schema.base import Frac, Name, Shape

__all__ = ["PowerCapShape"]


class PowerCapShape(Shape):
    """Constants of one class of accelerators; powers as shares of the rated power (TDP).

    `workloads` names what the constants were fitted on, so that a validation can tell whether an
    item is new to them.
    """

    accelerators: tuple[Name, ...] = ()
    """Accelerators that the constants serve."""
    workloads: tuple[str, ...] = ()
    """What they were fitted on."""
    static_frac: Annotated[Frac, Field(lt=0.9)]
    """Power that does not move with the clock, of rated power."""
    floor_frac: Annotated[Frac, Field(gt=0)]
    """Lowest limit that the device enforces, of rated power."""
    alpha: Annotated[float, Field(gt=0, le=10)]
    """Exponent of moving power over clock."""
    beta: Annotated[Frac, Field(gt=0)]
    """Clock-bound share of an uncapped step."""
    knee: Annotated[float, Field(ge=1, le=64)]
    """Sharpness between clock-bound and memory-bound steps."""

    @model_validator(mode="after")
    def _static_below_floor(self) -> PowerCapShape:
        if self.static_frac >= self.floor_frac:
            raise ValueError("static_frac must lie below floor_frac: a device cannot be held at its leakage")
        return self
