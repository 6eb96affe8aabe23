"""The demand of one service, from any of its sources, as output tokens per second."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path

import numpy as np

from aidc.errors import InputError, Problem
from aidc.scenario.files import path_of
from aidc.scenario.formats import Requests, format_of, reader_of
from aidc.scenario.generate import generate
from aidc.scenario.layouts import Role, column_for, read_layout
from aidc.scenario.regular import Grid, regular, repeated
from aidc.scenario.series import FloatArray, Series
from aidc.scenario.table import Table
from aidc.scenario.timeparse import laid_times
from aidc.scenario.unitnames import Unit, power_unit
from aidc.schema.demand import Constant, Diurnal, PowerReplay, RateSeries, Trace
from aidc.schema.source import Meaning

__all__ = ["Demand", "load_demand", "load_replay"]

_MOST_SAMPLES = 35_000_000  # a year of seconds
_LARGEST_RATE = 1e13  # tokens per second: beyond it a file holds something else
_LARGEST_W = 1e11


@dataclass(frozen=True, slots=True)
class Demand:
    """What a service is asked for.

    `requests` counts those of the whole series, or of one tile of it. Mean lengths are per request.
    """

    output_tokens_per_s: Series
    input_tokens_mean: float
    output_tokens_mean: float
    requests: float
    source: str
    repairs: tuple[str, ...] = ()

    @property
    def requests_per_s(self) -> Series:
        """Arrivals, as far as the mean answer tells."""
        return self.output_tokens_per_s.scaled(1.0 / self.output_tokens_mean)


def load_demand(
    spec: Diurnal | Constant | Trace | RateSeries | PowerReplay,
    *,
    clock_start: datetime,
    days: float,
    timezone: str,
    rng: np.random.Generator,
    base_dir: Path,
) -> Demand:
    """Read or generate the demand for a run.

    Parameters
    ----------
    spec : shape
        From `aidc.schema.demand`.
    clock_start : datetime
        Start of the run; recorded series without `start` begin here.
    days : float
        Length of the run.
    timezone : str
        IANA name, for generated day shapes.
    rng : numpy.random.Generator
        One child is spawned from it, so that services do not disturb each other.
    base_dir : Path
        The site file's folder, for relative paths.

    Raises
    ------
    InputError
        The source is missing or malformed, or is measured power, which has no tokens.
    """
    match spec:
        case Diurnal():
            series = generate(spec, clock_start, days, timezone, rng.spawn(1)[0])
            return _demand(series, spec.input_tokens, spec.output_tokens)
        case Constant():
            values = np.array([spec.output_tokens_per_s])
            series = Series(clock_start, Fraction(3600), values, tiled=True, source="constant demand")
            return _demand(series, spec.input_tokens, spec.output_tokens)
        case Trace():
            end = clock_start + timedelta(days=days)
            return _from_trace(spec, path_of(spec, base_dir), clock_start, end)
        case RateSeries():
            end = clock_start + timedelta(days=days)
            return _from_rates(spec, path_of(spec, base_dir), clock_start, end)
        case PowerReplay():
            raise InputError(
                Problem(
                    "is measured power and has no tokens to serve",
                    "Put it under [replays] with its pods.",
                    key="demand.use",
                    value=spec.use or spec.kind,
                )
            )


def load_replay(
    spec: PowerReplay,
    *,
    pods: Sequence[str],
    clock_start: datetime,
    clock_end: datetime | None = None,
    base_dir: Path,
) -> Mapping[str, Series]:
    """Measured power of each pod [W], times `scale`, for a run up to `clock_end` (default: one second).

    `clock_start` is the start of the run; the file's name is taken relative to `base_dir`, the folder of the site
    file.

    Raises
    ------
    InputError
        The file is missing or malformed, power is negative, or columns and pods do not match.
    """
    table = read_layout(path_of(spec, base_dir), point=spec.point)
    wanted = _replay_columns(spec, table, pods)
    names = sorted({name for chosen in wanted.values() for name in chosen})
    notes: list[str] = []
    factors = {name: _watts(spec, name, notes) for name in names}
    columns = {
        name: table.numbers(name, 0.0, _LARGEST_W / factors[name], empty=True) * factors[name]
        for name in names
    }
    meanings: dict[str, Meaning] = {name: spec.meaning or table.meanings.get(name, "holds") for name in names}
    grid = _grid(spec, table, columns, clock_start, meanings)
    end = clock_end or clock_start + timedelta(seconds=1)
    found: dict[str, Series] = {}
    for pod, chosen in wanted.items():
        total = np.sum([grid.columns[name] for name in chosen], axis=0)
        one = replace(
            grid.series(chosen[0], meanings[chosen[0]]),
            values=total,
            source=f"{table.path}, {', '.join(chosen)}",
            repairs=(*table.notes, *notes, *grid.repairs),
        )
        found[pod] = repeated(one, clock_start, end) if spec.repeat else one
    return found


def _watts(spec: PowerReplay, name: str, notes: list[str]) -> float:
    """What makes watts of a column, `scale` included; a unit in its name counts once."""
    told = power_unit(name)
    unit = Unit(spec.unit, {"W": 1.0, "kW": 1e3, "MW": 1e6, "GW": 1e9}[spec.unit]) if spec.unit else told
    if unit is None or unit.factor == 1.0:
        return spec.scale
    if spec.unit is None and spec.scale == unit.factor:
        note = f"column {name} is in {unit.label} by its name; scale = {spec.scale:g} is taken for that, once"
        notes.append(note)
        return spec.scale
    notes.append(f"column {name} is in {unit.label}")
    return unit.factor * spec.scale


def _demand(series: Series, input_tokens: float, output_tokens: float) -> Demand:
    requests = float(series.values.sum()) * float(series.period_s) / output_tokens
    return Demand(series, input_tokens, output_tokens, requests, series.source, series.repairs)


def _from_trace(spec: Trace, path: Path, clock_start: datetime, clock_end: datetime) -> Demand:
    requests = _checked(path, reader_of(spec.format or format_of(path))(path))
    tokens = _binned(path, requests, spec.resolution_s)
    total = float(requests.output_tokens.sum())
    if total <= 0.0:
        raise InputError(Problem("asks for no output tokens at all", "Give a trace with answers.", path))
    series = Series(
        spec.start or clock_start,
        Fraction(spec.resolution_s),
        tokens / spec.resolution_s,
        "mean",
        tiled=True,
        source=str(path),
        repairs=requests.repairs,
    )
    if not replace(series, tiled=False).covers(clock_start, clock_end):
        lasts = f"lasts {float(series.duration_s):,.0f} s from {series.start:%Y-%m-%d %H:%M:%SZ}; outside it, it is repeated"
        series = replace(series, repairs=(*series.repairs, lasts))
    count = requests.time_s.size
    mean_input = float(requests.input_tokens.sum()) / count
    return _scaled(spec, series, mean_input, total / count, series.peak_mean())


def _checked(path: Path, requests: Requests) -> Requests:
    """A plug-in's reader may give anything."""
    columns = (requests.time_s, requests.input_tokens, requests.output_tokens)
    fine = all(column.ndim == 1 and column.size == requests.time_s.size > 0 for column in columns)
    if (
        not fine
        or not all(np.isfinite(column).all() for column in columns)
        or min(c.min() for c in columns[1:]) < 0
    ):
        raise InputError(
            Problem("has requests without a finite time and token counts from 0", "Correct the file.", path)
        )
    return requests


