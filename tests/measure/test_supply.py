"""What was not supplied, availability, and gensets, against figures counted by hand."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from aidc.measure.compare import compare
from aidc.measure.cost import bill_of
from aidc.measure.frames import frames_of
from aidc.measure.gensets import gensets
from aidc.measure.summary import summary
from aidc.measure.supply import supply

HOUR_ROWS = 60


def told_pods(run, **columns):
    """The run with columns of pods, by column and pod; pods that are not named keep the column's fair value."""
    fair = {"shed_frac": 0.0, "not_supplied_w": 0.0, "available_frac": 1.0, "tripped_frac": 0.0}
    names = run.pods["pod"].unique().sort().to_list()
    rows = run.pods.height // len(names)
    found = {
        column: pl.concat(
            [
                pl.DataFrame(
                    {
                        "time": run.series["time"],
                        "pod": [name] * rows,
                        column: np.broadcast_to(columns.get(column, {}).get(name, value), rows),
                    }
                )
                for name in names
            ]
        )
        for column, value in fair.items()
    }
    for frame in found.values():
        run.pods = run.pods.join(frame, on=["time", "pod"], how="left", maintain_order="left")
    return run


def steps(**spans):
    """An hour of minutes that is 0 but for some: `steps(a=(first, last, value))`."""
    values = np.zeros(HOUR_ROWS)
    for first, last, value in spans.values():
        values[first:last] = value
    return values


@pytest.fixture
def foul(make_run):
    """One hour, two services of 10 and 20 MW of nameplate.

    p0 is shed twice, for 6 min and for 12.5 min, each time short of 3 MW; p1 once, for 5 min of the second time and
    short of 6 MW, and it is shut down for heat for 3 min in which it wants nothing.
    """
    shed0 = steps(a=(5, 11, 1.0), b=(30, 42, 1.0), c=(42, 43, 0.5))
    shed1 = steps(a=(33, 38, 1.0))
    tripped1 = steps(a=(50, 53, 1.0))
    return told_pods(
        make_run(rows=HOUR_ROWS, kinds=("service", "service")),
        shed_frac={"p0": shed0, "p1": shed1},
        not_supplied_w={"p0": 3e6 * shed0, "p1": 6e6 * shed1},
        available_frac={"p0": 1 - shed0, "p1": 1 - shed1 - tripped1},
        tripped_frac={"p1": tripped1},
    )


def test_energy_time_and_availability_of_pods_by_hand(foul) -> None:
    told = supply(frames_of(foul))["pods"]
    assert told["p0"] == {
        "energy_not_supplied_mwh": pytest.approx(3.0 * 18.5 / 60),
        "time_not_supplied_h": pytest.approx(18.5 / 60),
        "availability_frac": pytest.approx(1 - 18.5 / 60),
        "shed_count": 2,
        "tripped_h": 0.0,
    }
    assert told["p1"] == {
        "energy_not_supplied_mwh": pytest.approx(6.0 * 5 / 60),
        "time_not_supplied_h": pytest.approx(5 / 60),
        "availability_frac": pytest.approx(1 - 8 / 60),
        "shed_count": 1,
        "tripped_h": pytest.approx(3 / 60),
    }


def test_the_site_adds_energies_joins_times_and_weighs_pods_by_nameplate(foul) -> None:
    told = supply(frames_of(foul))
    assert told["energy_not_supplied_mwh"] == pytest.approx(3.0 * 18.5 / 60 + 6.0 * 5 / 60)
    assert told["time_not_supplied_h"] == pytest.approx(18.5 / 60)  # p1's time lies within p0's
    assert told["availability_frac"] == pytest.approx(1 - (18.5 + 2 * 8) / 3 / 60)
    assert told["shed_count"] == 3
    assert told["services"]["service-p1"] == told["pods"]["p1"]


def test_a_service_of_two_pods_lacks_something_while_either_does(foul) -> None:
    foul.meta["workloads"] = {"chat": {"kind": "service", "pods": ["p0", "p1"]}}
    told = supply(frames_of(foul))
    assert told["services"]["chat"] == {key: told[key] for key in told["services"]["chat"]}


