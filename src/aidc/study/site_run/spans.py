"""Conditions that hold for a while: when each began, when it ended and how much came together meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

__all__ = ["Span", "Spans"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of output steps in which a condition held.

    `start_s` and `end_s` are the start of its first step and the end of its last one (epoch, UTC), `sums` the sums
    of what was given with it, `last` the first of it in the last step, `row` the place of the first step in the block
    in which it began.
    """

    start_s: float
    end_s: float
    sums: tuple[float, ...]
    row: int = -1
    last: float = 0.0

    @property
    def length_s(self) -> float:
        return self.end_s - self.start_s


@dataclass(slots=True)
class Spans:
    """Follows conditions by name through blocks of output steps."""

    row_s: float
    _open: dict[str, Span] = field(default_factory=dict[str, Span])

    def feed(
        self,
        name: str,
        times_s: FloatArray,
        on: NDArray[np.bool_],
        amounts: tuple[FloatArray, ...],
        begun: Callable[[Span], None],
        ended: Callable[[Span], None],
    ) -> None:
        """Tell of the spans that began and ended within these steps; `amounts` are summed over each.

        `name` is that of the condition, `times_s` are the beginnings of the rows in seconds of the run, and `on` says
        in which the condition held; `begun` and `ended` are called with each span.
        """
        edges = np.flatnonzero(np.diff(np.concatenate([[False], on, [False]]).astype(np.int8))).reshape(-1, 2)
        before = self._open.pop(name, None)
        if before is not None and (not edges.size or edges[0, 0] > 0):
            ended(before)
            before = None
        for first, last in edges:
            sums = tuple(float(amount[first:last].sum()) for amount in amounts)
            final = float(amounts[0][last - 1]) if amounts else 0.0
            end_s = float(times_s[last - 1]) + self.row_s
            one = Span(float(times_s[first]), end_s, sums, int(first), final)
            if before is not None:
                joined = tuple(a + b for a, b in zip(before.sums, sums, strict=True))
                one = replace(before, end_s=end_s, sums=joined, last=final)
                before = None
            else:
                begun(one)
            if last < len(on):
                ended(one)
            else:
                self._open[name] = one

    def still(self, name: str) -> Span | None:
        """The span of a condition that holds at the end of what was fed."""
        return self._open.get(name)
