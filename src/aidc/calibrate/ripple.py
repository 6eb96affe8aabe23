"""Fit the 100 ms power law of inference replicas: `python -m aidc.calibrate.ripple DATA_DIR`.

Prints the constants of `catalogue/ripple/h100.toml`, the rows they came from, and the error of each
model predicted by constants fitted on the other models.
"""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from aidc.errors import InputError, Problem
from aidc.plant.ripple import GpuShape, LlmShape, RippleLaw, ripple, ripple_law, stack
from aidc.site.devices import ripple_of

__all__ = [
    "FOLDER",
    "PRIOR",
    "Sample",
    "Trace",
    "fit_ripple",
    "main",
    "predict",
    "read_traces",
    "sample_of",
    "shape_of",
]

Array = NDArray[np.float64]

# Round engineering figures, not values of this data: a constant that the rows do not identify stays here.
# Mixtures of experts start with no difference from dense models.
PRIOR: Final = RippleLaw(
    bandwidth_eff=0.75,
    flops_eff=0.6,
    layer_s=60e-6,
    link_s=12e-6,
    floor_frac=0.35,
    bytes_gain=0.4,
    flops_gain=1.2,
    moe_flops_factor=1.0,
    burst_s=5e-3,
    burst_frac=0.95,
    moe_burst_frac=0.95,
    noise_frac=0.03,
    gpu_noise_frac=0.06,
    burst_noise_frac=0.06,
)
PRIOR_LOG_SD: Final = np.array([0.2, 0.3, 0.3, 0.4, 0.3, 0.3, 0.3, 1.0, 0.8, 0.05, 0.2, 0.5, 0.5, 0.5])
ROW_LOG_SD: Final = np.array([0.05, 0.20, 0.05])  # mean, standard deviation, 99th percentile


FOLDER: Final = "openg2g_h100_traces"
LEAST_SAMPLES: Final = 20

# Model cards and configuration files (config.json) of the publishers.
# Reasoning models answer with thousands of tokens; the publisher of the traces ran Qwen3 in thinking mode.
REASONING_TOKENS: Final = 9000.0
SHAPES: Final[Mapping[str, LlmShape]] = {
    "llama-3.1-8b": LlmShape(8.03e9, 8.03e9, 32, 8, 128),
    "llama-3.1-70b": LlmShape(70.55e9, 70.55e9, 80, 8, 128),
    "llama-3.3-70b": LlmShape(70.55e9, 70.55e9, 80, 8, 128),
    "llama-3.1-405b": LlmShape(405.85e9, 405.85e9, 126, 8, 128),
    "qwen3-8b": LlmShape(8.19e9, 8.19e9, 36, 8, 128, output_tokens=REASONING_TOKENS),
    "qwen3-14b": LlmShape(14.77e9, 14.77e9, 40, 8, 128, output_tokens=REASONING_TOKENS),
    "qwen3-32b": LlmShape(32.76e9, 32.76e9, 64, 8, 128, output_tokens=REASONING_TOKENS),
    "qwen3-30b-a3b": LlmShape(30.53e9, 3.34e9, 48, 4, 128, 128, 8, output_tokens=REASONING_TOKENS),
    "qwen3-235b-a22b": LlmShape(235.09e9, 22.19e9, 94, 4, 128, 128, 8, output_tokens=REASONING_TOKENS),
}


@dataclass(frozen=True, slots=True)
class Trace:
    """One measured replica: `statistics` is mean, sd and p99 in W and the sd of each half, or None."""

    label: str
    gpus: int
    batch: int
    file: str
    statistics: tuple[float, float, float, float, float] | None
    reason: str | None = None


def shape_of(label: str) -> LlmShape | None:
    """Architecture of a model label: known, or guessed from the sizes in its name, or None.

    A guess takes layers ∝ parameters^0.4 (through 8B with 32 and 70B with 80), 8 KV heads of 128, and for
    a mixture of experts 8 of 128; estimated.
    """
    plain = re.sub(r"-(instruct|chat|fp8|bf16|it|thinking|\d{4})\b", "", label.lower().split("/")[-1])
    if plain in SHAPES:
        return SHAPES[plain]
    size = re.search(r"(?<![a-z0-9.])(\d+(?:\.\d+)?)b(?![a-z0-9])", plain)
    if size is None or float(size[1]) <= 0:
        return None
    total = float(size[1]) * 1e9
    active = re.search(r"-a(\d+(?:\.\d+)?)b(?![a-z0-9])", plain)
    layers = float(np.clip(80 * (total / 70e9) ** 0.4, 12, 130))
    output = REASONING_TOKENS if re.search(r"qwen3|thinking|-r1|reason", label.lower()) else 400.0
    if active is None or not 0 < float(active[1]) * 1e9 < total:
        return LlmShape(total, total, layers, 8, 128, output_tokens=output)
    return LlmShape(total, float(active[1]) * 1e9, layers, 4, 128, 128, 8, output_tokens=output)


def read_traces(folder: Path) -> list[Trace]:
    """Every trace that the folder lists in `traces_summary.csv`, or names by its files without a list.

    Whole traces are used as published: the publisher has already cut them to the steady stretch, so no
    start or end is removed here. A trace that cannot be read is kept with the reason.
    """
    listed = folder / "traces_summary.csv"
    found: list[Trace] = []
    names: set[str] = set()
    if listed.is_file():
        with listed.open(newline="", encoding="utf-8") as stream:
            for row in csv.DictReader(stream):
                name = Path(str(row.get("trace_file") or "")).name
                names.add(name)
                found.append(
                    _trace(
                        folder / name,
                        str(row.get("model_label") or "?"),
                        row.get("num_gpus"),
                        row.get("max_num_seqs"),
                    )
                )
    for path in sorted(folder.glob("*_num_gpus_*_max_num_seqs_*.csv")):
        parts = re.fullmatch(r"(.+)_num_gpus_(\d+)_max_num_seqs_(\d+)", path.stem)
        if parts is not None and path.name not in names:
            found.append(_trace(path, parts[1], parts[2], parts[3]))
    return found


