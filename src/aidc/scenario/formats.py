"""Formats of request traces, and the registry that others add theirs to.

A format is a function `read(path) -> Requests`. Another package adds one with an entry point:

    [project.entry-points."aidc.demand"]
    my-format = "my_package.traces:read"

and a site uses it with `demand = { use = "trace", format = "my-format", file = "…" }`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
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

__all__ = ["GROUP", "Requests", "format_names", "read_azure", "read_mooncake", "reader_of"]

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
        There is none of this name.
    """
    if name in _BUILT_IN:
        return _BUILT_IN[name]
    for point in entry_points(group=GROUP, name=name):
        return partial(_foreign, point)
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

    Source: github.com/Azure/AzurePublicDataset, AzureLLMInferenceDataset2023.md. Times carry no
    zone; only their differences are used.
    """
    table = read_table(path)
    micro = clock_times(table, "TIMESTAMP", naive_is_utc=True)
    context = table.numbers("ContextTokens", 0.0, _MOST_TOKENS)
    generated = table.numbers("GeneratedTokens", 0.0, _MOST_TOKENS)
    return Requests((micro - micro.min()) / 1e6, context, generated, _order(path, micro / 1e6))


def read_mooncake(path: Path) -> Requests:
    """Mooncake traces: one JSON object a line with timestamp [ms], input_length, output_length.

    Source: github.com/kvcache-ai/Mooncake, FAST25-release.
    """
    rows: list[tuple[float, float, float]] = []
    for number, line in enumerate(read_text(path).splitlines(), 1):
        if line.strip():
            rows.append(_mooncake_row(path, number, line))
    data = np.array(rows, dtype=np.float64)
    return Requests(data[:, 0] / 1e3, data[:, 1], data[:, 2], _order(path, data[:, 0]))


def _mooncake_row(path: Path, number: int, line: str) -> tuple[float, float, float]:
    try:
        row: Any = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(
            Problem(f"is not a JSON object: {error}", "Mend the line.", path, f"line {number}")
        ) from error
    limits = (("timestamp", _MOST_MS), ("input_length", _MOST_TOKENS), ("output_length", _MOST_TOKENS))
    values: list[float] = []
    for key, most in limits:
        value = row.get(key) if isinstance(row, dict) else None
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= most:
            raise InputError(
                Problem(
                    f"needs {key} as a number from 0 to {most:g}",
                    "Mend the line.",
                    path,
                    f"line {number}",
                    value,
                )
            )
        values.append(float(value))
    return values[0], values[1], values[2]


def _order(path: Path, times: FloatArray) -> tuple[str, ...]:
    back = int(np.count_nonzero(np.diff(times) < 0))
    return (f"{path.name}: requests were out of order in {back} places; counted by time",) if back else ()


_BUILT_IN: Final[dict[str, Callable[[Path], Requests]]] = {"azure": read_azure, "mooncake": read_mooncake}
