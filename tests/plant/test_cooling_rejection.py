"""Heat rejection: published design points and curves, laws that every kind obeys, and closed-loop behaviour."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter
from star import star

from aidc.catalogue import names, read
from aidc.plant.cooling.adiabatic import pad_air_k, pad_share, pad_water_kg_s
from aidc.plant.cooling.chiller import carnot_cop, lifted_w, part_load_factor, part_load_work
from aidc.plant.cooling.column import Figure
from aidc.plant.cooling.moist_air import ATMOSPHERE_PA, enthalpy_j_kg, humidity_ratio, relative_humidity
from aidc.plant.cooling.rejection import reject, rejection_limit, rejection_power
from aidc.plant.cooling.rejection_build import (
    rejection_column,
    rejection_units,
    unit_conductance_w_k,
)
from aidc.plant.cooling.tower import (
    evaporated_kg_s,
    make_up_kg_s,
    tower_conductance_w_k,
    tower_heat_w,
    tower_params,
)
from aidc.schema.cooling import CoolingTower, DryCooler, HeatRejection
from aidc.units import kelvin
from aidc.validation.published_tower import york_approach_k

SHAPES = TypeAdapter(HeatRejection)
ENTRIES = {
    name: SHAPES.validate_python(read("heat-rejection", name).values) for name in names("heat-rejection")
}
DRY, TOWER = ENTRIES["dry-cooler"], ENTRIES["cooling-tower"]
HEAT_W, RISE_K = 12e6, 10.0
FLOW_W_K = HEAT_W / RISE_K
WET_KINDS = [
    name for name, entry in ENTRIES.items() if isinstance(getattr(entry, "outdoor", entry), CoolingTower)
]


def set_point_k(name):
    return kelvin(18.0) if name.startswith("chiller") else kelvin(40.0 if "cooler" in name else 32.0)


@pytest.fixture(scope="module")
def columns():
    """Each kind sized for 12 MW at its set point."""
    found = {}
    for name, entry in ENTRIES.items():
        units = rejection_units(entry, 1.1 * HEAT_W, FLOW_W_K, set_point_k(name))
        found[name] = rejection_column(entry, units, FLOW_W_K, set_point_k(name))
    return found


def test_the_kinds_that_ship():
    assert {entry.kind for entry in ENTRIES.values()} == {
        "dry-cooler",
        "adiabatic-cooler",
        "cooling-tower",
        "chiller-economiser",
    }


def test_dry_cooler_at_its_published_point():
    """BAC TDFS1238N: 2.931 MW, 46.11 to 40.55 °C at 35 °C air, fans 117.68 kW; approach 5.55 K."""
    assert isinstance(DRY, DryCooler)
    heat_w = 2.931e6
    assert 35.0 + heat_w / unit_conductance_w_k(DRY, 1.0, 1.0) == pytest.approx(40.55, abs=1e-6)
    column = rejection_column(DRY, 1, heat_w / 5.56)
    found = reject(heat_w, kelvin(40.55), kelvin(46.11), kelvin(35.0), kelvin(24.0), column)
    assert found == pytest.approx((heat_w, 117.68e3, 0.0, 0.0), rel=1e-6)


def test_half_the_air_flow_of_a_dry_cooler():
    """Against ε-NTU by hand: N = UA/Cmin with UA of two films in series (air 2/3 of the resistance)."""
    ua = 1.0 / (2 / 3 / 0.5**0.8 + 1 / 3)  # design N is 1 at equal capacity flows
    ntu = ua / 0.5
    decay = np.exp(-ntu * 0.5)
    moved = 0.5 * (1 - decay) / (1 - 0.5 * decay)
    by_hand = moved / (1 - moved) / (0.5 / 0.5)  # over the design's conductance, where moved is 0.5
    found = unit_conductance_w_k(DRY, 1.0, 0.5) / unit_conductance_w_k(DRY, 1.0, 1.0)
    assert found == pytest.approx(by_hand, rel=2e-3)


@pytest.mark.parametrize("wet_c", [10.0, 15.0, 20.0, 25.0])
@pytest.mark.parametrize("range_k", [3.0, 5.56, 8.0, 11.0])
def test_tower_follows_its_published_curve(wet_c, range_k):
    """YorkCalc correlation (EnergyPlus), of which only the design point was used."""
    values = read("heat-rejection", "cooling-tower").values
    params = tower_params(
        CoolingTower.model_validate(
            {**values, "coolant_out_c": 29.45, "coolant_in_c": 35.01, "exchanger_approach_k": 0.0}
        )
    )
    approach_k = york_approach_k(wet_c, range_k, 1.0, 1.0)
    heat_w = tower_heat_w(1.0, 1.0, kelvin(wet_c + approach_k + range_k), kelvin(wet_c), params)
    assert heat_w / params.water_w_k == pytest.approx(range_k, abs=0.45)


def test_tower_at_its_design_point():
    assert isinstance(TOWER, CoolingTower)
    params = tower_params(TOWER)
    water_in_k = kelvin(TOWER.coolant_in_c - TOWER.exchanger_approach_k)
    assert tower_heat_w(1.0, 1.0, water_in_k, kelvin(TOWER.wet_bulb_c), params) == pytest.approx(
        2e6, rel=1e-6
    )


def test_tower_without_fans_keeps_its_free_convection():
    params = tower_params(TOWER)
    still, full = (tower_conductance_w_k(1.0, air, 295.0, 305.0, params) for air in (0.0, 1.0))
    assert still == pytest.approx(0.125 * full)


@given(wet_c=st.floats(0, 28), drier_k=st.floats(0, 15), rise_j_kg=st.floats(15e3, 60e3))
def test_evaporation_closes_the_balance_of_the_air(wet_c, drier_k, rise_j_kg):
    """Air of that dry and wet bulb, saturated at its enthalpy plus the heat, holds that much more water."""
    air_kg_s = 100.0
    heat_w = air_kg_s * rise_j_kg
    wet_k, dry_k = kelvin(wet_c), kelvin(wet_c + drier_k)
    rh = relative_humidity(np.array(dry_k), np.array(wet_k), ATMOSPHERE_PA)
    assume(rh > 0.02)  # air of this wet bulb cannot be warmer than dry air makes it
    entering = humidity_ratio(np.array(dry_k), rh, ATMOSPHERE_PA)
    temps = np.linspace(wet_k - 1, wet_k + 40, 20_000)
    saturated = humidity_ratio(temps, np.ones_like(temps), ATMOSPHERE_PA)
    leaving = np.interp(
        float(enthalpy_j_kg(np.array(dry_k), entering)) + rise_j_kg,
        enthalpy_j_kg(temps, saturated),
        saturated,
    )
    expected = air_kg_s * (leaving - float(entering))
    most = 1.5 * heat_w / 2.45e6
    found = evaporated_kg_s(heat_w, air_kg_s, dry_k, wet_k)
    assert found == pytest.approx(min(expected, most), rel=0.05)


def test_tower_water_is_in_the_published_range(columns):
    """About 1.48 l/kWh times a latent share near 0.85, over 1 − 1/cycles: 1.7 l/kWh at 4 cycles."""
    heat, _, _, water = reject(
        HEAT_W, kelvin(32.0), kelvin(42.0), kelvin(26.0), kelvin(21.0), columns["cooling-tower"]
    )
    assert heat == pytest.approx(HEAT_W)
    assert water * 3.6e6 / HEAT_W == pytest.approx(1.7, abs=0.15)


def test_make_up_follows_the_cycles_of_concentration():
    assert make_up_kg_s(3.0, 0.0, 4.0, 0.0) == pytest.approx(4.0)  # E · n/(n − 1)
    assert make_up_kg_s(3.0, 1000.0, 4.0, 8e-5) == pytest.approx(4.0)  # drift is part of the blow-down
    assert make_up_kg_s(3.0, 1e5, 4.0, 8e-5) == pytest.approx(3.0 + 8.0)


def test_pads_cool_towards_wet_bulb():
    assert pad_air_k(310.0, 295.0, 1.0, 0.8) == pytest.approx(298.0)
    assert pad_air_k(310.0, 295.0, 0.0, 0.8) == 310.0
    # a conductance of 2 W/K gives 20 W over 10 K: behind pads that cool by 6 K, 26 W need half of them
    assert pad_share(20.0, 2.0, 10.0, 6.0) == 0.0
    assert pad_share(26.0, 2.0, 10.0, 6.0) == pytest.approx(0.5)
    assert pad_share(40.0, 2.0, 10.0, 6.0) == 1.0
    assert pad_share(1.0, 2.0, -10.0, 6.0) == 1.0
    # the latent heat of the water is the sensible heat of the air
    assert pad_water_kg_s(1e5, 310.0, 298.0) * 2.45e6 == pytest.approx(1e5 * 12.0)


def test_carnot_and_part_load():
    """A water-cooled chiller at 7 °C and 35 °C condenser water comes near the COP of 5 to 6 of the market."""
    assert 5.0 < carnot_cop(kelvin(5.0), kelvin(36.0), 0.6, 10.0) < 6.0
    assert carnot_cop(280.0, 281.0, 0.6, 10.0) == pytest.approx(0.6 * 28.0)  # the least lift
    assert part_load_factor(1.0, 0.1226, 0.3070, 0.5713, 0.25) == pytest.approx(1.0, abs=0.002)
    assert part_load_factor(0.0, 0.1226, 0.3070, 0.5713, 0.25) == pytest.approx(
        part_load_factor(0.25, 0.1226, 0.3070, 0.5713, 0.25)
    )
    for load in (0.1, 0.25, 0.6, 1.2):
        factor = part_load_factor(load, 0.1226, 0.3070, 0.5713, 0.25)
        assert part_load_work(load, 0.1226, 0.3070, 0.5713, 0.25, 4.0) == pytest.approx(load * factor)
    assert lifted_w(10.0, -1.0, 2.0) == 0.0  # the economiser goes below the supply
    assert lifted_w(10.0, 3.0, 2.0) == pytest.approx(6.0)  # 2 W/K are lifted by 3 K
    assert lifted_w(10.0, 8.0, 2.0) == 10.0


weather = st.tuples(st.floats(-20, 45), st.floats(0, 15)).map(
    lambda pair: (kelvin(pair[0]), kelvin(pair[0] - pair[1]))
)


@pytest.mark.parametrize("name", ENTRIES)
@given(outdoors=weather, share=st.floats(0, 2), warmer_k=st.floats(-5, 15), flow=st.floats(0.3, 1))
@settings(max_examples=60, deadline=None)
def test_what_every_kind_obeys(columns, name, outdoors, share, warmer_k, flow):
    """Never more than asked or than possible, never negative, finite; no more fan than there is."""
    column, supply_k = columns[name], set_point_k(name) + warmer_k
    command = share * HEAT_W
    return_k = supply_k + command / (FLOW_W_K * flow)
    found = reject(command, supply_k, return_k, *outdoors, column, flow)
    assert np.isfinite(found).all()
    assert min(found) >= 0.0
    heat, fan, _, water = found
    most, sink_k = rejection_limit(*outdoors, supply_k, return_k, column, flow)
    assert heat <= min(command, max(most * (supply_k - sink_k), 0.0)) * (1 + 1e-9) + 1e-9
    assert fan <= column[Figure.FAN_W] * (1 + 1e-9)
    assert water <= 4e-6 * HEAT_W  # 14 l/kWh of rated heat would be no cooler but a fountain


@pytest.mark.parametrize("name", ENTRIES)
def test_colder_weather_never_needs_more_electricity(columns, name):
    """In steps of 5 K at 60 % humidity-like spread, at rated heat, up to the design weather."""
    supply_k = set_point_k(name)
    drawn = []
    for dry_c in (0.0, 5.0, 10.0, 15.0, 20.0, 25.0):
        _, fan, compressor, _ = reject(
            HEAT_W, supply_k, supply_k + RISE_K, kelvin(dry_c), kelvin(0.9 * dry_c - 1), columns[name]
        )
        drawn.append(fan + compressor)
    # a tower's UA is corrected for wet bulb by a published polynomial that falls below its conductance's gain
    slack = 1.15 if name in WET_KINDS else 1.0
    assert all(colder <= slack * warmer + 1e3 for colder, warmer in pairwise(drawn))


@pytest.mark.parametrize("name", ENTRIES)
def test_more_heat_never_draws_less(columns, name):
    supply_k = set_point_k(name)
    drawn = [
        sum(
            reject(
                share * HEAT_W,
                supply_k,
                supply_k + RISE_K,
                kelvin(22.0),
                kelvin(17.0),
                columns[name],
                max(share, 0.3),
            )[1:3]
        )
        for share in np.linspace(0.1, 1.0, 19)
    ]
    assert all(less <= more * 1.01 + 100 for less, more in pairwise(drawn))


@pytest.mark.parametrize("wet_c", [3.0, 8.0, 21.0, 27.0])
@pytest.mark.parametrize("air", [0.3, 0.6, 0.9])
def test_tables_read_back_the_tower(wet_c, air):
    """Interpolated conductance within 2 %, fan speed within 0.03 of what the equations give."""
    assert isinstance(TOWER, CoolingTower)
    bare = TOWER.model_copy(update={"exchanger_approach_k": 0.0})
    params = tower_params(bare)
    column = rejection_column(bare, 1, params.water_w_k)
    wet_k = kelvin(wet_c)
    # the speed table is drawn for water that returns at its design temperature
    span_k = bare.coolant_in_c - wet_c
    for flow in (0.37, 0.8, 1.0):
        most, sink_k = rejection_limit(wet_k + 4, wet_k, 300.0, wet_k + span_k, column, flow)
        assert sink_k == wet_k
        assert most == pytest.approx(
            tower_conductance_w_k(flow, 1.0, wet_k, wet_k + span_k, params), rel=0.02
        )
        wanted = tower_conductance_w_k(flow, air, wet_k, wet_k + span_k, params)
        fan = rejection_power(wanted, most, wet_k + 5, wet_k + span_k, wet_k + 4, wet_k, column, flow)[0]
        assert (fan / column[Figure.FAN_W]) ** (1 / 3) == pytest.approx(air, abs=0.03)


@pytest.mark.parametrize("name", ENTRIES)
@pytest.mark.parametrize("load", [0.4, 1.0])
def test_a_closed_loop_comes_to_its_set_point(columns, name, load):
    """The loop of an engine, in miniature: a proportional law on conductance with a lag, at 1 s."""
    column, set_k = columns[name], set_point_k(name)
    dry_k, wet_k = kelvin(24.0), kelvin(19.0)
    flow = max(load, 0.3)
    loop_j_k, lag_s, approach_s = 4.0 * 4180.0 * HEAT_W / 1e3, 60.0, 240.0
    centre_k, held, leaf = set_k + 3.0, 0.0, np.array([set_k + 8.0])
    trace = []
    for _ in range(7200):
        heat_w = max(2e6 * (leaf[0] - centre_k), 0.0)
        return_k = centre_k + heat_w / (FLOW_W_K * flow)
        most, sink_k = rejection_limit(dry_k, wet_k, centre_k, return_k, column, flow)
        wanted = heat_w + loop_j_k * (centre_k - set_k) / approach_s
        target = min(max(wanted / max(centre_k - sink_k, 0.05), 0.0), most)
        held = min(held + (target - held) / (lag_s + 1.0), most)
        rack = (leaf, np.array([4e7]), np.array([load * HEAT_W]), np.array([2e6]))
        centre_k, _, leaf, _ = star((centre_k, loop_j_k, 0.0), (held, sink_k), rack, 1.0)
        trace.append(centre_k)
    assert trace[-600:] == pytest.approx([set_k] * 600, abs=0.2)


def test_loss_of_rejection_warms_the_loop_in_minutes():
    """Fans stopped: 4 l/kW of water warm up by 0.06 K/s."""
    leaf, centre_k = np.array([311.0]), 305.0
    loop_j_k = 4.0 * 4150.0 * HEAT_W / 1e3
    for _ in range(100):
        rack = (leaf, np.array([1.0]), np.array([HEAT_W]), np.array([2e6]))
        centre_k, _, leaf, _ = star((centre_k, loop_j_k, 0.0), (0.0, 300.0), rack, 1.0)
    assert (centre_k - 305.0) / 100 == pytest.approx(0.06, abs=0.003)


@pytest.mark.parametrize("name", ENTRIES)
def test_kernels_equal_their_python_bodies(columns, name):
    supply_k = set_point_k(name)
    arguments = (kelvin(21.0), kelvin(17.0), supply_k, supply_k + 8.0, columns[name], 0.8)
    most, sink_k = rejection_limit(*arguments)
    assert (most, sink_k) == pytest.approx(rejection_limit.py_func(*arguments), rel=1e-12)
    asked = (0.6 * most, most, supply_k, supply_k + 8.0, kelvin(21.0), kelvin(17.0), columns[name], 0.8)
    assert rejection_power(*asked) == pytest.approx(rejection_power.py_func(*asked), rel=1e-12)


@pytest.mark.parametrize("name", ENTRIES)
def test_a_finer_grid_of_weather_never_costs_more_when_colder(columns, name):
    """Every half kelvin, at several loads and spreads of wet bulb: within 0.5 % and a ten-thousandth of the heat."""
    supply_k = set_point_k(name)
    for load in (0.3, 0.7, 1.0):
        for spread_k in (0.0, 6.0):
            drawn = []
            for dry_c in np.arange(-20.0, 44.0, 0.5):
                outdoors = (kelvin(dry_c), kelvin(dry_c - spread_k))
                heat, fan, compressor, _ = reject(
                    load * HEAT_W, supply_k, supply_k + RISE_K, *outdoors, columns[name], load
                )
                if heat < load * HEAT_W * (1 - 1e-9):
                    break
                drawn.append(fan + compressor)
            assert len(drawn) > 60
            assert all(colder <= 1.005 * warmer + 1e-4 * HEAT_W for colder, warmer in pairwise(drawn))


@pytest.mark.parametrize("name", sorted(set(ENTRIES) - {"chiller-air-cooled", "chiller-economiser"}))
def test_thin_air(name):
    """At 0.8 of the density full speed moves 0.8 of the air: the conductance at that flow, for 0.8 of the power."""
    entry = ENTRIES[name]
    sea, high = (rejection_column(entry, 5, FLOW_W_K, set_point_k(name), density) for density in (1.0, 0.8))
    assert high[Figure.FAN_W] == pytest.approx(0.8 * sea[Figure.FAN_W])
    assert high[Figure.AIR_KG_S] == pytest.approx(0.8 * sea[Figure.AIR_KG_S])
    if name in WET_KINDS:
        return
    share = FLOW_W_K / (5 * entry.rated_heat_mw * 1e6 / (entry.coolant_in_c - entry.coolant_out_c))
    most = rejection_limit(kelvin(10.0), kelvin(5.0), kelvin(40.0), kelvin(50.0), high)[0]
    assert most == pytest.approx(5 * unit_conductance_w_k(entry, share, 0.8), rel=1e-6)


@pytest.mark.parametrize("name", ENTRIES)
def test_fewer_units_reject_less_at_most_and_cost_more(columns, name):
    supply_k, column = set_point_k(name), columns[name]
    weather = (kelvin(24.0), kelvin(19.0))
    whole = reject(5e6, supply_k, supply_k + RISE_K, *weather, column, 0.5)
    half = reject(5e6, supply_k, supply_k + RISE_K, *weather, column, 0.5, 0.5)
    assert half[0] == pytest.approx(whole[0])
    assert sum(half[1:3]) >= sum(whole[1:3]) * (1 - 1e-9)
    assert reject(5e6, supply_k, supply_k + RISE_K, *weather, column, 0.5, 0.0)[0] == 0.0
