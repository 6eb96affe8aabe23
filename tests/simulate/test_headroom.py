"""The capacity within the service level is where a run's attainment falls below 99 %."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from sites import document, loaded

from aidc.study.site_run.run import run

PODS = {
    "a": {"use": "gb200-nvl72", "racks": 1, "chain": "dc", "cooling": "warm", "air_cooling": "hall"},
    "b": {"use": "dgx-h100", "racks": 4, "chain": "ac", "cooling": "hall"},
}


def served(tokens_per_s, **keys):
    body = document(PODS, minutes=4.0, step_s=2.0)
    body["services"] = {
        "chat": {
            "use": "llama-3.1-70b",
            "precision": "fp8",
            "pods": ["a", "b"],
            "batch_limit": 128,
            "slo": {"ttft_p99_s": 2.0, "itl_p99_ms": 60.0},
            "demand": {"use": "constant", "output_tokens_per_s": tokens_per_s},
            **keys,
        }
    }
    with tempfile.TemporaryDirectory() as folder:
        made = run(loaded(body), out=Path(folder) / "run")
    return made.summary


@pytest.mark.parametrize("itl_ms", [60.0, 400.0])
def test_the_level_holds_below_the_capacity_and_not_above(itl_ms):
    slo = {"ttft_p99_s": 2.0, "itl_p99_ms": itl_ms}
    first = served(1000.0, slo=slo)["utilisation"]["services"]["chat"]
    capacity = first["capacity_tokens_per_s"]
    assert first["used_frac"] == pytest.approx(1000.0 / capacity, rel=1e-6)
    below, above = (served(share * capacity, slo=slo) for share in (0.99, 1.02))
    assert below["services"]["chat"]["slo_attainment"] >= 0.99
    missed = above["services"]["chat"]["slo_attainment"] < 0.99 or above["tokens"]["queued"] > 0
    assert missed
    assert below["utilisation"]["services"]["chat"]["peak_used_frac"] == pytest.approx(0.99, rel=1e-6)
