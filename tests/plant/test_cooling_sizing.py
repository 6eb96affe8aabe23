"""Sizing a cooling plant: enough at design, refusal of the impossible, redundancy, reuse, warnings."""

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from aidc.catalogue import names, read
from aidc.errors import InputError
from aidc.plant.cooling.column import Figure
from aidc.plant.cooling.rejection import reject
from aidc.plant.cooling.rejection_build import rejection_units
from aidc.plant.cooling.reuse import reused_heat_w
from aidc.plant.cooling.sizing import (
    facility_loop,
    range_warnings,
    with_spares,
)
from aidc.schema.cooling import Cdu, CoolingPlant, Crah, HeatRejection
from aidc.units import kelvin

SHAPES = TypeAdapter(HeatRejection)
CDU = Cdu.model_validate(read("cdu", "deschutes-2mw").values)
CRAH = Crah.model_validate(read("crah", "crah-chilled-water").values)
KINDS = names("heat-rejection")
HEAT_W, FLOW_W_K = 40e6, 40e6 / 12


def plant(name, supply_c, **keys):
    entry = SHAPES.validate_python(read("heat-rejection", name).values)
    return CoolingPlant(rejection=entry, cdu="deschutes-2mw", cdu_entry=CDU, supply_temp_c=supply_c, **keys)


@pytest.mark.parametrize("name", KINDS)
def test_a_sized_plant_carries_its_design_heat_in_design_weather(name):
    supply_c = 18.0 if name.startswith("chiller") else 40.0
    built = plant(name, supply_c, redundancy="N")
    loop = facility_loop(built, HEAT_W, FLOW_W_K)
    supply_k = loop.supply_k
    found = reject(HEAT_W, supply_k, supply_k + 12.0, kelvin(35.0), kelvin(24.0), loop.rejection)
    assert found[0] == pytest.approx(HEAT_W, rel=1e-6)


@pytest.mark.parametrize("name", [name for name in KINDS if not name.startswith("chiller")])
def test_one_unit_less_does_not_carry_the_design_heat(name):
    """The search for the number of units finds the least."""
    built = plant(name, 40.0)
    weather = (kelvin(35.0), kelvin(24.0))
    units = rejection_units(built.rejection, HEAT_W, FLOW_W_K, kelvin(40.0), *weather)
    fewer = facility_loop(built.model_copy(update={"units": units - 1}), HEAT_W, FLOW_W_K)
    found = reject(HEAT_W, kelvin(40.0), kelvin(52.0), *weather, fewer.rejection)[0]
    assert 0.5 * HEAT_W < found < HEAT_W


def test_units_of_a_dry_cooler_in_closed_form():
    """At the unit's own flow, approach scales with heat: 5.55 K at 2.931 MW."""
    entry = SHAPES.validate_python(read("heat-rejection", "dry-cooler").values)
    flow_w_k = 10 * 2.931e6 / 5.56
    assert rejection_units(entry, 10 * 2.931e6 * 0.999, flow_w_k, kelvin(40.55)) == 10


@pytest.mark.parametrize(("name", "supply_c"), [("dry-cooler", 30.0), ("cooling-tower", 20.0)])
def test_a_set_point_below_the_weather_is_refused(name, supply_c):
    with pytest.raises(InputError, match="cannot be reached"):
        facility_loop(plant(name, supply_c), HEAT_W, FLOW_W_K)


def test_the_site_s_own_design_weather_counts():
    assert facility_loop(plant("dry-cooler", 30.0, design_dry_bulb_c=20.0), HEAT_W, FLOW_W_K).units > 1


def test_redundancy_adds_units():
    assert [with_spares(7, redundancy) for redundancy in ("N", "N+1", "2N")] == [7, 8, 14]
    found = {
        redundancy: facility_loop(plant("dry-cooler", 40.0, redundancy=redundancy), HEAT_W, FLOW_W_K).units
        for redundancy in ("N", "N+1", "2N")
    }
    assert found["N+1"] == found["N"] + 1
    assert found["2N"] == 2 * found["N"]


def test_given_units_are_not_sized():
    loop = facility_loop(plant("dry-cooler", 40.0, units=3), HEAT_W, FLOW_W_K)
    assert loop.units == 3
    assert loop.rejection[Figure.FAN_W] == pytest.approx(3 * 117.68e3)


def test_spare_units_save_fan_power():
    weather = (kelvin(30.0), kelvin(20.0))
    fans = [
        reject(
            HEAT_W,
            kelvin(40.0),
            kelvin(52.0),
            *weather,
            facility_loop(plant("dry-cooler", 40.0, redundancy=r), HEAT_W, FLOW_W_K).rejection,
        )[1]
        for r in ("N", "2N")
    ]
    assert fans[1] < 0.5 * fans[0]


def test_loop_capacity_and_pump_follow_the_heat():
    loop = facility_loop(plant("dry-cooler", 40.0), HEAT_W, FLOW_W_K)
    assert loop.capacity_j_k == pytest.approx(4.0 * HEAT_W / 1e3 * 0.992 * 4179, rel=0.002)
    assert loop.flow_w_k == FLOW_W_K
    # m³/s · 250 kPa / 65 %
    assert loop.pump_w == pytest.approx(FLOW_W_K / (992.3 * 4179) * 250e3 / 0.65, rel=0.001)
    assert (
        facility_loop(plant("dry-cooler", 40.0, return_rise_k=8.0), HEAT_W, FLOW_W_K).flow_w_k == HEAT_W / 8
    )


def test_a_plant_without_heat_is_finite():
    loop = facility_loop(plant("dry-cooler", 40.0), 0.0, 0.0)
    assert np.isfinite(loop.rejection).all()
    assert loop.capacity_j_k > 0


def test_heat_reuse_is_limited_and_needs_warmth():
    assert reused_heat_w(10.0, 318.0, 0.5, 8.0, 313.0) == 5.0
    assert reused_heat_w(10.0, 318.0, 1.0, 8.0, 313.0) == 8.0
    assert reused_heat_w(10.0, 312.0, 1.0, 8.0, 313.0) == 0.0
    assert reused_heat_w(-10.0, 318.0, 1.0, 8.0, 313.0) == 0.0


def test_leaving_a_model_s_range_is_told():
    assert range_warnings(plant("chiller-economiser", 18.0)) == []
    assert any("extrapolated" in text for text in range_warnings(plant("chiller-economiser", 40.0)))
    hall = plant("dry-cooler", 40.0, crah="crah-chilled-water", crah_entry=CRAH)
    assert any("cannot be cooled" in text for text in range_warnings(hall))


def test_shapes_refuse_the_impossible():
    dry = read("heat-rejection", "dry-cooler").values
    for wrong in (
        {"coolant_out_c": 50.0},
        {"air_in_c": 41.0},
        {"kind": "geyser"},
        {"fan_kw": -1},
        {"fans": 3},
    ):
        with pytest.raises(ValidationError):
            SHAPES.validate_python({**dry, **wrong})
    with pytest.raises(ValidationError, match="neither a CDU nor a CRAH"):
        CoolingPlant(rejection=SHAPES.validate_python(dry), supply_temp_c=40.0)
    with pytest.raises(ValidationError, match="rise in this order"):
        Crah.model_validate({**read("crah", "crah-chilled-water").values, "water_in_c": 26.0})
    chiller = read("heat-rejection", "chiller-economiser").values
    with pytest.raises(ValidationError, match="part_load"):
        SHAPES.validate_python({**chiller, "part_load": [0.1, 0.1, 0.1]})
