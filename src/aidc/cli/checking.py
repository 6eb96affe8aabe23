"""`aidc check` and `aidc transient`."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, count
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from aidc.cli.screen import named, print_json, progress_console, screen
from aidc.errors import InputError, Problem

__all__ = ["CheckRequest", "check_site", "run_transient"]

EXIT_BY_RESULT = {"pass": 0, "not_applicable": 0, "fail": 1, "not_assessable": 3}
REPORT = "report.html"
_LONGEST_STEM = 100  # of a table's name; event names may be as long as people like


@dataclass(frozen=True, slots=True)
class CheckRequest:
    """What `aidc check` was asked for."""

    site: Path
    codes: Sequence[str]
    events: Sequence[Path]
    recordings: Sequence[Path]
    settings: Sequence[str]
    out: Path | None
    at: datetime | None
    duration_s: float
    step_ms: float
    suggest: bool
    as_json: bool
    resize: bool = False
    marks: Path | None = None


def check_site(request: CheckRequest) -> int:
    """Judge a site or its recordings by one or several rule sets; the worst result is the exit code."""
    from aidc.measure.grid.verdict import overall
    from aidc.plant.freeze import frozen
    from aidc.record.writer import RunWriter, free_folder
    from aidc.report.check.console import verdict_table
    from aidc.report.check.page import write_check
    from aidc.site import load

    site = frozen(load(request.site, request.settings, resize=request.resize))
    if not request.as_json:
        _tell(site)
    target = request.out or free_folder(Path("runs"), f"{site.site.name}-check")
    taken: set[str] = set()
    with RunWriter(target) as writer:  # before anything is computed: what the disk refuses is refused at once
        results = _results(site, request, progress_console(quiet=request.as_json))
        document = {**_document(results), **_sizes(site)}
        writer.document("check.json", document)
        for result in results:
            _waveforms(writer, result.windows, result.code_name, taken)
            model = result.facts.get("load_model")
            if model:
                writer.text(f"{result.code_name}.dyr", str(model["dyr"]))
        write_check(results, writer.folder / REPORT)
        folder = writer.finish()
    if request.as_json:
        print_json(document)
    else:
        for result in results:
            screen().print(verdict_table(result))
        named("Report: ", folder / REPORT)
    return EXIT_BY_RESULT[overall([verdict for result in results for verdict in result.verdicts])]


def _results(site: Any, request: CheckRequest, console: Console) -> list[Any]:
    from aidc.scenario.disturbances import read_events
    from aidc.study.grid_check.check import check, rule_set
    from aidc.study.grid_check.recorded import check_recording
    from aidc.study.windows.bounds import asked_window

    codes: list[str | None] = list(dict.fromkeys(request.codes)) or [None]
    for code in codes:  # a name that is not known is told before anything is computed
        rule_set(site, code)
    for path in request.events:
        read_events(path)
    asked_window(request.duration_s, request.step_ms / 1e3)
    if request.recordings:
        _refuse_twin_options(request)
        return [
            check_recording(site, path, code=code, marks=request.marks)
            for code in codes
            for path in request.recordings
        ]
    if request.marks is not None:
        raise InputError(
            Problem("belongs to a recording", "Give --recording too, or leave it out.", key="--marks")
        )
    with _bar(console) as bar:
        return [
            check(
                site,
                code=code,
                events=request.events,
                at=request.at,
                duration_s=request.duration_s,
                step_s=request.step_ms / 1e3,
                suggest=request.suggest,
                load_model=True,
                progress=_telling(bar, code or site.grid.code or "rule set"),
            )
            for code in codes
        ]


def _refuse_twin_options(request: CheckRequest) -> None:
    """A record is as it is: what belongs to the twin has no meaning beside it."""
    given = {
        "--event": request.events,
        "--at": request.at,
        "--duration": request.duration_s != 3600.0,
        "--step": request.step_ms != 1.0,
    }
    if request.marks is not None and len(request.recordings) > 1:
        what, remedy = "belongs to one recording", "Check one recording at a time."
        raise InputError(Problem(what, remedy, key="--marks"))
    problems = [
        Problem("belongs to the twin, not to a recording", "Leave it out, or leave out --recording.", key=key)
        for key, value in given.items()
        if value
    ]
    if problems:
        raise InputError(problems)


def _document(results: Sequence[Any]) -> dict[str, Any]:
    """One set is the document of the issue tracker's shape; several are joined, each verdict with its set."""
    from aidc.measure.grid.verdict import overall

    if len(results) == 1:
        return results[0].as_dict()
    verdicts = [verdict for result in results for verdict in result.verdicts]
    return {
        "site": results[0].site,
        "code": [result.code_name for result in results],
        "result": overall(verdicts),
        "verdicts": [verdict.as_dict() for verdict in verdicts],
        "sets": [result.as_dict() for result in results],
    }


def run_transient(
    path: Path,
    event: Path | None,
    settings: Sequence[str],
    options: dict[str, Any],
    out: Path | None,
    *,
    as_json: bool,
    resize: bool = False,
) -> int:
    """Step a site through one window and write its waveform and report."""
    from aidc.plant.freeze import frozen
    from aidc.record.writer import RunWriter, free_folder
    from aidc.report.check.console import transient_table
    from aidc.report.check.page import write_transient
    from aidc.site import load
    from aidc.study.windows.transient import transient

    site = frozen(load(path, settings, resize=resize))
    if not as_json:
        _tell(site)
    target = out or free_folder(Path("runs"), f"{site.site.name}-transient")
    with RunWriter(target) as writer:
        result = transient(site, events=event if event is not None else (), **options)
        document = {**result.as_dict(), **_sizes(site)}
        writer.document("transient.json", document)
        _waveforms(writer, (result.window,), "waveform", set())
        write_transient(result, writer.folder / REPORT)
        folder = writer.finish()
    if as_json:
        print_json(document)
    else:
        screen().print(transient_table(result))
        named("Report: ", folder / REPORT)
    return 0


def _sizes(site: Any) -> dict[str, list[str]]:
    """What the site got beyond its file, and what settings have resized."""
    return {"defaults": list(site.defaults), "resized": list(site.resized)}


def _tell(site: Any) -> None:
    lines = [*site.defaults, *(f"resized by a setting: {text}" for text in site.resized)]
    for line in lines:
        screen().print(line, soft_wrap=True)


def _waveforms(writer: Any, windows: Sequence[Any], prefix: str, taken: set[str]) -> None:
    """Every kept window as a Parquet table: seconds, and a column for each channel."""
    import polars as pl

    for window in windows:
        waveform = window.waveform
        frame = pl.DataFrame({"time_s": waveform.time_s, **waveform.channels})
        stem = re.sub(r"[^\w.-]+", "-", f"{prefix}.{window.key}" if window.key != "transient" else prefix)
        stem = stem[:_LONGEST_STEM]
        name = next(one for one in chain([stem], (f"{stem}-{k}" for k in count(2))) if one not in taken)
        taken.add(name)
        writer.append(name, frame)
        writer.close_tables()


def _bar(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    )


def _telling(bar: Progress, name: str) -> Callable[[str, int, int], None]:
    task = bar.add_task(f"{name}: compiling, and finding the operating point", total=None)

    def progress(what: str, done: int, total: int) -> None:
        bar.update(task, description=f"{name}: {what}", completed=done, total=total)

    return progress
