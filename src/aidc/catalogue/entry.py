"""One catalogue entry: plain values for the schemas, and where each figure came from."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from aidc.errors import InputError, Problem

__all__ = ["CONFIDENCE", "Entry", "Figure", "Source", "address_of", "parse"]

CONFIDENCE: Final[Mapping[str, str]] = {
    "measured": "fitted or read from measured data",
    "published": "stated by a primary source",
    "derived": "computed from published figures",
    "secondary": "stated by a secondary source; the original was not opened",
    "borrowed": "taken from another device, not measured or fitted on this one",
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


_WEB = re.compile(r"https?://[^\s<>\"'\\]+", re.IGNORECASE)
_DOI = re.compile(r"10\.\d{4,9}/[^\s<>\"'\\]+")


def address_of(source: Source) -> str | None:
    """The web address of a source, else that of its DOI; anything but http(s) and a DOI is none."""
    if source.url and _WEB.fullmatch(source.url):
        return source.url
    if source.doi and _DOI.fullmatch(source.doi):
        return f"https://doi.org/{source.doi}"
    return None


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
    """`values` is what a schema validates, `figures` their provenance by dotted key, `raw` the file as it was read."""

    kind: str
    name: str
    title: str
    values: Mapping[str, Any]
    figures: Mapping[str, Figure]
    sources: Mapping[str, Source]
    path: Path
    raw: bytes = b""


def parse(kind: str, name: str, document: Mapping[str, Any], path: Path, raw: bytes = b"") -> Entry:
    """Split a TOML document into values and provenance; refuse a figure without a known source.

    `kind` and `name` are the entry's, `path` is its file and `raw` the bytes that it was read from.
    """
    problems: list[Problem] = []
    listed = document.get("sources", {})
    if not isinstance(listed, Mapping):
        problems.append(
            Problem("must be a table of sources", "Write [sources.NAME].", path, "sources", listed)
        )
        listed = {}
    sources = {key: _source(key, body, path, problems) for key, body in listed.items()}
    title = _text(document, "title", "", path, problems)
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
    return Entry(kind, name, title or name, values, figures, sources, path, raw)


def _source(key: str, body: Any, path: Path, problems: list[Problem]) -> Source:
    if not isinstance(body, Mapping) or "title" not in body:
        problems.append(
            Problem(
                "a source needs a title", 'Write title = "…" and a url or doi.', path, f"sources.{key}", body
            )
        )
        return Source(key, key)
    title, url, doi, note = (
        _text(body, part, f"sources.{key}.", path, problems) for part in ("title", "url", "doi", "note")
    )
    return Source(key, title or key, url, doi, note)


def _text(table: Mapping[str, Any], key: str, prefix: str, path: Path, problems: list[Problem]) -> str | None:
    """A text of a table, None where it is absent."""
    value = table.get(key)
    if value is not None and not isinstance(value, str):
        problems.append(
            Problem("must be text in quotes", f'Write {key} = "…".', path, f"{prefix}{key}", value)
        )
        return None
    return value


def _strip(node: Any, key: str, figures: dict[str, Figure], problems: list[Problem], path: Path) -> Any:
    """Replace each `{value, source, confidence}` table by its value, noting the provenance."""
    if isinstance(node, Mapping):
        if "value" in node and "source" in node:
            source, confidence, note = (
                _text(node, part, f"{key}.", path, problems) for part in ("source", "confidence", "note")
            )
            figures[key] = Figure(key, node["value"], source or "", confidence or "", note)
            problems += _not_finite(node["value"], key, path)
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


def _not_finite(value: Any, key: str, path: Path) -> Iterator[Problem]:
    """Numbers of a figure that no calculation can use."""
    if isinstance(value, float) and not math.isfinite(value):
        yield Problem("is not a finite number", "Give a number.", path, key, value)
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield from _not_finite(item, f"{key}.{name}", path)
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from _not_finite(item, f"{key}[{place}]", path)
