"""Storage: power, state of charge, throughput and ageing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plotly.subplots import make_subplots

from aidc.measure.meta import mapping
from aidc.report.blocks import Block, Chart, Column, Note, Section, Table
from aidc.report.lines import trace
from aidc.report.run.view import View
from aidc.report.style import COLOURS, layout
from aidc.report.text import MISSING, figure, percent
from aidc.report.tree import pick

__all__ = ["storage_section"]


def storage_section(view: View) -> Section:
    """Power and state of charge of each storage, and the table of throughput and ageing."""
    blocks: list[Block] = []
    if view.time_ms.size:
        blocks += [_chart(view, name) for name in view.storages]
    told = pick(view.summary, "storage")
    if isinstance(told, Mapping) and told:
        blocks += [_throughput(told), _ageing(told)]
    if not blocks:
        blocks.append(Note("This site has no storage."))
    return Section(
        "storage",
        "Storage",
        "Storage",
        "Charging is positive. State of charge at the end of each step.",
        blocks,
    )


def _chart(view: View, name: str) -> Chart:
    drawn = make_subplots(rows=2, shared_xaxes=True, vertical_spacing=0.05)
    for row, values, text, unit in (
        (1, view.mw(f"storage.{name}.power_w"), "power", "MW"),
        (2, view.column(f"storage.{name}.soc_frac"), "state of charge", "%"),
    ):
        if values is not None:
            shown = values * (100 if unit == "%" else 1)
            colour = COLOURS["storage"] if row == 1 else COLOURS["good"]
            drawn.add_trace(trace(view.time_ms, shown, text, colour, unit=unit), row=row, col=1)
    drawn.update_layout(yaxis2={"range": [0, 100]})
    layout(drawn, 380, y_titles=("MW", "SOC, %"))
    return Chart(f"storage-{name}", f"Storage {name}", drawn, 380, linked=True)


def _throughput(told: Mapping[str, Any]) -> Table:
    titles = (
        "power, MW",
        "energy, MWh",
        "charged, MWh",
        "discharged, MWh",
        "losses, MWh",
        "full cycles",
        "final SOC",
    )
    columns = [Column("storage"), *(Column(title, numeric=True) for title in titles)]
    rows = [
        [
            name,
            figure(pick(facts, "power_mw")),
            figure(pick(facts, "capacity_mwh")),
            figure(pick(facts, "charge_mwh")),
            figure(pick(facts, "discharge_mwh")),
            figure(pick(facts, "loss_mwh")),
            figure(pick(facts, "equivalent_full_cycles")),
            percent(pick(facts, "final_soc")),
        ]
        for name, facts in told.items()
    ]
    return Table("storage-use", "Throughput", columns, rows)


def _ageing(told: Mapping[str, Any]) -> Table:
    columns = [
        Column("storage"),
        Column("model"),
        Column("calendar loss, %", numeric=True),
        Column("cycle loss, %", numeric=True),
        Column("together, %", numeric=True),
    ]
    rows: list[list[str]] = []
    for name, facts in told.items():
        models = mapping(pick(facts, "ageing")) or {"none holds": facts}
        rows += [[name, str(model), *_losses(losses)] for model, losses in models.items()]
    note = (
        "Loss of capacity of a fresh storage in this window. Where there are two: published LFP models side by side: their difference "
        "is the uncertainty to plan with. Both slow down with age, so a week must not be multiplied up to years."
    )
    return Table("storage-ageing", "Ageing", columns, rows, note)


def _losses(losses: Any) -> list[str]:
    """Calendar, cycle and total loss of one model."""
    parts = [pick(losses, f"soh_loss_{kind}_pct") for kind in ("calendar", "cycle")]
    known = [part for part in parts if isinstance(part, (int, float))]
    return [*(figure(part, 3) for part in parts), figure(sum(known), 3) if known else MISSING]
