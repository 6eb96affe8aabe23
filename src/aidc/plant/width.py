"""Elastic width: a job that works on fewer of its accelerators, and what a change of width costs it.

A change passes three phases. The job stops and saves its state on the width that it had; its processes start
again on the new width; they load the state. Only then does it train again. Nothing that it had trained is lost,
its own clock stands still meanwhile, and what the change costs is the time of the three phases, at their power.

The width is a share of the job's accelerators. A job that goes to no accelerator at all only stops; one that comes
from none only starts. A width that is asked for before the job has begun costs nothing.
"""

from __future__ import annotations

from aidc.jit import scalar

__all__ = ["RUNS", "STARTS", "STOPS", "step_width"]

RUNS, STOPS, STARTS = range(3)


@scalar
def step_width(
    phase: int, left: int, width: float, wanted: float, begun: bool, stop_ticks: int, start_ticks: int
) -> tuple[int, int, float]:
    """Phase, ticks left in it (this step among them) and width of one step.

    Parameters
    ----------
    phase, left, width
        At the end of the step before: phase, ticks left in it, and the share of the accelerators held.
    wanted
        The share that is asked for now.
    begun
        Whether the job has worked at all yet.
    stop_ticks, start_ticks
        Steps to stop and save, and to start again and load.

    Returns
    -------
    tuple
        The step works where the phase is `RUNS`; else it is one of the `left` steps of its phase.
    """
    if not begun and phase == RUNS:
        return RUNS, 0, wanted
    if phase == RUNS and wanted != width:
        phase = STOPS
        left = stop_ticks if width > 0.0 else 0
    if phase == STOPS and left == 0:
        phase = STARTS if wanted != width else RUNS
        left = start_ticks if wanted > 0.0 and phase == STARTS else 0
        width = wanted
    if phase == STARTS and wanted != width:
        left = start_ticks if wanted > 0.0 else 0
        width = wanted
    if phase == STARTS and left == 0:
        phase = RUNS
    return phase, left, width
