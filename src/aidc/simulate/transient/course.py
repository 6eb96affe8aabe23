"""From events to arrays: the grid's course as segments, and what happens to the load at which tick."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from aidc.errors import InputError, Problem
from aidc.plant.network.sequence import HEALTHY, Fault, fault_of, phases_of, through_winding
from aidc.schema.disturbance import (
    Disturbance,
    FrequencyRamp,
    FrequencyStep,
    FrequencyTrace,
    Islanding,
    JobAbort,
    JobStart,
    LoadStep,
    PumpLoss,
    Sag,
    Swell,
)
from aidc.schema.site import Site
from aidc.simulate.transient.arrays import FloatArray, IntArray
from aidc.simulate.transient.fields import Action, Segment, SiteParam

__all__ = ["Course", "Trace", "course_of", "is_island", "seen_source"]

_OF_THE_GRID = (Sag, Swell, Islanding, FrequencyStep, FrequencyRamp, FrequencyTrace)
_EPS_S = 1e-9  # two instants closer than this are one


def is_island(site: Site) -> bool:
    """Whether a site neither imports nor exports, so that its breaker stays open."""
    return site.grid.import_limit_mw <= 0 and site.grid.export_limit_mw <= 0


class Trace(NamedTuple):
    """A recorded grid: seconds, Hz, and source voltage over nominal."""

    time_s: FloatArray
    frequency_hz: FloatArray
    voltage_pu: FloatArray


@dataclass(frozen=True)
class Course:
    """Arrays of `Plan`: segments of the grid, and actions on the load.

    The last column of `segment` belongs to no tick: its phases are those behind an open breaker, all whole.
    """

    segment_tick: IntArray
    segment: FloatArray
    action_tick: IntArray
    action: FloatArray


class _Grid(NamedTuple):
    """The grid at one instant."""

    e_pu: float = 1.0
    fault: Fault = HEALTHY
    jump_rad: float = 0.0
    hz: float = 60.0
    closed: bool = True


def course_of(
    site: Site,
    events: Sequence[Disturbance],
    step_s: float,
    source_pu: float,
    trace_of: Callable[[FrequencyTrace], Trace] | None = None,
) -> Course:
    """Lay the events of a window out in time.

    Parameters
    ----------
    site
        Names the pods, jobs and plants that events speak of.
    events
        In any order; faults, swells and islandings must not overlap each other.
    step_s
        Step of the engine [s].
    source_pu
        Voltage of the source without any event.
    trace_of
        Reads a frequency trace.

    Raises
    ------
    InputError
        Overlapping faults, or names that the site does not know.
    """
    _check(site, events)
    nominal = float(site.grid.frequency_hz)
    # every instant falls on a step, so that a break never lies inside one; nothing lasts less than a step
    voltage = [
        (
            round(start / step_s) * step_s,
            max(round(start / step_s) + 1, round(end / step_s)) * step_s,
            first,
            last,
        )
        for start, end, first, last in sorted(_voltage_pieces(events), key=lambda piece: piece[0])
    ]
    points = _frequency_points(events, nominal, trace_of)
    frequency = _Frequency(nominal, [(round(t / step_s) * step_s, hz, pu) for t, hz, pu in points])
    times = {0.0, *(t for piece in voltage for t in (piece[0], piece[1])), *frequency.time_s.tolist()}
    ticks = sorted({round(t / step_s) for t in times})
    segment = np.zeros((len(Segment), len(ticks) + 1))
    cache: dict[tuple[Fault, str], tuple[float, ...]] = {}
    for column, tick in enumerate(ticks):
        ends = column + 1 == len(ticks)  # the last segment goes on as it begins
        last = tick + 1 if ends else ticks[column + 1]
        here = _at(voltage, frequency, tick * step_s, source_pu)
        there = here if ends else _at(voltage, frequency, last * step_s, source_pu, before=True)
        span = max(last - tick, 1)
        ratios = cache.setdefault((here.fault, site.grid.transformer.winding), _ratios(here.fault, site))
        segment[:, column] = [
            here.e_pu * here.fault.source_frac,
            (there.e_pu - here.e_pu) * here.fault.source_frac / span,
            here.fault.source_frac,
            here.jump_rad,
            here.hz,
            (there.hz - here.hz) / span,
            float(here.closed),
            *ratios,
            *(0.0,) * 4,  # see `seen_source`
        ]
    segment[:, -1] = [0.0] * int(Segment.PN_MIN) + [1.0] * (len(Segment) - int(Segment.PN_MIN))
    actions = sorted(_actions(site, events, step_s))
    return Course(
        np.array(ticks, dtype=np.int64),
        segment,
        np.array([one[0] for one in actions], dtype=np.int64),
        np.array([one[1:] for one in actions], dtype=float).T.reshape(3, len(actions)),
    )


def seen_source(segment: FloatArray, site: FloatArray) -> FloatArray:
    """Fill the rows of what the bus sees of the source.

    That is Thevenin's voltage and impedance behind the no-load loss of the main transformer, a conductance at the
    point of interconnection, with the transformer itself in series. `segment` is [Segment, segment] of a course, `site` [SiteParam].
    """
    seen = segment.copy()
    source = segment[Segment.Z_FRAC] * complex(site[SiteParam.R], site[SiteParam.X])
    divider = 1.0 / (1.0 + source * site[SiteParam.IRON_W])
    behind = source * divider + complex(site[SiteParam.R_T], site[SiteParam.X_T])
    seen[Segment.SEEN_PU], seen[Segment.SEEN_RAD] = np.abs(divider), np.angle(divider)
    seen[Segment.SEEN_R], seen[Segment.SEEN_X] = behind.real, behind.imag
    return seen


def _ratios(fault: Fault, site: Site) -> tuple[float, ...]:
    """Phase extremes over V1 at the point of interconnection, behind one and behind two transformers."""
    bus = through_winding(fault, site.grid.transformer.winding)
    unit = through_winding(bus, "Dy")
    poi, at_bus, at_unit = phases_of(fault), phases_of(bus), phases_of(unit)
    return (*poi, at_bus.pn_min, at_bus.pn_max, at_unit.pn_min, at_unit.pn_max)


def _voltage_pieces(events: Sequence[Disturbance]) -> list[tuple[float, float, _Grid, _Grid]]:
    """Pieces of time in which voltage or connection differ: start, end, grid at both."""
    pieces: list[tuple[float, float, _Grid, _Grid]] = []
    for event in events:
        if isinstance(event, Sag):
            for turn in range(event.repeat):
                start = event.start_s + turn * (event.every_s or 0.0)
                end = start + event.duration_s
                jump = math.radians(event.phase_jump_deg)
                grid = _Grid(fault=fault_of(event.fault, event.residual_pu), jump_rad=jump)
                pieces.append((start, end, grid, grid))
                if event.recovery_s > 0:
                    rising = _Grid(e_pu=max(grid.fault.source_frac, 0.0))
                    pieces.append((end, end + event.recovery_s, rising, _Grid()))
        elif isinstance(event, Swell):
            grid = _Grid(e_pu=event.voltage_pu)
            pieces.append((event.start_s, event.start_s + event.duration_s, grid, grid))
        elif isinstance(event, Islanding):
            end = math.inf if event.duration_s is None else event.start_s + event.duration_s
            grid = _Grid(closed=False)
            pieces.append((event.start_s, end, grid, grid))
    return [(start, min(end, 1e7), a, b) for start, end, a, b in pieces]


def _frequency_points(
    events: Sequence[Disturbance], nominal: float, trace_of: Callable[[FrequencyTrace], Trace] | None
) -> list[tuple[float, float, float]]:
    """Breakpoints of frequency and of the source's own voltage: time, Hz, pu; linear in between."""
    points: list[tuple[float, float, float]] = []
    for event in sorted(events, key=lambda one: one.start_s):
        start, f0 = event.start_s, nominal
        if isinstance(event, FrequencyStep):
            points += [(start, f0, 1.0), (start, f0 + event.change_hz, 1.0)]
            if event.duration_s is not None:
                end = start + event.duration_s
                points += [(end, f0 + event.change_hz, 1.0), (end, f0, 1.0)]
        elif isinstance(event, FrequencyRamp):
            rise = abs(event.change_hz) / event.rocof_hz_per_s
            points += [(start, f0, 1.0), (start + rise, f0 + event.change_hz, 1.0)]
            if event.hold_s is not None:
                held = start + rise + event.hold_s
                points += [(held, f0 + event.change_hz, 1.0), (held + rise, f0, 1.0)]
        elif isinstance(event, FrequencyTrace):
            if trace_of is None:
                raise InputError(Problem("needs a reader of traces", "Use aidc transient.", key="events.use"))
            trace = trace_of(event)
            points += list(zip(trace.time_s + start, trace.frequency_hz, trace.voltage_pu, strict=True))
    return points


