"""What of the scenario's demand a phase takes: as much as keeps the service level at its peak; the rest is turned away.

A phase that took the demand of the whole site would queue, and late tokens are of use to nobody. The largest demand at which 99 %
of the tokens of a service keep their level comes from its operating tables, its peak is the highest mean of ten minutes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from aidc.clock import as_utc
from aidc.scenario.demand import load_demand
from aidc.schema.demand import Constant, Diurnal, RateSeries, Trace
from aidc.schema.site import Service, Site
from aidc.simulate import compile_site

__all__ = ["admitted"]


def admitted(site: Site) -> tuple[Site, dict[str, float], tuple[str, ...]]:
    """The site with the demand that it can serve, the share of it by service, and what is told.

    Parameters
    ----------
    site
        Frozen.
    """
    told = compile_site(site).meta["workloads"]
    services: dict[str, Service] = {}
    shares: dict[str, float] = {}
    lines: list[str] = []
    for name, service in site.services.items():
        able = sum(told[name]["capacity_tokens_per_s"].values())
        peak = _peak(site, service)
        share = min(able / peak, 1.0) if peak > 0 else 1.0
        if able <= 0:
            lines.append(f"services.{name}: keeps its level at no load, so its demand is left as it is")
            share = 1.0
        elif share < 1.0:
            lines.append(
                f"services.{name}: takes {100 * share:.0f} % of the demand, {able:.4g} of {peak:.4g} tokens/s at the"
                " peak; the rest is turned away"
            )
        shares[name] = share
        services[name] = _scaled(service, share)
    return site.model_copy(update={"services": services}), shares, tuple(lines)


def _peak(site: Site, service: Service) -> float:
    """The highest ten-minute mean that the scenario asks of a service [tokens/s]."""
    spec = service.demand
    if isinstance(spec, Diurnal):
        return spec.peak_output_tokens_per_s
    if isinstance(spec, Constant):
        return spec.output_tokens_per_s
    scenario = site.scenario
    demand = load_demand(
        spec,
        clock_start=as_utc(scenario.start),
        days=scenario.days,
        timezone=site.site.location.timezone,
        rng=np.random.default_rng(scenario.seed),
        base_dir=site.folder,
    )
    return demand.output_tokens_per_s.peak_mean()


def _scaled(service: Service, share: float) -> Service:
    """The service with a share of its demand."""
    if share >= 1.0:
        return service
    spec = service.demand
    update: dict[str, Any] = {}
    match spec:
        case Diurnal():
            update = {"peak_output_tokens_per_s": spec.peak_output_tokens_per_s * share}
        case Constant():
            update = {"output_tokens_per_s": spec.output_tokens_per_s * share}
        case Trace() | RateSeries():
            key = (
                "scale"
                if spec.scale_to_peak_output_tokens_per_s is None
                else "scale_to_peak_output_tokens_per_s"
            )
            update = {key: (getattr(spec, key) or 1.0) * share}
        case _:
            pass
    return service.model_copy(update={"demand": spec.model_copy(update=update)})
