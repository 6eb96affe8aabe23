"""Figures of the measures against hand calculations and definitions."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aidc.errors import InputError
from aidc.measure.boundaries import site_energy_j
from aidc.measure.compare import compare
from aidc.measure.cost import bill_of
from aidc.measure.efficiency import erf, pue, ref, wue
from aidc.measure.frames import frames_of
from aidc.measure.latency import mixture_quantile
from aidc.measure.plugins import user_measures
from aidc.measure.power import peaks, ramps_mw
from aidc.measure.summary import summary
from aidc.measure.tokenergy import index
from aidc.units import J_PER_KWH, J_PER_MWH


def flat(run, **watts):
    """The run with constant columns."""
    run.series = run.series.with_columns([pl.lit(float(value)).alias(name) for name, value in watts.items()])
    return run


QUIET = {
    "grid_export_w": 0,
    "pv_w": 0,
    "storage_loss_w": 0,
    "storage.yard.charge_w": 0,
    "storage.yard.discharge_w": 0,
}


def test_pue_wue_and_erf_by_their_definitions(make_run) -> None:
    run = flat(make_run(), **QUIET, grid_import_w=12e6, it_w=10e6, water_kg_s=5, heat_reused_w=3e6)
    frames = frames_of(run)
    assert pue(frames) == pytest.approx(1.2)
    assert wue(frames) == pytest.approx(5 * 3600 / 10_000)  # l/h over kW
    assert erf(frames) == pytest.approx(0.25)


def test_charging_a_battery_does_not_raise_pue_and_pv_does_not_lower_it(make_run) -> None:
    plain = frames_of(flat(make_run(), **QUIET, grid_import_w=12e6, it_w=10e6))
    run = flat(
        make_run(), **QUIET | {"pv_w": 4e6, "storage.yard.charge_w": 2e6}, grid_import_w=10e6, it_w=10e6
    )
    assert pue(frames_of(run)) == pytest.approx(pue(plain))


def test_exported_pv_does_not_count_as_renewable_and_ref_is_at_most_one(make_run) -> None:
    run = flat(make_run(), **QUIET | {"pv_w": 6e6, "grid_export_w": 2e6}, grid_import_w=6e6, it_w=8e6)
    assert ref(frames_of(run)) == pytest.approx(4 / 10)
    run = flat(make_run(), **QUIET | {"pv_w": 30e6, "grid_export_w": 20e6}, grid_import_w=0, it_w=8e6)
    assert ref(frames_of(run)) == pytest.approx(1.0)


def test_one_joule_per_token_is_0_2778_kwh_per_million() -> None:
    part = dict.fromkeys(
        ("accelerator_j", "server_j", "it_j", "site_j", "tokens_output", "tokens_useful"), 1e6
    )
    told = index({**part, "tokens_input": 3e6})
    assert told["tokenergy_kwh_per_mtok"]["site"] == pytest.approx(0.27778, abs=1e-5)
    assert told["tokenergy_beside_kwh_per_mtok"]["site_per_input_and_output"] == pytest.approx(
        0.27778 / 4, abs=1e-5
    )


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), rows=st.integers(1, 60))
def test_the_five_factors_multiply_to_the_index(make_run, seed, rows) -> None:
    told = summary(make_run(rows=rows, seed=seed))
    for one in (told, *told["services"].values(), told["training"], *told["jobs"].values()):
        product = math.prod(one["tokenergy_factors"].values())
        assert product == pytest.approx(one["tokenergy_kwh_per_mtok"]["site"], rel=1e-12)
        factors = one["tokenergy_factors"]
        assert min(factors[key] for key in ("server", "it", "site", "useful")) >= 1.0


def test_the_site_index_counts_the_services_alone(make_run) -> None:
    told = summary(make_run())
    energy_j = sum(one["energy_mwh"] for one in told["services"].values()) * J_PER_MWH
    useful = sum(one["tokens_useful"] for one in told["services"].values())
    expected = energy_j / J_PER_KWH / (useful / 1e6)
    assert told["tokenergy_kwh_per_mtok"]["site"] == pytest.approx(expected, rel=1e-12)
    assert told["training"]["tokens"] == pytest.approx(told["tokens"]["training"])


def test_on_site_generation_does_not_shrink_the_energy(make_run) -> None:
    run = make_run()
    before = site_energy_j(frames_of(run))
    run.series = run.series.with_columns(pl.col("pv_w") + 1e6, pl.col("grid_import_w") - 1e6)
    assert site_energy_j(frames_of(run)) == pytest.approx(before, rel=1e-12)


def test_a_last_step_that_is_cut_short_counts_for_its_length(make_run) -> None:
    run = make_run(rows=3)
    run.meta["end"] = "2025-07-07T04:02:15Z"
    flat(run, it_w=1e6)
    assert frames_of(run).amount("it_w") == pytest.approx(1e6 * 135)


def test_demand_charge_is_the_quarter_hour_mean_in_local_time(make_run) -> None:
    """A 5-min spike of 30 MW on 10 MW: the 15-min mean is 16.67 MW; at 12 USD/kW that is 200,000 USD."""
    run = flat(make_run(rows=60), grid_export_w=0, price_usd_per_mwh=100)
    power = np.full(60, 10e6)
    power[20:25] = 30e6
    run.series = run.series.with_columns(grid_import_w=pl.Series(power))
    told = bill_of(frames_of(run)).summary()
    assert told["demand"] == pytest.approx(200_000)
    assert told["energy"] == pytest.approx((10 + 20 * 5 / 60) * 100)
    assert told["fixed"] == pytest.approx(5000)
    assert [month["month"] for month in told["months"]] == ["2025-07"]


def test_a_demand_interval_is_cut_where_the_clock_is_changed_by_half_an_hour(make_run) -> None:
    """Lord Howe Island, 2026-04-05: at 02:00 (15:00 UTC) the clock goes back to 01:30.

    Hours of the clock are 14:00-15:00 UTC, the half hour to 15:30, and 15:30-16:30, in which 20 MW flow on 10 MW else:
    its mean is the peak. Intervals of the former offset would see 15 MW.
    """
    start = datetime(2026, 4, 4, 13, tzinfo=UTC)
    tariff = {"demand_usd_per_kw_month": 12.0, "demand_interval_min": 60}
    built = make_run(rows=20, step_s=900.0, start=start, timezone="Australia/Lord_Howe", tariff=tariff)
    run = flat(built, grid_export_w=0)
    power = np.full(20, 10e6)
    power[10:14] = 20e6
    run.series = run.series.with_columns(grid_import_w=pl.Series(power))
    assert bill_of(frames_of(run)).months[0].peak_mw == pytest.approx(20.0)
    power[:] = 10e6
    power[8:10] = 20e6  # the cut half hour is an interval of its own
    run.series = run.series.with_columns(grid_import_w=pl.Series(power))
    assert bill_of(frames_of(run)).months[0].peak_mw == pytest.approx(20.0)


def test_billing_months_are_local_and_a_sliver_is_billed_by_its_share(make_run) -> None:
    """From 2025-08-01T00:00Z it is still July for four hours in New York."""
    start = datetime(2025, 8, 1, tzinfo=UTC)
    run = flat(make_run(rows=72, step_s=3600.0, start=start), grid_import_w=10e6, grid_export_w=0)
    july, august = bill_of(frames_of(run)).months
    assert (july.month, august.month) == ("2025-07", "2025-08")
    assert august.demand_usd == pytest.approx(120_000)
    assert july.demand_usd == pytest.approx(120_000 * 4 / (31 * 24))


def test_the_prorated_bill_carries_a_days_share_of_a_months_charges(make_run) -> None:
    """One day of July at 10 MW: 1/31 of 120,000 and of 5,000 USD, and 240 MWh at 50 USD."""
    run = flat(make_run(rows=24, step_s=3600.0), grid_import_w=10e6, grid_export_w=0, price_usd_per_mwh=50)
    told = bill_of(frames_of(run)).summary()
    assert told["prorated"] == pytest.approx(125_000 / 31 + 12_000)
    assert told["total"] == pytest.approx(125_000 + 12_000)


def test_on_peak_demand_is_billed_in_its_hours(make_run) -> None:
    """Monday 2025-07-07; 14-20 local is on-peak; the night's 40 MW are none of it."""
    tariff = {
        "demand_usd_per_kw_month": 1.0,
        "on_peak_demand_usd_per_kw_month": 10.0,
        "periods": [{"days": "mon-fri", "hours": "14-20", "usd_per_kwh": 0.2, "on_peak": True}],
    }
    run = flat(make_run(rows=24, step_s=3600.0, tariff=tariff), grid_export_w=0)
    power = np.where(np.arange(24) == 15, 20e6, 5e6)
    power[2] = 40e6
    run.series = run.series.with_columns(grid_import_w=pl.Series(power))
    assert bill_of(frames_of(run)).summary()["demand"] == pytest.approx(40_000 + 200_000)


