"""Efficiency measures, cost by month, prices and carbon."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from plotly.subplots import make_subplots

from aidc.measure.meta import mapping
from aidc.report.blocks import Block, Chart, Column, Section, Table, trimmed
from aidc.report.lines import trace
from aidc.report.run.view import View
from aidc.report.style import COLOURS, layout
from aidc.report.text import MISSING, aligned, figure, money, percent
from aidc.report.tree import pick

__all__ = ["cost_section", "efficiency_section"]

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
_GRID = (
    ("peak import", "peak_import_mw", "MW", "highest import of a simulated step"),
    ("peak, output step", "peak_import_step_mw", "MW", "highest mean of an output step"),
    ("peak, billing", "peak_import_interval_mw", "MW", "highest mean of a billing interval"),
    ("peak export", "peak_export_mw", "MW", "highest export of a simulated step"),
    ("mean import", "mean_import_mw", "MW", "over the window"),
    ("load factor", "load_factor", "%", "mean import over peak import"),
    ("ramp up", "ramps_mw.15min.up", "MW", "greatest rise of the net import within 15 minutes"),
    ("ramp down", "ramps_mw.15min.down", "MW", "greatest fall of the net import within 15 minutes"),
    ("within a step", "ramps_mw.within_step", "MW", "highest less lowest net import inside an output step"),
)
_ENERGY = (
    ("site energy", "site"),
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
    ("storage loss", "storage_loss"),
    ("change of what is stored", "stored"),
    ("load bank", "load_bank"),
    ("pods, not supplied", "unserved"),
    ("cooling, not supplied", "cooling_unserved"),
    ("auxiliaries, not supplied", "auxiliary_unserved"),
    ("closure residual", "closure_residual"),
)
_HEAT = (
    ("generated", "generated"),
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
            name,
            percent(pick(view.summary, key)) if unit == "%" else figure(pick(view.summary, key)),
            unit.strip("%"),
            "",
            told,
        ]
        for name, key, unit, told in _GRID
        if pick(view.summary, key) is not None
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
        _balance(view, "energy_mwh", "Energy", _ENERGY, pick(view.summary, "energy_mwh.it"), "of IT"),
        _balance(view, "heat_mwh", "Heat", _HEAT, pick(view.summary, "heat_mwh.generated"), "of heat"),
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
    """The bill by month, its shares, and the price and carbon intensity behind them."""
    blocks: list[Block] = [_cost_table(view), _shares_table(view)]
    chart = _price_chart(view)
    if chart is not None:
        blocks.append(chart)
    return Section("cost", "Cost", "Cost and carbon", "", blocks)


def _cost_table(view: View) -> Table:
    """The bill by month; a month is one of the site's time zone."""
    columns = [Column("month")] + [
        Column(title, numeric=True)
        for title in (
            "covered",
            "import, MWh",
            "peak, MW",
            "on-peak, MW",
            "energy",
            "demand",
            "fixed",
            "fuel",
            "together",
        )
    ]
    cost = mapping(view.summary.get("cost_usd"))
    rows = [_month(mapping(row)) for row in cost.get("months") or ()]
    total = [
        "whole window",
        "",
        figure(pick(view.summary, "energy_mwh.grid_import")),
        figure(pick(view.summary, "peak_import_interval_mw")),
        MISSING,
        *(money(cost.get(key)) for key in ("energy", "demand", "fixed")),
        _fuel(cost.get("fuel")),
        money(cost.get("total")),
    ]
    minutes = cost.get("demand_interval_min")
    note = "A demand charge is due for a whole month, even where the window covers only a part of it."
    if minutes:
        note += f" It is set by the highest mean of {minutes:g} minutes."
    if cost.get("prorated") is not None:
        note += f" By the covered share of the months the total would be {money(cost['prorated'])}."
    return trimmed(Table("cost-months", "Cost of electricity", columns, [*rows, total], note))


def _month(row: Mapping[str, Any]) -> list[str]:
    parts = [row.get(f"{key}_usd") for key in ("energy", "demand", "fixed", "fuel")]
    known = [part for part in parts if isinstance(part, (int, float))]
    return [
        str(row.get("month", MISSING)),
        percent(row.get("covered_frac"), 3),
        figure(row.get("import_mwh")),
        figure(row.get("peak_mw")),
        figure(row.get("on_peak_mw")),
        *(money(part) for part in parts[:-1]),
        _fuel(parts[-1]),
        money(sum(known)) if known else MISSING,
    ]


def _fuel(usd: Any) -> str:
    """The cost of fuel; sites that burn none need no column for it."""
    return money(usd) if usd else MISSING


def _shares_table(view: View) -> Table:
    """Who used it: services, jobs and what belongs to neither make up the site."""
    parts = [
        (name, told)
        for group in ("services", "jobs")
        for name, told in mapping(view.summary.get(group)).items()
    ]
    parts.append(("unallocated", view.summary.get("unallocated")))
    paths = (
        "energy_mwh",
        "cost_usd.energy",
        "cost_usd.fuel",
        "cost_usd.total",
        "carbon_kg",
        "carbon_marginal_kg",
        "water_m3",
    )
    sums = [_total(pick(told, path) for _, told in parts) for path in paths]
    rows = [[str(name), *_share(pick(told, path) for path in paths)] for name, told in parts]
    rows.append(["whole site", *_share(sums)])
    columns = [Column("workload")] + [
        Column(title, numeric=True)
        for title in (
            "site energy, MWh",
            "energy cost",
            "fuel",
            "with all charges",
            "carbon, kg",
            "marginal carbon, kg",
            "water, m³",
        )
    ]
    note = "Overhead is shared by IT energy in each step, network by server energy, a demand charge by who set the peak, fuel as it is burnt."
    return trimmed(Table("shares", "Shares of the workloads", columns, rows, note))


def _share(values: Iterable[Any]) -> list[str]:
    energy, cost, fuel, whole, *others = values
    return [figure(energy), money(cost), _fuel(fuel), money(whole), *(figure(value) for value in others)]


def _total(values: Iterable[Any]) -> float | None:
    known = [value for value in values if isinstance(value, (int, float))]
    return sum(known) if known else None


def _price_chart(view: View) -> Chart | None:
    known = [
        (values, name, unit, COLOURS[colour])
        for column, name, unit, colour, flag in (
            ("price_usd_per_mwh", "price", "USD/MWh", "price", "has_prices"),
            ("carbon_kg_per_mwh", "carbon intensity", "kg CO₂/MWh", "carbon", "has_carbon"),
            ("marginal_carbon_kg_per_mwh", "marginal carbon intensity", "kg CO₂/MWh", "heat", "has_carbon"),
        )
        if view.meta.get(flag) is not False and (values := view.column(column)) is not None
    ]
    if not known or view.time_ms.size == 0:
        return None
    drawn = make_subplots(rows=len(known), shared_xaxes=True, vertical_spacing=0.08)
    for row, (values, name, unit, colour) in enumerate(known, start=1):
        drawn.add_trace(trace(view.time_ms, values, name, colour, unit=unit, shape="hv"), row=row, col=1)
    height = 160 + 100 * len(known)
    layout(drawn, height, y_titles=[unit for _, _, unit, _ in known])
    return Chart("prices", "Price and carbon intensity of the grid", drawn, height, linked=True)
