"""What a site can promise, as one HTML file: a chart by hour, the table, and the declared-flexibility sheet."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import plotly.graph_objects as go

from aidc.report.blocks import Chart, Column, Head, Note, Section, Table, Tile
from aidc.report.flexibility.console import notice_words, trial_words
from aidc.report.sheet import compose, save
from aidc.report.style import COLOURS, layout
from aidc.report.text import figure

__all__ = ["render_flex", "write_flex"]

_FOOTER: Final = (
    "A promise is what is held in 95 % of the starts in the window, by pods within their tiers all through the event and "
    "storage to its end. A cap of some share is taken to cost that share of tokens, which is more than measured curves show. "
    "The figures are those of this scenario's weather and demand, known beforehand."
)
_CHARTED_S: Final = 600.0


def write_flex(told: Mapping[str, Any], target: Path) -> None:
    """Write the page from the plain figures.

    Raises
    ------
    OutputError
        The folder is missing, not writable or full.
    """
    save(render_flex(told), target)


def render_flex(told: Mapping[str, Any]) -> str:
    """The page as one HTML text."""
    sections = [
        Section("promise", "Promise", "What can be promised", "", [_chart(told), _table(told)]),
        Section("work", "Work", "What stands behind it", "", [_work(told), *(Note(line.strip()) for line in trial_words(told["trial"]))]),
        Section("sheet", "Sheet", "Declared flexibility", "The four attributes of EPRI's Flex MOSAIC.", [_sheet(told)]),
    ]  # fmt: skip
    return compose(_head(told), sections)


def _head(told: Mapping[str, Any]) -> Head:
    hour = next(
        (one for one in told["promises"] if one["hour"] is None and one["duration_h"] == 1.0),
        told["promises"][0],
    )
    share = hour["promised_mw"] / told["mean_import_mw"] if told["mean_import_mw"] > 0 else 0.0
    return Head(
        title=f"{told['name']}: flexibility",
        facts=[("from", told["start"]), ("hours", figure(told["hours"]))],
        assumptions="",
        tiles=[
            Tile("for an hour, within seconds", figure(hour["promised_mw"]), "MW", f"{100 * share:.3g} % of the mean import"),
            Tile("of it storage", figure(hour["storage_mw"]), "MW"),
            Tile("tokens", figure(hour["tokens_per_mwh"] / 1e6), "Mtok/MWh"),
        ],
        footer=_FOOTER,
    )  # fmt: skip


def _chart(told: Mapping[str, Any]) -> Chart:
    drawn = go.Figure()
    colours = list(COLOURS.values())
    for number, length in enumerate(sorted({one["duration_h"] for one in told["promises"]})):
        rows = [
            one
            for one in told["promises"]
            if one["hour"] is not None and one["duration_h"] == length and one["notice_s"] == _CHARTED_S
        ]
        drawn.add_trace(
            go.Scatter(
                x=[one["hour"] for one in rows],
                y=[one["promised_mw"] for one in rows],
                name=f"{length:g} h",
                mode="lines+markers",
                line={"color": colours[number % len(colours)]},
            )
        )
    layout(drawn, 380, y_titles=("MW",))
    return Chart("by-hour", "By hour of the local day, notice 10 min", drawn, 380, group="hours")


def _table(told: Mapping[str, Any]) -> Table:
    names = ("for, h", "MW", "Flex 1, MW", "Flex 2, MW", "Flex 3, MW", "storage, MW", "Mtok/MWh")
    columns = [Column("hour"), Column("notice"), *(Column(name, numeric=True) for name in names)]
    rows = [
        [
            "any" if one["hour"] is None else f"{one['hour']:02d}",
            notice_words(one["notice_s"]),
            f"{one['duration_h']:g}",
            figure(one["promised_mw"]),
            *(figure(value) for value in one["by_tier_mw"].values()),
            figure(one["storage_mw"]),
            figure(one["tokens_per_mwh"] / 1e6),
        ]
        for one in told["promises"]
    ]
    return Table("promises", "Promises", columns, rows, filter=True, tall=True)


def _work(told: Mapping[str, Any]) -> Table:
    columns = [Column("work"), Column("tier"), Column("over"), Column("level"), Column("$/MWh", numeric=True)]
    rows = [
        [one["name"], f"Flex {one['tier']}", one["window"], one["level"], figure(one["price_usd_per_mwh"])]
        for one in told["work"]
    ]
    return Table("work-behind", "Work and its service level", columns, rows)


def _sheet(told: Mapping[str, Any]) -> Table:
    sheet = told["sheet"]
    timing, often = sheet["timing"], sheet["frequency"]
    again = often["storage_recharge_h"]
    rows = [
        ["magnitude", "; ".join(f"{figure(mw)} MW for {when}" for when, mw in sheet["magnitude_mw"].items())],
        ["timing", f"notice of {', '.join(map(notice_words, timing['notice_s']))}; most at {_hours(timing['best_local_hours'])}, least at {_hours(timing['least_local_hours'])} local time"],
        ["duration", f"{', '.join(f'{one:g}' for one in sheet['duration_h'])} h"],
        ["frequency", often["work"] + ("" if again is None else f"; storage is charged again within {figure(again)} h")],
    ]  # fmt: skip
    return Table("flex-sheet", "Sheet", [Column("attribute"), Column("declared", wrap=True)], rows)


def _hours(hours: list[int]) -> str:
    return ", ".join(f"{hour:02d} h" for hour in hours) or "any hour"
