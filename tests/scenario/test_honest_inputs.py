"""Nothing is read wrongly in silence: tiles, times, meanings, units, dates. Right values are worked out by hand."""

from __future__ import annotations

import importlib
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from aidc.errors import InputError
from aidc.scenario.demand import load_demand, load_replay
from aidc.scenario.market import load_carbon, load_prices
from aidc.scenario.meaning import meaning_of_irradiance
from aidc.scenario.timeparse import to_micro
from aidc.scenario.tmy import read_epw
from aidc.scenario.unitnames import carbon_unit, power_unit, price_unit, weather_unit
from aidc.scenario.weather import load_weather
from aidc.schema.demand import demand_of
from aidc.schema.market import PriceSpec, carbon_of
from aidc.schema.weather import weather_of

START = datetime(2025, 3, 3, tzinfo=UTC)  # a Monday
HOUR = timedelta(hours=1)


def replay(tmp_path, text, days=1.0, start=START, **keys):
    (tmp_path / "p.csv").write_text(text)
    spec = demand_of({"kind": "power-replay", "file": "p.csv", **keys})
    end = start + timedelta(days=days)
    return load_replay(spec, pods=["a"], clock_start=start, clock_end=end, base_dir=tmp_path)["a"]


def prices(tmp_path, text, hours=2.0, start=START, **keys):
    (tmp_path / "p.csv").write_text(text)
    spec = PriceSpec(file="p.csv", **keys)
    end = start + timedelta(hours=hours)
    return load_prices(None, spec, start=start, end=end, timezone="UTC", base_dir=tmp_path)


def hourly(values, name="price_usd_per_mwh", start=START, step=HOUR):
    rows = "".join(f"{start + k * step:%Y-%m-%dT%H:%M:%SZ},{value}\n" for k, value in enumerate(values))
    return f"time_utc,{name}\n{rows}"


# ---- what the file has is not replaced --------------------------------------------------------------


def log(days):
    return "t_s,p_w\n" + "".join(f"{h * 3600},{1000 + h}\n" for h in range(24 * days))


def test_a_run_inside_the_file_takes_the_files_own_values(tmp_path) -> None:
    found = replay(tmp_path, log(10), days=10)
    assert found.at([START + timedelta(days=9, hours=5)]).tolist() == [1000 + 9 * 24 + 5]
    assert found.repairs == ()


def test_beyond_the_end_whole_weeks_repeat_and_it_is_said(tmp_path) -> None:
    found = replay(tmp_path, log(10), days=12)
    moments = [START + timedelta(days=day, hours=3) for day in (8, 10, 11)]
    # the file's own ninth day; then the days a week before the eleventh and the twelfth: the fourth and fifth
    assert found.at(moments).tolist() == [1000 + 8 * 24 + 3, 1000 + 3 * 24 + 3, 1000 + 4 * 24 + 3]
    assert "covers 2025-03-03 00:00Z to 2025-03-13 00:00Z" in found.repairs[0]
    assert "2025-03-03 00:00Z to 2025-03-10 00:00Z is repeated" in found.repairs[0]


def test_the_last_day_of_a_years_file_is_its_own(tmp_path) -> None:
    start = datetime(2022, 1, 1, tzinfo=UTC)
    text = hourly(range(100, 100 + 8760), start=start)
    last = datetime(2022, 12, 31, tzinfo=UTC)
    found = prices(tmp_path, text, 48, last, repeat=True).energy_usd_per_mwh
    assert found.at([last]).tolist() == [100 + 364 * 24]
    # 1 January 2023 lies 52 weeks after 2 January 2022
    assert found.at([last + timedelta(days=1)]).tolist() == [100 + 24]


# ---- numbers as times ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "scale"), [("timestamp", 1), ("t_s", 1), ("time", 10**3), ("ts", 10**6), ("epoch", 10**9)]
)
def test_unix_time_is_known_by_its_size(tmp_path, name, scale) -> None:
    first = int(START.timestamp()) * scale
    text = f"{name},price_usd_per_mwh\n" + "".join(f"{first + k * 3600 * scale},{10 + k}\n" for k in range(4))
    found = prices(tmp_path, text).energy_usd_per_mwh
    assert (found.start, found.values.tolist()) == (START, [10.0, 11.0, 12.0, 13.0])


