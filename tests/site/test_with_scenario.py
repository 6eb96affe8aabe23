"""A site under another scenario, from Python: a shape, tables, or a file."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest
from mangle import WHOLE

import aidc
from aidc.contract import Command, Controller, Knob
from aidc.errors import InputError
from aidc.site import with_scenario

TABLES = {
    "start": datetime(2025, 1, 7, 6, tzinfo=UTC),
    "days": 0.005,
    "output_step_s": 60,
    "weather": {"use": "constant", "dry_bulb_c": -5},
    "tariff": {"use": "flat"},
}


class Half(Controller):
    def reset(self, site, options, rng) -> None:
        del options, rng
        self.site = site

    def decide(self, observation):
        assert observation.tick >= 0
        return [Command(Knob.POD_CAP_W, 0.5 * self.site.upper[Knob.POD_CAP_W], 300.0, "half")]


@pytest.fixture
def site(tmp_path):
    (tmp_path / "site.toml").write_text(WHOLE.replace("[renewables]", "[renewables]\n#").replace(
        'roof = { use = "pv-fixed", dc_power_mw = 0.8, tilt_deg = 20 }', ""))  # fmt: skip
    return aidc.load(tmp_path / "site.toml")


def test_run_takes_a_scenario_and_a_controller(site, tmp_path) -> None:
    free = aidc.run(site, scenario=TABLES, out=tmp_path / "free")
    held = aidc.run(site, scenario=TABLES, controller=Half(), out=tmp_path / "held")
    assert free.summary["window"]["start"] == "2025-01-07T06:00:00Z"
    assert isinstance(free.series, pl.DataFrame)
    assert np.allclose(free.series["dry_bulb_k"], 268.15)
    assert held.summary["energy_mwh"]["accelerator"] < free.summary["energy_mwh"]["accelerator"]


def test_a_shape_and_a_file_do_the_same(site, tmp_path) -> None:
    from_tables = with_scenario(site, TABLES)
    (tmp_path / "winter.toml").write_text(
        'start = 2025-01-07T06:00:00Z\ndays = 0.005\noutput_step_s = 60\ntariff = { use = "flat" }\n'
        'weather = { use = "constant", dry_bulb_c = -5 }\n'
    )
    assert with_scenario(site, tmp_path / "winter.toml").scenario == from_tables.scenario
    assert with_scenario(site, from_tables.scenario).scenario == from_tables.scenario
    where = {one.where for one in from_tables.assumptions if one.where.startswith("scenario")}
    assert where <= {"scenario.weather", "scenario.tariff"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"dayz": 3}, "Did you mean 'days'"),
        ({"weather": {"use": "nowhere"}}, "no weather of this name"),
        ({"output_step_s": 7, "step_s": 2}, "multiple of step_s"),
    ],
)
def test_a_wrong_scenario_is_refused_in_words(site, change, words) -> None:
    with pytest.raises(InputError, match=words):
        with_scenario(site, {**TABLES, **change})
