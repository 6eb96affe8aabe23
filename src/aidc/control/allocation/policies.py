"""The shipped policies by name: each a function from a menu and a cut to an allocation.

Every one of them uses caps first and whole steps only for what caps cannot find, but for `least-loss` and
`carbon-aware`, which weigh both. What cannot be found is told as `Allocation.short_w`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from aidc.contract import FloatArray
from aidc.control.allocation.least_loss import least_loss, least_loss_by
from aidc.control.allocation.menu import CAPPED, Allocation, Menu, Policy

__all__ = ["POLICIES", "carbon_aware", "priority_order", "proportional", "round_robin"]


def proportional(menu: Menu, asked_w: float) -> Allocation:
    """Every row gives the same share of what a cap can take from it."""
    room = menu.deepest_cap_w
    total = float(room.sum())
    share = min(1.0, max(asked_w, 0.0) / total) if total > 0 else 0.0
    return _with_steps(menu, room * share, asked_w)


def priority_order(menu: Menu, asked_w: float) -> Allocation:
    """The highest priority number gives all that it can before the next gives anything; equals share alike."""
    cut = np.zeros(len(menu.draw_w))
    left = max(asked_w, 0.0)
    for number in np.unique(menu.priority)[::-1]:
        members = menu.priority == number
        room = np.where(members, menu.deepest_cap_w, 0.0)
        total = float(room.sum())
        if total > 0:
            cut += room * min(1.0, left / total)
            left = max(0.0, left - total)
    return _with_steps(menu, cut, asked_w)


def round_robin(menu: Menu, asked_w: float) -> Allocation:
    """Those that have given least so far, for their size, give first: the level of `given_j` over draw is filled up.

    The level is what a row has given in seconds of its full draw, counting this cut as an hour of it.
    """
    draw = np.maximum(menu.draw_w, 1e-9)
    start, room = menu.given_j / draw, menu.deepest_cap_w
    full = start + 3600.0 * room / draw
    asked = max(asked_w, 0.0)
    if asked >= float(room.sum()):
        return _with_steps(menu, room.copy(), asked_w)
    level = _filled(start, full, draw / 3600.0, asked)
    return _with_steps(menu, np.clip((level - start) * draw / 3600.0, 0.0, room), asked_w)


def carbon_aware(menu: Menu, asked_w: float) -> Allocation:
    """The least emissions by making up later for what is not done now: carbon x draw x slowdown summed over rows."""
    return least_loss_by(menu, asked_w, menu.carbon_kg_per_mwh)


POLICIES: Mapping[str, Policy] = {
    "proportional": proportional,
    "priority": priority_order,
    "least-loss": least_loss,
    "round-robin": round_robin,
    "carbon-aware": carbon_aware,
}


def _filled(start: FloatArray, full: FloatArray, per_level_w: FloatArray, asked_w: float) -> float:
    """The level to which rows between `start` and `full` are filled so that they give `asked_w` together."""
    where = np.concatenate([start, full])
    order = np.argsort(where, kind="stable")
    edges = where[order]
    rate = np.cumsum(np.concatenate([per_level_w, -per_level_w])[order])  # from each edge to the next
    given = np.concatenate([[0.0], np.cumsum(rate[:-1] * np.diff(edges))])
    return float(np.interp(asked_w, given, edges))


def _with_steps(menu: Menu, cut_w: FloatArray, asked_w: float) -> Allocation:
    """Caps as given; where they do not suffice, rows go to a whole step, the highest priority number first."""
    rows = len(menu.draw_w)
    cut, step = cut_w.copy(), np.full(rows, CAPPED)
    slow = _along(menu, cut)
    short = asked_w - float(cut.sum())
    if short > 1e-9 * max(asked_w, 1.0) and menu.step_cut_w.shape[1]:
        for row in np.lexsort((np.arange(rows), -menu.priority)):
            if short <= 1e-9 * asked_w:
                break
            better = menu.step_cut_w[row] - cut[row]
            if not np.nanmax(np.nan_to_num(better, nan=0.0), initial=0.0) > 0:
                continue
            chosen = _smallest_that_suffices(better, short)
            short -= better[chosen]
            cut[row], step[row] = menu.step_cut_w[row, chosen], chosen
            slow[row] = menu.step_slow_frac[row, chosen]
    return Allocation(cut, slow, step, max(asked_w, 0.0))


def _smallest_that_suffices(better_w: FloatArray, short_w: float) -> int:
    enough = np.where(better_w >= short_w, better_w, np.inf)
    return int(
        enough.argmin() if np.isfinite(enough).any() else np.nan_to_num(better_w, nan=-np.inf).argmax()
    )


def _along(menu: Menu, cut_w: FloatArray) -> FloatArray:
    """Slowdown of caps, along each row's curve."""
    slow = np.zeros(len(cut_w))
    for corner in range(1, menu.cut_w.shape[1]):
        x0, x1 = menu.cut_w[:, corner - 1], menu.cut_w[:, corner]
        y0, y1 = menu.slow_frac[:, corner - 1], menu.slow_frac[:, corner]
        share = np.divide(cut_w - x0, x1 - x0, out=np.zeros_like(cut_w), where=x1 > x0)
        slow = np.where(cut_w > x0, y0 + np.clip(share, 0.0, 1.0) * (y1 - y0), slow)
    return slow
