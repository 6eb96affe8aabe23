"""The tables of the terminal."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console
from sample_run import sample_run

from aidc.measure import compare
from aidc.report.console import compare_table, summary_table


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
