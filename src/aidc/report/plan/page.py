"""The report of a plan: what the storage should do, what that saves, and what the limits cost, as one HTML file."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import plotly.graph_objects as go

from aidc.report.blocks import Chart, Column, Head, Note, Section, Table, Tile
from aidc.report.lines import FloatArray, trace
from aidc.report.sheet import compose, save
from aidc.report.style import COLOURS, PODS, layout
from aidc.report.text import figure, money, percent

__all__ = ["render_plan", "write_plan"]

_FOOTER: Final = (
    "Bills are those of the twin, which ran three times: storage at rest, by its own rule, and under the plan. "
    "The plan knows load, sun, wind and prices of the whole window ahead; a forecast does not."
)
_RUNS: Final = (("idle", "storage at rest"), ("by_rule", "by its own rule"), ("followed", "under the plan"))


def write_plan(facts: Mapping[str, Any], target: Path) -> None:
    """Write the report of a plan from its plain figures.

    Raises
    ------
    OutputError
        The folder is missing, not writable or full.
    """
    save(render_plan(facts), target)


def render_plan(facts: Mapping[str, Any]) -> str:
    """The report of a plan as one HTML text."""
    sections = [
        Section(
            "schedule",
            "Schedule",
            "What the storage does",
            "",
            [_power(facts), _storage(facts), _price(facts)],
        ),
        Section("bill", "Bill", "What it saves", "", [_bills(facts), _peaks(facts)]),
        Section("worth", "Limits", "What the limits cost", "", [_worth(facts)]),
        Section(
            "notes",
            "Notes",
            "What it rests on",
            "",
            [Note(f"{line[0].upper()}{line[1:]}.") for line in facts["notes"]],
        ),
    ]
    return compose(_head(facts), sections)


def _head(facts: Mapping[str, Any]) -> Head:
    about = (
        ("From", str(facts["start"])),
        ("Days", figure(facts["days"])),
        ("Step", f"{facts['step_min']:g} min"),
        ("Gap to the bound", f"{facts['gap_frac']:.1e}"),
    )
    off = facts["off_frac"]
    rule = facts["saving_over_rule_usd"]
    tiles = [
        Tile("Saved over storage at rest", money(facts["saving_usd"]), "", "by the twin's bills", wide=True),
        Tile(
            "Saved over its own rule", money(rule), "", "by the twin's bills", tone="" if rule >= 0 else "bad"
        ),
        Tile("Twin against programme", "–" if off is None else percent(off, 2), "", "energy and demand"),
    ]
    text = "Wear of the cells counts in the plan and not in the bill."
    return Head(facts["name"], about, text, tiles, "The cheapest schedule of a site's storage", _FOOTER)


def _times(facts: Mapping[str, Any]) -> FloatArray:
    return np.array([datetime.fromisoformat(one).timestamp() * 1e3 for one in facts["course"]["time_utc"]])


def _lines(
    facts: Mapping[str, Any],
    key: str,
    title: str,
    unit: str,
    rows: tuple[tuple[str, str, str, str], ...],
    note: str = "",
) -> Chart:
    course, time = facts["course"], _times(facts)
    drawn = go.Figure(
        [
            trace(time, np.array(course[name]), label, colour, unit=unit, dash=dash, shape="hv")
            for name, label, colour, dash in rows
        ]
    )
    return Chart(key, title, layout(drawn, 260, y_titles=[unit]), 260, note, linked=True)


def _power(facts: Mapping[str, Any]) -> Chart:
    rows = (
        ("idle_import_mw", "import, storage at rest", COLOURS["bus"], "dot"),
        ("import_mw", "import under the plan", COLOURS["grid"], "solid"),
        ("renewable_mw", "sun and wind", COLOURS["pv"], "solid"),
    )
    return _lines(facts, "power", "Power at the meter", "MW", rows)


def _storage(facts: Mapping[str, Any]) -> Chart:
    rows = (
        ("storage_mw", "power, charging positive", PODS[0], "solid"),
        ("storage_mwh", "energy in the cells [MWh]", PODS[4], "dash"),
    )
    return _lines(facts, "storage", "Storage", "MW, MWh", rows)


def _price(facts: Mapping[str, Any]) -> Chart:
    rows = (("price_usd_per_mwh", "energy price", COLOURS["grid"], "solid"),)
    return _lines(facts, "price", "Price of energy", "USD/MWh", rows)


def _bills(facts: Mapping[str, Any]) -> Table:
    columns = [
        Column("Run"),
        *(Column(part.capitalize(), numeric=True) for part in ("energy", "demand", "fixed", "fuel", "total")),
    ]
    rows = [
        [
            label,
            *(
                money(facts["billed_usd"][key][part])
                for part in ("energy", "demand", "fixed", "fuel", "total")
            ),
        ]
        for key, label in _RUNS
    ]
    said = facts["planned_usd"]
    rows.append(["as the programme says", money(said["energy"]), money(said["demand"]), "", "", ""])
    return Table("bills", "Bills of the window", columns, rows, "A demand charge is due for its whole month.")


def _peaks(facts: Mapping[str, Any]) -> Table:
    columns = [
        Column("Demand charge"),
        Column("Rate [USD/kW]", numeric=True),
        Column("Peak under the plan [MW]", numeric=True),
    ]
    rows = [[one["charge"], figure(one["usd_per_kw"]), figure(one["mw"])] for one in facts["peaks_mw"]]
    return Table("peaks", "Peaks that are paid for", columns, rows)


def _worth(facts: Mapping[str, Any]) -> Table:
    columns = [
        Column("Limit"),
        Column("From (UTC)"),
        Column("Hours", numeric=True),
        Column("One more MW is worth", numeric=True),
    ]
    rows = [
        [one["limit"], one["from"], figure(one["hours"]), money(one["usd_per_mw"])] for one in facts["worth"]
    ]
    note = "The slope of the cost at the plan: it holds for a little more, not for many MW."
    return Table(
        "worth", "Limits that bind", columns, rows, note if rows else "No limit of the connection binds."
    )
