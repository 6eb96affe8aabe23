"""A foul day told: the summary's JSON, the terminal, the report, the events and the record say the same."""

from __future__ import annotations

import html
import json
import os
import re
import subprocess
import sys

import polars as pl
import pytest

from aidc.report.text import figure

ROW_S = 60.0
WIDE = {**os.environ, "COLUMNS": "200"}
# An hour without the grid: gensets that carry one of the two pods, and nothing at the site that bridges.
EVENTS = (
    '{use="supply-outage",name="storm",start=2025-07-07T05:00:00Z,duration_min=60},'
    '{use="equipment-outage",of="cooling.warm.outdoor",start=2025-07-07T04:30:00Z,duration_min=10}'
)
FOUL = [
    "--days=0.15",
    "--set=storage={}",
    '--set=gensets={g={use="diesel-standby",power_mw=0.5,fuel_mwh=20,fuel_price_usd_per_mwh=90}}',
    f"--set=scenario.events=[{EVENTS}]",
]


def aidc(*arguments, cwd):
    command = [sys.executable, "-m", "aidc.cli", *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, cwd=cwd, timeout=900, check=False, env=WIDE
    )


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    folder = tmp_path_factory.mktemp("foul")
    assert aidc("new", "starter", cwd=folder).returncode == 0
    done = aidc("run", "starter/site.toml", "--out", "foul", *FOUL, cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder / "foul", done.stdout


@pytest.fixture(scope="module")
def summary(told):
    return json.loads((told[0] / "summary.json").read_text())


@pytest.fixture(scope="module")
def record(told):
    return pl.read_parquet(told[0] / "pods.parquet"), pl.read_parquet(told[0] / "series.parquet")


def test_the_scenario_is_as_foul_as_it_is_meant_to_be(summary) -> None:
    supply = summary["supply"]
    assert supply["pods"]["train"]["energy_not_supplied_mwh"] > 0.1
    assert supply["bus_not_formed_h"] > 0
    assert summary["gensets"]["g"]["starts"] == 1


def test_the_json_agrees_with_the_record(summary, record) -> None:
    pods, series = record
    supply = summary["supply"]
    for name in ("llm", "train"):
        mine = pods.filter(pl.col("pod").cast(pl.String) == name)
        lost = mine["not_supplied_w"].sum() * ROW_S / 3.6e9
        assert supply["pods"][name]["energy_not_supplied_mwh"] == pytest.approx(lost, rel=1e-12)
        assert supply["pods"][name]["availability_frac"] == pytest.approx(mine["available_frac"].mean())
    assert supply["energy_not_supplied_mwh"] == pytest.approx(summary["energy_mwh"]["unserved"], rel=1e-12)
    dead_h = (1 - series["bus_formed_frac"]).sum() * ROW_S / 3600
    assert supply["bus_not_formed_h"] == pytest.approx(dead_h, rel=1e-9)
    genset = summary["gensets"]["g"]
    assert genset["fuel_mwh"] == pytest.approx(series["genset.g.fuel_w"].sum() * ROW_S / 3.6e9, rel=1e-12)
    assert genset["fuel_left_mwh"] == pytest.approx(20.0 - genset["fuel_mwh"], rel=1e-12)


def test_carbon_and_bill_carry_the_fuel(summary, record) -> None:
    _, series = record
    fuel_mwh = series["genset.g.fuel_w"].sum() * ROW_S / 3.6e9
    grid_kg = (series["grid_import_w"] * series["carbon_kg_per_mwh"]).sum() * ROW_S / 3.6e9
    assert summary["carbon_kg"] == pytest.approx(grid_kg + 265.6 * fuel_mwh, rel=1e-9)
    cost = summary["cost_usd"]
    assert cost["fuel"] == pytest.approx(90.0 * fuel_mwh, rel=1e-9)
    assert cost["total"] == pytest.approx(sum(cost[key] for key in ("energy", "demand", "fixed", "fuel")))
    parts = [*summary["services"].values(), *summary["jobs"].values(), summary["unallocated"]]
    assert sum(part["cost_usd"]["fuel"] for part in parts) == pytest.approx(cost["fuel"], rel=1e-9)


def test_terminal_and_report_carry_the_same_figures(told, summary) -> None:
    folder, screen = told
    page = html.unescape((folder / "report.html").read_text())
    screen = re.sub(r"\s+", " ", screen)
    supply, genset = summary["supply"], summary["gensets"]["g"]
    lost = f"{figure(supply['energy_not_supplied_mwh'])} MWh of IT load"
    ran = f"{figure(genset['energy_mwh'])} MWh from {figure(genset['fuel_mwh'])} MWh of fuel"
    available = f"{figure(100 * supply['availability_frac'], 5)} %"
    for part in (lost, ran, f"availability {available}", "pods.train", "site bus dead for"):
        assert part in screen, part
    for part in (lost, ran, available, "Who carried the site", "Load shed, by pod"):
        assert part in page, part
    for name in ("llm", "train"):
        one = figure(100 * supply["pods"][name]["availability_frac"], 5)
        assert re.search(rf"pod {name}</td>\s*<td[^>]*>{re.escape(one)} %", page), name


def test_the_events_tell_it_in_order(told, summary) -> None:
    events = pl.read_parquet(told[0] / "events.parquet")

    def of(kind: str):
        return events.filter(pl.col("kind") == kind)

    storm, called, running, stopped = (
        of(kind)["time"][0] for kind in ("supply-outage", "genset-called", "genset-running", "genset-stopped")
    )
    assert (called - storm).total_seconds() == pytest.approx(3.0, abs=1.01)  # call_s
    assert (running - storm).total_seconds() == pytest.approx(
        15.0, abs=1.01
    )  # and 10 s start, 2 s synchronising
    assert (stopped - storm).total_seconds() == pytest.approx(3600 + 300, abs=ROW_S)  # stop_s
    assert of("bus")["message"].to_list()[0].startswith("nothing forms the bus")
    assert "formed again" in of("bus")["message"].to_list()[1]
    lost = f"{summary['supply']['pods']['train']['energy_not_supplied_mwh']:.4g} MWh not supplied"
    assert lost in " ".join(of("back").filter(pl.col("subject") == "train")["message"])
    assert of("equipment-outage")["subject"].to_list() == ["cooling.warm.outdoor"] * 2
    assert of("on-battery").filter(pl.col("subject").str.ends_with(".battery")).height > 0


def test_runs_are_compared_by_it(told, summary) -> None:
    folder, _ = told
    done = aidc("compare", folder, folder, "--json", cwd=folder.parent)
    assert done.returncode == 0, done.stderr
    rows = {row["metric"]: row["values"] for row in json.loads(done.stdout)["figures"]}
    lost = summary["supply"]["energy_not_supplied_mwh"]
    assert rows["not supplied"] == [pytest.approx(lost)] * 2
    assert rows["gensets.g: fuel"] == [pytest.approx(summary["gensets"]["g"]["fuel_mwh"])] * 2
