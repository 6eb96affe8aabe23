"""A Sankey diagram as SVG: columns from left to right, the main flow on top, what leaves it beneath.

Drawn here and not by a chart library because the order of the flows carries the meaning: each node's flows
leave it in the order of their targets, so that no two cross without need.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Final

from aidc.report.text import figure

__all__ = ["Web", "draw"]

_WIDTH: Final = 1180.0
_COLUMN: Final = 200.0  # from one column of nodes to the next
_NODE: Final = 13.0
_TALL: Final = 330.0  # height of the whole flow
_GAP: Final = 9.0
_SLOT: Final = 19.0  # room that a line of a label needs
_NAME_LETTERS: Final = 24
_LEAST_SHARE: Final = 2e-5  # thinner than this, a flow is no longer a line


@dataclass(slots=True)
class Web:
    """Nodes with colour and column, in the order in which they stand, and links between them in MWh."""

    colours: dict[str, str] = field(default_factory=dict[str, str])
    columns: dict[str, int] = field(default_factory=dict[str, int])
    notes: dict[str, str] = field(default_factory=dict[str, str])
    links: list[tuple[str, str, float]] = field(default_factory=list[tuple[str, str, float]])

    def node(self, name: str, colour: str, column: int, note: str = "") -> str:
        """Add a node once; the first call settles its place. A note stands under its name.

        `colour` fills it, `column` counts from the left.
        """
        if note:
            self.notes.setdefault(name, note)
        self.colours.setdefault(name, colour)
        self.columns.setdefault(name, column)
        return name

    def link(self, source: str, target: str, mwh: float) -> None:
        self.links.append((source, target, mwh))


@dataclass(slots=True)
class _Box:
    """Where a node stands, and how far its sides are taken by links."""

    x: float
    y: float
    height: float
    left: float = 0.0
    right: float = 0.0


def draw(web: Web) -> str:
    """The diagram as an SVG element; its colours for text and ground come from the page."""
    through = _through(web.links)
    total = max(through.values(), default=0.0)
    links = [link for link in web.links if link[2] > _LEAST_SHARE * total]
    through = _through(links)
    scale = _TALL / total if total > 0 else 0.0
    boxes = _boxes(web, through, scale)
    ribbons = _ribbons(web, links, boxes, scale)
    nodes = [
        _node(name, boxes[name], web.colours[name], through[name], web.notes.get(name, "")) for name in boxes
    ]
    height = max((box.y + max(box.height, _SLOT) for box in boxes.values()), default=0.0) + 6
    return (
        f'<svg class="sankey" viewBox="0 0 {_WIDTH:g} {height:.0f}" role="img" '
        f'aria-label="Energy flows from the sources to the tokens">{"".join(ribbons)}{"".join(nodes)}</svg>'
    )


def _through(links: Sequence[tuple[str, str, float]]) -> dict[str, float]:
    """What passes each node: the larger of what comes in and what goes out."""
    into: dict[str, float] = {}
    out: dict[str, float] = {}
    for source, target, mwh in links:
        out[source] = out.get(source, 0.0) + mwh
        into[target] = into.get(target, 0.0) + mwh
    return {name: max(into.get(name, 0.0), out.get(name, 0.0)) for name in {**out, **into}}


def _boxes(web: Web, through: dict[str, float], scale: float) -> dict[str, _Box]:
    depth: dict[int, float] = {}
    boxes: dict[str, _Box] = {}
    for name, column in web.columns.items():
        if name in through:
            height = scale * through[name]
            slot = max(height, _SLOT * (2 if name in web.notes else 1))
            top = depth.get(column, 4.0)
            boxes[name] = _Box(column * _COLUMN, top + (slot - height) / 2, height)
            depth[column] = top + slot + (_GAP if height > _SLOT else 1.0)
    return boxes


def _ribbons(
    web: Web, links: Sequence[tuple[str, str, float]], boxes: dict[str, _Box], scale: float
) -> list[str]:
    """Bands between nodes; at each node they stand in the order of the nodes that they lead to."""
    starts: dict[tuple[str, str], float] = {}
    for source, target, mwh in sorted(links, key=lambda link: boxes[link[1]].y):
        starts[source, target] = boxes[source].y + boxes[source].right
        boxes[source].right += scale * mwh
    found: list[str] = []
    for source, target, mwh in sorted(links, key=lambda link: boxes[link[0]].y):
        end = boxes[target].y + boxes[target].left
        boxes[target].left += scale * mwh
        hint = f"{source} → {target}: {figure(mwh, 5)} MWh"
        band = _band(boxes[source].x + _NODE, starts[source, target], boxes[target].x, end, scale * mwh)
        found.append(f'<path d="{band}" fill="{web.colours[target]}"><title>{escape(hint)}</title></path>')
    return found


def _band(x0: float, y0: float, x1: float, y1: float, thick: float) -> str:
    """An S-curve of even thickness, at least a hair wide."""
    thick = max(thick, 0.8)
    mid = (x0 + x1) / 2
    return (
        f"M{x0:.1f},{y0:.1f}C{mid:.1f},{y0:.1f} {mid:.1f},{y1:.1f} {x1:.1f},{y1:.1f}"
        f"V{y1 + thick:.1f}C{mid:.1f},{y1 + thick:.1f} {mid:.1f},{y0 + thick:.1f} {x0:.1f},{y0 + thick:.1f}Z"
    )


def _node(name: str, box: _Box, colour: str, mwh: float, note: str) -> str:
    middle = box.y + box.height / 2
    x = box.x + _NODE + 6
    shown = name if len(name) <= _NAME_LETTERS else f"{name[: _NAME_LETTERS - 1]}…"
    label = f"{escape(shown)} <tspan>{figure(mwh, 4)}</tspan>"
    if note:
        middle -= _SLOT * 0.45
        label += f'<tspan x="{x:.1f}" dy="1.25em">{escape(note)}</tspan>'
    return (
        f'<rect x="{box.x:.1f}" y="{box.y:.1f}" width="{_NODE:g}" height="{max(box.height, 1.0):.1f}" '
        f'rx="1" fill="{colour}"/><text x="{x:.1f}" y="{middle:.1f}" dy="0.35em">{label}</text>'
    )
