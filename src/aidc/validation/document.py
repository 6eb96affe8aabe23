"""Writes `validation.md` and its pictures from a report, so that the page says what the code says."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from aidc.errors import OutputError
from aidc.validation.case import Case, Row
from aidc.validation.runner import NAMES, Report, row_error
from aidc.validation.scatter import pairs, scatter_svg
from aidc.validation.table import reasons, verdict

__all__ = ["markdown", "write_document"]

_INTRO = """# Validation: predicted against measured

This page is generated from `aidc validate`. It shows every figure that is judged, met or not.

- **Left out.** A row is predicted with constants that were fitted without it: what was withheld (the model, its
  family, the batch, the workload, the run) is named in the figure. Inputs of a prediction are what one knows
  before a measurement; never the measured power, throughput or latency of the row itself, unless the figure's
  note says so.
- **Value and limit.** Errors in percent of the measured figure, or in points where the figure itself is a share.
  A figure without a limit is shown for comparison: a baseline, a tail, a harder split.
- **Without prediction.** Rows that the model cannot say anything about stay in the count, with the reason.
- **Agreement is not always accuracy.** Where the reference is another model, or a maker's figure, the note says it.

In the pictures each row is a dot; the line is perfect agreement and the band is the limit of the figure in its
title. `aidc validate DATA_DIR --json` gives every row with its inputs and its error.
"""
_TITLES = {
    "inference-energy": "Energy, throughput and power of inference",
    "inference-power": "Power of inference replicas at 100 ms",
    "server-power": "Servers at the wall",
    "power-cap": "Throughput under a power cap",
    "training-power": "Power of training",
    "cooling": "Cooling",
    "storage": "Storage",
    "chains": "Power chains",
    "transient-studies": "Transients: published studies and measured days",
    "action-replay": "A measured grid event, replayed job by job",
    "demand-response": "A measured demand-response event, answered by the twin",
}
_FEW_ROWS = 12
_PICTURE = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 460 440" font-family="system-ui'
_WORST_ROWS = 8
_FEWEST_DOTS = 8
_MOST_REASONS = 12


def write_document(report: Report, folder: Path) -> list[Path]:
    """Write `folder/validation.md` and `folder/validation/*.svg`; return the files written.

    Pictures of an earlier report that this one no longer has are removed; nothing else is touched.

    Raises
    ------
    OutputError
        Something stands there that no report wrote, or the disk refuses.
    """
    pictures = {name: scatter_svg(case) for name, case in _pictures(report.cases).items()}
    place = folder / "validation"
    try:
        place.mkdir(parents=True, exist_ok=True)
        written = [folder / "validation.md", *(place / f"{name}.svg" for name in pictures)]
        for path in written:
            if os.path.lexists(path) and not _is_ours(path):
                raise OutputError(f"{path} is there and no report of aidc wrote it. Choose another folder.")
        for old in place.glob("*.svg"):
            if old.stem not in pictures and _is_ours(old):
                old.unlink()
        for path, text in zip(written, [markdown(report), *pictures.values()], strict=True):
            path.write_text(text.rstrip() + "\n", encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{folder}: could not be written: {error}. Choose another folder.") from error
    return written


def _is_ours(path: Path) -> bool:
    """Whether a page or picture is one of an earlier report: a regular file that begins as ours do."""
    if path.is_symlink() or not path.is_file():
        return False
    begins = _INTRO.splitlines()[0] if path.suffix == ".md" else _PICTURE
    with path.open(encoding="utf-8", errors="replace") as there:
        return there.read(len(begins)) == begins


def markdown(report: Report) -> str:
    """The page as Markdown; pictures are linked, not held."""
    parts = [_INTRO, _standing(report)]
    for name in NAMES:
        cases = [case for case in report.cases if case.name == name]
        if cases:
            parts += [f"## {_TITLES[name]} (`{name}`)\n", *_section(cases, _pictures(report.cases))]
    if report.absent:
        parts.append("No data was at hand for: " + ", ".join(f"`{name}`" for name in report.absent) + ".\n")
    return "\n".join(parts)


def _standing(report: Report) -> str:
    judged = [case for case in report.cases if case.kind == "bar" and case.passed is not None]
    lines = [f"**{sum(case.passed is True for case in judged)} of {len(judged)} bars are met.**"]
    if report.missed:
        lines += ["", "Not met:", ""]
        lines += [
            f"- `{case.name}` {_cell(case.dataset)}: {_cell(case.metric)}: {_figure(case.value)} against "
            f"{_figure(case.limit)} {_unit(case)}"
            for case in report.missed
        ]
    lines += [
        f"- `{case.name}` could not be judged: {_cell(case.rows[0].reason or '')}" for case in report.failed
    ]
    return "\n".join(lines) + "\n"


def _section(cases: Sequence[Case], pictures: dict[str, Case]) -> Iterator[str]:
    yield _table(
        ("figure", "data", "value", "limit", "rows", "without prediction", ""),
        [
            (
                case.metric,
                case.dataset,
                f"{_figure(case.value)} {_unit(case)}" if case.value is not None else "–",
                f"{_figure(case.limit)} {_unit(case)}" if case.limit is not None else "–",
                str(case.n),
                str(case.n_unpredicted),
                f"**{told}**" if (told := verdict(case)) == "missed" else told,
            )
            for case in cases
        ],
    )
    yield _notes(cases)
    for slug, case in pictures.items():
        if any(case is one for one in cases):
            yield f"![{_cell(case.dataset)}: {_cell(case.metric)}](validation/{slug}.svg)\n"
    for case in _distinct(cases):
        yield from _rows(case)


def _notes(cases: Sequence[Case]) -> str:
    """Each note once, with the figures that it belongs to."""
    told: dict[str, list[str]] = {}
    for case in cases:
        if case.note:
            told.setdefault(case.note, []).append(case.metric)
    lines = [
        f"- *{_cell('; '.join(dict.fromkeys(metrics)))}*: {_cell(note)}" for note, metrics in told.items()
    ]
    return "\n".join(lines) + "\n" if lines else ""


def _rows(case: Case) -> Iterator[str]:
    """All rows of a small case; of a large one the worst, and why others have no prediction."""
    both = [row for row in case.rows if row_error(case, row) is not None]
    both.sort(key=lambda row: -abs(row_error(case, row) or 0.0))
    few = len(case.rows) <= _FEW_ROWS
    shown = both if few else both[:_WORST_ROWS]
    if shown:
        title = "Rows" if few else f"The {len(shown)} worst of {len(both)} rows"
        yield f"{title} of “{_cell(case.metric)}” ({_cell(case.dataset)}):\n"
        titles = ["item", "measured", "predicted", f"error, {_unit(case)}", "left out"]
        cells = [_row(case, row) for row in shown]
        if any(row.reason for row in shown):  # what agrees, what does not, and why
            titles.append("remark")
            cells = [[*cell, row.reason or ""] for cell, row in zip(cells, shown, strict=True)]
        yield _table(titles, cells)
    for reason, count in reasons(case).most_common(_MOST_REASONS):
        yield f"Without prediction in “{_cell(case.metric)}”: {count} × {_cell(reason)}.\n"


def _row(case: Case, row: Row) -> list[str]:
    error = row_error(case, row)
    shown = "–" if error is None else f"{error:+.2f}"
    return [row.item, _figure(row.measured), _figure(row.predicted), shown, row.left_out or "–"]


def _pictures(cases: Sequence[Case]) -> dict[str, Case]:
    """One picture for each set of rows, under the first figure that uses it."""
    found: dict[str, Case] = {}
    for case in _distinct(cases):
        if len(pairs(case)) >= _FEWEST_DOTS:
            slug = re.sub(r"[^a-z0-9]+", "-", f"{case.name} {case.dataset} {case.metric}".lower()).strip("-")
            found[slug[:80].strip("-")] = case
    return found


def _distinct(cases: Sequence[Case]) -> list[Case]:
    """The first case of each set of rows: mean and p90 of the same rows are one picture."""
    seen: set[tuple[object, ...]] = set()
    found: list[Case] = []
    for case in cases:
        key = (case.name, case.dataset, tuple((row.item, row.measured, row.predicted) for row in case.rows))
        if key not in seen:
            seen.add(key)
            found.append(case)
    return found


def _table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [titles, ["---"] * len(titles), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines) + "\n"


def _unit(case: Case) -> str:
    return "%" if case.unit == "percent" else case.unit


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"


def _cell(text: str) -> str:
    """Text that breaks no Markdown table."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
