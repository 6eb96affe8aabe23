"""The value of a build: what its phases earn, its net present value over the draws, and the price of a week for each task."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aidc.design.construction.earnings import earning_of
from aidc.design.construction.money import (
    Earning,
    Payment,
    Worth,
    cash_by_quarter,
    payments_of,
    tokens_of,
    worth_of,
)
from aidc.design.construction.online import LEVELS, Finishes, Power
from aidc.design.construction.result import BuildResult

__all__ = ["Valuation", "valuation_of"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Valuation:
    """What a plan earns at each power, and what is due when."""

    found: BuildResult
    power: Power
    earnings: Sequence[Earning]
    payments: Sequence[Payment]
    told: tuple[str, ...]

    def worth(self, finish: Finishes, all_finish: NDArray[np.floating[Any]]) -> Worth:
        """The worth of draws."""
        return worth_of(self.found.plan, self.power, finish, all_finish, self.earnings, self.payments)

    def facts(self, finish: Finishes, all_finish: NDArray[np.floating[Any]]) -> dict[str, Any]:
        """Plain figures for JSON: net present value and its parts, cash by quarter, earnings of phases, tokens by week."""
        worth, value = self.worth(finish, all_finish), self.found.plan.file.value
        npv = np.quantile(worth.npv_usd, LEVELS, method="inverted_cdf").tolist()
        horizon = 365.25 * (value.horizon_years if value else 0.0)
        tokens = tokens_of(self.power, finish, self.earnings, horizon)
        names = ("p10", "p50", "p90")
        return {
            "npv_usd": {
                "mean": float(worth.npv_usd.mean()),
                "error": float(worth.npv_usd.std() / math.sqrt(worth.npv_usd.size)),
                **dict(zip(names, npv, strict=True)),
            },
            "net_revenue_usd": float(worth.net_revenue_usd.mean()),
            "capital_usd": float(worth.capital_usd.mean()),
            "penalty_usd": float(worth.penalty_usd.mean()),
            "interest_during_construction_usd": float(worth.interest_usd.mean()),
            "useful_tokens": float(tokens.mean()),
            "terms": {} if value is None else value.model_dump(mode="json"),
            "phases": [{**asdict(one), "date": one.date.isoformat()} for one in self.earnings],
            "cash_by_quarter": cash_by_quarter(
                self.found.plan, self.power, finish, all_finish, self.earnings, self.payments
            ),
        }


def valuation_of(found: BuildResult, power: Power) -> Valuation:
    """What the phases that were run earn, and what is due."""
    plan = found.plan
    earnings, told = [earning_of(plan, one) for one in found.phases], list[str]()
    value = plan.file.value
    if value is not None and not value.racks_usd_million_per_mw:
        told.append("value: racks cost nothing here (racks_usd_million_per_mw)")
    if any(later.useful_tokens_per_day < one.useful_tokens_per_day for one, later in pairwise(earnings)):
        told.append("value: a larger phase delivers fewer useful tokens than a smaller one; see its runs")
    return Valuation(found, power, earnings, payments_of(plan), tuple(told))
