"""What a study of a build gives: tasks, lots, milestones, power over time, and how good the policy is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aidc.design.construction.online import LEVELS, Curve
from aidc.design.construction.plan import Plan

__all__ = ["BuildResult", "Dates", "Gap", "LotRow", "TaskRow", "WeekGain", "dates_of"]

_ROUNDING = 1e-3  # of a day: what of a quantile is rounding


@dataclass(frozen=True, slots=True)
class Dates:
    """Quantiles 0.1, 0.5 and 0.9 of a date: the probability that it is kept."""

    p10: date
    p50: date
    p90: date


def dates_of(start: date, days: NDArray[np.floating[Any]], *, moment: bool = False) -> Dates:
    """Quantiles of dates: the day in which something ends, or for a `moment` the day that begins with it."""
    found = np.quantile(days, LEVELS, method="inverted_cdf").tolist()
    return Dates(*(start + timedelta(days=_day(one, moment=moment)) for one in found))


def _day(days: float, *, moment: bool) -> int:
    if moment:
        return math.floor(days + _ROUNDING)
    return max(math.ceil(days - _ROUNDING) - 1, 0)


@dataclass(frozen=True, slots=True)
class TaskRow:
    """A task: expected working days, dates, and the share of draws in whose critical chain it is."""

    name: str
    calendar: str
    crews: tuple[str, ...]
    mean_days: float
    start: Dates
    finish: Dates
    critical_frac: float


@dataclass(frozen=True, slots=True)
class LotRow:
    """A lot: what it is and carries, and when it is online."""

    name: str
    module: str
    role: str
    units: int
    power_mw: float
    it_mw: float
    cost_usd_million: float
    online: Dates


@dataclass(frozen=True, slots=True)
class WeekGain:
    """What one week less for a task brings, on the same luck: days until all is online, IT power over time, dollars.

    `npv_usd` is the price of the week: the difference of expected net present values, `npv_error_usd` its standard
    error; None where the plan has no `[value]`. What ends in `longer` is for one week more.
    """

    task: str
    days_earlier: float
    online_mw_days: float
    online_mw_days_longer: float
    npv_usd: float | None = None
    npv_error_usd: float | None = None
    npv_longer_usd: float | None = None


@dataclass(frozen=True, slots=True)
class Gap:
    """The policy at expected days against the optimum (`exact`), or against a bound: the same without limits of crews."""

    exact: bool
    policy_days: float
    best_days: float

    @property
    def frac(self) -> float:
        """What the policy takes more, per unit."""
        return self.policy_days / self.best_days - 1.0 if self.best_days > 0 else 0.0


@dataclass(frozen=True, slots=True)
class BuildResult:
    """When what is online. Dates are quantiles over the draws, levels of power too."""

    plan: Plan
    draws: int
    seed: int
    tasks: tuple[TaskRow, ...]
    lots: tuple[LotRow, ...]
    milestones: Mapping[str, Dates]
    all_online: Dates
    final_mw: float
    curve: Curve
    import_per_it: float
    gap: Gap
    promises: tuple[Mapping[str, Any], ...]
    told: tuple[str, ...]
    weeks: tuple[WeekGain, ...] = ()
    value: Mapping[str, Any] | None = None
    progress: Mapping[str, Any] | None = None
    bridges: Mapping[str, Any] | None = None
    against: Mapping[str, Any] | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        start, curve = self.plan.file.start, self.curve
        names = ("p10", "p50", "p90")
        return {
            "schema": 1,
            "name": self.plan.site.site.name,
            "start": start.isoformat(),
            "draws": self.draws,
            "seed": self.seed,
            "policy": self.plan.file.policy,
            "all_online": _plain(self.all_online),
            "final_online_mw": self.final_mw,
            "milestones": {name: _plain(dates) for name, dates in self.milestones.items()},
            "lots": [_row(one) for one in self.lots],
            "tasks": [_row(one) for one in self.tasks],
            "curve": {
                "date": [(start + timedelta(days=day)).isoformat() for day in curve.day.tolist()],
                **{
                    key: {name: getattr(curve, key)[place].tolist() for place, name in enumerate(names)}
                    for key in ("commissioned_mw", "online_mw", "import_mw")
                },
                "mean_online_mw": curve.mean_online_mw.tolist(),
            },
            "import_per_it": self.import_per_it,
            "week_shorter": [asdict(one) for one in self.weeks],
            "policy_gap": {**asdict(self.gap), "gap_frac": self.gap.frac},
            "value": self.value,
            "progress": self.progress,
            "bridges": self.bridges,
            "against": self.against,
            "promises": [dict(one) for one in self.promises],
            "told": list(self.told),
            "assumptions": [
                {"where": one.where, "entry": one.entry, "key": one.key, "confidence": one.confidence, "source": one.source}
                for one in self.plan.assumptions
                if not one.overridden
            ],
        }  # fmt: skip


def _plain(dates: Dates) -> dict[str, str]:
    return {"p10": dates.p10.isoformat(), "p50": dates.p50.isoformat(), "p90": dates.p90.isoformat()}


def _row(one: TaskRow | LotRow) -> dict[str, Any]:
    found = {name: getattr(one, name) for name in one.__slots__}
    return {key: _plain(value) if isinstance(value, Dates) else value for key, value in found.items()}
