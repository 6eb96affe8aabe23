"""Measured power that is replayed on racks which could never draw it."""

from __future__ import annotations

from collections.abc import Iterator

from aidc.errors import InputError, Problem
from aidc.schema.site import Site
from aidc.simulate.compiling.compiled import Compiled
from aidc.simulate.energy.fields import Pod

__all__ = ["doubts_of_replays"]

_TOLD = 1.1  # peaks of milliseconds and a rack's own spread lie below
_REFUSED = 2.0  # no power shelf carries it: a slip of units or of scale


def doubts_of_replays(site: Site, compiled: Compiled) -> Iterator[tuple[str, str]]:
    """Pods whose replay exceeds the rating of their racks, and by how much.

    Raises
    ------
    InputError
        One exceeds it more than twice, which only a wrong unit or scale does.
    """
    lanes = {name: lane for lane, name in enumerate(site.pods)}
    problems: list[Problem] = []
    for name, replay in site.replays.items():
        for pod in replay.pods:
            shape = site.pods[pod]
            rated_w = shape.racks * shape.rack.rated_power_kw * 1e3
            peak_w = float(compiled.params.pod[Pod.RATE_MAX_PER_S, lanes[pod]])
            told = (
                f"the replay reaches {peak_w / 1e3:.4g} kW, {peak_w / rated_w:.3g} times the rating of its "
                f"racks ({rated_w / 1e3:.4g} kW)"
            )
            if peak_w > _REFUSED * rated_w:
                remedy = "Check the unit of its column (watts) and scale, or give the pod more racks."
                problems.append(Problem(told, remedy, site.file, f"replays.{name}.demand"))
            elif peak_w > _TOLD * rated_w:
                yield pod, told
    if problems:
        raise InputError(problems)
