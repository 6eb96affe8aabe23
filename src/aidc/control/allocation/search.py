"""The search behind the least weighted loss: a multiple-choice knapsack with one continuous choice a row.

Minimise the sum of losses so that the cuts add up to what is asked; each row takes a point of its cap's convex curve
or one of its whole steps. Relaxed to the lower convex hull of each row, edges taken in order of their slope are the
optimum (P. Sinha, A. A. Zoltners, The multiple-choice knapsack problem, Operations Research 27 (1979), 503-515,
doi:10.1287/opre.27.3.503): a lower bound for every answer, and an answer itself unless it stops on an edge that
leads to a whole step. Then the search branches on that step, taken or banned, depth first, and keeps the best. It is exact if it
ends within its nodes, which it does for tens of rows; with many, the first answers are within one row's loss of the bound.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from aidc.contract import FloatArray
from aidc.control.allocation.hull import Choices, Hulls, hull_of
from aidc.control.allocation.menu import IntArray
from aidc.jit import engine, part

__all__ = ["DEPTH", "Best", "Work", "search", "work_for"]

DEPTH: Final = 48  # decisions below each other
_ROUNDING: Final = 1e-12
_FREE: Final = -2  # of a row: no step has been taken


class Work(NamedTuple):
    """Scratch of the search: its path, and the rows that the path has decided on, with hulls and edges of their own."""

    path: IntArray  # (3, DEPTH): row, step, and whether it is taken (0) or banned (1)
    own: IntArray  # (3, DEPTH): row, step that is taken, banned steps as bits
    x: FloatArray
    y: FloatArray
    kind: IntArray
    edge: FloatArray  # (3, edges): slope, place in `own`, vertex
    mark: IntArray  # (n,) place in `own` plus 1, 0 where a row is free
    took: IntArray  # (n,) vertex that the relaxation reached


class Best(NamedTuple):
    """The best answer so far: [loss, bound], and cut, loss and step of each row."""

    told: FloatArray
    cut: FloatArray
    loss: FloatArray
    step: IntArray


class Relaxed(NamedTuple):
    """A relaxation: its loss, the row whose edge it stops on, which share of it, and what lies at its ends."""

    enough: bool
    loss: float
    loss_up: float  # with that edge taken whole
    row: int
    share: float
    head: int
    tail: int


def work_for(rows: int, points: int) -> Work:
    """Scratch for a search over rows of so many points."""
    return Work(
        path=np.zeros((3, DEPTH), np.int64),
        own=np.zeros((3, DEPTH), np.int64),
        x=np.zeros((DEPTH, points)),
        y=np.zeros((DEPTH, points)),
        kind=np.zeros((DEPTH, points), np.int64),
        edge=np.zeros((3, DEPTH * points)),
        mark=np.zeros(rows, np.int64),
        took=np.zeros(rows, np.int64),
    )


@part
def _decide(w: Work, depth: int) -> int:
    """Gather the rows that the path has decided on, each once; returns how many."""
    rows = 0
    for at in range(depth):
        one, step = w.path[0, at], w.path[1, at]
        place = w.mark[one] - 1
        if place < 0:
            place = rows
            rows += 1
            w.mark[one] = rows
            w.own[0, place] = one
            w.own[1, place] = _FREE
            w.own[2, place] = 0
        if w.path[2, at]:
            w.own[2, place] |= 1 << step
        else:
            w.own[1, place] = step
    return rows


@part
def _own_edges(c: Choices, w: Work, rows: int) -> int:
    """Edges of decided rows that still have a choice, by slope; returns how many."""
    count = 0
    for place in range(rows):
        if w.own[1, place] != _FREE:
            continue
        x, y = w.x[place], w.y[place]
        for vertex in range(1, hull_of(c, w.own[0, place], w.own[2, place], x, y, w.kind[place])):
            slope = (y[vertex] - y[vertex - 1]) / (x[vertex] - x[vertex - 1])
            hole = count
            while hole > 0 and w.edge[0, hole - 1] > slope:
                for field in range(3):
                    w.edge[field, hole] = w.edge[field, hole - 1]
                hole -= 1
            w.edge[0, hole] = slope
            w.edge[1, hole] = place
            w.edge[2, hole] = vertex
            count += 1
    return count


@part
def _relax(c: Choices, h: Hulls, w: Work, rows: int, own_edges: int, asked: float) -> Relaxed:
    """Taken steps, then edges by slope until the cut is found."""
    have, spent = 0.0, 0.0
    for place in range(rows):
        one, step = int(w.own[0, place]), int(w.own[1, place])
        if step != _FREE:
            have += float(c.steps[one, step])
            spent += float(c.losses[one, step])
    at, own_at, edges = 0, 0, h.order.shape[0]
    while have < asked:
        while at < edges and w.mark[h.row[h.order[at]]] > 0:
            at += 1
        free = at < edges
        if own_at < own_edges and not (free and h.slope[h.order[at]] < w.edge[0, own_at]):
            place, vertex = int(w.edge[1, own_at]), int(w.edge[2, own_at])
            one, x, y, kind = int(w.own[0, place]), w.x[place], w.y[place], w.kind[place]
            own_at += 1
        elif free:
            edge = h.order[at]
            one, vertex = int(h.row[edge]), int(h.to[edge])
            x, y, kind = h.x[one], h.y[one], h.kind[one]
            at += 1
        else:
            break
        wide, rise = float(x[vertex] - x[vertex - 1]), float(y[vertex] - y[vertex - 1])
        w.took[one] = vertex
        if have + wide > asked:
            share = (asked - have) / wide
            head, tail = int(kind[vertex]), int(kind[vertex - 1])
            return Relaxed(have + wide > asked, spent + share * rise, spent + rise, one, share, head, tail)
        have += wide
        spent += rise
    return Relaxed(have >= asked * (1.0 - _ROUNDING), spent, spent, -1, 1.0, -1, -1)


@part
def _write(c: Choices, h: Hulls, w: Work, best: Best, stop: int, share: float) -> None:
    """Write down where each row ended; the row `stop` at a share of its last edge."""
    for one in range(w.took.shape[0]):
        vertex, place = w.took[one], w.mark[one] - 1
        step = w.own[1, place] if place >= 0 else _FREE
        if step != _FREE:
            best.cut[one], best.loss[one], best.step[one] = c.steps[one, step], c.losses[one, step], step
            continue
        if place >= 0:
            x, y, kind = w.x[place], w.y[place], w.kind[place]
        else:
            x, y, kind = h.x[one], h.y[one], h.kind[one]
        best.cut[one], best.loss[one], best.step[one] = x[vertex], y[vertex], kind[vertex]
        if one == stop and share < 1.0:
            best.cut[one] = x[vertex - 1] + share * (x[vertex] - x[vertex - 1])
            best.loss[one] = y[vertex - 1] + share * (y[vertex] - y[vertex - 1])


@engine
def search(c: Choices, h: Hulls, w: Work, best: Best, asked: float, gap: float, nodes: int) -> int:
    """Find the least loss for a cut of `asked` [W] into `best`; returns the nodes that were looked at.

    It ends when no answer can be better by more than the share `gap`, or after `nodes`: then the count is negative.
    """
    depth, seen, whole = 0, 0, True
    best.told[0] = np.inf
    while True:
        rows = _decide(w, depth)
        found = _relax(c, h, w, rows, _own_edges(c, w, rows), asked)
        if seen == 0:
            best.told[1] = found.loss
        seen += 1
        between = found.row >= 0 and (found.head >= 0 or found.tail >= 0)
        value = found.loss_up if between else found.loss
        worth = found.enough and found.loss < best.told[0] * (1.0 - _ROUNDING)
        if worth and value < best.told[0]:
            best.told[0] = value
            _write(c, h, w, best, found.row, 1.0 if between else found.share)
        for one in range(w.took.shape[0]):
            w.took[one] = 0
        for place in range(rows):
            w.mark[w.own[0, place]] = 0
        near = best.told[0] <= best.told[1] * (1.0 + gap)
        if worth and between and not near and depth < DEPTH:
            w.path[0, depth] = found.row
            w.path[1, depth] = found.head if found.head >= 0 else found.tail
            w.path[2, depth] = 0
            depth += 1
        else:
            whole = whole and not (worth and between and depth == DEPTH)
            while depth > 0 and w.path[2, depth - 1] == 1:
                depth -= 1
            if depth == 0 or near:
                return seen if whole else -seen
            w.path[2, depth - 1] = 1
        if seen >= nodes:
            return -seen
