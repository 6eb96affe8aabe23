"""The source behind its impedance, against complex arithmetic and closed forms."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from aidc.plant.network.source import (
    NO_SOLUTION,
    constant_power_voltage,
    impedance_of,
    mismatch,
    sending_power,
    sending_voltage,
)

LEVELS = st.floats(1e6, 1e11)


@given(LEVELS, st.floats(0.1, 100))
def test_the_impedance_has_the_stated_short_circuit_power_and_angle(level_va, ratio) -> None:
    z = impedance_of(level_va, ratio)
    assert 1.0 / abs(complex(*z)) == pytest.approx(level_va, rel=1e-12)
    assert z.x / z.r == pytest.approx(ratio, rel=1e-12)


@given(LEVELS, st.floats(0.1, 100), st.floats(0.2, 1.3), st.floats(-0.5, 0.5), st.floats(-0.4, 0.4))
def test_the_voltage_meets_kirchhoff_in_complex_numbers(level_va, ratio, e, p_frac, q_frac) -> None:
    r, x = impedance_of(level_va, ratio)
    s = complex(p_frac, q_frac) * level_va
    v = constant_power_voltage(e, r, x, s.real, s.imag)
    assume(v != NO_SOLUTION)
    source = v + complex(r, x) * (s / v).conjugate()
    # at the nose a rounding of 1e-16 in the discriminant is one of 1e-8 in V²
    assert abs(source) == pytest.approx(e, rel=1e-6)
    assert mismatch(e, r, x, s.real, s.imag, v) == pytest.approx(0.0, abs=1e-12)
    assert sending_voltage(v, r, x, s.real, s.imag) == pytest.approx(abs(source), rel=1e-12)
    sent = source * (s / v)
    assert complex(*sending_power(v, r, x, s.real, s.imag)) == pytest.approx(sent, rel=1e-9, abs=1.0)


@given(LEVELS, st.floats(0.1, 100), st.floats(0.2, 1.3), st.floats(0.0, 0.6), st.floats(-0.4, 0.4))
def test_no_solution_is_above_the_one_returned(level_va, ratio, e, p_frac, q_frac) -> None:
    r, x = impedance_of(level_va, ratio)
    p, q = p_frac * level_va, q_frac * level_va
    v = constant_power_voltage(e, r, x, p, q)
    grid = (
        [v + (2.0 - v) * k / 200 for k in range(1, 201)]
        if v != NO_SOLUTION
        else [k / 100 for k in range(1, 200)]
    )
    assert all(mismatch(e, r, x, p, q, other) > -1e-12 for other in grid)


@pytest.mark.parametrize("e", [0.5, 0.9, 1.0, 1.1])
def test_the_largest_power_at_unity_power_factor_is_half_the_short_circuit_power(e) -> None:
    """E²·SCR/2 at R = 0; P. Kundur, Power System Stability and Control, section 14.1.1."""
    most = e * e * 37.5e6
    assert constant_power_voltage(e, 0.0, 1 / 75e6, most * (1 - 1e-9), 0.0) == pytest.approx(
        e / math.sqrt(2), rel=1e-4
    )
    assert constant_power_voltage(e, 0.0, 1 / 75e6, most * (1 + 1e-9), 0.0) == NO_SOLUTION
