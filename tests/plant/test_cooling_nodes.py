"""Thermal nodes: heat is conserved to rounding, any step is stable, and the error shrinks with the step."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aidc.plant.cooling.node import implicit_node, star_step

TEMP = st.floats(260, 360)
LEAVES = st.lists(
    st.tuples(TEMP, st.floats(1e4, 1e9), st.floats(0, 1e8), st.floats(0, 1e8)), min_size=1, max_size=12
)


@given(
    leaves=LEAVES,
    centre=st.tuples(TEMP, st.floats(1e5, 1e10), st.floats(0, 1e7)),
    sink=st.tuples(st.floats(0, 1e8), TEMP),
    dt_s=st.sampled_from([0.1, 1.0, 60.0, 3600.0]),
)
@settings(max_examples=200, deadline=None)
def test_a_star_conserves_heat(leaves, centre, sink, dt_s):
    """Heat put in equals heat rejected plus heat stored, over the magnitude of the flows."""
    before, capacity, heat, conductance = (np.array(column) for column in zip(*leaves, strict=True))
    after, flux = before.copy(), np.zeros(len(leaves))
    centre_k, centre_j_k, centre_heat_w = centre
    end_k, rejected_w = star_step(*centre, *sink, after, capacity, heat, conductance, dt_s, flux)
    stored = np.sum(capacity * (after - before)) / dt_s + centre_j_k * (end_k - centre_k) / dt_s
    put_in = heat.sum() + centre_heat_w
    # temperatures are held to 1e-16 of 300 K, so that a stored flux is known to C·T·1e-16/dt
    scale = np.abs(flux).sum() + put_in + abs(rejected_w) + (capacity @ before + centre_j_k * centre_k) / dt_s
    assert abs(put_in - rejected_w - stored) <= 1e-12 * scale
    assert rejected_w >= 0.0
    assert np.isfinite(after).all()


def test_the_flux_that_leaves_is_the_flux_that_arrives():
    """Each end of a flux computed from its own node's balance."""
    before = np.array([320.0, 310.0])
    after, flux = before.copy(), np.zeros(2)
    capacity, heat, conductance = np.array([1e6, 2e6]), np.array([5e5, 1e5]), np.array([1e5, 5e4])
    end_k, rejected_w = star_step(305.0, 4e6, 1e4, 2e5, 295.0, after, capacity, heat, conductance, 1.0, flux)
    assert heat - capacity * (after - before) == pytest.approx(flux, rel=1e-9)
    assert conductance * (after - end_k) == pytest.approx(flux, rel=1e-9)
    assert 4e6 * (end_k - 305.0) == pytest.approx(1e4 + flux.sum() - rejected_w, rel=1e-6)


def test_a_warm_sink_takes_no_part():
    after, flux = np.array([300.0]), np.zeros(1)
    end_k, rejected_w = star_step(
        300.0, 1e6, 0.0, 1e6, 330.0, after, np.array([1e6]), np.array([0.0]), np.array([1e4]), 1.0, flux
    )
    assert rejected_w == 0.0
    assert end_k == pytest.approx(300.0)


def test_a_star_comes_to_rest_where_the_conductances_say():
    """At rest a leaf stands Q/G above the centre, the centre the whole heat over G above the sink."""
    after, flux = np.array([300.0, 300.0]), np.zeros(2)
    heat, conductance = np.array([1e6, 5e5]), np.array([2e5, 2.5e5])
    centre_k = 300.0
    for _ in range(200):
        centre_k, rejected_w = star_step(
            centre_k, 1e7, 0.0, 3e5, 290.0, after, np.full(2, 4e6), heat, conductance, 60.0, flux
        )
    assert rejected_w == pytest.approx(1.5e6)
    assert centre_k == pytest.approx(290.0 + 1.5e6 / 3e5)
    assert after - centre_k == pytest.approx(heat / conductance)


@pytest.mark.parametrize("dt_s", [1e-2, 1.0, 1e3, 1e6])
def test_a_node_is_stable_at_any_step(dt_s):
    end_k, flux_w = implicit_node(350.0, 1e4, 1e4, 300.0, 0.0, dt_s)
    assert 300.0 <= end_k <= 350.0
    assert flux_w >= 0.0


def test_a_node_s_error_is_of_first_order():
    """Cooling down against the exponential law."""
    exact = 300.0 + 50.0 * math.exp(-1.0)

    def error(steps: int) -> float:
        temp_k = 350.0
        for _ in range(steps):
            temp_k, _ = implicit_node(temp_k, 1e5, 1e3, 300.0, 0.0, 100.0 / steps)
        return abs(temp_k - exact)

    errors = [error(steps) for steps in (25, 50, 100, 200)]
    ratios = [coarse / fine for coarse, fine in pairwise(errors)]
    assert ratios == pytest.approx([2.0] * 3, rel=0.05)


def test_kernels_equal_their_python_bodies():
    arguments = (310.0, 1e6, 2e4, 300.0, 3e5, 2.0)
    assert implicit_node(*arguments) == pytest.approx(implicit_node.py_func(*arguments), rel=1e-14)
    found = []
    for function in (star_step, star_step.py_func):
        after, flux = np.array([320.0, 310.0]), np.zeros(2)
        out = function(
            305.0,
            4e6,
            1e4,
            2e5,
            295.0,
            after,
            np.array([1e6, 2e6]),
            np.array([5e5, 1e5]),
            np.array([1e5, 5e4]),
            1.0,
            flux,
        )
        found.append([*out, *after, *flux])
    assert found[0] == pytest.approx(found[1], rel=1e-12)
