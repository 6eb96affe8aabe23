"""`aidc look`: what a file is taken for, on the screen, as JSON, or as a picture."""

from __future__ import annotations

import json
import sys
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from aidc.errors import OutputError

if TYPE_CHECKING:
    from aidc.study.look import Look

__all__ = ["look_at", "svg_of"]

_BARS = "▁▂▃▄▅▆▇█"
_WIDE = 24
_WIDTH, _HEIGHT, _LEFT = 900, 110, 90
_MOST_DRAWN = 40
_PIPED = 160


def look_at(path: Path, point: str | None, plot: Path | None, *, as_json: bool) -> int:
    """Print what a file is taken for, and draw it into an SVG file where one is named."""
    from aidc.study.look import look

    seen = look(path, point=point)
    if plot is not None:
        try:
            plot.write_text(svg_of(seen), encoding="utf-8")
        except OSError as error:
            raise OutputError(f"{plot}: could not be written: {error}. Choose another place.") from error
    if as_json:
        sys.stdout.write(json.dumps(seen.as_dict(), indent=1, ensure_ascii=False, allow_nan=False) + "\n")
        return 0
    screen = Console()
    if not screen.is_terminal:  # a file or a pipe has no width of its own
        screen = Console(width=_PIPED)
    _print(seen, screen, plot)
    return 0


def _print(seen: Look, screen: Console, plot: Path | None) -> None:
    span = f", {seen.start} to {seen.end}" if seen.start else ""
    spacing = f", every {seen.spacing_s:g} s" if seen.spacing_s else ""
    screen.print(
        f"{seen.file}: [bold]{seen.taken_for}[/bold], {seen.rows:,} rows{spacing}{span}", soft_wrap=True
    )
    if seen.zone:
        screen.print(f"Times: {seen.zone}", soft_wrap=True)
    if seen.station:
        screen.print(f"Place: {seen.station}", soft_wrap=True)
    table = Table("column", "taken for", "unit", "a row is", "lowest", "mean", "highest", "empty", "course")
    for one in seen.columns:
        figures = ["" if value is None else f"{value:.4g}" for value in (one.low, one.mean, one.high)]
        table.add_row(
            one.name,
            one.quantity,
            one.unit,
            one.meaning,
            *figures,
            str(one.missing or ""),
            _bars(seen.drawn[one.name]),
        )
    for column in table.columns:
        column.overflow = "fold"
    screen.print(table)
    for note in seen.notes:
        screen.print(f"• {note}", soft_wrap=True, markup=False)
    if seen.use:
        screen.print(f"Use: {seen.use}", soft_wrap=True, markup=False)
    if plot is not None:
        screen.print(f"Picture: {plot}", soft_wrap=True, markup=False)


def _bars(values: NDArray[np.float64]) -> str:
    """The course of a series in block characters; a gap where it has no values."""
    parts = np.array_split(values, min(_WIDE, values.size))
    means = np.array(
        [part[np.isfinite(part)].mean() if np.isfinite(part).any() else np.nan for part in parts]
    )
    known = means[np.isfinite(means)]
    if known.size == 0:
        return ""
    low, span = known.min(), float(np.ptp(known)) or 1.0
    return "".join(
        " " if not np.isfinite(one) else _BARS[min(7, int((one - low) / span * 8))] for one in means
    )


def svg_of(seen: Look) -> str:
    """A panel for each column, one below the other."""
    columns = seen.columns[:_MOST_DRAWN]
    total = 30 + len(columns) * (_HEIGHT + 30)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{total}" font-family="sans-serif" font-size="12">'
    parts = [head, f'<rect width="{_WIDTH}" height="{total}" fill="white"/>']
    title = f"{Path(seen.file).name}: {seen.taken_for}"
    parts.append(f'<text x="8" y="18" font-weight="bold">{escape(title)}</text>')
    times = seen.times_s - seen.times_s[0]
    for number, one in enumerate(columns):
        top = 30 + number * (_HEIGHT + 30)
        label = f"{one.name}{f' [{one.unit}]' if one.unit else ''}: {one.quantity}"
        parts.append(f'<text x="8" y="{top + 12}">{escape(label)}</text>')
        parts += _panel(times, seen.drawn[one.name], top + 18)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _panel(times: NDArray[np.float64], values: NDArray[np.float64], top: int) -> list[str]:
    known = np.isfinite(values)
    if not known.any():
        return []
    low, high = float(values[known].min()), float(values[known].max())
    span, length = (high - low) or 1.0, float(times[-1]) or 1.0
    x = _LEFT + times / length * (_WIDTH - _LEFT - 10)
    y = top + _HEIGHT - 10 - (np.where(known, values, low) - low) / span * (_HEIGHT - 20)
    parts = [
        f'<text x="{_LEFT - 6}" y="{top + 14}" text-anchor="end">{high:.4g}</text>',
        f'<text x="{_LEFT - 6}" y="{top + _HEIGHT - 8}" text-anchor="end">{low:.4g}</text>',
        f'<rect x="{_LEFT}" y="{top + 4}" width="{_WIDTH - _LEFT - 10}" height="{_HEIGHT - 8}" fill="none" stroke="#ccc"/>',
    ]
    edges = np.flatnonzero(np.diff(np.concatenate(([False], known, [False]))))
    for begin, end in zip(edges[::2], edges[1::2], strict=True):  # a gap is a gap
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x[begin:end], y[begin:end], strict=True))
        parts.append(f'<polyline points="{points}" fill="none" stroke="#1f5fa8" stroke-width="1"/>')
    return parts
