"""Work known by a measured cap sweep alone: at each measured cap the twin draws and does what was measured."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sites import document, loaded

from aidc.contract import Command, Knob, Point
from aidc.errors import InputError
from aidc.simulate import Twin
from aidc.simulate.compiling.compile import compile_site
from aidc.simulate.compiling.operating import CAPS, sweep_caps_w
from aidc.site import site_of

CAP_W = [100.0, 200.0, 250.0, 300.0, 350.0, 400.0]
POWER_W = [
    99.9,
    196.1,
    244.1,
    288.3,
    320.6,
    345.6,
]  # ft_llama_8b_dolly, arXiv 2507.00909, data/dvfs_sweep.csv
DONE = [0.0475, 0.15917, 0.17833, 0.1875, 0.19333, 0.19722]
CSV = "Workload,limit,each,rate\n" + "".join(
    f"{name},{cap},{power},{done}\n"
    for name, more in (("tuning", 1.0), ("other", 0.99))
    for cap, power, done in zip(CAP_W, POWER_W, [more * one for one in DONE], strict=True)
)


def body(**keys: object) -> dict:
    rack = {
        "use": "hgx-a100", "racks": 2, "chain": "ac", "cooling": "hall", "leakage_per_k": 0.0,
    }  # fmt: skip
    made = document({"a": rack}, minutes=10.0)
    made["jobs"] = {
        "tune": {
            "pods": ["a"], "start": "2025-07-07T00:00:00Z", "tokens_per_s": 1000.0,
            "sweep": {"cap_w": CAP_W, "power_w": POWER_W, "throughput": DONE},
            "checkpoint": {"period_min": 1e6, "duration_s": 1.0}, **keys,
        }
    }  # fmt: skip
    return made


def at_cap(twin: Twin, cap_w: float) -> tuple[float, float]:
    """Power of one accelerator and tokens per second of the job under a cap of each accelerator."""
    every = twin.view.upper[Knob.JOB_WIDTH]
    twin.apply([Command(Knob.POD_CAP_W, every * cap_w, 1e6, "")])
    twin.advance(5)
    seen = twin.observe().value
    return float(seen[Point.POD_ACCELERATOR_W][0] / every[0]), float(seen[Point.POD_TOKENS_PER_S][0])


@pytest.mark.parametrize(("cap_w", "power_w", "done"), list(zip(CAP_W, POWER_W, DONE, strict=True)))
def test_a_measured_cap_gives_the_measured_power_and_throughput(
    cap_w: float, power_w: float, done: float
) -> None:
    drawn_w, tokens_per_s = at_cap(Twin(compile_site(loaded(body()))), cap_w)
    assert drawn_w == pytest.approx(power_w, rel=2e-3)
    assert tokens_per_s == pytest.approx(1000.0 * done / DONE[-1], rel=2e-3)


@pytest.mark.parametrize("cap_w", [150.0, 225.0, 333.0])
def test_between_measured_caps_all_is_linear(cap_w: float) -> None:
    drawn_w, tokens_per_s = at_cap(Twin(compile_site(loaded(body()))), cap_w)
    assert drawn_w == pytest.approx(np.interp(cap_w, CAP_W, POWER_W), rel=2e-3)
    assert tokens_per_s == pytest.approx(1000.0 * np.interp(cap_w, CAP_W, DONE) / DONE[-1], rel=2e-3)


def test_below_the_lowest_measured_cap_nothing_is_set() -> None:
    assert at_cap(Twin(compile_site(loaded(body()))), 60.0)[0] == pytest.approx(POWER_W[0], rel=2e-3)


def test_of_many_caps_those_stay_that_tell_most() -> None:
    """A straight sweep with one bend keeps the bend, and its ends."""
    cap_w = np.linspace(100.0, 400.0, 31)
    shape = loaded(
        body(
            sweep={
                "cap_w": cap_w.tolist(),
                "power_w": (0.9 * cap_w).tolist(),
                "throughput": np.interp(cap_w, [100.0, 230.0, 400.0], [1.0, 9.0, 10.0]).tolist(),
            }
        )
    ).jobs["tune"].sweep  # fmt: skip
    assert shape is not None
    kept = sweep_caps_w(shape)
    assert kept.size == CAPS
    assert {100.0, 230.0, 400.0} <= set(np.round(kept, 9))


def test_a_sweep_may_lie_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "sweep.csv").write_text(CSV)
    columns = {"cap_w": "limit", "power_w": "each", "throughput": "rate", "workload": "Workload"}
    there = {"file": "sweep.csv", "workload": "tuning", "columns": columns}
    made = site_of(body(sweep=there), tmp_path / "site.toml").jobs["tune"].sweep
    assert made is not None
    assert (list(made.cap_w), list(made.power_w), list(made.throughput)) == (CAP_W, POWER_W, DONE)


@pytest.mark.parametrize(
    ("there", "text"),
    [
        (
            {"file": "sweep.csv", "columns": {"cap_w": "limit", "power_w": "each", "throughput": "rate"}},
            "no column",
        ),
        ({"file": "sweep.csv", "workload": "third"}, "tuning, other"),
        ({"file": "sweep.csv"}, "several workloads"),
        ({"file": "none.csv", "workload": "tuning"}, "none.csv"),
        ({"file": 3}, "CSV file"),
        ({"file": "sweep.csv", "cap_w": [1.0]}, "does not go with a file"),
    ],
)
def test_a_file_that_cannot_serve_is_refused_in_words(tmp_path: Path, there: dict, text: str) -> None:
    (tmp_path / "sweep.csv").write_text(CSV)
    columns = {"cap_w": "limit", "power_w": "each", "throughput": "rate", "workload": "Workload"}
    given = {"columns": columns, **there} if text != "no column" else {**there, "columns": {"cap_w": "watts"}}
    with pytest.raises(InputError) as caught:
        site_of(body(sweep=given), tmp_path / "site.toml")
    assert text in str(caught.value)


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ({"sweep": {"cap_w": [200.0, 100.0], "power_w": [90.0, 99.0], "throughput": [1.0, 2.0]}}, "rising order"),
        ({"sweep": {"cap_w": [100.0, 200.0], "power_w": [800.0, 900.0], "throughput": [1.0, 2.0]}}, "of one accelerator"),
        ({"sweep": {"cap_w": [100.0, 200.0], "power_w": [99.0, 190.0], "throughput": [2.0, 1.0]}}, "does less"),
        ({"sweep": {"cap_w": [100.0, 200.0], "power_w": [99.0], "throughput": [2.0, 1.0]}}, "at least 2"),
        ({"sweep": {"cap_w": [100.0, 700.0], "power_w": [99.0, 600.0], "throughput": [1.0, 2.0]}}, "400 W"),
        ({"tokens_per_s": None}, "tokens_per_s"),
        ({"use": "llama-3.1-8b"}, "one of them"),
    ],
)  # fmt: skip
def test_a_sweep_that_cannot_be_is_refused_with_a_remedy(keys: dict, text: str) -> None:
    made = body(**keys)
    made["jobs"]["tune"] = {key: value for key, value in made["jobs"]["tune"].items() if value is not None}
    with pytest.raises(InputError) as caught:
        loaded(made)
    assert text in str(caught.value)