class _Frequency:
    """The course of frequency and of the source's own voltage, linear between breakpoints."""

    def __init__(self, nominal_hz: float, points: Sequence[tuple[float, float, float]]) -> None:
        table = np.array(points or [(0.0, nominal_hz, 1.0)], dtype=float)
        self.time_s, self.hz, self.pu = table[:, 0], table[:, 1], table[:, 2]

    def at(self, time_s: float, *, before: bool) -> tuple[float, float]:
        """Hz and pu at an instant; `before` takes the value just before a break."""
        shifted = time_s + (-_EPS_S if before else _EPS_S)
        after = int(np.searchsorted(self.time_s, shifted, side="left" if before else "right"))
        low, high = max(after - 1, 0), min(after, self.time_s.size - 1)
        span = self.time_s[high] - self.time_s[low]
        share = (time_s - self.time_s[low]) / span if span > 0 else 0.0
        return (
            float(self.hz[low] + (self.hz[high] - self.hz[low]) * share),
            float(self.pu[low] + (self.pu[high] - self.pu[low]) * share),
        )


def _at(
    voltage: Sequence[tuple[float, float, _Grid, _Grid]],
    frequency: _Frequency,
    time_s: float,
    source_pu: float,
    *,
    before: bool = False,
) -> _Grid:
    """The grid at an instant; `before` takes the value just before a break."""
    grid = _Grid()
    for start, end, first, last in voltage:
        inside = (
            start + _EPS_S < time_s <= end + _EPS_S if before else start - _EPS_S <= time_s < end - _EPS_S
        )
        if inside:
            share = (time_s - start) / (end - start)
            grid = first._replace(e_pu=first.e_pu + (last.e_pu - first.e_pu) * share)
    hz, own = frequency.at(time_s, before=before)
    return grid._replace(hz=hz, e_pu=grid.e_pu * source_pu * own)


