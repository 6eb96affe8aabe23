"""Answering a demand-response request: storage first, then power caps by flexibility tier.

The request is measured against the mean draw over the hour before it was announced. Storage covers
what it can sustain to the end of the event; the rest is taken from the pods' accelerators in
proportion to what their tier tolerates. Tiers 0/1/2/3 tolerate 0/10/25/50 % slowdown; that a power
cap of the same share costs no more throughput than that is conservative, because measured curves
lose less throughput than power down to about half the rating.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from pydantic import BaseModel

from aidc.contract import Command, Controller, Knob, Observation, Point, Signal, SiteView
from aidc.schema.base import Frac, Shape

__all__ = ["DemandResponse"]

_TOLERATED = np.array([0.0, 0.10, 0.25, 0.50])
_HOUR_S = 3600.0


class Options(Shape):
    """`margin_frac` is taken off beyond what is asked, for what the caps do not reach at once."""

    margin_frac: Frac = 0.03
    use_storage: bool = True


class DemandResponse(Controller):
    """Holds the site's import below what a grid request leaves it."""

    Options: ClassVar[type[BaseModel]] = Options

    def reset(self, site: SiteView, options: BaseModel, rng: np.random.Generator) -> None:
        del rng
        self._site = site
        self._options = options if isinstance(options, Options) else Options()
        self._tolerated = _TOLERATED[np.array(site.pod_flex_tier, dtype=int)]
        self._recent: list[float] = []
        self._baseline_w: dict[str, float] = {}
        self._cut_w = 0.0

    def decide(self, observation: Observation) -> Sequence[Command]:
        import_w = float(observation.value[Point.GRID_IMPORT_W][0])
        active = self._note(observation, import_w)
        if active is None:
            self._cut_w = 0.0
            return []
        target_w = self._target_w(active)
        if math.isnan(import_w) or math.isnan(target_w):
            return []
        period_s = float(self.period_s)
        left_s = max((active.end_tick - observation.tick) * self._site.step_s, period_s)
        storage, given_w = self._storage(observation, left_s, import_w - target_w)
        self._cut_w = max(0.0, self._cut_w + import_w - target_w - given_w)
        reason = f"{active.name}: import {import_w / 1e6:.2f} MW, target {target_w / 1e6:.2f} MW"
        commands = [self._caps(observation, 2 * period_s, reason)]
        if storage is not None:
            commands.append(Command(Knob.STORAGE_W, storage, 2 * period_s, ""))
        return commands

    def _note(self, observation: Observation, import_w: float) -> Signal | None:
        """Keep the baseline of each announced request; return the one in force."""
        for signal in observation.signals:
            if signal.kind == "demand-response" and signal.name not in self._baseline_w and self._recent:
                self._baseline_w[signal.name] = float(np.mean(self._recent))
        active = [
            s
            for s in observation.signals
            if s.kind == "demand-response" and s.start_tick <= observation.tick < s.end_tick
        ]
        if not math.isnan(import_w) and not active:
            keep = max(1, round(_HOUR_S / float(self.period_s)))
            self._recent = [*self._recent, import_w][-keep:]
        return active[0] if active else None

    def _target_w(self, signal: Signal) -> float:
        if not math.isnan(signal.limit_w):
            return signal.limit_w * (1 - self._options.margin_frac)
        baseline_w = self._baseline_w.get(signal.name, math.nan)
        return baseline_w * (1 - signal.reduce_frac - self._options.margin_frac)

    def _storage(
        self, observation: Observation, left_s: float, short_w: float
    ) -> tuple[np.ndarray | None, float]:
        """Discharge what can be sustained to the end; return the set point and what it adds."""
        if not self._site.storages or not self._options.use_storage:
            return None, 0.0
        now = np.nan_to_num(observation.value[Point.STORAGE_W])
        soc = np.nan_to_num(observation.value[Point.STORAGE_SOC_FRAC])
        sustained = np.minimum(
            self._site.storage_power_w,
            0.9 * np.maximum(soc - 0.1, 0.0) * self._site.storage_energy_j / left_s,
        )
        wanted = max(0.0, float(-now.sum()) + short_w)
        share = min(1.0, wanted / sustained.sum()) if sustained.sum() > 0 else 0.0
        return -sustained * share, float((sustained * share).sum() + now.sum())

    def _caps(self, observation: Observation, valid_s: float, reason: str) -> Command:
        """Spread the cut over the pods by what they draw and tolerate."""
        draw = np.nan_to_num(observation.value[Point.POD_UNCAPPED_W])
        room = draw * self._tolerated
        share = min(1.0, self._cut_w / room.sum()) if room.sum() > 0 else 0.0
        held = draw * (1 - self._tolerated * share) if share > 0 else self._site.default[Knob.POD_CAP_W]
        cap = np.where(self._tolerated > 0, held, np.nan)  # nothing to cut: let go, do not hold the draw
        return Command(Knob.POD_CAP_W, cap, valid_s, reason)
