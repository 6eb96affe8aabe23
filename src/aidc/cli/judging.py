"""`aidc validate`."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

__all__ = ["validate_data"]


def validate_data(folder: Path, only: Sequence[str], document: Path | None, *, as_json: bool) -> int:
    """Run the validation cases that a folder allows; 0 if every bar is met, else 1."""
    from aidc.validation.runner import run
    from aidc.validation.table import render

    found = run(folder, list(only) or None)
    if document is not None:
        from aidc.validation.document import write_document

        write_document(found, document)
    if as_json:
        sys.stdout.write(json.dumps(found.document(), indent=1, allow_nan=False) + "\n")
    else:
        Console().print(render(found))
    return 0 if found.passed else 1
