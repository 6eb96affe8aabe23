"""The page of a check says what its result says, whatever the result lacks."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import sample_check as sample
from test_report_page import Balance, figures_of

from aidc.errors import OutputError
from aidc.measure.grid.verdict import Verdict
from aidc.record.waveform import Mark, Waveform
from aidc.report.check.page import render_check, render_transient, write_check, write_transient
from aidc.report.check.waveforms import window_blocks
from aidc.study.windows.verdicts import NamedWindow

FIVE_MB = 5e6


def words_of(page: str) -> str:
    """What a reader sees, tags and scripts gone."""
    text = re.sub(r"<(script|style).*?</\1>", "", page, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))


def body_rows(page: str, table: str) -> list[str]:
    found = re.search(rf'<table id="t-{table}".*?<tbody>(.*?)</tbody>', page, re.DOTALL)
    return re.findall(r"<tr>(.*?)</tr>", found.group(1), re.DOTALL)


@pytest.fixture(scope="module")
def four():
    return render_check([sample.all_four()])


@pytest.fixture(scope="module")
def tripped():
    return render_check([sample.real_result(trip=True)])


def test_the_page_is_whole_and_loads_nothing(four):
    parser = Balance()
    parser.feed(four)
    assert parser.open == []
    assert parser.loads == []
    assert len(parser.ids) == len(set(parser.ids))


def test_the_headline_says_the_result_the_rule_and_what_it_is_worth(four):
    words = words_of(four)
    for part in (
        "campus-100mw",
        "Fails",
        "2 of 6 clauses that apply fail; 2 more cannot be judged.",
        "NOGRR 282 with the proposed limit",
        "proposed",
        "secondary",
        "never passes as a whole",
        "Double-frequency ripple",
        "EMT",
        "This check carries warnings",
    ):
        assert part in words
    assert "nan" not in re.findall(r"[a-z]+", words.lower())


def test_every_verdict_has_a_row_the_worst_first(four):
    rows = body_rows(four, "verdicts-0")
    assert [re.search(r'class="chip (\w+)', row).group(1) for row in rows] == [
        *["bad"] * 2, *["open"] * 2, *["good"] * 2, *["mute"] * 2,
    ]  # fmt: skip
    first = words_of(rows[0])
    for part in ("fail", "0.137", "0.15", "−8.67 %", "n-1 short-circuit level", "approved", "Yuz2023"):
        assert part in first


def test_failures_name_their_change_and_open_clauses_their_reason(four):
    assert "2.4 MW / 0.9 kWh of storage" in words_of(body_rows(four, "changes")[1])
    reasons = [words_of(row) for row in body_rows(four, "open")]
    assert len(reasons) == 2
    assert "ask the operator which filter" in reasons[0]


def test_words_of_others_are_shown_and_never_run(four):
    assert "&lt;b&gt;[red]markup" in four
    assert four.count("<b>") == 0


def test_a_set_with_an_uncaptured_clause_says_that_it_never_passes():
    result = sample.real_result("caiso-2026")
    assert any(clause.rule == "uncaptured" for clause in result.code.clauses)
    words = words_of(render_check([result]))
    assert "1 clause has figures that were not captured" in words
    assert "not captured" in words_of(body_rows(render_check([result]), "clauses-0")[-1])


def test_a_fault_is_drawn_with_the_rule_its_reference_and_its_mark(tripped):
    figures = figures_of(tripped)
    voltage = {trace["name"]: trace for trace in figures["w0-v"]["data"]}
    curve = voltage["ride-through curve"]
    assert min(curve["x"]) == pytest.approx(1.0)
    power = {trace["name"]: trace for trace in figures["w0-p"]["data"]}
    w = sample.tripped().waveform
    drawn = power["active power"]
    assert drawn["y"].min() == pytest.approx(w["p_w"].min() / 1e6, rel=1e-5, abs=1e-6)
    assert drawn["y"].max() == pytest.approx(w["p_w"].max() / 1e6, rel=1e-5)
    assert {"without the event", "least after recovery"} <= set(power)
    mark = figures["w0-q"]["layout"]["shapes"][0]
    assert (mark["x0"], mark["x1"]) == (1.0, 1.15)
    assert {"w0-f", "w0-dc", "w0-store", "w0-load"} <= set(figures)
    load = {trace["name"]: trace for trace in figures["w0-load"]["data"]}
    assert load["load connected"]["y"].min() == pytest.approx(60.0)


def test_an_unbalanced_fault_shows_its_phases_and_a_balanced_one_a_single_line(tripped):
    figures = figures_of(tripped)
    names = [{trace["name"] for trace in figures[f"w{place}-v"]["data"]} for place in (0, 1)]
    assert "least phase-neutral" in names[1]
    assert "all phases" in names[0]
    assert not {"least phase-neutral", "greatest phase-phase"} & names[0]


def test_the_charts_of_a_window_share_its_axis_and_no_other(tripped):
    groups = dict(re.findall(r'data-chart="([^"]+)"[^>]*data-linked="([^"]+)"', tripped))
    assert groups["w0-v"] == groups["w0-dc"] == "w0"
    assert groups["w1-v"] == "w1"
    assert "curve-0" not in groups


def test_a_long_window_opens_on_its_fault_and_keeps_detail_there():
    """A 60 ms dip in an hour at 1 ms: the buckets of the whole are seconds long, those around it are not."""
    time_s = np.arange(600_000) * 1e-3
    ripple = 1e-3 * np.sin(2 * np.pi * 7.3 * time_s)
    v = np.where((time_s >= 300) & (time_s < 300.06), 0.3, 1.0) + ripple
    window = NamedWindow(
        "long", "long", Waveform(Fraction(1, 1000), {"v1_pu": v, "p_w": 1e8 * v}), (Mark("sag", 300.0, 300.06, "dip"),)
    )  # fmt: skip
    chart = window_blocks(window, 0, [], 2000)[1]
    low, high = chart.figure.layout.xaxis.range
    assert 298 < low < 300
    assert 300.06 < high < 310
    x, y = np.asarray(chart.figure.data[0].x), np.asarray(chart.figure.data[0].y)
    assert x.size <= 2000
    assert np.all(np.diff(x) > 0)
    assert y.min() == pytest.approx(v.min(), rel=1e-6)
    near = x[(x > low) & (x < high)]
    assert np.median(np.diff(near)) < 0.01


def test_a_record_of_power_alone_is_drawn_and_stands_at_its_time():
    result = replace(sample.real_result(), windows=(sample.power_only(),), assumptions=(), facts={})
    page = render_check([result])
    figures = figures_of(page)
    assert [name for name in figures if name.startswith("w")] == ["w0-p"]
    assert figures["w0-p"]["data"][0]["x"][0] == pytest.approx(10.0)
    for part in ("The check lists no assumed figures.", "No facts were recorded.", "No recorded window"):
        assert part in words_of(page)


@pytest.mark.parametrize(
    ("channels", "told"),
    [({}, "holds no samples"), ({"mystery": np.ones(5)}, "can be drawn"), ({"p_w": np.full(9, np.nan)}, "can be drawn")],
    ids=["empty", "unknown", "gaps"],
)  # fmt: skip
def test_a_window_with_nothing_to_draw_says_so(channels, told):
    window = NamedWindow("x", "x", Waveform(Fraction(1, 50), channels))
    page = render_check([replace(sample.all_four(), windows=(window,))])
    assert told in words_of(page)


def test_gaps_in_a_record_do_not_reach_the_words():
    w = sample.windows()[0].waveform
    holed = {
        name: np.where(np.arange(len(w)) % 3 == 0, np.nan, values) for name, values in w.channels.items()
    }
    window = replace(sample.windows()[0], waveform=replace(w, channels=holed))
    words = words_of(render_check([replace(sample.real_result(), windows=(window,))]))
    assert "nan" not in re.findall(r"[a-z]+", words.lower())


def test_odd_values_are_dashes():
    odd = Verdict("ramp", "c", "fail", float("inf"), float("nan"), "MW", float("nan"))
    row = words_of(body_rows(render_check([replace(sample.all_four(), verdicts=(odd,))]), "verdicts-0")[0])
    assert "nan" not in row.lower()
    assert "inf" not in row.lower()


def test_several_sets_stand_on_one_page_with_shared_windows_and_curves_once():
    results = [sample.real_result(), sample.all_four(), sample.real_result("itic")]
    page = render_check(results)
    words = words_of(page)
    figures = figures_of(page)
    assert len(body_rows(page, "verdicts-1")) == 8
    assert sum(name.endswith("-p") for name in figures) == 4
    curves = [name for name in figures if name.startswith("curve-")]
    assert len(curves) == 3
    assert "(ercot-nogrr-282, ercot)" in words
    assert "Not assessable" in words
    assert len(page.encode()) <= FIVE_MB


def test_a_site_with_no_failure_says_so():
    result = sample.all_four()
    good = replace(result, verdicts=tuple(one for one in result.verdicts if one.result == "pass"))
    words = words_of(render_check([good]))
    assert "Passes" in words
    assert "All 2 clauses that apply pass." in words
    assert "Nothing failed, and every clause that applies could be judged." in words
    none = replace(result, verdicts=())
    assert "No clause of this rule set applies" in words_of(render_check([none]))


def test_facts_read_in_human_units(four):
    rows = [words_of(row).strip() for row in body_rows(four, "facts-0")]
    for part in (
        "point · import 96.4 MW",
        "short circuit · min 610 MVA",
        "point · soc 50 %",
        "step 1 ms",
        "seed 42",
        "largest load loss 73.83 MW",
        "largest load loss · voltage after 1.008 pu",
    ):
        assert part in rows
    assert any(row.startswith("energy residual 3.1e-13") for row in rows)
    assert "x_over_r" in words_of(body_rows(four, "warnings")[0])


def test_the_load_model_stands_apart_with_what_its_record_warns_of(four):
    assert [words_of(row).split() for row in body_rows(four, "load-model")] == [
        ["Kvp", "1.842", "pu/pu", "fitted"]
    ]
    words = words_of(four)
    assert (
        "RMS error 30.6 %. WARNING: the error is large. As a record: ercot.dyr beside this report." in words
    )
    assert "PERC1" not in words
    assert "load model · " not in words


def test_assumptions_lead_to_their_sources(four):
    rows = body_rows(four, "assumptions")
    assert len(rows) == 2
    assert 'href="https://example.org/ups.pdf"' in rows[1]


def test_many_long_windows_stay_under_five_megabytes():
    rng = np.random.default_rng(3)
    names = ["v1_pu", "v_pn_min_pu", "v_pp_min_pu", "p_w", "q_var", "frequency_hz", "dc_bus_pu", "soc_frac",
             "connected_frac", "it_demand_w", "it_served_w", "storage_w", "battery_w"]  # fmt: skip
    noise = {name: rng.normal(1.0, 0.1, 120_000) for name in names}
    made = tuple(
        NamedWindow(
            f"n{k}", f"noise {k}", Waveform(Fraction(1, 1000), {**noise, "p_w": noise["p_w"] * (k + 1)})
        )
        for k in range(25)
    )
    page = render_check([replace(sample.all_four(), windows=made)])
    assert len(page.encode()) <= FIVE_MB


def test_a_transient_shows_its_events_and_extremes():
    result = sample.transient()
    page = render_transient(result)
    words = words_of(page)
    w = result.window.waveform
    assert "A line-to-line fault at the peak hour" in words
    assert "sag" in words_of(body_rows(page, "events")[0])
    [row] = [words_of(row) for row in body_rows(page, "extremes") if "least phase-phase" in row]
    assert f"{w['v_pp_min_pu'].min():.4f}" in row
    assert "rule set" not in words
    bare = replace(result, window=sample.power_only(), events=(), facts={})
    assert "No facts were recorded." in words_of(render_transient(bare))


def test_write_leaves_the_pages_and_nothing_else(tmp_path):
    write_check([sample.all_four()], tmp_path / "check.html")
    write_transient(sample.transient(), tmp_path / "transient.html")
    assert sorted(item.name for item in tmp_path.iterdir()) == ["check.html", "transient.html"]
    with pytest.raises(OutputError, match="could not be written"):
        write_check([sample.all_four()], tmp_path / "nowhere" / "check.html")
    with pytest.raises(ValueError, match="at least one"):
        write_check([], tmp_path / "none.html")


def test_figures_hold_no_text_of_numbers_that_json_lacks(four):
    store = re.search(r'id="charts">(.*?)</script>', four, re.DOTALL).group(1)
    json.loads(store, parse_constant=pytest.fail)
    assert base64.b64decode(json.loads(store)["arrays"][0])
