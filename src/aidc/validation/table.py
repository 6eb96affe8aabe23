"""The validation report on the terminal."""

from __future__ import annotations

from collections import Counter

from rich.console import Group
from rich.table import Table
from rich.text import Text

from aidc.validation.case import Case
from aidc.validation.runner import FAILED, Report

__all__ = ["render", "verdict"]

_COLOURS = {
    "met": "green",
    "missed": "bold red",
    "shown": "dim",
    "no prediction": "yellow",
    "not compared": "dim",
    "failed": "bold red",
}


def render(report: Report) -> Group:
    """Every figure with its limit, and below it the reasons for what could not be predicted."""
    table = Table(title="Predicted against measured", title_justify="left", header_style="bold")
    for title in ("case", "data", "figure"):
        table.add_column(title, overflow="fold")
    for title in ("value", "limit", "rows", "without prediction"):
        table.add_column(title, justify="right", overflow="fold")
    table.add_column("")
    for case in report.cases:
        told = verdict(case)
        table.add_row(
            case.name,
            Text(case.dataset),
            Text(case.metric),
            _figure(case.value, case.unit),
            _figure(case.limit, case.unit),
            str(case.n),
            str(case.n_unpredicted or ""),
            Text(told, style=_COLOURS[told]),
        )
    return Group(table, *_below(report))


def verdict(case: Case) -> str:
    """One word or two on a case."""
    if case.kind == FAILED:
        return "failed"
    if case.value is None:
        return "no prediction" if case.n_unpredicted == case.n else "not compared"
    if case.passed is None or case.kind == "shown":
        return "shown"
    return "met" if case.passed else "missed"


def reasons(case: Case) -> Counter[str]:
    """Why rows of a case have no prediction, and how often."""
    return Counter(row.reason or "no reason given" for row in case.rows if row.predicted is None)


def _below(report: Report) -> list[Text]:
    lines: list[Text] = []
    told: set[tuple[str, str]] = set()
    for case in report.cases:
        for reason, count in reasons(case).most_common():
            if (case.name, reason) not in told:
                told.add((case.name, reason))
                lines.append(Text(f"{case.name}: {count} without prediction: {reason}", style="yellow"))
    if report.absent:
        lines.append(Text("No data in this folder for: " + ", ".join(report.absent), style="dim"))
    judged = [case for case in report.cases if case.kind == "bar" and case.passed is not None]
    met = sum(case.passed is True for case in judged)
    if not report.measured:
        text = (
            f"No measured data in this folder: nothing was judged but {len(judged)} bars on published figures"
        )
        lines.append(Text(f"{text}, {met} of them met.", style="yellow" if report.passed else "bold red"))
        return lines
    lines.append(Text(f"{met} of {len(judged)} bars met.", style="green" if report.passed else "bold red"))
    return lines


def _figure(value: float | None, unit: str) -> str:
    if value is None:
        return "–"
    sign = {"%": " %", "percent": " %", "points": " pt"}.get(unit, f" {unit}" if unit else "")
    return f"{value:.2f}{sign}"
