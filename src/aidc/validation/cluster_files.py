"""Files of a measured cluster in a grid event: its cap sweep, its jobs, its power by minute, what was asked of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import numpy as np

from aidc.errors import InputError, Problem
from aidc.scenario.series import FloatArray
from aidc.scenario.table import Table, numbers, read_table
from aidc.schema.sweep import SweepShape

__all__ = ["Measured", "SweepRow", "column", "instants", "read_power", "read_sweeps", "workload_of"]

SWEEP_FILE: Final = "dvfs_sweep.csv"
_MOST_W: Final = 1e9


@dataclass(frozen=True, slots=True)
class SweepRow:
    """One workload's sweep, per accelerator, and the accelerators that it was measured on."""

    name: str
    accelerators: int
    shape: SweepShape


@dataclass(frozen=True, slots=True)
class Measured:
    """Power by time: the start of each sample [s since 1970], its length [s], and columns [W]."""

    path: Path
    times_s: FloatArray
    step_s: float
    power_w: Mapping[str, FloatArray]


def read_sweeps(folder: Path) -> dict[str, SweepRow]:
    """The cap sweeps of a folder by workload.

    Raises
    ------
    InputError
        The file cannot be read, or the rows of a workload are no sweep.
    """
    table = read_table(folder / SWEEP_FILE)
    names = [cell.strip() for cell in table.text("Workload")]
    figures = {
        key: column(table, title, 1e-9, _MOST_W)
        for key, title in (
            ("cap_w", "GPU power cap"),
            ("power_w", "power per GPU"),
            ("throughput", "throughput"),
            ("total_w", "total GPU power"),
        )
    }
    found: dict[str, SweepRow] = {}
    for name in dict.fromkeys(names):
        mine = np.flatnonzero([one == name for one in names])
        mine = mine[np.argsort(figures["cap_w"][mine])]
        each = {key: tuple(float(v) for v in values[mine]) for key, values in figures.items()}
        total_w = each.pop("total_w")
        try:
            shape = SweepShape.model_validate(each)
        except ValueError as error:
            raise InputError(
                Problem(f"has rows of {name} that are no sweep: {error}", "Mend these rows.", table.path)
            ) from error
        found[name] = SweepRow(name, round(total_w[-1] / shape.power_w[-1]), shape)
    return found


def workload_of(job: str, sweeps: Mapping[str, SweepRow], where: Path) -> SweepRow:
    """The sweep of a job: that of the longest workload with which its name begins.

    Raises
    ------
    InputError
        No workload of the sweep begins its name.
    """
    fitting = [name for name in sweeps if job == name or job.startswith(f"{name}-")]
    if not fitting:
        raise InputError(
            Problem(
                "is a job whose workload the sweep does not have",
                f"Name it WORKLOAD-ID with one of: {', '.join(sweeps)}.",
                where,
                value=job,
            )
        )
    return sweeps[max(fitting, key=len)]


def read_power(path: Path, ignored: Sequence[str] = ()) -> Measured:
    """A record of power: a column `timestamp`, evenly spaced, and one of watts for each thing that was measured.

    Raises
    ------
    InputError
        It cannot be read, times do not rise evenly, or a value is missing or no power.
    """
    table = read_table(path)
    times = instants(table, "timestamp")
    gaps = np.diff(times)
    if times.size < 2 or (gaps <= 0).any() or np.ptp(gaps) > 1e-6:
        line = table.lines[1 + int(np.argmax(gaps != gaps[0]))] if times.size > 1 else table.lines[0]
        raise InputError(
            Problem("has times that do not rise evenly", "Resample it to even steps.", path, f"line {line}")
        )
    power = {
        name: column(table, name, 0.0, _MOST_W)
        for name in table.columns
        if name != "timestamp" and name not in ignored
    }
    return Measured(path, times, float(gaps[0]), power)


def column(table: Table, name: str, low: float, high: float) -> FloatArray:
    """A column of numbers within bounds.

    `name` is the column's; a value outside `low` to `high` is refused.
    """
    return numbers(table.text(name), table.lines, table.path, name, low, high)


def instants(table: Table, name: str) -> FloatArray:
    """A column of times with their offset, as seconds since 1970.

    Raises
    ------
    InputError
        A cell is no time, or does not say its offset from UTC.
    """
    found: list[float] = []
    for cell, line in zip(table.text(name), table.lines, strict=True):
        try:
            when = datetime.fromisoformat(cell.strip())
        except ValueError:
            when = None
        if when is None or when.tzinfo is None:
            raise InputError(
                Problem(
                    "is no time with its offset from UTC",
                    "Write it as 2025-05-01T16:10:00-07:00.",
                    table.path,
                    f"{name}, line {line}",
                    cell,
                )
            )
        found.append(when.timestamp())
    return np.array(found)
