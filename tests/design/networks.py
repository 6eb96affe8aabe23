"""Small networks for tests, and a judge of schedules that shares nothing with the product but the tasks."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from aidc.design.construction.calendars import tables_of
from aidc.design.construction.draws import prepared
from aidc.design.construction.network import NetworkTask
from aidc.schema.construction import Calendar
from aidc.schema.module import Work

START = date(2026, 1, 5)  # a Monday
CALENDARS = {
    "weekdays": Calendar(),
    "short": Calendar(week=("tue", "wed", "sat"), holidays=(date(2026, 1, 14), date(2026, 1, 20))),
    "shut": Calendar(closures=({"first": date(2026, 1, 8), "last": date(2026, 1, 19)},)),
}
TABLES = tables_of(CALENDARS, START)
DAYS = 400


def works(calendar: str) -> list[bool]:
    """Whether each day is a working day, by the dates themselves."""
    if calendar == "every-day":
        return [True] * DAYS
    shape = CALENDARS[calendar]
    names = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    found = []
    for number in range(DAYS):
        day = START + timedelta(days=number)
        closed = day in shape.holidays or any(one.first <= day <= one.last for one in shape.closures)
        found.append(names[day.weekday()] in shape.week and not closed)
    return found


def task(name, days, after=(), crews=(), calendar="every-day", **more) -> NetworkTask:
    begins = more.pop("not_before_d", 0.0)
    work = Work(days=days, crews=tuple(crews), **more)
    return NetworkTask(name, work, calendar, tuple(after), begins)


def made(tasks, crews=None, correlation=None, policy="latest-finish", **more):
    return prepared(tasks, TABLES, crews or {}, correlation or {}, policy, **more)


def judged(tasks, crews, start, finish, days=None) -> None:
    """One schedule: precedence, working time, crews. Times in days; `days` are working days where they are known."""
    place = {one.name: number for number, one in enumerate(tasks)}
    for number, one in enumerate(tasks):
        begin, end = float(start[number]), float(finish[number])
        assert begin >= one.not_before_d - 1e-4
        assert end >= begin
        for other in one.after:
            assert begin >= finish[place[other]] - 1e-4, (one.name, other)
        open_days = works(one.calendar)
        worked = sum(
            max(min(end, day + 1) - max(begin, day), 0.0)
            for day in range(int(begin), min(int(end) + 1, DAYS))
            if open_days[day]
        )
        if days is not None:
            assert abs(worked - days[number]) < 1e-3, one.name
            if days[number] > 0:
                assert open_days[int(begin + 1e-4)], one.name
    for crew, most in crews.items():
        held = [(start[k], finish[k], one.work.crews.count(crew)) for k, one in enumerate(tasks)]
        for moment, _, need in held:
            if need:
                assert (
                    sum(n for low, high, n in held if low <= moment + 1e-4 and high > moment + 1e-3) <= most
                )


def exhaustive(tasks, crews, days, most) -> float:
    """The shortest schedule of whole days by trying every start day of every task, up to `most`."""
    place = {one.name: number for number, one in enumerate(tasks)}
    count = len(tasks)
    order = range(count)  # predecessors stand before their followers
    ends = [
        [_end(works(one.calendar), begin, int(days[k])) for begin in range(int(most) + 1)]
        for k, one in enumerate(tasks)
    ]
    best = [float(most)]
    spans: dict[int, tuple[int, int]] = {}

    def holds(crew: str) -> bool:
        for own, (low, high) in spans.items():
            idle = low == high  # of no days: it holds nobody, and waits for who began before it
            held = [k for k, (a, b) in spans.items() if (a < low < b if idle else a <= low < b)]
            if sum(tasks[k].work.crews.count(crew) for k in {*held, own}) > crews[crew]:
                return False
        return True

    def go(depth: int) -> None:
        if depth == count:
            best[0] = min(best[0], max(end for _, end in spans.values()))
            return
        number = order[depth]
        one = tasks[number]
        earliest = max([int(np.ceil(one.not_before_d)), *(spans[place[o]][1] for o in one.after)])
        for begin in range(earliest, int(most) + 1):
            end = ends[number][begin]
            if end is None:
                continue
            if end > best[0]:
                break
            spans[number] = (begin, end)
            if all(holds(crew) for crew in crews):
                go(depth + 1)
            del spans[number]

    go(0)
    return best[0]


def _end(open_days, begin, length):
    """The end of work of whole days that begins on a day; None where that is no working day."""
    if length == 0:
        return begin
    if not open_days[begin]:
        return None
    left, day = length, begin
    while left:
        left -= open_days[day]
        day += 1
    return day
