"""Predicted against measured as a small SVG picture: every row is a dot, none is dropped.

Dots are placed to half a pixel, so rows that fall on the same spot are drawn once; that keeps a
picture of thousands of rows at a few kilobytes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from jinja2 import Environment, PackageLoader, select_autoescape

from aidc.validation.case import Case

__all__ = ["pairs", "scatter_svg"]

_WIDTH, _HEIGHT = 460, 440
_LEFT, _TOP, _RIGHT, _BOTTOM = 62.0, 44.0, 446.0, 392.0
_LOG_FROM = 20.0  # axes are logarithmic where the largest figure is this many times the smallest
_TITLE_LENGTH = 56


def pairs(case: Case) -> list[tuple[float, float]]:
    """Measured and predicted figure of every row that has both."""
    return [
        (row.measured, row.predicted)
        for row in case.rows
        if row.measured is not None
        and row.predicted is not None
        and math.isfinite(row.measured)
        and math.isfinite(row.predicted)
    ]


def scatter_svg(case: Case) -> str:
    """The picture of one case, with the band of its limit where the limit is one for each row's size."""
    points = pairs(case)
    axis = _axis([value for pair in points for value in pair])
    spots = dict.fromkeys(
        (_half(axis.x(measured)), _half(axis.y(predicted))) for measured, predicted in points
    )
    template = Environment(
        loader=PackageLoader("aidc.validation"),
        autoescape=select_autoescape(default=True, default_for_string=True),
    ).get_template("scatter.svg.j2")
    ticks = axis.ticks()
    return template.render(
        width=_WIDTH,
        height=_HEIGHT,
        left=_LEFT,
        bottom=_BOTTOM,
        middle_x=(_LEFT + _RIGHT) / 2,
        middle_y=(_TOP + _BOTTOM) / 2,
        title=_short(f"{case.name}: {case.dataset}"),
        subtitle=_short(f"{_kind(case)} · {len(points)} of {case.n} rows", 70),
        grid="".join(
            f"M{axis.x(t):g},{_TOP:g}V{_BOTTOM:g}M{_LEFT:g},{axis.y(t):g}H{_RIGHT:g}" for t in ticks
        ),
        band=_band(case, axis),
        diagonal=f"M{_LEFT:g},{_BOTTOM:g}L{_RIGHT:g},{_TOP:g}",
        dots="".join(f"M{x:g},{y:g}h0" for x, y in spots),
        dot=6 if len(spots) < 60 else 4,
        x_ticks=[(round(axis.x(t), 1), _text(t)) for t in ticks],
        y_ticks=[(round(axis.y(t) + 4, 1), _text(t)) for t in ticks],
    )


@dataclass(frozen=True, slots=True)
class _Axis:
    """One scale for both directions, so that the diagonal is perfect agreement."""

    low: float
    high: float
    logarithmic: bool

    def _place(self, value: float) -> float:
        scale: Callable[[float], float] = math.log10 if self.logarithmic else float
        return (scale(value) - scale(self.low)) / (scale(self.high) - scale(self.low))

    def x(self, value: float) -> float:
        return round(_LEFT + (_RIGHT - _LEFT) * self._place(value), 1)

    def y(self, value: float) -> float:
        return round(_BOTTOM - (_BOTTOM - _TOP) * self._place(value), 1)

    def ticks(self) -> list[float]:
        """Round figures within the range."""
        if self.logarithmic:
            decades = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            wide = math.log10(self.high / self.low) > 3
            found = [m * 10.0**d for d in decades for m in ((1,) if wide else (1, 2, 5))]
        else:
            rough = (self.high - self.low) / 5
            unit = 10.0 ** math.floor(math.log10(rough))
            step = next(m * unit for m in (1, 2, 5, 10) if m * unit >= rough)
            found = [step * k for k in range(math.ceil(self.low / step), math.floor(self.high / step) + 1)]
        return [value for value in found if self.low <= value <= self.high]


def _axis(values: Sequence[float]) -> _Axis:
    low, high = min(values, default=0.0), max(values, default=1.0)
    if low > 0 and high / low > _LOG_FROM:
        return _Axis(low / 1.15, high * 1.15, logarithmic=True)
    margin = 0.06 * (high - low) or 0.1 * abs(high) or 1.0
    return _Axis(low - margin, high + margin, logarithmic=False)


def _band(case: Case, axis: _Axis) -> str:
    """The strip within the limit around the diagonal, clipped to the frame."""
    if case.limit is None or case.unit not in {"%", "percent", "points"}:
        return ""
    relative = case.unit != "points"
    steps = 40
    edges: list[list[tuple[float, float]]] = [[], []]
    for sign, edge in zip((1.0, -1.0), edges, strict=True):
        for k in range(steps + 1):
            share = k / steps
            value = (
                axis.low * (axis.high / axis.low) ** share
                if axis.logarithmic
                else axis.low + share * (axis.high - axis.low)
            )
            shift = sign * case.limit * (abs(value) / 100 if relative else 1.0)
            edge.append((axis.x(value), axis.y(min(max(value + shift, axis.low), axis.high))))
    outline = [*edges[0], *reversed(edges[1])]
    return "M" + "L".join(f"{x:g},{y:g}" for x, y in outline) + "Z"


def _kind(case: Case) -> str:
    """The metric without the statistic that is taken over the dots."""
    kept = [part for part in case.metric.split(", ") if "|" not in part]
    return ", ".join(kept) or case.metric


def _half(value: float) -> float:
    return round(2 * value) / 2


def _text(value: float) -> str:
    """A tick's figure: 20, 0.5, 2M."""
    for factor, prefix in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= factor:
            return f"{value / (1e3 if prefix == 'k' else factor):g}{prefix}"
    return f"{round(value, 10):g}"


def _short(text: str, length: int = _TITLE_LENGTH) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
