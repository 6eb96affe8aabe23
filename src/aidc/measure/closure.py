"""Whether the books balance, recomputed from the record: it shares nothing with the engine but its columns.

Energy: what came in, less what was used, less the change of the charge that the storages report as
their state. Heat: what was used, less what was rejected, reused or lost outdoors, less the change of
the heat stored. Tokens: arrived = delivered + dropped + queued. Each residual can fail: the stored
states come from the state itself, not from the flows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from aidc.measure.boundaries import heat_mwh, site_energy_j, storage_columns, stored_j
from aidc.measure.frames import Frames
from aidc.units import J_PER_MWH

__all__ = ["closure", "energy_residual_mwh", "heat_residual_mwh", "token_residual"]

_USES = (
    "it_w",
    "conversion_loss_w",
    "cooling_w",
    "auxiliary_w",
    "storage_loss_w",
    "load_bank_w",
)
_SOURCES = ("grid_import_w", "pv_w", "wind_w", "genset_w")
_LEAST_FLOW = 1e-2


def _flow_j(frames: Frames) -> float:
    """Sum of the absolute flows [J]: the denominator of the energy residual."""
    moved = [*_USES, *_SOURCES, "grid_export_w"]
    moved += storage_columns(frames, "charge_w") + storage_columns(frames, "discharge_w")
    return sum(abs(frames.amount(name)) for name in moved)


def energy_residual_mwh(frames: Frames) -> tuple[float, float]:
    """Energy that the books cannot explain over the window [MWh], and its share of the flows.

    The stored energy is that of the first and the last state (`stored_first_j`, `stored_last_j`);
    without them the flows through the storages stand in, and their part of the balance is not tested.
    """
    facts = frames.facts
    first, last = facts.number("stored_first_j"), facts.number("stored_last_j")
    through_j = stored_j(frames)
    stored = last - first if first is not None and last is not None else through_j
    supplied_j = site_energy_j(frames) + through_j - stored
    residual_j = supplied_j - sum(frames.amount(name) for name in _USES)
    flow_j = _flow_j(frames)
    return residual_j / J_PER_MWH, abs(residual_j) / flow_j if flow_j > 0 else 0.0


def heat_residual_mwh(frames: Frames) -> tuple[float, float]:
    """Heat that the books cannot explain over the window [MWh], and its share of the flows."""
    heat = heat_mwh(frames)
    away = heat["rejected"] + heat["reused"] + heat["ambient"]
    residual = heat["generated"] - away - heat["stored"]
    flows = heat["generated"] + away + abs(heat["stored"])
    return residual, abs(residual) / flows if flows > 0 else 0.0


def token_residual(frames: Frames) -> dict[str, float]:
    """Arrived, delivered, dropped and queued tokens, and what does not add up (as a share of arrived)."""
    found = {key: frames.pod_amounts[key] for key in ("arrived", "output", "dropped", "queued")}
    first = frames.facts.number("queue_first_tokens") or 0.0
    residual = found["arrived"] + first - found["output"] - found["dropped"] - found["queued"]
    flows = found["arrived"] + first
    return {**found, "residual": residual, "residual_frac": abs(residual) / flows if flows > 0 else 0.0}


def closure(frames: Frames) -> dict[str, Any]:
    """Every balance as a share of its flows: over the window, and in the worst row of the books."""
    _, energy = energy_residual_mwh(frames)
    _, heat = heat_residual_mwh(frames)
    return {
        "energy_frac": energy,
        "heat_frac": heat,
        "token_frac": token_residual(frames)["residual_frac"],
        "worst_step_energy_frac": _worst_energy_step(frames),
        "worst_step_heat_frac": _worst_heat_step(frames),
        "recorded_worst_energy_frac": _recorded(frames, "energy"),
        "recorded_worst_heat_frac": _recorded(frames, "heat"),
        "pods_it_frac": _pods_against_series(frames),
        "cooling_components_frac": _components(frames),
    }


def _worst_energy_step(frames: Frames) -> float | None:
    """The largest residual of a row of the books over its flows, with the charge taken from the state."""
    stores = {store.name: store.capacity_j for store in frames.facts.storage}
    columns = frames.between("storage.", ".soc_frac")
    first_j = frames.facts.number("stored_first_j")
    if set(columns) - set(stores) or (columns and first_j is None):
        return None  # a storage without a known capacity or first state
    charge_j = {"charge_j": sum((pl.col(at) * stores[name] for name, at in columns.items()), pl.lit(0.0))}
    worst, before_j = 0.0, first_j or 0.0
    for part in _totals(frames, {"came": _SOURCES, "used": _USES, "left": ("grid_export_w",)}, charge_j):
        came, used, left, held_j, dt_s = (
            part[name].to_numpy() for name in ("came", "used", "left", "charge_j", "dt_s")
        )
        if not held_j.size:
            continue
        change_w = np.diff(held_j, prepend=before_j) / dt_s
        before_j = float(held_j[-1])
        worst = max(
            worst, _worst(frames, came - left - used - change_w, came + left + used + np.abs(change_w))
        )
    return worst


def _worst_heat_step(frames: Frames) -> float | None:
    if "heat_stored_w" not in frames.series_columns:
        return None
    away = ("heat_rejected_w", "heat_reused_w", "heat_ambient_w")
    worst = 0.0
    for part in _totals(frames, {"made": _USES, "gone": away, "stored": ("heat_stored_w",)}):
        made, gone, stored = (part[name].to_numpy() for name in ("made", "gone", "stored"))
        worst = max(worst, _worst(frames, made - gone - stored, made + gone + np.abs(stored)))
    return worst


def _totals(
    frames: Frames, totals: Mapping[str, Sequence[str]], others: Mapping[str, pl.Expr] | None = None
) -> Iterator[pl.DataFrame]:
    """Sums over columns in each row of the books, in time order and slice by slice."""
    added = {
        name: sum((frames.flow(column).cast(pl.Float64) for column in columns), pl.lit(0.0))
        for name, columns in totals.items()
    }
    wanted = {"time": pl.col("time"), "dt_s": frames.dt_s, **added, **(others or {})}
    yield from frames.in_time(wanted)


def _recorded(frames: Frames, what: str) -> float | None:
    """The largest residual that the record itself notes, over the flows that it notes."""
    names = [f"residual_{what}_w", f"flow_{what}_w"]
    if not frames.series_columns.issuperset(names):
        return None
    wanted = {name: frames.flow(name).cast(pl.Float64) for name in names}
    parts = frames.in_time(wanted)
    return max(
        (_worst(frames, part[names[0]].to_numpy(), part[names[1]].to_numpy()) for part in parts), default=0.0
    )


def _worst(frames: Frames, residual: Any, flow: Any) -> float:
    """The largest share; where next to nothing flows (a dark site), of a hundredth of the window's mean flow."""
    floor_w = _LEAST_FLOW * _flow_j(frames) / max(frames.facts.duration_s, 1e-9)
    held_against = np.maximum(flow, floor_w)
    share = np.divide(np.abs(residual), held_against, out=np.zeros(len(flow)), where=held_against > 0)
    return float(share.max(initial=0.0))


def _pods_against_series(frames: Frames) -> float | None:
    if not {"it_w", "time"} <= frames.pods_columns:
        return None
    pods_j = frames.pod_amounts["it_j"]
    series_j = frames.amount("it_w")
    return abs(pods_j - series_j) / series_j if series_j > 0 else abs(pods_j)


def _components(frames: Frames) -> float | None:
    names = [
        column
        for component in ("pump_facility", "pump_cdu", "fan", "chiller", "crah")
        for column in frames.between("cooling.", f".{component}_w").values()
    ]
    total_j = frames.amount("cooling_w")
    if not names or total_j <= 0:
        return None
    return abs(sum(frames.amount(name) for name in names) - total_j) / total_j
