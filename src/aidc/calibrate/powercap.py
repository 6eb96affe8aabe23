"""Fit the power-cap constants on measured sweeps: `python -m aidc.calibrate.powercap DATA_DIR`.

Two stages. The general constants are fitted on all devices together, each device with the same
weight. A device's own constants are then fitted on its rows with the general ones as a prior, so a
device with few rows stays near the rest. The residuals are in points of relative throughput with a
soft L1 loss, because single jobs (tiny batches that wait for the host) follow no common curve.

Rows that repeat another to the digits (scaled copies of one measurement) enter once.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aidc.calibrate.powercap_rows import CapRow, read_all
from aidc.plant.powercap import CapCurve, relative_throughput
from aidc.site.devices import powercap_of

__all__ = [
    "KNEE",
    "CapConstants",
    "fit_device",
    "fit_general",
    "floor_frac_of",
    "predict",
    "usable",
]

KNEE: Final = 8.0
"""Roundness of the knee; 1 to 8 were tried with the workload left out, and 8 had the least mean error."""

SCALE: Final = 0.05  # five points: the spread of like jobs under one limit
START: Final = (0.15, 1.5, 0.75)
LOW: Final = (0.0, 0.5, 0.05)
HIGH: Final = (0.24, 6.0, 1.0)
PRIOR: Final = (0.10, 1.0, 0.30)  # how far a device may stray from the general constants (1 sd)


class CapConstants(NamedTuple):
    """What is fitted: the static share of the rated power, the clock exponent, the clock-bound share."""

    static_frac: float
    alpha: float
    beta: float


def usable(rows: Sequence[CapRow]) -> list[CapRow]:
    """The rows with all their figures whose limit binds."""
    return [row for row in rows if row.problem is None and row.binding]


def predict(row: CapRow, constants: CapConstants, floor_frac: float) -> float:
    """Relative throughput of one row."""
    tdp_w, cap_w, uncapped_w = row.tdp_w or 0.0, row.cap_w or 0.0, row.uncapped_w or 0.0
    curve = CapCurve(constants.static_frac * tdp_w, floor_frac * tdp_w, constants.alpha, constants.beta, KNEE)
    return relative_throughput(cap_w, uncapped_w, curve)


@cache
def floor_frac_of(device: str) -> float:
    """The lowest limit of a device over its rated power; not fitted, the catalogue's."""
    return powercap_of(device).floor_frac


def fit_general(rows: Sequence[CapRow]) -> CapConstants:
    """Fit all devices together, each with the same total weight."""
    rows = _distinct(rows)
    per_device = Counter(row.device for row in rows)
    share = np.array([len(rows) / len(per_device) / per_device[row.device] for row in rows])
    return _fit(rows, np.sqrt(share), None)


def fit_device(rows: Sequence[CapRow], general: CapConstants) -> CapConstants:
    """Fit one device's rows, drawn towards the general constants."""
    rows = _distinct(rows)
    return _fit(rows, np.ones(len(rows)), general)


def _fit(rows: Sequence[CapRow], weight: NDArray[np.float64], prior: CapConstants | None) -> CapConstants:
    from scipy.optimize import least_squares

    throughput = _vectorised(rows)
    measured = np.array([row.ratio for row in rows])
    weight = weight / SCALE
    target, spread = (np.array(prior or START), np.array(PRIOR) * (1.0 if prior else 10.0))

    def residuals(theta: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.concatenate([(throughput(theta) - measured) * weight, (theta - target) / spread])

    found = least_squares(residuals, np.array(prior or START), bounds=(LOW, HIGH), loss="soft_l1")
    static_frac, alpha, beta = (float(value) for value in found.x)
    return CapConstants(static_frac, alpha, beta)


def _vectorised(rows: Sequence[CapRow]) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """`relative_throughput` over all rows at once, for the fit; a test keeps the two equal."""
    tdp = np.array([row.tdp_w for row in rows], dtype=float)
    floor = np.array([floor_frac_of(row.device) for row in rows])
    held = np.maximum(np.array([row.cap_w for row in rows], dtype=float) / tdp, floor)
    free = np.array([row.uncapped_w for row in rows], dtype=float) / tdp
    binds = held < free

    def throughput(theta: NDArray[np.float64]) -> NDArray[np.float64]:
        static, alpha, beta = theta
        moving = np.where(binds, (held - static) / np.where(binds, free - static, 1.0), 1.0)
        clock = moving ** (1.0 / alpha)
        return ((beta / clock) ** KNEE + 1.0 - beta**KNEE) ** (-1.0 / KNEE)

    return throughput


def _distinct(rows: Sequence[CapRow]) -> list[CapRow]:
    """Rows without the scaled copies of a measurement: same device, limit, throughput and power."""
    first: dict[tuple[str, float | None, float, float], CapRow] = {}
    for row in rows:
        key = (row.device, row.cap_w, round(row.ratio or 0.0, 9), round(row.uncapped_w or 0.0, 1))
        first.setdefault(key, row)
    return list(first.values())


def main(arguments: Sequence[str]) -> int:
    """Print the constants of every device in the folder, and of all together."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m aidc.calibrate.powercap DATA_DIR\n")
        return 2
    rows = usable(read_all(Path(arguments[0])))
    if not rows:
        sys.stderr.write("no usable power-limit sweep in this folder\n")
        return 2
    general = fit_general(rows)
    _show("generic", rows, general)
    for device in sorted({row.device for row in rows}):
        mine = [row for row in rows if row.device == device]
        _show(device, mine, fit_device(mine, general))
    return 0


def _show(name: str, rows: Sequence[CapRow], constants: CapConstants) -> None:
    errors = [
        100.0 * abs(predict(row, constants, floor_frac_of(row.device)) - (row.ratio or 0.0)) for row in rows
    ]
    figures = ", ".join(f"{key} = {value:.4f}" for key, value in constants._asdict().items())
    groups = sorted({row.group for row in rows})
    sys.stdout.write(
        f"{name}: {figures}, knee = {KNEE:g}\n"
        f"  rows {len(rows)}, workloads {groups}, in-sample mean |error| {np.mean(errors):.2f} points\n"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
