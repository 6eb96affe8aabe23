"""The dynamic branch against SciPy's integrator, its own steady state, and the closed form of the offset."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from aidc.plant.network.dynamic import branch_current, branch_voltage, offset_time_s

F = 60.0
W0 = 2 * math.pi * F


def drop_at(time_s: float) -> complex:
    """A drop that ramps, swings and turns."""
    return (0.2 + 0.1 * math.sin(40 * time_s)) * np.exp(1j * (0.1 + 0.5 * time_s)) + 0.3 * min(time_s, 0.05)


@pytest.mark.parametrize("ratio", [0.5, 10.0, 50.0])
def test_the_current_is_that_of_an_integrator(ratio) -> None:
    x = 0.3
    r = x / ratio
    times = np.arange(0.0, 0.2, 2e-4)
    found = branch_current(np.array([drop_at(t) for t in times]), r, x, F, 2e-4)

    def slope(time_s, i):
        return W0 / x * (drop_at(time_s) - complex(r, x) * i)

    exact = solve_ivp(
        slope,
        (0.0, times[-1]),
        [drop_at(0.0) / complex(r, x)],
        t_eval=times,
        rtol=1e-10,
        atol=1e-12,
        max_step=1e-4,
    )
    assert np.abs(found - exact.y[0]).max() < 1e-5


@pytest.mark.parametrize("step_s", [1e-3, 5e-4, 1e-2])
def test_a_step_leaves_an_offset_that_decays_with_l_over_r(step_s) -> None:
    r, x = 0.01, 0.1
    drop = np.full(400, 0.05 + 0.0j)
    current = branch_current(drop, r, x, F, step_s, start=0.0)
    steady = 0.05 / complex(r, x)
    times = np.arange(400) * step_s
    offset = -steady * np.exp(-times / offset_time_s(10.0, F)) * np.exp(-1j * W0 * times)
    assert np.abs(current - steady - offset).max() < 1e-12


def test_the_steady_state_is_the_quasi_static_one() -> None:
    drop = np.full(2000, 0.05 + 0.02j)
    current = branch_current(drop, 0.02, 0.1, F, 1e-3, start=1.0)
    assert current[-1] == pytest.approx(drop[0] / complex(0.02, 0.1), abs=1e-12)
    voltage = branch_voltage(drop + 1.0, current[-1] * np.ones(2000), 0.02, 0.1, F, 1e-3)
    assert voltage == pytest.approx(np.ones(2000), abs=1e-12)


def test_voltage_and_current_are_inverses() -> None:
    times = np.arange(0.0, 0.3, 1e-4)
    current = (0.5 + 0.2 * np.tanh((times - 0.1) / 0.01)) * np.exp(-0.2j)
    source = np.ones(times.size, dtype=complex)
    voltage = branch_voltage(source, current, 0.01, 0.1, F, 1e-4)
    back = branch_current(source - voltage, 0.01, 0.1, F, 1e-4, start=current[0])
    assert np.abs(back - current).max() < 2e-4
    quasi_static = source - complex(0.01, 0.1) * current
    assert np.abs(voltage - quasi_static).max() > 1e-3  # the edge is felt ...
    assert np.abs(voltage - quasi_static)[-100:].max() < 1e-9  # ... and forgotten


def test_halving_the_step_quarters_the_error_of_the_voltage() -> None:
    def worst(step_s: float) -> float:
        times = np.arange(0.0, 0.2, step_s)
        turn = np.exp(1j * 5.0 * times)
        current = (0.5 + 0.1 * np.sin(60 * times)) * turn
        slope = (6.0 * np.cos(60 * times) + 5j * (0.5 + 0.1 * np.sin(60 * times))) * turn
        exact = 1.0 - complex(0.01, 0.1) * current - 0.1 / W0 * slope
        start = branch_voltage(np.ones(times.size, complex), current, 0.01, 0.1, F, step_s)
        wave = start + (exact[0] - start[0]) * (-1.0) ** np.arange(times.size)
        return float(np.abs(wave - exact).max())

    assert worst(5e-4) == pytest.approx(worst(1e-3) / 4, rel=0.15)


def test_nothing_in_gives_nothing_out() -> None:
    none = np.zeros(0, dtype=complex)
    assert branch_current(none, 0.1, 0.1, F, 1e-3).size == 0
    assert branch_voltage(none, none, 0.1, 0.1, F, 1e-3).size == 0
