"""What a site would do with its storage at rest: load, sun and wind, and prices, step by step of the plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from aidc.contract import Command, Controller, Knob, Observation, SiteView
from aidc.dispatch.shapes import FloatArray
from aidc.measure.frames import frames_of
from aidc.record.run import Run
from aidc.units import MEGA

__all__ = ["Course", "HoldStill", "course_of"]

_FLOWS = ("grid_import_w", "grid_export_w", "pv_w", "wind_w", "curtailed_w")
_MARKET = ("price_usd_per_mwh", "export_price_usd_per_mwh")


class HoldStill(Controller):
    """Keeps the storages that are planned at 0; the others follow their own rules."""

    names: tuple[str, ...] = ()

    def reset(self, site: SiteView, options: object, rng: np.random.Generator) -> None:
        del options, rng
        self._set_w = np.array([0.0 if name in self.names else np.nan for name in site.storages])

    def decide(self, observation: Observation) -> Sequence[Command]:
        del observation
        return (
            []
            if np.isnan(self._set_w).all()
            else [Command(Knob.STORAGE_W, self._set_w, 2 * float(self.period_s), "")]
        )


@dataclass(frozen=True, slots=True)
class Course:
    """Means over each step of a plan, shape (n,); `time` is the beginning of each step (UTC)."""

    time: pl.Series
    dt_s: FloatArray
    load_mw: FloatArray
    renewable_mw: FloatArray
    buy_usd_per_mwh: FloatArray
    sell_usd_per_mwh: FloatArray


def course_of(run: Run, step_s: float) -> Course:
    """The course of a run with its storage at rest.

    Load is what the meter saw, less export, plus what sun and wind gave: with the losses of the main transformer at
    that flow. What was curtailed counts as available. `step_s` is the step of the plan [s], a multiple of the books' row.
    """
    frames = frames_of(run)
    frame = frames.columns([*_FLOWS, *_MARKET])
    dt_s = frame["dt_s"].to_numpy()
    begin_s = np.cumsum(dt_s) - dt_s
    place = (begin_s / step_s + 1e-9).astype(np.int64)
    length: FloatArray = np.bincount(place, dt_s).astype(np.float64)

    def mean(name: str) -> FloatArray:
        return np.bincount(place, frame[name].to_numpy() * dt_s) / length

    imported, exported, sun, wind, lost = (mean(name) for name in _FLOWS)
    first = np.flatnonzero(np.diff(place, prepend=-1))
    return Course(
        frame["time"].gather(first),
        length,
        (imported - exported + sun + wind) / MEGA,
        (sun + wind + lost) / MEGA,
        *(mean(name) for name in _MARKET),
    )
