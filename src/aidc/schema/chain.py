"""A power chain: the stages of conversion between the medium-voltage bus and the rack's 50 V bus."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from aidc.schema.base import Name, Positive, Shape
from aidc.schema.front_end import FrontEnd

__all__ = ["Boundary", "Chain", "HeatTo", "LossCurve", "Redundancy", "Stage"]

Redundancy = Literal["N", "N+1", "2N"]
Boundary = Literal["site", "server"]
HeatTo = Literal["ambient", "air", "liquid"]

_LossCoefficient = Annotated[float, Field(ge=0, le=0.5)]


class LossCurve(Shape):
    """Loss per unit of rating, `a + b·x + c·x²`, where x is power over rating.

    Notton et al., Renewable Energy 35 (2010) 541-554, doi:10.1016/j.renene.2009.07.013 (with b: Rampinelli).
    """

    a: _LossCoefficient = 0.0
    """Constant loss, per unit of rating."""
    b: _LossCoefficient = 0.0
    """Loss per unit of power, per unit of rating."""
    c: _LossCoefficient = 0.0
    """Loss per square of power, per unit of rating."""


class Stage(LossCurve):
    """One conversion: its loss, its size, its spare modules, and where its heat goes.

    `sizing` is the rating over the power that flows out of the stage when the pod draws its rated
    power. `redundancy` replaces the chain's for this stage; `modules` is how many carry the load at
    N, so that N+1 has `modules + 1` of them on line. A storage at `storage_node` feeds the output
    side of this stage.
    """

    name: Name
    """What the stage is called in the record."""
    sizing: Annotated[float, Field(ge=0.2, le=100)] = 1.0
    """Rating over the power that leaves the stage while the pod draws its rated power."""
    redundancy: Redundancy | None = None
    """Spare modules of this stage. Default: the chain's."""
    modules: Annotated[int, Field(ge=1, le=1000)] = 1
    """How many modules carry the load at N."""
    boundary: Boundary
    """Whether its loss counts to the site or to the servers (PUE, index by boundary)."""
    heat_to: HeatTo
    """Where its loss goes."""
    storage_node: Literal["ups", "rack"] | None = None
    """A storage at this node feeds the output side of this stage."""


class Chain(Shape):
    """Stages in the order in which power from the grid passes them.

    `front` names a front end of the catalogue (or is a table with `use`): what the grid sees of the chain
    within milliseconds. Its buffer stands at the stage that is marked as the "ups" storage node.
    """

    label: str = ""
    """What the chain is called in reports."""
    front: Name | None = None
    """Front end of the catalogue, or a table with `use`: what the grid sees within milliseconds."""
    front_entry: FrontEnd | None = None
    voltage_v: Positive
    """Nominal voltage of distribution."""
    redundancy: Redundancy = "N"
    """Spare modules of every stage that states none."""
    stages: Annotated[tuple[Stage, ...], Field(min_length=1, max_length=20)]
    """Conversions in the order in which power from the grid passes them."""

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        names = [stage.name for stage in self.stages]
        if len(set(names)) < len(names):
            raise ValueError("two stages bear the same name; give each its own")
        boundaries = [stage.boundary for stage in self.stages]
        if boundaries != sorted(boundaries, reverse=True):  # "site" sorts after "server"
            raise ValueError("a site stage stands behind a server stage; list the grid side first")
        nodes = [stage.storage_node for stage in self.stages if stage.storage_node is not None]
        if len(set(nodes)) < len(nodes):
            raise ValueError("a storage node is marked on two stages; mark one")
        return self
