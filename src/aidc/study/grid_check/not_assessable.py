"""Which clauses a phasor model may not judge for a site, and why: better no verdict than a wrong one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from aidc.plant.lineup import transformer_rating_va
from aidc.schema.code import (
    Clause,
    FrequencyRideThrough,
    Recovery,
    VoltageRideThrough,
)
from aidc.schema.site import Site
from aidc.schema.storage import Storage
from aidc.units import MEGA

__all__ = ["beyond_the_twin", "combined_ratio", "following_va", "forming_mode_hz", "refusals"]

_LEAST_SCR = 3.0
_FASTEST_MODE_HZ = 10.0
_LONGEST_S = 600.0  # of a recovery
_LONGEST_FAULT_S = 3600.0  # the battery holds a few such windows in memory
_LONGEST_BAND_S = 7200.0
_HIGHEST_PU = 1.9
_FARTHEST_HZ = 4.9
_FASTEST_HZ_PER_S = 100.0
_WIDEST_DEG = 90.0


def refusals(site: Site, clauses: Sequence[Clause], levels: Mapping[str, float]) -> dict[int, str]:
    """Reasons by clause index.

    Grid-following converters (and rectifiers are such) below a short-circuit ratio of 3, each or together, and modes
    above 10 Hz need an electromagnetic transient study.
    """
    reason = _weak(site, levels) or _fast(site, levels)
    if not reason:
        return {}
    return {index: reason for index, clause in enumerate(clauses) if _rests_on_dynamics(clause)}


def _rests_on_dynamics(clause: Clause) -> bool:
    """Whether what a clause judges is decided within the reach of a PLL or a current controller."""
    if isinstance(clause, FrequencyRideThrough):  # bands of seconds to minutes are not
        return clause.rocof_hz_per_s is not None or clause.phase_jump_deg is not None
    return clause.dynamic


def beyond_the_twin(clause: Clause, site: Site) -> str:
    """Why no disturbance of the twin can try what a clause asks; empty where one can."""
    if isinstance(clause, VoltageRideThrough):
        return _voltage_beyond(clause)
    if isinstance(clause, FrequencyRideThrough):
        return _frequency_beyond(clause, site.grid.frequency_hz)
    if isinstance(clause, Recovery) and max(clause.within_s, clause.hold_s) > _LONGEST_S:
        return f"watches more than {_LONGEST_S:g} s, which is no transient"
    return ""


def _voltage_beyond(clause: VoltageRideThrough) -> str:
    if max((*clause.below_s, *clause.above_s)) > _LONGEST_FAULT_S:
        return f"asks to ride through for more than {_LONGEST_FAULT_S:g} s, which is no transient"
    if max(clause.above_pu, default=1.0) > _HIGHEST_PU:
        return f"asks to ride through more than {_HIGHEST_PU:g} pu, beyond what the twin can try"
    if min(clause.above_pu, default=1.0) < 1.0 or max(clause.below_pu, default=1.0) > 1.0:
        return "counts nominal voltage as an excursion"
    return ""


def _frequency_beyond(clause: FrequencyRideThrough, nominal_hz: float) -> str:
    edges = (*clause.below_hz, *clause.above_hz)
    far = max((abs(hz - nominal_hz) for hz in edges), default=0.0)
    if far > _FARTHEST_HZ:
        return f"has a frequency {far:g} Hz off the grid's {nominal_hz:g} Hz; the twin goes to 5 Hz"
    if (clause.rocof_hz_per_s or 0.0) > _FASTEST_HZ_PER_S or (clause.phase_jump_deg or 0.0) > _WIDEST_DEG:
        return "asks for a rate beyond 100 Hz/s or a jump beyond 90 degrees, which the twin cannot try"
    if max((*clause.below_s, *clause.above_s), default=0.0) > _LONGEST_BAND_S:
        return f"asks to stay for more than {_LONGEST_BAND_S:g} s, which is no transient"
    return ""


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
    least = _least_ratio(site)
    ratio = combined_ratio(site, weakest)
    if ratio < least:
        return (
            f"combined short-circuit ratio {ratio:.2f} at the {name} level is below {least:g}: "
            f"{weakest / MEGA:g} MVA for {following_va(site) / MEGA:g} MVA of converters that follow the grid, whose "
            "stability together needs an EMT study"
        )
    return ""


def following_va(site: Site) -> float:
    """Rating of all converters at the point of interconnection that follow the grid by a PLL [VA].

    The site's rectifiers and drives count with the import limit, renewables and storages at the site with their
    own rating; grid-forming converters do not count, nor do batteries behind a rectifier.
    """
    renewables_w = sum(one.ac_power_w for one in site.renewables.values())
    storages_mw = sum(shape.power_mw or 0.0 for shape in _following(site))
    return site.grid.import_limit_mw * MEGA + renewables_w + storages_mw * MEGA


def combined_ratio(site: Site, short_circuit_va: float) -> float:
    """Short-circuit level over the rating of all converters that follow the grid (`following_va`)."""
    return short_circuit_va / max(following_va(site), 1.0)


def _following(site: Site) -> list[Storage]:
    return [
        shape
        for shape in site.storage.values()
        if shape.node == "site" and shape.converter.control == "grid-following"
    ]


def _least_ratio(site: Site) -> float:
    """The highest ratio that any of the site's converters asks for."""
    return max(_LEAST_SCR, *(shape.converter.scr_min for shape in _following(site)), 0.0)


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
    """Undamped frequency of a grid-forming storage against the grid [Hz]; 0 for others.

    With inertia sqrt(K·ω0/2H)/2π, K = 1/X per unit of its rating (P. Kundur, Power System Stability and Control,
    McGraw-Hill 1994, section 12.3). Droop without inertia swings with the filter τ of its power measurement:
    τ·s² + s + ω0·mp·K = 0, so that the frequency is sqrt(4·τ·ω0·mp·K - 1)/(4π·τ) where that is real.
    """
    shape = site.storage[storage]
    one = shape.converter
    if one.control != "grid-forming" or not shape.power_mw or shape.node != "site":
        return 0.0
    w0 = 2.0 * math.pi * site.grid.frequency_hz
    stiffness = 1.0 / _reactance_frac(site, storage, short_circuit_va)
    if one.inertia_s > 0:
        return math.sqrt(w0 * stiffness / (2.0 * one.inertia_s)) / (2.0 * math.pi)
    swing = 4.0 * one.power_lag_s * w0 * one.droop_frac * stiffness - 1.0
    return math.sqrt(swing) / (4.0 * math.pi * one.power_lag_s) if swing > 0 else 0.0


def _reactance_frac(site: Site, storage: str, short_circuit_va: float) -> float:
    """Reactance between a storage's voltage and the grid's, per unit of the storage's rating."""
    shape, grid = site.storage[storage], site.grid
    rated_w = (shape.power_mw or 0.0) * MEGA
    grid_per_va = 1.0 / short_circuit_va + grid.transformer.reactance_frac / transformer_rating_va(site)
    return shape.converter.reactance_frac + rated_w * grid_per_va
