"""`aidc catalogue`, `aidc new`, `aidc data`."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from rich.table import Table

from aidc.catalogue import CONFIDENCE, Entry, kinds, names, read
from aidc.cli.screen import named, print_json, screen
from aidc.datasets import Dataset
from aidc.errors import InputError, OutputError, Problem

__all__ = ["get_dataset", "list_datasets", "show", "starter"]


def show(kind: str | None, name: str | None, *, as_json: bool) -> int:
    """Print the kinds, the entries of a kind, or the figures of an entry with their sources."""
    search = (Path("catalogue").resolve(),) if Path("catalogue").is_dir() else ()
    known = kinds(search)
    if kind is not None and kind not in known:
        raise InputError(Problem("no such kind in the catalogue", f"Known: {', '.join(known)}.", value=kind))
    if kind is None:
        listing = {each: names(each, search) for each in known}
        return _print(listing, _table_of(listing, "kind", "entries"), as_json=as_json)
    if name is None:
        titles = {each: read(kind, each, search).title for each in names(kind, search)}
        return _print(titles, _table_of(titles, kind, "what it is"), as_json=as_json)
    entry = read(kind, name, search)
    return _print(_document(entry), _figures(entry), as_json=as_json)


def starter(folder: Path) -> int:
    """Write the starter site; refuse to touch anything that exists."""
    from importlib.resources import files

    target = folder / "site.toml"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with target.open("x", encoding="utf-8") as made:  # never through a link, never over a file
            made.write(files("aidc.site").joinpath("starter.toml").read_text("utf-8"))
    except FileExistsError as error:
        raise OutputError(f"{error.filename} exists already. Choose another folder.") from error
    except (OSError, ValueError) as error:
        raise OutputError(f"{target}: could not be written: {error}. Choose another folder.") from error
    named(f"Wrote {target}. Run it: ", f"aidc run {target}")
    return 0


def list_datasets(*, as_json: bool) -> int:
    """Print the named datasets and where each lies."""
    from aidc.datasets import find
    from aidc.datasets import names as dataset_names

    rows: list[dict[str, Any]] = []
    for name in dataset_names():
        dataset = find(name)
        row = {"name": name, "title": dataset.title, "licence": dataset.licence, "here": _place(dataset)}
        rows.append({**row, "fetchable": dataset.fetchable, "homepage": dataset.homepage})
    table = Table("name", "what it is", "licence", "where it lies")
    for row in rows:
        how = f"aidc data get {row['name']}" if row["fetchable"] else f"set AIDC_DATA ({row['homepage']})"
        table.add_row(row["name"], row["title"], row["licence"], row["here"] or how)
    return _print(rows, table, as_json=as_json)


def _place(dataset: Dataset) -> str:
    """The folder in which any file of a dataset lies, or ""."""
    from aidc.datasets import locate

    for file in dataset.files:
        with contextlib.suppress(InputError):
            return str(locate(dataset, file.path).parent)
    return ""


def get_dataset(name: str) -> int:
    """Fetch a dataset and name its files."""
    from aidc.datasets import fetch

    for path in fetch(name):
        screen().print(str(path), soft_wrap=True)
    return 0


def _print(document: Any, table: Table, *, as_json: bool) -> int:
    if as_json:
        print_json(document)
    else:
        for column in table.columns:
            column.overflow = "fold"  # an address that is cut off cannot be followed
        screen().print(table)
    return 0


def _table_of(listing: dict[str, Any], left: str, right: str) -> Table:
    table = Table(left, right)
    for key, value in listing.items():
        table.add_row(key, ", ".join(value) if isinstance(value, list) else str(value))
    return table


def _document(entry: Entry) -> dict[str, Any]:
    return {
        "kind": entry.kind,
        "name": entry.name,
        "title": entry.title,
        "values": entry.values,
        "figures": {
            key: {
                "value": f.value,
                "source": entry.sources[f.source].title,
                "confidence": f.confidence,
                "note": f.note,
            }
            for key, f in entry.figures.items()
        },
    }


def _figures(entry: Entry) -> Table:
    table = Table("key", "value", "confidence", "source", title=f"{entry.title} ({entry.kind}/{entry.name})")
    for key, value in entry.values.items():
        if isinstance(value, (str, bool)):
            table.add_row(key, str(value), "", "")
    for key, figure in entry.figures.items():
        source = entry.sources[figure.source]
        where = source.url or (f"doi:{source.doi}" if source.doi else "")
        text = "\n".join(part for part in (source.title, where, figure.note) if part)
        table.add_row(key, _shown(figure.value), figure.confidence, text)
    table.caption = "; ".join(f"{mark}: {meaning}" for mark, meaning in CONFIDENCE.items())
    return table


def _shown(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
