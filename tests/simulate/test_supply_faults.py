"""Cases in which the engine departed from docs/supply.md when the judge first read it, each with its own right value.

Every one was found by the judge on random sites and cut down to a site that can be worked out by hand. Those that
are still open are marked as failing, strictly: mend the engine, and take the mark off.
"""

from __future__ import annotations

import numpy as np
import pytest
from supply_cases import (
    BATTERY,
    DIESEL,
    FORMING,
    IDEAL,
    LOSSLESS,
    ROUNDING_W,
    UPS,
    YARD,
    case_of,
    event,
    play_case,
    set_points,
)


def played(*args, **kwargs):
    return play_case(case_of(*args, **kwargs))


# ---- lost modules --------------------------------------------------------------------------------------


@pytest.mark.parametrize("stage", ["feed", pytest.param("ups")])
def test_lost_modules_cap_a_stage_and_the_battery_behind_it_fills_the_gap(stage) -> None:
    """Two of four modules of 0.96 MW pass 0.48 MW of 0.6 MW."""
    out = event("equipment-outage", 5, 15, of=f"chains.line.{stage}", units=2)
    told = played({"a": 6e5}, steps=20, front=BATTERY, events=[out])
    assert told.store_w[5:15, 0] == pytest.approx(np.full(10, -1.2e5))
    assert told.pods["bus_w"][5:15, 0] == pytest.approx(np.full(10, 4.8e5))


@pytest.mark.parametrize("stage", ["feed", pytest.param("ups")])
def test_lost_modules_shed_a_lineup_without_a_battery(stage) -> None:
    out = event("equipment-outage", 5, 15, of=f"chains.line.{stage}", units=2)
    told = played({"a": 6e5, "b": 4e5}, steps=20, events=[out])
    assert told.pods["shed_frac"][5:15].tolist() == [[1.0, 0.0]] * 10


def test_a_pod_does_not_come_back_on_its_battery_behind_lost_modules() -> None:
    """Two of four modules of `feed` pass 0.48 MW of 0.72 MW; the battery fills 0.24 MW for 12 s.

    What is left would fill 0.12 MW for one step more, once the racks want but 0.6 MW.
    """
    front = BATTERY | {"battery_s": 3.2, "recharge_frac": 0.01}  # 0.96 MW for 3.2 s
    out = event("equipment-outage", 5, 100, of="chains.line.feed", units=2)
    loads = [7.2e5] * 20 + [6e5] * 80
    told = played({"a": loads}, steps=100, front=front, events=[out], pods={"a": {"restart_s": 10.0}})
    off = told.pods["shed_frac"][:, 0]
    assert off[5:17].max() == 0.0
    assert off[17:100].min() == 1.0


def test_a_pod_does_not_come_back_on_its_battery_while_its_input_waits() -> None:
    """The battery ends in the outage but for 0.46 MJ; the grid is back at 60 s and the input has walked in at 67 s."""
    front = BATTERY | {"battery_s": 20.9, "battery_frac": 0.8}
    told = played(
        {"a": 7e5},
        steps=100,
        front=front,
        events=[event("supply-outage", 10, 60)],
        pods={"a": {"restart_s": 5.0}},
    )
    off = told.pods["shed_frac"][:, 0]
    assert int(np.argmax(off)) == 10 + int(20.9 * 9.6e5 / 7e5)
    assert int(np.argmin(off[40:])) + 40 == 67
    assert off[67:].max() == 0.0


def test_a_stage_without_modules_passes_not_even_losses() -> None:
    """The transformer is out; the battery behind the UPS carries the load, and nothing crosses the transformer."""
    chain = {"use": "415vac-double-conversion", "front": BATTERY}
    out = event("equipment-outage", 5, 15, of="chains.line.transformer", units=1)
    told = played({"a": 6e5}, steps=20, chain=chain, events=[out])
    assert told.pods["bus_w"][5:15, 0] == pytest.approx(np.zeros(10), abs=ROUNDING_W)


