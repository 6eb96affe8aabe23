"""Case `inference-power`: power of inference replicas at 100 ms against measured traces.

Inputs of a prediction are the model's published architecture (or the sizes in its name), the number of
GPUs and `max_num_seqs`; never a measured figure of the trace itself. Each whole trace is judged, start
and end included: the publisher has already cut them to the steady stretch.

* batch left out: the law of `aidc.plant.ripple` fitted without the trace, times the residuals of the same
  model's other batches, interpolated (and at the ends extrapolated) in log2 of the batch;
* model left out: the law fitted on the other models alone.

Constants from the catalogue only ever enter as a prior for a model that they have not seen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from aidc.calibrate.ripple import FOLDER, PRIOR, Sample, Trace, fit_ripple, predict, read_traces, sample_of
from aidc.catalogue import read
from aidc.plant.ripple import GpuShape, RippleLaw, ripple_law
from aidc.site.devices import ripple_of
from aidc.validation.case import Case, Row

__all__ = ["cases"]

Array = NDArray[np.float64]

NAME: Final = "inference-power"
STATISTICS: Final = ("mean", "standard deviation", "99th percentile")
BATCH_LIMITS: Final = (5.0, 20.0, 10.0)
MODEL_LIMITS: Final = (15.0, None, 20.0)
UNKNOWN: Final = "no published architecture for this model, and no size in its name"


@dataclass(frozen=True, slots=True)
class _Folder:
    """The traces, and those among them that can be predicted."""

    traces: Sequence[Trace]
    rows: Sequence[Sample | None]
    gpu: GpuShape
    law: RippleLaw
    seen: frozenset[str]

    def others(self, keep: Callable[[Sample], bool]) -> list[Sample]:
        return [row for row in self.rows if row is not None and keep(row)]

    def prior(self, label: str) -> RippleLaw:
        """The shipped constants for a model that they have not seen, else round engineering figures."""
        return PRIOR if label in self.seen else self.law


def cases(data_dir: Path) -> Sequence[Case]:
    """Every figure of the case; nothing where the folder is absent."""
    folder = data_dir / FOLDER
    if not folder.is_dir():
        return []
    gpu, law = ripple_law(ripple_of("h100"))
    seen = frozenset(str(name) for name in read("ripple", "h100").values["calibrated_on"])
    traces = read_traces(folder)
    data = _Folder(traces, [sample_of(trace, gpu) for trace in traces], gpu, law, seen)
    by_batch = [_batch_left_out(data, k) for k in range(len(traces))]
    by_model = _model_left_out(data)
    found = [_judged(data, by_batch, index, "batch", limit) for index, limit in enumerate(BATCH_LIMITS)]
    found += [_judged(data, by_model, index, "model", limit) for index, limit in enumerate(MODEL_LIMITS)]
    return [*found, _repeatability(traces)]


def _batch_left_out(data: _Folder, index: int) -> Array | None:
    held = data.rows[index]
    if held is None:
        return None
    rest = data.others(lambda row: (row.shape, row.gpus, row.batch) != (held.shape, held.gpus, held.batch))
    law = fit_ripple(rest, data.gpu, data.prior(held.label))
    kin = [row for row in rest if row.shape == held.shape and row.gpus == held.gpus]
    predicted = predict([held], data.gpu, law)[:, 0]
    if not kin:
        return predicted
    kin.sort(key=lambda row: row.batch)
    measured = np.array([row.measured_frac for row in kin]).T
    residual = np.log(measured / predict(kin, data.gpu, law))
    places = np.log2([row.batch for row in kin])
    return predicted * np.exp([_line(np.log2(held.batch), places, line) for line in residual])


def _line(place: float, places: Array, values: Array) -> float:
    """Piecewise linear; outside the range half the slope of the end piece, which is half a guess."""
    inside = float(np.interp(place, places, values))
    if places.size < 2 or places[0] <= place <= places[-1]:
        return inside
    a, b = (0, 1) if place < places[0] else (-2, -1)
    slope = (values[b] - values[a]) / max(float(places[b] - places[a]), 1e-9)
    end = places[0] if place < places[0] else places[-1]
    return inside + 0.5 * float(slope) * float(np.clip(place - end, -1.0, 1.0))


def _model_left_out(data: _Folder) -> list[Array | None]:
    laws: dict[str, RippleLaw] = {}
    found: list[Array | None] = []
    for held in data.rows:
        if held is None:
            found.append(None)
            continue
        label = held.label
        if label not in laws:
            rest = data.others(lambda row, shape=held.shape: row.shape != shape)
            laws[label] = fit_ripple(rest, data.gpu, data.prior(label))
        found.append(predict([held], data.gpu, laws[label])[:, 0])
    return found


def _judged(
    data: _Folder, predicted: Sequence[Array | None], index: int, left_out: str, limit: float | None
) -> Case:
    rows: list[Row] = []
    errors: list[float] = []
    for trace, frac in zip(data.traces, predicted, strict=True):
        rated_w = trace.gpus * data.gpu.tdp_w
        measured = None if trace.statistics is None else trace.statistics[index]
        power_w = None if frac is None else float(frac[index]) * rated_w
        reason = trace.reason or (UNKNOWN if power_w is None else None)
        withheld = f"{trace.label} batch {trace.batch}" if left_out == "batch" else trace.label
        inputs = {"model": trace.label, "gpus": trace.gpus, "max_num_seqs": trace.batch}
        rows.append(Row(_item(trace), measured, power_w, reason, withheld, inputs))
        if measured and power_w is not None:
            errors.append(abs(power_w / measured - 1) * 100)
    spread = f"p90 {np.quantile(errors, 0.9):.1f} %, worst {max(errors):.1f} %" if errors else ""
    return Case(
        NAME,
        FOLDER,
        f"{STATISTICS[index]} of 100 ms power, {left_out} left out, median |error|",
        float(np.median(errors)) if errors else None,
        limit,
        "%",
        rows,
        f"Replica GPU power in W. {spread}",
        "shown" if limit is None else "bar",
    )


def _repeatability(traces: Sequence[Trace]) -> Case:
    """How well one half of a trace predicts the standard deviation of the other."""
    rows: list[Row] = []
    errors: list[float] = []
    for trace in traces:
        first, second = (None, None) if trace.statistics is None else trace.statistics[3:5]
        rows.append(Row(_item(trace), second, first, trace.reason))
        if first is not None and second is not None and first + second > 0:
            errors.append(200 * abs(first - second) / (first + second))
    return Case(
        NAME,
        FOLDER,
        "standard deviation, repeatability: first half against second half, median |difference| over mean",
        float(np.median(errors)) if errors else None,
        None,
        "%",
        rows,
        "The floor under any prediction of the standard deviation; not a prediction.",
        "shown",
    )


def _item(trace: Trace) -> str:
    return f"{trace.label} x{trace.gpus} batch {trace.batch}" if trace.gpus else trace.file
