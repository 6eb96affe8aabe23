"""How a plan's build time looks beside published ones: plausibility, not validation, and nothing hangs on it.

Reports of build times come from vendors of modules, without what they count as the start, the grid or the end, and they are the kind
of figure that a catalogue of modules is filled with: to agree with them proves nothing.
"""

from __future__ import annotations

from datetime import date
from typing import Any, Final, NamedTuple

from aidc.design.construction.result import BuildResult

__all__ = ["REPORTS", "Report", "plausibility_of"]

_MONTH_D: Final = 365.25 / 12.0
_NOTE: Final = "Plausibility, not validation: vendors' reports without a checked source, which gate nothing."


class Report(NamedTuple):
    """What was built of modules in how many months (least, most), and in how many at least on site."""

    amount: float
    unit: str
    months: tuple[float, float]
    on_site_months: float


REPORTS: Final = (
    Report(60.0, "MW", (11.0, 11.0), 24.0),
    Report(1000.0, "racks", (6.0, 9.0), 18.0),
)


def plausibility_of(found: BuildResult) -> dict[str, Any]:
    """Months of a plan, what it builds a month and its time over that of the plan beside it, next to reports.

    Months run from the start of the project, and from the first work at the site, to the median day on which all is online
    that the grid will carry. The share of time is that of this plan over the one beside it, both from the start; None without one.
    """
    start, end = found.plan.file.start, found.all_online.p50
    ground = _first_work(found)
    months = _months(start, end)
    racks = sum(pod.racks for pod in found.plan.site.pods.values())
    built = {"MW": found.final_mw, "racks": float(racks)}
    share = None
    if found.against is not None:
        other = found.against
        theirs = _months(date.fromisoformat(other["start"]), date.fromisoformat(other["all_online"]["p50"]))
        share = months / theirs
    return {
        "note": _NOTE,
        "months": months,
        "months_at_site": None if ground is None else _months(ground, end),
        "time_over_other": share,
        "rows": [
            {
                "report": f"{one.amount:,g} {one.unit} in {_span(one.months)} months against {one.on_site_months:g} and more built on site",
                "unit": one.unit,
                "built": built[one.unit],
                "per_month": built[one.unit] / months,
                "reported_per_month": [one.amount / each for each in reversed(one.months)],
                "reported_time_over_other": [each / one.on_site_months for each in one.months],
            }
            for one in REPORTS
        ],
    }


def _first_work(found: BuildResult) -> date | None:
    """The median day on which the first task at the site begins: own tasks and steps of modules that stand there."""
    steps = {f"{lot.name}.{name}": step for lot in found.plan.lots for name, step in lot.module.steps.items()}
    at_site = [
        row.start.p50
        for row in found.tasks
        if row.mean_days > 0
        and (
            ((name := row.name) in found.plan.file.tasks and found.plan.file.tasks[name].calendar == "site")
            or (name in steps and steps[name].place == "site")
        )
    ]
    return min(at_site, default=None)


def _months(first: date, last: date) -> float:
    return max((last - first).days + 1, 1) / _MONTH_D


def _span(months: tuple[float, float]) -> str:
    low, high = months
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"
