"""What can be curtailed, and what was: the two sides of every allocation policy.

A row is a job, or a pod. By a cap it gives any cut up to its deepest one, slowing down along a convex curve; by a
whole step (a smaller width, a pause) it gives one cut at one slowdown, or nothing. What its tier does not
tolerate is not on the menu.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from aidc.contract import FloatArray
from aidc.errors import InputError, Problem
from aidc.units import MEGA

__all__ = ["CAPPED", "Allocation", "IntArray", "Menu", "Policy", "checked", "menu_of", "priced"]

IntArray = NDArray[np.int64]
CAPPED = -1
_TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True)
class Menu:
    """What each of n rows can give; build it with `menu_of`, which keeps to the tiers.

    Parameters
    ----------
    draw_w : (n,)
        What each row would draw [W].
    cut_w, slow_frac : (n, k)
        Corners of the cap's curve: cut [W], rising from 0, and slowdown, convex from 0. Corners may repeat.
    step_cut_w, step_slow_frac : (n, m)
        Whole steps: cut [W] and slowdown; NaN where a row has fewer.
    price_usd_per_mwh : (n,)
        Price of work not done, per MWh that it would have drawn.
    priority : (n,)
        The highest number gives first.
    carbon_kg_per_mwh : (n,)
        Emissions of the energy with which lost work is made up later.
    given_j : (n,)
        What each row has given in earlier calls [J], for policies that take turns.
    """

    draw_w: FloatArray
    cut_w: FloatArray
    slow_frac: FloatArray
    step_cut_w: FloatArray
    step_slow_frac: FloatArray
    price_usd_per_mwh: FloatArray
    priority: IntArray
    carbon_kg_per_mwh: FloatArray
    given_j: FloatArray

    @property
    def deepest_cap_w(self) -> FloatArray:
        """The largest cut of each row by a cap alone [W]."""
        return self.cut_w[:, -1]

    @property
    def deepest_w(self) -> FloatArray:
        """The largest cut of each row by any means [W]."""
        return np.maximum(self.deepest_cap_w, _largest(self.step_cut_w))


@dataclass(frozen=True, slots=True)
class Allocation:
    """What each of n rows gives.

    `cut_w` and `slow_frac` are (n,); `step` is `CAPPED` for a cap (a cut of 0 is none) or the number of the whole
    step. `asked_w` less what is given is `short_w`, 0 where all was found. `bound_usd_per_h`, where a policy knows
    one, is a loss below which no allocation can be.
    """

    cut_w: FloatArray
    slow_frac: FloatArray
    step: IntArray
    asked_w: float
    bound_usd_per_h: float = field(default=float("nan"))

    @property
    def short_w(self) -> float:
        """What was asked and could not be found [W]."""
        short = self.asked_w - float(self.cut_w.sum())
        return short if short > _TOLERANCE * max(self.asked_w, 1.0) else 0.0


Policy = Callable[[Menu, float], Allocation]


def menu_of(
    draw_w: FloatArray,
    tolerated: FloatArray,
    *,
    cut_w: FloatArray,
    slow_frac: FloatArray,
    step_cut_w: FloatArray | None = None,
    step_slow_frac: FloatArray | None = None,
    price_usd_per_mwh: FloatArray | None = None,
    priority: Sequence[int] | IntArray | None = None,
    carbon_kg_per_mwh: FloatArray | None = None,
    given_j: FloatArray | None = None,
) -> Menu:
    """The menu of rows with what their tiers do not tolerate taken off.

    Parameters are those of `Menu`; `tolerated` (n,) is the slowdown that each row may have now. A cap's curve ends
    where it reaches that. Where a curve is not convex, its later part is taken as steeper than it is: loss is never
    told too low.
    """
    rows = len(draw_w)
    steps = np.full((rows, 0), np.nan) if step_cut_w is None else step_cut_w
    slows = np.full((rows, 0), np.nan) if step_slow_frac is None else step_slow_frac
    width = np.diff(cut_w, axis=1)
    slope = np.divide(np.diff(slow_frac, axis=1), width, out=np.zeros_like(width), where=width > 0)
    convex = np.zeros_like(slow_frac)
    np.cumsum(np.maximum.accumulate(slope, axis=1) * width, axis=1, out=convex[:, 1:])
    kept_w, kept_slow = _ended(cut_w, convex, tolerated)
    allowed = (slows <= tolerated[:, None] + _TOLERANCE) & (steps > 0)
    return Menu(
        draw_w=np.asarray(draw_w, float),
        cut_w=kept_w,
        slow_frac=kept_slow,
        step_cut_w=np.where(allowed, steps, np.nan),
        step_slow_frac=np.where(allowed, slows, np.nan),
        price_usd_per_mwh=np.ones(rows) if price_usd_per_mwh is None else price_usd_per_mwh,
        priority=np.zeros(rows, np.int64) if priority is None else np.asarray(priority, np.int64),
        carbon_kg_per_mwh=np.ones(rows) if carbon_kg_per_mwh is None else carbon_kg_per_mwh,
        given_j=np.zeros(rows) if given_j is None else given_j,
    )


def priced(menu: Menu, price_per_mwh: FloatArray, slow_frac: FloatArray) -> FloatArray:
    """Loss of each row an hour at a slowdown: price x draw x slowdown; `slow_frac` is (n,) or (n, k)."""
    weight = price_per_mwh * menu.draw_w / MEGA
    return weight * slow_frac if slow_frac.ndim == 1 else weight[:, None] * slow_frac


def checked(menu: Menu, found: Allocation) -> Allocation:
    """The allocation, if it is on the menu.

    Raises
    ------
    InputError
        A row gives what it cannot: no number, less than nothing, beyond its curve, or a step that it does not have.
    """
    capped = found.step == CAPPED
    slack = _TOLERANCE * np.maximum(menu.draw_w, 1.0)
    wrong = ~np.isfinite(found.cut_w) | (found.cut_w < -slack)
    wrong |= capped & ~(found.cut_w <= menu.deepest_cap_w + slack)
    for row in np.flatnonzero(~capped):
        step = int(found.step[row])
        known = 0 <= step < menu.step_cut_w.shape[1]
        wrong[row] |= not known or not abs(menu.step_cut_w[row, step] - found.cut_w[row]) <= slack[row]
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        what = f"gives row {row} a cut of {found.cut_w[row]:.6g} W by {_way(int(found.step[row]))}, which is not on its menu"
        raise InputError(Problem(what, "Choose a cut along its cap, or one of its steps.", key="allocation"))
    return found


def _way(step: int) -> str:
    return "a cap" if step == CAPPED else f"step {step}"


def _largest(values: FloatArray) -> FloatArray:
    return np.nan_to_num(values, nan=0.0).max(axis=1, initial=0.0)


def _ended(cut_w: FloatArray, slow: FloatArray, tolerated: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The curves up to the slowdown that is tolerated; corners beyond repeat the last."""
    kept_w, kept_slow = cut_w.astype(float).copy(), slow.copy()
    most = np.maximum(tolerated, 0.0)
    for corner in range(1, cut_w.shape[1]):
        before_w, before = kept_w[:, corner - 1], kept_slow[:, corner - 1]
        rise = slow[:, corner] - before
        share = np.clip(np.divide(most - before, rise, out=np.ones_like(rise), where=rise > 0), 0.0, 1.0)
        over = slow[:, corner] > most
        kept_w[:, corner] = np.where(over, before_w + share * (cut_w[:, corner] - before_w), cut_w[:, corner])
        kept_slow[:, corner] = np.where(over, before + share * rise, slow[:, corner])
        ended = before >= most
        kept_w[:, corner] = np.where(ended & over, before_w, kept_w[:, corner])
        kept_slow[:, corner] = np.where(ended & over, before, kept_slow[:, corner])
    return kept_w, kept_slow
