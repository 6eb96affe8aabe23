"""What a course allows to promise: the least of an event for every time that it could begin, and 95 % of those.

Pods count with what their tiers allow all through the event, storage with what it can give to the end, down to a
tenth of its charge at an efficiency of 0.9, less what its own rule gives anyway. With a notice storage is charged
until the event begins, at its rating while import stays within the connection.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

import numpy as np

from aidc.contract import FloatArray
from aidc.control.following.storing import EFFICIENCY, FULL_SOC, LEAST_SOC
from aidc.study.flexibility.course import Course

__all__ = ["HELD", "Promise", "feasible", "promises"]

HELD = 0.95
DURATIONS_S = (900.0, 3600.0, 7200.0, 14_400.0, 36_000.0)
NOTICES_S = (10.0, 600.0, 7200.0)


@dataclass(frozen=True, slots=True)
class Promise:
    """What is held in 95 % of the starts within one hour of the local day [W at the meter].

    `by_tier_w` has tiers 1 to 3 and `storage_w` the rest, each as a part of the promise; `tokens_per_s` is lost while
    it is held, at a slowdown as deep as the cut. None of it may be added to another promise.
    """

    hour: int  # of the local day; -1 for any
    duration_s: float
    notice_s: float
    promised_w: float
    by_tier_w: tuple[float, float, float]
    storage_w: float
    tokens_per_s: float


def promises(course: Course, timezone: str) -> list[Promise]:
    """Promises for every notice and duration that the window can hold, for any hour and by hour."""
    local = _local_hours(course, timezone)
    found: list[Promise] = []
    for duration_s in DURATIONS_S:
        rows = max(1, round(duration_s / course.row_s))
        if rows > course.rows:
            continue
        tiers_w, tokens = _pods(course, duration_s, rows)
        for notice_s in NOTICES_S:
            storage_w = _storage(course, rows, notice_s)
            total = tiers_w.sum(axis=0) + storage_w
            for hour in (-1, *range(24)):
                chosen = (local[: len(total)] == hour) | (hour < 0)
                if chosen.any():
                    found.append(
                        _held(
                            hour, duration_s, notice_s, tiers_w[:, chosen], storage_w[chosen], tokens[chosen]
                        )
                    )
    return found


def feasible(course: Course, first: int, rows: int, level_w: float, notice_s: float) -> bool:
    """Whether import can stay at or below a level all through an event, with all that is coming known.

    Pods at their tier limits; storage covers what is left within its rating and its charge.

    The event lasts `rows` of the course from the row `first` on, below `level_w` [W], and is announced `notice_s`
    before [s].
    """
    window = slice(first, first + rows)
    room = (course.room_w(rows * course.row_s) * course.per_w)[window].sum(axis=1)
    left_w = np.maximum(course.import_w[window] + _own(course)[window] - level_w - room, 0.0)
    if not left_w.any():
        return True
    power_w, energy_j = _storages(course, first, notice_s)
    return bool(left_w.max() <= power_w and left_w.sum() * course.row_s <= energy_j)


def _held(
    hour: int,
    duration_s: float,
    notice_s: float,
    tiers_w: FloatArray,
    storage_w: FloatArray,
    tokens: FloatArray,
) -> Promise:
    """The start below which 5 % lie, with its parts scaled to the promise."""
    total = tiers_w.sum(axis=0) + storage_w
    promised = float(np.quantile(total, 1.0 - HELD, method="lower"))
    place = int(np.abs(total - promised).argmin())
    one, two, three = (float(part) for part in tiers_w[:, place])
    return Promise(
        hour, duration_s, notice_s, promised, (one, two, three), float(storage_w[place]), float(tokens[place])
    )


def _pods(course: Course, duration_s: float, rows: int) -> tuple[FloatArray, FloatArray]:
    """What each tier holds through an event from each start, (3, start), and tokens lost a second then."""
    room = course.room_w(duration_s)
    at_meter = room * course.per_w
    tier = np.array(course.view.pod_flex_tier, dtype=int)
    whole = _least(at_meter.sum(axis=1), rows)
    parts = np.stack([_mean(at_meter[:, tier == number].sum(axis=1), rows) for number in (1, 2, 3)])
    sums = np.maximum(parts.sum(axis=0), 1e-9)
    slow = room / np.maximum(course.draw_w, 1.0)
    lost = _mean((slow * course.tokens_per_s).sum(axis=1), rows)
    return parts * whole / sums, lost * whole / sums


def _storage(course: Course, rows: int, notice_s: float) -> FloatArray:
    """What storages give through an event from each start, (start,)."""
    starts = course.rows - rows + 1
    found = np.zeros(starts)
    if not course.view.storages:
        return found
    busy = -_least(-_own(course), rows)
    for first in range(starts):
        power_w, energy_j = _storages(course, first, notice_s)
        found[first] = max(0.0, min(power_w, energy_j / (rows * course.row_s)) - busy[first])
    return found


def _storages(course: Course, first: int, notice_s: float) -> tuple[float, float]:
    """Power [W] and energy [J] that storages have for an event that begins at a row."""
    view = course.view
    soc = course.soc_frac[max(first - 1, 0)]
    back = max(0, first - int(notice_s / course.row_s))
    spare_w = np.maximum(view.import_limit_w - course.import_w[back:first], 0.0)
    total_w = max(float(view.storage_power_w.sum()), 1.0)
    charged_j = float(np.minimum(spare_w, total_w).sum()) * course.row_s
    share = view.storage_power_w / total_w
    full = np.minimum(FULL_SOC, soc + EFFICIENCY * charged_j * share / np.maximum(view.storage_energy_j, 1.0))
    usable = np.maximum(np.maximum(full, soc) - LEAST_SOC, 0.0) * view.storage_energy_j * EFFICIENCY
    return float(view.storage_power_w.sum()), float(usable.sum())


def _own(course: Course) -> FloatArray:
    """What storages give by their own rules [W]."""
    return course.given_w.sum(axis=1) if course.given_w.size else np.zeros(course.rows)


def _least(values: FloatArray, rows: int) -> FloatArray:
    return np.lib.stride_tricks.sliding_window_view(values, rows).min(axis=1)


def _mean(values: FloatArray, rows: int) -> FloatArray:
    return np.lib.stride_tricks.sliding_window_view(values, rows).mean(axis=1)


def _local_hours(course: Course, timezone: str) -> FloatArray:
    zone = ZoneInfo(timezone)
    return np.array(
        [
            (course.start + timedelta(seconds=row * course.row_s)).astimezone(zone).hour
            for row in range(course.rows)
        ]
    )
