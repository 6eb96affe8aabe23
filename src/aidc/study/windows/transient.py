"""`transient`: one window of a site in milliseconds, with what happened in it."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from aidc.clock import as_fraction
from aidc.errors import InputError, Problem
from aidc.plant.freeze import frozen
from aidc.record.waveform import Mark, Waveform
from aidc.scenario.disturbances import read_events
from aidc.scenario.frequency_trace import load_trace
from aidc.schema.disturbance import (
    Disturbance,
    FrequencyRamp,
    FrequencyTrace,
    JobAbort,
    JobStart,
    Sag,
)
from aidc.schema.site import Site
from aidc.simulate.transient.course import Trace
from aidc.simulate.transient.start import operating_point
from aidc.simulate.transient.window import Window, open_window, short_circuit_levels
from aidc.site import load
from aidc.study.windows.bounds import asked_moment, asked_seed, asked_window
from aidc.study.windows.solved import why_unsolved
from aidc.study.windows.verdicts import NamedWindow, TransientResult
from aidc.units import J_PER_MWH, MEGA

__all__ = ["transient"]

_DEFAULT_S = 30.0
_LOOKS = 5000
_MOST_STEPS = 2_000_000  # kept at full resolution; longer windows are thinned for the record


def transient(
    site: Site | Path | str,
    *,
    events: Sequence[Disturbance] | Path | str = (),
    duration_s: float | None = None,
    step_s: float | Fraction | None = None,
    at: datetime | None = None,
    seed: int | None = None,
    level: str = "normal",
    settings: Sequence[str] = (),
) -> TransientResult:
    """Step a site through a window and record it at the point of interconnection.

    Parameters
    ----------
    site
        A loaded site, or the path of a site file.
    events
        What happens: shapes of `aidc.schema.disturbance`, or the path of an event file.
    duration_s, step_s
        Window and step [s]; default: those of the event file, else 30 s and 1 ms.
    at, seed
        Start of the window (default: the peak hour) and seed of the ripple (default: the scenario's).
    level
        Short-circuit level: normal, max, min or n-1, as far as the site states them.
    settings
        `key.path=value` overrides, where `site` is a path.

    Raises
    ------
    InputError, SimulationError
    """
    site = frozen(site if isinstance(site, Site) else load(site, settings))
    asked = _asked(site, events, duration_s, step_s)
    seed = asked_seed(seed)
    levels = short_circuit_levels(site)
    if level not in levels:
        raise InputError(
            Problem(
                "the site states no such short-circuit level",
                f"It has: {', '.join(levels)}.",
                key="--level",
                value=level,
            )
        )
    point = operating_point(site, asked_moment(at), asked.length_s)
    with _named(asked.path):
        window = open_window(
            site,
            point,
            asked.events,
            duration_s=asked.length_s,
            step_s=asked.step_s,
            seed=seed,
            short_circuit_va=levels[level],
            trace_of=lambda event: _trace(event, asked.base, float(site.grid.frequency_hz)),
        )
    waveform, moves = _stepped(window)
    marks = tuple(mark for event in asked.events for mark in _marks(event, asked.length_s))
    shown = replace(waveform, marks=marks)
    return TransientResult(
        site.site.name,
        asked.title,
        NamedWindow("transient", asked.title, shown, marks),
        _facts(window, shown, levels[level]),
        tuple(moves),
    )


@dataclass(frozen=True, slots=True)
class _Asked:
    """The window that was asked for; `base` is what files of events are relative to."""

    events: Sequence[Disturbance]
    length_s: float
    step_s: Fraction
    title: str
    base: Path
    path: Path | None


def _asked(
    site: Site,
    events: Sequence[Disturbance] | Path | str,
    duration_s: float | None,
    step_s: float | Fraction | None,
) -> _Asked:
    """Events and window; what the caller states goes before what an event file states."""
    base, title, path = site.folder, "", None
    if isinstance(events, (str, Path)):
        path = Path(events)
        found = read_events(path)
        base, title = path.resolve().parent, found.title or path.stem
        duration_s = found.duration_s if duration_s is None else duration_s
        if step_s is None and found.step_ms is not None:
            step_s = as_fraction(found.step_ms) / 1000
        events = found.events
    length_s = _default_s(events) if duration_s is None else duration_s
    step = asked_window(length_s, Fraction(1, 1000) if step_s is None else step_s)
    title = title or ", ".join(event.use for event in events) or "no event"
    return _Asked(events, length_s, step, title, base, path)


@contextmanager
def _named(path: Path | None) -> Generator[None]:
    """Problems with an event of a file say which file."""
    try:
        yield
    except InputError as error:
        raise InputError(
            [
                replace(one, file=path) if one.file is None and str(one.key).startswith("events") else one
                for one in error.problems
            ]
        ) from error


def _default_s(events: Sequence[Disturbance]) -> float:
    ends = [mark.end_s for event in events for mark in _marks(event, np.inf)]
    return max(
        _DEFAULT_S,
        *(end + 15.0 for end in ends if np.isfinite(end)),
        *(e.start_s + 15.0 for e in events),
        0.0,
    )


def _trace(event: FrequencyTrace, base: Path, nominal_hz: float) -> Trace:
    series = load_trace(event, base, nominal_hz)
    voltage = np.ones_like(series.time_s) if series.voltage_pu is None else series.voltage_pu
    return Trace(series.time_s - event.start_s, series.frequency_hz, voltage)


def _marks(event: Disturbance, length_s: float) -> list[Mark]:
    """Where an event is drawn."""
    label = event.name or event.use
    if isinstance(event, Sag):
        starts = [event.start_s + turn * (event.every_s or 0.0) for turn in range(event.repeat)]
        return [Mark("sag", start, start + event.duration_s + event.recovery_s, label) for start in starts]
    if isinstance(event, FrequencyRamp):
        turn_s = abs(event.change_hz) / event.rocof_hz_per_s
        end = length_s if event.hold_s is None else event.start_s + 2 * turn_s + event.hold_s
        return [Mark(event.use, event.start_s, end, label)]
    if isinstance(event, (JobStart, JobAbort)):
        return [Mark(event.use, event.start_s, min(event.start_s + 5.0, length_s), label)]
    duration_s = getattr(event, "duration_s", None)
    return [
        Mark(event.use, event.start_s, length_s if duration_s is None else event.start_s + duration_s, label)
    ]


def _stepped(window: Window) -> tuple[Waveform, list[Mapping[str, Any]]]:
    """The whole window, thinned to what is worth keeping, and the moves of its lineups and gensets."""
    many = max(1, -(-window.steps // _MOST_STEPS))
    # lineups are looked at once a cycle, or five thousand times in a long window
    look_s = max(1.0 / window.nominal_hz, window.steps * float(window.step_s) / _LOOKS)
    block = many * max(1, round(look_s / float(window.step_s)) // many)
    kept: list[Waveform] = []
    moves: list[Mapping[str, Any]] = []
    before = window.modes() | window.gensets()
    while not window.done:
        made = window.advance(block)
        kept.append(made if many == 1 else made.thinned(many))
        after = window.modes() | window.gensets()
        moves += _moves(window.tick * float(window.step_s), before, after)
        before = after
    return Waveform.joined(kept), moves


def _moves(time_s: float, before: Mapping[str, str], after: Mapping[str, str]) -> list[Mapping[str, Any]]:
    """Lineups that changed where their power comes from, and gensets, those that did the same together."""
    together: dict[tuple[str, str], list[str]] = {}
    for pod, mode in after.items():
        if mode != before[pod]:
            together.setdefault((before[pod], mode), []).append(pod)
    return [
        {"start_s": round(time_s, 6), "name": ", ".join(pods), "from": here, "to": there}
        for (here, there), pods in together.items()
    ]


def _facts(window: Window, shown: Waveform, level_va: float) -> dict[str, Any]:
    books = window.books()
    return {
        "start": window.start.isoformat(),
        "duration_s": window.steps * float(window.step_s),
        "step_ms": 1e3 * float(window.step_s),
        "short_circuit_mva": level_va / MEGA if level_va > 0 else None,
        "voltage_min_pu": float(shown["v1_pu"].min()),
        "voltage_max_pu": float(shown["v1_pu"].max()),
        "frequency_min_hz": float(shown["frequency_hz"].min()),
        "frequency_max_hz": float(shown["frequency_hz"].max()),
        "power_min_mw": float(shown["p_w"].min()) / MEGA,
        "power_max_mw": float(shown["p_w"].max()) / MEGA,
        "connected_min_frac": float(shown["connected_frac"].min()),
        "it_not_served_mwh": float(
            (shown["it_demand_w"] - shown["it_served_w"]).clip(0).sum() * float(shown.step_s)
        )
        / J_PER_MWH,
        "voltage_collapse_s": window.collapsed_s,
        "network_unsolved_s": window.unsolved_s,
        "network_unsolved": why_unsolved(window) or None,
        "kirchhoff_residual_pu": window.kirchhoff_pu,
        "modes_at_end": window.modes(),
        "gensets_at_end": window.gensets(),
        "energy_residual_frac": books.residual_frac,
        "energy_mwh": {name: value / J_PER_MWH for name, value in books.energy_j.items()},
    }
