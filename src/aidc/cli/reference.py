"""Writes the reference that is generated: `python -m aidc.cli.reference FOLDER` (make reference)."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cyclopts import App
from cyclopts.argument import Argument

from aidc.cli.app import app
from aidc.cli.exit_codes import EXIT_CODES, SIGNALLED
from aidc.reference.figure_pages import columns_page, summary_page
from aidc.reference.pages import HEAD, cell, keys_page

__all__ = ["commands", "commands_page", "reference_pages"]

_INTRODUCTION = """\
Every command with its arguments. `--json` prints JSON and nothing else on standard output; progress and messages go to
standard error. `aidc COMMAND --help` prints the same at the terminal.
"""


def reference_pages() -> dict[str, str]:
    """File name to text of every generated page."""
    return {
        "keys.md": keys_page(),
        "summary.md": summary_page(),
        "columns.md": columns_page(),
        "commands.md": commands_page(),
    }


def commands(within: App = app, name: str = "aidc") -> Iterator[tuple[str, App]]:
    """Every command by its full name, those of groups included."""
    for word in within:
        if word.startswith("-"):
            continue
        below = within[word]
        inner = list(commands(below, f"{name} {word}"))
        yield from inner or [(f"{name} {word}", below)]


def commands_page() -> str:
    """`docs/reference/commands.md`: every command, its arguments, and the exit codes."""
    parts = [HEAD, "# Commands and exit codes\n", _INTRODUCTION]
    for name, command in commands():
        parts += [f"## {name}\n", f"{_words(command)}\n", *_arguments(command)]
    codes = [f"| {code} | {meaning} |" for code, meaning in EXIT_CODES.items()]
    parts += [
        "## Exit codes\n\nThe same for every command.\n",
        "| code | meaning |\n|---|---|",
        *codes,
        f"\n{SIGNALLED}",
        "",
    ]
    return "\n".join(parts)


def _text(command: App) -> str:
    return inspect.cleandoc(getattr(command.default_command, "__doc__", None) or "")


def _words(command: App) -> str:
    """The docstring of a command without its section of parameters."""
    return _text(command).partition("\nParameters\n")[0].strip()


def _told(command: App) -> dict[str, str]:
    """What the section of parameters says of each."""
    section = _text(command).partition("\nParameters\n")[2]
    found = re.findall(r"^(\w+)\n((?:    .*\n?)+)", section, re.MULTILINE)
    return {name: " ".join(text.split()) for name, text in found}


def _arguments(command: App) -> list[str]:
    told = _told(command)
    rows = [_row(argument, told) for argument in command.assemble_argument_collection()]
    return ["| argument | default | meaning |\n|---|---|---|", *rows, ""] if rows else []


def _row(argument: Argument, told: Mapping[str, str]) -> str:
    field = argument.field_info
    by_place = field.is_positional and not field.is_keyword_only
    names = field.name.upper() if by_place else "`, `".join(argument.names)
    default = "required" if argument.required else _default(field.default)
    meaning = argument.parameter.help or told.get(field.name, "")
    return f"| `{names}` | {default} | {cell(meaning)} |"


def _default(default: Any) -> str:
    """A default as it is typed; a switch that is off has none."""
    if default is None or default is False or default == [] or default is inspect.Parameter.empty:
        return ""
    if default is True:
        return "on"
    return f"{default:g}" if isinstance(default, float) else str(default)


def main(folder: Path) -> None:
    """Write every page into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in reference_pages().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
