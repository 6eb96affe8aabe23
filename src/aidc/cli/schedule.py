"""`aidc equipment`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from aidc.cli.screen import named, print_json, screen

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
        print_json(facts)
        return 0
    screen().print(equipment_table(facts))
    if target is not None:
        named(f"Wrote {target}. Run it: ", f"aidc run {target}")
    return 0


def _write(text: str, target: Path) -> None:
    from aidc.errors import OutputError

    try:
        with target.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise OutputError(f"{target} exists already. Choose another name.") from error
    except (OSError, ValueError) as error:
        raise OutputError(f"{target}: could not be written: {error}. Choose another folder.") from error