def test_a_clock_change_neither_loses_nor_doubles_an_interval(make_run) -> None:
    start = datetime(2025, 11, 2, 4, tzinfo=UTC)  # New York falls back at 06:00 UTC
    run = flat(make_run(rows=6 * 60, start=start), grid_import_w=8e6, grid_export_w=0)
    month = bill_of(frames_of(run)).months[0]
    assert month.peak_mw == pytest.approx(8.0)
    assert month.import_mwh == pytest.approx(48.0)


def test_peaks_load_factor_and_ramps(make_run) -> None:
    run = flat(make_run(rows=120), grid_export_w=0)
    power = np.full(120, 10e6)
    power[60:] = 20e6
    power[90] = 26e6
    run.series = run.series.with_columns(
        grid_import_w=pl.Series(power),
        grid_import_max_w=pl.Series(power + 1e6),
        grid_import_min_w=pl.Series(power),
    )
    frames = frames_of(run)
    told = peaks(frames, bill_of(frames))
    assert told["peak_import_mw"] == pytest.approx(27.0)
    assert told["peak_import_interval_mw"] == pytest.approx(20.4)
    assert told["load_factor"] == pytest.approx(power.mean() / 27e6)
    ramps = ramps_mw(frames)
    assert ramps["1min"] == {"up": pytest.approx(10.0), "down": pytest.approx(6.0)}
    assert ramps["1h"]["up"] == pytest.approx(16.0)
    assert ramps["within_step"] == pytest.approx(1.0)


