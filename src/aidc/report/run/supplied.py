"""Words for supply that fell short: what was shed, dropped and dead, and what gensets did about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from aidc.measure.meta import mapping
from aidc.report.text import duration, figure, percent, tokens
from aidc.report.tree import pick
from aidc.units import HOUR_S

__all__ = ["availability", "genset_words", "short_words"]

_PODS_TOLD = 4
_LEAST_MWH = 1e-9


def availability(frac: Any) -> str:
    """An availability with as many digits as tell it from 100 %."""
    text = percent(frac, 5)
    return "below 100 %" if text == "100 %" and frac < 1.0 else text


def short_words(summary: Mapping[str, Any]) -> list[str]:
    """One sentence each for a dead bus, pods not supplied, cooling and auxiliaries, and requests dropped."""
    told = mapping(summary.get("supply"))
    return [*_dead(told), *_not_supplied(told), *_beside(told), *_dropped(summary)]


def genset_words(summary: Mapping[str, Any]) -> list[str]:
    """One sentence for each entry of gensets that ran, and one for their load bank."""
    found: list[str] = []
    for name, facts in mapping(summary.get("gensets")).items():
        if not pick(facts, "running_h"):
            continue
        starts = pick(facts, "starts") or 0
        parts = [
            f"ran {_hours(pick(facts, 'running_h'))}",
            {0: "from the start", 1: "1 start"}.get(starts, f"{starts} starts"),
            f"{figure(pick(facts, 'energy_mwh'))} MWh from {figure(pick(facts, 'fuel_mwh'))} MWh of fuel",
        ]
        left = pick(facts, "fuel_left_mwh")
        if left is not None:
            more = _hours(pick(facts, "autonomy_h"))
            parts.append(f"{figure(left)} MWh left, {more} at that burn" if left else "the tank is empty")
        found.append(f"gensets.{name}: {', '.join(parts)}")
    burnt = pick(summary, "supply.load_bank_mwh") or 0.0
    if burnt > _LEAST_MWH:
        found.append(f"load bank: {figure(burnt)} MWh, to keep gensets at their least load")
    return found


def _dead(told: Mapping[str, Any]) -> Iterator[str]:
    dead_h = told.get("bus_not_formed_h")
    if dead_h:
        yield (
            f"site bus dead for {_hours(dead_h)}: nothing formed it; photovoltaics, wind and grid-following "
            "storage stood still"
        )


def _not_supplied(told: Mapping[str, Any]) -> Iterator[str]:
    """Who was shed, what that came to, and the availability where it is below 1."""
    lost = told.get("energy_not_supplied_mwh") or 0.0
    available = told.get("availability_frac")
    if lost > _LEAST_MWH:
        over = f" in {_hours(told['time_not_supplied_h'])}" if told.get("time_not_supplied_h") else ""
        yield f"not supplied: {figure(lost)} MWh of IT load{over}; availability {availability(available)}"
    elif available is not None and available < 1.0:
        yield f"availability {availability(available)}: pods shut down for heat"
    shed = {
        name: facts
        for name, facts in mapping(told.get("pods")).items()
        if (pick(facts, "shed_count") or 0) > 0
    }
    worst = sorted(shed, key=lambda name: -pick(shed[name], "energy_not_supplied_mwh"))
    parts = [
        f"pods.{name} {_times(pick(shed[name], 'shed_count'))} for {_hours(pick(shed[name], 'time_not_supplied_h'))}"
        for name in worst[:_PODS_TOLD]
    ]
    if len(worst) > _PODS_TOLD:
        parts.append(f"{len(worst) - _PODS_TOLD} more pods")
    if parts:
        yield f"load shed: {', '.join(parts)}"


def _beside(told: Mapping[str, Any]) -> Iterator[str]:
    parts = [
        f"{name} {figure(value)} MWh"
        for name, key in (("cooling", "cooling"), ("auxiliaries", "auxiliary"))
        if (value := told.get(f"{key}_not_supplied_mwh") or 0.0) > _LEAST_MWH
    ]
    if parts:
        yield f"not supplied to {', to '.join(parts)}"


def _dropped(summary: Mapping[str, Any]) -> Iterator[str]:
    """Requests that found a full queue, by service."""
    for name, facts in mapping(summary.get("services")).items():
        lost, asked = pick(facts, "tokens_dropped"), pick(facts, "tokens_arrived")
        if not lost or not asked:
            continue
        made, requests = pick(facts, "tokens_output"), pick(facts, "requests")
        about = f"about {figure(lost * requests / made, 3)} requests, " if made and requests else ""
        yield f"services.{name}: {about}{tokens(lost)} dropped, {percent(lost / asked, 3)} of what was asked"


def _hours(value: Any) -> str:
    return duration(value * HOUR_S if isinstance(value, (int, float)) else None)


def _times(count: Any) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count} times")
