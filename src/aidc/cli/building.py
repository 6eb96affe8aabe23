"""`aidc build`."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aidc.cli.screen import named, print_json, screen

if TYPE_CHECKING:
    from aidc.design.construction.result import BuildResult

__all__ = ["build_site"]

_WIDTH = 110


def build_site(
    path: Path,
    plan: Path | None,
    out: Path | None,
    settings: Sequence[str],
    *,
    draws: int,
    seed: int | None,
    as_json: bool,
) -> int:
    """Print when the modules of a site are online; write the figures where a folder is named."""
    from aidc.design.construction.build import build
    from aidc.record.writer import refuse_existing
    from aidc.report.build_console import build_table

    if out is not None:
        refuse_existing(out)
    found = build(path, plan=plan, draws=draws, seed=seed, settings=settings)
    facts = found.as_dict()
    folder = None if out is None else _written(found, facts, out)
    if as_json:
        print_json(facts)
        return 0
    screen(_WIDTH).print(build_table(facts))
    if folder is not None:
        named("Figures, network and curve: ", folder)
    return 0


def _written(found: BuildResult, facts: Mapping[str, Any], out: Path) -> Path:
    """The folder of a study: whole or not at all."""
    from aidc.design.construction.network_csv import network_csv
    from aidc.record.writer import RunWriter

    with RunWriter(out) as writer:
        writer.document("build.json", facts)
        writer.text("network.csv", network_csv(found.plan.tasks, found.plan.file.start))
        writer.text("curve.csv", _curve_csv(facts["curve"]))
        return writer.finish()


def _curve_csv(curve: Mapping[str, Any]) -> str:
    """Power over time, one line a week."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    keys = [
        (key, name) for key in ("commissioned_mw", "online_mw", "import_mw") for name in ("p10", "p50", "p90")
    ]
    writer.writerow(["date", *(f"{key}_{name}" for key, name in keys), "mean_online_mw"])
    for place, day in enumerate(curve["date"]):
        cells = [curve[key][name][place] for key, name in keys]
        writer.writerow([day, *cells, curve["mean_online_mw"][place]])
    return out.getvalue()
