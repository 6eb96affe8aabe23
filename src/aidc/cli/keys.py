"""`aidc keys`: every key of the files that people write, from the schema."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich import box
from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table as Grid
from rich.text import Text

from aidc.cli.screen import print_json, screen
from aidc.reference import FILES, Found, Key, Table, find, tables
from aidc.reference.pages import default_words, uses_words, value_words

__all__ = ["show_keys"]

_PIPED_WIDTH = 150


def show_keys(path: str | None, *, as_json: bool) -> int:
    """Print the files and their tables, the keys of a table, or one key."""
    if path is None:
        if as_json:
            print_json([_table_document(table) for table in tables()])
        else:
            _show(_overview())
        return 0
    found = find(path)
    if as_json:
        print_json(_document(found))
        return 0
    _show([*_single(found.keys), *(part for table in found.tables for part in _whole(table))])
    return 0


def _show(parts: Sequence[RenderableType]) -> None:
    shown = screen(_PIPED_WIDTH)
    for part in parts:
        shown.print(part)


def _overview() -> list[RenderableType]:
    """The files and, of each, its tables."""
    grid = Grid(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for title in ("file", "what it is for", "aidc keys …"):
        grid.add_column(title, overflow="fold")
    for file in FILES:
        mine = [table for table in tables() if _belongs(table.path, file.prefix)]
        paths = dict.fromkeys(table.path.replace("[]", "") for table in mine if table.path.count(".") <= 2)
        grid.add_row(file.title, Text(file.told), Text(", ".join(path for path in paths if path)))
    kinds = dict.fromkeys(
        ".".join(table.path.split(".")[:2]) for table in tables() if table.path.startswith("catalogue.")
    )
    told = "Equipment and models: your own lie in catalogue/KIND/NAME.toml beside the site."
    grid.add_row("Catalogue entry", told, ", ".join(kinds))
    hint = Text(
        "NAME stands for any name of your own: aidc keys cooling.warm, aidc keys supply_temp_c", style="dim"
    )
    return [grid, hint]


def _belongs(path: str, prefix: str) -> bool:
    others = {file.prefix for file in FILES if file.prefix} | {"catalogue"}
    first = path.partition(".")[0]
    return first == prefix if prefix else first not in others


def _single(keys: Sequence[tuple[Table, Key]]) -> list[RenderableType]:
    """Keys one by one, each with its whole path and the table of a union that it belongs to."""
    parts: list[RenderableType] = []
    for table, key in keys:
        tag = f"  ({table.tag})" if table.tag else ""
        parts.append(Text.assemble((key.path.replace("[]", ""), "bold"), tag))
        facts = [
            ("value", value_words(key)),
            ("unit", key.unit),
            ("default", default_words(key)),
            ("", key.meaning),
        ]
        lines = [f"{name + ': ' if name else ''}{text}" for name, text in facts if text]
        parts.append(Padding(Text("\n".join(lines)), (0, 0, 0, 2)))
    return parts


def _whole(table: Table) -> list[RenderableType]:
    """A table with its words and its keys."""
    head = Text.assemble(
        (table.path.replace("[]", "") or "site file", "bold"), f"  {table.tag}" if table.tag else ""
    )
    grid = Grid(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    grid.add_column("key", overflow="fold")
    grid.add_column("value", overflow="fold", max_width=34)
    grid.add_column("unit", no_wrap=True)
    grid.add_column("default", overflow="fold", max_width=18)
    grid.add_column("meaning", ratio=1)
    for key in table.keys:
        grid.add_row(key.name, Text(value_words(key)), key.unit, Text(default_words(key)), Text(key.meaning))
    words = "\n".join(part for part in (table.meaning.replace("\n\n", "\n"), uses_words(table)) if part)
    return [head, Padding(Text(words), (0, 0, 0, 2)), grid]


def _document(found: Found) -> dict[str, Any]:
    return {
        "tables": [_table_document(table) for table in found.tables],
        "keys": [{**_key_document(key), "table": table.path, "tag": table.tag} for table, key in found.keys],
    }


def _table_document(table: Table) -> dict[str, Any]:
    return {**asdict(table), "keys": [_key_document(key) for key in table.keys]}


def _key_document(key: Key) -> dict[str, Any]:
    """A key for programs: `required` where neither a default nor an entry has it."""
    required = key.default is None and not key.from_entry
    return {
        "path": key.path, "name": key.name, "type": key.kind, "range": key.range, "unit": key.unit or None,
        "default": key.default or None, "required": required, "from_entry": key.from_entry,
        "meaning": key.meaning, "opens": key.table or None,
    }  # fmt: skip
