"""Measured servers: walls under a power limit (MLPerf inference), AC against DC (MLPerf training).

AC and DC of the H100 servers are not sampled together, so a pair of samples says little; means over
steady stretches do. A stretch is steady where AC stays within 2 % and DC within 4 % over at least
ten samples (20 s); every sample belongs to at most one stretch.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Final

from aidc.calibrate.powercap_rows import device_of, number, read_table

__all__ = ["Stretch", "WallRow", "read_ac_dc", "read_walls", "steady"]

AC_BAND: Final = 0.02
DC_BAND: Final = 0.04
SHORTEST: Final = 10


@dataclass(frozen=True, slots=True)
class WallRow:
    """One run of a whole server: its mean power at the wall, and the limit on its accelerators."""

    item: str
    system: str
    device: str
    benchmark: str
    accelerators: int | None
    cap_w: float | None
    wall_w: float | None
    idle_w: float | None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Stretch:
    """Means over a steady stretch of one run; no figures where the run has none."""

    run: str
    first: int
    ac_w: float | None
    dc_w: float | None
    problem: str | None = None


def read_walls(folder: Path) -> list[WallRow]:
    """The runs of `summary*.csv` in the folder of inference power."""
    return [_wall_row(row) for path in sorted(folder.glob("summary*.csv")) for row in read_table(path)]


def read_ac_dc(folder: Path) -> list[Stretch]:
    """The steady stretches of every `*_1node_*_ac_dc.csv`; one row with a problem for a run without."""
    found: list[Stretch] = []
    for path in sorted(folder.glob("*_1node_*_ac_dc.csv")):
        run = path.stem.removesuffix("_ac_dc")
        samples = [(number(row, "ac_W"), number(row, "dc_W")) for row in read_table(path)]
        stretches = [
            Stretch(run, first, fmean(ac for ac, _ in part), fmean(dc for _, dc in part))
            for first, part in steady(samples)
        ]
        found += stretches or [Stretch(run, 0, None, None, "no steady stretch of 20 s in this run")]
    return found


def steady(
    samples: Sequence[tuple[float | None, float | None]],
) -> Iterator[tuple[int, list[tuple[float, float]]]]:
    """First index and samples of each steady stretch; a sample without a figure ends a stretch."""
    first = 0
    while first < len(samples):
        part = _steady_from(samples, first)
        if len(part) >= SHORTEST:
            yield first, part
            first += len(part)
        else:
            first += 1


def _steady_from(
    samples: Sequence[tuple[float | None, float | None]], first: int
) -> list[tuple[float, float]]:
    """The longest steady part that begins at `first`."""
    part: list[tuple[float, float]] = []
    low, high = (math.inf, math.inf), (0.0, 0.0)
    for index in range(first, len(samples)):
        ac, dc = samples[index]
        if ac is None or dc is None:
            break
        low, high = (min(low[0], ac), min(low[1], dc)), (max(high[0], ac), max(high[1], dc))
        if high[0] - low[0] > AC_BAND * high[0] or high[1] - low[1] > DC_BAND * high[1]:
            break
        part.append((ac, dc))
    return part


def _wall_row(row: Mapping[str, str | None]) -> WallRow:
    system, benchmark = str(row.get("system") or ""), str(row.get("benchmark") or "")
    cap_w, wall_w, count = number(row, "gpu_power_cap_W"), number(row, "mean_wall_W"), _count(system)
    problem = None
    if wall_w is None:
        problem = "mean_wall_W is missing or not a number"
    elif cap_w is None:
        problem = "no power limit is given, so the power of the accelerators is not known"
    elif count is None:
        problem = f"the number of accelerators is not in the system's name {system!r}"
    return WallRow(
        f"{system} {benchmark} {row.get('scenario')}",
        system,
        device_of(system),
        benchmark,
        count,
        cap_w,
        wall_w,
        number(row, "min_wall_W"),
        problem,
    )


def _count(system: str) -> int | None:
    found = re.search(r"x(\d{1,2})(?!\d)|(?<!\d)(\d{1,2})x", system)
    return int(found.group(1) or found.group(2)) if found else None
