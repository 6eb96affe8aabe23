"""Where a run begins: the loops at the temperatures that the first step's heat holds them at.

The engine itself is stepped through the first tick again and again, in long steps, keeping what is warm and putting
everything else back, until nothing changes. So no figure of a run is that of its start-up. A plant that cannot hold its
set point starts where it ends up; pods that would shut down there start just before they do.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Final

import numpy as np

from aidc.simulate.compiling.compiled import Compiled
from aidc.simulate.energy.arrays import State
from aidc.simulate.energy.engine import advance
from aidc.simulate.energy.fields import PlantState, PodState
from aidc.simulate.energy.layout import knobs_by_place, lay_out, rows_of, scratch_of, state_by_place

__all__ = ["settled"]

_STEP_S: Final = 30.0
_STEPS: Final = 960  # eight hours at most
_STILL: Final = 1e-9  # change over a step, relative
_WARM: Final = [PodState.LOOP_K, PodState.AIR_K, PodState.CASE_K, PodState.HOT_FRAC]
_WARM_PLANT: Final = [PlantState.SUPPLY_K, PlantState.CONDUCTANCE_W_K]


def settled(compiled: Compiled) -> State:
    """The start state by place, with its loops at rest under the first step's heat."""
    start = state_by_place(compiled.start)
    slow = lay_out(compiled.params._replace(dt_s=_STEP_S))
    knobs = knobs_by_place(compiled.default_knobs())
    workloads = compiled.first_job + len(compiled.jobs)
    scratch = scratch_of(compiled.params, compiled.inputs.first.size, workloads)
    out = rows_of(compiled.params, 1, 1)
    for _ in range(_STEPS):
        ahead = deepcopy(start)
        advance(slow, compiled.inputs, knobs, ahead, scratch, out, 0, 1, 1, compiled.first_job)
        warm, plant = ahead.pod[:, _WARM], ahead.plant[:, _WARM_PLANT]
        if not (np.isfinite(warm).all() and np.isfinite(plant).all()):
            break
        if (ahead.pod[:, PodState.HOT_FRAC] >= 1.0).any():
            break
        still = np.allclose(warm, start.pod[:, _WARM], rtol=_STILL, atol=_STILL) and np.allclose(
            plant, start.plant[:, _WARM_PLANT], rtol=_STILL, atol=_STILL
        )
        start.pod[:, _WARM] = warm
        start.plant[:, _WARM_PLANT] = plant
        if still:
            break
    return start
