"""Quantiles of latency over many rows of the books: a mixture, weighted by requests or tokens.

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

from aidc.measure.rows import Rows

__all__ = ["QUANTILES", "latency_s", "mixture_quantile"]

FloatArray = NDArray[np.float64]
QUANTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99}

_DEPTH = -np.log1p(-np.array(list(QUANTILES.values())))
_FLATTEST = 1e-9  # log seconds per depth; a row of equal quantiles is a step
_LEAST_S = 1e-6
_GRAIN = 0.005  # rows whose quantiles agree to 0.5 % are merged, with their weighted means
_MOST_ROWS = 20_000
_HALVINGS = 40


def latency_s(
    rows: Rows, groups: Mapping[str, Sequence[str]], weights: Mapping[str, str]
) -> dict[str, dict[str, float | None]]:
    """Quantiles of latency over all rows of each group of pods.

    Parameters
    ----------
    rows
        Table with `pod`, `PREFIX_p50_s`, `PREFIX_p90_s`, `PREFIX_p99_s` and the columns of weights.
    groups
        Pods by name of the group.
    weights
        The column that weighs the rows, by prefix: `{"ttft": "requests", "itl": "tokens_output"}`.

    Returns
    -------
    dict
        `PREFIX_p50_s` and so on [s], by group; None where no row has a weight.
    """
    known = {
        prefix: weight
        for prefix, weight in weights.items()
        if rows.columns.issuperset({"pod", weight, *(f"{prefix}_{key}_s" for key in QUANTILES)})
    }
    names = [f"{prefix}_{key}_s" for prefix in weights for key in QUANTILES]
    found: dict[str, dict[str, float | None]] = {group: dict.fromkeys(names) for group in groups}
    for (group, prefix), laws in _merge(rows, groups, known).items():
        logs, weight = laws.select(list(QUANTILES)).to_numpy(), laws["weight"].to_numpy()
        for key, quantile in QUANTILES.items():
            if weight.size:
                found[group][f"{prefix}_{key}_s"] = mixture_quantile(logs, weight, quantile)
    return found


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
        if high - low < 1e-7:
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


def _merge(
    rows: Rows, groups: Mapping[str, Sequence[str]], weights: Mapping[str, str]
) -> dict[tuple[str, str], pl.DataFrame]:
    """Weighted laws by group and prefix, with those merged that say nearly the same; one pass."""
    if not weights or not groups:
        return {}
    names = ["pod", *(f"{prefix}_{key}_s" for prefix in weights for key in QUANTILES), *weights.values()]
    empty = pl.DataFrame(schema=dict.fromkeys([*QUANTILES, "weight"], pl.Float64))
    found = {(group, prefix): [empty] for group in groups for prefix in weights}
    for part in rows.select({name: pl.col(name) for name in names}):
        for group, pods in groups.items():
            mine = part.filter(pl.col("pod").is_in(list(pods)))
            for prefix, weight in weights.items():
                found[group, prefix].append(_grouped(_laws(mine, prefix, weight), _GRAIN))
    return {key: _coarsen(pl.concat(parts)) for key, parts in found.items()}


def _laws(rows: pl.DataFrame, prefix: str, weight: str) -> pl.DataFrame:
    """Logarithms of the quantiles and their weight, of the rows that have both."""
    logs = [pl.col(f"{prefix}_{key}_s").clip(lower_bound=_LEAST_S).log().alias(key) for key in QUANTILES]
    known = (pl.col("weight") > 0) & pl.all_horizontal(pl.col(list(QUANTILES)).is_finite())
    return rows.select(*logs, pl.col(weight).cast(pl.Float64).alias("weight")).filter(known)


def _coarsen(laws: pl.DataFrame) -> pl.DataFrame:
    grain = _GRAIN
    merged = _grouped(laws, grain)
    while merged.height > _MOST_ROWS:
        grain *= 2
        merged = _grouped(merged, grain)
    return merged


def _grouped(laws: pl.DataFrame, grain: float) -> pl.DataFrame:
    """One law for each cell of the grid: the weighted mean of those in it."""
    cells = [(pl.col(key) / grain).round().cast(pl.Int64).alias(f"cell_{key}") for key in QUANTILES]
    means = [
        ((pl.col(key) * pl.col("weight")).sum() / pl.col("weight").sum()).alias(key) for key in QUANTILES
    ]
    grouped = laws.with_columns(cells).group_by([f"cell_{key}" for key in QUANTILES], maintain_order=True)
    return grouped.agg(*means, pl.col("weight").sum()).select(*QUANTILES, "weight")
