"""Frequency services on steps, ramps and a recorded day, with responses known in closed form."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aidc.errors import InputError
from aidc.measure.grid import services
from aidc.measure.grid.services import asked_frac, required_response_frac, service, step_response
from aidc.record.waveform import Waveform
from aidc.schema.code import FrequencyService

CONTRACT_W = 2e7
BASE_W = 9e7
DC = FrequencyService(
    rule="frequency-service", clause="DC", deviation_hz=(0.015, 0.2, 0.5), response_frac=(0.0, 0.05, 1.0),
    start_s=0.5, full_s=1.0, duration_s=900.0, nominal_hz=50,
)  # fmt: skip
FCR_D = FrequencyService(
    rule="frequency-service", clause="FCR-D up", direction="low", deviation_hz=(0.1, 0.5), response_frac=(0.0, 1.0),
    full_s=7.5, least_at_full_frac=0.86, duration_s=1200.0, nominal_hz=50,
)  # fmt: skip
FFR = FrequencyService(
    rule="frequency-service", clause="ERCOT FFR", direction="low", deviation_hz=(0.15,), response_frac=(1.0,),
    full_s=0.25, duration_s=900.0, nominal_hz=60,
)  # fmt: skip


def lagged(required: np.ndarray, step_s: float, tau_s: float) -> np.ndarray:
    """First-order storage: exact for an input that is constant within each step."""
    keep = math.exp(-step_s / tau_s)
    out, state = np.zeros(required.size), 0.0
    for i in range(1, required.size):
        state = required[i - 1] + (state - required[i - 1]) * keep
        out[i] = state
    return out


def judged(clause: FrequencyService, frequency: np.ndarray, response: np.ndarray, step_s: Fraction):
    w = Waveform(step_s, {"frequency_hz": frequency, "p_w": BASE_W - response * CONTRACT_W})
    return service(clause, w, np.full(frequency.size, BASE_W), CONTRACT_W)


@pytest.mark.parametrize("sign", [-1, 1])
def test_the_curve_is_interpolated_and_mirrored(sign: int) -> None:
    deviations = np.array([0.0, 0.0149, 0.1075, 0.2, 0.35, 0.5, 0.8])
    expected = np.array([0, 0, 0.025, 0.05, 0.525, 1, 1])
    got = required_response_frac(DC, 50 + sign * deviations)
    np.testing.assert_allclose(got, -sign * expected, atol=1e-12)
    one_way = required_response_frac(DC.model_copy(update={"direction": "low"}), 50 + sign * deviations)
    np.testing.assert_allclose(one_way, np.maximum(-sign * expected, 0), atol=1e-12)


def test_one_point_is_a_trigger_also_with_binary_fractions() -> None:
    got = required_response_frac(FFR, np.array([60.0, 59.86, 59.85, 59.5, 60.3]))
    np.testing.assert_array_equal(got, [0, 0, 1, 1, 0])


@pytest.mark.parametrize("step_ms", [10, 5, 2])
@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize(("tau_s", "result"), [(0.15, "pass"), (0.5, "fail")])
def test_a_step_of_half_a_hertz(step_ms: int, sign: int, tau_s: float, result: str) -> None:
    """After 1 s a first-order response lacks exp(-1/tau): 0.1 % at 0.15 s, 13.5 % at 0.5 s."""
    step = Fraction(step_ms, 1000)
    t = np.arange(round(20 / float(step))) * float(step)
    frequency = np.where(t < 2, 50.0, 50.0 + sign * 0.5)
    response = lagged(required_response_frac(DC, frequency), float(step), tau_s)
    found = judged(DC, frequency, response, step)
    assert found.verdict.result == result
    assert found.worst_shortfall_frac == pytest.approx(
        math.exp(-1 / tau_s), rel=0.005 + float(step) / tau_s, abs=1e-9
    )
    assert found.worst_at_s == pytest.approx(3.0, abs=float(step))
    energy = found.energy_low_j if sign < 0 else found.energy_high_j
    other = found.energy_high_j if sign < 0 else found.energy_low_j
    assert energy == pytest.approx(CONTRACT_W * (18 - tau_s), rel=2e-3)  # less the lag of the start
    assert other == 0


def test_a_ramp_of_frequency_may_be_followed_with_the_full_delay_but_no_more() -> None:
    step = Fraction(1, 100)
    t = np.arange(3000) * 0.01
    frequency = 50 - np.clip((t - 2) * 0.05, 0, 0.5)
    required = required_response_frac(DC, frequency)
    for delay, result in ((0.99, "pass"), (1.0, "pass"), (1.3, "fail")):
        k = round(delay * 100)
        assert judged(DC, frequency, np.r_[np.zeros(k), required[:-k]], step).verdict.result == result
    late = judged(DC, frequency, np.r_[np.zeros(130), required[:-130]], step)
    assert late.worst_shortfall_frac == pytest.approx(
        0.3 * 0.05 * 0.95 / 0.3, rel=0.01
    )  # 0.3 s along the slope


def test_a_response_that_does_not_start_in_time_falls_short_before_it_is_full() -> None:
    step = Fraction(1, 100)
    t = np.arange(1000) * 0.01
    frequency = np.where(t < 2, 50.0, 49.5)
    jump = np.where(t < 2.95, 0.0, 1.0)  # all there within 1 s, nothing at 0.5 s
    found = judged(DC, frequency, jump, step)
    assert found.verdict.result == "fail"
    assert found.worst_at_s == pytest.approx(2.5, abs=0.011)


def test_least_share_at_full_time() -> None:
    t = np.arange(4000) * 0.01
    frequency = np.where(t < 2, 50.0, 49.5)
    for share, result in ((0.87, "pass"), (0.85, "fail")):
        assert judged(FCR_D, frequency, np.where(t < 9, 0, share), Fraction(1, 100)).verdict.result == result


def test_an_empty_store_shows_as_shortfall_and_availability() -> None:
    t = np.arange(1000.0)
    frequency = np.where(t < 10, 50.0, 49.5)
    held = np.where((t >= 11) & (t < 600), 1.0, 0.0)
    found = judged(DC, frequency, held, Fraction(1))
    assert found.verdict.result == "fail"
    assert found.worst_shortfall_frac == pytest.approx(1.0)
    assert found.worst_at_s == 600.0
    assert found.asked_s == pytest.approx(900, abs=2)  # and no longer than the contract's duration
    assert found.available_frac == pytest.approx(589 / 900, abs=0.003)
    assert found.energy_low_j == pytest.approx(589 * CONTRACT_W)
    assert "MWh" in found.verdict.reason


def test_a_trigger_holds_for_its_duration_whatever_the_frequency_does() -> None:
    t = np.arange(2000.0)
    clause = FFR.model_copy(update={"full_s": 2.0})
    frequency = np.where((t >= 100) & (t < 110), 59.8, 60.0)
    asked = asked_frac(clause, frequency, 1.0)
    np.testing.assert_array_equal(np.flatnonzero(asked), np.arange(102, 1001))
    assert (
        judged(clause, frequency, np.where((t >= 101) & (t <= 1000), 1.0, 0.0), Fraction(1)).verdict.result
        == "pass"
    )
    early = judged(clause, frequency, np.where((t >= 101) & (t < 110), 1.0, 0.0), Fraction(1))
    assert early.verdict.result == "fail"
    assert early.worst_at_s == 110.0
    unknown = clause.model_copy(update={"duration_s": None})
    np.testing.assert_array_equal(np.flatnonzero(asked_frac(unknown, frequency, 1.0)), np.arange(102, 110))


def test_the_wrong_direction_is_a_shortfall_beyond_the_whole_contract() -> None:
    t = np.arange(100.0)
    found = judged(DC, np.where(t < 10, 50.0, 49.5), np.where(t < 10, 0.0, -0.5), Fraction(1))
    assert found.worst_shortfall_frac == pytest.approx(1.5)
    assert found.against_j == pytest.approx(0.5 * CONTRACT_W * found.asked_s)


def test_what_cannot_be_judged_says_why() -> None:
    t = np.arange(100.0)
    quiet = np.full(100, 60.0)
    assert judged(FFR, quiet, 0 * t, Fraction(1)).verdict.result == "not_applicable"
    slow = judged(FFR, np.where(t < 10, 60.0, 59.8), 0 * t, Fraction(1)).verdict
    assert slow.result == "not_assessable"
    assert "0.25 s" in slow.reason
    blind = Waveform(Fraction(1), {"p_w": t})
    assert service(FFR, blind, t, 1e6).verdict.result == "not_assessable"
    w = Waveform(Fraction(1), {"p_w": t, "frequency_hz": quiet})
    with pytest.raises(InputError, match="contracted_w"):
        service(FFR, w, t, 0.0)
    with pytest.raises(InputError, match="counterfactual_w"):
        service(FFR, w, t[:-1], 1e6)


@pytest.mark.parametrize("clause", [DC, FCR_D], ids=lambda clause: clause.clause)
def test_the_recorded_day_is_met_by_a_fast_store_and_not_by_an_idle_one(
    aidc_data: Path, clause: FrequencyService
) -> None:
    """The day is in per unit (mean 1) and is re-based to 50 Hz; it is mild, so its deviations are tripled."""
    pu = np.loadtxt(aidc_data / "grid_frequency" / "day_1s.csv", delimiter=",", skiprows=1, usecols=1)
    frequency = clause.nominal_hz * (1 + 3 * (pu - 1))
    required = required_response_frac(clause, frequency)
    delayed = np.r_[0.0, required[:-1]]
    good = judged(clause, frequency, delayed, Fraction(1))
    idle = judged(clause, frequency, 0 * required, Fraction(1))
    assert good.verdict.result == "pass"
    assert good.available_frac == 1.0
    assert idle.verdict.result == "fail"
    assert idle.available_frac < 0.999
    assert idle.worst_shortfall_frac <= np.abs(required).max()
    assert good.energy_low_j == pytest.approx(np.maximum(delayed, 0).sum() * CONTRACT_W, rel=1e-6)
    assert good.energy_high_j == pytest.approx(np.maximum(-delayed, 0).sum() * CONTRACT_W, rel=1e-6)


@settings(deadline=None, max_examples=80)
@given(
    st.lists(st.floats(49.3, 50.7), min_size=5, max_size=60),
    st.integers(1, 5),
    st.sampled_from([2.0, 9.0, 900.0]),
)
def test_asked_as_a_plain_loop_says(levels: list[float], full: int, duration_s: float) -> None:
    clause = DC.model_copy(update={"full_s": float(full), "start_s": 0.0, "duration_s": duration_s})
    required = required_response_frac(clause, np.array(levels))
    spent, sign, lasting = 0.0, 0.0, []
    for value in required:
        spent = spent if np.sign(value) == sign else 0.0
        sign = np.sign(value)
        lasting.append(value if spent <= duration_s + 1e-9 else 0.0)
        spent += abs(value)
    expected = []
    for i in range(len(lasting)):
        past = lasting[i - full : i + 1] if i >= full else [0.0]
        expected.append(max(min(past), 0.0) + min(max(past), 0.0))
    np.testing.assert_allclose(asked_frac(clause, np.array(levels), 1.0), expected, atol=1e-12)


def test_step_response_of_a_first_order_store() -> None:
    step_s, tau, dead = 1e-3, 0.2, 0.08
    t = np.arange(5000) * step_s
    course = 0.7 * (1 - np.exp(-np.maximum(t - 1 - dead, 0) / tau))
    found = step_response(course, step_s, 1.0)
    assert found.start_s == pytest.approx(dead + tau * math.log(1 / 0.95), abs=step_s)
    assert found.full_s == pytest.approx(dead + tau * math.log(10), abs=step_s)
    assert found.final_frac == pytest.approx(0.7, rel=1e-6)
    assert found.peak_frac == pytest.approx(0.7, rel=1e-6)
    assert step_response(np.zeros(100), step_s).start_s == math.inf
    with pytest.raises(InputError, match="at_s"):
        step_response(course, step_s, 10.0)


def test_the_kernel_equals_its_python_body() -> None:
    required = required_response_frac(DC, 50 + 0.4 * np.sin(np.arange(3000) * 0.01))
    for latched in (False, True):
        compiled, plain = np.empty(3000), np.empty(3000)
        services._with_duration(required, latched, 60.0, compiled)
        services._with_duration.py_func(required, latched, 60.0, plain)
        np.testing.assert_array_equal(compiled, plain)
        assert 0 < np.count_nonzero(compiled) < 3000
