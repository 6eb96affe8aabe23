"""The design check: a plant that is too small is named, with the hour of the weather and the share that lacks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from pydantic import TypeAdapter

from aidc.catalogue import read
from aidc.plant.capacity import Bulbs, capacity_w, reached_supply_k, with_units
from aidc.plant.cooling.sizing import facility_loop
from aidc.plant.design_check import Weather, design_findings
from aidc.plant.freeze import frozen
from aidc.schema.cooling import Cdu, CoolingPlant, HeatRejection
from aidc.site import load
from aidc.units import kelvin

SHAPES = TypeAdapter(HeatRejection)
CDU = Cdu.model_validate(read("cdu", "deschutes-2mw").values)
RATED_W, APPROACH_K, RISE_K = 2.931e6, 5.55, 5.56  # of one dry cooler at 35 °C


def coolers(units, supply_c=40.55):
    """Dry coolers on a loop that gives each of them its rated flow."""
    entry = SHAPES.validate_python(read("heat-rejection", "dry-cooler").values)
    plant = CoolingPlant(
        rejection=entry, cdu="deschutes-2mw", cdu_entry=CDU, supply_temp_c=supply_c, units=units
    )
    return plant, facility_loop(plant, units * RATED_W, units * RATED_W / RISE_K)


@pytest.mark.parametrize("dry_c", [10.0, 30.0, 35.0, 39.0, 45.0])
def test_what_dry_coolers_carry_falls_with_the_air_in_proportion(dry_c):
    """At rated flow: rated heat over 5.55 K for each kelvin between supply and air, and nothing in hotter air."""
    _, loop = coolers(4)
    expected = 4 * RATED_W * max(40.55 - dry_c, 0.0) / APPROACH_K
    assert capacity_w(loop, 4 * RATED_W, Bulbs(kelvin(dry_c), kelvin(5.0))) == pytest.approx(
        expected, rel=2e-3
    )


def test_the_supply_rises_as_far_as_the_heat_asks():
    """In air of 42 °C the coolers need the same 5.55 K: the supply reaches 47.55 °C."""
    _, loop = coolers(4)
    reached = reached_supply_k(loop, 4 * RATED_W, Bulbs(kelvin(42.0), kelvin(20.0)))
    assert reached - kelvin(0.0) == pytest.approx(47.55, abs=0.02)


def test_units_out_take_their_share():
    plant, loop = coolers(4)
    weather = Bulbs(kelvin(35.0), kelvin(20.0))
    whole, none = capacity_w(loop, 4 * RATED_W, weather), capacity_w(with_units(plant, loop, 0), 1e6, weather)
    three = capacity_w(with_units(plant, loop, 3), 4 * RATED_W, weather)
    assert none == 0.0
    assert 0.6 * whole < three < 0.75 * whole  # the three see more water each, and cool it less far


SITE = """
schema = 1
[site]
name = "hot"
location = { latitude_deg = 30, longitude_deg = -97 }
[grid]
import_limit_mw = 40
[chains]
dc = { use = "800vdc-sst" }
[cooling]
warm = { use = "dry-cooler", cdu = "deschutes-2mw", supply_temp_c = 39 }
hall = { use = "chiller-air-cooled", supply_temp_c = 18 }
[pods]
a = { use = "gb200-nvl72", racks = 160, chain = "dc", cooling = "warm", air_cooling = "hall" }
[scenario]
start = 2025-07-01T00:00:00Z
days = 2
weather = { use = "constant", dry_bulb_c = 35 }
"""


def weather_of(dry_c):
    start = datetime(2025, 7, 1, tzinfo=UTC)
    dry_k = kelvin(0.0) + np.asarray(dry_c, dtype=float)
    return Weather([start + timedelta(hours=k) for k in range(dry_k.size)], dry_k, dry_k - 10.0)


@pytest.fixture
def hot(tmp_path):
    path = tmp_path / "site.toml"
    path.write_text(SITE, encoding="utf-8")
    return path


def test_the_hottest_hour_is_named_and_nothing_in_mild_weather(hot):
    day = [28.0, 33.0, 39.5, 41.0, 38.0, 30.0]
    site = frozen(load(hot))
    assert design_findings(site, weather_of([20.0, 34.0])) == ()
    (found,) = design_findings(site, weather_of(day))
    assert found.where == "cooling.warm"
    assert found.time == datetime(2025, 7, 1, 3, tzinfo=UTC)
    assert found.have == 0.0  # air above the set point takes no heat
    assert "hours short" in found.text


def test_half_the_coolers_lack_their_share(hot):
    """At design air, with the units that the margin left: have/need is about the share of units over what is needed."""
    whole = frozen(load(hot))
    units = whole.cooling["warm"].built.units
    (found,) = design_findings(
        frozen(load(hot, [f"cooling.warm.units={units // 2}"])), weather_of([20.0, 35.0, 35.0])
    )
    assert found.time == datetime(2025, 7, 1, 1, tzinfo=UTC)
    assert 0.45 < found.have / found.need < 0.75
    assert f"{100 * (1 - found.have / found.need):.0f} % short" in found.text


def test_water_that_air_handlers_cannot_use_is_found(hot):
    found = design_findings(frozen(load(hot, ["cooling.hall.supply_temp_c=30"])))
    assert [one.where for one in found] == ["cooling.hall"]
    assert "would reach" in found[0].text


def test_coolant_above_its_limit_is_found_before_the_run(hot):
    """By hand: what CDUs carry below 45 °C falls in proportion to what lies between that and their water."""
    mild = weather_of([20.0, 20.0])
    assert design_findings(frozen(load(hot)), mild) == ()
    at = {
        supply_c: [
            one
            for one in design_findings(
                frozen(load(hot, [f"cooling.warm.supply_temp_c={supply_c}"], resize=True)), mild
            )
            if one.where == "pods.a"
        ]
        for supply_c in (40, 41, 45)
    }
    (near,), (far,), (none,) = at[40], at[41], at[45]
    assert far.have / near.have == pytest.approx((45 - 41) / (45 - 40), rel=1e-9)
    assert near.need == far.need
    assert none.have == 0.0
    assert "the coolant would reach 45.2 °C; racks throttle above 45 °C" in near.text
    assert "46.2 °C" in far.text
