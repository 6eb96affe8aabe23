"""Tables of what the energy model says of a build: its phases, and the bridges until the grid comes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aidc.report.blocks import Block, Column, Table
from aidc.report.text import MISSING, figure, money, percent

__all__ = ["bridge_tables", "phases_table"]


def phases_table(facts: Mapping[str, Any]) -> Table:
    titles = [
        "IT MW",
        "dark, MW",
        "peak import, MW",
        "limit, MW",
        "Gtok/day",
        "kWh/Mtok",
        "PUE",
        "supplied",
        "in service level",
    ]
    priced = {one["date"]: one for one in facts["value"]["phases"]} if facts["value"] else {}
    titles += ["revenue/day", "energy/day"] if priced else []
    rows = [
        (one["date"], figure(one["online_mw"]), figure(one["commissioned_mw"] - one["online_mw"], 3), figure(one["peak_import_mw"]),
         figure(one["import_limit_mw"]), figure(one["useful_tokens_per_day"] / 1e9), figure(one["tokenergy_kwh_per_mtok"]), figure(one["pue"]),
         percent(one["availability_frac"]), _level(one["slo_attainment"]), *_earns(priced.get(one["date"])))
        for one in facts["phases"]
    ]  # fmt: skip
    return Table(
        "phases",
        "Phases by the energy model",
        [Column("from"), *(Column(title, numeric=True) for title in titles)],
        rows,
        "In the schedule of medians; each with the demand that it can serve. Dark racks wait for the connection. "
        "Within service level: the least of its services.",
    )


def _level(attained: Mapping[str, float | None]) -> str:
    """The least share of tokens within service level."""
    known = [one for one in attained.values() if one is not None]
    return percent(min(known), 3) if known else MISSING


def _earns(one: Mapping[str, Any] | None) -> tuple[str, ...]:
    return (money(one["revenue_usd_per_day"]), money(one["energy_usd_per_day"])) if one else ()


def bridge_tables(bridges: Mapping[str, Any]) -> list[Block]:
    """A table for each date on which racks wait, and what the bridges bring over the draws."""
    titles = ("IT MW", "availability", "peak import, MW", "Gtok/day", "energy/day")
    columns = [Column("bridge"), *(Column(one, numeric=True) for one in titles)]
    blocks: list[Block] = []
    for place, date in enumerate(bridges["dates"]):
        rows = [(one["name"], *_tried(one["tries"][place])) for one in bridges["options"]]
        title = f"{date['date']}: {figure(date['commissioned_mw'])} MW of IT behind {date['import_limit_mw']:g} MW"
        note = (
            "The most racks that the energy model runs with the availability that is asked for."
            if place == 0
            else ""
        )
        blocks.append(Table(f"bridges-{place}", title, columns, rows, note))
    brings = [
        (one["name"], one["available"], figure(one["mean_mw_days_gained"]), figure(one["mean_days_in_use"]), money(one["mean_cost_usd"]))
        for one in bridges["options"][1:]
    ]  # fmt: skip
    columns = [Column("bridge"), Column("from")]
    columns += [Column(one, numeric=True) for one in ("MW-days gained", "days in use", "cost")]
    note = "Means over the draws, over what runs without a bridge."
    return [*blocks, Table("bridges-bring", "What they bring", columns, brings, note)]


def _tried(one: Mapping[str, Any] | None) -> tuple[str, ...]:
    """What runs with a bridge on a date; dashes where it is not there yet or carries nothing."""
    if one is None:
        return (MISSING,) * 5
    return (
        figure(one["it_mw"]),
        percent(one["availability_frac"], 5),
        figure(one["peak_import_mw"]),
        figure(one["useful_tokens_per_day"] / 1e9),
        money(one["energy_usd_per_day"]),
    )
