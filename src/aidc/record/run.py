"""A finished run: immutable, columnar, and the only thing that measures and reports look at."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aidc.errors import InputError, Problem
from aidc.files import checksum, read_file

if TYPE_CHECKING:
    import polars as pl

__all__ = ["BOOKS", "CHECKED", "FILES", "Run", "digest_of", "read_run"]

FILES = ("run.json", "site.toml", "series.parquet", "pods.parquet", "events.parquet", "summary.json")
CHECKED = ("series.parquet", "pods.parquet", "events.parquet", "summary.json")
BOOKS = ("books.parquet", "books-pods.parquet")  # where the output step is not that of the books
_LARGEST_BYTES = 1 << 28


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
        read from disk only what a query needs. What is measured comes from the books, one row per minute or
        less, which stand in `books.parquet` and `books-pods.parquet` where the output step is another.
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
            self._read[name] = pl.read_parquet(self.folder / f"{name}.parquet", glob=False)
        return self._read[name]

    def report(self, path: Path | str | None = None) -> Path:
        """Write the run's report and return where it lies.

        Parameters
        ----------
        path
            The HTML file. Default: `report.html` in the folder of the run.

        Raises
        ------
        OutputError
            Something else than a report lies there, or it cannot be written.
        """
        import aidc  # the door: the record itself knows nothing of what is made of it

        target = self.folder / "report.html" if path is None else Path(path)
        aidc.write_report(self, target)
        return target

    def scan_series(self) -> pl.LazyFrame:
        import polars as pl

        return pl.scan_parquet(self.folder / "series.parquet", glob=False)

    def scan_pods(self) -> pl.LazyFrame:
        import polars as pl

        return pl.scan_parquet(self.folder / "pods.parquet", glob=False)


def digest_of(document: Mapping[str, Any]) -> str:
    """SHA-256 of a JSON document, whatever the order of its keys."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def read_run(folder: Path | str) -> Run:
    """Open a run folder, and check that its files are those that the run wrote.

    Raises
    ------
    InputError
        The folder does not exist, is not a run, or a file of it cannot be read or has been changed.
    """
    folder = Path(folder)
    try:
        missing = [name for name in FILES if not (folder / name).is_file()]
    except ValueError:  # a NUL in the name
        missing = list(FILES)
    if missing:
        what = "not a run folder: " + ", ".join(missing) + " missing"
        raise InputError(Problem(what, "Give the folder that `aidc run` named at its end.", folder))
    document, summary = _json(folder / "run.json"), _json(folder / "summary.json")
    parts = [document.get("site"), document.get("meta"), document.get("files"), summary]
    if not all(isinstance(part, dict) and part for part in parts):
        raise InputError(
            Problem("run.json or summary.json is not that of a run", "Run the site again.", folder)
        )
    _verify(folder, document)
    return Run(document["site"], document["meta"], folder, summary)


def _json(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(read_file(path, _LARGEST_BYTES), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise InputError(Problem(f"is damaged: {error}", "Run the site again.", path)) from error
    if not isinstance(document, dict):
        raise InputError(Problem("is not that of a run", "Run the site again.", path))
    return document


def _refuse_constant(name: str) -> float:
    raise ValueError(f"holds {name}")


def _verify(folder: Path, document: dict[str, Any]) -> None:
    """Compare every checksum with what is there."""
    import polars as pl

    stated = {key: value for key, value in document.items() if key != "sha256"}
    try:
        whole = digest_of(stated) == document.get("sha256")
    except (ValueError, RecursionError):
        whole = False
    if not whole:
        raise InputError(
            Problem("was changed after the run", "Run the site again.", folder / "run.json", "sha256")
        )
    for name in (*CHECKED, *(one for one in BOOKS if one in document["files"])):
        path = folder / name
        try:
            if checksum(path) != document["files"].get(name):
                what = "was changed or damaged after the run: its checksum is not that of run.json"
                raise InputError(Problem(what, "Run the site again.", path))
            if path.suffix == ".parquet":
                _ = pl.scan_parquet(path, glob=False).collect_schema()
        except (OSError, pl.exceptions.PolarsError) as error:
            raise InputError(Problem(f"cannot be read: {error}", "Run the site again.", path)) from error
