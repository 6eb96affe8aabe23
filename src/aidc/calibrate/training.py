"""Fit training power: `python -m aidc.calibrate.training DATA_DIR`.

Reads node power of training runs (a time column `t_s`, then one column of W for each node, or `ac_W` and
`dc_W` of one node) and, where there is one, the run's `*_events.csv`. Prints the levels of
`catalogue/training/*.toml` with the rows they came from and the error of each workload left out.
"""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from aidc.errors import InputError, Problem
from aidc.plant.training import (
    NEVER,
    TrainingClock,
    TrainingLevels,
    phase_shares,
    schedule,
    training_power_frac,
)

__all__ = [
    "FOLDER",
    "Cycle",
    "NodeRun",
    "Series",
    "Waveform",
    "fit_waveform",
    "levels_by_workload",
    "main",
    "power_files",
    "read_cycles",
    "read_node_runs",
    "read_series",
    "running_window",
    "simulate",
]

Array = NDArray[np.float64]

FOLDER: Final = "mlperf_training_power"
LEAST_SAMPLES: Final = 8
MOST_ITERATIONS: Final = 2000  # of a block; more would be below what the fit can tell apart
FINE: Final = 8  # simulated steps in a sample of the meter
SHARES: Final = np.arange(0.05, 0.61, 0.05)
OFFSETS: Final = np.arange(0.0, 1.0, 0.05)


@dataclass(frozen=True, slots=True)
class Series:
    """Total power of a run at one meter: ascending times (s) and W, and how many nodes it covers."""

    times_s: Array
    power_w: Array
    nodes: int

    @property
    def step_s(self) -> float:
        return float(np.median(np.diff(self.times_s)))


@dataclass(frozen=True, slots=True)
class Cycle:
    """Training from `start_s`, evaluation from `evaluation_s` to `stop_s`."""

    start_s: float
    evaluation_s: float
    stop_s: float


@dataclass(frozen=True, slots=True)
class NodeRun:
    """A run without events: what its file name says, and its power at one meter (or why there is none)."""

    file: str
    workload: str
    accelerator: str
    nodes: int
    meter: str
    series: Series | None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Waveform:
    """A schedule in steps of `clock.step_s` from the start of a cycle, and its levels in W."""

    clock: TrainingClock
    levels_w: TrainingLevels
    iterations: int


def read_series(path: Path) -> dict[str, Series]:
    """Power by meter (`ac`, `dc`), nodes summed; gaps of a node are filled from its own neighbours in time.

    Rows are sorted by time and repeated times keep their first row. Raises ValueError if nothing is left.
    """
    with path.open(newline="", encoding="utf-8") as stream:
        lines = csv.reader(stream)
        header = next(lines, [])
        table = np.array([[_number(cell) for cell in line] for line in lines if len(line) == len(header)])
    if table.ndim != 2 or table.shape[0] < LEAST_SAMPLES or table.shape[1] < 2:
        raise ValueError(f"fewer than {LEAST_SAMPLES} complete rows")
    table = table[np.isfinite(table[:, 0])]
    _, first = np.unique(table[:, 0], return_index=True)
    times_s, values = table[first, 0], table[first, 1:]
    if times_s.size < LEAST_SAMPLES:
        raise ValueError(f"fewer than {LEAST_SAMPLES} distinct times")
    return {
        meter: Series(
            times_s, np.sum([_filled(times_s, values[:, k]) for k in columns], axis=0), len(columns)
        )
        for meter, columns in _meters(path, header[1:]).items()
    }


def _meters(path: Path, columns: Sequence[str]) -> dict[str, list[int]]:
    nodes = [k for k, name in enumerate(columns) if re.fullmatch(r"node_.+_W", name)]
    if nodes:
        dc = path.stem.endswith("_dc") and not path.stem.endswith("_ac_dc")
        return {"dc" if dc else "ac": nodes}
    meters = {name[:2].lower(): [k] for k, name in enumerate(columns) if name.lower() in ("ac_w", "dc_w")}
    if not meters:
        raise ValueError("no column node_*_W, ac_W or dc_W")
    return meters


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return float("nan")


def _filled(times_s: Array, power_w: Array) -> Array:
    known = np.isfinite(power_w) & (power_w >= 0)
    if 2 * known.sum() < power_w.size:
        raise ValueError("more than half of a power column is missing")
    return np.interp(times_s, times_s[known], power_w[known])


