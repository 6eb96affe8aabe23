"""Columns of text in a tenth of the memory of Python's strings, filled row by row: tables of ten million rows.

A Python string of ten letters takes 59 bytes and 8 in its list; here it takes 16. Tables of usual size stay lists.
"""

from __future__ import annotations

import io
from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, overload

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Cells", "Rows", "lines_of"]

_CHUNK = 1 << 16
_MOST_REPORTED = 5


class Cells(Sequence[str]):
    """A column of text in chunks of equal length; it reads like a list."""

    def __init__(self, chunks: Sequence[pl.Series], size: int) -> None:
        self._chunks, self._size = chunks, size

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[str]:
        return chain.from_iterable(chunk.to_list() for chunk in self._chunks)

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> list[str]: ...
    def __getitem__(self, place: int | slice) -> str | list[str]:
        if isinstance(place, slice):
            return [self._at(each) for each in range(*place.indices(self._size))]
        if not -self._size <= place < self._size:
            raise IndexError(place)
        return self._at(place % self._size)

    def replaced(self, old: str, new: str) -> Cells:
        """The column with `new` wherever `old` stood."""
        chunks = [chunk.str.replace_all(old, new, literal=True) for chunk in self._chunks]
        return Cells(chunks, self._size)

    def _at(self, place: int) -> str:
        return str(self._chunks[place // _CHUNK][place % _CHUNK])


class Rows:
    """Rows of a table as they come from its reader: cells stripped, rows of another length noted and padded.

    Attributes
    ----------
    lines
        The line of each row.
    ragged
        Line and number of cells of the first rows that are not as long as the header.
    """

    def __init__(self, width: int) -> None:
        self._width = width
        self.lines = array("Q")
        self.ragged: list[tuple[int, int]] = []
        self._buffer: list[list[str]] = []
        self._chunks: list[list[pl.Series]] = [[] for _ in range(width)]

    def __len__(self) -> int:
        return len(self.lines)

    def add(self, row: list[str], line: int) -> None:
        """Take a row."""
        if len(row) != self._width:
            if len(self.ragged) < _MOST_REPORTED:
                self.ragged.append((line, len(row)))
            row = (row + [""] * self._width)[: self._width]
        self.lines.append(line)
        self._buffer.append(row)
        if len(self._buffer) == _CHUNK:
            self._pack()

    def columns(self) -> list[Sequence[str]]:
        """The columns in their order."""
        if not any(self._chunks):
            return [[cell.strip() for cell in column] for column in zip(*self._buffer, strict=True)]
        self._pack()
        return [Cells(chunks, len(self)) for chunks in self._chunks]

    def _pack(self) -> None:
        import polars as pl

        if self._buffer:
            for chunks, column in zip(self._chunks, zip(*self._buffer, strict=True), strict=True):
                chunks.append(pl.Series([cell.strip() for cell in column], dtype=pl.String))
            self._buffer = []


def lines_of(text: str) -> Iterable[str]:
    """The lines of a text with their ends, one at a time (a `StringIO` takes four bytes a letter)."""
    if "\r" in text and "\n" not in text:
        return io.StringIO(text, newline="")
    return _lines(text)


def _lines(text: str) -> Iterator[str]:
    start = 0
    while start < len(text):
        end = text.find("\n", start) + 1 or len(text)
        yield text[start:end]
        start = end
