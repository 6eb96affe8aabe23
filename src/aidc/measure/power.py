"""Peaks, load factor and ramps of the exchange with the grid."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from aidc.measure.cost import Bill
from aidc.measure.frames import Frames
from aidc.units import MINUTE_S

__all__ = ["RAMP_WINDOWS_S", "peaks", "ramps_mw"]

RAMP_WINDOWS_S = {"1min": 60.0, "5min": 300.0, "15min": 900.0, "1h": 3600.0}
_COLUMNS = ["grid_import_w", "grid_export_w"]
_EXTREMES = ["grid_import_max_w", "grid_import_min_w"]


def peaks(frames: Frames, bill: Bill) -> dict[str, float | None]:
    """Highest import at three resolutions, highest export, and the load factor.

    `peak_import_mw` is the highest import of a simulated step (1 s by default), `peak_import_step_mw`
    of an output step, `peak_import_interval_mw` of a billing interval. `load_factor` is mean import
    over `peak_import_mw`.
    """
    frame = frames.columns([*_COLUMNS, *_EXTREMES])
    imported, exported, highest_w, lowest_w = (frame[name].to_numpy() for name in (*_COLUMNS, *_EXTREMES))
    highest = max(_highest(imported), _highest(highest_w))
    most_out = max(_highest(exported), _highest(-lowest_w))
    dt_s = frame["dt_s"].to_numpy()
    mean = float((imported * dt_s).sum() / dt_s.sum()) if dt_s.size else 0.0
    return {
        "peak_import_mw": highest / 1e6,
        "peak_import_step_mw": _highest(frames.written(_COLUMNS)["grid_import_w"].to_numpy()) / 1e6,
        "peak_import_interval_mw": max((month.peak_mw for month in bill.months), default=0.0),
        "peak_export_mw": most_out / 1e6,
        "mean_import_mw": mean / 1e6,
        "load_factor": mean / highest if highest > 0 else None,
    }


def ramps_mw(frames: Frames) -> dict[str, Any]:
    """Greatest rise and fall of the net import over several spans [MW].

    Differences between means of one minute that begin one span apart, or of rows of the books where these are
    longer or do not fill a minute. `output_step` is the same between output steps, and `within_step` the highest
    less the lowest second of one.
    """
    frame = frames.columns(_COLUMNS)
    net, step_s = _minutes(
        frame["grid_import_w"].to_numpy() - frame["grid_export_w"].to_numpy(), frames.row_s
    )
    written = frames.written([*_COLUMNS, *_EXTREMES])
    rows = written["grid_import_w"].to_numpy() - written["grid_export_w"].to_numpy()
    found: dict[str, Any] = {"output_step": _ramp(rows, 1)}
    found |= {
        name: _ramp(net, round(span_s / step_s))
        for name, span_s in RAMP_WINDOWS_S.items()
        if span_s >= step_s
    }
    if frames.series_columns.issuperset(_EXTREMES):
        highest, lowest = (written[name].to_numpy() for name in _EXTREMES)
        found["within_step"] = float((highest - lowest).max(initial=0.0)) / 1e6
    return found


def _minutes(power_w: NDArray[np.float64], row_s: float) -> tuple[NDArray[np.float64], float]:
    """Means of whole minutes where rows fill them, and how long they are [s]."""
    many = round(MINUTE_S / row_s)
    if many <= 1 or many * row_s != MINUTE_S:
        return power_w, row_s
    return power_w[: power_w.size // many * many].reshape(-1, many).mean(axis=1), MINUTE_S


def _highest(power_w: NDArray[np.float64]) -> float:
    return float(power_w.max(initial=0.0))


def _ramp(net_w: NDArray[np.float64], lag: int) -> dict[str, float | None]:
    if lag < 1 or net_w.size <= lag:
        return {"up": None, "down": None}
    change = net_w[lag:] - net_w[:-lag]
    return {"up": max(float(change.max()), 0.0) / 1e6, "down": max(-float(change.min()), 0.0) / 1e6}
