"""The report of a build: when power comes, what holds it up, what it is worth, as one HTML file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from aidc.report.blocks import Block, Chip, Column, Head, Note, Section, Table, Tile
from aidc.report.build.charts import (
    cash_chart,
    gantt,
    index_chart,
    limits_chart,
    s_curve,
    tokens_chart,
    tornado,
)
from aidc.report.build.modelled import bridge_tables, phases_table
from aidc.report.build.words import days, other_worth, plausible_line, span
from aidc.report.sheet import compose, save
from aidc.report.text import MISSING, figure, money, percent, short_money, tokens

__all__ = ["render_build", "write_build"]

_FOOTER: Final = (
    "Dates of 10, 50 and 90 % are kept with that probability; a level of power of 10 % is exceeded with 90 %. Working days are those of "
    "each task's calendar. Nothing here has been held against schedules of real projects."
)
_MOST_MILESTONES: Final = 6
_DATES: Final = ("p10", "p50", "p90")


def write_build(facts: Mapping[str, Any], target: Path) -> None:
    """Write the report of a build from its plain figures.

    Raises
    ------
    OutputError
        The folder is missing, not writable or full.
    """
    save(render_build(facts), target)


def render_build(facts: Mapping[str, Any]) -> str:
    """The report of a build as one HTML text."""
    power: list[Block] = [s_curve(facts)]
    if facts["useful_tokens_per_day"]:
        power.append(tokens_chart(facts))
    sections = [
        *_progress(facts),
        Section("power", "Power", "When power comes", "", [*power, *_promises(facts)]),
        Section("schedule", "Schedule", "What comes when", "", [gantt(facts), _lots(facts)]),
        Section("worth", "A week", "What holds it up", _held_up(facts), _weeks(facts)),
    ]
    if facts["phases"]:
        blocks = [index_chart(facts), limits_chart(facts), phases_table(facts)]
        sections.append(Section("phases", "Phases", "Through construction", "", blocks))
    if facts["value"]:
        lead = other_worth(facts["against"]) if facts["against"] else ""
        sections.append(
            Section("value", "Value", "What it is worth", lead, [cash_chart(facts), _terms(facts)])
        )
    if facts["bridges"]:
        sections.append(
            Section("bridges", "Bridges", "Until the grid comes", "", bridge_tables(facts["bridges"]))
        )
    sections += [
        Section("tasks", "Tasks", "All tasks", "", [_tasks(facts)]),
        Section("plausibility", "Plausibility", "Beside published build times", "", _plausible(facts)),
        Section("assumptions", "Assumptions", "What it rests on", "", [_told(facts), _figures(facts)]),
    ]
    return compose(_head(facts), sections)


def _head(facts: Mapping[str, Any]) -> Head:
    about = (
        ("Start", str(facts["start"])),
        ("Draws", f"{facts['draws']:,}, seed {facts['seed']}"),
        ("Crews", f"given out by {facts['policy']}"),
    )
    marks = Counter(one["confidence"] for one in facts["assumptions"])
    kinds = ", ".join(f"{count} {mark}" for mark, count in marks.most_common()) or "none"
    text = f"Figures of modules and bridges: {kinds}. Estimated ones have no checked source: put quotations in their place."
    return Head(
        facts["name"], about, text, _tiles(facts), "Construction of an AI data centre from modules", _FOOTER
    )


def _tiles(facts: Mapping[str, Any]) -> list[Tile]:
    when, gap = facts["all_online"], facts["policy_gap"]
    note = f"{when['p10']} with 10 %, {when['p90']} with 90 %"
    tiles = [
        Tile("All online", when["p50"], "", note, rows=_medians(facts), wide=True),
        Tile("IT power in the end", figure(facts["final_online_mw"]), "MW", "what the connection carries"),
        *(_promised(one) for one in facts["promises"]),
    ]
    if facts["value"]:
        npv = facts["value"]["npv_usd"]
        mean, low, high = (figure(npv[key] / 1e6) for key in ("mean", "p10", "p90"))
        tiles.append(Tile("Net present value", mean, "million $", f"{low} to {high} in eight of ten draws"))
    if facts["against"]:
        tiles += _other_tiles(facts["against"])
    against = "the shortest schedule" if gap["exact"] else "a bound without limits of crews"
    tiles.append(Tile("Policy", percent(gap["gap_frac"], 3), "", f"over {against}, at expected days"))
    return tiles


def _medians(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Milestones, the first and the last hall and the whole of it, by their medians."""
    halls = sorted((lot["online"]["p50"], lot["name"]) for lot in facts["lots"] if lot["it_mw"])
    rows = [(name, dates["p50"]) for name, dates in list(facts["milestones"].items())[:_MOST_MILESTONES]]
    ends = zip(("first hall", "last hall"), (halls[0], halls[-1]), strict=True)
    rows += [(f"{what}, {name}", day) for what, (day, name) in ends]
    return [*rows, ("all that the grid will carry", facts["all_online"]["p50"])]


