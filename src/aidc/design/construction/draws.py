"""Monte Carlo over a network: arrays from tasks, draws in blocks, quantiles and critical chains."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import special

from aidc.design.construction.calendars import EVERY_DAY, WorkTables
from aidc.design.construction.durations import POINTS, Quantiles, failure_limits, quantiles_of
from aidc.design.construction.kernel import BEYOND, DONE, MOST_CREWS, Net, run_draws, scratch_of
from aidc.design.construction.network import NetworkTask, ranks
from aidc.errors import InputError, Problem, SimulationError
from aidc.schema.construction import Policy

__all__ = ["Draws", "Prepared", "draw", "prepared", "without_luck"]

FloatArray = NDArray[np.float64]
_BLOCK = 1000  # draws at a time: a few megabytes


@dataclass(frozen=True, slots=True)
class Prepared:
    """A network as arrays, with the count of normal numbers that a draw takes, and of weather years."""

    net: Net
    normals: int
    variants: int


@dataclass(frozen=True, slots=True)
class Draws:
    """What was drawn: start and finish (n_draw, n_task) [days from the start], share of draws in the critical chain."""

    start: NDArray[np.float32]
    finish: NDArray[np.float32]
    critical_frac: FloatArray


def prepared(
    tasks: Sequence[NetworkTask],
    tables: WorkTables,
    crews: Mapping[str, int],
    correlation: Mapping[str, float],
    policy: Policy = "latest-finish",
    *,
    goals: Sequence[str] = (),
    known: Mapping[str, Quantiles] | None = None,
    weather_rows: Mapping[str, Sequence[int]] | None = None,
    first: Collection[str] = (),
) -> Prepared:
    """Arrays of a network.

    `policy` says who gets crews first.

    Parameters
    ----------
    correlation
        Of any two tasks of a factor, 0 to 1; a factor that is not named has none.
    goals
        Tasks whose last one ends the critical chain; default: all.
    known
        Distributions of tasks that are under way, in place of their own.
    weather_rows
        Calendars of tasks that wait for the weather, one row for each weather year.
    first
        Tasks that are under way: they have their crews before anybody else.
    """
    _refuse_many(crews)
    place = {task.name: number for number, task in enumerate(tasks)}
    week_days = dict(zip(tables.names, tables.week_days.tolist(), strict=True))
    factors = sorted({task.work.factor for task in tasks if task.work.factor})
    begin, follower, waits = _followers(tasks, place)
    spans, shape, shares = _shapes(tasks, known or {})
    tests = [number for number, task in enumerate(tasks) if task.work.fail_frac > 0]
    test = np.full(len(tasks), -1, dtype=np.int32)
    test[tests] = len(tasks) + len(factors) + np.arange(len(tests), dtype=np.int32)
    share = np.array([correlation.get(task.work.factor or "", 0.0) for task in tasks])
    needs = np.array([[task.work.crews.count(one) for one in crews] for task in tasks], dtype=np.int32)
    net = Net(
        first=begin,
        follower=follower,
        waits=waits,
        rank=np.where([task.name in first for task in tasks], -1, ranks(tasks, week_days, policy)).astype(
            np.int32
        ),
        calendar=_rows(tasks, tables, weather_rows or {}),
        worked=tables.count,
        day_of=tables.day_of,
        needs=needs.reshape(len(tasks), len(crews)),
        crews=np.array(list(crews.values()), dtype=np.int32),
        has_crew=np.array([bool(task.work.crews) for task in tasks], dtype=np.int32),
        release=np.array([task.not_before_d for task in tasks], dtype=np.float64),
        least=np.array([one.least_d for one in spans]),
        span=np.array([one.span_d for one in spans]),
        shape=shape,
        shares=shares,
        own=np.sqrt(1.0 - share),
        common=np.sqrt(share),
        factor=np.array(
            [factors.index(task.work.factor) if task.work.factor else -1 for task in tasks], dtype=np.int32
        ),
        test=test,
        fails=np.array([failure_limits(task.work.fail_frac) for task in tasks]),
        rework=np.array([task.work.rework_days * task.scale for task in tasks]),
        shorter=np.zeros(len(tasks)),
        goal=np.array([not goals or task.name in goals for task in tasks], dtype=np.int32),
    )
    return Prepared(net, len(tasks) + len(factors) + len(tests), net.calendar.shape[1])


def _refuse_many(crews: Mapping[str, int]) -> None:
    if len(crews) > MOST_CREWS:
        what, remedy = f"has more than {MOST_CREWS} kinds of crews", "Join some of them."
        raise InputError(Problem(what, remedy, key="crews", value=len(crews)))


def _followers(
    tasks: Sequence[NetworkTask], place: Mapping[str, int]
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
    followers: list[list[int]] = [[] for _ in tasks]
    for number, task in enumerate(tasks):
        for one in dict.fromkeys(task.after):
            followers[place[one]].append(number)
    first = np.concatenate(([0], np.cumsum([len(one) for one in followers])))
    flat = [one for each in followers for one in each]
    waits = [len(set(task.after)) for task in tasks]
    return first.astype(np.int32), np.array(flat, dtype=np.int32), np.array(waits, dtype=np.int32)


def _shapes(
    tasks: Sequence[NetworkTask], known: Mapping[str, Quantiles]
) -> tuple[list[Quantiles], NDArray[np.int32], FloatArray]:
    """Distributions of the tasks; equal shapes share one table."""
    spans = [known.get(task.name) or quantiles_of(task.work, task.scale) for task in tasks]
    rows: dict[bytes, int] = {}
    shape = np.array([rows.setdefault(one.share.tobytes(), len(rows)) for one in spans], dtype=np.int32)
    shares = np.frombuffer(b"".join(rows), dtype=np.float64).reshape(len(rows), POINTS)
    return spans, shape, np.ascontiguousarray(shares)


def _rows(
    tasks: Sequence[NetworkTask], tables: WorkTables, weather_rows: Mapping[str, Sequence[int]]
) -> NDArray[np.int32]:
    """The row of each task's calendar in each weather year; -1 where every day is a working day."""
    years = max((len(rows) for rows in weather_rows.values()), default=1)
    found = np.empty((len(tasks), years), dtype=np.int32)
    for number, task in enumerate(tasks):
        plain = -1 if task.calendar == EVERY_DAY else tables.names.index(task.calendar)
        found[number] = weather_rows.get(task.name, (plain,) * years)
    return found


