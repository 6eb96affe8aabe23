"""Fit of the inference constants: all accelerators together, on throughput, power and token latency.

Each constant has a log-normal prior shared by all accelerators, and each accelerator departs from it by
a smaller log-normal step, so that a constant which one accelerator's rows do not identify (the
arithmetic of a memory-bound one, say) follows the others. Prompt lengths, which the benchmark does not
publish, are fitted by task. The loss is pseudo-Huber on log ratios: a disturbed run pulls little.

`python -m aidc.calibrate.inference DATA_DIR` prints the tables for the catalogue.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from aidc.calibrate.inference_priors import (
    CONSTANTS,
    HOST_FREE_TOKENS,
    HOST_MS,
    INPUT_TOKENS,
    NAMES,
    SHIPPED_HOST_MS,
    SHIPPED_INPUT_TOKENS,
    UNKNOWN_INPUT,
)
from aidc.calibrate.inference_rows import BenchRow, accelerator_entry, is_text, read_v3
from aidc.catalogue import names
from aidc.errors import InputError
from aidc.plant.inference import predict
from aidc.plant.inference_params import Chip, Deployment, chip_of, coefficients, deployment
from aidc.schema.llm import Llm

__all__ = ["FILL_FRAC", "Fit", "fit", "main", "predict_rows", "shipped", "usable"]

Array = NDArray[np.float64]


FITTED: Final = ("b200", "h100")  # accelerators with rows of their own behind the shipped constants
FILL_FRAC: Final = 0.98  # of the batch limit, mean over a run that starts and drains
SCALE: Final = 0.12  # log error at which the loss turns from squared to absolute
WEIGHTS: Final = (1.0, 1.0, 0.7)  # throughput, power, median inter-token latency


@dataclass(frozen=True, slots=True)
class Fit:
    """Constants by accelerator, those common to all, prompt lengths by task, host time by accelerator."""

    constants: Mapping[str, Mapping[str, float]]
    common: Mapping[str, float]
    input_tokens: Mapping[str, float]
    host_ms: Mapping[str, float]
    vector: Array = field(default_factory=lambda: np.empty(0))
    accelerators: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    rows: int = 0


class _Table(NamedTuple):
    """Rows as arrays, and where each finds its constants."""

    served: Deployment
    chip: Chip
    accelerator: NDArray[np.intp]
    task: NDArray[np.intp]
    host: Array
    batch: Array
    measured: Array


def usable(row: BenchRow) -> bool:
    """Whether the row can calibrate."""
    complete = row.throughput_tok_s and row.power_w and row.itl_s
    return row.reason is None and bool(complete) and row.accelerator is not None


def _llm(row: BenchRow, columns_only: bool) -> Llm:
    chosen = row.bare if columns_only else (row.llm or row.bare)
    if chosen is None:
        message = "a row without any model figures cannot be tabulated"
        raise ValueError(message)
    return chosen


def _table(
    rows: Sequence[BenchRow], accelerators: Sequence[str], tasks: Sequence[str], columns_only: bool
) -> _Table:
    served = [
        deployment(
            _llm(row, columns_only),
            row.count,
            tensor_parallel=row.tensor,
            expert_parallel=row.expert,
            precision=row.precision,
            input_tokens=1.0,
            output_tokens=row.output_tokens,
        )
        for row in rows
    ]
    chips = [chip_of(accelerator_entry(str(row.accelerator))) for row in rows]
    long = [max(0.0, row.output_tokens - HOST_FREE_TOKENS) / 1e6 if row.count == 1 else 0.0 for row in rows]
    measured = [(row.throughput_tok_s or 1.0, row.power_w or 1.0, row.itl_s or 1.0) for row in rows]
    return _Table(
        Deployment(*(np.array(column, float) for column in zip(*served, strict=True))),
        Chip(*(np.array([chip[i] for chip in chips], float) for i in range(5)), constants={}),
        np.array([accelerators.index(str(row.accelerator)) for row in rows]),
        np.array([tasks.index(row.task) for row in rows]),
        np.array(long),
        np.array([FILL_FRAC * row.batch for row in rows]),
        np.log(np.array(measured, float).T),
    )


def _start(accelerators: Sequence[str], tasks: Sequence[str]) -> tuple[Array, Array]:
    """Prior centres (logarithms; zero for departures) and spreads of the whole vector."""
    steps = [prior.between for prior in CONSTANTS.values()]
    inputs = [INPUT_TOKENS.get(task, UNKNOWN_INPUT) for task in tasks]
    hosts = [HOST_MS.get(name, (1e-6, 1e-3)) for name in accelerators]
    centre = [
        *(np.log(prior.centre) for prior in CONSTANTS.values()),
        *([0.0] * len(steps) * len(accelerators)),
        *(np.log(value) for value, _ in inputs),
        *(np.log(value) for value, _ in hosts),
    ]
    spread = [
        *(prior.spread for prior in CONSTANTS.values()),
        *(steps * len(accelerators)),
        *(value for _, value in inputs),
        *(value for _, value in hosts),
    ]
    return np.array(centre, float), np.array(spread, float)


def _unpack(vector: Array, accelerators: int, tasks: int) -> tuple[Array, Array, Array, Array]:
    """Constants (accelerator x name), common ones, prompt lengths, host ms per 1000 tokens."""
    m = len(NAMES)
    steps = vector[m : m * (1 + accelerators)].reshape(accelerators, m)
    rest = vector[m * (1 + accelerators) :]
    return np.exp(vector[:m] + steps), np.exp(vector[:m]), np.exp(rest[:tasks]), np.exp(rest[tasks:])


def _model(table: _Table, constants: Array, inputs: Array, hosts: Array) -> tuple[Array, Array, Array]:
    chosen = {name: constants[table.accelerator, i] for i, name in enumerate(NAMES)}
    served = table.served._replace(
        input_tokens=inputs[table.task], host_s=hosts[table.accelerator] * table.host
    )
    return predict(table.batch, coefficients(served, table.chip._replace(constants=chosen)))


def fit(rows: Sequence[BenchRow], *, columns_only: bool = False, start: Fit | None = None) -> Fit:
    """Calibrate on the usable ones of the rows.

    Parameters
    ----------
    rows
        Measured configurations.
    columns_only
        Ignore the catalogue's architecture figures; use each row's own columns.
    start
        An earlier fit over the same accelerators and tasks, to start from.
    """
    chosen = [row for row in rows if usable(row)]
    accelerators = start.accelerators if start else tuple(sorted({str(row.accelerator) for row in chosen}))
    tasks = start.tasks if start else tuple(sorted({row.task for row in chosen}))
    centre, spread = _start(accelerators, tasks)
    vector = centre
    if chosen:
        table = _table(chosen, accelerators, tasks, columns_only)
        solved: Any = least_squares(
            lambda x: _residuals(x, table, centre, spread, len(accelerators), len(tasks)),
            centre if start is None else start.vector,
            x_scale="jac",
            method="lm",  # MINPACK: no threaded linear algebra, so other work on the machine does not slow it
            ftol=1e-4,
            xtol=1e-4,
        )
        vector = np.asarray(solved.x, float)
    constants, common, inputs, hosts = _unpack(vector, len(accelerators), len(tasks))
    return Fit(
        {
            name: dict(zip(NAMES, map(float, line), strict=True))
            for name, line in zip(accelerators, constants, strict=True)
        },
        dict(zip(NAMES, map(float, common), strict=True)),
        dict(zip(tasks, map(float, inputs), strict=True)),
        dict(zip(accelerators, map(float, hosts), strict=True)),
        vector,
        accelerators,
        tasks,
        len(chosen),
    )


def _residuals(
    vector: Array, table: _Table, centre: Array, spread: Array, accelerators: int, tasks: int
) -> Array:
    constants, _, inputs, hosts = _unpack(vector, accelerators, tasks)
    modelled = np.log(np.stack(_model(table, constants, inputs, hosts)))
    raw = (np.array(WEIGHTS)[:, None] * (modelled - table.measured) / SCALE).ravel()
    robust = np.sign(raw) * np.sqrt(2.0 * (np.sqrt(1.0 + raw**2) - 1.0))
    return np.concatenate([robust, (vector - centre) / spread])


def predict_rows(
    rows: Sequence[BenchRow], calibration: Fit, *, columns_only: bool = False
) -> tuple[Array, Array, Array]:
    """Throughput (tok/s), power (W) and median inter-token latency (s) of rows without a `reason`.

    Accelerators that the calibration has not seen get the common constants, tasks their prior prompt.
    """
    if not rows:
        return np.empty(0), np.empty(0), np.empty(0)
    accelerators = sorted({str(row.accelerator) for row in rows})
    tasks = sorted({row.task for row in rows})
    table = _table(rows, accelerators, tasks, columns_only)
    constants = [calibration.constants.get(name, calibration.common) for name in accelerators]
    inputs = [calibration.input_tokens.get(t, INPUT_TOKENS.get(t, UNKNOWN_INPUT)[0]) for t in tasks]
    hosts = [calibration.host_ms.get(name, HOST_MS.get(name, (0.0, 0.0))[0]) for name in accelerators]
    return _model(
        table,
        np.array([[line[name] for name in NAMES] for line in constants]),
        np.array(inputs),
        np.array(hosts),
    )


def shipped() -> Fit:
    """The calibration that ships: constants of the catalogue's accelerators, prompts, hosts."""
    constants = {name: accelerator_entry(name).inference.model_dump() for name in names("accelerator")}
    common = {key: float(np.exp(np.mean([np.log(constants[a][key]) for a in FITTED]))) for key in NAMES}
    return Fit(constants, common, SHIPPED_INPUT_TOKENS, SHIPPED_HOST_MS)


