"""Spectrum: lines, shares and modes of known sums of sines; Parseval; independence of blocks and step."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aidc.measure.grid.meter import evaluate
from aidc.measure.grid.spectrum import SpectrumMeter, spectrum_of
from aidc.measure.grid.verdict import Connection
from aidc.record.waveform import Waveform
from aidc.schema.code import BandEnergy

MS = Fraction(1, 1000)
SITE = Connection(100e6, modes_hz=(("torsional", 14.7), ("unit 2", 23.0)))


def power(lines: dict[float, float], duration_s: float = 220.0, step_s: Fraction = MS) -> Waveform:
    time_s = np.arange(round(duration_s / float(step_s))) * float(step_s)
    p_w = np.full(time_s.size, 80e6)
    for frequency_hz, amplitude_w in lines.items():
        p_w += amplitude_w * np.sin(2 * np.pi * frequency_hz * time_s + frequency_hz)
    return Waveform(step_s, {"p_w": p_w})


def rule(**changes: Any) -> BandEnergy:
    figures = {"rule": "band-energy", "clause": "test", "low_hz": 0.1, "high_hz": 20.0, "limit_frac": 0.2}
    return BandEnergy.model_validate(figures | changes)


@pytest.mark.parametrize("step_s", [MS, Fraction(1, 2000), Fraction(1, 4000), Fraction(1, 100)])
def test_lines_are_found_where_and_as_strong_as_they_are(step_s: Fraction) -> None:
    wanted = {0.4537: 6e6, 14.703: 2e6, 23.0: 1e6}
    found = spectrum_of(power(wanted, step_s=step_s))
    assert found is not None
    lines = found.lines(3)
    assert [line.frequency_hz for line in lines] == pytest.approx(list(wanted), abs=0.002)
    assert [line.amplitude_w for line in lines] == pytest.approx(list(wanted.values()), rel=0.005)
    total = sum(a**2 for a in wanted.values())
    assert [line.variance_frac for line in lines] == pytest.approx(
        [a**2 / total for a in wanted.values()], rel=0.01
    )


def test_a_line_close_to_the_edge_of_the_decimation_reads_true() -> None:
    found = spectrum_of(power({75.0: 3e6}))
    assert found is not None
    assert found.lines(1)[0].amplitude_w == pytest.approx(3e6, rel=0.005)


def test_what_lies_beyond_the_decimation_does_not_fold_back() -> None:
    found = spectrum_of(power({1.0: 1e6, 195.0: 5e6, 399.0: 5e6}))
    assert found is not None
    assert found.lines(1)[0].frequency_hz == pytest.approx(1.0, abs=0.002)
    assert found.band_w2(0.05, 60.0) == pytest.approx(0.5e12, rel=0.01)
    assert found.total_w2 == pytest.approx(0.5 * (1 + 25 + 25) * 1e12, rel=0.01)


def test_variances_of_all_bins_are_that_of_the_series() -> None:
    """Parseval, for a series that the decimation leaves alone."""
    noise = np.random.default_rng(5).standard_normal(200 * 2000)
    found = spectrum_of(Waveform(Fraction(1, 200), {"p_w": 1e6 * noise}))
    assert found is not None
    share_below_corner = 0.8
    assert found.variance_w2.sum() == pytest.approx(share_below_corner * found.total_w2, rel=0.01)
    assert found.total_w2 == pytest.approx(np.var(1e6 * noise), rel=1e-3)


@given(inside=st.floats(0.1, 10), beyond=st.floats(0.1, 10), f_in=st.floats(0.3, 19), f_out=st.floats(21, 70))
@settings(max_examples=15, deadline=None)
def test_share_of_a_band_is_that_of_its_lines(
    inside: float, beyond: float, f_in: float, f_out: float
) -> None:
    """Σ over the band |X|² / Σ over f > 0 |X|² of two sines is the ratio of their squares."""
    series = power({f_in: inside * 1e6, f_out: beyond * 1e6}, 200.0, Fraction(1, 500))
    (verdict,) = evaluate(rule(), series, SITE)
    expected = inside**2 / (inside**2 + beyond**2)
    assert verdict.value == pytest.approx(expected, rel=0.01, abs=1e-3)
    from_zero = evaluate(rule(low_hz=0.0), series, SITE)[0]
    assert from_zero.value == pytest.approx(expected, rel=0.02, abs=2e-3)


def test_band_share_passes_and_fails_and_names_the_modes() -> None:
    (kept,) = evaluate(rule(), power({1.0: 2e6, 40.0: 5e6}), SITE)
    (broken,) = evaluate(rule(), power({14.7: 5e6, 40.0: 5e6}), SITE)
    assert (kept.result, broken.result) == ("pass", "fail")
    assert broken.value == pytest.approx(0.5, rel=0.01)
    assert "5 MW near torsional (14.7 Hz)" in broken.reason


@pytest.mark.parametrize("drift", ["none", "ramp", "slow sine", "noise beyond the band"])
def test_a_drift_dilutes_no_share(drift: str) -> None:
    """A line of 1 MW at 1 Hz: all that swings, whatever the load does over the hour; faster noise does count."""
    t = np.arange(360_000) / 100
    extra = {
        "none": 0.0 * t,
        "ramp": 30e6 * t / 3600,
        "slow sine": 20e6 * np.sin(2 * np.pi * t / 3000),
        "noise beyond the band": 1e6 * np.sin(2 * np.pi * 33.3 * t),
    }[drift]
    power = 80e6 + 1e6 * np.sin(2 * np.pi * t) + extra
    rule = BandEnergy(rule="band-energy", clause="b", low_hz=0.2, high_hz=3.0, limit_frac=0.3)
    (verdict,) = evaluate(rule, Waveform(Fraction(1, 100), {"p_w": power}), Connection(site_w=100e6))
    assert verdict.value == pytest.approx(0.5 if drift == "noise beyond the band" else 1.0, abs=0.01)
    assert verdict.result == "fail"


def test_mode_amplitude_is_that_of_the_line_near_it() -> None:
    found = spectrum_of(power({14.75: 4e6, 20.0: 5e6}))
    assert found is not None
    assert found.mode("torsional", 14.7).amplitude_w == pytest.approx(4e6, rel=0.005)
    assert found.mode("unit 2", 23.0).amplitude_w < 1e3


@pytest.mark.parametrize(
    ("series", "clause", "word"),
    [
        (power({}, 99.0), rule(), "needs 100 s"),
        (power({}, 200.0, Fraction(1, 20)), rule(), "at most 8 Hz"),
    ],
)
def test_no_share_from_a_short_or_slow_series(series: Waveform, clause: BandEnergy, word: str) -> None:
    (verdict,) = evaluate(clause, series, SITE)
    assert verdict.result == "not_assessable"
    assert word in verdict.reason


@pytest.mark.parametrize("rounding_w", [0.0, 1e-8])
def test_a_constant_has_no_lines(rounding_w: float) -> None:
    found = spectrum_of(power({14.7: rounding_w}))
    assert found is not None
    assert found.lines() == ()
    assert evaluate(rule(), power({14.7: rounding_w}), SITE)[0].result == "pass"


def test_blocks_and_the_whole_give_the_same_figures() -> None:
    series = power({0.7: 3e6, 12.0: 1e6})
    series["p_w"][:] += np.random.default_rng(1).standard_normal(len(series)) * 1e5
    whole, parts = SpectrumMeter(MS), SpectrumMeter(MS)
    whole.feed(series["p_w"])
    for part in np.split(series["p_w"], [0, 3, 1001, 77_777, 200_000]):
        parts.feed(part)
    a, b = whole.spectrum(), parts.spectrum()
    assert a is not None
    assert b is not None
    assert np.array_equal(a.variance_w2, b.variance_w2)
    assert a.total_w2 == b.total_w2
