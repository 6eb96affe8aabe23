"""`aidc plan`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aidc.cli.screen import named, print_json, progress_console, screen

if TYPE_CHECKING:
    from aidc.study.planning.plan import PlanResult

__all__ = ["plan_site"]


def plan_site(
    path: Path, out: Path | None, settings: Sequence[str], wear_usd_per_mwh: float, *, as_json: bool
) -> int:
    """Print the cheapest schedule of a site's storage; write it where a folder is named."""
    from aidc.cli.running import progress_bar
    from aidc.record.writer import refuse_existing
    from aidc.report.plan.console import plan_table
    from aidc.study.planning.plan import plan

    if out is not None:
        refuse_existing(out)
    with progress_bar(progress_console(quiet=as_json)) as bar:
        task = bar.add_task(f"{path.name}: planning", total=None)
        found = plan(
            path,
            settings=settings,
            wear_usd_per_mwh=wear_usd_per_mwh,
            progress=lambda what: bar.update(task, description=f"{path.name}: {what}"),
        )
    facts = found.as_dict()
    folder = None if out is None else _written(found, facts, out)
    if as_json:
        print_json(facts)
        return 0
    screen().print(plan_table(facts))
    if folder is not None:
        named("Schedule: ", folder / "schedule.csv")
        named("Report: ", folder / "report.html")
    return 0


def _written(found: PlanResult, facts: Mapping[str, Any], out: Path) -> Path:
    """The folder of a plan: whole or not at all."""
    from aidc.record.writer import RunWriter, write_failures
    from aidc.report.plan.page import write_plan

    with RunWriter(out) as writer:
        with write_failures(out):
            found.schedule.write_csv(writer.folder / "schedule.csv")
            write_plan(facts, writer.folder / "report.html")
        writer.document("plan.json", facts)
        return writer.finish()
