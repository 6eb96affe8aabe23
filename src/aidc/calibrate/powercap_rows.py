"""Measured power-limit sweeps, read into one shape whatever file they come from.

Three formats (the README of the measured data): `zeus_power_limit/summary_power_<gpu>.csv`,
`emerald_2025/dvfs_sweep.csv` and `mlperf_inference_power/summary.csv`. A cell that is missing or
not a number yields a row with a `problem`, not an exception.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Final

from aidc import catalogue
from aidc.errors import InputError

__all__ = ["CapRow", "number", "read_all", "read_emerald", "read_mlperf", "read_table", "read_zeus"]

Table = Sequence[Mapping[str, str | None]]

ZEUS_JOB: Final = ("dataset", "network", "batch_size", "optimizer")
KNOWN_TDP_W: Final = {
    "a100": 400.0,
    "h100": 700.0,
    "h200": 700.0,
    "b200": 1000.0,
    "gb200": 1200.0,
    "gb300": 1400.0,
}


@dataclass(frozen=True, slots=True)
class CapRow:
    """One point of a sweep: relative throughput at a limit.

    `group` is what is left out of a fit together (one workload in all its batch sizes and copies).
    """

    dataset: str
    device: str
    item: str
    group: str
    cap_w: float | None
    uncapped_w: float | None
    tdp_w: float | None
    ratio: float | None
    problem: str | None = None

    @property
    def binding(self) -> bool:
        """Whether the limit lies below the measured uncapped power."""
        return self.cap_w is not None and self.uncapped_w is not None and self.cap_w < self.uncapped_w


def read_all(data_dir: Path) -> list[CapRow]:
    """Every row of every sweep in the folder."""
    rows: list[CapRow] = []
    for path in sorted((data_dir / "zeus_power_limit").glob("summary_power_*.csv")):
        rows += read_zeus(path)
    for path in sorted((data_dir / "emerald_2025").glob("dvfs_sweep*.csv")):
        rows += read_emerald(path)
    for path in sorted((data_dir / "mlperf_inference_power").glob("summary*.csv")):
        rows += read_mlperf(path)
    return rows


def read_table(path: Path) -> Table:
    """Rows of a CSV file as text; an unreadable file is an empty table."""
    try:
        with path.open(newline="", encoding="utf-8-sig", errors="replace") as file:
            return list(csv.DictReader(file))
    except (OSError, csv.Error):
        return []


def number(row: Mapping[str, str | None], key: str) -> float | None:
    """A positive, finite cell, or None."""
    try:
        value = float(row.get(key) or "")
    except ValueError:
        return None
    return value if math.isfinite(value) and value > 0 else None


def read_zeus(path: Path) -> list[CapRow]:
    """Zeus sweeps: the highest limit of the file stands for the rated power and for "uncapped"."""
    device = path.stem.removeprefix("summary_power_")
    table = read_table(path)
    tdp_w = max((cap for row in table if (cap := number(row, "power_limit"))), default=None)
    free = _mean_at(table, "power_limit", tdp_w, _zeus_job, ("time_per_epoch", "average_power"))
    rows: list[CapRow] = []
    for row in table:
        cap_w, time_s = number(row, "power_limit"), number(row, "time_per_epoch")
        base_s, uncapped_w = free.get(_zeus_job(row), (None, None))
        ratio = base_s / time_s if base_s and time_s else None
        item = f"{device} {_zeus_job(row)} at {row.get('power_limit')} W"
        problem = _problem(cap_w, uncapped_w, ratio, "power_limit, time_per_epoch or average_power")
        group = f"{row.get('dataset')}/{row.get('network')}"
        rows.append(
            CapRow(
                f"zeus_power_limit/{device}", device, item, group, cap_w, uncapped_w, tdp_w, ratio, problem
            )
        )
    return rows


def read_emerald(path: Path) -> list[CapRow]:
    """The Emerald sweep on 400 W GPUs; uncapped means at the highest limit of the file."""
    table = read_table(path)
    tdp_w = max((cap for row in table if (cap := number(row, "GPU power cap"))), default=None)
    free = _mean_at(table, "GPU power cap", tdp_w, _emerald_job, ("throughput", "power per GPU"))
    rows: list[CapRow] = []
    for row in table:
        job = _emerald_job(row)
        cap_w, rate = number(row, "GPU power cap"), number(row, "throughput")
        base, uncapped_w = free.get(job, (None, None))
        ratio = rate / base if rate and base else number(row, "normalized throughput")
        problem = _problem(cap_w, uncapped_w, ratio, "GPU power cap, throughput or power per GPU")
        item = f"{job} at {row.get('GPU power cap')} W"
        group = "_".join(job.split("_")[:3])  # ft_llama_8b_dolly and ft_llama_8b_p3 are one workload
        rows.append(CapRow("emerald_2025", "a100", item, group, cap_w, uncapped_w, tdp_w, ratio, problem))
    return rows


def read_mlperf(path: Path) -> list[CapRow]:
    """MLPerf MaxQ runs: one limit per run; the uncapped power is not measured, the rating stands in."""
    rows: list[CapRow] = []
    for row in read_table(path):
        system = str(row.get("system") or "")
        device = device_of(system)
        tdp_w = rated_power_w(device)
        cap_w, ratio = number(row, "gpu_power_cap_W"), number(row, "throughput_ratio_capped")
        if cap_w is None:
            problem = "no power limit is given for this run"
        elif tdp_w is None:
            problem = f"the rated power of the accelerator in {system!r} is not known"
        else:
            problem = _problem(cap_w, tdp_w, ratio, "throughput_ratio_capped")
        benchmark = str(row.get("benchmark"))
        item = f"{system} {benchmark} {row.get('scenario')}"
        rows.append(
            CapRow("mlperf_inference_power", device, item, benchmark, cap_w, tdp_w, tdp_w, ratio, problem)
        )
    return rows


def device_of(system: str) -> str:
    """The accelerator named in a system's name ("H200-SXM-141GBx8_TRT" -> "h200"), or "unknown"."""
    named = re.findall(r"GB[23]00|[ABHLV]\d{2,3}|P100|MI\d{3}X?", system.upper())
    known = [name.lower() for name in named if rated_power_w(name.lower()) is not None]
    return (known or [name.lower() for name in named] or ["unknown"])[0]


