"""Harmonic screening against hand calculation; the meters of all clauses and the memory they need."""

from __future__ import annotations

import math
import tracemalloc
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aidc.errors import InputError
from aidc.measure.grid.harmonics import (
    HarmonicsMeter,
    HarmonicSource,
    harmonic_currents_a,
    harmonic_voltages_frac,
    ideal_rectifier,
    screen_harmonics,
    summation_exponent,
)
from aidc.measure.grid.meter import evaluate, meter_of
from aidc.measure.grid.verdict import Connection
from aidc.record.waveform import Waveform
from aidc.schema.code import (
    BandEnergy,
    Flicker,
    Harmonics,
    LoadLoss,
    Oscillation,
    PowerFactor,
    Ramp,
    Uncaptured,
    VoltageStep,
)

SITE = Connection(100e6, voltage_v=34.5e3, short_circuit_va=1e9, x_over_r=1e9)
MS = Fraction(1, 1000)


def clause(**changes: Any) -> Harmonics:
    # IEEE 519 up to 69 kV, engineering knowledge without a checked source
    figures = {
        "rule": "harmonics",
        "clause": "test",
        "isc_over_il": [20, 50, 100, 1000],
        "tdd_percent": [5, 8, 12, 15, 20],
    }
    return Harmonics.model_validate(figures | changes)


def test_six_pulse_rectifier_has_the_textbook_distortion() -> None:
    """Σ 1/h² over h = 6k ± 1 is π²/9 - 1, so THD is 31.08 % (Mohan, Undeland, Robbins, Power Electronics)."""
    spectrum = ideal_rectifier(6, 20_000)
    assert list(spectrum)[:4] == [5, 7, 11, 13]
    assert math.hypot(*spectrum.values()) == pytest.approx(100 * math.sqrt(math.pi**2 / 9 - 1), rel=1e-4)
    assert list(ideal_rectifier(12))[:2] == [11, 13]


@pytest.mark.parametrize(("order", "exponent"), [(3, 1.0), (5, 1.4), (10, 1.4), (11, 2.0)])
def test_devices_add_by_the_second_summation_law(order: int, exponent: float) -> None:
    """Two of 10 A and one of 20 A: linear 40 A, geometric sqrt(600) A."""
    assert summation_exponent(order) == exponent
    amp = math.sqrt(3) * 34.5e3
    sources = {
        "ups": HarmonicSource(100 * amp, {order: 10.0}, count=2),
        "drives": HarmonicSource(200 * amp, {order: 10.0}),
    }
    expected = (2 * 10**exponent + 20**exponent) ** (1 / exponent)
    assert harmonic_currents_a(sources, 34.5e3)[order] == pytest.approx(expected)


@given(count=st.integers(1, 1000), order=st.integers(2, 50))
def test_one_large_device_is_never_better_than_many_small_ones(count: int, order: int) -> None:
    many = harmonic_currents_a({"x": HarmonicSource(1e6 / count, {order: 5.0}, count)}, 34.5e3)[order]
    one = harmonic_currents_a({"x": HarmonicSource(1e6, {order: 5.0})}, 34.5e3)[order]
    assert many <= one * (1 + 1e-12)


def test_voltage_is_order_times_reactance_times_current() -> None:
    """In pu of the site: V_h = h · I_h / SCR; 5 % of the 5th at SCR 10 are 2.5 %."""
    amps = 0.05 * 100e6 / (math.sqrt(3) * 34.5e3)
    assert harmonic_voltages_frac({5: amps}, 34.5e3, 1e9, 1e9)[5] == pytest.approx(0.025)
    assert harmonic_voltages_frac({5: amps}, 34.5e3, 1e9, 1.0)[5] == pytest.approx(0.025 / math.sqrt(2))


@pytest.mark.parametrize(
    ("short_circuit_va", "limit"), [(1e9, 5.0), (2e9, 8.0), (4.9e9, 8.0), (9e9, 12.0), (2e11, 20.0)]
)
def test_limit_is_that_of_the_class_of_the_connection(short_circuit_va: float, limit: float) -> None:
    connection = Connection(100e6, voltage_v=34.5e3, short_circuit_va=short_circuit_va)
    (verdict,) = screen_harmonics(clause(), connection, {"x": HarmonicSource(100e6, {5: 6.0})})
    assert verdict.limit == limit
    assert verdict.value == pytest.approx(6.0)
    assert verdict.result == ("fail" if limit < 6 else "pass")


def test_demand_that_is_less_than_the_site_raises_distortion() -> None:
    connection = Connection(100e6, voltage_v=34.5e3, short_circuit_va=1e9, demand_w=50e6)
    (verdict,) = screen_harmonics(clause(), connection, {"x": HarmonicSource(100e6, {5: 2.0, 7: 1.5})})
    assert verdict.value == pytest.approx(5.0)
    assert verdict.limit == 8.0


