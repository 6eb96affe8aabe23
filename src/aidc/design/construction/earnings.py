"""What phases earn: their tokens by the energy model at the prices of the plan, less the energy bill."""

from __future__ import annotations

from aidc.design.construction.follow import PhaseRun
from aidc.design.construction.money import Earning
from aidc.design.construction.plan import Plan
from aidc.errors import InputError, Problem

__all__ = ["earning_of", "refuse_unpriced"]


def refuse_unpriced(plan: Plan) -> None:
    """Refuse what a value cannot be worked out from: workloads without a price, a site without one for energy.

    Raises
    ------
    InputError
    """
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


def earning_of(plan: Plan, run: PhaseRun) -> Earning:
    """What a phase earns."""
    prices = plan.file.value.usd_per_million_tokens if plan.file.value else {}
    return Earning(
        date=run.date,
        online_mw=run.online_mw,
        useful_tokens_per_day=run.useful_tokens_per_day,
        trained_tokens_per_day=run.trained_tokens_per_day,
        revenue_usd_per_day=sum(prices[name] * tokens / 1e6 for name, tokens in run.tokens_per_day.items()),
        energy_usd_per_day=run.energy_usd_per_day or 0.0,
        tokenergy_kwh_per_mtok=run.tokenergy_kwh_per_mtok,
        pue=run.pue,
        peak_import_mw=run.peak_import_mw,
        import_limit_mw=run.import_limit_mw,
    )
