"""`aidc equipment`."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

__all__ = ["show_equipment"]


def show_equipment(
    path: Path, target: Path | None, settings: Sequence[str], *, as_json: bool, resize: bool
) -> int:
    """Print the equipment schedule of a site; freeze it into a site file where one is asked for."""
    from aidc.report.schedule import equipment_table
    from aidc.site import site_toml
    from aidc.study.sizes import equipment

    found = equipment(path, settings=settings, resize=resize)
    facts = found.as_dict()
    if target is not None:
        _write(site_toml(found.site), target)
    if as_json:
        sys.stdout.write(json.dumps(facts, indent=1, allow_nan=False) + "\n")
        return 0
    screen = Console()
    screen.print(equipment_table(facts))
    if target is not None:
        screen.print(f"Wrote {target}. Run it: [bold]aidc run {target}[/bold]", soft_wrap=True)
    return 0


def _write(text: str, target: Path) -> None:
    from aidc.errors import OutputError

    try:
        with target.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise OutputError(f"{target} exists already. Choose another name.") from error
    except OSError as error:
        raise OutputError(f"{target}: could not be written: {error}. Choose another folder.") from error
