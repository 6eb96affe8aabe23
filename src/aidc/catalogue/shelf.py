"""The search path of the catalogue: the user's folders first, then what ships with the package."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from difflib import get_close_matches
from functools import cache
from pathlib import Path

from aidc.catalogue.entry import Entry, parse
from aidc.errors import InputError, Problem

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
    """Every entry of a kind on the search path, sorted."""
    return sorted({path.stem for root in (*search, shipped()) for path in (root / kind).glob("*.toml")})


def read(kind: str, name: str, search: Sequence[Path] = ()) -> Entry:
    """One entry, the user's own before the shipped one of the same name."""
    for root in (*search, shipped()) if _NAME.fullmatch(name) else ():  # a name, never a path
        path = root / kind / f"{name}.toml"
        if path.is_file():
            return _read(kind, name, path)
    known = names(kind, search)
    close = get_close_matches(name, known, n=1)
    hint = f"Did you mean {close[0]!r}?" if close else f"Known: {', '.join(known) or 'none'}."
    raise InputError(Problem(f"no {kind} of this name in the catalogue", hint, key="use", value=name))


@cache
def _read(kind: str, name: str, path: Path) -> Entry:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(Problem(f"not readable as TOML: {error}", "Mend the file.", path)) from error
    return parse(kind, name, document, path)
