"""Ride-through verdicts: connected while the duty lasts, whatever happens after it."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from brute_force import voltage_result
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from aidc.errors import InputError
from aidc.measure.grid.ride_through import ride_through, voltage_channels
from aidc.record.waveform import Waveform
from aidc.schema.code import VoltageRideThrough

STEPS = [Fraction(1, 1000), Fraction(1, 2000), Fraction(1, 4000)]
ERCOT = VoltageRideThrough(
    rule="voltage-ride-through", clause="curve",
    below_pu=(0.9, 0.8, 0.5, 0.2), below_s=(2.0, 0.5, 0.25, 0.15), above_pu=(1.1,), above_s=(2.0,),
)  # fmt: skip


def sag(
    residual: float, duration_s: float, left_s: float | None = None, *, step_s: Fraction = STEPS[0],
    span_s: float = 5.0, at_s: float = 1.0, high: float | None = None, first_tick: int = 0,
) -> Waveform:  # fmt: skip
    t = np.arange(round(span_s / float(step_s))) * float(step_s)
    inside = (t >= at_s) & (t < at_s + duration_s)
    low = np.where(inside, residual, 1.0)
    top = np.where(inside, high, 1.0) if high is not None else np.ones(t.size)
    connected = np.ones(t.size) if left_s is None else np.where(t >= left_s - 1e-9, 0.4, 1.0)
    channels = {"v_pn_min_pu": low, "v_pn_max_pu": top, "connected_frac": connected}
    return Waveform(step_s, channels, first_tick=first_tick)


@pytest.mark.parametrize("step_s", STEPS)
def test_a_load_that_stays_passes_with_the_longest_excursion(step_s: Fraction) -> None:
    verdict = ride_through(ERCOT, sag(0.3, 0.24, step_s=step_s), "0.3 pu")
    assert verdict.result == "pass"
    assert verdict.limit == 0.25
    assert verdict.value == pytest.approx(0.24, abs=float(step_s) + 0.005 * 0.24)
    assert verdict.margin == pytest.approx((0.25 - 0.24) / 0.25, abs=float(step_s) / 0.25)
    assert verdict.case == "0.3 pu"
    assert "below 0.5 pu" in verdict.reason


@pytest.mark.parametrize("step_s", STEPS)
def test_a_load_that_leaves_too_soon_fails_with_the_time_it_withstood(step_s: Fraction) -> None:
    verdict = ride_through(ERCOT, sag(0.3, 0.24, 1.06, step_s=step_s))
    assert verdict.result == "fail"
    assert verdict.value == pytest.approx(0.06, abs=float(step_s))
    assert verdict.limit == 0.25
    assert verdict.margin is not None
    assert verdict.margin < 0


def test_the_deepest_threshold_binds_at_the_instant_of_leaving() -> None:
    verdict = ride_through(ERCOT, sag(0.1, 0.15, 1.1))
    assert (verdict.result, verdict.limit) == ("fail", 0.15)


def test_once_the_duty_is_over_the_load_may_leave() -> None:
    assert ride_through(ERCOT, sag(0.3, 1.0, 1.26)).result == "pass"
    late = ride_through(ERCOT, sag(0.3, 1.0, 1.26))
    assert late.value == pytest.approx(0.26, abs=1e-3)
    assert late.limit == 0.25
    assert "ended" in late.reason
    assert ride_through(ERCOT, sag(0.3, 1.0, 1.24)).result == "fail"


def test_staying_on_longer_than_asked_passes_with_a_positive_margin() -> None:
    verdict = ride_through(ERCOT, sag(0.3, 1.0))
    assert verdict.result == "pass"
    assert verdict.value is not None
    assert verdict.value > 0.25
    assert verdict.margin is not None
    assert verdict.margin > 0


def test_leaving_after_the_voltage_is_back_fails_too() -> None:
    verdict = ride_through(ERCOT, sag(0.3, 0.2, 1.5))
    assert verdict.result == "fail"
    assert verdict.value == pytest.approx(0.2, abs=1e-3)
    assert "outside any excursion" in verdict.reason


def test_leaving_without_any_event_fails() -> None:
    verdict = ride_through(ERCOT, sag(1.0, 0.1, 1.5))
    assert (verdict.result, verdict.value, verdict.margin) == ("fail", 0.0, -1.0)


def test_without_an_excursion_nothing_was_tried() -> None:
    assert ride_through(ERCOT, sag(0.95, 1.0)).result == "not_applicable"


def test_a_swell_is_judged_by_the_highest_phase() -> None:
    assert ride_through(ERCOT, sag(1.0, 1.5, 1.7, high=1.15)).result == "fail"
    verdict = ride_through(ERCOT, sag(1.0, 1.5, high=1.15))
    assert verdict.result == "pass"
    assert verdict.value == pytest.approx(1.5, abs=2e-3)
    assert voltage_channels(ERCOT) == ("v_pn_min_pu", "v_pn_max_pu")
    assert voltage_channels(ERCOT.model_copy(update={"quantity": "v1"})) == ("v1_pu", "v1_pu")


def test_repeated_dips_end_the_duty_only_where_they_add_up() -> None:
    w = sag(1.0, 0.1)
    v = w["v_pn_min_pu"].copy()
    for start in (500, 1000, 1500, 2000):
        v[start : start + 100] = 0.4
    connected = np.ones(v.size)
    connected[2060:] = 0.0  # in the fourth dip, 0.36 s below in all
    many = Waveform(w.step_s, {**w.channels, "v_pn_min_pu": v, "connected_frac": connected})
    assert ride_through(ERCOT, many).result == "fail"
    windowed = ERCOT.model_copy(update={"accumulate": "window", "window_s": 10.0})
    assert ride_through(windowed, many).result == "pass"
    short = ERCOT.model_copy(update={"accumulate": "window", "window_s": 0.4})
    assert ride_through(short, many).result == "fail"


def test_exactly_at_a_threshold_the_rule_decides() -> None:
    left = sag(0.5, 0.4, 1.3)  # beyond 0.25 s, within 0.5 s
    assert ride_through(ERCOT, left).result == "fail"
    assert ride_through(ERCOT.model_copy(update={"inclusive": True}), left).result == "pass"


def test_a_load_partly_gone_before_is_compared_with_itself() -> None:
    w = sag(0.3, 0.2)
    part = Waveform(w.step_s, {**w.channels, "connected_frac": np.full(len(w), 0.7)})
    none = Waveform(w.step_s, {**w.channels, "connected_frac": np.zeros(len(w))})
    assert ride_through(ERCOT, part).result == "pass"
    assert ride_through(ERCOT, none).result == "not_applicable"


def test_what_cannot_be_judged_says_why() -> None:
    w = sag(0.3, 0.2)
    blind = Waveform(w.step_s, {"v_pn_min_pu": w["v_pn_min_pu"], "v_pn_max_pu": w["v_pn_max_pu"]})
    verdict = ride_through(ERCOT, blind, "case")
    assert (verdict.result, verdict.case) == ("not_assessable", "case")
    assert "connected_frac" in verdict.reason
    slow = Waveform(Fraction(1, 10), w.channels)
    assert "slower than the cycle" in ride_through(ERCOT, slow).reason
    elsewhere = ride_through(ERCOT.model_copy(update={"location": "psu-terminals"}), w)
    assert elsewhere.result == "not_assessable"
    assert "psu-terminals" in elsewhere.reason


def test_a_step_too_coarse_for_a_point_decides_nothing_there() -> None:
    fine = VoltageRideThrough(rule="voltage-ride-through", clause="ITIC", above_pu=(1.4,), above_s=(0.0015,))
    w = sag(1.0, 0.2, 1.001, high=1.5)
    assert ride_through(fine, w).result == "not_assessable"
    assert ride_through(fine, sag(1.0, 0.2, high=1.5)).result == "pass"


def test_a_gap_in_the_trace_is_refused() -> None:
    w = sag(0.3, 0.2)
    w["v_pn_min_pu"][1234] = np.nan
    with pytest.raises(InputError, match=r"v_pn_min_pu.*1\.234 s"):
        ride_through(ERCOT, w)


def test_a_record_may_begin_at_any_tick() -> None:
    verdict = ride_through(ERCOT, sag(0.3, 0.24, 1.06, first_tick=-4000))
    assert verdict.result == "fail"
    assert verdict.value == pytest.approx(0.06, abs=1e-3)


@st.composite
def cases(draw: st.DrawFn) -> tuple[VoltageRideThrough, Waveform]:
    n = draw(st.integers(20, 120))
    low, high = np.ones(n), np.ones(n)
    for _ in range(draw(st.integers(0, 4))):
        first = draw(st.integers(0, n - 1))
        last = first + draw(st.integers(1, 40))
        low[first:last] = draw(st.sampled_from([0.0, 0.1, 0.2, 0.4, 0.5, 0.7, 0.8, 0.9, 0.95]))
        if draw(st.booleans()):
            high[first:last] = draw(st.sampled_from([1.05, 1.1, 1.15]))
    connected = np.ones(n)
    if draw(st.booleans()):
        connected[draw(st.integers(0, n - 1)) :] = draw(st.sampled_from([0.0, 0.5]))
    clause = VoltageRideThrough(
        rule="voltage-ride-through", clause="x", below_pu=(0.9, 0.8, 0.5, 0.2), below_s=(0.06, 0.03, 0.02, 0.01),
        above_pu=(1.1,), above_s=(0.02,), inclusive=draw(st.booleans()),
        accumulate=draw(st.sampled_from(["contiguous", "window"])), window_s=draw(st.sampled_from([0.02, 0.05, 10.0])),
    )  # fmt: skip
    return clause, Waveform(
        Fraction(1, 1000), {"v_pn_min_pu": low, "v_pn_max_pu": high, "connected_frac": connected}
    )


@settings(deadline=None, max_examples=400)
@given(cases())
def test_it_judges_as_the_second_judge(case: tuple[VoltageRideThrough, Waveform]) -> None:
    clause, w = case
    verdict = ride_through(clause, w)
    if verdict.value is not None and verdict.limit is not None:
        assume(abs(verdict.value - verdict.limit) > 1e-9)  # left in the very instant in which the duty ends
    assert verdict.result == voltage_result(clause, w)
    if verdict.margin is not None:
        assert (verdict.margin >= 0) == (verdict.result == "pass") or verdict.margin == 0
