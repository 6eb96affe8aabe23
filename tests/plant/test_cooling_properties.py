"""Properties of coolants and moist air, exchangers, pumps and fans, against independent libraries and laws."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aidc.plant.cooling.coolant import density_kg_m3, heat_capacity_j_kg_k
from aidc.plant.cooling.exchanger import (
    effectiveness,
    film_conductance_w_k,
    supply_conductance_w_k,
    transfer_units,
)
from aidc.plant.cooling.moist_air import (
    ATMOSPHERE_PA,
    enthalpy_j_kg,
    evaporation_heat_j_kg,
    humidity_ratio,
    saturated_enthalpy_j_kg,
    saturated_ratio,
    wet_bulb_k,
)
from aidc.plant.cooling.pump_fan import fan_power_w, hydraulic_power_w, pump_power_w

TEMPS_K = np.linspace(253.15, 323.15, 15)
NTU = st.floats(0.01, 12)
RATIO = st.floats(0, 1)


@pytest.mark.parametrize(
    ("name", "fluid"), [("water", "Water"), ("pg25", "INCOMP::MPG[0.2575]"), ("pg20", "INCOMP::MPG[0.2061]")]
)
@pytest.mark.parametrize("temp_k", [280.0, 300.0, 320.0, 340.0])
def test_coolants_are_those_of_coolprop(name, fluid, temp_k):
    """Melinder's propylene glycol and IAPWS water, as in CoolProp."""
    prop = pytest.importorskip("CoolProp.CoolProp").PropsSI
    assert density_kg_m3(name, temp_k) == pytest.approx(prop("D", "T", temp_k, "P", 3e5, fluid), rel=5e-4)
    assert heat_capacity_j_kg_k(name, temp_k) == pytest.approx(
        prop("C", "T", temp_k, "P", 3e5, fluid), rel=5e-4
    )


def test_a_coolant_beyond_its_range_keeps_the_last_value():
    assert density_kg_m3("pg25", 400.0) == density_kg_m3("pg25", 343.15)
    assert heat_capacity_j_kg_k("water", 200.0) == heat_capacity_j_kg_k("water", 275.15)


def test_rule_of_thumb_for_coolant_flow():
    """OCP: 1.5 l/min per kW of PG25 rises by 10 K."""
    flow_kg_s = 1.5 / 60_000 * density_kg_m3("pg25", 303.15)
    assert 1000.0 / (flow_kg_s * heat_capacity_j_kg_k("pg25", 303.15)) == pytest.approx(10.0, abs=0.1)


@pytest.mark.parametrize("rh", [0.1, 0.4, 0.7, 1.0])
def test_moist_air_is_that_of_coolprop(rh):
    """Humid air by Herrmann et al. in CoolProp, −20 to 50 °C; the enhancement factor (0.4 %) is neglected."""
    asked = pytest.importorskip("CoolProp.HumidAirProp").HAPropsSI
    ratio = humidity_ratio(TEMPS_K, np.full_like(TEMPS_K, rh), ATMOSPHERE_PA)
    wet_k = wet_bulb_k(TEMPS_K, np.full_like(TEMPS_K, rh), ATMOSPHERE_PA)
    for temp_k, own_ratio, own_wet_k in zip(TEMPS_K, ratio, wet_k, strict=True):
        state = ("T", temp_k, "P", ATMOSPHERE_PA, "R", rh)
        assert own_ratio == pytest.approx(asked("W", *state), rel=0.008)
        assert own_wet_k == pytest.approx(asked("B", *state), abs=0.05)
        assert enthalpy_j_kg(temp_k, own_ratio) == pytest.approx(asked("H", *state), rel=0.005, abs=300)


@pytest.mark.parametrize("temp_k", [275.0, 290.0, 305.0, 325.0])
def test_the_engine_s_saturation_is_ashrae_s(temp_k):
    """Magnus' formula in the kernel against ASHRAE's equations for the weather: 0.4 % by its source."""
    ratio = humidity_ratio(np.array(temp_k), np.array(1.0), ATMOSPHERE_PA)
    assert saturated_ratio(temp_k) == pytest.approx(float(ratio), rel=0.005)
    assert saturated_enthalpy_j_kg(temp_k) == pytest.approx(
        float(enthalpy_j_kg(np.array(temp_k), ratio)), rel=0.005
    )


