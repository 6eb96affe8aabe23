"""Laws of devices against their closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aidc.firmware.droop import droop_frac
from aidc.firmware.excursion import clock_ticks
from aidc.firmware.lag import lag_gain
from aidc.firmware.power_smoothing import smooth_power
from aidc.firmware.sag_counter import count_departure
from aidc.firmware.smoothing import follow_mean, follow_ramp, steer_soc_w
from aidc.firmware.virtual_machine import limit_current, swing


@given(st.floats(1e-4, 1e-2), st.floats(0.05, 100.0), st.integers(1, 5000))
def test_a_lag_is_exact_for_a_held_input(step_s, tau_s, steps) -> None:
    gain, y = lag_gain(step_s, tau_s), 0.0
    for _ in range(min(steps, 500)):
        y += gain * (1.0 - y)
    assert y == pytest.approx(1.0 - math.exp(-min(steps, 500) * step_s / tau_s), rel=1e-9)


def test_a_time_constant_under_two_steps_is_algebraic() -> None:
    assert lag_gain(1e-3, 1.99e-3) == 1.0
    assert lag_gain(1e-3, 2.01e-3) < 1.0


@pytest.mark.parametrize(
    ("deviation_hz", "share"), [(0.0, 0.0), (0.015, 0.0), (-0.2575, -0.5), (0.5, 1.0), (-0.8, -1.0)]
)
def test_droop_is_linear_between_its_dead_band_and_full_deviation(deviation_hz, share) -> None:
    assert droop_frac(deviation_hz, 0.015, 0.5) == pytest.approx(share, abs=1e-12)


def test_a_clock_starts_again_after_one_good_step() -> None:
    ticks = 0.0
    for beyond in (True, True, False, True):
        ticks = clock_ticks(beyond, ticks)
    assert ticks == 1.0


@pytest.mark.parametrize(("gap_s", "locked"), [(16.4, True), (29.9, True), (30.1, False)])
def test_three_departures_within_a_minute_lock_out(gap_s, locked) -> None:
    memory = np.full(8, -np.inf)
    answers = [count_departure(round(k * gap_s * 1000), 60_000.0, 3.0, memory) for k in range(6)]
    assert any(answers) is locked
    if locked:
        assert answers.index(True) == 2


def test_a_counter_of_eight_remembers_seven_departures() -> None:
    memory = np.full(8, -np.inf)
    answers = [count_departure(k, 60_000.0, 8.0, memory) for k in range(8)]
    assert answers == [False] * 7 + [True]


@pytest.mark.parametrize("step_s", [1e-3, 5e-4, 2.5e-4])
def test_a_ramp_is_bridged_by_half_the_square_of_the_step_over_the_rate(step_s) -> None:
    delta_w, rate_w_s = 30e6, 20e6 / 60
    target, energy_j = 0.0, 0.0
    for _ in range(round(100 / step_s)):
        target = follow_ramp(target, delta_w, rate_w_s * step_s)
        energy_j += (delta_w - target) * step_s
    assert energy_j == pytest.approx(delta_w**2 / (2 * rate_w_s), rel=5e-4)


@pytest.mark.parametrize("duty", [0.2, 0.5, 0.7])
def test_the_buffer_of_a_square_wave(duty) -> None:
    """Peak to peak ΔP·D·(1-D)·T, once the mean stands still."""
    delta_w, period_s, step_s = 10e6, 2.0, 1e-3
    gain = lag_gain(step_s, 1e5)
    target, stored, seen = duty * delta_w, 0.0, []
    for k in range(round(5 * period_s / step_s)):
        load = delta_w if (k * step_s) % period_s < duty * period_s - 1e-9 else 0.0
        target = follow_mean(target, load, gain)
        stored += (target - load) * step_s
        seen.append(stored)
    cycle = np.array(seen[-round(period_s / step_s) :])
    assert np.ptp(cycle) == pytest.approx(delta_w * duty * (1 - duty) * period_s, rel=5e-3)


def test_steering_gives_back_a_tenth_of_the_capacity_in_an_hour_at_one_per_hour() -> None:
    assert steer_soc_w(0.4, 0.5, 3.6e9, 1 / 3600) * 3600 == pytest.approx(0.1 * 3.6e9)


def test_power_smoothing_keeps_floor_ramps_and_hysteresis() -> None:
    power, low, seen = 100.0, 0.0, []
    for _ in range(12):
        power, low = smooth_power(10.0, power, 60.0, 5.0, 20.0, low, 5.0)
        seen.append(power)
    assert seen[:6] == [80.0, 60.0, 60.0, 60.0, 60.0, 40.0]
    assert seen[-1] == 10.0
    assert smooth_power(100.0, 10.0, 60.0, 5.0, 20.0, 12.0, 5.0) == (15.0, 0.0)


@pytest.mark.parametrize("inertia_s", [0.5, 5.0])
@pytest.mark.parametrize("dt_s", [1e-3, 1e-2])
def test_a_virtual_machine_follows_its_closed_form(inertia_s, dt_s) -> None:
    """-mp·ΔP in the end, ΔP/2H at first, and a time constant of 2H·mp at D = 0."""
    droop, surplus, omega = 0.02, -0.4, 1.0
    tau_s = 2 * inertia_s * droop
    for k in range(1, 200):
        omega = swing(omega, surplus, 1.0, dt_s, inertia_s, droop, 0.0)
        expected = droop * surplus * -math.expm1(-k * dt_s / tau_s)
        assert omega - 1.0 == pytest.approx(expected, rel=1e-9)
    first = swing(1.0, surplus, 1.0, 1e-6, inertia_s, droop, 0.0) - 1.0
    assert first / 1e-6 == pytest.approx(surplus / (2 * inertia_s), rel=1e-3)


def test_droop_without_inertia_is_algebraic_and_damping_pulls_to_the_grid() -> None:
    assert swing(1.0, -0.5, 1.0, 1e-3, 0.0, 0.04, 0.0) == pytest.approx(0.98)
    settled = swing(1.0, 0.0, 0.99, 1e3, 0.5, 0.02, 50.0)
    assert settled == pytest.approx((50.0 + 50.0 * 0.99) / 100.0)


@given(st.floats(1.0, 20.0), st.floats(0.3, 2.0))
def test_the_current_limit_settles_at_its_limit(stiff, limit) -> None:
    """A voltage of 1 behind admittance κ·y into a dead short draws exactly its limit."""
    scale = 1.0
    for _ in range(60):
        scale = limit_current(scale * stiff, limit, scale)
    assert min(scale * stiff, stiff) == pytest.approx(min(limit, stiff), rel=1e-6)
