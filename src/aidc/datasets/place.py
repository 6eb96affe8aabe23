"""Where datasets lie on this machine."""

from __future__ import annotations

import os
from pathlib import Path

from aidc.datasets.registry import Dataset, find
from aidc.errors import InputError, Problem

__all__ = ["cache_folder", "data_folder", "locate"]


def data_folder() -> Path | None:
    """The folder that `AIDC_DATA` names, if it is set.

    Raises
    ------
    InputError
        It is set, and is not a folder.
    """
    named = os.environ.get("AIDC_DATA", "")
    if not named:
        return None
    folder = Path(named).expanduser()
    if not folder.is_dir():
        raise InputError(
            Problem(
                "names no folder",
                "Point it at a folder of datasets, or unset it.",
                key="AIDC_DATA",
                value=named,
            )
        )
    return folder


def cache_folder() -> Path:
    """Where fetched datasets are kept: `$XDG_CACHE_HOME/aidc/datasets`, by default below `~/.cache`."""
    base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    try:
        root = Path(base) if base else Path.home() / ".cache"
    except RuntimeError as error:
        raise InputError(
            Problem("there is no home folder for the cache", "Set XDG_CACHE_HOME to a folder.")
        ) from error
    return root / "aidc" / "datasets"


def locate(dataset: str | Dataset, file: str | None = None) -> Path:
    """The file of a dataset on this machine: below `AIDC_DATA` first, then in the cache.

    Raises
    ------
    InputError
        The dataset or file is unknown, or lies in neither place.
    """
    entry = find(dataset) if isinstance(dataset, str) else dataset
    wanted = entry.file(file)
    tried: list[Path] = []
    for root in (data_folder(), cache_folder()):
        if root is None:
            continue
        path = root / entry.folder / wanted.path
        if path.is_file():
            return path
        tried.append(path)
    remedy = (
        f"Run `aidc data get {entry.name}`, or set AIDC_DATA to a folder that holds it."
        if entry.fetchable
        else f"It is {entry.kind} data and cannot be fetched as such ({entry.homepage});"
        " set AIDC_DATA to a folder that holds it."
    )
    raise InputError(
        Problem(
            f"is not on this machine (looked for {', '.join(str(path) for path in tried)})",
            remedy,
            key="dataset",
            value=entry.name,
        )
    )
