"""Supply: who carried the site, which pods were shed and for how long, and what the gensets did."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from aidc.measure.meta import mapping
from aidc.report.blocks import Block, Chart, Column, Section, Table, trimmed
from aidc.report.lines import FloatArray, budget, stack, trace
from aidc.report.run.supplied import availability, genset_words, short_words
from aidc.report.run.view import PODS_DRAWN, View
from aidc.report.style import COLOURS, PODS, layout
from aidc.report.text import MISSING, figure, label, money, percent
from aidc.report.tree import pick

__all__ = ["supply_section"]

_MOST_SPANS = 400  # of one pod: thinner ones than its screen can show are joined by it anyway


def supply_section(view: View) -> Section:
    """Sources stacked over time, shed spans, states of charge, availability and gensets."""
    blocks: list[Block] = []
    if view.time_ms.size:
        found = (_sources_chart(view), _shed_chart(view), _charge_chart(view))
        blocks += [chart for chart in found if chart is not None]
    blocks += [table for table in (_availability_table(view), _gensets_table(view)) if table is not None]
    words = short_words(view.summary)
    told = [*words, *genset_words(view.summary)]
    lead = "".join(f"{_sentence(word)}. " for word in told)
    if not words:
        lead = f"All that pods wanted was supplied. {lead}"
    return Section("supply", "Supply", "Supply", lead.strip(), blocks)


def _sentence(words: str) -> str:
    """With a capital, unless it begins with the name of something in the site file."""
    return words if "." in words.split(" ", maxsplit=1)[0] else words[:1].upper() + words[1:]


def _sources_chart(view: View) -> Chart | None:
    layers: dict[str, tuple[FloatArray, str]] = {}
    for name, column, colour in (
        ("grid", "grid_import_w", "bus"),
        ("PV", "pv_w", "pv"),
        ("wind", "wind_w", "wind"),
        ("gensets", "genset_w", "genset"),
    ):
        values = view.mw(column)
        if values is not None and values.any():
            layers[name] = (values, COLOURS[colour])
    for place, name in enumerate(view.storages):
        values = view.mw(f"storage.{name}.discharge_w")
        if values is not None and values.any():
            layers[f"{name} discharging"] = (values, PODS[(3 + 2 * place) % len(PODS)])
    if not layers:
        return None
    drawn = go.Figure(stack(view.time_ms, layers, "MW"))
    wanted = view.mw("wanted_w")
    if wanted is not None:
        drawn.add_trace(
            trace(view.time_ms, wanted, "wanted", COLOURS["grid"], unit="MW", width=1.6, dash="dot")
        )
    dead = _dead_spans(view)
    if dead:
        drawn.add_trace(
            go.Scatter(
                x=[edge for start, end in dead for edge in (start, end, None)],
                y=[level for _ in dead for level in (0.0, 0.0, None)],
                name="bus dead",
                mode="lines+markers",
                line={"color": COLOURS["limit"], "width": 6},
                marker={"size": 6},
                hovertemplate="nothing forms the bus",
            )
        )
    layout(drawn, 360, y_titles=("MW",))
    note = (
        "Wanted is what all consumers would draw with every pod on. Where the areas rise above it a storage charges, "
        "energy is exported or a load bank heats; where they stay below it something is not supplied."
    )
    return Chart("supply-sources", "Who carried the site", drawn, 360, note, linked=True)


def _shed_chart(view: View) -> Chart | None:
    """A bar for every span in which a pod was shed, a row for each pod that was."""
    spans = {name: found for name in view.pod_names if (found := _spans(view, name))}
    if not spans:
        return None
    names = sorted(spans, key=lambda name: -sum(end - start for start, end in spans[name]))[:PODS_DRAWN]
    names = [name for name in view.pod_names if name in names]
    drawn = go.Figure()
    for name in names:
        edges = [edge for start, end in spans[name] for edge in (start, end, None)]
        rows = [row for _ in spans[name] for row in (label(name), label(name), None)]
        drawn.add_trace(
            go.Scatter(
                x=edges,
                y=rows,
                name=f"pod {label(name)}",
                mode="lines",
                line={"color": COLOURS["limit"], "width": 10},
                connectgaps=False,
                showlegend=False,
                hovertemplate="shed",
            )
        )
    height = 90 + 26 * len(names)
    layout(drawn, height)
    first, last = float(view.time_ms[0]), float(view.time_ms[-1] + 1e3 * view.dt_s[-1])
    drawn.update_xaxes(range=[first, last])
    drawn.update_yaxes(type="category", categoryorder="array", categoryarray=[label(n) for n in names[::-1]])
    left = len(spans) - len(names)
    note = "From the first output step in which a pod was shed to the last; coming back counts."
    note += f" {left} more pods are in pods.parquet." if left else ""
    return Chart("supply-shed", "Load shed, by pod", drawn, height, note, linked=True)


def _spans(view: View, name: str) -> list[tuple[float, float]]:
    """Start and end of each span of being shed, in milliseconds since 1970."""
    shed = view.pod(name, "shed_frac")
    if shed is None or not shed.any():
        return []
    return _edges(view, shed > 0)


def _dead_spans(view: View) -> list[tuple[float, float]]:
    formed = view.column("bus_formed_frac")
    return [] if formed is None else _edges(view, formed < 1.0 - 1e-9)


def _edges(view: View, holds: NDArray[np.bool_]) -> list[tuple[float, float]]:
    """Start and end of each span of output steps in which a condition holds, the longest of very many."""
    on = np.concatenate([[False], holds, [False]])
    places = np.flatnonzero(on[1:] != on[:-1]).reshape(-1, 2)
    ends = view.time_ms + 1e3 * view.dt_s
    found = [(float(view.time_ms[first]), float(ends[last - 1])) for first, last in places]
    return sorted(sorted(found, key=lambda one: one[0] - one[1])[:_MOST_SPANS])


def _charge_chart(view: View) -> Chart | None:
    known = [
        (name, values)
        for name in view.storages
        if (values := view.column(f"storage.{name}.soc_frac")) is not None
    ]
    if not known:
        return None
    drawn = go.Figure()
    for place, (name, values) in enumerate(known):
        colour = PODS[(3 + 2 * place) % len(PODS)]
        drawn.add_trace(
            trace(view.time_ms, 100.0 * values, name, colour, unit="%", points=budget(len(known)))
        )
    layout(drawn, 240, y_titles=("SOC, %",))
    drawn.update_yaxes(range=[0, 102])
    note = "Storages in the lineups carry their own pods; those at the site carry the bus."
    return Chart("supply-charge", "State of charge of the storages", drawn, 240, note, linked=True)


def _availability_table(view: View) -> Table | None:
    told = mapping(view.summary.get("supply"))
    if told.get("availability_frac") is None:
        return None
    rows = [_supplied("site", told)]
    for group, word in (("services", "service"), ("jobs", "job"), ("pods", "pod")):
        rows += [_supplied(f"{word} {name}", facts) for name, facts in mapping(told.get(group)).items()]
    columns = [Column("of"), *(Column(title, numeric=True) for title in _TITLES)]
    note = (
        "Not supplied is what a pod would have drawn had it not been shed, less what it drew; coming back counts. "
        "Available is a pod with supply that is not shut down for heat, idle or not; several pods by their "
        "nameplates. The hours of several pods are those in which any of them was concerned."
    )
    return Table("availability", "Availability", columns, rows, note, tall=len(rows) > 20)


_TITLES = ("availability", "not supplied, MWh", "not supplied, h", "times shed", "shut down for heat, h")


def _supplied(name: str, facts: Any) -> list[str]:
    return [
        name,
        availability(pick(facts, "availability_frac")),
        figure(pick(facts, "energy_not_supplied_mwh")),
        figure(pick(facts, "time_not_supplied_h")),
        figure(pick(facts, "shed_count")),
        figure(pick(facts, "tripped_h")),
    ]


def _gensets_table(view: View) -> Table | None:
    told = mapping(view.summary.get("gensets"))
    if not told:
        return None
    titles = (
        "energy, MWh",
        "ran, h",
        "starts",
        "fuel, MWh",
        "efficiency",
        "fuel left, MWh",
        "lasts, h",
        "carbon, kg",
        "fuel cost",
    )
    columns = [Column("gensets"), *(Column(title, numeric=True) for title in titles)]
    rows = [[str(name), *_genset(mapping(facts))] for name, facts in told.items()]
    note = (
        "Fuel by its lower heating value. What is left lasts that long at the mean burn while they ran; "
        f"{MISSING} where the tank has no end or nothing ran."
    )
    return trimmed(Table("gensets", "Gensets", columns, rows, note))


def _genset(facts: Mapping[str, Any]) -> list[str]:
    return [
        *(figure(facts.get(key)) for key in ("energy_mwh", "running_h", "starts", "fuel_mwh")),
        percent(facts.get("mean_efficiency_frac"), 3),
        *(figure(facts.get(key)) for key in ("fuel_left_mwh", "autonomy_h", "carbon_kg")),
        money(facts.get("fuel_cost_usd")),
    ]