@pytest.mark.parametrize(
    ("name", "step"), [("t_ms", 900_000), ("t_min", 15), ("time (h)", 0.25), ("t_s", 900)]
)
def test_the_unit_in_the_name_of_a_time_counts(tmp_path, name, step) -> None:
    text = f"{name},p_w\n" + "".join(f"{k * step},{100 + k}\n" for k in range(8))
    found = replay(tmp_path, text, days=0.05)
    assert (float(found.period_s), found.values.tolist()) == (900.0, [100.0 + k for k in range(8)])


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ([20250303, 20250304, 20250305], "dates written as whole numbers"),
        ([202503030000, 202503030100, 202503030200], "dates written as whole numbers"),
        ([45719.0, 45719.0416667, 45719.0833333], "a spreadsheet's days"),
        ([7e9, 7.1e9, 7.2e9], "too large for seconds"),
    ],
)
def test_numbers_that_leave_a_doubt_are_refused_and_the_remedy_works(tmp_path, cells, words) -> None:
    text = "time,p_w\n" + "".join(f"{cell},5\n" for cell in cells)
    with pytest.raises(InputError, match=words) as caught:
        replay(tmp_path, text)
    assert "time_unit" in str(caught.value)
    iso = "time,p_w\n" + "".join(f"2025-03-03T0{k}:00:00Z,{k + 1}\n" for k in range(3))
    assert replay(tmp_path, iso, days=0.1).values.tolist() == [1.0, 2.0, 3.0]


def test_a_name_that_contradicts_the_size_is_refused_and_the_key_decides(tmp_path) -> None:
    first = int(START.timestamp()) * 1000
    text = "t_s,price_usd_per_mwh\n" + "".join(f"{first + k * 3_600_000},{10 + k}\n" for k in range(4))
    with pytest.raises(InputError, match="unix-ms"):
        prices(tmp_path, text)
    assert prices(tmp_path, text, time_unit="unix-ms").energy_usd_per_mwh.start == START


def test_local_times_need_their_clock_and_autumn_is_told_by_order(tmp_path) -> None:
    walls = ["2025-10-26T01:00", "2025-10-26T02:00", "2025-10-26T02:00", "2025-10-26T03:00"]
    text = "time,price_usd_per_mwh\n" + "".join(f"{wall},{20 + k}\n" for k, wall in enumerate(walls))
    start = datetime(2025, 10, 25, 23, tzinfo=UTC)
    with pytest.raises(InputError, match='timezone = "UTC"'):
        prices(tmp_path, text, start=start)
    found = prices(tmp_path, text, 4, start, timezone="Europe/Berlin").energy_usd_per_mwh
    assert (found.start, found.values.tolist()) == (start, [20.0, 21.0, 22.0, 23.0])


def test_a_local_time_that_spring_skips_is_refused(tmp_path) -> None:
    text = "time,price_usd_per_mwh\n2025-03-30T01:00,20\n2025-03-30T02:00,21\n2025-03-30T03:00,22\n"
    with pytest.raises(InputError, match=r"line 3.*does not exist in Europe/Berlin"):
        prices(tmp_path, text, timezone="Europe/Berlin")


# ---- what a row means ------------------------------------------------------------------------------


def test_an_hourly_price_holds_for_its_hour_where_quarters_follow(tmp_path) -> None:
    text = hourly([20, 200, 20, 200])
    quarters = hourly([1, 2, 3, 4], start=START + 4 * HOUR, step=timedelta(minutes=15))
    found = prices(tmp_path, text + quarters.partition("\n")[2], 5)
    assert found.energy_usd_per_mwh.values.tolist() == [20.0] * 4 + [200.0] * 4 + [20.0] * 4 + [200.0] * 4 + [
        1,
        2,
        3,
        4,
    ]
    assert any("spacing changes: 3600 s until 2025-03-03 04:00Z, then 900 s" in one for one in found.repairs)


def test_quarters_first_and_hours_after_keep_the_last_hour_whole(tmp_path) -> None:
    text = hourly([1, 2, 3, 4, 5, 6, 7, 8], step=timedelta(minutes=15))
    hours = hourly([50, 60, 70], start=START + 2 * HOUR).partition("\n")[2]
    found = prices(tmp_path, text + hours, 5).energy_usd_per_mwh
    assert found.values.tolist() == [1, 2, 3, 4, 5, 6, 7, 8] + [50.0] * 4 + [60.0] * 4 + [70.0] * 4


