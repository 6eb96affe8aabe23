"""Known phasors give the sequence voltages, RMS values, power and frequency of the closed form."""

from __future__ import annotations

import cmath

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aidc.record.phases import nominal_of, one_cycle

A = cmath.exp(2j * cmath.pi / 3)
BASE = 1000.0
# phase-neutral phasors of faults behind a solid source (unit source voltage): V1, V2, V0
CASES = {
    "balanced": ((1, A**2, A), (1, 0, 0)),
    "lg": ((0, A**2, A), (2 / 3, 1 / 3, 1 / 3)),
    "ll": ((1, -0.5, -0.5), (0.5, 0.5, 0)),
    "llg": ((1, 0, 0), (1 / 3, 1 / 3, 1 / 3)),
    "3ph half": ((0.5, 0.5 * A**2, 0.5 * A), (0.5, 0, 0)),
}


def waves(phasors, hertz, rate, seconds=0.2):
    turn = np.exp(2j * np.pi * hertz * np.arange(round(seconds * rate)) / rate)
    return np.stack([(np.sqrt(2) * p * turn).real for p in phasors])


@pytest.mark.parametrize("hertz", [50, 60])
@pytest.mark.parametrize("rate", [4800, 4000, 2880, 10_000], ids=lambda rate: f"{rate} Hz")
@pytest.mark.parametrize("case", CASES, ids=str)
def test_known_phasors_give_exact_sequence_and_rms_voltages(case: str, rate: int, hertz: int) -> None:
    """Also where a cycle is no whole number of samples (4000 a second at 60 Hz)."""
    phasors, (v1, v2, v0) = CASES[case]
    found = one_cycle(waves([BASE * p for p in phasors], hertz, rate), None, 1 / rate, hertz, BASE).channels
    for channel, expected in (("v1_pu", v1), ("v2_pu", v2), ("v0_pu", v0)):
        np.testing.assert_allclose(found[channel], expected, atol=1e-9)
    phase = [abs(p) for p in phasors]
    apart = [abs(phasors[k] - phasors[(k + 1) % 3]) / np.sqrt(3) for k in range(3)]
    np.testing.assert_allclose(found["v_pn_min_pu"], min(phase), atol=1e-6)
    np.testing.assert_allclose(found["v_pn_max_pu"], max(phase), atol=1e-9)
    np.testing.assert_allclose(found["v_pp_min_pu"], min(apart), atol=1e-6)
    np.testing.assert_allclose(found["v_pp_max_pu"], max(apart), atol=1e-9)
    np.testing.assert_allclose(found["frequency_hz"], hertz, atol=1e-6)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.complex_numbers(max_magnitude=2, allow_nan=False), min_size=6, max_size=6),
    st.sampled_from([2880, 4000, 6400]),
)
def test_power_is_that_of_the_phasors(phasors: list[complex], rate: int) -> None:
    """S = sum V I*, for any unbalance; mean instantaneous power agrees with its real part."""
    rows = waves(phasors, 60, rate)
    found = one_cycle(rows[:3], rows[3:], 1 / rate, 60, 1.0).channels
    power = sum(v * i.conjugate() for v, i in zip(phasors[:3], phasors[3:], strict=True))
    np.testing.assert_allclose(found["p_w"], power.real, atol=1e-8)
    np.testing.assert_allclose(found["q_var"], power.imag, atol=1e-8)


def test_a_lagging_load_draws_positive_reactive_power() -> None:
    rows = waves([1, A**2, A, *(0.8 * cmath.exp(-1j * cmath.pi / 6) * p for p in (1, A**2, A))], 60, 4800)
    found = one_cycle(rows[:3], rows[3:], 1 / 4800, 60, 1.0).channels
    assert found["q_var"][0] == pytest.approx(3 * 0.8 * np.sin(np.pi / 6))


def test_harmonics_do_not_disturb_the_fundamental_but_count_in_rms() -> None:
    rate, hertz = 4800, 60
    rows = waves([1, A**2, A], hertz, rate) + 0.1 * waves([1, 1, 1], 5 * hertz, rate)
    found = one_cycle(rows, None, 1 / rate, hertz, 1.0).channels
    np.testing.assert_allclose(found["v1_pu"], 1, atol=1e-9)
    np.testing.assert_allclose(found["v_pn_min_pu"], np.sqrt(1.01), atol=1e-9)


@pytest.mark.parametrize("hertz", [59.0, 60.5, 61.8])
def test_frequency_off_nominal_is_measured(hertz: float) -> None:
    found = one_cycle(waves([1, A**2, A], hertz, 4800, 1.0), None, 1 / 4800, 60, 1.0).channels
    np.testing.assert_allclose(found["frequency_hz"], hertz, atol=1e-3)
    np.testing.assert_allclose(found["v1_pu"], 1, atol=2e-3)


def test_a_dip_shows_over_one_cycle_and_not_before() -> None:
    rate, start, per_cycle = 4800, 480, 80
    rows = waves([1, A**2, A], 60, rate)
    rows[:, start:] *= 0.5
    found = one_cycle(rows, None, 1 / rate, 60, 1.0)
    v1 = found.channels["v1_pu"]
    assert found.lead == per_cycle - 1
    np.testing.assert_allclose(v1[: start - found.lead], 1, atol=1e-9)
    np.testing.assert_allclose(v1[start:], 0.5, atol=1e-9)


def test_frequency_holds_while_there_is_no_voltage() -> None:
    rows = waves([1, A**2, A], 60.2, 4800, 0.4)
    rows[:, 600:1200] = 0
    found = one_cycle(rows, None, 1 / 4800, 60, 1.0).channels["frequency_hz"]
    assert np.isfinite(found).all()
    assert np.all(found[700:1100] == found[700])
    assert abs(found[-1] - 60.2) < 0.01


@pytest.mark.parametrize(("hertz", "told"), [(50, 50), (60, 60), (59.1, 60), (16.7, None), (400, None)])
def test_nominal_frequency_is_told_from_zero_crossings(hertz: float, told: float | None) -> None:
    assert nominal_of(waves([1], hertz, 4800, 0.5)[0], 1 / 4800) == told
