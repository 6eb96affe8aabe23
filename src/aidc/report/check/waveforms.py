"""The waveforms of one window: charts on one time axis, with the rule's limits where it is a fault."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from aidc.record.waveform import CHANNELS, FloatArray, Mark, Waveform
from aidc.report.blocks import Block, Chart, Heading, Note
from aidc.report.check.channels import SHOWN, shown
from aidc.report.check.curve import Curve, curves_of, envelope, fault_start_s, recovered_band
from aidc.report.decimate import extremes
from aidc.report.lines import LINE_POINTS, trace
from aidc.report.style import COLOURS, fade, layout
from aidc.report.text import duration, label
from aidc.schema.code import Clause
from aidc.study.windows.verdicts import NamedWindow

__all__ = ["lines_of", "window_blocks"]

_SHARP: Final = 2.0**24  # float32 tells so many steps apart
_MARKS_NAMED: Final = 4
_LONG: Final = 4.0  # a window so many times as long as what is marked in it opens on the marks
_LINE_COLOURS: Final[Mapping[str, tuple[str, str]]] = {
    "v1_pu": (COLOURS["accelerator"], "solid"),
    "v_pn_min_pu": (COLOURS["cooling"], "solid"),
    "v_pn_max_pu": (COLOURS["cooling"], "dot"),
    "v_pp_min_pu": (COLOURS["storage"], "solid"),
    "v_pp_max_pu": (COLOURS["storage"], "dot"),
    "v2_pu": (COLOURS["genset"], "dash"),
    "v0_pu": (COLOURS["ambient"], "dash"),
    "v_bus_pu": (COLOURS["server"], "dash"),
    "v_wave_pu": (COLOURS["accelerator"], "solid"),
    "p_w": (COLOURS["accelerator"], "solid"),
    "q_var": (COLOURS["storage"], "solid"),
    "frequency_hz": (COLOURS["cooling"], "solid"),
    "dc_bus_pu": (COLOURS["heat"], "solid"),
    "connected_frac": (COLOURS["grid"], "solid"),
    "it_demand_w": (COLOURS["auxiliary"], "dash"),
    "it_served_w": (COLOURS["accelerator"], "solid"),
    "storage_w": (COLOURS["storage"], "solid"),
    "battery_w": (COLOURS["pv"], "solid"),
    "genset_w": (COLOURS["genset"], "solid"),
    "soc_frac": (COLOURS["good"], "solid"),
    "cooling_w": (COLOURS["cooling"], "dot"),
}
_NEAR: Final[Mapping[str, float]] = {"pu": 0.02, "Hz": 0.02, "MW": 0.1, "Mvar": 0.1, "%": 5.0}
"""The least height of an axis: what moves less is drawn flat, not blown up to fill the chart."""


@dataclass(frozen=True, slots=True)
class _Panel:
    """One chart: rows of channels under each other."""

    key: str
    title: str
    rows: Sequence[Sequence[str]]
    height_px: int
    wide: bool = False


_RMS_VOLTAGES: Final = ("v1_pu", "v_pn_min_pu", "v_pn_max_pu", "v_pp_min_pu", "v_pp_max_pu", "v2_pu", "v0_pu")
_PANELS: Final = (
    _Panel("v", "Voltage", (_RMS_VOLTAGES,), 320, wide=True),
    _Panel("p", "Active power, import positive", (("p_w",),), 280, wide=True),
    _Panel("q", "Reactive power, import positive", (("q_var",),), 230),
    _Panel("f", "Frequency", (("frequency_hz",),), 230),
    _Panel("load", "Load kept", (("connected_frac",), ("it_demand_w", "it_served_w", "cooling_w")), 330),
    _Panel(
        "store",
        "Storage, batteries, generator sets",
        (("storage_w", "battery_w", "genset_w"), ("soc_frac",)),
        330,
    ),
    _Panel("dc", "DC bus, lowest of any lineup", (("dc_bus_pu",),), 230),
    _Panel("wave", "Instantaneous voltage of one phase", (("v_wave_pu",),), 230),
)
_DRAWN: Final = frozenset(name for panel in _PANELS for row in panel.rows for name in row) | {
    "angle_rad",
    "v_bus_pu",
}
_SAME_PU: Final = 1e-6


def lines_of(window: NamedWindow) -> int:
    """How many lines of a window take more than two points in the file."""
    moving = sum(
        name in _DRAWN and not _flat(np.asarray(values)) for name, values in window.waveform.channels.items()
    )
    return moving + (2 if window.reference is not None else 0)


def window_blocks(
    window: NamedWindow, place: int, clauses: Sequence[Clause], points: int = LINE_POINTS
) -> list[Block]:
    """A heading and the charts of one window; channels that it lacks are left out.

    Parameters
    ----------
    window, place
        The window, and its number on the page.
    clauses
        Of the rule sets that the window was judged by; their ride-through curves are drawn from the start
        of a fault on, their recovery thresholds after it.
    points
        Most samples of a line.
    """
    if not len(window.waveform):
        return [Heading(window.title, window.note), Note("This window holds no samples.")]
    view = _View(window, place, points, clauses)
    charts = [chart for panel in _PANELS if (chart := _chart(view, panel)) is not None]
    narrow = [k for k, chart in enumerate(charts) if chart.span == 3]
    if len(narrow) % 2:
        charts[narrow[-1]] = replace(charts[narrow[-1]], span=6)
    heading = Heading(window.title, view.told)
    return [heading, *charts] if charts else [heading, Note("None of this window's channels can be drawn.")]


class _View:
    """A window with what all its charts share."""

    def __init__(self, window: NamedWindow, place: int, points: int, clauses: Sequence[Clause]) -> None:
        self.window, self.place, self.points, self.clauses = window, place, points, clauses
        self.waveform = window.waveform
        self.marks: tuple[Mark, ...] = window.marks or window.waveform.marks
        self.start_s = self.waveform.first_tick * float(self.waveform.step_s)
        self.end_s = self.start_s + self.waveform.duration_s

    @cached_property
    def fault_s(self) -> float | None:
        return fault_start_s(self.waveform, self.marks, self.clauses)

    @cached_property
    def curves(self) -> list[Curve]:
        """Voltage curves that hold at this measuring point, where there is a fault to hold them against."""
        if self.fault_s is None:
            return []
        return [
            curve
            for curve in curves_of(self.clauses)
            if curve.quantity == "voltage" and curve.clause.location == self.waveform.location
        ]

    @cached_property
    def focus_s(self) -> tuple[float, float] | None:
        """The stretch that the charts open on: around the marks of a window that is much longer than they."""
        inside = [mark for mark in self.marks if mark.end_s >= self.start_s and mark.start_s <= self.end_s]
        if not inside:
            return None
        first = min(mark.start_s for mark in inside)
        last = max(min(mark.end_s, self.end_s) for mark in inside)
        room = max(0.5 * (last - first), 1.0)
        low, high = max(first - room, self.start_s), min(last + 3 * room, self.end_s)
        return (low, high) if self.end_s - self.start_s > _LONG * (high - low) else None

    @property
    def told(self) -> str:
        """The window's own note, its step, and how it is shown."""
        w = self.waveform
        where = {
            "poi": "the point of interconnection",
            "ups-input": "the UPS input",
            "psu-terminals": "the PSU terminals",
        }
        parts = [self.window.note.rstrip(".")] if self.window.note else []
        parts.append(
            f"{duration(self.end_s - self.start_s)} at a step of {duration(float(w.step_s))}, at {where[w.location]}"
        )
        if self.focus_s is not None:
            parts.append(
                f"Opens on {self.focus_s[0]:.3g} to {self.focus_s[1]:.3g} s: double-click a chart to see all"
            )
        if self.balanced and "v_pn_min_pu" in w and "v1_pu" in w:
            parts.append("The voltage is balanced throughout: all phases are alike")
        left = sorted(name for name in w.channels if name not in _DRAWN)
        if left:
            parts.append(f"Not drawn: {', '.join(CHANNELS.get(name, name) for name in left)}")
        return ". ".join(part[:1].upper() + part[1:] for part in parts) + "."

    @cached_property
    def balanced(self) -> bool:
        """Whether every phase voltage is the positive sequence, so that one line shows them all."""
        w = self.waveform
        if "v1_pu" not in w:
            return False
        phases = [w[name] for name in _RMS_VOLTAGES[1:5] if name in w]
        return all(np.allclose(phase, w["v1_pu"], rtol=0, atol=_SAME_PU, equal_nan=True) for phase in phases)

    def kept(self, values: FloatArray) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Samples to draw: the extremes of all of it, and as many of the stretch in focus."""
        if _flat(values):
            return np.unique(np.array([0, values.size - 1], dtype=np.int64))
        if self.focus_s is None or values.size <= self.points:
            return extremes(values, self.points)
        step_s = float(self.waveform.step_s)
        first, last = (int((at - self.start_s) / step_s) for at in self.focus_s)
        near = first + extremes(values[first:last], self.points // 2)
        return np.union1d(extremes(values, self.points // 2), near)

    def line(
        self, waveform: Waveform, channel: str, name: str, colour: str, dash: str, **more: Any
    ) -> go.Scatter:
        """One channel as a trace."""
        values = shown(waveform, channel)
        kept = self.kept(values) if values is not None else np.empty(0, dtype=np.int64)
        values = np.empty(0) if values is None else values
        time_s = waveform.time_s
        if time_s.size and (time_s[-1] + 1) / float(waveform.step_s) < _SHARP / 8:
            time_s = time_s.astype(np.float32)
        return trace(
            time_s,
            values,
            name,
            colour,
            unit=SHOWN[channel].unit,
            dash=dash,
            width=1.5,
            kept=kept,
            form=".5~g",
            **more,
        )


def _flat(values: FloatArray) -> bool:
    return bool(values.size) and bool(values.min() == values.max())


def _chart(view: _View, panel: _Panel) -> Chart | None:
    rows = [[name for name in row if _wanted(view, name)] for row in panel.rows]
    rows = [row for row in rows if row]
    if not rows:
        return None
    drawn = make_subplots(rows=len(rows), shared_xaxes=True, vertical_spacing=0.08)
    for number, row in enumerate(rows, start=1):
        for name in row:
            colour, dash = _LINE_COLOURS[name]
            told = (
                "all phases"
                if name == "v1_pu" and view.balanced
                else SHOWN[name].label.removeprefix("voltage, ")
            )
            above = (
                1 if name == "v1_pu" else 0
            )  # drawn over the phases, which it coincides with outside the fault
            drawn.add_trace(
                view.line(view.waveform, name, told, colour, dash, zorder=above), row=number, col=1
            )
    note = ""
    if panel.key == "v":
        note = _add_curves(drawn, view)
    if panel.key == "p":
        note = _add_reference(drawn, view)
    height = panel.height_px if len(rows) == len(panel.rows) else 230
    layout(drawn, height, y_titles=[_axis_title(row) for row in rows], time=False)
    _dress(drawn, view, rows, one=sum(map(len, rows)) == 1 and len(list(drawn.data)) == 1)
    title = "Load connected" if panel.key == "load" and rows == [["connected_frac"]] else panel.title
    span = 6 if panel.wide else 3
    return Chart(
        f"w{view.place}-{panel.key}",
        title,
        drawn,
        height,
        note,
        linked=True,
        span=span,
        group=f"w{view.place}",
    )


def _wanted(view: _View, name: str) -> bool:
    """Whether a channel has something to show that another line does not show already."""
    values = shown(view.waveform, name)
    if values is None:
        return False
    if name in {"v2_pu", "v0_pu", "battery_w", "storage_w", "genset_w"}:
        return float(np.nanmax(np.abs(values))) > _SAME_PU
    if name.startswith(("v_pn", "v_pp")):
        return not view.balanced
    return True


def _axis_title(row: Sequence[str]) -> str:
    unit = SHOWN[row[0]].unit
    return {"connected_frac": "connected, %", "soc_frac": "SOC, %"}.get(row[0], unit)


def _dress(drawn: go.Figure, view: _View, rows: Sequence[Sequence[str]], *, one: bool) -> None:
    """Time axis, axes that do not blow up noise, shaded marks."""
    drawn.update_layout(hovermode="x unified", showlegend=not one)
    drawn.update_xaxes(
        ticksuffix=" s", hoverformat=".4~f", range=list(view.focus_s or (view.start_s, view.end_s))
    )
    for number, row in enumerate(rows, start=1):
        span = _axis_range(view, row)
        if span is not None:
            drawn.update_yaxes(range=list(span), row=number, col=1)
    for place, mark in enumerate(view.marks):
        most = mark.end_s - mark.start_s > 0.5 * (view.end_s - view.start_s)
        _shade(drawn, mark, 0.04 if most else 0.13, named=place < _MARKS_NAMED)
    if view.marks:
        drawn.update_layout(margin={"t": 26})


def _axis_range(view: _View, row: Sequence[str]) -> tuple[float, float] | None:
    """A fixed axis for shares, and for what moves so little that an automatic one would show noise."""
    if row[0] in {"connected_frac", "soc_frac"}:
        return -5.0, 105.0
    drawn = [view.waveform] if view.window.reference is None else [view.waveform, view.window.reference]
    found = [values for w in drawn for name in row if (values := shown(w, name)) is not None]
    low = min(float(np.nanmin(values)) for values in found)
    high = max(float(np.nanmax(values)) for values in found)
    least, middle = _NEAR[SHOWN[row[0]].unit], 0.5 * (low + high)
    return (middle - least, middle + least) if high - low < least else None


def _shade(drawn: go.Figure, mark: Mark, opacity: float, *, named: bool) -> None:
    colour = COLOURS["limit"] if mark.kind in {"sag", "swell", "fault"} else COLOURS["bus"]
    drawn.add_shape(
        type="rect", xref="x", yref="paper", x0=mark.start_s, x1=mark.end_s, y0=0, y1=1, layer="below",
        fillcolor=fade(colour, opacity), line={"width": 1, "color": fade(colour, 0.45)},
    )  # fmt: skip
    if named:
        drawn.add_annotation(
            text=label(_short(mark.label or mark.kind)), xref="x", yref="paper", x=mark.start_s, y=1, xanchor="left",
            yanchor="bottom", showarrow=False, font={"size": 11, "color": colour},
        )  # fmt: skip


def _short(text: str, most: int = 44) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _add_curves(drawn: go.Figure, view: _View) -> str:
    """The rule's ride-through curve from the start of the fault."""
    if not view.curves or view.fault_s is None:
        return ""
    for number, curve in enumerate(view.curves):
        colour = COLOURS["limit"]
        dash = ("dash", "dot", "dashdot")[number % 3]
        name = (
            "ride-through curve" if len(view.curves) == 1 else f"ride-through curve, {_short(curve.name, 30)}"
        )
        for below in (True, False):
            times, levels = envelope(curve, below=below, until_s=view.end_s - view.fault_s)
            if times.size:
                drawn.add_trace(
                    go.Scatter(
                        x=view.fault_s + times, y=levels, name=name, mode="lines", legendgroup=name, showlegend=below or not curve.below,
                        line={"color": colour, "width": 1.8, "dash": dash, "shape": "hv"}, hoverinfo="skip",
                    )
                )  # fmt: skip
    return (
        "The dashed curve starts with the fault: a site may leave once the voltage has stayed beyond it. It holds for "
        "one contiguous excursion; the verdict counts the time beyond each threshold as the rule does."
    )


def _add_reference(drawn: go.Figure, view: _View) -> str:
    reference = view.window.reference
    if reference is None or "p_w" not in reference or not len(reference):
        return ""
    drawn.add_trace(view.line(reference, "p_w", "without the event", COLOURS["auxiliary"], "dash"))
    found = recovered_band(view.waveform, reference, view.clauses)
    if found is None:
        return "Dashed: the same window without the event."
    kept = view.kept(found.least_w)
    drawn.add_trace(
        trace(
            found.time_s, 1e-6 * found.least_w, "least after recovery", COLOURS["limit"], unit="MW", dash="dot",
            width=1.6, kept=kept,
        )
    )  # fmt: skip
    return f"Dashed: the same window without the event. Dotted: {found.told}."
