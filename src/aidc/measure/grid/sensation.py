"""The loop of the flickermeter: from a squared voltage to the smoothed sensation, one pass over the samples."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from aidc.jit import engine

__all__ = ["sensation_block"]

FloatArray = NDArray[np.float64]


@engine
def sensation_block(
    square: FloatArray,
    floor: float,
    adapter: FloatArray,
    sections: FloatArray,
    sense: FloatArray,
    state: FloatArray,
    poles: FloatArray,
    stride: int,
    phase: int,
    out: FloatArray,
) -> int:
    """Fill `out` with every `stride`-th smoothed sensation, from sample `phase` on; returns how many there are.

    `adapter` and `sense` are filters [b0 b1 a1] with their memories in `poles`, `sections` the weighting
    [b0 b1 b2 a1 a2] with its memory in `state` [section, 2] (transposed direct form II, as in `sos.py`). The
    weighting sees the square over its own slow mean, at least `floor`, less 1: at rest its memory is 0. All filters
    run in one loop, so that their recurrences overlap in the processor.
    """
    adapter_0, adapter_1, adapter_a = adapter[0], adapter[1], adapter[2]
    sense_0, sense_1, sense_a = sense[0], sense[1], sense[2]
    mean_kept, felt_kept = poles[0], poles[1]
    found = 0
    until = phase
    for j in range(square.size):
        value = square[j]
        mean = adapter_0 * value + mean_kept
        mean_kept = adapter_1 * value - adapter_a * mean
        carried = value / max(mean, floor) - 1.0
        for s in range(sections.shape[0]):
            y = sections[s, 0] * carried + state[s, 0]
            state[s, 0] = sections[s, 1] * carried - sections[s, 3] * y + state[s, 1]
            state[s, 1] = sections[s, 2] * carried - sections[s, 4] * y
            carried = y
        seen = carried * carried
        felt = sense_0 * seen + felt_kept
        felt_kept = sense_1 * seen - sense_a * felt
        if until == 0:
            out[found] = felt
            found += 1
            until = stride
        until -= 1
    poles[0], poles[1] = mean_kept, felt_kept
    return found
