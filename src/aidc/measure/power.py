"""Peaks, load factor and ramps of the exchange with the grid."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from aidc.measure.cost import Bill
from aidc.measure.frames import Frames

__all__ = ["RAMP_WINDOWS_S", "peaks", "ramps_mw"]

RAMP_WINDOWS_S = {"1min": 60.0, "5min": 300.0, "15min": 900.0, "1h": 3600.0}
_COLUMNS = ["grid_import_w", "grid_export_w"]


def peaks(frames: Frames, bill: Bill) -> dict[str, float | None]:
    """Highest import at three resolutions, highest export, and the load factor.

    `peak_import_mw` is the highest import of a simulated step (1 s by default), `peak_import_step_mw`
    of an output step, `peak_import_interval_mw` of a billing interval. `load_factor` is mean import
    over `peak_import_mw`.
    """
    frame = frames.columns([*_COLUMNS, "grid_import_max_w", "grid_import_min_w"])
    imported, exported = (frame[name].to_numpy() for name in _COLUMNS)
    highest = max(_highest(imported), _highest(frame["grid_import_max_w"].to_numpy()))
    most_out = max(_highest(exported), _highest(-frame["grid_import_min_w"].to_numpy()))
    dt_s = frame["dt_s"].to_numpy()
    mean = float((imported * dt_s).sum() / dt_s.sum()) if dt_s.size else 0.0
    return {
        "peak_import_mw": highest / 1e6,
        "peak_import_step_mw": _highest(imported) / 1e6,
        "peak_import_interval_mw": max((month.peak_mw for month in bill.months), default=0.0),
        "peak_export_mw": most_out / 1e6,
        "mean_import_mw": mean / 1e6,
        "load_factor": mean / highest if highest > 0 else None,
    }


def ramps_mw(frames: Frames) -> dict[str, Any]:
    """Greatest rise and fall of the net import over several spans [MW].

    Differences between means of output steps that begin one span apart, so the shortest is the output
    step itself; what happens inside it is `within_step`, its highest less its lowest second.
    """
    frame = frames.columns([*_COLUMNS, "grid_import_max_w", "grid_import_min_w"])
    net = frame["grid_import_w"].to_numpy() - frame["grid_export_w"].to_numpy()
    step_s = frames.facts.output_step_s
    spans = {"output_step": step_s, **{k: s for k, s in RAMP_WINDOWS_S.items() if s >= step_s}}
    found: dict[str, Any] = {name: _ramp(net, round(span_s / step_s)) for name, span_s in spans.items()}
    if frames.series_columns.issuperset(("grid_import_max_w", "grid_import_min_w")):
        width = frame["grid_import_max_w"].to_numpy() - frame["grid_import_min_w"].to_numpy()
        found["within_step"] = float(width.max(initial=0.0)) / 1e6
    return found


def _highest(power_w: NDArray[np.float64]) -> float:
    return float(power_w.max(initial=0.0))


def _ramp(net_w: NDArray[np.float64], lag: int) -> dict[str, float | None]:
    if lag < 1 or net_w.size <= lag:
        return {"up": None, "down": None}
    change = net_w[lag:] - net_w[:-lag]
    return {"up": max(float(change.max()), 0.0) / 1e6, "down": max(-float(change.min()), 0.0) / 1e6}
