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

from aidc.contract import Controller
from aidc.control import controller_of, refuse_code
from aidc.errors import InputError
from aidc.measure import summary
from aidc.plant.freeze import frozen
from aidc.record.run import CHECKED, Run
from aidc.record.writer import RunWriter, free_folder, write_failures
from aidc.schema.site import Scenario, Site
from aidc.simulate import Twin, compile_site
from aidc.site import load, with_scenario
from aidc.site.devices import borrowed_lines
from aidc.study.equipment import facts_of, told_lines
from aidc.study.site_run.carried import Carried, carried
from aidc.study.site_run.events import EventLog
from aidc.study.site_run.market_rows import doubts_of_rows
from aidc.study.site_run.replay_rating import doubts_of_replays
from aidc.study.site_run.stepping import Progress, Stepping

__all__ = ["run"]


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
        Called before the first step with what the design check found too small, what settings have resized, what the
        site got that its file does not name, and whose constants it takes for want of a device's own: one line each.
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
            told = (f"{subject}: {doubt}" for subject, doubt in doubts)
            tell([*told_lines(plant), *told, *borrowed_lines(site)])
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
        stepping = Stepping(twin, writer, events, progress)
        if chosen is None:
            stepping.free()
        else:
            stepping.controlled(chosen, options, site)
        writer.append("events", events.frame())
        writer.close_tables()
        wall_s = time.perf_counter() - began
        done = _concluded(writer, stepping, rests_on, {**compiled.meta, **plant}, wall_s)
        if finish is not None:
            with write_failures(target):
                finish(done, writer.folder)
        folder = writer.finish()
    return Run(done.site, done.meta, folder, done.summary)


def _concluded(
    writer: RunWriter, stepping: Stepping, rests_on: Carried, facts: Mapping[str, Any], wall_s: float
) -> Run:
    """Measure what was recorded, and write down the rest of the folder."""
    meta = {
        **facts,
        **stepping.ends(),
        "inputs": list(rests_on.inputs),
        "input_hash": rests_on.hash,
        "performance": _performance(stepping, wall_s),
    }
    written = Run(rests_on.site.model_dump(mode="json", by_alias=True), meta, writer.folder)
    figures = summary(written)
    writer.document("summary.json", figures)
    writer.text("site.toml", rests_on.written)
    writer.manifest("run.json", {"meta": meta, "site": written.site}, [*CHECKED, *stepping.books])
    return Run(written.site, meta, writer.folder, figures)


@contextlib.contextmanager
def _naming(site: Site) -> Generator[None]:
    """Say in which site file a problem lies that only shows while the scenario is read."""
    try:
        yield
    except InputError as error:
        raise InputError([replace(one, file=one.file or site.file) for one in error.problems]) from error


def _performance(stepping: Stepping, wall_s: float) -> dict[str, float]:
    """How fast the run was; `steps_per_s` counts the engine and its control, not compilation or writing."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "wall_s": wall_s,
        "steps_per_s": stepping.twin.compiled.clock.steps / stepping.engine_s
        if stepping.engine_s > 0
        else 0.0,
        "peak_rss_mb": peak / (1024 * 1024 if sys.platform == "darwin" else 1024),
    }
