"""A run as CSV files that a spreadsheet opens: figures with unit and meaning, series, pods, events."""

from __future__ import annotations

import csv
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import polars as pl

from aidc.errors import OutputError
from aidc.record.writer import refuse_existing, write_failures
from aidc.reference.figures import entry_of, figures

__all__ = ["CSV_FILES", "write_csv"]

CSV_FILES = ("summary.csv", "series.csv", "pods.csv", "events.csv")


class RunLike(Protocol):
    """A run that is written out."""

    @property
    def summary(self) -> Mapping[str, Any]: ...
    @property
    def events(self) -> pl.DataFrame: ...
    def scan_series(self) -> pl.LazyFrame: ...
    def scan_pods(self) -> pl.LazyFrame: ...


def write_csv(run: RunLike, folder: Path) -> None:
    """Write the CSV files of a run into a new folder; it appears whole or not at all.

    Times are UTC in ISO 8601, powers W, temperatures K, as in the Parquet files (docs/reference/columns.md).

    Raises
    ------
    OutputError
        The folder is there already, or cannot be written.
    """
    refuse_existing(folder)
    with write_failures(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f".{folder.name}.partial-", dir=folder.parent))
    try:
        with write_failures(folder):
            _write(run, made)
            made.chmod(0o777 & ~_umask())
            made.rename(folder)
    except pl.exceptions.PolarsError as error:
        raise OutputError(f"{folder}: could not be written: {error}. Choose another --csv.") from error
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _umask() -> int:
    """The process's mask, which can only be read by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _write(run: RunLike, folder: Path) -> None:
    with (folder / "summary.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("figure", "value", "unit", "meaning"))
        rows.writerows(_figures(run.summary))
    run.scan_series().sink_csv(folder / "series.csv", datetime_format=_ISO)
    run.scan_pods().with_columns(pl.col("pod").cast(pl.String)).sink_csv(
        folder / "pods.csv", datetime_format=_ISO
    )
    run.events.write_csv(folder / "events.csv", datetime_format=_ISO)


_ISO = "%Y-%m-%dT%H:%M:%S%.fZ"


def _figures(node: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[str, Any, str, str]]:
    """Every figure with its path; lists of tables (the months of the bill) one by one."""
    for key, value in node.items():
        path = (*above, str(key))
        if isinstance(value, Mapping):
            yield from _figures(value, path)
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            for number, one in enumerate(value):
                yield from _figures(one, (*path, str(number)))
        else:
            entry = entry_of(path, figures())
            shown = " ".join(map(str, value)) if isinstance(value, list) else value
            yield (
                ".".join(path),
                "" if shown is None else shown,
                entry.unit if entry else "",
                entry.meaning if entry else "",
            )
