"""Files that are typical years by their layout, whatever key names them."""

from __future__ import annotations

from pathlib import Path

from aidc.errors import InputError, Problem
from aidc.scenario.layouts_weather import stamped_of
from aidc.scenario.table import read_text
from aidc.scenario.tmy import read_epw, read_tmy3
from aidc.scenario.typical import TypicalYear

__all__ = ["year_of"]


def year_of(path: Path) -> TypicalYear | None:
    """The typical year that a file holds, or None where it is a series of its own dates.

    Raises
    ------
    InputError
        It cannot be read, or is damaged.
    """
    text = read_text(path)
    lines = text[:8192].lstrip().splitlines()
    if lines and lines[0].upper().startswith("LOCATION,"):
        return read_epw(path)
    if len(lines) > 1 and lines[1].startswith("Date (MM/DD/YYYY),Time (HH:MM)"):
        return read_tmy3(path)
    try:
        rows = stamped_of(path, text)
        return rows.year() if rows is not None and rows.is_typical else None
    except InputError:
        raise
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, OverflowError) as error:
        what = f"is not laid out as published: {type(error).__name__}: {error}"
        raise InputError(Problem(what, "Give an unchanged file, or a plain table.", path)) from error
