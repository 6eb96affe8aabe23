"""What a study of a build gives: tasks, lots, milestones, power over time, and how good the policy is."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from aidc.design.construction.online import LEVELS, Curve
from aidc.design.construction.plan import Plan

__all__ = ["BuildResult", "Dates", "Gap", "LotRow", "PhaseRun", "TaskRow", "WeekGain", "dates_of", "line_of"]

FloatArray = NDArray[np.float64]
_ROUNDING = 1e-3  # of a day: what of a quantile is rounding


class _OfPower(Protocol):
    """A phase of some kind."""

    @property
    def online_mw(self) -> float: ...


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
class PhaseRun:
    """A phase by the energy model.

    IT power at nameplate and import [MW], tokens and energy cost a day, the TokEnergy Index at the site [kWh per million useful
    tokens], PUE, share of the energy supplied, minutes in which a cooling plant did not hold its set point, the share of
    the scenario's demand that each service takes and the share of its tokens within service level. What cannot be stated is None.
    """

    date: date
    commissioned_mw: float
    online_mw: float
    import_limit_mw: float
    peak_import_mw: float
    useful_tokens_per_day: float
    trained_tokens_per_day: float
    tokens_per_day: Mapping[str, float]
    tokenergy_kwh_per_mtok: float | None
    pue: float | None
    availability_frac: float
    cooling_not_held_min: float
    energy_usd_per_day: float | None
    demand_frac: Mapping[str, float]
    slo_attainment: Mapping[str, float | None]
    off: tuple[str, ...]
    told: tuple[str, ...]


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
    phases: tuple[PhaseRun, ...] = ()
    value: Mapping[str, Any] | None = None
    progress: Mapping[str, Any] | None = None
    bridges: Mapping[str, Any] | None = None
    against: Mapping[str, Any] | None = None
    plausibility: Mapping[str, Any] | None = None

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
            "phases": [{**asdict(one), "date": one.date.isoformat()} for one in self.phases] or None,
            "useful_tokens_per_day": self._tokens_per_day(),
            "value": self.value,
            "progress": self.progress,
            "bridges": self.bridges,
            "against": self.against,
            "plausibility": self.plausibility,
            "promises": [dict(one) for one in self.promises],
            "told": list(self.told),
            "assumptions": [
                {"where": one.where, "entry": one.entry, "key": one.key, "confidence": one.confidence, "source": one.source}
                for one in self.plan.assumptions
                if not one.overridden
            ],
        }  # fmt: skip

    def _tokens_per_day(self) -> dict[str, list[float]] | None:
        """Useful tokens a day over time, in straight lines of the IT power online between the phases that were run."""
        if not self.phases:
            return None
        mw, tokens = line_of(self.phases, [one.useful_tokens_per_day for one in self.phases])
        levels = zip(("p10", "p50", "p90"), self.curve.online_mw, strict=True)
        return {name: np.interp(level, mw, tokens).tolist() for name, level in levels}


def line_of(phases: Sequence[_OfPower], values: Sequence[float]) -> tuple[FloatArray, FloatArray]:
    """IT power of phases [MW] and a figure of each, from nothing at no power: corners to interpolate between.

    Of phases with the same power the last one counts.
    """
    points = {0.0: 0.0} | {round(one.online_mw, 9): value for one, value in zip(phases, values, strict=True)}
    return np.array(sorted(points)), np.array([points[mw] for mw in sorted(points)])


def _plain(dates: Dates) -> dict[str, str]:
    return {"p10": dates.p10.isoformat(), "p50": dates.p50.isoformat(), "p90": dates.p90.isoformat()}


def _row(one: TaskRow | LotRow) -> dict[str, Any]:
    found = {name: getattr(one, name) for name in one.__slots__}
    return {key: _plain(value) if isinstance(value, Dates) else value for key, value in found.items()}
