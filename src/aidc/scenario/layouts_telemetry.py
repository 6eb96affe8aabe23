"""Layouts of power logs: Prometheus range queries, DCGM and nvidia-smi.

Prometheus: HTTP API, "Range queries" (result type matrix). DCGM: `dcgmi dmon` and `nvidia-smi dmon` print columns
under a header that begins with #; `nvidia-smi --query-gpu=… --format=csv` prints CSV with units in its header.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from aidc.errors import InputError, Problem
from aidc.scenario.layouts import Layout, document_of
from aidc.scenario.table import Table, table_of
from aidc.scenario.unitnames import power_unit

__all__ = ["LAYOUTS"]

_HIDDEN: Final = {"__name__", "job", "endpoint", "container", "namespace", "prometheus", "service"}
_WATTS: Final = re.compile(r"power_usage|power_draw|_watts(?:_|$)|power_instant", re.IGNORECASE)


# ---- Prometheus ------------------------------------------------------------------------------------


def _is_prometheus(head: str) -> bool:
    return head[:1] == "{" and '"resultType"' in head and '"result"' in head


def _prometheus(path: Path, text: str, point: str | None) -> Table:
    document = document_of(path, text)
    if document.get("status") == "error":
        what = f"is an error of Prometheus: {document.get('error', 'unknown')}"
        raise InputError(Problem(what, "Correct the query.", path))
    data = document["data"]
    if data["resultType"] != "matrix":
        what = f"is a {data['resultType']}, one instant and no range"
        raise InputError(Problem(what, "Ask /api/v1/query_range.", path))
    series: list[Mapping[str, Any]] = data["result"]
    if not series:
        raise InputError(Problem("has no series", "Correct the query.", path))
    names = _metric_names(series)
    times = sorted({value[0] for one in series for value in one["values"]})
    place = {time: row for row, time in enumerate(times)}
    columns: dict[str, Sequence[str]] = {"time": [_decimal(time) for time in times]}
    for name, one in zip(names, series, strict=True):
        if point is not None and point not in name:
            continue
        cells = [""] * len(times)
        for time, value in one["values"]:
            cells[place[time]] = str(value)
        columns[name] = cells
    return Table(path, columns, list(range(1, len(times) + 1)), "Prometheus range query", "UTC (Unix time)")


def _metric_names(series: list[Mapping[str, Any]]) -> list[str]:
    """A name for each series: the metric, and the labels in which the series differ."""
    labels = [one.get("metric", {}) for one in series]
    keys = sorted({key for one in labels for key in one} - {"__name__"})
    telling = [key for key in keys if len({one.get(key) for one in labels}) > 1]
    short = [key for key in telling if key not in _HIDDEN] or telling
    found: list[str] = []
    for number, one in enumerate(labels):
        name = str(one.get("__name__", "value"))
        told = ",".join(f"{key}={one[key]}" for key in short if key in one)
        unit = " (W)" if _WATTS.search(name) and power_unit(name) is None else ""
        unit = " (W)" if unit or (told and power_unit(name) is not None) else ""
        full = f"{name}{{{told}}}{unit}" if told else f"{name}{unit}"
        found.append(full if full not in found else f"{full} #{number}")
    return found


def _decimal(time: float) -> str:
    text = f"{time:.6f}" if isinstance(time, float) else str(time)
    return text.rstrip("0").rstrip(".") if "." in text else text


# ---- DCGM and nvidia-smi dmon ----------------------------------------------------------------------


def _is_dmon(head: str) -> bool:
    first = head.partition("\n")[0]
    return bool(re.match(r"#\s*(entity|gpu|date|time)\b", first, re.IGNORECASE)) and "," not in first


def _dmon(path: Path, text: str, point: str | None) -> Table:
    """Rows of GPUs in turn; a sample begins where the first GPU comes again."""
    header: list[str] = []
    samples: list[dict[str, str]] = []
    lines: list[int] = []
    columns: dict[str, None] = {}
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if not words:
            continue
        if line.lstrip().startswith("#"):
            if not header:
                header = line.replace("#", " ").split()
            continue
        if words[0].lower() in ("id", "idx"):
            continue
        row = _dmon_row(path, number, header, words)
        gpu = row.pop("gpu")
        name = f"gpu{gpu}_power_w"
        power = next((row[key] for key in row if key.lower() in ("power", "powr", "pwr")), None)
        if power is None:
            what = "has no column of power"
            raise InputError(
                Problem(what, "Log it: dcgmi dmon -e 155 (or nvidia-smi dmon -s p).", path, "line 1", header)
            )
        if not samples or name in samples[-1]:
            samples.append({})
            lines.append(number)
        stamp = " ".join(row[key] for key in row if key.lower() in ("date", "time"))
        if stamp:
            samples[-1].setdefault("stamp", stamp)
        samples[-1][name] = "" if power.lower() in ("-", "n/a") else power
        columns[name] = None
    if not samples:
        raise InputError(Problem("has no samples", "Give an unchanged log.", path))
    times, zone, notes = _dmon_times(samples)
    wanted = [name for name in columns if point is None or name.startswith(f"{point}_")]
    cells = {name: [sample.get(name, "") for sample in samples] for name in wanted}
    return Table(path, {"time": times, **cells}, lines, "DCGM or nvidia-smi dmon", zone, notes=notes)


def _dmon_row(path: Path, number: int, header: list[str], words: list[str]) -> dict[str, str]:
    """The cells of one line under the names of the header; `GPU 0` is one cell."""
    keys = [key.lower() for key in header]
    if keys and keys[0] == "entity" and len(words) == len(keys) + 1:
        words = [words[1], *words[2:]]
    if len(words) != len(keys):
        what = f"has {len(words)} cells where the header has {len(keys)}"
        raise InputError(Problem(what, "Correct the line.", path, f"line {number}"))
    row = dict(zip(header, words, strict=True))
    first = next(key for key in header if key.lower() in ("entity", "gpu"))
    return {"gpu": row.pop(first), **row}


def _dmon_times(samples: list[dict[str, str]]) -> tuple[list[str], str, tuple[str, ...]]:
    stamps = [sample.get("stamp", "") for sample in samples]
    if all(re.fullmatch(r"\d{8} \d{2}:\d{2}:\d{2}", stamp) for stamp in stamps):
        times = [f"{s[:4]}-{s[4:6]}-{s[6:8]}T{s[9:]}Z" for s in stamps]
        return times, "the logger's own clock, taken as UTC", ()
    note = "has no times; its samples are taken as one second apart, the default of dmon"
    return [str(row) for row in range(len(samples))], "", (note,)


# ---- nvidia-smi --query-gpu ------------------------------------------------------------------------


def _is_query(head: str) -> bool:
    first = head.partition("\n")[0].lower()
    return "power.draw" in first and "timestamp" in first


def _query(path: Path, text: str, point: str | None) -> Table:
    table = table_of(path, text)
    names = {name.partition(" [")[0].lower(): name for name in table.columns}
    power = names[
        next(key for key in ("power.draw.instant", "power.draw.average", "power.draw") if key in names)
    ]
    gpu = next(
        (names[key] for key in ("index", "uuid", "pci.bus_id", "gpu_uuid", "name") if key in names), None
    )
    owners = table.columns[gpu] if gpu else ["0"] * len(table)
    moments: list[np.datetime64] = []
    for row, cell in enumerate(table.columns[names["timestamp"]]):
        try:
            moments.append(np.datetime64(cell.replace("/", "-").replace(" ", "T"), "us"))
        except ValueError as error:
            place = f"line {table.lines[row]}, column timestamp"
            raise InputError(Problem("is not a time", "Give an unchanged log.", path, place, cell)) from error
    stamps = np.array(moments).astype(np.int64)
    step_us, notes = _even_step(path, stamps, owners)
    slots = np.round((stamps - stamps.min()) / step_us).astype(np.int64)
    order = sorted(set(slots.tolist()))
    place_of = {slot: row for row, slot in enumerate(order)}
    columns: dict[str, list[str]] = {}
    lines = [0] * len(order)
    for row, (slot, owner) in enumerate(zip(slots.tolist(), owners, strict=True)):
        if point is not None and owner != point:
            continue
        cell = table.columns[power][row].replace(" W", "").strip("[] ")
        at = place_of[slot]
        columns.setdefault(f"gpu{owner}_power_w", [""] * len(order))[at] = (
            "" if "n/a" in cell.lower() else cell
        )
        lines[at] = lines[at] or table.lines[row]
    first = stamps.min()
    times = [f"{np.datetime64(int(first + slot * step_us), 'us')}Z" for slot in order]
    zone = "the logger's own clock, taken as UTC"
    return Table(path, {"time": times, **columns}, lines, "nvidia-smi --query-gpu", zone, notes=notes)


def _even_step(path: Path, stamps: np.ndarray, owners: Sequence[str]) -> tuple[int, tuple[str, ...]]:
    """The loop's step, to the millisecond or to whole seconds, and how far the times lie off it."""
    own = stamps[[row for row, owner in enumerate(owners) if owner == owners[0]]]
    if own.size < 2:
        raise InputError(Problem("has fewer than two samples", "Give a longer log.", path))
    steps = np.diff(own)
    median = float(np.median(steps[steps > 0])) if (steps > 0).any() else 0.0
    if median <= 0:
        raise InputError(Problem("has times that do not advance", "Give an unchanged log.", path))
    unit = 1_000_000 if median >= 900_000 else 10_000
    step = max(unit, round(median / unit) * unit)
    off = stamps - stamps.min() - np.round((stamps - stamps.min()) / step) * step
    worst = float(np.abs(off).max()) / 1e3
    note = f"times were snapped to an even step of {step / 1e6:g} s; the farthest moved by {worst:.0f} ms"
    return step, (note,) if worst > 0 else ()


LAYOUTS: Final = (
    Layout("Prometheus range query", _is_prometheus, _prometheus),
    Layout("DCGM or nvidia-smi dmon", _is_dmon, _dmon),
    Layout("nvidia-smi --query-gpu", _is_query, _query),
)
