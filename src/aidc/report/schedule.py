"""The equipment schedule: a table for the terminal, and a section of the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table as TextTable
from rich.text import Text

from aidc.report.blocks import Block, Cell, Chip, Column, Note, Section, Table
from aidc.report.run.view import View
from aidc.report.text import MISSING, figure

__all__ = ["equipment_section", "equipment_table"]

_LEAD = (
    "What the site has, sized once from the file as written; settings do not resize it. Peak use is what all pods at "
    "nameplate ask of the units together; margins are over it, with every unit running and with one unit out."
)
_TITLES = ("units", "each", "all", "peak use", "margin", "one out")


def equipment_table(facts: Mapping[str, Any]) -> RenderableType:
    """The schedule for the terminal, with what is too small under it."""
    table = TextTable(
        title=str(facts["name"]),
        title_justify="left",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    table.add_column("equipment", overflow="fold", min_width=18)
    for title in _TITLES:
        table.add_column(title, justify="right", no_wrap=True)
    items: Sequence[Mapping[str, Any]] = facts["equipment"]
    for place, item in enumerate(items):
        if place == 0 or items[place - 1]["of"] != item["of"]:
            table.add_row(Text(str(item["of"]), style="bold"))
        cells = _cells(item)
        late = item["margin_frac"] is not None and item["margin_frac"] < 0
        margin = Text(cells[4], style="bold red" if late else "")
        table.add_row(Text(f"  {item['what']}"), *cells[:4], margin, cells[5])
    lines: list[RenderableType] = [table, *(Text(text) for text in _designs(items))]
    lines += [Text(f"{text}") for text in facts["defaults"]]
    lines += [Text(f"resized by a setting: {text}") for text in facts["resized"]]
    lines += [Text(f"undersized: {one['text']}", style="yellow") for one in facts["findings"]]
    if not facts["findings"]:
        hours = facts["weather"] or "the design weather alone"
        lines.append(Text(f"Nothing is too small for the nameplate of all pods in {hours}.", style="dim"))
    return Group(*lines)


def equipment_section(view: View) -> Section:
    """The schedule and the findings of the design check."""
    facts = view.meta
    blocks: list[Block] = []
    told = [
        *([Chip("too small", "bad"), str(one["text"])] for one in facts.get("findings") or ()),
        *([Chip("resized", "open"), str(text)] for text in facts.get("resized") or ()),
        *([Chip("added", "mute"), str(text)] for text in facts.get("defaults") or ()),
    ]
    if told:
        columns = [Column("what"), Column("found before the run", wrap=True)]
        blocks.append(Table("design-check", "Design check", columns, told))
    items = facts.get("equipment") or ()
    if items and not facts.get("findings"):
        blocks.append(Note("Nothing is too small for the nameplate of all pods in the hours of this run."))
    if items:
        blocks.append(_schedule(items))
    if not blocks:
        blocks.append(Note("The run holds no equipment schedule."))
    return Section("equipment", "Equipment", "Equipment and design check", _LEAD, blocks)


def _schedule(items: Sequence[Mapping[str, Any]]) -> Table:
    columns = [
        Column("of"),
        Column("equipment"),
        Column("entry"),
        *(Column(title, numeric=True) for title in _TITLES),
        Column("design conditions", wrap=True),
    ]
    rows: list[list[Cell]] = [
        [str(item["of"]), str(item["what"]), str(item["entry"]), *_cells(item), str(item["design"])]
        for item in items
    ]
    return Table("equipment", "Equipment schedule", columns, rows, filter=True, tall=True)


def _cells(item: Mapping[str, Any]) -> list[str]:
    unit = str(item["unit"])
    spare = "" if item["redundancy"] == "N" else f" ({item['redundancy']})"
    alone = item["units"] < 2
    return [
        f"{item['units']}{spare}",
        _with(item["unit_rating"], unit),
        _with(item["total"], unit),
        _with(item["peak"], unit),
        _signed(item["margin_frac"]),
        MISSING
        if item["margin_one_out_frac"] is None
        else "none"
        if alone
        else _signed(item["margin_one_out_frac"]),
    ]


def _with(value: Any, unit: str) -> str:
    """A figure with its unit; small powers in kW or kVA."""
    if isinstance(value, (int, float)) and unit.startswith("M") and 0 < value < 1:
        return f"{figure(1e3 * value)} k{unit[1:]}"
    return MISSING if value is None else f"{figure(value)} {unit}"


def _signed(frac: Any) -> str:
    if frac is None:
        return MISSING
    return f"{frac:+.0%}" if frac < 9 else f"x {frac + 1:.0f}"


def _designs(items: Sequence[Mapping[str, Any]]) -> list[str]:
    """The design conditions of each cooling plant in a line."""
    return [
        f"{item['of']}, {item['entry']} ({item['basis']}): {item['design']}"
        for item in items
        if str(item["of"]).startswith("cooling.")
        and item["what"] in ("outdoor units", "chillers")
        and "supply" in str(item["design"])
    ]
