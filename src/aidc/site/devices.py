"""The entries that serve a pod's accelerator without being named: found, checked and noted when a site is loaded.

The laws of `plant/` look them up by the accelerator's name when a run is compiled. A bad figure in one of the
user's own is told here, with its file and key, and not after hours of computing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from pydantic import BaseModel, ValidationError

from aidc.catalogue import Entry
from aidc.catalogue.by_device import powercap_entry, ripple_entry, training_entry
from aidc.errors import InputError
from aidc.schema.device import RippleShape, TrainingShape
from aidc.schema.powercap import PowerCapShape
from aidc.schema.site import Site
from aidc.site.refuse import problems_of
from aidc.site.resolve import Resolver

__all__ = ["note_devices"]

_Find = Callable[[str, Sequence[Path]], Entry]


def note_devices(site: Site, resolver: Resolver) -> None:
    """Note the entries of every pod's accelerator; what is wrong with one becomes a problem of the resolver."""
    checked: set[Path] = set()
    for pod, accelerator, find, shape in _wanted(site):
        try:
            entry = find(accelerator, resolver.search)
        except InputError as error:
            resolver.problems += [one for one in error.problems if one not in resolver.problems]
            continue
        if entry.path not in checked:
            checked.add(entry.path)
            try:
                shape.model_validate(entry.values)
            except ValidationError as error:
                resolver.problems += problems_of(error, shape, entry.path)
        resolver.note(entry, f"pods.{pod}", {})


def _wanted(site: Site) -> Iterator[tuple[str, str, _Find, type[BaseModel]]]:
    """Pod, accelerator, where to look, and the shape that is expected."""
    trained = {pod for job in site.jobs.values() for pod in job.pods}
    served = {pod for service in site.services.values() for pod in service.pods}
    for name, pod in site.pods.items():
        yield name, pod.accelerator_name, powercap_entry, PowerCapShape
        if name in trained:
            yield name, pod.accelerator_name, training_entry, TrainingShape
        if name in served:
            yield name, pod.accelerator_name, ripple_entry, RippleShape
