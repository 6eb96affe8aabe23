"""Every cooling entry: it fits its shape, every figure lies in a stated range, and its source is traceable."""

import math

import pytest
from pydantic import TypeAdapter

from aidc.catalogue import names, read
from aidc.plant.cooling.cdu import cdu_conductance_w_k, cdu_params
from aidc.schema.cooling import Cdu, ColdPlate, Crah, HeatRejection

SHAPES = {
    "heat-rejection": TypeAdapter(HeatRejection),
    "cdu": TypeAdapter(Cdu),
    "cold-plate": TypeAdapter(ColdPlate),
    "crah": TypeAdapter(Crah),
}
ENTRIES = [(kind, name) for kind in SHAPES for name in names(kind)]

# by kind, then the last part of a figure's key
COMMON = {
    "rated_heat_mw": (0.5, 10),
    "fan_kw": (1, 200),
    "coolant_in_c": (25, 60),
    "coolant_out_c": (20, 50),
    "exchanger_approach_k": (0, 5),
    "response_s": (10, 600),
    "air_in_c": (20, 45),
    "air_over_liquid_capacity": (0.5, 2),
    "air_over_liquid_film": (0.2, 1),
    "liquid_exponent": (0.6, 1),
    "air_exponent": (0.4, 0.9),
    "wet_bulb_c": (15, 30),
    "water_over_air": (0.5, 2),
    "air_curve": (-1, 2),
    "water_curve": (-1, 2),
    "wet_bulb_curve": (0, 1),
    "free_convection_frac": (0, 0.25),
    "cycles_of_concentration": (2, 8),
    "drift_frac": (0, 0.001),
    "pad_effectiveness": (0.6, 0.95),
    "wet_at_load_frac": (0.5, 1),
    "carnot_frac": (0.4, 0.7),
    "evaporator_pinch_k": (1, 5),
    "condenser_pinch_k": (1, 10),
    "economiser_approach_k": (0, 5),
    "condenser_pump_kw": (0, 100),
    "lift_min_k": (5, 20),
    "part_load": (0, 1),
    "part_load_min_frac": (0.1, 0.5),
    "supply_min_c": (2, 10),
    "supply_max_c": (12, 35),
    "reference_cop": (3, 12),
    "reference_leaving_c": (4, 15),
    "reference_entering_c": (10, 40),
    "capacity": (-1, 2),
    "eir": (-1, 2),
    "leaving_min_c": (3, 10),
    "leaving_max_c": (7, 25),
    "entering_min_c": (5, 20),
    "entering_max_c": (20, 50),
    "rated_heat_kw": (50, 3000),
    "approach_k": (1.5, 8),
    "facility_in_c": (15, 45),
    "secondary_flow_kg_s": (5, 60),
    "primary_flow_kg_s": (5, 60),
    "secondary_cp_kj_per_kg_k": (3.8, 4.2),
    "pump_kw": (3, 60),
    "nameplate_kw": (5, 120),
    "pump_static_frac": (0, 1),
    "flow_min_frac": (0.1, 1),
    "inventory_l_per_kw": (0.3, 4),
    "air_return_c": (25, 45),
    "air_supply_c": (18, 30),
    "water_in_c": (5, 25),
    "water_out_c": (10, 35),
    "thermal_mass_kj_per_k_per_kw": (2, 60),
    "a_k_per_w": (0.008, 0.04),
    "b_k_per_w": (0.002, 0.03),
    "exponent": (0.5, 1.5),
    "flow_min_l_min": (0.3, 3),
    "flow_max_l_min": (1, 8),
    "heat_capacity_j_per_k": (100, 1000),
}


def numbers(value):
    return value if isinstance(value, list) else [value]


def test_shipped_entries():
    assert {
        "dry-cooler",
        "adiabatic-cooler",
        "cooling-tower",
        "chiller-economiser",
        "frontier-towers",
    } <= set(names("heat-rejection"))
    assert {"deschutes-2mw", "xdu1350", "frontier-cdu"} <= set(names("cdu"))
    assert {"ocp-1kw-pg25", "ocp-1kw-water"} <= set(names("cold-plate"))
    assert "crah-chilled-water" in names("crah")


@pytest.mark.parametrize(("kind", "name"), ENTRIES)
def test_an_entry_fits_its_shape(kind, name):
    assert SHAPES[kind].validate_python(read(kind, name).values)


@pytest.mark.parametrize(("kind", "name"), ENTRIES)
def test_every_figure_lies_in_its_range(kind, name):
    figures = read(kind, name).figures
    assert figures
    for key, figure in figures.items():
        low, high = COMMON[key.rsplit(".", 1)[-1]]
        for value in numbers(figure.value):
            assert math.isfinite(value), key
            assert low <= value <= high, (key, value)


@pytest.mark.parametrize(("kind", "name"), ENTRIES)
def test_every_source_is_used_and_traceable(kind, name):
    """A published figure names a document; an estimate may not pretend to."""
    entry = read(kind, name)
    assert {figure.source for figure in entry.figures.values()} == set(entry.sources)
    for figure in entry.figures.values():
        source = entry.sources[figure.source]
        assert figure.confidence in ("estimated", "derived") or source.url or source.doi, figure.key
        if figure.source == "engineering":
            assert figure.confidence == "estimated", figure.key


@pytest.mark.parametrize("name", names("heat-rejection"))
def test_fans_draw_a_plausible_share_of_the_heat(name):
    """0.5 to 5 %: BAC's dry cooler 4.0 %, EnergyPlus' tower 1.05 %, a Frontier cell 4.1 %."""
    values = read("heat-rejection", name).values
    unit = values.get("outdoor", values)
    assert 0.005 <= unit["fan_kw"] / (1e3 * unit["rated_heat_mw"]) <= 0.05


@pytest.mark.parametrize("name", names("cdu"))
def test_a_unit_s_temperatures_are_consistent(name):
    """Pumps draw 0.5 to 2.5 % of the heat, and the exchanger's effectiveness is one that exists."""
    cdu = Cdu.model_validate(read("cdu", name).values)
    params = cdu_params(cdu)
    assert 0.005 <= cdu.pump_kw / cdu.rated_heat_kw <= 0.025
    assert 1.0 < params.ua_w_k / min(params.secondary_w_k, params.primary_w_k) < 8.0
    assert params.rated_heat_w / cdu_conductance_w_k(1.0, 1.0, params) == pytest.approx(cdu.approach_k)


def test_frontier_s_units_carry_its_peak():
    """25 units of 8,473 W; 94.5 % of 30 MW goes to liquid."""
    cdu = Cdu.model_validate(read("cdu", "frontier-cdu").values)
    assert 25 * cdu.rated_heat_kw * 1e3 == pytest.approx(0.945 * 30e6)
    assert cdu.pump_kw == pytest.approx(8.473)
    assert 30.0 <= cdu.facility_in_c + cdu.approach_k <= 33.0
