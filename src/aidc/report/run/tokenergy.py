"""The TokEnergy Index: energy per token, boundary by boundary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from aidc.measure.meta import mapping
from aidc.report.blocks import Block, Chart, Column, Note, Section, Table, trimmed
from aidc.report.run.view import View, conditions
from aidc.report.style import COLOURS, layout
from aidc.report.text import figure, money, percent
from aidc.report.text import span as window_span
from aidc.report.tree import pick

__all__ = ["Factors", "factors_of", "tokenergy_section"]


@dataclass(frozen=True, slots=True)
class Factors:
    """TEI = accelerator · server · it · site · useful; the first in kWh per million tokens."""

    accelerator: float
    server: float
    it: float
    site: float
    useful: float

    @property
    def steps(self) -> tuple[float, float, float, float, float]:
        """The index after each factor, in kWh per million tokens."""
        server = self.accelerator * self.server
        it = server * self.it
        site = it * self.site
        return self.accelerator, server, it, site, site * self.useful


def factors_of(told: Any) -> Factors | None:
    """The factors from the summary or a part of it; None where no token was made."""
    given = pick(told, "tokenergy_factors")
    values = [pick(given, name) for name in ("accelerator_kwh_per_mtok", "server", "it", "site", "useful")]
    known = [float(value) for value in values if isinstance(value, (int, float)) and value > 0]
    return Factors(*known) if len(known) == len(values) else None


def tokenergy_section(view: View) -> Section:
    """Waterfalls of the site and of each service, the factors, and what stands beside the index."""
    services = {str(name): told for name, told in mapping(view.summary.get("services")).items()}
    found = {name: factors for name, told in services.items() if (factors := factors_of(told)) is not None}
    site = factors_of(view.summary)
    drawn = list(found.items())
    if site is not None and len(drawn) != 1:
        drawn.insert(0, ("All services", site))
    top = max((factors.steps[-1] for _, factors in drawn), default=0.0)
    blocks: list[Block] = [
        _waterfall(f"tei-{place}", name, factors, top, span)
        for place, ((name, factors), span) in enumerate(zip(drawn, _spans(len(drawn)), strict=True))
    ]
    if drawn:
        blocks.append(_table(view, drawn))
    else:
        blocks.append(Note("No useful token was produced in this window, so there is no energy per token."))
    blocks += _beside(view)
    lead = (
        "Site energy per million useful output tokens, lower is better: TEI = (E accelerator / N all) · (E server / "
        "E accelerator) · (E IT / E server) · (E site / E IT) · (N all / N useful). On-site generation does not shrink "
        "the energy. The site's index counts the share of its services alone; training has its own."
    )
    return Section("tokenergy", "TokEnergy", "TokEnergy Index", lead, blocks)


def _spans(count: int) -> list[int]:
    """Widths in sixths that fill each row: pairs, with one row of three where the count is odd."""
    if count == 1:
        return [6]
    return [2, 2, 2] + [3] * (count - 3) if count % 2 else [3] * count


def _waterfall(key: str, name: str, factors: Factors, top: float, span: int) -> Chart:
    accelerator, server, it, site, useful = factors.steps
    bars = (
        ("accelerator", "absolute", accelerator, accelerator),
        ("server overhead", "relative", server - accelerator, server),
        ("network", "relative", it - server, it),
        ("site overhead", "relative", site - it, site),
        ("late tokens", "relative", useful - site, useful),
        ("per useful token", "total", 0.0, useful),
    )
    texts = [figure(bars[0][2], 3), *(f"+{figure(bar[2], 3)}" for bar in bars[1:-1]), figure(useful, 4)]
    drawn = go.Figure(
        go.Waterfall(
            orientation="h",
            y=[bar[0] for bar in bars],
            measure=[bar[1] for bar in bars],
            x=[bar[2] for bar in bars],
            text=texts,
            textposition="outside",
            cliponaxis=False,
            customdata=[bar[3] for bar in bars],
            hovertemplate="%{y}: %{text} kWh/Mtok<br>up to here %{customdata:.4~g} kWh/Mtok<extra></extra>",
            connector={"line": {"color": COLOURS["auxiliary"], "width": 1}},
            increasing={"marker": {"color": COLOURS["server"]}},
            decreasing={"marker": {"color": COLOURS["good"]}},
            totals={"marker": {"color": COLOURS["accelerator"]}},
        )
    )
    layout(drawn, 250, time=False)
    drawn.update_layout(showlegend=False, margin={"t": 4, "b": 40}, bargap=0.3)
    drawn.update_xaxes(title={"text": "kWh per million tokens", "font": {"size": 11}}, showgrid=True)
    drawn.update_xaxes(range=[0, 1.4 * top])
    drawn.update_yaxes(autorange="reversed", showgrid=False, fixedrange=True)
    return Chart(key, name, drawn, 250, span=span)


def _table(view: View, drawn: Sequence[tuple[str, Factors]]) -> Table:
    held = {load.name: conditions(load) for load in view.facts.of_kind("service")}
    columns = [Column("service"), Column("conditions", wrap=True)] + [
        Column(title, numeric=True)
        for title in (
            "E acc / N all, kWh/Mtok",
            "× E server / E acc",
            "× E IT / E server",
            "× E site / E IT",
            "× N all / N useful",
            "= TEI, kWh/Mtok",
            "J/token",
        )
    ]
    rows: list[Sequence[str]] = []
    for name, factors in drawn:
        index = factors.steps[-1]
        numbers = (
            factors.accelerator,
            factors.server,
            factors.it,
            factors.site,
            factors.useful,
            index,
            3.6 * index,
        )
        rows.append([name, held.get(name, ""), *(figure(number) for number in numbers)])
    return Table("factors", "Factors", columns, rows, f"Window: {_window(view)}.")


def _beside(view: View) -> list[Block]:
    """Cost, carbon, water and renewable share per million tokens: beside the index, never inside it."""
    parts: list[tuple[str, Any]] = [("All services, useful tokens", view.summary)]
    parts += [
        (f"{name}, useful tokens", told) for name, told in mapping(view.summary.get("services")).items()
    ]
    parts += [(f"{name}, trained tokens", told) for name, told in mapping(view.summary.get("jobs")).items()]
    rows: list[list[str]] = []
    for name, told in parts:
        beside = mapping(pick(told, "per_mtok"))
        if any(value is not None for key, value in beside.items() if key != "renewable_frac"):
            rows.append(
                [
                    name,
                    figure(pick(told, "tokenergy_kwh_per_mtok.site")),
                    money(beside.get("energy_cost_usd")),
                    money(beside.get("cost_usd")),
                    figure(beside.get("carbon_kg")),
                    figure(beside.get("carbon_marginal_kg")),
                    figure(beside.get("water_l")),
                    percent(beside.get("renewable_frac"), 3),
                ]
            )
    if not rows:
        return []
    columns = [Column("per million tokens")] + [
        Column(title, numeric=True)
        for title in (
            "kWh",
            "energy cost",
            "with demand charge",
            "kg CO₂",
            "kg CO₂, marginal",
            "l water",
            "own PV and wind",
        )
    ]
    return [trimmed(Table("beside", "Beside the index", columns, rows))]


def _window(view: View) -> str:
    return window_span(pick(view.summary, "window.start"), pick(view.summary, "window.end"))
