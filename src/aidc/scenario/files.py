"""From a source as written in a site file to a path on this machine."""

from __future__ import annotations

from pathlib import Path

from aidc.datasets import locate
from aidc.errors import InputError, Problem
from aidc.schema.source import FileSource

__all__ = ["path_of", "user_file"]


def path_of(source: FileSource, base_dir: Path) -> Path:
    """The file that a source names: in a dataset, else relative to `base_dir` (the site's folder).

    Raises
    ------
    InputError
        There is no such dataset or file.
    """
    if source.dataset is not None:
        return locate(source.dataset, source.file)
    return user_file(str(source.file), base_dir)


def user_file(name: str, base_dir: Path) -> Path:
    """A file of the user's, relative to `base_dir`.

    Raises
    ------
    InputError
        There is no such file.
    """
    try:
        path = base_dir / Path(name).expanduser()
        if path.is_file():
            return path
    except (OSError, RuntimeError, ValueError) as error:
        raise InputError(
            Problem(f"is not a usable path: {error}", "Correct it.", key="file", value=name)
        ) from error
    raise InputError(
        Problem(
            f"there is no such file ({path})", "Paths are relative to the site file.", key="file", value=name
        )
    )
