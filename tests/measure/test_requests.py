"""What a run tells of a request, on rows made by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import polars as pl
import pytest

from aidc.measure.flexibility import requests
from aidc.measure.frames import frames_of

START = datetime(2025, 7, 7, tzinfo=UTC)


def at(minute: int) -> str:
    return (START + timedelta(minutes=minute)).isoformat()


def event(name: str, told: int, begin: int, end: int, **levels):
    empty = dict.fromkeys(("reduce_frac", "reduce_w", "limit_w", "withdrawn"))
    return {"name": name, "kind": "demand-response", "announced": at(told), "start": at(begin), "end": at(end), **empty, **levels}  # fmt: skip


def told(imports_mw, *events, **series):
    """Rows of a minute."""
    count = len(imports_mw)
    times = [START + timedelta(minutes=minute) for minute in range(count)]
    frame = pl.DataFrame(
        {
            "time": times,
            "grid_import_w": [1e6 * one for one in imports_mw],
            "cooling_w": [1e5] * count,
            **series,
        }
    )
    pods = pl.concat(
        [
            pl.DataFrame(
                {
                    "time": times,
                    "pod": "a",
                    "accelerator_w": [6e5 * one for one in imports_mw],
                    "tokens_output": [60.0 * one for one in imports_mw],
                }
            )
        ]
    )
    meta = {
        "start": START.isoformat(), "end": at(count), "step_s": 1.0, "steps": 60 * count, "output_step_s": 60.0,
        "timezone": "UTC", "events": list(events), "pods": {"a": {"rated_w": 1e7}}, "workloads": {}, "storage": {},
    }  # fmt: skip
    return requests(
        frames_of(SimpleNamespace(site={}, meta=meta, series=frame, pods=pods, events=pl.DataFrame()))
    )


def test_a_share_is_of_the_hour_before_the_announcement() -> None:
    """10 MW for an hour, 12 MW after the announcement, then 9 MW asked (10 % off 10) and 8 delivered."""
    found = told(
        [10.0] * 60 + [12.0] * 30 + [8.0] * 60 + [13.0] * 30, event("e", 60, 90, 150, reduce_frac=0.1)
    )["e"]
    assert found["baseline_mw"] == pytest.approx(10)
    assert found["level_mw"] == pytest.approx(9)
    assert found["asked_mw"] == pytest.approx(1)
    assert found["delivered_mw"] == pytest.approx(2)
    assert (found["intervals"], found["intervals_met"]) == (12, 12)
    assert found["overshoot_mw"] == 0
    assert found["rebound_mw"] == pytest.approx(3)
    assert found["latency_s"] == 60
    assert found["pods"]["a"]["power_frac"] == pytest.approx(0.2)
    assert found["pods"]["a"]["tokens_frac"] == pytest.approx(0.2)


def test_intervals_allow_two_percent_of_the_baseline_and_no_more() -> None:
    """Level 8 MW, allowed 8.2: three intervals at 8.19, one at 8.21."""
    found = told([10.0] * 60 + [8.19] * 15 + [8.21] * 5, event("e", 60, 60, 80, limit_w=8e6))["e"]
    assert (found["intervals"], found["intervals_met"]) == (4, 3)
    assert found["overshoot_mw"] == pytest.approx(0.21)


def test_rows_of_another_event_are_no_baseline() -> None:
    """40 minutes at 10 MW, 30 in an event at 4 MW, 20 at 11 MW: (40 x 10 + 20 x 11) / 60."""
    first = event("first", 40, 40, 70, limit_w=4e6)
    second = event("second", 90, 95, 100, reduce_w=1e6)
    found = told([10.0] * 40 + [4.0] * 30 + [11.0] * 30, first, second)["second"]
    assert found["baseline_mw"] == pytest.approx((40 * 10 + 20 * 11) / 60)
    assert found["asked_mw"] == pytest.approx(1)


def test_a_request_that_was_withdrawn_counts_to_then() -> None:
    found = told(
        [10.0] * 60 + [5.0] * 10 + [10.0] * 50, event("e", 60, 60, 120, limit_w=5e6, withdrawn=at(70))
    )["e"]
    assert found["intervals"] == found["intervals_met"] == 2
    assert found["delivered_mw"] == pytest.approx(5)


def test_without_requests_nothing_is_told() -> None:
    assert told([10.0] * 5) == {}
    assert told([10.0] * 5, {**event("x", 0, 1, 2, limit_w=1.0), "kind": "price-spike"}) == {}
