"""The photovoltaic chain against pvlib's own ModelChain, and cloud cover against measured irradiance."""

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pvlib
import pytest

from aidc.plant.photovoltaic import Irradiance, Place, irradiance_from_cloud_cover, pv_ac_power_w
from aidc.schema.renewables import Pv

GREENSBORO = Place(36.1, -79.95, 273.0)
FIXED = Pv(
    dc_power_mw=30,
    tilt_deg=25,
    losses_frac=0.1408,
    temp_coefficient_per_k=-0.0035,
    inverter_efficiency_frac=0.96,
)


@pytest.fixture(scope="module")
def year():
    """The TMY3 year of Greensboro inside pvlib, as means over hours that begin at `start`."""
    path = Path(pvlib.__file__).parent / "data" / "723170TYA.CSV"
    frame, _ = pvlib.iotools.read_tmy3(path, map_variables=True, coerce_year=2021)
    frame.index = frame.index - pd.Timedelta("1h")  # the file marks the end of each hour
    return frame


def weather(year):
    start = year.index.tz_convert("UTC").tz_localize(None).to_numpy()
    beams = Irradiance(*(year[name].to_numpy(float) for name in ("ghi", "dni", "dhi")))
    return start, beams, year["temp_air"].to_numpy(float) + 273.15, year["wind_speed"].to_numpy(float)


def power(year, field):
    start, beams, temp_k, wind = weather(year)
    return pv_ac_power_w(start, beams, temp_k, wind, GREENSBORO, field)


def model_chain_w(year, mount, field):
    """The same field as pvlib composes it (`ModelChain.with_pvwatts`)."""
    array = pvlib.pvsystem.Array(
        mount,
        albedo=field.albedo_frac,
        module_parameters={"pdc0": field.dc_power_mw * 1e6, "gamma_pdc": field.temp_coefficient_per_k},
        temperature_model_parameters=pvlib.temperature.TEMPERATURE_MODEL_PARAMETERS["sapm"][
            "open_rack_glass_glass"
        ],
    )
    eta = field.inverter_efficiency_frac
    system = pvlib.pvsystem.PVSystem(
        [array],
        inverter_parameters={"pdc0": field.ac_power_w / eta, "eta_inv_nom": eta},
        losses_parameters={
            "soiling": 100 * field.losses_frac,
            **dict.fromkeys(
                (
                    "shading",
                    "snow",
                    "mismatch",
                    "wiring",
                    "connections",
                    "lid",
                    "nameplate_rating",
                    "age",
                    "availability",
                ),
                0,
            ),
        },
    )
    location = pvlib.location.Location(*GREENSBORO[:2], altitude=GREENSBORO.altitude_m)
    chain = pvlib.modelchain.ModelChain.with_pvwatts(system, location)
    middle = year[["ghi", "dni", "dhi", "temp_air", "wind_speed"]].copy()
    middle.index = middle.index + pd.Timedelta("30min")
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", DeprecationWarning)  # pvlib's own use of pandas
        chain.run_model(middle)
    return chain.results.ac.fillna(0).clip(lower=0).to_numpy()


def test_fixed_field_against_model_chain(year):
    oracle = model_chain_w(year, pvlib.pvsystem.FixedMount(25, 180), FIXED)
    found = power(year, FIXED)
    assert found.sum() == pytest.approx(oracle.sum(), rel=2e-3)
    assert np.abs(found - oracle).mean() < 2e-3 * oracle.mean()


def test_tracker_against_model_chain(year):
    field = FIXED.model_copy(update={"tracker": True})
    mount = pvlib.pvsystem.SingleAxisTrackerMount(axis_azimuth=180, max_angle=60, gcr=0.35)
    oracle = model_chain_w(year, mount, field)
    assert power(year, field).sum() == pytest.approx(oracle.sum(), rel=2e-3)


def test_yield_is_that_of_the_region(year):
    """NREL's PVWatts gives 1300 to 1450 kWh per kW(dc) a year in central North Carolina; range check."""
    assert 1300 < power(year, FIXED).sum() / 30e6 < 1450


def test_a_tracker_gains_10_to_20_percent(year):
    gain = power(year, FIXED.model_copy(update={"tracker": True})).sum() / power(year, FIXED).sum()
    assert 1.08 < gain < 1.22


def test_power_stays_between_zero_and_the_inverters_and_night_is_dark(year):
    found = power(year, FIXED)
    assert found.min() == 0.0
    assert found.max() <= FIXED.ac_power_w
    assert found[year["ghi"].to_numpy() == 0].max() == 0.0


def test_the_field_scales(year):
    small = FIXED.model_copy(update={"dc_power_mw": 3.0})
    assert power(year, small) == pytest.approx(power(year, FIXED) / 10)


def test_inverter_rating_follows_the_ratio_unless_stated():
    assert FIXED.ac_power_w == pytest.approx(25e6)
    assert FIXED.model_copy(update={"ac_power_mw": 20.0}).ac_power_w == pytest.approx(20e6)


def test_finer_intervals_give_the_same_energy(year):
    """Held hourly irradiance in 10-minute steps: only the sun's place differs."""
    start, beams, temp_k, wind = weather(year.iloc[4000:4240])
    coarse = pv_ac_power_w(start, beams, temp_k, wind, GREENSBORO, FIXED)
    fine_start = np.repeat(start, 6) + np.tile(np.arange(6) * np.timedelta64(10, "m"), start.size)
    spread = Irradiance(*(np.repeat(values, 6) for values in beams))
    fine = pv_ac_power_w(
        fine_start, spread, np.repeat(temp_k, 6), np.repeat(wind, 6), GREENSBORO, FIXED, interval_s=600.0
    )
    assert fine.mean() == pytest.approx(coarse.mean(), rel=0.02)


def test_cloud_cover_against_the_year_measured_at_greensboro(year):
    """The stated accuracy: bias within 5 %, hourly mean absolute error about a fifth of the daytime mean."""
    start, beams, temp_k, wind = weather(year)
    cloud = year["TotCld (tenths)"].to_numpy(float) / 10
    found = irradiance_from_cloud_cover(start, cloud, GREENSBORO)
    day = beams.ghi_w_m2 > 0
    assert found.ghi_w_m2.sum() == pytest.approx(beams.ghi_w_m2.sum(), rel=0.05)
    error = np.abs(found.ghi_w_m2 - beams.ghi_w_m2)[day].mean() / beams.ghi_w_m2[day].mean()
    assert 0.1 < error < 0.22
    energy = pv_ac_power_w(start, found, temp_k, wind, GREENSBORO, FIXED).sum()
    assert energy == pytest.approx(power(year, FIXED).sum(), rel=0.08)


def test_global_irradiance_is_the_sum_of_its_parts(year):
    start, *_ = weather(year.iloc[:2000])
    found = irradiance_from_cloud_cover(start, np.linspace(0, 1, 2000), GREENSBORO)
    sun = pvlib.solarposition.get_solarposition(
        pd.DatetimeIndex(start + np.timedelta64(30, "m"), tz="UTC"), *GREENSBORO[:2], GREENSBORO.altitude_m
    )
    beam = found.dni_w_m2 * np.maximum(np.cos(np.radians(sun["zenith"].to_numpy())), 0)
    assert found.ghi_w_m2 == pytest.approx(beam + found.dhi_w_m2, abs=1e-6)
    assert min(part.min() for part in found) >= 0
