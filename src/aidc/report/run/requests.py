"""Requests of the grid: asked, delivered, by whom; for the report and, in words, for the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aidc.measure.meta import mapping
from aidc.report.blocks import Block, Column, Note, Section, Table
from aidc.report.run.view import View
from aidc.report.text import figure, percent
from aidc.report.tree import pick

__all__ = ["asked_section", "asked_words"]

_LEAST_FRAC = 0.02  # less is drift of demand


def asked_words(summary: Mapping[str, Any]) -> list[str]:
    """A line for each request."""
    found: list[str] = []
    for name, facts in mapping(pick(summary, "requests")).items():
        asked, given = pick(facts, "asked_mw"), pick(facts, "delivered_mw")
        if asked is None or given is None:
            found.append(
                f"{name}: no baseline, for nothing was measured before it was announced, or it lies outside"
            )
            continue
        met = f"{pick(facts, 'intervals_met')} of {pick(facts, 'intervals')} five-minute intervals met"
        found.append(
            f"{name}: asked {figure(asked)} MW, delivered {figure(given)} MW at the meter, {met}{_who(facts)}"
        )
    return found


def asked_section(view: View) -> Section | None:
    """Tables of requests and of what each pod gave; None where nothing was asked."""
    told = mapping(pick(view.summary, "requests"))
    if not told:
        return None
    blocks: list[Block] = [_requests(told), _pods(told), Note(_NOTE)]
    return Section(
        "requests",
        "Grid requests",
        "Grid requests",
        "What was asked, and what came of it at the meter.",
        blocks,
    )


_NOTE = (
    "Delivered is the baseline (the mean import over the last hour without an event before the announcement) less the "
    "mean import of the event: what weather and demand changed meanwhile is in it. An interval is met at or below the "
    "level plus 2 % of the baseline. Latency counts from the start, or the announcement where that is later, in rows of "
    "the books."
)


def _who(facts: Any) -> str:
    """Who gave most, in words."""
    pods = mapping(pick(facts, "pods"))
    slower = [(pick(one, "power_frac") or 0.0, pod) for pod, one in pods.items()]
    shown = [
        f"{pod} {percent(share)}" for share, pod in sorted(slower, reverse=True)[:3] if share > _LEAST_FRAC
    ]
    stored = pick(facts, "storage_mw")
    parts = [*shown, *([f"storage {figure(stored)} MW"] if stored and abs(stored) > 1e-3 else [])]
    return f"; gave most: {', '.join(parts)}" if parts else ""


def _requests(told: Mapping[str, Any]) -> Table:
    names = {
        "baseline_mw": "baseline, MW",
        "asked_mw": "asked, MW",
        "delivered_mw": "delivered, MW",
        "overshoot_mw": "worst above level, MW",
        "rebound_mw": "highest in the hour after, above baseline, MW",
        "storage_mw": "by storage, MW",
        "cooling_mw": "cooling fell by, MW",
        "latency_s": "latency, s",
    }
    columns = [
        Column("request"), Column("kind"), *(Column(name, numeric=True) for name in names.values()), Column("intervals met", numeric=True),
    ]  # fmt: skip
    rows = [
        [
            name,
            str(pick(facts, "kind")),
            *(figure(pick(facts, key)) for key in names),
            f"{pick(facts, 'intervals_met')} of {pick(facts, 'intervals')}",
        ]
        for name, facts in told.items()
    ]
    return Table("requests-met", "Requests", columns, rows)


def _pods(told: Mapping[str, Any]) -> Table:
    columns = [
        Column("request"),
        Column("pod"),
        Column("accelerators, MW less", numeric=True),
        Column("accelerators, %", numeric=True),
        Column("tokens, %", numeric=True),
    ]
    rows = [
        [
            name,
            pod,
            figure(pick(one, "power_mw")),
            percent(pick(one, "power_frac")),
            percent(pick(one, "tokens_frac")),
        ]
        for name, facts in told.items()
        for pod, one in mapping(pick(facts, "pods")).items()
    ]
    return Table("requests-pods", "What each pod gave, from the baseline's hour to the event", columns, rows)
