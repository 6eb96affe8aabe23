"""Tables of a check: verdicts, what would change them, the rule set, assumptions, facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from aidc.measure.grid.verdict import Result, Verdict
from aidc.report.blocks import Block, Cell, Chip, Column, Link, Note, Stack, Table, trimmed
from aidc.report.check.channels import extremes_of
from aidc.report.check.words import (
    WORDS,
    capital,
    caveats,
    fact_rows,
    margin_text,
    number,
    open_reasons,
    ordered,
    scope,
    warnings_of,
)
from aidc.report.text import MISSING, figure, percent
from aidc.report.tree import flatten
from aidc.schema.code import Clause
from aidc.study.windows.verdicts import CheckResult, NamedWindow, TransientResult

__all__ = [
    "TONE",
    "assumption_table",
    "caveat_table",
    "change_blocks",
    "chip",
    "clause_table",
    "event_table",
    "extreme_table",
    "fact_blocks",
    "model_blocks",
    "verdict_table",
]

TONE: Final[Mapping[Result, str]] = {
    "pass": "good",
    "fail": "bad",
    "not_assessable": "open",
    "not_applicable": "mute",
}
_STATED: Final = frozenset(
    {"rule", "clause", "status", "confidence", "source", "note", "location", "applies_to"}
)
_PLACES: Final = {
    "poi": "point of interconnection",
    "ups-input": "UPS input",
    "psu-terminals": "PSU terminals",
}


def chip(result: Result) -> Chip:
    """A result as a coloured word."""
    return Chip(WORDS[result], TONE[result])


def verdict_table(result: CheckResult, key: str, *, explained: bool = True) -> Table:
    """Every clause of a rule set, the worst results first; `explained` with what the columns mean."""
    columns = [
        Column("result"),
        Column("rule, clause", wrap=True),
        Column("value", numeric=True),
        Column("limit", numeric=True),
        Column("unit"),
        Column("margin", numeric=True),
        Column("reason, worst case", wrap=True),
        Column("rule's status"),
        Column("source", wrap=True),
    ]
    rows = [_verdict_row(verdict) for verdict in ordered(result.verdicts)]
    note = (
        "Margin: what is left of the limit, in percent of it; negative fails. Of a ride-through that passed: how much of the "
        "time asked was tried. The status and the confidence are the "
        "rule's own and say nothing of the result. Each line shows the worst of its cases."
    )
    title = f"{result.code.title}: {scope(result.code)}"
    return Table(key, title, columns, rows, note if explained else "", filter=True, cards=True)


def _verdict_row(verdict: Verdict) -> list[Cell]:
    case = [f"Case: {verdict.case}"] if verdict.case else []
    return [
        chip(verdict.result),
        Stack(verdict.rule, [verdict.clause] if verdict.clause else [], strong=True),
        number(verdict.value),
        number(verdict.limit),
        verdict.unit,
        margin_text(verdict),
        Stack(capital(verdict.reason) or MISSING, case),
        Stack(verdict.status or MISSING, [verdict.confidence] if verdict.confidence else []),
        Stack("", [verdict.source]) if verdict.source else MISSING,
    ]


def change_blocks(results: Sequence[CheckResult]) -> list[Block]:
    """The smallest changes that would pass, and what is missing where nothing can be said."""
    blocks: list[Block] = []
    failed = [
        (result, verdict) for result in results for verdict in result.verdicts if verdict.result == "fail"
    ]
    several = len(results) > 1
    if failed:
        rows: list[list[Cell]] = [
            [
                Stack(verdict.rule, _of(result, verdict.clause, several=several), strong=True),
                f"{number(verdict.value)} {verdict.unit}".strip(),
                f"{number(verdict.limit)} {verdict.unit}".strip(),
                margin_text(verdict),
                verdict.suggestion
                or "No formula gives a change for this clause. Look at the worst case's waveforms, change the site file "
                "and check again.",
            ]
            for result, verdict in failed
        ]
        columns = [
            Column("clause that fails", wrap=True),
            Column("value", numeric=True),
            Column("limit", numeric=True),
            Column("margin", numeric=True),
            Column("smallest change that would pass", wrap=True),
        ]
        note = (
            "Each change is for its clause; check the changed site against the whole set before building it."
        )
        blocks.append(Table("changes", "Smallest change that would pass", columns, rows, note, cards=True))
    reasons: list[list[Cell]] = [
        [capital(reason), Stack("", _of(result, "; ".join(clauses), several=several))]
        for result in results
        for reason, clauses in open_reasons(result.verdicts)
    ]
    if reasons:
        columns = [Column("what is missing", wrap=True), Column("clauses", wrap=True)]
        blocks.append(Table("open", "What cannot be judged, and why", columns, reasons, cards=True))
    return blocks or [Note("Nothing failed, and every clause that applies could be judged.")]


def _of(result: CheckResult, text: str, *, several: bool) -> list[str]:
    return [text, result.code.title] if several else [text]


def clause_table(result: CheckResult, key: str) -> Table:
    """The rule set as it was read: every clause with its figures and where they come from."""
    rows: list[list[Cell]] = [
        [
            Stack(clause.rule, [clause.clause], strong=True),
            _figures(clause),
            _PLACES[clause.location],
            Stack(clause.status, [clause.confidence]),
            Stack("", [text for text in (clause.source, clause.note) if text]),
        ]
        for clause in result.code.clauses
    ]
    columns = [
        Column("rule, clause", wrap=True),
        Column("figures", wrap=True),
        Column("judged at"),
        Column("status"),
        Column("source and notes", wrap=True),
    ]
    return Table(
        key, f"{result.code.title} ({result.code_name})", columns, rows, result.code.note, cards=True
    )


def _figures(clause: Clause) -> Cell:
    """What the clause states, its defaults left out."""
    told = clause.model_dump(exclude_none=True, exclude_unset=True)
    lines = [
        f"{key} = {_listed(value)}"
        for key, value in told.items()
        if key not in _STATED and value not in ((), "")
    ]
    if clause.rule == "uncaptured":
        return Stack("figures not captured", lines)
    return Stack(lines[0], lines[1:]) if lines else MISSING


def _listed(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(_listed(one) for one in value)
    return figure(value, 6) if isinstance(value, float) else str(value)


def assumption_table(results: Sequence[CheckResult]) -> Table | None:
    """Every figure that was assumed, once, whichever result names it."""
    found: dict[str, Mapping[str, Any]] = {}
    for result in results:
        for row in result.assumptions:
            found.setdefault(repr(sorted((str(key), str(value)) for key, value in row.items())), row)
    if not found:
        return None
    known = (
        "where",
        "entry",
        "name",
        "key",
        "what",
        "value",
        "unit",
        "source",
        "confidence",
        "note",
        "overridden",
    )
    told = list(found.values())
    extra = sorted({str(key) for row in told for key in row} - {*known, "url", "doi"})
    names = [*known, *extra]
    wrapped = {"where", "what", "value", "source", "note", *extra}
    columns = [
        Column({"where": "used for", "overridden": "site file"}.get(name, name), wrap=name in wrapped)
        for name in names
    ]
    rows = [[_assumed(row, name) for name in names] for row in told]
    return trimmed(Table("assumptions", "Figures and their sources", columns, rows, filter=True, tall=True))


def _assumed(row: Mapping[str, Any], name: str) -> Cell:
    value = row.get(name)
    if name == "overridden":
        return "overridden" if value else ""
    if name == "source":
        url = row.get("url") or (f"https://doi.org/{row['doi']}" if row.get("doi") else "")
        return Link(str(value or MISSING), str(url)) if url else str(value or "")
    if value is None:
        return ""
    if isinstance(value, (list, tuple, Mapping)):
        return ", ".join(text for _, text in flatten({"": value}))
    return figure(value, 6) if isinstance(value, (int, float)) and not isinstance(value, bool) else str(value)


def fact_blocks(facts: Sequence[tuple[str, Mapping[str, Any]]]) -> list[Block]:
    """Warnings, then the facts of each result; those that are all alike stand once."""
    blocks: list[Block] = []
    warned = list(dict.fromkeys(text for _, told in facts for text in warnings_of(told)))
    if warned:
        blocks.append(
            Table("warnings", "Warnings", [Column("warning", wrap=True)], [[text] for text in warned])
        )
    seen: dict[tuple[tuple[str, str], ...], str] = {}
    for name, told in facts:
        rows = tuple(fact_rows(told))
        seen[rows] = f"{seen[rows]}, {name}" if rows in seen else name
    for place, (rows, name) in enumerate(seen.items()):
        if rows:
            title = name if len(seen) > 1 else "Facts"
            columns = [Column("fact", wrap=True), Column("value", wrap=True)]
            blocks.append(
                Table(
                    f"facts-{place}",
                    title,
                    columns,
                    rows,
                    filter=len(rows) > 15,
                    span=3 if len(seen) > 1 else 6,
                )
            )
    return blocks or [Note("No facts were recorded.")]


def model_blocks(results: Sequence[CheckResult]) -> list[Block]:
    """The load model for the utility's study, once: parameters, error of the fit, what its record warns of."""
    for result in results:
        told: Any = result.facts.get("load_model")
        if not isinstance(told, Mapping) or not told.get("parameters"):
            continue
        rows = [
            [str(name), number(one.get("value")), str(one.get("unit", "")), str(one.get("basis", ""))]
            for name, one in told["parameters"].items()
        ]
        columns = [
            Column("parameter"),
            Column("value", numeric=True),
            Column("unit"),
            Column("basis", wrap=True),
        ]
        remarks = [
            line.removeprefix("// ").rstrip(".")
            for line in str(told.get("dyr", "")).splitlines()
            if line.startswith("// ") and not line.startswith("//  ")
        ]
        note = ". ".join([*remarks, f"As a record: {result.code_name}.dyr beside this report."])
        return [Table("load-model", "Load model for the utility's study", columns, rows, note)]
    return []


