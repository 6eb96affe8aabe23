"""What no single table can know: that names refer to something, and that the parts fit together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path

from aidc.clock import as_fraction
from aidc.errors import Problem
from aidc.schema.site import Job, Site
from aidc.schema.storage import Storage

__all__ = ["cross_check"]

_MOST_STEPS = 1_000_000_000  # thirty years of seconds, half an hour of computing


def cross_check(site: Site, file: Path | None = None) -> list[Problem]:
    """Every reference that leads nowhere and every combination that cannot work."""
    return [
        Problem(one.what, one.remedy, file, one.key, one.value)
        for check in (
            _references,
            _one_workload_each,
            _jobs_fit,
            _steps,
            _racks_fit,
            _cooling_fits,
            _storage_fits,
        )
        for one in check(site)
    ]


def _unknown(key: str, name: str, known: list[str], section: str) -> Problem:
    close = get_close_matches(name, known, n=1)
    remedy = f"Did you mean {close[0]!r}?" if close else f"Known in [{section}]: {', '.join(known)}."
    return Problem(f"names nothing in [{section}]", remedy, key=key, value=name)


def _references(site: Site) -> Iterator[Problem]:
    chains, plants, pods = list(site.chains), list(site.cooling), list(site.pods)
    for name, pod in site.pods.items():
        if pod.chain not in site.chains:
            yield _unknown(f"pods.{name}.chain", pod.chain, chains, "chains")
        if pod.cooling not in site.cooling:
            yield _unknown(f"pods.{name}.cooling", pod.cooling, plants, "cooling")
    for section, workloads in (("services", site.services), ("jobs", site.jobs), ("replays", site.replays)):
        for name, workload in workloads.items():
            for pod_name in workload.pods:
                if pod_name not in site.pods:
                    yield _unknown(f"{section}.{name}.pods", pod_name, pods, "pods")


def _one_workload_each(site: Site) -> Iterator[Problem]:
    users = Counter(
        pod
        for workloads in (site.services, site.jobs, site.replays)
        for workload in workloads.values()
        for pod in workload.pods
    )
    for pod, count in users.items():
        if count > 1:
            yield Problem(
                f"pod {pod!r} has {count} workloads",
                "Give each pod one workload, or split it in two.",
                key=f"pods.{pod}",
            )
    names = Counter([*site.services, *site.jobs, *site.replays])
    for name, count in names.items():
        if count > 1:
            yield Problem("two workloads bear this name", "Rename one.", key=f"services.{name}", value=name)


def _jobs_fit(site: Site) -> Iterator[Problem]:
    for name, job in site.jobs.items():
        pods = [site.pods[pod] for pod in job.pods if pod in site.pods]
        if len(pods) < len(job.pods):
            continue
        yield from _width_fits(name, job, sum(pod.accelerators for pod in pods))
        if job.sweep is None:
            continue
        names = list(dict.fromkeys(pod.accelerator_name for pod in pods))
        if len(names) > 1:
            yield Problem(
                f"is of one kind of accelerator, and its pods have {len(names)}: {', '.join(names)}",
                "Make a job for each kind, with its own sweep.",
                key=f"jobs.{name}.sweep",
            )
        rated_w = pods[0].accelerator.tdp_w
        if job.sweep.cap_w[-1] > rated_w * (1 + 1e-9):
            yield Problem(
                f"has limits above the {rated_w:g} W at which {names[0]} is rated",
                "Put the work on the accelerators that were measured, or leave those rows out.",
                key=f"jobs.{name}.sweep.cap_w",
                value=job.sweep.cap_w[-1],
            )


def _width_fits(name: str, job: Job, accelerators: int) -> Iterator[Problem]:
    if job.width is None:
        return
    least, step = job.width.min, job.width.step
    if least > accelerators:
        yield Problem(
            f"is more than the {accelerators} accelerators of the job",
            f"Give at most {accelerators}, or the job more pods.",
            key=f"jobs.{name}.width.min",
            value=least,
        )
    if step > accelerators:
        yield Problem(
            f"is more than the {accelerators} accelerators of the job",
            "Give the number of accelerators by which it grows and shrinks, as a rule those of a server.",
            key=f"jobs.{name}.width.step",
            value=step,
        )
    elif least % step:
        yield Problem(
            f"is no multiple of the step of {step}",
            f"Give {least - least % step} or {least - least % step + step}.",
            key=f"jobs.{name}.width.min",
            value=least,
        )


def _steps(site: Site) -> Iterator[Problem]:
    count = as_fraction(site.scenario.days) * 86_400 / as_fraction(site.scenario.step_s)
    if count > _MOST_STEPS:
        yield Problem(
            f"makes {float(count):.3g} steps of the run, more than {_MOST_STEPS:.0e}",
            "Lengthen the step, or shorten scenario.days.",
            key="scenario.step_s",
            value=site.scenario.step_s,
        )
    step, row = as_fraction(site.scenario.step_s), as_fraction(site.scenario.output_step_s)
    if (row / step).denominator != 1:
        yield Problem(
            "is not a multiple of step_s",
            f"Choose a multiple of {step} s.",
            key="scenario.output_step_s",
            value=float(row),
        )
    if count < 1:
        yield Problem(
            "is shorter than one step", "Lengthen it.", key="scenario.days", value=site.scenario.days
        )
    period = as_fraction(site.control.period_s)
    if site.control.use != "none" and (period / step).denominator != 1:
        yield Problem(
            "is not a multiple of scenario.step_s",
            f"Choose a multiple of {step} s.",
            key="control.period_s",
            value=float(period),
        )


def _racks_fit(site: Site) -> Iterator[Problem]:
    for name, pod in site.pods.items():
        network_kw = pod.rack.network_w * pod.rack.accelerators / 1e3
        if network_kw >= pod.rack.rated_power_kw:
            yield Problem(
                f"has a network of {network_kw:.4g} kW a rack, and a nameplate of {pod.rack.rated_power_kw:.4g} kW"
                " that includes it",
                "Lower network_w (per accelerator), or raise rated_power_kw.",
                key=f"pods.{name}.network_w",
                value=pod.rack.network_w,
            )


def _cooling_fits(site: Site) -> Iterator[Problem]:
    for name, pod in site.pods.items():
        plant, air = site.cooling.get(pod.cooling), site.cooling.get(pod.air_plant)
        if plant is not None and pod.rack.cooling == "liquid" and plant.cdu_entry is None:
            yield Problem(
                f"has no CDU but cools the liquid-cooled racks of pod {name!r}",
                'Add cdu = "deschutes-2mw" or another (aidc catalogue cdu).',
                key=f"cooling.{pod.cooling}",
            )
        if pod.air_cooling is not None and air is None:
            yield _unknown(f"pods.{name}.air_cooling", pod.air_cooling, list(site.cooling), "cooling")


def _storage_fits(site: Site) -> Iterator[Problem]:
    for name, storage in site.storage.items():
        known = list(site.chains if storage.node == "ups" else site.pods)
        for place in storage.at:
            if place not in known:
                yield _unknown(
                    f"storage.{name}.at", place, known, "chains" if storage.node == "ups" else "pods"
                )
        if storage.node == "ups":
            yield from _ups_is_there(site, name, storage)


def _ups_is_there(site: Site, name: str, storage: Storage) -> Iterator[Problem]:
    """A battery of a UPS needs one: without it, it would act at the rack."""
    for chain in dict.fromkeys(pod.chain for pod in site.pods.values()):
        stages = site.chains[chain].stages if chain in site.chains else ()
        named = not storage.at or chain in storage.at
        if stages and named and not any(stage.storage_node == "ups" for stage in stages):
            yield Problem(
                f"stands at a UPS, and no stage of the chain {chain!r} is one",
                'Name the chains that have one in `at`, mark the stage with storage_node = "ups", or use node = "rack".',
                key=f"storage.{name}.node",
                value=storage.node,
            )
