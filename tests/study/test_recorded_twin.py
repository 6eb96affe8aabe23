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
from study_sites import four_chains, random_site

from aidc.record.waveform import Waveform
from aidc.schema.code import FrequencyRideThrough, VoltageRideThrough
from aidc.schema.disturbance import Disturbance, FrequencyRamp, Sag, Swell
from aidc.simulate.transient.start import operating_point
from aidc.simulate.transient.window import open_window
from aidc.study.faults.battery import one_cycle
from aidc.study.faults.verdicts import both_ways, judge_connected, judge_fault, readings
from aidc.study.grid_check.check import rule_set
from aidc.study.grid_check.recorded import check_recording

SITES = 24
START_S, LENGTH_S = 11.0, 24.5
VOLTAGES = ("v1_pu", "v_pn_min_pu", "v_pn_max_pu", "v_pp_min_pu", "v_pp_max_pu")
FORMATS = {
    "power": (*VOLTAGES, "frequency_hz", "p_w", "q_var"),
    "connection": (*VOLTAGES, "frequency_hz", "p_w", "q_var", "connected_frac"),
    "connection, no power": (*VOLTAGES, "frequency_hz", "connected_frac"),
}


def random_event(rng: np.random.Generator) -> Disturbance:
    kind = rng.random()
    if kind < 0.75:
        return Sag(
            use="sag",
            start_s=START_S,
            residual_pu=round(float(rng.uniform(0.05, 0.88)), 3),
            duration_s=round(float(rng.uniform(0.04, 1.2)), 3),
            fault=str(rng.choice(["3ph", "lg", "ll", "llg"])),
            phase_jump_deg=float(rng.choice([0.0, 20.0])),
        )
    if kind < 0.85:
        return Swell(
            use="swell",
            start_s=START_S,
            voltage_pu=float(rng.uniform(1.12, 1.25)),
            duration_s=float(rng.uniform(0.1, 3)),
        )
    change = float(rng.choice([-3.5, -1.5, 1.5]))
    return FrequencyRamp(
        use="frequency-ramp", start_s=START_S, change_hz=change, rocof_hz_per_s=2.0, hold_s=3.0
    )


def write(folder: Path, shown: Waveform, form: str) -> Path:
    columns = {name: shown[name] for name in FORMATS[form]}
    pl.DataFrame({"time_s": shown.time_s.round(6), **columns}).write_csv(folder / f"{form}.csv")
    return folder / f"{form}.csv"


def write_comtrade(folder: Path, raw: Waveform) -> Path:
    """Three voltages and currents of a balanced window at 1,200 samples a second, from its phasors."""
    time_s = np.arange(int((LENGTH_S - 0.1) * 1200)) / 1200
    at = {name: np.interp(time_s, raw.time_s, raw[name]) for name in ("v1_pu", "angle_rad", "p_w", "q_var")}
    volts = np.maximum(at["v1_pu"], 1e-6) * 138e3 / np.sqrt(3)
    amps = np.conj((at["p_w"] + 1j * at["q_var"]) / (3 * volts))
    turn = np.exp(1j * (2 * np.pi * 60 * time_s + at["angle_rad"]))
    phases = np.exp(-2j * np.pi / 3 * np.arange(3))[:, None]
    rows = np.concatenate(
        [np.sqrt(2) * (volts * turn * phases).real, np.sqrt(2) * (amps * turn * phases).real]
    )
    return record_of(rows, form="FLOAT32", rate=1200.0).write(folder)


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
        if isinstance(event, FrequencyRamp) or (isinstance(event, Sag) and event.fault == "3ph"):
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
