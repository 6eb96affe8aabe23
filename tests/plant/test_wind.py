"""Wind by power curve, and generator sets by their fuel curve."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from aidc.catalogue import names, read
from aidc.plant.conversion import input_power_w
from aidc.plant.genset import fuel_loss
from aidc.plant.wind import hub_speed_m_s, wind_power_w
from aidc.schema.renewables import Genset, Wind

relaxed = settings(deadline=None)  # the first example compiles


def farm(name="wind-iec3", **more):
    return Wind.model_validate(dict(read("renewable", name).values) | {"power_mw": 10.0} | more)


def bare(name):
    """The turbine alone: wind at hub height, no losses."""
    found = farm(name)
    return found.model_copy(update={"losses_frac": 0.0, "measured_height_m": found.hub_height_m})


def test_curve_against_the_power_coefficient_of_the_reference_turbine():
    """IEA 3.4 MW: 0.4448·½·1.225·π·65²·v³ in its range of constant power coefficient (Bortolotti 2019)."""
    speed = np.array([6.4186, 7.25, 8.0899, 9.0])
    coefficient_w = 0.4448 * 0.5 * 1.225 * np.pi * 65**2 * speed**3
    found = wind_power_w(speed, bare("wind-iea-3.4mw")) * 3.37 / 10
    assert found == pytest.approx(coefficient_w, rel=0.015)


def test_capacity_factor_at_a_class_iii_site():
    """7.5 m/s Rayleigh at hub height, the ceiling of IEC class III: before losses 0.38 to 0.52 (range check)."""
    speed = np.linspace(0.01, 40, 20_000)
    density = np.pi / 2 * speed / 7.5**2 * np.exp(-np.pi / 4 * (speed / 7.5) ** 2)
    step = speed[1] - speed[0]
    factors = {
        name: (wind_power_w(speed, bare(name)) / 10e6 * density).sum() * step
        for name in ("wind-iec2", "wind-iec3")
    }
    assert 0.38 < factors["wind-iec2"] < factors["wind-iec3"] < 0.52


def test_hub_height_by_the_power_law():
    assert hub_speed_m_s(np.array([5.0]), 10, 100, 1 / 7) == pytest.approx(5 * 10 ** (1 / 7))
    assert hub_speed_m_s(np.array([5.0]), 10, 10, 0.2) == pytest.approx(5.0)


@relaxed
@given(st.floats(0, 60))
def test_power_lies_between_zero_and_rated(speed):
    for name in ("wind-iec2", "wind-iec3", "wind-iea-3.4mw"):
        assert 0 <= wind_power_w(np.array([speed]), farm(name))[0] <= 10e6


def test_turbines_stand_below_cut_in_and_above_cut_out():
    assert wind_power_w(np.array([0.0, 2.9, 25.1, 50.0]), bare("wind-iec3")).tolist() == [0.0] * 4


def test_thin_air_gives_less():
    speed = np.array([7.0])
    assert wind_power_w(speed, bare("wind-iec3"), 1.0) < wind_power_w(speed, bare("wind-iec3"))


def test_the_share_follows_density_where_power_goes_with_the_cube():
    speed = np.array([7.5])
    ratio = wind_power_w(speed, bare("wind-iea-3.4mw"), 1.1) / wind_power_w(speed, bare("wind-iea-3.4mw"))
    assert ratio == pytest.approx(1.1 / 1.225, rel=0.01)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"curve_speed_m_s": [3, 5], "curve_power_frac": [0, 0.5, 1]}, "differ in length"),
        ({"curve_speed_m_s": [5, 3], "curve_power_frac": [0, 1]}, "does not rise"),
        ({"curve_speed_m_s": [3, 5], "curve_power_frac": [0, 2300]}, "exceeds 1"),
        ({"power_mw": -1}, "greater than 0"),
    ],
)
def test_a_wrong_farm_is_refused(change, message):
    with pytest.raises(ValidationError, match=message):
        farm(**change)


@pytest.mark.parametrize("name", names("genset"))
def test_fuel_meets_the_data_sheet(name):
    genset = Genset.model_validate(dict(read("genset", name).values) | {"power_mw": 2.5})
    loss = fuel_loss(genset)
    for load, expected in zip(genset.load_frac, genset.efficiency_frac, strict=True):
        power_w = load * 2.5e6
        assert power_w / input_power_w(power_w, *loss[:3]) == pytest.approx(expected, abs=0.005)


def test_carbon_per_kwh_of_diesel_electricity():
    """Large diesel sets emit about 0.62 to 0.70 kg of CO2 per kWh: 2.68 kg per litre, 3.7 to 4.2 kWh per litre."""
    genset = Genset.model_validate(dict(read("genset", "diesel-standby").values) | {"power_mw": 1.0})
    fuel_w = input_power_w(1e6, *fuel_loss(genset)[:3])
    assert 0.62 < fuel_w / 1e6 * genset.fuel_carbon_kg_per_mwh / 1e3 < 0.70


def test_a_wrong_genset_is_refused():
    values = dict(read("genset", "gas-engine").values) | {"power_mw": 1.0}
    with pytest.raises(ValidationError, match="differ in length"):
        Genset.model_validate(values | {"load_frac": [0.5, 1.0]})
    with pytest.raises(ValidationError, match="without zeros"):
        Genset.model_validate(values | {"load_frac": [0.0, 0.5, 1.0]})
