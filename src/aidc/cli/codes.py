"""`aidc codes`: the rule sets, and the clauses of one with figures, sources and marks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from aidc.catalogue import CONFIDENCE, read
from aidc.cli.screen import print_json, screen
from aidc.schema.code import Clause, Code
from aidc.study.grid_check.codes import KIND, known_codes, read_code

__all__ = ["show_codes"]

_STATED = ("rule", "clause", "status", "confidence", "source", "note")


def show_codes(name: str | None, *, as_json: bool) -> int:
    """Print every rule set on one line each, or one with all of its clauses."""
    search = (Path("catalogue").resolve(),) if Path("catalogue").is_dir() else ()
    if name is None:
        codes = {each: read_code(each, search) for each in known_codes(search)}
        rows = [_row(each, code) for each, code in codes.items()]
        return _print(rows, lambda: _listing(rows), as_json=as_json)
    code = read_code(name, search)
    return _print(_document(name, code, search), lambda: _clauses(name, code), as_json=as_json)


def _row(name: str, code: Code) -> dict[str, Any]:
    return {
        "name": name,
        "title": code.title,
        "authority": code.authority,
        "version": code.version,
        "effective": code.effective.isoformat() if code.effective else None,
        "status": code.status,
        "confidence": code.confidence,
        "clauses": len(code.clauses),
        "uncaptured": sum(clause.rule == "uncaptured" for clause in code.clauses),
    }


def _document(name: str, code: Code, search: Sequence[Path]) -> dict[str, Any]:
    """The set as judged, and the provenance of every figure that its own file states."""
    entry = read(KIND, name, search)
    figures = {
        key: {
            "value": figure.value,
            "source": entry.sources[figure.source].title,
            "url": entry.sources[figure.source].url,
            "confidence": figure.confidence,
            "note": figure.note,
        }
        for key, figure in entry.figures.items()
    }
    return {"name": name, **code.model_dump(mode="json"), "figures": figures}


def _listing(rows: Sequence[dict[str, Any]]) -> Table:
    """A set on few lines, whatever the width: names never break, titles do."""
    table = Table(
        box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), caption="aidc codes NAME shows the clauses of a set."
    )
    table.add_column("name", no_wrap=True)
    table.add_column("title", ratio=1, overflow="fold")
    table.add_column("status", no_wrap=True)
    table.add_column("clauses", justify="right", no_wrap=True)
    for row in rows:
        effect = f", in effect from {row['effective']}" if row["effective"] else ""
        title = Text(str(row["title"]))
        title.append(f"\n{row['authority']}, {row['version']}{effect}", style="dim")
        lacking = f"{row['uncaptured']} not captured" if row["uncaptured"] else ""
        clauses = "\n".join(part for part in (str(row["clauses"]), lacking) if part)
        table.add_row(
            Text(row["name"], style="bold"), title, f"{row['status']}\n{row['confidence']}", clauses
        )
    return table


def _clauses(name: str, code: Code) -> RenderableType:
    """Every clause as a block: what it is, its figures, then where they come from, over the whole width."""
    parts: list[RenderableType] = [Text(f"{code.title} ({name})", style="bold")]
    used = {clause.confidence for clause in code.clauses}
    marks = "; ".join(f"{mark}: {meaning}" for mark, meaning in CONFIDENCE.items() if mark in used)
    parts += [Text(part, style="dim") for part in (_scope(code), code.note, marks) if part]
    for clause in code.clauses:
        head = Text("\n")
        head.append(clause.rule, style="bold")
        head.append(f": {clause.clause}")
        head.append(f" ({clause.status}, {clause.confidence})", style="dim")
        parts += [head, Padding(_figures(clause), (0, 0, 0, 2))]
        parts += [
            Padding(Text(text, style="dim"), (0, 0, 0, 2)) for text in (clause.source, clause.note) if text
        ]
    return Group(*parts)


def _scope(code: Code) -> str:
    """Who asks, since when, of which sites."""
    effect = f", in effect from {code.effective.isoformat()}" if code.effective else ""
    sites = "sites of any size" if "min_mw" not in code.model_fields_set else f"sites from {code.min_mw:g} MW"
    return f"{code.authority}, {code.version} ({code.status}{effect}); {sites}."


def _figures(clause: Clause) -> Table:
    """The clause's own keys, those left at their defaults with a mark."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for key, value in clause.model_dump().items():
        if key not in _STATED and value not in (None, (), ""):
            mark = "" if key in clause.model_fields_set else " (default)"
            grid.add_row(key, Text(f"{_shown(value)}{mark}", style="dim" if mark else ""))
    return grid


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(_shown(each) for each in value) + "]"
    return (
        f"{value:g}"
        if isinstance(value, float)
        else str(value).lower()
        if isinstance(value, bool)
        else str(value)
    )


def _print(document: Any, table: Any, *, as_json: bool) -> int:
    if as_json:
        print_json(document)
    else:
        screen().print(table())
    return 0
