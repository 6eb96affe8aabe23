"""What each pod works on: a service's replicas, a job, a replayed measurement, or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from aidc.errors import InputError, Problem
from aidc.plant.inference_params import max_batch, replica
from aidc.plant.powercap import cap_curve
from aidc.plant.training import predicted_mfu, tokens_per_s, training_levels
from aidc.scenario.series import FloatArray
from aidc.schema.site import Job, Pod, Service, Site
from aidc.simulate.compiling.inputs import Scenario
from aidc.simulate.compiling.operating import (
    CAPS,
    LOADS,
    job_table,
    replay_table,
    service_table,
    sweep_caps_w,
    sweep_table,
)
from aidc.simulate.energy.fields import Kind, Point

__all__ = ["Workload", "replica_size", "workloads_of"]


@dataclass(frozen=True, slots=True)
class Workload:
    """The work of one pod, in the engine's terms."""

    name: str
    kind: Kind
    number: int  # of the workload, as the engine counts; -1 for none
    share_frac: float = 1.0
    rate_max_per_s: float = 0.0
    queue_limit_s: float = 0.0
    slo_ttft_s: float = 1.0
    input_per_output: float = 0.0
    output_per_request: float = 1.0
    flex_tier: int = 0
    flex_window: str = "event"
    curtailment_usd_per_mwh: float = 0.0
    replicas: int = 0
    replica_accelerators: int = 0
    batch_limit: float = 0.0
    cap_min_frac: float = 0.0
    caps_frac: FloatArray | None = None  # of the table; None: from the accelerator's floor to 1, evenly
    share_from: float = 0.0  # of its job's accelerators, those in the pods before it
    table: FloatArray = field(default_factory=lambda: np.zeros((CAPS, LOADS, len(Point))))


def workloads_of(site: Site, scenario: Scenario) -> Mapping[str, Workload]:
    """The workload of every pod.

    Services are numbered first, then replayed pods, then jobs.

    Raises
    ------
    InputError
        A model does not fit the accelerators of a pod, or no whole replica fits into it.
    """
    found: dict[str, Workload] = {}
    problems: list[Problem] = []
    for number, (name, service) in enumerate(site.services.items()):
        served: dict[str, Workload] = {}
        for pod in service.pods:
            try:
                served[pod] = _serve(site, name, number, service, pod, scenario)
            except InputError as error:
                problems += [
                    Problem(
                        p.what,
                        p.remedy,
                        p.file,
                        f"services.{name} on pod {pod}: {p.key or ''}".rstrip(": "),
                        p.value,
                    )
                    for p in error.problems
                ]
        found |= _shared(served)
    number = len(site.services)
    for name, replay in site.replays.items():
        for pod in replay.pods:
            peak_w = max(float(scenario.replays[pod].values.max()), 1.0)
            found[pod] = Workload(
                name, Kind.REPLAY, number, rate_max_per_s=peak_w, table=replay_table(peak_w)
            )
            number += 1
    for name, job in site.jobs.items():
        total = sum(site.pods[pod].accelerators for pod in job.pods)
        before = 0
        for pod in job.pods:
            work = _train(site, name, number, job, pod, total)
            found[pod] = replace(work, share_from=before / total)
            before += site.pods[pod].accelerators
        number += 1
    if problems:
        raise InputError(problems)
    return {pod: found.get(pod) or _idle(site.pods[pod]) for pod in site.pods}


def _shared(served: dict[str, Workload]) -> dict[str, Workload]:
    """Pods of a service share its demand by what they can do."""
    total = sum(work.rate_max_per_s for work in served.values())
    return {pod: replace(work, share_frac=work.rate_max_per_s / total) for pod, work in served.items()}


def replica_size(service: Service, pod: Pod, input_tokens: float, output_tokens: float) -> int:
    """Accelerators per replica: as stated, else the smallest power of two that holds the model.

    Room for a quarter of the batch limit at full length is asked for, so that the cache of a
    replica is not starved by its weights.

    `input_tokens` and `output_tokens` are the mean lengths of a request.
    """
    if service.accelerators_per_replica is not None:
        return service.accelerators_per_replica
    wanted = max(1.0, service.batch_limit / 4)
    size = 1
    while size < pod.accelerators:
        batch = max_batch(
            service.model,
            pod.accelerator,
            size,
            precision=service.precision,
            input_tokens=input_tokens,
            output_tokens=output_tokens,
        )
        if batch >= wanted:
            break
        size *= 2
    return min(size, pod.accelerators)


