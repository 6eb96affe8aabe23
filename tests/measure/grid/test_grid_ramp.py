"""Ramps and voltage steps: closed forms, the Frontier day, and power factor windows."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from aidc.measure.grid.meter import evaluate
from aidc.measure.grid.verdict import Connection
from aidc.record.waveform import Mark, Waveform
from aidc.schema.code import PowerFactor, Ramp, VoltageStep

SITE = Connection(site_w=100e6, short_circuit_va=2e9)
MS = Fraction(1, 1000)
STEPS = [MS, Fraction(1, 2000), Fraction(1, 4000)]


def ramp(**changes: Any) -> Ramp:
    rule = {"rule": "ramp", "clause": "test", "form": "change", "window_s": 5.0, "limit_mw": 10.0}
    return Ramp.model_validate(rule | changes)


def rate(**changes: Any) -> Ramp:
    return ramp(form="rate", limit_mw=None, **({"limit_mw_per_min": 20.0} | changes))


def trapezoid(slope_w_s: float, step_s: Fraction, **changes: Any) -> Waveform:
    """Flat for 10 s, a ramp for 20 s, flat for 10 s."""
    time_s = np.arange(round(40 / float(step_s))) * float(step_s)
    return Waveform(step_s, {"p_w": 50e6 + slope_w_s * np.clip(time_s - 10, 0, 20)}, **changes)


@pytest.mark.parametrize("step_s", STEPS)
@pytest.mark.parametrize(
    ("of_limit", "result"), [(0.995, "pass"), (1.005, "fail")], ids=["just below", "just above"]
)
def test_a_steady_ramp_changes_by_rate_times_window(step_s: Fraction, of_limit: float, result: str) -> None:
    """r·w within a window of w seconds: 2 MW/s over 5 s are 10 MW; r over any window that the ramp fills."""
    (change,) = evaluate(ramp(), trapezoid(2e6 * of_limit, step_s), SITE)
    assert change.value == pytest.approx(10 * of_limit, rel=1e-6)
    assert change.result == result
    (mean,) = evaluate(rate(window_s=10.0), trapezoid(-20e6 / 60 * of_limit, step_s), SITE)
    assert mean.value == pytest.approx(20 * of_limit, rel=1e-6)
    assert mean.result == result


def test_a_window_longer_than_the_ramp_takes_its_mean() -> None:
    (mean,) = evaluate(rate(window_s=25.0), trapezoid(1e6, MS), SITE)
    assert mean.value == pytest.approx(20 / 25 * 60, rel=1e-6)


@pytest.mark.parametrize(("direction", "change_mw"), [("up", 4.0), ("down", 9.0), ("both", 9.0)])
@pytest.mark.parametrize("form", ["change", "rate"])
def test_direction_says_which_way_counts(direction: str, change_mw: float, form: str) -> None:
    p_w = np.repeat([50e6, 54e6, 45e6], 10_000)
    rule = ramp(direction=direction) if form == "change" else rate(direction=direction)
    (verdict,) = evaluate(rule, Waveform(MS, {"p_w": p_w}), SITE)
    assert verdict.value == pytest.approx(change_mw if form == "change" else change_mw * 12)


def test_a_spike_counts_as_change_though_both_ends_agree() -> None:
    p_w = np.full(30_000, 50e6)
    p_w[15_000:15_010] = 75e6
    assert evaluate(ramp(), Waveform(MS, {"p_w": p_w}), SITE)[0].value == pytest.approx(25.0)


def test_recovery_from_a_fault_is_judged_apart() -> None:
    series = trapezoid(1e6, MS, marks=(Mark("sag", 12.0, 30.0),))
    normal, fault = evaluate(ramp(limit_mw=4.0), series, SITE)
    assert (normal.case, normal.result) == ("normal operation", "pass")
    assert normal.value == pytest.approx(2.0, abs=0.01)
    assert (fault.case, fault.result) == ("fault recovery", "fail")
    (started,) = evaluate(ramp(limit_mw=4.0), trapezoid(1e6, MS, marks=(Mark("start", 9.0, 31.0),)), SITE)
    assert started.result == "fail"


def test_the_smaller_limit_counts() -> None:
    (verdict,) = evaluate(ramp(limit_frac=0.04), trapezoid(1e6, MS), SITE)
    assert (verdict.limit, verdict.result) == (4.0, "fail")
    assert "1 MW" in verdict.suggestion


@pytest.mark.parametrize(
    ("rule", "duration_s", "step_s", "word"),
    [
        (ramp(), 100, Fraction(1), "every 500 ms"),
        (rate(window_s=60.0), 100, Fraction(20), "every 15 s"),
        (ramp(), 5, MS, "needs 5.001 s"),
    ],
)
def test_no_verdict_on_a_series_too_slow_or_short(
    rule: Ramp, duration_s: float, step_s: Fraction, word: str
) -> None:
    series = Waveform(step_s, {"p_w": np.full(round(duration_s / float(step_s)), 1e6)})
    (verdict,) = evaluate(rule, series, SITE)
    assert verdict.result == "not_assessable"
    assert word in verdict.reason


def frontier(folder: Path) -> Waveform:
    day = pl.read_csv(folder / "frontier_day" / "frontier_2024-04-07_15s.csv")
    p_w = day.select(pl.sum_horizontal(pl.col("^cdu_.*$"))).to_series().cast(pl.Float64).to_numpy()
    return Waveform(Fraction(15), {"p_w": p_w})


def test_the_frontier_day_moves_as_its_publisher_measured(aidc_data: Path) -> None:
    """+17.3 / -19.4 MW within 5 min on 2024-04-07: HewlettPackard/sustain-lc, input_04-07-24.csv."""
    day = frontier(aidc_data)
    up, down = (
        evaluate(ramp(window_s=300.0, direction=way), day, Connection(30e6))[0] for way in ("up", "down")
    )
    assert up.value == pytest.approx(17.3, abs=0.05)
    assert down.value == pytest.approx(19.4, abs=0.05)
    assert "15 s samples" in up.reason
    (too_fast,) = evaluate(ramp(window_s=5.0), day, Connection(30e6))
    assert too_fast.result == "not_assessable"
    (caiso,) = evaluate(rate(window_s=600.0), day, Connection(30e6))
    assert caiso.result == "pass"


def voltage(step_pu: float, **changes: Any) -> Waveform:
    v1_pu = np.full(20_000, 1.0)
    v1_pu[10_000:] -= step_pu
    return Waveform(MS, {"v1_pu": v1_pu}, **changes)


def test_a_voltage_step_is_read_as_it_is() -> None:
    rule = VoltageStep(rule="voltage-step", clause="test", limit_frac=0.03)
    (kept,) = evaluate(rule, voltage(0.0299), SITE)
    (broken,) = evaluate(rule, voltage(0.06), SITE)
    assert (kept.result, broken.result) == ("pass", "fail")
    assert broken.value == pytest.approx(6.0)
    assert broken.suggestion == "cut the steps of power to 50%, or connect at 4000 MVA short-circuit level"
    (grid,) = evaluate(rule, voltage(0.06, marks=(Mark("sag", 9.9, 10.1),)), SITE)
    assert grid.result == "pass"
    (none,) = evaluate(rule, voltage(0.06, marks=(Mark("sag", 0.0, 20.0),)), SITE)
    assert none.result == "not_assessable"
    slow = Waveform(Fraction(1), {"v1_pu": np.ones(100)})
    assert evaluate(rule, slow, SITE)[0].result == "not_assessable"


def load(p_w: list[float], q_var: list[float]) -> Waveform:
    return Waveform(
        Fraction(1, 10),
        {"p_w": np.repeat(p_w, 600).astype(float), "q_var": np.repeat(q_var, 600).astype(float)},
    )


def factor(**changes: Any) -> PowerFactor:
    return PowerFactor.model_validate({"rule": "power-factor", "clause": "test"} | changes)


def test_power_factor_is_that_of_the_worst_loaded_window() -> None:
    series = load([80e6, 60e6, 5e6], [10e6, 45e6, 20e6])
    (verdict,) = evaluate(factor(least_pf=0.95), series, SITE)
    assert verdict.value == pytest.approx(0.8)
    assert verdict.result == "fail"
    assert "starts at 60 s" in verdict.reason
    assert "2 windows" in verdict.reason
    spare = 45 - 60 * math.tan(math.acos(0.95))
    assert verdict.suggestion == f"compensate {spare:.3g} Mvar"
    assert evaluate(factor(least_pf=0.79), series, SITE)[0].result == "pass"


def test_leading_counts_as_lagging_and_compensation_passes() -> None:
    tan = math.tan(math.acos(0.95))
    at = load([80e6, 80e6], [80e6 * tan * 0.999, -80e6 * tan * 0.999])
    beyond = load([80e6, 80e6], [0.0, -80e6 * tan * 1.01])
    assert evaluate(factor(least_pf=0.95), at, SITE)[0].result == "pass"
    assert evaluate(factor(least_pf=0.95), beyond, SITE)[0].result == "fail"


def test_reactive_share_is_of_the_site() -> None:
    pf, share = evaluate(factor(least_pf=0.5, most_q_frac=0.48), load([50e6], [49e6]), SITE)
    assert (pf.case, pf.result) == ("power factor", "pass")
    assert (share.case, share.result) == ("reactive share", "fail")
    assert share.value == pytest.approx(0.49)
    assert share.suggestion == "compensate 1 Mvar"


@pytest.mark.parametrize(
    ("rule", "series", "word"),
    [
        (factor(least_pf=0.95), load([5e6], [1e6]), "never reached 10%"),
        (factor(), load([50e6], [1e6]), "neither"),
        (factor(least_pf=0.95, window_s=600.0), load([50e6], [1e6]), "needs 600 s"),
        (factor(least_pf=0.95, window_s=0.2), load([50e6], [1e6]), "every 50 ms"),
        (factor(least_pf=0.95), Waveform(MS, {"p_w": np.ones(9)}), "no q_var"),
    ],
)
def test_no_power_factor_without_load_or_figures(rule: PowerFactor, series: Waveform, word: str) -> None:
    (verdict,) = evaluate(rule, series, SITE)
    assert verdict.result == "not_assessable"
    assert word in verdict.reason


def test_a_site_that_may_not_import_has_no_capability_to_share() -> None:
    none = replace(SITE, site_w=0.0)
    (verdict,) = evaluate(factor(least_pf=0.95, most_q_frac=0.48), load([5e6], [1e6]), none)
    assert verdict.result == "not_applicable"
    assert "may not import" in verdict.reason