def test_a_change_of_spacing_in_prices_that_are_stamped_at_their_end(tmp_path) -> None:
    text = hourly([20, 200, 30], start=START + HOUR)
    quarters = hourly([1, 2, 3, 4], start=START + 3 * HOUR + HOUR / 4, step=timedelta(minutes=15))
    found = prices(tmp_path, text + quarters.partition("\n")[2], 4, meaning="mean-before")
    expected = [20.0] * 4 + [200.0] * 4 + [30.0] * 4 + [1, 2, 3, 4]
    assert found.energy_usd_per_mwh.start == START
    assert found.energy_usd_per_mwh.values.tolist() == expected
    assert not any("missing" in note for note in found.repairs)


def test_a_missing_hour_among_quarters_is_a_gap_and_told(tmp_path) -> None:
    text = hourly([10, 10, 10, 10], step=timedelta(minutes=15))
    more = hourly([50, 50], start=START + 2 * HOUR, step=timedelta(minutes=15)).partition("\n")[2]
    found = prices(tmp_path, text + more, 2)
    assert any("4 missing values" in one for one in found.repairs)


def test_prices_stamped_at_the_end_of_their_hour(tmp_path) -> None:
    text = hourly([20, 200, 30], start=START + HOUR)
    found = prices(tmp_path, text, meaning="mean-before").energy_usd_per_mwh
    assert (found.start, found.values.tolist()) == (START, [20.0, 200.0, 30.0])


def clear_day(shift_min, parts=True):
    """Irradiance at 48.2 N, 11.8 E on 21 June, each row the mean over an hour that begins `shift_min` from it."""
    pd = importlib.import_module("pandas")  # a plain import would have ruff take every array for a frame
    get_solarposition = importlib.import_module("pvlib.solarposition").get_solarposition

    minutes = pd.date_range("2025-06-21", periods=36 * 60, freq="1min", tz="UTC") - pd.Timedelta("6h")
    sine = np.sin(np.radians(get_solarposition(minutes, 48.2, 11.8)["elevation"].to_numpy()))
    dni = np.where(sine > 0, 900 * 0.7 ** (1 / np.maximum(sine, 0.02)) ** 0.678, 0.0)
    dhi = np.where(sine > 0, 80 * np.maximum(sine, 0.0) + 10, 0.0)
    ghi = dni * np.maximum(sine, 0.0) + dhi
    hours = pd.date_range("2025-06-21", periods=24, freq="1h", tz="UTC")
    first = ((hours - minutes[0]).total_seconds() / 60).to_numpy().astype(int) + shift_min
    means = [np.array([part[k : k + 60].mean() for k in first]) for part in (ghi, dni, dhi)]
    names = ("ghi_w_m2", "dni_w_m2", "dhi_w_m2")
    stamps = np.array([to_micro(one.to_pydatetime()) for one in hours])
    return stamps, dict(zip(names, means, strict=True)) if parts else {"ghi_w_m2": means[0]}


@pytest.mark.parametrize("parts", [True, False], ids=["three", "global-alone"])
@pytest.mark.parametrize(
    ("shift_min", "meaning"), [(-60, "mean-before"), (-30, "instant"), (0, "mean-after")]
)
def test_the_sun_tells_what_a_row_of_irradiance_means(shift_min, meaning, parts) -> None:
    assert meaning_of_irradiance(*clear_day(shift_min, parts), 48.2, 11.8) == meaning


def test_a_dark_file_tells_nothing() -> None:
    stamps, columns = clear_day(0)
    assert meaning_of_irradiance(stamps, {name: 0 * one for name, one in columns.items()}, 48.2, 11.8) is None


# ---- units -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "factor", "currency"),
    [
        ("price_usd_per_mwh", 1.0, "USD"), ("price_eur_per_kwh", 1e3, "EUR"), ("LMP ($/MWh)", 1.0, "USD"),
        ("Day-ahead Price [EUR/MWh]", 1.0, "EUR"), ("ct/kWh", 10.0, ""), ("price_cents_per_kwh", 10.0, ""),
        ("p/kWh", 10.0, "GBP"), ("€/kWh", 1e3, "EUR"), ("SEK per kWh", 1e3, "SEK"), ("øre/kWh", 10.0, ""),
    ],
)  # fmt: skip
def test_units_of_prices(name, factor, currency) -> None:
    found = price_unit(name)
    assert found is not None
    assert (found.factor, found.currency) == (factor, currency)


