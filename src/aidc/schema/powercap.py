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
    workloads: tuple[str, ...] = ()
    static_frac: Annotated[Frac, Field(lt=0.9)]
    floor_frac: Annotated[Frac, Field(gt=0)]
    alpha: Annotated[float, Field(gt=0, le=10)]
    beta: Annotated[Frac, Field(gt=0)]
    knee: Annotated[float, Field(ge=1, le=64)]

    @model_validator(mode="after")
    def _static_below_floor(self) -> PowerCapShape:
        if self.static_frac >= self.floor_frac:
            raise ValueError("static_frac must lie below floor_frac: a device cannot be held at its leakage")
        return self