def _promised(promise: Mapping[str, Any]) -> Tile:
    kept = promise["kept_frac"]
    tone = "good" if kept >= 0.9 else "open" if kept >= 0.5 else "bad"
    late = "" if promise["mean_days_late"] is None else f"{days(promise['mean_days_late'])} late in the mean"
    what = f"{figure(promise['online_mw'])} MW by {promise['date']}"
    return Tile(what, percent(kept, 3), "", late, tone=tone)


def _other_tiles(other: Mapping[str, Any]) -> list[Tile]:
    """The plan beside this one."""
    later = other["days_later"]
    note = f"{days(abs(later))} {'later' if later >= 0 else 'earlier'} than this plan, by the medians"
    tiles = [Tile(f"All online by {other['name']}", other["all_online"]["p50"], "", note)]
    if other["value"]:
        less = other["value"]["npv_less_usd"]
        mean, error = other["value"]["npv_usd"]["mean"], other["value"]["npv_less_error_usd"]
        note = f"{short_money(abs(less))} ± {short_money(error)} {'less' if less >= 0 else 'more'} than this plan"
        tiles.append(Tile(f"Net present value of {other['name']}", figure(mean / 1e6), "million $", note))
    return tiles


def _progress(facts: Mapping[str, Any]) -> list[Section]:
    """What has moved since the plan, where a progress file was given."""
    progress = facts["progress"]
    if not progress:
        return []
    late = progress["all_online_days_later"]
    lead = f"As of {progress['status']}, all is online {days(abs(late))} {'later' if late >= 0 else 'earlier'} than planned, by the medians."
    moved = [
        (one["name"], one["planned_p50"], one["forecast_p50"], f"{one['days_later']:+d}")
        for one in progress["moved"]
    ]
    kept = [
        (figure(one["online_mw"]), one["date"], percent(one["planned_kept_frac"], 3), percent(one["kept_frac"], 3),
         Chip("slips", "bad") if one["slips"] else Chip("as planned", "good"))
        for one in progress["promises"]
    ]  # fmt: skip
    done = [
        (one["name"], one["finished"], one["planned_p50"], f"{one['days_late']:+d}")
        for one in progress["done"]
    ]
    dates = (Column("planned 50 %"), Column("forecast 50 %"), Column("days later", numeric=True))
    blocks: list[Block] = [Table("moved", "Lots and milestones", [Column("what"), *dates], moved, tall=True)]
    if kept:
        columns = [
            Column("IT MW", numeric=True),
            Column("by"),
            Column("was kept", numeric=True),
            Column("is kept", numeric=True),
            Column(""),
        ]
        blocks.insert(0, Table("slips", "Promises", columns, kept))
    columns = [
        Column("task"),
        Column("done"),
        Column("median of the plan"),
        Column("days late", numeric=True),
    ]
    blocks.append(Table("done", "What is done", columns, done, tall=True))
    return [Section("progress", "Progress", "What has changed", lead, blocks)]


def _promises(facts: Mapping[str, Any]) -> list[Block]:
    if not facts["promises"]:
        return []
    columns = [
        Column("IT MW", numeric=True),
        Column("by"),
        Column("kept", numeric=True),
        Column("days late, mean", numeric=True),
        Column("penalty, mean", numeric=True),
    ]
    rows = [
        (figure(one["online_mw"]), one["date"], percent(one["kept_frac"], 3), figure(one["mean_days_late"], 3), money(one["mean_penalty_usd"]))
        for one in facts["promises"]
    ]  # fmt: skip
    return [Table("promises", "Promises", columns, rows)]


def _lots(facts: Mapping[str, Any]) -> Table:
    columns = [
        Column("lot"),
        Column("module", wrap=True),
        *(Column(name, numeric=True) for name in ("units", "MW", "IT MW", "cost, million $")),
        *(Column(name) for name in ("10 %", "50 %", "90 %")),
    ]
    rows = [
        (name, "milestone", "", "", "", "", *(when[key] for key in _DATES))
        for name, when in facts["milestones"].items()
    ]
    rows += [
        (lot["name"], lot["module"], str(lot["units"]), figure(lot["power_mw"]), figure(lot["it_mw"]) if lot["it_mw"] else "",
         figure(lot["cost_usd_million"]), *(lot["online"][key] for key in _DATES))
        for lot in facts["lots"]
    ]  # fmt: skip
    return Table("lots", "Milestones and lots", columns, rows, "Cost without racks; when each is online.")


