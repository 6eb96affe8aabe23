"""Holding import below a level of one's own: storage above it, charged again below another, pods if they may."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar, Self

import numpy as np
from pydantic import BaseModel, model_validator

from aidc.contract import Command, Controller, Knob, Observation, SiteView
from aidc.control.following.pods import Pods
from aidc.control.following.seen import seen_of
from aidc.control.following.storing import recharge_w
from aidc.schema.base import Frac, Positive, Shape
from aidc.units import MEGA

__all__ = ["Options", "PeakShaving"]

_FULL_SOC = 0.98


class Options(Shape):
    """`target_mw` is the level to stay below, `charge_below_mw` the one up to which storage is charged again.

    With `use_pods` what storage cannot give is taken from pods within their tiers; a peak counts as an event of
    the length of one decision.
    """

    target_mw: Positive | None = None
    charge_below_mw: Positive | None = None
    recharge_frac: Frac = 0.5
    use_pods: bool = False

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.target_mw is not None and (self.charge_below_mw or 0.0) > self.target_mw:
            raise ValueError("would charge above what it shaves. Put charge_below_mw at or below target_mw")
        return self


class PeakShaving(Controller):
    """Storage and, if they may, pods keep the import below `target_mw` (default: the import limit less 2 %)."""

    Options: ClassVar[type[BaseModel]] = Options

    def reset(self, site: SiteView, options: BaseModel, rng: np.random.Generator) -> None:
        del rng
        chosen = options if isinstance(options, Options) else Options()
        self._site, self._options = site, chosen
        self._target_w = 0.98 * site.import_limit_w if chosen.target_mw is None else chosen.target_mw * MEGA
        below = chosen.charge_below_mw
        self._below_w = 0.95 * self._target_w if below is None else below * MEGA
        self._pods = Pods(site, "proportional", correct=True)
        self._last_tick = 0

    def decide(self, observation: Observation) -> Sequence[Command]:
        seen = seen_of(observation)
        span_s = (observation.tick - self._last_tick) * self._site.step_s
        self._last_tick = observation.tick
        self._pods.see(observation, span_s, seen)
        if math.isnan(seen.import_w):
            return []
        would_w = seen.import_w - seen.stored_w + self._pods.cut_at_meter_w()
        over_w = would_w - self._target_w
        period_s = float(self.period_s)
        commands: list[Command] = []
        if self._site.storages:
            watts, over_w = self._storage(observation, would_w, over_w)
            commands.append(Command(Knob.STORAGE_W, watts, 2 * period_s, ""))
        if self._options.use_pods and over_w > 0:
            reason = f"peak: {would_w / MEGA:.2f} MW, target {self._target_w / MEGA:.2f} MW"
            commands += self._pods.give(observation, over_w, period_s, 2 * period_s, reason, emergency=False)
        else:
            self._pods.rest()
        return commands

    def _storage(self, observation: Observation, would_w: float, over_w: float) -> tuple[np.ndarray, float]:
        """Set points, and what they leave above the target."""
        if over_w > 0:
            power = self._site.storage_power_w
            share = min(1.0, over_w / max(float(power.sum()), 1.0))
            return -power * share, over_w - share * float(power.sum())
        full = np.full(len(self._site.storages), _FULL_SOC)
        room_w = self._below_w - would_w
        return recharge_w(self._site, observation, full, self._options.recharge_frac, room_w), over_w
