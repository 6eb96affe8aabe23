"""Fewer points for the same picture: the extremes of each bucket of samples, in their order.

A chart a thousand pixels wide cannot show the 525,600 minutes of a year, but it must show each peak.
Each bucket of consecutive samples keeps its lowest and its highest one where they stood in time, which is
what a line through all of them would have painted (U. Jugel et al., "M4: a visualization-oriented time
series data aggregation", VLDB 2014, doi:10.14778/2732951.2732953, without its first and last per bucket).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["extremes", "shared_extremes"]


def extremes(values: NDArray[np.float64], points: int) -> NDArray[np.int64]:
    """Positions of about `points` samples that keep every bucket's extremes.

    Parameters
    ----------
    values
        Samples in order, shape (n,). NaN and infinities are gaps.
    points
        How many samples the chart can show, at least 4.

    Returns
    -------
    NDArray[np.int64]
        Increasing positions into `values`: all of them if there are no more than `points`, otherwise at
        most `points` of them, with the first and the last. A bucket of gaps keeps one gap.
    """
    return shared_extremes((values,), points)


def shared_extremes(columns: Sequence[NDArray[np.float64]], points: int) -> NDArray[np.int64]:
    """Positions that keep every bucket's extremes of several columns on one time axis.

    Stacked areas need the same instants in every layer. The budget is shared: twice as many columns make
    buckets twice as long.
    """
    n = columns[0].size
    if n <= points:
        return np.arange(n, dtype=np.int64)
    buckets = max(1, (points - 2) // (2 * len(columns)))
    ends = np.array([0, n - 1], dtype=np.int64)
    kept = [ends, *(_bucket_extremes(column, buckets) for column in columns)]
    return np.unique(np.concatenate(kept))


def _bucket_extremes(values: NDArray[np.float64], buckets: int) -> NDArray[np.int64]:
    """Positions of the minimum and maximum of each bucket of equal length (the last may be shorter)."""
    size = -(-values.size // buckets)
    count = -(-values.size // size)
    padded = np.full(count * size, np.nan)
    padded[: values.size] = values
    finite = np.isfinite(padded)
    starts = np.arange(count, dtype=np.int64) * size
    low = np.where(finite, padded, np.inf).reshape(count, size).argmin(axis=1)
    high = np.where(finite, padded, -np.inf).reshape(count, size).argmax(axis=1)
    return np.concatenate([starts + low, starts + high])
