"""What `aidc build` prints: when power comes, lot by lot, and what holds it up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from aidc.report.build.words import days, other_worth, plausible_line, plausible_row
from aidc.report.text import MISSING, figure, money, percent, short_money

__all__ = ["build_table"]

_CRITICAL = 10
_STEPS = 14
_LEAST_DARK = 1e-6
_LEAST_NAME = 10  # a date is never folded


def build_table(facts: Mapping[str, Any]) -> RenderableType:
    """The study for the terminal."""
    parts: list[RenderableType] = [_power(facts), _lots(facts), _critical(facts)]
    if facts["phases"]:
        parts.append(_phases(facts))
    if facts["value"]:
        parts.append(_worth(facts))
    if facts["bridges"]:
        parts.append(_bridges(facts["bridges"]))
    if facts["progress"]:
        parts.append(_progress(facts["progress"]))
    return Group(*parts, *_lines(facts))


def _plain(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for place, name in enumerate(columns):
        least = _LEAST_NAME if place == 0 else None
        table.add_column(
            name,
            justify="left" if place == 0 else "right",
            no_wrap=place > 0,
            overflow="fold",
            min_width=least,
        )
    return table


def _titled(title: str, table: Table) -> Group:
    """A table under its title, which may be longer than the table is wide."""
    return Group(Text(title, style="italic"), table)


def _power(facts: Mapping[str, Any]) -> Group:
    """Power over time where it changes, no more than a screenful."""
    title = f"{facts['name']}: IT power [MW] that is exceeded with 90 / 50 / 10 %"
    table = _plain("date", "commissioned", "online", "import limit")
    curve = facts["curve"]
    for place in _changes(curve):
        cells = (
            " / ".join(figure(curve[key][name][place], 3) for name in ("p10", "p50", "p90"))
            for key in ("commissioned_mw", "online_mw", "import_mw")
        )
        table.add_row(curve["date"][place], *cells)
    return _titled(title, table)


def _changes(curve: Mapping[str, Any]) -> list[int]:
    """Weeks in which something of the curve differs from four weeks before, thinned to a screenful."""
    rows = [
        tuple(
            curve[key][name]
            for key in ("commissioned_mw", "online_mw", "import_mw")
            for name in ("p10", "p50", "p90")
        )
    ][0]
    months = range(0, len(curve["date"]), 4)
    kept = [place for place in months if place >= 4 and any(row[place] != row[place - 4] for row in rows)]
    step = max(1, -(-len(kept) // _STEPS))
    return kept[::-1][::step][::-1]


def _lots(facts: Mapping[str, Any]) -> Group:
    """Lots that are alike but for their number and dates keep their module's name to the first of them."""
    table = _plain("", "MW", "IT MW", "10 %", "50 %", "90 %")
    for name, dates in facts["milestones"].items():
        table.add_row(name, "", "", dates["p10"], dates["p50"], dates["p90"])
    before = ""
    for lot in facts["lots"]:
        when = lot["online"]
        it = figure(lot["it_mw"], 3) if lot["it_mw"] else ""
        module = f"{lot['units']} x {lot['module']}" if lot["units"] > 1 else lot["module"]
        if module != before:
            table.add_row(Text(module, style="dim"))
        before = module
        table.add_row(lot["name"], figure(lot["power_mw"], 3), it, when["p10"], when["p50"], when["p90"])
    return _titled("Milestones, and lots under their module: online with", table)


def _critical(facts: Mapping[str, Any]) -> Group:
    """The last column is the price of the week where values were asked for, else IT power over time."""
    table = _plain("", "critical", "takes", "end 50 %", "earlier", "worth" if facts["value"] else "MW-days")
    gains = {one["task"]: one for one in facts["week_shorter"]}
    often = sorted(facts["tasks"], key=lambda task: -task["critical_frac"])[:_CRITICAL]
    for task in often:
        gain = gains.get(task["name"])
        table.add_row(
            task["name"], percent(task["critical_frac"], 3), f"{figure(task['mean_days'], 3)} d", task["finish"]["p50"],
            f"{gain['days_earlier']:.1f} d" if gain else "", _worth_of(gain),
        )  # fmt: skip
    return _titled("What holds it up, and what a week less of it brings (last columns)", table)


