"""Whether what a window shows rests on a network that was solved, and whose law is missing where it was not."""

from __future__ import annotations

from collections.abc import Iterator

from aidc.schema.converter import Converter
from aidc.schema.fault_behaviour import FaultBehaviour
from aidc.schema.front_end import FrontEnd
from aidc.schema.site import Site
from aidc.simulate.transient.window import Window

__all__ = ["missing_laws", "unstated_recovery", "why_unsolved"]

_MOST_RESIDUAL_PU = 1e-9


def missing_laws(site: Site) -> tuple[str, ...]:
    """Converters that do not state what they do where the network cannot carry their current limit."""
    return tuple(
        key
        for key, one in _converters(site)
        if not (one.states_deep_faults or (isinstance(one, Converter) and one.cease_below_pu))
    )


def unstated_recovery(site: Site) -> str:
    """Which converters do not state how their power comes back after a fault, in words; empty where all do."""
    silent = [key for key, one in _converters(site) if one.recovery_ramp_frac_per_s is None]
    if not silent:
        return ""
    return (
        f"recovery_ramp_frac_per_s is not stated for {', '.join(silent)}: what stays connected there is taken to be "
        "back with the voltage, which a verdict on recovery rests on"
    )


def _converters(site: Site) -> Iterator[tuple[str, FaultBehaviour]]:
    """All that follow the grid, with the key under which each is described."""
    for name in dict.fromkeys(pod.chain for pod in site.pods.values()):
        yield f"chains.{name}.front", site.chains[name].front_entry or FrontEnd()
    for name, shape in site.storage.items():
        if shape.node == "site" and shape.converter.control == "grid-following":
            yield f"storage.{name}.converter", shape.converter


def why_unsolved(window: Window) -> str:
    """Why no verdict may rest on a window; empty where its network was solved in every step."""
    if window.unsolved_s > 0:
        missing = missing_laws(window.site)
        remedy = (
            f"State active_current_full_pu and active_current_zero_pu, or sync_lost_below_pu and resync_s, of "
            f"{', '.join(missing)}"
            if missing
            else "No setting of the site's converters is left to state: the case needs an EMT study"
        )
        return (
            f"for {1e3 * window.unsolved_s:.4g} ms the network cannot carry the current that the converters hold, and "
            f"nothing states what they do then. {remedy}"
        )
    if window.kirchhoff_pu > _MOST_RESIDUAL_PU:
        return f"Kirchhoff's laws are met to {window.kirchhoff_pu:.1e} pu only"
    return ""
