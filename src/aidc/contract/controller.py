"""The one interface of everything that decides: the same class drives the twin and the real site."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from fractions import Fraction
from typing import ClassVar

import numpy as np
from pydantic import BaseModel

from aidc.contract.messages import Command, Observation, SiteView
from aidc.schema.base import Shape

__all__ = ["Controller", "NoOptions"]


class NoOptions(Shape):
    """Options of a controller that has none."""


class Controller(ABC):
    """Decides once per `period_s`, from what a real site can measure.

    A controller never reads the wall clock, the scenario's future or the plant. It keeps its
    state in itself and sets all of it in `reset`, so that two runs after two resets are equal.
    """

    Options: ClassVar[type[BaseModel]] = NoOptions
    period_s: Fraction = Fraction(60)

    @abstractmethod
    def reset(self, site: SiteView, options: BaseModel, rng: np.random.Generator) -> None:
        """Forget everything and learn the site. Called once before the first `decide`."""

    @abstractmethod
    def decide(self, observation: Observation) -> Sequence[Command]:
        """Commands to act from the next step; one per knob at most, none to leave things alone."""
