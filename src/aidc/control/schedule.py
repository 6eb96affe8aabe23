"""Set points from a file: what a plan decided ahead, hour by hour, followed to the letter.

The file is a CSV with a column `time_utc` and one `storage.NAME.power_mw` for each storage that is told what to do
(at its AC side, charging positive). A row holds from its time until the next; before the first and after the last the
storages act by their own rules, and so do those that the file does not name.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from aidc.contract import Command, Controller, Knob, Observation, SiteView
from aidc.errors import InputError, Problem
from aidc.scenario.table import read_table
from aidc.scenario.timeparse import clock_times
from aidc.schema.base import Shape
from aidc.units import MEGA

__all__ = ["Schedule", "ScheduleOptions", "read_schedule"]

TIME = "time_utc"
_MOST_MW = 100_000.0


class ScheduleOptions(Shape):
    """`file` is a path beside the site file."""

    file: Path


class Schedule(Controller):
    """Follows the set points of a file."""

    Options: ClassVar[type[BaseModel]] = ScheduleOptions

    def reset(self, site: SiteView, options: BaseModel, rng: np.random.Generator) -> None:
        del rng
        if not isinstance(options, ScheduleOptions):
            raise InputError(
                Problem("needs a file", 'Add options = { file = "plan.csv" }.', key="control.options")
            )
        times, rows = read_schedule(options.file, site.storages)
        self._site = site
        start_us = round(site.start.timestamp() * 1e6)
        # a row is in force from the first decision at or after its time
        self._from_s = (times - start_us) / 1e6
        self._set_w = rows * MEGA
        self._end_s = self._from_s[-1] + (self._from_s[-1] - self._from_s[-2] if times.size > 1 else 3600.0)

    def decide(self, observation: Observation) -> Sequence[Command]:
        now_s = observation.tick * self._site.step_s
        place = int(np.searchsorted(self._from_s, now_s + 1e-9, side="right")) - 1
        if place < 0 or now_s >= self._end_s or np.isnan(self._set_w[place]).all():
            return []
        until_s = self._from_s[place + 1] if place + 1 < self._from_s.size else self._end_s
        reason = f"plan of {self._site.start + timedelta(seconds=float(self._from_s[place])):%Y-%m-%d %H:%M}"
        return [
            Command(
                Knob.STORAGE_W, self._set_w[place], max(float(until_s - now_s), self._site.step_s), reason
            )
        ]


def read_schedule(path: Path, storages: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Times [µs since 1970, UTC] and set points [MW] of a file, (n_row, n_storage); NaN where one is left alone.

    Raises
    ------
    InputError
        The file cannot be read, names no storage of the site, or a cell is not what its column holds.
    """
    table = read_table(path)
    known = {f"storage.{name}.power_mw": place for place, name in enumerate(storages)}
    strange = [name for name in table.columns if name != TIME and name not in known]
    if strange:
        remedy = f"Columns of this site: {', '.join(known) or 'none, it has no storage'}."
        raise InputError(Problem("is no set point of this site", remedy, path, "header", strange[0]))
    times = clock_times(table, TIME, naive_is_utc=True)
    if not times.size:
        raise InputError(Problem("has no rows", "Give one for each set point.", path))
    late = np.flatnonzero(np.diff(times) <= 0)
    if late.size:
        place = f"line {table.lines[int(late[0]) + 1]}"
        raise InputError(Problem("is not later than the line before", "Sort the lines.", path, place))
    rows = np.full((times.size, len(storages)), np.nan)
    for name in table.columns:
        if name != TIME:
            rows[:, known[name]] = table.numbers(name, -_MOST_MW, _MOST_MW, empty=True)
    return times, rows
