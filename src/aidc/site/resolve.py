"""From `use = "name"` to values: the catalogue's entry with the site's own keys laid over it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from aidc.catalogue import Entry, address_of, read, shipped
from aidc.errors import InputError, Problem
from aidc.schema.site import Assumption, UsedEntry

__all__ = ["Resolver", "merged", "split_own"]


@dataclass
class Resolver:
    """Resolves entries along one search path, collecting problems and the figures it took."""

    file: Path
    search: Sequence[Path]
    problems: list[Problem] = field(default_factory=list[Problem])
    assumptions: list[Assumption] = field(default_factory=list[Assumption])
    entries: list[UsedEntry] = field(default_factory=list[UsedEntry])

    def values(
        self, kind: str, name: Any, key: str, overrides: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """The values of an entry under `overrides`; a missing entry becomes a problem and {}.

        `kind` and `name` are the entry's, `key` is where it is used, for messages.
        """
        if not isinstance(name, str):
            what = f"must name a {kind} of the catalogue"
            self.problems.append(
                Problem(what, f"List them with: aidc catalogue {kind}", self.file, key, name)
            )
            return {}
        try:
            entry = read(kind, name, self.search)
        except InputError as error:
            self.problems += [
                Problem(
                    one.what,
                    one.remedy,
                    one.file or self.file,
                    key if one.key == "use" else one.key,
                    one.value,
                )
                for one in error.problems
            ]
            return {}
        overrides = overrides or {}
        self.note(entry, key.removesuffix(".use"), overrides)
        return merged(entry.values, overrides)

    def accelerator(self, name: Any, key: str) -> dict[str, Any]:
        """An accelerator's figures; `inference = { use = "…" }` in its entry takes the constants of another."""
        values = self.values("accelerator", name, key)
        inference, seen = values.get("inference"), [name]
        while isinstance(inference, Mapping) and "use" in inference:
            other = inference["use"]
            if other in seen or not isinstance(other, str):
                what = "goes round in a circle" if other in seen else "must name an accelerator"
                remedy = "Name an accelerator with constants of its own (aidc catalogue accelerator)."
                self.problems.append(Problem(what, remedy, self.file, f"{key}.inference.use", other))
                return values
            seen.append(other)
            try:
                entry = read("accelerator", other, self.search)
            except InputError as error:
                self.problems += [
                    Problem(one.what, one.remedy, one.file or self.file, f"{key}.inference.use", one.value)
                    for one in error.problems
                ]
                return values
            own = {part: value for part, value in inference.items() if part != "use"}
            told = f"taken from {other}, not fitted"
            self.note(entry, f"{key}.inference", {f"inference.{part}": 0 for part in own}, "inference", told)
            inference = merged(entry.values.get("inference", {}), own)
            values = {**values, "inference": inference}
        return values

    def table(self, node: Any, key: str) -> dict[str, Any]:
        """A table of the document, or {} and a problem if something else stands there."""
        if isinstance(node, dict):
            return dict(node)  # pyright: ignore[reportUnknownArgumentType]
        self.problems.append(
            Problem("must be a table", f"Write [{key}] or {key} = {{ … }}.", self.file, key, node)
        )
        return {}

    def note(
        self, entry: Entry, key: str, overrides: Mapping[str, Any], part: str = "", borrowed: str = ""
    ) -> None:
        """Remember an entry and its figures as what the site rests on at `key`.

        `overrides` are the site's own keys over it, `part` is the table of the entry that is taken (default: all), and
        `borrowed` says whose figures these are, where it is another device's.
        """
        own = shipped() not in entry.path.parents
        self.entries.append(
            UsedEntry.model_construct(
                where=key, kind=entry.kind, name=entry.name, own=own, values=entry.values, raw=entry.raw
            )
        )
        for figure in entry.figures.values():
            if not f"{figure.key}.".startswith(f"{part}." if part else ""):
                continue
            source = entry.sources[figure.source]
            self.assumptions.append(
                Assumption(
                    where=key,
                    entry=f"{entry.kind}/{entry.name}",
                    key=figure.key,
                    value=figure.value,
                    source=source.title,
                    url=address_of(source),
                    confidence="borrowed" if borrowed else figure.confidence,
                    borrowed=borrowed,
                    overridden=not {figure.key, figure.key.split(".", 1)[0].split("[", 1)[0]}.isdisjoint(
                        overrides
                    ),
                )
            )


def split_own(table: Mapping[str, Any], shape: type[BaseModel]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Divide a table into the keys of a shape and the rest, which override its equipment."""
    own = {field.alias or name for name, field in shape.model_fields.items()}
    return (
        {key: value for key, value in table.items() if key in own},
        {key: value for key, value in table.items() if key not in own},
    )


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Lay tables over tables; a table that names another `use` or `kind` replaces the one below."""
    result = dict(base)
    for key, value in over.items():
        below = result.get(key)
        if isinstance(below, Mapping) and isinstance(value, Mapping) and not _another(below, value):
            result[key] = merged(below, value)
        else:
            result[key] = value
    return result


def _another(below: Mapping[str, Any], value: Mapping[str, Any]) -> bool:
    return any(tag in value and value[tag] != below.get(tag) for tag in ("use", "kind"))
