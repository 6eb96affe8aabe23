"""What deciding costs: `decide` of the follower for 20 pods, idle and in an event, and an allocation to 10,000 jobs."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import cycle, islice

import numpy as np

from aidc.contract import Signal
from aidc.contract.samples import observations, site_of_tiers
from aidc.control.allocation import POLICIES, menu_of
from aidc.control.demand_response import DemandResponse, Options
from benchmarks.measure import Case

_MANY = 4000


def decide(*, asked: bool) -> dict[str, float]:
    """CPU microseconds of a decision for 20 pods of all tiers: the median and 95 of 100."""
    site = site_of_tiers(tuple(islice(cycle((0, 1, 2, 3)), 20)), storages=2, plants=2)
    follower = DemandResponse()
    follower.reset(site, Options(), np.random.default_rng(0))
    told = (Signal("ask", "demand-response", 0, 0, 2**40, limit_w=3e6),) if asked else ()
    seen = [replace(one, signals=told) for one in observations(site, 60.0, 1)][1:]
    spent = []
    for number, observation in enumerate(islice(cycle(seen), _MANY)):
        now = replace(observation, tick=60 * (number + 1))
        began = time.thread_time_ns()
        follower.decide(now)
        spent.append((time.thread_time_ns() - began) / 1e3)
    kept = np.array(spent[_MANY // 4 :])
    return {"median_us": float(np.median(kept)), "p95_us": float(np.quantile(kept, 0.95))}


def allocate() -> dict[str, float]:
    """CPU milliseconds of the least weighted loss over 10,000 jobs with a cap and two widths each, the menu included."""
    rng = np.random.default_rng(1)
    rows, share = 10_000, np.linspace(0.0, 0.5, 5)
    draw = rng.uniform(0.05, 3.0, rows) * 1e6
    steps = np.array([0.25, 0.5]) * np.ones((rows, 1))
    spent = []
    for _ in range(9):
        began = time.thread_time()
        menu = menu_of(
            draw,
            rng.choice([0.0, 0.1, 0.25, 0.5], rows),
            cut_w=share * draw[:, None],
            slow_frac=share**1.5 * np.ones((rows, 1)),
            step_cut_w=0.9 * steps * draw[:, None],
            step_slow_frac=steps,
            price_usd_per_mwh=rng.uniform(20.0, 900.0, rows),
        )
        POLICIES["least-loss"](menu, 0.4 * float(menu.deepest_w.sum()))
        spent.append(1e3 * (time.thread_time() - began))
    return {"least_ms": min(spent), "median_ms": float(np.median(spent))}


CASES: dict[str, Case] = {
    "control-decide-idle": lambda: decide(asked=False),
    "control-decide-event": lambda: decide(asked=True),
    "control-allocate-10k": allocate,
}