def _actions(  # noqa: C901  one branch an event
    site: Site, events: Sequence[Disturbance], step_s: float
) -> list[tuple[int, float, float, float]]:
    found: list[tuple[int, float, float, float]] = []
    pods, jobs, plants = list(site.pods), list(site.jobs), list(site.cooling)

    def add(time_s: float, kind: Action, target: int, value: float) -> None:
        found.append((round(time_s / step_s), float(kind), float(target), value))

    for event in events:
        if isinstance(event, LoadStep):
            for pod in event.pods or pods:
                add(event.start_s, Action.LOAD_FRAC, pods.index(pod), event.load_frac)
                if event.duration_s is not None:
                    add(event.start_s + event.duration_s, Action.LOAD_FRAC, pods.index(pod), 1.0)
        elif isinstance(event, JobStart):
            job = jobs.index(event.job)
            add(0.0, Action.JOB_RUNS, job, 0.0)
            add(event.start_s, Action.JOB_RUNS, job, 1.0)
        elif isinstance(event, JobAbort):
            add(event.start_s, Action.JOB_RUNS, jobs.index(event.job), 0.0)
            if event.restart_s is not None:
                add(event.start_s + event.restart_s, Action.JOB_RUNS, jobs.index(event.job), 1.0)
        elif isinstance(event, PumpLoss):
            plant = plants.index(event.plant)
            add(event.start_s, Action.PUMPS, plant, 0.0)
            if event.duration_s is not None:
                add(event.start_s + event.duration_s, Action.PUMPS, plant, 1.0)
    return found


def _no_grid(number: int, event: Disturbance) -> Problem:
    return Problem(
        "happens in the grid, and this site has none: it may neither import nor export",
        "Leave the event out, or give grid.import_limit_mw.",
        key=f"events[{number}].use",
        value=event.use,
    )


def _check(site: Site, events: Sequence[Disturbance]) -> None:
    problems: list[Problem] = []
    if is_island(site):
        problems += [
            _no_grid(number, event) for number, event in enumerate(events) if isinstance(event, _OF_THE_GRID)
        ]
    known: Mapping[str, Mapping[str, object]] = {"pods": site.pods, "job": site.jobs, "plant": site.cooling}
    for number, event in enumerate(events):
        for key, names in known.items():
            value = getattr(event, key, ())
            for one in (value,) if isinstance(value, str) else value:
                if one not in names:
                    remedy = f"The site has: {', '.join(names) or 'none'}."
                    problems.append(
                        Problem(
                            f"names no {key.rstrip('s')} of the site",
                            remedy,
                            key=f"events[{number}].{key}",
                            value=one,
                        )
                    )
    pieces = sorted((start, end) for start, end, _, _ in _voltage_pieces(events))
    for (_, end), (start, _) in pairwise(pieces):
        if start < end - _EPS_S:
            problems.append(
                Problem(
                    "overlaps another sag, swell or islanding",
                    "Move one of them; the grid can be in one state at a time.",
                    key="events.start_s",
                    value=start,
                )
            )
    problems += _frequency_problems(events)
    if problems:
        raise InputError(problems)


def _frequency_problems(events: Sequence[Disturbance]) -> list[Problem]:
    """Excursions of frequency follow each other; a recorded course stands alone."""
    spans = sorted(
        (event.start_s, _frequency_end_s(event))
        for event in events
        if isinstance(event, (FrequencyStep, FrequencyRamp, FrequencyTrace))
    )
    return [
        Problem(
            "begins before the last event of frequency is over",
            "Give the first a duration_s or hold_s and move the second behind it; a trace stands alone.",
            key="events.start_s",
            value=start,
        )
        for (_, end), (start, _) in pairwise(spans)
        if start < end - _EPS_S
    ]


def _frequency_end_s(event: FrequencyStep | FrequencyRamp | FrequencyTrace) -> float:
    if isinstance(event, FrequencyStep) and event.duration_s is not None:
        return event.start_s + event.duration_s
    if isinstance(event, FrequencyRamp) and event.hold_s is not None:
        return event.start_s + 2.0 * abs(event.change_hz) / event.rocof_hz_per_s + event.hold_s
    return math.inf