def _worth_of(gain: Mapping[str, Any] | None) -> str:
    """The price of a week with its standard error, or the power that it brings."""
    if gain is None:
        return ""
    if gain["npv_usd"] is None:
        return figure(gain["online_mw_days"], 3)
    return f"{short_money(gain['npv_usd'])} ± {short_money(gain['npv_error_usd'], 2)}"


def _phases(facts: Mapping[str, Any]) -> Group:
    """Phases that were run; what they earn where there is a value."""
    priced = {one["date"]: one for one in facts["value"]["phases"]} if facts["value"] else {}
    last = ("revenue/energy",) if priced else ()
    table = _plain("from", "IT MW", "dark", "peak/limit", "Gtok/day", "kWh/Mtok", "PUE", *last)
    for one in facts["phases"]:
        earns = priced.get(one["date"])
        dark = one["commissioned_mw"] - one["online_mw"]
        table.add_row(
            one["date"], figure(one["online_mw"], 3), figure(dark, 3) if dark > _LEAST_DARK else "",
            f"{figure(one['peak_import_mw'], 3)}/{figure(one['import_limit_mw'], 3)}",
            figure(one["useful_tokens_per_day"] / 1e9, 4), figure(one["tokenergy_kwh_per_mtok"]), figure(one["pue"]),
*_per_day(earns),
        )  # fmt: skip
    return _titled("Phases by the energy model, each with the demand it can serve [MW, $/day]", table)


def _per_day(earns: Mapping[str, Any] | None) -> tuple[str, ...]:
    """Revenue and the bill of energy of a phase a day."""
    if not earns:
        return ()
    return (f"{short_money(earns['revenue_usd_per_day'])}/{short_money(earns['energy_usd_per_day'])}",)


def _bridges(bridges: Mapping[str, Any]) -> Group:
    """Each date on which racks wait, with what runs behind its limit; then what the bridges bring over the draws."""
    table = _plain("", "IT MW", "available", "peak MW", "Gtok/day", "energy/day")
    for place, date in enumerate(bridges["dates"]):
        what = f"{date['date']}, {date['import_limit_mw']:g} MW"
        table.add_row(Text(what, style="dim"), figure(date["commissioned_mw"], 3), "commissioned")
        for one in bridges["options"]:
            done = one["tries"][place]
            if done is None:
                table.add_row(one["name"], MISSING, f"from {one['available']}")
                continue
            table.add_row(
                one["name"], figure(done["it_mw"], 3), percent(done["availability_frac"], 5), figure(done["peak_import_mw"], 3),
                figure(done["useful_tokens_per_day"] / 1e9, 4), short_money(done["energy_usd_per_day"]),
            )  # fmt: skip
    brings = _plain("", "MW-days gained", "days in use", "cost")
    for one in bridges["options"][1:]:
        brings.add_row(
            one["name"], figure(one["mean_mw_days_gained"], 3), figure(one["mean_days_in_use"], 3),
            short_money(one["mean_cost_usd"]),
        )  # fmt: skip
    return Group(
        _titled("Bridges by the energy model: the most that runs while racks wait for the grid", table),
        _titled("What they bring over the draws, in the mean", brings),
    )


def _progress(progress: Mapping[str, Any]) -> RenderableType:
    """What has moved since the plan."""
    table = _plain("", "planned 50 %", "forecast 50 %", "days later")
    for one in progress["moved"]:
        style = "bold red" if one["days_later"] > 0 else ""
        table.add_row(
            one["name"], one["planned_p50"], one["forecast_p50"], Text(f"{one['days_later']:+d}", style=style)
        )
    lines = [
        Text(
            f"Promise of {figure(one['online_mw'])} MW by {one['date']} slips: kept with {percent(one['kept_frac'], 3)},"
            f" was {percent(one['planned_kept_frac'], 3)}.",
            style="bold red",
        )
        for one in progress["promises"]
        if one["slips"]
    ]
    late = sorted(
        (one for one in progress["done"] if one["days_late"] > 0), key=lambda one: -one["days_late"]
    )[:5]
    lines += [Text(f"{one['name']} was done {days(one['days_late'])} after its median.") for one in late]
    return Group(_titled(f"Since the plan, as of {progress['status']}", table), *lines)


