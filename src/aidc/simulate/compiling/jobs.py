"""The schedules of the training jobs, in the engine's arrays."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from aidc.clock import Clock
from aidc.plant.training import (
    TrainingClock,
    TrainingLevels,
    end_tick,
    fault_ticks,
    job_levels,
    job_mtbf_s,
    job_schedule,
    training_levels,
)
from aidc.schema.site import Job, Site
from aidc.simulate.compiling.workloads import Workload
from aidc.simulate.energy.fields import JobWidth

__all__ = ["CLOCK_FIGURES", "Jobs", "compile_jobs"]

CLOCK_FIGURES = TrainingClock._fields[3:]  # the floats; the three ticks before them are kept as integers


@dataclass(frozen=True, slots=True)
class Jobs:
    """The arrays of `Params` that belong to jobs, and how many jobs there are."""

    count: int
    params: Mapping[str, Any]


def compile_jobs(
    site: Site, clock: Clock, workloads: Mapping[str, Workload], rng: np.random.Generator
) -> Jobs:
    """Schedules, power levels and drawn faults of every job.

    A job's own clock starts at 0 when it first runs and stands still while it is paused; faults are
    drawn on it, so pausing moves them with the work.

    `rng` draws the faults.
    """
    del workloads
    starts, ends, targets, restarts, clocks, levels, widths = [], [], [], [], [], [], []
    faults: list[np.ndarray] = []
    for job in site.jobs.values():
        pod = site.pods[job.pods[0]]
        level, figures = training_levels(site.devices[job.pods[0]].trained)
        schedule = job_schedule(job, clock, figures["communication_share"])
        own = schedule._replace(start_tick=0, end_tick=clock.steps + 1)
        starts.append(clock.tick_of(job.start))
        ends.append(end_tick(job, clock))
        targets.append(np.inf if job.total_tokens is None else job.total_tokens)
        restarts.append(own.restart_ticks)
        clocks.append([float(value) for value in own[3:]])
        levels.append(list(job_levels(job, level, pod.accelerator.tdp_w)))
        widths.append(_width_costs(job, clock, level))
        faults.append(_faults(site, job, own, rng.spawn(1)[0]))
    count = len(starts)
    return Jobs(
        count,
        {
            "job_start": np.array(starts, dtype=np.int64),
            "job_end": np.array(ends, dtype=np.int64),
            "job_tokens": np.array(targets, dtype=float),
            "job_restart": np.array(restarts, dtype=np.int64),
            "job_clock": np.array(clocks, dtype=float).T.reshape(len(CLOCK_FIGURES), count),
            "job_levels": np.array(levels, dtype=float).T.reshape(len(TrainingLevels._fields), count),
            "job_width": np.array(widths, dtype=float).T.reshape(len(JobWidth), count),
            "fault_first": np.concatenate([[0], np.cumsum([one.size for one in faults])]).astype(np.int64),
            "fault_tick": np.concatenate([*faults, np.zeros(0, np.int64)]).astype(np.int64),
        },
    )


def _width_costs(job: Job, clock: Clock, level: TrainingLevels) -> list[float]:
    """Whole steps of each phase of a change of width, and the power of loading over rated, as `JobWidth`."""
    shape = job.width
    if shape is None:
        return [0.0] * len(JobWidth)
    step_s = float(clock.step_s)
    saves = job.checkpoint is not None and job.checkpoint.duration_s > 0.0
    stop, restart, loading = (
        float(math.ceil(phase_s / step_s))
        for phase_s in (shape.stop_s if saves else 0.0, shape.restart_s, shape.loading_s)
    )
    power = level.restart_frac if shape.loading_power_frac is None else shape.loading_power_frac
    return [stop, restart + loading, loading, power]


def _faults(site: Site, job: Job, own: TrainingClock, rng: np.random.Generator) -> np.ndarray:
    if job.faults is None:
        return np.zeros(0, dtype=np.int64)
    accelerators = sum(site.pods[pod].accelerators for pod in job.pods)
    mtbf_s = job_mtbf_s(job.faults.accelerator_mtbf_years, accelerators)
    return fault_ticks(rng, mtbf_s, own)
