"""Modes of the stepped equations against the ring-down of the same window and the machine's own equations."""

from __future__ import annotations

import math

import numpy as np
import pytest
from grids import MS, body_of, calm, forming, open_site

from aidc.simulate.transient.fields import StoreState
from aidc.simulate.transient.modes import machine_modes
from aidc.simulate.transient.small_signal import site_modes, step_matrix

CASES = {
    "inertia": {"inertia_s": 2.0, "damping_frac": 0.0, "power_lag_s": 0.0, "droop_frac": 0.05},
    "filtered": {"inertia_s": 1.0, "droop_frac": 0.05, "power_lag_s": 0.004},
    "droop": {"inertia_s": 0.0, "droop_frac": 0.02, "power_lag_s": 0.1},
}


def window_of(converter: dict, scr: float = 8.0, duration_s: float = 4.0):
    window = calm(
        open_site(body_of(pods=2, scr=scr, storage=forming(1.0, **converter)), duration_s=duration_s)
    )
    window.advance(200)
    return window


def ring_down(window, steps: int = 3000) -> tuple[float, float]:
    """Frequency [Hz] and decay [1/s] of the angle after a small push, from its turning points between samples."""
    still = window.branch((), 4.0)
    pushed = window.branch((), 4.0)
    pushed.state.store[StoreState.OMEGA_PU, 0] += 1e-5
    pushed.state.store[StoreState.MEASURED_W, 0] -= 10.0
    angle = np.empty(steps)
    for k in range(steps):
        still.advance(1)
        pushed.advance(1)
        angle[k] = pushed.state.store[StoreState.DELTA_RAD, 0] - still.state.store[StoreState.DELTA_RAD, 0]
    angle -= angle[-1]
    peak = np.abs(angle).max()
    turns = [
        k for k in range(1, steps - 1)
        if (angle[k] - angle[k - 1]) * (angle[k + 1] - angle[k]) < 0 and abs(angle[k]) > 1e-4 * peak
    ]  # fmt: skip
    at, size = [], []
    for k in turns[1:]:
        slope, bend = 0.5 * (angle[k + 1] - angle[k - 1]), angle[k + 1] - 2 * angle[k] + angle[k - 1]
        at.append(k - slope / bend)
        size.append(abs(angle[k] - 0.5 * slope**2 / bend))
    spans = np.diff(at).mean() / 1000.0
    decay = -np.polyfit(np.array(at) / 1000.0, np.log(size), 1)[0]
    return 0.5 / float(spans), float(decay)


@pytest.mark.parametrize("name", CASES)
def test_a_mode_rings_down_as_its_eigenvalue_says(name: str) -> None:
    window = window_of(CASES[name])
    modes = site_modes(window)
    assert len(modes) == 1
    frequency_hz, decay_per_s = ring_down(window)
    assert modes[0].where == "storage.yard"
    assert modes[0].frequency_hz == pytest.approx(frequency_hz, rel=0.01)
    assert modes[0].decay_per_s == pytest.approx(decay_per_s, rel=0.01)
    s = complex(-decay_per_s, 2 * math.pi * frequency_hz)
    assert modes[0].damping_frac == pytest.approx(decay_per_s / abs(s), rel=0.02)


def test_without_load_it_is_the_machine_on_an_infinite_bus() -> None:
    """P. Kundur, Power System Stability and Control, section 12.3, around no load; the site's load moves it little."""
    window = window_of(CASES["inertia"], scr=100.0)
    machine = machine_modes(window.plan)[0]
    assert site_modes(window)[0].frequency_hz == pytest.approx(machine.frequency_hz, rel=0.05)


def test_a_current_controlled_storage_has_no_mode_that_swings() -> None:
    yard = forming(1.0)
    yard["yard"]["converter"] = {"control": "grid-following"}
    window = calm(open_site(body_of(pods=2, scr=8.0, storage=yard)))
    window.advance(100)
    assert site_modes(window) == []
    matrix, _ = step_matrix(window)
    assert np.abs(np.linalg.eigvals(matrix)).max() <= 1.0 + 1e-9
    bare = calm(open_site(body_of(pods=2, scr=8.0)))
    assert site_modes(bare) == []


def test_looking_at_modes_moves_nothing() -> None:
    one, two = window_of(CASES["droop"]), window_of(CASES["droop"])
    site_modes(one)
    for a, b in zip(one.state, two.state, strict=True):
        np.testing.assert_array_equal(a, b)
    assert one.step_s == MS


def test_a_check_tells_the_modes_beside_the_named_ones() -> None:
    from sites import loaded

    from aidc.simulate.transient.start import operating_point
    from aidc.study.grid_check.facts import mode_facts

    named = {"modes": [{"name": "far", "frequency_hz": 40}, {"name": "near", "frequency_hz": 7}]}
    body = body_of(pods=2, scr=8.0, grid=named, storage=forming(1.0, **CASES["droop"]))
    site = loaded(body)
    levels = {"normal": site.grid.short_circuit_mva * 1e6, "min": site.grid.short_circuit_mva * 0.5e6}
    found = mode_facts(site, operating_point(site), levels, MS)["small_signal_modes"]
    assert [one["level"] for one in found] == ["normal", "min"]
    assert {one["nearest_generator_mode"] for one in found} == {"near"}
    assert found[1]["frequency_hz"] < found[0]["frequency_hz"]  # a weaker grid is a softer spring
    assert all(0 < one["damping_percent"] < 100 for one in found)
