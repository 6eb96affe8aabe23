"""Random grid events on the example campus: were they met, could they have been, and what did they cost?"""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from aidc.contract import Point
from aidc.control.demand_response import DemandResponse, Options
from aidc.schema.event import event_of
from aidc.simulate import Twin, compile_site
from aidc.site import load
from aidc.study.flexibility.course import Course, course_of
from aidc.study.flexibility.promise import feasible, promises

CAMPUS = Path(__file__).parents[2] / "examples" / "campus-100mw" / "site.toml"
ALLOWED_FRAC, RAMP_S, MET_FRAC = 0.02, 60, 0.95
DAYS = 28


@lru_cache(maxsize=2)
def base(day: int):
    """The campus over two days and a half from one of the month's, its storage kept for outages; its free course."""
    start = load(CAMPUS).scenario.start + timedelta(days=day)
    settings = [
        "scenario.days=2.5", f"scenario.start={start.isoformat()}", 'storage.yard.rule={use="reserve"}',
    ]  # fmt: skip
    site = load(CAMPUS, settings)
    course = course_of(site)
    return site, course, promises(course, site.site.location.timezone)


def drawn(seed: int) -> dict[str, Any]:
    """An event: to 40 %, notice 10 s to 2 h, 10 min to 10 h, at any time of the second day of a drawn start."""
    rng = np.random.default_rng(seed)
    return {
        "day": int(rng.integers(0, DAYS)),
        "start_s": int(rng.uniform(24, 48) * 3600),
        "reduce_frac": float(rng.uniform(0.02, 0.40)),
        "notice_s": int(np.exp(rng.uniform(np.log(10), np.log(7200)))),
        "duration_s": int(np.exp(rng.uniform(np.log(600), np.log(36_000)))) // 60 * 60,
    }


def judged(seed: int, policy: str) -> dict[str, Any]:
    """What came of one event under one policy, all figures at the meter."""
    event = drawn(seed)
    site, course, table = base(event["day"])
    first_s = event["start_s"]
    row = course.row_s
    told_row = int((first_s - event["notice_s"]) // row)
    hour = max(1, round(3600.0 / row))
    baseline_w = float(course.import_w[max(0, told_row - hour) : told_row].mean())
    level_w = (1.0 - event["reduce_frac"]) * baseline_w
    first, rows = int(first_s // row), max(1, round(event["duration_s"] / row))
    rows = min(rows, course.rows - first)
    possible = feasible(course, first, rows, level_w + ALLOWED_FRAC * baseline_w, event["notice_s"])
    asked_w = float(course.import_w[first : first + rows].max()) - level_w - ALLOWED_FRAC * baseline_w
    with_w, with_tokens = _played(site, course, event, policy)
    free_tokens = float(course.tokens_per_s[first : first + rows].sum()) * row
    inside = with_w[RAMP_S // 60 : event["duration_s"] // 60]
    whole = inside[: len(inside) // 5 * 5].reshape(-1, 5).mean(axis=1)
    met = float((whole <= level_w + ALLOWED_FRAC * baseline_w).mean()) if len(whole) else 1.0
    after = with_w[event["duration_s"] // 60 :]
    free_after = np.repeat(course.import_w[first + rows :], round(row / 60))[: len(after)]
    return {
        **event,
        "possible": possible,
        "foretold": asked_w <= _promised(table, event),
        "met": met >= MET_FRAC,
        "met_frac": met,
        "overshoot_frac": float(max(0.0, inside.max(initial=0.0) - level_w) / baseline_w),
        "tokens_frac": 1.0 - with_tokens / free_tokens,
        "rebound_frac": float((after[: len(free_after)] - free_after).max(initial=0.0) / baseline_w),
    }


def _promised(table, event: dict[str, Any]) -> float:
    """What `aidc flex` promises for a duration as long or longer and a notice as short or shorter, at any hour."""
    fits = [
        one.promised_w
        for one in table
        if one.hour < 0 and one.duration_s >= event["duration_s"] and one.notice_s <= event["notice_s"]
    ]
    return max(fits, default=0.0)


def _played(site, course: Course, event: dict[str, Any], policy: str) -> tuple[np.ndarray, float]:
    """Import a minute from the start to two hours after the end [W], and tokens made in the event."""
    asked = event_of(
        {
            "use": "demand-response", "name": "drawn", "reduce_frac": event["reduce_frac"],
            "start": site.scenario.start + timedelta(seconds=event["start_s"]),
            "notice_s": event["notice_s"], "duration_min": event["duration_s"] / 60,
        }
    )  # fmt: skip
    scenario = site.scenario.model_copy(update={"events": (asked,)})
    twin = Twin(compile_site(site.model_copy(update={"scenario": scenario})))
    follower = DemandResponse()
    follower.reset(course.view, Options(policy=policy), np.random.default_rng(0))
    found, tokens = list[float](), 0.0
    last_s = event["start_s"] + event["duration_s"]
    while twin.tick < last_s + 7200 and not twin.done:
        twin.apply(follower.decide(twin.observe()))
        calm = twin.tick < event["start_s"] - event["notice_s"] - 3600
        steps = (
            300
            if calm
            else min(60, *(s - twin.tick for s in (event["start_s"], last_s) if s > twin.tick), 60)
        )
        twin.advance(steps)
        if twin.tick > event["start_s"]:
            value = twin.observe().value
            found.append(float(value[Point.GRID_IMPORT_W][0]))
            if twin.tick <= last_s:
                tokens += steps * float(value[Point.POD_TOKENS_PER_S].sum())
    return np.array(found), tokens
