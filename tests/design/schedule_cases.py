"""Random networks of up to twelve tasks, scheduled by the product and by an integer program in their days.

The program knows nothing of the product but the tasks: one binary for each task and day of its start, the span of working days that
follows, precedence, and no more of a crew held on any day than there are. Solved to the optimum by HiGHS (scipy.optimize.milp).
"""

from __future__ import annotations

import numpy as np
from networks import CALENDARS, _end, made, task, works
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import lil_array

from aidc.design.construction.draws import without_luck
from aidc.design.construction.exact import shortest_days
from aidc.design.construction.kernel import run_draws, scratch_of

CREWS = {"crane": 1, "electrical": 2}
_NEEDS = [(), ("crane",), ("electrical",), ("electrical", "electrical"), ("crane", "electrical")]


def network(seed: int) -> list:
    """Six to twelve tasks of whole days with predecessors, crews, calendars and release dates."""
    generator = np.random.default_rng(seed)
    tasks = []
    for number in range(int(generator.integers(6, 13))):
        after = {int(k) for k in generator.integers(0, number, 2)} if number > 1 else set()
        tasks.append(
            task(
                f"t{number}",
                float(generator.integers(0, 7)),
                tuple(f"t{k}" for k in sorted(after)),
                _NEEDS[generator.integers(len(_NEEDS))],
                str(generator.choice(["every-day", *CALENDARS])),
                not_before_d=float(generator.choice([0, 0, 0, 4])),
            )
        )
    return tasks


def by_policy(tasks: list) -> tuple:
    """The network, its days and the time of the policy's schedule."""
    ready = made(tasks, CREWS)
    days = np.array([one.work.days[1] for one in tasks])
    net = without_luck(ready, days).net
    start, finish = np.empty((1, len(tasks))), np.empty((1, len(tasks)))
    critical = np.zeros(len(tasks), dtype=np.int64)
    luck = np.zeros((1, ready.normals))
    mem = scratch_of(len(tasks), len(CREWS))
    assert run_draws(net, luck, np.zeros(1, dtype=np.int32), start, finish, critical, mem) == 0
    return net, days, float(finish.max())


def by_integers(tasks: list, most: float) -> float:
    """The shortest schedule by an integer program; `most` is the time of one that is known."""
    horizon = int(np.ceil(most))
    starts = _starts(tasks, horizon)
    rows = [*_in_order(tasks, starts), *_within_crews(tasks, starts, horizon)]
    count = len(starts)
    matrix = lil_array((len(rows), count + 1))
    for number, (cells, _, _) in enumerate(rows):
        for column, value in cells.items():
            matrix[number, column] = value
    cost = np.append(np.zeros(count), 1.0)
    found = milp(
        cost,
        integrality=np.append(np.ones(count), 0),
        bounds=Bounds(0.0, np.append(np.ones(count), float(horizon))),
        constraints=LinearConstraint(matrix.tocsr(), [one[1] for one in rows], [one[2] for one in rows]),
    )
    assert found.status == 0, found.message
    return float(found.fun)


def _starts(tasks: list, horizon: int) -> list[tuple[int, int, int]]:
    """Every task on every day on which it may begin and be done in time: task, day, end."""
    found = []
    for number, one in enumerate(tasks):
        open_days, length = works(one.calendar), int(one.work.days[1])
        for begin in range(int(np.ceil(one.not_before_d)), horizon + 1):
            end = _end(open_days, begin, length)
            if end is not None and end <= horizon:
                found.append((number, begin, end))
    return found


def _in_order(tasks: list, starts: list) -> list[tuple[dict[int, float], float, float]]:
    """Each task begins once, after those before it, and is done by the makespan, the last column."""
    place = {one.name: k for k, one in enumerate(tasks)}
    mine = [[k for k, one in enumerate(starts) if one[0] == number] for number in range(len(tasks))]
    rows = []
    for number, one in enumerate(tasks):
        rows.append((dict.fromkeys(mine[number], 1.0), 1.0, 1.0))
        ends = {k: -float(starts[k][2]) for k in mine[number]}
        rows.append(({**ends, len(starts): 1.0}, 0.0, np.inf))
        begins = {k: float(starts[k][1]) for k in mine[number]}
        for name in one.after:
            before = {k: -float(starts[k][2]) for k in mine[place[name]]}
            rows.append(({**before, **begins}, 0.0, np.inf))
    return rows


def _within_crews(tasks: list, starts: list, horizon: int) -> list[tuple[dict[int, float], float, float]]:
    """No more of a crew is held on any day than there are; work that pauses keeps its crews.

    A task of no days holds nobody, and waits until those who began before it leave it its crews.
    """
    rows = []
    for k, (number, day, end) in enumerate(starts):
        for crew in set(tasks[number].work.crews) if end == day else ():
            held = _held(tasks, starts, crew, lambda begin, end, day=day: begin < day < end)
            rows.append(
                ({**held, k: float(tasks[number].work.crews.count(crew))}, -np.inf, float(CREWS[crew]))
            )
    for crew, there in CREWS.items():
        for day in range(horizon):
            held = _held(tasks, starts, crew, lambda begin, end, day=day: begin <= day < end)
            if held:
                rows.append((held, -np.inf, float(there)))
    return rows


def _held(tasks: list, starts: list, crew: str, there) -> dict[int, float]:
    """How many of a crew each start would hold, of those whose span is `there`."""
    return {
        k: float(tasks[number].work.crews.count(crew))
        for k, (number, begin, end) in enumerate(starts)
        if there(begin, end) and crew in tasks[number].work.crews
    }


def differences(seed: int) -> list[str]:
    """What of the exact search and the policy disagrees with the integer program."""
    tasks = network(seed)
    net, days, policy = by_policy(tasks)
    exact, known = shortest_days(net, days, bound=policy), by_integers(tasks, policy)
    told = []
    if abs(exact - known) > 1e-6:
        told.append(
            f"{len(tasks)} tasks: the exact search takes {exact:g} days, the integer program {known:g}"
        )
    if policy < known - 1e-6:
        told.append(f"{len(tasks)} tasks: the policy takes {policy:g} days, the optimum {known:g}")
    return told


def gap(seed: int) -> float:
    """What the policy takes over the optimum, per unit."""
    net, days, policy = by_policy(network(seed))
    best = shortest_days(net, days, bound=policy)
    return policy / best - 1.0 if best > 0 else 0.0
