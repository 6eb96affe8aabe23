"""Reading a record slice by slice, from memory or from its Parquet file.

A year at 60 s has half a million rows for the site and millions for its pods. Only the columns that a
query names are read, a slice at a time and in the order of the rows, so memory does not grow with the
run and sums come out the same to the last digit every time. (polars' streaming engine maps whole
files and adds in the order in which its threads finish.)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq

__all__ = ["Rows"]

_ROWS = 32_768
_COLUMNS = (
    12  # summed in one pass: a wide record is read in several, which costs little time and much less memory
)


class Rows:
    """A table that is read in slices; `time` comes in UTC and `pod` as text."""

    def __init__(self, source: pl.DataFrame | Path) -> None:
        self._source = source
        names = source.columns if isinstance(source, pl.DataFrame) else pq.read_schema(source).names
        self.columns = frozenset(names)

    def select(self, wanted: Mapping[str, pl.Expr]) -> Iterator[pl.DataFrame]:
        """Expressions over each slice, by name; an empty table gives one empty slice."""
        roots = {"time"}.union(*(value.meta.root_names() for value in wanted.values()))
        columns = [value.alias(name) for name, value in wanted.items()]
        for part in self._read(sorted(roots & self.columns)):
            yield _plain(part).select(columns)

    def frame(self, wanted: Mapping[str, pl.Expr]) -> pl.DataFrame:
        """Expressions over all rows, for those few columns that are needed whole."""
        return pl.concat(list(self.select(wanted)))

    def sums(self, wanted: Mapping[str, pl.Expr]) -> dict[str, float]:
        """Sums of expressions over all rows; what is missing counts as nothing."""
        found = dict.fromkeys(wanted, 0.0)
        names = list(wanted)
        for first in range(0, len(names), _COLUMNS):
            some = {name: wanted[name].cast(pl.Float64) for name in names[first : first + _COLUMNS]}
            for part in self.select(some):
                for name in some:
                    found[name] += float(part[name].fill_null(0.0).to_numpy().sum())
        return found

    def _read(self, names: Sequence[str]) -> Iterator[pl.DataFrame]:
        if isinstance(self._source, pl.DataFrame):
            whole = self._source.select(names)
            yield from whole.iter_slices(_ROWS) if whole.height else [whole]
            return
        with pq.ParquetFile(self._source) as file:
            if file.metadata.num_rows == 0:
                yield pl.DataFrame(file.schema_arrow.empty_table().select(list(names)))
            for groups in _bundles(file):
                batches: Any = file.iter_batches(_ROWS, row_groups=groups, columns=list(names))
                for batch in batches:
                    yield pl.DataFrame(batch)


def _bundles(file: pq.ParquetFile) -> Iterator[list[int]]:
    """Row groups that fill a slice together: pyarrow reads ahead in all that it is given."""
    bundle: list[int] = []
    held = 0
    for group in range(file.num_row_groups):
        bundle.append(group)
        held += file.metadata.row_group(group).num_rows
        if held >= _ROWS:
            yield bundle
            bundle, held = [], 0
    if bundle:
        yield bundle


def _plain(part: pl.DataFrame) -> pl.DataFrame:
    """`time` in UTC and `pod` as text, however they were stored."""
    kind = part.schema.get("time")
    fixed: list[pl.Expr] = []
    if isinstance(kind, pl.Datetime):
        utc = pl.col("time").dt.replace_time_zone("UTC") if kind.time_zone is None else pl.col("time")
        fixed.append(utc.dt.convert_time_zone("UTC").cast(pl.Datetime("us", "UTC")))
    if "pod" in part.columns:
        fixed.append(pl.col("pod").cast(pl.String))
    return part.with_columns(fixed)
