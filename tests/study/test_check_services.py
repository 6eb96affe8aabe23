"""Frequency services: who gives what, how fast, and when a storage runs out."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from aidc.measure.grid.services import step_response
from aidc.schema.code import FrequencyService
from aidc.schema.disturbance import FrequencyStep
from aidc.schema.grid_service import GridService
from aidc.simulate.transient.start import operating_point
from aidc.simulate.transient.window import open_window
from aidc.site import load
from aidc.study.grid_check.service_cases import offered_service, run_service

SITE = Path(__file__).parents[2] / "examples" / "interconnection" / "fails-oscillation.toml"
STEP = Fraction(1, 100)
FAST = FrequencyService(
    rule="frequency-service",
    clause="fast",
    deviation_hz=(0.015, 0.2, 0.5),
    response_frac=(0.0, 0.05, 1.0),
    full_s=1.0,
    duration_s=120.0,
    nominal_hz=50,
)


@pytest.fixture(scope="module")
def site():
    return load(SITE, ["grid.frequency_hz=50", "grid.export_limit_mw=100", "storage.yard.power_mw=20"])


@pytest.fixture(scope="module")
def point(site):
    return operating_point(site, duration_s=600)


@pytest.fixture
def without_the_day(monkeypatch):
    monkeypatch.setattr("aidc.study.grid_check.service_cases._day_at_hand", lambda: False)


def serving(site, **shares):
    offer = GridService(offered_mw=10, deviation_hz=(0.0, 0.5), response_frac=(0.0, 1.0), **shares)
    return site.model_copy(update={"grid": site.grid.model_copy(update={"service": offer})})


def answer(site, point, change_hz: float, duration_s: float = 20.0):
    """Power that the meter shows less than without the service [W], after a step at 5 s."""
    event = FrequencyStep(use="frequency-step", start_s=5.0, change_hz=change_hz)
    without = site.model_copy(update={"grid": site.grid.model_copy(update={"service": None})})
    meters = [
        open_window(one, point, [event], duration_s=duration_s, step_s=STEP).advance()["p_w"]
        for one in (without, site)
    ]
    return meters[0] - meters[1]


@pytest.mark.parametrize("change_hz", [-0.5, -0.25, 0.25])
def test_a_storage_gives_its_curve_both_ways(site, point, change_hz) -> None:
    given = answer(serving(site), point, change_hz)
    # the transformer's own loss changes with what passes it: a few tenths of a per cent
    assert given[-200:].mean() == pytest.approx(-10e6 * change_hz / 0.5, rel=0.01)
    assert np.abs(given[:400]).max() < 1.0  # nothing before the frequency moved


@pytest.mark.parametrize(
    "shares", [{"ups_share": 1.0}, {"load_share": 1.0}, {"ups_share": 0.4, "load_share": 0.6}]
)
def test_batteries_and_load_give_what_they_offer_at_the_meter(site, point, shares) -> None:
    given = answer(serving(site, storage_share=0.0, **shares), point, -0.5)
    assert given[-200:].mean() == pytest.approx(
        10e6, rel=0.06
    )  # losses in front follow a curve, the share is a line


def test_load_answers_with_its_lag_and_batteries_within_a_cycle_or_two(site, point) -> None:
    at_s, step_s = 5.0, float(STEP)
    slow = step_response(
        answer(serving(site, storage_share=0.0, load_share=1.0), point, -0.5), step_s, at_s, share=0.632
    )
    fast = step_response(
        answer(serving(site, storage_share=0.0, ups_share=1.0), point, -0.5), step_s, at_s, share=0.632
    )
    assert slow.full_s == pytest.approx(1.05, abs=0.1)  # 1 s of the caps and 50 ms of the measurement
    assert fast.full_s < 0.15


@pytest.mark.usefixtures("without_the_day")
def test_a_fast_product_passes_and_fails_once_the_storage_is_empty(site, point) -> None:
    kept = run_service(site, point, FAST, STEP)
    assert kept.verdict.result == "pass", kept.verdict.reason
    assert all(case["available_frac"] == 1.0 for case in kept.facts.values())
    small = load(
        SITE,
        [
            "grid.frequency_hz=50",
            "grid.export_limit_mw=100",
            "storage.yard.power_mw=20",
            "storage.yard.energy_mwh=0.5",
        ],
    )
    empty = run_service(small, operating_point(small, duration_s=600), FAST, STEP)
    assert empty.verdict.result == "fail"
    longest = next(facts for name, facts in empty.facts.items() if name.startswith("step of -0.5"))
    assert longest["soc_at_end"] == pytest.approx(0.1, abs=0.01)  # the least it may go down to
    assert longest["available_frac"] < 1.0


def test_the_recorded_day_is_tried_where_it_is_at_hand(site, point, aidc_data, monkeypatch) -> None:
    monkeypatch.setenv("AIDC_DATA", str(aidc_data))
    normal = FAST.model_copy(
        update={"deviation_hz": (0.0, 0.1), "response_frac": (0.0, 1.0), "full_s": 180.0}
    )
    done = run_service(site, point, normal, STEP)
    day = done.facts["recorded day"]
    assert day["available_frac"] == 1.0
    assert 0.5 < day["delivered_mwh"] < 200  # twenty megawatts for a day are 480
    assert "not at hand" not in done.verdict.reason


@pytest.mark.usefixtures("without_the_day")
def test_a_day_that_is_not_at_hand_is_said_to_be_missing(site, point) -> None:
    assert "recorded day is not at hand" in run_service(site, point, FAST, STEP).verdict.reason


@pytest.mark.usefixtures("without_the_day")
def test_energy_of_a_step_is_power_times_time(site, point) -> None:
    facts = run_service(site, point, FAST, STEP).facts
    long_step = next(one for name, one in facts.items() if name.startswith("step of -0.5"))
    assert long_step["delivered_mwh"] == pytest.approx(20 * 121 / 3600, rel=0.02)


def test_without_an_export_limit_nothing_is_pushed_into_the_grid() -> None:
    offer = GridService(offered_mw=200, deviation_hz=(0.0, 0.5), response_frac=(0.0, 1.0))
    big = load(SITE, ["grid.frequency_hz=50", "grid.export_limit_mw=0", "storage.yard.power_mw=200"])
    site = big.model_copy(update={"grid": big.grid.model_copy(update={"service": offer})})
    event = FrequencyStep(use="frequency-step", start_s=5.0, change_hz=-0.5)
    window = open_window(
        site, operating_point(site, duration_s=60), [event], duration_s=20, step_s=Fraction(1, 1000)
    )
    shown = window.advance()
    assert shown["storage_w"].min() < -40e6
    # while the load itself falls faster than the converter's lag, the storage is still where it was
    assert np.median(shown["p_w"][8000:]) == pytest.approx(0.0, abs=0.2e6)
    assert (shown["p_w"][8000:] < -0.5e6).mean() < 0.02


def test_a_site_that_offers_nothing_is_not_concerned(site, point) -> None:
    bare = site.model_copy(update={"storage": {}})
    assert offered_service(bare, FAST) is None
    assert run_service(bare, point, FAST, STEP).verdict.result == "not_applicable"


def test_shares_that_do_not_add_up_are_refused() -> None:
    with pytest.raises(ValueError, match="do not add up to 1"):
        GridService(offered_mw=1, deviation_hz=(0.1,), response_frac=(1.0,), ups_share=0.5)
