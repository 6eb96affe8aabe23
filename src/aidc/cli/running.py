"""`aidc run`, `aidc compare`, `aidc report`."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Generator, Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

from aidc.cli.screen import named, print_json, progress_console, screen

__all__ = ["compare_runs", "controller_settings", "progress_bar", "run_site", "write_report"]

REPORT = "report.html"


def run_site(
    path: Path,
    out: Path | None,
    settings: Sequence[str],
    *,
    own_code: bool,
    as_json: bool,
    resize: bool = False,
) -> int:
    """Run a site, write its folder with report, print the summary."""
    from aidc.report import write
    from aidc.report.run.console import summary_table
    from aidc.site import load
    from aidc.study.site_run.run import run

    console = progress_console(quiet=as_json)
    site = load(path, settings, resize=resize)

    def tell(lines: Sequence[str]) -> None:
        for line in lines if not as_json else ():
            screen().print(line, style="yellow" if line.startswith("undersized") else "", soft_wrap=True)

    with progress_bar(console) as bar:
        task = bar.add_task(f"{site.site.name}: compiling", total=None)

        def progress(done: int, total: int) -> None:
            bar.update(task, description=f"{site.site.name}: stepping", completed=done, total=total)

        done = run(
            site,
            out=out,
            tell=tell,
            progress=progress,
            finish=lambda made, folder: write(made, folder / REPORT),
            own_code=own_code,
        )
    if as_json:
        print_json(done.summary)
        return 0
    screen().print(summary_table(done.summary))
    named("Report: ", done.folder / REPORT)
    return 0


def controller_settings(path: Path, name: str, settings: Sequence[str]) -> list[str]:
    """Settings that put a controller in charge; the site's options stay where it is the site's own.

    A file of one's own is looked for from here, as a shell would, and then beside the site.
    """
    from aidc.site import load

    place, colon, kind = name.rpartition(":")
    use = (
        f"{Path(place).resolve()}:{kind}"
        if colon and place.endswith(".py") and Path(place).is_file()
        else name
    )
    own = load(path, settings).control.use
    kept = own == name or any(one.startswith("control.options") for one in settings)
    return [f"control.use={json.dumps(use)}", *([] if kept else ["control.options={}"])]


def compare_runs(folders: Sequence[Path], *, as_json: bool) -> int:
    """Print the figures of several runs beside each other, and which of their inputs differ."""
    from dataclasses import asdict

    from aidc.errors import InputError, Problem
    from aidc.measure import compare
    from aidc.measure.compare_inputs import differing_inputs
    from aidc.record.run import read_run
    from aidc.report.run.console import compare_table, inputs_table

    if len(folders) < 2:
        raise InputError(
            Problem("needs two runs or more", "Example: aidc compare runs/a-1 runs/a-2", value=len(folders))
        )
    runs = [read_run(folder) for folder in folders]
    with _damage(folders[0]):
        rows, inputs = compare(runs), differing_inputs(runs)
    if as_json:
        print_json({"figures": [asdict(row) for row in rows], "inputs": [asdict(row) for row in inputs]})
        return 0
    names = [run.folder.name for run in runs]
    screen().print(compare_table(rows, names))
    screen().print(inputs_table(inputs, names))
    return 0


def write_report(folder: Path, out: Path | None, csv: Path | None = None) -> int:
    """Write the report of a finished run, or its CSV files; only a report, or nothing, is replaced."""
    from aidc.record.run import read_run
    from aidc.report import write
    from aidc.report.sheet import refuse_other

    target = out if out is not None else folder / REPORT
    run = read_run(folder)
    if csv is not None:
        from aidc.report.csv import write_csv

        write_csv(run, csv)
        named("CSV files: ", csv)
        return 0
    refuse_other(target)
    with _damage(folder):
        write(run, target)
    named("Report: ", target)
    return 0


@contextlib.contextmanager
def _damage(folder: Path) -> Generator[None]:
    """Checksums agree and still something is missing: somebody made this folder by hand."""
    from polars.exceptions import PolarsError

    from aidc.errors import InputError, Problem

    try:
        yield
    except InputError as error:
        raise InputError(
            [
                replace(one, file=folder / one.file) if one.file == "run.json" else one
                for one in error.problems
            ]
        ) from error
    except (
        KeyError,
        TypeError,
        ValueError,
        AttributeError,
        LookupError,
        ArithmeticError,
        PolarsError,
    ) as error:
        what = f"holds something else than a run: {type(error).__name__}: {error}"
        raise InputError(Problem(what, "Run the site again.", folder)) from error


def progress_bar(console: Console) -> Progress:
    """A bar on the progress console, gone when it is done."""
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    )