def _held_up(facts: Mapping[str, Any]) -> str:
    often = sorted(facts["tasks"], key=lambda task: -task["critical_frac"])[:3]
    named = ", ".join(f"{task['name']} ({percent(task['critical_frac'], 3)})" for task in often)
    return f"In the critical chain most often: {named}."


def _weeks(facts: Mapping[str, Any]) -> list[Block]:
    if not facts["week_shorter"]:
        return [Note("No task is critical in one draw of a hundred.")]
    priced = facts["value"] is not None
    columns = [Column("task"), Column("days earlier", numeric=True), Column("MW-days", numeric=True)]
    columns += [Column("price of a week", numeric=True), Column("±", numeric=True)] if priced else []
    rows = [
        (one["task"], f"{one['days_earlier']:.1f}", figure(one["online_mw_days"], 3),
         *((money(one["npv_usd"]), money(one["npv_error_usd"])) if priced else ()))
        for one in facts["week_shorter"]
    ]  # fmt: skip
    note = (
        "A week less of the task's own calendar; ± is the standard error of the mean difference on the same draws."
        if priced
        else ""
    )
    return [tornado(facts), Table("weeks", "A week less", columns, rows, note)]


def _plausible(facts: Mapping[str, Any]) -> list[Block]:
    found = facts["plausibility"]
    if not found:
        return [Note("Not worked out.")]
    share = found["time_over_other"]
    rows = [
        (row["report"], row["unit"], span(row["reported_per_month"]), figure(row["per_month"], 3),
         span(row["reported_time_over_other"]), figure(share, 2))
        for row in found["rows"]
    ]  # fmt: skip
    columns = [Column("report", wrap=True), Column("of what")]
    titles = (
        "reported, a month",
        "this plan, a month",
        "reported time over that on site",
        "this plan over the other",
    )
    columns += [Column(title, numeric=True) for title in titles]
    return [Note(plausible_line(found)), Table("plausible", "Vendors' reports", columns, rows)]


def _terms(facts: Mapping[str, Any]) -> Table:
    value = facts["value"]
    rows = [
        ("net revenue", money(value["net_revenue_usd"])), ("capital", money(value["capital_usd"])), ("penalties", money(value["penalty_usd"])),
        ("net present value", money(value["npv_usd"]["mean"])),
        ("useful tokens up to the horizon (not discounted)", tokens(value["useful_tokens"])),
        ("interest during construction, beside it", money(value["interest_during_construction_usd"])),
    ]  # fmt: skip
    terms = ", ".join(f"{key} {_plain(one)}" for key, one in value["terms"].items())
    return Table(
        "terms",
        "Net present value, in the mean",
        [Column("part", wrap=True), Column("discounted to the start", numeric=True)],
        rows,
        terms,
    )


def _tasks(facts: Mapping[str, Any]) -> Table:
    columns = [
        Column("task"),
        Column("calendar"),
        Column("crews", wrap=True),
        Column("days", numeric=True),
        Column("critical", numeric=True),
        Column("start 50 %"),
        Column("end 10 %"),
        Column("end 50 %"),
        Column("end 90 %"),
    ]
    rows = [
        (task["name"], task["calendar"], ", ".join(task["crews"]) or MISSING, figure(task["mean_days"], 3), percent(task["critical_frac"], 3),
         task["start"]["p50"], *(task["finish"][key] for key in _DATES))
        for task in facts["tasks"]
    ]  # fmt: skip
    return Table(
        "tasks",
        "Tasks",
        columns,
        rows,
        "Expected working days, rework and learning included.",
        filter=True,
        tall=True,
    )


def _told(facts: Mapping[str, Any]) -> Block:
    if not facts["told"]:
        return Note("The plan names all that it rests on.")
    return Table(
        "told",
        "What the plan got that it does not name",
        [Column("what", wrap=True)],
        [(line,) for line in facts["told"]],
    )


def _figures(facts: Mapping[str, Any]) -> Table:
    columns = [
        Column("where"),
        Column("entry"),
        Column("figure"),
        Column("confidence"),
        Column("source", wrap=True),
    ]
    rows = [
        (one["where"], one["entry"], one["key"], one["confidence"], one["source"])
        for one in facts["assumptions"]
    ]
    return Table("figures", "Figures of the modules", columns, rows, filter=True, tall=True)


def _plain(term: Any) -> str:
    """A term of the value as text."""
    if isinstance(term, Mapping):
        return "(" + ", ".join(f"{key} {figure(one)}" for key, one in term.items()) + ")"
    return figure(term)
