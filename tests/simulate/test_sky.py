"""Power of sun and wind from the weather: density, hemisphere, place, measured parts, and the course of an hour."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from sites import document, loaded

from aidc.clock import Clock
from aidc.errors import InputError
from aidc.simulate.compiling.inputs import read_scenario
from aidc.simulate.compiling.sky import distance_km

START = datetime(2025, 6, 21, tzinfo=UTC)
POD = {"p": {"use": "dgx-h100", "racks": 2, "chain": "ac", "cooling": "hall"}}


def site(weather, renewables, latitude=48.2, longitude=11.8, replay=None):
    body = document(POD)
    body["site"]["location"] = {"latitude_deg": latitude, "longitude_deg": longitude}
    body["renewables"] = renewables
    body["scenario"] |= {"start": "2025-06-21T00:00:00Z", "days": 1, "weather": weather}
    if replay:
        body["replays"] = {"r": {"pods": ["p"], "demand": {"use": "power-replay", **replay}}}
    return loaded(body)


def scenario(found):
    clock = Clock(START, Fraction(60), 1440)
    return read_scenario(found, clock, np.random.default_rng(0))


def table(tmp_path, *columns):
    names = ",".join(("time_utc", *(name for name, _ in columns)))
    rows = [
        ",".join(
            (f"{START + timedelta(hours=h):%Y-%m-%dT%H:%M:%SZ}", *(f"{course(h):g}" for _, course in columns))
        )
        for h in range(26)
    ]
    path = tmp_path / "w.csv"
    path.write_text("\n".join((names, *rows)))
    return {"use": "csv", "file": str(path)}


MILD = (("temp_c", lambda _: 15), ("rh_percent", lambda _: 0), ("wind_m_s", lambda _: 6))
WIND = {"w": {"use": "wind-iec2", "power_mw": 1}}
ROOF = {"roof": {"use": "pv-fixed", "dc_power_mw": 1, "tilt_deg": 30}}


def test_thin_air_slows_the_turbine_by_the_cube_root_of_its_density(tmp_path) -> None:
    thin = scenario(site(table(tmp_path, *MILD, ("pressure_pa", lambda _: 62_000)), WIND)).wind_w.values[0]
    # dry air: p/(R T) with R = 287.05 J/(kg K); the equivalent wind at standard density, run at that density
    density = 62_000 / (287.05 * 288.15)
    slower = 6 * (density / 1.225) ** (1 / 3)
    columns = (
        MILD[0],
        MILD[1],
        ("wind_m_s", lambda _: slower),
        ("pressure_pa", lambda _: 1.225 * 287.05 * 288.15),
    )
    assert thin == pytest.approx(scenario(site(table(tmp_path, *columns), WIND)).wind_w.values[0], rel=2e-3)
    assert thin < 0.7 * scenario(site(table(tmp_path, *MILD), WIND)).wind_w.values[0]


def clear(h):
    """A flat day for a place near the equator: global irradiance, W/m²."""
    return max(0.0, 800 * np.sin(np.pi * (h - 6) / 12))


def test_modules_face_the_equator_where_nobody_says(tmp_path) -> None:
    sky = table(tmp_path, *MILD, ("ghi_w_m2", clear))
    south = scenario(site(sky, ROOF, -33.9, 0.0))
    turned = scenario(site(sky, {"roof": ROOF["roof"] | {"azimuth_deg": 0}}, -33.9, 0.0))
    away = scenario(site(sky, {"roof": ROOF["roof"] | {"azimuth_deg": 180}}, -33.9, 0.0))
    assert south.pv_w.values.tolist() == turned.pv_w.values.tolist()
    assert south.pv_w.values.sum() > 1.3 * away.pv_w.values.sum()
    assert any("face north" in note for note in south.repairs)
    assert any("face away from the sun" in note for note in away.repairs)
    north = scenario(site(sky, ROOF, 33.9, 0.0))
    assert not any("south of the equator" in note for note in north.repairs)


def test_measured_darkness_is_darkness_whatever_the_clouds(tmp_path) -> None:
    dark = scenario(
        site(table(tmp_path, *MILD, ("ghi_w_m2", lambda _: 0), ("cloud_cover_percent", lambda _: 0)), ROOF)
    )
    assert dark.pv_w.values.max() == 0.0


def test_global_irradiance_alone_is_used_and_told(tmp_path) -> None:
    found = scenario(site(table(tmp_path, *MILD, ("ghi_w_m2", clear)), ROOF, 0.0, 0.0))
    assert any("Erbs" in note for note in found.repairs)
    energy_kwh = found.pv_w.values.sum() * float(found.pv_w.period_s) / 3.6e6
    # 6.1 kWh/m² fell on level ground; the modules lean 30° away from a June sun that stands 23° to the north
    assert 2500 < energy_kwh < 6112 * np.cos(np.radians(30))


def test_one_part_alone_is_refused_by_its_name(tmp_path) -> None:
    with pytest.raises(InputError, match="has only dhi"):
        scenario(site(table(tmp_path, *MILD, ("dhi_w_m2", clear)), ROOF))


def test_hourly_means_keep_their_hour_and_their_energy(tmp_path) -> None:
    """A level field without losses by temperature: its energy follows global irradiance, hour by hour."""
    level = {"roof": ROOF["roof"] | {"tilt_deg": 0, "temp_coefficient_per_k": 0}}
    weather = table(tmp_path, *MILD, ("ghi_w_m2", clear)) | {"meanings": {"irradiance": "mean-after"}}
    power = scenario(site(weather, level, 0.0, 0.0)).pv_w
    hours = power.means(START, Fraction(3600), 24)
    noon, nine = hours[12] / clear(12), hours[9] / clear(9)
    assert nine == pytest.approx(noon, rel=0.06)  # glass and inverter take more at a slant
    assert float(power.period_s) == 600.0


def epw(tmp_path, latitude, longitude):
    head = [f"LOCATION,Elsewhere,-,XXX,Own,0,{latitude},{longitude},0.0,100.0", *["X,0"] * 7]
    body = []
    for hour in range(8760):
        when = datetime(2023, 1, 1, tzinfo=UTC) + timedelta(hours=hour)
        sun = clear(hour % 24 + longitude / 15 + 0.5)
        body.append(
            f"2023,{when.month},{when.day},{when.hour + 1},60,?9,20,5,50,101325,0,0,300,{sun:g},{sun:g},50,0,0,0,0,180,3,5,5"
        )
    path = tmp_path / "w.epw"
    path.write_text("\n".join((*head, *body)))
    return {"use": "epw", "file": str(path)}


def test_weather_of_another_place_is_told_and_keeps_its_own_sun(tmp_path) -> None:
    there = scenario(site(epw(tmp_path, 41.98, -87.92), ROOF, 41.98, -87.92))
    assert not any("km from the site" in note for note in there.repairs)
    wrong = scenario(site(epw(tmp_path, 41.98, -87.92), ROOF, 41.98, 87.92))
    assert any("km from the site" in note for note in wrong.repairs)
    assert any("longitude may have the wrong sign" in note for note in wrong.repairs)
    assert wrong.pv_w.values.sum() == pytest.approx(there.pv_w.values.sum(), rel=1e-3)


def test_distances_against_published_ones() -> None:
    # a quarter of a meridian of a sphere of 6,371 km is 10,007.5 km; Paris to New York is 5,837 km
    assert distance_km((0, 0), (90, 0)) == pytest.approx(10_007.5, abs=0.1)
    assert distance_km((48.8566, 2.3522), (40.7128, -74.0060)) == pytest.approx(5837, abs=5)
    assert distance_km((10, 20), (10, 20)) == 0.0


@pytest.mark.parametrize(("values", "unit"), [((0.1, 0.2), "MW"), ((3e6, 4e6), "W")])
def test_power_that_only_a_slip_explains_is_refused_and_the_unit_mends_it(tmp_path, values, unit) -> None:
    path = tmp_path / "p.csv"
    path.write_text("t_s,p_w\n" + "".join(f"{k * 3600},{value}\n" for k, value in enumerate(values)))
    weather = {"use": "constant"}
    with pytest.raises(InputError, match='State the unit: unit = "kW"'):
        scenario(site(weather, {}, replay={"file": str(path)}))
    stated = scenario(site(weather, {}, replay={"file": str(path), "unit": unit, "columns": ["p_w"]}))
    assert stated.replays["p"].values[0] == values[0] * {"MW": 1e6, "W": 1.0}[unit]
    assert Path(path).exists()
