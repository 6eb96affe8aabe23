"""`power-cap`: throughput under a power limit, with the workload itself left out of the fit.

A row binds where its limit lies below the mean power measured without a limit (which is a permitted
input). MLPerf gives no such power, so the rated power stands in for it. Rows whose limit does not
bind are predicted as 1 and shown as a case of their own; rows that lack a figure are kept, with
`predicted = None` and the reason.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from aidc.calibrate.powercap import CapConstants, fit_device, fit_general, floor_frac_of, predict, usable
from aidc.calibrate.powercap_rows import CapRow, read_all
from aidc.site.devices import powercap_of
from aidc.validation.case import Case, Row

__all__ = ["cases"]

NAME: Final = "power-cap"
UNIT: Final = "points"
MEAN_LIMIT: Final = 6.0
P90_LIMIT: Final = 14.0
FEWEST_OTHERS: Final = 2  # other workloads that a refit needs
EVERY: Final = "all"


def cases(data_dir: Path) -> Sequence[Case]:
    """Predicted against measured relative throughput, in points, by data set and pooled."""
    rows = read_all(data_dir)
    judged = [row for row in rows if row.problem is not None or row.binding]
    loose = [row for row in rows if row.problem is None and not row.binding and row.cap_w != row.tdp_w]
    calibration = _Calibration(usable(rows))
    found: list[Case] = []
    for name in (EVERY, *sorted({row.dataset for row in judged})) if judged else ():
        part = [row for row in judged if name in (EVERY, row.dataset)]
        found += _bars(name, [_row(row, calibration.without_workload) for row in part])
        found.append(_shown(name, "mean |error| of predicting 1.0", [_row(row, _one) for row in part]))
        found.append(
            _shown(
                name,
                "mean |error|, accelerator left out",
                [_row(row, calibration.without_device) for row in part],
                "constants fitted on the other accelerators, without this workload",
            )
        )
    if loose:
        note = "limit at or above the mean uncapped power: predicted as 1 by definition"
        found.append(
            _shown(EVERY, "mean |error|, limit not binding", [_row(row, _one) for row in loose], note)
        )
    return found


class _Guess(NamedTuple):
    predicted: float | None
    left_out: str | None = None
    reason: str | None = None
    constants: str = ""


def _one(_: CapRow) -> _Guess:
    return _Guess(1.0)


class _Calibration:
    """Constants fitted on the rows of the folder without what is asked about, each fitted once."""

    def __init__(self, known: Sequence[CapRow]) -> None:
        self._known = known
        self._fitted: dict[tuple[str, str, bool], CapConstants | None] = {}

    def without_workload(self, row: CapRow) -> _Guess:
        """Predict with the row's workload left out, from the best constants that do not know it."""
        constants = self._once(row, whole_device=False)
        if constants is not None:
            return _guess(row, constants, row.group, "refitted")
        shape = powercap_of(row.device)
        shipped = CapConstants(shape.static_frac, shape.alpha, shape.beta)
        if row.group not in shape.workloads:
            return _guess(row, shipped, row.group, "shipped")
        if row.device not in shape.accelerators:  # the generic constants know it on other devices only
            return _guess(row, shipped, row.device, "shipped")
        return _Guess(None, None, "too few other workloads here to refit, and the shipped constants know it")

    def without_device(self, row: CapRow) -> _Guess:
        """Predict from the other accelerators, which have not seen this workload either."""
        constants = self._once(row, whole_device=True)
        if constants is None:
            return _Guess(None, None, "the folder holds too few workloads on other accelerators")
        return _guess(row, constants, f"{row.device}, {row.group}", "refitted")

    def _once(self, row: CapRow, *, whole_device: bool) -> CapConstants | None:
        key = (row.device, row.group, whole_device)
        if key not in self._fitted:
            self._fitted[key] = self._fit(row, whole_device=whole_device)
        return self._fitted[key]

    def _fit(self, row: CapRow, *, whole_device: bool) -> CapConstants | None:
        others = [other for other in self._known if other.group != row.group]
        if whole_device:
            others = [other for other in others if other.device != row.device]
            return fit_general(others) if _workloads(others) >= FEWEST_OTHERS else None
        mine = [other for other in others if other.device == row.device]
        return fit_device(mine, fit_general(others)) if _workloads(mine) >= FEWEST_OTHERS else None


def _workloads(rows: Sequence[CapRow]) -> int:
    return len({row.group for row in rows})


def _guess(row: CapRow, constants: CapConstants, left_out: str, origin: str) -> _Guess:
    return _Guess(predict(row, constants, floor_frac_of(row.device)), left_out, None, origin)


def _row(row: CapRow, guess: Callable[[CapRow], _Guess]) -> Row:
    made = _Guess(None, None, row.problem) if row.problem else guess(row)
    return Row(
        item=row.item,
        measured=None if row.ratio is None else 100.0 * row.ratio,
        predicted=None if made.predicted is None else 100.0 * made.predicted,
        reason=made.reason,
        left_out=made.left_out,
        inputs={
            "cap_w": row.cap_w,
            "uncapped_w": row.uncapped_w,
            "tdp_w": row.tdp_w,
            "constants": made.constants,
        },
    )


def _errors(rows: Sequence[Row]) -> list[float]:
    return [
        abs(row.predicted - row.measured)
        for row in rows
        if row.predicted is not None and row.measured is not None
    ]


def _mean(rows: Sequence[Row]) -> float | None:
    errors = _errors(rows)
    return float(np.mean(errors)) if errors else None


def _bars(dataset: str, rows: Sequence[Row]) -> list[Case]:
    errors = _errors(rows)
    p90 = float(np.percentile(errors, 90)) if errors else None
    note = "limits below the mean uncapped power; the workload in all its sizes and copies left out"
    return [
        Case(NAME, dataset, "mean |error|, workload left out", _mean(rows), MEAN_LIMIT, UNIT, rows, note),
        Case(NAME, dataset, "p90 |error|, workload left out", p90, P90_LIMIT, UNIT, rows, note),
    ]


def _shown(dataset: str, metric: str, rows: Sequence[Row], note: str = "") -> Case:
    return Case(NAME, dataset, metric, _mean(rows), None, UNIT, rows, note, "shown")
