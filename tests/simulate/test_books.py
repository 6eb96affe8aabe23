"""The books balance in every step, on random sites: energy, heat, tokens; and the parts make the whole."""

from __future__ import annotations

import math
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from sites import document, documents, loaded

from aidc.plant.storage import StorageParams
from aidc.simulate.energy.fields import Cells
from aidc.study.site_run.run import run

WIDE = {"use": "8xb200-liquid", "racks": 10, "chain": "dc", "cooling": "warm", "air_cooling": "hall"}


def done(body: dict):
    folder = Path(tempfile.mkdtemp())
    try:
        made = run(loaded(body), out=folder / "run")
        _ = made.series, made.pods, made.events
    finally:
        shutil.rmtree(folder)
    return made


def finite(value) -> bool:
    if isinstance(value, dict):
        return all(finite(item) for item in value.values())
    if isinstance(value, list):
        return all(finite(item) for item in value)
    return not isinstance(value, float) or math.isfinite(value)


@settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(documents())
def test_the_books_balance_on_any_site(body) -> None:
    made = done(body)
    series, pods, summary = made.series, made.pods, made.summary
    assert (series["residual_energy_w"].abs() <= 1e-9 * series["flow_energy_w"] + 1e-6).all()
    assert (series["residual_heat_w"].abs() <= 1e-9 * series["flow_heat_w"] + 1e-6).all()
    for books in (summary["energy_mwh"], summary["heat_mwh"]):  # a dark site has no flows to divide by
        assert books["closure_residual_frac"] <= 1e-9 or abs(books["closure_residual"]) < 1e-12
    assert finite(dict(summary))
    limit_w = body["grid"]["import_limit_mw"] * 1e6
    assert series["grid_import_max_w"].max() <= limit_w * (1 + 1e-9) + 1e-3
    assert pods["accelerator_w"].min() >= 0
    tokens = summary["tokens"]
    left = tokens["output"] + tokens["queued"] + tokens["dropped"]
    assert tokens["arrived"] == pytest.approx(left, rel=1e-9, abs=1e-3)
    parts = [*summary["services"].values(), *summary["jobs"].values(), summary["unallocated"]]
    energy = summary["energy_mwh"]
    site = energy["grid_import"] - energy["grid_export"] + energy["pv"] + energy["wind"]
    stored = series["storage_change_w"].sum() * body["scenario"]["output_step_s"] / 3.6e9
    site += series["genset_w"].sum() * body["scenario"]["output_step_s"] / 3.6e9 - stored
    assert sum(part["energy_mwh"] for part in parts) == pytest.approx(site, rel=1e-9, abs=1e-9)
    assert sum(part["carbon_kg"] for part in parts) == pytest.approx(summary["carbon_kg"], rel=1e-9, abs=1e-9)
    total = sum(part["cost_usd"]["total"] for part in parts)
    assert total == pytest.approx(summary["cost_usd"]["total"], rel=1e-9, abs=1e-9)


def test_what_is_unserved_makes_no_tokens_and_no_heat() -> None:
    body = document({"a": dict(WIDE)}, import_mw=0.0, minutes=2.0)
    body["chains"]["dc"]["front"] = "psu-direct"  # nothing that bridges
    demand = {"use": "constant", "output_tokens_per_s": 1e5}
    body["services"] = {"chat": {"use": "llama-3.1-8b", "pods": ["a"], "demand": demand}}
    made = done(body)
    assert made.summary["energy_mwh"]["unserved"] > 0
    assert made.summary["tokens"]["output"] == 0
    assert made.series["grid_import_w"].max() == 0
    assert made.series["it_w"].max() == 0
    assert made.pods["shed_frac"].min() == 1


def test_load_is_shed_in_priority_order_and_reported() -> None:
    pods = {"keep": {**WIDE, "priority": 1}, "drop": {**WIDE, "priority": 5}}
    body = document(pods, import_mw=1.1, minutes=2.0)
    body["chains"]["dc"]["front"] = "psu-direct"  # nothing that bridges
    body["services"] = {
        name: {
            "use": "llama-3.1-8b",
            "pods": [name],
            "demand": {"use": "constant", "output_tokens_per_s": 1e7},
        }
        for name in pods
    }
    made = done(body)
    shed = {name: made.pods.filter(made.pods["pod"] == name)["shed_frac"].mean() for name in pods}
    assert shed == {"keep": 0, "drop": 1}
    assert made.events.filter(made.events["kind"] == "shed")["subject"].to_list() == ["drop"]


def test_without_heat_rejection_pods_throttle_and_then_trip() -> None:
    body = document({"a": dict(WIDE)}, minutes=90.0, step_s=5.0, dry_c=75.0)
    demand = {"use": "constant", "output_tokens_per_s": 1e8}
    body["services"] = {"chat": {"use": "llama-3.1-8b", "pods": ["a"], "demand": demand}}
    made = done(body)
    assert made.pods["throttle_frac"].max() > 0.2
    assert made.pods["accelerator_w"].min() == 0
    told = {kind: text for kind, text in made.events.select("kind", "message").iter_rows() if text != "ended"}
    assert told["throttle"].endswith("accelerators throttle")
    assert "above its limit of" in told["shutdown"]
    assert "set point not held" in told["set-point"]
    assert made.summary["temperatures"]["a"]["shut_down_min"] > 0


def test_peak_shaving_holds_the_import_at_its_target() -> None:
    body = document({"a": dict(WIDE)}, minutes=10.0)
    demand = {"use": "constant", "output_tokens_per_s": 1e8}
    body["services"] = {"chat": {"use": "llama-3.1-8b", "pods": ["a"], "demand": demand}}
    free = done({**body, "scenario": dict(body["scenario"])}).series["grid_import_w"].max()
    target = 0.8 * free
    rule = {"use": "peak-shaving", "target_mw": target / 1e6, "charge_below_mw": 0.0}
    body["scenario"]["start"] = "2025-07-07T12:00:00+00:00"
    body["storage"] = {"yard": {"use": "lfp-site", "power_mw": 1.0, "energy_mwh": 2.0, "rule": rule}}
    made = done(body)
    # the auxiliaries of the storage follow its power with one step of delay
    assert made.series["grid_import_w"][5:].max() == pytest.approx(target, rel=2e-3)


def test_energy_converges_with_the_step() -> None:
    """First order: halving the step halves the distance to the finest run, or better."""
    totals = []
    for step_s in (8.0, 4.0, 2.0, 0.5):
        body = document({"a": dict(WIDE)}, minutes=16.0, step_s=step_s)
        demand = {"use": "constant", "output_tokens_per_s": 1e8}
        body["services"] = {"chat": {"use": "llama-3.1-8b", "pods": ["a"], "demand": demand}}
        totals.append(done(body).summary["energy_mwh"]["grid_import"])
    errors = [abs(total - totals[-1]) for total in totals[:-1]]
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] / totals[-1] < 1e-3


def test_rows_of_storages_are_named_as_their_parameters_are() -> None:
    assert [row.name.lower() for row in Cells] == list(StorageParams._fields)[: len(Cells)]
