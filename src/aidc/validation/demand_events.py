"""What was asked of a measured cluster, and of which jobs: `events.csv` and the job list of each power file."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, Literal, cast

import numpy as np

from aidc.errors import InputError, Problem
from aidc.scenario.table import read_table
from aidc.validation.cluster_files import SWEEP_FILE, Measured, SweepRow, column, instants, workload_of
from aidc.validation.cluster_twin import ClusterJob

__all__ = ["Asked", "Step", "job_list", "published_performance", "ramped", "read_asked"]

_SUFFIX: Final = "_total_power"
_LEAST_BEFORE_S: Final = 600.0
_SEGMENT_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Step:
    """From this instant to that [s since 1970], draw so much less than before the event."""

    start_s: float
    end_s: float
    reduce_frac: float


@dataclass(frozen=True, slots=True)
class Asked:
    """An event of one or more steps, and the record of power that shows it."""

    power_file: str
    steps: tuple[Step, ...]

    @property
    def prefix(self) -> str:
        """What the names of its other files begin with."""
        return Path(self.power_file).stem.removesuffix(_SUFFIX)

    @property
    def start_s(self) -> float:
        return self.steps[0].start_s

    @property
    def end_s(self) -> float:
        return self.steps[-1].end_s


def read_asked(path: Path) -> list[Asked]:
    """The events of a folder, by power file; several rows of one file are the steps of one event.

    Nothing but file, times and request is read: what was observed is no input.

    Raises
    ------
    InputError
        A step ends before it begins, asks for no share, or two steps overlap.
    """
    table = read_table(path)
    files = [cell.strip() for cell in table.text("power_file")]
    starts, ends = instants(table, "start"), instants(table, "end")
    shares = column(table, "requested_reduction_frac", 0.0, 1.0)
    found: dict[str, list[Step]] = {}
    for file, start_s, end_s, share, line in zip(files, starts, ends, shares, table.lines, strict=True):
        if end_s <= start_s or share <= 0.0:
            what = "ends before it begins" if end_s <= start_s else "asks for nothing"
            raise InputError(Problem(what, "Mend or leave out this row.", path, f"line {line}"))
        found.setdefault(file, []).append(Step(float(start_s), float(end_s), float(share)))
    events: list[Asked] = []
    for file, steps in found.items():
        steps.sort(key=lambda step: step.start_s)
        if any(after.start_s < before.end_s for before, after in pairwise(steps)):
            raise InputError(
                Problem("has steps that overlap", "Let one end where the next begins.", path, file)
            )
        events.append(Asked(file, tuple(steps)))
    return events


def fits_record(asked: Asked, power: Measured) -> str:
    """Why a record cannot show an event; empty where it can."""
    first, last = float(power.times_s[0]), float(power.times_s[-1] + power.step_s)
    if asked.start_s - first < _LEAST_BEFORE_S:
        return (
            "the record begins less than 10 min before the event, so that nothing tells what was drawn before"
        )
    if asked.end_s > last:
        return "the record ends before the event does"
    return ""


def job_list(folder: Path, asked: Asked, sweeps: dict[str, SweepRow]) -> list[ClusterJob] | str:
    """The jobs of an event with their tiers, as many accelerators each as its sweep was measured on; or why there are none.

    Raises
    ------
    InputError
        A job has no workload in the sweep, or no tier.
    """
    path = folder / f"{asked.prefix}_exp_performance.csv"
    if not path.is_file():
        return (
            f"there is no job list ({path.name}): the twin needs the names of the jobs, which say their workload,"
            " and their tiers"
        )
    table = read_table(path)
    found: list[ClusterJob] = []
    for name, tier, line in zip(table.text("Model"), table.text("Flexibility"), table.lines, strict=True):
        if name.strip().lower().startswith("weighted"):
            continue
        number = tier.strip().removeprefix("Flex").strip()
        if number not in ("0", "1", "2", "3"):
            raise InputError(Problem("is no tier", "Write Flex 0 to Flex 3.", path, f"line {line}", tier))
        row = workload_of(name.strip(), sweeps, folder / SWEEP_FILE)
        found.append(
            ClusterJob(name.strip(), row, row.accelerators, cast("Literal[0, 1, 2, 3]", int(number)))
        )
    return found


def published_performance(folder: Path, asked: Asked) -> dict[str, float]:
    """Measured performance by job over what it was without an event, to be shown beside the twin's."""
    table = read_table(folder / f"{asked.prefix}_exp_performance.csv")
    values = column(table, "Performance", 0.0, 10.0)
    return {name.strip(): float(value) for name, value in zip(table.text("Model"), values, strict=True)}


def ramped(asked: Asked, end_of_record_s: float, frac_per_min: float) -> list[dict[str, Any]]:
    """The event as requests of a scenario, each level reached by at most so much of the power before it per minute."""
    segments: list[Step] = []
    share = 0.0
    for start_s in np.arange(asked.start_s, end_of_record_s, _SEGMENT_S):
        wanted = next((one.reduce_frac for one in asked.steps if one.start_s <= start_s < one.end_s), 0.0)
        share += min(max(wanted - share, -frac_per_min), frac_per_min)
        if share > 1e-9:
            segments.append(Step(float(start_s), float(start_s) + _SEGMENT_S, share))
    return [_request(one, asked) for one in _merged(segments)]


def _merged(segments: Sequence[Step]) -> list[Step]:
    found: list[Step] = []
    for one in segments:
        last = found[-1] if found else None
        if last is not None and last.end_s == one.start_s and math.isclose(last.reduce_frac, one.reduce_frac):
            found[-1] = Step(last.start_s, one.end_s, last.reduce_frac)
        else:
            found.append(one)
    return found


def _request(one: Step, asked: Asked) -> dict[str, Any]:
    """One level of the ramp, announced when the event begins: a share is of the power before the announcement."""
    return {
        "use": "demand-response",
        "name": f"from {one.start_s - asked.start_s:g} s",
        "start": datetime.fromtimestamp(one.start_s, UTC).isoformat(),
        "notice_min": (one.start_s - asked.start_s) / 60.0,
        "duration_min": (one.end_s - one.start_s) / 60.0,
        "reduce_frac": round(one.reduce_frac, 9),
    }