def main(arguments: Sequence[str]) -> int:
    """Print the constants fitted on DATA_DIR/mlenergy_v3 as catalogue lines, with what they rest on."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m aidc.calibrate.inference DATA_DIR\n")
        return 2
    try:
        rows = read_v3(Path(arguments[0]) / "mlenergy_v3" / "llm_configurations.csv")
    except InputError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    text = [row for row in rows if is_text(row.task) and usable(row)]
    made = fit(text)
    sys.stdout.write(_catalogue_lines(text, made, _left_out_error(text, made)))
    return 0


def _left_out_error(rows: Sequence[BenchRow], made: Fit) -> float:
    """Median absolute error of J/token with the model left out, percent."""
    errors: list[float] = []
    for group in sorted({row.group for row in rows}):
        inside = [row for row in rows if row.group == group]
        refit = fit([row for row in rows if row.group != group], start=made)
        rate, power, _ = predict_rows(inside, refit)
        measured = np.array([(row.power_w or 1.0) / (row.throughput_tok_s or 1.0) for row in inside])
        errors += list(np.abs(power / rate / measured - 1.0))
    return 100.0 * float(np.median(errors)) if errors else 0.0


def _catalogue_lines(rows: Sequence[BenchRow], made: Fit, error_pct: float) -> str:
    lines: list[str] = []
    for name in made.accelerators:
        mine = sum(row.accelerator == name for row in rows)
        note = f"{mine} of {len(rows)} rows fitted together; J/token error, model left out: {error_pct:.1f} %"
        lines += [f"# {name}: {note}", "[inference]"]
        lines += [
            f'{key} = {{ value = {value:.3g}, source = "mlenergy3", confidence = "measured" }}'
            for key, value in made.constants[name].items()
        ]
        lines.append("")
    lines += [f"# prompt of {task}: {tokens:.0f} tokens" for task, tokens in made.input_tokens.items()]
    lines += [f"# host of {name}: {made.host_ms[name]:.2f} ms per 1000 tokens" for name in made.accelerators]
    lines += [f"# model: {group}" for group in sorted({row.group for row in rows})]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