def _binned(path: Path, requests: Requests, resolution_s: int) -> FloatArray:
    """Output tokens asked for in each interval; the first begins at the first request."""
    since = requests.time_s - requests.time_s.min()
    count = int(since.max() // resolution_s) + 1
    if count > _MOST_SAMPLES:
        raise InputError(
            Problem(
                f"spans {since.max() / 86_400:,.0f} days, {count:,} intervals of {resolution_s} s",
                "Check the first and last time, or raise `resolution_s`.",
                path,
            )
        )
    index = (since // resolution_s).astype(np.int64)
    return np.bincount(index, weights=requests.output_tokens, minlength=count).astype(np.float64)


def _from_rates(spec: RateSeries, path: Path, clock_start: datetime, clock_end: datetime) -> Demand:
    table = read_layout(path)
    columns = {spec.rate_column: table.numbers(spec.rate_column, 0.0, _LARGEST_RATE)}
    meaning = spec.meaning or table.meanings.get(spec.rate_column, "holds")
    grid = _grid(spec, table, columns, clock_start, {spec.rate_column: meaning})
    own = grid.series(spec.rate_column, meaning).scaled(spec.output_tokens)
    if not own.values.any():
        raise InputError(Problem("is zero throughout", "Give a series with arrivals.", path))
    series = repeated(own, clock_start, clock_end)
    return _scaled(spec, series, spec.input_tokens, spec.output_tokens, own.peak_mean())


def _scaled(
    spec: Trace | RateSeries, series: Series, input_tokens: float, output_tokens: float, peak: float
) -> Demand:
    """`peak` is the highest ten-minute mean of the file's own values."""
    factor = spec.scale or 1.0
    if spec.scale_to_peak_output_tokens_per_s is not None:
        factor = spec.scale_to_peak_output_tokens_per_s / peak
    scaled = series.scaled(factor)
    if factor != 1.0:
        scaled = replace(scaled, source=f"{series.source}, times {factor:.6g}")
    return _demand(scaled, input_tokens, output_tokens)


def _grid(
    spec: RateSeries | PowerReplay,
    table: Table,
    columns: Mapping[str, FloatArray],
    clock_start: datetime,
    meanings: Mapping[str, Meaning],
) -> Grid:
    """Rows on a grid laid on `start`, by default the start of the run."""
    column = spec.time_column or column_for(table, Role.TIME, "t_s", "time_column")
    times = laid_times(
        table,
        column,
        spec.start or clock_start,
        clock_start,
        time_unit=spec.time_unit,
        timezone=spec.timezone,
    )
    return regular(table.path, times, columns, longest_gap_s=0.0, meanings=meanings)


def _replay_columns(spec: PowerReplay, table: Table, pods: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Which columns add up to which pod."""
    columns = spec.columns
    if isinstance(columns, dict):
        unknown = sorted(set(columns) ^ set(pods))
        if unknown:
            raise InputError(
                Problem(
                    "names other pods than the replay has",
                    f"Pods: {', '.join(pods)}.",
                    key="columns",
                    value=unknown[0],
                )
            )
        return {pod: (names,) if isinstance(names, str) else tuple(names) for pod, names in columns.items()}
    listed = [columns] if isinstance(columns, str) else columns
    names = listed or [name for name in table.columns if name.endswith("_w")]
    names = names or [name for name in table.columns if power_unit(name) is not None]
    if len(pods) == 1 and names:
        return {pods[0]: tuple(names)}
    if len(names) != len(pods):
        raise InputError(
            Problem(
                f"gives {len(names)} columns for {len(pods)} pods",
                "List one column for each pod, in their order, or write a table from pod to columns.",
                table.path,
                "columns",
                names[:10],
            )
        )
    return {pod: (name,) for pod, name in zip(pods, names, strict=True)}
