"""Charts of a build: the S-curve, what comes when, what a week is worth, cash, and the index over the phases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import numpy as np
import plotly.graph_objects as go

from aidc.report.blocks import Chart
from aidc.report.lines import FloatArray, band, trace
from aidc.report.style import COLOURS, PODS, layout
from aidc.report.text import label

__all__ = ["cash_chart", "gantt", "index_chart", "limits_chart", "s_curve", "tokens_chart", "tornado"]

_DAY_MS: Final = 86_400_000.0
_STRETCHES: Final = {
    "off site": ("design", "order", "build", "fat", "transport"),
    "set and connected": ("set", "connect"),
    "tested": ("startup", "functional", "integrated"),
}
_COLOURS: Final = {
    "milestone": COLOURS["grid"], "other work": COLOURS["bus"], "off site": PODS[8], "set and connected": PODS[4],
    "tested": PODS[2],
}  # fmt: skip
_MOST_BARS: Final = 15


def _ms(day: str) -> float:
    found = date.fromisoformat(day)
    return datetime(found.year, found.month, found.day, tzinfo=UTC).timestamp() * 1e3


def _times(facts: Mapping[str, Any]) -> FloatArray:
    return np.array([_ms(day) for day in facts["curve"]["date"]])


def _level(curve: Mapping[str, Any], key: str, name: str) -> FloatArray:
    return np.array(curve[key][name], dtype=np.float64)


def _until(facts: Mapping[str, Any], time: FloatArray, values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """A line held to the end of the chart, which the plan beside it may stretch: its last value stays."""
    other = facts["against"]
    end = max(_ms(facts["curve"]["date"][-1]), _ms(other["date"][-1]) if other else 0.0)
    if time[-1] >= end:
        return time, values
    return np.append(time, end), np.append(values, values[-1])


def s_curve(facts: Mapping[str, Any]) -> Chart:
    """IT power online with its probabilities, what is commissioned, and what the connection carries."""
    curve, time = facts["curve"], _times(facts)
    figure = go.Figure(
        band(
            time,
            _level(curve, "online_mw", "p10"),
            _level(curve, "online_mw", "p90"),
            "online, 10 to 90 %",
            PODS[0],
        )
    )
    for values, name, colour, dash in (
        (_level(curve, "online_mw", "p50"), "online, 50 %", PODS[0], "solid"),
        (_level(curve, "commissioned_mw", "p50"), "commissioned, 50 %", PODS[2], "dot"),
        (
            _level(curve, "import_mw", "p50") / facts["import_per_it"],
            "what the connection carries, 50 %",
            COLOURS["limit"],
            "dash",
        ),
    ):
        held = _until(facts, time, values)
        figure.add_trace(trace(*held, name, colour, unit="MW", dash=dash, shape="hv"))
    other = facts["against"]
    if other:
        when = np.array([_ms(day) for day in other["date"]])
        values = np.array(other["online_mw_p50"], dtype=np.float64)
        name = f"{label(other['name'])}, 50 %"
        figure.add_trace(
            trace(
                *_until(facts, when, values), name, COLOURS["genset"], unit="MW", dash="dashdot", shape="hv"
            )
        )
    for promise in facts["promises"]:
        name = f"promise of {promise['online_mw']:g} MW"
        figure.add_trace(
            go.Scatter(x=[_ms(promise["date"])], y=[promise["online_mw"]], name=name, mode="markers",
                       marker={"symbol": "diamond", "size": 11, "color": COLOURS["heat"]}, hovertemplate="%{y} MW promised")
        )  # fmt: skip
    note = f"The connection carries its import limit over {facts['import_per_it']:.3f} MW of import per MW of IT."
    return Chart(
        "s-curve", "IT power online", layout(figure, 380, y_titles=["MW of IT"]), 380, note, linked=True
    )


def tokens_chart(facts: Mapping[str, Any]) -> Chart:
    """Useful tokens a day with their probabilities."""
    time, tokens = _times(facts), facts["useful_tokens_per_day"]
    low, middle, high = (np.array(tokens[name]) / 1e9 for name in ("p10", "p50", "p90"))
    figure = go.Figure(
        [
            *band(time, low, high, "10 to 90 %", PODS[3]),
            trace(*_until(facts, time, middle), "50 %", PODS[3], unit="Gtok/day"),
        ]
    )
    other = facts["against"]
    if other and other["useful_tokens_per_day_p50"]:
        when = np.array([_ms(day) for day in other["date"]])
        values = np.array(other["useful_tokens_per_day_p50"]) / 1e9
        name = f"{label(other['name'])}, 50 %"
        figure.add_trace(
            trace(*_until(facts, when, values), name, COLOURS["genset"], unit="Gtok/day", dash="dashdot")
        )
    note = "By the energy model of the phases, in straight lines of the IT power online between them."
    return Chart(
        "tokens",
        "Useful tokens per day",
        layout(figure, 300, y_titles=["Gtok per day"]),
        300,
        note,
        linked=True,
    )


def gantt(facts: Mapping[str, Any]) -> Chart:
    """Milestones, other work and lots: medians as bars, the end with 10 to 90 % as a line."""
    rows = _rows(facts)
    figure = go.Figure()
    for kind, colour in _COLOURS.items():
        bars = [
            (name, low, high) for name, stretches in rows for what, low, high in stretches if what == kind
        ]
        if bars:
            figure.add_trace(
                go.Bar(
                    y=[label(name) for name, _, _ in bars], base=[low for _, low, _ in bars],
                    x=[max(high - low, _DAY_MS) for _, low, high in bars], name=kind, orientation="h",
                    marker={"color": colour}, customdata=[[_day(low), _day(high)] for _, low, high in bars],
                    hovertemplate="%{y}: %{customdata[0]} to %{customdata[1]}<extra>" + kind + "</extra>",
                )
            )  # fmt: skip
    ends = _ends(facts)
    figure.add_trace(
        go.Scatter(
            x=[x for _, when in ends for x in (_ms(when["p10"]) + _DAY_MS, _ms(when["p90"]) + _DAY_MS, None)],
            y=[y for name, _ in ends for y in (label(name), label(name), None)],
            name="end, 10 to 90 %",
            mode="lines",
            line={"color": COLOURS["limit"], "width": 2},
            hoverinfo="skip",
        )
    )
    height = 110 + 21 * len(rows)
    layout(figure, height)
    figure.update_layout(barmode="overlay", hovermode="closest", bargap=0.35)
    figure.update_yaxes(
        autorange="reversed",
        type="category",
        categoryorder="array",
        categoryarray=[label(name) for name, _ in rows],
    )
    return Chart(
        "gantt",
        "What comes when",
        figure,
        height,
        "Bars are medians; a lot's bars join its steps.",
        linked=True,
    )


def _day(moment_ms: float) -> str:
    return datetime.fromtimestamp(moment_ms / 1e3, tz=UTC).date().isoformat()


def _ends(facts: Mapping[str, Any]) -> list[tuple[str, Mapping[str, str]]]:
    tasks = {task["name"]: task["finish"] for task in facts["tasks"]}
    own = [(name, tasks[name]) for name in _own(facts)]
    return [*facts["milestones"].items(), *own, *((lot["name"], lot["online"]) for lot in facts["lots"])]


def _own(facts: Mapping[str, Any]) -> list[str]:
    """Tasks that are neither milestones nor steps of a lot."""
    lots = {lot["name"] for lot in facts["lots"]}
    return [
        task["name"]
        for task in facts["tasks"]
        if task["name"] not in facts["milestones"] and task["name"].rpartition(".")[0] not in lots
    ]


def _rows(facts: Mapping[str, Any]) -> list[tuple[str, list[tuple[str, float, float]]]]:
    """Each row with its stretches: kind, begin and end [ms]."""
    tasks = {task["name"]: task for task in facts["tasks"]}
    rows: list[tuple[str, list[tuple[str, float, float]]]] = []
    for name, when in facts["milestones"].items():
        rows.append((name, [("milestone", _ms(when["p50"]), _ms(when["p50"]))]))
    rows += [(name, [("other work", *_stretch([tasks[name]]))]) for name in _own(facts)]
    for lot in facts["lots"]:
        stretches: list[tuple[str, float, float]] = []
        for kind, steps in _STRETCHES.items():
            there = [tasks[f"{lot['name']}.{step}"] for step in steps if f"{lot['name']}.{step}" in tasks]
            if there:
                stretches.append((kind, *_stretch(there)))
        rows.append((lot["name"], stretches))
    return rows


def _stretch(tasks: Sequence[Mapping[str, Any]]) -> tuple[float, float]:
    """From the first median start to the end of the day of the last median finish [ms]."""
    return min(_ms(one["start"]["p50"]) for one in tasks), max(
        _ms(one["finish"]["p50"]) for one in tasks
    ) + _DAY_MS


def tornado(facts: Mapping[str, Any]) -> Chart:
    """What a week less and a week more of a task bring: dollars where values were asked for, else power over time."""
    priced = facts["value"] is not None
    keys = ("npv_usd", "npv_longer_usd") if priced else ("online_mw_days", "online_mw_days_longer")
    scale, unit = (1e-6, "million $") if priced else (1.0, "MW-days")
    rows = sorted(facts["week_shorter"], key=lambda one: -max(abs(one[key] or 0.0) for key in keys))[
        :_MOST_BARS
    ]
    names = [label(one["task"]) for one in rows]
    figure = go.Figure()
    for key, name, colour in (
        (keys[0], "a week less", COLOURS["good"]),
        (keys[1], "a week more", COLOURS["late"]),
    ):
        figure.add_trace(
            go.Bar(y=names, x=[scale * one[key] for one in rows], name=name, orientation="h", marker={"color": colour},
                   hovertemplate="%{y}: %{x:.3~f} " + unit + "<extra>" + name + "</extra>")
        )  # fmt: skip
    height = 110 + 24 * max(len(rows), 1)
    layout(figure, height, time=False)
    figure.update_layout(barmode="overlay", bargap=0.3)
    figure.update_yaxes(autorange="reversed", type="category")
    figure.update_xaxes(title={"text": unit, "font": {"size": 11}}, zeroline=True)
    what = "net present value" if priced else "IT power over time until all is online"
    return Chart(
        "tornado",
        "What a week is worth",
        figure,
        height,
        f"Change of the expected {what}, on the luck of the same draws.",
    )


def cash_chart(facts: Mapping[str, Any]) -> Chart:
    """Expected cash by quarter, and its sum."""
    rows: Sequence[Mapping[str, Any]] = facts["value"]["cash_by_quarter"]
    start = _ms(facts["start"])
    time = np.array([start + (row["quarter"] - 0.5) * 91.3125 * _DAY_MS for row in rows])
    figure = go.Figure()
    parts = (
        ("net_revenue_usd", 1.0, "net revenue", COLOURS["good"]),
        ("capital_usd", -1.0, "capital", PODS[0]),
        ("penalty_usd", -1.0, "penalties", COLOURS["limit"]),
    )
    total = np.zeros(len(rows))
    for key, sign, name, colour in parts:
        values = sign * np.array([row[key] for row in rows]) / 1e6
        total += values
        figure.add_trace(
            go.Bar(x=time, y=values, name=name, marker={"color": colour}, hovertemplate="%{y:.4~g} million $")
        )
    figure.add_trace(trace(time, np.cumsum(total), "sum so far", COLOURS["grid"], unit="million $"))
    layout(figure, 320, y_titles=["million $"])
    figure.update_layout(barmode="relative")
    return Chart("cash", "Expected cash by quarter", figure, 320, "Not discounted; up to the horizon.")


def _held(phases: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Phases with the last one once more a month later: it lasts."""
    last = date.fromisoformat(phases[-1]["date"])
    return [*phases, {**phases[-1], "date": (last + timedelta(days=30)).isoformat()}]


