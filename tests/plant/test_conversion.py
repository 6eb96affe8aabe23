"""Conversion stages: the loss form, redundancy, a chain's sizing, fits, and Frontier's published model."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aidc.catalogue import names, read
from aidc.errors import InputError
from aidc.plant.conversion import (
    chain_efficiency,
    chain_stages,
    efficiency,
    input_power_w,
    loss_w,
    online_multiple,
    output_power_w,
    stage_coefficients,
    stage_efficiency,
)
from aidc.plant.fit_conversion import fit_loss_curve
from aidc.plant.frontier import NODES, site_power
from aidc.schema.chain import Chain, Stage

relaxed = settings(deadline=None)  # the first example compiles

UPS = Stage(name="ups", a=0.006, b=0.0076, c=0.0227, modules=4, boundary="site", heat_to="air")

coefficients = st.tuples(st.floats(0, 0.05), st.floats(0, 0.05), st.floats(0, 0.1))


def stage(a, b, c, **more):
    return Stage(name="s", a=a, b=b, c=c, boundary="site", heat_to="air", **more)


@pytest.mark.parametrize(
    ("load_frac", "expected"),
    [(0.25, 0.964), (0.5, 0.970), (1.0, 0.965)],
)
def test_ups_curve_gives_vendor_class_efficiencies(load_frac, expected):
    assert stage_efficiency(UPS, load_frac) == pytest.approx(expected, abs=6e-4)


@pytest.mark.parametrize(("load_frac", "expected"), [(0.5, 0.9951), (1.0, 0.9920)])
def test_transformer_curve_against_its_guaranteed_watts(load_frac, expected):
    """1575 W and 18500 W on 2500 kVA: η = S/(S + P0 + Pk·x²)."""
    watts = load_frac * 2.5e6
    assert watts / (watts + 1575 + 18500 * load_frac**2) == pytest.approx(expected, abs=1e-4)
    transformer = Chain.model_validate(read("chain", "415vac-eco").values).stages[0]
    assert stage_efficiency(transformer, load_frac) == pytest.approx(expected, abs=1e-4)


@relaxed
@given(coefficients, st.floats(1e3, 1e9), st.floats(0.0, 1.2), st.sampled_from(["N", "N+1", "2N"]))
def test_coefficients_equal_the_per_unit_form(abc, rated_w, load_frac, redundancy):
    part = stage(*abc, modules=3)
    found = stage_coefficients(part, rated_w, redundancy)
    multiple = online_multiple(redundancy, 3)
    x = load_frac / multiple
    a, b, c = abc
    expected_w = multiple * rated_w * (a + b * x + c * x**2)
    assert loss_w(load_frac * rated_w, *found[:3]) == pytest.approx(expected_w, rel=1e-9, abs=1e-9)
    assert found.capacity_w == rated_w


@relaxed
@given(coefficients, st.floats(1e3, 1e9), st.floats(1e-3, 1.5))
def test_output_inverts_input(abc, rated_w, load_frac):
    found = stage_coefficients(stage(*abc), rated_w)
    output_w = load_frac * rated_w
    back_w = output_power_w(input_power_w(output_w, *found[:3]), *found[:3])
    assert back_w == pytest.approx(output_w, rel=1e-9)


@relaxed
@given(coefficients, st.floats(1e3, 1e9), st.floats(0, 1), st.floats(1e-6, 1))
def test_input_rises_with_output_and_efficiency_stays_below_one(abc, rated_w, low, step):
    found = stage_coefficients(stage(*abc), rated_w)
    first, second = low * rated_w, (low + step) * rated_w
    assert input_power_w(second, *found[:3]) > input_power_w(first, *found[:3])
    assert 0 <= efficiency(first, *found[:3]) <= 1


def test_redundancy_moves_the_load_on_the_curve():
    """2N halves each path's load: the no-load loss doubles, the quadratic loss halves."""
    single, double = stage_coefficients(UPS, 1e6, "N"), stage_coefficients(UPS, 1e6, "2N")
    assert double.no_load_w == pytest.approx(2 * single.no_load_w)
    assert double.quadratic_per_w == pytest.approx(single.quadratic_per_w / 2)
    assert online_multiple("N+1", 4) == pytest.approx(1.25)


def test_a_stage_keeps_its_own_redundancy():
    fixed = UPS.model_copy(update={"redundancy": "N"})
    assert stage_coefficients(fixed, 1e6, "2N") == stage_coefficients(UPS, 1e6, "N")


def test_compiled_and_plain_body_agree():
    arguments = (7.3e5, 6e3, 0.0076, 2.27e-8)
    assert input_power_w(*arguments) == input_power_w.py_func(*arguments)
    assert output_power_w(*arguments) == output_power_w.py_func(*arguments)


