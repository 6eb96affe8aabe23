"""Tariffs on local time, measured prices and carbon, billing months."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from aidc.catalogue import names, read
from aidc.errors import InputError
from aidc.scenario.localtime import billing_months, local_times
from aidc.scenario.market import energy_price_usd_per_mwh, load_carbon, load_prices, on_peak
from aidc.schema.market import PriceSpec, Tariff, carbon_of

SUMMER = Tariff.model_validate(
    {
        "base_usd_per_kwh": 0.05,
        "on_peak_demand_usd_per_kw_month": 6.0,
        "periods": [
            {"months": "jun-sep", "days": "mon-fri", "hours": "14-20", "usd_per_kwh": 0.1, "on_peak": True},
            {"hours": "22-6", "usd_per_kwh": 0.03},
        ],
    }
)


def prices(
    tariff=None, series=None, start=datetime(2022, 7, 1, tzinfo=UTC), days=7, timezone="America/Chicago"
):
    return load_prices(
        tariff, series, start=start, end=start + timedelta(days=days), timezone=timezone, base_dir=Path()
    )


@pytest.mark.parametrize(
    ("local", "expected", "peak"),
    [
        ("2025-07-07T13:59", 50, False),  # Monday
        ("2025-07-07T14:00", 100, True),
        ("2025-07-07T19:59", 100, True),
        ("2025-07-07T20:00", 50, False),
        ("2025-07-05T15:00", 50, False),  # Saturday
        ("2025-10-06T15:00", 50, False),  # Monday in October
        ("2025-07-07T22:00", 30, False),
        ("2025-07-07T05:59", 30, False),
        ("2025-07-07T06:00", 50, False),
    ],
)
def test_periods_hold_at_their_local_hours(local, expected, peak) -> None:
    times = np.array([local], dtype="datetime64[s]")
    assert energy_price_usd_per_mwh(SUMMER, times).tolist() == [expected]
    assert on_peak(SUMMER, times).tolist() == [peak]


def test_the_first_matching_period_wins() -> None:
    twice = Tariff.model_validate(
        {"periods": [{"hours": "0-12", "usd_per_kwh": 0.2}, {"usd_per_kwh": 0.1, "on_peak": True}]}
    )
    times = np.array(["2025-01-01T01", "2025-01-01T13"], dtype="datetime64[s]")
    assert energy_price_usd_per_mwh(twice, times).tolist() == [200, 100]
    assert on_peak(twice, times).tolist() == [False, True]


def test_a_tariff_series_follows_daylight_saving() -> None:
    # 14:00 in New York is 18:00 UTC in July and, were it on-peak, 19:00 in December
    start = datetime(2025, 7, 7, 0, 5, tzinfo=UTC)
    energy = prices(SUMMER, start=start, days=1, timezone="America/New_York").energy_usd_per_mwh
    assert energy.start == datetime(2025, 7, 7, tzinfo=UTC)
    hours = [datetime(2025, 7, 7, h, m, tzinfo=UTC) for h, m in ((17, 59), (18, 0), (23, 59))]
    assert energy.at(hours).tolist() == [50, 100, 100]
    assert energy.window(start, start + timedelta(days=1)).end >= start + timedelta(days=1)


@given(
    zone=st.sampled_from(["America/New_York", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe", "UTC"]),
    seconds=st.lists(st.integers(0, 4 * 366 * 86_400), min_size=1, max_size=30),
)
def test_local_times_agree_with_zoneinfo(zone, seconds) -> None:
    origin = datetime(2022, 1, 1, tzinfo=UTC)
    moments = [origin + timedelta(seconds=s) for s in seconds]
    stamps = np.array([m.replace(tzinfo=None) for m in moments], dtype="datetime64[s]")
    expected = [m.astimezone(ZoneInfo(zone)).replace(tzinfo=None) for m in moments]
    assert local_times(stamps, zone).astype("O").tolist() == expected


def test_billing_months_are_local_and_cover_the_run() -> None:
    start, end = datetime(2025, 1, 31, tzinfo=UTC), datetime(2025, 3, 10, tzinfo=UTC)
    months = billing_months(start, end, "America/New_York")
    assert [month.label for month in months] == ["2025-01", "2025-02", "2025-03"]
    assert (months[0].start, months[-1].end) == (start, end)
    assert months[1].start == datetime(2025, 2, 1, 5, tzinfo=UTC)
    assert months[1].month_frac == 1.0
    assert months[2].month_frac == pytest.approx((9 * 24 - 5) / (31 * 24 - 1))  # clocks go forward on the 9th
    assert all(one.end == following.start for one, following in pairwise(months))


def test_measured_prices_hold_for_their_hour(aidc_data) -> None:
    path = aidc_data / "prices" / "US-TEX-ERCO_2022_hourly.csv"
    with path.open() as source:
        rows = {row["time_utc"]: float(row["price_usd_per_mwh"]) for row in csv.DictReader(source)}
    found = prices(series=PriceSpec(file=str(path), adder_usd_per_kwh=0.01, export_at_market=True))
    when = datetime(2022, 7, 3, 21, 59, 59, tzinfo=UTC)
    assert found.energy_usd_per_mwh.at([when])[0] == pytest.approx(rows["2022-07-03T21:00:00Z"] + 10)
    assert found.export_usd_per_mwh.at([when])[0] == rows["2022-07-03T21:00:00Z"]
    assert found.repairs == ()
    year = prices(series=PriceSpec(file=str(path)), start=datetime(2022, 1, 1, tzinfo=UTC), days=365)
    whole = year.energy_usd_per_mwh.means(
        datetime(2022, 1, 1, tzinfo=UTC), year.energy_usd_per_mwh.duration_s, 1
    )
    assert whole[0] == pytest.approx(np.mean(list(rows.values())))
    with pytest.raises(InputError, match="not the whole of the run"):
        prices(series=PriceSpec(file=str(path)), start=datetime(2025, 7, 7, tzinfo=UTC))


def test_market_prices_take_the_place_of_the_tariffs(aidc_data) -> None:
    path = aidc_data / "prices" / "DE-LU_2022_hourly.csv"
    both = prices(SUMMER.model_copy(update={"export_usd_per_kwh": 0.04}), PriceSpec(file=str(path)))
    assert both.energy_usd_per_mwh.values.max() > 500
    assert both.export_usd_per_mwh.values.tolist() == [40]


def test_no_tariff_and_no_prices_cost_nothing() -> None:
    assert set(prices().energy_usd_per_mwh.values) == {0.0}


def test_measured_carbon_is_grams_per_kilowatt_hour(aidc_data) -> None:
    path = aidc_data / "carbon" / "US-MIDA-PJM_2022_hourly.csv"
    start = datetime(2022, 3, 1, tzinfo=UTC)
    spec = carbon_of({"file": str(path), "marginal_column": "lifecycle_gco2_per_kwh"})
    found = load_carbon(spec, start=start, end=start + timedelta(days=31), base_dir=Path())
    line = next(row for row in path.read_text().splitlines() if row.startswith("2022-03-09T07")).split(",")
    when = [datetime(2022, 3, 9, 7, 30, tzinfo=UTC)]
    assert found.average_kg_per_mwh.at(when)[0] == float(line[1])
    assert found.marginal_kg_per_mwh.at(when)[0] == float(line[2])


def test_the_shipped_factor_is_eias_total_over_generation() -> None:
    # EIA FAQ 74, 2023: 1,532 million t over 4,183,271 million kWh
    entry = read("carbon", "us-average-2023")
    start = datetime(2025, 1, 1, tzinfo=UTC)
    found = load_carbon(carbon_of(dict(entry.values)), start=start, end=start, base_dir=Path())
    assert found.average_kg_per_mwh.values[0] == pytest.approx(1532e9 / 4_183_271e3, rel=1e-3)
    assert found.marginal_kg_per_mwh is None


@pytest.mark.parametrize("name", names("tariff"))
def test_shipped_tariffs_are_valid_and_of_a_credible_level(name) -> None:
    tariff = Tariff.model_validate(dict(read("tariff", name).values))
    year = np.arange("2025-01-01", "2026-01-01", dtype="datetime64[h]")
    energy = energy_price_usd_per_mwh(tariff, year).mean()
    demand = tariff.demand_usd_per_kw_month + tariff.on_peak_demand_usd_per_kw_month
    assert 40 < energy + demand * 12 / 8.760 < 150  # USD/MWh of a constant load


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"periods": [{"usd_per_kwh": 0.1, "months": "june"}]}, "unknown"),
        ({"periods": [{"usd_per_kwh": 0.1, "hours": "25-26"}]}, "not a range of full hours"),
        ({"periods": [{"usd_per_kwh": 0.1, "hours": "7"}]}, "not a range of full hours"),
        ({"periods": [{"usd_per_kwh": 0.1, "days": ""}]}, "unknown"),
        ({"demand_usd_per_kw_month": -1}, "greater than or equal to 0"),
        ({"on_peak_demand_usd_per_kw_month": 5}, "no period is on-peak"),
        ({"base_usd_per_kwh": 1e9}, "less than or equal"),
        ({"base_usd_per_kwh": float("nan")}, "finite"),
    ],
)
def test_impossible_tariffs_are_refused(keys, message) -> None:
    with pytest.raises(ValidationError, match=message):
        Tariff.model_validate(keys)
