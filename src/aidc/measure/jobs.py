"""Training jobs: tokens processed, energy, and whether they finished."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aidc.measure.allocation import Part
from aidc.measure.meta import Workload, mapping, number
from aidc.units import J_PER_MWH

__all__ = ["job_levels"]


def job_levels(meta: Mapping[str, Any], load: Workload, part: Part) -> dict[str, Any]:
    """The figures of one job; `energy_mwh` is its part of the site, `finished` None where it has no end."""
    told = mapping(mapping(meta.get("jobs")).get(load.name))
    target = number(told.get("target_tokens"))
    finished = told.get("finished")
    if not isinstance(finished, bool) and target is not None:
        finished = part["training_tokens"] >= target * (1 - 1e-9)
    deferral = told.get("deferral")
    return {
        **({"deferral": dict(deferral)} if isinstance(deferral, Mapping) else {}),
        "tokens": part["training_tokens"],
        "energy_mwh": part["site_j"] / J_PER_MWH,
        "finished": finished if isinstance(finished, bool) else None,
        "target_tokens": target,
        "lost_s": number(told.get("lost_s")),
    }
