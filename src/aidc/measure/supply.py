"""What was not supplied, and for how long: energy, time and availability of the site, its pods and its workloads.

Not supplied is what a pod would have drawn in a step had it not been shed, less what it drew; the time to come back
counts. A pod is available while it has supply and is not shut down for heat; one that idles is available. Energies
of several pods add up. Their time is that in which at least one of them lacked what it wanted (within an output
step: the longest of them), and their availability is the mean by nameplate power (equal parts where one is unknown).
`shed_count` counts the rows of the books in which a pod began to be shed, summed over pods.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import polars as pl

from aidc.measure.frames import Frames
from aidc.units import HOUR_S, J_PER_MWH

__all__ = ["supply"]

_NEEDED = {"time", "pod", "shed_frac", "not_supplied_w", "available_frac", "tripped_frac"}


def supply(frames: Frames) -> dict[str, Any]:
    """Figures of supply of the site; `pods`, `services` and `jobs` by name.

    Of a record that does not tell who was not supplied, only the site's energy is known.
    """
    known = frames.pods_columns >= _NEEDED
    book = _booked(frames) if known else _Book()
    site = book.told(frames, book.pods, book.together.get("site", {}))
    if not known:
        site["energy_not_supplied_mwh"] = frames.amount("unserved_w") / J_PER_MWH
    formed = "bus_formed_frac" in frames.series_columns
    return {
        **site,
        "cooling_not_supplied_mwh": frames.amount("cooling_unserved_w") / J_PER_MWH,
        "auxiliary_not_supplied_mwh": frames.amount("auxiliary_unserved_w") / J_PER_MWH,
        "bus_not_formed_h": _not_formed_h(frames) if formed else None,
        "load_bank_mwh": frames.amount("load_bank_w") / J_PER_MWH,
        "pods": {name: book.told(frames, [name], one.sums) for name, one in book.pods.items()},
        "services": _loads(frames, book, "service") if known else {},
        "jobs": _loads(frames, book, "job") if known else {},
    }


_FIGURES = (
    "energy_not_supplied_mwh",
    "time_not_supplied_h",
    "availability_frac",
    "shed_count",
    "tripped_h",
)
_SUMS = ("missing_j", "off_s", "away_s", "tripped_s")
_ROUNDING = 1e-9  # of a mean over an row of the books


def _loads(frames: Frames, book: _Book, kind: str) -> dict[str, Any]:
    return {
        load.name: book.told(frames, load.pods, book.together.get(f"{kind}s.{load.name}", {}))
        for load in frames.facts.of_kind(kind)
    }


@dataclass(slots=True)
class _Pod:
    """One pod over the window: `_SUMS`, how often it was shed, and when last."""

    sums: dict[str, float] = field(default_factory=lambda: dict.fromkeys(_SUMS, 0.0))
    sheds: int = 0
    last: Any = None  # start of the last step in which it was shed


@dataclass(slots=True)
class _Book:
    """Sums by pod, and the times of several pods together."""

    pods: dict[str, _Pod] = field(default_factory=dict[str, _Pod])
    together: dict[str, dict[str, float]] = field(default_factory=dict[str, dict[str, float]])

    def told(
        self, frames: Frames, names: Iterable[str], times: Mapping[str, float]
    ) -> dict[str, float | int | None]:
        """The figures of some pods together, with the times in which any of them lacked something."""
        parts = {name: self.pods[name] for name in names if name in self.pods}
        if not parts:
            return dict.fromkeys(_FIGURES)
        rated = {name: frames.facts.rated_w.get(name, 0.0) for name in parts}
        weights = rated if min(rated.values()) > 0 else dict.fromkeys(parts, 1.0)
        away_s = sum(weights[name] * one.sums["away_s"] for name, one in parts.items())
        away_s /= sum(weights.values())
        return {
            "energy_not_supplied_mwh": sum(one.sums["missing_j"] for one in parts.values()) / J_PER_MWH,
            "time_not_supplied_h": times.get("off_s", 0.0) / HOUR_S,
            "availability_frac": 1.0 - away_s / frames.facts.duration_s,
            "shed_count": sum(one.sheds for one in parts.values()),
            "tripped_h": times.get("tripped_s", 0.0) / HOUR_S,
        }


def _booked(frames: Frames) -> _Book:
    names, in_time = _names(frames)
    book = _Book({name: _Pod() for name in names})
    parts = _whole_steps(_foul(frames)) if in_time else iter([pl.concat(list(_foul(frames))).sort("time")])
    groups = {
        "site": list(book.pods),
        **{f"{load.kind}s.{load.name}": list(load.pods) for load in frames.facts.workloads},
    }
    longest = timedelta(seconds=1.5 * frames.row_s)
    for rows in parts:
        for (name,), mine in rows.group_by("pod", maintain_order=True):
            _add(book.pods[str(name)], mine, longest)
        for group, pods in groups.items():
            _together(book.together.setdefault(group, {}), rows.filter(pl.col("pod").is_in(pods)))
    return book


def _names(frames: Frames) -> tuple[list[str], bool]:
    """Every pod of the record, in its order, and whether the record is in order of time."""
    found: dict[str, None] = {}
    sorted_, last = True, None
    for part in frames.pods.select({"pod": pl.col("pod"), "time": pl.col("time")}):
        if part.is_empty():
            continue
        found |= dict.fromkeys(str(name) for name in part["pod"].unique(maintain_order=True))
        times = part["time"]
        sorted_ = sorted_ and times.is_sorted() and (last is None or last <= times[0])
        last = times[-1]
    return list(found), sorted_


def _foul(frames: Frames) -> Iterator[pl.DataFrame]:
    """The rows in which a pod was not supplied or not available, slice by slice as they are recorded."""
    dt_s = frames.dt_s
    shed, missing = pl.col("shed_frac"), pl.col("not_supplied_w")
    away = 1.0 - pl.col("available_frac")
    wanted = {
        "time": pl.col("time"),
        "pod": pl.col("pod"),
        "shed": shed > 0,
        "missing_j": missing * dt_s,
        "off_s": pl.when(missing > 0).then(shed * dt_s).otherwise(0.0),
        "away_s": pl.when(away > _ROUNDING).then(away * dt_s).otherwise(0.0),
        "tripped_s": pl.col("tripped_frac") * dt_s,
    }
    concerned = pl.col("shed") | (pl.max_horizontal("missing_j", "away_s", "tripped_s") > 0)
    for part in frames.pods.select(wanted):
        yield part.filter(concerned)


def _whole_steps(parts: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """The same rows in whole rows of the books: the last one of a slice may go on in the next."""
    held: pl.DataFrame | None = None
    for part in parts:
        rows = part if held is None else pl.concat([held, part])
        if rows.is_empty():
            continue
        last = pl.col("time") == rows["time"][-1]
        held = rows.filter(last)
        yield rows.filter(~last)
    if held is not None:
        yield held


def _add(pod: _Pod, rows: pl.DataFrame, longest: timedelta) -> None:
    """Add a pod's rows, in order of time."""
    for key in _SUMS:
        pod.sums[key] += float(rows[key].to_numpy().sum())
    for moment in rows.filter(pl.col("shed"))["time"]:
        if pod.last is None or moment - pod.last > longest:
            pod.sheds += 1
        pod.last = moment


def _together(sums: dict[str, float], rows: pl.DataFrame) -> None:
    if rows.is_empty():
        return
    steps = rows.group_by("time").agg(pl.col("off_s").max(), pl.col("tripped_s").max()).sort("time")
    for key in ("off_s", "tripped_s"):
        sums[key] = sums.get(key, 0.0) + float(steps[key].to_numpy().sum())


def _not_formed_h(frames: Frames) -> float:
    """Hours in which nothing formed the site bus."""
    dead_s = (1.0 - pl.col("bus_formed_frac")) * frames.dt_s
    return frames.series.sums({"dead_s": dead_s})["dead_s"] / HOUR_S
