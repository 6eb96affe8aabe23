"""The one way to read a TOML that a person wrote: site files, catalogue entries, rule sets, events, sidecars.

TOML itself sets no bounds, and the reader's time grows with the square of the parts of a dotted key. So depth,
size and digits are bounded here, before anything is parsed, and whatever is wrong is told with its line.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from aidc.errors import InputError, Problem
from aidc.files import read_file

__all__ = ["MOST_BYTES", "MOST_DEPTH", "parse_toml", "read_toml"]

MOST_BYTES = 8 * 1024 * 1024  # a site is a few kilobytes, one of 500 pods written out in full 3 MB
MOST_DEPTH = 64  # the deepest shape of ours has 9
_MOST_DIGITS = 400  # the largest float has 309
_INT64 = range(-(2**63), 2**63)  # TOML 1.0: integers that 64 bits cannot hold must be refused

_TOKENS = (
    re.compile(  # each alternative matches to the end of an unclosed string, so that none is tried twice
        r'"""(?:[^"\\]++|\\(?:.|\Z)|"(?!""))*+(?:"""|\Z)'
        r"|'''(?:[^']++|'(?!''))*+(?:'''|\Z)"
        r'|"(?:[^"\\\n]++|\\(?:.|\Z))*+(?:"|(?=\n)|\Z)'
        r"|'[^'\n]*+(?:'|(?=\n)|\Z)"
        r"|#[^\n]*+",
        re.DOTALL,
    )
)
_DOTTED = re.compile(r"(?<![\w-])[\w-]++(?:[ \t]*+\.[ \t]*+[\w-]++){" + str(MOST_DEPTH) + "}")
_LONG = re.compile(r"(?<![\w-])[+-]?\d[\w.+-]{" + str(_MOST_DIGITS) + "}")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_BRACKETS = re.compile(r"[\[{\]}\n]")


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file into tables.

    Raises
    ------
    InputError
        The file is absent, no regular file, too large, not UTF-8, not TOML, or beyond the bounds above; the
        message has the line.
    """
    return parse_toml(read_file(path, MOST_BYTES), path)


def parse_toml(raw: bytes | str, path: Path | None) -> dict[str, Any]:
    """Tables of a TOML text; `path` is for messages.

    Raises
    ------
    InputError
        As `read_toml`.
    """
    try:
        text = raw if isinstance(raw, str) else raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(Problem("is not UTF-8 text", "Save it as UTF-8.", path)) from error
    _refuse_unbounded(text, path)
    try:
        tables = tomllib.loads(text)
    except RecursionError as error:
        raise InputError(Problem("is nested too deeply", "Write plain tables.", path)) from error
    except ValueError as error:  # a TOMLDecodeError, or a date that no calendar has
        raise InputError(Problem(f"is not valid TOML: {error}", "Mend this line.", path)) from error
    _refuse_odd(tables, path)
    return tables


def _refuse_unbounded(text: str, path: Path | None) -> None:
    """What would take the parser for ever or too deep, found in time that grows with the text alone."""
    plain = _TOKENS.sub(_blank, text)
    for pattern, what, remedy in (
        (_DOTTED, f"has a key of more than {MOST_DEPTH} parts", "Write plain tables."),
        (_LONG, f"has a number of more than {_MOST_DIGITS} digits", "Round it."),
    ):
        found = pattern.search(plain)
        if found is not None:
            raise InputError(Problem(what, remedy, path, _line(plain, found.start())))
    depth = 0
    for bracket in _BRACKETS.finditer(plain):
        mark = bracket.group()
        depth = depth + (mark in "[{") - (mark in "]}")
        if depth > MOST_DEPTH:
            raise InputError(
                Problem(
                    f"is nested deeper than {MOST_DEPTH} levels",
                    "Write plain tables.",
                    path,
                    _line(plain, bracket.start()),
                )
            )


def _blank(token: re.Match[str]) -> str:
    """A string as a bare word and a comment as nothing, with their line ends kept for the count of lines."""
    text = token.group()
    return "\n" * text.count("\n") if text[0] == "#" else "s" + "\n" * text.count("\n")


def _line(text: str, at: int) -> str:
    return f"line {text.count(chr(10), 0, at) + 1}"


def _refuse_odd(tables: dict[str, Any], path: Path | None) -> None:
    """Depths that come of headers and dotted keys together, integers beyond 64 bits, control characters."""
    for key, depth, value in _leaves(tables):
        if depth > MOST_DEPTH:
            raise InputError(
                Problem(f"is nested deeper than {MOST_DEPTH} levels", "Write plain tables.", path, key)
            )
        if isinstance(value, int) and value not in _INT64:
            raise InputError(Problem("is larger than a number can be here", "Correct it.", path, key))
        if _CONTROL.search(key) or (isinstance(value, str) and _CONTROL.search(value)):
            what = (
                "holds a control character"  # a NUL ends a file's name, an escape moves a terminal's cursor
            )
            raise InputError(
                Problem(what, "Remove it.", path, key, value if isinstance(value, str) else None)
            )


def _leaves(tables: dict[str, Any]) -> Iterator[tuple[str, int, Any]]:
    """Every table, list and value with its dotted key and depth, without recursion."""
    left: list[tuple[str, int, Any]] = [("", 0, tables)]
    while left:
        key, depth, node = left.pop()
        yield key, depth, node
        if depth > MOST_DEPTH:
            continue
        if isinstance(node, dict):
            left += [(f"{key}.{name}" if key else str(name), depth + 1, item) for name, item in node.items()]
        elif isinstance(node, list):
            left += [(f"{key}[{place}]", depth + 1, item) for place, item in enumerate(node)]
