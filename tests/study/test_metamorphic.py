"""What must not change a site's figures, and what must change them in a known way.

Relations between two runs need no right value: a tariff written twice as high costs twice as much, whatever the site.
Random sites of two hours, off the starter (`books_cases`), in constant weather.
"""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from books_cases import random_document
from hypothesis import given, settings
from hypothesis import strategies as st

from aidc.record.run import Run
from aidc.site import site_of
from aidc.study.site_run.run import run

Document = dict[str, Any]
HOURS = 2
SEEDS = st.integers(0, 10_000)
few = settings(max_examples=6, deadline=None)


def document(seed: int, folder: Path) -> Document:
    """A random site without the sun, and without events of supply that a shift would move."""
    body = random_document(seed, folder)
    body.pop("renewables", None)
    weather = {"use": "constant", "dry_bulb_c": 18.0, "relative_humidity_percent": 50.0}
    body["scenario"] |= {"days": HOURS / 24, "weather": weather}
    return body


def pair(
    seed: int, change: Callable[[Document, Path], Document], prepare: Callable[..., Any] = dict
) -> list[Run]:
    """The same site before and after a change of its tables."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        body = document(seed, folder)
        body |= prepare(body) or {}
        made = []
        for name, one in (("before", copy.deepcopy(body)), ("after", change(copy.deepcopy(body), folder))):
            done = run(site_of(one, folder / "site.toml"), out=folder / name)
            _ = done.events
            made.append(done)
    return made


def leaves(tree: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(tree, Mapping):
        for key, value in tree.items():
            yield from leaves(value, f"{path}.{key}".removeprefix("."))
    elif isinstance(tree, list):
        for place, value in enumerate(tree):
            yield from leaves(value, f"{path}[{place}]")
    else:
        yield path, tree


def same(one: Run, two: Run, *, rel: float = 1e-9, but: tuple[str, ...] = ()) -> None:
    """Every figure of the summary, but rounding and those named."""
    left_out = ("performance", "closure", "name", *but)
    figures = [dict(leaves(each.summary)) for each in (one, two)]
    assert figures[0].keys() == figures[1].keys()
    differing = {
        path: (value, figures[1][path])
        for path, value in figures[0].items()
        if not any(word in path for word in (*left_out, "residual"))
        and not (
            value == figures[1][path]
            or (isinstance(value, float) and figures[1][path] == pytest.approx(value, rel=rel, abs=1e-9))
        )
    }
    assert differing == {}


@few
@given(SEEDS)
def test_a_tariff_twice_as_high_costs_twice_as_much(seed: int) -> None:
    tariff = {
        "base_usd_per_kwh": 0.06,
        "periods": [{"name": "day", "usd_per_kwh": 0.11, "hours": "0-2", "on_peak": True}],
        "demand_usd_per_kw_month": 9.0,
        "on_peak_demand_usd_per_kw_month": 4.0,
        "fixed_usd_per_month": 800.0,
    }

    def prepare(body: Document) -> None:
        for key in ("prices", "events"):
            body["scenario"].pop(key, None)
        body["scenario"]["tariff"] = tariff
        body.pop("gensets", None)

    def double(body: Document, folder: Path) -> Document:
        del folder
        told = body["scenario"]["tariff"]
        for key, value in told.items():
            if isinstance(value, float):
                told[key] = 2 * value
        told["periods"][0]["usd_per_kwh"] *= 2
        return body

    once, twice = pair(seed, double, prepare)
    for part in ("energy", "demand", "fixed", "total", "prorated"):
        assert twice.summary["cost_usd"][part] == pytest.approx(2 * once.summary["cost_usd"][part], rel=1e-9)
    same(once, twice, but=("usd", "cost"))


@few
@given(SEEDS)
def test_the_order_of_tables_does_not_matter(seed: int) -> None:
    """But of storages at one bus: each sees what those before it in the file have done."""

    def turned(body: Document, folder: Path) -> Document:
        del folder
        for table in ("pods", "chains", "cooling"):
            body[table] = dict(reversed(body[table].items()))
        return dict(reversed(body.items()))

    one, two = pair(seed, turned)
    same(one, two)
    assert one.events.sort(one.events.columns).equals(two.events.sort(two.events.columns))


@few
@given(SEEDS)
def test_the_order_of_overlapping_events_does_not_matter(seed: int) -> None:
    def prepare(body: Document) -> None:
        start = body["scenario"]["start"]
        rng = np.random.default_rng(seed)

        def some(use: str, number: int, **more: float) -> Document:
            at = start + timedelta(minutes=int(rng.integers(10, 60)))
            minutes = float(rng.integers(5, 50))
            return {"use": use, "name": f"{use}-{number}", "start": at, "duration_min": minutes, **more}

        body["scenario"]["events"] = [
            some("price-spike", 1, price_usd_per_mwh=400.0),
            some("price-spike", 2, price_usd_per_mwh=1500.0),
            some("import-limit", 1, limit_mw=0.5),
            some("import-limit", 2, limit_mw=0.9),
        ]

    def turned(body: Document, folder: Path) -> Document:
        del folder
        body["scenario"]["events"].reverse()
        return body

    one, two = pair(seed, turned, prepare)
    same(one, two)


@few
@given(SEEDS)
def test_a_storage_of_nothing_is_nothing(seed: int) -> None:
    def prepare(body: Document) -> None:
        body["storage"] = {}

    def tiny(body: Document, folder: Path) -> Document:
        del folder
        body["storage"] = {"speck": {"use": "lfp-site", "power_mw": 1e-9, "energy_mwh": 1e-9}}
        return body

    bare, speck = pair(seed, tiny, prepare)
    figures = [
        dict(leaves({k: v for k, v in one.summary.items() if k != "storage"})) for one in (bare, speck)
    ]
    for path, value in figures[0].items():
        if isinstance(value, float) and not any(
            word in path for word in ("performance", "closure", "residual")
        ):
            assert figures[1][path] == pytest.approx(value, rel=1e-5, abs=1e-6), path


@few
@given(SEEDS, st.integers(1, 3))
def test_whole_weeks_later_is_the_same(seed: int, weeks: int) -> None:
    """In constant weather, within the same rules of the clock; months have other names and lengths."""
    later = timedelta(weeks=weeks)

    def prepare(body: Document) -> None:
        body["scenario"].pop("prices", None)
        body["scenario"]["tariff"] = {"use": "tou-demand"}
        body["scenario"]["carbon"] = {"use": "us-average-2023"}

    def shift(body: Document, folder: Path) -> Document:
        del folder
        body["scenario"]["start"] += later
        body["jobs"]["finetune"]["start"] += later
        for event in body["scenario"]["events"]:
            event["start"] += later
        return body

    one, two = pair(seed, shift, prepare)
    same(one, two, but=("window", "months", "fixed", "prorated", "total", "usd"))
    assert two.summary["cost_usd"]["energy"] == pytest.approx(one.summary["cost_usd"]["energy"], rel=1e-9)
    assert two.summary["cost_usd"]["demand"] == pytest.approx(one.summary["cost_usd"]["demand"], rel=1e-9)
    moved = two.events["time"].dt.offset_by(f"-{weeks}w")
    assert moved.to_list() == one.events["time"].to_list()
    assert two.events["kind"].to_list() == one.events["kind"].to_list()


@few
@given(SEEDS)
def test_units_written_differently_are_the_same(seed: int) -> None:
    """Prices per kWh and per MWh, carbon in g, kg and lb: the names of the columns say which."""
    rng = np.random.default_rng(seed)
    usd, kg = rng.uniform(5, 300, 24), rng.uniform(50, 900, 24)

    def market(body: Document, folder: Path, names: str, usd_by: float, kg_by: float) -> Document:
        first = body["scenario"]["start"].replace(minute=0, second=0)
        lines = [
            f"{first + timedelta(minutes=15 * k):%Y-%m-%dT%H:%M:%SZ},{float(usd[k]) * usd_by!r},{float(kg[k]) * kg_by!r}"
            for k in range(24)
        ]
        price, carbon = names.split(",")
        (folder / f"{price}.csv").write_text("\n".join([f"time_utc,{names}", *lines]))
        body["scenario"] |= {
            "prices": {"file": f"{price}.csv", "price_column": price},
            "carbon": {"file": f"{price}.csv", "average_column": carbon},
        }
        return body

    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        made = [
            run(
                site_of(market(document(seed, folder), folder, names, usd_by, kg_by), folder / "site.toml"),
                out=folder / f"run-{names}",
            )
            for names, usd_by, kg_by in (
                ("usd_per_mwh,kg_per_mwh", 1.0, 1.0),
                ("usd_per_kwh,g_per_kwh", 1e-3, 1.0),
                ("cents_per_kwh,lb_per_mwh", 0.1, 1.0 / 0.45359237),
            )
        ]
    for other in made[1:]:
        same(made[0], other)


def halves(body: Document, names: dict[str, str]) -> Document:
    """A service's pod as two of half the racks."""
    for old, new in names.items():
        whole = body["pods"].pop(old)
        for name in (old, new):
            body["pods"][name] = {**whole, "racks": whole["racks"] // 2}
    body["services"]["chat"]["pods"] = [name for pair_ in names.items() for name in pair_]
    return body


@few
@given(SEEDS)
def test_a_pod_of_a_service_split_in_two_serves_the_same(seed: int) -> None:
    """Replicas are independent: each half takes half the demand.

    What is bought may round differently (modules, pumps), and with it losses and temperatures, so energy is held to
    0.5 % and work to 1e-6.
    """

    def prepare(body: Document) -> None:
        body["storage"], body["scenario"]["events"] = {}, []
        body.pop("gensets", None)

    def split(body: Document, folder: Path) -> Document:
        del folder
        return halves(body, {"llm": "llm-2"})

    one, two = pair(seed, split, prepare)
    for key in ("tokens_arrived", "tokens_output", "tokens_useful", "tokens_dropped"):
        found = (one.summary["services"]["chat"][key], two.summary["services"]["chat"][key])
        assert found[1] == pytest.approx(found[0], rel=1e-6, abs=1.0)
    for key in ("accelerator", "it", "site"):
        assert two.summary["energy_mwh"][key] == pytest.approx(one.summary["energy_mwh"][key], rel=5e-3)


@few
@given(SEEDS)
def test_a_run_cut_in_two_adds_up(seed: int) -> None:
    """Without storage, at constant measured power and in constant weather nothing carries over from hour to hour."""
    rng = np.random.default_rng(seed)
    power_w = float(rng.uniform(1e5, 4e5))
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        body = document(seed, folder)
        (folder / "power.csv").write_text(
            "t_s,p_w\n" + "\n".join(f"{60 * k},{power_w!r}" for k in range(125))
        )
        for key in ("services", "jobs", "gensets", "storage"):
            body.pop(key, None)
        body["chains"] = {"ac": {"use": "415vac-eco"}}
        body["pods"] = {"a": {"use": "dgx-h100", "racks": 12, "chain": "ac", "cooling": "hall"}}
        body["cooling"] = {"hall": {"use": "chiller-economiser", "supply_temp_c": 20}}
        body["replays"] = {
            "r": {"pods": ["a"], "demand": {"use": "power-replay", "file": "power.csv", "columns": ["p_w"]}}
        }
        body["scenario"]["events"] = []
        start = body["scenario"]["start"]
        made = []
        for name, after_h, hours in (
            ("whole", 0, HOURS),
            ("first", 0, HOURS / 2),
            ("second", HOURS / 2, HOURS / 2),
        ):
            one = copy.deepcopy(body)
            one["scenario"] |= {"start": start + timedelta(hours=after_h), "days": hours / 24}
            made.append(run(site_of(one, folder / "site.toml"), out=folder / name).summary)
    whole, first, second = made
    for group, keys in (
        ("energy_mwh", ("grid_import", "it", "cooling", "conversion_loss", "site")),
        ("cost_usd", ("energy",)),
    ):
        for key in keys:
            parts = (first[group][key] or 0.0) + (second[group][key] or 0.0)
            assert parts == pytest.approx(whole[group][key] or 0.0, rel=1e-6, abs=1e-9), key
    assert max(first["peak_import_mw"], second["peak_import_mw"]) == pytest.approx(
        whole["peak_import_mw"], rel=1e-6
    )
