"""Weather: our readers against pvlib's, our psychrometrics against CoolProp, re-basing by hand."""

from __future__ import annotations

import importlib
import warnings
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from CoolProp.CoolProp import HAPropsSI
from pydantic import ValidationError

from aidc.catalogue import names, read
from aidc.errors import InputError
from aidc.scenario.humidity import (
    dry_bulb_k,
    pressure_at_elevation_pa,
    relative_humidity,
    saturation_pa,
    wet_bulb_k,
)
from aidc.scenario.tmy import read_epw, read_tmy2, read_tmy3, shipped_file
from aidc.scenario.typical import HOURS
from aidc.scenario.weather import load_weather
from aidc.schema.weather import weather_of

HERE = Path()


def load(spec, start, days=1.0, base_dir=HERE, **options):
    return load_weather(
        weather_of(spec), start=start, end=start + timedelta(days=days), base_dir=base_dir, **options
    )


# ---- psychrometrics -------------------------------------------------------------------------------

AIR = [
    (temp_c, rh, pressure)
    for temp_c in (-25.0, -10.0, 8.0, 20.0, 30.0, 45.0)
    for rh in (0.05, 0.3, 0.6, 0.9, 1.0)
    for pressure in (85_000.0, 101_325.0)
    if (temp_c, rh) != (8.0, 0.05)  # a wet bulb at 0 °C, where ice and water give two answers
]


@pytest.mark.parametrize(("temp_c", "rh", "pressure"), AIR)
def test_wet_bulb_agrees_with_coolprop(temp_c, rh, pressure) -> None:
    ours = wet_bulb_k(np.array([temp_c + 273.15]), np.array([rh]), pressure)[0]
    theirs = HAPropsSI("B", "T", temp_c + 273.15, "R", rh, "P", pressure)
    assert ours == pytest.approx(theirs, abs=0.06)


def test_saturation_pressure_at_the_figures_of_ashrae_table_3() -> None:
    # ASHRAE Handbook Fundamentals 2017, chapter 1, table 3: -20, 0, 20, 40 °C [kPa]
    found = saturation_pa(np.array([-20.0, 0.01, 20.0, 40.0]) + 273.15) / 1000
    assert found == pytest.approx([0.10324, 0.6117, 2.3392, 7.3844], rel=1e-3)


def test_standard_atmosphere_at_the_figures_of_ashrae_table_1() -> None:
    # ASHRAE Handbook Fundamentals 2017, chapter 1, table 1: 0, 500, 1500 m [kPa]
    found = [pressure_at_elevation_pa(height) / 1000 for height in (0, 500, 1500)]
    assert found == pytest.approx([101.325, 95.461, 84.556], rel=1e-4)


def test_humidity_and_dry_bulb_invert_the_wet_bulb() -> None:
    temp, rh = np.array([268.0, 285.0, 300.0, 315.0]), np.array([0.5, 0.7, 0.2, 0.9])
    wet = wet_bulb_k(temp, rh, 95_000.0)
    assert relative_humidity(temp, wet, 95_000.0) == pytest.approx(rh, abs=1e-6)
    assert dry_bulb_k(wet, rh, 95_000.0) == pytest.approx(temp, abs=1e-3)


# ---- typical years --------------------------------------------------------------------------------


