"""`run`: a site through its scenario, under a controller, into a run folder."""

from __future__ import annotations

import contextlib
import resource
import sys
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from aidc.contract import Controller
from aidc.control import controller_of, options_of, refuse_code
from aidc.errors import AidcError, InputError, SimulationError
from aidc.measure import summary
from aidc.plant.freeze import frozen
from aidc.record.run import BOOKS, CHECKED, Run
from aidc.record.writer import RunWriter, free_folder, write_failures
from aidc.schema.site import Scenario, Site
from aidc.simulate import Twin, compile_site
from aidc.simulate.compiled import Compiled
from aidc.simulate.frames import pod_frame, series_frame, stored_now
from aidc.simulate.gather import Block, Gatherer
from aidc.simulate.storage_use import StorageUse
from aidc.site import load, with_scenario
from aidc.study.carried import carried
from aidc.study.events import EventLog
from aidc.study.market_rows import doubts_of_rows
from aidc.study.replay_rating import doubts_of_replays
from aidc.study.sizes import facts_of, told_lines

__all__ = ["run"]

Progress = Callable[[int, int], None]

_ROWS_PER_BLOCK = 1440  # a day of minutes: small enough to stream, large enough to amortise the call


def run(
    site: Site | Path | str,
    *,
    out: Path | str | None = None,
    scenario: Scenario | Mapping[str, Any] | Path | str | None = None,
    controller: Controller | None = None,
    settings: Sequence[str] = (),
    resize: bool = False,
    tell: Callable[[Sequence[str]], None] | None = None,
    progress: Progress | None = None,
    finish: Callable[[Run, Path], None] | None = None,
    own_code: bool = True,
) -> Run:
    """Run a site through its scenario.

    Parameters
    ----------
    site
        A loaded site, or the path of a site file.
    out
        Folder of the run; must not exist. Default: `runs/NAME-N` under the working folder.
    scenario
        What happens, in place of the site's own: a shape, tables as TOML gives them, or a TOML file.
    controller
        Who decides; default: the site's own `[control]`. It takes `[control.options]` where the site
        names no controller of its own, and its default options where it does.
    settings, resize
        As in `aidc.load`, where `site` is a path.
    tell
        Called before the first step with what the design check found too small, what settings have resized, and
        what the site got that its file does not name: one line each.
    progress
        Called with steps done and steps in all.
    finish
        Called with the run and its temporary folder before it is put under its name (a report).

    own_code
        Whether `[control] use` may name code of one's own; without, only shipped controllers run.

    Returns
    -------
    Run
        The record on disk, with its summary.

    Raises
    ------
    InputError, SimulationError, OutputError
    """
    began = time.perf_counter()
    site = site if isinstance(site, Site) else load(site, settings, resize=resize)
    site = site if scenario is None else with_scenario(site, scenario)
    target = Path(out) if out is not None else free_folder(Path("runs"), site.site.name)
    if controller is None:
        refuse_code(site, own_code=own_code)
    with RunWriter(target) as writer, _naming(site):
        site = frozen(site)
        compiled = compile_site(site)
        doubts = [*doubts_of_replays(site, compiled), *doubts_of_rows(compiled)]
        plant = facts_of(site, compiled.weather)
        if tell is not None:
            tell([*told_lines(plant), *(f"{subject}: {doubt}" for subject, doubt in doubts)])
        twin = Twin(compiled)
        # code of the user's is imported last, when all else of the site has been accepted
        chosen, options = (controller, None) if controller else controller_of(site)
        rests_on = carried(site, chosen)
        with write_failures(target):
            rests_on.copy_to(writer.folder)
        events = EventLog(compiled, site.scenario.events)
        events.announced()
        events.built(plant)
        for subject, doubt in doubts:
            events.add(compiled.clock.start, "doubt", subject, doubt)
        stepping = _Stepping(twin, writer, events, progress)
        if chosen is None:
            stepping.free()
        else:
            stepping.controlled(chosen, options, site)
        writer.append("events", events.frame())
        writer.close_tables()
        wall_s = time.perf_counter() - began
        meta = {
            **compiled.meta,
            **plant,
            **stepping.ends(),
            "inputs": list(rests_on.inputs),
            "input_hash": rests_on.hash,
            "performance": _performance(compiled, stepping, wall_s),
        }
        written = Run(rests_on.site.model_dump(mode="json", by_alias=True), meta, writer.folder)
        figures = summary(written)
        writer.document("summary.json", figures)
        writer.text("site.toml", rests_on.written)
        writer.manifest("run.json", {"meta": meta, "site": written.site}, [*CHECKED, *stepping.books])
        done = Run(written.site, meta, writer.folder, figures)
        if finish is not None:
            with write_failures(target):
                finish(done, writer.folder)
        folder = writer.finish()
    return Run(written.site, meta, folder, figures)


@contextlib.contextmanager
def _naming(site: Site) -> Generator[None]:
    """Say in which site file a problem lies that only shows while the scenario is read."""
    try:
        yield
    except InputError as error:
        raise InputError([replace(one, file=one.file or site.file) for one in error.problems]) from error


@contextlib.contextmanager
def _compiling() -> Generator[list[float]]:
    """Gather the seconds that kernels take to compile meanwhile; nothing once they are cached."""
    from numba.core import event

    spent: list[float] = []
    with event.install_timer("numba:compile", spent.append):
        yield spent


class _Stepping:
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
            controller.reset(twin.view, options, np.random.default_rng(site.scenario.seed + 1))
        while not twin.done:
            with self._naming(controller):
                decided = controller.decide(twin.observe())
                self.events.decided(twin.tick, decided)
                self.events.clipped(twin.tick, twin.apply(decided))
            self._advance(steps)

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
            "jobs": twin.job_progress(),
        }


def _performance(compiled: Compiled, stepping: _Stepping, wall_s: float) -> dict[str, float]:
    """How fast the run was; `steps_per_s` counts the engine and its control, not compilation or writing."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "wall_s": wall_s,
        "steps_per_s": compiled.clock.steps / stepping.engine_s if stepping.engine_s > 0 else 0.0,
        "peak_rss_mb": peak / (1024 * 1024 if sys.platform == "darwin" else 1024),
    }
