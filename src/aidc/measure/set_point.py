"""Set points that a cooling plant did not hold, and racks that were too warm.

A supply is not held where it stays more than `TOLERANCE_K` above its set point for `LONG_S` or longer, or gets
`FAR_K` above it however briefly (means over rows of the books). Shorter and smaller excursions are those of a control
loop after a step of the load. The three bounds are choices of ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from aidc.measure.frames import Frames
from aidc.units import KELVIN_AT_0C, MINUTE_S

__all__ = ["FAR_K", "LONG_S", "TOLERANCE_K", "Excursion", "Watch", "cooling_held", "pods_warm"]

TOLERANCE_K: Final = 0.5
LONG_S: Final = 900.0
FAR_K: Final = 3.0

_WARMEST: Final = {"inlet_max_c": "supply", "air_max_c": "air", "case_max_c": "case"}
_MINUTES: Final = ("throttled_min", "shut_down_min")


@dataclass(frozen=True, slots=True)
class Excursion:
    """A stretch above the set point: when it began [s, on the clock of the rows], how long and how far."""

    start_s: float
    duration_s: float
    worst_k: float

    @property
    def counts(self) -> bool:
        """Whether the set point was not held, or merely approached."""
        return self.duration_s >= LONG_S or self.worst_k >= FAR_K


class Watch:
    """Finds the excursions of one plant in rows that come block by block."""

    def __init__(self) -> None:
        self._open: Excursion | None = None

    def feed(
        self, start_s: NDArray[np.float64], length_s: NDArray[np.float64], above_k: NDArray[np.float64]
    ) -> list[Excursion]:
        """The excursions that ended within these rows."""
        over = np.concatenate([[False], above_k > TOLERANCE_K, [False]])
        edges = np.flatnonzero(over[1:] != over[:-1]).reshape(-1, 2)
        found: list[Excursion] = []
        if self._open is not None and (not edges.size or edges[0, 0] > 0):
            found += self.close()
        for first, last in edges:
            one = Excursion(
                float(start_s[first]), float(length_s[first:last].sum()), float(above_k[first:last].max())
            )
            if first == 0 and self._open is not None:
                before = self._open
                one = Excursion(
                    before.start_s, before.duration_s + one.duration_s, max(before.worst_k, one.worst_k)
                )
            self._open = one
            if last < len(above_k):
                found += self.close()
        return found

    def close(self) -> list[Excursion]:
        """What is still open ends here."""
        found = [] if self._open is None else [self._open]
        self._open = None
        return found


def cooling_held(frames: Frames) -> dict[str, Any]:
    """By plant: minutes in which the set point was not held, and the most above it; the warmest supply."""
    plants = frames.between("cooling.", ".above_k")
    if not plants:
        return {}
    supplies = {name: f"cooling.{name}.supply_k" for name in plants}
    rows = frames.columns([*plants.values(), *supplies.values()])
    length_s = rows["dt_s"].to_numpy().astype(float)
    start_s = np.concatenate([[0.0], np.cumsum(length_s)[:-1]])
    told: dict[str, Any] = {}
    for name, column in plants.items():
        watch = Watch()
        above_k = rows[column].to_numpy().astype(float)
        missed = [one for one in (*watch.feed(start_s, length_s, above_k), *watch.close()) if one.counts]
        told[name] = {
            "not_held_min": sum(one.duration_s for one in missed) / MINUTE_S,
            "worst_above_k": max((one.worst_k for one in missed), default=0.0),
            "supply_max_c": float(rows[supplies[name]].to_numpy().max(initial=-np.inf)) - KELVIN_AT_0C,
        }
    return told


def pods_warm(frames: Frames) -> dict[str, Any]:
    """By pod: the warmest inlet, hall air and case, and minutes of throttling and of thermal shutdown."""
    needed = {"pod", "supply_k", "air_k", "case_k", "throttle_frac", "tripped_frac"}
    if not needed <= set(frames.pods_columns):
        return {}
    told: dict[str, Any] = {}
    wanted = {
        "pod": pl.col("pod"),
        **{name: pl.col(f"{name}_k") - KELVIN_AT_0C for name in _WARMEST.values()},
        "throttled_min": frames.dt_s / MINUTE_S * (pl.col("throttle_frac") > 0),
        "shut_down_min": frames.dt_s / MINUTE_S * pl.col("tripped_frac"),
    }
    for part in frames.pods.select(wanted):
        for (name,), rows in part.group_by("pod", maintain_order=True):
            pod = told.setdefault(str(name), dict.fromkeys((*_WARMEST, *_MINUTES), 0.0))
            for key, column in _WARMEST.items():
                pod[key] = max(pod[key], float(rows[column].to_numpy().max()))
            for key in _MINUTES:
                pod[key] += float(rows[key].to_numpy().sum())
    return told
