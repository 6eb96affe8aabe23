"""Where a measured series comes from, when it begins, and how it is repeated."""

from __future__ import annotations

from datetime import datetime
from pathlib import PurePath
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, AwareDatetime, Field, model_validator

from aidc.schema.base import Shape

__all__ = ["FileSource", "Meaning", "Moment", "TimeUnit", "TimedSource"]

_FIRST_YEAR, _LAST_YEAR = 1900, 2200  # room on both sides for shifts by years and time zones


def _in_range(moment: datetime) -> datetime:
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        raise ValueError(f"lies outside the years {_FIRST_YEAR} to {_LAST_YEAR}. Check the year")
    return moment


Moment = Annotated[AwareDatetime, AfterValidator(_in_range)]
"""An instant with a time zone, in a year that calendars agree on."""


Meaning = Literal["holds", "mean-after", "mean-before", "instant"]
"""What the value in a row stands for: it holds from its time until the next (as prices do), it is the mean
of the period that begins or that ends at its time, or it was so at that instant."""

TimeUnit = Literal["s", "ms", "us", "ns", "min", "h", "unix-s", "unix-ms", "unix-us", "unix-ns"]
"""What numbers in a column of times are: units from the start, or units since 1970-01-01T00:00Z."""


class FileSource(Shape):
    """A file of the user's (relative to the site file), or a named dataset.

    `dataset` names an entry of `aidc data list`; `file` is then the file inside it and may be left
    out where the dataset has one file.
    """

    file: Annotated[str, Field(min_length=1, max_length=1024)] | None = None
    """Path relative to the site file, or inside the dataset."""
    dataset: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    """A named dataset (`aidc data list`)."""

    @model_validator(mode="after")
    def _names_a_source(self) -> Self:
        if self.file is None and self.dataset is None:
            raise ValueError(
                "names no source. Give `file` (relative to the site file) or `dataset` (see `aidc data list`)"
            )
        if self.file is not None and "\0" in self.file:
            raise ValueError("`file` holds a NUL character. Correct the path")
        if self.dataset is not None and self.file is not None:
            path = PurePath(self.file)
            if path.is_absolute() or ".." in path.parts:
                raise ValueError(
                    "`file` leaves the dataset. With `dataset`, write a path inside it, without '..'"
                )
        return self


class TimedSource(FileSource):
    """A file with a column of times.

    Times are ISO 8601, or numbers: seconds, milliseconds, microseconds or nanoseconds since 1970 are known
    by their size, smaller numbers are seconds from the start; `time_unit` says otherwise. `timezone` (UTC or
    an IANA name) is the clock of times that state none.
    """

    time_unit: TimeUnit | None = None
    """What numbers in the column of times are. Default: told by their size."""
    timezone: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    """Clock of times that state none: UTC or an IANA name. Default: what the layout defines, else UTC."""
