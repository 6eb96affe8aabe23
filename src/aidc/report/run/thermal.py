"""Heat and temperatures: the cooling plants, the cases, the weather, the water."""

from __future__ import annotations

from collections import Counter

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from aidc.measure.meta import mapping
from aidc.report.blocks import Block, Chart, Column, Note, Section, Table
from aidc.report.lines import budget, limit, stack, trace
from aidc.report.run.view import View
from aidc.report.style import COLOURS, PODS, layout
from aidc.report.text import figure, percent
from aidc.units import KELVIN_AT_0C

__all__ = ["thermal_section"]

_COMPONENTS = {
    "pump_facility": ("facility pumps", "#2a9d96"),
    "pump_cdu": ("CDU pumps", "#5cc0ba"),
    "fan": ("fans", "#2563b0"),
    "chiller": ("chillers", "#8e63b8"),
    "crah": ("CRAH fans", "#9cc4ec"),
}


def thermal_section(view: View) -> Section:
    """Plant temperatures against the weather, case temperatures against their limits, heat and water."""
    blocks: list[Block] = []
    if view.time_ms.size:
        blocks = [
            block
            for block in (
                _plants_chart(view),
                _cases_chart(view),
                _heat_chart(view),
                _electricity_chart(view),
            )
            if block is not None
        ]
        if view.plants:
            blocks.append(_plants_table(view))
    if not blocks:
        blocks = [Note("The run recorded no temperatures.")]
    lead = "Coolant temperatures at the plants and at the racks, and the way the heat leaves the site."
    return Section("heat", "Heat", "Heat and temperatures", lead, blocks)


def _plants_chart(view: View) -> Chart | None:
    drawn = go.Figure()
    for name, column, colour in (
        ("dry bulb", "dry_bulb_k", COLOURS["ambient"]),
        ("wet bulb", "wet_bulb_k", COLOURS["water"]),
    ):
        values = view.celsius(column)
        if values is not None:
            drawn.add_trace(trace(view.time_ms, values, name, colour, unit="°C", width=1.2, dash="dot"))
    for place, plant in enumerate(view.plants):
        colour = PODS[place % len(PODS)]
        for side, dash in (("supply", "solid"), ("return", "dash")):
            values = view.celsius(f"cooling.{plant}.{side}_k")
            if values is not None:
                text = f"{plant} {side}"
                drawn.add_trace(trace(view.time_ms, values, text, colour, unit="°C", dash=dash))
    if not drawn.data:
        return None
    layout(drawn, 340, y_titles=("°C",))
    return Chart("plant-temps", "Cooling plants and weather", drawn, 340, linked=True)


def _cases_chart(view: View) -> Chart | None:
    drawn = go.Figure()
    limits: dict[str, float] = {}
    for place, pod in enumerate(view.drawn_pods):
        values = view.pod(pod, "case_k")
        if values is None:
            continue
        colour = PODS[place % len(PODS)]
        drawn.add_trace(
            trace(
                view.time_ms,
                values - KELVIN_AT_0C,
                f"pod {pod}",
                colour,
                unit="°C",
                width=1.3,
                points=budget(len(view.drawn_pods)),
            )
        )
        limit_c = view.pod_fact(pod, "case_limit_c")
        if isinstance(limit_c, (int, float)):
            limits[pod] = float(limit_c)
    if not drawn.data:
        return None
    for limit_c, count in Counter(limits.values()).items():
        pods = ", ".join(pod for pod, value in limits.items() if value == limit_c)
        text = "case limit" if count == len(view.drawn_pods) else f"case limit {pods}"
        drawn.add_trace(limit(view.time_ms, limit_c, f"{text} ({limit_c:g} °C)", COLOURS["limit"]))
    layout(drawn, 340, y_titles=("°C",))
    note = "The highest case temperature within each output step. At the limit, the accelerators throttle."
    note = f"{note} {view.drawn_note}".strip()
    return Chart("case-temps", "Accelerator case temperature", drawn, 340, note, linked=True)


def _heat_chart(view: View) -> Chart | None:
    layers = {
        name: (values, COLOURS[colour])
        for name, column, colour in (
            ("rejected by the plants", "heat_rejected_w", "heat"),
            ("reused", "heat_reused_w", "reuse"),
            ("lost outdoors by equipment", "heat_ambient_w", "ambient"),
        )
        if (values := view.mw(column)) is not None and values.any()
    }
    if not layers:
        return None
    areas = stack(view.time_ms, layers, "MW")
    water = view.hourly_m3("water_kg_s")
    if water is None or not water.any():
        drawn = layout(go.Figure(areas), 300, y_titles=("MW",))
        return Chart("heat-paths", "Where the heat goes", drawn, 300, linked=True)
    drawn = make_subplots(rows=2, shared_xaxes=True, vertical_spacing=0.06, row_heights=[0.7, 0.3])
    drawn.add_traces(areas, rows=1, cols=1)
    drawn.add_trace(trace(view.time_ms, water, "water used", COLOURS["water"], unit="m³/h"), row=2, col=1)
    layout(drawn, 420, y_titles=("MW", "m³/h"))
    return Chart("heat-paths", "Where the heat goes, and the water it takes", drawn, 420, linked=True)


def _electricity_chart(view: View) -> Chart | None:
    layers = {}
    for component, (text, colour) in _COMPONENTS.items():
        found = [view.mw(f"cooling.{plant}.{component}_w") for plant in view.plants]
        known = [values for values in found if values is not None]
        if known and np.any(total := np.sum(known, axis=0)):
            layers[text] = (total, colour)
    if not layers:
        return None
    drawn = layout(go.Figure(stack(view.time_ms, layers, "MW")), 280, y_titles=("MW",))
    return Chart("cooling-power", "Electricity of the cooling plants", drawn, 280, linked=True)


def _plants_table(view: View) -> Table:
    columns = [Column("plant")] + [
        Column(title, numeric=True)
        for title in (
            "heat, MWh",
            "electricity, MWh",
            "of the heat",
            "supply max, °C",
            "return max, °C",
            "set point not held, min",
            "most above it, K",
            "water, m³",
        )
    ]
    rows: list[list[str]] = []
    for plant in view.plants:
        told = view.told("cooling_mwh", plant)
        heat = told.get("heat")
        power = sum(float(told.get(part) or 0.0) for part in _COMPONENTS)
        used = mapping(view.summary.get("water_by_plant_m3")).get(plant)
        tops = [_top(view, f"cooling.{plant}.{side}_k") for side in ("supply", "return")]
        share = percent(power / heat, 3) if heat else figure(None)
        held = view.told("cooling", plant)
        missed = [figure(held.get(key), 3) for key in ("not_held_min", "worst_above_k")]
        rows.append([plant, figure(heat), figure(power), share, *tops, *missed, figure(used)])
    return Table("plants", "Cooling plants", columns, rows)


def _top(view: View, column: str) -> str:
    values = view.celsius(column)
    return (
        figure(float(np.nanmax(values))) if values is not None and np.isfinite(values).any() else figure(None)
    )
