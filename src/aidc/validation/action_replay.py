"""A measured grid event replayed: jobs stop and start as they did, at the widths that they had, by sweeps alone.

`PREFIX_actions.csv` says when each job was stopped and started and on how many accelerators, `PREFIX_job_power.csv`
what each drew. Start-up and checkpoints are the model's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from aidc.contract import Command, Knob
from aidc.errors import InputError, Problem
from aidc.scenario.series import FloatArray
from aidc.scenario.table import read_table
from aidc.simulate import Twin
from aidc.simulate.compiling.compile import compile_site
from aidc.simulate.energy.fields import PodNow
from aidc.validation.case import Case, Row
from aidc.validation.cluster_files import (
    SWEEP_FILE,
    Measured,
    column,
    instants,
    read_power,
    read_sweeps,
    workload_of,
)
from aidc.validation.cluster_twin import LEAD_S, TDP_W, ClusterJob, cluster_site

__all__ = ["Action", "cases", "read_actions", "replayed_w"]

FOLDER: Final = "emerald_2025"
NAME: Final = "action-replay"
STEADY_LIMIT_PCT: Final = 5.0
TOTAL_LIMIT_PCT: Final = 4.7
STARTED_S: Final = 900.0  # after a start a job counts as steady
_FEWEST: Final = 10  # samples that make a stretch
_ACTIONS: Final = ("running", "start", "stop")
_NOTE: Final = (
    "Widths were read off the measured power, so that these rows share its scale with what they are held against;"
    " power at a width comes from the cap sweep alone. The times of the start-up are the defaults of elastic jobs,"
    " which were set with this record in view."
)


@dataclass(frozen=True, slots=True)
class Action:
    """A job holds this many accelerators from this instant on [s since 1970]."""

    time_s: float
    job: str
    accelerators: int


def cases(data_dir: Path) -> Sequence[Case]:
    """Two figures for each record of actions in the folder."""
    folder = data_dir / FOLDER
    return [case for path in sorted(folder.glob("*_actions.csv")) for case in _of_record(path)]


def _of_record(path: Path) -> list[Case]:
    actions = read_actions(path)
    prefix = path.name.removesuffix("_actions.csv")
    power = read_power(path.with_name(f"{prefix}_job_power.csv"), ("total_w",))
    names = list(dict.fromkeys(action.job for action in actions))
    _check_names(names, power)
    predicted = replayed_w(actions, power)
    rows = _steady_rows(actions, power, predicted)
    measured = np.array([power.power_w[f"{name}_w"] for name in names])
    off = predicted.sum(axis=0) - measured.sum(axis=0)
    mean_w = float(measured.sum(axis=0).mean())
    rmse_pct = 100.0 * float(np.sqrt(np.mean(off**2))) / mean_w
    errors = [abs(row.predicted / row.measured - 1.0) for row in rows if row.predicted and row.measured]
    worst = 100.0 * max(errors) if errors else None
    dataset = f"{FOLDER}, {prefix}"
    whole = [
        Row("mean of all jobs, whole record [kW]", mean_w / 1e3, float(predicted.sum(axis=0).mean()) / 1e3),
    ]
    return [
        Case(NAME, dataset, "power of each job in steady stretches, worst", worst, STEADY_LIMIT_PCT, "%", rows, _NOTE),
        Case(NAME, dataset, "power of all jobs, RMSE over mean", rmse_pct, TOTAL_LIMIT_PCT, "%", whole, _NOTE),
    ]  # fmt: skip


def read_actions(path: Path) -> list[Action]:
    """What each job did, in order of time.

    Raises
    ------
    InputError
        A row has no time, an unknown action, or a width that is no whole number of accelerators.
    """
    table = read_table(path)
    times = instants(table, "timestamp")
    widths = column(table, "gpus", 0, 1e6)
    found: list[Action] = []
    rows = zip(times, table.text("job"), table.text("action"), widths, table.lines, strict=True)
    for time_s, job, action, width, line in rows:
        if (
            action.strip() not in _ACTIONS
            or width != round(width)
            or (action.strip() == "stop") != (width == 0)
        ):
            raise InputError(
                Problem(
                    "is no action of a job",
                    f"Use {', '.join(_ACTIONS)}, with a whole number of accelerators, 0 for a stop alone.",
                    path,
                    f"line {line}",
                    f"{action}, {width:g}",
                )
            )
        found.append(Action(float(time_s), job.strip(), round(width)))
    return sorted(found, key=lambda one: one.time_s)


def replayed_w(actions: Sequence[Action], power: Measured) -> FloatArray:
    """Power of each job in each sample of a record [W], (n_job, n_sample), jobs in the order of their first action."""
    folder = power.path.parent
    sweeps = read_sweeps(folder)
    names = list(dict.fromkeys(action.job for action in actions))
    jobs = [
        ClusterJob(
            name,
            workload_of(name, sweeps, folder / SWEEP_FILE),
            max(action.accelerators for action in actions if action.job == name),
        )
        for name in names
    ]
    first, last = float(power.times_s[0]), float(power.times_s[-1] + power.step_s)
    twin = Twin(compile_site(cluster_site(jobs, first, last - first)))
    at_first = {one.job: one.accelerators for one in reversed(actions) if one.time_s <= first}
    width = np.array([float(at_first.get(name, 0)) for name in names])
    twin.apply([Command(Knob.JOB_WIDTH, width.copy(), 2 * LEAD_S, "")])
    twin.advance(round(LEAD_S))
    found: list[FloatArray] = []
    waiting = list(actions)
    for time_s in power.times_s:
        due = [one for one in waiting if one.time_s <= time_s + 0.5 * power.step_s]
        waiting = waiting[len(due) :]
        for action in due:
            width[names.index(action.job)] = action.accelerators
        twin.apply([Command(Knob.JOB_WIDTH, width.copy(), 2 * power.step_s, "")])
        block = twin.advance(round(power.step_s))
        share = block.steps / block.steps.sum()
        found.append(share @ block.records.pod[:, PodNow.ACCELERATOR_W])
    return np.array(found).T


def _steady_rows(actions: Sequence[Action], power: Measured, predicted: FloatArray) -> list[Row]:
    """Mean power of each job over each stretch in which its width is one and the start lies behind."""
    rows: list[Row] = []
    end_s = float(power.times_s[-1] + power.step_s)
    for number, name in enumerate(dict.fromkeys(action.job for action in actions)):
        mine = [one for one in actions if one.job == name]
        for place, action in enumerate(mine):
            until_s = mine[place + 1].time_s if place + 1 < len(mine) else end_s
            begun = place == 0 and action.time_s <= power.times_s[0]
            from_s = action.time_s + (0.0 if begun else STARTED_S)
            inside = (power.times_s >= from_s) & (power.times_s + power.step_s <= until_s)
            if action.accelerators == 0 or inside.sum() < _FEWEST:
                continue
            item = (
                f"{name}, {action.accelerators} accelerators, {inside.sum() * power.step_s / 60:.0f} min [kW]"
            )
            rows.append(
                Row(
                    item,
                    float(power.power_w[f"{name}_w"][inside].mean()) / 1e3,
                    float(predicted[number, inside].mean()) / 1e3,
                    inputs={"sweep": f"of {TDP_W:g} W accelerators", "accelerators": action.accelerators},
                )
            )
    return rows


def _check_names(names: Sequence[str], power: Measured) -> None:
    """The power of every job that acts must be there, and nobody else's."""
    missing = [name for name in names if f"{name}_w" not in power.power_w]
    surplus = [name for name in power.power_w if name.removesuffix("_w") not in names]
    if missing or surplus:
        what = (
            f"has no column {missing[0]}_w"
            if missing
            else f"has power of a job without an action: {surplus[0]}"
        )
        raise InputError(Problem(what, "Give both files the same jobs.", power.path))