@pytest.mark.parametrize("name", names("chain"))
def test_a_lineup_conserves_power_from_rack_to_grid(name):
    """What enters at the grid side is the load plus the loss of every stage."""
    chain = Chain.model_validate(read("chain", name).values)
    lineup = chain_stages(chain, 5e6)
    assert [sized.stage.name for sized in lineup] == [part.name for part in reversed(chain.stages)]
    power_w, lost_w = 3.1e6, 0.0
    for sized in lineup:
        assert sized.loss.capacity_w >= power_w
        lost_w += loss_w(power_w, *sized.loss[:3])
        power_w = input_power_w(power_w, *sized.loss[:3])
    assert power_w == pytest.approx(3.1e6 + lost_w, rel=1e-12)
    assert 0.9 < 3.1e6 / power_w < 0.98


@pytest.mark.parametrize("name", names("chain"))
def test_spare_modules_change_a_chain(name):
    chain = Chain.model_validate(read("chain", name).values)
    spare = chain.model_copy(update={"redundancy": "2N"})
    changed = any(part.redundancy is None for part in chain.stages)
    same = [sized.loss for sized in chain_stages(chain, 1e6)] == [
        sized.loss for sized in chain_stages(spare, 1e6)
    ]
    assert same is not changed


def test_chain_efficiency_is_the_product_of_its_stages():
    chain = Chain(voltage_v=415, stages=(UPS, UPS.model_copy(update={"name": "second"})))
    assert chain_efficiency(chain, 0.5) == pytest.approx(stage_efficiency(UPS, 0.5) ** 2)


@relaxed
@given(st.tuples(st.floats(1e-3, 0.05), st.floats(0, 0.05), st.floats(0, 0.1)))
def test_a_fit_recovers_the_curve_that_made_the_points(abc):
    part = stage(*abc)
    fit = fit_loss_curve([(x, stage_efficiency(part, x)) for x in (0.1, 0.25, 0.5, 0.75, 1.0)])
    assert fit.worst_points < 1e-6
    assert np.allclose(fit[:3], abc, atol=1e-7)


def test_fit_through_the_orv3_points():
    """Open Rack V3: 97.5 % at the peak (half load), 96.5 % at full load."""
    fit = fit_loss_curve([(0.5, 0.975), (1.0, 0.965)])
    assert fit.worst_points < 0.02
    assert math.isclose(fit.a + fit.b + fit.c, 1 / 0.965 - 1, abs_tol=3e-4)


@pytest.mark.parametrize(
    "points", [[], [(0.5, 0.9)], [(0.0, 0.9), (1, 0.9)], [(0.5, 1.2), (1, 0.9)], [(0.5, math.nan), (1, 0.9)]]
)
def test_a_fit_refuses_what_is_no_efficiency(points):
    with pytest.raises(InputError, match="efficiency points"):
        fit_loss_curve(points)


@pytest.mark.parametrize(
    ("state", "site_mw", "efficiency_pct"),
    [((0, 0.0, 0.0), 7.307, 92.18), ((9216, 0.33, 0.79), 22.53, 93.46), ((9472, 1.0, 1.0), 28.228, 93.59)],
    ids=["idle", "hpl", "full"],
)
def test_frontier_agrees_with_raps(state, site_mw, efficiency_pct):
    """RAPS (ExaDigiT), run with its own Frontier configuration."""
    found = site_power(*state)
    assert found.site_w / 1e6 == pytest.approx(site_mw, rel=5e-4)
    assert 100 * found.efficiency == pytest.approx(efficiency_pct, abs=0.02)
    assert found.site_w == pytest.approx(found.load_w + found.loss_w + found.cdu_w, rel=1e-12)


def test_staging_the_rectifiers_helps_most_at_idle():
    """RAPS: 92.58 % instead of 92.18 % at idle, nothing at full load."""
    assert 100 * site_power(0, 0, 0, staged=True).efficiency == pytest.approx(92.58, abs=0.02)
    assert site_power(NODES, 1, 1, staged=True).site_w == pytest.approx(site_power(NODES, 1, 1).site_w)


def test_the_frontier_chain_carries_the_published_constants():
    """A node at full load: 2704.26 W becomes 2772.7 W at the SIVOC, 97.5 %; rectifier about 95.7 %."""
    chain = Chain.model_validate(read("chain", "frontier").values)
    rectifier, sivoc = chain.stages
    assert stage_efficiency(sivoc, 1.0) == pytest.approx(2704.26 / 2772.71, abs=1e-5)
    assert stage_efficiency(sivoc, 626.26 / 2704.26) == pytest.approx(626.26 / 652.31, abs=1e-5)
    assert stage_efficiency(rectifier, 1.0) == pytest.approx(0.9585, abs=5e-4)
