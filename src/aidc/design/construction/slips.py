"""What has changed since the plan: dates of lots and milestones, promises, and tasks that took another time than expected."""

from __future__ import annotations

import math
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
    tokens = other.as_dict()["useful_tokens_per_day"]
    facts: dict[str, Any] = {
        "name": name,
        "start": start.isoformat(),
        "all_online": {key: getattr(other.all_online, key).isoformat() for key in ("p10", "p50", "p90")},
        "days_later": (other.all_online.p50 - found.all_online.p50).days,
        "cost_usd_million": sum(lot.cost_usd_million for lot in other.lots),
        "own_cost_usd_million": sum(lot.cost_usd_million for lot in found.lots),
        "promises": [dict(one) for one in other.promises],
        "date": [(start + timedelta(days=day)).isoformat() for day in curve.day.tolist()],
        "online_mw_p50": curve.online_mw[1].tolist(),
        "useful_tokens_per_day_p50": None if tokens is None else tokens["p50"],
        "value": _values(found, other),
    }
    told = [f"{name}: {line}" for line in _unlike(found, other)]
    return replace(found, against=facts, told=(*found.told, *told))


def _values(found: BuildResult, other: BuildResult) -> dict[str, Any] | None:
    """What both are worth; the error of the difference takes their luck for independent, which is no less than it is."""
    if found.value is None or other.value is None:
        return None
    own, its = found.value["npv_usd"], other.value["npv_usd"]
    return {
        "npv_usd": its,
        "own_npv_usd": own,
        "npv_less_usd": own["mean"] - its["mean"],
        "npv_less_error_usd": math.hypot(own["error"], its["error"]),
        "useful_tokens": other.value["useful_tokens"],
        "own_useful_tokens": found.value["useful_tokens"],
    }


def _unlike(found: BuildResult, other: BuildResult) -> list[str]:
    """What keeps the values of two plans from being compared like with like."""
    own, its = found.plan.file, other.plan.file
    if own.value is None or its.value is None:
        one = "it has" if its.value is None else "this plan has"
        return [] if own.value is its.value else [f"values are not compared, as {one} no [value]"]
    told: list[str] = []
    if own.start != its.start:
        told.append(
            f"it starts on {its.start}, this plan on {own.start}: each is discounted to its own start"
        )
    mine, yours = own.value.model_dump(), its.value.model_dump()
    apart = [key for key in mine if mine[key] != yours[key]]
    if apart:
        told.append(f"its [value] differs in {', '.join(apart)}: net present values rest on different terms")
    return told
