"""Mutated files: every reader gives finite arrays or refuses; no traceback, no NaN, no hang."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from aidc.errors import InputError
from aidc.scenario.demand import load_demand, load_replay
from aidc.scenario.market import load_carbon, load_prices
from aidc.scenario.tmy import shipped_file
from aidc.scenario.weather import load_weather
from aidc.schema.demand import demand_of
from aidc.schema.event import event_of
from aidc.schema.market import PriceSpec, Tariff, carbon_of
from aidc.schema.weather import weather_of

START = datetime(2025, 7, 7, tzinfo=UTC)
END = START + timedelta(days=1)
FOLDER = Path(tempfile.mkdtemp(prefix="aidc-fuzz-"))


def hourly(*columns):
    names = ",".join(("time_utc", *(name for name, _ in columns)))
    rows = [
        ",".join(
            (
                (START + timedelta(hours=h)).strftime("%Y-%m-%dT%H:%M:%SZ"),
                *(str(value) for _, value in columns),
            )
        )
        for h in range(26)
    ]
    return "\n".join((names, *rows))


def weather(spec):
    found = load_weather(weather_of(spec), start=START, end=END, base_dir=FOLDER)
    series = (found.dry_bulb_k, found.wet_bulb_k, found.relative_humidity, found.pressure_pa, found.ghi_w_m2)
    return [one for one in series if one is not None]


def demand(spec):
    rng = np.random.default_rng(0)
    found = load_demand(demand_of(spec), clock_start=START, days=1, timezone="UTC", rng=rng, base_dir=FOLDER)
    assert np.isfinite([found.input_tokens_mean, found.output_tokens_mean, found.requests]).all()
    assert found.output_tokens_per_s.values.min() >= 0
    return [found.output_tokens_per_s]


def replay(spec):
    return list(load_replay(demand_of(spec), pods=["a"], clock_start=START, base_dir=FOLDER).values())


def market(spec):
    found = load_prices(None, PriceSpec(**spec), start=START, end=END, timezone="UTC", base_dir=FOLDER)
    return [found.energy_usd_per_mwh, found.export_usd_per_mwh]


def carbon(spec):
    return [load_carbon(carbon_of(spec), start=START, end=END, base_dir=FOLDER).average_kg_per_mwh]


TMY3 = shipped_file("723170TYA.CSV").read_text()
TMY2 = shipped_file("12839.tm2").read_text()
EPW = "\n".join(
    ["LOCATION,Town,NC,USA,TMY3,1,36.10,-79.95,-5.0,273.0", *["X,0"] * 7]
    + [
        (datetime(2005, 1, 1) + timedelta(hours=h)).strftime("2005,%m,%d,")  # noqa: DTZ001
        + f"{h % 24 + 1},60,?,20,5.0,60,99000,0,0,300,100,200,50,0,0,0,0,180,3.0,5,5"
        for h in range(8760)
    ]
)
AZURE = "TIMESTAMP,ContextTokens,GeneratedTokens\n" + "\n".join(
    f"2023-11-16 18:{m:02d}:46.6805900,{m * 7},{m * 3}" for m in range(30)
)
MOONCAKE = "\n".join(
    f'{{"timestamp": {t * 3000}, "input_length": 6758, "output_length": 500, "hash_ids": [0]}}'
    for t in range(30)
)
RATES = "t_s,rate_req_per_s\n" + "\n".join(f"{k * 600},{k % 7 + 1}" for k in range(30))
POWER = "t_s,a_w,b_w\n" + "\n".join(f"{k * 15},{k * 1000},{k * 2000}" for k in range(30))
TOKENS = {"input_tokens": 10.0, "output_tokens": 20.0}

READERS = {
    "weather-csv": (
        weather,
        {},
        hourly(("temp_air_c", 20.5), ("relative_humidity_percent", 60), ("wind_m_s", 3)),
    ),
    "weather-tmy3": (weather, {"kind": "tmy3"}, TMY3),
    "weather-tmy2": (weather, {"kind": "tmy2"}, TMY2),
    "weather-epw": (weather, {"kind": "epw"}, EPW),
    "trace-azure": (demand, {"kind": "trace", "format": "azure"}, AZURE),
    "trace-mooncake": (demand, {"kind": "trace", "format": "mooncake"}, MOONCAKE),
    "rate": (demand, {"kind": "rate", **TOKENS}, RATES),
    "power": (replay, {"kind": "power-replay"}, POWER),
    "prices": (market, {}, hourly(("price_usd_per_mwh", 40.25))),
    "carbon": (carbon, {}, hourly(("direct_gco2_per_kwh", 400.5), ("lifecycle_gco2_per_kwh", 450))),
}

NASTY = st.sampled_from(
    [
        "", " ", "nan", "NaN", "inf", "-inf", "-1", "1e9", "1e308", "1e400", "-0", "abc", "0x10", "1,5", '"', "\0", "\r",
        "2025-07-07", "2025-07-07T00:00:00", "2025-07-07T03:00:00+99:99", "9999-12-31T23:59:59Z",
        "0000-00-00T00:00:00Z", "null", "true", "[]", "{}", '{"timestamp": 1e400}', "١٢", "1_0", "é", "\ufeff", "\u2028",
        "4000000000", "9" * 400, "1" * 5000,
    ]
)  # fmt: skip


@st.composite
def mutations(draw):
    """A list of edits to lines of a file: each a kind, a position and a text."""
    kind = st.sampled_from(["cell", "line", "drop", "twice", "swap", "cut", "insert", "bytes"])
    return draw(st.lists(st.tuples(kind, st.floats(0, 1), st.floats(0, 1), NASTY), min_size=1, max_size=4))


def mutate(text, edits):
    lines = text.split("\n")
    tail = b""
    for kind, where, across, piece in edits:
        at = min(int(where * len(lines)), len(lines) - 1)
        if not lines:
            lines = [piece]
        elif kind == "cell":
            cells = lines[at].split(",")
            cells[min(int(across * len(cells)), len(cells) - 1)] = piece
            lines[at] = ",".join(cells)
        elif kind == "line":
            lines[at] = piece
        elif kind == "drop":
            del lines[at : at + 1 + int(across * 4)]
        elif kind == "twice":
            lines.insert(at, lines[at])
        elif kind == "swap":
            other = min(int(across * len(lines)), len(lines) - 1)
            lines[at], lines[other] = lines[other], lines[at]
        elif kind == "cut":
            lines = lines[:at]
        elif kind == "insert":
            cut = int(across * len(lines[at]))
            lines[at] = lines[at][:cut] + piece + lines[at][cut:]
        else:
            tail = b"\xff\xfe\x00"
    return "\n".join(lines).encode() + tail


@pytest.mark.parametrize("reader", READERS)
def test_the_unmutated_file_is_read(reader) -> None:
    load, spec, text = READERS[reader]
    (FOLDER / f"{reader}-plain").write_text(text)
    assert load({**spec, "file": f"{reader}-plain"})


@pytest.mark.parametrize("reader", READERS)
@given(edits=mutations())
@settings(max_examples=25, deadline=5000, suppress_health_check=[HealthCheck.too_slow])
def test_a_mutated_file_is_read_whole_or_refused(reader, edits) -> None:
    load, spec, text = READERS[reader]
    path = FOLDER / reader
    path.write_bytes(mutate(text, edits))
    try:
        found = load({**spec, "file": reader})
    except InputError as error:
        found, told = [], [problem.what and problem.remedy for problem in error.problems]
    else:
        told = []
    assert all(told)
    for series in found:
        assert np.isfinite(series.values).all()
        assert len(series) > 0


WILD = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**20), 10**20), st.floats(), st.text(max_size=20),
    st.datetimes(), st.lists(st.integers(), max_size=2), st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)  # fmt: skip
SHAPES = {
    "diurnal": (
        demand_of,
        {"kind": "diurnal", "peak_output_tokens_per_s": 1e6, "peak_to_mean": 2.0, **TOKENS},
    ),
    "trace": (demand_of, {"kind": "trace", "format": "azure", "file": "x", "start": START, "scale": 2.0}),
    "replay": (demand_of, {"kind": "power-replay", "file": "x", "columns": ["a"]}),
    "weather": (weather_of, {"kind": "csv", "file": "x", "columns": {"dry_bulb_c": "t"}}),
    "tmy": (weather_of, {"kind": "tmy3", "shipped": "x"}),
    "constant": (weather_of, {"dry_bulb_c": 20.0, "relative_humidity_percent": 50.0}),
    "tariff": (Tariff.model_validate, {"periods": [{"usd_per_kwh": 0.1, "hours": "1-2", "months": "jan"}]}),
    "carbon": (carbon_of, {"average_kg_per_mwh": 400.0}),
    "event": (event_of, {"use": "import-limit", "start": START, "duration_min": 5, "limit_mw": 3}),
}


@pytest.mark.parametrize("shape", SHAPES)
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_a_wild_table_is_a_shape_or_a_validation_error(shape, data) -> None:
    make, values = SHAPES[shape]
    key = data.draw(st.sampled_from([*values, "unknown"]))
    try:
        made = make({**values, key: data.draw(WILD)})
    except ValidationError:
        return
    assert made.model_dump()
