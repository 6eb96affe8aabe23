"""Rows of the ML.ENERGY benchmark as the fit and the validation read them, v3 and v2 formats.

A row that cannot be used keeps its place with a `reason`. The batch is the engine's limit
(`max_num_seqs`), which the benchmark keeps filled; measured batch, power and latency are never inputs.
Formats: https://github.com/ml-energy/leaderboard (v3), https://github.com/ml-energy/benchmark (v2).
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from aidc.catalogue import names, read
from aidc.errors import InputError, Problem
from aidc.schema.accelerator import Accelerator
from aidc.schema.llm import Llm, Precision

__all__ = [
    "BenchRow",
    "accelerator_entry",
    "accelerator_of",
    "family_of",
    "group_of",
    "is_text",
    "known_llm",
    "read_v2",
    "read_v3",
]

_OTHER_SENSES: Final = re.compile(r"image|video|audio|vision|speech|multimodal|omni")

# Words of a model's name that do not make it another model: tuning, precision, modality, date.
_SIBLING: Final = re.compile(
    r"(instruct|thinking|reasoning|chat|base|it|hf|coder|vl|omni|vision|fp8|fp4|nvfp4|mxfp4|bf16|fp16|int8|int4|awq|gptq"
    r"|w8a8|preview|v0\.\d|\d{4})"
)
# Parameter counts (10⁹) of models whose name does not tell, v2 only: arXiv 2404.14219.
_SIZES: Final = {"phi-3-mini": 3.8, "phi-3-small": 7.4, "phi-3-medium": 14.0}


LEAST: Final = (
    1e-6  # no figure of a configuration, in the file's units, is smaller or larger than its inverse
)


@dataclass(frozen=True, slots=True)
class BenchRow:
    """One measured configuration. `llm` is the catalogue's entry; `bare` knows the row's columns only."""

    item: str
    task: str
    model_id: str
    group: str
    family: str
    accelerator_name: str
    accelerator: str | None
    llm: Llm | None
    bare: Llm | None
    precision: Precision
    count: int
    tensor: int
    expert: int
    batch: float
    output_tokens: float
    throughput_tok_s: float | None
    power_w: float | None
    itl_s: float | None
    energy_j: float | None
    reason: str | None = None


def is_text(task: str) -> bool:
    """Whether a task has text alone for input: chat, questions, code; not images, video or audio."""
    return _OTHER_SENSES.search(task.lower()) is None


def group_of(model_id: str) -> str:
    """The model without tuning, precision and modality: siblings share it."""
    name = model_id.rsplit("/", 1)[-1].lower()
    kept = [word for word in re.split(r"[-_ ]+", name) if word and not _SIBLING.fullmatch(word)]
    if kept[:1] in (["nvidia"], ["meta"]):  # the maker written before the name
        kept = kept[1:]
    return "-".join(kept) or name


def family_of(model_id: str) -> str:
    """The organisation, or the first word of the name where none is given."""
    if "/" in model_id:
        return model_id.split("/", 1)[0].lower()
    return re.split(r"[-_ .\d]", model_id.strip().lower(), maxsplit=1)[0]


@cache
def _llms() -> Mapping[str, Llm]:
    entries: dict[str, Llm] = {}
    for name in names("llm"):
        llm = Llm(**read("llm", name).values)
        for alias in (name, *llm.aliases):
            entries[alias] = llm
    return entries


def known_llm(model_id: str) -> Llm | None:
    """The catalogue's entry for a model or one of its siblings."""
    group = group_of(model_id)
    known = _llms()
    if group in known:
        return known[group]
    return next((llm for name, llm in known.items() if group_of(name) == group), None)


