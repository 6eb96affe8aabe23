"""What all meters share: blocks must follow each other, be finite and come from the clause's place.

A mark says that a stretch of a record is not normal operation. Windows that touch one are kept apart,
so that a job's start or a fault does not stand for the everyday oscillation, nor hide it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from fractions import Fraction
from typing import ClassVar, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from aidc.errors import InputError, Problem
from aidc.measure.grid.verdict import Connection, Verdict, not_assessable
from aidc.record.waveform import Mark, Waveform
from aidc.schema.code import ClauseBase

__all__ = ["GRID_KINDS", "SITE_KINDS", "Apart", "StreamMeter"]

FloatArray = NDArray[np.float64]
ClauseT = TypeVar("ClauseT", bound=ClauseBase)

GRID_KINDS = frozenset(
    {"sag", "swell", "fault", "recovery", "interruption", "islanding"}
    | {"frequency", "frequency-step", "frequency-ramp", "frequency-trace"}
    | {"transfer", "retransfer", "reconnection"}
)
"""Marks that the grid, or the site's answer to it, causes."""

SITE_KINDS = frozenset({"start", "abort", "job-start", "job-abort", "pump-loss"})
"""Marks of the site's own that are no normal operation; any other kind of mark is normal operation."""


class Apart:
    """Which rolling windows touch a marked stretch.

    A window of `reach` steps that ends at tick j covers j - reach to j; it is apart where it touches a
    mark of `kinds`, or the `settle_s` that follow one.
    """

    def __init__(self, kinds: frozenset[str], step_s: Fraction, reach: int, settle_s: float = 0.0) -> None:
        self._kinds = kinds
        self._step_s = float(step_s)
        self._reach = reach
        self._settle_s = settle_s
        self._seen: set[Mark] = set()
        self._spans: list[tuple[int, int]] = []

    def _learn(self, marks: tuple[Mark, ...]) -> None:
        new = {mark for mark in marks if mark.kind in self._kinds} - self._seen
        if not new:
            return
        self._seen |= new
        spans = sorted(self._span(mark) for mark in self._seen)
        self._spans = [spans[0]]
        for first, last in spans[1:]:
            if first <= self._spans[-1][1]:
                self._spans[-1] = (self._spans[-1][0], max(last, self._spans[-1][1]))
            else:
                self._spans.append((first, last))

    def _span(self, mark: Mark) -> tuple[int, int]:
        """Ticks at which a window that ends there is apart: first, and one past the last."""
        first = int(np.ceil(mark.start_s / self._step_s - 1e-9))
        last = int(np.floor((mark.end_s + self._settle_s) / self._step_s + 1e-9)) + self._reach
        return first, last + 1

    def pieces(self, block: Waveform) -> Iterator[tuple[int, int, int]]:
        """Stretches of a block as (first, last, apart 0 or 1), `last` exclusive, offsets in the block."""
        self._learn(block.marks)
        start, end = block.first_tick, block.first_tick + len(block)
        at = start
        for first, last in self._spans:
            if last <= at or first >= end:
                continue
            if first > at:
                yield at - start, first - start, 0
            yield max(first, at) - start, min(last, end) - start, 1
            at = min(last, end)
        if at < end:
            yield at - start, end - start, 0


class StreamMeter(ABC, Generic[ClauseT]):
    """A meter of one clause: feed it consecutive blocks, then ask for its verdicts."""

    needs: ClassVar[tuple[str, ...]] = ()

    def __init__(self, clause: ClauseT, connection: Connection, step_s: Fraction) -> None:
        self.clause = clause
        self.connection = connection
        self.step_s = step_s
        self.first_tick = 0
        self.samples = 0
        self._reason = self._unfit()

    def feed(self, block: Waveform) -> None:
        """Judge the next block, which must start where the last one ended."""
        if self._reason or not len(block):
            return
        self._reason = self._misplaced(block)
        if self._reason:
            return
        self._follows(block)
        for channel in self._channels(block):
            _finite(block, channel)
        self._take(block)
        self.samples += len(block)

    def verdicts(self) -> list[Verdict]:
        """What the clause says of everything that was fed; may be asked at any time."""
        if self._reason:
            return [not_assessable(self.clause, self._reason)]  # type: ignore[arg-type]
        if not self.samples:
            return [not_assessable(self.clause, "nothing was recorded")]  # type: ignore[arg-type]
        return self._judge()

    @property
    def duration_s(self) -> float:
        """Length of what was fed [s]."""
        return self.samples * float(self.step_s)

    def _unfit(self) -> str:
        """Why no series of this step can be judged, or an empty string."""
        return ""

    def _channels(self, _block: Waveform) -> tuple[str, ...]:
        """The channels that a block is judged by."""
        return self.needs

    @abstractmethod
    def _take(self, block: Waveform) -> None: ...

    @abstractmethod
    def _judge(self) -> list[Verdict]: ...

    def _misplaced(self, block: Waveform) -> str:
        if block.location != self.clause.location:
            return f"the clause judges the {self.clause.location}, the series is of the {block.location}"
        missing = [channel for channel in self._channels(block) if channel not in block]
        return f"the series has no {' and no '.join(missing)}" if missing else ""

    def _follows(self, block: Waveform) -> None:
        if block.step_s != self.step_s:
            raise InputError(
                Problem(
                    f"a block's step differs from the {float(self.step_s):g} s of its meter",
                    "resample the series to one step",
                    key="step_s",
                    value=float(block.step_s),
                )
            )
        if not self.samples:
            self.first_tick = block.first_tick
        expected = self.first_tick + self.samples
        if block.first_tick != expected:
            raise InputError(
                Problem(
                    f"a block does not follow the last one, which ended before tick {expected}",
                    "feed consecutive blocks, each once",
                    key="first_tick",
                    value=block.first_tick,
                )
            )


def _finite(block: Waveform, channel: str) -> None:
    values = block[channel]
    if np.isfinite(values.sum()) or np.isfinite(values).all():  # a sum is quick; it may overflow honestly
        return
    at = int(np.flatnonzero(~np.isfinite(values))[0])
    raise InputError(
        Problem(
            f"a sample at {(block.first_tick + at) * float(block.step_s):g} s is not a number",
            "fill or cut the gap before judging the series",
            key=channel,
            value=float(values[at]),
        )
    )
