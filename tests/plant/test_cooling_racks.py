"""Cold plates, CDUs and air handlers: published design points, scaling, and times to overheat."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aidc.catalogue import read
from aidc.errors import InputError
from aidc.plant.cooling.cdu import (
    cdu_conductance_w_k,
    cdu_params,
    cdu_units,
    secondary_flow_m3_s,
)
from aidc.plant.cooling.cold_plate import (
    case_temp_k,
    fit_cold_plate,
    hot_frac,
    resistance_k_w,
)
from aidc.plant.cooling.crah import crah_conductance_w_k, crah_params
from aidc.plant.cooling.node import node_k
from aidc.plant.cooling.sizing import air_loop, case_table_k_w, rack_loop
from aidc.schema.cooling import Cdu, ColdPlate, Crah
from aidc.units import celsius, kelvin

PLATE = ColdPlate.model_validate(read("cold-plate", "ocp-1kw-pg25").values)
CURVE = (PLATE.a_k_per_w, PLATE.b_k_per_w, PLATE.exponent)
DESCHUTES = Cdu.model_validate(read("cdu", "deschutes-2mw").values)
CRAH = Crah.model_validate(read("crah", "crah-chilled-water").values)


def test_case_temperature_of_the_published_plate():
    """OCP OAI liquid cooling guidelines (2023), figure 7: 0.0245 K/W at 1 l/min of PG25."""
    assert celsius(case_temp_k(kelvin(30.0), 1000.0, 1.0, *CURVE)) == pytest.approx(54.5, abs=0.5)


def test_the_catalogue_s_curve_is_the_fit_of_the_published_points():
    flow = np.array([0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2, 1.4, 1.6, 1.8, 2.0, 2.2, 2.4])
    measured = np.array(
        [
            0.0325,
            0.0300,
            0.0280,
            0.0265,
            0.0255,
            0.0245,
            0.0230,
            0.0220,
            0.0214,
            0.0209,
            0.0204,
            0.0200,
            0.0197,
        ]
    )
    assert fit_cold_plate(flow, measured) == pytest.approx(CURVE, rel=0.02)


@pytest.mark.parametrize(("case_k", "share"), [(343.0, -1.0), (353.0, 0.0), (358.0, 0.5), (363.0, 1.0)])
def test_throttling_rises_from_limit_to_trip(case_k, share):
    assert hot_frac(case_k, 353.0, 0.1) == pytest.approx(share)


def test_a_stopped_pump_leaves_about_ten_seconds():
    """300 J/K at 1 kW: about 3 K/s; InterPACK 2017 measured shutdown in under a minute."""
    rate = (node_k(300.0, PLATE.heat_capacity_j_per_k / 0.1, 1000.0, 0.0, 300.0) - 300.0) / 0.1
    assert rate == pytest.approx(3.3, abs=0.4)
    assert 30.0 / rate == pytest.approx(10.0, abs=2.0)


@pytest.mark.parametrize(("litres", "rate_k_s"), [(2.0, 0.13), (4.0, 0.063)])
def test_lost_heat_rejection_leaves_minutes(litres, rate_k_s):
    """2 to 4 l of coolant per kW warm up by 0.13 to 0.06 K/s with the pumps on: 80 to 160 s per 10 K."""
    entry = DESCHUTES.model_copy(update={"inventory_l_per_kw": litres})
    loop = rack_loop(entry, 1e6, 1.5e3 / 60e3)
    temp_k = 313.15
    for _ in range(60):
        temp_k = node_k(temp_k, loop.capacity_j_k, 1e6, 0.0, 300.0)  # a step of 1 s
    assert (temp_k - 313.15) / 60 == pytest.approx(rate_k_s, rel=0.05)


@pytest.mark.parametrize(
    ("name", "approach_k", "return_c", "facility_c"),
    [("deschutes-2mw", 3.0, 46.1, 41.6), ("xdu1350", 4.0, None, None)],
)
def test_design_points_of_the_units(name, approach_k, return_c, facility_c):
    """OCP Deschutes summary table; Vertiv data sheet SL-70799. Implied UA: 542 and 303 kW/K within 3 %."""
    cdu = Cdu.model_validate(read("cdu", name).values)
    params = cdu_params(cdu)
    found = params.rated_heat_w / cdu_conductance_w_k(1.0, 1.0, params)
    assert found == pytest.approx(approach_k, abs=1e-9)
    assert params.ua_w_k == pytest.approx({"deschutes-2mw": 542e3, "xdu1350": 303e3}[name], rel=0.03)
    supply_c = cdu.facility_in_c + found
    if return_c is not None:
        assert supply_c + params.rated_heat_w / params.secondary_w_k == pytest.approx(return_c, abs=0.05)
        assert cdu.facility_in_c + params.rated_heat_w / params.primary_w_k == pytest.approx(
            facility_c, abs=0.05
        )


@given(secondary=st.floats(0.1, 1), primary=st.floats(0.1, 1))
def test_more_flow_never_conducts_less(secondary, primary):
    params = cdu_params(DESCHUTES)
    found = cdu_conductance_w_k(secondary, primary, params)
    assert 0 < found <= cdu_conductance_w_k(secondary, min(primary * 1.1, 1.1), params)


def test_no_flow_conducts_nothing():
    assert cdu_conductance_w_k(0.0, 1.0, cdu_params(DESCHUTES)) == 0.0
    assert crah_conductance_w_k(1.0, 0.0, crah_params(CRAH)) == 0.0


def test_an_impossible_approach_is_refused():
    impossible = DESCHUTES.model_copy(update={"approach_k": 1e-9, "primary_flow_kg_s": 20.0})
    with pytest.raises(InputError, match="no exchanger has this approach"):
        cdu_params(impossible)


def test_flow_sizes_the_units_where_it_exceeds_their_heat():
    """Racks that want 1.35 l/min per kW need more of a unit rated at 0.93."""
    assert cdu_units(DESCHUTES, 10e6, 0.0) == 5
    assert cdu_units(DESCHUTES, 10e6, 10e3 * 1.35 / 60e3) == 8
    assert secondary_flow_m3_s(DESCHUTES) * 60e3 / 2000 == pytest.approx(0.93, abs=0.01)


def at_flow(loop, table, flow=1.0):
    """A table read at a share of design flow."""
    return np.interp(flow / loop.flow_most_frac, np.linspace(0.0, 1.0, len(table)), table)


def test_spares_share_flow_and_save_pump_power():
    alone, spared = (rack_loop(DESCHUTES, 9.9e6, 0.0, redundancy) for redundancy in ("N", "2N"))
    assert spared.units == 2 * alone.units
    assert spared.flow_m3_s == pytest.approx(alone.flow_m3_s)
    assert at_flow(spared, spared.pump_w) < at_flow(alone, alone.pump_w)
    spared_w_k, alone_w_k = (at_flow(loop, loop.conductance_w_k) for loop in (spared, alone))
    assert 9.9e6 / spared_w_k < 9.9e6 / alone_w_k < 3.01


def test_the_units_that_are_left_give_what_all_gave():
    """Of twice as many units one half gives design flow at its rating: what the same units do alone."""
    alone, spared = (rack_loop(DESCHUTES, 10e6, 0.0, redundancy) for redundancy in ("N", "2N"))
    assert spared.flow_most_frac == pytest.approx(2.0)
    assert 0.5 * spared.pump_w[-1] == pytest.approx(alone.pump_w[-1])
    assert 0.5 * spared.conductance_w_k[-1] == pytest.approx(alone.conductance_w_k[-1])


def test_tables_hold_below_the_least_flow():
    loop = rack_loop(DESCHUTES, 2e6, 0.0, "N")
    below = int(loop.flow_min_frac * 128)
    assert np.ptp(loop.pump_w[:below]) == 0.0
    assert (np.diff(loop.pump_w[below + 1 :]) > 0).all()
    assert (np.diff(loop.conductance_w_k[below + 1 :]) > 0).all()
    case = case_table_k_w(PLATE, 1.35, loop.flow_min_frac)
    assert (np.diff(case[below + 1 :]) < 0).all()
    assert case[-1] == pytest.approx(resistance_k_w(1.35, *CURVE))


def test_a_loop_that_is_not_there_is_finite():
    for loop in (rack_loop(DESCHUTES, 0.0, 0.0), air_loop(CRAH, 0.0)):
        assert loop.units == 0
        assert np.isfinite(loop.conductance_w_k).all()
        assert loop.capacity_j_k > 0


def test_air_handler_meets_its_design_point():
    loop = air_loop(CRAH, 1.5e6, "N")
    assert loop.units == 10
    assert 1.5e6 / loop.conductance_w_k[-1] == pytest.approx(CRAH.air_supply_c - CRAH.water_in_c)
    assert loop.fan_w[-1] == pytest.approx(45e3)
    assert loop.fan_w[64] == pytest.approx(45e3 / 8)  # fan law at half flow


def test_a_cdu_kernel_equals_its_python_body():
    params = cdu_params(DESCHUTES)
    assert cdu_conductance_w_k(0.6, 0.8, params) == pytest.approx(
        cdu_conductance_w_k.py_func(0.6, 0.8, params), rel=1e-12
    )
