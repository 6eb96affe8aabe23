"""What a recorded file gives, whatever its format: named columns of finite numbers on an even step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from aidc.errors import InputError, Problem
from aidc.record.sampling import Axis

__all__ = ["Phases", "Recorded"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Phases:
    """Names of the columns of three voltages and perhaps three currents, and their units.

    Voltages are phase-neutral, or phase-phase (a-b, b-c, c-a) where `between`. `base` says what they are written
    in: volts, or per unit of their nominal. `form` is None where the signs must tell.
    """

    voltages: tuple[str, str, str]
    currents: tuple[str, str, str] | None = None
    voltage_scale: float = 1.0
    current_scale: float = 1.0
    base: Literal["volt", "pu"] = "volt"
    form: Literal["instantaneous", "rms"] | None = None
    between: bool = False


@dataclass(frozen=True, slots=True)
class Recorded:
    """Columns of shape (n_sample,). `nominal_hz` and `phases` are given where the format states them.

    `broken` holds what is wrong with columns that are no finite numbers; it matters once one is asked for.
    """

    path: Path
    columns: Mapping[str, FloatArray]
    axis: Axis
    nominal_hz: float | None = None
    phases: Phases | None = None
    broken: Mapping[str, InputError] = field(default_factory=dict[str, InputError])

    @property
    def names(self) -> list[str]:
        return [*self.columns, *self.broken]

    def __getitem__(self, name: str) -> FloatArray:
        """A column by its exact name.

        Raises
        ------
        InputError
            There is none, or it holds something else than finite numbers.
        """
        if name in self.columns:
            return self.columns[name]
        if name in self.broken:
            raise self.broken[name]
        close = get_close_matches(name, self.columns, n=1)
        remedy = (
            f"Did you mean {close[0]!r}?" if close else f"Columns here: {', '.join(list(self.columns)[:20])}."
        )
        raise InputError(Problem(f"has no column {name!r}", remedy, self.path))
