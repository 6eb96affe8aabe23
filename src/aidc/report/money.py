"""Efficiency measures, cost by month, prices and carbon."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
from plotly.subplots import make_subplots

from aidc.report.blocks import Block, Chart, Column, Section, Table
from aidc.report.lines import trace
from aidc.report.style import COLOURS, layout
from aidc.report.text import MISSING, aligned, figure, money, percent
from aidc.report.tree import pick
from aidc.report.view import View

__all__ = ["cost_section", "efficiency_section", "months"]

# Name, key of the summary, unit, standard, definition.
_MEASURES = (
    (
        "PUE",
        "pue",
        "",
        "ISO/IEC 30134-2",
        "power usage effectiveness: energy of the data centre over energy of its IT",
    ),
    (
        "REF",
        "ref",
        "",
        "ISO/IEC 30134-3",
        "renewable energy factor: renewable energy over energy of the data centre",
    ),
    (
        "ERF",
        "erf",
        "",
        "ISO/IEC 30134-6",
        "energy reuse factor: energy reused outside over energy of the data centre",
    ),
    (
        "CUE",
        "cue_kg_per_kwh",
        "kg CO₂/kWh",
        "ISO/IEC 30134-8",
        "carbon usage effectiveness: CO₂ of the energy over IT energy",
    ),
    (
        "WUE",
        "wue_l_per_kwh",
        "l/kWh",
        "ISO/IEC 30134-9",
        "water usage effectiveness: water used over IT energy",
    ),
)
_ENERGY = (
    ("grid import", "grid_import"),
    ("grid export", "grid_export"),
    ("PV", "pv"),
    ("wind", "wind"),
    ("gensets", "genset"),
    ("curtailed", "curtailed"),
    ("storage charge", "storage_charge"),
    ("storage discharge", "storage_discharge"),
    ("accelerators", "accelerator"),
    ("servers (with accelerators)", "server"),
    ("IT (with servers)", "it"),
    ("conversion loss", "conversion_loss"),
    ("cooling", "cooling"),
    ("auxiliaries", "auxiliary"),
    ("unserved", "unserved"),
    ("closure residual", "closure_residual"),
)
_HEAT = (
    ("rejected by the cooling plants", "rejected"),
    ("reused", "reused"),
    ("lost outdoors by equipment", "ambient"),
    ("stored", "stored"),
    ("closure residual", "closure_residual"),
)


def efficiency_section(view: View) -> Section:
    """ISO/IEC 30134 measures and the energy balance."""
    measures = [
        [name, figure(pick(view.summary, key)), unit, standard, told]
        for name, key, unit, standard, told in _MEASURES
    ]
    measures += [
        [
            "peak import",
            figure(pick(view.summary, "peak_import_mw")),
            "MW",
            MISSING,
            "highest mean of an output step",
        ],
        [
            "load factor",
            percent(pick(view.summary, "load_factor")),
            "",
            MISSING,
            "mean import over peak import",
        ],
    ]
    columns = [
        Column("measure"),
        Column("value", numeric=True),
        Column("unit"),
        Column("standard"),
        Column("definition", wrap=True),
    ]
    blocks: list[Block] = [
        Table(
            "measures",
            "Efficiency measures",
            columns,
            measures,
            "IT energy is taken at the inlet of the racks.",
        ),
        _balance(
            view, "energy_mwh", "Energy", _ENERGY, pick(view.summary, "energy_mwh.it"), "of the IT energy"
        ),
        _balance(
            view, "heat_mwh", "Heat", _HEAT, pick(view.summary, "heat_mwh.rejected"), "of the heat rejected"
        ),
    ]
    return Section("efficiency", "Efficiency", "Efficiency and energy balance", "", blocks)


def _balance(
    view: View, group: str, title: str, names: Sequence[tuple[str, str]], whole: Any, share: str
) -> Table:
    """One half of the books: what the summary holds under `group`, also as shares of `whole`."""
    known = [
        (name, value)
        for name, key in names
        if isinstance(value := pick(view.summary, f"{group}.{key}"), (int, float))
    ]
    amounts = aligned([value for _, value in known])
    shares = aligned([100 * value / whole if whole else None for _, value in known], 4)
    rows = [[name, amount, part] for (name, _), amount, part in zip(known, amounts, shares, strict=True)]
    columns = [Column(title.lower()), Column("MWh", numeric=True), Column(f"% {share}", numeric=True)]
    return Table(f"balance-{group}", title, columns, rows, span=3)


def cost_section(view: View) -> Section:
    """Cost with the demand charge by month, and the price and carbon that it met."""
    blocks: list[Block] = [_cost_table(view)]
    chart = _price_chart(view)
    if chart is not None:
        blocks.append(chart)
    return Section("cost", "Cost", "Cost and carbon", "", blocks)


def months(view: View) -> list[dict[str, Any]]:
    """Cost by month: what the summary says, or else energy at the price and the peak from the series.

    A month is one of the site's time zone. The demand charge of a month is known only from the summary, or
    when the run lies within one month.
    """
    told = pick(view.summary, "cost_usd.months")
    if isinstance(told, Sequence) and not isinstance(told, str) and told:
        return [dict(row) for row in told if isinstance(row, Mapping)]
    imported = view.mw("grid_import_w")
    if imported is None or imported.size == 0:
        return []
    names = _month_names(view)
    price, paid = view.column("price_usd_per_mwh"), view.column("export_price_usd_per_mwh")
    exported = view.mw("grid_export_w")
    hours = view.dt_s / 3600.0
    cost = None if price is None else np.nan_to_num(imported * hours * price)
    if cost is not None and paid is not None and exported is not None:
        cost = cost - np.nan_to_num(exported * hours * paid)
    found: list[dict[str, Any]] = []
    for name in dict.fromkeys(names):
        inside = np.array([other == name for other in names])
        found.append(
            {
                "month": name,
                "import_mwh": float(np.sum((imported * hours)[inside])),
                "peak_mw": float(np.max(imported[inside])),
                "energy_usd": None if cost is None else float(np.sum(cost[inside])),
            }
        )
    if len(found) == 1:
        found[0]["demand_usd"] = pick(view.summary, "cost_usd.demand")
    return found


def _month_names(view: View) -> list[str]:
    zone = pick(view.site, "site.location.timezone") or pick(view.site, "location.timezone") or "UTC"
    try:
        ZoneInfo(str(zone))
    except (KeyError, ValueError, OSError):
        zone = "UTC"
    times = pl.Series(view.time_ms.astype(np.int64)).cast(pl.Datetime("ms", "UTC"))
    return times.dt.convert_time_zone(str(zone)).dt.strftime("%Y-%m").to_list()


def _cost_table(view: View) -> Table:
    columns = [Column("month")] + [
        Column(title, numeric=True) for title in ("import, MWh", "peak, MW", "energy", "demand", "together")
    ]
    rows = [_cost_row(row) for row in months(view)]
    cost = pick(view.summary, "cost_usd")
    total = [
        "whole window",
        figure(pick(view.summary, "energy_mwh.grid_import")),
        figure(pick(view.summary, "peak_import_mw")),
        *(money(pick(cost, key)) for key in ("energy", "demand", "total")),
    ]
    note = "A demand charge is due for a whole month, even where the window is shorter."
    return Table("cost-months", "Cost of energy", columns, [*rows, total], note)


def _cost_row(row: Mapping[str, Any]) -> list[str]:
    energy, demand = row.get("energy_usd"), row.get("demand_usd")
    both = [part for part in (energy, demand) if isinstance(part, (int, float))]
    return [
        str(row.get("month", MISSING)),
        figure(row.get("import_mwh")),
        figure(row.get("peak_mw")),
        money(energy),
        money(demand),
        money(sum(both)) if len(both) == 2 else MISSING,
    ]


def _price_chart(view: View) -> Chart | None:
    price, carbon = view.column("price_usd_per_mwh"), view.column("carbon_kg_per_mwh")
    if view.time_ms.size == 0 or (price is None and carbon is None):
        return None
    known = [
        (values, name, unit, COLOURS[colour])
        for values, name, unit, colour in (
            (price, "price", "USD/MWh", "price"),
            (carbon, "carbon intensity", "kg CO₂/MWh", "carbon"),
        )
        if values is not None
    ]
    drawn = make_subplots(rows=len(known), shared_xaxes=True, vertical_spacing=0.08)
    for row, (values, name, unit, colour) in enumerate(known, start=1):
        drawn.add_trace(trace(view.time_ms, values, name, colour, unit=unit, shape="hv"), row=row, col=1)
    height = 160 + 100 * len(known)
    layout(drawn, height, y_titles=[unit for _, _, unit, _ in known])
    return Chart("prices", "Price and carbon intensity of the grid", drawn, height, linked=True)
