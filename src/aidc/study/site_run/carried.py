"""What a run rests on, gathered so that its folder carries it: files, own entries, controller, and one hash.

`site.toml` of the folder names the copies, so `aidc run RUN/site.toml` gives the same figures wherever the folder
goes. The hash covers contents and not names: the resolved site, every file read, the entries that are looked up by
accelerator, the controller's source, the seed and the version.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import Any, Final

from aidc.catalogue.by_device import DEVICE_KINDS
from aidc.contract import Controller
from aidc.control import shipped_options
from aidc.datasets import locate
from aidc.errors import InputError, Problem
from aidc.files import checksum
from aidc.scenario.files import user_file
from aidc.scenario.tmy import shipped_file
from aidc.schema.base import Shape
from aidc.schema.site import Site
from aidc.site.secrets import without_secrets
from aidc.site.written import site_toml

__all__ = ["Carried", "carried", "names_files"]

FOLDER: Final = "inputs"
_CATALOGUE: Final = "catalogue"


@dataclass(frozen=True, slots=True)
class Carried:
    """What a run rests on.

    Attributes
    ----------
    site
        The site with what may be secret masked.
    written
        The same as TOML, its files those in the run's folder.
    inputs
        For people: each file, entry and controller with its SHA-256 and its place in the folder.
    hash
        SHA-256 over all of it; equal for two runs that must give equal figures.
    copies
        Places in the folder, and what stands there: a file to copy, or its bytes.
    """

    site: Site
    written: str
    inputs: tuple[dict[str, Any], ...]
    hash: str
    copies: Mapping[str, Path | bytes]

    def copy_to(self, folder: Path) -> None:
        """Put every copy into a folder."""
        for name, content in self.copies.items():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, Path):
                shutil.copyfile(content, target)
            else:
                target.write_bytes(content)


def carried(site: Site, controller: Controller | None) -> Carried:
    """Gather what a run of a site under a controller rests on.

    Raises
    ------
    InputError
        A file cannot be found or read.
    """
    gathered = _Gathered(site)
    masked = without_secrets(site)
    written = _changed(masked, "", gathered.copied)
    hashed = _changed(masked, "", gathered.hashed)
    source = gathered.controller(controller)
    own, _, name = site.control.use.rpartition(":")
    if source is not None and own.endswith(".py") and source == (site.folder / own).resolve():
        place = gathered.place(source)
        written = _with_controller(written, f"{place}:{name}")
        hashed = _with_controller(hashed, f"{gathered.digest(source)}:{name}")
    for option, path in _option_files(site).items():
        place, digest = gathered.place(path), gathered.digest(path)
        written, hashed = _with_option(written, option, place), _with_option(hashed, option, digest)
    gathered.entries()
    text = json.dumps(
        {
            "site": hashed.model_dump(mode="json"),
            "entries": {
                f"{one.kind}/{one.name}": one.values for one in site.entries if one.kind in DEVICE_KINDS
            },
            "controller": None if source is None else gathered.digest(source),
            "version": version("aidc"),
        },
        sort_keys=True,
        default=str,
    )
    return Carried(
        masked,
        site_toml(written),
        tuple(gathered.inputs),
        hashlib.sha256(text.encode()).hexdigest(),
        gathered.copies,
    )


def names_files(site: Site) -> bool:
    """Whether a site names files of the user's beside it: inputs, or a controller."""
    found: list[str] = []

    def note(source: Any, _: str) -> dict[str, Any]:
        if _dataset(source) is None and source.file is not None:
            found.append(source.file)
        return {}

    _changed(site, "", note)
    return bool(found) or site.control.use.rpartition(":")[0].endswith(".py")


