"""Reading a site file: TOML to plain tables, and `--set a.b=c` on top."""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from aidc.errors import InputError, Problem

__all__ = ["apply_settings", "changed_keys", "read_toml"]

_LARGEST_BYTES = 16 * 1024 * 1024  # a site is a few kilobytes; anything larger is not one


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file into tables.

    Raises
    ------
    InputError
        The file is absent, too large, not UTF-8 or not TOML; the message has the line.
    """
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise InputError(Problem("is too large for a TOML description", "Is this the right file?", path))
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(Problem(f"cannot be read: {reason}", "Check the path.", path)) from error
    except UnicodeDecodeError as error:
        raise InputError(Problem("is not UTF-8 text", "Save it as UTF-8.", path)) from error
    except tomllib.TOMLDecodeError as error:
        raise InputError(Problem(f"is not valid TOML: {error}", "Mend this line.", path)) from error
    except RecursionError as error:
        raise InputError(Problem("is nested too deeply", "Write plain tables.", path)) from error


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
    try:
        return tomllib.loads(f"value = {text}", parse_float=_float)["value"]
    except tomllib.TOMLDecodeError:
        return text  # a bare word is a string


def _float(text: str) -> float:
    return float(Decimal(text))
