"""What a follower reads of an observation, once: values that are too old count as missing."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from aidc.contract import FloatArray, Observation, Point

__all__ = ["STALE_S", "Seen", "fresh", "seen_of"]

STALE_S = 180.0  # of a measurement: what is older is no ground for a decision


class Seen(NamedTuple):
    """Site-wide measurements; NaN where they are missing or stale. Storage counts 0 then."""

    import_w: float
    stored_w: float  # charging positive
    renewable_w: float
    dry_bulb_k: float
    soc_frac: FloatArray


def seen_of(observation: Observation) -> Seen:
    """Read an observation."""
    stored = fresh(observation, Point.STORAGE_W)
    return Seen(
        _one(observation, Point.GRID_IMPORT_W),
        float(np.nansum(stored)) if len(stored) else 0.0,
        _one(observation, Point.PV_W) + _one(observation, Point.WIND_W),
        _one(observation, Point.DRY_BULB_K),
        observation.value[Point.STORAGE_SOC_FRAC],
    )


def fresh(observation: Observation, point: Point) -> FloatArray:
    """Values of a point, NaN where they are stale."""
    value, age = observation.value[point], observation.age_s[point]
    return np.where(age > STALE_S, np.nan, value) if len(age) and age.max() > STALE_S else value


def _one(observation: Observation, point: Point) -> float:
    value = float(observation.value[point][0])
    return value if float(observation.age_s[point][0]) <= STALE_S else math.nan
