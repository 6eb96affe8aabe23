"""What a file of series is taken for: a published layout by its header, else a plain table.

A layout turns a file as published into a `Table` whose columns bear names with units that the readers of
weather, prices, carbon and power know, with times in ISO 8601 and the line of every row kept, so that every
check downstream names the line. docs/formats.md lists them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from aidc.errors import InputError, Problem
from aidc.scenario.table import Table, read_text, table_of
from aidc.scenario.unitnames import carbon_unit, price_unit

__all__ = ["Layout", "Role", "column_for", "document_of", "known_layouts", "read_layout"]

_HEAD = 4096


class Role(StrEnum):
    """What a column is looked for as."""

    TIME = "times"
    PRICE = "prices"
    CARBON = "emission factors"


@dataclass(frozen=True, slots=True)
class Layout:
    """A published layout: its name, whether the head of a file is of it, and the reader.

    The reader is given the path, the text and, where a file holds several, the wanted point or zone.
    """

    name: str
    matches: Callable[[str], bool]
    read: Callable[[Path, str, str | None], Table]


_TIMES: Final = (
    "time_utc", "datetime_utc", "timestamp_utc", "date_utc", "utc", "utc_time", "time", "timestamp", "datetime",
    "date_time", "date", "t_s", "time_s", "seconds", "t_ms", "time_ms", "timestamp_s", "timestamp_ms", "timestamp_us",
    "timestamp_ns", "unix_time", "unixtime", "unix", "epoch", "epoch_s", "epoch_ms", "ts", "t", "t_min", "t_h",
    "period_start", "start", "start_time", "interval_start", "point_time",
)  # fmt: skip
_TIMED: Final = re.compile(r"(t|time|timestamp|elapsed|unix|epoch|datetime)_(ns|us|ms|s|sec|min|h|utc|gmt)")
_PRICES: Final = ("price", "lmp", "spot_price", "day_ahead_price", "energy_price", "value")
_CARBON: Final = ("carbon_intensity", "moer", "emission_factor", "intensity", "value")


def known_layouts() -> Sequence[Layout]:
    """Every published layout, in the order in which a file is tried."""
    from aidc.scenario.layouts_market import LAYOUTS as MARKET
    from aidc.scenario.layouts_telemetry import LAYOUTS as TELEMETRY
    from aidc.scenario.layouts_weather import LAYOUTS as WEATHER

    return (*WEATHER, *MARKET, *TELEMETRY)


def read_layout(path: Path, *, point: str | None = None) -> Table:
    """Read a file of any known layout, else as a plain table with one header line.

    Raises
    ------
    InputError
        It cannot be read, or is of no layout that is known.
    """
    text = read_text(path)
    head = text[:_HEAD].lstrip()
    for layout in known_layouts():
        if layout.matches(head):
            return _read(layout, path, text, point)
    if head[:1] in "{[":
        names = ", ".join(layout.name for layout in known_layouts())
        what = "is JSON of no layout that is known"
        raise InputError(Problem(what, f"Write it as CSV, or give one of: {names}.", path))
    skip = 0
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            break
        skip += 1
    return table_of(path, text, skip)


def _read(layout: Layout, path: Path, text: str, point: str | None) -> Table:
    """Whatever a reader raises is a refusal that names the layout."""
    try:
        return layout.read(path, text, point)
    except InputError:
        raise
    except (
        ValueError,
        KeyError,
        TypeError,
        IndexError,
        AttributeError,
        OverflowError,
        RecursionError,
    ) as error:
        what = f"looks like {layout.name}, but is not laid out as published: {type(error).__name__}: {error}"
        raise InputError(Problem(what, "Give an unchanged file, or a plain table.", path)) from error


def document_of(path: Path, text: str) -> Any:
    """The text as JSON.

    Raises
    ------
    InputError
        It is not.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(Problem(f"is not JSON: {error}", "Give an unchanged file.", path)) from error


def column_for(table: Table, role: Role, usual: str, key: str) -> str:
    """The column that bears the usual name, else the only one whose name tells the role.

    Raises
    ------
    InputError
        There is none, or several; `key` chooses.
    """
    if usual in table.columns:
        return usual
    found = [name for name in table.columns if _tells(role, name)]
    if role is Role.TIME and len(found) > 1:
        found = found[:1] if table.layout != "table" else [min(found, key=_place)]
    if len(found) == 1:
        return found[0]
    known = ", ".join(list(table.columns)[:20])
    if len(found) > 1:
        what = f"has several columns of {role}: {', '.join(found[:10])}"
        raise InputError(Problem(what, f'Choose: {key} = "{found[0]}".', table.path, "header"))
    close = get_close_matches(usual, table.columns, n=1)
    hint = f"Did you mean {close[0]!r}? " if close else ""
    what = (
        f"has no column {usual!r}" if close else f"has no column {usual!r} and none that is known for {role}"
    )
    raise InputError(
        Problem(what, f'{hint}Name it: {key} = "…". Columns here: {known}.', table.path, "header")
    )


def _tells(role: Role, name: str) -> bool:
    plain = _plain(name)
    if role is Role.TIME:
        return plain in _TIMES or _TIMED.fullmatch(plain) is not None
    if role is Role.PRICE:
        return price_unit(name) is not None or plain in _PRICES
    return (carbon_unit(name) is not None and price_unit_is_absent(name)) or plain in _CARBON


def price_unit_is_absent(name: str) -> bool:
    """Whether a name that tells mass per energy is not one of money per energy."""
    found = price_unit(name)
    return found is None or not found.currency


def _place(name: str) -> int:
    plain = _plain(name)
    return _TIMES.index(plain) if plain in _TIMES else len(_TIMES)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