@dataclass
class _Gathered:
    """Files met so far: each is hashed once, and has one place in the folder."""

    site: Site
    inputs: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    copies: dict[str, Path | bytes] = field(default_factory=dict[str, Path | bytes])
    _digests: dict[Path, str] = field(default_factory=dict[Path, str])
    _places: dict[Path, str] = field(default_factory=dict[Path, str])

    def digest(self, path: Path) -> str:
        if path not in self._digests:
            try:
                self._digests[path] = checksum(path)
            except OSError as error:
                what = f"cannot be read: {error.strerror or error}"
                raise InputError(Problem(what, "Check the file.", path)) from error
        return self._digests[path]

    def place(self, path: Path) -> str:
        """Where a file of the user's is copied to, noted once."""
        if path not in self._places:
            name, number = PurePosixPath(path.name), 1
            place = f"{FOLDER}/{name}"
            while place in self.copies:
                number += 1
                place = f"{FOLDER}/{name.stem}-{number}{name.suffix}"
            self._places[path] = place
            self.copies[place] = path
            self.inputs.append(self._note("file", str(path), self.digest(path), place))
        return self._places[path]

    def copied(self, source: Any, key: str) -> dict[str, Any]:
        """The change of a table that names a file, to name its copy instead."""
        if _dataset(source) is not None or source.file is None:
            path = _place_of(source, self.site.folder)
            if path is not None:
                name = _dataset(source) or getattr(source, "shipped", None) or path.name
                self.inputs.append(self._note("dataset", f"{key}: {name}", self.digest(path), None))
            return {}
        return {"file": self.place(user_file(source.file, self.site.folder))}

    def hashed(self, source: Any, _: str) -> dict[str, Any]:
        """The change of a table that names a file, to state its content instead."""
        path = _place_of(source, self.site.folder)
        return {} if path is None else {"file": self.digest(path)}

    def controller(self, controller: Controller | None) -> Path | None:
        """The file of a controller that did not ship with aidc, noted where it will not be copied."""
        module = None if controller is None else sys.modules.get(type(controller).__module__)
        use = self.site.control.use.rpartition(":")[0]
        if controller is not None and use.endswith(".py") and type(controller).__module__.startswith(_USERS):
            return (self.site.folder / use).resolve()
        file = getattr(module, "__file__", None)
        if module is None or file is None or module.__name__.partition(".")[0] == "aidc":
            return None
        path = Path(file)
        name = f"{type(controller).__module__}:{type(controller).__qualname__}"
        self.inputs.append(self._note("controller", name, self.digest(path), None))
        return path

    def entries(self) -> None:
        """Note every entry, and copy the user's own."""
        seen: set[str] = set()
        for one in self.site.entries:
            name = f"{one.kind}/{one.name}"
            if name in seen:
                continue
            seen.add(name)
            place = f"{_CATALOGUE}/{name}.toml" if one.own else None
            if place is not None:
                self.copies[place] = one.raw
            self.inputs.append(self._note("entry", name, hashlib.sha256(one.raw).hexdigest(), place))

    @staticmethod
    def _note(kind: str, name: str, digest: str, place: str | None) -> dict[str, Any]:
        return {"kind": kind, "name": name, "sha256": digest, "in_folder": place}


_USERS: Final = "aidc_user_"  # modules that `aidc.control.find` makes of files


def _with_controller(site: Site, use: str) -> Site:
    return site.model_copy(update={"control": site.control.model_copy(update={"use": use})})


def _option_files(site: Site) -> dict[str, Path]:
    """Files that the options of the site's shipped controller name, by option."""
    found = shipped_options(site)
    return (
        {name: value for name in type(found).model_fields if isinstance(value := getattr(found, name), Path)}
        if found
        else {}
    )


def _with_option(site: Site, option: str, value: str) -> Site:
    options = {**site.control.options, option: value}
    return site.model_copy(update={"control": site.control.model_copy(update={"options": options})})


def _dataset(source: Any) -> str | None:
    return getattr(source, "dataset", None)


def _place_of(source: Any, folder: Path) -> Path | None:
    """The file behind a source: in a dataset, in an installed package, or the user's."""
    dataset, shipped = _dataset(source), getattr(source, "shipped", None)
    if dataset is not None:
        return locate(dataset, source.file)
    if source.file is not None:
        return user_file(source.file, folder)
    return shipped_file(shipped) if shipped is not None else None


def _changed(node: Any, key: str, change: Callable[[Any, str], dict[str, Any]]) -> Any:
    """The shapes with `change` laid over every one that names a file."""
    if isinstance(node, Shape):
        update = {
            name: _changed(value, f"{key}.{name}".removeprefix("."), change) for name, value in _fields(node)
        }
        if not isinstance(node, Site) and "file" in type(node).model_fields:
            update |= change(node, key)
        return node.model_copy(update=update)
    if isinstance(node, Mapping):
        return {name: _changed(value, f"{key}.{name}", change) for name, value in node.items()}
    if isinstance(node, tuple):
        return tuple(_changed(value, f"{key}[{place}]", change) for place, value in enumerate(node))
    return node


def _fields(node: Shape) -> Iterator[tuple[str, Any]]:
    """Fields that may hold shapes; the loader's own fields of a site are left as they are."""
    for name, info in type(node).model_fields.items():
        value = getattr(node, name)
        if not info.exclude and isinstance(value, (Shape, Mapping, tuple)):
            yield name, value
