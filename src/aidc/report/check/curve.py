"""Ride-through curves: as limits over time from the start of a fault, and with the site's worst case on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import plotly.graph_objects as go

from aidc.measure.grid.excursion import longest, running, stretches
from aidc.measure.grid.ride_through import left_at, voltage_channels
from aidc.record.waveform import FloatArray, Mark, Waveform
from aidc.report.blocks import Chart
from aidc.report.style import COLOURS, PODS, fade, layout
from aidc.report.text import figure, label
from aidc.schema.code import Clause, FrequencyRideThrough, Recovery, VoltageRideThrough
from aidc.study.windows.verdicts import NamedWindow

__all__ = [
    "Curve",
    "RecoveredBand",
    "curve_chart",
    "curves_of",
    "envelope",
    "fault_start_s",
    "recovered_band",
]

FAULTS: Final = frozenset({"sag", "swell", "fault"})
_LEVELS: Final = 160
_CASES: Final = 6
_FLOOR_S: Final = 4e-3


@dataclass(frozen=True, slots=True)
class Curve:
    """A ride-through curve: pairs of level and longest time, from the mildest to the deepest."""

    clause: VoltageRideThrough | FrequencyRideThrough
    quantity: Literal["voltage", "frequency"]
    below: tuple[tuple[float, float], ...]
    above: tuple[tuple[float, float], ...]

    @property
    def name(self) -> str:
        return self.clause.clause

    @property
    def channels(self) -> tuple[str, str]:
        """Channels that levels below and above nominal are held against."""
        if isinstance(self.clause, VoltageRideThrough):
            return voltage_channels(self.clause)
        return "frequency_hz", "frequency_hz"

    @property
    def window_s(self) -> float | None:
        """The window that excursions add up in; None where each counts alone."""
        if isinstance(self.clause, VoltageRideThrough) and self.clause.accumulate == "window":
            return self.clause.window_s
        return None


def curves_of(clauses: Sequence[Clause]) -> list[Curve]:
    """The curves of a rule set."""
    found: list[Curve] = []
    for clause in clauses:
        if isinstance(clause, VoltageRideThrough):
            below, above = (
                zip(clause.below_pu, clause.below_s, strict=True),
                zip(clause.above_pu, clause.above_s, strict=True),
            )
            found.append(Curve(clause, "voltage", _sorted(below, reverse=True), _sorted(above)))
        elif isinstance(clause, FrequencyRideThrough) and (clause.below_hz or clause.above_hz):
            below, above = (
                zip(clause.below_hz, clause.below_s, strict=True),
                zip(clause.above_hz, clause.above_s, strict=True),
            )
            found.append(Curve(clause, "frequency", _sorted(below, reverse=True), _sorted(above)))
    return found


def _sorted(points: zip[tuple[float, float]], *, reverse: bool = False) -> tuple[tuple[float, float], ...]:
    return tuple(sorted(points, reverse=reverse))


def envelope(curve: Curve, *, below: bool, until_s: float) -> tuple[FloatArray, FloatArray]:
    """Times from the start of a contiguous excursion and the level that then ends the duty: steps ("hv").

    After t the duty has ended for what stayed below the greatest threshold whose time is shorter than t
    (above: the least). Before the shortest time it has not ended at any level; the line then lies at 0 pu,
    or begins with that time where the quantity knows no floor.
    """
    points = curve.below if below else curve.above
    within = sorted((limit_s, level) for level, limit_s in points if limit_s <= until_s)
    if not within:
        return np.empty(0), np.empty(0)
    times: list[float] = []
    levels: list[float] = []
    if below and curve.quantity == "voltage" and within[0][0] > 0:
        times, levels = [0.0], [0.0]
    for limit_s, level in within:
        times.append(limit_s)
        mildest = max if below else min
        levels.append(mildest([level, *levels]) if levels else level)
    times.append(until_s)
    levels.append(levels[-1])
    return np.array(times), np.array(levels)


def fault_start_s(waveform: Waveform, marks: Sequence[Mark], clauses: Sequence[Clause]) -> float | None:
    """When the fault began: its mark, or the first crossing of the curve's mildest threshold."""
    starts = [mark.start_s for mark in marks if mark.kind in FAULTS]
    if starts:
        return min(starts)
    first: list[float] = []
    for curve in curves_of(clauses):
        if curve.quantity != "voltage" or curve.clause.location != waveform.location:
            continue
        for channel, points, above in zip(
            curve.channels, (curve.below, curve.above), (False, True), strict=True
        ):
            if points and channel in waveform:
                found = _stretches(waveform, channel, points[0][0], above=above)
                first += found.start_s[:1].tolist()
    return min(first, default=None)


