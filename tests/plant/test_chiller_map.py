"""Chillers by their makers' maps, held against EnergyPlus's formulas written out here and against scipy's interpolation."""

import math
import re
import tomllib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from scipy.interpolate import RegularGridInterpolator

from aidc.catalogue import read
from aidc.catalogue.entry import parse
from aidc.errors import InputError
from aidc.plant.cooling.chiller_map import fill_map, map_capacity_frac, map_power_frac
from aidc.plant.cooling.column import COLUMN, Figure
from aidc.plant.cooling.rejection import reject, rejection_limit
from aidc.plant.cooling.rejection_build import rejection_column, rejection_units, unit_conductance_w_k
from aidc.schema.chiller_map import ChillerMap
from aidc.schema.cooling import ChillerEconomiser
from aidc.units import kelvin

PAGE = Path(__file__).parents[2] / "docs" / "heat-rejection.md"
MAPS = TypeAdapter(ChillerMap)
YORK = read("heat-rejection", "chiller-york-yt-1396kw").values

# EnergyPlus, datasets/Chillers.idf: ElectricEIRChiller York YT 1396kW/7.35COP/Vanes
REFERENCE_W, REFERENCE_COP = 1396100.0, 7.35
CAPFT = (5.167863e-1, -2.788454e-2, -9.497810e-4, 6.693411e-2, -2.728430e-3, 4.723123e-3)
EIRFT = (5.207500e-1, -9.073869e-3, -1.812171e-4, 2.568740e-2, 4.255936e-5, -5.899242e-4)
EIRFPLR = (3.043032e-1, 3.720107e-2, 6.590338e-1)

TABLE = {  # made up; COP falls with lift and is best at part load, as machines with variable speed are
    "form": "table",
    "leaving_c": [5.0, 8.0, 18.0],
    "entering_c": [14.0, 22.0, 30.0, 38.0],
    "load_frac": [0.2, 0.5, 0.8, 1.0],
    "capacity_frac": [[1.1, 1.0, 0.9, 0.75], [1.2, 1.1, 1.0, 0.85], [1.5, 1.4, 1.3, 1.1]],
    "cop": [
        [[8.0 + i - 1.4 * j + 2.0 * load * (1.0 - load) for load in (0.2, 0.5, 0.8, 1.0)] for j in range(4)]
        for i in range(3)
    ],
}


def biquadratic(c, x, y):
    """EnergyPlus Input Output Reference, Curve:Biquadratic."""
    return c[0] + c[1] * x + c[2] * x**2 + c[3] * y + c[4] * y**2 + c[5] * x * y


def energy_plus(cooling_w, leaving_c, entering_c, least=0.10):
    """Power [W] by the Engineering Reference, Electric Chiller Model Based on Condenser Entering Temperature."""
    available = REFERENCE_W * biquadratic(CAPFT, leaving_c, entering_c)
    ratio = cooling_w / available
    cycling = min(ratio / least, 1.0)
    ratio = max(ratio, least)
    by_load = EIRFPLR[0] + EIRFPLR[1] * ratio + EIRFPLR[2] * ratio**2
    return available / REFERENCE_COP * biquadratic(EIRFT, leaving_c, entering_c) * by_load * cycling


def filled(shape, least=0.1):
    column = np.zeros(COLUMN)
    fill_map(column, MAPS.validate_python(shape), least)
    return column


@given(leaving=st.floats(4.44, 8.89), entering=st.floats(12.78, 29.44), load=st.floats(0.0, 1.0))
@settings(deadline=None)
def test_curves_are_energy_plus(leaving, entering, load):
    column = filled(YORK["performance"])
    most = REFERENCE_W * map_capacity_frac(column, kelvin(leaving), kelvin(entering))
    assert most == pytest.approx(REFERENCE_W * biquadratic(CAPFT, leaving, entering), rel=1e-9)
    found = most * map_power_frac(column, kelvin(leaving), kelvin(entering), load)
    assert found == pytest.approx(energy_plus(load * most, leaving, entering), rel=1e-9, abs=1e-6)


def test_a_cubic_part_load_curve():
    """EnergyPlus also takes a cubic EIRFPLR: coefficients made up, adding up to 1."""
    column = filled({**YORK["performance"], "part_load": [0.1, 0.2, 0.3, 0.4]})
    at = (kelvin(6.0), kelvin(20.0))
    whole = map_power_frac(column, *at, 1.0)
    assert map_power_frac(column, *at, 0.5) == pytest.approx(whole * (0.1 + 0.1 + 0.075 + 0.05), rel=1e-12)


