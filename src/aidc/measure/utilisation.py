"""Utilisation and headroom: demand against what the service level allows, batch against its limit, idle shares.

The capacity of a service is the largest demand at which 99 % of its tokens meet the service level without a queue; it
stands in the run's meta data. A pod is idle in the share of time in which its replicas have no request in work, or
its job makes no tokens; time in which it is shed counts as neither.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

from aidc.measure.frames import Frames
from aidc.measure.meta import mapping, number

__all__ = ["utilisation"]

_NEAR = 0.8  # of the capacity: beyond it headroom is told, below it what is idle


def utilisation(frames: Frames) -> dict[str, dict[str, Any]]:
    """Figures and a word for each pod (`pods`) and each service (`services`)."""
    sums = _by_pod(frames)
    peaks = _peaks(frames)
    pods = mapping(frames.facts.raw.get("pods"))
    return {
        "services": {
            load.name: _service(frames, load.name, load.pods, sums, peaks.get(load.name, 0.0))
            for load in frames.facts.of_kind("service")
        },
        "pods": {name: _pod(frames, name, mapping(pods.get(name)), one) for name, one in sums.items()},
    }


def _service(
    frames: Frames, name: str, pods: Iterable[str], sums: Mapping[str, Mapping[str, float]], peak_per_s: float
) -> dict[str, Any]:
    told = mapping(mapping(frames.facts.raw.get("workloads")).get(name))
    known = [pod for pod in pods if pod in sums]
    replicas = sum(int(number(value) or 0) for value in mapping(told.get("replicas")).values())
    found = {
        **_demand(
            _capacity(told, known),
            sum(sums[pod]["arrived"] for pod in known) / max(frames.facts.duration_s, 1e-9),
            peak_per_s,
        ),
        "replicas": replicas,
        **_batch(told, known, sums),
        "idle_frac": _mean([sums[pod] for pod in known], "idle_s"),
    }
    return {**found, "word": _word(found)}


def _pod(frames: Frames, name: str, facts: Mapping[str, Any], one: Mapping[str, float]) -> dict[str, Any]:
    workload = str(facts.get("workload") or "")
    told = mapping(mapping(frames.facts.raw.get("workloads")).get(workload))
    rated_w = frames.facts.rated_w.get(name)
    found: dict[str, Any] = {
        "workload": workload or None,
        "power_mean_frac": one["it_j"] / one["all_s"] / rated_w if rated_w and one["all_s"] > 0 else None,
        "power_peak_frac": one["it_w_peak"] / rated_w if rated_w else None,
    }
    kind = str(told.get("kind") or "idle")
    if kind == "service":
        mean = one["arrived"] / max(one["all_s"], 1e-9)
        found |= _demand(_capacity(told, [name]), mean, one["arrived_peak"])
        found |= {"replicas": mapping(told.get("replicas")).get(name), **_batch(told, [name], {name: one})}
        found["idle_frac"] = _mean([one], "idle_s")
        return {**found, "word": _word(found)}
    if kind == "job":
        found["idle_frac"] = _mean([one], "rest_s")
    return {**found, "word": _power_word(kind, found)}


def _demand(capacity: float | None, mean: float, peak: float) -> dict[str, float | None]:
    return {
        "capacity_tokens_per_s": capacity,
        "demand_mean_tokens_per_s": mean,
        "demand_peak_tokens_per_s": peak,
        "used_frac": mean / capacity if capacity else None,
        "peak_used_frac": peak / capacity if capacity else None,
    }


def _capacity(told: Mapping[str, Any], pods: Iterable[str]) -> float | None:
    known = mapping(told.get("capacity_tokens_per_s"))
    values = [number(known.get(pod)) for pod in pods]
    return None if None in values or not values else sum(value for value in values if value is not None)


def _batch(
    told: Mapping[str, Any], pods: list[str], sums: Mapping[str, Mapping[str, float]]
) -> dict[str, float | None]:
    """Batch per replica: its mean, its largest, and its largest over its limit, of the fullest pod."""
    limits = mapping(told.get("batch_limit"))
    shares = [sums[pod]["batch_peak"] / limit for pod in pods if (limit := number(limits.get(pod)))]
    time_s = sum(sums[pod]["all_s"] for pod in pods)
    return {
        "batch_mean": sum(sums[pod]["batch_s"] for pod in pods) / time_s if time_s > 0 else None,
        "batch_peak": max((sums[pod]["batch_peak"] for pod in pods), default=None),
        "batch_limit": max((number(limits.get(pod)) or 0.0 for pod in pods), default=None),
        "batch_peak_frac": max(shares, default=None),
    }


def _mean(parts: list[Mapping[str, float]], key: str) -> float | None:
    time_s = sum(part["on_s"] for part in parts)
    return sum(part[key] for part in parts) / time_s if time_s > 0 else None


def _word(found: Mapping[str, Any]) -> str:
    """What the figures of a service or of its pod mean, in a sentence."""
    mean, peak, replicas = found["used_frac"], found["peak_used_frac"], found["replicas"] or 0
    if found["capacity_tokens_per_s"] is None:
        return ""
    if mean is None or peak is None:
        return "the service level is not met at any load"
    used = f"{_pct(mean)} used, {_pct(peak)} at the peak"
    if peak > 1.0:
        return f"{used}: {_pct(peak - 1.0)} beyond what the service level allows"
    spare = math.floor(replicas * (1.0 - peak) + 1e-9)
    if peak < _NEAR and spare > 0:
        return f"{used}: {spare:,} of {replicas:,} replicas idle even then"
    return f"{used}: {_pct(1.0 - peak)} headroom before the service level is missed"


def _power_word(kind: str, found: Mapping[str, Any]) -> str:
    drawn = (
        f"{_pct(found['power_mean_frac'])} of its nameplate" if found["power_mean_frac"] is not None else ""
    )
    if kind == "job":
        idle = found["idle_frac"]
        text = "" if idle is None else f"trains {_pct(1.0 - idle)} of the time"
        return ", ".join(part for part in (text, f"draws {drawn}" if drawn else "") if part)
    if kind == "replay":
        return f"replayed, draws {drawn}" if drawn else "replayed"
    return f"idle: no workload, draws {drawn}" if drawn else "idle: no workload"


def _pct(frac: float) -> str:
    value = 100.0 * frac
    return f"{value:.0f} %" if value >= 9.95 or value == 0 else f"{value:.2g} %"


def _by_pod(frames: Frames) -> dict[str, dict[str, float]]:
    """Sums over time and peaks of every pod."""
    dt_s = frames.dt_s
    on_s = dt_s * (1.0 - frames.pod_flow("shed_frac"))
    batch = frames.pod_flow("batch")
    wanted = {
        "pod": pl.col("pod"),
        "all_s": dt_s,
        "on_s": on_s,
        "arrived": frames.pod_flow("tokens_arrived"),
        "arrived_peak": frames.pod_flow("tokens_arrived") / dt_s,
        "it_j": frames.pod_flow("it_w") * dt_s,
        "it_w_peak": frames.pod_flow("it_w"),
        "batch_s": batch * dt_s,
        "batch_peak": batch,
        "idle_s": on_s * (1.0 - pl.min_horizontal(batch, pl.lit(1.0))),
        "rest_s": pl.when(frames.pod_flow("training_tokens") > 0).then(0.0).otherwise(on_s),
    }
    if "pod" not in frames.pods_columns:
        return {}
    found: dict[str, dict[str, float]] = {}
    for part in frames.pods.select(wanted):
        grouped = part.group_by("pod", maintain_order=True).agg(
            *(
                pl.col(name).fill_nan(0.0).max()
                if name.endswith("_peak")
                else pl.col(name).fill_nan(0.0).sum()
                for name in wanted
                if name != "pod"
            )
        )
        for row in grouped.iter_rows(named=True):
            pod = found.setdefault(str(row["pod"]), {})
            for name in wanted:
                if name != "pod":
                    value, had = float(row[name] or 0.0), pod.get(name, 0.0)
                    pod[name] = max(had, value) if name.endswith("_peak") else had + value
    return found


def _peaks(frames: Frames) -> dict[str, float]:
    """The largest demand of each service in any row of the books [tokens/s], over its pods together."""
    service = {pod: load.name for load in frames.facts.of_kind("service") for pod in load.pods}
    if not service or "pod" not in frames.pods_columns:
        return {}
    wanted = {
        "time": pl.col("time"),
        "service": pl.col("pod").replace_strict(service, default=None, return_dtype=pl.String),
        "rate": frames.pod_flow("tokens_arrived") / frames.dt_s,
    }
    found: dict[str, float] = {}
    carried: pl.DataFrame | None = None  # the last step of a slice may go on in the next
    for part in frames.pods.select(wanted):
        rows = part.drop_nulls("service")
        rows = rows if carried is None else pl.concat([carried, rows])
        carried = rows.group_by("time", "service").agg(pl.col("rate").sum())
        for row in carried.group_by("service").agg(pl.col("rate").max()).iter_rows(named=True):
            found[row["service"]] = max(found.get(row["service"], 0.0), float(row["rate"] or 0.0))
        carried = carried.filter(pl.col("time") == pl.col("time").max())
    return found
