"""Oscillation: closed forms of sines and square waves, doubt over the filter's order, starts judged apart."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aidc.errors import InputError
from aidc.measure.grid.meter import evaluate
from aidc.measure.grid.oscillation import APART, NORMAL, OscillationMeter
from aidc.measure.grid.verdict import Connection, Verdict
from aidc.record.waveform import Mark, Waveform
from aidc.schema.code import Oscillation

SITE = Connection(site_w=100e6)
MS = Fraction(1, 1000)


def clause(**changes: Any) -> Oscillation:
    figures = {"rule": "oscillation", "clause": "test", "low_hz": 0.1, "high_hz": 55.0, "limit_mw": 10.0}
    return Oscillation.model_validate(figures | changes)


def power(duration_s: float, lines: dict[float, float], step_s: Fraction = MS, **changes: Any) -> Waveform:
    time_s = np.arange(round(duration_s / float(step_s))) * float(step_s)
    p_w = np.full(time_s.size, 80e6)
    for frequency_hz, amplitude_w in lines.items():
        p_w += amplitude_w * np.sin(2 * np.pi * frequency_hz * time_s)
    return Waveform(step_s, {"p_w": p_w}, **changes)


def only(rule: Oscillation, series: Waveform, site: Connection = SITE) -> Verdict:
    (verdict,) = evaluate(rule, series, site)
    return verdict


@pytest.mark.parametrize("step_s", [Fraction(1, 500), MS, Fraction(1, 2000), Fraction(1, 4000)])
@pytest.mark.parametrize("frequency_hz", [0.5, 1.0, 14.7])
def test_a_sine_inside_the_band_swings_twice_its_amplitude(step_s: Fraction, frequency_hz: float) -> None:
    """Closed form: 2·A·|H(f)|, and |H| is within 0.2 % of one well inside the band."""
    verdict = only(clause(), power(60, {frequency_hz: 4e6}, step_s))
    assert verdict.value == pytest.approx(8.0, rel=5e-3)
    assert verdict.result == "pass"
    assert verdict.margin == pytest.approx(0.2, abs=0.005)


@pytest.mark.parametrize("order", [1, 2, 4])
@pytest.mark.parametrize("frequency_hz", [0.1, 55.0, 165.0])
def test_edges_are_three_decibels_down_and_what_is_outside_follows_butterworth(
    order: int, frequency_hz: float
) -> None:
    """Analogue band-pass from the low-pass prototype; above the band the bilinear map only lowers it."""
    series = power(200, {frequency_hz: 5e6}, Fraction(1, 2000))
    found = only(clause(filter_defined=True, order=order, low_hz=0.1), series).value or 0.0
    shift = (frequency_hz**2 - 0.1 * 55.0) / (frequency_hz * 54.9)
    expected = 10.0 / math.sqrt(1 + shift ** (2 * order))
    if frequency_hz <= 55:
        assert found == pytest.approx(expected, rel=0.015)
    else:
        assert 0.4 * expected < found < expected


def test_what_is_slower_than_the_band_hardly_counts() -> None:
    verdict = only(clause(), power(300, {0.01: 20e6}))
    assert (verdict.value or 0.0) < 0.02 * 40


def test_a_square_wave_overshoots_in_the_filter_and_fails() -> None:
    """Its 20 MW are more than 20 MW once the slow part is taken out: the filter tilts each half wave."""
    time_s = np.arange(60_000) * 1e-3
    series = Waveform(MS, {"p_w": 80e6 + 10e6 * np.sign(np.sin(2 * np.pi * 0.5 * time_s + 1e-9))})
    verdict = only(clause(), series)
    assert verdict.result == "fail"
    assert (verdict.value or 0.0) > 20.0
    assert "take" in verdict.suggestion
    assert f"{(verdict.value or 0.0) - 10.0:.3g} MW" in verdict.suggestion


def test_the_first_twenty_seconds_do_not_count() -> None:
    series = power(60, {})
    series["p_w"][500:1500] += 30e6
    assert only(clause(), series).result == "pass"
    series["p_w"][30_000:31_000] += 30e6
    assert only(clause(), series).result == "fail"


def straddling() -> Waveform:
    """A square wave whose swing depends on the order of the filter."""
    time_s = np.arange(60_000) * 1e-3
    return Waveform(MS, {"p_w": 80e6 + 4.4e6 * np.sign(np.sin(2 * np.pi * 0.5 * time_s + 1e-9))})


def test_no_verdict_where_the_order_decides_and_the_rule_is_silent() -> None:
    meter = OscillationMeter(clause(), SITE, MS)
    meter.feed(straddling())
    swings = meter.swing_w()
    limit_mw = (min(swings.values()) + max(swings.values())) / 2e6
    assert max(swings.values()) > 1.05 * min(swings.values())
    doubtful = only(clause(limit_mw=limit_mw), straddling())
    assert doubtful.result == "not_assessable"
    assert doubtful.value is not None
    assert "does not define its filter" in doubtful.reason
    own = [
        only(clause(limit_mw=limit_mw, filter_defined=True, order=n), straddling()).result for n in (1, 2, 4)
    ]
    assert set(own) == {"pass", "fail"}


def test_the_smaller_of_two_limits_counts() -> None:
    verdict = only(clause(limit_frac=0.05), power(60, {1.0: 3e6}))
    assert (verdict.limit, verdict.result) == (5.0, "fail")


def test_starts_are_judged_apart_and_hide_nothing() -> None:
    series = power(120, {1.0: 3e6}, marks=(Mark("start", 50.0, 52.0), Mark("checkpoint", 10.0, 110.0)))
    series["p_w"][51_000:] += 40e6
    normal, start = evaluate(clause(), series, SITE)
    assert (normal.case, normal.result) == (NORMAL, "pass")
    assert normal.value == pytest.approx(6.0, rel=0.005)
    assert (start.case, start.result) == (APART, "fail")


def test_marks_from_end_to_end_leave_nothing_to_judge() -> None:
    normal = evaluate(clause(), power(60, {1.0: 3e6}, marks=(Mark("fault", 0.0, 60.0),)), SITE)[0]
    assert normal.result == "not_assessable"


@pytest.mark.parametrize(
    ("series", "rule", "word"),
    [
        (power(60, {}, Fraction(1, 100)), clause(high_hz=5.0), "2 ms"),
        (power(60, {}, Fraction(1, 500)), clause(high_hz=240.0), "at most 200 Hz"),
        (power(20, {}), clause(), "needs 25 s"),
        (power(60, {}), clause(window_s=0.005), "window of 5 ms"),
        (power(60, {}, location="ups-input"), clause(), "the series is of the ups-input"),
        (Waveform(MS, {"v1_pu": np.ones(60_000)}), clause(), "no p_w"),
        (Waveform(MS, {"p_w": np.ones(0)}), clause(), "nothing was recorded"),
    ],
    ids=["slow", "nyquist", "short", "window", "place", "channel", "empty"],
)
def test_a_series_that_cannot_show_a_breach_gets_no_verdict(
    series: Waveform, rule: Oscillation, word: str
) -> None:
    verdict = only(rule, series)
    assert verdict.result == "not_assessable"
    assert word in verdict.reason


def test_gaps_and_missing_blocks_are_refused() -> None:
    series = power(60, {1.0: 3e6})
    series["p_w"][31_000] = np.nan
    with pytest.raises(InputError, match="p_w: a sample at 31 s is not a number"):
        evaluate(clause(), series, SITE)
    meter = OscillationMeter(clause(), SITE, MS)
    meter.feed(power(60, {}).block(0, 1000))
    with pytest.raises(InputError, match="does not follow"):
        meter.feed(power(60, {}).block(2000, 3000))
    with pytest.raises(InputError, match="differs from"):
        meter.feed(power(1, {}, Fraction(1, 2000)).block(1000, 2000))


@given(where=st.lists(st.integers(1, 39_999), min_size=1, max_size=6, unique=True), seed=st.integers(0, 99))
@settings(max_examples=10, deadline=None)
def test_blocks_and_the_whole_give_the_same_figures(where: list[int], seed: int) -> None:
    series = power(40, {1.0: 3e6}, marks=(Mark("abort", 24.0, 24.5),))
    series["p_w"][:] += 1e6 * np.random.default_rng(seed).standard_normal(40_000)
    whole, parts = (OscillationMeter(clause(window_s=0.5), SITE, MS) for _ in range(2))
    whole.feed(series)
    edges = [0, *sorted(where), 40_000]
    for first, last in pairwise(edges):
        parts.feed(series.block(first, last))
    assert whole.verdicts() == parts.verdicts()