@given(leaving=st.floats(0, 25), entering=st.floats(5, 45), load=st.floats(0.1, 1.0))
@settings(deadline=None)
def test_a_table_is_read_linearly_and_at_its_edge_beyond(leaving, entering, load):
    column = filled(TABLE)
    axes = (TABLE["leaving_c"], TABLE["entering_c"], TABLE["load_frac"])
    inside = [min(max(x, axis[0]), axis[-1]) for x, axis in zip((leaving, entering, load), axes, strict=True)]
    capacity = RegularGridInterpolator(axes[:2], np.array(TABLE["capacity_frac"]))(inside[:2])[0]
    eir = RegularGridInterpolator(axes, 1.0 / np.array(TABLE["cop"]))(inside)[0]
    at = (kelvin(leaving), kelvin(entering))
    assert map_capacity_frac(column, *at) == pytest.approx(capacity, rel=1e-9)
    assert map_power_frac(column, *at, load) == pytest.approx(load * eir, rel=1e-9)


def test_curves_are_read_at_their_edge_beyond_their_range():
    column = filled(YORK["performance"])
    edge, beyond = (kelvin(8.89), kelvin(29.44)), (kelvin(20.0), kelvin(45.0))
    assert map_capacity_frac(column, *beyond) == pytest.approx(map_capacity_frac(column, *edge), rel=1e-12)
    assert map_power_frac(column, *beyond, 0.7) == pytest.approx(
        map_power_frac(column, *edge, 0.7), rel=1e-12
    )


def one_machine(supply_c, **changes):
    """A plant of one York, whose fans draw nothing, so that they always run at full speed."""
    outdoor = {**YORK["outdoor"], "fan_kw": 1e-9}
    chiller = ChillerEconomiser.model_validate(
        {**YORK, "condenser_pump_kw": 0.0, "outdoor": outdoor, **changes}
    )
    return chiller, rejection_column(chiller, 1, 1e5, kelvin(supply_c))


@pytest.mark.parametrize("wet_c", [14.0, 20.0, 24.0])
@pytest.mark.parametrize("load", [0.6, 0.9])
def test_a_plant_draws_what_energy_plus_says_for_the_water_that_its_tower_gives(wet_c, load):
    """One machine, economiser switched off by an approach of 50 K; the tower by its own conductance.

    (At small loads and warm water this machine's curves fall as the water gets warmer still, and the plant slows its
    fans for that.)
    """
    supply_c, heat_w = 7.0, load * REFERENCE_W
    chiller, column = one_machine(supply_c, economiser_approach_k=50.0)
    found_w, _, power_w, water_kg_s = reject(
        heat_w, kelvin(supply_c), kelvin(supply_c) + heat_w / 1e5, kelvin(wet_c + 4), kelvin(wet_c), column
    )
    span_k = chiller.outdoor.coolant_in_c - chiller.outdoor.wet_bulb_c
    towers = math.ceil(REFERENCE_W * (1.0 + 1.0 / REFERENCE_COP) / 2e6)
    each = unit_conductance_w_k(chiller.outdoor, 1.0, 1.0, kelvin(wet_c), span_k)
    entering_c = wet_c + heat_w * (1.0 + 1.0 / REFERENCE_COP) / (towers * each)
    assert found_w == pytest.approx(heat_w)
    # the tower's conductance is read from a table, within 2 % (`test_tables_read_back_the_tower`)
    assert power_w == pytest.approx(energy_plus(heat_w, supply_c, entering_c), rel=5e-3)
    assert water_kg_s > 0.0


@pytest.mark.parametrize("dry_c", [14.0, 22.0, 29.0])
def test_an_air_cooled_map_is_over_the_outdoor_air(dry_c):
    """Coils that are never good enough to cool alone; the same curves, read as those of an air-cooled machine."""
    coils = dict(read("heat-rejection", "chiller-air-cooled").values["outdoor"])
    performance = {**YORK["performance"], "entering": "outdoor-air"}
    chiller = ChillerEconomiser.model_validate(
        {
            **YORK,
            "condenser_pump_kw": 0.0,
            "economiser_approach_k": 50.0,
            "outdoor": coils,
            "performance": performance,
        }
    )
    column = rejection_column(chiller, 1, 1e5, kelvin(7.0))
    heat_w = 0.5 * REFERENCE_W
    _, fan_w, power_w, _ = reject(heat_w, kelvin(7.0), kelvin(14.0), kelvin(dry_c), kelvin(dry_c - 5), column)
    assert power_w == pytest.approx(energy_plus(heat_w, 7.0, dry_c), rel=1e-9)
    assert fan_w > 0.0  # counted apart


