"""The head of the report: what was run, under which assumptions, and the figures that matter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aidc.measure.meta import mapping
from aidc.report.blocks import Head, Tile
from aidc.report.run.record_tables import assumption_count
from aidc.report.run.sizes import in_size, is_small
from aidc.report.run.supplied import availability, short_words
from aidc.report.run.tokenergy import factors_of
from aidc.report.run.view import View, conditions
from aidc.report.run.warm import pod_words, set_point_words
from aidc.report.text import (
    CLOSED,
    MISSING,
    aligned,
    closes,
    duration,
    figure,
    local_span,
    money,
    percent,
    scaled,
    span,
)
from aidc.report.tree import pick

__all__ = ["head"]

_FOOTER = (
    "Energies are magnitudes over the window; powers are means over each output step. All times are UTC unless a "
    "month of the site's time zone is meant."
)


def head(view: View) -> Head:
    """The head of a run's report."""
    return Head(
        _title(view),
        _facts(view),
        _assumptions(view),
        _tiles(view),
        "Energy and token account of an AI data centre",
        _FOOTER,
    )


def _title(view: View) -> str:
    name = view.meta.get("name") or pick(view.site, "site.name")
    return str(name or "unnamed site")


def _facts(view: View) -> tuple[tuple[str, str], ...]:
    window = pick(view.summary, "window") or {}
    step = window.get("step_s", view.meta.get("step_s"))
    facts = [
        ("Window", span(window.get("start", view.meta.get("start")), window.get("end"))),
        ("Step", f"{duration(step)}, recorded every {duration(view.meta.get('output_step_s'))}"),
    ]
    local = local_span(window.get("start"), window.get("end"), window.get("timezone"))
    if local:
        facts.insert(1, ("On site", local))
    steps = window.get("steps")
    if isinstance(steps, int):
        facts.append(("Steps", f"{steps:,}"))
    facts.append(("Version", f"aidc {view.meta.get('version', MISSING)}"))
    if view.meta.get("seed") is not None:
        facts.append(("Seed", str(view.meta["seed"])))
    return tuple(facts)


def _assumptions(view: View) -> str:
    """Weather, tariff, controller, and how well the figures are founded."""
    parts = [
        f"{word} {name}"
        for word in ("weather", "tariff", "prices", "carbon")
        if (name := _named(pick(view.site, f"scenario.{word}")))
    ]
    control = pick(view.site, "control.use")
    if control:
        parts.append(f"controller {control}")
    sentences = [", ".join(parts)] if parts else []
    counts = assumption_count(view)
    if counts:
        kinds = ", ".join(f"{count} {kind}" for kind, count in counts.most_common())
        sentences.append(f"{sum(counts.values())} catalogue figures: {kinds}")
    repairs = view.meta.get("repairs") or ()
    sentences.append(
        f"input repairs: {len(repairs)}, listed under Events" if repairs else "no input repaired"
    )
    text = ". ".join(sentence[:1].upper() + sentence[1:] for sentence in sentences)
    return f"{text}."


def _named(source: Any) -> str:
    """What an input is called: its catalogue entry, its file, or its kind."""
    return next((str(name) for key in ("use", "file", "shipped", "kind") if (name := pick(source, key))), "")


def _tiles(view: View) -> tuple[Tile, ...]:
    summary = view.summary
    attained, note = _attainment(summary)
    made = pick(summary, "tokens.output")
    useful, useful_unit = scaled(pick(summary, "tokens.useful"), "tok")
    carbon_t = _scale(pick(summary, "carbon_kg"), 1e-3)
    limit_mw = pick(view.site, "grid.import_limit_mw")
    small = is_small(summary)
    energy, energy_unit = in_size(pick(summary, "energy_mwh.grid_import"), "MWh", small=small)
    peak, peak_unit = in_size(pick(summary, "peak_import_mw"), "MW", small=small)
    return (
        _tokenergy_tile(view),
        Tile("Grid import", figure(energy, 5), energy_unit, _renewables(summary)),
        Tile("Peak import", figure(peak), peak_unit, _peak_note(summary, limit_mw)),
        _pue_tile(summary),
        *_supply_tile(summary),
        Tile("Useful tokens", useful, useful_unit, f"of {' '.join(scaled(made, 'tok'))} delivered"),
        Tile("SLO attainment", attained, "%", note),
        Tile("Cost", money(pick(summary, "cost_usd.total")), "", _cost_note(summary)),
        Tile("Carbon", figure(carbon_t), "t CO₂", f"CUE {figure(pick(summary, 'cue_kg_per_kwh'), 3)} kg/kWh"),
        Tile(
            "Water",
            figure(pick(summary, "water_m3")),
            "m³",
            f"WUE {figure(pick(summary, 'wue_l_per_kwh'), 3)} l/kWh",
        ),
        _closure_tile(view),
    )


