"""The tables of the terminal."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console
from sample_run import sample_run

from aidc.measure import compare
from aidc.report.run.console import compare_table, summary_table


def shown(renderable) -> str:
    out = io.StringIO()
    Console(file=out, width=100, color_system=None).print(renderable)
    return out.getvalue()


@pytest.fixture(scope="module")
def run():
    return sample_run(days=1)


def test_the_summary_names_what_matters(run):
    text = shown(summary_table(run.summary))
    for part in (
        "TokEnergy Index",
        "kWh/Mtok",
        "PUE",
        f"{run.summary['pue']:.3f}",
        "chat",
        "pretrain",
        "Gtok",
    ):
        assert part in text
    assert "wind" not in text
    assert all(len(line) <= 80 for line in text.splitlines())


def test_what_was_not_supplied_is_said_only_where_anything_was(run):
    """Pod d is off for 6 h of a day, short of 1 MW; gensets give 2 MW meanwhile, out of 30 MWh of fuel."""
    foul = shown(summary_table(sample_run(days=1, foul=True).summary))
    words = " ".join(foul.split())
    # 1.5 of 66.5 MW of nameplate are off for a quarter of the time
    assert "not supplied: 6 MWh of IT load in 6 h; availability 99.436 %" in words
    assert "load shed: pods.d once for 6 h" in words
    assert (
        "gensets.own: ran 6 h, 1 start, 12 MWh from 30 MWh of fuel, 70 MWh left, 14 h at that burn" in words
    )
    assert "of it fuel $2,700" in words
    fair = shown(summary_table(run.summary))
    for part in ("not supplied", "load shed", "availability", "gensets", "fuel", "dead", "dropped"):
        assert part not in fair


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"availability_frac": 0.9999999}, "availability below 100 %: pods shut down for heat"),
        ({"bus_not_formed_h": 15 / 3600}, "site bus dead for 15 s: nothing formed it"),
        ({"cooling_not_supplied_mwh": 0.02}, "not supplied to cooling 0.02 MWh"),
        ({"load_bank_mwh": 3.0}, "load bank: 3 MWh"),
    ],
)
def test_each_shortfall_has_its_sentence(told, said):
    assert said in " ".join(shown(summary_table({"supply": told})).split())


def test_dropped_requests_are_counted_by_service():
    """A tenth of the tokens at 200 tokens each: 500 requests."""
    chat = {"tokens_dropped": 1e5, "tokens_arrived": 1e6, "tokens_output": 9e5, "requests": 4500}
    words = " ".join(shown(summary_table({"services": {"chat": chat}})).split())
    assert "services.chat: about 500 requests, 100 ktok dropped, 10 % of what was asked" in words


@pytest.mark.parametrize("summary", [{}, {"services": {"a": {}}, "jobs": {"b": {}}, "tokens": None}])
def test_a_summary_with_little_in_it_still_prints(summary):
    text = shown(summary_table(summary))
    assert "nan" not in text.lower()
    assert "None" not in text


def test_runs_stand_side_by_side_with_the_change(run):
    better = replace(run, summary={**run.summary, "pue": run.summary["pue"] * 0.9})
    text = shown(compare_table(compare([run, better]), ["base", "better[x]"]))
    line = next(line for line in text.splitlines() if line.strip().startswith("PUE"))
    assert "-10.0%" in line
    assert "better[x]" in text


def test_figures_that_do_not_compare_say_why(run):
    services = run.summary["services"]
    held = {**services["chat"]["conditions"], "model": "another"}
    other = replace(
        run,
        summary={**run.summary, "services": {**services, "chat": {**services["chat"], "conditions": held}}},
    )
    text = shown(compare_table(compare([run, other]), ["a", "b"]))
    assert "[1]" in text
    assert "not comparable: different model" in text


def test_a_site_below_a_megawatt_is_told_in_kilowatts(run):
    """The same day at a ten-thousandth of the power: no line in MW or MWh is left, and figures read alike."""
    tiny = {
        **run.summary,
        "energy_mwh": {key: 1e-4 * value for key, value in run.summary["energy_mwh"].items()},
        "peak_import_mw": 1e-4 * run.summary["peak_import_mw"],
    }
    text = shown(summary_table(tiny)).partition("service")[0]
    assert "kWh" in text
    assert " MW" not in text
    assert f"{0.1 * run.summary['peak_import_mw']:.4g}" in text
    assert " kW " not in shown(summary_table(run.summary))
