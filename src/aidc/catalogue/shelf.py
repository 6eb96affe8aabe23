"""The search path of the catalogue: the user's folders first, then what ships with the package."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path

from aidc.catalogue.entry import Entry, parse
from aidc.errors import InputError, Problem
from aidc.files import read_file
from aidc.toml_file import MOST_BYTES, parse_toml

__all__ = ["kinds", "names", "read", "shipped"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,63}")


def shipped() -> Path:
    """The folder of the entries that ship with aidc."""
    return Path(__file__).parent


def kinds(search: Sequence[Path] = ()) -> list[str]:
    """Every kind of entry on the search path, sorted."""
    return sorted(
        {
            folder.name
            for root in (*search, shipped())
            for folder in root.glob("*/")
            if any(folder.glob("*.toml"))
        }
    )


def names(kind: str, search: Sequence[Path] = ()) -> list[str]:
    """Every entry of a kind on the search path, sorted; files whose name is none are passed over."""
    found = (path for root in (*search, shipped()) for path in (root / kind).glob("*.toml"))
    return sorted({path.stem for path in found if _NAME.fullmatch(path.stem)})


def read(kind: str, name: str, search: Sequence[Path] = ()) -> Entry:
    """One entry, the user's own before the shipped one of the same name.

    A file is read again each time, and parsed again where its content has changed.

    Raises
    ------
    InputError
        There is no such entry, or its file is none: with file, key, value and remedy.
    """
    for root in (*search, shipped()) if _NAME.fullmatch(name) else ():  # a name, never a path
        path = root / kind / f"{name}.toml"
        if path.is_file():
            return _parsed(kind, name, path, read_file(path, MOST_BYTES))
    known = names(kind, search)
    close = get_close_matches(name, known, n=1)
    hint = f"Did you mean {close[0]!r}?" if close else f"Known: {', '.join(known) or 'none'}."
    raise InputError(Problem(f"no {kind} of this name in the catalogue", hint, key="use", value=name))


@lru_cache(maxsize=1024)
def _parsed(kind: str, name: str, path: Path, raw: bytes) -> Entry:
    return parse(kind, name, parse_toml(raw, path), path, raw)
