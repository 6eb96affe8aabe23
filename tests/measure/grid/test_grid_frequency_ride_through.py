"""Frequency bands, rate of change and phase jump against their closed forms."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from brute_force import frequency_result
from hypothesis import given, settings
from hypothesis import strategies as st

from aidc.measure.grid.frequency_ride_through import frequency_ride_through, phase_jump_rad, rocof_hz_per_s
from aidc.record.waveform import Waveform
from aidc.schema.code import FrequencyRideThrough

MS = Fraction(1, 1000)
BANDS = FrequencyRideThrough(
    rule="frequency-ride-through", clause="bands", below_hz=(58.8, 57.0), below_s=(2.0, 0.0),
    above_hz=(61.2,), above_s=(2.0,),
)  # fmt: skip


def made(frequency: np.ndarray, left: int | None = None, **channels: np.ndarray) -> Waveform:
    connected = np.ones(frequency.size)
    if left is not None:
        connected[left:] = 0.0
    return Waveform(MS, {"frequency_hz": frequency, "connected_frac": connected, **channels})


@pytest.mark.parametrize("step_ms", [1.0, 0.5, 0.25])
def test_a_ramp_is_beyond_a_band_for_as_long_as_its_slope_says(step_ms: float) -> None:
    step = Fraction(step_ms) / 1000
    t = np.arange(round(6 / float(step))) * float(step)
    f = np.interp(t, [1.0, 2.0, 3.0, 4.0], [60.0, 58.0, 58.0, 60.0])  # 2 Hz/s down and up
    w = Waveform(step, {"frequency_hz": f, "connected_frac": np.ones(t.size)})
    verdict = frequency_ride_through(BANDS, w)
    assert verdict.result == "pass"
    assert verdict.value == pytest.approx(1.0 + 2 * 0.8 / 2, rel=1e-6)
    assert verdict.limit == 2.0


def test_leaving_within_the_band_time_fails_and_after_it_passes() -> None:
    f = np.full(6000, 60.0)
    f[1000:5000] = 58.5
    assert frequency_ride_through(BANDS, made(f, 2500)).result == "fail"
    assert frequency_ride_through(BANDS, made(f, 3100)).result == "pass"
    f[1200:] = 56.9  # below 57 Hz nothing is asked
    assert frequency_ride_through(BANDS, made(f, 1201)).result == "pass"


def test_rate_of_change_over_its_window() -> None:
    t = np.arange(3000) * 1e-3
    f = 50 - np.clip(t - 1, 0, 1) * 1.5
    assert np.abs(rocof_hz_per_s(f, 1e-3, 0.5)).max() == pytest.approx(1.5)
    assert np.abs(rocof_hz_per_s(f, 1e-3, 2.0)).max() == pytest.approx(0.75)
    step = np.where(t < 1, 50.0, 49.0)
    assert np.abs(rocof_hz_per_s(step, 1e-3, 0.5)).max() == pytest.approx(2.0)


def test_the_rate_that_must_be_withstood() -> None:
    t = np.arange(4000) * 1e-3
    clause = FrequencyRideThrough(
        rule="frequency-ride-through", clause="rocof", rocof_hz_per_s=1.0, rocof_window_s=0.5
    )
    mild, wild = 60 - np.clip(t - 1, 0, 1) * 0.9, 60 - np.clip(t - 1, 0, 1) * 1.5
    passed = frequency_ride_through(clause, made(mild))
    assert (passed.result, passed.unit, passed.limit) == ("pass", "Hz/s", 1.0)
    assert passed.value == pytest.approx(0.9)
    failed = frequency_ride_through(clause, made(mild, 1700))
    assert failed.result == "fail"
    assert frequency_ride_through(clause, made(wild, 1700)).result == "pass"
    assert frequency_ride_through(clause, made(wild, 1200)).result == "fail"  # 0.6 Hz/s so far
    assert frequency_ride_through(clause, made(np.full(4000, 60.0))).result == "not_applicable"


@pytest.mark.parametrize("jump_deg", [25.0, -25.0, 100.0])
@pytest.mark.parametrize("offset_hz", [0.0, -1.0])
@pytest.mark.parametrize("rocof", [0.0, 2.0])
def test_a_jump_is_told_from_the_turning_of_the_angle(
    jump_deg: float, offset_hz: float, rocof: float
) -> None:
    t = np.arange(2000) * 1e-3
    angle = 2 * math.pi * (offset_hz * t + rocof * t * t / 2) + np.radians(jump_deg) * (t >= 1.0)
    jump = np.degrees(phase_jump_rad(angle, 1e-3, 50.0))
    k = int(np.abs(jump).argmax())
    assert jump[k] == pytest.approx(jump_deg, abs=1e-6)
    assert 1.0 <= t[np.abs(jump) > 0.9 * abs(jump_deg)][0] <= 1.001
    wrapped = (angle + math.pi) % (2 * math.pi) - math.pi
    np.testing.assert_allclose(phase_jump_rad(wrapped, 1e-3, 50.0), np.radians(jump), atol=1e-9)


def test_turning_alone_is_no_jump() -> None:
    t = np.arange(2000) * 1e-3
    assert np.abs(phase_jump_rad(2 * math.pi * (0.7 * t + t * t), 1e-3, 60.0)).max() < 1e-9


def test_a_jump_beyond_the_limit_ends_the_duty_at_once() -> None:
    clause = FrequencyRideThrough(rule="frequency-ride-through", clause="jump", phase_jump_deg=25.0)
    t = np.arange(2000) * 1e-3
    f = np.full(2000, 60.0)

    def judged(jump_deg: float, left: int | None) -> str:
        return frequency_ride_through(
            clause, made(f, left, angle_rad=np.radians(jump_deg) * (t >= 1.0))
        ).result

    assert judged(20, None) == "pass"
    assert judged(20, 1003) == "fail"
    assert judged(30, 1003) == "pass"
    assert judged(30, 990) == "fail"


def test_a_missing_channel_leaves_it_open() -> None:
    clause = BANDS.model_copy(update={"phase_jump_deg": 25.0})
    verdict = frequency_ride_through(clause, made(np.full(100, 60.0)))
    assert verdict.result == "not_assessable"
    assert "angle_rad" in verdict.reason
    short = BANDS.model_copy(update={"rocof_hz_per_s": 1.0})
    assert frequency_ride_through(short, made(np.full(100, 60.0))).result == "not_assessable"


@settings(deadline=None, max_examples=150)
@given(
    st.lists(st.sampled_from([60.0, 58.8, 58.5, 57.0, 56.5, 61.2, 61.5]), min_size=2, max_size=12),
    st.one_of(st.none(), st.integers(0, 100)),
    st.booleans(),
)
def test_bands_as_the_second_judge(levels: list[float], left: int | None, inclusive: bool) -> None:
    clause = BANDS.model_copy(update={"below_s": (0.03, 0.01), "above_s": (0.02,), "inclusive": inclusive})
    f = np.repeat(levels, 10)
    w = made(f, left if left is not None and left < f.size else None)
    assert frequency_ride_through(clause, w).result == frequency_result(clause, w)
