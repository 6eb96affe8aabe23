"""Which inputs of runs differ: keys of the resolved sites, contents of the files, the version that ran them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Protocol

from aidc.measure.meta import mapping

__all__ = ["Described", "InputRow", "differing_inputs"]

_SHORT_SUM = 12  # of a checksum: enough to tell two files apart
_ABSENT = None
# slots of a resolved site that hold an entry's figures, and the keys beside them that may name the entry
_NAME_OF = {
    "rack": ("rack_name",), "accelerator": ("accelerator_name",), "model": ("model_name", "use"),
    "rejection": ("rejection_name",), "cdu_entry": ("cdu",), "crah_entry": ("crah",), "front_entry": ("front",),
    "cold_plate_curve": ("rack_name",),
}  # fmt: skip


class Described(Protocol):
    """A run whose inputs are known."""

    @property
    def site(self) -> Mapping[str, Any]: ...
    @property
    def meta(self) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True)
class InputRow:
    """One input that is not the same in all runs; None where a run has none of it."""

    key: str
    values: tuple[Any, ...]


def differing_inputs(runs: Sequence[Described]) -> list[InputRow]:
    """Every input that differs, keys of the site first, in the order of the file.

    Files are compared by content: one of another name with the same content is the same. A list is one value.
    """
    told = [dict(_inputs(run)) for run in runs]
    keys = dict.fromkeys(key for one in told for key in one)
    rows = [InputRow(key, tuple(one.get(key, _ABSENT) for one in told)) for key in keys]
    apart = [row for row in rows if any(value != row.values[0] for value in row.values[1:])]
    named = {row.key for row in apart}
    return [row for row in apart if not _follows(row.key, named)]


def _follows(key: str, named: set[str]) -> bool:
    """Whether a figure of an entry differs because another entry was named: the name says it all."""
    parts = key.split(".")
    return any(
        part in _NAME_OF and any(".".join([*parts[:depth], name]) in named for name in _NAME_OF[part])
        for depth, part in enumerate(parts)
    )


def _inputs(run: Described) -> Iterator[tuple[str, Any]]:
    yield from _leaves(run.site, "")
    for number, one in enumerate(run.meta.get("inputs") or ()):
        what = mapping(one)
        name = PurePath(str(what.get("name", number))).name
        yield f"{what.get('kind', 'input')} {name}", str(what.get("sha256", ""))[:_SHORT_SUM]
    yield "version of aidc", run.meta.get("version")


def _leaves(node: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Dotted keys and values; an empty table is as good as none."""
    if not isinstance(node, Mapping):
        yield path, node
        return
    for key, value in node.items():
        yield from _leaves(value, f"{path}.{key}" if path else str(key))
