"""The sheet: a head and sections into one HTML file that needs nothing else.

plotly.js stands in it once, deflated, which takes 60 % off the file (the page inflates it by the browser's own
DecompressionStream, in every engine since 2023); arrays stand in it once each, as base64, however many traces
share them.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import stat
import zlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, PackageLoader
from plotly.offline import get_plotlyjs

from aidc.errors import OutputError
from aidc.report.blocks import Chart, Head, Section

__all__ = ["MARK", "compose", "refuse_other", "save"]

MARK: Final = '<meta name="generator" content="aidc">'
_HEAD_BYTES = 4096


def compose(head: Head, sections: Sequence[Section]) -> str:
    """A report as one HTML text."""
    environment = Environment(
        loader=PackageLoader("aidc.report", "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html").render(
        head=head, sections=sections, charts=_charts_json(sections), plotly_deflated=_plotly_deflated()
    )


def refuse_other(path: Path, mark: str = MARK, kind: str = "report", option: str = "--out") -> None:
    """Refuse to write over anything of others: only a regular file that bears our mark is replaced.

    Parameters
    ----------
    path
        Where it is to stand.
    mark
        What stands in the head of such a file, by default that of a report.
    kind, option
        What it is called, and how another place is chosen; for messages.

    Raises
    ------
    OutputError
        Something else is there: a file of another kind, a folder, a link, a device.
    """
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise OutputError(f"{path}: {reason}. Choose another {option}.") from error
    head = ""
    if stat.S_ISREG(found.st_mode):
        with contextlib.suppress(OSError), path.open("rb") as there:
            head = there.read(_HEAD_BYTES).decode("utf-8", errors="replace")
    if mark not in head:
        raise OutputError(
            f"{path} is there and is no {kind} of aidc. Choose another {option}, or move it away."
        )


def save(text: str, path: Path) -> None:
    """Write a report; the file appears whole or not at all, and replaces nothing but a report.

    Raises
    ------
    OutputError
        The folder is missing, not writable or full, or something else stands there.
    """
    refuse_other(path)
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    except (OSError, ValueError) as error:
        with contextlib.suppress(OSError, ValueError):
            draft.unlink(missing_ok=True)
        raise OutputError(
            f"{path}: the report could not be written ({getattr(error, 'strerror', None) or error}). Free the disk or choose another folder"
        ) from error


@cache
def _plotly_deflated() -> str:
    return base64.b64encode(zlib.compress(get_plotlyjs().encode(), 9)).decode()


def _charts_json(sections: Sequence[Section]) -> str:
    """All figures as JSON that is safe inside a script element."""
    arrays: dict[str, int] = {}
    figures: dict[str, Any] = {}
    for section in sections:
        for block in section.blocks:
            if isinstance(block, Chart):
                plain = json.loads(str(block.figure.to_json()))
                plain["layout"].pop("template", None)
                figures[block.key] = _share(plain, arrays)
    text = json.dumps({"arrays": list(arrays), "figures": figures}, allow_nan=False, separators=(",", ":"))
    for mark in "<>&\u2028\u2029":
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    return text


def _share(node: Any, arrays: dict[str, int]) -> Any:
    """The tree with each base64 array replaced by its place in the common list."""
    if isinstance(node, dict):
        if "bdata" in node:
            return {**node, "bdata": arrays.setdefault(node["bdata"], len(arrays))}
        return {key: _share(value, arrays) for key, value in node.items()}
    if isinstance(node, list):
        return [_share(value, arrays) for value in node]
    return node
