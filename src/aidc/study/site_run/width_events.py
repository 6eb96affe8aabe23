"""What changes of a job's width cost it, told in a run: when one is asked for, and when the job works again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import numpy as np

from aidc.contract import Knob
from aidc.simulate import Twin
from aidc.simulate.energy.fields import JobWidth, Pod

__all__ = ["WidthEvents"]

_KIND = "job-width"
_SAVES, _RESTARTS = 3, 4  # of the power levels of a job


class WidthEvents:
    """Watches the widths of the jobs of a run that is stepped under a controller."""

    def __init__(self, twin: Twin, add: Callable[[datetime, str, str, str], None]) -> None:
        self._twin, self._add = twin, add
        self._asked = twin.job_widths()[1]
        self._open = np.zeros(len(twin.compiled.jobs), dtype=bool)

    def asked(self) -> None:
        """Note what was asked for since the last call, once commands are applied."""
        held, wanted = self._twin.job_widths()
        if (wanted == self._asked).all():
            return
        now = self._twin.compiled.clock.at(self._twin.tick)
        for job, name in enumerate(self._twin.compiled.jobs):
            if wanted[job] != self._asked[job]:
                text = f"from {held[job]:g} to {wanted[job]:g} accelerators{self._costs(job, held[job], wanted[job])}"
                self._add(now, _KIND, name, text)
                self._open[job] = True
        self._asked = wanted

    def reached(self) -> None:
        """Note which jobs hold what was asked for by the end of a block."""
        if not self._open.any():
            return
        held, wanted = self._twin.job_widths()
        settled = self._open & (held == wanted) & (self._twin.state.job_phase == 0)
        now = self._twin.compiled.clock.at(self._twin.tick)
        for job in np.flatnonzero(settled):
            self._add(now, _KIND, self._twin.compiled.jobs[job], f"works on {held[job]:g} accelerators")
        self._open &= ~settled

    def _costs(self, job: int, held: float, wanted: float) -> str:
        """The phases of a change: how long each lasts and what its accelerators draw meanwhile."""
        params = self._twin.compiled.params
        costs, levels = params.job_width[:, job], params.job_levels[:, job]
        step_s = params.dt_s
        rated_w = self._rated_w(job)
        restart = costs[JobWidth.START_TICKS] - costs[JobWidth.LOADING_TICKS]
        phases = (
            ("stops and saves", costs[JobWidth.STOP_TICKS], held, levels[_SAVES]),
            ("restarts", restart, wanted, levels[_RESTARTS]),
            ("loads", costs[JobWidth.LOADING_TICKS], wanted, costs[JobWidth.LOADING_FRAC]),
        )
        told = [
            f"{what} {ticks * step_s:g} s at {level * rated_w * many / 1e3:,.3g} kW"
            for what, ticks, many, level in phases
            if ticks > 0 and many > 0
        ]
        return f": {', '.join(told)}" if told else ""

    def _rated_w(self, job: int) -> float:
        """Rated power of one accelerator of a job."""
        compiled = self._twin.compiled
        mine = compiled.params.pod[Pod.WORKLOAD] == compiled.first_job + job
        every = self._twin.view.upper[Knob.JOB_WIDTH][job]
        return float(compiled.params.pod[Pod.RATED_W, mine].sum() / every)
