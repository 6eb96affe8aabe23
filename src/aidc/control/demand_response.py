"""Following what the grid asks for: storage first, then power caps by flexibility tier, measured at the meter.

A share is of the mean import over the last hour without an event before the announcement. Before a request begins
storages are charged; while it is in force storage gives what lasts to its end, and the rest is allocated to the
pods within what their tiers tolerate; after it the load comes back along a ramp, and storages are charged again
gently. A cut of accelerators is corrected to the meter: servers, lineups and the transformer answer at once,
cooling later and by a share that is learned (`following.meter`). That a power cap of some share costs no more
throughput than that share is conservative: measured curves lose less throughput than power down to about half the
rating. What is needed is taken from the highest of the last windows, so that load which returns after a checkpoint
meets what was held for it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import BaseModel, Field

from aidc.contract import Command, Controller, FloatArray, Knob, Observation, Signal, SiteView
from aidc.contract.requests import lowest
from aidc.control.following.baseline import Baseline
from aidc.control.following.pods import Pods
from aidc.control.following.recovery import Recovery
from aidc.control.following.seen import Seen, seen_of
from aidc.control.following.storing import charged_by, recharge_w, sustained_w
from aidc.control.following.upcoming import soonest, until_s
from aidc.schema.base import Frac, NonNegative, Positive, Shape

__all__ = ["DemandResponse", "Options"]

_WINDOWS = 3  # a checkpoint lasts less: the dip of a minute is no reason to let go


class Options(Shape):
    """How requests are followed.

    `margin_frac` is taken off beyond what is asked by share or level, for what the caps do not reach at once; a
    request by `reduce_mw` is met as it stands. `snap_back_frac_per_min` of the import before the request is how
    fast load comes back. Storage is charged from `prepare_min` before a request and again after it, at
    `recharge_frac` of its rating, while import stays within `rebound_frac` above the last hour's mean. Loops are
    held `precool_k` colder in the quarter of an hour before a request.
    """

    margin_frac: Frac = 0.03
    use_storage: bool = True
    policy: Literal["proportional", "priority", "least-loss", "round-robin", "carbon-aware"] = "proportional"
    meter_correction: bool = True
    snap_back_frac_per_min: Positive = 0.05
    prepare_min: NonNegative = 120.0
    recharge_frac: Frac = 0.25
    rebound_frac: Frac = 0.05
    precool_k: Annotated[float, Field(ge=0, le=5)] = 0.0


class DemandResponse(Controller):
    """Holds the site's import below what grid requests leave it."""

    Options: ClassVar[type[BaseModel]] = Options

    def reset(self, site: SiteView, options: BaseModel, rng: np.random.Generator) -> None:
        del rng
        self._site = site
        self._options = options if isinstance(options, Options) else Options()
        self._baseline = Baseline(site.step_s)
        self._pods = Pods(site, self._options.policy, correct=self._options.meter_correction)
        self._recovery = Recovery(self._options.snap_back_frac_per_min)
        self._would: list[float] = []
        self._last_tick = 0
        self._soc_before: FloatArray | None = None

    def decide(self, observation: Observation) -> Sequence[Command]:
        seen = seen_of(observation)
        span_s = (observation.tick - self._last_tick) * self._site.step_s
        self._last_tick = observation.tick
        self._baseline.see(observation, seen.import_w)
        self._pods.see(observation, span_s, seen)
        if math.isnan(seen.import_w):
            return []
        # what would be drawn without storage and caps
        self._would = [*self._would, seen.import_w - seen.stored_w + self._pods.cut_at_meter_w()][-_WINDOWS:]
        ruling, level_w = self._asked(observation)
        if ruling is None:
            return self._unasked(observation, seen)
        if math.isnan(level_w):
            return []
        if self._soc_before is None:
            self._soc_before = seen.soc_frac
        self._recovery.hold(ruling.name, level_w, self._baseline.mean_w())
        left_s = until_s(observation, ruling.end_tick, self._site, float(self.period_s))
        return self._hold(observation, seen, ruling, level_w, left_s)

    def _asked(self, observation: Observation) -> tuple[Signal | None, float]:
        """The request that rules in the coming period, and the level to hold: it may begin within the period."""
        would_w = max(self._would)
        ahead = max(0, round(float(self.period_s) / self._site.step_s) - 1)
        found = [
            lowest(observation.signals, observation.tick + late, self._baseline.by_name, would_w)
            for late in ({0, ahead} if observation.signals else ())
        ]
        known = [one for one in found if one[0] is not None and not math.isnan(one[1])]
        if not known:
            return next((one for one in found if one[0] is not None), (None, math.nan))
        ruling, level_w = min(known, key=lambda one: one[1])
        return ruling, self._with_margin(ruling, level_w)

    def _with_margin(self, ruling: Signal | None, level_w: float) -> float:
        """A request by share leaves so much less of the baseline, one by level of the level; `reduce_w` as it is."""
        margin, name = self._options.margin_frac, "" if ruling is None else ruling.name
        if ruling is None or not math.isnan(ruling.reduce_w):
            return level_w
        if not math.isnan(ruling.limit_w):
            return level_w * (1 - margin)
        return level_w - margin * self._baseline.by_name.get(name, 0.0)

    def _hold(
        self, observation: Observation, seen: Seen, ruling: Signal, level_w: float, left_s: float
    ) -> list[Command]:
        """Storage for what it can sustain, pods for the rest."""
        valid_s = 2 * float(self.period_s)
        short_w = max(0.0, max(self._would) - level_w)
        commands: list[Command] = []
        if self._site.storages and self._options.use_storage:
            sustained = sustained_w(self._site, observation, left_s)
            total = float(sustained.sum())
            share = min(1.0, short_w / total) if total > 0 else 0.0
            short_w -= share * total
            commands.append(Command(Knob.STORAGE_W, -sustained * share, valid_s, ""))
        reason = f"{ruling.name}: import {seen.import_w / 1e6:.2f} MW, target {level_w / 1e6:.2f} MW"
        emergency = ruling.kind == "emergency"
        return [
            *self._pods.give(observation, short_w, left_s, valid_s, reason, emergency=emergency),
            *commands,
        ]

    def _unasked(self, observation: Observation, seen: Seen) -> Sequence[Command]:
        """Nothing is in force: come back from the last request, charge again, prepare for the next."""
        would_w = max(self._would)
        back_w = self._recovery.ceiling_w(observation.tick * self._site.step_s, would_w, seen.import_w)
        if back_w is not None:
            name, ceiling_w = back_w
            signal = Signal(name, "recovery", 0, 0, 0)
            return self._hold(observation, seen, signal, ceiling_w, float(self.period_s))
        self._pods.rest()
        ahead = soonest(observation)
        if ahead is None and self._soc_before is None:
            return []
        return [*self._stored(observation, ahead, would_w), *self._cooled(observation, ahead)]

    def _stored(self, observation: Observation, ahead: Signal | None, would_w: float) -> list[Command]:
        """Charging before a request, or after one."""
        if not self._site.storages or not self._options.use_storage:
            self._soc_before = None
            return []
        room_w = (1 + self._options.rebound_frac) * self._baseline.mean_w()
        room_w = min(room_w, self._site.import_limit_w) - would_w
        if math.isnan(room_w):
            return []
        left_s = math.inf
        if ahead is not None:
            left_s = until_s(observation, ahead.start_tick, self._site, float(self.period_s))
        if ahead is not None and left_s <= 60 * self._options.prepare_min:
            watts, what = charged_by(self._site, observation, left_s, room_w), f"{ahead.name}: charged before"
        elif self._soc_before is not None:
            share = self._options.recharge_frac
            watts, what = (
                recharge_w(self._site, observation, self._soc_before, share, room_w),
                "charged again",
            )
            if not watts.any() and room_w > 0:
                self._soc_before = None
                return []
        else:
            return []
        # without room it stands still: left alone, a rule of its own would charge it at its rating
        told = f"{what}, {float(watts.sum()) / 1e6:.2f} MW" if watts.any() else ""
        return [Command(Knob.STORAGE_W, watts, 2 * float(self.period_s), told)]

    def _cooled(self, observation: Observation, ahead: Signal | None) -> list[Command]:
        """Loops that are cooled in the quarter of an hour before a request."""
        if ahead is None or self._options.precool_k <= 0:
            return []
        if until_s(observation, ahead.start_tick, self._site, 0.0) > 900.0:
            return []
        colder = self._site.default[Knob.PLANT_SUPPLY_K] - self._options.precool_k
        told = f"{ahead.name}: loops {self._options.precool_k:g} K colder beforehand"
        return [Command(Knob.PLANT_SUPPLY_K, colder, 2 * float(self.period_s), told)]
