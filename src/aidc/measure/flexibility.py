"""Requests of the grid in a run: what was asked, and what came of it at the meter, by whom.

The baseline is the mean import over the last hour without an event before the announcement (rows of the books that no
event touches); where fewer rows were seen, over those. `delivered_mw` is the baseline less the mean import from start
to end, so that what weather and demand changed meanwhile is in it: a commitment against what would have been drawn
is measured by a second run without the event. An interval of five minutes wholly inside the event is met when its
mean is at or below the level asked plus 2 % of the baseline. Of a request by `reduce_mw` the level is the baseline
less it. Changes of pods, storage and cooling are those from the baseline's rows to the event's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from aidc.contract.requests import EVENTS, REQUESTS
from aidc.measure.frames import Frames
from aidc.units import HOUR_S, MEGA

__all__ = ["ALLOWED_FRAC", "requests"]

ALLOWED_FRAC = 0.02
_INTERVAL_S = 300.0
_NOT_ASKED = {"import-limit"}  # enforced by the connection: told with the supply

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


def requests(frames: Frames) -> dict[str, Any]:
    """Every request of the run by name; empty where nothing was asked."""
    told = [one for one in frames.facts.raw.get("events") or () if one.get("kind") in REQUESTS - _NOT_ASKED]
    if not told or "grid_import_w" not in frames.series_columns:
        return {}
    rows = _Rows(frames, frames.facts.raw.get("events") or ())
    return {str(one["name"]): _one(rows, one) for one in told}


class _Rows:
    """The books in order of time: seconds from the start, and what is asked of them."""

    def __init__(self, frames: Frames, events: Sequence[Mapping[str, Any]]) -> None:
        self._frames = frames
        stores = [f"storage.{store.name}.{what}_w" for store in frames.facts.storage for what in ("charge", "discharge")]  # fmt: skip
        self.table = frames.columns(["grid_import_w", "cooling_w", *stores])
        self.start = frames.facts.start
        self.first_s = self._seconds(self.table["time"])
        self.long_s = self.table["dt_s"].to_numpy()
        self.free = np.ones(len(self.first_s), dtype=bool)
        for event in events:
            if event.get("kind") in EVENTS:
                self.free &= ~self.touching(event["start"], event.get("withdrawn") or event["end"])

    def since_s(self, moment: str) -> float:
        return (datetime.fromisoformat(moment) - self.start).total_seconds()

    def touching(self, start: str, end: str) -> Bools:
        """Rows that an event acts in at any time."""
        return (self.first_s + self.long_s > self.since_s(start)) & (self.first_s < self.since_s(end))

    def mean(self, name: str, rows: Bools) -> float:
        values = self.table[name].to_numpy()[rows]
        return float(np.average(values, weights=self.long_s[rows])) if rows.any() else float("nan")

    def stored_w(self, rows: Bools) -> float:
        """Mean power into all storages [W]."""
        stores = [store.name for store in self._frames.facts.storage]
        return sum(
            self.mean(f"storage.{name}.charge_w", rows) - self.mean(f"storage.{name}.discharge_w", rows)
            for name in stores
        )

    def pods(self, rows: Bools) -> dict[str, tuple[float, float]]:
        """Mean accelerator power [W] and tokens a second of each pod over some rows."""
        times = self.table["time"].filter(pl.Series(rows))
        kept = [name for name in ("tokens_output", "tokens_trained") if name in self._frames.pods_columns]
        tokens = sum((pl.col(name) for name in kept), pl.lit(0.0))
        frame = self._frames.pods.frame(
            {"time": pl.col("time"), "pod": pl.col("pod"), "w": pl.col("accelerator_w"), "tokens": tokens}
        ).filter(pl.col("time").is_in(times.implode()))
        span_s = float(self.long_s[rows].sum()) or 1.0
        means = frame.group_by("pod").agg(pl.col("w").mean(), pl.col("tokens").sum() / span_s)
        return {str(pod): (float(w), float(made)) for pod, w, made in means.iter_rows()}

    def _seconds(self, times: pl.Series) -> Floats:
        return (times.dt.timestamp("us").to_numpy() / 1e6) - self.start.timestamp()


def _one(rows: _Rows, event: Mapping[str, Any]) -> dict[str, Any]:
    end = event.get("withdrawn") or event["end"]
    inside = (rows.first_s >= rows.since_s(event["start"])) & (
        rows.first_s + rows.long_s <= rows.since_s(end) + 1e-6
    )
    before = _before(rows, rows.since_s(event["announced"]))
    baseline_w, drawn_w = rows.mean("grid_import_w", before), rows.mean("grid_import_w", inside)
    level_w = _level_w(event, baseline_w)
    after = (rows.first_s >= rows.since_s(end)) & (rows.first_s < rows.since_s(end) + HOUR_S)
    imports = rows.table["grid_import_w"].to_numpy()
    return {
        "kind": event["kind"],
        "announced": event["announced"],
        "start": event["start"],
        "end": event["end"],
        "withdrawn": event.get("withdrawn"),
        "baseline_mw": baseline_w / MEGA,
        "level_mw": level_w / MEGA,
        "asked_mw": (baseline_w - level_w) / MEGA,
        "import_mw": drawn_w / MEGA,
        "delivered_mw": (baseline_w - drawn_w) / MEGA,
        **_intervals(rows, inside, level_w + ALLOWED_FRAC * baseline_w, rows.since_s(event["start"])),
        "latency_s": _latency_s(rows, inside, level_w + ALLOWED_FRAC * baseline_w, event),
        "overshoot_mw": max(0.0, float(imports[inside].max()) - level_w) / MEGA if inside.any() else None,
        "rebound_mw": (float(imports[after].max()) - baseline_w) / MEGA if after.any() else None,
        "storage_mw": (rows.stored_w(before) - rows.stored_w(inside)) / MEGA,
        "cooling_mw": (rows.mean("cooling_w", before) - rows.mean("cooling_w", inside)) / MEGA,
        "pods": _pods(rows, before, inside),
    }


def _before(rows: _Rows, announced_s: float) -> Bools:
    """The last rows without an event before an announcement, an hour of them."""
    found = np.flatnonzero(rows.free & (rows.first_s + rows.long_s <= announced_s + 1e-6))
    behind_s = np.cumsum(rows.long_s[found][::-1])[::-1]
    chosen = np.zeros(len(rows.free), dtype=bool)
    chosen[found[behind_s <= HOUR_S + 1e-6]] = True
    return chosen


def _level_w(event: Mapping[str, Any], baseline_w: float) -> float:
    if event.get("limit_w") is not None:
        return float(event["limit_w"])
    if event.get("reduce_frac") is not None:
        return baseline_w * (1.0 - float(event["reduce_frac"]))
    return baseline_w - float(event["reduce_w"])


def _intervals(rows: _Rows, inside: Bools, allowed_w: float, start_s: float) -> dict[str, Any]:
    """Five-minute intervals wholly inside, and how many are met."""
    number = np.floor((rows.first_s - start_s) / _INTERVAL_S + 1e-9).astype(int)
    imports = rows.table["grid_import_w"].to_numpy()
    met = count = 0
    for one in np.unique(number[inside]):
        chosen = inside & (number == one)
        if rows.long_s[chosen].sum() >= _INTERVAL_S * (1 - 1e-9):
            count += 1
            met += bool(np.average(imports[chosen], weights=rows.long_s[chosen]) <= allowed_w)
    return {"intervals": count, "intervals_met": met, "met_frac": met / count if count else None}


def _latency_s(rows: _Rows, inside: Bools, allowed_w: float, event: Mapping[str, Any]) -> float | None:
    """From the announcement, or the start where that is later, to the end of the first row at the level [s]."""
    imports = rows.table["grid_import_w"].to_numpy()
    reached = np.flatnonzero(inside & (imports <= allowed_w))
    if not len(reached):
        return None
    asked_s = max(rows.since_s(event["announced"]), rows.since_s(event["start"]))
    place = int(reached[0])
    return float(rows.first_s[place] + rows.long_s[place] - asked_s)


def _pods(rows: _Rows, before: Bools, inside: Bools) -> dict[str, dict[str, float | None]]:
    if not before.any() or not inside.any():
        return {}
    then, now = rows.pods(before), rows.pods(inside)
    return {
        pod: {
            "power_mw": (then[pod][0] - now[pod][0]) / MEGA,
            "power_frac": 1.0 - now[pod][0] / then[pod][0] if then[pod][0] > 0 else None,
            "tokens_frac": 1.0 - now[pod][1] / then[pod][1] if then[pod][1] > 0 else None,
        }
        for pod in then
        if pod in now
    }
