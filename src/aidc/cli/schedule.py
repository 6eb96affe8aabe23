"""`aidc equipment`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from aidc.cli.screen import named, print_json, screen

__all__ = ["show_equipment", "write_site"]


def show_equipment(
    path: Path, target: Path | None, settings: Sequence[str], *, as_json: bool, resize: bool
) -> int:
    """Print the equipment schedule of a site; freeze it into a site file where one is asked for."""
    from aidc.report.schedule import equipment_table
    from aidc.site import site_toml
    from aidc.study.equipment import equipment

    found = equipment(path, settings=settings, resize=resize)
    facts = found.as_dict()
    if target is not None:
        write_site(site_toml(found.site), target)
    if as_json:
        print_json(facts)
        return 0
    screen().print(equipment_table(facts))
    if target is not None:
        named(f"Wrote {target}. Run it: ", f"aidc run {target}")
    return 0


def write_site(text: str, target: Path) -> None:
    """Write a site file that does not exist yet."""
    from aidc.errors import OutputError

    try:
        with target.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise OutputError(f"{target} exists already. Choose another name.") from error
    except (OSError, ValueError) as error:
        raise OutputError(f"{target}: could not be written: {error}. Choose another folder.") from error
