"""Recovery against first-order closed forms, and the third verdict: IT served."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from brute_force import one_cycle, recovery_result, served_result
from hypothesis import given, settings
from hypothesis import strategies as st

from aidc.errors import InputError
from aidc.measure.grid.one_cycle import cycle_mean
from aidc.measure.grid.recovery import recovery
from aidc.measure.grid.served import it_served
from aidc.record.waveform import Waveform
from aidc.schema.code import Recovery

STEPS = [Fraction(1, 1000), Fraction(1, 2000), Fraction(1, 4000)]
CLAUSE = Recovery(rule="recovery", clause="90 % in 2 s", within_s=2.0, hold_s=10.0)
P0 = 1e8


def time_s(step_s: Fraction, span_s: float = 14.0) -> np.ndarray:
    return np.arange(round(span_s / float(step_s))) * float(step_s)


def pair(step_s: Fraction, voltage: np.ndarray, power: np.ndarray, normal: np.ndarray | float = P0, **kwargs):
    fault = Waveform(step_s, {"v_pn_min_pu": voltage, "p_w": power}, **kwargs)
    calm = Waveform(step_s, {"p_w": np.broadcast_to(normal, power.shape).astype(float)}, **kwargs)
    return fault, calm


def dip(t: np.ndarray, start_s: float = 1.0, stop_s: float = 1.2, depth: float = 0.3) -> np.ndarray:
    return np.interp(t, [start_s, start_s + 0.004, stop_s - 0.004, stop_s], [1.0, depth, depth, 1.0])


@pytest.mark.parametrize("step_s", STEPS)
@pytest.mark.parametrize("tau_s", [0.1, 0.5, 1.2])
def test_a_first_order_return_is_timed_to_a_step(step_s: Fraction, tau_s: float) -> None:
    """Mean over the last cycle T of 1 - exp(-t/tau) is 1 - exp(-t/tau) (exp(T/tau) - 1) tau/T."""
    t = time_s(step_s)
    power = np.where(t < 1.2, 0.0, P0 * (1 - np.exp(-np.maximum(t - 1.2, 0) / tau_s)))
    power[t < 1.0] = P0
    verdict = recovery(CLAUSE, *pair(step_s, dip(t), power))
    cycle = 1 / 60
    back = tau_s * math.log(10 * (math.exp(cycle / tau_s) - 1) * tau_s / cycle)
    t0 = 1.2 - 0.004 * 0.1 / 0.7
    expected = 1.2 + back - t0
    assert verdict.value == pytest.approx(expected, abs=float(step_s) + 0.005 * expected)
    assert verdict.result == ("pass" if expected <= 2.0 else "fail")
    assert verdict.limit == 2.0


def test_a_return_that_does_not_last_counts_from_the_last_lapse() -> None:
    t = time_s(STEPS[0])
    power = np.full(t.size, P0)
    power[(t >= 1.0) & (t < 1.3)] = 0.1 * P0
    power[(t >= 6.0) & (t < 6.5)] = 0.8 * P0
    verdict = recovery(CLAUSE, *pair(STEPS[0], dip(t), power))
    assert verdict.result == "fail"
    assert verdict.value == pytest.approx(6.5 - 1.2 + 0.5 / 60, abs=2e-3)  # half a cycle for half the step


def test_the_last_crossing_counts_when_dips_repeat() -> None:
    t = time_s(STEPS[0], 16.0)
    power = np.where((t >= 1.0) & (t < 3.4), 0.2 * P0, P0)
    voltage = np.minimum(dip(t), dip(t, 3.0, 3.2))
    verdict = recovery(CLAUSE, *pair(STEPS[0], voltage, power))
    assert verdict.result == "pass"
    assert verdict.value == pytest.approx(0.2 + 0.875 / 60, abs=2e-3)


def test_the_loads_own_course_is_no_fault_of_recovery() -> None:
    t = time_s(STEPS[0])
    normal = P0 * (1 + 0.4 * np.sign(np.sin(2 * math.pi * 0.7 * t)))
    power = np.where((t >= 1.0) & (t < 1.5), 0.0, normal)
    fault, calm = pair(STEPS[0], dip(t), power, normal)
    assert recovery(CLAUSE, fault, calm).result == "pass"
    steady = pair(STEPS[0], dip(t), power)[1]
    assert recovery(CLAUSE, fault, steady).result == "fail"


def test_too_much_power_is_not_recovered_where_the_rule_has_an_upper_bound() -> None:
    t = time_s(STEPS[0])
    power = np.where((t >= 1.2) & (t < 5.0), 1.2 * P0, P0)
    bounded = CLAUSE.model_copy(update={"most_frac": 1.1})
    assert recovery(CLAUSE, *pair(STEPS[0], dip(t), power)).result == "pass"
    verdict = recovery(bounded, *pair(STEPS[0], dip(t), power))
    assert verdict.result == "fail"
    assert verdict.value == pytest.approx(3.8 + 0.5 / 60, abs=2e-3)


def test_never_back_fails_beyond_the_limit() -> None:
    t = time_s(STEPS[0])
    verdict = recovery(CLAUSE, *pair(STEPS[0], dip(t), np.where(t < 1, P0, 0.5 * P0)))
    assert verdict.result == "fail"
    assert verdict.value is not None
    assert verdict.value > 2.0
    assert "not recovered" in verdict.reason
    assert "50 %" in verdict.reason


def test_what_cannot_be_judged_says_why() -> None:
    t = time_s(STEPS[0])
    flat = np.full(t.size, P0)
    assert recovery(CLAUSE, *pair(STEPS[0], np.ones(t.size), flat)).result == "not_applicable"
    assert recovery(CLAUSE, *pair(STEPS[0], dip(t, 6.0, 6.2), flat)).result == "not_assessable"
    low = recovery(CLAUSE, *pair(STEPS[0], np.where(t < 1, 1.0, 0.7), flat))
    assert low.result == "not_assessable"
    assert "still below" in low.reason
    fault, calm = pair(STEPS[0], dip(t), flat)
    assert recovery(CLAUSE, calm, calm).result == "not_assessable"  # no voltage
    assert recovery(CLAUSE.model_copy(update={"quantity": "v1"}), fault, calm).result == "not_assessable"
    with pytest.raises(InputError, match="differ in step"):
        recovery(CLAUSE, fault, calm.block(0, 5000))


def test_a_site_that_draws_nothing_has_nothing_to_recover() -> None:
    t = time_s(STEPS[0])
    nothing = recovery(CLAUSE, *pair(STEPS[0], dip(t), np.zeros(t.size), 0.0))
    assert nothing.result == "not_applicable"
    pauses = np.where((t > 5) & (t < 6), 0.0, P0)  # a reference of nothing for a while asks for nothing then
    assert recovery(CLAUSE, *pair(STEPS[0], dip(t), pauses, pauses)).result == "pass"


@pytest.mark.parametrize("frequency_hz", [50.0, 60.0])
def test_one_cycle_mean_removes_the_cycle_and_keeps_a_ramp(frequency_hz: float) -> None:
    t = np.arange(2000) * 5e-4
    ripple = cycle_mean(5 + np.sin(2 * math.pi * frequency_hz * t), 5e-4, frequency_hz)
    np.testing.assert_allclose(ripple[100:], 5, atol=2e-3)
    ramp = cycle_mean(t, 5e-4, frequency_hz)
    np.testing.assert_allclose(ramp[100:], t[100:] - 0.5 / frequency_hz, atol=1e-12)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.floats(-1, 5), min_size=2, max_size=60), st.sampled_from([1e-3, 2e-3, 1 / 60, 0.013]))
def test_one_cycle_mean_as_the_second_judge(values: list[float], step_s: float) -> None:
    np.testing.assert_allclose(
        cycle_mean(np.array(values), step_s, 60.0), one_cycle(values, step_s, 60.0), atol=1e-10
    )


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.sampled_from([0.0, 0.5, 0.85, 0.9, 0.95, 1.0, 1.15]), min_size=4, max_size=12),
    st.lists(st.sampled_from([0.3, 0.9, 1.0]), min_size=4, max_size=12),
    st.one_of(st.none(), st.just(1.1)),
    st.sampled_from([0.05, 0.1, 0.2]),
)
def test_it_judges_as_the_second_judge(
    shares: list[float], volts: list[float], most: float | None, hold_s: float
) -> None:
    n = 25 * min(len(shares), len(volts))
    power, voltage = np.repeat(shares, 25)[:n] * P0, np.repeat(volts, 25)[:n]
    clause = Recovery(rule="recovery", clause="x", within_s=0.06, hold_s=hold_s, most_frac=most)
    fault, calm = pair(STEPS[0], voltage, power)
    assert recovery(clause, fault, calm).result == recovery_result(clause, fault, calm)


def served(demand: np.ndarray, got: np.ndarray) -> Waveform:
    return Waveform(STEPS[0], {"it_demand_w": demand, "it_served_w": got})


def test_it_served_reports_the_worst_moment_and_the_energy() -> None:
    demand = np.full(4000, 6e7)
    got = demand.copy()
    got[1000:2000] *= 0.6
    verdict = it_served(served(demand, got), "case")
    assert (verdict.rule, verdict.result, verdict.value, verdict.case) == ("it-served", "fail", 0.6, "case")
    assert "least at 1 s" in verdict.reason
    assert "6.667 kWh" in verdict.reason  # 24 MW for 1 s
    assert it_served(served(demand, 0.9995 * demand)).result == "pass"
    assert it_served(served(demand, 0.9985 * demand)).result == "fail"


def test_it_served_without_demand_or_channel() -> None:
    nothing = np.zeros(100)
    assert it_served(served(nothing, nothing)).result == "not_applicable"
    assert it_served(Waveform(STEPS[0], {"it_demand_w": nothing})).result == "not_assessable"
    idle = np.r_[np.full(50, 1e6), np.zeros(50)]
    assert it_served(served(idle, idle)).result == "pass"
    with pytest.raises(InputError, match="least_frac"):
        it_served(served(idle, idle), least_frac=0.0)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(st.sampled_from([0.0, 1e-3, 5.0, 9.0]), st.sampled_from([0.9, 0.9991, 1.0])), min_size=1
    )
)
def test_it_served_as_the_second_judge(rows: list[tuple[float, float]]) -> None:
    demand = np.array([row[0] for row in rows])
    w = served(demand, demand * np.array([row[1] for row in rows]))
    assert it_served(w).result == served_result(w)
