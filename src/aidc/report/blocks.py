"""What a report is made of: sections of tiles, charts, tables and notes. Nothing here knows about HTML."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import plotly.graph_objects as go

from aidc.report.text import MISSING

__all__ = [
    "TONES",
    "Block",
    "Cell",
    "Chart",
    "Chip",
    "Column",
    "Drawing",
    "Head",
    "Heading",
    "Link",
    "Note",
    "Section",
    "Stack",
    "Table",
    "Tile",
    "trimmed",
]


@dataclass(frozen=True, slots=True)
class Tile:
    """One headline figure. `note` says under which conditions it holds, `rows` what it is made of.

    `tone` is one of `TONES` where the figure is good or bad news.
    """

    label: str
    value: str
    unit: str = ""
    note: str = ""
    rows: Sequence[tuple[str, str]] = ()
    wide: bool = False
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Head:
    """Title with the kicker above and the facts under it, the assumptions in a sentence, tiles, the last line."""

    title: str
    facts: Sequence[tuple[str, str]]
    assumptions: str
    tiles: Sequence[Tile]
    kicker: str = ""
    footer: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """One figure with what it shows; `span` is its width in sixths of the page.

    Charts with `linked` share one time axis with those of the same `group`: zooming one zooms all of them.
    """

    key: str
    title: str
    figure: go.Figure
    height_px: int
    note: str = ""
    linked: bool = False
    span: int = 6
    group: str = "time"

    @property
    def kind(self) -> str:
        return "chart"


TONES: Final = ("good", "bad", "open", "mute")


@dataclass(frozen=True, slots=True)
class Chip:
    """A word that stands out: its mark and its border tell the tones apart where colours do not."""

    text: str
    tone: str

    @property
    def kind(self) -> str:
        return "chip"

    @property
    def mark(self) -> str:
        return {"good": "✓", "bad": "✕", "open": "?"}.get(self.tone, "–")


@dataclass(frozen=True, slots=True)
class Link:
    """Text that leads to its source; anything but http(s) stays plain text."""

    text: str
    url: str

    @property
    def kind(self) -> str:
        return "link"

    @property
    def href(self) -> str:
        return self.url if _WEB.fullmatch(self.url) else ""


_WEB: Final = re.compile(r"https?://[^\s<>\"'\\]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Stack:
    """A line with softer ones under it in one cell; `strong` where the line is what the row is about."""

    top: str
    under: Sequence[str] = ()
    strong: bool = False

    @property
    def kind(self) -> str:
        return "stack"


Cell = str | Link | Chip | Stack


@dataclass(frozen=True, slots=True)
class Column:
    """A table column. Numeric columns align right and keep figures under each other."""

    title: str
    numeric: bool = False
    wrap: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table with an optional filter box; `tall` ones scroll in their own box on the screen.

    On a phone the rows of a `cards` table stand as cards, each cell under its column's title.
    """

    key: str
    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    note: str = ""
    filter: bool = False
    tall: bool = False
    span: int = 6
    cards: bool = False

    @property
    def kind(self) -> str:
        return "table"


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence where a chart or a table would stand."""

    text: str

    @property
    def kind(self) -> str:
        return "note"


@dataclass(frozen=True, slots=True)
class Heading:
    """The title of the blocks that follow, within a section."""

    text: str
    note: str = ""

    @property
    def kind(self) -> str:
        return "heading"


def trimmed(table: Table) -> Table:
    """The table without the columns that no row fills."""
    kept = [
        place
        for place in range(len(table.columns))
        if not table.rows or any(row[place] not in (MISSING, "") for row in table.rows)
    ]
    columns = [table.columns[place] for place in kept]
    return replace(table, columns=columns, rows=[[row[place] for place in kept] for row in table.rows])


@dataclass(frozen=True, slots=True)
class Drawing:
    """A drawing as safe SVG markup."""

    key: str
    title: str
    svg: str
    note: str = ""
    min_width_px: int = 0

    @property
    def kind(self) -> str:
        return "drawing"


Block = Chart | Drawing | Table | Note | Heading


@dataclass(frozen=True, slots=True)
class Section:
    """A chapter of the report; `short` is its name in the contents."""

    key: str
    short: str
    title: str
    lead: str = ""
    blocks: Sequence[Block] = field(default_factory=tuple)
