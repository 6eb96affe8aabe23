"""The starter site in foul weather: what was wrong once, with siblings, each against a value of its own.

Right values are the merit order's on whole energies: what is wanted less what the grid gave, energy out of cells over
efficiencies, times of the events. Cooling that stops is not judged here: racks bear any heat.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from aidc.simulate import Twin, compile_site
from aidc.simulate.energy.fields import Pod
from aidc.simulate.frames import pod_frame, series_frame
from aidc.site import load

HOUR = 3600


@pytest.fixture(scope="module")
def starter(tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("starter") / "site.toml"
    file.write_text(files("aidc.site").joinpath("starter.toml").read_text("utf-8"), encoding="utf-8")
    return file


def run(file: Path, hours: float, *settings: str, step_s: float = 5.0) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Site and pods, one row a step, from 08:00 on the starter's first day."""
    start = ["scenario.start=2025-07-07T08:00:00Z", f"scenario.days={hours / 24}"]
    steps = [f"scenario.step_s={step_s}", f"scenario.output_step_s={step_s}"]
    compiled = compile_site(load(file, [*start, *steps, *settings]))
    compiled.params.pod[[Pod.PER_CASE_BAND, Pod.PER_INLET_BAND]] = 0.0
    block = Twin(compiled).advance(compiled.clock.steps)
    site = series_frame(compiled, block.records, block.ticks, block.steps, block.before)
    assert (site["residual_energy_w"].abs() <= 1e-9 * site["flow_energy_w"] + 1e-6).all()
    assert (site["residual_heat_w"].abs() <= 1e-9 * site["flow_heat_w"] + 1e-6).all()
    return site, pod_frame(compiled, block.records, block.ticks, block.steps)


def outage(minutes: float) -> str:
    return (
        'scenario.events=[{use="supply-outage",name="x",start=2025-07-07T08:10:00Z,'
        f"duration_min={minutes}}}]"
    )


def limit(megawatts: float, minutes: float) -> str:
    return (
        'scenario.events=[{use="import-limit",name="x",start=2025-07-07T08:10:00Z,'
        f"duration_min={minutes},limit_mw={megawatts}}}]"
    )


FRONTS = ["chains.dc.front=psu-direct", "chains.ac.front=psu-direct"]
UPS = 'storage={ups={use="ups-battery-string",power_mw=2,energy_mwh=0.2}}'
DIESEL = 'gensets={g={use="diesel-standby",power_mw=4}}'


def during(frame: pl.DataFrame, minutes: float) -> pl.DataFrame:
    """Rows of the event."""
    since = (frame["time"] - frame["time"][0]).dt.total_seconds()
    return frame.filter((since >= 600) & (since < 600 + 60 * minutes))


# ---- a battery at the UPS answers outages and limits -----------------------------------------------------


@pytest.mark.parametrize("chain", ["800vdc-central-rectifier", "800vdc-sst", "415vac-double-conversion"])
def test_a_ups_battery_carries_its_lineups_through_an_outage(starter, chain) -> None:
    """0.2 MWh over some 1 MW is twelve minutes; five cost what the racks took, over losses of 0.95 and the converter."""
    site, pods = run(starter, 0.5, UPS, f"chains.dc.use={chain}", *FRONTS, outage(5))
    gone = during(site, 5)
    assert gone["it_w"].min() > 0.9 * site["it_w"][0]
    assert pods["shed_frac"].max() == 0.0
    given_j = gone["storage.ups.discharge_w"].sum() * 5.0
    fed_j = (gone["it_w"] + gone["cooling_w"]).sum() * 5.0  # pumps and fans hang on the same bus
    assert 1.0 < given_j / fed_j < 1.03  # busways stand behind the battery
    drawn_j = (site["storage.ups.soc_frac"][0] - gone["storage.ups.soc_frac"][-1]) * 0.2 * 3.6e9
    assert 1.0 / 0.95 < drawn_j / given_j < 1.0 / 0.95 + 0.04


def test_ups_batteries_answer_an_import_limit(starter) -> None:
    """What 0.9 MW of grid lacks comes from the batteries, and no more."""
    site, pods = run(starter, 0.5, UPS, *FRONTS, limit(0.9, 5))
    short = during(site, 5)
    assert pods["shed_frac"].max() == 0.0
    assert short["grid_import_w"].to_numpy() == pytest.approx(np.full(len(short), 0.9e6))
    assert short["storage.ups.discharge_w"].min() > 0.0


