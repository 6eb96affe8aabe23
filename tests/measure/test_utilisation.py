"""Utilisation and headroom from the record: demand over capacity, batch over limit, idle shares, and the word."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from aidc.measure import summary
from aidc.measure.frames import frames_of
from aidc.measure.utilisation import utilisation

START = datetime(2025, 7, 7, 4, tzinfo=UTC)


def used(make_run, arrived, batch, *, shed=None, capacity=100.0, replicas=10):
    """A run of two pods of one service; tokens per minute and pod, batch per replica."""
    run = make_run(rows=len(arrived), kinds=("service", "service", "job", "idle"))
    names = ["p0", "p1"]
    run.meta["workloads"] = {
        "chat": {
            "kind": "service",
            "pods": names,
            "replicas": dict.fromkeys(names, replicas),
            "batch_limit": dict.fromkeys(names, 64.0),
            "capacity_tokens_per_s": dict.fromkeys(names, capacity),
        },
        "job-p2": {"kind": "job", "pods": ["p2"]},
    }
    for name, load in (("p0", "chat"), ("p1", "chat"), ("p2", "job-p2")):
        run.meta["pods"][name]["workload"] = load
    rows = pl.DataFrame(
        {
            "time": [START + timedelta(minutes=k) for k in range(len(arrived))] * 2,
            "pod": [name for name in names for _ in arrived],
            "tokens_arrived": [60.0 * value for value in arrived] * 2,
            "batch": [float(value) for value in batch] * 2,
            "shed_frac": [float(value) for value in (shed or [0] * len(arrived))] * 2,
        }
    )
    run.pods = run.pods.drop("tokens_arrived").join(rows, on=["time", "pod"], how="left").fill_null(0.0)
    return run


def chat(run):
    return utilisation(frames_of(run))["services"]["chat"]


def test_an_empty_service_says_what_is_idle(make_run):
    """5 of 100 tokens/s and pod: 5 % used, and of 20 replicas one suffices."""
    found = chat(used(make_run, [4, 5, 5, 6, 5], [0.25, 0.5, 1.0, 2.0, 0.25]))
    assert found["capacity_tokens_per_s"] == 200.0
    assert found["used_frac"] == pytest.approx(0.05)
    assert found["peak_used_frac"] == pytest.approx(0.06)
    assert found["idle_frac"] == pytest.approx((0.75 + 0.5 + 0 + 0 + 0.75) / 5)
    assert found["batch_peak_frac"] == pytest.approx(2 / 64)
    assert found["word"] == "5 % used, 6 % at the peak: 18 of 20 replicas idle even then"


def test_a_full_service_says_its_headroom(make_run):
    found = chat(used(make_run, [95, 95, 95], [40, 50, 60]))
    assert found["word"] == "95 % used, 95 % at the peak: 5 % headroom before the service level is missed"
    assert found["idle_frac"] == 0.0


def test_beyond_the_level_is_told(make_run):
    found = chat(used(make_run, [90, 120], [40, 64]))
    assert found["peak_used_frac"] == pytest.approx(1.2)
    assert "20 % beyond what the service level allows" in found["word"]
    assert "not met at any load" in chat(used(make_run, [90, 120], [40, 64], capacity=0.0))["word"]


def test_time_that_is_shed_is_not_idle(make_run):
    found = chat(used(make_run, [10, 10, 0, 0], [2, 2, 0, 0], shed=[0, 0, 1, 1]))
    assert found["idle_frac"] == 0.0


def test_pods_without_a_service_have_a_word_too(make_run):
    pods = utilisation(frames_of(used(make_run, [10, 10], [1, 1])))["pods"]
    assert pods["p2"]["word"].startswith("trains 100 % of the time")
    assert pods["p3"]["word"].startswith("idle: no workload, draws ")
    assert pods["p0"]["capacity_tokens_per_s"] == 100.0


def test_a_run_without_what_it_needs_has_no_figures(make_run):
    found = summary(make_run())["utilisation"]
    assert found["services"]["service-p0"]["capacity_tokens_per_s"] is None
    assert found["services"]["service-p0"]["word"] == ""