def test_voltage_distortion_is_judged_beside_current() -> None:
    sources = {"x": HarmonicSource(100e6, {5: 3.0, 7: 2.0})}
    tdd, thd = screen_harmonics(clause(thd_v_percent=2.0), SITE, sources)
    assert (tdd.case, tdd.result) == ("demand distortion", "pass")
    assert thd.value == pytest.approx(math.hypot(1.5, 1.4))
    assert thd.result == "fail"
    assert "without resonance" in thd.reason


@pytest.mark.parametrize(
    ("rule", "connection", "sources", "result"),
    [
        (clause(percentile=99), SITE, {"x": HarmonicSource(1e6, {5: 1.0})}, "not_assessable"),
        (clause(), SITE, {}, "not_assessable"),
        (clause(), Connection(1e8, voltage_v=34.5e3), {"x": HarmonicSource(1e6, {5: 1.0})}, "not_assessable"),
        (
            clause(isc_over_il=[], tdd_percent=[]),
            SITE,
            {"x": HarmonicSource(1e6, {5: 1.0})},
            "not_assessable",
        ),
        (clause(min_kv=69), SITE, {}, "not_applicable"),
    ],
    ids=["percentile", "no spectra", "no level", "no limit", "voltage"],
)
def test_no_verdict_without_what_it_needs(rule: Any, connection: Any, sources: Any, result: str) -> None:
    (verdict,) = screen_harmonics(rule, connection, sources)
    assert verdict.result == result
    assert verdict.reason


@pytest.mark.parametrize(
    "source",
    [
        HarmonicSource(0.0, {5: 1.0}),
        HarmonicSource(1e6, {1: 100.0}),
        HarmonicSource(1e6, {5: math.nan}),
        HarmonicSource(1e6, {5: 1.0}, count=-1),
    ],
)
def test_impossible_spectra_are_refused(source: HarmonicSource) -> None:
    with pytest.raises(InputError, match="rectifier: a harmonic spectrum"):
        screen_harmonics(clause(), SITE, {"rectifier": source})


def test_a_table_with_a_missing_limit_is_refused() -> None:
    with pytest.raises(InputError, match="one limit more"):
        screen_harmonics(clause(tdd_percent=[5, 8]), SITE, {"x": HarmonicSource(1e6, {5: 1.0})})


def test_meter_judges_the_spectra_that_it_is_given() -> None:
    series = Waveform(MS, {"p_w": np.ones(10)})
    assert evaluate(clause(), series, SITE)[0].result == "not_assessable"
    meter = HarmonicsMeter(clause(), SITE, MS, {"x": HarmonicSource(100e6, {5: 1.0})})
    meter.feed(series)
    assert meter.verdicts()[0].result == "pass"


NAMED = {"clause": "test"}
EVERY = [
    Oscillation(rule="oscillation", low_hz=0.1, high_hz=55, limit_mw=10, **NAMED),
    BandEnergy(rule="band-energy", low_hz=0.1, high_hz=20, limit_frac=0.9, **NAMED),
    Ramp(rule="ramp", form="change", window_s=5, limit_mw=10, **NAMED),
    Ramp(rule="ramp", form="rate", window_s=600, limit_mw_per_min=20, **NAMED),
    VoltageStep(rule="voltage-step", limit_frac=0.03, **NAMED),
    PowerFactor(rule="power-factor", least_pf=0.95, **NAMED),
    Flicker(rule="flicker", pst_planning=0.8, **NAMED),
]


def test_event_clauses_have_no_meter() -> None:
    assert meter_of(LoadLoss(rule="load-loss", limit_mw=1, **NAMED), SITE, MS) is None
    assert meter_of(Uncaptured(rule="uncaptured", **NAMED), SITE, MS) is None
    series = Waveform(MS, {"p_w": np.ones(10)})
    assert evaluate(Uncaptured(rule="uncaptured", **NAMED), series, SITE) == []


def test_all_meters_judge_a_long_record_in_little_memory() -> None:
    """Twenty minutes in blocks of one: the meters hold rolling windows, never the record (58 MB)."""
    connection = Connection(100e6, system_va=1e9)
    rng = np.random.default_rng(0)
    meters = [meter_of(rule, connection, MS) for rule in EVERY]
    tracemalloc.start()
    for minute in range(20):
        p_w = 80e6 + 1e6 * rng.standard_normal(60_000)
        channels = {"p_w": p_w, "q_var": 0.1 * p_w, "v1_pu": 1.0 - 1e-11 * p_w}
        block = Waveform(MS, channels, first_tick=minute * 60_000)
        for meter in meters:
            assert meter is not None
            meter.feed(block)
    _, most_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    results = [verdict.result for meter in meters if meter for verdict in meter.verdicts()]
    assert results == ["pass"] * 7
    assert most_bytes < 40e6
