"""The load's own waveforms: iterations of jobs, and services with the ripple of their replicas."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from aidc.clock import Clock
from aidc.firmware.lag import lag_gain
from aidc.plant.ripple import GpuShape, LlmShape, pool_sd, ripple, ripple_law
from aidc.plant.training import TrainingClock, TrainingLevels, job_levels, job_schedule, training_levels
from aidc.schema.site import Site
from aidc.simulate.energy.fields import Kind, Pod
from aidc.simulate.transient.arrays import FloatArray, IntArray
from aidc.simulate.transient.start import OperatingPoint

__all__ = ["Waveforms", "waveforms_of"]

_RIPPLE_S = Fraction(1, 10)  # the resolution of the measured traces
_CORRELATION = 0.5  # at one sample of 100 ms: measured 0.2 to 0.8


@dataclass(frozen=True)
class Waveforms:
    """Arrays of `Plan` that say what the work itself asks for."""

    service_w: FloatArray
    sample_ticks: int
    job_start: IntArray
    job_clock: FloatArray
    job_levels: FloatArray
    job_edge: FloatArray


def waveforms_of(
    site: Site,
    point: OperatingPoint,
    step_s: Fraction,
    duration_s: float,
    seed: int,
    phase: tuple[float, float] | None = None,
) -> Waveforms:
    """Waveforms of every pod over a window.

    Parameters
    ----------
    site, point
        What runs, and at which level.
    step_s, duration_s
        Step and length of the window [s].
    seed
        Of the ripple; the same seed gives the same waveform whatever happens to the site.
    phase
        Time in the window [s] and share of an iteration at which every job stands then, so that an event
        can fall on any part of it; default: where the jobs stand by their own calendar.
    """
    rng = np.random.default_rng(seed)
    clock = Clock(point.start, step_s, max(1, int(duration_s / step_s)))
    starts, clocks, levels, edges = [], [], [], []
    for job in site.jobs.values():
        pod = site.pods[job.pods[0]]
        level, figures = training_levels(site.devices[job.pods[0]].trained)
        schedule = job_schedule(job, clock, figures["communication_share"])
        start = schedule.start_tick
        if phase is not None:
            # the second iteration of a block: no evaluation and no checkpoint is near
            start = round((phase[0] - (1.0 + phase[1]) * job.iteration_s) / float(step_s))
        starts.append(start)
        clocks.append([float(value) for value in schedule[3:]])
        share = schedule.communication_s / schedule.iteration_s
        levels.append(list(job_levels(job, level, pod.accelerator.tdp_w, share)))
        edges.append(lag_gain(float(step_s), job.edge_ms / 1e3))
    count = len(starts)
    sample_ticks = max(1, round(_RIPPLE_S / step_s))
    sample_s = sample_ticks * float(step_s)
    samples = int(duration_s / sample_s) + 2
    return Waveforms(
        service_w=_bases(point, samples, sample_s) + _ripples(site, point, samples, rng),
        sample_ticks=sample_ticks,
        job_start=np.array(starts, dtype=np.int64),
        job_clock=np.array(clocks, dtype=float).T.reshape(len(TrainingClock._fields) - 3, count),
        job_levels=np.array(levels, dtype=float).T.reshape(len(TrainingLevels._fields), count),
        job_edge=np.array(edges, dtype=float),
    )


def _bases(point: OperatingPoint, samples: int, sample_s: float) -> FloatArray:
    """Mean power of each pod's accelerators from the energy engine, linear between its rows [W]."""
    at_s = sample_s * np.arange(samples)
    rows_s = point.row_s * np.arange(point.accelerator_w.shape[1])
    return np.array([np.interp(at_s, rows_s, row) for row in point.accelerator_w]).reshape(-1, samples)


def _ripples(site: Site, point: OperatingPoint, samples: int, rng: np.random.Generator) -> FloatArray:
    """Deviation of each pod's power from its mean at 100 ms [W].

    A first-order process with the measured standard deviation of a replica, pooled over the pod's
    independent replicas (so nearly normal).
    """
    out = np.zeros((len(site.pods), samples))
    for lane, name in enumerate(site.pods):
        own = np.random.default_rng(rng.integers(2**63))
        sd_w = _pod_sd_w(site, point, lane, name)
        if sd_w > 0:
            noise = own.standard_normal(samples)
            out[lane] = sd_w * _first_order(noise)
    return out


def _first_order(noise: FloatArray) -> FloatArray:
    """A stationary process of unit variance with the given correlation between neighbours."""
    from scipy.signal import lfilter

    gain = np.sqrt(1.0 - _CORRELATION**2)
    made = lfilter([gain], [1.0, -_CORRELATION], noise, zi=[_CORRELATION * noise[0]])[0]
    return np.asarray(made, dtype=np.float64)


def _pod_sd_w(site: Site, point: OperatingPoint, lane: int, name: str) -> float:
    """Standard deviation of a pod's power at 100 ms [W]; 0 for what is not a service at work."""
    if int(point.compiled.params.pod[Pod.KIND, lane]) != Kind.SERVICE or point.batch[lane] < 1.0:
        return 0.0
    served = next(key for key, one in site.services.items() if name in one.pods)
    service, told = site.services[served], point.compiled.meta["workloads"][served]
    replicas, size = told["replicas"][name], told["accelerators_per_replica"][name]
    pod, model = site.pods[name], service.model
    _, law = ripple_law(site.devices[name].served)
    chip = pod.accelerator
    gpu = GpuShape(
        chip.tdp_w, chip.hbm_bytes_per_s, chip.bf16_flop_per_s, chip.fp8_flop_per_s, chip.hbm_bytes
    )
    shape = LlmShape(
        model.parameters,
        model.activated,
        model.layers or 80.0,
        model.kv_heads or 8.0,
        model.head_dim or 128.0,
        float(model.experts or 0),
        float(model.experts_per_token or 0),
    )
    sd_frac = float(ripple(shape, float(size), float(point.batch[lane]), gpu, law).sd_frac[0])
    return pool_sd(sd_frac * size * chip.tdp_w, replicas)
