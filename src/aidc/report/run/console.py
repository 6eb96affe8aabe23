"""Tables for the terminal: one run, or several side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from aidc.measure.compare import CompareRow
from aidc.measure.compare_inputs import InputRow
from aidc.report.run.deadlines import deadline
from aidc.report.run.requests import asked_words
from aidc.report.run.sizes import in_size, is_small
from aidc.report.run.supplied import genset_words, short_words
from aidc.report.run.warm import pod_words, set_point_words
from aidc.report.text import CLOSED, MISSING, closes, figure, money, percent, span, tokens
from aidc.report.tree import pick

__all__ = ["compare_table", "inputs_table", "summary_table"]


_PODS_TOLD = 6
_INPUTS_TOLD = 40
_VALUE_WIDTH = 60


@dataclass(frozen=True, slots=True)
class _Row:
    """One line: its name, where the summary has it, and how it reads."""

    name: str
    path: str
    unit: str = ""
    read: Callable[[Any], str] = figure


_ROWS: Sequence[Sequence[_Row]] = (
    (
        _Row("TokEnergy Index", "tokenergy_kwh_per_mtok.site", "kWh/Mtok"),
        _Row("  to the accelerator", "tokenergy_kwh_per_mtok.accelerator", "kWh/Mtok"),
        _Row("  to the server", "tokenergy_kwh_per_mtok.server", "kWh/Mtok"),
        _Row("  to the IT", "tokenergy_kwh_per_mtok.it", "kWh/Mtok"),
        _Row("output tokens", "tokens.output", read=tokens),
        _Row("useful tokens", "tokens.useful", read=tokens),
        _Row("training tokens", "tokens.training", read=tokens),
    ),
    (
        _Row("grid import", "energy_mwh.grid_import", "MWh"),
        _Row("grid export", "energy_mwh.grid_export", "MWh"),
        _Row("PV", "energy_mwh.pv", "MWh"),
        _Row("wind", "energy_mwh.wind", "MWh"),
        _Row("gensets", "energy_mwh.genset", "MWh"),
        _Row("IT", "energy_mwh.it", "MWh"),
        _Row("conversion loss", "energy_mwh.conversion_loss", "MWh"),
        _Row("cooling", "energy_mwh.cooling", "MWh"),
        _Row("load bank", "energy_mwh.load_bank", "MWh"),
        _Row("curtailed", "energy_mwh.curtailed", "MWh"),
        _Row("not supplied", "supply.energy_not_supplied_mwh", "MWh"),
    ),
    (
        _Row("peak import", "peak_import_mw", "MW"),
        _Row("load factor", "load_factor", read=percent),
        _Row("PUE", "pue"),
        _Row("WUE", "wue_l_per_kwh", "l/kWh"),
        _Row("CUE", "cue_kg_per_kwh", "kg/kWh"),
        _Row("cost", "cost_usd.total", read=money),
        _Row("  of it demand, whole months", "cost_usd.demand", read=money),
        _Row("  of it fuel", "cost_usd.fuel", read=money),
        _Row("cost, charges prorated", "cost_usd.prorated", read=money),
        _Row("  of services, per useful Mtok", "per_mtok.cost_usd", "USD/Mtok"),
        _Row("carbon", "carbon_kg", "kg"),
        _Row("water", "water_m3", "m³"),
    ),
)


_FLATTERED = {"tokenergy_kwh_per_mtok.site", "pue", "wue_l_per_kwh"}


def summary_table(summary: Mapping[str, Any]) -> RenderableType:
    """The figures of one run, with a table of its services and jobs where it has any.

    Lines that are zero or absent in this run are left out. Indices that too little cooling
    makes look better are marked where a plant did not hold its set point. What was not supplied, and what gensets
    did, is said in words, where anything was.
    """
    window = pick(summary, "window")
    short, small = set_point_words(summary), is_small(summary)
    table = Table(
        title=span(pick(window, "start"), pick(window, "end")), title_justify="left", box=box.SIMPLE_HEAD
    )
    table.add_column("run")
    table.add_column("", justify="right")
    table.add_column("")
    for group in _ROWS:
        known = [(row, value) for row in group if (value := pick(summary, row.path))]
        for place, (row, told) in enumerate(known, start=1):
            value, unit = in_size(told, row.unit, small=small)
            unit = f"{unit} !".lstrip() if short and row.path in _FLATTERED else unit
            table.add_row(row.name, _strong(row, row.read(value)), unit, end_section=place == len(known))
    parts: list[RenderableType] = [table]
    bad = (*short_words(summary), *short, *pod_words(summary))
    parts += [Text(f"! {words}", style="bold red") for words in bad]
    parts += [Text(f" {words}") for words in (*asked_words(summary), *genset_words(summary))]
    parts += [*_loads(summary), *_use(summary)]
    parts.append(_books(summary))
    speed = pick(summary, "performance.steps_per_s")
    if speed:
        parts.append(Text(f"{figure(speed, 3)} steps/s, {_performance(summary)}", style="dim"))
    return Group(*parts)


def _books(summary: Mapping[str, Any]) -> Text:
    """Whether the books of energy, heat and tokens close, in words."""
    told = [
        (name, pick(summary, f"closure.{key}"))
        for name, key in (("energy", "energy_frac"), ("heat", "heat_frac"), ("tokens", "token_frac"))
    ]
    open_ = any(isinstance(frac, (int, float)) and abs(frac) > CLOSED for _, frac in told)
    words = ", ".join(
        f"{name} {closes(frac).removeprefix('close ')}" for name, frac in told if frac is not None
    )
    return Text(
        f"{'Books' if open_ else 'Books close'}: {words} of all flows", style="bold red" if open_ else "dim"
    )


def inputs_table(rows: Sequence[InputRow], names: Sequence[str]) -> RenderableType:
    """Which inputs of runs differ; many rows are cut, the rest is in the JSON."""
    if not rows:
        return Text("All inputs are the same.")
    table = Table(title="inputs that differ", title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("", overflow="fold", ratio=2)
    for name in names:
        table.add_column(Text(name), overflow="fold", ratio=1)
    for row in rows[:_INPUTS_TOLD]:
        table.add_row(Text(row.key), *(Text(MISSING if one is None else _short(one)) for one in row.values))
    left = len(rows) - _INPUTS_TOLD
    notes = [Text(f"{left} more inputs differ: aidc compare --json has all", style="dim")] if left > 0 else []
    return Group(table, *notes)


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= _VALUE_WIDTH else f"{text[: _VALUE_WIDTH - 1]}…"


def compare_table(rows: Sequence[CompareRow], names: Sequence[str]) -> RenderableType:
    """Runs side by side from `aidc.measure.compare`; from the second on, with the change against the first.

    A row whose figures do not compare shows them without a change and says why.
    """
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("")
    for name in names:
        table.add_column(Text(name), justify="right")
    table.add_column("unit")
    remarks: list[str] = []
    for row in rows:
        changes = (None, *row.ratios)
        cells = [
            _compared(value, change, row.unit) for value, change in zip(row.values, changes, strict=True)
        ]
        mark = ""
        if row.refused or row.note:
            remarks.append(row.refused or row.note)
            mark = f" [{len(remarks)}]"
        table.add_row(Text(row.metric + mark), *cells, "" if row.unit in {"tokens", "USD"} else row.unit)
    notes = [Text(f"[{number}] {remark}", style="dim") for number, remark in enumerate(remarks, start=1)]
    return Group(table, *notes)


def _compared(value: float | None, change: float | None, unit: str) -> Text:
    text = Text({"tokens": tokens, "USD": money}.get(unit, figure)(value))
    if change is not None:
        text.append(f"  {change:+.1%}", style="bold" if abs(change) >= 0.0005 else "dim")
    return text


def _strong(row: _Row, text: str) -> Text:
    return Text(text, style="bold" if row.path == "tokenergy_kwh_per_mtok.site" else "")


def _loads(summary: Mapping[str, Any]) -> list[RenderableType]:
    found: list[RenderableType] = []
    services, jobs = pick(summary, "services"), pick(summary, "jobs")
    if isinstance(services, Mapping) and services:
        table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
        table.add_column("service")
        for title in ("tokens", "useful", "SLO", "TTFT p99, s", "ITL p99, ms", "kWh/Mtok"):
            table.add_column(title, justify="right", no_wrap=True)
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
        table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
        table.add_column("job")
        for title in ("tokens", "energy MWh", "finished"):
            table.add_column(title, justify="right", no_wrap=True)
        for name, facts in jobs.items():
            finished = pick(facts, "finished")
            told = ("yes" if finished else "no") if isinstance(finished, bool) else MISSING
            table.add_row(
                Text(str(name)), tokens(pick(facts, "tokens")), figure(pick(facts, "energy_mwh")), told
            )
        found.append(table)
        told_of = [(name, deadline(facts)) for name, facts in jobs.items() if isinstance(facts, Mapping)]
        found += [Text(f" {name}: deadline {told}") for name, told in told_of if told != MISSING]
    return found


def _use(summary: Mapping[str, Any]) -> list[RenderableType]:
    """How much of each service and pod is used: services, and pods that serve none, the emptiest first."""
    told = pick(summary, "utilisation")
    if not isinstance(told, Mapping):
        return []
    lines = [(str(name), pick(facts, "word")) for name, facts in (told.get("services") or {}).items()]
    others = [
        (str(name), facts) for name, facts in (told.get("pods") or {}).items() if "used_frac" not in facts
    ]
    others.sort(key=lambda one: pick(one[1], "power_mean_frac") or 0.0)
    lines += [(f"pod {name}", pick(facts, "word")) for name, facts in others[:_PODS_TOLD]]
    if len(others) > _PODS_TOLD:
        lines.append((f"{len(others) - _PODS_TOLD} more pods", "see utilisation in summary.json"))
    return [Text(f" {name}: {word}") for name, word in lines if word]


def _performance(summary: Mapping[str, Any]) -> str:
    wall = figure(pick(summary, "performance.wall_s"), 3)
    memory = figure(pick(summary, "performance.peak_rss_mb"), 3)
    return f"{wall} s, {memory} MB at most"
