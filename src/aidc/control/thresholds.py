"""Acting on a price or on carbon: pods give and storage discharges above one level, storage charges below another.

What is measured counts, so that a price spike or a carbon peak acts within its time and not before.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar, Self

import numpy as np
from pydantic import BaseModel, model_validator

from aidc.contract import Command, Controller, Knob, Observation, Point, SiteView
from aidc.control.following.pods import Pods
from aidc.control.following.seen import fresh, seen_of
from aidc.control.following.storing import recharge_w
from aidc.schema.base import Frac, Shape

__all__ = ["CarbonThreshold", "Options", "PriceThreshold"]

_FULL_SOC = 0.98


class Options(Shape):
    """`above` and `below` in $/MWh or kg/MWh; `give_frac` of what tiers tolerate is given by pods above.

    The default of `above` acts in spikes alone. Storage gives and takes at `storage_frac` of its rating.
    """

    above: float = 1_000.0
    below: float = -1.0
    give_frac: Frac = 1.0
    storage_frac: Frac = 0.5

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.below > self.above:
            raise ValueError("would charge and discharge at once. Put `below` at or under `above`")
        return self


class _Threshold(Controller):
    """Compares one measured level of the site with two thresholds."""

    Options: ClassVar[type[BaseModel]] = Options
    point: ClassVar[Point]
    unit: ClassVar[str]

    def reset(self, site: SiteView, options: BaseModel, rng: np.random.Generator) -> None:
        del rng
        self._site = site
        self._options = options if isinstance(options, Options) else Options()
        self._pods = Pods(site, "proportional", correct=True)
        self._last_tick = 0

    def decide(self, observation: Observation) -> Sequence[Command]:
        seen = seen_of(observation)
        span_s = (observation.tick - self._last_tick) * self._site.step_s
        self._last_tick = observation.tick
        self._pods.see(observation, span_s, seen)
        level = float(fresh(observation, self.point)[0])
        period_s = float(self.period_s)
        if math.isnan(level) or not level > self._options.above:
            self._pods.rest()
            return self._charging(observation, level, seen.import_w - seen.stored_w, 2 * period_s)
        reason = f"{level:.4g} {self.unit}, above {self._options.above:.4g}"
        share = self._options.give_frac
        commands = list(self._pods.give_share(observation, share, period_s, 2 * period_s, reason))
        if self._site.storages:
            watts = -self._options.storage_frac * self._site.storage_power_w
            commands.append(Command(Knob.STORAGE_W, watts, 2 * period_s, ""))
        return commands

    def _charging(
        self, observation: Observation, level: float, would_w: float, valid_s: float
    ) -> Sequence[Command]:
        if not self._site.storages or not level < self._options.below or math.isnan(would_w):
            return []
        full = np.full(len(self._site.storages), _FULL_SOC)
        room_w = self._site.import_limit_w - would_w
        watts = recharge_w(self._site, observation, full, self._options.storage_frac, room_w)
        return [Command(Knob.STORAGE_W, watts, valid_s, "")]


class PriceThreshold(_Threshold):
    """Acts on the price of energy [$/MWh]."""

    point = Point.PRICE_USD_PER_MWH
    unit = "$/MWh"


class CarbonThreshold(_Threshold):
    """Acts on the average carbon intensity of the grid [kg/MWh]."""

    point = Point.CARBON_KG_PER_MWH
    unit = "kg/MWh"
