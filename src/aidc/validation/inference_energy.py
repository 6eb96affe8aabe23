"""`inference-energy`: throughput, power and energy per token of serving configurations, predicted.

The judged rows are the text tasks of `mlenergy_v3/llm_configurations.csv` (chat, reasoning questions,
code completion: whatever has no image, video or audio in); the other tasks are shown. Inputs are the
model, precision, accelerator, count, parallelism, batch limit, output length and task, and the
catalogue's architecture figures; measured batch, power, throughput and latency are not.

A model that the shipped constants were fitted on is predicted by a refit on the folder's rows without
that model (tunings, precisions and vision siblings count as it). A model they have never seen is
predicted with them as they ship. With its family left out, a row whose family they know needs a refit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from aidc.calibrate.inference_rows import BenchRow, is_text, read_v3
from aidc.validation.case import Case, Row
from aidc.validation.inference_baselines import log_linear, nearest
from aidc.validation.inference_left_out import FAMILY, MODEL, Guess, LeftOut

__all__ = ["cases"]

NAME: Final = "inference-energy"
UNIT: Final = "percent"
FILE: Final = Path("mlenergy_v3") / "llm_configurations.csv"
POOLED: Final = "ML.ENERGY v3, text"

Measure = Callable[[BenchRow], float | None]
Figure = Callable[[Guess], float | None]


def cases(data_dir: Path) -> Sequence[Case]:
    """Judged and shown figures over the folder's configurations; none without the file."""
    path = next((at for at in (data_dir / FILE, data_dir / FILE.name) if at.is_file()), None)
    if path is None:
        return []
    rows = read_v3(path)
    text = [row for row in rows if is_text(row.task)]
    found = _text_cases(text) if text else []
    senses = [row for row in rows if not is_text(row.task)]
    if senses:
        guesses = LeftOut(rows).guess(senses, MODEL)
        note = "image, video and audio prompts; their encoders are not modelled"
        found.append(_energy(senses, guesses, "ML.ENERGY v3, other senses", "model left out", note=note))
    return found


def _text_cases(text: Sequence[BenchRow]) -> list[Case]:
    left_out = LeftOut(text)
    model = left_out.guess(text, MODEL)
    family = left_out.guess(text, FAMILY)
    columns = left_out.guess(text, MODEL, columns_only=True)
    rows = _rows(text, model, _energy_of, Guess.energy_j)
    bias_note = "signed: positive is too much energy"
    found = [
        _energy(text, model, POOLED, "model left out", 15.0),
        _energy(text, family, POOLED, "family left out", 17.0),
        _energy(text, columns, POOLED, "model left out, columns alone", 20.0),
        _bar("throughput, median |error|, model left out", 17.0, _rows(text, model, _rate_of, Guess.rate)),
        _bar(
            "replica power, median |error|, model left out", 15.0, _rows(text, model, _power_of, Guess.power)
        ),
        Case(
            NAME,
            POOLED,
            "J/token, signed median error, model left out",
            _quantile(rows, 0.5, np.asarray),
            5.0,
            UNIT,
            rows,
            bias_note,
        ),
        Case(
            NAME,
            POOLED,
            "J/token, p90 |error|, model left out",
            _quantile(rows, 0.9),
            None,
            UNIT,
            rows,
            "",
            "shown",
        ),
        _shown("median inter-token latency, median |error|", _rows(text, model, _itl_of, Guess.itl)),
    ]
    for name in sorted({row.accelerator_name for row in text}):
        mine = [i for i, row in enumerate(text) if row.accelerator_name == name]
        part, some = [text[i] for i in mine], [model[i] for i in mine]
        found.append(_energy(part, some, f"ML.ENERGY v3, text, {name or 'no accelerator'}", "model left out"))
    found.append(_energy(text, nearest(text), POOLED, "nearest other model (baseline)"))
    found.append(_energy(text, log_linear(text), POOLED, "log-linear regression (baseline)"))
    return found


def _energy_of(row: BenchRow) -> float | None:
    if row.energy_j is not None:
        return row.energy_j
    return row.power_w / row.throughput_tok_s if row.power_w and row.throughput_tok_s else None


def _rate_of(row: BenchRow) -> float | None:
    return row.throughput_tok_s


def _power_of(row: BenchRow) -> float | None:
    return row.power_w


def _itl_of(row: BenchRow) -> float | None:
    return row.itl_s


def _rows(rows: Sequence[BenchRow], guesses: Sequence[Guess], measure: Measure, figure: Figure) -> list[Row]:
    return [
        Row(
            row.item,
            measure(row),
            figure(guess),
            guess.reason,
            guess.left_out,
            {
                "architecture": "catalogue" if row.llm else "from size",
                "constants": guess.origin,
                "output_tokens": row.output_tokens,
            },
        )
        for row, guess in zip(rows, guesses, strict=True)
    ]


def _quantile(rows: Sequence[Row], q: float, of: Callable[[np.ndarray], np.ndarray] = np.abs) -> float | None:
    errors = [
        row.predicted / row.measured - 1.0 for row in rows if row.predicted is not None and row.measured
    ]
    return 100.0 * float(np.quantile(of(np.array(errors)), q)) if errors else None


def _energy(
    rows: Sequence[BenchRow],
    guesses: Sequence[Guess],
    dataset: str,
    how: str,
    limit: float | None = None,
    note: str = "",
) -> Case:
    made = _rows(rows, guesses, _energy_of, Guess.energy_j)
    metric = f"J/token, median |error|, {how}"
    kind = "shown" if limit is None else "bar"
    return Case(NAME, dataset, metric, _quantile(made, 0.5), limit, UNIT, made, note, kind)


def _bar(metric: str, limit: float, rows: Sequence[Row]) -> Case:
    return Case(NAME, POOLED, metric, _quantile(rows, 0.5), limit, UNIT, rows)


def _shown(metric: str, rows: Sequence[Row]) -> Case:
    return Case(NAME, POOLED, metric, _quantile(rows, 0.5), None, UNIT, rows, "", "shown")
