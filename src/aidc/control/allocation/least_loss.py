"""The least weighted loss: what is asked at the lowest price of work not done."""

from __future__ import annotations

import numpy as np

from aidc.contract import FloatArray
from aidc.control.allocation.menu import CAPPED, Allocation, Menu, priced

__all__ = ["least_loss", "least_loss_by"]

_MOST_NODES = 20_000
_MOST_WORK = 3_000_000  # edges times nodes: some ten milliseconds


def least_loss(menu: Menu, asked_w: float, *, gap_frac: float = 0.0) -> Allocation:
    """Cuts that add up to `asked_w` at the least price, price x draw x slowdown summed over rows.

    Exact up to some tens of rows; beyond, it stops at the share `gap_frac` of the bound that it tells, or after a
    number of nodes. Where `asked_w` [W] cannot be found, every row gives its most.
    """
    return least_loss_by(menu, asked_w, menu.price_usd_per_mwh, gap_frac)


def least_loss_by(
    menu: Menu, asked_w: float, weight_per_mwh: FloatArray, gap_frac: float = 0.0
) -> Allocation:
    """As `least_loss`, with a weight for each row in place of its price.

    `asked_w` is the cut that is asked for [W], `weight_per_mwh` a weight of each row's loss, and `gap_frac` the
    distance to the optimum at which the search may stop.
    """
    rows = len(menu.draw_w)
    nothing = np.zeros(rows), np.zeros(rows), np.full(rows, CAPPED)
    if not asked_w > 0 or not rows:
        return Allocation(*nothing, max(asked_w, 0.0), 0.0)
    if asked_w >= float(menu.deepest_w.sum()):
        return _everything(menu, asked_w)
    return _searched(menu, asked_w, weight_per_mwh, gap_frac)


def _searched(menu: Menu, asked_w: float, weight_per_mwh: FloatArray, gap_frac: float) -> Allocation:
    from aidc.control.allocation.hull import Choices, Hulls, hulls  # compiled code is wanted here alone
    from aidc.control.allocation.search import Best, search, work_for

    rows, points = len(menu.draw_w), menu.cut_w.shape[1] + menu.step_cut_w.shape[1]
    choices = Choices(
        np.ascontiguousarray(menu.cut_w),
        priced(menu, weight_per_mwh, menu.slow_frac),
        np.ascontiguousarray(menu.step_cut_w),
        priced(menu, weight_per_mwh, menu.step_slow_frac),
    )
    shape = (rows, points)
    flat = rows * points
    none = np.zeros(0, np.int64)
    made = Hulls(
        np.zeros(shape), np.zeros(shape), np.zeros(shape, np.int64),
        np.zeros(flat), np.zeros(flat, np.int64), np.zeros(flat, np.int64), none,
    )  # fmt: skip
    edges = hulls(choices, made)
    made = made._replace(order=np.argsort(made.slope[:edges], kind="stable"))
    best = Best(np.zeros(2), np.zeros(rows), np.zeros(rows), np.full(rows, CAPPED))
    nodes = max(64, min(_MOST_NODES, _MOST_WORK // (edges + rows)))
    search(choices, made, work_for(rows, points), best, asked_w, gap_frac, nodes)
    weight = weight_per_mwh * menu.draw_w / 1e6
    slow = np.divide(best.loss, weight, out=np.zeros(rows), where=weight > 0)
    free = (weight <= 0) & (best.cut > 0)
    if free.any():  # of work without a price, the slowdown is not told by its loss
        slow[free] = _slowed(menu, best.cut, best.step)[free]
    return Allocation(best.cut, slow, best.step, asked_w, float(best.told[1]))


def _everything(menu: Menu, asked_w: float) -> Allocation:
    """Every row's deepest cut."""
    deepest_step = np.nan_to_num(menu.step_cut_w, nan=-1.0)
    step = np.full(len(menu.draw_w), CAPPED)
    if deepest_step.shape[1]:
        deeper = deepest_step.max(axis=1) > menu.deepest_cap_w
        step = np.where(deeper, deepest_step.argmax(axis=1), CAPPED)
    cut = menu.deepest_w
    return Allocation(cut, _slowed(menu, cut, step), step, asked_w)


def _slowed(menu: Menu, cut_w: FloatArray, step: np.ndarray) -> FloatArray:
    """Slowdown of each row at what it gives."""
    return np.array(
        [
            np.interp(cut, menu.cut_w[row], menu.slow_frac[row])
            if step[row] == CAPPED
            else menu.step_slow_frac[row, step[row]]
            for row, cut in enumerate(cut_w)
        ]
    )