def index_chart(facts: Mapping[str, Any]) -> Chart:
    """TokEnergy Index and PUE of the phases by their dates."""
    phases = _held(facts["phases"])
    time = [_ms(one["date"]) for one in phases]
    about = [f"{one['date']}, {one['online_mw']:.4g} MW of IT" for one in phases]
    figure = go.Figure()
    for key, name, colour, axis in (
        ("tokenergy_kwh_per_mtok", "TokEnergy Index", PODS[0], "y"),
        ("pue", "PUE", COLOURS["heat"], "y2"),
    ):
        figure.add_trace(
            go.Scatter(x=time, y=[one[key] for one in phases], name=name, mode="lines", line={"color": colour, "shape": "hv"},
                       yaxis=axis, customdata=about, hovertemplate="%{y:.4~g} from %{customdata}")
        )  # fmt: skip
    layout(figure, 320, y_titles=["kWh per million tokens"])
    figure.update_layout(
        yaxis2={
            "overlaying": "y",
            "side": "right",
            "title": {"text": "PUE", "font": {"size": 11}},
            "showgrid": False,
            "tickformat": ".3f",
            "nticks": 5,
            "automargin": True,
        }
    )
    note = "Each phase with the demand that it can serve, in the schedule of medians."
    return Chart("index", "The index through construction", figure, 320, note, span=3, group="phases")


def limits_chart(facts: Mapping[str, Any]) -> Chart:
    """Peak import of the phases under their import limits, with the IT power that is commissioned and online."""
    phases = _held(facts["phases"])
    time = np.array([_ms(one["date"]) for one in phases])
    figure = go.Figure()
    for key, name, colour, dash in (
        ("import_limit_mw", "import limit", COLOURS["limit"], "dash"),
        ("peak_import_mw", "peak import", COLOURS["grid"], "solid"),
        ("commissioned_mw", "IT commissioned", PODS[2], "dot"),
        ("online_mw", "IT online", PODS[0], "solid"),
    ):
        values = np.array([one[key] for one in phases], dtype=np.float64)
        figure.add_trace(trace(time, values, name, colour, unit="MW", dash=dash, shape="hv"))
    layout(figure, 320, y_titles=["MW"])
    return Chart("limits", "Limits through construction", figure, 320, "", span=3, group="phases")
