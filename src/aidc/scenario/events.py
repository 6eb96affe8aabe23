"""Grid events on the clock of a run: what is announced when, and what it does to limits and prices."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import groupby
from typing import Any

import numpy as np

from aidc.clock import Clock, as_utc
from aidc.errors import InputError, Problem
from aidc.scenario.series import Series
from aidc.schema.event import (
    AnyEvent,
    CapacityLimit,
    CarbonPeak,
    DemandResponse,
    Emergency,
    EquipmentOutage,
    ImportLimit,
    PriceSpike,
    SupplyOutage,
)
from aidc.units import MEGA

__all__ = [
    "Planned",
    "grid_present",
    "import_limit_w",
    "plan_events",
    "units_out",
    "with_carbon_peaks",
    "with_spikes",
]

Event = AnyEvent

_MICRO = 1_000_000
_MOST_SAMPLES = 1_000_000
_COARSE_US = 60 * _MICRO


@dataclass(frozen=True, slots=True)
class Planned:
    """An event in ticks of the run: told at `announced_tick`, in force in [start_tick, end_tick).

    `reduce_frac`, `reduce_w` or `limit_w` say what is asked; the others are NaN. Events that begin before the
    run have their ticks at 0. At `withdrawn_tick` a request is taken back; -1 where it never is.
    """

    name: str
    kind: str
    announced_tick: int
    start_tick: int
    end_tick: int
    reduce_frac: float = math.nan
    limit_w: float = math.nan
    price_usd_per_mwh: float = math.nan
    carbon_kg_per_mwh: float = math.nan
    reduce_w: float = math.nan
    withdrawn_tick: int = -1


def plan_events(events: Sequence[Event], clock: Clock, base_limit_w: float) -> tuple[Planned, ...]:
    """The events that touch a run, in order of their announcement; a capacity limit is one for each level.

    Requests may overlap: the lowest limit in force holds.

    Raises
    ------
    InputError
        Two events have the same name.
    """
    planned = [
        _planned(event, index, clock, base_limit_w)
        for index, event in enumerate(events)
        if _end(event) > clock.start and as_utc(event.start) < clock.end
    ]
    names = [parts[0].name for parts in planned]
    problems = [
        Problem("two events have this name", "Rename one.", key="scenario.events", value=name)
        for name in sorted({name for name in names if names.count(name) > 1})
    ]
    if problems:
        raise InputError(problems)
    every = [part for parts in planned for part in parts if part.end_tick > part.start_tick]
    return tuple(sorted(every, key=lambda event: (event.announced_tick, event.start_tick)))


def import_limit_w(events: Sequence[Event], start: datetime, end: datetime, base_limit_w: float) -> Series:
    """The import limit over [start, end): `base_limit_w`, less while a limit or an outage is in force.

    The spacing divides every edge; where that takes more than a million samples, edges are moved
    outwards to full minutes.

    `events` are those of the scenario, of every kind.
    """
    cuts = _cuts(events, start, end, (ImportLimit, SupplyOutage))
    first, step_us, values = _laid(start, end, [cut[:2] for cut in cuts], base_limit_w)
    for begin, last, event in cuts:
        part = slice(begin // step_us, -(-last // step_us))
        values[part] = np.minimum(values[part], _limit_w(event, base_limit_w))
    return Series(first, Fraction(step_us, _MICRO), values, source="grid events")


def grid_present(events: Sequence[Event], start: datetime, end: datetime, *, connected: bool) -> Series:
    """1 while the grid is there over [start, end), 0 in an outage; always 0 on a site without a connection.

    `events` are those of the scenario, of every kind; `connected` says whether the site has a grid connection.
    """
    cuts = _cuts(events, start, end, (SupplyOutage,))
    first, step_us, values = _laid(start, end, [cut[:2] for cut in cuts], float(connected))
    for begin, last, _ in cuts:
        values[begin // step_us : -(-last // step_us)] = 0.0
    return Series(first, Fraction(step_us, _MICRO), values, source="grid events")


def units_out(events: Sequence[Event], of: str, start: datetime, end: datetime) -> Series:
    """How many units of a piece of equipment are out of service over [start, end).

    `events` are those of the scenario, of every kind; `of` is the equipment's name.
    """
    cuts = [cut for cut in _cuts(events, start, end, (EquipmentOutage,)) if cut[2].of == of]
    first, step_us, values = _laid(start, end, [cut[:2] for cut in cuts], 0.0)
    for begin, last, event in cuts:
        values[begin // step_us : -(-last // step_us)] += event.units
    return Series(first, Fraction(step_us, _MICRO), values, source="equipment outages")


def _cuts(
    events: Sequence[Event], start: datetime, end: datetime, kinds: tuple[type, ...]
) -> list[tuple[int, int, Any]]:
    """Events of some kinds within [start, end): begin and end in microseconds from the start, and the event."""
    origin = as_utc(start)
    span_us = max(1, _micro(origin, end))
    cuts = [
        (max(0, _micro(origin, event.start)), min(span_us, _micro(origin, _end(event))), event)
        for event in events
        if isinstance(event, kinds)
    ]
    return [cut for cut in cuts if cut[0] < cut[1]]


def _laid(
    start: datetime, end: datetime, edges: Sequence[tuple[int, int]], value: float
) -> tuple[datetime, int, np.ndarray]:
    """Samples over [start, end) at a spacing [µs] that divides every edge."""
    begin = as_utc(start)
    span_us = max(1, _micro(begin, end))
    step_us = math.gcd(span_us, *(edge for pair in edges for edge in pair))
    if span_us // step_us > _MOST_SAMPLES:
        step_us = max(_COARSE_US, -(-span_us // _MOST_SAMPLES // _COARSE_US) * _COARSE_US)
    return begin, step_us, np.full(-(-span_us // step_us), value)


def with_spikes(price: Series, events: Sequence[Event], start: datetime, end: datetime) -> Series:
    """Energy prices over [start, end) with the price spikes laid over them, at a spacing that fits both.

    Where spikes overlap, the highest price is in force, in whatever order they are written.

    `events` are those of the scenario, of every kind.
    """
    spikes = [(event.price_usd_per_mwh, event) for event in events if isinstance(event, PriceSpike)]
    return _laid_over(price, spikes, start, end)


def with_carbon_peaks(carbon: Series, events: Sequence[Event], start: datetime, end: datetime) -> Series:
    """Carbon intensity [kg/MWh] over [start, end) with the carbon peaks laid over it, the highest in force.

    `events` are those of the scenario, of every kind.
    """
    peaks = [(event.carbon_kg_per_mwh, event) for event in events if isinstance(event, CarbonPeak)]
    return _laid_over(carbon, peaks, start, end)


def _laid_over(
    series: Series, levels: Sequence[tuple[float, Event]], start: datetime, end: datetime
) -> Series:
    """The series with each event's level in force for its time, the highest of those that overlap."""
    if not levels:
        return series
    begin = as_utc(start)
    span_us = max(1, _micro(begin, end))
    edges = [
        max(0, min(span_us, _micro(begin, edge)))
        for _, event in levels
        for edge in (event.start, _end(event))
    ]
    period_us = int(series.period_s * _MICRO)
    step_us = math.gcd(period_us, _micro(begin, series.start) % period_us, *edges)
    if span_us // step_us > _MOST_SAMPLES:
        step_us = max(_COARSE_US, -(-span_us // _MOST_SAMPLES // _COARSE_US) * _COARSE_US)
    count = -(-span_us // step_us)
    values = series.means(begin, Fraction(step_us, _MICRO), count)
    for level, event in sorted(levels, key=lambda one: one[0]):
        first, last = (max(0, min(span_us, _micro(begin, edge))) for edge in (event.start, _end(event)))
        values[first // step_us : -(-last // step_us)] = level
    return replace(series, start=begin, period_s=Fraction(step_us, _MICRO), values=values, tiled=False)


def _planned(event: Event, index: int, clock: Clock, base_limit_w: float) -> tuple[Planned, ...]:
    def tick(moment: datetime) -> int:
        return max(0, min(clock.steps, clock.tick_of(moment)))

    notice = timedelta(minutes=event.notice_min) + timedelta(seconds=event.notice_s or 0.0)
    plan = Planned(
        event.name or f"{event.use}-{index + 1}",
        event.use,
        tick(as_utc(event.start) - notice),
        tick(event.start),
        tick(_end(event)),
    )
    match event:
        case DemandResponse() | Emergency():
            return (_requested(plan, event, tick),)
        case CapacityLimit():
            return tuple(_by_the_hour(plan, event, tick))
        case EquipmentOutage():
            return (plan,)
        case PriceSpike():
            return (replace(plan, price_usd_per_mwh=event.price_usd_per_mwh),)
        case CarbonPeak():
            return (replace(plan, carbon_kg_per_mwh=event.carbon_kg_per_mwh),)
        case _:
            return (replace(plan, limit_w=_limit_w(event, base_limit_w)),)


def _requested(plan: Planned, event: DemandResponse | Emergency, tick: Callable[[datetime], int]) -> Planned:
    withdrawn = event.withdrawn_min
    return replace(
        plan,
        reduce_frac=math.nan if event.reduce_frac is None else event.reduce_frac,
        reduce_w=math.nan if event.reduce_mw is None else event.reduce_mw * MEGA,
        limit_w=math.nan if event.limit_mw is None else event.limit_mw * MEGA,
        withdrawn_tick=-1 if withdrawn is None else tick(as_utc(event.start) + timedelta(minutes=withdrawn)),
    )


def _by_the_hour(plan: Planned, event: CapacityLimit, tick: Callable[[datetime], int]) -> Iterator[Planned]:
    """One event for each run of hours with the same limit; the first bears the name alone."""
    hour, begin = timedelta(hours=1), as_utc(event.start)
    for limit_mw, hours in groupby(enumerate(event.limits_mw), key=lambda one: one[1]):
        numbers = [number for number, _ in hours]
        yield replace(
            plan,
            name=plan.name if numbers[0] == 0 else f"{plan.name}+{numbers[0]}h",
            start_tick=tick(begin + numbers[0] * hour),
            end_tick=tick(begin + (numbers[-1] + 1) * hour),
            limit_w=limit_mw * MEGA,
        )


def _limit_w(event: Event, base_limit_w: float) -> float:
    match event:
        case ImportLimit(limit_frac=float(share)):
            return share * base_limit_w
        case ImportLimit(limit_mw=float(ceiling)):
            return min(base_limit_w, ceiling * MEGA)
        case SupplyOutage():
            return 0.0
        case _:
            return base_limit_w


def _end(event: Event) -> datetime:
    return as_utc(event.start) + timedelta(minutes=event.duration_min)


def _micro(origin: datetime, moment: datetime) -> int:
    return (as_utc(moment) - origin) // timedelta(microseconds=1)
