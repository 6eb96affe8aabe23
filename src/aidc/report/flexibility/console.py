"""Promises of a site in the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from aidc.report.text import figure

__all__ = ["flex_table", "notice_words", "trial_words"]


def flex_table(told: Mapping[str, Any]) -> RenderableType:
    """Promises for any hour of the day, what stands behind them, and the one that was tried."""
    table = Table(
        title=f"{told['name']}: MW at the meter, held in 95 % of the starts of {figure(told['hours'])} h",
        title_justify="left",
        box=box.SIMPLE_HEAD,
    )
    table.add_column("notice")
    for name in ("for, h", "MW", "Flex 1", "Flex 2", "Flex 3", "storage", "Mtok/MWh"):
        table.add_column(name, justify="right")
    for one in told["promises"]:
        if one["hour"] is None:
            table.add_row(notice_words(one["notice_s"]), *_figures(one))
    work = [
        f" {one['name']}: Flex {one['tier']} over the {one['window']}, {one['level']},"
        f" ${figure(one['price_usd_per_mwh'])} a MWh curtailed"
        for one in told["work"]
    ]
    lines = [*work, *trial_words(told["trial"])]
    return Group(table, *(Text(line) for line in lines))


def notice_words(notice_s: float) -> str:
    """A notice in its usual unit."""
    if notice_s < 60:
        return f"{notice_s:g} s"
    return f"{notice_s / 60:g} min" if notice_s < 3600 else f"{notice_s / 3600:g} h"


def trial_words(trial: Mapping[str, Any] | None) -> list[str]:
    """What came of the promise that was tried."""
    if trial is None:
        return [" No promise was tried: the window is too short, or there is nothing to promise."]
    reached = trial["reached_s"]
    when = "never reached at the meter" if reached is None else f"at the meter after {reached:g} s"
    parts = (
        f" Tried, an hour without notice: promised {figure(trial['promised_w'] / 1e6)} MW",
        f"delivered {figure(trial['delivered_w'] / 1e6)} MW",
        f"{when} (decided within {trial['decided_s']:g} s, acted on within {trial['acted_s']:g} s)",
        f"{figure(trial['tokens_lost'] / 1e6)} Mtok lost to two hours after it",
        f"rebound {figure(trial['rebound_w'] / 1e6)} MW",
    )
    return [", ".join(parts)]


def _figures(one: Mapping[str, Any]) -> list[str]:
    tiers = one["by_tier_mw"].values()
    return [
        f"{one['duration_h']:g}",
        figure(one["promised_mw"]),
        *(figure(value) for value in tiers),
        figure(one["storage_mw"]),
        figure(one["tokens_per_mwh"] / 1e6),
    ]
