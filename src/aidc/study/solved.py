"""Whether what a window shows rests on a network that was solved, and whose law is missing where it was not."""

from __future__ import annotations

from aidc.schema.front_end import FrontEnd
from aidc.schema.site import Site
from aidc.simulate.transient.window import Window

__all__ = ["missing_laws", "why_unsolved"]

_MOST_RESIDUAL_PU = 1e-9


def missing_laws(site: Site) -> tuple[str, ...]:
    """Converters that do not state what they do where the network cannot carry their current limit."""
    chains = dict.fromkeys(pod.chain for pod in site.pods.values())
    fronts = [
        f"chains.{name}.front"
        for name in chains
        if not (site.chains[name].front_entry or FrontEnd()).states_deep_faults
    ]
    storages = [
        f"storage.{name}.converter"
        for name, shape in site.storage.items()
        if shape.node == "site"
        and shape.converter.control == "grid-following"
        and not (shape.converter.states_deep_faults or shape.converter.cease_below_pu > 0)
    ]
    return (*fronts, *storages)


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
