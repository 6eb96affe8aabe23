"""One palette and one layout for every chart. The page adds the colours of its light or dark theme."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import plotly.graph_objects as go

__all__ = ["COLOURS", "PODS", "fade", "layout", "line", "range_buttons"]

# Hues that stay apart for red-green blindness and show on the light and the dark page. The ink of the grid
# is dark; the page turns it light on a dark ground (report.js).
COLOURS: Final = {
    "grid": "#0b1f3a",
    "bus": "#5b6b86",
    "pv": "#e0a526",
    "wind": "#5aa469",
    "genset": "#a0644a",
    "storage": "#8e63b8",
    "accelerator": "#2563b0",
    "server": "#5c9bdc",
    "network": "#9cc4ec",
    "conversion": "#c98bb9",
    "cooling": "#2a9d96",
    "auxiliary": "#9aa3af",
    "heat": "#d9653b",
    "reuse": "#e0a526",
    "ambient": "#b9a28f",
    "limit": "#d23f3f",
    "water": "#3aa0c9",
    "good": "#3f9b5f",
    "late": "#d9653b",
    "price": "#0b1f3a",
    "carbon": "#a0644a",
}

# Lines that differ only by name: pods, plants, jobs.
PODS: Final = (
    "#2563b0",
    "#d9653b",
    "#2a9d96",
    "#8e63b8",
    "#e0a526",
    "#c2527f",
    "#5aa469",
    "#7a6a5d",
    "#5c9bdc",
    "#b04a3a",
    "#4d5fae",
    "#8aa33c",
)

_DAY_MS = 86_400_000.0


def fade(colour: str, alpha: float) -> str:
    """The colour with an opacity."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha})"


def line(colour: str, width: float = 1.6, dash: str = "solid") -> dict[str, Any]:
    return {"color": colour, "width": width, "dash": dash}


def layout(figure: go.Figure, height: int, *, y_titles: Sequence[str] = (), time: bool = True) -> go.Figure:
    """Give a figure the common layout; `y_titles` name the y axes from the top down.

    `height` is in px; `time` says that the x axis is one of time.
    """
    figure.update_layout(
        template="none",
        height=height,
        margin={"l": 58, "r": 14, "t": 12, "b": 30},
        font={"size": 12},
        hovermode="x unified" if time else "closest",
        hoverlabel={"namelength": -1},
        legend={
            "orientation": "h",
            "yref": "container",
            "y": 0,
            "yanchor": "bottom",
            "x": 0,
            "xanchor": "left",
            "font": {"size": 11},
            "traceorder": "normal",
        },
        modebar={"orientation": "h"},
    )
    figure.update_xaxes(showgrid=False, zeroline=False, ticks="outside", ticklen=4, automargin=True)
    figure.update_yaxes(zeroline=False, automargin=True, title_standoff=6, title_font={"size": 11})
    if time:
        figure.update_xaxes(type="date", hoverformat="%a %d %b %Y %H:%M UTC")
    for row, title in enumerate(y_titles, start=1):
        figure.update_layout({f"yaxis{row if row > 1 else ''}": {"title": {"text": title}}})
    return figure


def range_buttons(window_ms: float) -> list[dict[str, Any]]:
    """Buttons of a range selector that are shorter than the window, and one for all of it."""
    choices = (
        (1, "hour", "1 h", _DAY_MS / 24),
        (6, "hour", "6 h", _DAY_MS / 4),
        (1, "day", "1 d", _DAY_MS),
        (7, "day", "1 w", 7 * _DAY_MS),
        (1, "month", "1 m", 30 * _DAY_MS),
        (3, "month", "3 m", 91 * _DAY_MS),
    )
    buttons = [
        {"count": count, "step": step, "stepmode": "backward", "label": text}
        for count, step, text, length_ms in choices
        if window_ms / 400 < length_ms < window_ms
    ]
    return [*buttons, {"step": "all", "label": "all"}]
