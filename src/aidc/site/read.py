"""`--set a.b=c` on top of a document."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from aidc.errors import InputError, Problem
from aidc.toml_file import MOST_DEPTH, parse_toml

__all__ = ["apply_settings", "changed_keys"]


def apply_settings(document: Mapping[str, Any], settings: Sequence[str]) -> dict[str, Any]:
    """Lay `a.b.c=value` settings over a document; values are TOML (bare words are strings).

    Raises
    ------
    InputError
        A setting without `=`, or a path that runs through something that is not a table.
    """
    result = copy.deepcopy(dict(document))
    problems: list[Problem] = []
    for setting in settings:
        key, equals, text = setting.partition("=")
        path = [part.strip() for part in key.split(".")]
        if not equals or not all(path):
            problems.append(
                Problem(
                    "a setting is written key=value",
                    "Example: --set storage.yard.power_mw=50",
                    "--set",
                    value=setting,
                )
            )
            continue
        if len(path) > MOST_DEPTH:
            problems.append(Problem(f"has a key of more than {MOST_DEPTH} parts", "Name a key.", "--set"))
            continue
        table: Any = result
        for part in path[:-1]:
            table = table.setdefault(part, {})
            if not isinstance(table, dict):
                problems.append(
                    Problem(
                        f"{part!r} is a value, not a table",
                        "Set the value itself, or name a table.",
                        "--set",
                        key,
                    )
                )
                break
        else:
            table[path[-1]] = _value(text.strip())
    if problems:
        raise InputError(problems)
    return result


def changed_keys(settings: Sequence[str]) -> tuple[str, ...]:
    """The dotted keys that settings set, without blanks."""
    keys = (setting.partition("=")[0] for setting in settings)
    return tuple(dict.fromkeys(".".join(part.strip() for part in key.split(".")) for key in keys))


def _value(text: str) -> Any:
    """A value as TOML gives it, a bare word as text; what is beyond the bounds of a TOML file is refused."""
    try:
        return parse_toml(f"value = {text}", None)["value"]
    except InputError as error:
        if any("not valid TOML" in problem.what for problem in error.problems):
            return text
        raise InputError([replace(one, file="--set", key=None) for one in error.problems]) from error
