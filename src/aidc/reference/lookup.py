"""From a path as a user writes it (`cooling.plant.units`) to the tables and keys that it means, or the nearest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cache

from aidc.errors import InputError, Problem
from aidc.reference.forms import ENTRIES, FILES
from aidc.reference.keys import Key, Table, entry_tables, file_tables

__all__ = ["Found", "find", "tables"]

_NEAREST = 6


@dataclass(frozen=True, slots=True)
class Found:
    """What a path means: whole tables, or single keys each with the table that it stands in."""

    tables: tuple[Table, ...] = ()
    keys: tuple[tuple[Table, Key], ...] = ()


@cache
def tables() -> tuple[Table, ...]:
    """Every table of every file, those of the site first, then other files, then entries of the catalogue."""
    files = [table for file in FILES for table in file_tables(file)]
    return (*files, *(table for kind in ENTRIES for table in entry_tables(kind)))


def find(path: str) -> Found:
    """The tables or keys that a path means.

    Parameters
    ----------
    path
        As in a file: `cooling.plant.units`, where a name of one's own stands for any; `catalogue.rack`, `build.modules`
        or `events` for other files. The last part alone (`supply_temp_c`) finds the key wherever it is.

    Raises
    ------
    InputError
        There is no such key; the nearest are named.
    """
    parts = [part for part in path.replace("[]", "").strip().strip(".").split(".") if part]
    there = tuple(table for table in tables() if _matches(table.path, parts))
    if there:
        return Found(there)
    keys = _keys(parts)
    if keys:
        opened = tuple(table for _, key in keys if key.table for table in tables() if table.path == key.table)
        return Found(opened, keys)
    if len(parts) == 1:
        anywhere = tuple((table, key) for table in tables() for key in table.keys if key.name == parts[0])
        if anywhere:
            return Found((), anywhere)
    raise InputError(Problem("no file has such a key", _nearest(parts), key="PATH", value=path))


def _segments(path: str) -> list[str]:
    return path.replace("[]", "").split(".") if path else []


def _matches(path: str, parts: list[str]) -> bool:
    """Whether a path means this place; NAME stands for any name."""
    own = _segments(path)
    return len(own) == len(parts) and all(
        mine in ("NAME", part) for mine, part in zip(own, parts, strict=True)
    )


def _keys(parts: list[str]) -> tuple[tuple[Table, Key], ...]:
    """The keys at a path, also those of an entry whose figures may stand in a table, or in a table of a key."""
    found = tuple(
        (table, key)
        for table in tables()
        if parts and _matches(table.path, parts[:-1])
        for key in table.keys
        if key.name == parts[-1]
    )
    return found or next((keys for keys in _entries_below(parts) if keys), ())


def _entries_below(parts: list[str]) -> Iterator[tuple[tuple[Table, Key], ...]]:
    """Keys of entries that are written at another path: beside `use`, or in the table of the key that names them."""
    for table in tables():
        depth = len(_segments(table.path))
        rest = parts[depth:]
        if not rest or not _matches(table.path, parts[:depth]):
            continue
        if table.beside and rest[0] not in table.filled:
            yield _laid(table.uses, rest, parts[:depth])
        key = next((one for one in table.keys if one.entry and one.name == rest[0]), None)
        if key is not None and len(rest) > 1:
            yield _laid(key.entry, rest[1:], parts[: depth + 1])


def _laid(kind: str, rest: list[str], stem: list[str]) -> tuple[tuple[Table, Key], ...]:
    """Keys of an entry as they stand at another path, where the entry has what is not written."""
    path = ".".join([*stem, *rest])
    return tuple(
        (table, replace(key, path=path, from_entry=True)) for table, key in _keys(["catalogue", kind, *rest])
    )


def _nearest(parts: list[str]) -> str:
    """The nearest paths in words."""
    paths = list(dict.fromkeys(key.path.replace("[]", "") for table in tables() for key in table.keys))
    asked = ".".join(parts)
    close = get_close_matches(asked, paths, n=_NEAREST, cutoff=0.6)
    named = {path.rsplit(".", 1)[-1] for path in paths}
    for last in get_close_matches(parts[-1] if parts else "", sorted(named), n=3, cutoff=0.7):
        close += [path for path in paths if path.rsplit(".", 1)[-1] == last][:3]
    told = ", ".join(list(dict.fromkeys(close))[:_NEAREST])
    return f"Did you mean {told}?" if told else "List the files and their tables with: aidc keys"
