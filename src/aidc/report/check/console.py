"""A check in the terminal: the verdict table with what would pass and what is missing; a transient's extremes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from aidc.measure.grid.verdict import Result, Verdict
from aidc.report.check.channels import extremes_of, unserved_mwh
from aidc.report.check.words import (
    WORDS,
    fact_rows,
    margin_text,
    number,
    open_reasons,
    ordered,
    scope,
    sentence,
    warnings_of,
)
from aidc.report.text import duration, figure
from aidc.study.windows.verdicts import CheckResult, TransientResult

__all__ = ["transient_table", "verdict_table"]

_STYLE: Final[dict[Result, str]] = {
    "pass": "green",
    "fail": "bold red",
    "not_assessable": "yellow",
    "not_applicable": "dim",
}


_MOST_DISTURBANCES: Final = 10


def verdict_table(result: CheckResult) -> RenderableType:
    """Every clause with value, limit and margin; below it what would pass, and why clauses stay open."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), title_justify="left", title_style="bold")
    table.title = Text(f"{result.site} against {result.code.title} ({result.code_name})")
    table.add_column("result", no_wrap=True)
    table.add_column("clause", ratio=1, overflow="fold")
    for name in ("value", "limit", "margin"):
        table.add_column(name, justify="right", no_wrap=True)
    for verdict in ordered(result.verdicts):
        table.add_row(
            Text(WORDS[verdict.result], style=_STYLE[verdict.result]),
            _clause(verdict),
            f"{number(verdict.value)} {verdict.unit}".strip(),
            f"{number(verdict.limit)} {verdict.unit}".strip(),
            margin_text(verdict),
        )
    return Group(table, *_changes(result), *_open(result), *_closing(result))


def _clause(verdict: Verdict) -> Text:
    """The clause, its rule and reason; the reason of an open one stands below the table with others alike."""
    text = Text(verdict.clause or verdict.rule)
    reason = "" if verdict.result == "not_assessable" else verdict.reason
    soft = ": ".join(part for part in (verdict.rule if verdict.clause else "", reason) if part)
    if soft:
        text.append(f"\n{soft}", style="dim")
    if verdict.case and verdict.result == "fail":
        text.append(f"\nworst case: {verdict.case}", style="dim")
    return text


def _changes(result: CheckResult) -> list[RenderableType]:
    told = [verdict for verdict in result.verdicts if verdict.result == "fail" and verdict.suggestion]
    if not told:
        return []
    lines: list[RenderableType] = [Text("Smallest change that would pass", style="bold")]
    alike: dict[str, list[str]] = {}
    for verdict in told:
        alike.setdefault(verdict.suggestion, []).append(verdict.clause or verdict.rule)
    lines += [_hanging(f"{', '.join(clauses)}: {suggestion}") for suggestion, clauses in alike.items()]
    return lines


def _open(result: CheckResult) -> list[RenderableType]:
    reasons = open_reasons(result.verdicts)
    if not reasons:
        return []
    lines: list[RenderableType] = [Text("Not assessable", style="bold")]
    lines += [_hanging(f"{', '.join(clauses)}: {reason}") for reason, clauses in reasons]
    return lines


def _hanging(text: str) -> Padding:
    return Padding(Text(text), (0, 0, 0, 2))


def _closing(result: CheckResult) -> list[RenderableType]:
    text = Text(WORDS[result.result].capitalize(), style=_STYLE[result.result])
    text.append(f". {sentence(result.verdicts)}", style="default")
    rule = Text(f"{scope(result.code)}; confidence of its figures: {result.code.confidence}.", style="dim")
    warned = [Text(f"Warning: {told}", style="yellow") for told in warnings_of(result.facts)]
    return [text, rule, *_disturbances(result.facts), *warned]


def _disturbances(facts: Mapping[str, Any]) -> list[RenderableType]:
    """What a recording was judged by: the faults of the grid that were found in it or marked."""
    told = facts.get("disturbances")
    if told is None:
        return []
    shown = [Text(f"Disturbance: {one}", style="dim") for one in told[:_MOST_DISTURBANCES]]
    rest = len(told) - len(shown)
    if rest > 0:
        shown.append(Text(f"and {rest} more disturbances", style="dim"))
    return [*shown] or [Text("No disturbance of the grid was found in the record.", style="dim")]


def transient_table(result: TransientResult) -> RenderableType:
    """Least, mean and greatest of each channel with their times, the events, and the facts."""
    w = result.window.waveform
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), title_justify="left", title_style="bold")
    table.title = Text(
        f"{result.site}: {result.title}, {duration(w.duration_s)} at {duration(float(w.step_s))}"
    )
    table.add_column("channel")
    for name in ("least", "at", "mean", "greatest", "at"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("")
    for one in extremes_of(w):
        table.add_row(
            one.shown.label, number(one.least), f"{number(one.least_s)} s", number(one.mean), number(one.greatest),
            f"{number(one.greatest_s)} s", one.shown.unit,
        )  # fmt: skip
    events = [Text(f"Event: {_event(row)}") for row in result.events]
    lost = unserved_mwh(w)
    served = [] if lost is None else [Text(f"IT energy not served: {figure(1e3 * lost)} kWh")]
    facts = [Text(f"{name}: {value}", style="dim") for name, value in fact_rows(result.facts)]
    warned = [Text(f"Warning: {told}", style="yellow") for told in warnings_of(result.facts)]
    return Group(table, *events, *served, *warned, *facts)


def _event(row: Mapping[str, Any]) -> str:
    """An event in a line: what it is and when, then what it states."""
    what = str(row.get("name") or row.get("use") or row.get("kind") or "event")
    when = f" at {figure(row['start_s'])} s" if "start_s" in row else ""
    stated = fact_rows(
        {key: value for key, value in row.items() if key not in {"name", "use", "kind", "start_s"}}
    )
    return f"{what}{when}" + "".join(f", {name} {value}" for name, value in stated if value)