@pytest.mark.parametrize(
    ("name", "kg_per_mwh"),
    [
        ("direct_gco2_per_kwh", 1.0), ("kgCO2/kWh", 1000.0), ("MOER (lbs/MWh)", 0.45359237), ("lb_co2_per_mwh", 0.45359237),
        ("Carbon intensity gCO₂eq/kWh (direct)", 1.0), ("kg_per_mwh", 1.0), ("tCO2/MWh", 1000.0), ("g/kWh", 1.0),
    ],
)  # fmt: skip
def test_units_of_carbon(name, kg_per_mwh) -> None:
    found = carbon_unit(name)
    assert found is not None
    assert found.factor == pytest.approx(kg_per_mwh)


def test_units_of_power_and_weather() -> None:
    assert [power_unit(one).factor for one in ("p_w", "p_kw", "Power (MW)", "site_power_watts")] == [
        1,
        1e3,
        1e6,
        1,
    ]
    assert power_unit("price") is None
    fahrenheit = weather_unit("dry_bulb_c", "temp_f")
    assert 212 * fahrenheit.factor + fahrenheit.offset == pytest.approx(100.0)
    assert weather_unit("wind_m_s", "wind speed (km/h)").factor == pytest.approx(1 / 3.6)
    assert weather_unit("pressure_pa", "station pressure [hPa]").factor == 100.0
    assert weather_unit("wind_m_s", "knots").factor == pytest.approx(0.514444, abs=1e-6)


def test_a_price_per_kwh_by_name_by_key_and_in_doubt(tmp_path) -> None:
    cheap = [0.12, 0.15, 0.17]
    named = prices(tmp_path, hourly(cheap, "price_usd_per_kwh"), price_column="price_usd_per_kwh")
    assert named.energy_usd_per_mwh.values == pytest.approx([120, 150, 170])
    with pytest.raises(InputError, match='unit = "USD/kWh"'):
        prices(tmp_path, hourly(cheap))
    keyed = prices(tmp_path, hourly(cheap), unit="USD/kWh")
    assert keyed.energy_usd_per_mwh.values == pytest.approx([120, 150, 170])
    meant = prices(tmp_path, hourly(cheap), unit="USD/MWh")  # the remedy's other half works too
    assert meant.energy_usd_per_mwh.values == pytest.approx(cheap)
    with pytest.raises(InputError, match='unit = "USD/MWh"'):
        prices(tmp_path, hourly([40, 300, 50], "price_usd_per_kwh"), price_column="price_usd_per_kwh")
    converted = prices(tmp_path, hourly([50, 60, 70], "price_eur_per_mwh"), usd_per_unit=1.1)
    assert converted.energy_usd_per_mwh.values == pytest.approx([55, 66, 77])


def test_carbon_in_pounds_and_in_kilograms(tmp_path) -> None:
    def carbon(values, name, **keys):
        (tmp_path / "c.csv").write_text(hourly(values, name))
        spec = carbon_of({"file": "c.csv", "average_column": name, **keys})
        return load_carbon(
            spec, start=START, end=START + 2 * HOUR, base_dir=tmp_path
        ).average_kg_per_mwh.values

    assert carbon([1000, 900, 800], "MOER (lbs/MWh)") == pytest.approx([453.59237, 408.233133, 362.873896])
    assert carbon([0.4, 0.5, 0.3], "kgco2_per_kwh") == pytest.approx([400, 500, 300])
    with pytest.raises(InputError, match='unit = "kg/kWh"'):
        carbon([0.4, 0.5, 0.3], "intensity")
    with pytest.raises(InputError, match='unit = "lb/MWh"'):
        carbon([1900, 1800, 1700], "intensity")
    assert carbon([0.4, 0.5, 0.3], "intensity", unit="kg/kWh") == pytest.approx([400, 500, 300])


