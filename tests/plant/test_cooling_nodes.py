"""Thermal nodes: heat is conserved to rounding, any step is stable, and the error shrinks with the step."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from star import one_node, star

from aidc.plant.cooling.node import flux_w, hub_k, node_k, passed_frac, passed_of_share

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
    centre_k, centre_j_k, centre_heat_w = centre
    end_k, rejected_w, after, flux = star(centre, sink, (before, capacity, heat, conductance), dt_s)
    stored = np.sum(capacity * (after - before)) / dt_s + centre_j_k * (end_k - centre_k) / dt_s
    put_in = heat.sum() + centre_heat_w
    # temperatures are held to 1e-16 of 300 K, so that a stored flux is known to C·T·1e-16/dt
    scale = np.abs(flux).sum() + put_in + abs(rejected_w) + (capacity @ before + centre_j_k * centre_k) / dt_s
    assert abs(put_in - rejected_w - stored) <= 1e-12 * scale
    assert rejected_w >= 0.0
    assert np.isfinite(after).all()


def test_a_star_solves_all_its_balances_at_once():
    """Against the equations of every node, written down as one matrix and solved by numpy."""
    before = np.array([320.0, 310.0, 295.0])
    capacity, heat = np.array([1e6, 2e6, 5e5]), np.array([5e5, 1e5, 2e4])
    conductance = np.array([1e5, 5e4, 3e4])
    end_k, rejected_w, after, flux = star(
        (305.0, 4e6, 1e4), (2e5, 295.0), (before, capacity, heat, conductance), 7.0
    )
    balances = np.diag([*(capacity / 7.0 + conductance), 4e6 / 7.0 + conductance.sum() + 2e5])
    balances[:3, 3] = balances[3, :3] = -conductance
    known = [*(capacity / 7.0 * before + heat), 4e6 / 7.0 * 305.0 + 1e4 + 2e5 * 295.0]
    exact = np.linalg.solve(balances, known)
    assert [*after, end_k] == pytest.approx(exact, rel=1e-12)
    assert rejected_w == pytest.approx(2e5 * (exact[3] - 295.0), rel=1e-9)
    assert flux == pytest.approx(conductance * (exact[:3] - exact[3]), rel=1e-9)


def test_a_warm_sink_takes_no_part():
    leaf = (np.array([300.0]), np.array([1e6]), np.array([0.0]), np.array([1e4]))
    end_k, rejected_w, _, _ = star((300.0, 1e6, 0.0), (1e6, 330.0), leaf, 1.0)
    assert rejected_w == 0.0
    assert end_k == pytest.approx(300.0)


def test_a_star_comes_to_rest_where_the_conductances_say():
    """At rest a leaf stands Q/G above the centre, the centre the whole heat over G above the sink."""
    heat, conductance = np.array([1e6, 5e5]), np.array([2e5, 2.5e5])
    centre_k, leaves = 300.0, np.array([300.0, 300.0])
    for _ in range(200):
        centre_k, rejected_w, leaves, _ = star(
            (centre_k, 1e7, 0.0), (3e5, 290.0), (leaves, np.full(2, 4e6), heat, conductance), 60.0
        )
    assert rejected_w == pytest.approx(1.5e6)
    assert centre_k == pytest.approx(290.0 + 1.5e6 / 3e5)
    assert leaves - centre_k == pytest.approx(heat / conductance)


@given(store=st.floats(1.0, 1e9), conductance=st.floats(1e-3, 1e9), share=st.floats(1e-6, 1.0))
@settings(max_examples=100, deadline=None)
def test_a_share_of_a_conductance_passes_what_that_conductance_would(store, conductance, share):
    whole = passed_frac(store, conductance)
    if whole < 1.0 - 1e-6:  # nearer to one the share cannot be told from rounding
        assert passed_of_share(whole, share) == pytest.approx(
            passed_frac(store, share * conductance), rel=1e-6
        )


@pytest.mark.parametrize("dt_s", [1e-2, 1.0, 1e3, 1e6])
def test_a_node_is_stable_at_any_step(dt_s):
    end_k, out_w = one_node(350.0, 1e4, 1e4, 300.0, 0.0, dt_s)
    assert 300.0 <= end_k <= 350.0
    assert out_w >= 0.0


def test_a_node_s_error_is_of_first_order():
    """Cooling down against the exponential law."""
    exact = 300.0 + 50.0 * math.exp(-1.0)

    def error(steps: int) -> float:
        temp_k = 350.0
        for _ in range(steps):
            temp_k, _ = one_node(temp_k, 1e5, 1e3, 300.0, 0.0, 100.0 / steps)
        return abs(temp_k - exact)

    errors = [error(steps) for steps in (25, 50, 100, 200)]
    ratios = [coarse / fine for coarse, fine in pairwise(errors)]
    assert ratios == pytest.approx([2.0] * 3, rel=0.05)


@pytest.mark.parametrize(
    ("law", "arguments"),
    [
        (node_k, (310.0, 5e5, 3e5, 2e4, 300.0)),
        (passed_frac, (5e5, 2e4)),
        (passed_of_share, (0.4, 0.3)),
        (flux_w, (0.4, 5e5, 3e5, 12.0)),
        (hub_k, (3e8, 1e6, 2e5, 295.0)),
        (hub_k, (2.9e8, 1e6, 2e5, 295.0)),
    ],
)
def test_kernels_equal_their_python_bodies(law, arguments):
    assert law(*arguments) == pytest.approx(law.py_func(*arguments), rel=1e-14)