@pytest.mark.parametrize("wet_c", [12.0, 20.0, 26.0])
def test_capacity_is_that_of_the_water_that_the_heat_itself_warms(wet_c):
    """The limit against bisection: the largest heat that the map allows at the entering water which it causes."""
    supply_c = 7.0
    chiller, column = one_machine(supply_c, economiser_approach_k=50.0)
    most, sink_k = rejection_limit(
        kelvin(wet_c + 4), kelvin(wet_c), kelvin(supply_c), kelvin(supply_c + 20), column
    )
    towers = math.ceil(REFERENCE_W * (1.0 + 1.0 / REFERENCE_COP) / 2e6)
    span_k = chiller.outdoor.coolant_in_c - chiller.outdoor.wet_bulb_c
    each = unit_conductance_w_k(chiller.outdoor, 1.0, 1.0, kelvin(wet_c), span_k)
    low, high = 0.0, 3.0 * REFERENCE_W
    for _ in range(60):
        heat_w = 0.5 * (low + high)
        entering_c = wet_c + heat_w * (1.0 + 1.0 / REFERENCE_COP) / (towers * each)
        entering_c = min(max(entering_c, 12.78), 29.44)
        if heat_w <= REFERENCE_W * biquadratic(CAPFT, supply_c, entering_c):
            low = heat_w
        else:
            high = heat_w
    assert most * (kelvin(supply_c) - sink_k) == pytest.approx(low, rel=3e-3)


def test_a_plant_is_sized_by_the_map_and_not_by_the_rating():
    """At 28 °C wet bulb the York gives less than its rating: entering at the edge of 29.44 °C, capacity by the curve."""
    chiller, _ = one_machine(7.0)
    frac = biquadratic(CAPFT, 7.0, 29.44)
    assert frac < 0.95
    heat_w = 10 * REFERENCE_W
    units = rejection_units(chiller, heat_w, 1e6, kelvin(7.0), kelvin(33.0), kelvin(28.0))
    assert units == math.ceil(10 / frac)


def test_free_cooling_rests_the_machines():
    _, column = one_machine(8.0)
    heat_w, _, power_w, _ = reject(0.3e6, kelvin(8.0), kelvin(12.0), kelvin(-5.0), kelvin(-7.0), column)
    assert (heat_w, power_w) == (pytest.approx(0.3e6), 0.0)


def documented(number):
    """An entry or table of the documentation, as TOML."""
    return tomllib.loads(
        re.findall(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[number]
    )


def test_the_documented_entries_are_chillers():
    """Carrier 19XR 1403 kW of the same file: its COP at its reference point within what its curves miss."""
    values = dict(parse("heat-rejection", "my-chiller", documented(0), PAGE).values)
    chiller = ChillerEconomiser.model_validate(values)
    column = rejection_column(chiller, 1, 1e5, kelvin(6.67))
    at = (kelvin(6.67), kelvin(12.78))
    cop = 1.0 / map_power_frac(column, *at, 1.0)
    assert cop == pytest.approx(7.09, rel=0.02)
    assert column[Figure.MAP_LEAST_FRAC] == 0.17
    table = ChillerEconomiser.model_validate({**values, "performance": documented(1)["performance"]["value"]})
    column = rejection_column(table, 1, 1e5, kelvin(7.0))
    assert map_power_frac(column, kelvin(18.0), kelvin(25.0), 0.5) == pytest.approx(0.5 / 9.6)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"capacity": CAPFT[::-1]}, "gives .* at its reference point"),
        ({"reference_leaving_c": 13.0, "eir": CAPFT}, "gives .* at its reference point"),
        ({"entering_max_c": 60.0}, "falls to .* Narrow|falls to"),
        ({"part_load": [-0.2, 0.6, 0.6]}, "gives no power"),
    ],
)
def test_curves_of_no_chiller_are_refused(changes, told):
    chiller = ChillerEconomiser.model_validate({**YORK, "performance": {**YORK["performance"], **changes}})
    with pytest.raises(InputError, match=told):
        rejection_column(chiller, 1, 1e5, kelvin(7.0))


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({**YORK, "carbon": 1}, "carbon"),
        ({**YORK, "carnot_frac": 0.5}, "both a map .* and carnot_frac"),
        ({key: value for key, value in YORK.items() if key != "performance"}, "needs carnot_frac, part_load"),
        ({**YORK, "performance": {**TABLE, "load_frac": [0.2, 0.5, 0.8, 0.9]}}, "end at 1"),
        ({**YORK, "performance": {**TABLE, "cop": TABLE["cop"][:2]}}, "cop must have 3 rows"),
        ({**YORK, "performance": {**TABLE, "leaving_c": [5.0, 5.0, 18.0]}}, "leaving_c must rise"),
        ({**YORK, "performance": {**YORK["performance"], "leaving_max_c": 4.0}}, "must lie above"),
        ({**YORK, "performance": {**YORK["performance"], "part_load": [0.3, 0.3, 0.2]}}, "full load"),
        ({**YORK, "performance": {**YORK["performance"], "entering": "outdoor-air"}}, "tower"),
    ],
)
def test_what_is_no_map_is_refused_in_words(values, told):
    with pytest.raises(ValidationError, match=told):
        ChillerEconomiser.model_validate(values)
