"""One catalogue entry: plain values for the schemas, and where each figure came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from aidc.errors import InputError, Problem

__all__ = ["CONFIDENCE", "Entry", "Figure", "Source", "parse"]

CONFIDENCE: Final[Mapping[str, str]] = {
    "measured": "fitted or read from measured data",
    "published": "stated by a primary source",
    "derived": "computed from published figures",
    "secondary": "stated by a secondary source; the original was not opened",
    "estimated": "engineering knowledge without a checked source",
}


@dataclass(frozen=True, slots=True)
class Source:
    """A publication or data set: what to look up, and where."""

    key: str
    title: str
    url: str | None = None
    doi: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """One number (or list, or table of numbers) with its provenance."""

    key: str
    value: Any
    source: str
    confidence: str
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """`values` is what a schema validates; `figures` maps dotted keys to their provenance."""

    kind: str
    name: str
    title: str
    values: Mapping[str, Any]
    figures: Mapping[str, Figure]
    sources: Mapping[str, Source]
    path: Path


def parse(kind: str, name: str, document: Mapping[str, Any], path: Path) -> Entry:
    """Split a TOML document into values and provenance; refuse a figure without a known source."""
    problems: list[Problem] = []
    sources = {key: _source(key, body, path, problems) for key, body in _table(document, "sources").items()}
    figures: dict[str, Figure] = {}
    body = {key: value for key, value in document.items() if key not in ("title", "sources")}
    values = _strip(body, "", figures, problems, path)
    for figure in figures.values():
        if figure.source not in sources:
            problems.append(
                Problem(
                    "names a source that is not listed",
                    f"Add [sources.{figure.source}] with a title and a url or doi.",
                    path,
                    figure.key,
                    figure.source,
                )
            )
        if figure.confidence not in CONFIDENCE:
            problems.append(
                Problem(
                    "has an unknown confidence mark",
                    f"Use one of {', '.join(CONFIDENCE)}.",
                    path,
                    figure.key,
                    figure.confidence,
                )
            )
    if problems:
        raise InputError(problems)
    return Entry(kind, name, str(document.get("title", name)), values, figures, sources, path)


def _table(document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    table = document.get(key, {})
    return table if isinstance(table, Mapping) else {}


def _source(key: str, body: Any, path: Path, problems: list[Problem]) -> Source:
    if not isinstance(body, Mapping) or "title" not in body:
        problems.append(
            Problem(
                "a source needs a title", 'Write title = "…" and a url or doi.', path, f"sources.{key}", body
            )
        )
        return Source(key, key)
    return Source(key, str(body["title"]), body.get("url"), body.get("doi"), body.get("note"))


def _strip(node: Any, key: str, figures: dict[str, Figure], problems: list[Problem], path: Path) -> Any:
    """Replace each `{value, source, confidence}` table by its value, noting the provenance."""
    if isinstance(node, Mapping):
        if "value" in node and "source" in node:
            figures[key] = Figure(
                key, node["value"], str(node["source"]), str(node.get("confidence", "")), node.get("note")
            )
            return node["value"]
        return {
            name: _strip(child, f"{key}.{name}" if key else name, figures, problems, path)
            for name, child in node.items()
        }
    if isinstance(node, list):
        if node and all(isinstance(child, (str, bool)) for child in node):
            return node
        return [_strip(child, f"{key}[{index}]", figures, problems, path) for index, child in enumerate(node)]
    if isinstance(node, (int, float)) and not isinstance(node, bool):
        problems.append(
            Problem(
                "a figure without a source",
                'Write it as { value = …, source = "…", confidence = "…" }.',
                path,
                key,
                node,
            )
        )
    return node
