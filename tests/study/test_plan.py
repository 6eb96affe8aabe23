"""`plan` on a site: the bill that it promises is the one that the twin writes, and what cannot be planned is refused."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from aidc.contract.suite import check_controller
from aidc.control.schedule import Schedule, read_schedule
from aidc.errors import InputError
from aidc.report.plan.console import plan_table, worth_in_words
from aidc.report.plan.page import render_plan
from aidc.site import load
from aidc.study.planning.plan import plan
from aidc.study.site_run.run import run

STARTER = Path(__file__).parents[2] / "src" / "aidc" / "site" / "starter.toml"
SHORT = ("scenario.days=0.75", "scenario.step_s=30")


@pytest.fixture(scope="module")
def planned():
    return plan(STARTER, settings=SHORT)


def test_the_twin_bills_what_the_programme_says(planned):
    """Within 1 %, and the saving against the idle schedule within 10 %; both bills are those of `measure.cost`."""
    facts = planned.as_dict()
    assert abs(facts["off_frac"]) < 1e-3
    assert facts["gap_frac"] == pytest.approx(0.0, abs=1e-9)
    idle_by_programme = planned.programme.step_h * float(
        planned.course.buy_usd_per_mwh @ np.maximum(planned.course.load_mw - planned.course.renewable_mw, 0.0)
    )
    assert facts["billed_usd"]["idle"]["energy"] == pytest.approx(idle_by_programme, rel=2e-3)
    assert facts["saving_usd"] > 100.0
    assert facts["saving_over_rule_usd"] > 100.0


def test_the_schedule_is_a_file_that_a_run_takes(planned, tmp_path):
    """`[control] use = "schedule"` gives the bill of the plan, also from the run's own folder."""
    planned.schedule.write_csv(tmp_path / "plan.csv")
    control = ('control.use="schedule"', f'control.options.file="{tmp_path / "plan.csv"}"')
    done = run(STARTER, settings=(*SHORT, *control), out=tmp_path / "run")
    assert done.summary["cost_usd"]["total"] == pytest.approx(planned.followed["total"], rel=1e-9)
    again = run(load(tmp_path / "run" / "site.toml"), out=tmp_path / "again")
    assert again.summary["cost_usd"]["total"] == pytest.approx(planned.followed["total"], rel=1e-12)
    assert again.meta["input_hash"] == done.meta["input_hash"]
    assert any(one["in_folder"] == "inputs/plan.csv" for one in done.meta["inputs"])


def test_the_storage_does_what_the_schedule_says(planned, tmp_path):
    planned.schedule.write_csv(tmp_path / "plan.csv")
    control = ('control.use="schedule"', f'control.options.file="{tmp_path / "plan.csv"}"')
    series = run(STARTER, settings=(*SHORT, *control), out=tmp_path / "run").series
    power = series["storage.yard.power_w"].to_numpy().reshape(-1, 15).mean(axis=1) / 1e6
    asked = planned.schedule["storage.yard.power_mw"].to_numpy()
    assert power == pytest.approx(asked, abs=2e-3)


def test_a_limit_that_binds_has_a_price_in_words():
    """1.08 MW where the site draws more at noon: the plan says which hours another MW would help, and what it is worth."""
    found = plan(
        STARTER, settings=(*SHORT, "grid.import_limit_mw=1.08", "renewables.roof.dc_power_mw=0.01")
    ).as_dict()
    assert found["worth"]
    assert worth_in_words(found["worth"][0]).startswith("One more MW of import limit from 2025-07-07")
    assert found["worth"][0]["usd_per_mw"] > 0


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (("grid.import_limit_mw=0.4",), "leaves no schedule from 2025-07-07"),
        (('storage.yard.node="ups"',), "no storage at node 'site'"),
    ],
)
def test_what_cannot_be_planned_is_refused_in_words(settings, words):
    with pytest.raises(InputError, match=words):
        plan(STARTER, settings=(*SHORT, *settings))


@pytest.mark.parametrize("wear", [-5.0, float("nan"), float("inf"), 1e9])
def test_a_wear_that_is_no_cost_is_refused(wear):
    with pytest.raises(InputError, match="--wear"):
        plan(STARTER, settings=SHORT, wear_usd_per_mwh=wear)


def test_a_site_without_prices_has_nothing_to_save(tmp_path):
    text = STARTER.read_text().replace('tariff = { use = "tou-demand" }', "")
    (tmp_path / "site.toml").write_text(text)
    with pytest.raises(InputError, match="neither tariff nor prices"):
        plan(tmp_path / "site.toml")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("storage.yard.power_mw\n1\n", "has no column 'time_utc'"),
        ("time_utc,storage.yrd.power_mw\n2025-07-07T04:00:00Z,1\n", "is no set point of this site"),
        ("time_utc,storage.yard.power_mw\n2025-07-07T04:00:00Z,much\n", "storage.yard.power_mw"),
        ("time_utc,storage.yard.power_mw\n2025-07-07T04:00:00Z,1e9\n", "storage.yard.power_mw"),
        ("time_utc,storage.yard.power_mw\nnoon,1\n", "is not a time"),
        (
            "time_utc,storage.yard.power_mw\n2025-07-07T05:00Z,1\n2025-07-07T04:00Z,1\n",
            "not later than the line before",
        ),
        ("time_utc,storage.yard.power_mw\n", "no rows|no data|is empty"),
    ],
)
def test_a_schedule_that_is_none_is_refused(text, words, tmp_path):
    (tmp_path / "plan.csv").write_text(text)
    with pytest.raises(InputError, match=words):
        read_schedule(tmp_path / "plan.csv", ("yard",))


def test_rows_hold_until_the_next_and_gaps_are_left_to_the_rule(tmp_path):
    """0.2 MW from 04:30, left alone from 05:00, -0.1 MW from 05:30 for as long as the row before was."""
    text = "time_utc,storage.yard.power_mw\n2025-07-07T04:30:00Z,0.2\n2025-07-07T05:00:00Z,\n2025-07-07T05:30:00Z,-0.1\n"
    (tmp_path / "plan.csv").write_text(text)
    control = ('control.use="schedule"', f'control.options.file="{tmp_path / "plan.csv"}"')
    quiet = (
        'storage.yard.rule={use="peak-shaving",target_mw=50,charge_below_mw=0}',
        "scenario.days=0.1",
        "scenario.step_s=5",
    )
    series = run(STARTER, settings=(*quiet, *control), out=tmp_path / "run").series
    power = series["storage.yard.power_w"].to_numpy() / 1e6
    assert power[:30] == pytest.approx(np.zeros(30), abs=1e-9)
    assert power[30:60] == pytest.approx(np.full(30, 0.2), abs=1e-9)
    assert power[60:90] == pytest.approx(np.zeros(30), abs=1e-9)
    assert power[90:120] == pytest.approx(np.full(30, -0.1), abs=1e-9)
    assert power[121:] == pytest.approx(np.zeros(power.size - 121), abs=1e-9)


def test_the_schedule_keeps_the_contract(tmp_path):
    (tmp_path / "plan.csv").write_text("time_utc\n2025-07-07T04:00:00Z\n2025-07-07T05:00:00Z\n")
    check_controller(Schedule, {"file": str(tmp_path / "plan.csv")})


def test_page_and_terminal_say_the_same(planned):
    facts = planned.as_dict()
    json.dumps(facts, allow_nan=False)
    page = render_plan(facts)
    assert "Saved over storage at rest" in page
    assert "under the plan" in page
    assert plan_table(facts) is not None
    assert isinstance(planned.schedule, pl.DataFrame)
    assert planned.programme.step_h == float(Fraction(1, 4))
