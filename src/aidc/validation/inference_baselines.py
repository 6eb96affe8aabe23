"""What a user without a model would do: look up the nearest model, or regress on the columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from aidc.calibrate.inference import usable
from aidc.calibrate.inference_rows import BenchRow
from aidc.schema.llm import BYTES_PER_PARAMETER
from aidc.validation.inference_left_out import Guess

__all__ = ["log_linear", "nearest"]

FEWEST: Final = 12  # rows that a regression needs
Array = NDArray[np.float64]


def _features(row: BenchRow) -> list[float]:
    size = row.bare
    total, active = (size.parameters_b, size.activated_b) if size else (1.0, 1.0)
    logs = (total, active, row.batch, row.count, row.output_tokens, BYTES_PER_PARAMETER[row.precision])
    return [float(np.log(value)) for value in logs]


def _ready(rows: Sequence[BenchRow]) -> tuple[Array, Array]:
    """Features of all rows, logarithm of J/token (NaN where it cannot be known)."""
    joules = [
        np.log((row.power_w or 1.0) / (row.throughput_tok_s or 1.0)) if usable(row) else np.nan
        for row in rows
    ]
    return np.array([_features(row) for row in rows]), np.array(joules)


def _others(rows: Sequence[BenchRow], row: BenchRow, target: Array) -> NDArray[np.intp]:
    same = [
        i
        for i, other in enumerate(rows)
        if other.accelerator == row.accelerator and other.group != row.group and np.isfinite(target[i])
    ]
    return np.array(same, np.intp)


def _solve(design: Array, target: Array) -> Array:
    return np.asarray(np.linalg.lstsq(design, target)[0], np.float64)


def nearest(rows: Sequence[BenchRow]) -> list[Guess]:
    """The nearest configuration of another model on the same accelerator."""
    features, target = _ready(rows)
    found: list[Guess] = []
    for i, row in enumerate(rows):
        others = _others(rows, row, target)
        if row.reason or not others.size:
            found.append(Guess(reason=row.reason or "no other model on this accelerator"))
            continue
        distance = np.abs(features[others] - features[i]).sum(axis=1)
        joule = float(np.exp(target[others[int(np.argmin(distance))]]))
        found.append(Guess(joule=joule, left_out=row.group, origin="lookup"))
    return found


def log_linear(rows: Sequence[BenchRow]) -> list[Guess]:
    """Least squares of log J/token on the logarithms of the columns, by accelerator."""
    features, target = _ready(rows)
    design = np.hstack([np.ones((len(rows), 1)), features])
    fitted: dict[tuple[str | None, str], Array | None] = {}
    found: list[Guess] = []
    for i, row in enumerate(rows):
        key = (row.accelerator, row.group)
        if key not in fitted:
            others = _others(rows, row, target)
            enough = others.size >= FEWEST
            fitted[key] = _solve(design[others], target[others]) if enough else None
        weights = fitted[key]
        if row.reason or weights is None:
            found.append(Guess(reason=row.reason or "too few rows of other models to regress on"))
            continue
        found.append(Guess(joule=float(np.exp(design[i] @ weights)), left_out=row.group, origin="regression"))
    return found
