"""Event files of the transient engine: TOML read into `EventFile`, every mistake named."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

from pydantic import ValidationError

from aidc.errors import InputError, Problem
from aidc.schema.disturbance import Disturbance, EventFile
from aidc.site.refuse import problems_of
from aidc.toml_file import read_toml

__all__ = ["read_events"]

_USES = tuple(
    get_args(member.model_fields["use"].annotation)[0] for member in get_args(get_args(Disturbance)[0])
)


def read_events(path: Path | str) -> EventFile:
    """Read `[[events]]` and the window that they fall into.

    Raises
    ------
    InputError
        The file cannot be read, a key is unknown or missing, a value is impossible, or an event lies
        outside the window: all problems, with file, key, value and remedy.
    """
    path = Path(path)
    document = read_toml(path)
    try:
        found = EventFile.model_validate(document)
    except ValidationError as error:
        raise InputError(problems_of(error, EventFile, path, tags=_USES)) from error
    problems = _late_repeats(found, path)
    if problems:
        raise InputError(problems)
    return found


def _late_repeats(found: EventFile, path: Path) -> list[Problem]:
    """The last of repeated sags must begin within the window too."""
    problems: list[Problem] = []
    for index, event in enumerate(found.events):
        if event.use != "sag" or found.duration_s is None or event.every_s is None:
            continue
        last_s = event.start_s + (event.repeat - 1) * event.every_s
        if last_s >= found.duration_s:
            problems.append(
                Problem(
                    f"the last of {event.repeat} sags begins at {last_s:g} s, outside the window of "
                    f"{found.duration_s:g} s",
                    "Ask for fewer, or make duration_s longer.",
                    path,
                    f"events[{index}].repeat",
                    event.repeat,
                )
            )
    return problems
