"""Books: services + jobs + unallocated = site, and residuals that can fail."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aidc.measure.allocation import QUANTITIES, allocate
from aidc.measure.boundaries import site_energy_j
from aidc.measure.closure import closure, energy_residual_mwh, heat_residual_mwh, token_residual
from aidc.measure.cost import bill_of
from aidc.measure.frames import frames_of
from aidc.measure.summary import summary

KINDS = st.lists(st.sampled_from(["service", "job", "idle", "replay"]), min_size=1, max_size=6)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    rows=st.integers(1, 90),
    kinds=KINDS,
    dark=st.sampled_from([0.0, 0.4, 1.0]),
    gensets=st.booleans(),
)
def test_workloads_and_unallocated_add_up_to_the_site(make_run, seed, rows, kinds, dark, gensets) -> None:
    run = make_run(rows=rows, seed=seed, kinds=tuple(kinds), dark=dark, gensets=gensets)
    told = summary(run)
    parts = [*told["services"].values(), *told["jobs"].values(), told["unallocated"]]
    for key, whole in (
        ("energy_mwh", told["energy_mwh"]["site"]),
        ("carbon_kg", told["carbon_kg"]),
        ("water_m3", told["water_m3"]),
    ):
        assert sum(part[key] for part in parts) == pytest.approx(whole, rel=1e-9, abs=1e-9)
    for key in ("energy", "demand", "fixed", "fuel", "total", "prorated"):
        size = sum(abs(part["cost_usd"][key]) for part in parts)
        shared = sum(part["cost_usd"][key] for part in parts)
        assert shared == pytest.approx(told["cost_usd"][key], abs=1e-9 * (size + 1))
    for boundary in ("accelerator", "server", "it", "site"):
        shared = sum(part["energy_by_boundary_mwh"][boundary] for part in parts)
        assert shared == pytest.approx(told["energy_mwh"][boundary], rel=1e-9, abs=1e-12)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), rows=st.integers(1, 90))
def test_energy_heat_and_tokens_close_to_1e_9(make_run, seed, rows) -> None:
    told = closure(frames_of(make_run(rows=rows, seed=seed)))
    for key in (
        "energy_frac",
        "heat_frac",
        "token_frac",
        "worst_step_energy_frac",
        "worst_step_heat_frac",
        "pods_it_frac",
        "cooling_components_frac",
    ):
        assert told[key] < 1e-9, key


@pytest.mark.parametrize(
    "column", ["grid_import_w", "pv_w", "cooling_w", "storage_loss_w", "conversion_loss_w"]
)
def test_a_megawatt_that_is_not_booked_shows_in_the_energy_residual(make_run, column) -> None:
    run = make_run()
    run.series = run.series.with_columns(pl.col(column) + 1e6)
    frames = frames_of(run)
    residual, frac = energy_residual_mwh(frames)
    assert abs(residual) == pytest.approx(3.0, rel=1e-6)  # 1 MW for 180 min
    assert frac > 1e-3
    assert closure(frames)["worst_step_energy_frac"] > 1e-3


def test_storage_that_loses_charge_shows_in_the_residual(make_run) -> None:
    """The stored energy comes from the states, so charge that vanishes is noticed."""
    run = make_run()
    run.meta["stored_last_j"] -= 3.6e9
    assert energy_residual_mwh(frames_of(run))[0] == pytest.approx(1.0, rel=1e-6)
    run = make_run()
    leak = pl.col("storage.yard.soc_frac") - 0.01 * (pl.int_range(pl.len()) > 50)
    run.series = run.series.with_columns(leak)
    assert closure(frames_of(run))["worst_step_energy_frac"] > 1e-2


def test_heat_that_vanishes_shows_in_the_residual(make_run) -> None:
    run = make_run()
    run.series = run.series.with_columns(pl.col("heat_rejected_w") * 0.99)
    assert heat_residual_mwh(frames_of(run))[1] > 1e-3
    assert closure(frames_of(run))["worst_step_heat_frac"] > 1e-3


def test_tokens_that_vanish_show_in_the_books(make_run) -> None:
    run = make_run()
    run.pods = run.pods.with_columns(pl.col("tokens_output") * 0.999)
    books = token_residual(frames_of(run))
    assert books["residual"] == pytest.approx(books["output"] / 999, rel=1e-6)


def test_where_no_server_runs_the_ratings_share_the_overhead(make_run) -> None:
    """All pods dark: IT is the network alone, shared 1:2:3:4 by the ratings."""
    frames = frames_of(make_run(dark=1.0))
    shared = allocate(frames, bill_of(frames))
    whole = site_energy_j(frames)
    for place, part in enumerate(shared.pods.values()):
        assert part["site_j"] == pytest.approx(whole * (place + 1) / 10, rel=1e-9)


def test_without_ratings_it_is_shared_equally(make_run) -> None:
    frames = frames_of(make_run(dark=1.0, pods={"p0": {"rated_w": 1e6}}))
    shared = allocate(frames, bill_of(frames))
    assert len({round(part["site_j"]) for part in shared.pods.values()}) == 1


def test_network_is_shared_by_server_energy_and_overhead_by_it_energy(make_run) -> None:
    """Two pods, one step: 6 and 2 MW of servers, 0.8 MW of network, 2 MW of overhead; by hand."""
    run = make_run(rows=1, kinds=("service", "job"))
    run.series = run.series.with_columns(
        [pl.lit(0.0).alias(name) for name in run.series.columns if name.endswith("_w")]
    ).with_columns(
        server_w=pl.lit(8e6), it_w=pl.lit(8.8e6), grid_import_w=pl.lit(10.8e6), conversion_loss_w=pl.lit(2e6)
    )
    run.pods = run.pods.with_columns(server_w=pl.when(pl.col("pod") == "p0").then(6e6).otherwise(2e6))
    frames = frames_of(run)
    part = allocate(frames, bill_of(frames)).pods["p0"]
    assert part["it_j"] == pytest.approx(60 * (6e6 + 0.75 * 0.8e6))
    assert part["site_j"] == pytest.approx(60 * (6e6 + 0.75 * 0.8e6 + 0.75 * 2e6))


def test_rows_may_come_in_any_order(make_run) -> None:
    run = make_run()
    told = summary(run)
    run.series, run.pods = run.series.sample(fraction=1, shuffle=True, seed=1), run.pods.reverse()
    again = summary(run)
    assert again["cost_usd"]["demand"] == pytest.approx(told["cost_usd"]["demand"])
    assert again["ramps_mw"] == told["ramps_mw"]
    assert again["services"]["service-p0"]["cost_usd"]["total"] == pytest.approx(
        told["services"]["service-p0"]["cost_usd"]["total"]
    )


def test_a_run_on_disk_gives_the_same_figures_every_time(make_run, tmp_path) -> None:
    """Read in slices from Parquet, bit for bit what the frames in memory give, however often."""
    run = make_run(rows=3000)
    told = summary(run)
    run.series.write_parquet(tmp_path / "series.parquet", row_group_size=700)
    run.pods.with_columns(pl.col("pod").cast(pl.Categorical)).write_parquet(
        tmp_path / "pods.parquet", row_group_size=901
    )
    run.folder = tmp_path
    first = summary(run)
    assert summary(run) == first
    assert first["window"] == told["window"]
    for key in ("pue", "carbon_kg", "water_m3", "ref"):
        assert first[key] == pytest.approx(told[key], rel=1e-12)
    for key, value in told["energy_mwh"].items():
        assert first["energy_mwh"][key] == pytest.approx(value, rel=1e-12, abs=1e-9)


def test_every_quantity_is_allocated(make_run) -> None:
    frames = frames_of(make_run(gensets=True))
    site = allocate(frames, bill_of(frames)).site()
    missing = [key for key in QUANTITIES if key != "carbon_marginal_kg" and site[key] == 0]
    assert missing == []
