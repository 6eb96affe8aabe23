"""`aidc validate`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from aidc.cli.screen import print_json, screen

__all__ = ["validate_data"]


def validate_data(folder: Path, only: Sequence[str], document: Path | None, *, as_json: bool) -> int:
    """Run the validation cases that a folder allows; 0 if every bar is met, 1 if not, 3 without data."""
    from aidc.validation.runner import run
    from aidc.validation.table import render

    found = run(folder, list(only) or None)
    if document is not None:
        from aidc.validation.document import write_document

        write_document(found, document)
    if as_json:
        print_json(found.document())
    else:
        screen().print(render(found))
    if not found.passed:
        return 1
    return 0 if found.measured else 3