def read_cycles(path: Path) -> tuple[list[Cycle], float | None]:
    """The train-and-evaluate cycles of an events file, and the time of `run_stop` if it is there."""
    cycles: list[Cycle] = []
    start: float | None = None
    evaluation: float | None = None
    stop: float | None = None
    with path.open(newline="", encoding="utf-8") as stream:
        marks = [(_number(row.get("t_s") or ""), row.get("event")) for row in csv.DictReader(stream)]
    marks = [mark for mark in marks if np.isfinite(mark[0])]
    for time_s, event in sorted(marks, key=lambda mark: mark[0]):
        if event == "block_start" or (event == "run_start" and start is None):
            start = time_s
        elif event == "eval_start":
            evaluation = time_s
        elif event == "eval_stop" and start is not None and evaluation is not None:
            if start < evaluation < time_s:
                cycles.append(Cycle(start, evaluation, time_s))
            start, evaluation = time_s, None
        elif event == "run_stop":
            stop = time_s
    return cycles, stop


def fit_waveform(series: Series, cycles: Sequence[Cycle]) -> Waveform:
    """Levels and timing from the samples inside these cycles alone.

    A training block is taken as a whole number of iterations: the number whose first two harmonics fit the
    block best. Levels are medians over cycles of the mean in the block and in the evaluation, so that
    a slow start of the first block does not count.
    """
    if not cycles:
        raise ValueError("no cycle of training and evaluation")
    period_s = float(np.mean([cycle.stop_s - cycle.start_s for cycle in cycles]))
    evaluation_s = float(np.mean([cycle.stop_s - cycle.evaluation_s for cycle in cycles]))
    block_s = period_s - evaluation_s
    times, power = series.times_s, series.power_w
    blocks = [(times >= cycle.start_s) & (times < cycle.evaluation_s) for cycle in cycles]
    pauses = [(times >= cycle.evaluation_s) & (times < cycle.stop_s) for cycle in cycles]
    trained = [power[mask].mean() for mask in blocks if mask.any()]
    evaluated = [power[mask].mean() for mask in pauses if mask.any()]
    if not trained or not evaluated:
        raise ValueError("no power samples in the training or the evaluation of the first cycles")
    level_w, pause_w = float(np.median(trained)), float(np.median(evaluated))
    since = np.concatenate([times[m] - c.start_s for m, c in zip(blocks, cycles, strict=True)])
    ripple = np.concatenate([power[m] - power[m].mean() for m in blocks if m.any()])
    iterations = _iterations(since, ripple, block_s, series.step_s)
    iteration_s = block_s / iterations if iterations else block_s
    share, offset, swing_w = (
        _square(since, ripple, iteration_s, series.step_s) if iterations else (0.0, 0.0, 0.0)
    )
    iteration = (iteration_s, share * iteration_s, offset * iteration_s)
    clock = schedule(0, NEVER, 0, series.step_s / FINE, iteration, (period_s, evaluation_s))
    high_w = level_w + share * swing_w
    return Waveform(
        clock, TrainingLevels(high_w, high_w - swing_w, pause_w, pause_w, pause_w, pause_w), iterations
    )


def _iterations(since_s: Array, ripple_w: Array, block_s: float, step_s: float) -> int:
    """Iterations in a block, or 0 where the meter is too slow or the block too short to tell."""
    best, count = 0.0, 0
    for candidate in range(2, min(int(block_s / (2 * step_s)), MOST_ITERATIONS) + 1):
        angle = 2 * np.pi * since_s * candidate / block_s
        waves = np.column_stack([np.cos(angle), np.sin(angle), np.cos(2 * angle), np.sin(2 * angle)])
        weights = np.linalg.lstsq(waves, ripple_w, rcond=None)[0]
        explained = float(np.var(waves @ weights))
        if explained > best:
            best, count = explained, candidate
    return count


def _square(since_s: Array, ripple_w: Array, iteration_s: float, step_s: float) -> tuple[float, float, float]:
    """Low share, phase and depth (W) of the two-level wave, averaged over a sample, that fits best."""
    best = (float("inf"), 0.0, 0.0, 0.0)
    for share in SHARES:
        for offset in OFFSETS:
            start = since_s / iteration_s + offset
            low = _tail(start + step_s / iteration_s, share) - _tail(start, share)
            low = low * iteration_s / step_s - share
            depth = -float(low @ ripple_w) / max(float(low @ low), 1e-12)
            misfit = float(np.square(ripple_w + depth * low).sum())
            if depth > 0 and misfit < best[0]:
                best = (misfit, float(share), float(offset), depth)
    return best[1:]


def _tail(turns: Array, share: float) -> Array:
    whole = np.floor(turns)
    return whole * share + np.maximum(0.0, turns - whole - (1 - share))


def simulate(waveform: Waveform, times_s: Array, origin_s: float, step_s: float) -> Array:
    """Power (W) at the meter's sample times, by the training model from a cycle that starts at `origin_s`.

    Each sample is the mean over `step_s` from its time in `times_s` on [s].
    """
    power_w = np.empty(times_s.size)
    for k, time_s in enumerate(times_s):
        first = round((time_s - origin_s) / step_s * FINE)
        total = 0.0
        for tick in range(first, first + FINE):
            total += training_power_frac(*phase_shares(tick, 0, waveform.clock), waveform.levels_w)
        power_w[k] = total / FINE
    return power_w


