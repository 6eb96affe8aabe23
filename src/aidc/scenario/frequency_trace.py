"""A recorded frequency (and voltage) as arrays on a nominal frequency, for the transient engine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from aidc.datasets import locate
from aidc.errors import InputError, Problem
from aidc.scenario.table import Table, read_table
from aidc.schema.disturbance import FrequencyTrace

__all__ = ["TraceSeries", "load_trace"]

FloatArray = NDArray[np.float64]

_WIDEST_GAP = 2.0  # of the median step; rounded times stay below, a missing sample does not
_NOMINALS = (50.0, 60.0)
_FARTHEST_HZ = 5.0  # beyond, a trace is not one of either nominal


@dataclass(frozen=True, slots=True)
class TraceSeries:
    """Samples of shape (n_sample,) on the clock of the window; piecewise linear between them.

    `voltage_pu` is None where the trace has no voltage. `recorded_hz` is the nominal frequency of the
    recorded system.
    """

    time_s: FloatArray
    frequency_hz: FloatArray
    voltage_pu: FloatArray | None
    recorded_hz: float


def load_trace(event: FrequencyTrace, base_dir: Path, nominal_hz: float) -> TraceSeries:
    """The samples of a trace from `from_s` on, the first of them at the event's `start_s`.

    A trace in hertz of a system with another nominal frequency is scaled, so that its per-unit
    frequency stays. A voltage in kilovolts has no stated base: it is put over its median, so that
    the trace is about 1 pu.

    Parameters
    ----------
    event
        Names the file (relative to `base_dir`, or in a dataset).
    base_dir
        The folder of the event file.
    nominal_hz
        Nominal frequency of the site's grid [Hz].

    Raises
    ------
    InputError
        No such file or column; times that do not rise, a gap, an empty or non-finite cell; nothing
        left after `from_s`.
    """
    table = read_table(_path(event, base_dir))
    time_s = _times(table)
    frequency_pu, recorded_hz = _frequency(table)
    voltage = _voltage(table)
    keep = time_s >= event.from_s
    if int(keep.sum()) < 2:
        raise InputError(
            Problem(
                f"leaves fewer than two samples of a trace that ends at {time_s[-1]:g} s",
                "Start earlier in the trace.",
                table.path,
                "from_s",
                event.from_s,
            )
        )
    first = max(int(np.argmax(keep)) - 1, 0)  # the sample before, to interpolate at from_s itself
    if time_s[first] < event.from_s:
        frequency_pu = _from(time_s, frequency_pu, event.from_s)
        voltage = None if voltage is None else _from(time_s, voltage, event.from_s)
        time_s = np.concatenate(([event.from_s], time_s[time_s > event.from_s]))
    return TraceSeries(time_s - event.from_s + event.start_s, frequency_pu * nominal_hz, voltage, recorded_hz)


def _from(time_s: FloatArray, values: FloatArray, from_s: float) -> FloatArray:
    return np.concatenate(([np.interp(from_s, time_s, values)], values[time_s > from_s]))


def _path(event: FrequencyTrace, base_dir: Path) -> Path:
    if event.dataset is not None:
        return locate(event.dataset, event.file)
    try:
        path = base_dir / Path(str(event.file)).expanduser()
        if path.is_file():
            return path
    except (OSError, RuntimeError, ValueError) as error:
        raise InputError(
            Problem(f"is not a usable path: {error}", "Correct it.", key="file", value=event.file)
        ) from error
    raise InputError(
        Problem(
            f"there is no such file ({path})",
            "Paths are relative to the event file.",
            key="file",
            value=event.file,
        )
    )


def _times(table: Table) -> FloatArray:
    time_s = table.numbers("time_s", 0, 1e9)
    if time_s.size < 2:
        raise InputError(Problem("has a single sample", "Give two or more.", table.path, "time_s"))
    steps = np.diff(time_s)
    stuck = np.flatnonzero(steps <= 0)
    if stuck.size:
        raise _refuse(table, int(stuck[0]) + 1, "does not rise", "Sort the rows and drop repeated times.")
    wide = np.flatnonzero(steps > _WIDEST_GAP * float(np.median(steps)))
    if wide.size:
        row = int(wide[0]) + 1
        what = f"follows a gap of {steps[row - 1]:g} s, where the step is {float(np.median(steps)):g} s"
        raise _refuse(table, row, what, "Fill the gap, or cut the trace there.")
    return time_s


def _refuse(table: Table, row: int, what: str, remedy: str) -> InputError:
    place = f"line {table.lines[row]}, column time_s"
    return InputError(Problem(what, remedy, table.path, place, table.text("time_s")[row]))


def _frequency(table: Table) -> tuple[FloatArray, float]:
    """Per-unit frequency, and the nominal frequency of the recorded system [Hz] (0 where only pu is given)."""
    if "frequency_pu" in table.columns:
        return table.numbers("frequency_pu", 0.8, 1.2), 0.0
    values = table.numbers("frequency_hz", 40, 70)
    middle = float(np.median(values))
    recorded = min(_NOMINALS, key=lambda nominal: abs(nominal - middle))
    if abs(recorded - middle) > _FARTHEST_HZ:
        raise InputError(
            Problem("is near neither 50 nor 60 Hz", "Check the unit.", table.path, "frequency_hz", middle)
        )
    return values / recorded, recorded


def _voltage(table: Table) -> FloatArray | None:
    if "voltage_pu" in table.columns:
        return table.numbers("voltage_pu", 0, 2)
    if "voltage_kv" in table.columns:
        values = table.numbers("voltage_kv", 0, 2000)
        base = float(np.median(values))
        if base <= 0:
            raise InputError(Problem("is zero most of the time", "Check it.", table.path, "voltage_kv", base))
        return values / base
    return None
