"""The report is one file that says what the run says, whatever the run lacks."""

from __future__ import annotations

import base64
import json
import re
import zlib
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sample_run import sample_run

from aidc.errors import OutputError
from aidc.record.run import Run
from aidc.report import render, write
from aidc.report.run.flows import flows
from aidc.report.run.view import PODS_DRAWN, View
from aidc.report.sheet import MARK

TEN_MB = 10e6


@pytest.fixture(scope="module")
def run():
    return sample_run(days=2)


@pytest.fixture(scope="module")
def page(run):
    return render(run)


def figures_of(page: str) -> dict:
    """The figures of a page with their arrays decoded."""
    found = re.search(r'<script type="application/json" id="charts">(.*?)</script>', page, re.DOTALL)
    store = json.loads(found.group(1))

    def decoded(node):
        if isinstance(node, dict):
            if "bdata" in node:
                raw = base64.b64decode(store["arrays"][node["bdata"]])
                return np.frombuffer(raw, dtype=np.dtype(node["dtype"]))
            return {key: decoded(value) for key, value in node.items()}
        return [decoded(value) for value in node] if isinstance(node, list) else node

    return decoded(store["figures"])


def traces_of(page: str, chart: str) -> dict[str, dict]:
    return {trace.get("name", ""): trace for trace in figures_of(page)[chart]["data"]}


class Balance(HTMLParser):
    """Checks that tags close in order, and notes what the page would load."""

    VOID = frozenset({"meta", "link", "input", "br", "img"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loads: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag, attrs):
        told = dict(attrs)
        self.ids += [told["id"]] if "id" in told else []
        self.loads += [told["src"]] if "src" in told else []
        self.loads += [told["href"]] if tag == "link" else []
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass  # the SVG's <rect/>

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_is_whole_and_loads_nothing(page):
    parser = Balance()
    parser.feed(page)
    assert parser.open == []
    assert parser.loads == []
    assert len(parser.ids) == len(set(parser.ids))
    [packed] = re.findall(r'id="plotly">([^<]*)<', page)
    assert zlib.decompress(base64.b64decode(packed)).count(b"plotly.js v") == 1
    assert "default-src 'none'" in page


def test_the_headline_is_the_summary(run, page):
    text = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    index = run.summary["tokenergy_kwh_per_mtok"]["site"]
    assert f"{index:.3f}" in text
    assert f"{run.summary['pue']:.3f}" in text
    assert f"${run.summary['cost_usd']['total']:,.0f}" in text
    assert "llama-3.1-405b fp8 on GB200, TTFT p99 ≤ 2 s, ITL p99 ≤ 50 ms" in text
    assert "2025-07-07 00:00 to 2025-07-09 00:00 UTC" in text
    assert "nan" not in re.findall(r">\s*([A-Za-z]+)\s*<", text.lower())


def test_charts_show_the_columns_at_their_times(run, page):
    """Two days at a minute fit the budget of points, so the chart holds every sample."""
    drawn = traces_of(page, "power-stack")
    times = run.series["time"].dt.epoch("ms").to_numpy()
    np.testing.assert_array_equal(drawn["cooling"]["x"], times)
    np.testing.assert_allclose(drawn["cooling"]["y"], run.series["cooling_w"].to_numpy() / 1e6, rtol=1e-6)
    layers = [trace for trace in drawn.values() if trace.get("stackgroup")]
    used = ("it_w", "conversion_loss_w", "cooling_w", "auxiliary_w")
    total = sum(run.series[name].to_numpy() for name in used) / 1e6
    np.testing.assert_allclose(sum(layer["y"] for layer in layers), total, rtol=1e-5)


def test_energy_flows_balance_at_every_node(run):
    web = flows(View(run))
    for name in web.columns:
        into = sum(mwh for _, target, mwh in web.links if target == name)
        out = sum(mwh for source, _, mwh in web.links if source == name)
        if into and out:
            assert into == pytest.approx(out, rel=1e-9), name
    assert {name for _, name, _ in web.links} >= {"chat", "code", "pretrain", "unallocated"}


def test_the_waterfall_ends_at_the_index(run, page):
    figures = figures_of(page)
    bars = figures["tei-0"]["data"][0]["x"]
    assert sum(bars) == pytest.approx(run.summary["tokenergy_kwh_per_mtok"]["site"], rel=1e-9)


HOSTILE = '</script><script>alert(1)</script>"><img src=x onerror=alert(2)>{{7*7}}'


def test_text_of_others_is_shown_and_never_run():
    run = sample_run(days=0.2, name=HOSTILE)
    events = run.events.with_columns(message=pl.lit(HOSTILE), subject=pl.lit(HOSTILE), kind=pl.lit(HOSTILE))
    row = {
        "entry": HOSTILE,
        "key": HOSTILE,
        "value": HOSTILE,
        "source": HOSTILE,
        "url": "javascript:alert(3)",
    }
    workloads = {HOSTILE: run.meta["workloads"]["chat"]}
    services = {HOSTILE: run.summary["services"]["chat"]}
    hostile = replace(
        run,
        events=events,
        meta={**run.meta, "assumptions": [row], "repairs": [HOSTILE], "workloads": workloads},
        summary={**run.summary, "services": services},
    )
    page = render(hostile)
    assert page.count("</script>") == render(run).count("</script>")
    assert "<img" not in re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert "javascript:alert" not in re.findall(r'href="([^"]*)', page)
    parser = Balance()
    parser.feed(page)
    assert parser.open == []
    assert parser.loads == []


@pytest.mark.parametrize(
    "lacking",
    [
        {"storage": False},
        {"pv": False},
        {"jobs": False},
        {"services": False},
        {"storage": False, "pv": False, "jobs": False, "services": False},
    ],
    ids="+".join,
)
def test_a_site_without_a_part_says_so(lacking):
    page = render(sample_run(days=0.1, **lacking))
    assert "nan" not in json.dumps(list(figures_of(page)))
    if "storage" in lacking:
        assert "This site has no storage." in page
    if "services" in lacking:
        assert "so there is no energy per token" in page
    if {"services", "jobs"} <= set(lacking):
        assert "No service and no job ran on this site." in page


def test_one_step_is_enough():
    assert "campus-100mw" in render(sample_run(days=1 / 1440))


def test_a_run_with_few_columns_and_no_summary_still_renders(run):
    bare = replace(
        run,
        site={},
        meta={"start": "2025-07-07T00:00:00Z", "steps": 3600},
        series=run.series.select("time", "it_w").head(60),
        pods=pl.DataFrame(),
        events=pl.DataFrame(),
        summary={},
    )
    page = render(bare)
    assert "unnamed site" in page
    assert "No energy flowed" in page


def test_gaps_stay_gaps_and_infinities_do_not_reach_the_page(run):
    broken = pl.when(pl.int_range(pl.len()) < 100).then(None).otherwise(pl.lit(float("inf")))
    page = render(replace(run, series=run.series.with_columns(cooling_w=broken)))
    assert np.isnan(traces_of(page, "power-stack")["cooling"]["y"]).all()


def test_a_year_stays_under_ten_megabytes_and_keeps_its_peak():
    run = sample_run(days=365, step_s=600)
    peak = run.series["grid_import_max_w"].arg_max()
    page = render(run)
    assert len(page.encode()) <= TEN_MB
    top = traces_of(page, "power-sources")["min to max within the step"]
    assert top["y"].max() == pytest.approx(run.series["grid_import_max_w"][peak] / 1e6, rel=1e-6)
    assert top["x"][top["y"].argmax()] == run.series["time"].dt.epoch("ms")[peak]


def test_write_leaves_the_page_and_nothing_else(run, page, tmp_path):
    target = tmp_path / "report.html"
    target.write_text(f"{MARK} old")
    write(run, target)
    assert target.read_text(encoding="utf-8") == page
    assert [item.name for item in tmp_path.iterdir()] == ["report.html"]


def test_a_failed_write_leaves_the_old_report(run, tmp_path, monkeypatch):
    target = tmp_path / "report.html"
    target.write_text(f"{MARK} old")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OutputError, match="No space left on device"):
        write(run, target)
    assert target.read_text() == f"{MARK} old"
    assert [item.name for item in tmp_path.iterdir()] == ["report.html"]


