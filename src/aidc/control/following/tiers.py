"""How far each pod may be slowed down now: its tier, over the window that it counts in."""

from __future__ import annotations

import numpy as np

from aidc.contract import FloatArray, Observation, SiteView
from aidc.schema.flexibility import SLOWDOWN_FRAC

__all__ = ["Tiers"]

_DAY_S = 86_400.0


class Tiers:
    """Books what each pod has lost, and tells what it may still lose.

    Over one event a tier bounds the slowdown itself. Over a day (24 h from the start of the run and again) or over
    its life in the run so far a pod may lose that share of the time: what is left of it may be lost at once.
    """

    def __init__(self, site: SiteView) -> None:
        pods = len(site.pods)
        tiers = np.array(site.pod_flex_tier or (0,) * pods, dtype=int)
        windows = site.pod_flex_window or ("event",) * pods
        self.tolerated = np.array(SLOWDOWN_FRAC)[tiers]
        self.flexible = self.tolerated > 0
        self._day = np.array([one == "day" for one in windows], dtype=bool)
        self._life = np.array([one == "life" for one in windows], dtype=bool)
        self._step_s = site.step_s
        self._lost_s = np.zeros(pods)
        self._lost_today_s = np.zeros(pods)
        self._today = 0

    def lose(self, slow_frac: FloatArray, span_s: float) -> None:
        """Book a slowdown that was in force for some seconds."""
        self._lost_s += slow_frac * span_s
        self._lost_today_s += slow_frac * span_s

    def now(self, observation: Observation, left_s: float, *, emergency: bool = False) -> FloatArray:
        """Slowdown that each pod may have from now to the end of a request, `left_s` away; all in an emergency."""
        if emergency:
            return np.where(self.flexible, 1.0, 0.0)
        if not self._day.any() and not self._life.any():
            return self.tolerated
        elapsed_s = observation.tick * self._step_s
        today = int(elapsed_s // _DAY_S)
        if today != self._today:
            self._today, self._lost_today_s = today, np.zeros(len(self._lost_s))
        within_s = max(min(left_s, (today + 1) * _DAY_S - elapsed_s), self._step_s)
        day = (self.tolerated * _DAY_S - self._lost_today_s) / within_s
        life = (self.tolerated * (elapsed_s + left_s) - self._lost_s) / max(left_s, self._step_s)
        now = np.where(self._day, day, np.where(self._life, life, self.tolerated))
        return np.clip(now, 0.0, np.where(self.flexible, 1.0, 0.0))
