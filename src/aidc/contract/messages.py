"""What passes between a site and its controller: an observation in, commands out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from aidc.contract.point import Knob, Point, Rows

__all__ = ["Clip", "Command", "FloatArray", "Forecast", "Observation", "Signal", "SiteView"]

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Signal:
    """A grid event as announced: who asked for what, from when to when.

    A request states `reduce_frac` (share of the import in the last hour without an event before the announcement),
    `reduce_w` (off what the site would draw without it) or `limit_w` (absolute ceiling); the others are NaN. A price
    spike and a carbon peak state their level alone. A request that is withdrawn is no longer among the signals.
    `aidc.contract.requests` says what a set of signals asks for at one time.
    """

    name: str
    kind: str
    announced_tick: int
    start_tick: int
    end_tick: int
    reduce_frac: float = float("nan")
    limit_w: float = float("nan")
    reduce_w: float = float("nan")
    price_usd_per_mwh: float = float("nan")
    carbon_kg_per_mwh: float = float("nan")


@dataclass(frozen=True, slots=True)
class Forecast:
    """What was forecast when this observation was made: one value per future period.

    `period_s` is the spacing and every array has the same length. The twin gives the scenario's
    day-ahead series (prices and carbon are published ahead); weather is persistence, so that no
    controller sees the scenario's future.
    """

    issued_tick: int
    period_s: float
    price_usd_per_mwh: FloatArray
    carbon_kg_per_mwh: FloatArray


@dataclass(frozen=True, slots=True)
class Observation:
    """What a real site can measure. `tick` is the end of the observed window."""

    tick: int
    value: Mapping[Point, FloatArray]
    age_s: Mapping[Point, FloatArray]
    signals: tuple[Signal, ...]
    forecast: Forecast


@dataclass(frozen=True, slots=True)
class Command:
    """What a real device accepts: one value per row of the knob, NaN = leave alone.

    After `valid_s` without a successor the device returns to its declared default.
    """

    knob: Knob
    value: FloatArray
    valid_s: float
    reason: str


@dataclass(frozen=True, slots=True)
class Clip:
    """A command value that `admit` had to change, and to what."""

    knob: Knob
    row: str
    asked: float
    given: float
    why: str


@dataclass(frozen=True, slots=True)
class SiteView:
    """What a controller may know of the site: names in row order, ratings, limits, defaults.

    `step` is the grid of a knob that takes no value between: multiples of it, and the upper limit itself. Of each job
    there are the tick at which it may begin, the one by which its tokens are due, their number (infinite where there is
    none), and its rate on all its accelerators without a cap while it trains.
    """

    name: str
    start: datetime
    step_s: float
    pods: tuple[str, ...]
    storages: tuple[str, ...]
    plants: tuple[str, ...]
    import_limit_w: float
    export_limit_w: float
    jobs: tuple[str, ...] = ()
    job_start_tick: tuple[float, ...] = ()
    job_deadline_tick: tuple[float, ...] = ()
    job_target_tokens: tuple[float, ...] = ()
    job_tokens_per_s: tuple[float, ...] = ()
    pod_workload: tuple[str, ...] = ()
    pod_flex_tier: tuple[int, ...] = ()
    pod_flex_window: tuple[str, ...] = ()  # event, day or life
    pod_curtailment_usd_per_mwh: tuple[float, ...] = ()
    pod_rated_w: FloatArray = field(default_factory=lambda: np.zeros(0))
    pod_idle_w: FloatArray = field(default_factory=lambda: np.zeros(0))  # accelerators powered without work
    pod_meter_per_w: FloatArray = field(default_factory=lambda: np.zeros(0))
    """Power at the meter for a watt of each pod's accelerators, before cooling answers; empty where unknown."""
    pod_meter_settled_per_w: FloatArray = field(default_factory=lambda: np.zeros((0, 0)))
    """The same once cooling has answered, (m, pod) at the dry bulbs of `meter_dry_bulb_k` (m,), rising."""
    meter_dry_bulb_k: FloatArray = field(default_factory=lambda: np.zeros(0))
    pod_kind: tuple[str, ...] = ()  # service, job, replay or idle
    storage_power_w: FloatArray = field(default_factory=lambda: np.zeros(0))
    storage_energy_j: FloatArray = field(default_factory=lambda: np.zeros(0))
    lower: Mapping[Knob, FloatArray] = field(default_factory=dict[Knob, FloatArray])
    upper: Mapping[Knob, FloatArray] = field(default_factory=dict[Knob, FloatArray])
    default: Mapping[Knob, FloatArray] = field(default_factory=dict[Knob, FloatArray])
    max_rate_per_s: Mapping[Knob, FloatArray] = field(default_factory=dict[Knob, FloatArray])
    step: Mapping[Knob, FloatArray] = field(default_factory=dict[Knob, FloatArray])

    def rows(self, of: Knob | Point) -> tuple[str, ...]:
        """The names behind the values of a knob or a point."""
        return self.names(of.rows)

    def names(self, rows: Rows) -> tuple[str, ...]:
        """The names of the rows of one kind."""
        named = {
            Rows.POD: self.pods,
            Rows.STORAGE: self.storages,
            Rows.PLANT: self.plants,
            Rows.JOB: self.jobs,
        }
        return named.get(rows, ("site",))