def _supply_tile(summary: Mapping[str, Any]) -> tuple[Tile, ...]:
    """Availability, where it is below 1 or anything else was not supplied."""
    words = short_words(summary)
    told = pick(summary, "supply.availability_frac")
    if not words or told is None:
        return ()
    note = "pods by their nameplates"
    return (
        Tile(
            "Availability", availability(told).removesuffix(" %"), "%", "\n".join((note, *words)), tone="bad"
        ),
    )


def _pue_tile(summary: Mapping[str, Any]) -> Tile:
    """PUE, and what flatters it: a plant that lets its water get warm saves electricity."""
    short = set_point_words(summary)
    note = "\n".join(("site energy over IT energy at the rack inlet", *short))
    return Tile("PUE", figure(pick(summary, "pue")), "", note, tone="bad" if short else "")


def _tokenergy_tile(view: View) -> Tile:
    """The index with everything that must be known to compare it with another."""
    window = pick(view.summary, "window") or {}
    held = [f"{load.name}: {conditions(load)}" for load in view.facts.of_kind("service") if conditions(load)]
    lines = [
        "per million useful output tokens, at the site boundary",
        *held,
        span(window.get("start"), window.get("end")),
        *set_point_words(view.summary),
        *pod_words(view.summary),
    ]
    made = pick(view.summary, "tokens.useful")
    value = figure(pick(view.summary, "tokenergy_kwh_per_mtok.site")) if made else MISSING
    factors = factors_of(view.summary)
    rows: tuple[tuple[str, str], ...] = ()
    if factors is not None:
        names = ("accelerators", "with servers", "with network (IT)", "whole site", "per useful token")
        rows = tuple(zip(names, aligned(factors.steps, 4), strict=True))
    return Tile("TokEnergy Index", value, "kWh/Mtok", "\n".join(lines), rows, wide=True)


def _closure_tile(view: View) -> Tile:
    """The residuals over the sum of the absolute flows, which is how the books are judged."""
    closure = mapping(view.summary.get("closure"))
    parts = [
        f"{text} {closes(closure[key])}"
        for text, key in (
            ("energy in the worst step", "worst_step_energy_frac"),
            ("heat", "heat_frac"),
            ("tokens", "token_frac"),
        )
        if closure.get(key) is not None
    ]
    frac = closure.get("energy_frac")
    note = "; ".join([f"books of energy {closes(frac)} of all flows", *parts])
    known = isinstance(frac, (int, float))
    value = MISSING if not known else "closed" if abs(frac) <= CLOSED else "not closed"
    return Tile("Books", value, "", note, tone="bad" if value == "not closed" else "")


def _attainment(summary: Mapping[str, Any]) -> tuple[str, str]:
    services = pick(summary, "services")
    if not isinstance(services, Mapping) or not services:
        return MISSING, "no service"
    told = {
        name: value
        for name, facts in services.items()
        if (value := pick(facts, "slo_attainment")) is not None
    }
    each = ", ".join(f"{name} {figure(100 * value, 4)}" for name, value in told.items())
    made, useful = pick(summary, "tokens.output"), pick(summary, "tokens.useful")
    if not made or useful is None:
        return MISSING, each
    return figure(100 * useful / made), each if len(
        told
    ) > 1 else "share of tokens within their service level"


def _renewables(summary: Mapping[str, Any]) -> str:
    parts = [
        f"{text} {figure(value, 3)} MWh"
        for text, key in (("PV", "pv"), ("wind", "wind"), ("export", "grid_export"))
        if (value := pick(summary, f"energy_mwh.{key}"))
    ]
    return ", ".join(parts) or "no generation on site"


def _peak_note(summary: Mapping[str, Any], limit_mw: Any) -> str:
    load_factor = f"load factor {percent(pick(summary, 'load_factor'), 3)}"
    return (
        f"limit {figure(limit_mw)} MW, {load_factor}" if isinstance(limit_mw, (int, float)) else load_factor
    )


def _cost_note(summary: Mapping[str, Any]) -> str:
    parts = ["energy", "demand", *(["fuel"] if pick(summary, "cost_usd.fuel") else [])]
    told = ", ".join(f"{part} {money(pick(summary, f'cost_usd.{part}'))}" for part in parts)
    whole, share = pick(summary, "cost_usd.total"), pick(summary, "cost_usd.prorated")
    if not _charged_beyond(whole, share):
        return told
    each = pick(summary, "per_mtok.cost_usd")
    per_token = "" if each is None else f"; {money(each)} per million useful tokens by that share"
    return f"{told}\nwhole months of charges; {money(share)} by the share of them that the window covers{per_token}"


def _charged_beyond(whole: Any, share: Any) -> bool:
    """Whether the bill has charges of months that the window covers in part."""
    return (
        isinstance(whole, (int, float))
        and isinstance(share, (int, float))
        and whole - share > 0.005 * abs(whole)
    )


def _scale(value: Any, factor: float) -> Any:
    return value * factor if isinstance(value, (int, float)) else None
