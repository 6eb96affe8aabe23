"""Tables for the terminal: one run, or several side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from aidc.report.text import MISSING, figure, money, percent, span, tokens
from aidc.report.tree import pick

__all__ = ["compare_table", "summary_table"]


@dataclass(frozen=True, slots=True)
class _Row:
    """One line: its name, where the summary has it, and how it reads. `less` is better, more, or neither."""

    name: str
    path: str
    unit: str = ""
    read: Callable[[Any], str] = figure
    less: bool | None = None


_ROWS: Sequence[Sequence[_Row]] = (
    (
        _Row("TokEnergy Index", "tokenergy_kwh_per_mtok.site", "kWh/Mtok", less=True),
        _Row("  to the accelerator", "tokenergy_kwh_per_mtok.accelerator", "kWh/Mtok", less=True),
        _Row("  to the server", "tokenergy_kwh_per_mtok.server", "kWh/Mtok", less=True),
        _Row("  to the IT", "tokenergy_kwh_per_mtok.it", "kWh/Mtok", less=True),
        _Row("output tokens", "tokens.output", read=tokens, less=False),
        _Row("useful tokens", "tokens.useful", read=tokens, less=False),
        _Row("training tokens", "tokens.training", read=tokens, less=False),
    ),
    (
        _Row("grid import", "energy_mwh.grid_import", "MWh", less=True),
        _Row("grid export", "energy_mwh.grid_export", "MWh"),
        _Row("PV", "energy_mwh.pv", "MWh", less=False),
        _Row("wind", "energy_mwh.wind", "MWh", less=False),
        _Row("IT", "energy_mwh.it", "MWh"),
        _Row("conversion loss", "energy_mwh.conversion_loss", "MWh", less=True),
        _Row("cooling", "energy_mwh.cooling", "MWh", less=True),
        _Row("unserved", "energy_mwh.unserved", "MWh", less=True),
        _Row("closure residual", "energy_mwh.closure_residual", "MWh"),
    ),
    (
        _Row("peak import", "peak_import_mw", "MW", less=True),
        _Row("load factor", "load_factor", read=percent, less=False),
        _Row("PUE", "pue", less=True),
        _Row("WUE", "wue_l_per_kwh", "l/kWh", less=True),
        _Row("CUE", "cue_kg_per_kwh", "kg/kWh", less=True),
        _Row("cost", "cost_usd.total", read=money, less=True),
        _Row("  of it demand", "cost_usd.demand", read=money, less=True),
        _Row("carbon", "carbon_kg", "kg", less=True),
        _Row("water", "water_m3", "m³", less=True),
    ),
)


def summary_table(summary: Mapping[str, Any]) -> RenderableType:
    """The figures of one run, with a table of its services and jobs where it has any.

    Lines that are zero or absent in this run are left out, but for the residual.
    """
    window = pick(summary, "window")
    table = Table(
        title=span(pick(window, "start"), pick(window, "end")), title_justify="left", box=box.SIMPLE_HEAD
    )
    table.add_column("run")
    table.add_column("", justify="right")
    table.add_column("")
    for group in _ROWS:
        known = [
            (row, value)
            for row in group
            if (value := pick(summary, row.path)) or (value is not None and "residual" in row.path)
        ]
        for place, (row, value) in enumerate(known, start=1):
            table.add_row(row.name, _strong(row, row.read(value)), row.unit, end_section=place == len(known))
    parts: list[RenderableType] = [table, *_loads(summary)]
    speed = pick(summary, "performance.steps_per_s")
    if speed:
        parts.append(Text(f"{figure(speed, 3)} steps/s, {_performance(summary)}", style="dim"))
    return Group(*parts)


def compare_table(rows: Sequence[tuple[str, Mapping[str, Any]]]) -> RenderableType:
    """Runs side by side from (name, summary); from the second on, with the change against the first."""
    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("")
    for name, _ in rows:
        table.add_column(Text(name), justify="right")
    table.add_column("unit")
    for group in _ROWS:
        known = [row for row in group if any(pick(summary, row.path) for _, summary in rows)]
        for place, row in enumerate(known, start=1):
            values = [pick(summary, row.path) for _, summary in rows]
            cells = [_compared(row, value, values[0] if at else None) for at, value in enumerate(values)]
            table.add_row(row.name, *cells, row.unit, end_section=place == len(known))
    return table


def _compared(row: _Row, value: Any, base: Any) -> Text:
    text = Text(row.read(value))
    if (
        isinstance(value, (int, float))
        and isinstance(base, (int, float))
        and base
        and "residual" not in row.path
    ):
        change = value / base - 1.0
        better = row.less is not None and change != 0 and (change < 0) == row.less
        worse = row.less is not None and change != 0 and not better
        text.append(f"  {change:+.1%}", style="green" if better else "red" if worse else "dim")
    return text


def _strong(row: _Row, text: str) -> Text:
    return Text(text, style="bold" if row.path == "tokenergy_kwh_per_mtok.site" else "")


def _loads(summary: Mapping[str, Any]) -> list[RenderableType]:
    found: list[RenderableType] = []
    services, jobs = pick(summary, "services"), pick(summary, "jobs")
    if isinstance(services, Mapping) and services:
        table = Table(box=box.SIMPLE_HEAD)
        table.add_column("service")
        for title in ("tokens", "useful", "SLO", "TTFT p99 s", "ITL p99 ms", "kWh/Mtok"):
            table.add_column(title, justify="right")
        for name, facts in services.items():
            itl_s = pick(facts, "itl_p99_s")
            table.add_row(
                Text(str(name)),
                tokens(pick(facts, "tokens_output")),
                tokens(pick(facts, "tokens_useful")),
                percent(pick(facts, "slo_attainment")),
                figure(pick(facts, "ttft_p99_s")),
                figure(1e3 * itl_s if isinstance(itl_s, (int, float)) else None),
                figure(pick(facts, "tokenergy_kwh_per_mtok.site")),
            )
        found.append(table)
    if isinstance(jobs, Mapping) and jobs:
        table = Table(box=box.SIMPLE_HEAD)
        table.add_column("job")
        for title in ("tokens", "energy MWh", "finished"):
            table.add_column(title, justify="right")
        for name, facts in jobs.items():
            finished = pick(facts, "finished")
            told = ("yes" if finished else "no") if isinstance(finished, bool) else MISSING
            table.add_row(
                Text(str(name)), tokens(pick(facts, "tokens")), figure(pick(facts, "energy_mwh")), told
            )
        found.append(table)
    return found


def _performance(summary: Mapping[str, Any]) -> str:
    wall = figure(pick(summary, "performance.wall_s"), 3)
    memory = figure(pick(summary, "performance.peak_rss_mb"), 3)
    return f"{wall} s, {memory} MB at most"
