"""The sag counter of a UPS: so many departures within a window lock the lineup out.

As in the event of 10 July 2024 in Northern Virginia: three in a minute, back only by hand (NERC,
Incident Review: Considering Simultaneous Voltage-Sensitive Load Reductions, January 2025; secondary source).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from aidc.jit import scalar

__all__ = ["count_departure"]


@scalar
def count_departure(tick: int, window_ticks: float, limit: float, memory: NDArray[np.float64]) -> bool:
    """Note a departure in `memory` (ticks of the last ones, -inf where none); true if it locks out.

    `tick` is the time of the departure in steps; `limit` departures within `window_ticks` steps lock out.
    """
    oldest = 0
    within = 1
    for k in range(memory.shape[0]):
        if tick - memory[k] <= window_ticks:
            within += 1
        if memory[k] < memory[oldest]:
            oldest = k
    memory[oldest] = tick
    return within >= limit
