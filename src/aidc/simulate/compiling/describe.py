"""What a reader of a run must know beside its columns: the run's meta data."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from aidc.clock import Clock
from aidc.plant.genset import genset_params
from aidc.scenario.events import Planned
from aidc.schema.renewables import Genset
from aidc.schema.site import Site
from aidc.schema.storage import Storage
from aidc.simulate.compiling.headroom import capacity_within_level
from aidc.simulate.compiling.inputs import Scenario
from aidc.simulate.compiling.workloads import Workload
from aidc.simulate.energy.fields import Kind
from aidc.units import J_PER_MWH, MEGA, kelvin

__all__ = ["describe"]


def describe(
    site: Site,
    scenario: Scenario,
    workloads: Mapping[str, Workload],
    clock: Clock,
    remarks: tuple[str, ...] = (),
    fronts: Mapping[str, tuple[float, float]] | None = None,
) -> dict[str, Any]:
    """The meta data of a run, as `aidc.measure.meta.RunMeta` expects it, and what the report shows.

    `remarks` is what compiling noticed, told in the run; `fronts` has energy [J] and power [W] of each front end's
    own battery, by its name.
    """
    tariff = site.scenario.tariff
    return {
        "name": site.site.name,
        "version": version("aidc"),
        "start": clock.start.isoformat(),
        "end": clock.end.isoformat(),
        "step_s": float(clock.step_s),
        "steps": clock.steps,
        "output_step_s": site.scenario.output_step_s,
        "timezone": site.site.location.timezone,
        "seed": site.scenario.seed,
        "workloads": _workloads(site, workloads),
        "pods": _pods(site, workloads),
        "tariff": tariff.model_dump(mode="json") if tariff else {},
        "import_limit_w": site.grid.import_limit_mw * MEGA,
        "gensets": {name: _genset(genset) for name, genset in site.gensets.items()},
        "storage": {
            **{name: _storage(site, shape) for name, shape in site.storage.items()},
            **{name: _front_battery(*one) for name, one in (fronts or {}).items()},
        },
        "events": [_event(one, clock) for one in scenario.events],
        "has_prices": tariff is not None or site.scenario.prices is not None,
        "has_carbon": site.scenario.carbon is not None,
        "sources": _sources(scenario),
        "repairs": [*scenario.repairs, *remarks],
        "assumptions": [one.model_dump(mode="json") for one in site.assumptions],
        "input_hash": _hash(site),
    }


def _event(event: Planned, clock: Clock) -> dict[str, Any]:
    """An event of the scenario in times; what it does not state is None."""
    levels = {
        "reduce_frac": event.reduce_frac,
        "reduce_w": event.reduce_w,
        "limit_w": event.limit_w,
        "price_usd_per_mwh": event.price_usd_per_mwh,
        "carbon_kg_per_mwh": event.carbon_kg_per_mwh,
    }
    ticks = {"announced": event.announced_tick, "start": event.start_tick, "end": event.end_tick}
    withdrawn = clock.at(event.withdrawn_tick).isoformat() if event.withdrawn_tick >= 0 else None
    return {
        "name": event.name,
        "kind": event.kind,
        **{what: clock.at(tick).isoformat() for what, tick in ticks.items()},
        "withdrawn": withdrawn,
        **{name: None if math.isnan(level) else level for name, level in levels.items()},
    }


def _workloads(site: Site, workloads: Mapping[str, Workload]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, service in site.services.items():
        first = site.pods[service.pods[0]]
        accelerators = dict.fromkeys(site.pods[pod].accelerator_name for pod in service.pods)
        found[name] = {
            "kind": "service",
            "pods": list(service.pods),
            "model": service.model_name,
            "precision": service.precision or service.model.precision,
            "engine": "modelled: continuous batching",
            "accelerator": ", ".join(accelerators) or first.accelerator_name,
            "flex_tier": service.flex_tier,
            "slo": {"ttft_p99_s": service.slo.ttft_p99_s, "itl_p99_s": service.slo.itl_p99_ms / 1e3},
            "replicas": {pod: workloads[pod].replicas for pod in service.pods},
            "accelerators_per_replica": {pod: workloads[pod].replica_accelerators for pod in service.pods},
            "batch_limit": {pod: workloads[pod].batch_limit for pod in service.pods},
            "capacity_tokens_per_s": capacity_within_level(
                {pod: workloads[pod] for pod in service.pods},
                {pod: site.pods[pod].power_cap_frac for pod in service.pods},
            ),
        }
    for name, job in site.jobs.items():
        found[name] = {
            "kind": "job",
            "pods": list(job.pods),
            "model": job.use or "measured cap sweep",
            "precision": job.precision,
            "accelerator": site.pods[job.pods[0]].accelerator_name,
            "flex_tier": job.flex_tier,
        }
    for name, replay in site.replays.items():
        found[name] = {"kind": "replay", "pods": list(replay.pods)}
    return found


def _pods(site: Site, workloads: Mapping[str, Workload]) -> dict[str, Any]:
    return {
        name: {
            "rated_w": pod.racks * pod.rack.rated_power_kw * 1e3,
            "rack": pod.rack_name,
            "racks": pod.racks,
            "accelerator": pod.accelerator_name,
            "accelerators": pod.accelerators,
            "workload": workloads[name].name or None,
            "idle": workloads[name].kind == Kind.IDLE,
            "chain": pod.chain,
            "cooling": pod.cooling,
            "case_limit_c": pod.rack.case_limit_c,
        }
        for name, pod in site.pods.items()
    }


def _storage(site: Site, shape: Storage) -> dict[str, Any]:
    accelerators = sum(
        pod.accelerators
        for name, pod in site.pods.items()
        if not shape.at or name in shape.at or pod.chain in shape.at
    )
    energy_j = (
        shape.energy_mwh * J_PER_MWH
        if shape.energy_mwh is not None
        else (shape.energy_j_per_accelerator or 0.0) * accelerators
    )
    power_w = (
        shape.power_mw * MEGA
        if shape.power_mw is not None
        else (shape.power_w_per_accelerator or 0.0) * accelerators
    )
    return {
        "capacity_j": energy_j,
        "power_w": power_w,
        "temp_k": kelvin(shape.cell_temp_c),
        "first_soc_frac": shape.soc_initial_frac,
        "ageing": list(shape.ageing),
    }


def _front_battery(energy_j: float, power_w: float) -> dict[str, Any]:
    return {
        "capacity_j": energy_j,
        "power_w": power_w,
        "temp_k": kelvin(25.0),
        "first_soc_frac": 1.0,
        "ageing": [],
    }


def _genset(genset: Genset) -> dict[str, Any]:
    return {
        "power_w": genset.power_mw * MEGA,
        "units": int(genset_params(genset).units),
        "fuel": genset.fuel,
        "fuel_j": None if genset.fuel_mwh is None else genset.fuel_mwh * J_PER_MWH,
        "fuel_price_usd_per_mwh": genset.fuel_price_usd_per_mwh,
        "fuel_carbon_kg_per_mwh": genset.fuel_carbon_kg_per_mwh,
    }


def _sources(scenario: Scenario) -> dict[str, str]:
    return {
        "weather": scenario.weather.source,
        "prices": scenario.prices.source,
        "carbon": scenario.carbon.source if scenario.carbon else "none",
        **{f"demand.{name}": demand.source for name, demand in scenario.demands.items()},
        **{f"replay.{pod}": series.source for pod, series in scenario.replays.items()},
    }


def _hash(site: Site) -> str:
    text = json.dumps(site.model_dump(mode="json"), sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()
