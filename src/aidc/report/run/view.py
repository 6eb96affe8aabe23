"""A run as the report reads it: one column at a time, in human units; what the run lacks comes as None.

Sums come from the summary, so that no figure of the report is calculated twice; columns are drawn only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, Protocol, runtime_checkable

import numpy as np
import polars as pl
from numpy.typing import NDArray

from aidc.measure.meta import Workload, facts_of, mapping
from aidc.report.tree import pick
from aidc.units import HOUR_S, KELVIN_AT_0C

__all__ = ["PODS_DRAWN", "RunLike", "View", "conditions", "slo_text"]

FloatArray = NDArray[np.float64]
PODS_DRAWN = 24
_COLUMNS_KEPT = 4  # of the pods; a year of one is 34 MB


class RunLike(Protocol):
    """The parts of a Run that a report shows."""

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
    @property
    def summary(self) -> Mapping[str, Any]: ...


@runtime_checkable
class _Scans(Protocol):
    """A run that can read from disk only what is asked for."""

    def scan_series(self) -> pl.LazyFrame: ...
    def scan_pods(self) -> pl.LazyFrame: ...


class View:
    """Read access to a run."""

    def __init__(self, run: RunLike) -> None:
        self.meta = run.meta
        self.summary = run.summary
        self.events = run.events
        self.site: Mapping[str, Any] = _as_mapping(run.site)
        self.facts = facts_of(run.meta)
        self._series = run.scan_series() if isinstance(run, _Scans) else run.series.lazy()
        self._pods = run.scan_pods() if isinstance(run, _Scans) else run.pods.lazy()
        self._series_columns = self._series.collect_schema().names()
        self._pods_columns = self._pods.collect_schema().names()
        self._kept: dict[str, FloatArray] = {}

    @cached_property
    def time_ms(self) -> FloatArray:
        """Start of each output step, in milliseconds since 1970 (what plotly takes as a date)."""
        if "time" not in self._series_columns:
            return np.empty(0)
        return _collected(self._series, pl.col("time").dt.epoch("ms"))

    @cached_property
    def dt_s(self) -> FloatArray:
        """Length of each output step; the last one may be cut short by the end of the window."""
        left_s = self.facts.end.timestamp() - self.time_ms / 1e3
        return np.minimum(self.facts.output_step_s, np.where(left_s > 0, left_s, np.inf))

    def column(self, name: str) -> FloatArray | None:
        """A series column as it is recorded."""
        return _collected(self._series, name) if name in self._series_columns else None

    def mw(self, name: str) -> FloatArray | None:
        """A series column of watts in megawatts."""
        values = self.column(name)
        return None if values is None else values / 1e6

    def celsius(self, name: str) -> FloatArray | None:
        """A series column of kelvin in degrees Celsius."""
        values = self.column(name)
        return None if values is None else values - KELVIN_AT_0C

    def hourly_m3(self, name: str) -> FloatArray | None:
        """A series column of kilograms of water per second in cubic metres per hour."""
        values = self.column(name)
        return None if values is None else values * HOUR_S / 1e3

    def _between(self, prefix: str, suffix: str) -> list[str]:
        """What stands between a prefix and a suffix in the column names, in their order."""
        return [
            name[len(prefix) : -len(suffix)]
            for name in self._series_columns
            if name.startswith(prefix) and name.endswith(suffix) and len(name) > len(prefix) + len(suffix)
        ]

    @cached_property
    def plants(self) -> list[str]:
        """Cooling plants that recorded a temperature or heat."""
        return self._between("cooling.", ".supply_k") or self._between("cooling.", ".heat_w")

    @cached_property
    def storages(self) -> list[str]:
        return self._between("storage.", ".power_w")

    @cached_property
    def _pod_rows(self) -> dict[str, NDArray[np.int64]]:
        if "pod" not in self._pods_columns:
            return {}
        names = self._pods.select(pl.col("pod").cast(pl.String)).collect().to_series()
        order = names.unique(maintain_order=True).sort()
        codes = names.cast(pl.Enum(order)).to_physical().to_numpy()
        return {name: np.flatnonzero(codes == code) for code, name in enumerate(order.to_list())}

    @cached_property
    def pod_names(self) -> list[str]:
        """Pods in the order of the site file, then any that it does not know."""
        known = [name for name in mapping(self.site.get("pods")) if name in self._pod_rows]
        return list(dict.fromkeys([*known, *self._pod_rows]))

    @cached_property
    def drawn_pods(self) -> list[str]:
        """The pods that a chart of all pods shows: no more than eyes can tell apart, the largest ones."""
        if len(self.pod_names) <= PODS_DRAWN:
            return self.pod_names
        power = {
            name: 0.0 if (it := self.pod(name, "it_w")) is None else float(it.sum())
            for name in self.pod_names
        }
        largest = sorted(self.pod_names, key=lambda name: -power[name])[:PODS_DRAWN]
        return [name for name in self.pod_names if name in largest]

    @property
    def drawn_note(self) -> str:
        """What a chart of all pods leaves out, in words."""
        left = len(self.pod_names) - len(self.drawn_pods)
        return f"The {PODS_DRAWN} largest pods; {left} more are in pods.parquet." if left else ""

    def pod(self, name: str, column: str) -> FloatArray | None:
        """One pod's column in time order; None where it does not cover the run."""
        rows = self._pod_rows.get(name)
        if rows is None or rows.size != self.time_ms.size or column not in self._pods_columns:
            return None
        if column not in self._kept:
            if len(self._kept) >= _COLUMNS_KEPT:
                self._kept.pop(next(iter(self._kept)))
            self._kept[column] = _collected(self._pods, column)
        return self._kept[column][rows]

    def pod_sum(self, names: Iterable[str], column: str) -> FloatArray | None:
        """A column summed over pods; None where no pod has it."""
        found = [values for name in names if (values := self.pod(name, column)) is not None]
        return np.sum([np.nan_to_num(values) for values in found], axis=0) if found else None

    def pod_fact(self, pod: str, key: str) -> Any:
        """A fact about a pod from `meta.pods`."""
        return pick(mapping(self.meta.get("pods")).get(pod), key)

    def told(self, group: str, name: str) -> Mapping[str, Any]:
        """What the summary says of one member of a group."""
        return mapping(mapping(self.summary.get(group)).get(name))


def conditions(load: Workload) -> str:
    """Model, precision, engine, accelerator and service level in one line."""
    what = " ".join(part for part in (load.model, load.precision) if part)
    on = f"on {load.accelerator}" if load.accelerator else ""
    return ", ".join(part for part in (f"{what} {on}".strip(), load.engine, slo_text(load)) if part)


def slo_text(load: Workload) -> str:
    """The service level in words; empty where there is none."""
    parts: list[str] = []
    if load.ttft_p99_s is not None:
        parts.append(f"TTFT p99 ≤ {load.ttft_p99_s:g} s")
    if load.itl_p99_s is not None:
        parts.append(f"ITL p99 ≤ {1e3 * load.itl_p99_s:g} ms")
    return ", ".join(parts)


def _as_mapping(site: Any) -> Mapping[str, Any]:
    dump = getattr(site, "model_dump", None)
    return mapping(dump(mode="json") if callable(dump) else site)


def _collected(frame: pl.LazyFrame, column: str | pl.Expr) -> FloatArray:
    expression = pl.col(column) if isinstance(column, str) else column
    return frame.select(expression.cast(pl.Float64)).collect().to_series().to_numpy()
