"""The equipment schedule as people read it: units, margins, what is too small."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console
from sample_run import sample_run

from aidc.report.run.page import render
from aidc.report.schedule import equipment_table

ITEMS = [
    {
        "of": "cooling.hall",
        "what": "chillers",
        "entry": "chiller-economiser",
        "units": 3,
        "redundancy": "N+1",
        "unit_rating": 1.5,
        "total": 4.5,
        "one_out": 3.0,
        "peak": 3.6,
        "unit": "MW",
        "margin_frac": 0.25,
        "margin_one_out_frac": -1 / 6,
        "design": "3.6 MW at 18 °C supply",
        "basis": "sized",
    },
    {
        "of": "grid",
        "what": "main transformer",
        "entry": "",
        "units": 1,
        "redundancy": "N",
        "unit_rating": 0.5,
        "total": 0.5,
        "one_out": 0.0,
        "peak": 1.0,
        "unit": "MVA",
        "margin_frac": -0.5,
        "margin_one_out_frac": -1.0,
        "design": "",
        "basis": "stated",
    },
]
FACTS = {
    "name": "made-up",
    "equipment": ITEMS,
    "findings": [{"where": "grid.transformer", "text": "grid.transformer: is 50 % short"}],
    "weather": "the hours of 2025",
    "defaults": ["cooling.hall was added"],
    "resized": ["cooling.hall: 2 to 3"],
}


def printed(facts, width=80):
    out = io.StringIO()
    Console(file=out, width=width, color_system=None).print(equipment_table(facts))
    return out.getvalue()


@pytest.mark.parametrize("width", [80, 120])
def test_the_table_fits_the_terminal_and_says_everything(width):
    text = printed(FACTS, width)
    assert "…" not in text
    for part in ("3 (N+1)", "1.5 MW", "4.5 MW", "3.6 MW", "+25%", "-17%", "500 kVA", "-50%", "none"):
        assert part in text
    for line in ("undersized: grid.transformer: is 50 % short", "cooling.hall was added"):
        assert line in text
    assert "resized by a setting: cooling.hall: 2 to 3" in text


def test_a_plant_that_suffices_is_said_to():
    assert "Nothing is too small" in printed({**FACTS, "findings": []})


def test_the_report_has_the_schedule_and_the_words_of_utilisation():
    run = sample_run(days=1)
    words = {"services": {"chat": {"word": "5 % used, 6 % at the peak: 18 of 20 replicas idle even then"}}}
    run = replace(run, meta={**run.meta, **FACTS}, summary={**run.summary, "utilisation": words})
    page = render(run)
    for part in (
        "Equipment schedule",
        "chiller-economiser",
        "too small",
        "resized",
        "18 of 20 replicas idle",
    ):
        assert part in page