def _worth(facts: Mapping[str, Any]) -> Text:
    value, npv = facts["value"], facts["value"]["npv_usd"]
    return Text(
        f"Net present value {money(npv['mean'])} in the mean ({money(npv['p10'])} to {money(npv['p90'])} in eight of ten draws):"
        f" net revenue {money(value['net_revenue_usd'])}, capital {money(value['capital_usd'])}, penalties"
        f" {money(value['penalty_usd'])}, all discounted to the start; {money(value['interest_during_construction_usd'])} of"
        " interest during construction stand beside it."
    )


def _lines(facts: Mapping[str, Any]) -> Iterator[Text]:
    when = facts["all_online"]
    yield Text(
        f"All that the grid will carry ({figure(facts['final_online_mw'])} MW of IT) is online by {when['p10']}"
        f" with 10 %, {when['p50']} with 50 % and {when['p90']} with 90 % probability."
    )
    if facts["against"]:
        yield _against(facts)
    for promise in facts["promises"]:
        yield _promise(promise)
    gap = facts["policy_gap"]
    against = "the shortest schedule" if gap["exact"] else "a bound, the same without limits of crews"
    yield Text(
        f"{facts['draws']:,} draws, seed {facts['seed']}, crews given out by {facts['policy']}. At expected days the schedule"
        f" takes {gap['policy_days']:.0f} days, {percent(gap['gap_frac'], 3)} over {against}."
    )
    yield from _plausible(facts)
    marks = [one["confidence"] for one in facts["assumptions"]]
    if marks:
        counts = ", ".join(f"{marks.count(mark)} {mark}" for mark in dict.fromkeys(marks))
        yield Text(
            f"Figures of modules and bridges: {counts}. Estimated ones have no checked source: put quotations in their place.",
            style="yellow",
        )
    for line in facts["told"]:
        yield Text(line, style="dim")


def _against(facts: Mapping[str, Any]) -> Text:
    other = facts["against"]
    later = other["days_later"]
    kept = ", ".join(
        f"{figure(one['online_mw'])} MW by {one['date']} with {percent(one['kept_frac'], 3)}"
        for one in other["promises"]
    )
    lines = (
        f"Beside it, {other['name']}: all online by {other['all_online']['p50']} with 50 %, {days(abs(later))}"
        f" {'later' if later >= 0 else 'earlier'}; modules {figure(other['cost_usd_million'])} against"
        f" {figure(other['own_cost_usd_million'])} million $" + (f"; it keeps {kept}." if kept else ".")
    )
    return Text(f"{lines} {other_worth(other)}".rstrip(), style="bold")


def _plausible(facts: Mapping[str, Any]) -> Iterator[Text]:
    """The build time beside published ones."""
    found = facts["plausibility"]
    if not found:
        return
    yield Text(plausible_line(found), style="dim")
    for row in found["rows"]:
        yield Text(plausible_row(row), style="dim")


def _promise(promise: Mapping[str, Any]) -> Text:
    what = f"Promise of {figure(promise['online_mw'])} MW by {promise['date']}"
    if promise["mean_days_late"] is None:
        return Text(
            f"{what}: above all that will ever be online in some draws; kept in {percent(promise['kept_frac'], 3)}.",
            style="bold red",
        )
    text = f"{what}: kept with {percent(promise['kept_frac'], 3)}, {days(promise['mean_days_late'])} late in the mean"
    cost = f", {money(promise['mean_penalty_usd'])} of penalty" if promise["mean_penalty_usd"] else ""
    return Text(f"{text}{cost}.", style="bold red" if promise["kept_frac"] < 0.5 else "")
