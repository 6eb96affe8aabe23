"""`aidc flex`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from aidc.cli.screen import named, print_json, screen

__all__ = ["flex_site"]

REPORT = "report.html"


def flex_site(path: Path, out: Path | None, settings: Sequence[str], *, as_json: bool) -> int:
    """Print what a site can promise, and write a folder with the figures and a report."""
    from aidc.record.writer import RunWriter, free_folder
    from aidc.report.flexibility.console import flex_table
    from aidc.report.flexibility.page import write_flex
    from aidc.site import load
    from aidc.study.flexibility.flex import flex

    site = load(path, settings)
    target = out or free_folder(Path("runs"), f"{site.site.name}-flex")
    with RunWriter(target) as writer:  # before anything is computed: what the disk refuses is refused at once
        told = flex(site).as_dict()
        writer.document("flex.json", told)
        write_flex(told, writer.folder / REPORT)
        folder = writer.finish()
    if as_json:
        print_json(told)
        return 0
    screen().print(flex_table(told))
    named("Report: ", folder / REPORT)
    return 0