def pvlib_frame(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # whatever the oracle warns of is not ours
        iotools = importlib.import_module("pvlib.iotools")
        path = str(shipped_file(name))
        return (
            iotools.read_tmy2(path) if name.endswith("tm2") else iotools.read_tmy3(path, map_variables=True)
        )


@pytest.mark.parametrize("name", ["723170TYA.CSV", "703165TY.csv"])
def test_tmy3_agrees_with_pvlib(name) -> None:
    ours, (frame, station) = read_tmy3(shipped_file(name)), pvlib_frame(name)
    for quantity, column, factor in [
        ("dry_bulb_c", "temp_air", 1),
        ("relative_humidity_percent", "relative_humidity", 1),
        ("pressure_pa", "pressure", 100),
        ("wind_m_s", "wind_speed", 1),
        ("ghi_w_m2", "ghi", 1),
        ("dni_w_m2", "dni", 1),
        ("dhi_w_m2", "dhi", 1),
        ("cloud_cover_percent", "TotCld (tenths)", 10),
    ]:
        assert ours.columns[quantity] == pytest.approx(frame[column].to_numpy() * factor), quantity
    assert (ours.latitude_deg, ours.longitude_deg) == (station["latitude"], station["longitude"])
    assert (ours.elevation_m, ours.utc_offset_h) == (station["altitude"], station["TZ"])


def test_tmy2_agrees_with_pvlib() -> None:
    ours, (frame, station) = read_tmy2(shipped_file("12839.tm2")), pvlib_frame("12839.tm2")
    for quantity, column, factor in [
        ("dry_bulb_c", "DryBulb", 0.1),
        ("relative_humidity_percent", "RHum", 1),
        ("pressure_pa", "Pressure", 100),
        ("wind_m_s", "Wspd", 0.1),
        ("ghi_w_m2", "GHI", 1),
        ("dni_w_m2", "DNI", 1),
        ("dhi_w_m2", "DHI", 1),
        ("cloud_cover_percent", "TotCld", 10),
    ]:
        assert ours.columns[quantity] == pytest.approx(frame[column].to_numpy() * factor), quantity
    assert ours.latitude_deg == pytest.approx(station["latitude"])
    assert ours.longitude_deg == pytest.approx(station["longitude"])
    assert (ours.elevation_m, ours.utc_offset_h) == (station["altitude"], station["TZ"])


GREENSBORO = {"kind": "tmy3", "shipped": "723170TYA.CSV"}


def test_a_typical_year_keeps_local_standard_time() -> None:
    # the file's line for 07/07 15:00 EST (hour 187*24+15 of the year) is 20:00 UTC in any year
    raw = read_tmy3(shipped_file("723170TYA.CSV"))
    hour = (31 + 28 + 31 + 30 + 31 + 30 + 6) * 24 + 15 - 1
    for year in (1999, 2025):
        start = datetime(year, 7, 7, tzinfo=UTC)
        weather = load(GREENSBORO, start)
        at = weather.dry_bulb_k.at([start + timedelta(hours=20)])[0]
        assert at - 273.15 == pytest.approx(raw.columns["dry_bulb_c"][hour])
        mean = weather.ghi_w_m2.at([start + timedelta(hours=19, minutes=30)])[0]
        assert mean == pytest.approx(raw.columns["ghi_w_m2"][hour])


def test_29_february_repeats_the_28th_and_march_stays_in_place() -> None:
    leap = load(GREENSBORO, datetime(2024, 2, 27, tzinfo=UTC), days=5).dry_bulb_k
    plain = load(GREENSBORO, datetime(2023, 2, 27, tzinfo=UTC), days=5).dry_bulb_k
    hours = [timedelta(hours=h) for h in range(7, 28)]  # within one day of local standard time
    first, again = datetime(2024, 2, 28, tzinfo=UTC), datetime(2024, 2, 29, tzinfo=UTC)
    assert leap.at([first + h for h in hours]).tolist() == leap.at([again + h for h in hours]).tolist()
    march = [datetime(year, 3, 2, tzinfo=UTC) for year in (2023, 2024)]
    assert plain.at([march[0] + h for h in hours]).tolist() == leap.at([march[1] + h for h in hours]).tolist()


def test_a_run_over_new_year_is_covered_without_a_seam() -> None:
    start = datetime(2024, 12, 30, tzinfo=UTC)
    weather = load(GREENSBORO, start, days=4)
    inside = weather.dry_bulb_k.window(start, start + timedelta(days=4))
    assert len(inside) >= 97
    assert len(weather.ghi_w_m2.window(start, start + timedelta(days=4))) == 96


@pytest.mark.parametrize("name", ["tmy3-greensboro", "tmy3-sand-point", "tmy2-miami"])
def test_shipped_entries_load(name) -> None:
    weather = load(dict(read("weather", name).values), datetime(2025, 1, 1, tzinfo=UTC), days=365)
    assert weather.repairs == ()
    assert (weather.wet_bulb_k.values <= weather.dry_bulb_k.values).all()
    assert 220 < weather.dry_bulb_k.values.min() < weather.dry_bulb_k.values.max() < 320


def test_every_shipped_entry_with_a_file_is_tested() -> None:
    shipped = {name for name in names("weather") if "shipped" in read("weather", name).values}
    assert shipped == {"tmy3-greensboro", "tmy3-sand-point", "tmy2-miami"}


# ---- EPW ------------------------------------------------------------------------------------------


def epw(tmp_path, leap=False, edit=lambda _, row: row):
    """An EPW file with dry bulb = hour of the year mod 24, elsewhere constants."""
    head = ["LOCATION,Testtown,NC,USA,TMY3,723170,36.10,-79.95,-5.0,273.0", *["X,0"] * 7]
    months = [31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    rows = []
    for month, days in enumerate(months, 1):
        for day in range(1, days + 1):
            for hour in range(1, 25):
                fields = ["2005", month, day, hour, 60, "?9", hour, 5.0, 60, 99000, 0, 0, 300, 100, 200, 50]
                fields += [0, 0, 0, 0, 180, 3.0, 5, 5, *[0] * 11]
                rows.append(edit(len(rows), [str(field) for field in fields]))
    path = tmp_path / "town.epw"
    path.write_text("\n".join(head + [",".join(row) for row in rows]) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("leap", [False, True])
def test_epw_is_read_by_position(tmp_path, leap) -> None:
    year = read_epw(epw(tmp_path, leap))
    assert len(year.columns["dry_bulb_c"]) == HOURS + (24 if leap else 0)
    assert year.columns["dry_bulb_c"][:24].tolist() == list(range(1, 25))
    assert (year.utc_offset_h, year.elevation_m, year.station) == (-5.0, 273.0, "Testtown")
    assert {name: float(year.columns[name][0]) for name in ("pressure_pa", "ghi_w_m2", "wind_m_s")} == {
        "pressure_pa": 99_000.0,
        "ghi_w_m2": 100.0,
        "wind_m_s": 3.0,
    }
    weather = load({"file": "town.epw"}, datetime(2025, 5, 5, 5, tzinfo=UTC), base_dir=tmp_path)
    assert weather.dry_bulb_k.at([datetime(2025, 5, 5, 18, tzinfo=UTC)])[0] == pytest.approx(273.15 + 13)


def test_epw_missing_codes_are_bridged_or_refused(tmp_path) -> None:
    short = epw(tmp_path, edit=lambda hour, row: [*row[:6], "99.9", *row[7:]] if hour in (12, 13) else row)
    weather = load({"file": short.name}, datetime(2025, 1, 1, tzinfo=UTC), base_dir=tmp_path)
    assert "2 missing hours" in weather.repairs[0]
    epw(tmp_path, edit=lambda hour, row: [*row[:6], "99.9", *row[7:]] if 12 <= hour < 16 else row)
    with pytest.raises(InputError, match="lacks 4 hours in a row"):
        load({"file": "town.epw"}, datetime(2025, 1, 1, tzinfo=UTC), base_dir=tmp_path)
    epw(tmp_path, edit=lambda _, row: [*row[:13], "9999", *row[14:]])
    weather = load({"file": "town.epw"}, datetime(2025, 1, 1, tzinfo=UTC), base_dir=tmp_path)
    assert weather.ghi_w_m2 is None


# ---- CSV ------------------------------------------------------------------------------------------


def test_the_measured_2022_weather_loads(aidc_data) -> None:
    start = datetime(2022, 7, 1, tzinfo=UTC)
    spec = {"file": str(aidc_data / "weather" / "US-TEX-ERCO_2022_hourly.csv")}
    weather = load(spec, start, days=31, elevation_m=142.0)
    # second row of the file for that hour: read off the CSV, not through the loader
    line = next(
        row for row in Path(spec["file"]).read_text().splitlines() if row.startswith("2022-07-04T18:00")
    )
    temp_c, rh, cloud, wind = (float(cell) for cell in line.split(",")[1:])
    when = [datetime(2022, 7, 4, 18, tzinfo=UTC)]
    assert weather.dry_bulb_k.at(when)[0] == pytest.approx(temp_c + 273.15)
    assert weather.relative_humidity.at(when)[0] == pytest.approx(rh / 100)
    assert weather.cloud_frac.at(when)[0] == pytest.approx(cloud / 100)
    assert weather.wind_m_s.at(when)[0] == wind
    assert weather.ghi_w_m2 is None
    wet = HAPropsSI("B", "T", temp_c + 273.15, "R", rh / 100, "P", weather.pressure_pa.values[0])
    assert weather.wet_bulb_k.at(when)[0] == pytest.approx(wet, abs=0.06)
    assert "standard atmosphere at 142 m" in weather.repairs[0]


def test_a_file_that_starts_late_is_refused_with_its_span(aidc_data) -> None:
    spec = {"file": str(aidc_data / "weather" / "US-TEX-ERCO_2022_hourly.csv")}
    with pytest.raises(InputError, match=r"covers 2022-01-01 05:00:00Z to 2023-01-01 05:00:00Z"):
        load(spec, datetime(2022, 1, 1, tzinfo=UTC))
    repeated = load({**spec, "repeat": True}, datetime(2025, 7, 7, tzinfo=UTC), days=7)
    assert "is repeated" in " ".join(repeated.repairs)
    then = datetime(2025, 7, 7, 12, tzinfo=UTC)
    own = load(spec, datetime(2022, 7, 11, tzinfo=UTC)).dry_bulb_k  # 156 whole weeks before
    assert repeated.dry_bulb_k.at([then]) == own.at([then - timedelta(days=3 * 364)])


def test_the_wet_bulb_alone_needs_a_humidity(aidc_data) -> None:
    start = datetime(2024, 4, 7, tzinfo=UTC)
    spec = {"file": str(aidc_data / "frontier_day" / "frontier_2024-04-07_15s.csv"), "start": start}
    with pytest.raises(InputError, match="relative_humidity_percent"):
        load(spec, start)
    weather = load({**spec, "relative_humidity_percent": 60.0}, start)
    assert weather.wet_bulb_k.values[0] == pytest.approx(4.833 + 273.15)
    assert HAPropsSI("B", "T", weather.dry_bulb_k.values[0], "R", 0.6, "P", 101_325.0) == pytest.approx(
        4.833 + 273.15, abs=0.06
    )
    assert "dry bulb worked out" in weather.repairs[0]


def test_columns_can_be_named_and_a_wrong_name_is_refused(tmp_path) -> None:
    rows = "\n".join(f"2025-01-01T{h:02d}:00:00Z,{h},50" for h in range(24))
    (tmp_path / "w.csv").write_text("when,aussen,feuchte\n" + rows)
    spec = {
        "file": "w.csv",
        "time_column": "when",
        "columns": {"dry_bulb_c": "aussen", "relative_humidity_percent": "feuchte"},
    }
    weather = load(spec, datetime(2025, 1, 1, tzinfo=UTC), days=0.5, base_dir=tmp_path)
    assert weather.dry_bulb_k.values[6] == pytest.approx(279.15)
    with pytest.raises(ValidationError, match="not a quantity"):
        load({**spec, "columns": {"dry_bulb": "x"}}, datetime(2025, 1, 1, tzinfo=UTC), base_dir=tmp_path)


def test_constant_weather_is_constant() -> None:
    spec = {"kind": "constant", "dry_bulb_c": 35.0, "relative_humidity_percent": 40.0}
    weather = load(spec, datetime(2025, 1, 1, tzinfo=UTC), elevation_m=500.0)
    assert weather.pressure_pa.values[0] == pytest.approx(95_461, rel=1e-4)
    expected = HAPropsSI("B", "T", 308.15, "R", 0.4, "P", 95_461.0)
    assert weather.wet_bulb_k.at([datetime(2030, 1, 1, tzinfo=UTC)])[0] == pytest.approx(expected, abs=0.06)
