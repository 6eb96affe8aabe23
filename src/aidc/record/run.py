"""A finished run: immutable, columnar, and the only thing that measures and reports look at."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aidc.errors import InputError, Problem

if TYPE_CHECKING:
    import polars as pl

__all__ = ["FILES", "Run", "read_run"]

FILES = ("run.json", "site.toml", "series.parquet", "pods.parquet", "events.parquet", "summary.json")


@dataclass(frozen=True)
class Run:
    """What a run recorded.

    Attributes
    ----------
    site
        The resolved site, as plain tables (what was built, with every default filled in).
    meta
        What a reader must know to use the figures: window, seed, workloads, assumptions, repairs.
    series, pods, events
        polars frames, one row per output step (per pod, per event). `scan_series` and `scan_pods`
        read from disk only what a query needs.
    summary
        The figures of `summary.json`; empty until they are measured.
    """

    site: Mapping[str, Any]
    meta: Mapping[str, Any]
    folder: Path
    summary: Mapping[str, Any] = field(default_factory=dict[str, Any])
    _read: dict[str, Any] = field(default_factory=dict[str, Any], repr=False, compare=False)

    @property
    def series(self) -> pl.DataFrame:
        return self._frame("series")

    @property
    def pods(self) -> pl.DataFrame:
        return self._frame("pods")

    @property
    def events(self) -> pl.DataFrame:
        return self._frame("events")

    def _frame(self, name: str) -> pl.DataFrame:
        import polars as pl

        if name not in self._read:
            self._read[name] = pl.read_parquet(self.folder / f"{name}.parquet")
        return self._read[name]

    def scan_series(self) -> pl.LazyFrame:
        import polars as pl

        return pl.scan_parquet(self.folder / "series.parquet")

    def scan_pods(self) -> pl.LazyFrame:
        import polars as pl

        return pl.scan_parquet(self.folder / "pods.parquet")


def read_run(folder: Path | str) -> Run:
    """Open a run folder.

    Raises
    ------
    InputError
        The folder does not exist, is not a run, or a file of it cannot be read.
    """
    import polars as pl

    folder = Path(folder)
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        what = "not a run folder: " + ", ".join(missing) + " missing"
        raise InputError(Problem(what, "Give the folder that `aidc run` named at its end.", folder))
    try:
        document = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
        for name in ("series", "pods", "events"):
            _ = pl.read_parquet_schema(folder / f"{name}.parquet")
    except (OSError, ValueError, pl.exceptions.PolarsError) as error:
        raise InputError(Problem(f"cannot be read: {error}", "Run the site again.", folder)) from error
    parts = (document.get("site"), document.get("meta"), summary) if isinstance(document, dict) else ()
    if not parts or not all(isinstance(part, dict) and part for part in parts):
        raise InputError(
            Problem("run.json or summary.json is not that of a run", "Run the site again.", folder)
        )
    return Run(document["site"], document["meta"], folder, summary)