@pytest.mark.parametrize("temp_k", [275.0, 300.0, 330.0])
def test_heat_of_evaporation(temp_k):
    prop = pytest.importorskip("CoolProp.CoolProp").PropsSI
    latent = prop("H", "T", temp_k, "Q", 1, "Water") - prop("H", "T", temp_k, "Q", 0, "Water")
    assert evaporation_heat_j_kg(temp_k) == pytest.approx(latent, rel=0.005)


@given(ntu=NTU, ratio=st.floats(0, 0.999) | st.just(1.0))
def test_effectiveness_is_that_of_ht(ntu, ratio):
    """Nearer to balance `ht` loses its digits; the next test carries on from there."""
    library = pytest.importorskip("ht")
    theirs = library.effectiveness_from_NTU(NTU=ntu, Cr=ratio, subtype="counterflow")
    assert effectiveness(ntu, ratio) == pytest.approx(theirs, rel=1e-5)


@given(ntu=NTU, short=st.floats(0, 1e-3))
def test_effectiveness_goes_smoothly_to_balance(ntu, short):
    """At equal capacity flows N/(1 + N); its slope there is N²/(2 (1 + N)²)."""
    slope = ntu**2 / (2 * (1 + ntu) ** 2)
    assert effectiveness(ntu, 1 - short) == pytest.approx(
        ntu / (1 + ntu) + slope * short, abs=4 * short**2 + 2e-6
    )


@given(ntu=st.floats(0.01, 6), ratio=RATIO)
def test_transfer_units_undo_effectiveness(ntu, ratio):
    assert transfer_units(effectiveness(ntu, ratio), ratio) == pytest.approx(ntu, rel=1e-4)


@given(
    ua=st.floats(1e3, 1e6), hot=st.floats(1e3, 1e6), cold=st.floats(1e3, 1e6), supply_k=st.floats(290, 330)
)
def test_supply_conductance_obeys_the_second_law(ua, hot, cold, supply_k):
    """The hot stream leaves above the cold inlet, the cold one leaves below the hot inlet."""
    conductance = supply_conductance_w_k(ua, hot, cold)
    heat_w = conductance * (supply_k - 285.0)
    hot_in_k, cold_out_k = supply_k + heat_w / hot, 285.0 + heat_w / cold
    assert heat_w > 0
    assert cold_out_k <= hot_in_k * (1 + 1e-9)


def test_conductance_of_a_weak_exchanger_is_its_ua():
    assert supply_conductance_w_k(1.0, 1e6, 1e6) == pytest.approx(1.0, rel=1e-5)
    assert supply_conductance_w_k(1.0, 0.0, 1e6) == 0.0


def test_films_in_series():
    assert film_conductance_w_k(100.0, 0.5, 1.0, 1.0) == pytest.approx(100.0)
    # two thirds of the resistance doubles, one third stays
    assert film_conductance_w_k(100.0, 0.5, 0.5, 1.0) == pytest.approx(100.0 / (2 / 3 * 2 + 1 / 3))
    assert film_conductance_w_k(100.0, 0.5, 0.0, 1.0) == 0.0


@given(flow=st.floats(0, 1))
def test_affinity_laws(flow):
    assert fan_power_w(flow, 10.0) == pytest.approx(10.0 * flow**3)
    assert pump_power_w(flow, 10.0, 0.0) == pytest.approx(10.0 * flow**3)
    assert pump_power_w(flow, 10.0, 1.0) == pytest.approx(10.0 * flow)


def test_hydraulic_power_of_the_deschutes_unit():
    """500 gpm against 80 psi is about 17.4 kW, with which the OCP summary table is consistent."""
    gallon_m3, psi_pa = 3.785e-3, 6894.8
    assert hydraulic_power_w(500 * gallon_m3 / 60, 80 * psi_pa, 1.0) == pytest.approx(17.4e3, rel=0.01)


@pytest.mark.parametrize(
    ("function", "arguments"),
    [
        (effectiveness, (1.3, 0.7)),
        (transfer_units, (0.6, 0.7)),
        (supply_conductance_w_k, (5e4, 4e4, 6e4)),
        (saturated_enthalpy_j_kg, (300.0,)),
        (pump_power_w, (0.7, 10.0, 0.3)),
    ],
)
def test_kernels_equal_their_python_bodies(function, arguments):
    assert function(*arguments) == pytest.approx(function.py_func(*arguments), rel=1e-12)
    assert math.isfinite(function(*arguments))