def test_a_pod_that_wants_nothing_lacks_nothing_but_is_not_available(make_run) -> None:
    off = steps(a=(10, 20, 1.0))
    run = told_pods(
        make_run(rows=HOUR_ROWS, kinds=("job",)), shed_frac={"p0": off}, available_frac={"p0": 1 - off}
    )
    told = supply(frames_of(run))["jobs"]["job-p0"]
    assert (told["energy_not_supplied_mwh"], told["time_not_supplied_h"]) == (0.0, 0.0)
    assert told["availability_frac"] == pytest.approx(5 / 6)


def test_idling_is_available_and_a_fair_run_lacks_nothing(make_run) -> None:
    told = supply(frames_of(told_pods(make_run(dark=1.0))))
    for one in (told, *told["pods"].values()):
        assert one["availability_frac"] == 1.0
        assert (one["energy_not_supplied_mwh"], one["time_not_supplied_h"], one["shed_count"]) == (0, 0, 0)


@pytest.mark.parametrize("rows", [1, 7, 30_000])
def test_slices_that_cut_a_step_in_two_change_nothing(make_run, rows) -> None:
    """32,768 rows are read at once: three pods cut a step there. Order of rows does not matter either."""
    on = (np.arange(rows) % 5 < 2).astype(float)
    run = told_pods(
        make_run(rows=rows, kinds=("service", "job", "idle")),
        shed_frac=dict.fromkeys(("p0", "p1", "p2"), on),
        not_supplied_w={"p0": on, "p1": 2 * on, "p2": 3 * on},
        available_frac=dict.fromkeys(("p0", "p1", "p2"), 1 - on),
    )
    told = supply(frames_of(run))
    assert told["time_not_supplied_h"] == pytest.approx(on.sum() / 60)
    assert told["shed_count"] == 3 * -(-rows // 5)
    run.pods = run.pods.reverse()
    again = supply(frames_of(run))
    assert again["shed_count"] == told["shed_count"]
    assert again["time_not_supplied_h"] == pytest.approx(told["time_not_supplied_h"])


def test_a_dead_bus_and_what_hangs_on_it(foul) -> None:
    foul.series = foul.series.with_columns(
        bus_formed_frac=pl.Series(1 - steps(a=(5, 6, 0.25), b=(30, 31, 1.0))),
        cooling_unserved_w=pl.lit(2e6),
        auxiliary_unserved_w=pl.lit(5e5),
        load_bank_w=pl.lit(1e6),
    )
    told = supply(frames_of(foul))
    assert told["bus_not_formed_h"] == pytest.approx(75 / 3600)
    assert told["cooling_not_supplied_mwh"] == pytest.approx(2.0)
    assert told["auxiliary_not_supplied_mwh"] == pytest.approx(0.5)
    assert told["load_bank_mwh"] == pytest.approx(1.0)


def test_a_record_that_does_not_tell_who_was_off_gives_the_sites_energy_alone(make_run) -> None:
    run = make_run(rows=HOUR_ROWS)
    run.series = run.series.with_columns(unserved_w=pl.lit(2e6))
    told = supply(frames_of(run))
    assert told["energy_not_supplied_mwh"] == pytest.approx(2.0)
    assert told["availability_frac"] is None
    assert told["bus_not_formed_h"] is None
    assert told["pods"] == {}


def with_genset(run, running, power_w, fuel_w, **facts):
    columns = {"running_frac": running, "power_w": power_w, "fuel_w": fuel_w}
    run.series = run.series.with_columns(
        [pl.Series(f"genset.g.{name}", np.asarray(values, dtype=float)) for name, values in columns.items()]
    )
    run.meta["gensets"] = {"g": facts}
    return run


def test_gensets_by_hand(make_run) -> None:
    """Twice on in an hour, for 10.5 and 20 min at 4 MW, at 40 %; 20 MWh of fuel at 90 USD and 265.6 kg."""
    running = steps(a=(10, 11, 0.5), b=(11, 21, 1.0), c=(40, 60, 1.0))
    facts = {"fuel_j": 20 * 3.6e9, "fuel_price_usd_per_mwh": 90.0, "fuel_carbon_kg_per_mwh": 265.6}
    run = with_genset(make_run(rows=HOUR_ROWS), running, 4e6 * running, 10e6 * running, **facts)
    fuel = 10 * 30.5 / 60
    assert gensets(frames_of(run))["g"] == {
        "energy_mwh": pytest.approx(4 * 30.5 / 60),
        "fuel_mwh": pytest.approx(fuel),
        "fuel_left_mwh": pytest.approx(20 - fuel),
        "running_h": pytest.approx(30.5 / 60),
        "starts": 2,
        "mean_efficiency_frac": pytest.approx(0.4),
        "autonomy_h": pytest.approx((20 - fuel) / 10),
        "carbon_kg": pytest.approx(265.6 * fuel),
        "fuel_cost_usd": pytest.approx(90 * fuel),
    }


def test_gensets_that_ran_from_the_start_did_not_start_and_a_tank_without_end_does_not_empty(
    make_run,
) -> None:
    on = np.ones(HOUR_ROWS)
    told = gensets(frames_of(with_genset(make_run(rows=HOUR_ROWS), on, on, 3 * on, fuel_j=None)))["g"]
    assert told["starts"] == 0
    assert (told["fuel_left_mwh"], told["autonomy_h"], told["carbon_kg"]) == (None, None, None)
    off = 0 * on
    told = gensets(frames_of(with_genset(make_run(rows=HOUR_ROWS), off, off, off, fuel_j=3.6e9)))["g"]
    assert (told["fuel_left_mwh"], told["autonomy_h"], told["mean_efficiency_frac"]) == (1.0, None, None)


def test_carbon_and_cost_count_the_fuel_that_was_burnt(make_run) -> None:
    """A megawatt-hour at 40 % burns 2.5 MWh of fuel: 225 USD and 664 kg beside the grid's."""
    fair, own = summary(make_run(rows=HOUR_ROWS)), make_run(rows=HOUR_ROWS)
    running = steps(a=(0, 60, 1.0))
    facts = {"fuel_price_usd_per_mwh": 90.0, "fuel_carbon_kg_per_mwh": 265.6}
    told = summary(with_genset(own, running, 1e6 * running, 2.5e6 * running, **facts))
    assert told["cost_usd"]["fuel"] == pytest.approx(225.0)
    assert told["cost_usd"]["total"] == pytest.approx(fair["cost_usd"]["total"] + 225.0)
    assert told["cost_usd"]["prorated"] == pytest.approx(fair["cost_usd"]["prorated"] + 225.0)
    assert told["cost_usd"]["months"][0]["fuel_usd"] == pytest.approx(225.0)
    assert told["carbon_kg"] == pytest.approx(fair["carbon_kg"] + 664.0)
    assert told["gensets"]["g"]["carbon_kg"] == pytest.approx(664.0)


def test_records_that_told_carbon_per_output_are_still_read(make_run) -> None:
    run = make_run(rows=HOUR_ROWS, genset_kg_per_mwh=700.0)
    before = summary(run)["carbon_kg"]
    run.series = run.series.with_columns(genset_w=pl.lit(2e6))
    assert summary(run)["carbon_kg"] == pytest.approx(before + 1400.0)


def test_an_island_needs_no_price_and_no_carbon_of_a_grid(make_run) -> None:
    on = np.ones(HOUR_ROWS)
    run = make_run(rows=HOUR_ROWS, has_prices=False, has_carbon=False, tariff={})
    facts = {"fuel_price_usd_per_mwh": 30.0, "fuel_carbon_kg_per_mwh": 200.0}
    with_genset(run, on, 4e6 * on, 10e6 * on, **facts)
    assert summary(run)["carbon_kg"] is None
    assert bill_of(frames_of(run)).summary()["total"] is None
    run.series = run.series.with_columns(grid_import_w=pl.lit(0.0), grid_export_w=pl.lit(0.0))
    told = summary(run)
    assert told["carbon_kg"] == pytest.approx(2000.0)
    assert told["cost_usd"]["total"] == told["cost_usd"]["fuel"] == pytest.approx(300.0)


def test_runs_compare_by_what_was_not_supplied(foul, make_run) -> None:
    foul.summary = summary(foul)
    fair = told_pods(make_run(rows=HOUR_ROWS, kinds=("service", "service")))
    fair.summary = summary(fair)
    rows = {row.metric: row for row in compare([fair, foul])}
    assert rows["availability"].values == (1.0, pytest.approx(1 - 34.5 / 3 / 60))
    assert rows["not supplied"].values == (0.0, pytest.approx(0.925 + 0.5))
    assert rows["pods.p0: times shed"].values == (0.0, 2.0)
    assert rows["services.service-p1: not supplied"].deltas == (pytest.approx(0.5),)
    only_fair = {row.metric for row in compare([fair, fair])}
    assert not [name for name in only_fair if name.startswith(("pods.", "site bus", "load bank"))]
