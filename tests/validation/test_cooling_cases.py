"""The cooling cases: all there without data, bars met, and able to fail."""

import math

import pytest

from aidc.validation import cooling


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    return list(cooling.cases(tmp_path_factory.mktemp("empty")))


def test_every_promised_comparison_is_there(cases):
    metrics = " | ".join(case.metric for case in cases)
    for part in (
        "case temperature",
        "deschutes-2mw",
        "xdu1350",
        "dry cooler",
        "counterflow",
        "wet bulb",
        "tower",
    ):
        assert part in metrics
    assert {case.name for case in cases} == {"cooling"}


def test_every_bar_is_met(cases):
    assert {case.metric: case.value for case in cases if case.kind == "bar" and not case.passed} == {}


def test_no_row_is_silent(cases):
    """What is not predicted says why; what is predicted is finite."""
    for case in cases:
        assert case.rows
        for row in case.rows:
            if row.predicted is None:
                assert row.reason
            else:
                assert math.isfinite(row.predicted)


def test_missing_libraries_are_told(monkeypatch, tmp_path):
    monkeypatch.setattr(cooling, "_library", lambda _: None)
    found = {case.metric: case for case in cooling.cases(tmp_path)}
    exchanger = found["effectiveness of a counterflow exchanger, worst"]
    assert exchanger.value is None
    assert exchanger.n_unpredicted == exchanger.n > 0
    assert "not installed" in str(exchanger.rows[0].reason)


def test_a_wrong_plate_would_be_found(monkeypatch, tmp_path):
    """A curve 5 % too high misses the bar of the published points."""
    monkeypatch.setattr(cooling, "resistance_k_w", lambda flow, a, b, n: 1.05 * (a + b * flow**-n))
    found = {case.metric: case for case in cooling.cases(tmp_path)}
    assert found["cold plate: resistance over flow, worst point"].passed is False
