"""Case `training-power`: node power of measured training runs.

Runs with an events file: the waveform of `aidc.plant.training` gets its levels, its iteration and its
schedule from the samples and events of the first three train-and-evaluate cycles. It then runs on by itself
from the end of the third, repeating that schedule; no later event or sample enters the prediction. Only
the length of the compared stretch is the run's own. Later events are read once more, to say which of the
*measured* samples were evaluation.

One-node runs: the mean power while the job runs, from other workloads on the same accelerator; for an
accelerator without other workloads, from other accelerators by rated power. The stretch in which the job
runs is found in the trace itself, as these files have no log.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from aidc.calibrate.training import (
    FOLDER,
    Cycle,
    NodeRun,
    Series,
    fit_waveform,
    levels_by_workload,
    power_files,
    read_cycles,
    read_node_runs,
    read_series,
    running_window,
    simulate,
)
from aidc.catalogue import read
from aidc.validation.case import Case, Row

__all__ = ["cases"]

Array = NDArray[np.float64]

NAME: Final = "training-power"
LEARNED: Final = 3
ACCELERATORS_PER_NODE: Final = 8
# Rated power of one accelerator, W: NVIDIA data sheets (SXM or OAM form).
TDP_W: Final = {"a100": 400.0, "h100": 700.0, "h200": 700.0, "b200": 1000.0, "gb200": 1200.0, "b300": 1100.0}
LINE_BINS: Final = 2  # on each side that still count as the line (Hann main lobe)
LEARNED_NOTE: Final = "Learned from the first three cycles, judged on the rest; value is the worst run."


@dataclass(frozen=True, slots=True)
class _Judgement:
    """Measured and predicted figures of the part of a run that was not learned from."""

    energy_mwh: tuple[float, float]
    line_hz: tuple[float, float]
    line_share: tuple[float, float]
    drop_w: tuple[float, float]


def cases(data_dir: Path) -> Sequence[Case]:
    """Every figure of the case; nothing where the folder is absent."""
    folder = data_dir / FOLDER
    if not folder.is_dir():
        return []
    return [*_waveform_cases(folder), *_level_cases(read_node_runs(folder))]


def _waveform_cases(folder: Path) -> list[Case]:
    judged: list[tuple[str, _Judgement | None, str | None]] = []
    for events in sorted(folder.glob("*_events.csv")):
        judged += _runs(folder, events)
    if not judged:
        return []

    def case(metric: str, limit: float | None, pick: str, note: str) -> Case:
        rows = [_row(item, verdict, reason, pick) for item, verdict, reason in judged]
        errors = [
            100 * abs(r.predicted / r.measured - 1) for r in rows if r.measured and r.predicted is not None
        ]
        value = max(errors) if errors else None
        return Case(NAME, FOLDER, metric, value, limit, "%", rows, note, "shown" if limit is None else "bar")

    shares = "; ".join(
        f"{item}: {100 * v.line_share[0]:.0f} % of variance measured, {100 * v.line_share[1]:.0f} % predicted"
        for item, v, _ in judged
        if v is not None
    )
    return [
        case("energy of the rest of the run, |error|", 2.0, "energy_mwh", f"{LEARNED_NOTE} MWh."),
        case(
            "frequency of the strongest spectral line, |error|",
            3.0,
            "line_hz",
            f"{LEARNED_NOTE} Hz. {shares}.",
        ),
        case("drop from training to evaluation, |error|", 15.0, "drop_w", f"{LEARNED_NOTE} W."),
        case(
            "share of variance in the strongest line, |error|",
            None,
            "line_share",
            f"{LEARNED_NOTE} The model's iteration is a square wave without noise.",
        ),
    ]


def _row(item: str, verdict: _Judgement | None, reason: str | None, pick: str) -> Row:
    if verdict is None:
        return Row(item, None, None, reason)
    measured, predicted = getattr(verdict, pick)
    return Row(item, measured, predicted, None, "everything after the third cycle")


def _runs(folder: Path, events: Path) -> list[tuple[str, _Judgement | None, str | None]]:
    """One entry for each meter of a run, or one with the reason why there is none."""
    name = events.stem.removesuffix("_events")
    paths = power_files(folder, name)
    if not paths:
        return [(name, None, "no power file beside the events")]
    found: list[tuple[str, _Judgement | None, str | None]] = []
    for path in paths:
        try:
            cycles, stop_s = read_cycles(events)
            for meter, series in read_series(path).items():
                found.append((f"{name} {meter}", _judge(series, cycles, stop_s), None))
        except (ValueError, OSError) as error:
            found.append((path.stem, None, str(error)))
    return found


def _judge(series: Series, cycles: Sequence[Cycle], stop_s: float | None) -> _Judgement:
    if len(cycles) <= LEARNED:
        raise ValueError(f"{len(cycles)} cycles of training and evaluation; more than {LEARNED} are needed")
    origin_s = cycles[LEARNED - 1].stop_s
    end_s = min(series.times_s[-1], np.inf if stop_s is None else stop_s)
    step_s = series.step_s
    times = np.arange(origin_s + step_s, end_s - step_s, step_s)
    if times.size < 16:
        raise ValueError("too few samples after the third cycle")
    known = series.times_s < origin_s
    if known.sum() < 16:
        raise ValueError("too few samples in the first three cycles")
    waveform = fit_waveform(
        Series(series.times_s[known], series.power_w[known], series.nodes), cycles[:LEARNED]
    )
    measured = np.interp(times, series.times_s, series.power_w)
    predicted = simulate(waveform, times, origin_s, step_s)
    period_s, pause_s = waveform.clock.evaluation_period_s, waveform.clock.evaluation_s
    count = int((end_s - origin_s) / period_s) + 1
    own = [
        Cycle(origin_s + k * period_s, origin_s + (k + 1) * period_s - pause_s, origin_s + (k + 1) * period_s)
        for k in range(count)
    ]
    lines = [_line(series_w, step_s) for series_w in (measured, predicted)]
    to_mwh = step_s / 3.6e9
    return _Judgement(
        (float(measured.sum()) * to_mwh, float(predicted.sum()) * to_mwh),
        (lines[0][0], lines[1][0]),
        (lines[0][1], lines[1][1]),
        (_drop(times, measured, cycles[LEARNED:], step_s), _drop(times, predicted, own, step_s)),
    )


def _drop(times: Array, power_w: Array, cycles: Sequence[Cycle], step_s: float) -> float:
    """Mean of training less mean of evaluation, W; one sample on either side of a change is left out."""
    trained, paused = np.zeros(times.size, dtype=bool), np.zeros(times.size, dtype=bool)
    for cycle in cycles:
        trained |= (times >= cycle.start_s + step_s) & (times < cycle.evaluation_s - step_s)
        paused |= (times >= cycle.evaluation_s + step_s) & (times < cycle.stop_s - step_s)
    if not trained.any() or not paused.any():
        raise ValueError("evaluations too short for the meter's sampling")
    return float(power_w[trained].mean() - power_w[paused].mean())


def _line(power_w: Array, step_s: float) -> tuple[float, float]:
    """Frequency (Hz) of the strongest line of the detrended series, and its share of the variance.

    Hann window; the three lowest bins are trend, not line; the peak is refined by a parabola.
    """
    places = np.arange(power_w.size)
    level = power_w - np.polyval(np.polyfit(places, power_w, 1), places)
    spectrum = np.abs(np.fft.rfft(level * np.hanning(level.size))) ** 2
    peak = 3 + int(np.argmax(spectrum[3:-1]))
    a, b, c = np.sqrt(spectrum[peak - 1 : peak + 2])
    shift = 0.5 * (a - c) / (a - 2 * b + c) if a - 2 * b + c < 0 else 0.0
    if not spectrum[peak] > 0:
        raise ValueError("the power does not vary")
    near = spectrum[max(1, peak - LINE_BINS) : peak + LINE_BINS + 1].sum()
    return (peak + float(shift)) / (level.size * step_s), float(near / spectrum[1:].sum())


def _level_cases(runs: Sequence[NodeRun]) -> list[Case]:
    """Mean node power while the job runs, its workload left out."""
    single = [run for run in runs if run.nodes == 1]
    several = [run for run in runs if run.nodes != 1]
    found: list[Case] = []
    if single:
        found.append(_level_case(single, single, "one-node runs, mean power while the job runs", 10.0))
        found.append(
            _level_case(single, single, "one-node runs, mean power of the whole file", None, whole=True)
        )
    if several:
        found.append(_level_case(several, single, "runs on several nodes without events, mean power", None))
    return found


def _level_case(
    held: Sequence[NodeRun],
    known: Sequence[NodeRun],
    metric: str,
    limit: float | None,
    *,
    whole: bool = False,
) -> Case:
    rows: list[Row] = []
    for run in held:
        if run.series is None:
            rows.append(Row(f"{run.file} {run.meter}", None, None, run.reason))
            continue
        level_w, basis = _level(run, known)
        mask = running_window(run.series)
        measured = float(run.series.power_w.mean() if whole else run.series.power_w[mask].mean())
        predicted = None if level_w is None else level_w * run.nodes
        if whole and predicted is not None and not mask.all():
            idle_w, reason = _idle(run, known)
            share = float(mask.mean())
            predicted = None if idle_w is None else share * predicted + (1 - share) * idle_w
            basis = reason or basis
        rows.append(
            Row(
                f"{run.file} {run.meter}",
                measured,
                predicted,
                basis if predicted is None else None,
                run.workload,
                {"accelerator": run.accelerator, "nodes": run.nodes, "meter": run.meter, "basis": basis},
            )
        )
    errors = [100 * abs(r.predicted / r.measured - 1) for r in rows if r.measured and r.predicted is not None]
    note = "Workload left out; W. Value is the mean |error|. The stretch in which the job runs is read from the trace."
    if errors:
        note += f" Worst {max(errors):.1f} %."
    return Case(
        NAME,
        FOLDER,
        f"{metric}, mean |error|",
        float(np.mean(errors)) if errors else None,
        limit,
        "%",
        rows,
        note,
        "shown" if limit is None else "bar",
    )


def _level(held: NodeRun, known: Sequence[NodeRun]) -> tuple[float | None, str]:
    """W per node of other workloads on the same accelerator and meter, else by rated power from others."""
    other = [run for run in known if run.workload != held.workload and run.meter == held.meter]
    same = levels_by_workload([run for run in other if run.accelerator == held.accelerator])
    if same:
        return float(np.mean(list(same.values()))), f"other workloads on {held.accelerator}"
    rated_w = TDP_W.get(held.accelerator)
    if rated_w is None:
        return None, f"no other workload on {held.accelerator}, and its rated power is not known here"
    ratios = [
        level_w / TDP_W[name]
        for name in TDP_W
        for level_w in levels_by_workload([run for run in other if run.accelerator == name]).values()
    ]
    if ratios:
        return float(np.mean(ratios)) * rated_w, "other accelerators, by rated power"
    ratio = float(read("training", "generic").values["server"]["wall_per_tdp"])
    return ratio * ACCELERATORS_PER_NODE * rated_w, "catalogue ratio to rated power"


def _idle(held: NodeRun, known: Sequence[NodeRun]) -> tuple[float | None, str | None]:
    """W of a node before and after its job, from other workloads on the same accelerator and meter."""
    values = [
        float(run.series.power_w[~running_window(run.series)].mean())
        for run in known
        if run.series is not None
        and run.workload != held.workload
        and (run.meter, run.accelerator) == (held.meter, held.accelerator)
        and not running_window(run.series).all()
    ]
    return (
        (float(np.mean(values)), None)
        if values
        else (None, "no idle stretch of another workload on this device")
    )
