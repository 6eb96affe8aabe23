"""A file of every published format, written here to its description: read to the values that stand in it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from aidc.errors import InputError
from aidc.scenario.demand import load_demand, load_replay
from aidc.scenario.market import load_carbon, load_prices
from aidc.scenario.weather import load_weather
from aidc.schema.demand import demand_of
from aidc.schema.market import PriceSpec, carbon_of
from aidc.schema.weather import weather_of

DAY = datetime(2025, 7, 7, tzinfo=UTC)


def prices(tmp_path, text, start=DAY, hours=2, **keys):
    (tmp_path / "p.csv").write_text(text, encoding="utf-8")
    spec = PriceSpec(file="p.csv", **keys)
    end = start + timedelta(hours=hours)
    return load_prices(None, spec, start=start, end=end, timezone="UTC", base_dir=tmp_path)


def at(series, *moments):
    return series.at(list(moments)).tolist()


# ---- ENTSO-E ---------------------------------------------------------------------------------------


def test_entsoe_export_of_the_new_platform_in_utc(tmp_path) -> None:
    rows = [
        f'"0{7 + h // 24}/07/2025 {h % 24:02d}:00:00 - 0{7 + (h + 1) // 24}/07/2025 {(h + 1) % 24:02d}:00:00","BZN|NL","{seq}",{20 + h if seq[-1] == "1" else 500},""'
        for h in range(26)
        for seq in ("Sequence Sequence 1", "Sequence Sequence 2")
    ]
    head = '"MTU (UTC)","Area","Sequence","Day-ahead Price (EUR/MWh)","Intraday Period (UTC)"\n'
    found = prices(tmp_path, head + "\n".join(rows), hours=24)
    assert at(found.energy_usd_per_mwh, DAY, DAY + timedelta(hours=23)) == [20.0, 43.0]
    assert any("Sequence 1 is taken" in note for note in found.repairs)
    assert any("EUR" in note for note in found.repairs)


def test_entsoe_export_of_the_old_platform_through_the_autumn_change(tmp_path) -> None:
    # 26 October 2025: 02:00 comes twice; the file has 25 hours from 22:00Z of the day before
    walls = ["00", "01", "02", "02", *[f"{h:02d}" for h in range(3, 24)]]
    rows = [f'"26.10.2025 {h}:00 - x","{k}","EUR","BZN|DE-LU"' for k, h in enumerate(walls)]
    text = '"MTU (CET/CEST)","Day-ahead Price [EUR/MWh]","Currency","BZN|DE-LU"\n' + "\n".join(rows)
    start = datetime(2025, 10, 25, 22, tzinfo=UTC)
    found = prices(tmp_path, text, start, hours=25)
    assert at(found.energy_usd_per_mwh, *(start + timedelta(hours=h) for h in (0, 2, 3, 24))) == [0, 2, 3, 24]


def test_entsoe_api_document_repeats_left_out_positions(tmp_path) -> None:
    text = """<?xml version="1.0"?><Publication_MarketDocument xmlns="urn:iec62325.351:tc57wg16:451-3:publicationdocument:7:3">
    <TimeSeries><currency_Unit.name>EUR</currency_Unit.name><curveType>A03</curveType><Period>
    <timeInterval><start>2025-07-07T00:00Z</start><end>2025-07-07T02:00Z</end></timeInterval><resolution>PT15M</resolution>
    <Point><position>1</position><price.amount>10</price.amount></Point>
    <Point><position>4</position><price.amount>-7.5</price.amount></Point></Period></TimeSeries></Publication_MarketDocument>"""
    found = prices(tmp_path, text).energy_usd_per_mwh
    assert found.values.tolist() == [10.0] * 3 + [-7.5] * 5


def test_entsoe_of_several_zones_asks_for_one(tmp_path) -> None:
    text = '"MTU (UTC)","Area","Day-ahead Price (EUR/MWh)"\n' + "\n".join(
        f'"07/07/2025 {h:02d}:00:00 - x","BZN|{zone}",{10 * h + k}'
        for h in range(3)
        for k, zone in enumerate(("NL", "BE"))
    )
    with pytest.raises(InputError, match=r'holds 2 bidding zones.*point = "BZN\|NL"'):
        prices(tmp_path, text)
    assert prices(tmp_path, text, point="BE").energy_usd_per_mwh.values.tolist() == [1.0, 11.0, 21.0]


# ---- CAISO and ERCOT -------------------------------------------------------------------------------


def test_caiso_oasis_takes_the_whole_price(tmp_path) -> None:
    head = "INTERVALSTARTTIME_GMT,INTERVALENDTIME_GMT,OPR_DT,OPR_HR,OPR_INTERVAL,NODE_ID_XML,NODE_ID,NODE,MARKET_RUN_ID,LMP_TYPE,XML_DATA_ITEM,PNODE_RESMRID,GRP_TYPE,POS,MW,GROUP"
    rows = [
        f"2025-07-07T{h:02d}:00:00-00:00,2025-07-07T{h + 1:02d}:00:00-00:00,2025-07-06,{h + 1},0,N,N,TH_NP15_GEN-APND,DAM,{kind},{item},N,ALL,1,{value},1"
        for h in (2, 0, 1)
        for kind, item, value in (
            ("MCC", "LMP_CONG_PRC", -3),
            ("LMP", "LMP_PRC", 30 + h),
            ("MCL", "LMP_LOSS_PRC", 1),
        )
    ]
    found = prices(tmp_path, "\n".join((head, *rows)))
    assert found.energy_usd_per_mwh.values.tolist() == [30.0, 31.0, 32.0]


def test_ercot_day_ahead_hours_end_and_the_repeated_hour_is_flagged(tmp_path) -> None:
    # 2 November 2025: hour ending 02:00 comes twice; midnight Central is 05:00Z, from the change on 06:00Z
    hours = [("01:00", "N"), ("02:00", "N"), ("02:00", "Y"), *[(f"{h:02d}:00", "N") for h in range(3, 25)]]
    rows = [f"11/02/2025,{hour},HB_NORTH,{k},{flag}" for k, (hour, flag) in enumerate(hours)]
    text = "DeliveryDate,HourEnding,SettlementPoint,SettlementPointPrice,DSTFlag\n" + "\n".join(rows)
    start = datetime(2025, 11, 2, 5, tzinfo=UTC)
    found = prices(tmp_path, text, start, hours=25).energy_usd_per_mwh
    assert (found.start, found.values.tolist()) == (start, [float(k) for k in range(25)])


def test_ercot_real_time_intervals_of_one_of_several_points(tmp_path) -> None:
    rows = [
        f"07/07/2025,{h},{q},{point},LZ,{100 * h + 10 * q + k},N"
        for h in (1, 2)
        for q in (1, 2, 3, 4)
        for k, point in enumerate(("LZ_NORTH", "LZ_WEST"))
    ]
    head = "Delivery Date,Delivery Hour,Delivery Interval,Settlement Point Name,Settlement Point Type,Settlement Point Price,Repeated Hour Flag\n"
    start = datetime(2025, 7, 7, 5, tzinfo=UTC)  # midnight in Texas
    found = prices(tmp_path, head + "\n".join(rows), start, point="LZ_WEST").energy_usd_per_mwh
    assert found.values.tolist() == [111.0, 121.0, 131.0, 141.0, 211.0, 221.0, 231.0, 241.0]
    assert float(found.period_s) == 900.0


# ---- Electricity Maps ------------------------------------------------------------------------------


def carbon(tmp_path, text, **keys):
    (tmp_path / "c.csv").write_text(text, encoding="utf-8")
    spec = carbon_of({"file": "c.csv", **keys})
    return load_carbon(spec, start=DAY, end=DAY + timedelta(hours=2), base_dir=tmp_path)


def test_electricity_maps_export(tmp_path) -> None:
    head = "Datetime (UTC),Country,Zone name,Zone id,Carbon intensity gCO₂eq/kWh (direct),Carbon intensity gCO₂eq/kWh (Life cycle),Carbon-free energy percentage (CFE%),Renewable energy percentage (RE%),Data source,Data estimated,Data estimation method\n"
    rows = "\n".join(
        f"2025-07-07 {h:02d}:00:00,Sweden,Sweden,SE,{2.5 + h},{30 + h},99,60,svk.se,true,X" for h in range(3)
    )
    found = carbon(tmp_path, head + rows)
    assert found.average_kg_per_mwh.values.tolist() == [2.5, 3.5, 4.5]
    assert any("marked as estimated" in note for note in found.repairs)
    life = carbon(tmp_path, head + rows, average_column="lifecycle_gco2_per_kwh")
    assert life.average_kg_per_mwh.values.tolist() == [30.0, 31.0, 32.0]


def test_electricity_maps_history_of_its_api(tmp_path) -> None:
    rows = [
        {
            "zone": "DE",
            "carbonIntensity": 300 + h,
            "datetime": f"2025-07-07T{h:02d}:00:00.000Z",
            "emissionFactorType": "lifecycle",
        }
        for h in range(3)
    ]
    found = carbon(
        tmp_path, json.dumps({"zone": "DE", "history": rows}), average_column="lifecycle_gco2_per_kwh"
    )
    assert found.average_kg_per_mwh.values.tolist() == [300.0, 301.0, 302.0]


# ---- weather ---------------------------------------------------------------------------------------


def weather(tmp_path, name, text, start=DAY, hours=2, sun_at=None, **keys):
    (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    spec = weather_of({"kind": "csv", "file": name, **keys})
    return load_weather(
        spec, start=start, end=start + timedelta(hours=hours), base_dir=tmp_path, sun_at=sun_at
    )


OPEN_METEO = (
    "latitude,longitude,elevation,utc_offset_seconds,timezone,timezone_abbreviation\n"
    "52.5,13.4,38.0,7200,Europe/Berlin,GMT+2\n\n"
    "time,temperature_2m (°C),relative_humidity_2m (%),wind_speed_10m (km/h),surface_pressure (hPa),shortwave_radiation (W/m²)\n"
    + "\n".join(f"2025-07-07T{h:02d}:00,{h},60,{3.6 * h:.1f},1000,{50 * h}" for h in range(24))
    + "\n\ntime,temperature_2m_max (°C)\n2025-07-07,30\n"
)


def test_open_meteo_csv(tmp_path) -> None:
    found = weather(tmp_path, "w.csv", OPEN_METEO, DAY + timedelta(hours=8), sun_at=(52.5, 13.4))
    noon = datetime(2025, 7, 7, 10, tzinfo=UTC)  # 12:00 at UTC+2
    assert at(found.dry_bulb_k, noon) == pytest.approx([12 + 273.15])
    assert at(found.wind_m_s, noon) == pytest.approx([12.0])
    assert found.pressure_pa.values[0] == 100_000.0
    # radiation is the mean of the hour that ends at the stamp
    assert at(found.ghi_w_m2, noon - timedelta(minutes=1), noon + timedelta(minutes=1)) == [600.0, 650.0]
    assert (found.latitude_deg, found.elevation_m) == (52.5, 38.0)


def test_open_meteo_json_says_the_same(tmp_path) -> None:
    document = {
        "latitude": 52.5, "longitude": 13.4, "elevation": 38.0, "utc_offset_seconds": 7200, "timezone": "Europe/Berlin",
        "hourly_units": {"time": "iso8601", "temperature_2m": "°F", "relative_humidity_2m": "%"},
        "hourly": {
            "time": [f"2025-07-07T{h:02d}:00" for h in range(24)],
            "temperature_2m": [32 + 1.8 * h for h in range(24)],
            "relative_humidity_2m": [60, None, *[60] * 22],
        },
    }  # fmt: skip
    found = weather(tmp_path, "w.json", json.dumps(document), DAY + timedelta(hours=8))
    assert at(found.dry_bulb_k, datetime(2025, 7, 7, 10, tzinfo=UTC)) == pytest.approx([285.15])
    assert any("interpolated" in note for note in found.repairs)


def psm(years, minute=30, zone=-7):
    head = "Source,Location ID,City,State,Country,Latitude,Longitude,Time Zone,Elevation,Local Time Zone,Temperature Units,Pressure Units,Version\n"
    facts = f"NSRDB,94018,Phoenix,Arizona,United States,33.45,-112.07,{zone},331,-7,c,mbar,v4.0.0\n"
    rows = []
    for hour in range(8760):
        when = datetime(2001, 1, 1) + timedelta(hours=hour)  # noqa: DTZ001
        rows.append(
            f"{years(when.month)},{when.month},{when.day},{when.hour},{minute},{hour % 500},{hour % 400},{hour % 90},{when.hour},{when.hour - 5},950,2.5,0.2"
        )
    names = (
        "Year,Month,Day,Hour,Minute,GHI,DNI,DHI,Temperature,Dew Point,Pressure,Wind Speed,Surface Albedo\n"
    )
    return head + facts + names + "\n".join(rows) + "\n"


def test_nsrdb_psm_agrees_with_pvlib(tmp_path) -> None:
    from pvlib.iotools import read_nsrdb_psm4

    start = datetime(2023, 7, 7, 12, tzinfo=UTC)
    found = weather(tmp_path, "psm.csv", psm(lambda _: 2023), start, hours=5, sun_at=(33.45, -112.07))
    frame, _ = read_nsrdb_psm4(str(tmp_path / "psm.csv"), map_variables=True)
    moment = datetime(2023, 7, 7, 14, 30, tzinfo=UTC)
    row = frame.loc[str(moment)]
    assert at(found.dry_bulb_k, moment) == pytest.approx([row["temp_air"] + 273.15])
    assert at(found.ghi_w_m2, moment) == [row["ghi"]]
    assert found.ghi_w_m2.hold == "linear"
    assert found.pressure_pa.values[0] == 95_000.0
    assert found.longitude_deg == -112.07


def test_nsrdb_typical_year_is_moved_to_the_run(tmp_path) -> None:
    text = psm(lambda month: 1998 + (month * 7) % 20)
    found = weather(tmp_path, "tmy.csv", text, datetime(2025, 7, 7, 7, tzinfo=UTC), hours=24)
    # 07:30 of 7 July at UTC-7 is 14:30Z: temperature 7, the hour 187·24 + 7 of the year
    moment = datetime(2025, 7, 7, 14, 30, tzinfo=UTC)
    assert at(found.dry_bulb_k, moment) == pytest.approx([280.15])
    assert at(found.ghi_w_m2, moment) == [(187 * 24 + 7) % 500]


def pvgis_tmy():
    head = "Latitude (decimal degrees): 45.000\nLongitude (decimal degrees): 8.000\nElevation (m): 250.0\nIrradiance Time Offset (h): 0.1761\nmonth,year\n"
    head += "".join(f"{month},{2005 + month}\n" for month in range(1, 13))
    rows = []
    for hour in range(8760):
        when = datetime(2001, 1, 1) + timedelta(hours=hour)  # noqa: DTZ001
        rows.append(
            f"{2005 + when.month}{when:%m%d:%H00},{when.hour},60.0,{hour % 700},0.0,50.0,300,2.0,180,98000.0"
        )
    return (
        head
        + "time(UTC),T2m,RH,G(h),Gb(n),Gd(h),IR(h),WS10m,WD10m,SP\n"
        + "\n".join(rows)
        + "\n\nT2m: 2-m air temperature\n"
    )


def test_pvgis_typical_year(tmp_path) -> None:
    found = weather(
        tmp_path, "tmy.csv", pvgis_tmy().replace("\n", "\r\n"), datetime(2025, 7, 7, tzinfo=UTC), hours=24
    )
    moment = datetime(2025, 7, 7, 9, tzinfo=UTC)
    assert at(found.dry_bulb_k, moment) == pytest.approx([282.15])
    later = moment + timedelta(hours=0.1761)  # irradiance is taken that much later
    assert at(found.ghi_w_m2, later) == pytest.approx([(187 * 24 + 9) % 700], abs=0.01)
    assert found.elevation_m == 250.0


def test_pvgis_hourly_series_in_json(tmp_path) -> None:
    rows = [
        {
            "time": f"20200707:{h:02d}10",
            "G(i)": 10.0 * h,
            "H_sun": 1.0,
            "T2m": 20.0 + h,
            "WS10m": 2.0,
            "Int": 0.0,
        }
        for h in range(24)
    ]
    document = {
        "inputs": {"location": {"latitude": 45.0, "longitude": 8.0, "elevation": 250.0}, "mounting_system": {"fixed": {"slope": {"value": 0}}}},
        "outputs": {"hourly": rows}, "meta": {},
    }  # fmt: skip
    start = datetime(2020, 7, 7, 3, tzinfo=UTC)
    with pytest.raises(InputError, match="relative_humidity_percent"):
        weather(tmp_path, "h.json", json.dumps(document), start)
    found = weather(tmp_path, "h.json", json.dumps(document), start, relative_humidity_percent=50.0)
    assert at(found.dry_bulb_k, datetime(2020, 7, 7, 4, 10, tzinfo=UTC)) == pytest.approx([24 + 273.15])
    assert at(found.ghi_w_m2, datetime(2020, 7, 7, 4, 10, tzinfo=UTC)) == [40.0]


def test_solaranywhere_agrees_with_pvlib(tmp_path) -> None:
    from pvlib.iotools import read_solaranywhere

    head = '0,"Davis",CA,-8,38.55,-121.75,20,Data Version: 3.7 / Type: Time Series / LatLon Resolution: 0.100 / Time Resolution: 60 minutes / Averaging Method: End of Period / Copyright © 2010-2024\n'
    names = "ObservationTime(LST),Global Horizontal Irradiance (GHI) W/m2,Direct Normal Irradiance (DNI) W/m2,AmbientTemperature (deg C),WindSpeed (m/s),Relative Humidity (%),Diffuse Horizontal Irradiance (DIF) W/m2\n"
    rows = []
    for k in range(48):
        when = datetime(2023, 7, 7, 1) + timedelta(hours=k)  # noqa: DTZ001
        rows.append(
            f"{when.month}/{when.day}/{when.year} {when:%H:%M},{10 * k},{5 * k},{k / 2},3.0,{-999 if k == 3 else 40},{2 * k}"
        )
    path = tmp_path / "sa.csv"
    path.write_bytes((head + names + "\n".join(rows) + "\n").encode("latin-1"))
    start = datetime(2023, 7, 7, 9, tzinfo=UTC)
    found = weather(tmp_path, "sa.csv", path.read_bytes(), start, hours=20, sun_at=(38.55, -121.75))
    frame, _ = read_solaranywhere(str(path))
    moment = datetime(2023, 7, 7, 20, tzinfo=UTC)
    row = frame.loc[str(moment)]
    assert at(found.dry_bulb_k, moment) == pytest.approx([row["temp_air"] + 273.15])
    assert at(found.ghi_w_m2, moment - timedelta(minutes=1)) == [row["ghi"]]  # the mean of the hour before
    assert any("1 missing values" in note for note in found.repairs)


def test_solaranywhere_tmy3_counts_midnight_as_the_next_day(tmp_path) -> None:
    head = "0,Test,CA,-8,38.55,-121.75,20,Copyright © x\n"
    names = "Date (MM/DD/YYYY),Time (HH:MM),GHI (W/m^2),DNI (W/m^2),DHI (W/m^2),Dry-bulb (C),RHum (%),Wspd (m/s)\n"
    rows = []
    for hour in range(8760):
        end = datetime(2001, 1, 1) + timedelta(hours=hour + 1)  # noqa: DTZ001
        rows.append(f"{end:%m/%d/}2018,{end:%H:%M},{hour % 600},0,0,{hour % 24},50,2")
    text = (head + names + "\n".join(rows) + "\n").encode("latin-1")
    found = weather(tmp_path, "sa.csv", text, datetime(2025, 7, 7, 8, tzinfo=UTC), hours=24)
    # the hour that ends at 15:00 of 7 July at UTC-8 is the one before 23:00Z
    moment = datetime(2025, 7, 7, 23, tzinfo=UTC)
    assert at(found.dry_bulb_k, moment) == pytest.approx([14 + 273.15])
    assert at(found.ghi_w_m2, moment - timedelta(minutes=30)) == [(187 * 24 + 14) % 600]


# ---- requests --------------------------------------------------------------------------------------


def requests(tmp_path, name, text, **keys):
    (tmp_path / name).write_text(text)
    spec = demand_of({"kind": "trace", "file": name, **keys})
    rng = np.random.default_rng(0)
    return load_demand(spec, clock_start=DAY, days=30 / 86_400, timezone="UTC", rng=rng, base_dir=tmp_path)


def test_burstgpt_without_its_failures(tmp_path) -> None:
    text = "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n5,ChatGPT,472,18,490,Conversation log\n12,GPT-4,100,0,100,API log\n26,ChatGPT,1087,230,1317,Conversation log\n"
    found = requests(tmp_path, "b.csv", text)
    assert found.output_tokens_per_s.values.tolist() == [1.8, 0.0, 23.0]
    assert found.requests == pytest.approx(2.0)
    assert any("1 requests without an answer" in note for note in found.repairs)


def test_splitwise_sim_trace(tmp_path) -> None:
    text = "request_id,request_type,application_id,arrival_timestamp,batch_size,prompt_size,token_size\n0,2,0,0.0,1,374,44\n1,2,0,11.5,1,396,109\n"
    found = requests(tmp_path, "s.csv", text)
    assert found.output_tokens_per_s.values.tolist() == [4.4, 10.9]
    assert found.input_tokens_mean == 385.0


def test_azure_2024_states_its_zone(tmp_path) -> None:
    text = "TIMESTAMP,ContextTokens,GeneratedTokens\n2024-05-10 00:00:00.009930+00:00,2162,5\n2024-05-10 00:00:12.5+00:00,2399,6\n"
    assert requests(tmp_path, "a.csv", text).output_tokens_per_s.values.tolist() == [0.5, 0.6]


@pytest.mark.parametrize(
    "text",
    [
        '{"timestamp": 0, "input_length": 100, "output_length": 50, "hash_ids": [1]}\n{"timestamp": 12000, "input_length": 9, "output_length": 30}\n',
        '[{"timestamp": 0, "input_length": 100, "output_length": 50}, {"timestamp": 12000, "input_length": 9, "output_length": 30}]',
        '{"session_id": "a", "timestamp": 0, "input_length": 100, "output_length": 50}\n{"session_id": "a", "delay": 12000, "input_length": 9, "output_length": 30}\n',
        '{"timestamp": 0, "input_tokens": 100, "output_tokens": 50}\n{"timestamp": 12000, "input_tokens": 9, "output_tokens": 30}\n',
    ],
    ids=["lines", "list", "turns", "tokens"],
)
def test_mooncake_and_its_variants(tmp_path, text) -> None:
    assert requests(tmp_path, "m.jsonl", text).output_tokens_per_s.values.tolist() == [5.0, 3.0]


def test_vllm_benchmark_result(tmp_path) -> None:
    document = {
        "backend": "vllm",
        "duration": 20.0,
        "completed": 3,
        "total_input_tokens": 60,
        "total_output_tokens": 60,
        "request_throughput": 0.15,
    }
    detail = {
        "input_lens": [10, 20, 30],
        "output_lens": [10, 20, 30],
        "errors": ["", "", ""],
        "start_times": [100.0, 101.0, 112.0],
    }
    exact = requests(tmp_path, "v.json", json.dumps(document | detail))
    assert exact.output_tokens_per_s.values.tolist() == [3.0, 3.0]
    detail.pop("start_times")
    spread = requests(tmp_path, "v.json", json.dumps(document | detail))
    assert spread.output_tokens_per_s.values.tolist() == [3.0, 3.0]  # at 0, 6.7 and 13.3 s
    assert any("spread evenly" in note for note in spread.repairs)
    bare = requests(tmp_path, "v.json", json.dumps(document))
    assert bare.output_tokens_mean == 20.0
    assert any("--save-detailed" in note for note in bare.repairs)


# ---- telemetry -------------------------------------------------------------------------------------


def power(tmp_path, name, text, pods=("a",), **keys):
    (tmp_path / name).write_text(text)
    spec = demand_of({"kind": "power-replay", "file": name, **keys})
    return load_replay(
        spec, pods=list(pods), clock_start=DAY, clock_end=DAY + timedelta(seconds=30), base_dir=tmp_path
    )


def prometheus(name="DCGM_FI_DEV_POWER_USAGE"):
    series = [
        {
            "metric": {"__name__": name, "gpu": str(gpu), "Hostname": "n1"},
            "values": [[1751846400 + 15 * k, str(100.0 + 10 * gpu + k)] for k in range(4)],
        }
        for gpu in range(2)
    ]
    return json.dumps({"status": "success", "data": {"resultType": "matrix", "result": series}})


def test_prometheus_range_query_sums_its_series(tmp_path) -> None:
    found = power(tmp_path, "p.json", prometheus())["a"]
    assert found.values.tolist() == [210.0, 212.0, 214.0, 216.0]
    assert float(found.period_s) == 15.0
    one = power(tmp_path, "p.json", prometheus(), point="gpu=1")["a"]
    assert one.values.tolist() == [110.0, 111.0, 112.0, 113.0]


def test_prometheus_instant_query_is_refused(tmp_path) -> None:
    text = '{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1,"2"]}]}}'
    with pytest.raises(InputError, match="query_range"):
        power(tmp_path, "p.json", text)


def test_dcgm_dmon_log(tmp_path) -> None:
    text = "#Entity   GPUTL  POWER\nID              W\n" + "".join(
        f"GPU {gpu}     98     {300 + 10 * gpu + k}.5\n" for k in range(3) for gpu in range(2)
    )
    found = power(tmp_path, "d.log", text)["a"]
    assert found.values.tolist() == [611.0, 613.0, 615.0]
    assert any("one second apart" in note for note in found.repairs)


def test_nvidia_smi_query_log_is_snapped_to_its_step(tmp_path) -> None:
    text = "timestamp, index, power.draw [W]\n" + "".join(
        f"2025/07/07 12:00:0{k}.{103 + 7 * gpu + k}, {gpu}, {200 + gpu + k:.2f} W\n"
        for k in range(4)
        for gpu in range(2)
    )
    found = power(tmp_path, "q.csv", text)["a"]
    assert found.values.tolist() == [401.0, 403.0, 405.0, 407.0]
    assert any("snapped" in note for note in found.repairs)


@pytest.mark.parametrize(
    ("name", "text", "use"),
    [
        ("psm.csv", psm(lambda _: 2023)[:900] + ",x\n", "weather"),
        ("pvgis.csv", pvgis_tmy()[:700] + "\nrubbish\n", "weather"),
        ("open.csv", OPEN_METEO.replace("52.5,13.4", "here,there"), "weather"),
        ("maps.csv", "Datetime (UTC),Zone id,Carbon intensity gCO₂eq/kWh (direct)\nx,SE,1\ny,SE,2\n", "carbon"),
        ("prom.json", '{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[["x"]]}]}}', "power"),
        ("ercot.csv", "DeliveryDate,HourEnding,SettlementPoint,SettlementPointPrice,DSTFlag\n13/45/2025,01:00,A,1,N\n", "prices"),
    ],
)  # fmt: skip
def test_a_damaged_file_is_refused_in_words(tmp_path, name, text, use) -> None:
    run = {
        "weather": lambda: weather(tmp_path, name, text),
        "carbon": lambda: carbon(tmp_path, text),
        "prices": lambda: prices(tmp_path, text),
        "power": lambda: power(tmp_path, name, text),
    }
    with pytest.raises(InputError):
        run[use]()
    assert Path(tmp_path).exists()
