"""The one thing that steps the plant: `run`, an environment and an emulator all share it."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from itertools import groupby

import numpy as np

from aidc.contract import Clip, Command, FloatArray, Forecast, Knob, Observation, Point, SiteView, admit
from aidc.errors import SimulationError
from aidc.simulate.compiling.compiled import Compiled
from aidc.simulate.energy.arrays import Knobs, Records, Rows, State
from aidc.simulate.energy.engine import OK, advance
from aidc.simulate.energy.fields import Cells, Component, PodKnob, PodNow, SiteNow, StoreNow
from aidc.simulate.energy.layout import (
    knobs_by_place,
    lay_out,
    name_rows,
    rows_of,
    scratch_of,
    state_by_field,
)
from aidc.simulate.frames import stored_now
from aidc.simulate.gather import Block, joined
from aidc.simulate.settle import settled

__all__ = ["Twin"]

_FORECAST_HOURS = 24
_POD_KNOBS = {
    Knob.POD_PAUSE: PodKnob.RUN,
    Knob.POD_BATCH_FRAC: PodKnob.BATCH_FRAC,
    Knob.POD_REPLICA_FRAC: PodKnob.REPLICA_FRAC,
}


class Twin:
    """A simulated site behind the control contract.

    `reset` puts it at tick 0, `apply` takes commands, `advance` steps it, `observe` says what a real
    site would have measured over the last block.
    """

    def __init__(self, compiled: Compiled) -> None:
        self.compiled = compiled
        self._fixed = lay_out(compiled.params)
        self._first = settled(compiled)
        self.reset()

    def reset(self) -> None:
        """Go back to the start of the scenario."""
        self.tick = 0
        compiled = self.compiled
        self._state: State = deepcopy(self._first)
        self.state: State = state_by_field(self._state)
        self._knobs: Knobs = knobs_by_place(compiled.default_knobs())
        workloads = compiled.first_job + len(compiled.jobs)
        self._scratch = scratch_of(compiled.params, compiled.inputs.first.size, workloads)
        self._held = {knob: np.full(len(self.view.rows(knob)), np.nan) for knob in Knob}
        self._set_at = dict.fromkeys(Knob, 0)
        self._until = dict.fromkeys(Knob, -1)
        self._last: Block | None = None

    def start_at(self, tick: int) -> None:
        """Go to a tick of the scenario with everything else as at its start; the loops settle while it goes on."""
        self.reset()
        self.tick = tick

    def __deepcopy__(self, memo: dict[int, object]) -> Twin:
        """A twin that goes on from here by itself, over the same site and scenario."""
        other = object.__new__(Twin)
        memo[id(self)] = other
        other.compiled, other._fixed, other._first = self.compiled, self._fixed, self._first
        other.tick = self.tick
        other._state = deepcopy(self._state)
        other.state = state_by_field(other._state)
        other._knobs, other._last = self._knobs, self._last
        workloads = self.compiled.first_job + len(self.compiled.jobs)
        other._scratch = scratch_of(self.compiled.params, self.compiled.inputs.first.size, workloads)
        other._held = {knob: value.copy() for knob, value in self._held.items()}
        other._set_at, other._until = dict(self._set_at), dict(self._until)
        return other

    @property
    def view(self) -> SiteView:
        return self.compiled.view

    @property
    def done(self) -> bool:
        """Whether the scenario's window has been stepped through."""
        return self.tick >= self.compiled.clock.steps

    def apply(self, commands: Sequence[Command]) -> list[Clip]:
        """Admit commands; they act from the next step and hold until replaced or expired."""
        step_s = float(self.compiled.clock.step_s)
        elapsed_s = (
            max((self.tick - min(self._set_at[c.knob] for c in commands)) * step_s, step_s)
            if commands
            else 0.0
        )
        admitted, clips = admit(commands, self.view, self._held, elapsed_s)
        for knob, command in admitted.items():
            self._held[knob] = np.where(np.isnan(command.value), self._held[knob], command.value)
            self._set_at[knob] = self.tick
            self._until[knob] = self.tick + max(1, round(command.valid_s / step_s))
        self._set_knobs()
        return clips

    def advance(self, steps: int) -> Block:
        """Step the plant; `steps` is cut at the end of the window.

        Rows lie on a grid from the start of the run; one that a block begins or ends within is recorded in two parts.

        Raises
        ------
        SimulationError
            A state that is not finite was reached, or there is nothing to step.
        """
        steps = min(steps, self.compiled.clock.steps - self.tick)
        if steps <= 0:
            raise SimulationError(f"There are no {steps} steps to take: the run is at tick {self.tick}.")
        self._expire()
        before = stored_now(self.compiled, self.state)
        first, parts, paths = self.tick, list[Records](), list[FloatArray]()
        lengths = _lengths(first, steps, self.compiled.steps_per_row)
        for many, alike in ((many, len(list(group))) for many, group in groupby(lengths)):
            out = self._record(many, alike)
            parts.append(name_rows(self.compiled.params, out))
            paths.append(out.soc_path.reshape(many * alike, -1))
        counts = np.array(lengths, dtype=np.int64)
        self._last = Block(joined(parts), first, counts, before, np.concatenate(paths))
        return self._last

    def _record(self, steps_per_row: int, rows: int) -> Rows:
        """Step through rows of one length."""
        out = rows_of(self.compiled.params, rows, steps_per_row)
        steps = rows * steps_per_row
        status = advance(
            self._fixed,
            self.compiled.inputs,
            self._knobs,
            self._state,
            self._scratch,
            out,
            self.tick,
            steps,
            steps_per_row,
            self.compiled.first_job,
        )
        if status != OK:
            when = self.compiled.clock.at(self.tick).isoformat()
            raise SimulationError(f"The model reached a state that is not finite after {when}.")
        self.tick += steps
        return out

    def observe(self) -> Observation:
        """Means over the last block, as a real site would have measured them."""
        if self._last is None:
            value = {point: np.full(len(self.view.rows(point)), np.nan) for point in Point}
            age = {point: np.full(len(self.view.rows(point)), np.inf) for point in Point}
        else:
            value = _measured(self.compiled, self._last) | self._job_points()
            age = {point: np.zeros(len(value[point])) for point in Point}
        for array in (*value.values(), *age.values()):
            array.setflags(write=False)
        return Observation(self.tick, value, age, self.compiled.told(self.tick), self._forecast())

    def job_widths(self) -> tuple[FloatArray, FloatArray]:
        """Accelerators that each job holds, and those that it is asked to work on, (n_job,)."""
        every = self.view.upper[Knob.JOB_WIDTH]
        return np.rint(self.state.job_width * every), np.rint(self._knobs.job * every)

    def job_progress(self) -> dict[str, dict[str, float | bool | None]]:
        """Tokens trained so far, the target, and whether each job has reached its end."""
        params, names = self.compiled.params, self.compiled.jobs
        return {
            name: {
                "tokens": float(self.state.job_tokens[job]),
                "target_tokens": float(params.job_tokens[job])
                if np.isfinite(params.job_tokens[job])
                else None,
                "finished": self._finished(job),
            }
            for job, name in enumerate(names)
        }

    def _job_points(self) -> dict[Point, FloatArray]:
        """Where the jobs stand at the end of the last block."""
        state = self.state
        return {
            Point.JOB_WIDTH: np.rint(state.job_width * self.view.upper[Knob.JOB_WIDTH]),
            Point.JOB_WORKING: (self._scratch.job_runs >= 1.0).astype(float),
            Point.JOB_TOKENS: state.job_tokens.copy(),
        }

    def _finished(self, job: int) -> bool | None:
        params = self.compiled.params
        if np.isfinite(params.job_tokens[job]) and self.state.job_tokens[job] >= params.job_tokens[job]:
            return True
        if params.job_end[job] <= self.compiled.clock.steps:
            return self.tick >= params.job_end[job]
        return False if np.isfinite(params.job_tokens[job]) else None

    def _forecast(self) -> Forecast:
        start = np.datetime64(self.compiled.clock.at(self.tick).replace(tzinfo=None), "us")
        times = start + np.arange(_FORECAST_HOURS) * np.timedelta64(3_600_000_000, "us")
        market = self.compiled.market
        carbon = market.carbon_kg_per_mwh
        emitted = np.zeros(times.size) if carbon is None else carbon.at(times)
        return Forecast(self.tick, 3600.0, market.price_usd_per_mwh.at(times), emitted)

    def _expire(self) -> None:
        expired = [knob for knob in Knob if 0 <= self._until[knob] <= self.tick]
        for knob in expired:
            self._held[knob][:] = np.nan
            self._until[knob] = -1
        if expired:
            self._set_knobs()

    def _set_knobs(self) -> None:
        """Translate what is held into the engine's terms."""
        fresh = self.compiled.default_knobs()
        rated = self.view.upper[Knob.POD_CAP_W]
        cap = self._held[Knob.POD_CAP_W] / rated
        fresh.pod[PodKnob.CAP_FRAC] = np.where(np.isnan(cap), fresh.pod[PodKnob.CAP_FRAC], cap)
        for knob, row in _POD_KNOBS.items():
            held = 1.0 - self._held[knob] if knob is Knob.POD_PAUSE else self._held[knob]
            fresh.pod[row] = np.where(np.isnan(held), fresh.pod[row], held)
        width = self._held[Knob.JOB_WIDTH] / self.view.upper[Knob.JOB_WIDTH]
        fresh.job[:] = np.where(np.isnan(width), fresh.job, width)
        fresh.storage_w[:] = _spread(self.compiled, self._held[Knob.STORAGE_W])
        fresh.supply_k[:] = np.where(
            np.isnan(self._held[Knob.PLANT_SUPPLY_K]), fresh.supply_k, self._held[Knob.PLANT_SUPPLY_K]
        )
        self._knobs = knobs_by_place(fresh)


