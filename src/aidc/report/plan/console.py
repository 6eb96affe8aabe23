"""What `aidc plan` prints: bills, peaks, and what the limits cost."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from aidc.report.text import figure, money, percent

__all__ = ["plan_table", "worth_in_words"]

_RUNS = (("idle", "storage at rest"), ("by_rule", "by its own rule"), ("followed", "under the plan"))
_PARTS = ("energy", "demand", "fixed", "fuel", "total")


def plan_table(facts: Mapping[str, Any]) -> RenderableType:
    """The plan for the terminal."""
    title = f"{facts['name']}: bill of {facts['days']:g} days [USD], by the twin"
    table = Table(
        title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False
    )
    table.add_column("")
    for part in _PARTS:
        table.add_column(part, justify="right", no_wrap=True)
    for key, label in _RUNS:
        table.add_row(label, *(f"{facts['billed_usd'][key][part]:,.0f}" for part in _PARTS))
    return Group(table, *(Text(line) for line in _lines(facts)))


def _lines(facts: Mapping[str, Any]) -> list[str]:
    off = facts["off_frac"]
    lines = [
        f"Saved over storage at rest: {money(facts['saving_usd'])}; over its own rule:"
        f" {money(facts['saving_over_rule_usd'])}."
        + ("" if off is None else f" Programme and twin agree within {percent(abs(off), 2)}.")
    ]
    lines += [
        f"Peak {one['charge']}: {figure(one['mw'])} MW at {figure(one['usd_per_kw'])} USD/kW."
        for one in facts["peaks_mw"]
    ]
    for one in facts["storages"]:
        lines.append(
            f"{one['name']}: {figure(one['charged_mwh'])} MWh in, {figure(one['discharged_mwh'])} MWh out,"
            f" between {figure(one['least_mwh'])} and {figure(one['most_mwh'])} MWh."
        )
    lines += [worth_in_words(one) for one in facts["worth"][:5]]
    return [*lines, *(f"Note: {line}." for line in facts["notes"])]


def worth_in_words(one: Mapping[str, Any]) -> str:
    """A shadow price as a sentence."""
    begin = datetime.fromisoformat(one["from"])
    end = begin + timedelta(hours=one["hours"])
    return (
        f"One more MW of {one['limit']} from {begin:%Y-%m-%d %H:%M} to {end:%H:%M} UTC is worth"
        f" {money(one['usd_per_mw'])}."
    )
