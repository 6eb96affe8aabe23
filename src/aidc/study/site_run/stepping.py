"""Stepping a run: the twin advances block by block, under a controller or free, and what it records is written."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Generator
from typing import Any

import numpy as np
import polars as pl

from aidc.contract import Controller
from aidc.control import options_of
from aidc.errors import AidcError, SimulationError
from aidc.record.run import BOOKS
from aidc.record.writer import RunWriter
from aidc.schema.site import Site
from aidc.simulate import Twin
from aidc.simulate.commissioning import commissioned
from aidc.simulate.deferral import Deferral
from aidc.simulate.frames import pod_frame, series_frame, stored_now
from aidc.simulate.gather import Block, Gatherer
from aidc.simulate.storage_use import StorageUse
from aidc.study.site_run.events import EventLog
from aidc.study.site_run.width_events import WidthEvents

__all__ = ["Progress", "Stepping"]

Progress = Callable[[int, int], None]

_ROWS_PER_BLOCK = 1440  # a day of minutes: small enough to stream, large enough to amortise the call


@contextlib.contextmanager
def _compiling() -> Generator[list[float]]:
    """Gather the seconds that kernels take to compile meanwhile; nothing once they are cached."""
    from numba.core import event

    spent: list[float] = []
    with event.install_timer("numba:compile", spent.append):
        yield spent


class Stepping:
    """Advances the twin block by block and streams what it records."""

    def __init__(self, twin: Twin, writer: RunWriter, events: EventLog, progress: Progress | None) -> None:
        self.twin, self.writer, self.events, self.progress = twin, writer, events, progress
        self.first = stored_now(twin.compiled, twin.state)
        self.engine_s = 0.0
        self._kept = 0
        compiled = twin.compiled
        self._books = Gatherer(compiled, compiled.steps_per_book, self.first)
        alike = compiled.steps_per_book == compiled.steps_per_output
        self._output = None if alike else Gatherer(compiled, compiled.steps_per_output, self.first)
        self._use = StorageUse(compiled)
        self._deferral = Deferral(compiled, events.add)
        self._widths = WidthEvents(twin, events.add)

    @property
    def books(self) -> tuple[str, ...]:
        """Files of the books, where they are not the rows themselves."""
        return () if self._output is None else BOOKS

    def free(self) -> None:
        """Nobody decides: blocks as long as memory allows."""
        per_row = self.twin.compiled.steps_per_row
        while not self.twin.done:
            self._advance(_ROWS_PER_BLOCK * per_row)

    def controlled(self, controller: Controller, options: Any, site: Site) -> None:
        """One decision per control period; rows are written a day at a time."""
        twin = self.twin
        steps = max(1, round(float(controller.period_s) / twin.view.step_s))
        if options is None:
            theirs = site.control.use != "none"  # the site's options are for the site's own controller
            options = options_of(type(controller), {} if theirs else site.control.options)
        with self._naming(controller):
            controller.reset(
                commissioned(twin.compiled), options, np.random.default_rng(site.scenario.seed + 1)
            )
        while not twin.done:
            with self._naming(controller):
                decided = controller.decide(twin.observe())
                self.events.decided(twin.tick, decided)
                self.events.clipped(twin.tick, twin.apply(decided))
            self._widths.asked()
            self._advance(steps)
            self._widths.reached()

    @contextlib.contextmanager
    def _naming(self, controller: Controller) -> Generator[None]:
        """Whatever a controller raises, or returns that is none of the contract's, ends the run in words."""
        try:
            yield
        except AidcError:
            raise
        except Exception as error:  # a user's controller may raise anything
            name, tick = type(controller).__name__, self.twin.tick
            when = self.twin.compiled.clock.at(tick).isoformat()
            what = f"{type(error).__name__}: {error}"
            raise SimulationError(f"controller {name} failed at {when} (tick {tick}): {what}") from error

    def _advance(self, steps: int) -> None:
        began = time.perf_counter()
        with _compiling() as compiled_s:
            block = self.twin.advance(min(steps, self.twin.compiled.clock.steps - self.twin.tick))
        self.engine_s += time.perf_counter() - began - sum(compiled_s)
        self._write(block)
        if self.progress is not None:
            self.progress(self.twin.tick, self.twin.compiled.clock.steps)

    def _write(self, block: Block) -> None:
        """Keep short blocks together: a row group of one row would cost more than the step."""
        self._use.feed(block.soc_path)
        self._deferral.feed(block)
        self._books.add(block)
        if self._output is not None:
            self._output.add(block)
        self._kept += block.rows
        if self._kept >= _ROWS_PER_BLOCK or self.twin.done:
            self._flush()

    def _flush(self) -> None:
        """Write the rows that are whole; where the output step is that of the books, its rows are the books."""
        self._kept = 0
        names = ("series", "pods") if self._output is None else ("books", "books-pods")
        books = self._append(self._books, names)
        if books is not None:
            self.events.seen(*books)
        if self._output is not None:
            self._append(self._output, ("series", "pods"))

    def _append(self, rows: Gatherer, names: tuple[str, str]) -> tuple[pl.DataFrame, pl.DataFrame] | None:
        given = rows.take()
        if given is None:
            return None
        series = series_frame(self.twin.compiled, *given)
        pods = pod_frame(self.twin.compiled, given.records, given.ticks, given.steps)
        for name, frame in zip(names, (series, pods), strict=True):
            self.writer.append(name, frame)
        return series, pods

    def _jobs(self) -> dict[str, dict[str, Any]]:
        """How each job stands at the end, with the account of those that have a deadline."""
        accounts = self._deferral.told()
        return {
            name: {**facts, **({"deferral": accounts[name]} if name in accounts else {})}
            for name, facts in self.twin.job_progress().items()
        }

    def ends(self) -> dict[str, Any]:
        """What was stored at both ends of the run, for closing the books."""
        twin = self.twin
        last = stored_now(twin.compiled, twin.state)
        return {
            "stored_first_j": self.first.energy_j,
            "stored_last_j": last.energy_j,
            "thermal_first_j": self.first.heat_j,
            "thermal_last_j": last.heat_j,
            "queue_first_tokens": 0.0,
            "storage_use": self._use.told(),
            "jobs": self._jobs(),
        }
