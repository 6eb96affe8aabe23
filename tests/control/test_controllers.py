"""Every shipped controller keeps the contract, on any signals, and does what it is for."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aidc.contract import Knob, Point, Signal, admit
from aidc.contract.requests import lowest
from aidc.contract.samples import busy_site, observations
from aidc.contract.suite import check_controller
from aidc.control.demand_response import DemandResponse, Options
from aidc.control.find import _SHIPPED
from aidc.control.following.baseline import Baseline
from aidc.control.peak_shaving import PeakShaving
from aidc.control.thresholds import PriceThreshold

READY = sorted(set(_SHIPPED) - {"schedule"})  # that one needs a file: tests/study/test_plan.py
OPTIONS = [
    ("demand-response", {}),
    ("demand-response", {"policy": "least-loss", "precool_k": 1.0, "margin_frac": 0.0}),
    ("demand-response", {"policy": "round-robin", "meter_correction": False}),
    ("peak-shaving", {"target_mw": 4.0, "use_pods": True}),
    ("peak-shaving", {}),
    ("price-threshold", {"above": 40.0, "below": 20.0}),
    ("carbon-threshold", {"above": 10.0}),
]


@pytest.mark.parametrize(("name", "options"), OPTIONS, ids=[f"{n} {sorted(o)}" for n, o in OPTIONS])
def test_every_shipped_controller_keeps_the_contract(name, options) -> None:
    check_controller(_SHIPPED[name], options)


def test_no_shipped_controller_is_left_out() -> None:
    assert {name for name, _ in OPTIONS} == set(READY)


levels = st.floats(-2, 3) | st.just(math.nan) | st.just(math.inf)
signals = st.builds(
    Signal,
    name=st.sampled_from(["a", "b", "c"]),
    kind=st.sampled_from(["demand-response", "emergency", "import-limit", "price-spike", "supply-outage", "??"]),
    announced_tick=st.integers(-100, 900),
    start_tick=st.integers(-500, 900),
    end_tick=st.integers(-500, 900) | st.just(2**60),
    reduce_frac=levels,
    limit_w=levels.map(lambda one: one * 4e6),
    reduce_w=levels.map(lambda one: one * 1e6),
    price_usd_per_mwh=levels,
)  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(told=st.lists(st.lists(signals, max_size=3), min_size=12, max_size=12), seed=st.integers(0, 99))
@pytest.mark.parametrize("name", READY)
def test_signals_that_contradict_repeat_vanish_or_make_no_sense_never_break_a_command(
    name, told, seed
) -> None:
    """Contradictory, past, endless, of no length, withdrawn between two observations, NaN and infinite."""
    site = busy_site()
    kind = _SHIPPED[name]
    controller = kind()
    controller.reset(site, kind.Options(), np.random.default_rng(0))
    held = {knob: np.full(len(site.rows(knob)), np.nan) for knob in Knob}
    for observation, now in zip(observations(site, 60.0, seed), told, strict=False):
        commands = controller.decide(replace(observation, signals=tuple(now)))
        admitted, _ = admit(commands, site, held, 60.0)
        for command in admitted.values():
            assert not np.isinf(command.value).any()
        caps = admitted.get(Knob.POD_CAP_W)
        if caps is not None:
            assert np.isnan(caps.value[0])  # tier 0 is never touched, whatever is asked


def test_peak_shaving_gives_what_is_above_its_target_and_charges_below() -> None:
    site = busy_site()
    controller = PeakShaving()
    controller.reset(site, PeakShaving.Options(target_mw=4.0, charge_below_mw=3.0), np.random.default_rng(0))
    template = list(observations(site, 60.0, 3))[1]

    def stored(import_mw: float) -> float:
        value = {
            **template.value,
            Point.GRID_IMPORT_W: np.array([import_mw * 1e6]),
            Point.STORAGE_W: np.zeros(2),
            Point.STORAGE_SOC_FRAC: np.full(2, 0.5),
        }
        (command,) = controller.decide(replace(template, value=value))
        return float(command.value.sum())

    assert stored(5.5) == pytest.approx(-1.5e6)
    assert stored(9.0) == pytest.approx(-4e6)  # all there is
    assert stored(3.5) == 0.0
    assert stored(2.2) == pytest.approx(0.8e6)


def test_a_price_acts_only_while_it_is_there() -> None:
    site = busy_site()
    controller = PriceThreshold()
    controller.reset(site, PriceThreshold.Options(above=500.0), np.random.default_rng(0))
    for observation in observations(site, 60.0, 3):
        spike = Signal("dear", "price-spike", 0, 0, 10_000, price_usd_per_mwh=900.0)
        calm = replace(observation, signals=(spike,))
        assert controller.decide(calm) == []  # announced, and the price is what it was
        value = {**observation.value, Point.PRICE_USD_PER_MWH: np.array([900.0])}
        assert (
            controller.decide(replace(calm, value=value))
            or np.isnan(observation.value[Point.POD_UNCAPPED_W]).all()
        )


def test_the_baseline_is_the_last_hour_without_an_event() -> None:
    """4 MW for an hour, 9 MW in an event of half an hour, 5 MW for a quarter: (45 x 4 + 15 x 5) / 60."""
    site = busy_site()
    kept = Baseline(site.step_s)
    template = next(iter(observations(site, 60.0, 1)))
    first = Signal("first", "emergency", 3600, 3600, 5400, limit_w=1e6)
    second = Signal("second", "demand-response", 6300, 7000, 9000, reduce_frac=0.5)
    for minute in range(107):
        told = tuple(one for one in (first, second) if one.announced_tick <= minute * 60)
        level = 4e6 if minute <= 60 else 9e6 if minute <= 90 else 5e6
        kept.see(replace(template, tick=minute * 60, signals=told), level)
    assert kept.by_name["second"] == pytest.approx((45 * 4e6 + 15 * 5e6) / 60)
    assert lowest([second], 7000, kept.by_name)[1] == pytest.approx(0.5 * (45 * 4e6 + 15 * 5e6) / 60)


def test_an_emergency_may_pause_flexible_work_and_never_tier_0() -> None:
    site = busy_site()
    controller = DemandResponse()
    controller.reset(site, Options(use_storage=False), np.random.default_rng(0))
    ask = Signal("dark", "emergency", 0, 0, 10_000, limit_w=0.0)
    paused = [
        command.value
        for observation in observations(site, 60.0, 3)
        for command in controller.decide(replace(observation, signals=(ask,)))
        if command.knob is Knob.POD_PAUSE
    ]
    assert paused
    assert all((one[1:4] == 1.0).all() and np.isnan(one[0]) for one in paused)