def test_power_in_kilowatts_by_name_and_its_scale_counts_once(tmp_path) -> None:
    text = "t_s,p_kw\n0,5\n3600,6\n"
    assert replay(tmp_path, text, days=0.05).values.tolist() == [5000.0, 6000.0]
    once = replay(tmp_path, text, days=0.05, scale=1000.0)
    assert once.values.tolist() == [5000.0, 6000.0]
    assert any("once" in note for note in once.repairs)
    assert replay(tmp_path, text, days=0.05, scale=2.0).values.tolist() == [10_000.0, 12_000.0]
    assert replay(tmp_path, "t_s,p\n0,5\n3600,6\n", days=0.05, columns="p", unit="MW").values[0] == 5e6


def test_a_short_traces_last_minutes_count_for_its_peak(tmp_path) -> None:
    # 10 min at 10 tokens/s, then 5 min at 1000, and again: the highest ten minutes hold 5 of each: 505
    rows = "".join(
        f'{{"timestamp": {k * 10_000}, "input_length": 1, "output_length": {100 if k < 60 else 10_000}}}\n'
        for k in range(90)
    )
    (tmp_path / "t.jsonl").write_text(rows)
    spec = demand_of({"kind": "trace", "file": "t.jsonl", "scale_to_peak_output_tokens_per_s": 1010.0})
    found = load_demand(
        spec, clock_start=START, days=0.01, timezone="UTC", rng=np.random.default_rng(0), base_dir=tmp_path
    )
    assert found.output_tokens_per_s.values.max() == pytest.approx(2000.0)
    assert found.output_tokens_per_s.peak_mean() == pytest.approx(1010.0)


# ---- weather ---------------------------------------------------------------------------------------


def weather(tmp_path, text, **keys):
    (tmp_path / "w.csv").write_text(text)
    spec = weather_of({"file": "w.csv", **keys})
    return load_weather(spec, start=START, end=START + 2 * HOUR, base_dir=tmp_path)


def rows(*columns, count=4):
    names, values = zip(*columns, strict=True)
    lines = [
        ",".join((f"{START + k * HOUR:%Y-%m-%dT%H:%M:%SZ}", *(str(v) for v in values))) for k in range(count)
    ]
    return "\n".join((",".join(("time_utc", *names)), *lines)) + "\n"


def test_units_of_weather_by_name_and_by_key(tmp_path) -> None:
    found = weather(
        tmp_path, rows(("temp_f", 77), ("rh_percent", 50), ("wind_speed (km/h)", 36), ("pressure_hpa", 980))
    )
    assert found.dry_bulb_k.values[0] == pytest.approx(298.15)
    assert (found.wind_m_s.values[0], found.pressure_pa.values[0]) == (pytest.approx(10.0), 98_000.0)
    with pytest.raises(InputError, match=r'units = \{ dry_bulb_c = "F" \}'):
        weather(tmp_path, rows(("temp", 68), ("rh_percent", 50)))
    keyed = weather(tmp_path, rows(("temp", 68), ("rh_percent", 50)), units={"dry_bulb_c": "F"})
    assert keyed.dry_bulb_k.values[0] == pytest.approx(293.15)


def test_a_wet_bulb_above_the_dry_bulb_is_refused_and_rounding_is_told(tmp_path) -> None:
    with pytest.raises(InputError, match=r"line 2: has a wet bulb 3 K above the dry bulb"):
        weather(tmp_path, rows(("dry_bulb_c", 20), ("wet_bulb_c", 23)))
    found = weather(tmp_path, rows(("dry_bulb_c", 20), ("wet_bulb_c", 20.1)))
    assert found.wet_bulb_k.values.tolist() == found.dry_bulb_k.values.tolist()
    assert any("4 values of wet_bulb_c lay up to 0.1 K above" in note for note in found.repairs)


def test_humidity_from_a_dew_point(tmp_path) -> None:
    found = weather(tmp_path, rows(("dry_bulb_c", 25), ("dew_point_c", 15)))
    # saturation pressures 1.7056 and 3.1693 kPa (ASHRAE Fundamentals 2017, chapter 1, table 3)
    assert found.relative_humidity.values[0] == pytest.approx(1.7056 / 3.1693, abs=2e-4)


