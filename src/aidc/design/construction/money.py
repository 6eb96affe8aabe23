"""What a schedule is worth: revenue by the power that is online, payments for modules, penalties, discounted.

Net revenue per day is a function of the IT power online, from the energy model of some phases, in straight lines between
them and nothing at no power. It runs from the first power to the horizon. Discounting is continuous at the rate that a year's is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from aidc.design.construction.online import Finishes, Power
from aidc.design.construction.plan import Plan
from aidc.design.construction.result import line_of
from aidc.design.construction.steps import online_task

__all__ = ["Earning", "Payment", "Worth", "cash_by_quarter", "payments_of", "tokens_of", "worth_of"]

FloatArray = NDArray[np.float64]
_YEAR_D: Final = 365.25
_QUARTERS: Final = 91.3125


@dataclass(frozen=True, slots=True)
class Earning:
    """A phase by the energy model: IT power online; useful tokens, trained tokens, revenue and energy cost a day."""

    date: date
    online_mw: float
    useful_tokens_per_day: float
    trained_tokens_per_day: float
    revenue_usd_per_day: float
    energy_usd_per_day: float
    tokenergy_kwh_per_mtok: float | None
    pue: float | None
    peak_import_mw: float
    import_limit_mw: float

    @property
    def net_usd_per_day(self) -> float:
        return self.revenue_usd_per_day - self.energy_usd_per_day


@dataclass(frozen=True, slots=True)
class Payment:
    """Dollars that are due when a task is done; `lot` is online some time later, and interest runs until then."""

    task: int
    usd: float
    lot: str


@dataclass(frozen=True, slots=True)
class Worth:
    """Per draw: net present value and its parts, discounted [USD], and interest during construction [USD]."""

    npv_usd: FloatArray
    net_revenue_usd: FloatArray
    capital_usd: FloatArray
    penalty_usd: FloatArray
    interest_usd: FloatArray


def payments_of(plan: Plan) -> list[Payment]:
    """Payments for all lots: shares of their cost at steps, and the racks when a hall is online."""
    value = plan.file.value
    if value is None:
        return []
    place = {task.name: number for number, task in enumerate(plan.tasks)}
    found: list[Payment] = []
    for lot in plan.lots:
        cost_usd = 1e6 * lot.use.units * lot.module.cost_usd_million
        shares = {step: share for step, share in value.payments.items() if f"{lot.name}.{step}" in place}
        for step, share in shares.items():
            found.append(Payment(place[f"{lot.name}.{step}"], cost_usd * share, lot.name))
        rest = 1.0 - sum(shares.values())
        found.append(Payment(place[online_task(lot)], cost_usd * rest, lot.name))
    return found


def worth_of(
    plan: Plan,
    power: Power,
    finish: Finishes,
    all_finish: NDArray[np.floating[Any]],
    earnings: Sequence[Earning],
    payments: Sequence[Payment],
) -> Worth:
    """The worth of each draw.

    Parameters
    ----------
    finish : name to (n_draw,)
        When each lot and each milestone is done [days].
    all_finish : (n_draw, n_task)
        When each task is done [days].
    """
    value = plan.file.value
    if value is None:
        message = "the plan has no [value]"
        raise ValueError(message)
    rate = math.log1p(value.discount_frac_per_year) / _YEAR_D
    horizon = value.horizon_years * _YEAR_D
    revenue = _discounted_revenue(power, finish, earnings, rate, horizon)
    capital = np.zeros(revenue.size)
    interest = np.zeros(revenue.size)
    for one in payments:
        due = all_finish[:, one.task].astype(np.float64)
        capital += one.usd * np.exp(-rate * due)
        growth = (1.0 + value.interest_frac_per_year) ** ((finish[one.lot] - due) / _YEAR_D)
        interest += one.usd * (growth - 1.0)
    for lot, usd in _rack_costs(power, value.racks_usd_million_per_mw).items():
        capital += usd * np.exp(-rate * finish[lot].astype(np.float64))
    penalty = _penalties(plan, power, finish, rate, horizon)
    return Worth(revenue - capital - penalty, revenue, capital, penalty, interest)


def _rack_costs(power: Power, usd_million_per_mw: float) -> Mapping[str, float]:
    """What the racks of each hall lot cost, due when it is online [USD]."""
    return (
        {lot: 1e6 * usd_million_per_mw * mw for lot, mw in power.it_mw.items()} if usd_million_per_mw else {}
    )


def _discounted_revenue(
    power: Power, finish: Finishes, earnings: Sequence[Earning], rate: float, horizon: float
) -> FloatArray:
    """Net revenue of each draw up to the horizon, discounted."""
    line = line_of(earnings, [one.net_usd_per_day for one in earnings])
    return _accrued(power, finish, line, rate, horizon)


def tokens_of(power: Power, finish: Finishes, earnings: Sequence[Earning], horizon: float) -> FloatArray:
    """Useful tokens of each draw from the start up to a day.

    `finish` has when lots are done in each draw [days], `horizon` is that day.
    """
    line = line_of(earnings, [one.useful_tokens_per_day for one in earnings])
    return _accrued(power, finish, line, 0.0, horizon)


def _accrued(
    power: Power, finish: Finishes, line: tuple[FloatArray, FloatArray], rate: float, horizon: float
) -> FloatArray:
    """What a daily figure of the IT power online adds up to: exact between the times at which power rises."""
    times, levels = power.steps(finish)
    worth = np.zeros(times.shape[0])
    for place in range(times.shape[1]):
        begin = np.minimum(times[:, place], horizon)
        end = (
            np.minimum(times[:, place + 1], horizon)
            if place + 1 < times.shape[1]
            else np.full(begin.shape, horizon)
        )
        worth += np.interp(levels[:, place], *line) * _discounted_days(begin, end, rate)
    return worth


def _discounted_days(begin: FloatArray, end: FloatArray, rate: float) -> FloatArray:
    """The integral of exp(-rate t) over [begin, end] [days]."""
    if rate <= 0.0:
        return end - begin
    return (np.exp(-rate * begin) - np.exp(-rate * end)) / rate


def _penalties(plan: Plan, power: Power, finish: Finishes, rate: float, horizon: float) -> FloatArray:
    """What promises that are not kept cost, up to the horizon, discounted."""
    total = np.zeros(next(iter(finish.values())).size)
    for promise in plan.file.promises:
        due = float((promise.date - plan.file.start).days + 1)
        late = np.minimum(np.maximum(power.reached(finish, promise.online_mw), due), max(horizon, due))
        total += promise.usd_per_day * _discounted_days(np.full(late.shape, due), late, rate)
    return total


def cash_by_quarter(
    plan: Plan,
    power: Power,
    finish: Finishes,
    all_finish: NDArray[np.floating[Any]],
    earnings: Sequence[Earning],
    payments: Sequence[Payment],
) -> list[dict[str, Any]]:
    """Expected cash of each quarter of a year from the start, not discounted [USD].

    `finish` has when lots are done in each draw, `all_finish` when all are [days].
    """
    value = plan.file.value
    if value is None:
        return []
    edges = np.arange(0.0, value.horizon_years * _YEAR_D + 0.5 * _QUARTERS, _QUARTERS)
    dues = [(all_finish[:, one.task].astype(np.float64), one.usd) for one in payments]
    dues += [
        (finish[lot].astype(np.float64), usd)
        for lot, usd in _rack_costs(power, value.racks_usd_million_per_mw).items()
    ]
    until = [float(_discounted_revenue(power, finish, earnings, 0.0, edge).mean()) for edge in edges.tolist()]
    fined = [float(_penalties(plan, power, finish, 0.0, edge).mean()) for edge in edges.tolist()]
    rows: list[dict[str, Any]] = []
    for place in range(edges.size - 1):
        low, high = edges[place], edges[place + 1]
        capital = sum(usd * float(np.mean((due >= low) & (due < high))) for due, usd in dues)
        net, penalty = until[place + 1] - until[place], fined[place + 1] - fined[place]
        rows.append(
            {"quarter": place + 1, "net_revenue_usd": net, "capital_usd": capital, "penalty_usd": penalty}
        )
    return rows
