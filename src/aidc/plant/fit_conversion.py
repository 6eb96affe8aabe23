"""From efficiency points of a data sheet to the loss curve of `conversion`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.optimize import nnls

from aidc.errors import InputError, Problem

__all__ = ["LossFit", "fit_loss_curve"]


class LossFit(NamedTuple):
    """Coefficients of `a + b·x + c·x²` and the worst deviation from the points in efficiency points."""

    a: float
    b: float
    c: float
    worst_points: float


def fit_loss_curve(points: Sequence[tuple[float, float]]) -> LossFit:
    """Fit a non-negative loss curve to (load, efficiency) points.

    Each point says that `x·(1/η - 1) = a + b·x + c·x²`. The least squares are weighted by η²/x, so
    that the error in efficiency is what is minimised. Non-negative coefficients keep the curve
    physical between and beyond the points.

    Parameters
    ----------
    points
        Load per unit of rating (above 0) and efficiency (above 0, at most 1); two or more.
    """
    table = np.asarray(points, dtype=np.float64)
    good = table.ndim == 2 and table.shape[0] >= 2 and table.shape[1] == 2 and bool(np.isfinite(table).all())
    if not good or (table <= 0).any() or (table[:, 1] > 1).any():
        raise InputError(
            Problem(
                "not a list of efficiency points",
                "Give two or more pairs of load (above 0) and efficiency (above 0, at most 1).",
                value=points,
            )
        )
    load, eff = table[:, 0], table[:, 1]
    weight = eff**2 / load
    basis = np.column_stack([np.ones_like(load), load, load**2])
    coefficients, _ = nnls(basis * weight[:, None], load * (1 / eff - 1) * weight)
    fitted = load / (load + basis @ coefficients)
    a, b, c = (float(value) for value in coefficients)
    return LossFit(a, b, c, float(100 * np.abs(fitted - eff).max()))