def _serve(
    site: Site, name: str, number: int, service: Service, pod_name: str, scenario: Scenario
) -> Workload:
    pod, demand = site.pods[pod_name], scenario.demands[name]
    lengths: dict[str, Any] = {
        "input_tokens": demand.input_tokens_mean,
        "output_tokens": demand.output_tokens_mean,
    }
    size = replica_size(service, pod, demand.input_tokens_mean, demand.output_tokens_mean)
    replicas = pod.accelerators // size
    if replicas == 0:
        raise InputError(
            Problem(
                f"the pod has {pod.accelerators} accelerators, fewer than one replica",
                "Use a smaller replica or more racks.",
                key="accelerators_per_replica",
                value=size,
            )
        )
    one = replica(service.model, pod.accelerator, size, precision=service.precision, **lengths)
    room = max_batch(service.model, pod.accelerator, size, precision=service.precision, **lengths)
    limit = float(max(1, min(service.batch_limit, room)))
    curve = cap_curve(site.devices[pod_name].powercap, pod.accelerator.tdp_w)
    slo_ttft_s, slo_itl_s = service.slo.ttft_p99_s, service.slo.itl_p99_ms / 1e3
    table, rate_max = service_table(
        one,
        curve,
        replicas,
        limit,
        curve.floor_w / pod.accelerator.tdp_w,
        slo_ttft_s,
        slo_itl_s,
        (pod.accelerators - replicas * size) * pod.accelerator.idle_w,
    )
    return Workload(
        name,
        Kind.SERVICE,
        number,
        rate_max_per_s=rate_max,
        queue_limit_s=service.queue_limit_s,
        slo_ttft_s=slo_ttft_s,
        input_per_output=demand.input_tokens_mean / demand.output_tokens_mean,
        output_per_request=demand.output_tokens_mean,
        flex_tier=service.flex_tier,
        flex_window=service.flex_window,
        curtailment_usd_per_mwh=service.curtailment_usd_per_mwh,
        replicas=replicas,
        replica_accelerators=size,
        batch_limit=limit,
        cap_min_frac=curve.floor_w / pod.accelerator.tdp_w,
        table=table,
    )


def _train(site: Site, name: str, number: int, job: Job, pod_name: str, accelerators: int) -> Workload:
    """A pod's part of a job: what it trains under each cap by the device's curve, or by the job's own sweep."""
    pod = site.pods[pod_name]
    chip = pod.accelerator
    share = pod.accelerators / accelerators
    rate = share * (
        _predicted_rate(site, job, pod_name, accelerators) if job.tokens_per_s is None else job.tokens_per_s
    )
    rated_w = pod.accelerators * chip.tdp_w
    if job.sweep is None:
        curve = cap_curve(site.devices[pod_name].powercap, chip.tdp_w)
        cap_min_frac = curve.floor_w / chip.tdp_w
        caps_frac = None
        table = job_table(rated_w, rate, curve, pod.accelerators, cap_min_frac)
    else:
        caps_frac = sweep_caps_w(job.sweep) / chip.tdp_w
        cap_min_frac = float(caps_frac[0])
        table = sweep_table(job.sweep, rated_w, rate, pod.accelerators)
    return Workload(
        name,
        Kind.JOB,
        number,
        share_frac=share,
        rate_max_per_s=rate,
        flex_tier=job.flex_tier,
        flex_window=job.flex_window,
        curtailment_usd_per_mwh=job.curtailment_usd_per_mwh,
        cap_min_frac=cap_min_frac,
        caps_frac=caps_frac,
        table=_with_idle(table, pod.accelerators * pod.rack.accelerator_idle_w),
    )


def _predicted_rate(site: Site, job: Job, pod_name: str, accelerators: int) -> float:
    """Tokens per second of the whole job from the FLOPs of its model; a job without one has stated its rate."""
    _, figures = training_levels(site.devices[pod_name].trained)
    chip = site.pods[pod_name].accelerator
    flop_per_s = chip.fp8_flop_per_s if job.precision == "fp8" else chip.bf16_flop_per_s
    bits = "8bit" if job.precision == "fp8" else "16bit"
    mfu = predicted_mfu(
        figures[f"mfu_{bits}"], figures[f"mfu_{bits}_accelerators"], figures["mfu_decay"], accelerators
    )
    return tokens_per_s(job.trained_model.activated, accelerators, flop_per_s, mfu)


def _with_idle(table: FloatArray, idle_w: float) -> FloatArray:
    """A pod that waits draws its idle power, whatever the job's own levels say."""
    table[:, :, Point.ACCELERATOR_W] = np.maximum(table[:, :, Point.ACCELERATOR_W], idle_w)
    table[:, :, Point.UNCAPPED_W] = np.maximum(table[:, :, Point.UNCAPPED_W], idle_w)
    return table


def _idle(pod: Pod) -> Workload:
    table = np.zeros((CAPS, LOADS, len(Point)))
    table[:, :, Point.ACCELERATOR_W] = pod.accelerators * pod.rack.accelerator_idle_w
    table[:, :, Point.UNCAPPED_W] = pod.accelerators * pod.rack.accelerator_idle_w
    return Workload("", Kind.IDLE, -1, table=table)
