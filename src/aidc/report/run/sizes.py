"""Powers and energies in units that suit the size of a site: kW and kWh below 1 MW, where megawatts are hard to read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aidc.report.tree import pick
from aidc.units import HOUR_S

__all__ = ["in_size", "is_small"]


def is_small(summary: Mapping[str, Any]) -> bool:
    """Whether a run's site stayed below 1 MW: its peak import, and its mean power from any source."""
    peak_mw, energy_mwh = pick(summary, "peak_import_mw"), pick(summary, "energy_mwh.site")
    steps, step_s = pick(summary, "window.steps"), pick(summary, "window.step_s")
    known = (peak_mw, energy_mwh, steps, step_s)
    if not all(isinstance(value, (int, float)) for value in known) or not steps * step_s:
        return False
    return peak_mw < 1.0 and energy_mwh / (steps * step_s / HOUR_S) < 1.0


def in_size(mega: Any, unit: str, *, small: bool) -> tuple[Any, str]:
    """A value in MW or MWh (`unit`), in kW or kWh for a small site; what is no such unit stays as it is."""
    if not small or unit not in ("MW", "MWh") or not isinstance(mega, (int, float)):
        return mega, unit
    return 1e3 * mega, f"k{unit[1:]}"
