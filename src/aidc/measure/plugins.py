"""Measures that others add: entry points of the group `aidc.measures`, each a function of a run.

    [project.entry-points."aidc.measures"]
    water_stress = "my_package.measures:water_stress"

The function takes the run and returns a number, a text, or a table (dict) of them; it appears in
`summary.json` under `user`.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from aidc.errors import InputError, Problem
from aidc.measure.frames import RunLike

__all__ = ["GROUP", "user_measures"]

GROUP = "aidc.measures"


def user_measures(run: RunLike, found: Iterable[EntryPoint] | None = None) -> dict[str, Any]:
    """Every installed measure of this run, by name.

    Raises
    ------
    InputError
        One or more of them failed; all are named with their reason.
    """
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for entry in entry_points(group=GROUP) if found is None else found:
        try:
            values[entry.name] = _plain(entry.load()(run))
        except Exception as error:  # noqa: BLE001  other people's code may raise anything; it is named below
            what = f"the measure failed: {type(error).__name__}: {error}"
            remedy = "Correct it, or uninstall the package that brings it."
            problems.append(Problem(what, remedy, key=f"{GROUP}: {entry.name} = {entry.value}"))
    if problems:
        raise InputError(problems)
    return values


def _plain(value: Any) -> Any:
    """The value as JSON can hold it; a refusal names what it is."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    item = getattr(value, "item", None)
    if callable(item):
        return _plain(item())
    raise TypeError(f"it gave a {type(value).__name__}; give a number, a text, or a dict or list of them")
