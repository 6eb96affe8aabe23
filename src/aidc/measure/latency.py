"""Quantiles of latency over many output steps: a mixture, weighted by requests or tokens.

Each row of the record carries p50, p90 and p99 of its own step. Between and beyond them its logarithm
is taken as linear in −ln(1 − q): a power-law tail, exact for a Pareto law, and close to the log-normal
ones that queues show. The quantile of the window is that of the mixture of all rows, which averaging
the rows' quantiles is not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from aidc.measure.frames import collect

__all__ = ["QUANTILES", "latency_s", "mixture_quantile"]

FloatArray = NDArray[np.float64]
QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99}

_DEPTH = -np.log1p(-np.array(list(QUANTILES.values())))
_FLATTEST = 1e-9  # log seconds per depth; a row of equal quantiles is a step
_LEAST_S = 1e-6
_GRAIN = 0.002  # rows whose quantiles agree to 0.2 % are merged, with their weighted means
_MOST_ROWS = 50_000
_HALVINGS = 40


def latency_s(rows: pl.LazyFrame, prefix: str, weight: str) -> dict[str, float | None]:
    """Quantiles of `PREFIX_p50_s`, `…_p90_s`, `…_p99_s` over all rows, weighted by a column.

    Returns
    -------
    dict
        `PREFIX_p50_s` and so on [s]; None where no row has a weight.
    """
    names = {key: f"{prefix}_{key}_s" for key in QUANTILES}
    present = set(rows.collect_schema().names())
    if not present.issuperset({*names.values(), weight}):
        return dict.fromkeys(names.values())
    merged = _merge(rows, names, weight)
    if merged.is_empty():
        return dict.fromkeys(names.values())
    logs = merged.select(list(names)).to_numpy()
    weights = merged["weight"].to_numpy()
    return {name: mixture_quantile(logs, weights, QUANTILES[key]) for key, name in names.items()}


def mixture_quantile(log_s: FloatArray, weight: FloatArray, quantile: float) -> float:
    """A quantile of a mixture of laws, each known by the logarithms of its p50, p90 and p99.

    Parameters
    ----------
    log_s
        ln of the quantiles in seconds, ascending in each row, shape (n_row, 3).
    weight
        Requests or tokens behind each row, shape (n_row,).
    quantile
        Between 0 and 1.

    Returns
    -------
    float
        Latency [s].
    """
    depth = -np.log1p(-quantile)
    at = np.array([_at_depth(log_s, depth)])
    low, high = float(at.min()), float(at.max())
    wanted = quantile * weight.sum()
    for _ in range(_HALVINGS):
        if high - low < 1e-9:
            break
        middle = 0.5 * (low + high)
        if float(weight @ _below(log_s, middle)) < wanted:
            low = middle
        else:
            high = middle
    return float(np.exp(0.5 * (low + high)))


def _slopes(log_s: FloatArray) -> tuple[FloatArray, FloatArray]:
    near = np.maximum((log_s[:, 1] - log_s[:, 0]) / (_DEPTH[1] - _DEPTH[0]), _FLATTEST)
    far = np.maximum((log_s[:, 2] - log_s[:, 1]) / (_DEPTH[2] - _DEPTH[1]), _FLATTEST)
    return near, far


def _at_depth(log_s: FloatArray, depth: float) -> FloatArray:
    """Logarithm of each row's own quantile at a depth −ln(1 − q)."""
    near, far = _slopes(log_s)
    slope = near if depth < _DEPTH[1] else far
    return log_s[:, 1] + slope * (depth - _DEPTH[1])


def _below(log_s: FloatArray, place: float) -> FloatArray:
    """Probability of each row to stay below exp(place) seconds."""
    near, far = _slopes(log_s)
    past = place - log_s[:, 1]
    depth = _DEPTH[1] + past / np.where(past < 0, near, far)
    return -np.expm1(-np.clip(depth, 0.0, 700.0))


def _merge(rows: pl.LazyFrame, names: Mapping[str, str], weight: str) -> pl.DataFrame:
    """Weighted rows, with those merged that say nearly the same."""
    logs = [pl.col(name).clip(lower_bound=_LEAST_S).log().alias(key) for key, name in names.items()]
    valued = rows.select(*logs, pl.col(weight).alias("weight")).filter(
        (pl.col("weight") > 0) & pl.all_horizontal(pl.col(list(names)).is_finite())
    )
    merged = collect(_grouped(valued, list(names), _GRAIN))
    grain = _GRAIN
    while merged.height > _MOST_ROWS:
        grain *= 2
        merged = collect(_grouped(merged.lazy(), list(names), grain))
    return merged


def _grouped(rows: pl.LazyFrame, keys: Sequence[str], grain: float) -> pl.LazyFrame:
    cells = [(pl.col(key) / grain).round().cast(pl.Int64).alias(f"cell_{key}") for key in keys]
    means = [((pl.col(key) * pl.col("weight")).sum() / pl.col("weight").sum()).alias(key) for key in keys]
    grouped = rows.with_columns(cells).group_by([f"cell_{key}" for key in keys])
    return grouped.agg(*means, pl.col("weight").sum()).select(*keys, "weight")
