"""The programme as one sparse matrix, put together with numpy alone.

Columns, each a block of n: import g, export x, renewable v, then charge c, discharge d and energy e of each storage;
behind them the peaks k of the demand charges. Rows:

    g - x + v + Σ(d - c) = load                          balance at the site bus
    e[t] - e[t-1] - η_c Δt c[t] + Δt d[t]/η_d = 0        cells; e[-1] is the initial energy, or e[n-1]
    mean of g over a metering interval - k ≤ 0           for each demand charge and interval that it counts
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aidc.dispatch.shapes import FloatArray, Programme, StorageUnit

__all__ = ["Matrix", "matrix_of"]

IntArray = NDArray[np.int32]
INFINITE = np.inf


@dataclass(frozen=True, slots=True)
class Matrix:
    """min cost·x subject to low ≤ A x ≤ high and lower ≤ x ≤ upper; A by rows (start, index, value)."""

    cost: FloatArray
    lower: FloatArray
    upper: FloatArray
    low: FloatArray
    high: FloatArray
    start: IntArray
    index: IntArray
    value: FloatArray

    @property
    def columns(self) -> int:
        return int(self.cost.size)


def matrix_of(p: Programme) -> Matrix:
    """Assemble a programme; export is closed where selling costs money and load takes all that storage can give.

    That rule is exact: with the sale at a loss, curtailing renewables or holding the storage is never dearer, so some
    optimum does without. It takes away the columns through which a programme would buy and sell at once.
    """
    n, charges = p.steps, p.demand_charges
    size = 3 + 3 * len(p.storages)
    zero, step_h = np.zeros(n), p.step_h
    costs = [step_h * p.buy_usd_per_mwh, -step_h * p.sell_usd_per_mwh, zero]
    given = sum(one.discharge_mw for one in p.storages)
    closed = (p.sell_usd_per_mwh < 0.0) & (p.load_mw >= given)
    lower = [zero, zero, zero]
    upper = [p.import_limit_mw, np.where(closed, 0.0, p.export_limit_mw), np.maximum(p.renewable_mw, 0.0)]
    for one in p.storages:
        costs += [zero, np.full(n, step_h * one.wear_usd_per_mwh), zero]
        lower += [zero, zero, _floor(one, n)]
        upper += [np.full(n, one.charge_mw), np.full(n, one.discharge_mw), np.full(n, one.most_mwh)]
    costs.append(np.array([one.usd_per_mw for one in charges]))
    lower.append(np.array([one.carried_mw for one in charges]))
    upper.append(np.full(len(charges), INFINITE))
    rows = _Rows()
    _balance(rows, p)
    for number, one in enumerate(p.storages):
        _cells(rows, one, 3 + 3 * number, n, step_h)
    _peaks(rows, p, size * n)
    start, index, value, low, high = rows.joined()
    cost, least, most = (np.concatenate(one) for one in (costs, lower, upper))
    return Matrix(cost, least, most, low, high, start, index, value)


def _floor(one: StorageUnit, n: int) -> FloatArray:
    """Least energy at the end of each step: at the end at least what it is to end with [MWh]."""
    floor = np.full(n, one.least_mwh)
    final = one.initial_mwh if one.final_mwh is None else one.final_mwh
    if final is not None:
        floor[-1] = max(final, one.least_mwh)
    return floor


class _Rows:
    """Blocks of rows, each row with the same number of entries."""

    def __init__(self) -> None:
        self._counts: list[IntArray] = []
        self._index: list[IntArray] = []
        self._value: list[FloatArray] = []
        self._low: list[FloatArray] = []
        self._high: list[FloatArray] = []

    def add(
        self, index: list[NDArray[np.intp]], value: list[FloatArray], low: FloatArray, high: FloatArray
    ) -> None:
        """Rows of a block: `index` and `value` hold the columns and coefficients of each entry, row by row."""
        counts = np.full(low.size, len(index))
        self.add_ragged(counts, np.stack(index, axis=1).ravel(), np.stack(value, axis=1).ravel(), low, high)

    def add_ragged(
        self,
        counts: NDArray[np.intp],
        index: NDArray[np.intp],
        value: FloatArray,
        low: FloatArray,
        high: FloatArray,
    ) -> None:
        """Rows of a block, `counts` entries each, one after the other."""
        self._counts.append(counts.astype(np.int32))
        self._index.append(index.astype(np.int32))
        self._value.append(value)
        self._low.append(low)
        self._high.append(high)

    def joined(self) -> tuple[IntArray, IntArray, FloatArray, FloatArray, FloatArray]:
        counts = np.concatenate(self._counts)
        start = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
        parts = (np.concatenate(one) for one in (self._index, self._value, self._low, self._high))
        index, value, low, high = parts
        return start, index, value, low, high  # type: ignore[return-value]


def _balance(rows: _Rows, p: Programme) -> None:
    n = p.steps
    here, one = np.arange(n), np.ones(n)
    index, value = [here, n + here, 2 * n + here], [one, -one, one]
    for number in range(len(p.storages)):
        place = (3 + 3 * number) * n + here
        index += [place, place + n]
        value += [-one, one]
    rows.add(index, value, p.load_mw, p.load_mw)


def _cells(rows: _Rows, one: StorageUnit, block: int, n: int, step_h: float) -> None:
    """Energy of the cells; the first step begins from the initial energy or, where that is free, from the last."""
    here, ones = np.arange(n), np.ones(n)
    charge, discharge, energy = block * n + here, (block + 1) * n + here, (block + 2) * n + here
    taken, given = -one.charge_efficiency_frac * step_h * ones, step_h / one.discharge_efficiency_frac * ones
    before = np.roll(energy, 1)
    known = np.zeros(n)
    back = -ones
    if one.initial_mwh is not None:
        known[0], back = one.initial_mwh, back.copy()
        back[0] = 0.0
        before[0] = energy[0] if n == 1 else energy[1]
    rows.add([charge, discharge, energy, before], [taken, given, ones, back], known, known)


def _peaks(rows: _Rows, p: Programme, first: int) -> None:
    """A row for each metering interval that a demand charge counts: its mean import is no more than the peak."""
    interval = np.arange(p.steps) if p.interval is None else p.interval
    for number, charge in enumerate(p.demand_charges):
        steps = np.flatnonzero(charge.at)
        if not steps.size:
            continue
        _, sizes = np.unique(interval[steps], return_counts=True)
        ends = np.cumsum(sizes)
        index = np.insert(steps, ends, first + number)
        value = np.insert(np.repeat(1.0 / sizes, sizes), ends, -1.0)
        rows.add_ragged(sizes + 1, index, value, np.full(sizes.size, -INFINITE), np.zeros(sizes.size))
