"""`aidc build`."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aidc.cli.screen import named, print_json, progress_console, screen
from aidc.errors import InputError, Problem

if TYPE_CHECKING:
    from aidc.design.construction.result import BuildResult
    from aidc.schema.site import Site

__all__ = ["build_site"]

_WIDTH = 110


def build_site(
    path: Path,
    plan: Path | None,
    out: Path | None,
    settings: Sequence[str],
    options: Mapping[str, Any],
    *,
    site_at: date | None,
    as_json: bool,
) -> int:
    """Print when the modules of a site are online; write the figures where a folder is named."""
    from aidc.cli.running import progress_bar
    from aidc.design.construction.build import build
    from aidc.record.writer import refuse_existing
    from aidc.report.build.console import build_table

    if out is not None:
        refuse_existing(out)
    if site_at is not None and out is None:
        what, remedy = "needs a file to write the site into", "Example: --site-at 2027-06-01 --out phase.toml"
        raise InputError(Problem(what, remedy, key="--site-at"))
    if site_at is not None and out is not None:
        plain: dict[str, Any] = {
            **options,
            "value": False,
            "follow": False,
            "bridges": False,
            "against": None,
        }
        found = build(path, plan=plan, settings=settings, **plain)
        return _phase(found, site_at, out, as_json=as_json)
    with progress_bar(progress_console(quiet=as_json)) as bar:
        task = bar.add_task(f"{path.name}: drawing schedules", total=None)

        def progress(done: int, total: int) -> None:
            bar.update(task, description=f"{path.name}: running phases", completed=done, total=total)

        found = build(path, plan=plan, settings=settings, progress=progress, **options)
    facts = found.as_dict()
    folder = None if out is None else _written(found, facts, out)
    if as_json:
        print_json(facts)
        return 0
    screen(_WIDTH).print(build_table(facts))
    if folder is not None:
        named("Report: ", folder / "report.html")
    return 0


def _phase(found: BuildResult, day: date, out: Path, *, as_json: bool) -> int:
    """Write the site of a date; say what of the whole it is."""
    from aidc.cli.schedule import write_site
    from aidc.design.construction.admission import admitted
    from aidc.design.construction.phases import phase_of
    from aidc.site import site_toml

    phase = phase_of(found, day)
    site, shares, lines = admitted(phase.site)
    _refuse_apart(found.plan.site, out)
    write_site(site_toml(site), out)
    if as_json:
        print_json(
            {
                "schema": 1, "name": site.site.name, "date": day, "file": str(out), "online_mw": phase.online_mw,
                "commissioned_mw": phase.commissioned_mw, "import_limit_mw": phase.import_limit_mw,
                "demand_frac": shares, "told": [*phase.told, *lines],
            }
        )  # fmt: skip
        return 0
    for line in (*phase.told, *lines):
        screen().print(line, soft_wrap=True)
    named(f"Wrote {out}. Run it: ", f"aidc run {out}")
    return 0


def _refuse_apart(site: Site, out: Path) -> None:
    """Refuse a place from which the site would not find its own files and entries."""
    from aidc.study.site_run.carried import names_files

    apart = out.resolve().parent != site.folder
    if apart and (names_files(site) or (site.folder / "catalogue").is_dir()):
        what = (
            f"rests on files or a catalogue beside it, which a site in {out.resolve().parent} would not find"
        )
        raise InputError(Problem(what, f"Write it into {site.folder}.", site.file, "--out", str(out)))


def _written(found: BuildResult, facts: Mapping[str, Any], out: Path) -> Path:
    """The folder of a study: whole or not at all."""
    from aidc.design.construction.network_csv import network_csv
    from aidc.record.writer import RunWriter, write_failures
    from aidc.report.build.page import write_build

    with RunWriter(out) as writer:
        writer.document("build.json", facts)
        writer.text("network.csv", network_csv(found.plan.tasks, found.plan.file.start))
        writer.text("curve.csv", _curve_csv(facts))
        with write_failures(out):
            write_build(facts, writer.folder / "report.html")
        return writer.finish()


def _curve_csv(facts: Mapping[str, Any]) -> str:
    """Power over time, and useful tokens a day where phases were run, one line a week."""
    curve, tokens = facts["curve"], facts["useful_tokens_per_day"]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    keys = [
        (key, name) for key in ("commissioned_mw", "online_mw", "import_mw") for name in ("p10", "p50", "p90")
    ]
    levels = ("p10", "p50", "p90") if tokens else ()
    delivered = [f"useful_tokens_per_day_{name}" for name in levels]
    writer.writerow(["date", *(f"{key}_{name}" for key, name in keys), "mean_online_mw", *delivered])
    for place, day in enumerate(curve["date"]):
        cells = [curve[key][name][place] for key, name in keys]
        cells += [curve["mean_online_mw"][place], *(tokens[name][place] for name in levels)]
        writer.writerow([day, *cells])
    return out.getvalue()
