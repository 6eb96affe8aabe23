"""What a run's `summary.json` and Parquet files hold: each figure and column with its unit and meaning."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from aidc.reference.hints import unit_of

__all__ = ["FILE_COLUMNS", "Figure", "columns", "entry_of", "figures", "own_figures", "shared_figures"]

# the list of columns that each Parquet file of a run is told by
FILE_COLUMNS: Mapping[str, str] = {
    "series.parquet": "series", "pods.parquet": "pods", "events.parquet": "events", "books.parquet": "series",
    "books-pods.parquet": "pods",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure or a column: its path, where NAME stands for any name, its unit ("" for none) and its meaning."""

    path: str
    unit: str
    meaning: str


@cache
def _listed() -> Mapping[str, Any]:
    return tomllib.loads(files("aidc.reference").joinpath("figures.toml").read_text("utf-8"))


@cache
def figures() -> tuple[Figure, ...]:
    """Every figure of `summary.json`: the site's own, then those that several tables share."""
    return tuple(_figure(path, meaning) for path, meaning in _paths())


@cache
def columns(table: str) -> tuple[Figure, ...]:
    """Every column of `series`, `pods` or `events`."""
    return tuple(_figure(path, meaning) for path, meaning in _listed()[table].items())


def entry_of(path: Sequence[str], among: Sequence[Figure]) -> Figure | None:
    """The entry of a figure or column; its own path goes before a NAME."""
    exact = [one for one in among if one.path == ".".join(path)]
    return next(
        iter(exact), next((one for one in among if _pattern(one.path).fullmatch("\0".join(path))), None)
    )


def own_figures() -> tuple[Figure, ...]:
    """The figures that stand in one table alone."""
    return tuple(_figure(path, meaning) for path, meaning in _listed()["summary"].items())


def shared_figures() -> Iterator[tuple[Sequence[str], tuple[Figure, ...]]]:
    """The tables that share figures, and these with their path below each of them."""
    for group in _listed()["shared"].values():
        yield group["in"], tuple(_figure(path, meaning) for path, meaning in group.items() if path != "in")


def _paths() -> Iterator[tuple[str, str]]:
    listed = _listed()
    yield from listed["summary"].items()
    for group in listed["shared"].values():
        for place in group["in"]:
            for path, meaning in group.items():
                if path != "in":
                    yield (f"{place}.{path}" if place else path), meaning


@cache
def _pattern(path: str) -> re.Pattern[str]:
    """Segments are held apart by NUL, as names may hold dots (`ac.battery`)."""
    return re.compile("\0".join("[^\0]+" if part == "NAME" else re.escape(part) for part in path.split(".")))


def _figure(path: str, meaning: str) -> Figure:
    return Figure(path, _unit(path), meaning)


def _unit(path: str) -> str:
    """The unit stated for the path or its ending, else that of the nearest part whose name ends in one."""
    stated: Mapping[str, str] = _listed()["units"]
    parts = path.split(".")
    for depth in range(len(parts)):
        if (unit := stated.get(".".join(parts[depth:]))) is not None:
            return unit
    if parts[-1].startswith("tokens_"):
        return "tokens"
    return next((unit for part in reversed(parts) if (unit := unit_of(part))), "")
