"""Work with a deadline: what was put off, what of that was made up for in time, and what was missed.

A job is held against itself without hindrance: the same schedule and the same faults at the power limit that its pods
always have. Whatever keeps it from that (a pause, a cap, fewer accelerators, lost supply, heat) puts tokens off, and
what it makes beyond its unhindered pace, once that has reached the target, makes up for them:

    put off = made up for before the deadline + missed at the deadline + still open where the run ends before it

All three are counted by rows of the record; a row in which the deadline falls is divided in proportion.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

import numpy as np

from aidc.contract import Knob
from aidc.plant.training import NEVER, TrainingClock, TrainingLevels
from aidc.plant.unhindered import unhindered_tokens
from aidc.simulate.compiling.compiled import Compiled
from aidc.simulate.energy.arrays import FloatArray, IntArray
from aidc.simulate.energy.fields import Pod, PodNow, Point
from aidc.simulate.gather import Block

__all__ = ["Deferral"]

_KIND: Final = "deadline"
_ROUNDING: Final = 1e-9  # of the target

Add = Callable[[datetime, str, str, str], None]


class Deferral:
    """Keeps the account of every job that has a deadline, from block to block."""

    def __init__(self, compiled: Compiled, add: Add) -> None:
        deadlines = compiled.view.job_deadline_tick
        self._accounts = {
            name: _Account(compiled, job, int(deadlines[job]), add)
            for job, name in enumerate(compiled.jobs)
            if np.isfinite(deadlines[job])
        }

    def feed(self, block: Block) -> None:
        """Count the rows of a block."""
        for account in self._accounts.values():
            account.feed(block)

    def told(self) -> dict[str, dict[str, Any]]:
        """The account of each job, tokens."""
        return {name: account.told() for name, account in self._accounts.items()}


class _Account:
    def __init__(self, compiled: Compiled, job: int, deadline: int, add: Add) -> None:
        params = compiled.params
        self._compiled, self._job, self._deadline, self._add = compiled, job, deadline, add
        self._lanes = np.flatnonzero(params.pod[Pod.WORKLOAD] == compiled.first_job + job)
        self._begin = max(int(params.job_start[job]), 0)
        self._target = float(params.job_tokens[job])
        self._rates = _rates_per_s(compiled, self._lanes)
        own = (float(value) for value in params.job_clock[:, job])
        self._clock = TrainingClock(0, NEVER, int(params.job_restart[job]), *own)
        self._levels = TrainingLevels(*(float(value) for value in params.job_levels[:, job]))
        self._faults = params.fault_tick[params.fault_first[job] : params.fault_first[job + 1]]
        self._fault = 0
        self._due = self._made = self._put_off = self._made_up = self._late = 0.0
        self._closed = False
        self._possible = self._unhindered(deadline) >= self._target * (1 - _ROUNDING)
        if not self._possible:
            self._tell_impossible()

    def _unhindered(self, until: int) -> float:
        """Tokens that the job would have made by a tick if nothing stood in its way."""
        ticks = max(until - self._begin, 0)
        out = np.zeros(1)
        steps = np.array([ticks], dtype=np.int64)
        unhindered_tokens(out, steps, 0, 0, self._faults, self._clock, self._levels, self._rates)
        return min(float(out[0]), self._target)

    def feed(self, block: Block) -> None:
        made = block.records.pod[:, PodNow.TRAINED_TOKENS, self._lanes].sum(axis=1) * block.steps
        due = self._due_rows(block)
        for row, first in enumerate(block.ticks):
            steps = int(block.steps[row])
            share = min(max((self._deadline - int(first)) / steps, 0.0), 1.0)
            if not self._closed:
                self._count(share * float(due[row]), share * float(made[row]))
            if share < 1.0:
                self._close()
                self._late += (1 - share) * float(made[row])
        if not self._closed and block.first_tick + int(block.steps.sum()) >= self._deadline:
            self._close()

    def _due_rows(self, block: Block) -> FloatArray:
        out = np.zeros(block.rows)
        steps: IntArray = block.steps.astype(np.int64)
        self._fault = unhindered_tokens(
            out, steps, block.first_tick - self._begin, self._fault, self._faults, self._clock, self._levels, self._rates,
        )  # fmt: skip
        return out

    def _count(self, due: float, made: float) -> None:
        before = self._due - self._made
        self._due = min(self._due + due, self._target)
        self._made += made
        more = self._due - self._made - before
        self._put_off += max(more, 0.0)
        self._made_up += max(-more, 0.0)

    def _close(self) -> None:
        """The deadline has come: say how the job stands."""
        if self._closed:
            return
        self._closed = True
        short = self._target - self._made
        if short <= self._target * _ROUNDING:
            text = "met"
        else:
            text = f"missed: {short:,.4g} of {self._target:,.4g} tokens are left"
        self._add(self._compiled.clock.at(self._deadline), _KIND, self._compiled.jobs[self._job], text)

    def _tell_impossible(self) -> None:
        name = self._compiled.jobs[self._job]
        made = self._unhindered(self._deadline)
        self._add(
            self._compiled.clock.start,
            _KIND,
            name,
            f"cannot be met: even without any hindrance the job makes {made:,.4g} of {self._target:,.4g} tokens by then."
            f" Start it earlier, give it more pods, or move jobs.{name}.deadline",
        )

    def told(self) -> dict[str, Any]:
        open_ = max(self._put_off - self._made_up, 0.0)
        return {
            "deadline": self._compiled.clock.at(self._deadline).isoformat(),
            "possible": self._possible,
            "met": self._target - self._made <= self._target * _ROUNDING if self._closed else None,
            "put_off_tokens": self._put_off,
            "made_up_tokens": self._made_up,
            "missed_tokens": open_ if self._closed else 0.0,
            "open_tokens": 0.0 if self._closed else open_,
            "late_tokens": self._late,
        }


def _rates_per_s(compiled: Compiled, lanes: IntArray) -> FloatArray:
    """Tokens per second of training at each uncapped power, at the caps that the job's pods always have, (n_load,)."""
    params, view = compiled.params, compiled.view
    total = np.zeros(params.operating.shape[2])
    for lane in lanes:
        cap = view.default[Knob.POD_CAP_W][lane] / view.upper[Knob.POD_CAP_W][lane]
        table = params.operating[lane, :, :, Point.RATE_PER_S]
        total += [np.interp(cap, params.cap_frac[lane], column) for column in table.T]
    return total
