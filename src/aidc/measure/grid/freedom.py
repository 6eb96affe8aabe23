"""When a site may leave: duties end, and begin anew, for a rule set as a whole.

A site may leave from the instant at which any duty of the set is past. Every duty begins anew as soon as
voltage and frequency are back in the continuous band, which is where no threshold of any clause is exceeded;
where a clause states `renew_s`, its own duties begin anew once that has lasted so long. Nothing else gives
leave: a sag that was over long ago excuses nothing.

A departure is seen between two samples. It is lawful where the site was free at any instant of that step.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from aidc.measure.grid.channel import checked, first_s
from aidc.measure.grid.duty import Duty
from aidc.measure.grid.excursion import ROUND_S
from aidc.record.waveform import FloatArray, Waveform

__all__ = ["Departures", "Freedom", "departures", "freedom"]

STILL_CONNECTED = 1e-6
"""Shares of the load that differ by less are equal: sums of floats, not departures."""


@dataclass(frozen=True, slots=True)
class Freedom:
    """Stretches in which the site may leave, in order, and whose past duty began each.

    `unknown` says which clauses of the set could not be read from the record: what they allow is not known.
    """

    start_s: FloatArray
    end_s: FloatArray
    because: tuple[str, ...]
    unknown: tuple[str, ...] = ()

    def within(self, since_s: float, until_s: float) -> str:
        """Why the site may leave at some instant after `since_s` up to `until_s`; empty where it may not."""
        hits = np.flatnonzero((self.start_s < until_s) & (self.end_s > since_s))
        return self.because[int(hits[0])] if hits.size else ""


@dataclass(frozen=True, slots=True)
class Departures:
    """Every fall of the share of the load that is connected: the sample before, and the one at which it is less.

    `none_there` says that nothing was connected at the beginning.
    """

    before_s: FloatArray
    at_s: FloatArray
    none_there: bool = False

    @property
    def first_s(self) -> float:
        """The first departure [s]; infinity where there is none, minus infinity where nothing was there."""
        if self.none_there:
            return -np.inf
        return float(self.at_s[0]) if self.at_s.size else np.inf

    def unlawful_s(self, free: Freedom) -> float:
        """The first departure while no duty of the set was past [s]; infinity where there is none."""
        for before_s, at_s in zip(self.before_s.tolist(), self.at_s.tolist(), strict=True):
            if not free.within(before_s, at_s):
                return at_s
        return np.inf


def departures(w: Waveform) -> Departures:
    """The departures of a waveform with `connected_frac`."""
    connected = checked(w, "connected_frac")
    step_s = float(w.step_s)
    if not (connected != connected[0]).any():
        return Departures(np.empty(0), np.empty(0), bool(connected[0] <= STILL_CONNECTED))
    fell = np.flatnonzero(connected[1:] < connected[:-1] - STILL_CONNECTED) + 1
    at_s: FloatArray = first_s(w) + fell.astype(np.float64) * step_s
    return Departures(at_s - step_s, at_s, bool(connected[0] <= STILL_CONNECTED))


def freedom(parts: Iterable[tuple[str, Sequence[Duty], float]], unknown: Sequence[str] = ()) -> Freedom:
    """When a set of duties gives leave.

    Parameters
    ----------
    parts
        Of each clause: its name, its duties, and its `renew_s` [s].
    unknown
        Clauses that could not be read.
    """
    known = [(name, duty, renew_s) for name, duties, renew_s in parts for duty in duties]
    outside = _merged([duty for _, duty, _ in known])
    begun = sorted(
        (float(start_s), f"{duty.label} ({name})" if name else duty.label, renew_s)
        for name, duty, renew_s in known
        for start_s in duty.past.start_s
    )
    starts: list[float] = []
    ends: list[float] = []
    because: list[str] = []
    place, held_s = 0, 0.0  # how long the continuous band must last before the last freedom ends
    for begin_s, end_s in outside:
        within: list[tuple[float, str, float]] = []
        while place < len(begun) and begun[place][0] <= end_s + ROUND_S:
            within.append(begun[place])
            place += 1
        renew_s = max((one[2] for one in within), default=0.0)
        if starts and held_s > 0 and ends[-1] >= begin_s:  # not renewed yet: the last freedom goes on
            held_s = max(held_s, renew_s)
            ends[-1] = end_s + held_s
        elif within:
            starts.append(within[0][0])
            because.append(within[0][1])
            held_s = renew_s
            ends.append(end_s + held_s)
    return Freedom(np.array(starts), np.array(ends), tuple(because), tuple(unknown))


def _merged(duties: Sequence[Duty]) -> list[tuple[float, float]]:
    """The stretches beyond any threshold, those that overlap as one."""
    if not duties:
        return []
    start_s = np.concatenate([duty.beyond.start_s for duty in duties])
    end_s = np.concatenate([duty.beyond.end_s for duty in duties])
    found: list[tuple[float, float]] = []
    for k in np.argsort(start_s, kind="stable").tolist():
        if found and start_s[k] <= found[-1][1] + ROUND_S:
            found[-1] = (found[-1][0], max(found[-1][1], float(end_s[k])))
        else:
            found.append((float(start_s[k]), float(end_s[k])))
    return found
