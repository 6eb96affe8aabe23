"""The harmonic currents that a site file states, for the screening."""

from __future__ import annotations

from aidc.measure.grid.harmonics import HarmonicSource
from aidc.schema.site import Site

__all__ = ["harmonic_sources"]


def harmonic_sources(site: Site) -> dict[str, HarmonicSource]:
    """One source for each lineup whose front end states its spectrum, of the pod's rated power."""
    found: dict[str, HarmonicSource] = {}
    for name, pod in site.pods.items():
        front = site.chains[pod.chain].front_entry
        if front is None or front.harmonics is None:
            continue
        spectrum = front.harmonics
        found[name] = HarmonicSource(
            pod.racks * pod.rack.rated_power_kw * 1e3,
            dict(zip(spectrum.orders, spectrum.percent, strict=True)),
            load_frac=spectrum.load_frac,
        )
    return found
