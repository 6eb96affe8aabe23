"""What you see: one HTML file for a run, and its tables in the terminal.

`write` and `render` load plotly; `aidc.report.run.console` needs only rich.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aidc.report.run.page import render, write

__all__ = ["render", "write"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from aidc.report.run import page

        return getattr(page, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