def _trace(path: Path, label: str, gpus: str | None, batch: str | None) -> Trace:
    n, limit = (int(text) if text and text.strip().isdecimal() else 0 for text in (gpus, batch))
    if n < 1 or limit < 1:
        return Trace(label, 0, 0, path.name, None, "num_gpus and max_num_seqs must be positive whole numbers")
    try:
        power_w = _power(path)
    except (ValueError, OSError) as error:
        return Trace(label, n, limit, path.name, None, f"not readable: {error}")
    if power_w.size < LEAST_SAMPLES or power_w.mean() <= 0:
        return Trace(
            label, n, limit, path.name, None, f"no power, or fewer than {LEAST_SAMPLES} usable samples"
        )
    half = power_w.size // 2
    statistics = (
        float(power_w.mean()),
        float(power_w.std()),
        float(np.quantile(power_w, 0.99)),
        float(power_w[:half].std()),
        float(power_w[half:].std()),
    )
    return Trace(label, n, limit, path.name, statistics)


def _power(path: Path) -> Array:
    """The finite, non-negative samples of the power column."""
    with path.open(newline="", encoding="utf-8") as stream:
        lines = csv.reader(stream)
        header = next(lines, [])
        column = next((k for k, name in enumerate(header) if "power" in name.lower()), 1)
        values = [line[column] for line in lines if len(line) > column]
    power_w = np.array([float(value) if value.strip() else np.nan for value in values], dtype=float)
    return power_w[np.isfinite(power_w) & (power_w >= 0)]


class Sample(NamedTuple):
    """One trace as the fit sees it: inputs, and mean, sd and p99 per GPU over the rated power."""

    label: str
    shape: LlmShape
    gpus: int
    batch: int
    measured_frac: tuple[float, float, float]


def sample_of(trace: Trace, gpu: GpuShape) -> Sample | None:
    """A trace as the fit sees it; None without a known shape or a measured power."""
    shape = shape_of(trace.label)
    if shape is None or trace.statistics is None:
        return None
    rated_w = trace.gpus * gpu.tdp_w
    mean_w, sd_w, p99_w = (max(value, 1e-3) for value in trace.statistics[:3])
    return Sample(
        trace.label, shape, trace.gpus, trace.batch, (mean_w / rated_w, sd_w / rated_w, p99_w / rated_w)
    )


def fit_ripple(rows: Sequence[Sample], gpu: GpuShape, prior_law: RippleLaw | None = None) -> RippleLaw:
    """Constants that fit the rows, held by log-normal priors where the rows do not say (robust loss)."""
    start = PRIOR if prior_law is None else prior_law
    if not rows:
        return start
    shape = stack([row.shape for row in rows])
    gpus = np.array([row.gpus for row in rows], float)
    batch = np.array([row.batch for row in rows], float)
    measured = np.log(np.array([row.measured_frac for row in rows], float).T)
    prior = np.log(np.array(start))

    def residuals(logs: Array) -> Array:
        result = ripple(shape, gpus, batch, gpu, RippleLaw(*np.exp(logs)))
        predicted = np.log(np.array(result[:3]))
        rows_part = (predicted - measured) / ROW_LOG_SD[:, None]
        return np.concatenate([rows_part.ravel(), (logs - prior) / PRIOR_LOG_SD])

    solution = least_squares(residuals, prior, loss="soft_l1", max_nfev=60)
    return RippleLaw(*(float(value) for value in np.exp(solution.x)))


def predict(rows: Sequence[Sample], gpu: GpuShape, law: RippleLaw) -> Array:
    """Mean, sd and p99 per GPU over the rated power, shape (3, n)."""
    result = ripple(
        stack([row.shape for row in rows]),
        np.array([row.gpus for row in rows], float),
        np.array([row.batch for row in rows], float),
        gpu,
        law,
    )
    return np.array(result[:3])


def main(argv: Sequence[str]) -> int:
    """Print constants, rows and errors with each model left out."""
    if len(argv) != 1:
        raise InputError(Problem("one argument is needed", "python -m aidc.calibrate.ripple DATA_DIR"))
    gpu, _ = ripple_law(ripple_of("h100"))
    traces = read_traces(Path(argv[0]) / FOLDER)
    rows = [row for row in (sample_of(trace, gpu) for trace in traces) if row is not None]
    law = fit_ripple(rows, gpu)
    out = [f"{key} = {value:.4g}" for key, value in law._asdict().items()]
    for label in sorted({row.label for row in rows}):
        rest = [row for row in rows if row.label != label]
        held = [row for row in rows if row.label == label]
        measured = np.array([row.measured_frac for row in held]).T
        errors = 100 * (predict(held, gpu, fit_ripple(rest, gpu)) / measured - 1)
        middle = np.median(np.abs(errors), axis=1)
        out.append(
            f"left out {label}: n={len(held)} median |error| mean {middle[0]:.1f} %, "
            f"sd {middle[1]:.1f} %, p99 {middle[2]:.1f} %"
        )
        out += [
            f"  gpus={row.gpus} batch={row.batch} "
            f"mean {errors[0, k]:+.1f} % sd {errors[1, k]:+.1f} % p99 {errors[2, k]:+.1f} %"
            for k, row in enumerate(held)
        ]
    sys.stdout.write("\n".join(out) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
