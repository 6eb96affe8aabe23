"""Rows of a study of a build: tasks, lots, promises, and how far the policy is from the shortest schedule."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aidc.design.construction.draws import Draws, Prepared, draw, without_luck
from aidc.design.construction.exact import MOST_TASKS, shortest_days
from aidc.design.construction.online import Finishes, Power
from aidc.design.construction.plan import Plan
from aidc.design.construction.result import Gap, LotRow, TaskRow, dates_of

__all__ = ["days_of", "gap_of", "lot_rows", "promises_of", "task_rows"]


def days_of(finish: Finishes) -> NDArray[np.int64]:
    """Every week from the start until nearly every draw is through."""
    last = max(float(np.quantile(one, 0.99)) for one in finish.values())
    return np.arange(0, math.ceil(last / 7.0) * 7 + 8, 7, dtype=np.int64)


def task_rows(plan: Plan, drawn: Draws) -> tuple[TaskRow, ...]:
    start = plan.file.start
    return tuple(
        TaskRow(
            task.name,
            task.calendar,
            task.work.crews,
            task.mean_days,
            dates_of(start, drawn.start[:, place], moment=True),
            dates_of(start, drawn.finish[:, place], moment=task.name in plan.file.milestones),
            float(drawn.critical_frac[place]),
        )
        for place, task in enumerate(plan.tasks)
    )


def lot_rows(plan: Plan, power: Power, finish: Finishes) -> tuple[LotRow, ...]:
    return tuple(
        LotRow(
            lot.name,
            lot.use.use,
            lot.module.role,
            lot.use.units,
            lot.power_mw,
            power.it_mw.get(lot.name, 0.0),
            lot.use.units * lot.module.cost_usd_million,
            dates_of(plan.file.start, finish[lot.name]),
        )
        for lot in plan.lots
    )


def promises_of(plan: Plan, power: Power, finish: Finishes) -> tuple[dict[str, Any], ...]:
    """How likely each promise is kept, and the expected delay; None where it is above all that will ever be online."""
    found: list[dict[str, Any]] = []
    for promise in plan.file.promises:
        due = float((promise.date - plan.file.start).days + 1)  # by the end of the day
        late = np.maximum(power.reached(finish, promise.online_mw) - due, 0.0)
        certain = bool(np.all(np.isfinite(late)))
        found.append(
            {
                "online_mw": promise.online_mw,
                "date": promise.date.isoformat(),
                "kept_frac": float(np.mean(late <= 0)),
                "mean_days_late": float(late.mean()) if certain else None,
                "mean_penalty_usd": float(late.mean() * promise.usd_per_day) if certain else None,
            }
        )
    return tuple(found)


def gap_of(plan: Plan, ready: Prepared) -> Gap:
    """The policy at expected days, against the optimum where the network is small, else against no limits of crews."""
    days = np.array([task.mean_days for task in plan.tasks])
    calm = without_luck(ready, days)
    policy = float(draw(calm, 1, 0).finish.max())
    if len(plan.tasks) <= MOST_TASKS and not plan.under_way:
        return Gap(exact=True, policy_days=policy, best_days=shortest_days(calm.net, days))
    free = calm.net._replace(has_crew=np.zeros_like(calm.net.has_crew))
    best = float(draw(Prepared(free, calm.normals, calm.variants), 1, 0).finish.max())
    return Gap(exact=False, policy_days=policy, best_days=best)
