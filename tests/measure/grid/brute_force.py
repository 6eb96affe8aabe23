"""A second judge, written apart from the first: plain loops over samples, no numpy, no kernels.

It shares with the evaluators only what the rules say: straight lines between samples, d_k <= t_k, connected
while the duty lasts, one-cycle means. Slow on purpose.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from aidc.record.waveform import Waveform
from aidc.schema.code import FrequencyRideThrough, Recovery, VoltageRideThrough

Piece = tuple[float, float]
TINY_S = 1e-9


def pieces_beyond(
    values: Sequence[float],
    step_s: float,
    threshold: float,
    above: bool,
    inclusive: bool,
    first_s: float = 0.0,
) -> list[Piece]:
    """Stretches of time beyond a threshold: parts of steps, joined where one begins as the other ends."""

    def beyond(value: float) -> bool:
        if value == threshold:
            return inclusive
        return value > threshold if above else value < threshold

    found: list[Piece] = []
    for i in range(len(values) - 1):
        a, b = float(values[i]), float(values[i + 1])
        begin, stop = 0.0, 1.0
        if not beyond(a) and not beyond(b):
            continue
        if beyond(a) != beyond(b):
            crossing = (threshold - a) / (b - a)
            begin, stop = (0.0, crossing) if beyond(a) else (crossing, 1.0)
        begin, stop = first_s + (i + begin) * step_s, first_s + (i + stop) * step_s
        if found and beyond(a):
            found[-1] = (found[-1][0], stop)
        else:
            found.append((begin, stop))
    return found


def count_at(pieces: Sequence[Piece], at_s: float, window_s: float | None) -> float:
    """d(t): within the stretch that holds t, or within the window that ends at t."""
    if window_s is None:
        return max((at_s - begin for begin, stop in pieces if begin <= at_s <= stop), default=0.0)
    return sum(max(min(stop, at_s) - max(begin, at_s - window_s), 0.0) for begin, stop in pieces)


def greatest_count(pieces: Sequence[Piece], window_s: float | None, until_s: float = math.inf) -> float:
    """d_k up to an instant: the count can only peak where a stretch stops, or at that instant."""
    last = max((stop for _, stop in pieces), default=0.0)
    instants = [stop for _, stop in pieces if stop <= until_s] + [min(until_s, last)]
    return max((count_at(pieces, instant, window_s) for instant in instants), default=0.0)


def first_left_s(w: Waveform) -> float:
    connected = [float(value) for value in w["connected_frac"]]
    for i, value in enumerate(connected):
        if value < connected[0] - 1e-9:
            return (w.first_tick + i) * float(w.step_s)
    return math.inf


Curve = tuple[list[Piece], float, float | None]
"""Pieces beyond one threshold, the time that must be withstood there, the window that it counts in."""


def threshold_curves(clause: VoltageRideThrough | FrequencyRideThrough, w: Waveform) -> list[Curve]:
    """Every threshold of a clause; rates and jumps are tested by their closed forms."""
    if isinstance(clause, VoltageRideThrough):
        low = f"{clause.quantity}_pu"
        high = {"v1": "v1_pu", "v_pn_min": "v_pn_max_pu", "v_pp_min": "v_pp_max_pu"}[clause.quantity]
        sides = [
            (low, False, clause.below_pu, clause.below_s),
            (high, True, clause.above_pu, clause.above_s),
        ]
    else:
        sides = [
            ("frequency_hz", False, clause.below_hz, clause.below_s),
            ("frequency_hz", True, clause.above_hz, clause.above_s),
        ]
    window_s = clause.window_s if clause.accumulate == "window" else None
    found: list[Curve] = []
    for channel, above, levels, times in sides:
        for level, limit_s in zip(levels, times, strict=True):
            pieces = pieces_beyond(
                [float(value) for value in w[channel]],
                float(w.step_s),
                level,
                above,
                clause.inclusive,
                w.first_tick * float(w.step_s),
            )
            found.append((pieces, limit_s, window_s))
    return found


def free_at(curves: Sequence[Curve], at_s: float) -> bool:
    """Whether a duty was past at an instant and nothing had renewed it since.

    Walks back from the instant over pieces that hold it or each other: to where voltage and frequency were last in
    the continuous band. Since then some count must have exceeded its time, within a piece.
    """
    holding = [piece for pieces, _, _ in curves for piece in pieces if piece[0] <= at_s <= piece[1]]
    if not holding:
        return False
    since = min(begin for begin, _ in holding)
    while True:
        earlier = [
            begin for pieces, _, _ in curves for begin, stop in pieces if begin < since <= stop + TINY_S
        ]
        if not earlier:
            break
        since = min(earlier)
    for pieces, limit_s, window_s in curves:
        for begin, stop in pieces:
            if begin <= at_s and stop >= since:
                instant = min(stop, at_s)
                if instant >= since and count_at(pieces, instant, window_s) > limit_s + TINY_S:
                    return True
    return False


def fallen(w: Waveform) -> list[tuple[float, float]]:
    """Every step in which the share of the load that is connected falls: its two ends."""
    connected = [float(value) for value in w["connected_frac"]]
    step_s = float(w.step_s)
    return [
        ((w.first_tick + i - 1) * step_s, (w.first_tick + i) * step_s)
        for i in range(1, len(connected))
        if connected[i] < connected[i - 1] - 1e-6
    ]


def lawful(curves: Sequence[Curve], before_s: float, at_s: float) -> bool:
    """Free at some instant of the step: at its end, or where a piece ends within it."""
    ends = [stop for pieces, _, _ in curves for _, stop in pieces if before_s < stop < at_s]
    return any(free_at(curves, instant) for instant in [at_s - 1e-12, *ends])


def unlawful_s(curves: Sequence[Curve], w: Waveform) -> float:
    return next((at_s for before_s, at_s in fallen(w) if not lawful(curves, before_s, at_s)), math.inf)


def set_results(clauses: Sequence[VoltageRideThrough | FrequencyRideThrough], w: Waveform) -> list[str]:
    """pass, fail or not_applicable of each clause; leaving is held against all of them together."""
    if float(w["connected_frac"][0]) <= 1e-9:
        return ["not_applicable"] * len(clauses)
    by_clause = [threshold_curves(clause, w) for clause in clauses]
    together = [curve for curves in by_clause for curve in curves]
    if unlawful_s(together, w) < math.inf:
        return ["fail"] * len(clauses)
    gone = fallen(w)
    left_s = gone[0][1] if gone else math.inf
    return [
        "pass"
        if any(greatest_count(pieces, window_s, left_s) > 0 for pieces, _, window_s in curves)
        else "not_applicable"
        for curves in by_clause
    ]


def voltage_result(clause: VoltageRideThrough, w: Waveform) -> str:
    return set_results([clause], w)[0]


def frequency_result(clause: FrequencyRideThrough, w: Waveform) -> str:
    """Bands only: rates and jumps are tested by their closed forms."""
    return set_results([clause], w)[0]


def one_cycle(values: Sequence[float], step_s: float, frequency_hz: float) -> list[float]:
    """Mean over the last cycle, by adding up trapezoids of a fine subdivision of the straight lines."""
    cycle = 1.0 / frequency_hz

    def at(time_s: float) -> float:
        place = max(time_s / step_s, 0.0)
        k = min(int(place), len(values) - 2)
        return values[k] + (place - k) * (values[k + 1] - values[k])

    means = []
    for i in range(len(values)):
        end = i * step_s
        corners = [end - cycle]
        k = math.floor((end - cycle) / step_s) + 1
        while k * step_s < end - 1e-12:
            if k * step_s > corners[-1] + 1e-12:
                corners.append(k * step_s)
            k += 1
        corners.append(end)
        area = sum((b - a) * (at(a) + at(b)) / 2 for a, b in pairwise(corners))
        means.append(area / cycle)
    return means


def recovery_result(clause: Recovery, fault: Waveform, calm: Waveform) -> str:
    step_s = float(fault.step_s)
    volts = [float(value) for value in fault[f"{clause.quantity}_pu"]]
    start_s = fault.first_tick * step_s
    pieces = pieces_beyond(volts, step_s, clause.from_pu, above=False, inclusive=False, first_s=start_s)
    if not pieces:
        return "not_applicable"
    last_s = start_s + (len(volts) - 1) * step_s
    t0_s = pieces[-1][1]
    if last_s - t0_s <= TINY_S or last_s - t0_s + step_s < clause.hold_s - TINY_S:
        return "not_assessable"
    power = one_cycle([float(value) for value in fault["p_w"]], step_s, fault.frequency_hz)
    normal = one_cycle([float(value) for value in calm["p_w"]], step_s, fault.frequency_hz)
    first = math.ceil((t0_s - start_s) / step_s - 1e-9)
    room = []
    slack = 1e-9 * max(normal[first:])
    for i in range(first, len(power)):
        spare = power[i] - clause.least_frac * normal[i] + slack
        if clause.most_frac is not None:
            spare = min(spare, clause.most_frac * normal[i] - power[i] + slack)
        room.append(spare)
    back_s = start_s + first * step_s
    for i, spare in enumerate(room):
        if spare < 0:
            if i == len(room) - 1:
                return "fail" if last_s - t0_s >= clause.within_s else "not_assessable"
            if room[i + 1] >= 0:
                back_s = start_s + (first + i + spare / (spare - room[i + 1])) * step_s
    return "pass" if max(back_s - t0_s, 0.0) <= clause.within_s else "fail"


def served_result(w: Waveform, least_frac: float = 0.999) -> str:
    greatest = max(float(value) for value in w["it_demand_w"])
    if greatest <= 0:
        return "not_applicable"
    for asked, got in zip(w["it_demand_w"], w["it_served_w"], strict=True):
        if asked > 1e-6 * greatest and got < least_frac * asked:
            return "fail"
    return "pass"
