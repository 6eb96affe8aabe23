"""Rows of the engine put together to longer ones, as the engine itself would have recorded them.

Means are weighed by steps, extremes stay extremes, and what stands for the end of a row is that of its last part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from aidc.simulate.compiling.compiled import Compiled
from aidc.simulate.energy.arrays import FloatArray, IntArray, Records
from aidc.simulate.frames import Stored, stored_at

__all__ = ["Block", "Gathered", "Gatherer", "joined"]

_ENDS: Final = ("queue_tokens", "loop_k", "facility_k", "soc_frac", "job_width")


@dataclass(frozen=True, slots=True)
class Block:
    """What one `advance` recorded: rows of `steps` steps each from `first_tick`, and what was stored before."""

    records: Records
    first_tick: int
    steps: IntArray  # of each row; only rows that a block or the window cuts are shorter than the others
    before: Stored
    soc_path: FloatArray  # [step, storage] state of charge at the end of each step

    @property
    def rows(self) -> int:
        return len(self.steps)

    @property
    def ticks(self) -> IntArray:
        """First tick of each row."""
        return self.first_tick + np.cumsum(self.steps) - self.steps


class Gathered(NamedTuple):
    """Whole rows: their records, first ticks and steps, and what was stored before the first."""

    records: Records
    ticks: IntArray
    steps: IntArray
    before: Stored


def joined(parts: Sequence[Records]) -> Records:
    """Records one behind the other."""
    if len(parts) == 1:
        return parts[0]
    return Records(*(np.concatenate(one) for one in zip(*parts, strict=True)))


class Gatherer:
    """Takes blocks as they are recorded, and gives the rows of `many` steps that are whole by then."""

    def __init__(self, compiled: Compiled, many: int, before: Stored) -> None:
        self._compiled, self._many, self._before = compiled, many, before
        self._parts = list[Records]()
        self._ticks = list[IntArray]()
        self._steps = list[IntArray]()

    def add(self, block: Block) -> None:
        self._parts.append(block.records)
        self._ticks.append(block.ticks)
        self._steps.append(block.steps)

    def take(self) -> Gathered | None:
        """The rows that are whole, the last of the window among them; None where there is none."""
        if not self._parts:
            return None
        out, ticks, steps = joined(self._parts), np.concatenate(self._ticks), np.concatenate(self._steps)
        end = int(ticks[-1] + steps[-1])
        whole = end if end == self._compiled.clock.steps else end - end % self._many
        count = int(np.searchsorted(ticks, whole))
        self._parts, self._ticks, self._steps = [_cut(out, count, None)], [ticks[count:]], [steps[count:]]
        if count == len(ticks):
            self._parts, self._ticks, self._steps = [], [], []
        if not count:
            return None
        found = _together(_cut(out, 0, count), ticks[:count], steps[:count], self._many)
        given = Gathered(*found, self._before)
        self._before = stored_at(self._compiled, given.records, len(given.ticks) - 1)
        return given


def _cut(out: Records, first: int, last: int | None) -> Records:
    return Records(*(one[first:last] for one in out))


def _together(
    out: Records, ticks: IntArray, steps: IntArray, many: int
) -> tuple[Records, IntArray, IntArray]:
    """One row for all that begin within the same `many` steps."""
    row = ticks // many
    first = np.flatnonzero(np.diff(row, prepend=row[0] - 1))
    if len(first) == len(ticks):
        return out, ticks, steps
    last = np.append(first[1:], len(ticks)) - 1
    total = np.add.reduceat(steps, first)
    named = out._asdict()
    for name, one in named.items():
        named[name] = one[last] if name in _ENDS else _mean(one, steps, first, total)
    named["case_k"] = np.maximum.reduceat(out.case_k, first)
    net = out.net_import_w
    named["net_import_w"] = np.stack(
        [np.minimum.reduceat(net[:, 0], first), np.maximum.reduceat(net[:, 1], first)], axis=1
    )
    return Records(**named), ticks[first], total


def _mean(one: FloatArray, steps: IntArray, first: IntArray, total: IntArray) -> FloatArray:
    weight = steps.reshape(-1, *[1] * (one.ndim - 1))
    found: FloatArray = np.add.reduceat(one * weight, first) / total.reshape(-1, *[1] * (one.ndim - 1))
    return found
