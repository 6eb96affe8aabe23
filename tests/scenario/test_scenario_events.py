"""Grid events on the run's clock, and what they do to limits and prices."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from aidc.clock import Clock
from aidc.errors import InputError
from aidc.scenario.events import import_limit_w, plan_events, with_carbon_peaks, with_spikes
from aidc.scenario.series import Series
from aidc.schema.event import event_of

START = datetime(2025, 7, 7, tzinfo=UTC)
WEEK = Clock(START, Fraction(1), 7 * 86_400)


def event(use, hour, minutes, **keys):
    return event_of({"use": use, "start": START + timedelta(hours=hour), "duration_min": minutes, **keys})


def limits(*events, days=1.0):
    return import_limit_w(events, START, START + timedelta(days=days), 100e6)


def test_the_canonical_request_is_announced_before_it_starts() -> None:
    ask = event("demand-response", 69, 180, notice_min=10, reduce_frac=0.25)
    (plan,) = plan_events([ask], WEEK, 100e6)
    assert (plan.announced_tick, plan.start_tick, plan.end_tick) == (69 * 3600 - 600, 69 * 3600, 72 * 3600)
    assert plan.reduce_frac == 0.25
    assert math.isnan(plan.limit_w)
    assert plan.name == "demand-response-1"


def test_requests_leave_the_import_limit_alone() -> None:
    assert set(limits(event("demand-response", 5, 60, limit_mw=10)).values) == {100e6}


def test_limits_and_outages_hold_for_their_time_and_the_lowest_wins() -> None:
    series = limits(
        event("import-limit", 2, 120, limit_frac=0.8),
        event("import-limit", 3, 120, limit_mw=60),
        event("supply-outage", 4, 1.5),
    )
    times = [START + timedelta(hours=h) for h in (1.99, 2, 2.99, 3, 3.99, 4, 4.024, 4.025, 4.99, 5)]
    assert (series.at(times) / 1e6).tolist() == [100, 80, 80, 60, 60, 0, 0, 60, 60, 100]


@given(
    begin=st.integers(-5000, 90_000),
    length=st.integers(1, 90_000),
    share=st.floats(0, 1),
    step=st.sampled_from([1, 60]),
)
def test_the_energy_that_a_limit_takes_is_exact(begin, length, share, step) -> None:
    begin, length = begin // step * step, -(-length // step) * step
    one = event("import-limit", begin / 3600, length / 60, limit_frac=share)
    series = limits(one)
    overlap = max(0, min(86_400, begin + length) - max(0, begin))
    lost = (100e6 - series.values).sum() * float(series.period_s)
    assert lost == pytest.approx(overlap * (1 - share) * 100e6, abs=1e-3 * 100e6)


def test_a_year_with_odd_seconds_stays_small_and_errs_outwards() -> None:
    series = limits(event("supply-outage", 1 + 1 / 3600, 1), days=366)
    assert len(series) <= 1_000_000
    assert series.at([START + timedelta(seconds=s) for s in (3601, 3660)]).tolist() == [0, 0]


def test_spikes_replace_the_price_for_their_time() -> None:
    price = Series(START - timedelta(minutes=30), Fraction(3600), np.array([20.0, 40.0]), tiled=True)
    spiked = with_spikes(
        price, [event("price-spike", 1, 15, price_usd_per_mwh=5000)], START, START + timedelta(hours=3)
    )
    times = [START + timedelta(minutes=m) for m in (0, 29, 30, 59, 60, 74, 75, 90)]
    assert spiked.at(times).tolist() == [20, 20, 40, 40, 5000, 5000, 40, 20]
    assert with_spikes(price, [], START, START) is price


def test_overlapping_spikes_cost_the_same_in_any_order() -> None:
    """The highest price is in force: 100 for 30 minutes, 900 for the 15 that both cover and the 15 after."""
    price = Series(START, Fraction(900), np.full(16, 20.0))
    spikes = [
        event("price-spike", 1, 45, price_usd_per_mwh=100),
        event("price-spike", 1.5, 30, price_usd_per_mwh=900),
    ]
    both = [with_spikes(price, order, START, START + timedelta(hours=4)) for order in (spikes, spikes[::-1])]
    times = [START + timedelta(minutes=m) for m in (45, 60, 75, 90, 105, 120)]
    assert [one.at(times).tolist() for one in both] == [[20, 100, 100, 900, 900, 20]] * 2


def test_events_outside_the_run_are_left_out_and_those_across_its_start_begin_at_zero() -> None:
    plans = plan_events(
        [event("supply-outage", -2, 60), event("supply-outage", -1, 120), event("supply-outage", 168, 5)],
        WEEK,
        1e8,
    )
    assert [(p.announced_tick, p.start_tick, p.end_tick) for p in plans] == [(0, 0, 3600)]


def test_two_events_of_one_name_are_refused() -> None:
    with pytest.raises(InputError) as caught:
        plan_events(
            [
                event("demand-response", 1, 90, name="a", reduce_frac=0.1),
                event("supply-outage", 9, 1, name="a"),
            ],
            WEEK,
            1e8,
        )
    assert [problem.what for problem in caught.value.problems] == ["two events have this name"]


def test_requests_may_overlap() -> None:
    plans = plan_events(
        [event("demand-response", 1, 90, reduce_frac=0.1), event("emergency", 2, 60, reduce_mw=7)], WEEK, 1e8
    )
    assert [plan.kind for plan in plans] == ["demand-response", "emergency"]
    assert plans[1].reduce_w == 7e6


def test_a_notice_of_one_second_is_one_second() -> None:
    (plan,) = plan_events([event("demand-response", 1, 60, notice_s=1, limit_mw=5)], WEEK, 1e8)
    assert (plan.announced_tick, plan.start_tick) == (3599, 3600)


def test_a_withdrawal_counts_from_the_start() -> None:
    ask = event("demand-response", 1, 60, notice_min=30, limit_mw=5, withdrawn_min=-10)
    (plan,) = plan_events([ask], WEEK, 1e8)
    assert plan.withdrawn_tick == 3000


def test_a_capacity_limit_is_one_request_for_each_level() -> None:
    hours = event_of(
        {"use": "capacity-limit", "name": "cap", "start": START + timedelta(hours=2), "limits_mw": [5, 5, 4]}
    )
    plans = plan_events([hours], WEEK, 1e8)
    assert [(p.name, p.start_tick, p.end_tick, p.limit_w) for p in plans] == [
        ("cap", 7200, 14_400, 5e6),
        ("cap+2h", 14_400, 18_000, 4e6),
    ]
    assert set(limits(hours).values) == {100e6}  # asked, not enforced


def test_a_carbon_peak_acts_within_its_time_only() -> None:
    carbon = Series(START, Fraction(3600), np.array([300.0, 400.0, 500.0]))
    peak = event("carbon-peak", 0.5, 60, carbon_kg_per_mwh=900)
    laid = with_carbon_peaks(carbon, [peak], START, START + timedelta(hours=3))
    times = [START + timedelta(minutes=m) for m in (0, 29, 30, 89, 90, 120)]
    assert laid.at(times).tolist() == [300, 300, 900, 900, 400, 500]


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"use": "demand-response"}, "asks for nothing, or twice"),
        ({"use": "demand-response", "reduce_frac": 0.1, "limit_mw": 3}, "asks for nothing, or twice"),
        ({"use": "demand-response", "reduce_frac": 1.5}, "less than or equal to 1"),
        ({"use": "demand-response", "limit_mw": 3, "notice_min": 1, "notice_s": 1}, "two notices"),
        ({"use": "emergency", "limit_mw": 3, "withdrawn_min": 60}, "withdrawn after it has ended"),
        ({"use": "carbon-peak", "carbon_kg_per_mwh": -1}, "greater than or equal"),
        ({"use": "import-limit"}, "needs one limit"),
        ({"use": "supply-outage", "notice_min": -1}, "greater than or equal"),
        ({"use": "supply-outage", "duration_min": 0}, "greater than 0"),
        ({"use": "supply-outage", "start": datetime(2025, 7, 7)}, "timezone"),  # noqa: DTZ001 - that is the fault
        ({"use": "supply-outage", "start": datetime(1500, 7, 7, tzinfo=UTC)}, "outside the years"),
        ({"use": "blackout"}, "does not match any of the expected tags"),
        ({"use": "price-spike"}, "Field required"),
    ],
)
def test_impossible_events_are_refused(keys, message) -> None:
    with pytest.raises(ValidationError, match=message):
        event_of({"start": START, "duration_min": 60, **keys})
