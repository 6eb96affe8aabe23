"""Parallel schedule generation, draw by draw, in compiled code.

The rule: time goes from decision to decision; whoever is ready and finds its crews free starts, in one fixed order;
nobody waits for somebody who is not ready yet. (Kelley 1963; Kolisch, European Journal of Operational Research 90
(1996) 320-333, doi:10.1016/0377-2217(95)00357-6.) Crews are held from start to finish, over closed days too, and are not
taken before the first working moment. Tasks without crews never decide anything, so they are followed through as
soon as they are known.

A cause is kept for every start: the predecessor that finished last, or who gave the crew back. The chain of causes from the
task that finishes last is the critical chain of a draw.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from aidc.design.construction.calendars import finish_of, next_working
from aidc.design.construction.durations import quantile
from aidc.jit import engine, inner

__all__ = ["BEYOND", "DONE", "MOST_CREWS", "STUCK", "Net", "Scratch", "run_draws", "scratch_of"]

DONE: Final = 0
BEYOND: Final = 1  # a task does not end within the tables of the calendars
STUCK: Final = 2  # a task never became ready; a network without cycles has none
MOST_CREWS: Final = 60  # kinds of crews: bits of a mask

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int32]


class Net(NamedTuple):
    """A network as arrays. Rows of `calendar` (n_task, n_weather) are of `worked` and `day_of`; -1 works every day.

    `follower` lists followers from `first[i]` to `first[i + 1]`. `needs` (n_task, n_crew) and `crews` (n_crew,) count
    heads. The days of a task are `least + span · share(z)`, less `shorter`, where z = `own · e + common · f` of its
    factor. A negative rank is that of a task under way: it has its crews from its release on, on closed days too (its release
    is a midnight). `goal` marks the tasks whose last one
    ends the critical chain. `fails` (n_task, n) are normal numbers below which its test has failed once, twice, …
    """

    first: IntArray
    follower: IntArray
    waits: IntArray
    rank: IntArray
    calendar: IntArray
    worked: IntArray
    day_of: IntArray
    needs: IntArray
    crews: IntArray
    has_crew: IntArray
    release: FloatArray
    least: FloatArray
    span: FloatArray
    shape: IntArray
    shares: FloatArray
    own: FloatArray
    common: FloatArray
    factor: IntArray
    test: IntArray
    fails: FloatArray
    rework: FloatArray
    shorter: FloatArray
    goal: IntArray


class Scratch(NamedTuple):
    """Memory of one draw: kernels cannot allocate. `lack` has a bit for each crew that a ready task did not find."""

    left: IntArray
    cause: IntArray
    stack: IntArray
    pending: IntArray
    running: IntArray
    lack: NDArray[np.int64]
    free: IntArray
    gave: IntArray
    ready: FloatArray
    latest: FloatArray
    work: FloatArray
    gave_at: FloatArray


def scratch_of(tasks: int, crews: int) -> Scratch:
    """Memory for networks of a size."""
    i32, f64 = np.int32, np.float64
    return Scratch(
        left=np.zeros(tasks, dtype=i32),
        cause=np.zeros(tasks, dtype=i32),
        stack=np.zeros(tasks, dtype=i32),
        pending=np.zeros(tasks, dtype=i32),
        running=np.zeros(tasks, dtype=i32),
        lack=np.zeros(tasks, dtype=np.int64),
        free=np.zeros(crews, dtype=i32),
        gave=np.zeros(crews, dtype=i32),
        ready=np.zeros(tasks, dtype=f64),
        latest=np.zeros(tasks, dtype=f64),
        work=np.zeros(tasks, dtype=f64),
        gave_at=np.zeros(crews, dtype=f64),
    )


@inner
def _draw_days(net: Net, normal: FloatArray, work: FloatArray) -> None:
    """Working days of all tasks from the normal numbers of one draw: of tasks, then of factors and tests."""
    tasks = net.least.size
    for i in range(tasks):
        days = net.least[i]
        if net.span[i] > 0.0:
            z = net.own[i] * normal[i]
            if net.factor[i] >= 0:
                z += net.common[i] * normal[tasks + net.factor[i]]
            days += net.span[i] * quantile(net.shares, net.shape[i], z)
        if net.test[i] >= 0:
            failed = 0
            chance = normal[net.test[i]]
            while failed < net.fails.shape[1] and chance < net.fails[i, failed]:
                failed += 1
            days += failed * (days + net.rework[i])
        work[i] = max(days - net.shorter[i], 0.0)


@inner
def _follow(
    net: Net, variant: int, begun: int, start: FloatArray, finish: FloatArray, mem: Scratch, pending: int
) -> int:
    """From a task that has a start: its finish, and those behind it that need no crew; returns how many are pending."""
    mem.stack[0] = begun
    height = 1
    while height > 0:
        height -= 1
        i = int(mem.stack[height])
        done = finish_of(net.worked, net.day_of, net.calendar[i, variant], start[i], mem.work[i])
        finish[i] = done
        for at in range(net.first[i], net.first[i + 1]):
            j = int(net.follower[at])
            if done >= mem.latest[j]:
                mem.latest[j] = done
                mem.cause[j] = i
            mem.left[j] -= 1
            if mem.left[j] > 0:
                continue
            moment = mem.latest[j]
            if mem.work[j] > 0.0:
                moment = next_working(net.worked, net.day_of, net.calendar[j, variant], moment)
            if net.has_crew[j] > 0:
                mem.ready[j] = moment
                mem.pending[pending] = j
                pending += 1
            else:
                start[j] = moment
                mem.stack[height] = j
                height += 1
    return pending


@inner
def _give_back(net: Net, time: float, finish: FloatArray, mem: Scratch, running: int) -> int:
    """Crews of all who have finished by a time; returns how many still run."""
    at = 0
    while at < running:
        i = mem.running[at]
        if finish[i] > time:
            at += 1
            continue
        for r in range(net.crews.size):
            if net.needs[i, r] > 0:
                mem.free[r] += net.needs[i, r]
                if finish[i] >= mem.gave_at[r]:
                    mem.gave_at[r] = finish[i]
                    mem.gave[r] = i
        running -= 1
        mem.running[at] = mem.running[running]
    return running


@inner
def _best(net: Net, variant: int, time: float, mem: Scratch, pending: int) -> int:
    """Of those that are ready, at work now and find their crews: the first in order, as a place; -1 for none.

    What closed days put off becomes ready at its next working moment.
    """
    best = -1
    for at in range(pending):
        i = mem.pending[at]
        if mem.ready[i] > time:
            continue
        if mem.work[i] > 0.0 and net.rank[i] >= 0:
            moment = next_working(net.worked, net.day_of, net.calendar[i, variant], time)
            if moment > time:
                mem.ready[i] = moment
                continue
        lack = 0
        for r in range(net.crews.size):
            if net.needs[i, r] > mem.free[r]:
                lack |= 1 << r
        if lack != 0:
            mem.lack[i] = lack
        elif best < 0 or net.rank[i] < net.rank[mem.pending[best]]:
            best = at
    return best


@inner
def _take(net: Net, i: int, mem: Scratch) -> None:
    """Take the crews of a task; of those that it waited for, whoever gave back last is its cause."""
    latest = -1.0
    for r in range(net.crews.size):
        mem.free[r] -= net.needs[i, r]
        if mem.lack[i] >> r & 1 and mem.gave_at[r] > latest:
            latest = mem.gave_at[r]
            mem.cause[i] = mem.gave[r]


@inner
def _next_time(time: float, finish: FloatArray, mem: Scratch, pending: int, running: int) -> float:
    """The next moment at which somebody becomes ready or gives a crew back; -1 where there is none."""
    soonest = -1.0
    for at in range(pending):
        moment = mem.ready[int(mem.pending[at])]
        if moment > time and (soonest < 0.0 or moment < soonest):
            soonest = moment
    for at in range(running):
        moment = finish[int(mem.running[at])]
        if moment > time and (soonest < 0.0 or moment < soonest):
            soonest = moment
    return soonest


@inner
def _reset(net: Net, start: FloatArray, finish: FloatArray, mem: Scratch) -> None:
    for i in range(net.least.size):
        mem.left[i] = net.waits[i]
        mem.latest[i] = net.release[i]
        mem.cause[i] = -1
        mem.lack[i] = 0
        start[i] = -1.0
        finish[i] = -1.0
    for r in range(net.crews.size):
        mem.free[r] = net.crews[r]
        mem.gave[r] = -1
        mem.gave_at[r] = -1.0


@inner
def _schedule(net: Net, variant: int, start: FloatArray, finish: FloatArray, mem: Scratch) -> int:
    """One draw, whose working days stand in `mem.work`."""
    pending = running = 0
    for i in range(net.least.size):
        if net.waits[i] > 0:
            continue
        moment = net.release[i]
        if mem.work[i] > 0.0 and net.rank[i] >= 0:
            moment = next_working(net.worked, net.day_of, net.calendar[i, variant], moment)
        if net.has_crew[i] > 0:
            mem.ready[i] = moment
            mem.pending[pending] = i
            pending += 1
        else:
            start[i] = moment
            pending = _follow(net, variant, i, start, finish, mem, pending)
    time = -1.0
    while pending > 0:
        time = _next_time(time, finish, mem, pending, running)
        if time < 0.0:
            return STUCK
        best = 0
        while best >= 0:
            running = _give_back(net, time, finish, mem, running)
            best = _best(net, variant, time, mem, pending)
            if best >= 0:
                i = mem.pending[best]
                pending -= 1
                mem.pending[best] = mem.pending[pending]
                _take(net, i, mem)
                start[i] = time
                mem.running[running] = i
                running += 1
                pending = _follow(net, variant, i, start, finish, mem, pending)
    return DONE


@engine
def run_draws(
    net: Net,
    normal: FloatArray,
    variant: IntArray,
    start: FloatArray,
    finish: FloatArray,
    critical: NDArray[np.int64],
    mem: Scratch,
) -> int:
    """Schedule draws, one after the other.

    Parameters
    ----------
    net
        The network.
    normal : (n_draw, n_task + n_factor + n_test)
        Standard normal numbers.
    variant : (n_draw,)
        Column of `net.calendar` of each draw: its weather year.
    start, finish : (n_draw, n_task)
        Filled, in days from the start of the project.
    critical : (n_task,)
        Counted up for each draw in whose critical chain a task is.
    mem
        From `scratch_of`.

    Returns
    -------
    int
        DONE, BEYOND (something does not end within the tables) or STUCK.
    """
    horizon = net.worked.shape[1] - 1
    for d in range(normal.shape[0]):
        _reset(net, start[d], finish[d], mem)
        _draw_days(net, normal[d], mem.work)
        status = _schedule(net, variant[d], start[d], finish[d], mem)
        if status != DONE:
            return status
        last, latest = -1, -1.0
        for i in range(net.least.size):
            if finish[d, i] < 0.0:
                return STUCK
            if finish[d, i] > horizon:
                return BEYOND
            if net.goal[i] > 0 and finish[d, i] > latest:
                last, latest = i, finish[d, i]
        while last >= 0:
            critical[last] += 1
            last = mem.cause[last]
    return DONE
