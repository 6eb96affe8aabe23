"""What a training job would make if nothing stood in its way: its schedule and its faults alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from aidc.jit import engine
from aidc.plant.training import TrainingClock, TrainingLevels, step_job

__all__ = ["unhindered_tokens"]


@engine
def unhindered_tokens(
    out: NDArray[np.float64],
    steps: NDArray[np.int64],
    first: int,
    fault_index: int,
    faults: NDArray[np.int64],
    clock: TrainingClock,
    levels: TrainingLevels,
    rate_per_s: NDArray[np.float64],
) -> int:
    """Tokens that count, in rows of several steps.

    Parameters
    ----------
    out, steps
        Tokens of each row, filled in, and the steps of each row, (n_row,).
    first
        The job's own tick at the first step; below 0 it has not begun.
    fault_index, faults
        Faults that lie behind, and the job's own ticks of all of them.
    clock, levels
        Schedule and power levels.
    rate_per_s
        Tokens per second of training at uncapped powers from 0 to rated, evenly, (n_load,).

    Returns
    -------
    int
        Faults that lie behind at the end.
    """
    tick = first
    last = rate_per_s.shape[0] - 1
    for row in range(steps.shape[0]):
        counted = 0.0
        for _ in range(steps[row]):
            if tick >= 0:
                load, _, kept, _, fault_index = step_job(tick, fault_index, faults, clock, levels)
                place = min(max(load, 0.0), 1.0) * last
                low = min(int(place), last - 1)
                rate = rate_per_s[low] + (place - low) * (rate_per_s[low + 1] - rate_per_s[low])
                counted += kept * rate
            tick += 1
        out[row] = counted * clock.step_s
    return fault_index