def test_a_missing_folder_is_refused_in_words(run, tmp_path):
    with pytest.raises(OutputError, match="could not be written"):
        write(run, tmp_path / "nowhere" / "report.html")


def test_a_flood_of_one_event_hides_no_other(run):
    times = [run.series["time"][0]] * 5000
    flood = pl.DataFrame(
        {"time": times, "kind": ["clip"] * 4999 + ["fault"], "subject": "pod a1", "message": "m"}
    )
    page = render(replace(run, events=flood.cast({"time": run.series["time"].dtype})))
    assert page.count("<td>clip</td>") < 1000
    assert "<td>fault</td>" in page
    assert "all 5,000 are in events.parquet" in page


def test_a_site_of_many_pods_draws_the_largest_and_stays_small(run):
    pods = run.pods.filter(pl.col("pod") == "a1").drop("pod")
    many = pl.concat(
        [
            pods.select("time", (pl.exclude("time") * (1 + place % 7))).with_columns(
                pod=pl.lit(f"p{place:03d}")
            )
            for place in range(60)
        ]
    )
    chat = {**run.meta["workloads"]["chat"], "pods": sorted(set(many["pod"]))}
    page = render(replace(run, pods=many, meta={**run.meta, "workloads": {"chat": chat}}))
    assert len(page.encode()) <= TEN_MB
    drawn = traces_of(page, "power-pods")
    assert len(drawn) == PODS_DRAWN
    assert f"The {PODS_DRAWN} largest pods; {60 - PODS_DRAWN} more are in pods.parquet." in page
    assert {int(name.removeprefix("pod p")) % 7 for name in drawn} <= {4, 5, 6}


def test_a_run_on_disk_gives_the_same_page(run, page, tmp_path):
    """The frames of a stored run are read column by column; no figure changes for it."""
    run.series.write_parquet(tmp_path / "series.parquet")
    run.pods.write_parquet(tmp_path / "pods.parquet")
    run.events.write_parquet(tmp_path / "events.parquet")
    assert render(Run(run.site, run.meta, tmp_path, run.summary)) == page
