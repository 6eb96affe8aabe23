"""Lower convex hulls of what rows can give: the relaxation of the knapsack that `search` solves."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from aidc.contract import FloatArray
from aidc.control.allocation.menu import IntArray
from aidc.jit import engine, part

__all__ = ["Choices", "Hulls", "hull_of", "hulls"]


class Choices(NamedTuple):
    """What each row can do: corners of its cap's curve (n, k), its whole steps (n, m), by cut [W] and loss [$/h]."""

    cut: FloatArray
    loss: FloatArray
    steps: FloatArray
    losses: FloatArray


class Hulls(NamedTuple):
    """Vertices of each row's hull (n, k + m), -1 in `kind` for the cap and else the step, and all edges by slope."""

    x: FloatArray
    y: FloatArray
    kind: IntArray
    slope: FloatArray
    row: IntArray
    to: IntArray
    order: IntArray


@part
def _next(c: Choices, row: int, banned: int, corner: int, last: float) -> tuple[int, int]:
    """The next point by cut: the corner at hand or -1, and the step that comes before it or -1."""
    best, chosen = np.inf, -1
    for step in range(c.steps.shape[1]):
        at = c.steps[row, step]
        if (banned >> step) & 1 or not at > last:
            continue
        if at < best or (at == best and c.losses[row, step] < c.losses[row, chosen]):
            best, chosen = at, step
    if corner < c.cut.shape[1] and c.cut[row, corner] <= best:
        return corner, -1
    return -1, chosen


@part
def hull_of(c: Choices, row: int, banned: int, x: FloatArray, y: FloatArray, kind: IntArray) -> int:
    """Lower convex hull of one row's points from (0, 0), without banned steps; returns its number of vertices.

    `banned` marks steps by bits; `x`, `y` and `kind` take up the vertices: cut [W], loss, and which of cap and steps
    leads there.
    """
    count, corner, last = 1, 1, 0.0
    x[0] = 0.0
    y[0] = 0.0
    kind[0] = -1
    while True:
        capped, step = _next(c, row, banned, corner, last)
        if capped >= 0:
            px, py = c.cut[row, capped], c.loss[row, capped]
            corner += 1
        elif step >= 0:
            px, py = c.steps[row, step], c.losses[row, step]
            last = px
        else:
            return count
        if not px > 0.0:
            continue
        # a vertex on or above the line to the new point goes, and so does one of the same cut
        while count > 1 and (y[count - 1] - y[count - 2]) * (px - x[count - 2]) >= (py - y[count - 2]) * (
            x[count - 1] - x[count - 2]
        ):
            count -= 1
        if px > x[count - 1]:
            x[count] = px
            y[count] = py
            kind[count] = step
            count += 1


@engine
def hulls(c: Choices, h: Hulls) -> int:
    """Hulls of all rows, and their edges one behind the other; returns how many edges there are."""
    edges = 0
    for row in range(c.cut.shape[0]):
        x, y = h.x[row], h.y[row]
        for vertex in range(1, hull_of(c, row, 0, x, y, h.kind[row])):
            h.slope[edges] = (y[vertex] - y[vertex - 1]) / (x[vertex] - x[vertex - 1])
            h.row[edges] = row
            h.to[edges] = vertex
            edges += 1
    return edges
