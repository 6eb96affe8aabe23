"""Formats of request traces, and the registry that others add theirs to.

A format is a function `read(path) -> Requests`. Another package adds one with an entry point:

    [project.entry-points."aidc.demand"]
    my-format = "my_package.traces:read"

and a site uses it with `demand = { use = "trace", format = "my-format", file = "…" }`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Final

import numpy as np

from aidc.errors import AidcError, InputError, Problem
from aidc.scenario.series import FloatArray
from aidc.scenario.table import read_table, read_text
from aidc.scenario.timeparse import clock_times

__all__ = [
    "GROUP",
    "Requests",
    "format_names",
    "format_of",
    "read_azure",
    "read_burstgpt",
    "read_mooncake",
    "read_splitwise",
    "read_vllm",
    "reader_of",
]

GROUP: Final = "aidc.demand"

_MOST_TOKENS = 1e8  # of one request
_MOST_MS = 1e13  # three hundred years


@dataclass(frozen=True, slots=True)
class Requests:
    """Single requests in any order.

    Parameters
    ----------
    time_s : ndarray (n,)
        Arrival, seconds from the trace's own zero.
    input_tokens, output_tokens : ndarray (n,)
        Tokens of the prompt and of the answer.
    repairs : tuple of str
        What was mended on reading.
    """

    time_s: FloatArray
    input_tokens: FloatArray
    output_tokens: FloatArray
    repairs: tuple[str, ...] = ()


def format_names() -> list[str]:
    """Formats that are built in or installed, sorted."""
    return sorted({*_BUILT_IN, *(point.name for point in entry_points(group=GROUP))})


def reader_of(name: str) -> Callable[[Path], Requests]:
    """The reader of a format: built in, or an installed entry point of the group `aidc.demand`.

    Raises
    ------
    InputError
        There is none of this name, or more than one.
    """
    points = list(entry_points(group=GROUP, name=name))
    if len(points) + (name in _BUILT_IN) > 1:
        where = ["aidc itself"] * (name in _BUILT_IN) + [point.value for point in points]
        raise InputError(
            Problem(
                f"is the name of several trace formats: of {' and '.join(where)}",
                f'Rename that of your own in its package ([project.entry-points."{GROUP}"]), or uninstall the package.',
                key="format",
                value=name,
            )
        )
    if name in _BUILT_IN:
        return _BUILT_IN[name]
    if points:
        return partial(_foreign, points[0])
    raise InputError(
        Problem(
            "is not a known trace format", f"Known: {', '.join(format_names())}.", key="format", value=name
        )
    )


def _foreign(point: EntryPoint, path: Path) -> Requests:
    """Load and call a plug-in; whatever it raises is named as its own."""
    try:
        found = point.load()(path)
    except AidcError:
        raise
    except Exception as error:
        raise InputError(
            Problem(f"the format {point.name!r} failed: {error!r}", f"Mend {point.value}, or the file.", path)
        ) from error
    if not isinstance(found, Requests):
        raise InputError(
            Problem(f"the format {point.name!r} did not give Requests", f"Mend {point.value}.", path)
        )
    return found


def read_azure(path: Path) -> Requests:
    """Azure LLM inference traces: CSV with TIMESTAMP, ContextTokens, GeneratedTokens.

    Source: github.com/Azure/AzurePublicDataset, AzureLLMInferenceDataset2023.md and …2024.md. Times carry
    no zone, or UTC; only their differences are used.
    """
    table = read_table(path)
    micro = clock_times(table, "TIMESTAMP", naive_is_utc=True)
    context = table.numbers("ContextTokens", 0.0, _MOST_TOKENS)
    generated = table.numbers("GeneratedTokens", 0.0, _MOST_TOKENS)
    return Requests((micro - micro.min()) / 1e6, context, generated, _order(path, micro / 1e6))


def read_burstgpt(path: Path) -> Requests:
    """BurstGPT: CSV with Timestamp [s], Request tokens, Response tokens; rows without an answer failed.

    Source: github.com/HPMLL/BurstGPT, README; Wang et al., arXiv 2401.17644.
    """
    table = read_table(path)
    times = table.numbers("Timestamp", -1e12, 1e12)
    asked = table.numbers("Request tokens", 0.0, _MOST_TOKENS)
    answered = table.numbers("Response tokens", 0.0, _MOST_TOKENS)
    return _without_failures(path, times, asked, answered)


def read_splitwise(path: Path) -> Requests:
    """Traces of splitwise-sim: CSV with arrival_timestamp [s], prompt_size, token_size.

    Source: github.com/Mutinifni/splitwise-sim, traces/.
    """
    table = read_table(path)
    times = table.numbers("arrival_timestamp", -1e12, 1e12)
    prompt = table.numbers("prompt_size", 0.0, _MOST_TOKENS)
    tokens = table.numbers("token_size", 0.0, _MOST_TOKENS)
    batch = table.numbers("batch_size", 1.0, 1e6) if "batch_size" in table.columns else np.ones(times.size)
    if (batch != 1).any():
        raise InputError(
            Problem("has requests in batches", "Write one request a row.", path, "column batch_size")
        )
    return Requests(times, prompt, tokens, _order(path, times))


def read_mooncake(path: Path) -> Requests:
    """Mooncake traces: one JSON object a line with timestamp [ms], input_length, output_length.

    Source: github.com/kvcache-ai/Mooncake, FAST25-release. A list of such objects is read as well, and the
    variant of multi-turn benchmarks in which later turns give a `delay` [ms] after the turn before.
    """
    rows: list[tuple[float, float, float]] = []
    last_ms: dict[Any, float] = {}
    for place, row in _objects(path):
        rows.append(_mooncake_row(path, place, row, last_ms))
    data = np.array(rows, dtype=np.float64)
    return Requests(data[:, 0] / 1e3, data[:, 1], data[:, 2], _order(path, data[:, 0]))


def _objects(path: Path) -> Iterator[tuple[str, Any]]:
    """The objects of a file of JSON lines, or of one JSON list, with their place."""
    text = read_text(path)
    if text.lstrip().startswith("["):
        for number, item in enumerate(_json(path, "", text), 1):
            yield f"item {number}", item
        return
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            yield f"line {number}", _json(path, f"line {number}", line)


def _json(path: Path, place: str, text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(
            Problem(f"is not a JSON object: {error}", "Correct the line.", path, place or None)
        ) from error


_SAME: Final = {
    "timestamp": ("timestamp", "ts", "arrival_time_ms"),
    "input_length": ("input_length", "input_tokens", "prompt_tokens", "input_len"),
    "output_length": ("output_length", "output_tokens", "completion_tokens", "output_len"),
}


def _mooncake_row(path: Path, place: str, row: Any, last_ms: dict[Any, float]) -> tuple[float, float, float]:
    limits = (("timestamp", _MOST_MS), ("input_length", _MOST_TOKENS), ("output_length", _MOST_TOKENS))
    session = row.get("session_id") if isinstance(row, dict) else None
    values: list[float] = []
    for key, most in limits:
        value = next((row[one] for one in _SAME[key] if one in row), None) if isinstance(row, dict) else None
        if key == "timestamp" and value is None and isinstance(row, dict) and session in last_ms:
            delay = row.get("delay")
            value = last_ms[session] + delay if isinstance(delay, (int, float)) else None
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= most:
            raise InputError(
                Problem(
                    f"needs {key} as a number from 0 to {most:g}", "Correct the line.", path, place, value
                )
            )
        values.append(float(value))
    if isinstance(session, (str, int)):
        last_ms[session] = values[0]
    return values[0], values[1], values[2]


def read_vllm(path: Path) -> Requests:
    """Results of vLLM's serving benchmark: JSON with input_lens, output_lens and, where kept, start_times [s].

    Source: vllm bench serve --save-result --save-detailed (github.com/vllm-project/vllm). Without the start
    of each request, requests are spread evenly over `duration`; without their lengths, by the means of
    `total_input_tokens` and `total_output_tokens`. What was done is told.
    """
    document = _json(path, "", read_text(path))
    if not isinstance(document, dict):
        raise InputError(Problem("is not one result", "Give one run's JSON file.", path))
    notes: list[str] = []
    asked, answered = _vllm_lengths(path, document, notes)
    starts = next((document[key] for key in ("start_times", "start_timestamps") if document.get(key)), None)
    if starts is not None and len(starts) == asked.size:
        times = _floats(path, "start_times", starts)
    else:
        duration = _positive(path, document, "duration")
        times = np.arange(asked.size, dtype=np.float64) * (duration / asked.size)
        notes.append(f"has no start of each request; spread evenly over its {duration:g} s")
    found = _without_failures(path, times, asked, answered)
    return Requests(found.time_s, found.input_tokens, found.output_tokens, (*notes, *found.repairs))


def _vllm_lengths(path: Path, document: dict[str, Any], notes: list[str]) -> tuple[FloatArray, FloatArray]:
    if isinstance(document.get("input_lens"), list) and isinstance(document.get("output_lens"), list):
        asked = _floats(path, "input_lens", document["input_lens"])
        answered = _floats(path, "output_lens", document["output_lens"])
        if asked.size == 0 or asked.size != answered.size:
            raise InputError(
                Problem("has lists of different lengths", "Give an unchanged file.", path, "input_lens")
            )
        return asked, answered
    count = round(_positive(path, document, "completed"))
    if not 1 <= count <= 10_000_000:
        raise InputError(Problem("has no credible number of requests", "Check it.", path, "completed", count))
    notes.append("has no length of each request (save it with --save-detailed); all have the mean")
    means = [_positive(path, document, f"total_{word}_tokens") / count for word in ("input", "output")]
    return np.full(count, means[0]), np.full(count, means[1])


def _positive(path: Path, document: dict[str, Any], key: str) -> float:
    value = document.get(key)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < 1e12:
        raise InputError(
            Problem(f"needs {key} as a number above 0", "Save it with --save-result.", path, key, value)
        )
    return float(value)


def _floats(path: Path, key: str, values: list[Any]) -> FloatArray:
    for number, value in enumerate(values, 1):
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < 1e12:
            raise InputError(
                Problem("is not a number", "Give an unchanged file.", path, f"{key}, item {number}", value)
            )
    return np.array(values, dtype=np.float64)


def _without_failures(path: Path, times: FloatArray, asked: FloatArray, answered: FloatArray) -> Requests:
    """Requests that got an answer; the others are told."""
    kept = answered > 0
    failed = int(np.count_nonzero(~kept))
    notes = _order(path, times)
    if failed and kept.any():
        notes = (*notes, f"{path.name}: {failed} requests without an answer failed and are left out")
    else:
        kept = np.ones_like(kept)
    return Requests(times[kept], asked[kept], answered[kept], notes)


def format_of(path: Path) -> str:
    """The format of a trace, by its header.

    Raises
    ------
    InputError
        It is none that is known.
    """
    head = read_text(path)[:65536].lstrip()
    first = head.partition("\n")[0]
    names = {name.strip().lower() for name in first.split(",")}
    for wanted, name in (
        ({"timestamp", "contexttokens", "generatedtokens"}, "azure"),
        ({"timestamp", "request tokens", "response tokens"}, "burstgpt"),
        ({"arrival_timestamp", "prompt_size", "token_size"}, "splitwise"),
    ):
        if wanted <= names:
            return name
    if head[:1] in "{[":
        if (
            '"input_length"' in first[:2000]
            or '"output_length"' in head[:2000]
            or '"input_tokens"' in head[:2000]
        ):
            return "mooncake"
        if any(f'"{key}"' in head for key in ("input_lens", "request_throughput", "total_output_tokens")):
            return "vllm"
    what = "is not a trace of a format that is known by its header"
    raise InputError(
        Problem(what, f"Say which it is: format = … ({', '.join(format_names())}).", path, value=first[:60])
    )


def _order(path: Path, times: FloatArray) -> tuple[str, ...]:
    back = int(np.count_nonzero(np.diff(times) < 0))
    return (f"{path.name}: requests were out of order in {back} places; counted by time",) if back else ()


_BUILT_IN: Final[dict[str, Callable[[Path], Requests]]] = {
    "azure": read_azure,
    "burstgpt": read_burstgpt,
    "mooncake": read_mooncake,
    "splitwise": read_splitwise,
    "vllm": read_vllm,
}
