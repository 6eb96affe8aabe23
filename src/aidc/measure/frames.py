"""A run as measures read it: its books, the length of each of their rows, and sums of its rates.

What is measured does not depend on what is written out: a run whose output step is not that of its books keeps both.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import polars as pl

from aidc.measure.meta import Facts, facts_of
from aidc.measure.rows import Rows

__all__ = ["Frames", "RunLike", "frames_of"]

_FILES = ("series.parquet", "pods.parquet")
_BOOKS = ("books.parquet", "books-pods.parquet")


class RunLike(Protocol):
    """The parts of a run that a measure may read."""

    @property
    def site(self) -> Any: ...
    @property
    def meta(self) -> Mapping[str, Any]: ...
    @property
    def series(self) -> pl.DataFrame: ...
    @property
    def pods(self) -> pl.DataFrame: ...
    @property
    def events(self) -> pl.DataFrame: ...


class Frames:
    """Access to a run: its books, and the rows that it wrote out. Columns that it lacks count as zero where they are flows.

    Parameters
    ----------
    series, pods
        The books: one row every `row_s` seconds, for the site and for each pod.
    facts
        The meta data.
    row_s
        Length of a row of the books [s].
    output
        The site's rows every output step, which only figures of the output step itself read; default: the books.
    """

    def __init__(
        self, series: Rows, pods: Rows, facts: Facts, row_s: float | None = None, output: Rows | None = None
    ) -> None:
        self.series = series
        self.pods = pods
        self.facts = facts
        self.row_s = facts.output_step_s if row_s is None else row_s
        self.output = output or series
        self.series_columns = series.columns
        self.pods_columns = pods.columns

    @property
    def dt_s(self) -> pl.Expr:
        """Length of a row [s]; the last may be cut short by the end of the window."""
        left = (pl.lit(self.facts.end) - pl.col("time")).dt.total_microseconds() / 1e6
        return pl.min_horizontal(pl.lit(self.row_s), left)

    def flow(self, name: str) -> pl.Expr:
        """A column of the series, 0 where it is absent."""
        return pl.col(name) if name in self.series_columns else pl.lit(0.0)

    def pod_flow(self, name: str) -> pl.Expr:
        """A column of the pods, 0 where it is absent."""
        return pl.col(name) if name in self.pods_columns else pl.lit(0.0)

    @cached_property
    def amounts(self) -> dict[str, float]:
        """∫ of every rate of the series over the window, by column: J for `_w`, kg for `_kg_s`."""
        rates = sorted(name for name in self.series_columns if name.endswith(("_w", "_kg_s")))
        return self.series.sums({name: pl.col(name) * self.dt_s for name in rates})

    @cached_property
    def pod_amounts(self) -> dict[str, float]:
        """Tokens by their fate and IT energy [J], over all pods and the window."""
        last = pl.col("time") == self.last_time
        return self.pods.sums(
            {
                "arrived": self.pod_flow("tokens_arrived"),
                "output": self.pod_flow("tokens_output"),
                "dropped": self.pod_flow("tokens_dropped"),
                "queued": self.pod_flow("queue_tokens") * last,
                "it_j": self.pod_flow("it_w") * self.dt_s,
            }
        )

    def amount(self, name: str) -> float:
        """∫ of one column over the window; 0 where it is absent."""
        return float(self.amounts.get(name) or 0.0)

    def between(self, prefix: str, suffix: str) -> dict[str, str]:
        """Columns with a prefix and a suffix, by what stands between them."""
        return {
            name[len(prefix) : -len(suffix)]: name
            for name in sorted(self.series_columns)
            if name.startswith(prefix) and name.endswith(suffix) and len(name) > len(prefix) + len(suffix)
        }

    def columns(self, names: Sequence[str]) -> pl.DataFrame:
        """Some columns of the series, in time order, with `time` and `dt_s`."""
        wanted = {name: self.flow(name).cast(pl.Float64) for name in names}
        frame = self.series.frame({"time": pl.col("time"), "dt_s": self.dt_s, **wanted})
        return frame if frame["time"].is_sorted() else frame.sort("time")

    def written(self, names: Sequence[str]) -> pl.DataFrame:
        """Some columns of the rows that were written out, in time order."""
        wanted = {name: self.flow(name).cast(pl.Float64) for name in names}
        return self.output.frame({"time": pl.col("time"), **wanted}).sort("time")

    def in_time(self, wanted: Mapping[str, pl.Expr]) -> Iterator[pl.DataFrame]:
        """Expressions over the series in order of time, slice by slice where the record is in that order."""
        if self.series.frame({"time": pl.col("time")})["time"].is_sorted():
            yield from self.series.select(wanted)
        else:
            yield self.series.frame({"time": pl.col("time"), **wanted}).sort("time")

    @cached_property
    def last_time(self) -> Any:
        """Start of the last row."""
        return self.series.frame({"time": pl.col("time")})["time"].max()


def frames_of(run: RunLike) -> Frames:
    """The books of a run and its rows: from its folder where it has one, else from its frames."""
    facts = facts_of(run.meta)
    folder = getattr(run, "folder", None)
    if not isinstance(folder, Path) or not all((folder / name).is_file() for name in _FILES):
        return Frames(Rows(run.series), Rows(run.pods), facts)
    series, pods = (Rows(folder / name) for name in _FILES)
    if not (folder / _BOOKS[0]).is_file():
        return Frames(series, pods, facts)
    books, of_pods = (Rows(folder / name) for name in _BOOKS)
    return Frames(books, of_pods, facts, facts.books_step_s, series)
