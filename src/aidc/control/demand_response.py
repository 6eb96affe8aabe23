"""Answering a demand-response request: storage first, then power caps by flexibility tier.

The request is measured against the mean draw over the hour before it was announced. Storage covers
what it can sustain to the end of the event; the rest is taken from the pods' accelerators in
proportion to what their tier tolerates. Tiers 0/1/2/3 tolerate 0/10/25/50 % slowdown; that a power
cap of the same share costs no more throughput than that is conservative, because measured curves
lose less throughput than power down to about half the rating. What is needed is taken from the
highest of the last windows, so that load which returns after a short dip meets what was held for it.
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
_WINDOWS = 3  # a checkpoint lasts less: the dip of a minute is no reason to let go


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
        self._needs: list[float] = []
        self._cut_w = 0.0

    def decide(self, observation: Observation) -> Sequence[Command]:
        import_w = float(observation.value[Point.GRID_IMPORT_W][0])
        active = self._note(observation, import_w)
        stored_w = float(np.nan_to_num(observation.value[Point.STORAGE_W]).sum())
        if not math.isnan(import_w):  # what would be drawn without storage and caps
            self._needs = [*self._needs, import_w - stored_w + self._cut_w][-_WINDOWS:]
        target_w = math.nan if active is None else self._target_w(active)
        if active is None or math.isnan(import_w) or math.isnan(target_w):
            self._cut_w = self._cut_w if active else 0.0
            return []
        period_s = float(self.period_s)
        left_s = max((active.end_tick - observation.tick) * self._site.step_s, period_s)
        short_w = max(0.0, max(self._needs) - target_w)
        storage = self._storage(observation, left_s, short_w)
        given_w = 0.0 if storage is None else -float(storage.sum())
        reason = f"{active.name}: import {import_w / 1e6:.2f} MW, target {target_w / 1e6:.2f} MW"
        commands = [self._caps(observation, short_w - given_w, 2 * period_s, reason)]
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

    def _storage(self, observation: Observation, left_s: float, short_w: float) -> np.ndarray | None:
        """Set points that cover what is short, as far as it can be sustained to the end."""
        if not self._site.storages or not self._options.use_storage:
            return None
        soc = np.nan_to_num(observation.value[Point.STORAGE_SOC_FRAC])
        sustained = np.minimum(
            self._site.storage_power_w,
            0.9 * np.maximum(soc - 0.1, 0.0) * self._site.storage_energy_j / left_s,
        )
        share = min(1.0, short_w / sustained.sum()) if sustained.sum() > 0 else 0.0
        return -sustained * share

    def _caps(self, observation: Observation, short_w: float, valid_s: float, reason: str) -> Command:
        """Spread the cut over the pods by what they draw and tolerate."""
        draw = np.nan_to_num(observation.value[Point.POD_UNCAPPED_W])
        room = draw * self._tolerated
        share = min(1.0, max(short_w, 0.0) / room.sum()) if room.sum() > 0 else 0.0
        self._cut_w = share * float(room.sum())
        held = draw * (1 - self._tolerated * share) if share > 0 else self._site.default[Knob.POD_CAP_W]
        cap = np.where(self._tolerated > 0, held, np.nan)  # nothing to cut: let go, do not hold the draw
        return Command(Knob.POD_CAP_W, cap, valid_s, reason)