def rated_power_w(device: str) -> float | None:
    """Rated power of an accelerator, W: the catalogue's, else NVIDIA's data sheets, else None."""
    try:
        value = catalogue.read("accelerator", device).values.get("tdp_w")
    except InputError:
        value = None
    return float(value) if isinstance(value, (int, float)) else KNOWN_TDP_W.get(device)


def _zeus_job(row: Mapping[str, str | None]) -> str:
    return " ".join(str(row[key]) for key in ZEUS_JOB if row.get(key))


def _emerald_job(row: Mapping[str, str | None]) -> str:
    return str(row.get("Workload") or "")


def _mean_at(
    table: Table,
    key: str,
    level: float | None,
    job_of: Callable[[Mapping[str, str | None]], str],
    columns: tuple[str, str],
) -> dict[str, tuple[float, float]]:
    """Means of two columns over the rows of each job at one limit."""
    found: dict[str, list[tuple[float, float]]] = {}
    for row in table:
        first, second = number(row, columns[0]), number(row, columns[1])
        if level is not None and number(row, key) == level and first is not None and second is not None:
            found.setdefault(job_of(row), []).append((first, second))
    return {
        job: (fmean(first for first, _ in pairs), fmean(second for _, second in pairs))
        for job, pairs in found.items()
    }


def _problem(cap_w: float | None, uncapped_w: float | None, ratio: float | None, columns: str) -> str | None:
    if cap_w is None or ratio is None:
        return f"a cell is missing or not a number ({columns})"
    if uncapped_w is None:
        return "no run of this job at the highest limit, so its uncapped power is not known"
    return None
