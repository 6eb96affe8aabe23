"""Runs every validation case whose data lie in a folder, and gathers what they say.

A module that meets files it cannot read gives a case without a value that says why; it neither stops
the others nor disappears. A module without its data is listed as absent.
"""

from __future__ import annotations

import difflib
import importlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from aidc.errors import AidcError, InputError, Problem
from aidc.validation.case import Case, Cases, Row

__all__ = ["FAILED", "NAMES", "Progress", "Report", "row_error", "run"]

NAMES: Final = (
    "inference-energy",
    "inference-power",
    "server-power",
    "power-cap",
    "training-power",
    "cooling",
    "storage",
    "chains",
    "transient-studies",
    "action-replay",
    "demand-response",
)
NEEDS_DATA: Final = frozenset(NAMES) - {"cooling", "storage", "chains", "transient-studies"}
"""Cases that rest on files of the folder alone; the others bring published figures with them."""
FAILED: Final = "failed"

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Report:
    """What the cases gave. `absent` names those without data in the folder."""

    cases: Sequence[Case]
    absent: Sequence[str] = ()

    @property
    def passed(self) -> bool:
        """Whether no bar is missed and no case failed; what could not be predicted is no miss."""
        return not self.missed and not self.failed

    @property
    def measured(self) -> bool:
        """Whether the folder had data for any case; published figures that ship with aidc are no data of it."""
        asked = {*self.absent, *(case.name for case in self.cases)} & NEEDS_DATA
        return not asked or bool(asked.difference(self.absent))

    @property
    def missed(self) -> list[Case]:
        return [case for case in self.cases if case.kind == "bar" and case.passed is False]

    @property
    def failed(self) -> list[Case]:
        return [case for case in self.cases if case.kind == FAILED]

    def document(self) -> dict[str, Any]:
        """The report as JSON holds it: finite numbers or null."""
        return {"cases": [_case(case) for case in self.cases], "absent": list(self.absent)}


def run(data_dir: Path | str, only: Sequence[str] | None = None, progress: Progress | None = None) -> Report:
    """Judge every case that `only` names (all where it is None) on the data of a folder.

    Parameters
    ----------
    data_dir
        Folder in the formats of the measured data; sub-folders may be missing or hold other rows.
    only
        Names out of `NAMES`.
    progress
        Called before each case with its name, its place and the number of cases.

    Raises
    ------
    InputError
        The folder does not exist, or a name is unknown.
    """
    folder = Path(data_dir)
    names = _wanted(only)
    if not folder.is_dir():
        remedy = "Give the folder that holds mlenergy_v3, zeus_power_limit and so on, or set AIDC_DATA."
        raise InputError(Problem("there is no such folder", remedy, folder))
    found: list[Case] = []
    absent: list[str] = []
    for place, name in enumerate(names):
        if progress is not None:
            progress(name, place, len(names))
        cases = _judge(name, folder)
        found += cases
        if not cases:
            absent.append(name)
    return Report(found, absent)


def row_error(case: Case, row: Row) -> float | None:
    """Signed error of a row in the case's unit; None where a side is missing.

    Percent of the measured figure; points for cases in points, whose rows hold percent.
    """
    if row.measured is None or row.predicted is None:
        return None
    if case.unit == "points":
        return _finite(row.predicted - row.measured)
    if case.unit in {"%", "percent"}:
        error = 100 * (row.predicted / row.measured - 1) if row.measured else None
    else:
        error = row.predicted - row.measured
    return _finite(error)


def _wanted(only: Sequence[str] | None) -> Sequence[str]:
    if only is None:
        return NAMES
    problems: list[Problem] = []
    for name in only:
        if name not in NAMES:
            near = difflib.get_close_matches(name, NAMES, n=1)
            remedy = f"Did you mean {near[0]}?" if near else "Known are: " + ", ".join(NAMES) + "."
            problems.append(Problem("there is no such validation case", remedy, value=name))
    if problems:
        raise InputError(problems)
    return [name for name in NAMES if name in only]


def _judge(name: str, folder: Path) -> Sequence[Case]:
    """The cases of one module; a case that tells why where it cannot be judged."""
    try:
        cases: Cases = importlib.import_module(f"aidc.validation.{name.replace('-', '_')}").cases
        return [
            case if _finite(case.value) is not None else replace(case, value=None) for case in cases(folder)
        ]
    except AidcError as error:
        return [_failed(name, str(error))]
    except Exception as error:  # noqa: BLE001  a malformed file may raise anything; the other cases still count
        return [_failed(name, f"{type(error).__name__}: {error}")]


def _failed(name: str, reason: str) -> Case:
    row = Row(name, None, None, reason)
    note = "The data could not be read, or not as this case expects them."
    return Case(name, "", "not judged", None, None, "", [row], note, FAILED)


def _case(case: Case) -> dict[str, Any]:
    return {
        "name": case.name,
        "dataset": case.dataset,
        "metric": case.metric,
        "value": _finite(case.value),
        "limit": _finite(case.limit),
        "n": case.n,
        "n_unpredicted": case.n_unpredicted,
        "unit": case.unit,
        "passed": case.passed,
        "kind": case.kind,
        "note": case.note,
        "rows": [_row(case, row) for row in case.rows],
    }


def _row(case: Case, row: Row) -> dict[str, Any]:
    return {
        "item": row.item,
        "measured": _finite(row.measured),
        "predicted": _finite(row.predicted),
        "error": row_error(case, row),
        "reason": row.reason,
        "left_out": row.left_out,
        "inputs": _plain(row.inputs),
    }


def _plain(value: Any) -> Any:
    """The value as JSON holds it."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    if hasattr(value, "item"):  # a numpy scalar
        return _plain(value.item())
    if isinstance(value, float):
        return _finite(value)
    return value if value is None or isinstance(value, bool | int | str) else str(value)


def _finite(value: float | None) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None
