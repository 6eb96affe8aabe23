"""The entries that serve a pod's accelerator without being named: found, checked and noted when a site is loaded.

What is found is kept with the site (`Site.devices`), and the laws of `plant/` are given it. A bad figure in one of the
user's own is told here, with its file and key, and not after hours of computing. Constants of another device, where the
accelerator has none of its own, are marked as borrowed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from aidc.catalogue import Entry
from aidc.catalogue.by_device import powercap_entry, ripple_entry, training_entry
from aidc.errors import InputError
from aidc.schema.device import Devices, RippleShape, TrainingShape
from aidc.schema.powercap import PowerCapShape
from aidc.schema.site import Site
from aidc.site.refuse import problems_of
from aidc.site.resolve import Resolver

__all__ = ["borrowed_lines", "note_devices", "powercap_of", "ripple_of", "training_of"]

_SHAPES: Final[Mapping[str, type[BaseModel]]] = {
    "powercap": PowerCapShape,
    "training": TrainingShape,
    "ripple": RippleShape,
}
_FIND: Final = {"powercap": powercap_entry, "training": training_entry, "ripple": ripple_entry}


def note_devices(site: Site, resolver: Resolver) -> dict[str, Devices]:
    """The entries of every pod's accelerator, noted; what is wrong with one becomes a problem of the resolver."""
    checked: dict[Path, BaseModel | None] = {}
    found: dict[str, dict[str, BaseModel]] = {name: {} for name in site.pods}
    for pod, accelerator, kind in _wanted(site):
        try:
            entry = _FIND[kind](accelerator, resolver.search)
        except InputError as error:
            resolver.problems += [one for one in error.problems if one not in resolver.problems]
            continue
        if entry.path not in checked:
            checked[entry.path] = _shape(kind, entry, resolver)
        shape = checked[entry.path]
        resolver.note(entry, f"pods.{pod}", {}, borrowed=_borrowed(kind, entry, accelerator))
        if shape is not None:
            found[pod][kind] = shape
    return {name: Devices.model_validate(parts) for name, parts in found.items() if "powercap" in parts}


def borrowed_lines(site: Site) -> list[str]:
    """In words, one line for each place: whose constants a run takes for want of a device's own."""
    found: dict[str, dict[str, str]] = {}
    for one in site.assumptions:
        if one.borrowed:
            found.setdefault(one.where, {})[one.entry] = one.borrowed
    return [
        f"{where}: {', '.join(f'{entry} {told}' for entry, told in entries.items())}"
        for where, entries in found.items()
    ]


def powercap_of(accelerator: str, search: Sequence[Path] = ()) -> PowerCapShape:
    """The power-cap constants that serve an accelerator: its own class, or the generic one."""
    return PowerCapShape.model_validate(powercap_entry(accelerator, search).values)


def training_of(accelerator: str, search: Sequence[Path] = ()) -> TrainingShape:
    """Power levels and utilisation of the class whose name begins the accelerator's, else `generic`."""
    return TrainingShape.model_validate(training_entry(accelerator, search).values)


def ripple_of(accelerator: str, search: Sequence[Path] = ()) -> RippleShape:
    """The ripple law of an accelerator, else that of the one that was measured."""
    return RippleShape.model_validate(ripple_entry(accelerator, search).values)


def _shape(kind: str, entry: Entry, resolver: Resolver) -> BaseModel | None:
    shape = _SHAPES[kind]
    try:
        return shape.model_validate(entry.values)
    except ValidationError as error:
        resolver.problems += problems_of(error, shape, entry.path)
        return None


def _borrowed(kind: str, entry: Entry, accelerator: str) -> str:
    """Whose the constants are, where they are not the accelerator's own."""
    listed: Any = entry.values.get("accelerators")
    own = {
        "powercap": isinstance(listed, list) and accelerator in listed,
        "training": entry.name != "generic",
        "ripple": entry.name == accelerator,
    }
    if own[kind]:
        return ""
    whose = "other accelerators" if entry.name == "generic" else entry.name
    return f"taken from {whose}, not measured on {accelerator}"


def _wanted(site: Site) -> Iterator[tuple[str, str, str]]:
    """Pod, accelerator, and the kind of entry that is looked for."""
    trained = {pod for job in site.jobs.values() for pod in job.pods}
    served = {pod for service in site.services.values() for pod in service.pods}
    for name, pod in site.pods.items():
        yield name, pod.accelerator_name, "powercap"
        if name in trained:
            yield name, pod.accelerator_name, "training"
        if name in served:
            yield name, pod.accelerator_name, "ripple"
