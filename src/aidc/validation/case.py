"""What a validation case is: rows of predicted against measured, and one figure with its limit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

__all__ = ["Case", "Cases", "Row"]


@dataclass(frozen=True, slots=True)
class Row:
    """One item of measured data and its prediction.

    `predicted` is None where the model cannot say, and `reason` tells why. `left_out` names what
    was withheld from the calibration behind this prediction.
    """

    item: str
    measured: float | None
    predicted: float | None
    reason: str | None = None
    left_out: str | None = None
    inputs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Case:
    """One judged figure: `value` in `unit` (percent, or points for power-cap) against `limit`.

    `value` is None where no row could be predicted. `kind` is "bar" for a judged figure, "shown"
    for one that is only reported (a baseline, a p90).
    """

    name: str
    dataset: str
    metric: str
    value: float | None
    limit: float | None
    unit: str
    rows: Sequence[Row]
    note: str = ""
    kind: str = "bar"

    @property
    def n(self) -> int:
        return len(self.rows)

    @property
    def n_unpredicted(self) -> int:
        return sum(row.predicted is None for row in self.rows)

    @property
    def passed(self) -> bool | None:
        """Whether the bar is met; None where there is no bar or no prediction."""
        if self.value is None or self.limit is None:
            return None
        return abs(self.value) <= self.limit


class Cases(Protocol):
    """A validation module: `cases(data_dir)` gives its cases, or nothing without its folder."""

    def __call__(self, data_dir: Path) -> Sequence[Case]: ...