# ---- gensets at their least output ----------------------------------------------------------------------


def test_charging_from_gensets_uses_their_least_output_first() -> None:
    """0.5 MW at least, 0.2 MW of load: 0.1 MW into the storage is there already."""
    yard = YARD | {"power_mw": 0.1, "energy_mwh": 1.0, "charge_from_gensets": True}
    told = played(
        {"a": 2e5},
        steps=10,
        import_mw=0.0,
        storage={"yard": yard},
        gensets={"g": DIESEL | {"minimum_load_frac": 0.5}},
    )
    assert told.store_w[:, 0] == pytest.approx(np.full(10, 1e5))
    assert told.site["genset.g.power_w"] == pytest.approx(np.full(10, 5e5))
    assert told.site["load_bank_w"] == pytest.approx(2e5 - told.site["cooling_w"])


def test_charging_that_gensets_may_do_comes_before_curtailment() -> None:
    """0.5 MW at least and 0.1 MW of sun over 0.3 MW of load: 0.2 MW are stored, cooling takes of the last 0.1 MW."""
    yard = YARD | {"power_mw": 0.2, "energy_mwh": 1.0, "charge_from_gensets": True}
    told = played(
        {"a": 3e5},
        steps=10,
        import_mw=0.0,
        pv_w=1e5,
        storage={"yard": yard},
        gensets={"g": DIESEL | {"minimum_load_frac": 0.5}},
    )
    assert told.store_w[:, 0] == pytest.approx(np.full(10, 2e5))
    assert told.site["curtailed_w"] == pytest.approx(1e5 - told.site["cooling_w"])
    assert told.site["load_bank_w"] == pytest.approx(np.zeros(10), abs=ROUNDING_W)


def test_least_load_fills_batteries_of_lineups_before_it_heats_a_load_bank() -> None:
    """A UPS battery that gensets may not fill of themselves takes a tenth of 0.96 MW of what is over."""
    ups = UPS | {"power_mw": 1.0, "energy_mwh": 1.0, "soc_initial_frac": 0.5}
    told = played(
        {"a": 3e5},
        steps=10,
        import_mw=0.0,
        storage={"ups": ups},
        gensets={"g": DIESEL | {"minimum_load_frac": 0.5}},
    )
    assert told.store_w[:, 0] == pytest.approx(np.full(10, 0.96e5))
    assert told.site["load_bank_w"] == pytest.approx(2e5 - 0.96e5 - told.site["cooling_w"])


def test_least_load_fills_lineups_before_the_site() -> None:
    """0.15 MW are over: 0.096 MW for the lineup, the rest for the yard."""
    ups = UPS | {"power_mw": 1.0, "energy_mwh": 1.0, "soc_initial_frac": 0.5}
    yard = YARD | {"power_mw": 1.0, "energy_mwh": 1.0}
    told = played(
        {"a": 3.5e5},
        steps=10,
        import_mw=0.0,
        storage={"ups": ups, "yard": yard},
        gensets={"g": DIESEL | {"minimum_load_frac": 0.5}},
    )
    by_name = dict(zip(told.store_names, told.store_w.T, strict=True))
    assert by_name["ups"] == pytest.approx(np.full(10, 0.96e5))
    assert by_name["yard"] == pytest.approx(1.5e5 - 0.96e5 - told.site["cooling_w"])


def test_a_storage_that_exports_beside_gensets_curtails_nothing() -> None:
    """Nothing may be imported; sets carry what the sun leaves open, and a storage exports 0.2 MW on command."""
    yard = YARD | {"power_mw": 0.2, "energy_mwh": 1.0, "soc_initial_frac": 1.0}
    case = case_of(
        {"a": 3e5},
        steps=40,
        export_mw=1.0,
        pv_w=1e5,
        events=[event("import-limit", 5, 40, limit_mw=0.0)],
        storage={"yard": yard},
        gensets={"g": DIESEL},
    )
    told = play_case(set_points(case, (30, {"yard": -2e5})))
    late = slice(32, 40)
    assert told.store_w[late, 0] == pytest.approx(np.full(8, -2e5))
    assert told.site["curtailed_w"][late] == pytest.approx(np.zeros(8), abs=ROUNDING_W)
    assert told.site["net_import_w"][late] == pytest.approx(np.full(8, -2e5))