def epw(tmp_path, start, hours, *, name="Town", skip_leap_day=False, hour0=False, encoding="utf-8"):
    """An EPW file whose dry bulb is the month in °C and, on 29 February, 40."""
    head = [
        f"LOCATION,{name},-,XXX,Own,0,10.0,20.0,0.0,100.0",
        *["X,0"] * 6,
        "DATA PERIODS,1,1,Data,Sunday, 1/ 1,12/31",
    ]
    body = []
    for hour in range(hours):
        when = start + hour * HOUR
        if skip_leap_day and (when.month, when.day) == (2, 29):
            continue
        warm = 40 if (when.month, when.day) == (2, 29) else when.month
        count = when.hour if hour0 else when.hour + 1
        cells = [
            when.year,
            when.month,
            when.day,
            count,
            60,
            "?9",
            warm,
            5.0,
            50,
            101325,
            0,
            0,
            300,
            100,
            200,
            50,
        ]
        body.append(",".join(map(str, [*cells, 0, 0, 0, 0, 180, 3.0, 5, 5, *[0] * 11])))
    path = tmp_path / "t.epw"
    path.write_bytes(("\n".join((*head, *body)) + "\n").encode(encoding))
    return path


def warmth(tmp_path, moment):
    spec = weather_of({"file": "t.epw"})
    found = load_weather(spec, start=moment, end=moment + HOUR, base_dir=tmp_path)
    return found.dry_bulb_k.at([moment + HOUR])[0] - 273.15, found.repairs


def test_a_file_from_july_to_june_lies_on_its_own_dates(tmp_path) -> None:
    epw(tmp_path, datetime(2022, 7, 1, tzinfo=UTC), 8760)
    for month in (1, 3, 7, 12):
        found, notes = warmth(tmp_path, datetime(2025, month, 15, 12, tzinfo=UTC))
        assert found == pytest.approx(month)
    assert any("begins on 1 July" in note for note in notes)


def test_a_leap_year_with_and_without_its_29_february(tmp_path) -> None:
    leap_day = datetime(2024, 2, 29, 12, tzinfo=UTC)
    epw(tmp_path, datetime(2024, 1, 1, tzinfo=UTC), 8784)
    assert warmth(tmp_path, leap_day) == (pytest.approx(40.0), ())
    assert warmth(tmp_path, datetime(2025, 3, 1, 12, tzinfo=UTC))[0] == pytest.approx(3.0)
    epw(tmp_path, datetime(2024, 1, 1, tzinfo=UTC), 8784, skip_leap_day=True)
    found, notes = warmth(tmp_path, leap_day)
    assert found == pytest.approx(2.0)
    assert any("has no 29 February; in 2024 its 28 February is taken again" in note for note in notes)


def test_a_leap_year_that_stops_on_30_december_lacks_a_day(tmp_path) -> None:
    epw(tmp_path, datetime(2024, 1, 1, tzinfo=UTC), 8760)
    with pytest.raises(InputError, match="lacks 24 hours in a row, from 31 December at hour 1"):
        warmth(tmp_path, datetime(2024, 5, 1, tzinfo=UTC))


def test_hours_from_0_to_23_are_told(tmp_path) -> None:
    plain = read_epw(epw(tmp_path, datetime(2023, 1, 1, tzinfo=UTC), 8760)).columns["dry_bulb_c"]
    other = read_epw(epw(tmp_path, datetime(2023, 1, 1, tzinfo=UTC), 8760, hour0=True))
    assert other.columns["dry_bulb_c"].tolist() == plain.tolist()
    assert any("from 0 to 23" in note for note in other.notes)


def test_a_latin_1_header_is_read(tmp_path) -> None:
    path = epw(tmp_path, datetime(2023, 1, 1, tzinfo=UTC), 8760, name="Münster", encoding="latin-1")
    assert read_epw(path).station == "Münster"


@pytest.mark.parametrize("cell", ["１２", "2_0", "0x10", "1e", "٣"])
def test_what_is_no_number_in_ascii_digits_is_refused(tmp_path, cell) -> None:
    with pytest.raises(InputError, match="is not a number"):
        prices(tmp_path, hourly([10, cell, 12]))


def test_a_semicolon_table_has_decimal_commas(tmp_path) -> None:
    text = hourly([]).replace(",", ";") + "".join(f"2025-03-03T{h:02d}:00:00Z;{10 + h},5\n" for h in range(3))
    assert prices(tmp_path, text).energy_usd_per_mwh.values.tolist() == [10.5, 11.5, 12.5]
