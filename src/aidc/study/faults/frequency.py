"""Frequency excursions that a rule asks a site to ride through: bands, RoCoF, phase jumps."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Final

from aidc.measure.grid.verdict import Verdict, not_assessable, worst
from aidc.record.waveform import Mark
from aidc.schema.code import Clause, FrequencyRideThrough, VoltageRideThrough
from aidc.schema.disturbance import Disturbance, FrequencyRamp, Sag
from aidc.schema.site import Site
from aidc.simulate.transient.start import OperatingPoint
from aidc.simulate.transient.window import open_window
from aidc.study.faults.battery import one_cycle
from aidc.study.faults.verdicts import both_ways, judge_connected
from aidc.study.windows.solved import why_unsolved
from aidc.study.windows.verdicts import NamedWindow

__all__ = ["frequency_events", "run_frequency"]

_BEFORE_S: Final = 2.0
_AFTER_S: Final = 2.0
_GAP_S: Final = 10.0  # between two excursions that add up
_INSIDE_HZ: Final = 0.02  # by which an excursion stays short of the next band
_SLOW_HZ_PER_S: Final = 0.5  # how fast a band is entered where the rule names no RoCoF
_WIDEST_HZ: Final = 3.0  # of a fast ramp, where no band is stated
_JUST_UNDER: Final = 0.98  # of a limit that itself must be withstood


def frequency_events(clause: FrequencyRideThrough, nominal_hz: float) -> list[tuple[str, list[Disturbance]]]:
    """Every excursion that the clause asks for, with its name; where excursions add up, in two halves too."""
    found: list[tuple[str, list[Disturbance]]] = []
    rate = min(clause.rocof_hz_per_s or _SLOW_HZ_PER_S, _SLOW_HZ_PER_S)
    for side, levels, times in (
        ("low", clause.below_hz, clause.below_s),
        ("high", clause.above_hz, clause.above_s),
    ):
        points = sorted(zip(levels, times, strict=True), reverse=side == "low")
        for k, (level, time_s) in enumerate(points):
            if time_s <= 0:
                continue
            far = _far(level, points[k + 1] if k + 1 < len(points) else None, side)
            ramp_s = 2.0 * abs(far - level) / rate  # time beyond the level while entering and leaving
            held_s = max(time_s - ramp_s - 0.1, 0.1)
            change_hz = far - nominal_hz
            event = _excursion(_BEFORE_S, change_hz, rate, held_s)
            found.append((f"{far:.2f} Hz for {held_s:.4g} s", [event]))
            half_s = 0.5 * (time_s - 2.0 * ramp_s - 0.1)
            if clause.accumulate == "window" and half_s > 0 and time_s + _GAP_S < clause.window_s:
                first = _excursion(_BEFORE_S, change_hz, rate, half_s)
                again = _excursion(_end_s(first) + _GAP_S, change_hz, rate, half_s)
                found.append((f"{far:.2f} Hz for 2 x {half_s:.4g} s, {_GAP_S:g} s apart", [first, again]))
    if clause.rocof_hz_per_s is not None:
        found += _fast_ramps(clause, nominal_hz)
    if clause.phase_jump_deg is not None:
        jump = _JUST_UNDER * clause.phase_jump_deg
        for sign in (1, -1):
            event = Sag(
                use="sag", start_s=_BEFORE_S, residual_pu=1.0, duration_s=2.0, phase_jump_deg=sign * jump
            )
            found.append((f"phase jump of {sign * jump:.3g} degrees", [event]))
    return found


def _excursion(start_s: float, change_hz: float, rate: float, held_s: float) -> FrequencyRamp:
    return FrequencyRamp(
        use="frequency-ramp", start_s=start_s, change_hz=change_hz, rocof_hz_per_s=rate, hold_s=held_s
    )


def _far(level: float, beyond: tuple[float, float] | None, side: str) -> float:
    """The frequency tried within a band: just short of the next one, or a little beyond the last."""
    sign = -1.0 if side == "low" else 1.0
    if beyond is None:
        return level + sign * _INSIDE_HZ
    return beyond[0] - sign * _INSIDE_HZ


def _fast_ramps(clause: FrequencyRideThrough, nominal_hz: float) -> list[tuple[str, list[Disturbance]]]:
    """Ramps at just under the RoCoF limit, for its whole measuring window, both ways.

    They end inside the outermost bands: beyond them a site is free to leave.
    """
    rate = _JUST_UNDER * (clause.rocof_hz_per_s or 0.0)
    edges = [
        abs(hz - nominal_hz)
        for levels, times in ((clause.below_hz, clause.below_s), (clause.above_hz, clause.above_s))
        for hz, time_s in zip(levels, times, strict=True)
        if time_s <= 2.0 * abs(hz - nominal_hz) / rate + 1.0  # it would be outlasted before the ramp is back
    ]
    room = min(edges, default=_WIDEST_HZ) - _INSIDE_HZ
    change = min(rate * clause.rocof_window_s * 1.2, room)
    if change <= 0:
        return []
    return [
        (f"ramp of {sign * rate:.3g} Hz/s", [_excursion(_BEFORE_S, sign * change, rate, 0.2)])
        for sign in (1, -1)
    ]


def run_frequency(
    site: Site,
    point: OperatingPoint,
    clause: FrequencyRideThrough,
    step_s: Fraction,
    clauses: Sequence[Clause] = (),
) -> tuple[Verdict, list[NamedWindow], int]:
    """Try every excursion; the worst verdict, its window, and the steps taken.

    `clauses` is the rule set that `clause` belongs to: leaving is held against all of it.

    `step_s` is the step of the windows [s].
    """
    whole = [clause, *(one for one in clauses if one is not clause)]
    voltage = any(isinstance(one, VoltageRideThrough) for one in whole)
    verdicts: list[Verdict] = []
    windows: list[NamedWindow] = []
    steps = 0
    for name, events in frequency_events(clause, float(site.grid.frequency_hz)):
        end_s = _end_s(events[-1])
        window = open_window(site, point, events, duration_s=end_s + _AFTER_S, step_s=step_s)
        waveform = window.advance()
        steps += window.steps
        told = judge_connected(whole, one_cycle(waveform) if voltage else waveform, name)[0]
        unsolved = why_unsolved(window)
        verdicts.append(
            not_assessable(clause, unsolved, name)
            if unsolved
            else both_ways(clause, told.stated, told.by_sequence)
        )
        if worst(verdicts).case == name:
            marks = tuple(Mark(one.use, one.start_s, _end_s(one), name) for one in events)
            windows = [NamedWindow(f"frequency-{clause.clause}", f"Frequency: {name}", waveform, marks)]
    return worst(verdicts), _small(windows), steps


def _end_s(event: Disturbance) -> float:
    if isinstance(event, FrequencyRamp):
        return event.start_s + 2.0 * abs(event.change_hz) / event.rocof_hz_per_s + (event.hold_s or 0.0)
    return event.start_s + getattr(event, "duration_s", 0.0)


def _small(windows: Sequence[NamedWindow]) -> list[NamedWindow]:
    """Windows of minutes are kept at 20 ms."""
    from dataclasses import replace

    from aidc.record.waveform import Waveform

    kept: list[NamedWindow] = []
    for window in windows:
        w = window.waveform
        many = max(1, len(w) // 20_000)
        channels = {name: values[::many].copy() for name, values in w.channels.items()}
        small = Waveform(w.step_s * many, channels, w.location, w.frequency_hz, w.first_tick // many)
        kept.append(replace(window, waveform=small))
    return kept
