"""Counts a whole rule set again on a waveform, written apart from the product's evaluators.

It shares with them what the rules say and the docs promise: straight lines between samples, one-cycle means, leaving
allowed from the instant at which any duty of the set is past until voltage and frequency have been back in the
continuous band for `renew_s`. Voltages, sums and verdicts come from the raw waveform.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from brute_force import TINY_S, Piece, count_at, fallen, greatest_count, pieces_beyond
from scipy.optimize import brentq

from aidc.record.waveform import Waveform
from aidc.schema.code import Clause, FrequencyRideThrough, LoadLoss, Recovery, VoltageRideThrough

__all__ = ["Told", "loss_told", "recount", "with_cycle_means"]

RideThrough = VoltageRideThrough | FrequencyRideThrough
_VOLTAGES = ("v1_pu", "v_pn_min_pu", "v_pn_max_pu", "v_pp_min_pu", "v_pp_max_pu")
_SHARE = 1e-6  # of the load: what counts as connected or not


@dataclass(frozen=True)
class Told:
    """Result of a clause, and how many seconds would have changed it; `open_` says that a step cannot tell."""

    result: str
    slack_s: float = math.inf
    open_: bool = False


@dataclass(frozen=True)
class Asked:
    """One threshold of a clause: where it is exceeded, and from when its duty is past within each piece."""

    pieces: tuple[Piece, ...]
    limit_s: float
    window_s: float | None
    renew_s: float
    size: tuple[float, ...] = ()
    limit: float = 0.0

    def past(self) -> list[Piece]:
        if self.size:
            return list(self.pieces)
        found = []
        for begin, stop in self.pieces:
            if count_at(self.pieces, stop, self.window_s) > self.limit_s + TINY_S:
                found.append((self._since(begin, stop), stop))
        return found

    def _since(self, begin: float, stop: float) -> float:
        """From when the count exceeds its time: it only rises within a piece, so halving finds it."""
        if count_at(self.pieces, begin, self.window_s) > self.limit_s:
            return begin
        low, high = begin, stop
        for _ in range(60):
            middle = 0.5 * (low + high)
            low, high = (
                (low, middle)
                if count_at(self.pieces, middle, self.window_s) > self.limit_s
                else (middle, high)
            )
        return high

    def tried(self, until_s: float, first_s: float, step_s: float) -> bool:
        if self.size:
            last = len(self.size) if until_s == math.inf else max(round((until_s - first_s) / step_s), 0) + 1
            return max(self.size[:last], default=0.0) > 0.05 * self.limit
        return greatest_count(self.pieces, self.window_s, until_s) > 0.0


def with_cycle_means(w: Waveform) -> Waveform:
    """The same with voltages as RMS over the cycle that ends at each sample."""
    known: dict[int, np.ndarray] = {}
    for name in _VOLTAGES:
        values = w[name]
        if id(values) not in known:
            means = cycle_means(values**2, float(w.step_s), w.frequency_hz)
            known[id(values)] = np.sqrt(np.maximum(means, 0.0))
    return replace(w, channels={**w.channels, **{name: known[id(w[name])] for name in _VOLTAGES}})


def cycle_means(values: np.ndarray, step_s: float, hertz: float) -> np.ndarray:
    """Mean over the last cycle of the straight lines between samples, the first value standing before them.

    The area under a straight line from one sample on is a parabola; areas are added up from the beginning.
    """
    before = math.ceil(1.0 / hertz / step_s) + 1
    padded = np.concatenate([np.full(before, values[0]), values])
    area = np.concatenate([[0.0], np.cumsum(0.5 * (padded[1:] + padded[:-1]))])
    place = np.arange(before, padded.size) - 1.0 / hertz / step_s
    k = np.floor(place).astype(int)
    rest = place - k
    reached = area[k] + rest * padded[k] + 0.5 * rest**2 * (padded[k + 1] - padded[k])
    return (area[before:] - reached) * step_s * hertz


def _asked_by(clause: RideThrough, w: Waveform) -> list[Asked]:
    window_s = clause.window_s if clause.accumulate == "window" else None
    if isinstance(clause, VoltageRideThrough):
        high = {"v1": "v1_pu", "v_pn_min": "v_pn_max_pu", "v_pp_min": "v_pp_max_pu"}[clause.quantity]
        sides = [
            (f"{clause.quantity}_pu", False, clause.below_pu, clause.below_s),
            (high, True, clause.above_pu, clause.above_s),
        ]
    else:
        sides = [
            ("frequency_hz", False, clause.below_hz, clause.below_s),
            ("frequency_hz", True, clause.above_hz, clause.above_s),
        ]
    step_s, first_s = float(w.step_s), w.first_tick * float(w.step_s)
    found = []
    for channel, above, levels, times in sides:
        values = w[channel].tolist()
        for level, limit_s in zip(levels, times, strict=True):
            pieces = pieces_beyond(values, step_s, level, above, clause.inclusive, first_s)
            found.append(Asked(tuple(pieces), limit_s, window_s, clause.renew_s))
    return found + (_sizes(clause, w) if isinstance(clause, FrequencyRideThrough) else [])


def _sizes(clause: FrequencyRideThrough, w: Waveform) -> list[Asked]:
    """Rate of change and phase jump: past while they exceed their limit."""
    step_s, hertz = float(w.step_s), w["frequency_hz"].tolist()
    found = []
    if clause.rocof_hz_per_s is not None:
        n = max(round(clause.rocof_window_s / step_s), 1)
        rates = [0.0] * n + [abs(hertz[k] - hertz[k - n]) / (n * step_s) for k in range(n, len(hertz))]
        found.append(_sized(rates, clause.rocof_hz_per_s, w, clause.renew_s))
    if clause.phase_jump_deg is not None:
        angle, c = w["angle_rad"].tolist(), max(round(1.0 / (w.frequency_hz * step_s)), 1)
        jumps = [0.0] * len(angle)
        for k in range(2 * c, len(angle) - c):
            turns = [
                math.remainder(angle[j] - angle[j - c], 2 * math.pi) for j in (k - c, k, k + c)
            ]  # of the cycle before, of this one and of the one after
            jumps[k] = abs(math.degrees(turns[1] - 0.5 * (turns[0] + turns[2])))
        found.append(_sized(jumps, clause.phase_jump_deg, w, clause.renew_s))
    return found


def _sized(size: list[float], limit: float, w: Waveform, renew_s: float) -> Asked:
    step_s, first_s = float(w.step_s), w.first_tick * float(w.step_s)
    pieces: list[Piece] = []
    for k, one in enumerate(size):
        if one > limit * (1 + 1e-9):
            begin, stop = first_s + k * step_s, first_s + min(k + 1, len(size) - 1) * step_s
            joins = bool(pieces) and begin <= pieces[-1][1] + TINY_S
            pieces = [*pieces[:-1], (pieces[-1][0], stop)] if joins else [*pieces, (begin, stop)]
    return Asked(tuple(pieces), 0.0, None, renew_s, tuple(size), limit)


def _free(everything: Sequence[Asked]) -> list[Piece]:
    """When the site may leave: from each past duty on, over whatever follows within `renew_s` of the continuous band."""
    outside: list[Piece] = []
    for begin, stop in sorted(piece for asked in everything for piece in asked.pieces):
        if outside and begin <= outside[-1][1] + TINY_S:
            outside[-1] = (outside[-1][0], max(outside[-1][1], stop))
        else:
            outside.append((begin, stop))
    found = []
    for asked in everything:
        for since, stop in asked.past():
            until = stop
            for begin, end in outside:
                if begin <= until + max(asked.renew_s, TINY_S) and end > until:
                    until = end
            found.append((since, until + asked.renew_s))
    return found


def _is_free(free: Sequence[Piece], since_s: float, until_s: float) -> bool:
    return any(begin < until_s and stop > since_s for begin, stop in free)


def recount(clauses: Sequence[Clause], shown: Waveform, calm: Waveform) -> dict[int, Told]:
    """Ride-through and recovery of a set by its place; `shown` and `calm` have voltages over a cycle."""
    asked = {
        index: _asked_by(clause, shown)
        for index, clause in enumerate(clauses)
        if isinstance(clause, RideThrough)
    }
    free = _free([one for several in asked.values() for one in several])
    gone = fallen(shown)
    unlawful = [at for before, at in gone if not _is_free(free, before, at)]
    found = {index: _connected(several, shown, gone, unlawful, free) for index, several in asked.items()}
    for index, clause in enumerate(clauses):
        if isinstance(clause, Recovery):
            found[index] = _recovered(clause, shown, calm, free, unlawful)
    return found


def _connected(
    several: Sequence[Asked],
    w: Waveform,
    gone: Sequence[tuple[float, float]],
    unlawful: Sequence[float],
    free: Sequence[Piece],
) -> Told:
    step_s, first_s = float(w.step_s), w.first_tick * float(w.step_s)
    if float(w["connected_frac"][0]) <= _SHARE:
        return Told("not_applicable")
    edges = [edge for piece in free for edge in piece]
    slack_s = min((abs(edge - at) for edge in edges for _, at in gone), default=math.inf)
    if unlawful:
        inside = [
            one
            for one in several
            if not one.size and any(begin <= unlawful[0] <= stop for begin, stop in one.pieces)
        ]
        return Told("fail", slack_s, any(one.limit_s < 2 * step_s for one in inside))
    left_s = gone[0][1] if gone else math.inf
    tried = any(one.tried(left_s, first_s, step_s) for one in several)
    return Told("pass" if tried else "not_applicable", slack_s)


def _recovered(
    clause: Recovery, shown: Waveform, calm: Waveform, free: Sequence[Piece], unlawful: Sequence[float]
) -> Told:
    step_s, first_s = float(shown.step_s), shown.first_tick * float(shown.step_s)
    volts = shown[f"{clause.quantity}_pu"].tolist()
    below = pieces_beyond(volts, step_s, clause.from_pu, above=False, inclusive=False, first_s=first_s)
    if not below:
        return Told("not_applicable")
    told = _back(clause, shown, calm, below[-1][1])
    if told.result == "not_applicable" or not free or (unlawful and unlawful[0] <= below[-1][1]):
        return told
    if _is_free(free, *below[-1]):
        return Told("not_applicable", told.slack_s)
    connected = shown["connected_frac"]
    before = float(connected[max(int((below[-1][0] - first_s) / step_s), 0)])
    if before < float(connected[0]) - _SHARE and _is_free(free, -math.inf, below[-1][0]):
        return Told("not_applicable", told.slack_s)
    return told


def _back(clause: Recovery, shown: Waveform, calm: Waveform, t0_s: float) -> Told:
    """From when power stays where it should be, between samples."""
    step_s, first_s = float(shown.step_s), shown.first_tick * float(shown.step_s)
    last_s = first_s + (len(shown) - 1) * step_s
    if last_s - t0_s <= TINY_S or last_s - t0_s + step_s < clause.hold_s - TINY_S:
        return Told("not_assessable", abs(last_s - t0_s - clause.hold_s))
    power = cycle_means(shown["p_w"], step_s, shown.frequency_hz).tolist()
    normal = cycle_means(calm["p_w"], step_s, calm.frequency_hz).tolist()
    first = math.ceil((t0_s - first_s) / step_s - 1e-9)
    if max(normal[first:]) <= 1.0:
        return Told("not_applicable")
    slack = 1e-9 * max(normal[first:])
    back_s, room = first_s + first * step_s, None
    for k in range(first, len(power)):
        spare = power[k] - clause.least_frac * normal[k] + slack
        if clause.most_frac is not None:
            spare = min(spare, clause.most_frac * normal[k] - power[k] + slack)
        if spare >= 0.0 and room is not None and room < 0.0:
            back_s = first_s + (k - 1 + room / (room - spare)) * step_s
        room = spare
    if room is not None and room < 0.0:
        return Told("fail" if last_s - t0_s >= clause.within_s else "not_assessable")
    took_s = max(back_s - t0_s, 0.0)
    return Told("pass" if took_s <= clause.within_s else "fail", abs(took_s - clause.within_s))


def loss_told(
    clause: LoadLoss, shown: Waveform, calm: Waveform, short_circuit_va: float, x_over_r: float
) -> tuple[str, float]:
    """Result of a limit on lost load and on the voltage that the loss leaves, and the loss [W].

    What is lost is what stays away for a second; the circuit behind the point of interconnection is solved by SciPy.
    """
    step_s, steps = float(shown.step_s), math.ceil(1.0 / float(shown.step_s) - 1e-9)
    lost = cycle_means(calm["p_w"] - shown["p_w"], step_s, shown.frequency_hz)
    lasting = np.lib.stride_tricks.sliding_window_view(lost, steps + 1).min(axis=1)
    k = int(lasting.argmax())
    loss_w = max(float(lasting[k]), 0.0)
    over = clause.limit_mw is not None and loss_w > clause.limit_mw * 1e6
    if clause.overvoltage_pu is not None and not over:
        var = cycle_means(calm["q_var"] - shown["q_var"], step_s, shown.frequency_hz)
        loss_va = complex(loss_w, float(var[k : k + steps + 1].mean())) if loss_w > 0.0 else 0j
        before = (
            (complex(calm["p_w"][k], calm["q_var"][k]), float(calm["v1_pu"][k]))
            if loss_w > 0.0
            else (0j, 1.0)
        )
        over = _after_pu(before[0], before[1], loss_va, short_circuit_va, x_over_r) > clause.overvoltage_pu
    return ("fail" if over else "pass"), loss_w


def _after_pu(before_va: complex, v_pu: float, loss_va: complex, level_va: float, x_over_r: float) -> float:
    """Voltage that is left at a load that has lost some of its power, behind the source that held it before."""
    z = complex(1.0, x_over_r) / math.hypot(1.0, x_over_r) / level_va
    e = abs(v_pu + z * (before_va / v_pu).conjugate())
    left = before_va - loss_va
    tried = np.linspace(2.0 * e + 1.0, 1e-3, 4000)
    lacks = [abs(v + z * (left / v).conjugate()) - e for v in tried]
    for k in range(1, tried.size):
        if lacks[k - 1] > 0.0 >= lacks[k]:
            return float(
                brentq(lambda v: abs(v + z * (left / v).conjugate()) - e, tried[k], tried[k - 1], xtol=1e-13)
            )
    return math.inf
