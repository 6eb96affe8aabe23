"""`aidc look`: what a file is taken for, on the screen, as JSON, or as a picture."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from aidc.cli.screen import print_json, screen
from aidc.errors import OutputError

if TYPE_CHECKING:
    from aidc.study.look import Look

__all__ = ["look_at", "svg_of"]

_BARS = "▁▂▃▄▅▆▇█"
_WIDE = 24
_WIDTH, _HEIGHT, _LEFT = 900, 110, 90
_MOST_DRAWN = 40
_PIPED = 160
_COURSES_FROM = 110  # characters
_MARK = "<!-- drawn by aidc look -->"  # only such a file is replaced


def look_at(path: Path, point: str | None, plot: Path | None, *, as_json: bool) -> int:
    """Print what a file is taken for, and draw it into an SVG file where one is named."""
    from aidc.study.look import look

    seen = look(path, point=point)
    if plot is not None:
        _draw(seen, plot)
    if as_json:
        print_json(seen.as_dict())
    else:
        _print(seen, screen(_PIPED), plot)
    return 0


def _draw(seen: Look, plot: Path) -> None:
    from aidc.report.sheet import refuse_other

    refuse_other(plot, _MARK, "picture", "--plot")
    try:
        plot.write_text(svg_of(seen), encoding="utf-8")
    except (OSError, ValueError) as error:
        raise OutputError(f"{plot}: could not be written: {error}. Choose another place.") from error


def _print(seen: Look, shown: Console, plot: Path | None) -> None:
    span = f", {seen.start} to {seen.end}" if seen.start else ""
    spacing = f", every {seen.spacing_s:g} s" if seen.spacing_s else ""
    rest = f", {seen.rows:,} rows{spacing}{span}"
    shown.print(Text.assemble(f"{seen.file}: ", (seen.taken_for, "bold"), rest), soft_wrap=True)
    if seen.zone:
        shown.print(f"Times: {seen.zone}", soft_wrap=True)
    if seen.station:
        shown.print(f"Place: {seen.station}", soft_wrap=True)
    shown.print(_table(seen, courses=shown.width >= _COURSES_FROM))
    for begin_s, end_s, what in seen.disturbances:
        shown.print(f"Disturbance of the grid from {begin_s:.4g} s to {end_s:.4g} s: {what}", soft_wrap=True)
    for note in seen.notes:
        shown.print(f"• {note}", soft_wrap=True)
    if seen.use:
        shown.print(f"Use: {seen.use}", soft_wrap=True)
    if plot is not None:
        shown.print(f"Picture: {plot}", soft_wrap=True)


def _table(seen: Look, *, courses: bool) -> Table:
    """A line for each column; figures never break, and the course is drawn where there is room for it."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("column", overflow="fold", ratio=1)
    table.add_column("taken for", overflow="fold", ratio=2)
    for name in ("lowest", "mean", "highest", "empty"):
        table.add_column(name, justify="right", no_wrap=True)
    if courses:
        table.add_column("course", no_wrap=True)
    for one in seen.columns:
        figures = ["" if value is None else f"{value:.4g}" for value in (one.low, one.mean, one.high)]
        quantity = ", ".join(
            part for part in (f"{one.quantity}{f' [{one.unit}]' if one.unit else ''}", one.meaning) if part
        )
        drawn = [_bars(seen.drawn[one.name])] if courses else []
        table.add_row(one.name, quantity, *figures, str(one.missing or ""), *drawn)
    return table


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
    parts = [head, _MARK, f'<rect width="{_WIDTH}" height="{total}" fill="white"/>']
    title = f"{Path(seen.file).name}: {seen.taken_for}"
    parts.append(f'<text x="8" y="18" font-weight="bold">{escape(title)}</text>')
    times = seen.times_s - seen.times_s[0]
    for number, one in enumerate(columns):
        top = 30 + number * (_HEIGHT + 30)
        label = f"{one.name}{f' [{one.unit}]' if one.unit else ''}: {one.quantity}"
        parts.append(f'<text x="8" y="{top + 12}">{escape(label)}</text>')
        parts += _shaded(seen, float(seen.times_s[0]), float(times[-1]) or 1.0, top + 18)
        parts += _panel(times, seen.drawn[one.name], top + 18)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _shaded(seen: Look, from_s: float, length_s: float, top: int) -> list[str]:
    """The disturbances of the grid behind a panel."""
    room = _WIDTH - _LEFT - 10
    parts: list[str] = []
    for begin_s, end_s, what in seen.disturbances:
        x = _LEFT + min(max((begin_s - from_s) / length_s, 0.0), 1.0) * room
        wide = max(min((end_s - begin_s) / length_s, 1.0) * room, 1.5)
        parts.append(
            f'<rect x="{x:.1f}" y="{top + 4}" width="{wide:.1f}" height="{_HEIGHT - 8}" fill="#f3d0c4"><title>{escape(what)}</title></rect>'
        )
    return parts


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
