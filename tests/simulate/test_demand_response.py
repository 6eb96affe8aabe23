"""The demand-response controller: reduces to what was asked, in time, by tier; and lets go again."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sites import document, loaded

from aidc.contract import Knob, Observation, Point, Signal
from aidc.contract.samples import bare_site, busy_site, missing, observations
from aidc.control.demand_response import DemandResponse, Options
from aidc.study.site_run.run import run

START, NOTICE, LENGTH = 15, 5, 15  # minutes


def site(reduce_frac: float, tiers=(0, 1, 3), *, storage: bool = False, margin_frac: float = 0.03, **event):
    """Saturated pods of each tier, and a request from the 15th to the 30th minute of 45."""
    rack = {"use": "8xb200-liquid", "racks": 10, "chain": "dc", "cooling": "warm", "air_cooling": "hall"}
    body = document({f"p{tier}": dict(rack) for tier in tiers}, minutes=45.0)
    body["scenario"] |= {"step_s": 1, "output_step_s": 60}
    demand = {"use": "constant", "output_tokens_per_s": 1e8}
    body["services"] = {
        f"s{tier}": {"use": "llama-3.1-8b", "pods": [f"p{tier}"], "flex_tier": tier, "demand": demand}
        for tier in tiers
    }
    if storage:
        body["storage"] = {
            "yard": {"use": "lfp-site", "power_mw": 5, "energy_mwh": 10, "soc_initial_frac": 0.95, "rule": {"use": "reserve"}}
        }  # fmt: skip
    asked = event or {"reduce_frac": reduce_frac}
    body["scenario"]["events"] = [
        {
            "use": "demand-response", "name": "ask", "start": f"2025-07-07T12:{START}:00Z",
            "notice_min": NOTICE, "duration_min": LENGTH, **asked,
        }
    ]  # fmt: skip
    body["control"] = {"use": "demand-response", "period_s": 60, "options": {"margin_frac": margin_frac}}
    return loaded(body)


def minutes(frame: pl.DataFrame, column: str) -> np.ndarray:
    return frame[column].to_numpy()


@pytest.fixture
def played():
    folder = Path(tempfile.mkdtemp())

    def play(made_of):
        made = run(made_of, out=folder / "run")
        _ = made.series, made.pods
        return made

    yield play
    shutil.rmtree(folder)


def by_pod(made, column: str) -> dict[str, np.ndarray]:
    return {
        str(name): minutes(frame, column) for (name,), frame in made.pods.group_by("pod", maintain_order=True)
    }


def test_the_import_falls_to_what_was_asked_within_a_few_minutes_and_comes_back(played) -> None:
    made = played(site(0.10))
    drawn = minutes(made.series, "grid_import_w")
    before = drawn[START - NOTICE - 5 : START - NOTICE].mean()
    held = drawn[START + 3 : START + LENGTH]
    assert held.max() <= 0.90 * before
    assert held.min() >= 0.80 * before  # and not far below it
    assert drawn[START - 1] == pytest.approx(before, rel=0.02)  # nothing happens on the notice alone
    assert drawn[START + LENGTH + 4 :].min() >= 0.98 * before
    told = made.events.filter(made.events["kind"] == "command")
    assert told["message"].str.contains("ask: import").all()
    assert made.summary["tokens"]["output"] > 0


def test_an_absolute_limit_is_held_too(played) -> None:
    made = played(site(0, limit_mw=2.3))
    drawn = minutes(made.series, "grid_import_w")
    assert drawn[START - 1] > 2.5e6
    assert drawn[START + 3 : START + LENGTH].max() <= 2.3e6


def test_tiers_give_what_they_tolerate_and_tier_0_gives_nothing(played) -> None:
    made = played(site(0.9))  # more than all of them can give
    power = by_pod(made, "accelerator_w")
    for tier, tolerated in ((0, 0.0), (1, 0.10), (3, 0.50)):
        mine = power[f"p{tier}"]
        before, held = mine[START - 1], mine[START + 3 : START + LENGTH].min()
        assert held >= (1 - tolerated - 0.01) * before, tier
        assert held <= (1 - tolerated + 0.02) * before, tier
        assert mine[-1] >= 0.98 * before


def test_the_storage_goes_first_and_work_is_left_alone(played) -> None:
    made = played(site(0.15, storage=True))
    drawn, power = minutes(made.series, "grid_import_w"), by_pod(made, "accelerator_w")
    before = drawn[START - 1]
    assert drawn[START + 3 : START + LENGTH].max() <= 0.86 * before
    for mine in power.values():
        assert mine[START + 3 : START + LENGTH].min() >= 0.98 * mine[START - 1]
    assert minutes(made.series, "storage.yard.discharge_w")[START + 3] > 0


def decided(controller: DemandResponse, observation: Observation) -> dict[Knob, np.ndarray]:
    return {command.knob: command.value for command in controller.decide(observation)}


def fresh(view, **options) -> DemandResponse:
    controller = DemandResponse()
    controller.reset(view, Options(**options), np.random.default_rng(0))
    return controller


def test_pods_are_told_something_in_force_and_while_load_comes_back_alone() -> None:
    controller, told = fresh(busy_site(), prepare_min=0.0, snap_back_frac_per_min=1e3), []
    for observation in observations(busy_site(), 60.0, 3):
        asked = [s for s in observation.signals if s.kind == "demand-response"]
        active = any(s.start_tick <= observation.tick < s.end_tick for s in asked)
        commands = controller.decide(observation)
        assert not active or commands
        told += [(active, command) for command in commands]
    assert all(command.valid_s == 120.0 for _, command in told)
    outside = [command.knob for active, command in told if not active]
    assert outside.count(Knob.POD_CAP_W) <= 1  # the last period before the load is back


def test_before_anything_is_announced_it_says_nothing() -> None:
    view, controller = busy_site(), fresh(busy_site())
    for observation in observations(view, 60.0, 3):
        if not observation.signals:
            assert controller.decide(observation) == []


def test_tier_0_is_never_capped_and_others_within_their_tolerance() -> None:
    view = replace(
        busy_site(), pod_flex_window=("event",) * 5, pod_kind=()
    )  # what would be drawn: as measured
    controller = fresh(view, use_storage=False)
    for observation in observations(view, 60.0, 3):
        caps = decided(controller, observation).get(Knob.POD_CAP_W)
        if caps is None:
            continue
        draw = observation.value[Point.POD_UNCAPPED_W]
        tolerated = np.array([0.0, 0.10, 0.25, 0.50])[np.array(view.pod_flex_tier)]
        assert np.isnan(caps[tolerated == 0]).all()
        flexible = tolerated > 0
        assert (caps[flexible] >= ((1 - tolerated) * draw)[flexible] - 1e-6).all()


def test_storage_can_be_left_out_and_may_be_absent() -> None:
    for view, options in ((busy_site(), {"use_storage": False}), (bare_site(), {})):
        controller = fresh(view, **options)
        for observation in observations(view, 60.0, 3):
            assert Knob.STORAGE_W not in decided(controller, observation)


def test_where_nothing_is_short_nothing_is_capped() -> None:
    view = busy_site()
    controller = fresh(view, margin_frac=0.0)
    ask = Signal("ample", "demand-response", 0, 0, 10_000, limit_w=1e9)
    for observation in observations(view, 60.0, 3):
        caps = decided(controller, replace(observation, signals=(ask,))).get(Knob.POD_CAP_W)
        if caps is not None:
            flexible = np.array(view.pod_flex_tier) > 0
            assert (caps[flexible] == view.default[Knob.POD_CAP_W][flexible]).all()


def test_without_a_measured_import_it_leaves_what_holds() -> None:
    view = busy_site()
    controller = fresh(view)
    for observation in observations(view, 60.0, 3):
        assert controller.decide(missing(observation, Point.GRID_IMPORT_W)) == []


def test_the_baseline_is_the_mean_before_the_announcement() -> None:
    view = busy_site()
    controller = fresh(view, margin_frac=0.0, use_storage=False)
    template = list(observations(view, 60.0, 3))[1]

    def seen(tick: int, import_w: float, *signals: Signal) -> Observation:
        value = {**template.value, Point.GRID_IMPORT_W: np.array([import_w])}
        return replace(template, tick=tick, value=value, signals=signals)

    ask = Signal("a", "demand-response", 120, 240, 600, reduce_frac=0.5)
    controller.decide(seen(60, 4e6))
    controller.decide(seen(120, 6e6, ask))  # announced at the end of this window, which counts
    controller.decide(seen(180, 9e6, ask))  # told already: what comes now is no baseline
    controller.decide(seen(240, 9e6, ask))
    assert controller._asked(seen(240, 9e6, ask))[1] == pytest.approx(2.5e6)
    late = Signal("late", "demand-response", 270, 240, 600, reduce_frac=0.5)
    controller.decide(seen(300, 9e6, late))  # announced within this window, which does not count
    assert controller._asked(seen(300, 9e6, late))[1] == pytest.approx(0.5 * (4e6 + 6e6 + 9e6 + 9e6) / 4)
    limit = Signal("b", "demand-response", 0, 0, 600, limit_w=3e6)
    assert controller._asked(seen(240, 9e6, limit))[1] == pytest.approx(3e6)


def test_a_share_of_what_was_never_measured_has_no_level() -> None:
    controller = fresh(busy_site())
    first = Signal("c", "demand-response", 0, 0, 9000, reduce_frac=0.1)
    for observation in observations(busy_site(), 60.0, 3):
        assert controller.decide(replace(observation, signals=(first,))) == []
