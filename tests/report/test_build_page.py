"""The report of a build: whole without the network, on a desk and on a phone, and true to its figures."""

from __future__ import annotations

import copy
import io
import re
from datetime import date
from pathlib import Path

import pytest
from rich.console import Console
from test_report_browser import BEYOND, DESK, PHONE, SCROLLING, Looker, browser

from aidc.design.construction.build import build
from aidc.report.build.console import build_table
from aidc.report.build.page import render_build, write_build

__all__ = ["browser"]
EXAMPLE = Path(__file__).parents[2] / "examples" / "modular-campus" / "site.toml"


@pytest.fixture(scope="module")
def bare():
    return build(EXAMPLE, draws=200, value=False).as_dict()


@pytest.fixture(scope="module")
def valued(bare):
    """The same with a value of made-up figures."""
    facts = copy.deepcopy(bare)
    weeks = len(facts["curve"]["date"])
    phase = {
        "useful_tokens_per_day": 1e11,
        "trained_tokens_per_day": 0.0,
        "revenue_usd_per_day": 2e5,
        "energy_usd_per_day": 1e4,
        "tokenergy_kwh_per_mtok": 1.2,
        "pue": 1.08,
        "peak_import_mw": 11.0,
        "import_limit_mw": 12.0,
    }
    facts["value"] = {
        "npv_usd": {"mean": 3.21e8, "p10": 3.0e8, "p50": 3.2e8, "p90": 3.4e8},
        "net_revenue_usd": 8e8, "capital_usd": 4.7e8, "penalty_usd": 1e6, "interest_during_construction_usd": 2e6,
        "terms": {"usd_per_million_tokens": {"<b>chat": 2.0}, "horizon_years": 8.0},
        "phases": [{**phase, "date": "2027-05-01", "online_mw": 4.2}, {**phase, "date": "2027-07-01", "online_mw": 18.0}],
        "cash_by_quarter": [{"quarter": k + 1, "net_revenue_usd": 1e6 * k, "capital_usd": 3e6, "penalty_usd": 0.0} for k in range(12)],
    }  # fmt: skip
    facts["value"]["useful_tokens"] = 6e14
    facts["useful_tokens_per_day"] = {name: [1e11] * weeks for name in ("p10", "p50", "p90")}
    facts["phases"] = [
        {
            "commissioned_mw": 18.0,
            "availability_frac": 1.0,
            "slo_attainment": {"chat": 0.991, "batch": None},
            **one,
        }
        for one in facts["value"]["phases"]
    ]
    for one in facts["week_shorter"]:
        one |= {"npv_usd": 1e5, "npv_error_usd": 1e3, "npv_longer_usd": -1e5}
    return facts


@pytest.fixture(scope="module")
def looker(browser, tmp_path_factory):
    return Looker(browser, tmp_path_factory.mktemp("build"))


@pytest.fixture(scope="module")
def desk(looker, valued):
    page = looker.show("desk", lambda path: write_build(valued, path), DESK)
    yield page
    page.close()


@pytest.fixture(scope="module")
def behind():
    """With a progress file beside the plan."""
    progress = EXAMPLE.parent / "progress.toml"
    return build(EXAMPLE, draws=200, value=False, actual=progress, today=date(2026, 6, 1)).as_dict()


@pytest.fixture(scope="module")
def phone(looker, behind):
    page = looker.show("phone", lambda path: write_build(behind, path), PHONE, "dark")
    yield page
    page.close()


@pytest.mark.parametrize("name", ["desk", "phone"])
def test_nothing_reaches_beyond_the_window_or_asks_for_anything(request, looker, name):
    page = request.getfixturevalue(name)
    assert page.evaluate("document.documentElement.scrollWidth") == page.viewport_size["width"]
    assert page.evaluate(BEYOND) == []
    assert page.evaluate(SCROLLING) == 0
    assert looker.complaints == []


def test_every_chart_is_drawn(desk):
    drawn = desk.eval_on_selector_all(
        "[data-chart]",
        "(divs) => divs.map((div) => [div.dataset.chart, div.querySelectorAll('.trace').length])",
    )
    assert {name for name, _ in drawn} == {
        "s-curve", "tokens", "gantt", "tornado", "cash", "index", "limits",
    }  # fmt: skip
    assert [name for name, traces in drawn if traces == 0] == []


def test_the_gantt_has_a_row_for_every_milestone_task_and_lot(desk, bare):
    shown = desk.evaluate("document.querySelector('[data-chart=gantt]').layout.yaxis.categoryarray")
    wanted = [
        *bare["milestones"],
        "permits",
        "earthworks",
        "pads-west",
        "pads-east",
        *(lot["name"] for lot in bare["lots"]),
    ]
    assert shown == wanted


def test_the_page_says_its_figures_in_words(bare, valued):
    text, dear = render_build(bare), render_build(valued)
    assert bare["all_online"]["p50"] in text
    assert f"{len(bare['tasks'])} tasks" not in text
    assert all(f">{task['name']}<" in text for task in bare["tasks"])
    assert "Net present value" in dear
    assert "Net present value" not in text
    assert "3.21e8" not in dear
    assert ">321<" in re.sub(r"\s", "", dear)
    assert "&lt;b&gt;chat" in dear  # names of others are never markup
    assert "<b>chat" not in dear
    assert ">99.1 %<" in re.sub(r"\s+", " ", dear).replace("> ", ">").replace(" <", "<")
    assert "Plausibility, not validation" in text


@pytest.mark.parametrize("width", [80, 120])
def test_the_terminal_folds_no_name_and_no_date(valued, width):
    facts = copy.deepcopy(valued)
    tried = {
        "date": "2027-06-14", "it_mw": 12.6, "availability_frac": 1.0, "peak_import_mw": 11.9, "useful_tokens_per_day": 2e11,
        "energy_usd_per_day": 2.2e4,
    }  # fmt: skip
    facts["bridges"] = {
        "dates": [{"date": "2027-06-14", "import_limit_mw": 12.0, "commissioned_mw": 18.0, "lit_mw": 10.9}],
        "options": [
            {"name": name, "available": "2027-04-01", "tries": [found], "mean_mw_days_gained": 217.0, "mean_days_in_use": 50.0,
             "mean_cost_usd": 1.5e6}
            for name, found in (("none", tried), ("engines", tried), ("late", None))
        ],
    }  # fmt: skip
    console = Console(width=width, record=True, file=io.StringIO())
    console.print(build_table(facts))
    shown = console.export_text()
    assert max(map(len, shown.splitlines())) <= width
    often = sorted(facts["tasks"], key=lambda task: -task["critical_frac"])[:10]
    names = [*(task["name"] for task in often), *(lot["name"] for lot in facts["lots"])]
    dates = [one["date"] for one in facts["phases"]]
    for word in (*names, *dates, "$100k ± $1k", "11/12", "from 2027-04-01"):
        assert word in shown, word
    render_build(facts)


def test_what_has_changed_comes_first_where_progress_is_known(behind, bare):
    text = render_build(behind)
    assert text.index("What has changed") < text.index("When power comes")
    assert "slips" in text
    assert "What has changed" not in render_build(bare)