def test_the_quantile_of_one_law_is_its_own() -> None:
    logs = np.log([[0.2, 0.5, 1.1]])
    for quantile, value in ((0.5, 0.2), (0.9, 0.5), (0.99, 1.1)):
        assert mixture_quantile(logs, np.ones(1), quantile) == pytest.approx(value, rel=1e-6)


@settings(max_examples=20, deadline=None)
@given(
    scales=st.lists(st.floats(0.05, 20), min_size=1, max_size=5),
    tails=st.floats(1.1, 4.0),
    quantile=st.sampled_from([0.5, 0.9, 0.99]),
)
def test_a_mixture_of_pareto_laws_has_the_quantile_of_a_sample_from_it(scales, tails, quantile) -> None:
    """For a Pareto law the interpolation is exact, so the mixture's CDF is known in closed form."""
    depth = -np.log1p(-np.array([0.5, 0.9, 0.99]))
    logs = np.log(np.array(scales))[:, None] + depth / tails
    found = mixture_quantile(logs, np.arange(1.0, len(scales) + 1), quantile)
    below = [1 - (scale / found) ** tails if found > scale else 0.0 for scale in scales]
    assert np.average(below, weights=np.arange(1.0, len(scales) + 1)) == pytest.approx(quantile, abs=1e-6)


def test_p99_of_the_window_is_weighted_by_requests_not_averaged(make_run) -> None:
    """One step in ten is slow but carries half of the requests: the p99 is the slow step's p98."""
    run = make_run(rows=10, kinds=("service",))
    slow = pl.int_range(pl.len()) == 0
    run.pods = run.pods.with_columns(
        requests=pl.when(slow).then(900.0).otherwise(100.0),
        **{
            f"ttft_{q}_s": pl.when(slow).then(100 * v).otherwise(v)
            for q, v in (("p50", 0.2), ("p90", 0.5), ("p99", 1.1))
        },
    )
    found = summary(run)["services"]["service-p0"]["ttft_p99_s"]
    depth = -np.log1p(-np.array([0.5, 0.9, 0.99, 0.98]))
    expected = np.exp(np.interp(depth[3], depth[:3], np.log([20.0, 50.0, 110.0])))
    assert found == pytest.approx(expected, rel=0.01)


def test_storage_cycles_and_soc(make_run) -> None:
    """Two full swings of 80 % are 1.6 equivalent full cycles."""
    run = make_run(rows=400)
    path = np.concatenate([np.linspace(0.9, 0.1, 100), np.linspace(0.1, 0.9, 100)] * 2)
    run.series = run.series.with_columns(pl.Series("storage.yard.soc_frac", path))
    run.meta["storage"]["yard"]["first_soc_frac"] = 0.9
    told = summary(run)["storage"]["yard"]
    assert told["equivalent_full_cycles"] == pytest.approx(1.6, rel=0.02)
    assert told["final_soc"] == pytest.approx(0.9)
    assert told["soh_loss_calendar_pct"] > 0
    assert set(told["ageing"]) >= {"naumann", "blast"}


@pytest.mark.parametrize(("models", "main"), [([], None), (["blast"], "blast"), (["naumann"], "naumann")])
def test_only_models_that_hold_for_the_cells_give_ageing(make_run, models, main) -> None:
    """A capacitor names none: it ages by neither law of lithium cells."""
    run = make_run()
    run.meta["storage"]["yard"]["ageing"] = models
    told = summary(run)["storage"]["yard"]
    assert list(told["ageing"]) == models
    assert told["ageing_model"] == main
    assert (told["soh_loss_calendar_pct"] is None) is (main is None)
    assert (told["soh_loss_cycle_pct"] is None) is (main is None)
    assert told["equivalent_full_cycles"] > 0


