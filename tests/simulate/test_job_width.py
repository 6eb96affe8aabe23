"""Elastic jobs in the twin: what a width makes, what a change of it costs, and that nothing else is lost."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sites import document, loaded

from aidc.contract import Command, Knob, Point
from aidc.errors import InputError
from aidc.simulate import Twin
from aidc.simulate.compiling.compile import compile_site

RATE = 6400.0  # tokens/s of the whole job
STOP, RESTART, LOADING = 7.0, 5.0, 9.0


def body(**keys: object) -> dict:
    rack = {
        "use": "8xb200-liquid", "racks": 1, "chain": "dc", "cooling": "warm", "air_cooling": "hall",
        "leakage_per_k": 0.0,
    }  # fmt: skip
    made = document({"a": dict(rack), "b": dict(rack)}, minutes=30.0)
    made["jobs"] = {
        "train": {
            "use": "llama-3.1-8b", "pods": ["a", "b"], "start": "2025-07-07T00:00:00Z", "tokens_per_s": RATE,
            "checkpoint": {"period_min": 1e6, "duration_s": 1.0}, "communication_power_frac": 0.8, "compute_power_frac": 0.8,
            "width": {
                "min": 0, "step": 8, "stop_s": STOP, "restart_s": RESTART, "loading_s": LOADING,
                "loading_power_frac": 0.4,
            },
            **keys,
        }
    }  # fmt: skip
    return made


def twin_of(**keys: object) -> Twin:
    made = body(**{key: value for key, value in keys.items() if value is not None})
    if keys.get("width", True) is None:
        del made["jobs"]["train"]["width"]
    return Twin(compile_site(loaded(made)))


def ask(twin: Twin, share: float) -> None:
    every = twin.view.upper[Knob.JOB_WIDTH]
    twin.apply([Command(Knob.JOB_WIDTH, np.round(share * every / 8) * 8.0, 1e6, "")])


@settings(max_examples=8, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]), st.integers(1, 60)), min_size=1, max_size=6
    )
)
def test_tokens_are_those_of_the_steps_in_which_it_works_on_what_it_holds(
    plan: list[tuple[float, int]],
) -> None:
    """Whatever is asked, and however soon something else: nothing is gained and nothing lost but the phases."""
    twin = twin_of()
    every = float(twin.view.upper[Knob.JOB_WIDTH][0])
    due = 0.0
    for share, steps in plan:
        ask(twin, share)
        for _ in range(steps):
            twin.advance(1)
            seen = twin.observe().value
            due += RATE * seen[Point.JOB_WORKING][0] * seen[Point.JOB_WIDTH][0] / every
    assert twin.observe().value[Point.JOB_TOKENS][0] == pytest.approx(due, rel=1e-9, abs=1e-6)


@pytest.mark.parametrize("share", [0.25, 0.5, 0.75])
def test_a_change_costs_its_phases_and_no_second_more(share: float) -> None:
    twin = twin_of()
    twin.advance(100)
    ask(twin, share)
    twin.advance(200)
    ask(twin, 1.0)
    twin.advance(200)
    lost_s = STOP + RESTART + LOADING
    due = RATE * (100 + share * (200 - lost_s) + (200 - lost_s))
    assert twin.observe().value[Point.JOB_TOKENS][0] == pytest.approx(due, rel=1e-9)


def test_each_phase_draws_what_is_said_and_the_rest_idles() -> None:
    twin = twin_of()
    site = loaded(body())
    chip, rack = site.pods["a"].accelerator, site.pods["a"].rack
    every = float(twin.view.upper[Knob.JOB_WIDTH][0])
    twin.advance(10)
    ask(twin, 0.25)

    def drawn(steps: int) -> float:
        twin.advance(steps)
        return float(twin.observe().value[Point.POD_ACCELERATOR_W].sum())

    levels = twin.compiled.params.job_levels[:, 0]
    idle_w = 0.75 * every * rack.accelerator_idle_w
    assert drawn(int(STOP)) == pytest.approx(every * chip.tdp_w * levels[3], rel=1e-9)
    assert drawn(int(RESTART)) == pytest.approx(0.25 * every * chip.tdp_w * levels[4] + idle_w, rel=1e-9)
    assert drawn(int(LOADING)) == pytest.approx(0.25 * every * chip.tdp_w * 0.4 + idle_w, rel=1e-9)
    assert drawn(20) == pytest.approx(0.25 * every * chip.tdp_w * 0.8 + idle_w, rel=1e-3)


def test_a_width_fills_the_pods_one_after_the_other() -> None:
    twin = twin_of()
    ask(twin, 0.75)
    twin.advance(60)
    tokens = twin.observe().value[Point.POD_TOKENS_PER_S]
    assert tokens == pytest.approx([RATE / 2, RATE / 4], rel=1e-9)


def test_a_pod_that_the_job_does_not_hold_may_pause() -> None:
    twin = twin_of()
    ask(twin, 0.5)
    twin.apply([Command(Knob.POD_PAUSE, np.array([0.0, 1.0]), 1e6, "")])
    twin.advance(60)
    assert twin.observe().value[Point.JOB_TOKENS][0] == pytest.approx(60 * RATE / 2, rel=1e-9)


def test_widths_between_the_steps_and_below_the_least_are_changed_and_told() -> None:
    twin = twin_of(width={"min": 32, "step": 32})
    every = float(twin.view.upper[Knob.JOB_WIDTH][0])
    for asked, held, why in ((33.0, 32.0, "step"), (1.0, 32.0, "range"), (every + 1, every, "range")):
        (clip,) = twin.apply([Command(Knob.JOB_WIDTH, np.array([asked]), 60.0, "")])
        assert (clip.row, clip.asked, clip.given) == ("train", asked, held)
        assert clip.why.startswith(why)
        assert "jobs.train.width" in clip.why
        assert "steps of 32" in clip.why


def test_a_job_that_is_not_elastic_says_what_would_make_it_so() -> None:
    twin = twin_of(width=None)
    (clip,) = twin.apply([Command(Knob.JOB_WIDTH, np.array([8.0]), 60.0, "")])
    assert clip.given == twin.view.upper[Knob.JOB_WIDTH][0]
    assert "give jobs.train.width a min and a step" in clip.why


@pytest.mark.parametrize(
    ("width", "key", "text"),
    [
        ({"min": 10, "step": 8}, "width.min", "Give 8 or 16."),
        ({"min": 8000, "step": 8}, "width.min", "accelerators of the job"),
        ({"min": 0, "step": 8000}, "width.step", "those of a server"),
        ({"step": 8}, "width.min", ""),
    ],
)
def test_a_width_that_a_job_cannot_have_is_refused_with_a_remedy(width: dict, key: str, text: str) -> None:
    with pytest.raises(InputError) as caught:
        loaded(body(width=width))
    assert f"jobs.train.{key}" in str(caught.value)
    assert text in str(caught.value)
