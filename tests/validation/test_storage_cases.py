"""The storage cases: both ageing models at 21 %, the converter's points, and SimSES where it installs."""

import sys
from pathlib import Path
from types import ModuleType

import pytest

from aidc.validation import storage as module
from aidc.validation.storage import cases

FOUND = {case.metric: case for case in cases(Path("nowhere"))}


@pytest.mark.parametrize(
    "metric",
    [
        "naumann: ten-year loss of capacity",
        "blast: ten-year loss of capacity",
        "converter efficiency, worst deviation",
    ],
)
def test_each_bar_is_met(metric):
    assert FOUND[metric].passed is True
    assert FOUND[metric].n_unpredicted == 0


def test_the_models_split_the_same_total_differently():
    """Published: 13 + 8 and 5 + 16 %."""
    for model, parts in (("naumann", (13, 8)), ("blast", (5, 16))):
        rows = FOUND[f"{model}: ten-year loss of capacity"].rows
        assert (rows[1].predicted, rows[2].predicted) == pytest.approx(parts, abs=0.5)


def test_the_series_is_shown_with_its_deviation():
    (case,) = [case for case in FOUND.values() if case.kind == "shown"]
    assert 0.5 < case.value < 2.5


def simses_case():
    (case,) = [case for case in cases(Path("nowhere")) if case.dataset == "SimSES"]
    return case


def test_without_simses_the_rows_say_why(monkeypatch):
    monkeypatch.setitem(sys.modules, "simses", None)
    case = simses_case()
    assert case.value is None
    assert case.passed is None
    assert all(row.measured is None and "SimSES" in row.reason for row in case.rows)


def test_with_simses_its_converter_is_the_oracle(monkeypatch):
    """A stand-in with SimSES' interface: η = p/(p + P0 + K·p²) over AC power, DC negative at discharge."""

    class Sungrow:
        def ac_to_dc(self, power):
            p = abs(power)
            p0, k = (0.0077, 0.0173) if power > 0 else (0.0055, 0.0188)
            eta = p / (p + p0 + k * p * p)
            return power * eta if power > 0 else power / eta

        dc_to_ac = ac_to_dc

    stand_in = ModuleType("sungrow")
    stand_in.Sungrow = Sungrow
    monkeypatch.setattr(module.importlib, "import_module", lambda _name: stand_in)
    case = simses_case()
    assert case.passed is True
    assert case.value < 1e-9
    assert all(row.measured is not None for row in case.rows)
