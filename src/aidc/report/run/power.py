"""Power over time: who drew it, and where it came from."""

from __future__ import annotations

import plotly.graph_objects as go

from aidc.report.blocks import Block, Chart, Note, Section
from aidc.report.lines import FloatArray, band, budget, limit, stack, trace
from aidc.report.run.view import View
from aidc.report.style import COLOURS, PODS, layout, range_buttons
from aidc.report.tree import pick

__all__ = ["power_section"]


def power_section(view: View) -> Section:
    """Stacked consumption with the sources as lines, and the IT power of each pod."""
    blocks: list[Block] = []
    if view.time_ms.size < 1:
        blocks.append(Note("The run has no output steps."))
    else:
        blocks.append(_stack_chart(view))
        blocks.append(_sources_chart(view))
        if view.pod_names:
            blocks.append(_pods_chart(view))
    return Section(
        "power",
        "Power",
        "Power",
        "Means over each output step. Drag across a chart to zoom, double-click to see all; every time axis of "
        "this report follows. Long runs are thinned for the screen with the extremes of each bucket kept; all "
        "samples are in series.parquet and pods.parquet.",
        blocks,
    )


def layers(view: View) -> dict[str, tuple[FloatArray, str]]:
    """The site's consumption in MW by kind, from the tokens outward."""
    accelerator, server, it = view.mw("accelerator_w"), view.mw("server_w"), view.mw("it_w")
    found: dict[str, tuple[FloatArray, str]] = {}
    if accelerator is not None:
        found["accelerators"] = (accelerator, COLOURS["accelerator"])
        if server is not None:
            found["server overhead"] = (server - accelerator, COLOURS["server"])
            if it is not None:
                found["network"] = (it - server, COLOURS["network"])
    elif it is not None:
        found["IT"] = (it, COLOURS["accelerator"])
    for name, column, colour in (
        ("conversion loss", "conversion_loss_w", "conversion"),
        ("cooling", "cooling_w", "cooling"),
        ("auxiliaries", "auxiliary_w", "auxiliary"),
        ("load bank", "load_bank_w", "genset"),
    ):
        values = view.mw(column)
        if values is not None and (values.any() or name != "load bank"):
            found[name] = (values, COLOURS[colour])
    return found


def _stack_chart(view: View) -> Chart:
    time_ms = view.time_ms
    drawn = go.Figure(stack(time_ms, layers(view), "MW"))
    imported = view.mw("grid_import_w")
    if imported is not None:
        drawn.add_trace(trace(time_ms, imported, "grid import", COLOURS["grid"], unit="MW", width=1.8))
    _add_import_limit(drawn, view)
    layout(drawn, 500, y_titles=("MW",))
    window_ms = float(time_ms[-1] - time_ms[0] + 1e3 * view.dt_s[-1])
    drawn.update_xaxes(
        rangeselector={"buttons": range_buttons(window_ms), "y": 1.0, "yanchor": "bottom", "x": 0},
        rangeslider={"visible": True, "thickness": 0.11},
    )
    drawn.update_layout(margin={"t": 34})
    return Chart(
        "power-stack",
        "Consumption by kind, and grid import",
        drawn,
        500,
        "Where the import runs below the areas, PV, wind or a storage supplies the rest; where it runs above, "
        "a storage charges.",
        linked=True,
    )


def _sources_chart(view: View) -> Chart:
    time_ms = view.time_ms
    drawn = go.Figure()
    imported, exported = view.mw("grid_import_w"), view.mw("grid_export_w")
    low, high = view.mw("grid_import_min_w"), view.mw("grid_import_max_w")
    if low is not None and high is not None:
        drawn.add_traces(band(time_ms, low, high, "min to max within the step", COLOURS["grid"]))
    if imported is not None:
        net = imported if exported is None else imported - exported
        drawn.add_trace(trace(time_ms, net, "net grid import", COLOURS["grid"], unit="MW"))
    for name, column, colour in (
        ("PV", "pv_w", "pv"),
        ("wind", "wind_w", "wind"),
        ("gensets", "genset_w", "genset"),
    ):
        values = view.mw(column)
        if values is not None and values.any():
            drawn.add_trace(trace(time_ms, values, name, COLOURS[colour], unit="MW"))
    for place, name in enumerate(view.storages):
        values = view.mw(f"storage.{name}.power_w")
        if values is not None:
            dash = ("solid", "dot", "dash", "dashdot")[place % 4]
            text = f"storage {name} (charging +)"
            drawn.add_trace(trace(time_ms, values, text, COLOURS["storage"], unit="MW", dash=dash))
    for name, column in (("not supplied", "unserved_w"), ("curtailed", "curtailed_w")):
        values = view.mw(column)
        if values is not None and values.any():
            colour = COLOURS["limit"] if name == "not supplied" else COLOURS["ambient"]
            drawn.add_trace(trace(time_ms, values, name, colour, unit="MW", dash="dot"))
    _add_import_limit(drawn, view)
    layout(drawn, 340, y_titles=("MW",))
    note = "The band holds the least and the greatest net import within each output step."
    return Chart("power-sources", "Sources and storage", drawn, 340, note, linked=True)


def _pods_chart(view: View) -> Chart:
    drawn = go.Figure()
    for place, name in enumerate(view.drawn_pods):
        values = view.pod(name, "it_w")
        if values is not None:
            colour = PODS[place % len(PODS)]
            drawn.add_trace(
                trace(
                    view.time_ms,
                    values / 1e6,
                    f"pod {name}",
                    colour,
                    unit="MW",
                    width=1.3,
                    points=budget(len(view.drawn_pods)),
                )
            )
    layout(drawn, 320, y_titles=("MW",))
    return Chart(
        "power-pods", "IT power of each pod, at the rack inlet", drawn, 320, view.drawn_note, linked=True
    )


def _add_import_limit(drawn: go.Figure, view: View) -> None:
    limit_mw = pick(view.site, "grid.import_limit_mw")
    if isinstance(limit_mw, (int, float)):
        drawn.add_trace(limit(view.time_ms, float(limit_mw), "import limit", COLOURS["limit"]))
