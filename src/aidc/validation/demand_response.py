"""A measured demand-response event, answered by the twin of its cluster from what was known before it.

Inputs are the names and tiers of the jobs, the cap sweep, times and request of the event, and one scale factor from
the power before it. What the cluster did then, how far it went and how its jobs fared are shown beside the twin's.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from aidc.scenario.series import FloatArray
from aidc.schema.flexibility import SLOWDOWN_FRAC
from aidc.units import DAY_S, HOUR_S, MINUTE_S
from aidc.validation.case import Case, Row
from aidc.validation.cluster_files import Measured, read_power, read_sweeps
from aidc.validation.cluster_twin import ClusterJob
from aidc.validation.demand_events import Asked, fits_record, job_list, published_performance, read_asked
from aidc.validation.demand_play import RAMP_FRAC_PER_MIN, Played, play, policies

__all__ = ["cases", "least_power_w", "minutes_to"]

BoolArray = NDArray[np.bool_]

FOLDER: Final = "emerald_2025"
NAME: Final = "demand-response"
BEFORE_LIMIT_PCT: Final = 3.0
TARGET_LIMIT_PCT: Final = 1.0
TIMES_LIMIT: Final = 2.0
_SETTLED_S: Final = 600.0
_BACK_FRACS: Final = (0.9, 0.95)  # of the power before the event
_NEAR_FRAC: Final = 0.01

_METER: Final = (
    "The accelerators' power is what was measured and asked of, so the controller has it for its meter."
    f" The twin ramps by {100 * RAMP_FRAC_PER_MIN:g} % of the power before the event a minute both ways, the follower's"
    " default limit of snap-back: the event states no ramp. Jobs save in turn, by the defaults; the level that the twin"
    " holds is the median of its minutes, because the dips of saving lie below it."
)
_TIMES: Final = (
    f"To target: until a sample is within {100 * _NEAR_FRAC:g} % of it or below. Back: until a sample is at"
    " 90 or 95 % of the power before the event. Each against its own power before the event. Caps alone"
    f" act within the first sample: that the time to target agrees is owed to the ramp. {_METER}"
)
_GAP: Final = (
    "The twin gives what was asked, by caps, which can be set to the watt. The cluster gave more. Why, this record does"
    " not say; on another day (1 May) it was answered by stopping jobs and starting them smaller, in whole servers, which"
    " overshoots what is asked. The range is that of the tiers with every job at its full slowdown, and no prediction of"
    " what an operator chooses within it."
)
_AFTER: Final = (
    "The cluster came back lower than it was, the twin does not. Nothing that was known before the event tells of it;"
    " jobs that were restarted smaller, or at another point of their work, would explain it."
)
_PERFORMANCE: Final = (
    "Throughput of each job over its throughput without the event, weighted by accelerators. The weights of the"
    " published figure are not stated; the published figures by job, weighted as ours, are in the last row."
    " Over a day or the whole record the same loss is spread over more time."
)


def cases(data_dir: Path) -> Sequence[Case]:
    """What is judged and what is shown of each event in the folder."""
    folder = data_dir / FOLDER
    path = folder / "events.csv"
    if not path.is_file():
        return []
    return [case for asked in read_asked(path) for case in _of_event(folder, asked)]


def _of_event(folder: Path, asked: Asked) -> list[Case]:
    power = read_power(folder / asked.power_file)
    jobs = job_list(folder, asked, read_sweeps(folder))
    reason = fits_record(asked, power) or (jobs if isinstance(jobs, str) else "")
    if reason or isinstance(jobs, str):
        item = f"{len(asked.steps)} steps in {asked.power_file}"
        rows = [Row(item, None, None, reason)]
        return [Case(NAME, _dataset(asked), "not predicted", None, None, "%", rows)]
    measured_w = np.sum(list(power.power_w.values()), axis=0)
    free = play(jobs, asked, power, answers=False)
    played = {policy: play(jobs, asked, power, policy) for policy in policies()}
    first = next(iter(played.values()))
    return [
        *_judged(asked, power, measured_w, first),
        *_shown(asked, power, measured_w, jobs, first),
        _performance(folder, asked, power, jobs, free, played),
    ]


def _dataset(asked: Asked) -> str:
    return f"{FOLDER}, {asked.prefix}"


def _judged(asked: Asked, power: Measured, measured_w: FloatArray, twin: Played) -> list[Case]:
    before = _before(asked, power)
    known_kw, twin_kw = measured_w[before].mean() / 1e3, twin.total_w[before].mean() / 1e3
    levels, means = list[Row](), list[Row]()
    for step in asked.steps:
        held = _within(power, step.start_s + _SETTLED_S, step.end_s)
        if held.any():
            item = f"{100 * step.reduce_frac:g} % less: its target and the twin [kW]"
            target_kw = (1 - step.reduce_frac) * twin_kw
            levels.append(Row(item, target_kw, float(np.median(twin.total_w[held])) / 1e3))
            means.append(Row(item, target_kw, float(twin.total_w[held].mean()) / 1e3))
    times: list[Row] = []
    for what, share in (("to target", None), *((f"back at {100 * one:g} %", one) for one in _BACK_FRACS)):
        took = [minutes_to(asked, power, one, before, share) for one in (measured_w, twin.total_w)]
        times.append(Row(f"{what} [min]", took[0], took[1]))
    factors = [_factor(row) for row in times]
    dataset = _dataset(asked)
    return [
        Case(NAME, dataset, "power before the event, not scaled", 100 * (twin_kw / known_kw - 1), BEFORE_LIMIT_PCT,
             "%", [Row("power before the event [kW]", known_kw, twin_kw)], _METER),
        Case(NAME, dataset, "the twin against its own target, worst step", _worst_pct(levels), TARGET_LIMIT_PCT, "%",
             levels, _METER),
        Case(NAME, dataset, "the same, mean with the dips of checkpoints", _worst_pct(means), None, "%", means, _METER,
             "shown"),
        Case(NAME, dataset, "times to target and back, worst factor", _longest(factors), TIMES_LIMIT, "times", times,
             _TIMES),
    ]  # fmt: skip


def _worst_pct(rows: Sequence[Row]) -> float | None:
    errors = [abs(row.predicted / row.measured - 1) for row in rows if row.predicted and row.measured]
    return 100 * max(errors) if errors else None


def _factor(row: Row) -> float | None:
    """By how much the longer of two times is longer; None where one was never reached."""
    if not row.measured or not row.predicted:
        return None
    return max(row.measured / row.predicted, row.predicted / row.measured)


def _longest(factors: Sequence[float | None]) -> float | None:
    known = [one for one in factors if one is not None]
    return max(known) if len(known) == len(factors) else None


def minutes_to(
    asked: Asked, power: Measured, total_w: FloatArray, before: BoolArray, back_frac: float | None = None
) -> float | None:
    """Minutes until a total power is where the event wants it, at the end of a sample; None if it never is.

    Parameters
    ----------
    asked, power
        The event, and the record whose samples `total_w` [W] belong to.
    before
        Which samples are the power before the event.
    back_frac
        Share of that power at which it counts as back, from the event's end; None: the level of its first step, from
        its begin.
    """
    base_w = total_w[before].mean()
    if back_frac is not None:
        since_s, there = asked.end_s, total_w >= back_frac * base_w
    else:
        since_s = asked.start_s
        there = total_w <= (1 - asked.steps[0].reduce_frac) * base_w * (1 + _NEAR_FRAC)
    reached = np.flatnonzero(there & (power.times_s >= since_s - 1e-6))
    if not reached.size:
        return None
    return float(power.times_s[reached[0]] + power.step_s - since_s) / MINUTE_S


def _shown(
    asked: Asked, power: Measured, measured_w: FloatArray, jobs: Sequence[ClusterJob], twin: Played
) -> list[Case]:
    before = _before(asked, power)
    scale = float(measured_w[before].mean() / twin.total_w[before].mean())
    step = asked.steps[-1]
    held = _within(power, step.start_s + _SETTLED_S, step.end_s)
    after = _within(power, asked.end_s + 2 * _SETTLED_S, power.times_s[-1] + power.step_s)
    plateau_kw, given_kw = measured_w[held].mean() / 1e3, scale * twin.total_w[held].mean() / 1e3
    least_kw, most_kw = scale * least_power_w(jobs) / 1e3, scale * twin.total_w[before].mean() / 1e3
    plateau = [
        Row("plateau [kW]", plateau_kw, given_kw, "as asked"),
        Row("plateau [kW]", plateau_kw, least_kw, "the least within the tiers"),
        Row("plateau [kW]", plateau_kw, most_kw, "without any answer"),
    ]
    found = [
        Case(NAME, _dataset(asked), "plateau, scaled", 100 * (given_kw / plateau_kw - 1), None, "%", plateau, _GAP,
             "shown"),
    ]  # fmt: skip
    if after.any():
        later = [
            Row(
                "after the event [kW]",
                measured_w[after].mean() / 1e3,
                scale * twin.total_w[after].mean() / 1e3,
            )
        ]
        value = (
            100 * (later[0].predicted / later[0].measured - 1)
            if later[0].predicted and later[0].measured
            else None
        )
        found.append(
            Case(NAME, _dataset(asked), "power afterwards, scaled", value, None, "%", later, _AFTER, "shown")
        )
    return found


def least_power_w(jobs: Sequence[ClusterJob]) -> float:
    """Power of all jobs where each is slowed down by caps as far as its tier allows [W]."""
    total = 0.0
    for job in jobs:
        shape = job.sweep.shape
        done = np.array(shape.throughput) / shape.throughput[-1]
        total += job.accelerators * float(np.interp(1 - SLOWDOWN_FRAC[job.tier], done, shape.power_w))
    return total


def _performance(
    folder: Path,
    asked: Asked,
    power: Measured,
    jobs: Sequence[ClusterJob],
    free: Played,
    played: dict[str, Played],
) -> Case:
    """Weighted performance under each policy and over each window."""
    published = published_performance(folder, asked)
    weighted = next((value for name, value in published.items() if name.lower().startswith("weighted")), None)
    size = np.array([job.accelerators for job in jobs], dtype=float)
    inside = np.flatnonzero(_within(power, asked.start_s, asked.end_s))
    event_s = inside.size * power.step_s
    rows: list[Row] = []
    for policy, one in played.items():
        made = one.tokens[:, inside[-1]] - one.tokens[:, inside[0] - 1]
        would = free.tokens[:, inside[-1]] - free.tokens[:, inside[0] - 1]
        lost = 1 - float(size @ (made / would) / size.sum())
        whole = float(size @ (one.tokens[:, -1] / free.tokens[:, -1]) / size.sum())
        name = policy or "the shipped controller"
        hours = f"{event_s / HOUR_S:.3g} h"
        rows += [
            Row(f"{name}, event ({hours})", weighted, 1 - lost),
            Row(f"{name}, day", weighted, 1 - lost * min(event_s / DAY_S, 1.0)),
            Row(f"{name}, whole record", weighted, whole),
        ]
    each = [published.get(job.name) for job in jobs]
    known = [one for one in each if one is not None]
    if len(known) == len(jobs):
        alike = float(size @ np.array(known) / size.sum())
        rows.append(
            Row("published by job, weighted by accelerators", weighted, alike, "no prediction: the same data")
        )
    value = None if weighted is None or not rows[0].predicted else 100 * (rows[0].predicted / weighted - 1)
    return Case(NAME, _dataset(asked), "weighted performance", value, None, "%", rows, _PERFORMANCE, "shown")


def _before(asked: Asked, power: Measured) -> BoolArray:
    """Samples of the hour before the event, or of as much of it as the record has."""
    return _within(power, asked.start_s - HOUR_S, asked.start_s)


def _within(power: Measured, from_s: float, until_s: float) -> BoolArray:
    """Samples that lie whole between two instants."""
    found: BoolArray = (power.times_s >= from_s - 1e-6) & (power.times_s + power.step_s <= until_s + 1e-6)
    return found
