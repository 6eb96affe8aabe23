"""What a plan's milestones let the site import, and the power over time that follows from them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from aidc.design.construction.draws import Draws
from aidc.design.construction.online import Power
from aidc.design.construction.plan import Plan
from aidc.design.construction.steps import online_task

__all__ = ["finishes_of", "grid_told", "limits_of", "power_of"]


def power_of(plan: Plan) -> Power:
    """Power over time of a plan."""
    return Power(plan.site, plan.lots, limits_of(plan))


def limits_of(plan: Plan) -> dict[str, float]:
    """Import limit of each grid milestone [MW], never above what the site's own connection allows."""
    most = plan.site.grid.import_limit_mw
    return {
        name: min(one.import_limit_mw, most)
        for name, one in plan.file.milestones.items()
        if one.import_limit_mw
    }


def grid_told(plan: Plan) -> list[str]:
    """What the milestones leave of the site's connection."""
    most, given = plan.site.grid.import_limit_mw, max(limits_of(plan).values())
    told = [
        f"milestones.{name}: {one.import_limit_mw:g} MW are more than the site's own import limit of {most:g} MW,"
        " which is taken"
        for name, one in plan.file.milestones.items()
        if (one.import_limit_mw or 0.0) > most
    ]
    if given < most:
        told.append(f"grid: the milestones allow {given:g} MW in the end, the site {most:g} MW")
    return told


def finishes_of(plan: Plan, drawn: Draws) -> dict[str, NDArray[np.float32]]:
    """When each lot and each milestone is done, (n_draw,) [days]."""
    place = {task.name: number for number, task in enumerate(plan.tasks)}
    found = {lot.name: drawn.finish[:, place[online_task(lot)]] for lot in plan.lots}
    return found | {name: drawn.finish[:, place[name]] for name in plan.file.milestones}
