"""Schedules: nothing is violated in any draw, the exact search is exact, and the policy is never better."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import CALENDARS, exhaustive, judged, made, task
from schedule_cases import differences

from aidc.design.construction.draws import draw, without_luck
from aidc.design.construction.exact import shortest_days
from aidc.design.construction.kernel import run_draws, scratch_of

CREWS = {"crane": 1, "electrical": 2}
POLICIES = ["latest-finish", "latest-start", "listed"]


@st.composite
def networks(draw_one, most=9, longest=6, calendars=("every-day", *CALENDARS)):
    """Tasks of whole days with earlier ones as predecessors, calendars, crews and release dates."""
    tasks = []
    for number in range(draw_one(st.integers(2, most))):
        after = draw_one(st.sets(st.integers(0, number - 1), max_size=2)) if number else set()
        crews = draw_one(
            st.sampled_from(
                [(), ("crane",), ("electrical",), ("electrical", "electrical"), ("crane", "electrical")]
            )
        )
        tasks.append(
            task(
                f"t{number}",
                float(draw_one(st.integers(0, longest))),
                tuple(f"t{k}" for k in after),
                crews,
                draw_one(st.sampled_from(calendars)),
                not_before_d=float(draw_one(st.sampled_from([0, 0, 0, 3]))),
            )
        )
    return tasks


def scheduled(tasks, policy="latest-finish"):
    """The policy's schedule at fixed days, with its causes."""
    ready = made(tasks, CREWS, policy=policy)
    days = np.array([one.work.days[1] for one in tasks])
    net = without_luck(ready, days).net
    start, finish = np.empty((1, len(tasks))), np.empty((1, len(tasks)))
    critical = np.zeros(len(tasks), dtype=np.int64)
    mem = scratch_of(len(tasks), len(CREWS))
    luck = np.zeros((1, ready.normals))
    assert run_draws(net, luck, np.zeros(1, dtype=np.int32), start, finish, critical, mem) == 0
    return net, days, start[0], finish[0], critical


@given(networks(most=14), st.sampled_from(POLICIES))
@settings(max_examples=80)
def test_no_schedule_violates_anything(tasks, policy):
    _, days, start, finish, _ = scheduled(tasks, policy)
    judged(tasks, CREWS, start, finish, days)


@given(networks(most=8), st.integers(0, 2**31))
@settings(max_examples=25)
def test_no_draw_violates_anything(tasks, seed):
    spread = [
        task(
            one.name,
            (one.work.days[0], one.work.days[0] + 1.0, 2.0 * one.work.days[0] + 3.0),
            one.after,
            one.work.crews,
            one.calendar,
            fail_frac=0.2,
            rework_days=1.5,
            not_before_d=one.not_before_d,
        )
        for one in tasks
    ]
    drawn = draw(made(spread, CREWS, {"x": 0.5}), 20, seed)
    for start, finish in zip(drawn.start, drawn.finish, strict=True):
        judged(spread, CREWS, start, finish)


@given(networks(most=5, longest=3))
@settings(max_examples=60)
def test_the_exact_search_finds_what_trying_everything_finds(tasks):
    net, days, _, finish, _ = scheduled(tasks)
    policy = float(finish.max())
    exact = shortest_days(net, days)
    assert exact <= policy + 1e-9
    assert exact == exhaustive(tasks, CREWS, days, policy)
    assert shortest_days(net, days, bound=policy) == exact


def test_schedules_of_up_to_twelve_tasks_take_the_days_of_an_integer_program():
    """Thirty of the networks of `make prove`, with calendars, crews and release dates."""
    assert [(seed, told) for seed in range(30) if (told := differences(seed))] == []


def test_the_policy_is_never_better_and_its_mean_gap_is_a_few_per_cent(record_property):
    """On 30 random networks of 12 tasks; the gap is not a bar, but it must not grow unseen."""
    generator = np.random.default_rng(11)
    gaps = []
    for _ in range(30):
        tasks = []
        for number in range(12):
            after = {int(k) for k in generator.integers(0, number, 2)} if number > 2 else set()
            crews = [(), ("crane",), ("electrical",), ("electrical", "electrical")][generator.integers(4)]
            tasks.append(
                task(
                    f"t{number}",
                    float(generator.integers(1, 9)),
                    tuple(f"t{k}" for k in after),
                    crews,
                    "weekdays",
                )
            )
        net, days, _, finish, _ = scheduled(tasks)
        best = shortest_days(net, days, bound=float(finish.max()))
        assert best <= finish.max()
        gaps.append(finish.max() / best - 1.0)
    record_property("policy_mean_gap_frac", float(np.mean(gaps)))
    assert 0.0 < np.mean(gaps) < 0.1


