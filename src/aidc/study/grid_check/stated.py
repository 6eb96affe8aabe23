"""What a site must state of its converters before a clause can be judged: a silent default is no pass."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from aidc.schema.code import Clause, FaultCurrent, FaultSequence, FrequencyRideThrough, VoltageRideThrough
from aidc.schema.converter import Converter
from aidc.schema.front_end import FrontEnd
from aidc.schema.relay import Relay
from aidc.schema.site import Site

__all__ = ["unstated"]


def unstated(clause: Clause, site: Site) -> str:
    """Why a clause for storages, or one on fault current, cannot be judged from the site file; empty where it can."""
    if clause.applies_to == "storage":
        if not isinstance(clause, (VoltageRideThrough, FrequencyRideThrough, FaultCurrent, FaultSequence)):
            return f"a {clause.rule} of the storages alone is not judged: windows hold the power of the whole site"
        missing = [key for key, one in _converters(site).items() for key in _of_storage(clause, key, one)]
    elif isinstance(clause, FaultCurrent):
        missing = [
            f"{key}.active_current_full_pu and active_current_zero_pu, or sync_lost_below_pu and resync_s"
            for key, one in _fronts(site).items()
            if not one.states_deep_faults
        ]
    else:
        return ""
    return f"the site file does not state {'; '.join(missing)}" if missing else ""


def _converters(site: Site) -> Mapping[str, Converter]:
    return {
        f"storage.{name}.converter": shape.converter
        for name, shape in site.storage.items()
        if shape.node == "site"
    }


def _fronts(site: Site) -> Mapping[str, FrontEnd]:
    used = dict.fromkeys(pod.chain for pod in site.pods.values())
    return {f"chains.{name}.front": site.chains[name].front_entry or FrontEnd() for name in used}


def _of_storage(clause: Clause, key: str, one: Converter) -> Iterator[str]:
    """Keys that one converter lacks for a clause."""
    relay = one.relay or Relay()
    if isinstance(clause, (VoltageRideThrough, FrequencyRideThrough)):
        unit = "pu" if isinstance(clause, VoltageRideThrough) else "hz"
        for side in ("below", "above"):
            if getattr(clause, f"{side}_{unit}") and getattr(relay, f"{side}_{unit}") is None:
                yield f"{key}.relay.{side}_{unit} (empty where there is no such relay)"
    if isinstance(clause, FrequencyRideThrough):
        if clause.rocof_hz_per_s is not None and relay.rocof_hz_per_s is None:
            yield f"{key}.relay.rocof_hz_per_s (0 where there is no such relay)"
        if clause.phase_jump_deg is not None and relay.phase_jump_deg is None:
            yield f"{key}.relay.phase_jump_deg (0 where there is no such relay)"
    if isinstance(clause, (FaultCurrent, FaultSequence)) and relay.below_pu is None:
        yield f"{key}.relay.below_pu (empty where there is no such relay)"
    if isinstance(clause, FaultCurrent):
        states = one.states_deep_faults or one.cease_below_pu is not None
        if one.control == "grid-following" and not states:
            yield f"{key}.cease_below_pu (0 where it never ceases), or what it does in deep faults"
