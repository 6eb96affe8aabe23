"""What has changed since the plan: dates of lots and milestones, promises, and tasks that took another time than expected."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from aidc.design.construction.result import BuildResult, Dates, TaskRow
from aidc.schema.construction import ProgressFile

__all__ = ["beside", "with_progress"]

_SLIPS = 0.05  # of probability: what is worth a word


def with_progress(now: BuildResult, before: BuildResult, file: ProgressFile) -> BuildResult:
    """The forecast with actual dates in its rows, and what differs from the plan as it was."""
    rows = tuple(_actual(row, file) for row in now.tasks)
    planned = {row.name: row for row in before.tasks}
    then = {lot.name: lot.online for lot in before.lots} | dict(before.milestones)
    new = {lot.name: lot.online for lot in now.lots} | dict(now.milestones)
    silent = [
        row.name for row in before.tasks if row.finish.p50 <= file.status and row.name not in file.tasks
    ]
    told: list[str] = []
    if silent:
        named = ", ".join(silent[:8]) + (" …" if len(silent) > 8 else "")
        what = f"{len(silent)} tasks should be done by {file.status} and are not in the file"
        told.append(f"progress: {what}, so they are taken not to have begun: {named}")
    facts: dict[str, Any] = {
        "status": file.status.isoformat(),
        "done": [
            _done(name, one.finished, planned[name]) for name, one in file.tasks.items() if one.finished
        ],
        "under_way": [name for name, one in file.tasks.items() if one.finished is None],
        "moved": [
            {
                "name": name,
                "planned_p50": then[name].p50.isoformat(),
                "forecast_p50": dates.p50.isoformat(),
                "days_later": (dates.p50 - then[name].p50).days,
            }
            for name, dates in new.items()
        ],
        "not_reported": silent,
        "all_online_days_later": (now.all_online.p50 - before.all_online.p50).days,
        "promises": [
            {
                "online_mw": one["online_mw"],
                "date": one["date"],
                "planned_kept_frac": was["kept_frac"],
                "kept_frac": one["kept_frac"],
                "slips": one["kept_frac"] < was["kept_frac"] - _SLIPS,
            }
            for one, was in zip(now.promises, before.promises, strict=True)
        ],
    }
    return replace(now, tasks=rows, progress=facts, told=(*told, *now.told))


def _actual(row: TaskRow, file: ProgressFile) -> TaskRow:
    """A row with the dates that have happened."""
    one = file.tasks.get(row.name)
    if one is None:
        return row
    start = one.started or one.finished
    found = row if start is None else replace(row, start=Dates(start, start, start))
    return found if one.finished is None else replace(found, finish=Dates(*(one.finished,) * 3))


def _done(name: str, finished: date | None, planned: TaskRow) -> dict[str, Any]:
    """A task that is done, against the median of the plan."""
    late = timedelta(0) if finished is None else finished - planned.finish.p50
    return {
        "name": name,
        "finished": None if finished is None else finished.isoformat(),
        "planned_p50": planned.finish.p50.isoformat(),
        "days_late": late.days,
    }


def beside(found: BuildResult, other: BuildResult, name: str) -> BuildResult:
    """A build with another one of the same site beside it, on the same luck where their tasks are the same."""
    curve, start = other.curve, other.plan.file.start
    facts: dict[str, Any] = {
        "name": name,
        "all_online": {key: getattr(other.all_online, key).isoformat() for key in ("p10", "p50", "p90")},
        "days_later": (other.all_online.p50 - found.all_online.p50).days,
        "cost_usd_million": sum(lot.cost_usd_million for lot in other.lots),
        "own_cost_usd_million": sum(lot.cost_usd_million for lot in found.lots),
        "promises": [dict(one) for one in other.promises],
        "date": [(start + timedelta(days=day)).isoformat() for day in curve.day.tolist()],
        "online_mw_p50": curve.online_mw[1].tolist(),
    }
    return replace(found, against=facts)
