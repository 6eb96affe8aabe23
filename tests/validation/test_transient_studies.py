"""The transient studies: every bar met, every row either predicted or with its reason."""

from __future__ import annotations

import numpy as np
import pytest

from aidc.schema.code import Ramp
from aidc.validation import transient_studies as studies
from aidc.validation.case import Case


@pytest.fixture(scope="module")
def found(aidc_data) -> dict[str, Case]:
    return {case.metric: case for case in studies.cases(aidc_data)}


def test_every_study_of_the_plan_is_there(found) -> None:
    sources = {case.dataset for case in found.values()}
    wanted = {studies.MEDIUM_VOLTAGE, studies.SHELF, studies.SMOOTHING, studies.VIRGINIA}
    assert wanted | {studies.FRONTIER, studies.TRAINING} == sources


def test_bars_are_met_and_rows_say_why(found) -> None:
    for case in found.values():
        assert case.passed is not False, case.metric
        for row in case.rows:
            assert row.predicted is not None or row.reason, row.item


def test_a_counting_site_is_dropped_and_a_compliant_one_is_not(found) -> None:
    (case,) = (one for one in found.values() if one.dataset == studies.VIRGINIA)
    assert [row.predicted for row in case.rows] == [1.0, 0.0]


def test_a_forming_storage_holds_the_voltage_up_and_keeps_drawing(found) -> None:
    (case,) = (one for one in found.values() if one.dataset == studies.MEDIUM_VOLTAGE)
    forming, _, usual, usual_draw = (row.predicted for row in case.rows)
    assert forming > usual
    assert usual_draw < 0.2


def test_the_limit_of_the_storage_holds(found) -> None:
    (case,) = (one for one in found.values() if one.dataset == studies.SMOOTHING)
    assert 9.9 < case.rows[0].predicted <= 10.1


def test_without_data_only_the_studies_remain(tmp_path) -> None:
    assert len(studies.cases(tmp_path)) == 4


def test_a_day_that_fails_is_told_the_storage_that_passes() -> None:
    """A step of 10 MW at 2 MW/min: ΔP²/2r = 0.417 MWh and 10 MW, less what a step of 15 s carries."""
    rule = Ramp(rule="ramp", clause="test", form="rate", window_s=60.0, limit_mw_per_min=2.0)
    power_w = np.where(np.arange(400) < 100, 20e6, 10e6)
    row = studies._against_rule("own", rule, power_w)
    assert "fails" in row.reason
    rate, power_mw, energy_mwh = studies._smallest_storage(rule, power_w)
    assert rate == pytest.approx(2e6 / 60, rel=1e-3)
    assert power_mw == pytest.approx(10.0, rel=0.06)
    assert energy_mwh == pytest.approx(10**2 / (2 * 2) / 60, rel=0.06)
