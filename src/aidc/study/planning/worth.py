"""What the limits of a plan cost: shadow prices, put together to stretches of steps and told in words."""

from __future__ import annotations

from typing import Any

import numpy as np

from aidc.dispatch.shapes import FloatArray, Plan, Programme
from aidc.study.planning.course import Course

__all__ = ["limits_worth"]

_LEAST_USD = 0.005  # per MW over a stretch: less is rounding
_MOST = 12


def limits_worth(course: Course, programme: Programme, plan: Plan) -> list[dict[str, Any]]:
    """Stretches in which one more MW would lower the cost, the dearest first.

    The figure holds for a little more, not for many MW: it is the slope of the cost at the plan.
    """
    found: list[dict[str, Any]] = []
    for name, value in (
        ("import limit", plan.import_value_usd_per_mwh),
        ("export limit", plan.export_value_usd_per_mwh),
    ):
        found += _stretches(course, name, value * programme.step_h)
    found.sort(key=lambda one: -one["usd_per_mw"])
    return found[:_MOST]


def _stretches(course: Course, name: str, usd_per_mw: FloatArray) -> list[dict[str, Any]]:
    on = np.nan_to_num(usd_per_mw) > _LEAST_USD
    edges = np.flatnonzero(np.diff(np.concatenate([[False], on, [False]]).astype(np.int8))).reshape(-1, 2)
    times, step = course.time, course.dt_s
    return [
        {
            "limit": name,
            "from": times[int(first)].isoformat(),
            "hours": float(step[first:last].sum()) / 3600.0,
            "usd_per_mw": float(usd_per_mw[first:last].sum()),
        }
        for first, last in edges
    ]
