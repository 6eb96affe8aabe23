"""What phases earn: each is run through the site's scenario by the energy model, with the demand that it can serve."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from aidc.design.construction.admission import admitted
from aidc.design.construction.money import Earning
from aidc.design.construction.phases import Phase, phase_dates, phase_of
from aidc.design.construction.result import BuildResult
from aidc.errors import InputError, Problem
from aidc.study.site_run.run import run

__all__ = ["MOST_PHASES", "earnings_of", "refuse_unpriced"]

MOST_PHASES: Final = 8


def refuse_unpriced(found: BuildResult) -> None:
    """Refuse what a value cannot be worked out from: workloads without a price, a site without one for energy.

    Raises
    ------
    InputError
    """
    plan = found.plan
    prices = plan.file.value.usd_per_million_tokens if plan.file.value else {}
    loads = [*plan.site.services, *plan.site.jobs]
    problems = [
        Problem(
            "has no price for its tokens",
            "Add it, 0 if it earns nothing.",
            plan.path,
            f"value.usd_per_million_tokens.{name}",
        )
        for name in loads
        if name not in prices
    ]
    problems += [
        Problem(
            "is no service or job of the site",
            f"The site has: {', '.join(loads) or 'none'}.",
            plan.path,
            "value.usd_per_million_tokens",
            name,
        )
        for name in prices
        if name not in loads
    ]
    scenario = plan.site.scenario
    if scenario.tariff is None and scenario.prices is None:
        what = "has no price of energy, which the value of a build rests on"
        problems.append(Problem(what, "Give it a tariff or prices.", plan.site.file, "scenario.tariff"))
    if problems:
        raise InputError(problems)


def earnings_of(
    found: BuildResult, progress: Callable[[int, int], None] | None = None
) -> tuple[list[Earning], list[str]]:
    """What phases of a build earn, up to 8 of them spread over the power online, and what is told of them.

    Raises
    ------
    InputError, SimulationError
    """
    phases = _chosen([phase_of(found, day) for day in phase_dates(found)])
    earnings: list[Earning] = []
    told: list[str] = []
    for number, phase in enumerate(phases):
        if progress is not None:
            progress(number, len(phases))
        site, _, lines = admitted(phase.site)
        told += [f"{phase.date}: {line}" for line in lines]
        with tempfile.TemporaryDirectory(prefix="aidc-build-") as folder:
            summary = run(site, out=Path(folder) / "run").summary
        earnings.append(_earning(found, phase, summary))
    return earnings, told


def _chosen(phases: list[Phase]) -> list[Phase]:
    """Of phases with the same power the last; of too many, those nearest to equal steps of power, ends included."""
    by_power = {round(one.online_mw, 9): one for one in phases}
    left = [by_power[key] for key in sorted(by_power)]
    if len(left) <= MOST_PHASES:
        return left
    first, last = left[0].online_mw, left[-1].online_mw
    wanted = [first + (last - first) * k / (MOST_PHASES - 1) for k in range(MOST_PHASES)]
    picked = {min(range(len(left)), key=lambda k: abs(left[k].online_mw - mw)) for mw in wanted}
    return [left[k] for k in sorted(picked)]


def _earning(found: BuildResult, phase: Phase, summary: Mapping[str, Any]) -> Earning:
    value = found.plan.file.value
    prices = value.usd_per_million_tokens if value else {}
    days = phase.site.scenario.days
    useful = {name: float(one["tokens_useful"]) for name, one in summary["services"].items()}
    trained = {name: float(one["tokens"]) for name, one in summary["jobs"].items()}
    revenue = sum(prices[name] * tokens / 1e6 for name, tokens in {**useful, **trained}.items())
    return Earning(
        date=phase.date,
        online_mw=phase.online_mw,
        useful_tokens_per_day=sum(useful.values()) / days,
        trained_tokens_per_day=sum(trained.values()) / days,
        revenue_usd_per_day=revenue / days,
        energy_usd_per_day=float(summary["cost_usd"]["prorated"]) / days,
        tokenergy_kwh_per_mtok=(summary["tokenergy_kwh_per_mtok"] or {}).get("site"),
        pue=summary["pue"],
        peak_import_mw=float(summary["peak_import_mw"]),
        import_limit_mw=phase.import_limit_mw,
    )