# ---- the dead bus and the UPS bus -----------------------------------------------------------------------


def test_a_rack_that_its_own_storage_carries_draws_nothing_from_a_dead_bus() -> None:
    rack = {"use": "rack-capacitor-shelf", "rule": {"use": "reserve"}, **IDEAL}
    rack |= {"power_mw": 1.0, "energy_mwh": 0.1, "soc_initial_frac": 1.0}
    chain = {"use": "415vac-double-conversion", "front": "psu-direct"}
    told = played(
        {"a": 5e5}, steps=20, chain=chain, storage={"rack": rack}, events=[event("supply-outage", 5, 15)]
    )
    assert told.pods["shed_frac"][5:15].max() == 0.0
    assert told.pods["bus_w"][5:15, 0] == pytest.approx(np.zeros(10), abs=ROUNDING_W)
    assert told.books["energy"].max() < 1e-9


def test_the_last_scraps_of_a_battery_do_not_flow_backwards() -> None:
    """480 J are less than a second of the power shelves' no-load loss: the rack's own storage carries all."""
    rack = {"use": "rack-capacitor-shelf", "rule": {"use": "reserve"}, **IDEAL}
    rack |= {"power_mw": 1.0, "energy_mwh": 0.1, "soc_initial_frac": 1.0}
    chain = {"use": "415vac-double-conversion", "front": BATTERY | {"battery_s": 0.0005}}
    told = played(
        {"a": 5e5}, steps=20, chain=chain, storage={"rack": rack}, events=[event("supply-outage", 5, 15)]
    )
    assert told.pods["shed_frac"].max() == 0.0
    assert told.pods["bus_w"].min() >= -ROUNDING_W
    assert told.books["energy"].max() < 1e-9


def test_cooling_on_a_ups_bus_that_nothing_feeds_takes_its_lineup_down() -> None:
    """A storage in the rack cannot feed pumps on the UPS bus; the lineup is not carried."""
    rack = {"use": "rack-capacitor-shelf", "rule": {"use": "reserve"}, **IDEAL}
    rack |= {"power_mw": 1.0, "energy_mwh": 0.1, "soc_initial_frac": 1.0}
    told = played(
        {"a": 5e5},
        steps=20,
        storage={"rack": rack},
        drives={"on_ups": True},
        events=[event("supply-outage", 5, 15)],
    )
    assert told.pods["shed_frac"][5:15, 0].min() == 1.0
    assert told.site["cooling_w"][5:15].max() == 0.0
    assert told.books["energy"].max() < 1e-9


def test_cooling_on_the_ups_of_a_lineup_without_one_is_in_the_books() -> None:
    chain = {"use": "frontier"}
    pods = {"a": {"use": "frontier-cabinet", "racks": 2}}
    told = played({"a": 5e5}, steps=10, chain=chain, pods=pods, drives={"on_ups": True})
    assert told.books["energy"].max() < 1e-9


def test_a_storage_at_the_ups_sees_the_cooling_on_its_bus() -> None:
    """It holds its node at 0.5 MW: 0.499 MW of racks and all pumps and fans."""
    ups = UPS | {"power_mw": 1.0, "energy_mwh": 1.0, "soc_initial_frac": 1.0}
    ups |= {"rule": {"use": "peak-shaving", "target_mw": 0.5, "charge_below_mw": 0.0}}
    told = played({"a": 4.99e5}, steps=10, storage={"ups": ups}, drives={"on_ups": True})
    assert -told.store_w[:, 0] == pytest.approx(told.site["cooling_w"] - 1e3)


