"""Records made by the twin and read back: the same verdict, or none and a reason, whatever the record holds.

Beside it the twin's own ride-through verdicts are recounted by the brute-force judge, the whole set together.
"""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from brute_force import set_results
from comtrade_files import record_of
from records_cases import LENGTH_S, VOLTAGES, differences, is_balanced, random_event, waves
from study_sites import four_chains, random_site

from aidc.record.waveform import Waveform
from aidc.schema.code import FrequencyRideThrough, VoltageRideThrough
from aidc.schema.disturbance import Disturbance, Swell
from aidc.simulate.transient.start import operating_point
from aidc.simulate.transient.window import open_window
from aidc.study.faults.battery import one_cycle
from aidc.study.faults.verdicts import both_ways, judge_connected, judge_fault, readings
from aidc.study.grid_check.check import rule_set
from aidc.study.grid_check.recorded import check_recording

SITES = 24
FORMATS = {
    "power": (*VOLTAGES, "frequency_hz", "p_w", "q_var"),
    "connection": (*VOLTAGES, "frequency_hz", "p_w", "q_var", "connected_frac"),
    "connection, no power": (*VOLTAGES, "frequency_hz", "connected_frac"),
}


def write(folder: Path, shown: Waveform, form: str) -> Path:
    columns = {name: shown[name] for name in FORMATS[form]}
    pl.DataFrame({"time_s": shown.time_s.round(6), **columns}).write_csv(folder / f"{form}.csv")
    return folder / f"{form}.csv"


def write_comtrade(folder: Path, raw: Waveform) -> Path:
    """Three voltages and currents of a balanced window at 1,200 samples a second."""
    return record_of(waves(raw), form="FLOAT32", rate=1200.0).write(folder)


def test_a_record_of_the_twin_gives_its_verdict_or_none(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    busy = four_chains(tmp_path_factory.mktemp("site"))
    steady = busy.model_copy(update={"jobs": {}})  # without training its power tells what is connected
    points = [operating_point(busy), operating_point(steady)]
    rules = rule_set(busy, "ercot-nogrr-282")[1].clauses
    counted: Counter[tuple[str, str]] = Counter()
    for seed in range(SITES):
        rng = np.random.default_rng([seed, 7])
        base, point = ((busy, points[0]), (steady, points[1]))[seed % 2]
        site = random_site(base, rng)
        level_va = max(site.grid.short_circuit_mva or 0.0, 600.0) * 1e6
        event = random_event(rng)

        def step(*events: Disturbance, site=site, point=point, level_va=level_va) -> Waveform:
            options = {"duration_s": LENGTH_S, "step_s": Fraction(1, 500), "short_circuit_va": level_va}
            return open_window(site, point, events, **options).advance()

        raw = step(event)
        shown, calm = one_cycle(raw), step()
        told = judge_fault(rules, shown, calm) | judge_connected(rules, shown)
        curves = [rule for rule in rules if isinstance(rule, (VoltageRideThrough, FrequencyRideThrough))]
        by_v1 = [readings(rule)[-1] if isinstance(rule, VoltageRideThrough) else rule for rule in curves]
        for index, (stated, other) in enumerate(
            zip(set_results(curves, shown), set_results(by_v1, shown), strict=True)
        ):
            assert told[index].stated.result == stated, (seed, event)
            second = told[index].by_sequence
            assert (told[index].stated if second is None else second).result == other, (seed, event)
        records = {form: write(tmp_path, shown, form) for form in FORMATS}
        if is_balanced(event) and not isinstance(event, Swell):
            records["COMTRADE"] = write_comtrade(tmp_path, raw)
        for form, path in records.items():
            found = check_recording(site, path, code="ercot-nogrr-282")
            for index, verdict in enumerate(found.verdicts):
                if rules[index].rule == "fault-sequence":  # the twin's own, no record shows it
                    assert verdict.result == "not_applicable"
                    continue
                twin = both_ways(rules[index], told[index].stated, told[index].by_sequence)
                assert verdict.result in {twin.result, "not_assessable"}, (seed, form, event, twin, verdict)
                assert verdict.result != "not_assessable" or verdict.reason
                counted[form, verdict.result] += 1
    for form in ("power", "connection"):  # records that never get a verdict would agree with anything
        assert counted[form, "fail"] >= 2, counted
        assert counted[form, "pass"] >= 2, counted
    assert sum(counted["COMTRADE", result] for result in ("pass", "fail")) >= 2, counted


@pytest.mark.parametrize("seed", range(4))
def test_a_record_of_any_form_sound_or_spoilt_gives_the_verdict_or_says_why_not(seed: int) -> None:
    """A few of `make prove RECORDS=150`."""
    assert differences(seed) == []