def _spread(compiled: Compiled, value: FloatArray) -> FloatArray:
    """A set point per named storage, shared among its lineups by rating; NaN for what nobody commands."""
    labels = compiled.labels.stores
    names = compiled.view.storages
    rated = compiled.params.storage[Cells.RATED_W] if len(labels) else np.zeros(0)
    total = {name: sum(r for r, label in zip(rated, labels, strict=True) if label == name) for name in names}
    return np.array(
        [
            value[names.index(label)] * r / total[label] if label in total else np.nan
            for r, label in zip(rated, labels, strict=True)
        ]
    )


def _lengths(first: int, steps: int, per_row: int) -> list[int]:
    """Steps of each row between two ticks, on the grid of rows."""
    head = min(-first % per_row, steps)
    body, tail = divmod(steps - head, per_row)
    return [head] * (head > 0) + [per_row] * body + [tail] * (tail > 0)


def _measured(compiled: Compiled, block: Block) -> dict[Point, FloatArray]:
    out, rows = block.records, block.rows
    share = block.steps / block.steps.sum()
    site = share @ out.site[:, :, 0]
    pod = np.tensordot(share, out.pod, 1)
    plant = np.tensordot(share, out.plant, 1)
    names = compiled.view.storages
    member = np.array([[label == name for label in compiled.labels.stores] for name in names], dtype=float)
    member = member.reshape(len(names), len(compiled.labels.stores))
    capacity = compiled.params.storage[Cells.CAPACITY_J]
    store = np.tensordot(share, out.store, 1)
    times = np.array([np.datetime64(compiled.clock.at(block.first_tick).replace(tzinfo=None), "us")])
    step_s = float(compiled.clock.step_s)
    carbon = compiled.market.carbon_kg_per_mwh
    return {
        Point.GRID_IMPORT_W: site[[SiteNow.NET_IMPORT_W]],
        Point.PV_W: site[[SiteNow.PV_W]],
        Point.WIND_W: site[[SiteNow.WIND_W]],
        Point.DRY_BULB_K: site[[SiteNow.DRY_BULB_K]],
        Point.WET_BULB_K: site[[SiteNow.WET_BULB_K]],
        Point.PRICE_USD_PER_MWH: compiled.market.price_usd_per_mwh.at(times),
        Point.CARBON_KG_PER_MWH: np.zeros(1) if carbon is None else carbon.at(times),
        Point.POD_IT_W: pod[PodNow.IT_W],
        Point.POD_ACCELERATOR_W: pod[PodNow.ACCELERATOR_W],
        Point.POD_UNCAPPED_W: pod[PodNow.UNCAPPED_W],
        Point.POD_TOKENS_PER_S: (pod[PodNow.OUTPUT_TOKENS] + pod[PodNow.TRAINED_TOKENS]) / step_s,
        Point.POD_QUEUE_TOKENS: out.queue_tokens[rows - 1].copy(),
        Point.POD_SUPPLY_K: pod[PodNow.SUPPLY_K],
        Point.POD_CASE_K: out.case_k[:rows].max(axis=0),
        Point.STORAGE_W: member @ (store[StoreNow.CHARGE_W] - store[StoreNow.DISCHARGE_W]),
        Point.STORAGE_SOC_FRAC: (member * capacity) @ out.soc_frac[rows - 1] / (member @ capacity),
        Point.PLANT_SUPPLY_K: plant[Component.SUPPLY_K],
        Point.PLANT_HEAT_W: plant[Component.HEAT_W] + plant[Component.REUSED_W],
    }