def _stretches(waveform: Waveform, channel: str, level: float, *, above: bool):  # noqa: ANN202 (the meter's own type)
    step_s = float(waveform.step_s)
    values = np.nan_to_num(np.asarray(waveform[channel], dtype=np.float64), nan=level)
    return stretches(values, step_s, level, above=above, first_s=waveform.first_tick * step_s)


@dataclass(frozen=True, slots=True)
class RecoveredBand:
    """The least power that counts as recovered, from when it must be reached."""

    time_s: FloatArray
    least_w: FloatArray
    told: str


def recovered_band(
    waveform: Waveform, reference: Waveform, clauses: Sequence[Clause]
) -> RecoveredBand | None:
    """The strictest recovery clause of the set, where the voltage fell and came back in this window."""
    asked = [
        clause for clause in clauses if isinstance(clause, Recovery) and f"{clause.quantity}_pu" in waveform
    ]
    if not asked:
        return None
    clause = min(asked, key=lambda one: one.within_s)
    below = _stretches(waveform, f"{clause.quantity}_pu", clause.from_pu, above=False)
    if not len(below) or below.end_s[-1] >= below.last_s:
        return None
    time_s = reference.time_s
    due_s = float(below.end_s[-1]) + clause.within_s
    late = time_s >= due_s
    if late.sum() < 2:
        return None
    told = (
        f"{figure(100 * clause.least_frac)} % of it, due {figure(clause.within_s)} s after the voltage is back above "
        f"{figure(clause.from_pu)} pu ({clause.clause})"
    )
    return RecoveredBand(time_s[late], clause.least_frac * np.asarray(reference["p_w"])[late], told)


def curve_chart(curve: Curve, windows: Sequence[NamedWindow], key: str, title: str) -> Chart:
    """Level over time: the rule's curve, and of each fault how long the site saw each level.

    The line of a case gives, for each level, the longest time that the quantity was beyond it as the rule
    counts; where the line stays left of the rule's curve, the rule asks the site to stay.

    `key` names the chart in the page, `title` stands above it.
    """
    drawn = go.Figure()
    longest_s = _right_edge(curve)
    for below in (True, False):
        _add_rule(drawn, curve, longest_s, below=below)
    count = 0
    for window in windows:
        if (
            count < _CASES
            and window.waveform.location == curve.clause.location
            and _add_case(drawn, curve, window, PODS[count % len(PODS)])
        ):
            count += 1
    unit = "pu" if curve.quantity == "voltage" else "Hz"
    height = 400 if count else 260
    layout(drawn, height, y_titles=(unit,), time=False)
    drawn.update_layout(hovermode="closest")
    drawn.update_xaxes(
        type="log", range=[np.log10(0.8 * _FLOOR_S), np.log10(longest_s)], showgrid=True, ticksuffix=" s", dtick=1,
        title={"text": "longest time beyond the level", "font": {"size": 11}},
    )  # fmt: skip
    drawn.update_layout(margin={"b": 62})
    drawn.update_yaxes(showgrid=True)
    if curve.quantity == "voltage":
        top = max([1.2, *(level for level, _ in curve.above)])
        drawn.update_yaxes(range=[-0.05, top + 0.1])
    return Chart(key, title, drawn, height, _curve_note(curve, count))


def _curve_note(curve: Curve, count: int) -> str:
    counted = "added up in a window" if curve.window_s else "one excursion at a time"
    which = {
        "v1_pu": "positive sequence",
        "v_pn_min_pu": "worst phase-neutral voltage",
        "v_pp_min_pu": "worst phase-phase voltage",
    }
    what = which.get(curve.channels[0], "frequency")
    told = (
        f"The rule counts {what}, {counted}. In the shaded area the site may leave; elsewhere it must stay."
    )
    if not count:
        return f"{told} No recorded window of this check goes beyond a threshold of this curve."
    return (
        f"{told} Each line gives the longest time that the case was beyond each level; a cross marks where load left, a "
        "dot that all of it stayed."
    )


def _right_edge(curve: Curve) -> float:
    most = max(limit_s for _, limit_s in (*curve.below, *curve.above))
    return max(10.0, 3.0 * most)