REQUIRED = {
    "window": "start end step_s steps",
    "energy_mwh": "grid_import grid_export pv wind storage_charge storage_discharge accelerator server it "
    "conversion_loss cooling auxiliary unserved closure_residual",
    "heat_mwh": "rejected reused stored closure_residual",
    "tokens": "output useful input total training",
    "tokenergy_kwh_per_mtok": "accelerator server it site",
    "tokenergy_factors": "accelerator_kwh_per_mtok server it site useful",
    "cost_usd": "energy demand total",
    "performance": "wall_s steps_per_s peak_rss_mb",
}
FLAT = "schema pue wue_l_per_kwh cue_kg_per_kwh ref erf peak_import_mw load_factor carbon_kg water_m3"


def test_summary_has_every_promised_key_and_is_plain_json(make_run) -> None:
    told = json.loads(json.dumps(summary(make_run()), allow_nan=False))
    assert not [key for key in FLAT.split() if told.get(key) is None]
    for group, keys in REQUIRED.items():
        assert not [key for key in keys.split() if told[group].get(key) is None], group
    service = told["services"]["service-p0"]
    wanted = "tokens_output tokens_useful ttft_p99_s itl_p99_s slo_attainment tokenergy_kwh_per_mtok"
    assert not [key for key in wanted.split() if service.get(key) is None]
    assert {"tokens", "energy_mwh", "finished"} <= set(told["jobs"]["job-p2"])
    wanted = {"equivalent_full_cycles", "soh_loss_calendar_pct", "soh_loss_cycle_pct", "final_soc"}
    assert wanted <= set(told["storage"]["yard"])


def test_undefined_figures_are_null_not_zero(make_run) -> None:
    run = make_run(kinds=("idle",), has_prices=False, has_carbon=False)
    told = summary(run)
    assert told["tokenergy_kwh_per_mtok"]["site"] is None
    assert told["cost_usd"]["total"] is None
    assert told["carbon_kg"] is None
    assert told["cue_kg_per_kwh"] is None


class Entry:
    """What an installed entry point looks like."""

    name, value = "stress", "pkg:stress"

    def __init__(self, function) -> None:
        self.function = function

    def load(self):
        return self.function


def test_user_measures_appear_under_their_name(make_run) -> None:
    found = user_measures(make_run(), [Entry(lambda run: {"rows": np.int64(run.series.height)})])
    assert found == {"stress": {"rows": 180}}


@pytest.mark.parametrize("function", [lambda _: 1 / 0, lambda _: object()], ids=["raises", "gives an object"])
def test_a_failing_user_measure_is_named_in_the_error(make_run, function) -> None:
    with pytest.raises(InputError, match=r"aidc\.measures: stress = pkg:stress.*the measure failed"):
        user_measures(make_run(), [Entry(function)])


def told_of(make_run, **service):
    run = make_run()
    run.summary = summary(run)
    run.summary["services"]["service-p0"]["conditions"].update(service)
    return run


def test_compare_gives_deltas(make_run) -> None:
    first, second = told_of(make_run), told_of(make_run)
    second.summary["pue"] = first.summary["pue"] + 0.1
    rows = {row.metric: row for row in compare([first, second])}
    assert rows["PUE"].deltas == (pytest.approx(0.1),)
    assert rows["TokEnergy Index"].refused is None
    assert rows["TokEnergy Index"].deltas == (0.0,)


@pytest.mark.parametrize(
    "change", [{"model": "other"}, {"slo": {"ttft_p99_s": 9.0}}, {"window": {"start": "x"}}]
)
def test_compare_refuses_indices_under_other_conditions(make_run, change) -> None:
    rows = {row.metric: row for row in compare([told_of(make_run), told_of(make_run, **change)])}
    assert next(iter(change)) in (rows["service-p0: TokEnergy Index"].refused or "")
    assert rows["service-p0: TokEnergy Index"].deltas == (None,)
    assert rows["TokEnergy Index"].refused is not None
    assert rows["service-p1: TokEnergy Index"].refused is None


def test_compare_allows_another_accelerator_and_says_so(make_run) -> None:
    rows = {row.metric: row for row in compare([told_of(make_run), told_of(make_run, accelerator="h100")])}
    row = rows["service-p0: TokEnergy Index"]
    assert row.refused is None
    assert "accelerator differs" in row.note