def caveat_table(results: Sequence[CheckResult]) -> Table:
    """What the verdicts do not say."""
    rows = [[text] for text in caveats(results)]
    return Table("limits", "Limits", [Column("what this report does not say", wrap=True)], rows)


def extreme_table(window: NamedWindow) -> Table | None:
    """Least, mean and greatest of each channel with their times."""
    rows = [
        [
            one.shown.label,
            one.shown.unit,
            number(one.least),
            f"{number(one.least_s)} s",
            number(one.mean),
            number(one.greatest),
            f"{number(one.greatest_s)} s",
        ]
        for one in extremes_of(window.waveform)
    ]
    if not rows:
        return None
    columns = [Column("channel", wrap=True), Column("unit")]
    columns += [Column(name, numeric=True) for name in ("least", "at", "mean", "greatest", "at ")]
    return Table("extremes", "Least and greatest", columns, rows)


def event_table(result: TransientResult) -> Table | None:
    """The events of a window, a column for each thing that any of them states."""
    if not result.events:
        return None
    leading = [
        name for name in ("start_s", "use", "kind", "name") if any(row.get(name) for row in result.events)
    ]
    names = [
        *leading,
        *dict.fromkeys(key for row in result.events for key in row if key not in {*leading, "name"}),
    ]
    rows = [[_event_cell(name, row.get(name)) for name in names] for row in result.events]
    columns = [
        Column(name.replace("_", " "), numeric=name.endswith(("_s", "_pu", "_frac", "_hz", "_deg")))
        for name in names
    ]
    return trimmed(Table("events", "Events", columns, rows, filter=len(rows) > 15, tall=True))


def _event_cell(name: str, value: Any) -> str:
    if value is None or value == "":
        return ""
    if name.endswith("_frac"):
        return percent(value)
    if isinstance(value, (list, tuple)):
        return ", ".join(str(one) for one in value)
    return figure(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else str(value)
