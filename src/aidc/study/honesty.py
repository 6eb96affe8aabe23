"""Which clauses a phasor model may not judge for a site, and why: better no verdict than a wrong one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from aidc.schema.code import BandEnergy, Clause, Oscillation, Recovery, VoltageRideThrough
from aidc.schema.site import Site
from aidc.units import MEGA

__all__ = ["forming_mode_hz", "refusals"]

_LEAST_SCR = 3.0
_FASTEST_MODE_HZ = 10.0
_DYNAMIC = (VoltageRideThrough, Recovery, Oscillation, BandEnergy)


def refusals(site: Site, clauses: Sequence[Clause], levels: Mapping[str, float]) -> dict[int, str]:
    """Reasons by clause index.

    Grid-following converters (and rectifiers are such) below a short-circuit ratio of 3, and modes above
    10 Hz, need an electromagnetic transient study.
    """
    reason = _weak(site, levels) or _fast(site, levels)
    if not reason:
        return {}
    return {index: reason for index, clause in enumerate(clauses) if isinstance(clause, _DYNAMIC)}


def _weak(site: Site, levels: Mapping[str, float]) -> str:
    name, weakest = min(levels.items(), key=lambda item: item[1])
    ratio = weakest / max(site.grid.import_limit_mw * MEGA, 1.0)
    if ratio < _LEAST_SCR:
        return (
            f"short-circuit ratio {ratio:.2f} at the {name} level is below {_LEAST_SCR:g}: the site's rectifiers "
            "follow the grid, and their stability there needs an EMT study"
        )
    for storage, shape in site.storage.items():
        one = shape.converter
        if shape.node == "site" and one.control == "grid-following" and shape.power_mw:
            ratio = weakest / (shape.power_mw * MEGA)
            if ratio < one.scr_min:
                return (
                    f"short-circuit ratio {ratio:.2f} of the grid-following converter of storage.{storage} is below "
                    f"{one.scr_min:g}: needs an EMT study"
                )
    return ""


def _fast(site: Site, levels: Mapping[str, float]) -> str:
    for storage in site.storage:
        hz = forming_mode_hz(site, storage, max(levels.values()))
        if hz > _FASTEST_MODE_HZ:
            return (
                f"storage.{storage}: the mode of its virtual machine against the grid lies at {hz:.1f} Hz, above "
                f"{_FASTEST_MODE_HZ:g} Hz: needs an EMT study"
            )
    return ""


def forming_mode_hz(site: Site, storage: str, short_circuit_va: float) -> float:
    """Undamped frequency of a virtual machine against the grid [Hz]: sqrt(K·ω0/2H)/2π with K = 1/X.

    P. Kundur, Power System Stability and Control, McGraw-Hill 1994, section 12.3. 0 for droop without inertia.
    """
    shape = site.storage[storage]
    one = shape.converter
    if one.control != "grid-forming" or one.inertia_s <= 0 or not shape.power_mw or shape.node != "site":
        return 0.0
    rated = shape.power_mw * MEGA
    grid = site.grid
    transformer = grid.transformer.reactance_frac / (
        (grid.transformer.rating_mva or grid.import_limit_mw) * MEGA
    )
    x = one.reactance_frac + rated * (1.0 / short_circuit_va + transformer)
    return math.sqrt(2.0 * math.pi * grid.frequency_hz / (2.0 * one.inertia_s * x)) / (2.0 * math.pi)
