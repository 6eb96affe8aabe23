"""The report of a check: what an interconnection engineer sends to the grid operator, as one HTML file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from aidc.measure.grid.verdict import Result, Verdict
from aidc.report.blocks import Block, Head, Note, Section, Tile
from aidc.report.check.channels import extremes_of, unserved_mwh
from aidc.report.check.curve import Curve, curve_chart, curves_of
from aidc.report.check.tables import (
    TONE,
    assumption_table,
    caveat_table,
    change_blocks,
    clause_table,
    event_table,
    extreme_table,
    fact_blocks,
    model_blocks,
    verdict_table,
)
from aidc.report.check.waveforms import lines_of, window_blocks
from aidc.report.check.words import (
    COUNTED,
    capital,
    caveats,
    counts,
    is_tried,
    margin_text,
    number,
    scope,
    sentence,
    warnings_of,
)
from aidc.report.lines import LINE_POINTS
from aidc.report.sheet import compose, save
from aidc.report.text import MISSING, duration, figure
from aidc.schema.code import Clause
from aidc.study.windows.verdicts import CheckResult, NamedWindow, TransientResult

__all__ = ["render_check", "render_transient", "write_check", "write_transient"]

_HEADLINE: Final[dict[Result, str]] = {
    "pass": "Passes",
    "fail": "Fails",
    "not_assessable": "Not assessable",
    "not_applicable": "Not applicable",
}
_POINTS: Final = 180_000  # samples of all lines of a report: 2 MB in the file
_LEAST_POINTS: Final = 240
_WINDOWS: Final = 40
_FOOTER: Final = (
    "Voltages are over nominal, powers three-phase totals with import and charging positive, times seconds from the start "
    "of each window. Long windows are thinned for the screen with the extremes of each bucket kept."
)


def write_check(results: Sequence[CheckResult], target: Path) -> None:
    """Write the report of one site (or recording) held against one or several rule sets.

    Raises
    ------
    OutputError
        The folder is missing, not writable or full.
    ValueError
        There is no result.
    """
    save(render_check(results), target)


def write_transient(result: TransientResult, target: Path) -> None:
    """Write the report of one window.

    Raises
    ------
    OutputError
        The folder is missing, not writable or full.
    """
    save(render_transient(result), target)


def render_check(results: Sequence[CheckResult]) -> str:
    """The report of a check as one HTML text."""
    if not results:
        raise ValueError("a report needs at least one result")
    return compose(_check_head(results), _check_sections(results))


def render_transient(result: TransientResult) -> str:
    """The report of one window as one HTML text."""
    return compose(_transient_head(result), _transient_sections(result))


# ---- check


def _check_head(results: Sequence[CheckResult]) -> Head:
    one = results[0] if len(results) == 1 else None
    facts: list[tuple[str, str]] = []
    if one is not None:
        code = one.code
        facts = [
            ("Rule set", f"{code.title} ({one.code_name})"),
            ("Authority", code.authority),
            ("Version", code.version),
            ("In effect from", code.effective.isoformat() if code.effective else "not captured"),
            ("Status of the rule", code.status),
            ("Confidence of its figures", code.confidence),
        ]
    else:
        facts = [("Rule sets", ", ".join(result.code_name for result in results))]
    warned = any(warnings_of(result.facts) for result in results)
    texts = [*caveats(results), *(["This check carries warnings: see Facts."] if warned else [])]
    tiles = _one_tiles(one) if one is not None else [_set_tile(result) for result in results]
    names = " and ".join(dict.fromkeys(result.site for result in results))
    return Head(names, facts, " ".join(texts), tiles, "Grid connection check of an AI data centre", _FOOTER)


def _one_tiles(result: CheckResult) -> list[Tile]:
    found = counts(result.verdicts)
    rows = [(COUNTED[name], str(number_)) for name, number_ in found.items()]
    rows.append(("clauses", str(len(result.verdicts))))
    headline = Tile(
        "Result of the rule set",
        _HEADLINE[result.result],
        "",
        sentence(result.verdicts),
        rows,
        wide=True,
        tone=TONE[result.result],
    )
    return [headline, *_closest(result.verdicts)]


def _closest(verdicts: Sequence[Verdict]) -> list[Tile]:
    """The least margin of each rule, the worst first: what decides the result."""
    judged = sorted(
        (
            verdict
            for verdict in verdicts
            if verdict.margin is not None and verdict.value is not None and not is_tried(verdict)
        ),
        key=lambda verdict: verdict.margin or 0.0,
    )
    return [
        Tile(
            capital(verdict.clause or verdict.rule),
            number(verdict.value),
            verdict.unit,
            f"limit {number(verdict.limit)} {verdict.unit}".strip() + f", margin {margin_text(verdict)}",
            tone=TONE[verdict.result],
        )
        for verdict in judged[:6]
    ]


def _set_tile(result: CheckResult) -> Tile:
    found = counts(result.verdicts)
    told = ", ".join(f"{number_} {COUNTED[name]}" for name, number_ in found.items() if number_)
    return Tile(
        result.code.title,
        _HEADLINE[result.result],
        "",
        f"{told}.\n{scope(result.code)}",
        tone=TONE[result.result],
    )


def _check_sections(results: Sequence[CheckResult]) -> list[Section]:
    several = len(results) > 1
    lead = (
        results[0].code.note if not several else "One table for each rule set; the worst results come first."
    )
    windows = _all_windows(results)
    sections = [
        Section(
            "verdicts", "Verdicts", "Verdicts", lead,
            [verdict_table(result, f"verdicts-{place}", explained=place == 0) for place, result in enumerate(results)],
        ),
        Section("changes", "What would pass", "What would change the result", "", change_blocks(results)),
    ]  # fmt: skip
    curves = _curve_blocks(results)
    if curves:
        sections.append(
            Section("curves", "Ride-through", "Ride-through curves and the worst cases", "", curves)
        )
    sections += [
        _windows_section(windows),
        Section("assumptions", "Assumptions", "Assumptions", "Figures of the site and of the rule set that the result rests on.",
                [assumption_table(results) or Note("The check lists no assumed figures.")]),
        Section("rules", "Rule set", "The rule set as it was read", "",
                [clause_table(result, f"clauses-{place}") for place, result in enumerate(results)]),
        Section("facts", "Facts", "Facts", "",
                [*fact_blocks([(result.code.title, result.facts) for result in results]), *model_blocks(results)]),
        Section("limits", "Limits", "What this check does not say", "", [caveat_table(results)]),
    ]  # fmt: skip
    return sections


def _all_windows(results: Sequence[CheckResult]) -> list[tuple[NamedWindow, list[Clause]]]:
    """Every window once, with the clauses of all sets that share it."""
    found: dict[int, tuple[NamedWindow, list[Clause]]] = {}
    for result in results:
        for window in result.windows:
            _, clauses = found.setdefault(id(window.waveform), (window, []))
            clauses += [clause for clause in result.code.clauses if clause not in clauses]
    return list(found.values())


def _curve_blocks(results: Sequence[CheckResult]) -> list[Block]:
    """Every curve once, however many sets state it, with the windows of all of them on it."""
    found: dict[tuple[object, ...], tuple[Curve, list[str], dict[int, NamedWindow]]] = {}
    for result in results:
        for curve in curves_of(result.code.clauses):
            same = (curve.below, curve.above, curve.channels, curve.window_s, curve.clause.location)
            _, names, windows = found.setdefault(same, (curve, [], {}))
            names.append(result.code_name)
            windows.update((id(window.waveform), window) for window in result.windows)
    blocks: list[Block] = []
    for place, (curve, names, windows) in enumerate(found.values()):
        sets = f" ({', '.join(dict.fromkeys(names))})" if len(results) > 1 else ""
        blocks.append(
            curve_chart(curve, list(windows.values()), f"curve-{place}", capital(curve.name) + sets)
        )
    return blocks


def _windows_section(windows: Sequence[tuple[NamedWindow, list[Clause]]]) -> Section:
    drawn = windows[:_WINDOWS]
    lines = sum(lines_of(window) for window, _ in drawn)
    points = max(_LEAST_POINTS, min(LINE_POINTS, _POINTS // max(lines, 1)))
    blocks = [
        block
        for place, (window, clauses) in enumerate(drawn)
        for block in window_blocks(window, place, clauses, points)
    ]
    if len(windows) > len(drawn):
        blocks.append(
            Note(f"{len(windows) - len(drawn)} more windows are not drawn, so that the report stays small.")
        )
    lead = (
        "Drag across a chart to zoom, double-click to see all; the charts of a window follow each other. What is shaded is "
        "an event."
    )
    if not blocks:
        blocks = [Note("The check kept no waveforms.")]
    return Section("waveforms", "Waveforms", "Waveforms", lead, blocks)


# ---- transient


def _transient_head(result: TransientResult) -> Head:
    w = result.window.waveform
    facts = [
        ("Window", result.title),
        ("Length", duration(w.duration_s)),
        ("Step", duration(float(w.step_s))),
        ("Nominal frequency", f"{figure(w.frequency_hz)} Hz"),
    ]
    warned = " ".join(f"{text.rstrip('.')}." for text in warnings_of(result.facts))
    text = " ".join(part for part in (warned, *caveats(())) if part)
    return Head(result.site, facts, text, _transient_tiles(result), "Transient of an AI data centre", _FOOTER)


def _transient_tiles(result: TransientResult) -> list[Tile]:
    """Extremes that tell how hard the event was and what it cost."""
    found = {one.channel: one for one in extremes_of(result.window.waveform)}
    tiles: list[Tile] = []
    for name, text, side in (
        ("v_pn_min_pu", "Least phase voltage", "least"),
        ("v1_pu", "Least voltage, positive sequence", "least"),
        ("p_w", "Greatest import", "greatest"),
        ("p_w", "Least import", "least"),
        ("connected_frac", "Least load connected", "least"),
        ("dc_bus_pu", "Lowest DC bus", "least"),
        ("soc_frac", "Lowest state of charge", "least"),
        ("frequency_hz", "Lowest frequency", "least"),
        ("frequency_hz", "Highest frequency", "greatest"),
    ):
        one = found.get(name)
        if one is not None:
            value, at_s = (one.least, one.least_s) if side == "least" else (one.greatest, one.greatest_s)
            tiles.append(Tile(text, number(value), one.shown.unit, f"at {number(at_s)} s"))
    lost = unserved_mwh(result.window.waveform)
    if lost is not None:
        tiles.append(
            Tile("IT energy not served", figure(1e3 * lost), "kWh", "what racks asked for and did not get")
        )
    return tiles or [Tile("Window", MISSING, "", "this window holds no known channel")]


def _transient_sections(result: TransientResult) -> list[Section]:
    windows = _windows_section([(result.window, [])])
    tables = [table for table in (event_table(result), extreme_table(result.window)) if table is not None]
    return [
        windows,
        Section(
            "events",
            "Events",
            "Events and extremes",
            "",
            tables or [Note("Nothing happened in this window.")],
        ),
        Section("facts", "Facts", "Facts", "", fact_blocks([(result.title, result.facts)])),
        Section("limits", "Limits", "What this window does not say", "", [caveat_table(())]),
    ]
