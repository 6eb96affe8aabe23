"""All measures of a run in one table: the content of `summary.json`.

Every number in it is finite. None says that a figure is not defined here: an index without tokens, a
cost without prices.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from aidc.measure.allocation import Allocation, Part, allocate
from aidc.measure.boundaries import cooling_mwh, energy_mwh, heat_mwh, stages_mwh
from aidc.measure.carbon import MARGINAL, carbon_known
from aidc.measure.closure import closure, energy_residual_mwh, heat_residual_mwh, token_residual
from aidc.measure.cost import PARTS, Bill, bill_of
from aidc.measure.efficiency import cue, erf, pue, ref, wue
from aidc.measure.flexibility import requests
from aidc.measure.frames import Frames, RunLike, frames_of
from aidc.measure.gensets import gensets
from aidc.measure.jobs import job_levels
from aidc.measure.meta import UNALLOCATED, Facts, mapping
from aidc.measure.plugins import user_measures
from aidc.measure.power import peaks, ramps_mw
from aidc.measure.service import service_latency, service_levels
from aidc.measure.set_point import cooling_held, pods_warm
from aidc.measure.storage import storage
from aidc.measure.supply import supply
from aidc.measure.tokenergy import INPUT_WEIGHT, energy_by_boundary_mwh, index, per_mtok, training_index
from aidc.measure.utilisation import utilisation
from aidc.measure.water import KG_PER_M3, plants_m3, water_m3
from aidc.units import J_PER_MWH

__all__ = ["SCHEMA", "summary"]

SCHEMA = 1


def summary(run: RunLike) -> dict[str, Any]:
    """The figures of a run, ready for JSON."""
    frames = frames_of(run)
    bill = bill_of(frames)
    shared = allocate(frames, bill)
    site = shared.site()
    loads = _Loads(frames, bill, shared)
    found: dict[str, Any] = {
        "schema": SCHEMA,
        "name": run.meta.get("name"),
        "window": _window(frames.facts),
        **_energy(frames),
        **_efficiency(frames, site),
        **peaks(frames, bill),
        "ramps_mw": ramps_mw(frames),
        "tokens": _tokens(frames, site),
        **loads.site_index(),
        "services": loads.services(),
        "jobs": loads.jobs(),
        "replays": loads.replays(),
        UNALLOCATED: loads.unallocated(),
        "cost_usd": bill.summary(),
        "carbon_kg": loads.carbon(site),
        "carbon_marginal_kg": site["carbon_marginal_kg"] if loads.marginal else None,
        "water_m3": water_m3(frames),
        "water_by_plant_m3": plants_m3(frames),
        "cooling": cooling_held(frames),
        "temperatures": pods_warm(frames),
        "utilisation": utilisation(frames),
        "storage": storage(frames),
        "gensets": gensets(frames),
        "supply": supply(frames),
        "requests": requests(frames),
        "closure": closure(frames),
        "performance": _performance(run.meta),
    }
    user = user_measures(run)
    return finite({**found, "user": user} if user else found)


def finite(value: Any) -> Any:
    """The value with plain floats, and None for what is not finite."""
    if isinstance(value, Mapping):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return value


def _window(facts: Facts) -> dict[str, Any]:
    return {
        "start": _text(facts.start),
        "end": _text(facts.end),
        "step_s": facts.step_s,
        "steps": facts.steps,
        "output_step_s": facts.output_step_s,
        "timezone": facts.timezone,
    }


def _text(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _energy(frames: Frames) -> dict[str, Any]:
    energy, energy_frac = energy_residual_mwh(frames)
    heat, heat_frac = heat_residual_mwh(frames)
    told = {"closure_residual": energy, "closure_residual_frac": energy_frac}
    return {
        "energy_mwh": {**energy_mwh(frames), **told},
        "heat_mwh": {
            **heat_mwh(frames),
            "closure_residual": heat,
            "closure_residual_frac": heat_frac,
        },
        "stages_mwh": stages_mwh(frames),
        "cooling_mwh": cooling_mwh(frames),
    }


def _efficiency(frames: Frames, site: Part) -> dict[str, float | None]:
    carbon = site["carbon_kg"] if carbon_known(frames) else None
    return {
        "pue": pue(frames),
        "wue_l_per_kwh": wue(frames),
        "cue_kg_per_kwh": cue(frames, carbon),
        "ref": ref(frames),
        "erf": erf(frames),
    }


def _tokens(frames: Frames, site: Part) -> dict[str, float]:
    books = token_residual(frames)
    made, read = site["tokens_output"], site["tokens_input"]
    return {
        "output": made,
        "useful": site["tokens_useful"],
        "input": read,
        "total": made + read,
        "input_weighted": made + INPUT_WEIGHT * read,
        "training": site["training_tokens"],
        "arrived": books["arrived"],
        "dropped": books["dropped"],
        "queued": books["queued"],
        "closure_residual": books["residual"],
    }


def _performance(meta: Mapping[str, Any]) -> dict[str, Any]:
    told = mapping(meta.get("performance"))
    return {"wall_s": None, "steps_per_s": None, "peak_rss_mb": None, **told}


class _Loads:
    """The parts of the site that belong to its workloads."""

    def __init__(self, frames: Frames, bill: Bill, shared: Allocation) -> None:
        self.frames = frames
        self.facts = frames.facts
        self.bill = bill
        self.shared = shared
        self.average = carbon_known(frames)
        self.marginal = carbon_known(frames, MARGINAL)

    def services(self) -> dict[str, Any]:
        """Every service with its index, service levels and part of the bill."""
        found: dict[str, Any] = {}
        latency = service_latency(self.frames)
        for load in self.facts.of_kind("service"):
            part = self.shared.of(load.pods)
            found[load.name] = {
                **service_levels(part, latency[load.name]),
                **index(part),
                "per_mtok": self._beside(part, part["tokens_useful"]),
                **self._part(part),
                "conditions": {**load.conditions, "window": self._span()},
            }
        return found

    def jobs(self) -> dict[str, Any]:
        """Every job with its own index."""
        found: dict[str, Any] = {}
        for load in self.facts.of_kind("job"):
            part = self.shared.of(load.pods)
            found[load.name] = {
                **self._part(part),
                **job_levels(self.facts.raw, load, part),
                **training_index(part),
                "per_mtok": self._beside(part, part["training_tokens"]),
                "conditions": {**load.conditions, "window": self._span()},
            }
        return found

    def replays(self) -> dict[str, Any]:
        """Measured power laid on pods: part of what is unallocated, shown for itself."""
        return {load.name: self._part(self.shared.of(load.pods)) for load in self.facts.of_kind("replay")}

    def unallocated(self) -> dict[str, Any]:
        """What belongs to no service and no job."""
        pods = self._idle()
        return {"pods": pods, **self._part(self.shared.of(pods))}

    def site_index(self) -> dict[str, Any]:
        """The site's index: its services together; training beside it."""
        inference = self.shared.of(self._pods("service"))
        training = self.shared.of(self._pods("job"))
        return {
            **index(inference),
            "per_mtok": self._beside(inference, inference["tokens_useful"]),
            "inference": self._part(inference),
            "training": {
                "tokens": training["training_tokens"],
                **training_index(training),
                "per_mtok": self._beside(training, training["training_tokens"]),
                **self._part(training),
            },
        }

    def carbon(self, part: Part) -> float | None:
        return part["carbon_kg"] if self.average else None

    def _pods(self, kind: str) -> list[str]:
        return [pod for load in self.facts.of_kind(kind) for pod in load.pods]

    def _idle(self) -> list[str]:
        busy = {*self._pods("service"), *self._pods("job")}
        return [pod for pod in self.shared.pods if pod not in busy]

    def _part(self, part: Part) -> dict[str, Any]:
        parts = {key: part[f"{key}_usd"] for key in PARTS}
        cost = {**parts, "total": sum(parts.values()), "prorated": part["prorated_usd"]}
        return {
            "energy_mwh": part["site_j"] / J_PER_MWH,
            "energy_by_boundary_mwh": energy_by_boundary_mwh(part),
            "cost_usd": cost if self.bill.priced else dict.fromkeys(cost),
            "carbon_kg": self.carbon(part),
            "carbon_marginal_kg": part["carbon_marginal_kg"] if self.marginal else None,
            "water_m3": part["water_kg"] / KG_PER_M3,
        }

    def _beside(self, part: Part, tokens: float) -> dict[str, Any]:
        return per_mtok(part, tokens, carbon=self.average, marginal=self.marginal, priced=self.bill.priced)

    def _span(self) -> dict[str, Any]:
        window = _window(self.facts)
        return {key: window[key] for key in ("start", "end", "step_s")}
