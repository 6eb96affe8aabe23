"""Deadlines: what is put off is made up for, missed or still open, and the run says which."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sites import document, loaded

from aidc.contract import Command, Knob
from aidc.errors import InputError
from aidc.simulate import Twin
from aidc.simulate.compiling.compile import compile_site
from aidc.simulate.deferral import Deferral
from aidc.study.site_run.run import run

RATE = 1000.0
START = datetime(2025, 7, 7, 12, tzinfo=UTC)


def body(total_s: float, deadline_s: float, **keys: object) -> dict:
    """A job that takes `total_s` of unhindered work and is due `deadline_s` after its start, in a run of ten minutes."""
    rack = {"use": "8xb200-liquid", "racks": 1, "chain": "dc", "cooling": "warm", "air_cooling": "hall"}
    made = document({"a": rack}, minutes=10.0)
    made["jobs"] = {
        "train": {
            "use": "llama-3.1-8b", "pods": ["a"], "start": START.isoformat(), "tokens_per_s": RATE,
            "total_tokens": RATE * total_s, "deadline": (START + timedelta(seconds=deadline_s)).isoformat(),
            "checkpoint": {"duration_s": 0.0}, **keys,
        }
    }  # fmt: skip
    return made


def account(made: dict, plan: Sequence[tuple[bool, int]]) -> tuple[dict, list[str]]:
    """The account of the job under a plan of pauses, and what was told."""
    twin = Twin(compile_site(loaded(made)))
    told: list[str] = []
    deferral = Deferral(twin.compiled, lambda _when, _kind, _name, text: told.append(text))
    for paused, steps in plan:
        twin.apply([Command(Knob.POD_PAUSE, np.array([float(paused)]), 1e6, "")])
        if not twin.done:
            deferral.feed(twin.advance(steps))
    return deferral.told()["train"], told


def test_a_pause_that_is_made_up_for_in_time() -> None:
    found, told = account(body(200, 400), [(False, 100), (True, 50), (False, 400)])
    assert found["put_off_tokens"] == pytest.approx(50 * RATE)
    assert found["made_up_tokens"] == pytest.approx(50 * RATE)
    assert found["met"] is True
    assert told == ["met"]


def test_a_pause_that_is_too_long_misses_the_deadline_by_what_is_left() -> None:
    found, told = account(body(200, 220), [(False, 100), (True, 50), (False, 400)])
    assert found["put_off_tokens"] == pytest.approx(50 * RATE)
    assert found["made_up_tokens"] == pytest.approx(20 * RATE)
    assert found["missed_tokens"] == pytest.approx(30 * RATE)
    assert found["late_tokens"] == pytest.approx(30 * RATE)
    assert found["met"] is False
    assert told == ["missed: 3e+04 of 2e+05 tokens are left"]


def test_a_start_that_is_put_off_is_counted_like_a_pause() -> None:
    found, _ = account(body(200, 400), [(True, 150), (False, 450)])
    assert found["put_off_tokens"] == pytest.approx(150 * RATE)
    assert found["made_up_tokens"] == pytest.approx(150 * RATE)
    assert found["met"] is True


def test_a_deadline_behind_the_end_of_the_run_leaves_the_account_open() -> None:
    found, told = account(body(1000, 2000), [(False, 100), (True, 100), (False, 400)])
    assert found["open_tokens"] == pytest.approx(100 * RATE)
    assert found["met"] is None
    assert told == []


def test_a_deadline_that_cannot_be_met_is_told_at_the_start_with_a_remedy() -> None:
    found, told = account(body(300, 200), [(False, 600)])
    assert found["possible"] is False
    assert found["met"] is False
    assert found["put_off_tokens"] == 0.0
    assert "cannot be met" in told[0]
    assert "move jobs.train.deadline" in told[0]


@settings(max_examples=12, deadline=None)
@given(
    st.lists(st.tuples(st.booleans(), st.integers(1, 200)), min_size=1, max_size=6),
    st.integers(50, 500),
    st.integers(60, 700),
    st.booleans(),
)
def test_what_is_put_off_is_made_up_for_missed_or_open(
    plan: list[tuple[bool, int]], total_s: int, deadline_s: int, faulty: bool
) -> None:
    """Made by the deadline plus missed is what was due; with failures and checkpoints of the job's own as well."""
    keys = {
        "faults": {"accelerator_mtbf_years": 2e-4, "restart_min": 0.2},
        "checkpoint": {"period_min": 1.0, "duration_s": 5.0},
    }
    found, _ = account(body(total_s, deadline_s, **(keys if faulty else {})), plan)
    sums = found["made_up_tokens"] + found["missed_tokens"] + found["open_tokens"]
    assert found["put_off_tokens"] == pytest.approx(sums, rel=1e-9, abs=1e-6)
    assert min(value for key, value in found.items() if key.endswith("_tokens")) >= 0.0
    if not any(paused for paused, _ in plan):
        assert found["put_off_tokens"] == pytest.approx(0.0, abs=1e-3)


def test_a_permanent_cap_puts_nothing_off() -> None:
    made = body(150, 400)
    made["pods"]["a"] |= {"power_cap_frac": 0.6, "leakage_per_k": 0.0}
    found, _ = account(made, [(False, 600)])
    assert found["put_off_tokens"] == pytest.approx(0.0, abs=1e-3 * 150 * RATE)


def test_a_run_tells_the_account(tmp_path: Path) -> None:
    made = body(200, 150)
    done = run(loaded(made), out=tmp_path / "run")
    assert done.summary["jobs"]["train"]["deferral"]["possible"] is False
    told = done.events.filter(kind="deadline")["message"].to_list()
    assert len(told) == 2
    again = run(tmp_path / "run" / "site.toml", out=tmp_path / "again")
    assert again.summary["jobs"]["train"]["deferral"] == done.summary["jobs"]["train"]["deferral"]


@pytest.mark.parametrize(
    ("change", "text"),
    [({"total_tokens": None}, "total_tokens"), ({"deadline": "2025-07-07T11:00:00Z"}, "before it starts")],
)
def test_a_deadline_that_says_nothing_is_refused(change: dict, text: str) -> None:
    made = body(200, 400, **change)
    made["jobs"]["train"] = {key: value for key, value in made["jobs"]["train"].items() if value is not None}
    with pytest.raises(InputError, match=text):
        loaded(made)
