"""The reference of figures and columns as Markdown pages."""

from __future__ import annotations

from collections.abc import Iterable

from aidc.reference.figures import Figure, columns, own_figures, shared_figures
from aidc.reference.pages import HEAD, cell

__all__ = ["columns_page", "summary_page"]

_SUMMARY = """\
Every figure of a run's `summary.json` (`run.summary` in Python, `aidc run --json`). NAME stands for a name of the site.
A figure that is not defined for a run is null: a cost without a tariff, an index without tokens. Powers are means or
peaks over the window, energies magnitudes over it.
"""

_COLUMNS = """\
Every column of the Parquet files in a run's folder. A row stands for one output step (`output_step_s`), the last one may be
shorter; a value is the mean over its row where the text says nothing else, and times are UTC. Inside, everything is SI:
watts, kelvin, seconds. `books.parquet` and `books-pods.parquet` hold the same columns in rows of a minute or less, from
which all figures come; they are there where the output step is another.
"""

_FILES = (
    ("series.parquet", "series", "The site, one row per output step."),
    ("pods.parquet", "pods", "Each pod, one row per output step and pod, in the site's order."),
    ("events.parquet", "events", "What happened, in order of time."),
)


def summary_page() -> str:
    """`docs/reference/summary.md`: every figure of `summary.json`."""
    parts = [HEAD, "# Figures of summary.json\n", _SUMMARY, _table("figure", own_figures())]
    for places, mine in shared_figures():
        named = ", ".join(f"`{place}`" if place else "the top" for place in places)
        parts += [f"## Figures in {named}\n", _table("figure", mine)]
    return "\n".join(parts)


def columns_page() -> str:
    """`docs/reference/columns.md`: every column of the Parquet files."""
    parts = [HEAD, "# Columns of the Parquet files\n", _COLUMNS]
    for file, table, told in _FILES:
        parts += [f"## {file}\n", f"{told}\n", _table("column", columns(table))]
    return "\n".join(parts)


def _table(first: str, mine: Iterable[Figure]) -> str:
    rows = [f"| `{one.path}` | {one.unit} | {cell(one.meaning)} |" for one in mine]
    return "\n".join([f"| {first} | unit | meaning |", "|---|---|---|", *rows, ""])
