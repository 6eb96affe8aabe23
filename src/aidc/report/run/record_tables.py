"""What was done and what was assumed: events, repairs, catalogue figures with sources, every input."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import polars as pl

from aidc.report.blocks import Block, Cell, Column, Link, Note, Section, Table, trimmed
from aidc.report.run.view import View
from aidc.report.text import MISSING, figure, instant
from aidc.report.tree import flatten

__all__ = ["assumption_count", "assumptions_section", "events_section", "inputs_section"]

_EVENTS_SHOWN = 400


def events_section(view: View) -> Section:
    """Repairs of the input, a count of events by kind, and the events themselves."""
    blocks: list[Block] = []
    repairs = view.meta.get("repairs") or ()
    if repairs:
        rows = [[_sentence(repair)] for repair in repairs]
        blocks.append(
            Table("repairs", "Repairs of the input", [Column("repair", wrap=True)], rows, tall=True, span=3)
        )
    events = view.events
    if events.height:
        blocks += [_kinds(events), _events(events)]
    if not blocks:
        blocks.append(Note("Nothing was shed, clipped or repaired, and nothing failed."))
    return Section(
        "events", "Events", "Events", "Load shed, commands clipped, faults, and repairs of the input.", blocks
    )


def _kinds(events: pl.DataFrame) -> Table:
    counts = Counter(events.get_column("kind").cast(pl.String).to_list())
    rows = [[str(kind), f"{count:,}"] for kind, count in counts.most_common()]
    return Table(
        "event-kinds", "Events by kind", [Column("kind"), Column("count", numeric=True)], rows, span=3
    )


def _events(events: pl.DataFrame) -> Table:
    """The first events of each kind, so that a flood of one kind hides no other."""
    each = max(20, _EVENTS_SHOWN // max(1, events.get_column("kind").n_unique()))
    shown = events.filter(pl.int_range(pl.len()).over("kind") < each)
    rows = [
        [instant(row["time"]), str(row["kind"]), str(row["subject"]), str(row["message"])]
        for row in shown.select("time", "kind", "subject", "message").iter_rows(named=True)
    ]
    note = ""
    if shown.height < events.height:
        note = f"The first {each} of each kind; all {events.height:,} are in events.parquet."
    columns = [Column("time, UTC"), Column("kind"), Column("subject"), Column("message", wrap=True)]
    return Table("events", "Events", columns, rows, note, filter=True, tall=True)


def assumption_count(view: View) -> Counter[str]:
    """How many catalogue figures of each confidence the run used."""
    return Counter(str(row.get("confidence") or "unmarked") for row, _ in _assumptions(view))


def assumptions_section(view: View) -> Section:
    """Every catalogue figure that the run used, with its source."""
    rows: list[list[Cell]] = [
        [
            ", ".join(places),
            str(row.get("entry", MISSING)),
            str(row.get("key", MISSING)),
            _value(row.get("value")),
            _source(row),
            str(row.get("confidence") or "unmarked"),
            "overridden" if row.get("overridden") else "",
        ]
        for row, places in _assumptions(view)
    ]
    lead = (
        "Figures of equipment and models that this run took from the catalogue. Measured: on the thing itself. "
        "Published: by its maker or in the literature. Derived: calculated from those. Borrowed: of another device, not "
        "measured or fitted on this one. Estimated: no checked source."
    )
    if not rows:
        return Section(
            "assumptions", "Assumptions", "Assumptions", lead, (Note("The run lists no catalogue figures."),)
        )
    columns = [
        Column("used for", wrap=True),
        Column("entry"),
        Column("key"),
        Column("value", numeric=True),
        Column("source", wrap=True),
        Column("confidence"),
        Column("site file"),
    ]
    table = trimmed(Table("assumptions", "Catalogue figures", columns, rows, filter=True, tall=True))
    return Section("assumptions", "Assumptions", "Assumptions", lead, (*_borrowed(view), table))


def _borrowed(view: View) -> tuple[Block, ...]:
    """Sets of constants that are another device's, one line each."""
    told = dict.fromkeys(
        (str(row.get("where", MISSING)), str(row.get("entry", MISSING)), str(row["borrowed"]))
        for row in view.meta.get("assumptions") or ()
        if isinstance(row, Mapping) and row.get("borrowed")
    )
    if not told:
        return ()
    columns = [Column("used for"), Column("entry"), Column("whose", wrap=True)]
    return (Table("borrowed", "Constants of other devices", columns, [list(row) for row in told], span=3),)


def inputs_section(view: View) -> Section:
    """The resolved site, leaf by leaf, and the hashes of the input files."""
    extra = {
        key: view.meta[key] for key in ("inputs", "overrides", "seed", "controller") if view.meta.get(key)
    }
    leaves = [*flatten(view.site), *flatten({"run": extra})]
    rows = [[key, value] for key, value in leaves]
    lead = "The site as the run saw it, defaults and overrides applied. With the seed and the version, it repeats the run."
    columns = [Column("key"), Column("value", wrap=True)]
    table = Table("inputs", "Inputs", columns, rows, filter=True, tall=True)
    return Section("inputs", "Inputs", "Every input", lead, (table,))


def _assumptions(view: View) -> list[tuple[Mapping[str, Any], list[str]]]:
    """Each figure once, with the places of the site that use it."""
    found: dict[str, tuple[Mapping[str, Any], list[str]]] = {}
    for row in view.meta.get("assumptions") or ():
        if isinstance(row, Mapping):
            same = repr([row.get(key) for key in ("entry", "key", "value", "overridden", "borrowed")])
            _, places = found.setdefault(same, (row, []))
            where = row.get("where")
            if where and str(where) not in places:
                places.append(str(where))
    return list(found.values())


def _source(row: Mapping[str, Any]) -> Cell:
    title = str(row.get("source") or MISSING)
    url = row.get("url")
    return Link(title, str(url)) if url else title


def _value(value: Any) -> str:
    if isinstance(value, (list, tuple, Mapping)):
        return ", ".join(text for _, text in flatten({"": value})) or MISSING
    return figure(value, 6) if isinstance(value, (int, float)) and not isinstance(value, bool) else str(value)


def _sentence(repair: Any) -> str:
    if isinstance(repair, Mapping):
        return ", ".join(f"{key}: {value}" for key, value in repair.items())
    return str(repair)