def _add_rule(drawn: go.Figure, curve: Curve, until_s: float, *, below: bool) -> None:
    """The curve with what lies beyond it shaded."""
    times, levels = envelope(curve, below=below, until_s=until_s)
    if not times.size:
        return
    times = np.maximum(times, _FLOOR_S / 10)
    points = curve.below if below else curve.above
    spread = abs(points[0][0] - points[-1][0]) or 0.1
    edge = (
        (0.0 if curve.quantity == "voltage" else points[-1][0] - spread)
        if below
        else points[-1][0] + max(spread, 0.1)
    )
    name = "may leave" if below or not curve.below else None
    drawn.add_trace(
        go.Scatter(
            x=np.concatenate([times, times[[-1, 0]]]),
            y=np.concatenate([levels, [edge, edge]]),
            mode="lines", line={"width": 0, "shape": "hv"}, fill="toself", fillcolor=fade(COLOURS["limit"], 0.12),
            hoverinfo="skip", showlegend=False,
        )
    )  # fmt: skip
    drawn.add_trace(
        go.Scatter(
            x=times, y=levels, mode="lines", name=f"rule: {label(curve.name)}", legendgroup="rule", showlegend=name is not None,
            line={"color": COLOURS["limit"], "width": 2, "shape": "hv"},
            hovertemplate="%{y:.4~g} after %{x:.4~g} s<extra>rule</extra>",
        )
    )  # fmt: skip


def _add_case(drawn: go.Figure, curve: Curve, window: NamedWindow, colour: str) -> bool:
    """How long one window was beyond each level; whether it was beyond any threshold."""
    added = False
    for channel, points, above in zip(curve.channels, (curve.below, curve.above), (False, True), strict=True):
        if not points or channel not in window.waveform:
            continue
        values = np.asarray(window.waveform[channel], dtype=np.float64)
        if not np.isfinite(values).any():
            continue
        deepest = float(np.nanmax(values) if above else np.nanmin(values))
        mildest = points[0][0]
        if (deepest <= mildest) if above else (deepest >= mildest):
            continue
        times, levels = _seen(window.waveform, channel, mildest, deepest, curve.window_s, above=above)
        drawn.add_trace(
            go.Scatter(
                x=np.maximum(times, _FLOOR_S / 10), y=levels, mode="lines", name=label(window.title), legendgroup=window.key,
                showlegend=not added, line={"color": colour, "width": 2},
                hovertemplate="%{x:.4~g} s beyond %{y:.4~g}<extra></extra>",
            )
        )  # fmt: skip
        _add_end(drawn, curve, window, channel, (float(times[-1]), float(levels[-1])), colour, above=above)
        added = True
    return added


def _seen(
    waveform: Waveform, channel: str, mildest: float, deepest: float, window_s: float | None, *, above: bool
) -> tuple[FloatArray, FloatArray]:
    """Longest time beyond each level, from the mildest threshold to the deepest value of the record."""
    nudge = 1e-4 * abs(mildest - deepest)
    levels = np.linspace(mildest, deepest + (-nudge if above else nudge), _LEVELS)
    times = np.array(
        [longest(_stretches(waveform, channel, level, above=above), window_s) for level in levels.tolist()]
    )
    return times, levels


def _add_end(
    drawn: go.Figure,
    curve: Curve,
    window: NamedWindow,
    channel: str,
    end: tuple[float, float],
    colour: str,
    *,
    above: bool,
) -> None:
    """A dot where all load stayed; a cross at the time into the excursion at which some left."""
    w = window.waveform
    mildest = (curve.above if above else curve.below)[0][0]
    if "connected_frac" not in w or not np.isfinite(w["connected_frac"]).all():
        return
    gone_s = left_at(w)
    symbol, told, at = "circle", "all load stayed", end
    if gone_s == -np.inf:
        return
    if gone_s < np.inf:
        symbol, told = "x", "load left"
        k = min(int((gone_s - w.first_tick * float(w.step_s)) / float(w.step_s)), len(w) - 1)
        into_s = running(_stretches(w, channel, mildest, above=above), gone_s, curve.window_s)
        at = (into_s, float(w[channel][k])) if into_s > 0 else end
    drawn.add_trace(
        go.Scatter(
            x=[max(at[0], _FLOOR_S)], y=[at[1]], mode="markers", showlegend=False, legendgroup=window.key,
            marker={"symbol": symbol, "size": 11, "color": colour, "line": {"width": 1, "color": colour}},
            hovertemplate=f"{told}: %{{y:.4~g}} at %{{x:.4~g}} s<extra>{label(window.title)}</extra>",
        )
    )  # fmt: skip
