"""`aidc run`, `aidc compare`, `aidc report`."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
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

__all__ = ["compare_runs", "run_site", "write_report"]

REPORT = "report.html"


def run_site(
    path: Path, out: Path | None, settings: Sequence[str], *, as_json: bool, resize: bool = False
) -> int:
    """Run a site, write its folder with report, print the summary."""
    from aidc.report import write
    from aidc.report.console import summary_table
    from aidc.site import load
    from aidc.study.run import run

    console = Console(stderr=True, quiet=as_json)
    site = load(path, settings, resize=resize)
    screen = Console()

    def tell(lines: Sequence[str]) -> None:
        for line in lines if not as_json else ():
            screen.print(
                line, style="yellow" if line.startswith("undersized") else "", markup=False, soft_wrap=True
            )

    with _bar(console) as bar:
        task = bar.add_task(f"{site.site.name}: compiling", total=None)

        def progress(done: int, total: int) -> None:
            bar.update(task, description=f"{site.site.name}: stepping", completed=done, total=total)

        done = run(
            site,
            out=out,
            tell=tell,
            progress=progress,
            finish=lambda made, folder: write(made, folder / REPORT),
        )
    if as_json:
        sys.stdout.write(json.dumps(done.summary, indent=1, allow_nan=False) + "\n")
        return 0
    screen.print(summary_table(done.summary))
    screen.print(f"Report: [bold]{done.folder / REPORT}[/bold]", soft_wrap=True)
    return 0


def compare_runs(folders: Sequence[Path], *, as_json: bool) -> int:
    """Print the figures of several runs beside each other."""
    from dataclasses import asdict

    from aidc.errors import InputError, Problem
    from aidc.measure import compare
    from aidc.record.run import read_run
    from aidc.report.console import compare_table

    if len(folders) < 2:
        raise InputError(
            Problem("needs two runs or more", "Example: aidc compare runs/a-1 runs/a-2", value=len(folders))
        )
    runs = [read_run(folder) for folder in folders]
    rows = compare(runs)
    if as_json:
        sys.stdout.write(json.dumps([asdict(row) for row in rows], indent=1, default=str) + "\n")
        return 0
    Console().print(compare_table(rows, [run.folder.name for run in runs]))
    return 0


def write_report(folder: Path, out: Path | None) -> int:
    """Write the report of a finished run."""
    from aidc.record.run import read_run
    from aidc.report import write

    run = read_run(folder)
    target = out if out is not None else folder / REPORT
    write(run, target)
    Console().print(f"Report: [bold]{target}[/bold]", soft_wrap=True)
    return 0


def _bar(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    )
