"""Decimated traces: every time chart draws its lines, areas and bands through these."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from aidc.report.decimate import extremes, shared_extremes
from aidc.report.style import fade, line

__all__ = ["LINE_POINTS", "STACK_POINTS", "band", "budget", "limit", "stack", "trace"]

FloatArray = NDArray[np.float64]

LINE_POINTS: Final = 2400  # two extremes in each of 1200 columns of pixels
STACK_POINTS: Final = 9000  # shared by the extremes of all layers
_BUDGET: Final = 100_000  # points of all lines of one kind: 1.6 MB in the file
_LEAST_POINTS: Final = 240


def budget(lines: int, most: int = LINE_POINTS) -> int:
    """Points for each of many lines, so that a site of fifty pods makes no report of a hundred megabytes."""
    return max(_LEAST_POINTS, min(most, _BUDGET // max(1, lines)))


def trace(
    time_ms: FloatArray | NDArray[np.float32],
    values: FloatArray,
    name: str,
    colour: str,
    *,
    unit: str = "",
    points: int = LINE_POINTS,
    width: float = 1.6,
    dash: str = "solid",
    shape: str = "linear",
    form: str = ".4~g",
    kept: NDArray[np.int64] | None = None,
    **more: Any,
) -> go.Scatter:
    """One line, decimated on its own unless it is told which samples to keep.

    `time_ms` are milliseconds since 1970, `values` are in `unit`, which the hover text shows in the format `form`.
    `points` is the most that are drawn, `kept` the samples to draw instead; `name`, `colour`, `width` [px], `dash`
    and `shape` are those of the line.
    """
    if kept is None:
        kept = extremes(values, points)
    return go.Scatter(
        x=time_ms[kept],
        y=_small(values[kept]),
        name=name,
        mode="lines",
        line={**line(colour, width, dash), "shape": shape},
        hovertemplate=f"%{{y:{form}}} {unit}".strip(),
        **more,
    )


def stack(
    time_ms: FloatArray, layers: Mapping[str, tuple[FloatArray, str]], unit: str, points: int = STACK_POINTS
) -> list[go.Scatter]:
    """Areas upon each other from (values, colour) by name; all layers share the instants kept.

    `time_ms` are milliseconds since 1970, values are in `unit`, and `points` is the most that are drawn.
    """
    if not layers:
        return []
    total = np.sum([np.nan_to_num(values) for values, _ in layers.values()], axis=0)
    kept = shared_extremes([total, *(values for values, _ in layers.values())], points)
    return [
        go.Scatter(
            x=time_ms[kept],
            y=_small(values[kept]),
            name=name,
            mode="lines",
            stackgroup="one",
            line={"width": 0, "color": colour},
            fillcolor=fade(colour, 0.85),
            hovertemplate=f"%{{y:.4~g}} {unit}",
        )
        for name, (values, colour) in layers.items()
    ]


def band(
    time_ms: FloatArray, low: FloatArray, high: FloatArray, name: str, colour: str, points: int = LINE_POINTS
) -> list[go.Scatter]:
    """The area between the least and the greatest value within each output step.

    `time_ms` are milliseconds since 1970, `low` and `high` the two edges; `name` and `colour` are those of the area,
    `points` is the most that are drawn.
    """
    kept = shared_extremes([low, high], 2 * points)
    edges: dict[str, Any] = {"mode": "lines", "line": {"width": 0, "color": colour}, "legendgroup": name}
    return [
        go.Scatter(x=time_ms[kept], y=_small(low[kept]), showlegend=False, hoverinfo="skip", **edges),
        go.Scatter(
            x=time_ms[kept],
            y=_small(high[kept]),
            name=name,
            fill="tonexty",
            fillcolor=fade(colour, 0.25),
            hoverinfo="skip",
            **edges,
        ),
    ]


def limit(time_ms: FloatArray, value: float, name: str, colour: str, **more: Any) -> go.Scatter:
    """A dashed level across the window.

    `time_ms` are milliseconds since 1970, of which the first and last are used; `value` is the level, `name` and
    `colour` are those of the line.
    """
    return go.Scatter(
        x=time_ms[[0, -1]],
        y=np.array([value, value]),
        name=name,
        mode="lines",
        line=line(colour, 1.4, "dash"),
        hoverinfo="skip",
        **more,
    )


def _small(values: FloatArray) -> NDArray[np.float32]:
    """Seven digits are enough for a screen; what is not finite is a gap."""
    with np.errstate(over="ignore"):
        narrow = values.astype(np.float32)
    return np.where(np.isfinite(narrow), narrow, np.float32(np.nan))