def test_an_exact_search_of_more_than_twelve_tasks_is_refused():
    net, days, *_ = scheduled([task(f"t{k}", 1.0) for k in range(13)])
    with pytest.raises(ValueError, match="the most is 12"):
        shortest_days(net, days)


@given(networks(most=8, calendars=("every-day",)))
@settings(max_examples=60)
def test_the_critical_chain_spans_the_schedule_without_a_hole(tasks):
    """Every task of the chain but the first starts as another of it ends, so that delays pass on one to one."""
    _, _, start, finish, critical = scheduled(tasks)
    chain = sorted(np.flatnonzero(critical), key=lambda k: (start[k], finish[k]))
    assert finish[chain[-1]] == finish.max()
    for earlier, later in pairwise(chain):
        assert finish[earlier] == pytest.approx(start[later])
    first = chain[0]
    assert start[first] == pytest.approx(tasks[first].not_before_d)


@pytest.mark.parametrize("turned", [False, True])
def test_a_crew_goes_to_whom_the_policy_names(turned):
    """In the 18 days without crews `quick` must begin by day 7 and end by day 9, `slow` by day 0 and day 10."""
    both = [task("quick", 2.0, crews=("crane",)), task("slow", 10.0, crews=("crane",))]
    behind = [task("behind-quick", 9.0, ("quick",)), task("behind-slow", 8.0, ("slow",))]
    tasks = [*(both[::-1] if turned else both), *behind]
    first = {policy: tasks[int(np.argmin(scheduled(tasks, policy)[2][:2]))].name for policy in POLICIES}
    assert first == {
        "listed": "slow" if turned else "quick",
        "latest-start": "slow",
        "latest-finish": "quick",
    }


def test_who_waits_for_a_crew_has_the_one_who_held_it_as_cause():
    tasks = [
        task("long", 9.0, crews=("crane",)),
        task("quick", 2.0),
        task("waits", 3.0, ("quick",), ("crane",)),
    ]
    _, _, start, _, critical = scheduled(tasks)
    assert start.tolist() == [0.0, 0.0, 9.0]
    assert critical.tolist() == [1, 0, 1]


def test_crews_are_not_held_by_those_whose_calendar_is_closed():
    """A task that may not work yet leaves the crane to one that may."""
    tasks = [
        task("shut", 2.0, crews=("crane",), calendar="shut", not_before_d=3.0),
        task("open", 4.0, crews=("crane",), not_before_d=4.0),
    ]
    _, _, start, finish, _ = scheduled(tasks, "listed")
    assert (start[1], finish[1]) == (4.0, 8.0)
    assert start[0] == 15.0  # Tuesday 20 January, after the closure


def test_the_same_seed_gives_the_same_luck_to_a_shortened_network():
    tasks = [task("a", (2, 5, 9)), task("b", (2, 5, 9), ("a",))]
    ready = made(tasks)
    base = draw(ready, 500, 3).finish
    less = draw(ready, 500, 3, shorter=np.array([1.0, 0.0])).finish
    assert base[:, 1] - less[:, 1] == pytest.approx(np.ones(500), abs=1e-4)
    assert np.all(draw(ready, 500, 3).finish == base)


_BODY = """
import numpy as np
from networks import made, task
from aidc.design.construction.draws import draw
tasks = [
    task(f"t{k}", (1.0 + k % 3, 2.0 + k % 3, 9.0), tuple(f"t{j}" for j in range(k) if (k * 7 + j) % 5 == 0),
         [(), ("crane",), ("electrical", "electrical")][k % 3], ["weekdays", "short", "every-day"][k % 3], fail_frac=0.3 * (k % 2))
    for k in range(12)
]
found = draw(made(tasks, {"crane": 1, "electrical": 2}, {"x": 0.4}), 40, 9)
print(found.finish.tobytes().hex()[:4000], found.critical_frac.tobytes().hex())
"""


def test_the_compiled_kernel_does_what_its_python_body_does():
    told = []
    for plain in ("0", "1"):
        environment = {**os.environ, "NUMBA_DISABLE_JIT": plain}
        done = subprocess.run(
            [sys.executable, "-c", _BODY],
            cwd=Path(__file__).parent,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        told.append(done.stdout)
    assert told[0] == told[1]
    assert len(told[0]) > 3000
