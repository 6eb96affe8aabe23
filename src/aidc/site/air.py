"""Who cools the hall's air: no rack gives all its heat to liquid, and warm water cools no air.

A pod whose plant cannot take its air share gets one that can, and the run says so: the only plant of the site that
can, or, where none can, a hall of its own. What a site file says itself is never overruled, but refused if it cannot
work.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aidc.errors import InputError, Problem
from aidc.schema.site import Pod, Site

__all__ = ["with_air"]

_CHILLER = "chiller-air-cooled"  # needs no water, which a site with dry coolers may not have
_HANDLER = "crah-chilled-water"
_SUPPLY_C = 18.0  # at which these air handlers reach their design, see catalogue/crah


def with_air(
    document: Mapping[str, Any], site: Site, only: frozenset[str] | None = None
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The document with a plant for the air of every pod, and what was added, in words.

    Parameters
    ----------
    document
        Tables of the site file, valid as they are.
    site
        The site that they make.
    only
        Pods to look at; default: all.

    Raises
    ------
    InputError
        A pod names air handlers that cannot reach their design, or several plants could take its air.
    """
    lacking = [
        name
        for name, pod in site.pods.items()
        if (only is None or name in only) and pod.built is None and not _can(site, pod.air_plant)
    ]
    if not lacking:
        return dict(document), ()
    problems = [problem for name in lacking if (problem := _stated(document, site, name))]
    able = [name for name in site.cooling if _can(site, name)]
    if len(able) > 1:
        problems += [_several(name, able) for name in lacking]
    if problems:
        raise InputError([Problem(p.what, p.remedy, site.file, p.key, p.value) for p in problems])
    hall = able[0] if able else next(n for n in ("hall", "air", "air-2", "air-3") if n not in site.cooling)
    pods = {name: {**document["pods"][name], "air_cooling": hall} for name in lacking}
    found = {**document, "pods": {**document["pods"], **pods}}
    if able:
        return found, (f"cooling.{hall} cools the hall's air of {_listed(lacking)}: {_why(site, lacking)}",)
    found["cooling"] = {**document["cooling"], hall: _hall(site, site.pods[lacking[0]])}
    what = f"{_CHILLER} and {_HANDLER} at {_SUPPLY_C:g} °C; {_why(site, lacking)}"
    return found, (f"cooling.{hall} was added for the hall's air of {_listed(lacking)}: {what}",)


def _can(site: Site, name: str) -> bool:
    """Whether the air handlers of a plant can come near their design with its water."""
    plant = site.cooling[name]
    return plant.crah_entry is not None and plant.supply_temp_c < plant.crah_entry.air_supply_c


def _stated(document: Mapping[str, Any], site: Site, name: str) -> Problem | None:
    """What is wrong where the site file itself says who cools the air."""
    pod = site.pods[name]
    plant = site.cooling[pod.air_plant]
    own_handler = "crah" in document["cooling"][pod.air_plant]
    if pod.air_cooling is None and not own_handler:
        return None
    design_c = plant.crah_entry.air_supply_c if plant.crah_entry else 25.0
    return Problem(
        f"cannot cool the hall's air of pod {name!r} to its design {design_c:g} °C with water of"
        f" {plant.supply_temp_c:g} °C",
        "Name another plant with air_cooling, or leave air_cooling and crah out for a chilled-water hall"
        " to be added.",
        key=f"pods.{name}.air_cooling" if pod.air_cooling else f"cooling.{pod.air_plant}.crah",
        value=pod.air_cooling or plant.crah,
    )


def _several(name: str, able: list[str]) -> Problem:
    return Problem(
        "does not say which plant cools the hall's air of this pod",
        f"Add air_cooling = {able[0]!r} (or {', '.join(able[1:])}).".replace("'", '"'),
        key=f"pods.{name}.air_cooling",
    )


def _hall(site: Site, pod: Pod) -> dict[str, Any]:
    """A plant for air alone, with the drives and spares of the one beside it."""
    beside = site.cooling[pod.cooling]
    return {
        "use": _CHILLER,
        "crah": _HANDLER,
        "supply_temp_c": _SUPPLY_C,
        "redundancy": beside.redundancy,
        "drives": beside.drives.model_dump(mode="json"),
    }


def _why(site: Site, lacking: list[str]) -> str:
    plants = dict.fromkeys(site.pods[name].cooling for name in lacking)
    return (
        " and ".join(f"water of {site.cooling[one].supply_temp_c:g} °C ({one})" for one in plants) + " cannot"
    )


def _listed(names: list[str]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more pods" if len(names) > 4 else "")