def draw(ready: Prepared, draws: int, seed: int, *, shorter: FloatArray | None = None) -> Draws:
    """Draw schedules; the same seed gives the same luck, whatever is changed in the network's days.

    `draws` is how many.

    Parameters
    ----------
    shorter : (n_task,)
        Working days by which tasks are shortened, to no less than nothing.

    Raises
    ------
    InputError
        A task does not end within the twenty years of the calendars.
    """
    net = ready.net if shorter is None else ready.net._replace(shorter=shorter)
    tasks = net.least.size
    generator = np.random.default_rng(seed)
    start = np.empty((draws, tasks), dtype=np.float32)
    finish = np.empty((draws, tasks), dtype=np.float32)
    critical = np.zeros(tasks, dtype=np.int64)
    block = (np.empty((_BLOCK, tasks)), np.empty((_BLOCK, tasks)))
    mem = scratch_of(tasks, net.crews.size)
    for begin in range(0, draws, _BLOCK):
        count = min(_BLOCK, draws - begin)
        luck = generator.standard_normal((count, ready.normals + 1))
        year = np.minimum(special.ndtr(luck[:, -1]) * ready.variants, ready.variants - 1).astype(np.int32)
        status = run_draws(net, luck, year, block[0][:count], block[1][:count], critical, mem)
        if status == BEYOND:
            what = "a task does not end within twenty years of the start"
            raise InputError(Problem(what, "Shorten it, or correct its calendar or the dates it waits for."))
        if status != DONE:
            raise SimulationError("the schedule stopped before all tasks had started; report this network")
        start[begin : begin + count] = block[0][:count]
        finish[begin : begin + count] = block[1][:count]
    return Draws(start, finish, critical / draws)


def without_luck(ready: Prepared, days: FloatArray) -> Prepared:
    """The same network with fixed working days, in the first weather year."""
    zero = np.zeros_like(days)
    none = np.full(days.size, -1, dtype=np.int32)
    return replace(ready, net=ready.net._replace(least=days, span=zero, test=none), variants=1)