def test_cooling_on_the_ups_counts_as_wanted() -> None:
    told = played({"a": 5e5}, steps=10, drives={"on_ups": True})
    assert told.site["wanted_w"] == pytest.approx(5e5 + told.site["cooling_w"])


def test_cooling_on_the_ups_counts_against_the_import_limit() -> None:
    """The racks fit the limit once they work harder, racks and pumps do not: without a storage the pod is shed."""
    told = played({"a": [4e5] * 10 + [5e5] * 5}, steps=15, import_mw=0.505, drives={"on_ups": True})
    assert told.site["net_import_w"].max() <= 5.05e5 * (1 + 1e-9)
    assert told.pods["shed_frac"][10, 0] == 1.0


def test_cooling_on_the_ups_calls_gensets() -> None:
    told = played({"a": 5e5}, steps=40, import_mw=0.505, drives={"on_ups": True}, gensets={"g": DIESEL})
    assert told.site["genset.g.running_frac"][-1] == 1.0


# ---- calm steps ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("node", ["ups", "rack"])
def test_what_a_storage_in_a_lineup_takes_is_not_wanted(node) -> None:
    store = UPS | {"node": node, "power_mw": 0.05, "energy_mwh": 1.0, "soc_initial_frac": 0.5}
    told = played({"a": 5e5}, steps=10, storage={"s": store})
    assert told.store_w[5, 0] > 1e3
    assert told.site["wanted_w"] == pytest.approx(5e5 + told.site["cooling_w"])


def test_a_battery_at_the_ups_does_not_discharge_to_fill_a_storage_in_the_rack() -> None:
    """The racks stay below the target of the battery; filling the storage in the rack is not load."""
    ups = UPS | {"power_mw": 1.0, "energy_mwh": 1.0, "soc_initial_frac": 1.0}
    ups |= {"rule": {"use": "peak-shaving", "target_mw": 0.6, "charge_below_mw": 0.0}}
    rack = {"use": "rack-capacitor-shelf", "rule": {"use": "reserve"}, **IDEAL}
    rack |= {"power_mw": 0.4, "energy_mwh": 1.0, "soc_initial_frac": 0.5}
    told = played({"a": 5e5}, steps=10, storage={"ups": ups, "rack": rack})
    by_name = dict(zip(told.store_names, told.store_w.T, strict=True))
    assert by_name["rack"] == pytest.approx(np.full(10, 4e5))
    assert by_name["ups"] == pytest.approx(np.zeros(10), abs=ROUNDING_W)


def test_an_outage_of_half_a_step_halves_what_the_grid_gives() -> None:
    """Half of 1 MW is 0.5 MW, enough for 0.4 MW and cooling."""
    told = played({"a": 4e5}, steps=10, dt_s=60.0, import_mw=1.0, events=[event("supply-outage", 240, 270)])
    assert told.pods["shed_frac"][:, 0].max() == 0.0


def test_a_storage_that_is_asked_for_nothing_loses_nothing() -> None:
    """Constant load under a smoothing rule: nothing to smooth, whatever the load."""
    yard = YARD | {"rule": {"use": "smoothing", "window_min": 1.0}, "power_mw": 1.0, "energy_mwh": 0.01}
    yard |= {"soc_initial_frac": 0.5, "discharge_loss": LOSSLESS | {"a": 0.01}}
    lost = []
    for load_w in np.linspace(3e5, 7e5, 12) / 3.0:
        told = played({"a": float(load_w)}, steps=3, storage={"yard": yard})
        lost.append(0.5 - told.soc[0, 0])  # in the first step the mean is the load
    assert max(lost) < 1e-9


def test_forming_storages_are_what_they_were() -> None:
    """A control for the file: the same dead bus with a storage that forms it is carried whole."""
    told = played(
        {"a": 5e5},
        steps=20,
        storage={"yard": FORMING | {"power_mw": 1.0, "energy_mwh": 1.0}},
        events=[event("supply-outage", 5, 15)],
    )
    assert told.pods["shed_frac"].max() == 0.0
    assert told.books["energy"].max() < 1e-9