def test_the_battery_of_a_front_end_carries_a_run_as_it_does_a_check(starter) -> None:
    """`rectifier-800vdc` brings rated power for 240 s, `ups-eco` for 300 s: three minutes cost nothing."""
    site, pods = run(starter, 0.5, "storage={}", outage(3))
    assert pods["shed_frac"].max() == 0.0
    assert site["unserved_w"].max() == 0.0
    assert during(site, 3)["storage.dc.battery.discharge_w"].min() > 0.0


# ---- gensets are called whatever else covers the lack ------------------------------------------------------


@pytest.mark.parametrize("settings", [["storage={}"], []], ids=["no storage", "yard"])
def test_gensets_carry_a_limit_that_shedding_or_storage_could_cover(starter, settings) -> None:
    """From 15 s on (call, start, synchronise) they give what 0.7 MW lacks; nobody comes and goes."""
    site, pods = run(starter, 1.0, DIESEL, *settings, *FRONTS, limit(0.7, 40), step_s=1.0)
    short = during(site, 40)
    carried = short[20:]
    assert short["genset_w"][:15].max() == 0.0
    assert carried["genset.g.running_frac"].min() == 1.0
    back = during(pods, 40).group_by("pod").agg(pl.col("shed_frac").diff().clip(0.0).sum())
    assert back["shed_frac"].max() <= 1.0
    need = carried["wanted_w"] - carried["pv_w"] - 0.7e6
    late = short[-600:]  # every pod is back after its restart
    assert during(pods, 40)[-1200:]["shed_frac"].max() == 0.0
    least = 0.3 * 4e6
    expected = np.maximum(need[-600:].to_numpy(), least)
    assert late["genset_w"].to_numpy() == pytest.approx(expected, rel=2e-3)


@pytest.mark.parametrize("engine", ["gas-engine", "diesel-standby"])
def test_a_site_without_a_connection_lives_on_its_engines(starter, engine) -> None:
    """4 MW of prime power for a site of 1 MW: everything is served, at half load or more the rest is heat."""
    site, pods = run(
        starter, 0.5, "grid.import_limit_mw=0", "storage={}", f'gensets={{g={{use="{engine}",power_mw=4}}}}'
    )
    assert site["unserved_w"].max() == 0.0
    assert pods["shed_frac"].max() == 0.0
    assert site["it_w"].min() > 5e5
    assert site["grid_import_w"].max() == 0.0
    given = site["genset_w"].sum() + site["pv_w"].sum() - site["load_bank_w"].sum()
    charged = site["storage_change_w"].sum() + site["storage_loss_w"].sum()
    used = site["it_w"] + site["cooling_w"] + site["auxiliary_w"] + site["conversion_loss_w"]
    assert given == pytest.approx(used.sum() + charged, rel=1e-9)
    least = {"gas-engine": 0.5, "diesel-standby": 0.3}[engine]
    assert site["genset_w"].to_numpy() == pytest.approx(np.full(len(site), least * 4e6), rel=1e-6)


def test_an_island_transformer_is_not_rated_at_an_import_limit_of_nothing(starter) -> None:
    """No grid, no main transformer in the way: its losses are none, and no load is squared over a rating of zero."""
    site, _ = run(starter, 0.2, "grid.import_limit_mw=0", "storage={}", DIESEL)
    assert site["transformer_loss_w"].max() == 0.0


# ---- not supplied ------------------------------------------------------------------------------------------


def test_what_was_shed_is_not_supplied_and_the_restart_counts(starter) -> None:
    """Without storage an outage of five minutes costs both pods these and the restart, by what each wanted."""
    site, pods = run(starter, 0.5, "storage={}", *FRONTS, outage(5))
    assert site["unserved_w"].to_numpy() == pytest.approx(
        pods.group_by("time", maintain_order=True)
        .agg(pl.col("not_supplied_w").sum())["not_supplied_w"]
        .to_numpy()
    )
    for name in ("llm", "train"):
        mine = pods.filter(pl.col("pod") == name)
        off = mine.filter(pl.col("shed_frac") > 0)
        wait_s = 300.0 + 60.0  # restart_s and return_s
        assert len(off) * 5.0 == pytest.approx(max(wait_s, 300.0), abs=5.0)
        missing = off["wanted_w"] - off["it_w"]
        assert off["not_supplied_w"].to_numpy() == pytest.approx(missing.to_numpy())
        assert off["available_frac"].max() == 0.0
    assert site["unserved_w"].sum() * 5.0 > 360.0 * 5e5
