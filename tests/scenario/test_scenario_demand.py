"""Demand: tokens conserved from trace to series, peaks and ratios as stated, replay in watts."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from aidc.catalogue import names, read
from aidc.errors import InputError
from aidc.scenario import formats
from aidc.scenario.demand import load_demand, load_replay
from aidc.scenario.generate import generate
from aidc.schema.demand import Diurnal, demand_of

START = datetime(2025, 7, 7, tzinfo=UTC)  # a Monday


def load(spec, days=7.0, timezone="America/New_York", seed=1, base_dir=Path(), start=START):
    rng = np.random.default_rng(seed)
    return load_demand(
        demand_of(spec), clock_start=start, days=days, timezone=timezone, rng=rng, base_dir=base_dir
    )


def diurnal(**keys):
    spec = {
        "kind": "diurnal",
        "peak_output_tokens_per_s": 4e6,
        "peak_to_mean": 1.6,
        "input_tokens": 500,
        "output_tokens": 200,
    }
    return {**spec, **keys}


def ratio_of_ten_minute_rates(values, samples):
    blocks = np.array([values[k : k + samples].mean() for k in range(0, len(values), samples)])
    return blocks.max() / blocks.mean()


# ---- generated ------------------------------------------------------------------------------------


@settings(max_examples=25, deadline=None)
@given(
    ratio=st.floats(1.0, 6.0),
    noise=st.floats(0.0, 0.6),
    weekend=st.floats(0.3, 1.2),
    seed=st.integers(0, 2**32),
)
def test_peak_and_ratio_are_as_stated(ratio, noise, weekend, seed) -> None:
    spec = diurnal(peak_to_mean=ratio, noise_frac=noise, weekend_frac=weekend, jitter_frac=0.02)
    values = load(spec, seed=seed).output_tokens_per_s.values
    assert ratio_of_ten_minute_rates(values, 10) == pytest.approx(ratio, rel=1e-6)
    assert values.reshape(-1, 10).mean(axis=1).max() == pytest.approx(4e6)
    assert values.min() >= 0.0


SERVEGEN = {
    # name of the entry: file, as the published ratio is worked out from the file itself
    "servegen-m-large": "rate_10min_language_m-large.csv",
    "servegen-m-mid": "rate_10min_language_m-mid.csv",
    "servegen-m-small": "rate_10min_language_m-small.csv",
    "servegen-deepseek-r1": "rate_10min_reason_deepseek-r1.csv",
}


@pytest.mark.parametrize("name", SERVEGEN)
def test_presets_have_the_measured_ratio_and_lengths(name, aidc_data) -> None:
    with (aidc_data / "servegen" / SERVEGEN[name]).open() as source:
        rates = np.array([float(row["rate_req_per_s"]) for row in csv.DictReader(source)])
    entry = read("demand", name).values
    days = entry["reference_days"]
    assert days * 144 == len(rates)
    generated = load({**entry, "peak_output_tokens_per_s": 1e6}, days=days).output_tokens_per_s.values
    assert ratio_of_ten_minute_rates(generated, 10) == pytest.approx(rates.max() / rates.mean(), rel=1e-3)
    model = SERVEGEN[name].removeprefix("rate_10min_").removesuffix(".csv").replace("_", "/", 1)
    with (aidc_data / "servegen" / "token_length_histograms.csv").open() as source:
        bins = [row for row in csv.DictReader(source) if row["model"] == model]
    for field in ("input_tokens", "output_tokens"):
        mean = sum(
            (float(row["bin_low_tokens"]) + float(row["bin_high_tokens"]) - 1) / 2 * float(row["probability"])
            for row in bins
            if row["field"] == field
        )
        assert entry[field] == pytest.approx(mean, rel=0.01)


def test_the_same_seed_gives_the_same_demand_and_another_seed_another() -> None:
    spec = diurnal(noise_frac=0.1)
    one, same, other = (load(spec, seed=seed).output_tokens_per_s.values for seed in (1, 1, 2))
    assert (one == same).all()
    assert (one != other).any()


def test_the_first_day_does_not_depend_on_how_many_follow() -> None:
    spec = diurnal(noise_frac=0.1, jitter_frac=0.02)
    day, month = load(spec, days=1).output_tokens_per_s.values, load(spec, days=30).output_tokens_per_s.values
    assert (day == month[:1440]).all()


def test_later_weeks_stay_at_or_below_the_stated_peak() -> None:
    year = load(diurnal(noise_frac=0.3), days=100).output_tokens_per_s.values
    assert year.reshape(-1, 10).mean(axis=1).max() <= 4e6 * (1 + 1e-12)


def test_the_day_follows_local_time_through_daylight_saving() -> None:
    # New York: 2025-11-02 06:00 UTC is when clocks go back, so 15:00 local is 19:00, then 20:00 UTC
    start = datetime(2025, 11, 1, tzinfo=UTC)
    values = load(diurnal(), days=3, start=start).output_tokens_per_s.values
    peaks = [int(values[day * 1440 : (day + 1) * 1440].argmax()) / 60 for day in range(3)]
    assert peaks == pytest.approx([19.0, 20.0, 20.0], abs=0.1)


def test_weekends_are_lower_by_the_stated_share() -> None:
    values = load(diurnal(weekend_frac=0.5), timezone="UTC").output_tokens_per_s.values.reshape(7, 1440)
    assert values[5] == pytest.approx(0.5 * values[4])
    assert values[6] == pytest.approx(0.5 * values[0])


def test_a_ratio_of_one_is_constant() -> None:
    values = load(diurnal(peak_to_mean=1.0, noise_frac=0.2)).output_tokens_per_s.values
    assert np.ptp(values) <= 1e-6 * 4e6


def test_half_a_day_of_samples_covers_half_a_day() -> None:
    spec = Diurnal.model_validate(diurnal())
    assert len(generate(spec, START, 0.5, "UTC", np.random.default_rng(0))) == 720


# ---- traces ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("resolution_s", [1, 10, 60, 7])
def test_every_token_of_the_azure_trace_is_in_one_tile(aidc_data, resolution_s) -> None:
    path = aidc_data / "azure_llm_2023" / "AzureLLMInferenceTrace_conv.csv"
    with path.open() as source:
        rows = list(csv.DictReader(source))
    demand = load({"kind": "trace", "format": "azure", "file": str(path), "resolution_s": resolution_s})
    series = demand.output_tokens_per_s
    total = sum(int(row["GeneratedTokens"]) for row in rows)
    assert series.values.sum() * resolution_s == pytest.approx(total, rel=1e-12)
    assert demand.requests == pytest.approx(len(rows), rel=1e-12)
    assert demand.input_tokens_mean == pytest.approx(np.mean([int(row["ContextTokens"]) for row in rows]))
    assert series.tiled
    week = series.means(START, series.duration_s * 100, 2)
    assert week * float(series.duration_s) == pytest.approx([total, total], rel=1e-9)


def test_every_token_of_the_mooncake_trace_is_in_one_tile(aidc_data) -> None:
    path = aidc_data / "mooncake" / "conversation_trace.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    demand = load({"kind": "trace", "format": "mooncake", "file": str(path)})
    assert demand.output_tokens_per_s.values.sum() * 10 == pytest.approx(
        sum(row["output_length"] for row in rows)
    )
    assert demand.input_tokens_mean == pytest.approx(np.mean([row["input_length"] for row in rows]))
    assert demand.requests == pytest.approx(len(rows))


def test_a_trace_is_laid_scaled_and_tiled(tmp_path) -> None:
    stamps = ["2023-11-16 18:15:46.6805900", "2023-11-16 18:15:57.5", "2023-11-16 18:16:10.0"]
    rows = "".join(f"{stamp},100,{tokens}\n" for stamp, tokens in zip(stamps, (10, 20, 30), strict=True))
    (tmp_path / "t.csv").write_text("TIMESTAMP,ContextTokens,GeneratedTokens\n" + rows)
    laid = datetime(2022, 1, 1, tzinfo=UTC)
    spec = {"kind": "trace", "format": "azure", "file": "t.csv", "start": laid}
    series = load(spec, base_dir=tmp_path).output_tokens_per_s
    assert (series.start, series.period_s, series.values.tolist()) == (laid, Fraction(10), [1.0, 2.0, 3.0])
    assert series.at([laid + timedelta(seconds=s) for s in (-1, 0, 30, 75)]).tolist() == [3.0, 1.0, 1.0, 2.0]
    peaked = load({**spec, "scale_to_peak_output_tokens_per_s": 600.0}, base_dir=tmp_path)
    assert peaked.output_tokens_per_s.peak_mean() == pytest.approx(600.0)
    assert peaked.output_tokens_mean == 20.0
    doubled = load({**spec, "scale": 2.0}, base_dir=tmp_path)
    assert doubled.requests == pytest.approx(6.0)


def test_a_format_of_another_package_is_found_and_checked(tmp_path, monkeypatch) -> None:
    (tmp_path / "t.bin").write_text("x")

    class Point:
        name, value, given = "mine", "mine:read", None

        def load(self):
            return lambda _: self.given

    point = Point()
    monkeypatch.setattr(
        formats, "entry_points", lambda **kw: [point] if kw.get("name", "mine") == "mine" else []
    )
    spec = {"kind": "trace", "format": "mine", "file": "t.bin"}
    point.given = formats.Requests(np.array([0.0, 12.0]), np.array([5.0, 7.0]), np.array([10.0, 30.0]))
    assert load(spec, base_dir=tmp_path).output_tokens_per_s.values.tolist() == [1.0, 3.0]
    point.given = formats.Requests(np.array([0.0, np.nan]), np.ones(2), np.ones(2))
    with pytest.raises(InputError, match="finite time"):
        load(spec, base_dir=tmp_path)
    point.given = "nonsense"
    with pytest.raises(InputError, match="did not give Requests"):
        load(spec, base_dir=tmp_path)
    with pytest.raises(InputError, match="Known: azure, burstgpt, mine, mooncake"):
        load({**spec, "format": "other"}, base_dir=tmp_path)


@pytest.mark.parametrize(
    ("name", "values"), [("azure", ["mine:read"]), ("mine", ["mine:read", "theirs:read"])]
)
def test_a_format_of_two_owners_is_refused(monkeypatch, name, values) -> None:
    """A plug-in is neither hidden by a built-in format of its name, nor chosen by chance among several."""
    found = [SimpleNamespace(name=name, value=value) for value in values]
    monkeypatch.setattr(formats, "entry_points", lambda **_: found)
    with pytest.raises(InputError, match=r"several trace formats.*mine:read"):
        formats.reader_of(name)


# ---- rates and replay -----------------------------------------------------------------------------


def test_rates_become_tokens_and_keep_the_measured_ratio(aidc_data) -> None:
    path = aidc_data / "servegen" / "rate_10min_language_m-large.csv"
    spec = {"kind": "rate", "file": str(path), "input_tokens": 972.0, "output_tokens": 160.0}
    plain = load(spec).output_tokens_per_s
    assert plain.values[0] == pytest.approx(212.78 * 160)  # first line of the file
    scaled = load({**spec, "scale_to_peak_output_tokens_per_s": 2e6}).output_tokens_per_s
    assert scaled.values.max() == pytest.approx(2e6)
    assert ratio_of_ten_minute_rates(scaled.values, 1) == pytest.approx(3.0, abs=0.05)  # arXiv 2505.09999
    assert len(scaled) == 2016


def test_the_frontier_day_replays_its_25_loads(aidc_data) -> None:
    path = aidc_data / "frontier_day" / "frontier_2024-04-07_15s.csv"
    pods = [f"cdu{k}" for k in range(1, 26)]
    spec = demand_of({"kind": "power-replay", "file": str(path)})
    loads = load_replay(spec, pods=pods, clock_start=START, base_dir=Path())
    total = np.sum([one.values for one in loads.values()], axis=0)
    assert (total.min() / 1e6, total.max() / 1e6) == pytest.approx(
        (5.2, 26.6), abs=0.05
    )  # README of the data
    assert len(total) == 5761  # the midnight row is the file's own
    assert loads["cdu3"].values[0] == 977_571.0  # third load of the first line
    swing = total[20:] - total[:-20]  # 5 min
    assert (swing.max() / 1e6, swing.min() / 1e6) == pytest.approx((17.3, -19.4), abs=0.3)
    one = load_replay(spec, pods=["all"], clock_start=START, base_dir=Path())["all"]
    assert one.values == pytest.approx(total)


def test_replay_columns_and_pods_must_match(tmp_path) -> None:
    (tmp_path / "p.csv").write_text("t_s,a_w,b_w,c_w\n0,1,2,3\n60,4,5,6\n")

    def replay(pods, **keys):
        spec = demand_of(dict(kind="power-replay", file="p.csv", **keys))
        found = load_replay(spec, pods=pods, clock_start=START, base_dir=tmp_path)
        return {pod: one.values.tolist() for pod, one in found.items()}

    assert replay(["x"]) == {"x": [6.0, 15.0]}
    assert replay(["x", "y"], columns=["c_w", "a_w"], scale=2) == {"x": [6.0, 12.0], "y": [2.0, 8.0]}
    assert replay(["x", "y"], columns={"x": "a_w", "y": ["b_w", "c_w"]}) == {
        "x": [1.0, 4.0],
        "y": [5.0, 11.0],
    }
    for pods, columns in [(["x", "y"], None), (["x", "y"], {"x": "a_w"}), (["x"], ["d_w"])]:
        with pytest.raises(InputError):
            replay(pods, columns=columns)


def test_measured_power_is_no_demand_of_a_service() -> None:
    with pytest.raises(InputError, match=r"\[replays\]"):
        load({"kind": "power-replay", "file": "x.csv"})


def test_constant_demand_counts_its_requests_by_the_hour() -> None:
    demand = load(
        {"kind": "constant", "output_tokens_per_s": 1000.0, "input_tokens": 10, "output_tokens": 100}
    )
    assert demand.requests_per_s.at([START]).tolist() == [10.0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("t_s,rate_req_per_s\n0,1\n600,-2\n", "line 3, column rate_req_per_s.*outside 0"),
        ("t_s,rate_req_per_s\n0,1\n600,\n", "line 3, column rate_req_per_s.*not a number"),
        ("t_s,rate_req_per_s\n0,1\n600,1\n1200,1\n2400,1\n", "lacks 1 values"),
        ("t_s,rate_req_per_s\n0,0\n600,0\n", "zero throughout"),
        ("t_s,rate\n0,1\n600,2\n", "no column 'rate_req_per_s'"),
        ("t_s,rate_req_per_s\n0,1\n600,1e30\n", "outside"),
    ],
)
def test_bad_rates_are_refused(tmp_path, text, message) -> None:
    (tmp_path / "r.csv").write_text(text)
    with pytest.raises(InputError, match=message):
        load({"kind": "rate", "file": "r.csv", "input_tokens": 1, "output_tokens": 1}, base_dir=tmp_path)


LEVELS = {
    "peak_output_tokens_per_s": 1e6,
    "output_tokens_per_s": 1e6,
    "dataset": "azure-llm-2023",
    "format": "azure",
}


@pytest.mark.parametrize("name", names("demand"))
def test_every_shipped_entry_becomes_a_shape_with_what_a_site_must_add(name) -> None:
    values = dict(read("demand", name).values)
    keys = {"diurnal": ["peak_output_tokens_per_s"], "constant": ["output_tokens_per_s"]}
    for key in keys.get(values["kind"], ["dataset", *(["format"] if name == "trace" else [])]):
        values[key] = LEVELS[key]
    assert demand_of(values).kind == values["kind"]


def test_a_dataset_is_named_instead_of_a_file(aidc_data, monkeypatch) -> None:
    monkeypatch.setenv("AIDC_DATA", str(aidc_data))
    named = load({"kind": "trace", "format": "azure", "dataset": "azure-llm-2023"})
    path = aidc_data / "azure_llm_2023" / "AzureLLMInferenceTrace_conv.csv"
    given = load({"kind": "trace", "format": "azure", "file": str(path)})
    assert named.requests == given.requests
    assert named.source == str(path)


@pytest.mark.parametrize("file", ["../secret", "/etc/hostname", "a/../../b"])
def test_a_file_inside_a_dataset_stays_inside(file) -> None:
    with pytest.raises(ValidationError, match="leaves the dataset"):
        demand_of({"kind": "trace", "format": "azure", "dataset": "servegen", "file": file})
