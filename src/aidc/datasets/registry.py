"""The list of named datasets, read from the shipped TOML entries."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

from aidc.errors import InputError, Problem

__all__ = ["DataFile", "Dataset", "find", "names"]

_FOLDER = Path(__file__).parents[1] / "catalogue" / "dataset"


@dataclass(frozen=True, slots=True)
class DataFile:
    """One file of a dataset: its path in the folder, and how to get and check it."""

    path: str
    url: str | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Dataset:
    """A public dataset. `kind` is "raw" (as published) or "derived" (reshaped, with how in `note`)."""

    name: str
    title: str
    kind: str
    folder: str
    licence: str
    citation: str
    homepage: str
    files: tuple[DataFile, ...]
    note: str = ""

    @property
    def fetchable(self) -> bool:
        """Every file has a publisher's address and a checksum."""
        return all(file.url and file.sha256 for file in self.files)

    def file(self, path: str | None = None) -> DataFile:
        """One file; the only one where `path` is left out.

        Raises
        ------
        InputError
            There is no such file, or several to choose from.
        """
        if path is None and len(self.files) == 1:
            return self.files[0]
        known = [file.path for file in self.files]
        if path is None:
            raise InputError(
                Problem(
                    "has several files",
                    f"Name one with `file`: {', '.join(known)}.",
                    key="dataset",
                    value=self.name,
                )
            )
        for file in self.files:
            if PurePosixPath(file.path) == PurePosixPath(path):
                return file
        close = get_close_matches(path, known, n=1)
        remedy = f"Did you mean {close[0]!r}?" if close else f"It has: {', '.join(known)}."
        raise InputError(Problem(f"the dataset {self.name} has no such file", remedy, key="file", value=path))


def names() -> list[str]:
    """Every dataset, sorted."""
    return sorted(path.stem for path in _FOLDER.glob("*.toml"))


@cache
def find(name: str) -> Dataset:
    """The dataset of this name.

    Raises
    ------
    InputError
        There is none.
    """
    if name not in names():
        close = get_close_matches(name, names(), n=1)
        remedy = f"Did you mean {close[0]!r}?" if close else f"Known: {', '.join(names())}."
        raise InputError(Problem("is not a known dataset", remedy, key="dataset", value=name))
    return _dataset(name, tomllib.loads((_FOLDER / f"{name}.toml").read_text(encoding="utf-8")))


def _dataset(name: str, document: dict[str, Any]) -> Dataset:
    files = tuple(DataFile(file["path"], file.get("url"), file.get("sha256")) for file in document["files"])
    return Dataset(
        name,
        document["title"],
        document["kind"],
        document["folder"],
        document["licence"],
        document["citation"],
        document["homepage"],
        files,
        document.get("note", ""),
    )
