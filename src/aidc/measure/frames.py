"""A run as measures read it: lazy frames, the length of each output step, and one pass of sums.

A year at 60 s has half a million rows for the site and millions for its pods, so nothing here loads
whole frames: queries run through polars' streaming engine, straight from Parquet where the run has it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Protocol, runtime_checkable

import polars as pl

from aidc.measure.meta import Facts, facts_of

__all__ = ["Frames", "RunLike", "frames_of"]


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


@runtime_checkable
class _Scans(Protocol):
    """A run that can read from disk only what a query needs."""

    def scan_series(self) -> pl.LazyFrame: ...
    def scan_pods(self) -> pl.LazyFrame: ...


class Frames:
    """Lazy access to a run. Columns that it lacks count as zero where they are flows."""

    def __init__(self, series: pl.LazyFrame, pods: pl.LazyFrame, facts: Facts) -> None:
        self.series = _in_utc(series)
        self.pods = _in_utc(pods)
        self.facts = facts
        self.series_columns = frozenset(series.collect_schema().names())
        self.pods_columns = frozenset(pods.collect_schema().names())

    @property
    def dt_s(self) -> pl.Expr:
        """Length of an output step [s]; the last may be cut short by the end of the window."""
        left = (pl.lit(self.facts.end) - pl.col("time")).dt.total_microseconds() / 1e6
        return pl.min_horizontal(pl.lit(self.facts.output_step_s), left)

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
        frame = self.series.select((pl.col(name) * self.dt_s).sum().alias(name) for name in rates)
        return dict(collect(frame).row(0, named=True)) if rates else {}

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
        wanted = [self.flow(name).cast(pl.Float64).alias(name) for name in names]
        return collect(self.series.select("time", self.dt_s.alias("dt_s"), *wanted).sort("time"))

    @cached_property
    def last_time(self) -> Any:
        """Start of the last output step."""
        return collect(self.series.select(pl.col("time").max())).item()


def frames_of(run: RunLike) -> Frames:
    """Lazy frames of a run, from disk where the run can scan itself."""
    series: pl.LazyFrame = run.scan_series() if isinstance(run, _Scans) else run.series.lazy()
    pods: pl.LazyFrame = run.scan_pods() if isinstance(run, _Scans) else run.pods.lazy()
    return Frames(series, pods, facts_of(run.meta))


def collect(frame: pl.LazyFrame) -> pl.DataFrame:
    """Run a query in batches, so that its memory does not grow with the run."""
    return frame.collect(engine="streaming")


def _in_utc(frame: pl.LazyFrame) -> pl.LazyFrame:
    kind = frame.collect_schema().get("time")
    if isinstance(kind, pl.Datetime) and kind.time_zone is None:
        return frame.with_columns(pl.col("time").dt.replace_time_zone("UTC"))
    return frame