def running_window(series: Series) -> NDArray[np.bool_]:
    """Samples between the first and the last above half of the way from least to most (5 and 95 %).

    The job's own log would say when it runs; these files have none. A run that never idles is all of it.
    """
    low, high = np.quantile(series.power_w, [0.02, 0.95])
    above = np.flatnonzero(series.power_w >= (low + high) / 2)
    mask = np.zeros(series.power_w.size, dtype=bool)
    mask[above[0] : above[-1] + 1] = True
    return mask


def read_node_runs(folder: Path) -> list[NodeRun]:
    """Every power file of a run without events, one entry for each of its meters."""
    with_events = [events.stem.removesuffix("_events") for events in folder.glob("*_events.csv")]
    found: list[NodeRun] = []
    for path in sorted(folder.glob("*.csv")):
        parts = re.fullmatch(r"(.+?)_(\d+)node_([^_]+)_(.+?)_(ac_dc|ac|dc)", path.stem)
        if path.stem.endswith("_events") or any(path in power_files(folder, run) for run in with_events):
            continue
        workload, nodes, accelerator = (parts[1], int(parts[2]), parts[3]) if parts else (path.stem, 0, "?")
        try:
            meters = read_series(path)
        except (ValueError, OSError) as error:
            reason = f"not readable: {error}"
            found.append(NodeRun(path.name, workload, accelerator, nodes, "ac", None, reason))
            continue
        found += [
            NodeRun(path.name, workload, accelerator, nodes or series.nodes, meter, series)
            for meter, series in meters.items()
        ]
    return found


def power_files(folder: Path, run: str) -> list[Path]:
    """The power files beside `<run>_events.csv`."""
    beside = [folder / f"{run}.csv", *sorted(folder.glob(f"{run}_*.csv"))]
    return [path for path in beside if path.is_file() and not path.stem.endswith("_events")]


def levels_by_workload(runs: Sequence[NodeRun]) -> dict[str, float]:
    """Mean W per node while the job runs, by workload, repeated runs averaged."""
    by_workload: dict[str, list[float]] = {}
    for run in runs:
        if run.series is not None:
            level_w = float(run.series.power_w[running_window(run.series)].mean()) / run.nodes
            by_workload.setdefault(run.workload, []).append(level_w)
    return {workload: float(np.mean(values)) for workload, values in by_workload.items()}


def main(argv: Sequence[str]) -> int:
    """Print the waveform of every run with events and the level of every workload, each also left out."""
    if len(argv) != 1:
        raise InputError(Problem("one argument is needed", "python -m aidc.calibrate.training DATA_DIR"))
    folder = Path(argv[0]) / FOLDER
    out: list[str] = []
    for events in sorted(folder.glob("*_events.csv")):
        out += _waveform_lines(folder, events)
    runs = read_node_runs(folder)
    out += [f"{run.file}: {run.reason}" for run in runs if run.series is None]
    for key in sorted({(run.accelerator, run.nodes, run.meter) for run in runs}):
        levels_w = levels_by_workload([r for r in runs if (r.accelerator, r.nodes, r.meter) == key])
        for workload, level_w in levels_w.items():
            others = [value for name, value in levels_w.items() if name != workload]
            error = f"{100 * (np.mean(others) / level_w - 1):+.1f} % if left out" if others else "alone"
            out.append(f"{key[0]} x{key[1]} {key[2]} {workload}: {level_w:.0f} W per node, {error}")
    sys.stdout.write("\n".join(out) + "\n")
    return 0


def _waveform_lines(folder: Path, events: Path) -> list[str]:
    name = events.stem.removesuffix("_events")
    out: list[str] = []
    for path in power_files(folder, name):
        try:
            cycles, _ = read_cycles(events)
            for meter, series in read_series(path).items():
                wave = fit_waveform(series, cycles)
                levels = [round(value / series.nodes) for value in wave.levels_w[:3]]
                out.append(
                    f"{name} {meter}: W per node compute {levels[0]}, communication {levels[1]}, "
                    f"evaluation {levels[2]}; {wave.iterations} iterations of {wave.clock.iteration_s:.2f} s, "
                    f"communication {wave.clock.communication_s / wave.clock.iteration_s:.2f} of it; "
                    f"evaluation {wave.clock.evaluation_s:.1f} s of {wave.clock.evaluation_period_s:.1f} s"
                )
        except (ValueError, OSError) as error:
            out.append(f"{path.name}: not fitted: {error}")
    return out


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