@cache
def accelerator_of(name: str) -> str | None:
    """The catalogue's name of an accelerator written as in a benchmark ("NVIDIA H100 80GB HBM3")."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower())
    if "a100" in plain:
        return "a100-40gb" if "40gb" in plain else "a100-80gb"
    found = [entry for entry in names("accelerator") if entry in plain]
    return max(found, key=len, default=None)


@cache
def accelerator_entry(name: str) -> Accelerator:
    """The accelerator of the catalogue, validated."""
    return Accelerator(**read("accelerator", name).values)


def _number(row: Mapping[str, str | None], key: str) -> float | None:
    text = row.get(key)
    try:
        value = float(text) if text not in (None, "") else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _positive(row: Mapping[str, str | None], key: str, wrong: list[str], limit: float = 1e12) -> float:
    value = _number(row, key)
    if value is None or not LEAST < value < limit:
        wrong.append(f"{key} = {row.get(key)!r}")
        return 1.0
    return value


def _optional(row: Mapping[str, str | None], key: str) -> float | None:
    value = _number(row, key)
    return value if value is not None and LEAST < value < 1 / LEAST else None


def _precision(text: str) -> Precision | None:
    plain = text.strip().lower()
    if plain in ("bfloat16", "bf16", "float16", "fp16"):
        return "bf16"
    if "fp8" in plain or plain in ("int8", "w8a8"):
        return "fp8"
    return "fp4" if "fp4" in plain or plain == "int4" else None


def _rows(path: Path) -> list[dict[str, str | None]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as handle:
            return [{k: v for k, v in row.items() if isinstance(k, str)} for row in csv.DictReader(handle)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(Problem(f"cannot be read: {error}", "Give a CSV file in UTF-8.", path)) from error


def read_v3(path: Path) -> list[BenchRow]:
    """Every row of a v3 file (`llm_configurations.csv`), usable or not."""
    return [_v3(row) for row in _rows(path)]


def _v3(row: Mapping[str, str | None]) -> BenchRow:
    wrong: list[str] = []
    model_id = (row.get("model_id") or row.get("nickname") or "").strip()
    if not model_id:
        wrong.append("no model_id")
    total = _positive(row, "total_params_billions", wrong, 1e5)
    active = _positive(row, "activated_params_billions", wrong, 1e5)
    bare = _bare(model_id, total, active, row.get("architecture") or "")
    if bare is None:
        wrong.append(f"activated {active:g} B exceed total {total:g} B")
    precision = _precision(row.get("weight_precision") or "")
    if precision is None:
        wrong.append(f"weight_precision = {row.get('weight_precision')!r}")
    count, ranks, expert = _parallelism(row, wrong)
    gpu = (row.get("gpu_model") or "").strip()
    task = (row.get("task") or "").strip()
    batch = _positive(row, "max_num_seqs", wrong, 1e6)
    itl_ms = _optional(row, "median_itl_ms")
    return BenchRow(
        item=f"{task} | {model_id} | {count}x{gpu} | {batch:g} seqs" + (f" | DP{ranks}" if ranks > 1 else ""),
        task=task,
        model_id=model_id,
        group=group_of(model_id),
        family=family_of(model_id),
        accelerator_name=gpu,
        accelerator=_accelerator(gpu, wrong),
        llm=known_llm(model_id) if model_id else None,
        bare=bare,
        precision=precision or "bf16",
        count=count,
        tensor=count // ranks,
        expert=expert,
        batch=batch,
        output_tokens=max(1.0, _positive(row, "avg_output_len", wrong, 1e7)),
        throughput_tok_s=_optional(row, "output_throughput_tokens_per_sec"),
        power_w=_optional(row, "avg_power_watts"),
        itl_s=None if itl_ms is None else itl_ms / 1e3,
        energy_j=_optional(row, "energy_per_token_joules"),
        reason="; ".join(wrong) or None,
    )


def _accelerator(gpu: str, wrong: list[str]) -> str | None:
    name = accelerator_of(gpu) if gpu else None
    if name is None:
        wrong.append(f"no accelerator {gpu!r} in the catalogue")
    return name


def _parallelism(row: Mapping[str, str | None], wrong: list[str]) -> tuple[int, int, int]:
    """Accelerators, data-parallel ranks, expert-parallel group; ones where they make no sense."""
    count = _positive(row, "num_gpus", wrong, 1e4)
    ranks = _number(row, "data_parallel") or 1.0
    expert = _number(row, "expert_parallel") or 1.0
    if count % 1 or ranks % 1 or not 1 <= ranks <= count or count % ranks or not 1 <= expert <= count:
        wrong.append(f"parallelism {ranks:g} x {expert:g} on {count:g}")
        return 1, 1, 1
    return int(count), int(ranks), int(expert)


def _bare(model_id: str, total: float, active: float, architecture: str) -> Llm | None:
    """What the row's own columns tell; a hybrid gets the usual share of state-space layers."""
    try:
        plain = Llm(organisation=family_of(model_id) or "?", parameters_b=total, activated_b=active)
    except ValidationError:
        return None
    if not re.search(r"hybrid|mamba|ssm", architecture, re.IGNORECASE):
        return plain
    layers = max(4, round(56 * (total / 10.0) ** 0.3))
    return plain.model_copy(
        update={
            "layers": layers,
            "attention_layers": max(1, round(0.09 * layers)),
            "ssm_layers": round(0.45 * layers),
            "ssm_state_mb": 2.6 * layers,
        }
    )


def read_v2(path: Path) -> list[BenchRow]:
    """The text rows of a v2 file; pipeline-parallel ones carry a reason."""
    return [_v2(row) for row in _rows(path) if (row.get("category") or "").startswith("llm_")]


def _v2(row: Mapping[str, str | None]) -> BenchRow:
    wrong: list[str] = []
    model_id = (row.get("Model") or "").strip()
    gpu = (row.get("GPU") or "").strip()
    count = _positive(row, "TP", wrong, 1e4)
    batch = _positive(row, "Max BS (reqs)", wrong, 1e6)
    output = _positive(row, "Avg Output Tokens", wrong, 1e7)
    if (_number(row, "PP") or 1.0) > 1:
        wrong.append("pipeline parallelism is not modelled")
    accelerator = _accelerator(gpu, wrong)
    llm = known_llm(model_id)
    size = _named_size(model_id)
    if llm is None and size is None:
        wrong.append("parameter count unknown")
    throughput = _optional(row, "Token tput (tok/s)")
    request_j = _optional(row, "Energy/req (J)")
    energy_j = None if request_j is None else request_j / output
    return BenchRow(
        item=f"{model_id} | {count:g}x{gpu} | {batch:g} seqs",
        task="v2-" + (row.get("category") or "").rsplit("/", 1)[-1],
        model_id=model_id,
        group=group_of(model_id),
        family=family_of(model_id),
        accelerator_name=gpu,
        accelerator=accelerator,
        llm=llm,
        bare=_bare(model_id, size, size, "") if size else None,
        precision="fp8" if "405B" in model_id else "bf16",
        count=int(count),
        tensor=int(count),
        expert=1,
        batch=batch,
        output_tokens=max(1.0, output),
        throughput_tok_s=throughput,
        power_w=None if energy_j is None or throughput is None else energy_j * throughput,
        itl_s=_optional(row, "Avg TPOT (s)"),
        energy_j=energy_j,
        reason="; ".join(wrong) or None,
    )


def _named_size(model_id: str) -> float | None:
    lower = model_id.lower()
    named = next((size for name, size in _SIZES.items() if name in lower), None)
    match = re.search(r"(\d+(?:\.\d+)?)b(?![a-z])", lower)
    return named if named is not None else (float(match.group(1)) if match else None)
