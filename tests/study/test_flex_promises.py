"""What may be promised, on courses made by hand, against a programme over all starts and storages."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from scipy.optimize import linprog

from aidc.contract.samples import busy_site
from aidc.study.flexibility.course import Course
from aidc.study.flexibility.promise import HELD, feasible, promises

ROW_S = 300.0


def a_course(rows: int, seed: int, *, storage: bool = True, window: str = "event") -> Course:
    rng = np.random.default_rng(seed)
    view = replace(busy_site(), pod_flex_window=(window,) * 5)
    if not storage:
        view = replace(view, storages=(), storage_power_w=np.zeros(0), storage_energy_j=np.zeros(0))
    stores = len(view.storages)
    draw = rng.uniform(0.6e6, 1.3e6, (rows, 5))
    per_w = np.full((rows, 5), 1.3)
    return Course(
        view=view,
        start=datetime(2025, 7, 7, tzinfo=UTC),
        row_s=ROW_S,
        import_w=(draw * per_w).sum(axis=1) + 1e6,
        draw_w=draw,
        tokens_per_s=draw / 10.0,
        per_w=per_w,
        soc_frac=rng.uniform(0.2, 0.9, (rows, stores)),
        given_w=np.zeros((rows, stores)),
    )


def test_without_storage_a_promise_is_what_tiers_hold_through_all_but_one_start_in_twenty() -> None:
    """Tiers 1 to 3 give 10, 25 and 50 % of their draw but no more than the cap's floor of 0.3 MW leaves."""
    course = a_course(400, 1, storage=False)
    tier = np.array([0.0, 0.1, 0.25, 0.5, 0.0])
    room = np.minimum(tier * course.draw_w, course.draw_w - 0.3e6) * 1.3
    for one in promises(course, "UTC"):
        if one.hour >= 0:
            continue
        rows = round(one.duration_s / ROW_S)
        held = sorted(min(room[start : start + rows].sum(axis=1)) for start in range(400 - rows + 1))
        below = sum(value < one.promised_w * (1 - 1e-9) for value in held)
        assert below <= (1 - HELD) * len(held)
        assert one.promised_w == pytest.approx(held[int((1 - HELD) * (len(held) - 1))])
        assert sum(one.by_tier_w) == pytest.approx(one.promised_w)


def test_more_notice_and_shorter_events_never_promise_less() -> None:
    found = {(p.hour, p.duration_s, p.notice_s): p.promised_w for p in promises(a_course(400, 2), "UTC")}
    for (hour, duration, notice), watts in found.items():
        if hour < 0:
            assert found[(-1, 900.0, notice)] >= watts - 1e-6
            assert found[(-1, duration, 7200.0)] >= watts - 1e-6


def test_a_tier_over_a_day_gives_more_for_an_hour() -> None:
    event, day = (
        next(p for p in promises(a_course(400, 3, storage=False, window=w), "UTC") if p.hour < 0 and p.duration_s == 3600)
        for w in ("event", "day")
    )  # fmt: skip
    assert day.promised_w > 1.5 * event.promised_w


def programme(course: Course, first: int, rows: int, level_w: float) -> bool:
    """Perfect foresight as a linear programme: cut of each pod and discharge of the storages in each row."""
    tier = np.array([0.0, 0.1, 0.25, 0.5, 0.0])
    draw = course.draw_w[first : first + rows]
    most = np.concatenate([np.minimum(tier * draw, draw - 0.3e6), np.full((rows, 1), 4e6)], axis=1)
    usable = float((0.9 * (course.soc_frac[first - 1] - 0.1) * course.view.storage_energy_j).sum())
    needs = course.import_w[first : first + rows] - level_w
    per = np.array([1.3] * 5 + [1.0])
    over_rows = np.kron(np.eye(rows), per[None])
    energy = np.kron(np.ones((1, rows)), np.array([[0, 0, 0, 0, 0, ROW_S]]))
    done = linprog(
        np.zeros(6 * rows), A_ub=np.vstack([-over_rows, energy / 1e6]), b_ub=[*-needs, usable / 1e6],
        bounds=[(0, max(one, 0.0)) for one in most.ravel()], method="highs",
    )  # fmt: skip
    return bool(done.status == 0)


@pytest.mark.parametrize("seed", range(12))
def test_what_is_feasible_is_what_a_programme_with_perfect_foresight_finds(seed: int) -> None:
    course = a_course(120, seed)
    rng = np.random.default_rng(seed)
    verdicts = []
    for _ in range(8):
        first, rows = int(rng.integers(1, 60)), int(rng.integers(3, 48))
        level = float(course.import_w.mean()) * rng.uniform(0.3, 0.95)
        verdicts.append(feasible(course, first, rows, level, 0.0))
        assert verdicts[-1] == programme(course, first, rows, level)
    assert len(verdicts) == 8
