"""What commands print: tables and lines for people, JSON for programs. Text of others is never taken for markup."""

from __future__ import annotations

import json
import sys
from typing import Any

from rich.console import Console
from rich.text import Text

__all__ = ["named", "print_json", "progress_console", "screen"]


def screen(piped_width: int | None = None) -> Console:
    """Where results go; brackets and colons in titles and names stay what they are.

    `piped_width` is the width for wide tables where the output goes into a file or a pipe, which have none.
    """
    shown = Console(markup=False, emoji=False)
    if piped_width is None or shown.is_terminal:
        return shown
    return Console(markup=False, emoji=False, width=piped_width)


def progress_console(*, quiet: bool) -> Console:
    """Where progress goes, which is not part of the result."""
    return Console(stderr=True, quiet=quiet, markup=False, emoji=False)


def named(before: str, name: object, after: str = "") -> None:
    """Print a line with a name in it that stands out, however long it is."""
    screen().print(Text.assemble(before, (str(name), "bold"), after), soft_wrap=True)


def print_json(document: Any) -> None:
    """Print JSON and nothing else; letters beyond ASCII are escaped where the output cannot hold them."""
    encoding = (getattr(sys.stdout, "encoding", None) or "utf-8").lower()
    plain = not encoding.startswith("utf")
    text = json.dumps(document, indent=1, allow_nan=False, default=str, ensure_ascii=plain)
    sys.stdout.write(f"{text}\n")
