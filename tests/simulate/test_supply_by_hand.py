"""Who supplies what, worked out by hand on sites whose lineups and storages lose nothing."""

from __future__ import annotations

import numpy as np
import pytest
from supply_cases import (
    BATTERY,
    DIESEL,
    FORMING,
    ROUNDING_W,
    UPS,
    YARD,
    case_of,
    event,
    play_case,
    set_points,
)
from supply_compare import disagreements
from supply_play import Played
from supply_sites import Case


def agreed(case: Case, *leave_out: str) -> Played:
    """The case as played; what is worked out by hand and the judge may not differ either.

    `wanted_w` has tests of its own, see `test_supply_faults.py`.
    """
    played = play_case(case)
    assert disagreements(played, leave_out=("wanted_w", *leave_out)) == []
    return played


# ---- what forms the bus --------------------------------------------------------------------------------


@pytest.mark.parametrize("storage", [{}, {"yard": YARD | {"power_mw": 5.0, "energy_mwh": 5.0}}])
def test_a_dead_bus_carries_nothing(storage) -> None:
    """Neither photovoltaics nor a grid-following storage hold a bus; what they could have given is curtailed."""
    case = case_of(
        {"a": 5e5},
        steps=30,
        events=[event("supply-outage", 10, 20)],
        pv_w=4e5,
        auxiliary_mw=0.03,
        storage=storage,
    )
    site = agreed(case).site
    dead = slice(10, 20)
    for name in ("net_import_w", "pv_w", "cooling_w", "auxiliary_w", "load_bank_w", "formed_frac"):
        assert site[name][dead] == pytest.approx(np.zeros(10)), name
    assert site["curtailed_w"][dead] == pytest.approx(np.full(10, 4e5))
    assert site["unserved_w"][dead] == pytest.approx(np.full(10, 5e5))
    assert site["auxiliary_unserved_w"][dead] == pytest.approx(np.full(10, 3e4))
    assert (site["cooling_unserved_w"][dead] > 1e3).all()
    assert site["pv_w"][9] == pytest.approx(4e5)


def test_a_grid_forming_storage_carries_the_whole_bus_until_it_is_empty() -> None:
    """5 % of 0.1 MWh above the minimum is 18 MJ. What does not last for a whole step of the pod lasts for cooling
    and auxiliaries; then it forms nothing until the grid is back.
    """
    yard = FORMING | {"power_mw": 2.0, "energy_mwh": 0.1, "soc_min_frac": 0.45, "soc_initial_frac": 0.5}
    shaving = {"use": "peak-shaving", "target_mw": 9.0, "charge_below_mw": 0.0}  # it does not charge
    case = case_of(
        {"a": 5e5},
        steps=90,
        events=[event("supply-outage", 10, 80)],
        pv_w=1e4,
        storage={"yard": yard | {"rule": shaving}},
        auxiliary_mw=0.02,
    )
    played = agreed(case)
    site, given = played.site, -played.store_w[:, 0]
    small = 2e4 + site["cooling_w"][10:60] - 1e4
    need = small + 5e5
    last = int(np.argmax(np.cumsum(need) > 18e6))  # whole steps
    assert given[10 : 10 + last] == pytest.approx(need[:last])
    assert played.pods["shed_frac"][10:80, 0].tolist() == [0.0] * last + [1.0] * (70 - last)
    rest = int((18e6 - need[:last].sum()) // small[last])
    assert rest > 0
    assert given[10 + last : 10 + last + rest] == pytest.approx(small[last : last + rest], rel=0.1)
    assert site["formed_frac"][: 10 + last + rest] == pytest.approx(np.ones(10 + last + rest))
    assert played.soc[79, 0] == pytest.approx(0.45, abs=1e-9)
    assert site["formed_frac"][10 + last + rest + 2 : 80].max() == 0.0
    assert site["formed_frac"][80:] == pytest.approx(np.ones(10))


def test_photovoltaics_fill_a_grid_forming_storage_on_an_island() -> None:
    yard = FORMING | {"power_mw": 2.0, "energy_mwh": 1.0, "soc_initial_frac": 0.5}
    case = case_of({"a": 3e5}, steps=20, import_mw=0.0, pv_w=9e5, storage={"yard": yard})
    played = agreed(case)
    surplus = 9e5 - 3e5 - played.site["cooling_w"]
    assert played.store_w[:, 0] == pytest.approx(surplus)
    assert played.site["curtailed_w"] == pytest.approx(np.zeros(20), abs=ROUNDING_W)


# ---- coming back ---------------------------------------------------------------------------------------


def test_a_lineup_waits_and_walks_in_while_its_battery_carries_the_rest() -> None:
    """Return after 3 s, over 4 s: the middles of the steps are at 1/8, 3/8, 5/8 and 7/8 of the walk-in."""
    case = case_of({"a": 5e5}, steps=40, front=BATTERY, events=[event("supply-outage", 10, 20)])
    given = -agreed(case).store_w[:, 0] / 5e5
    assert given[10:23] == pytest.approx(np.ones(13))
    assert given[23:27] == pytest.approx([7 / 8, 5 / 8, 3 / 8, 1 / 8])
    recharge = 0.1 * 9.6e5
    assert agreed(case).store_w[27, 0] == pytest.approx(recharge)


def test_a_battery_that_ends_in_the_outage_sheds_its_lineup_alone() -> None:
    """40 s of 0.5 MW: the other lineup has more energy over its load and stays on."""
    case = case_of(
        {"a": 9e5, "b": 3e5},
        steps=90,
        front=BATTERY | {"battery_s": 30.0},
        events=[event("supply-outage", 10, 70)],
        pods={"a": {"priority": 0}, "b": {"priority": 9}},
    )
    played = agreed(case)
    held_s = 30.0 * 9.6e5 / 9e5  # rated power for 30 s
    off = played.pods["shed_frac"]
    assert off[10 : 10 + int(held_s), 0].max() == 0.0
    assert off[10 + int(held_s), 0] == 1.0
    assert off[:70, 1].max() == 0.0


def test_pods_come_back_by_priority_once_they_fit_with_their_margin() -> None:
    """1.25 MW of room: 0.9 MW with a margin of half does not fit and does not hold up 0.4 MW behind it."""
    case = case_of(
        {"a": 9e5, "b": 4e5, "c": 3e5},
        steps=60,
        import_mw=2.2,
        events=[event("import-limit", 10, 20, limit_mw=0.1), event("import-limit", 20, 40, limit_mw=1.25)],
        pods={
            "a": {"priority": 0, "return_margin_frac": 0.5, "restart_s": 4.0, "return_s": 5.0},
            "b": {"priority": 1, "restart_s": 15.0},
            "c": {"priority": 2, "restart_s": 4.0, "return_s": 5.0},
        },
    )
    played = agreed(case)
    off = played.pods["shed_frac"]
    assert off[10:20].min() == 1.0
    back = [int(np.argmin(off[10:, pod])) + 10 for pod in range(3)]
    assert back == [40, 25, 20]  # its margin; its restart; the limit
    missing = np.array([9e5, 4e5, 3e5]) * (np.array(back) - 10)
    assert played.pods["not_supplied_w"].sum(axis=0) == pytest.approx(missing)
    assert played.site["unserved_w"].sum() == pytest.approx(missing.sum())


def test_pods_go_one_at_a_time_the_highest_number_first_and_the_last_named_among_equals() -> None:
    loads = {"a": 3e5, "b": 3e5, "c": 3e5, "d": 3e5}
    order = {"a": {"priority": 5}, "b": {"priority": 1}, "c": {"priority": 5}, "d": {"priority": 0}}
    limits = [(10, 1.0), (20, 0.7), (30, 0.4), (40, 0.25)]
    events = [event("import-limit", first, first + 10, limit_mw=limit) for first, limit in limits]
    off = agreed(case_of(loads, steps=50, events=events, pods=order)).pods["shed_frac"]
    assert off[15].tolist() == [0, 0, 1, 0]
    assert off[25].tolist() == [1, 0, 1, 0]
    assert off[35].tolist() == [1, 1, 1, 0]
    assert off[45].tolist() == [1, 1, 1, 1]


# ---- with every pod off --------------------------------------------------------------------------------


def test_cooling_goes_before_auxiliaries_and_auxiliaries_are_cut_to_what_is_left() -> None:
    """Limits of the grid that leave every pod off: room for cooling and auxiliaries, for these alone, for half."""
    free = agreed(case_of({"a": 5e5}, steps=20)).site["cooling_w"][5]
    limits = [(5, 0.03 + free * 1.05e-6), (10, 0.031), (15, 0.012)]
    events = [event("import-limit", first, first + 5, limit_mw=limit) for first, limit in limits]
    site = agreed(case_of({"a": 5e5}, steps=25, auxiliary_mw=0.03, events=events)).site
    assert site["cooling_w"][5:10] == pytest.approx(np.full(5, free), rel=0.05)
    assert site["auxiliary_unserved_w"][5:15] == pytest.approx(np.zeros(10), abs=ROUNDING_W)
    assert site["cooling_w"][10:20] == pytest.approx(np.zeros(10), abs=ROUNDING_W)
    assert site["auxiliary_w"][15:20] == pytest.approx(np.full(5, 1.2e4))
    assert site["auxiliary_unserved_w"][15:20] == pytest.approx(np.full(5, 1.8e4))
    assert site["net_import_w"][15:20] == pytest.approx(np.full(5, 1.2e4))


def test_opened_lineups_lose_nothing() -> None:
    """The no-load losses of a real lineup go before auxiliaries do."""
    chain = {"use": "415vac-double-conversion", "front": "psu-direct"}
    events = [event("import-limit", 5, 10, limit_mw=0.011)]
    played = agreed(case_of({"a": 5e5}, steps=20, auxiliary_mw=0.01, chain=chain, events=events))
    assert played.pods["bus_w"][5:10, 0] == pytest.approx(np.zeros(5), abs=ROUNDING_W)
    assert played.site["auxiliary_w"][5:10] == pytest.approx(np.full(5, 1e4))


# ---- gensets -------------------------------------------------------------------------------------------


def test_gensets_carry_after_call_start_and_synchronising_and_stop_after_what_they_are_told() -> None:
    """A limit from 10 to 40: they carry from 10 + 3 + 4 + 2 to 40 + 6; a site storage bridges."""
    yard = YARD | {"power_mw": 2.0, "energy_mwh": 1.0, "soc_initial_frac": 1.0}
    case = case_of(
        {"a": 8e5},
        steps=60,
        events=[event("import-limit", 10, 40, limit_mw=0.3)],
        storage={"yard": yard},
        gensets={"g": DIESEL},
    )
    played = agreed(case)
    running = played.site["genset.g.running_frac"]
    assert np.flatnonzero(running).tolist() == list(range(19, 46))
    lack = 8e5 + played.site["cooling_w"] - 3e5
    assert -played.store_w[10:19, 0] == pytest.approx(lack[10:19])
    assert played.site["genset.g.power_w"][19:40] == pytest.approx(lack[19:40])
    assert played.site["genset.g.power_w"][40:] == pytest.approx(np.zeros(20), abs=ROUNDING_W)
    assert played.pods["shed_frac"].max() == 0.0


@pytest.mark.parametrize(("length_s", "called"), [(2, False), (3, True)])
def test_a_lack_shorter_than_the_call_calls_nobody(length_s, called) -> None:
    case = case_of(
        {"a": 8e5},
        steps=40,
        events=[event("import-limit", 10, 10 + length_s, limit_mw=0.3)],
        gensets={"g": DIESEL | {"stop_s": 20.0}},
    )
    assert bool(agreed(case).site["genset.g.running_frac"].max()) is called


def test_sets_rise_by_their_ramp_and_fall_at_once() -> None:
    """20 % of 1 MW a second; the battery in the lineup gives the rest of its load while they rise."""
    ups = UPS | {"power_mw": 2.0, "energy_mwh": 1.0, "soc_initial_frac": 1.0}
    case = case_of(
        {"a": 9e5},
        steps=40,
        events=[event("import-limit", 10, 30, limit_mw=0.05)],
        storage={"ups": ups},
        gensets={"g": DIESEL | {"ramp_frac_per_s": 0.2}},
    )
    played = agreed(case)
    assert played.site["genset.g.power_w"][19:24] == pytest.approx(
        [2e5, 4e5, 6e5, 8e5, 8.5e5 + played.site["cooling_w"][23]]
    )
    assert played.site["genset.g.power_w"][30] == pytest.approx(0.0, abs=ROUNDING_W)


def test_least_load_curtails_then_charges_then_heats_a_load_bank() -> None:
    """0.5 of 2 MW on an island of 0.3 MW with 0.2 MW of sun: the sun goes, 0.1 MW is stored, the rest is heat."""
    yard = YARD | {"power_mw": 0.1, "energy_mwh": 1.0, "soc_initial_frac": 0.5}
    case = case_of(
        {"a": 3e5},
        steps=20,
        import_mw=0.0,
        pv_w=2e5,
        storage={"yard": yard},
        gensets={"g": DIESEL | {"power_mw": 2.0, "minimum_load_frac": 0.5}},
    )
    played = agreed(case)
    site = played.site
    assert site["genset.g.power_w"] == pytest.approx(np.full(20, 1e6))
    assert site["curtailed_w"] == pytest.approx(np.full(20, 2e5))
    assert played.store_w[:, 0] == pytest.approx(np.full(20, 1e5))
    assert site["load_bank_w"] == pytest.approx(1e6 - 3e5 - 1e5 - site["cooling_w"])


def test_what_gensets_give_beyond_the_load_is_not_exported() -> None:
    """After an outage they run on for `stop_s` at least load, which displaces import and is never sold."""
    case = case_of(
        {"a": 3e5},
        steps=60,
        export_mw=5.0,
        front=BATTERY,
        events=[event("supply-outage", 10, 30)],
        gensets={"g": DIESEL | {"power_mw": 2.0, "minimum_load_frac": 0.5, "stop_s": 20.0}},
    )
    site = agreed(case, "storage", "charge", "load_bank", "pod 0 bus_w", "genset").site
    assert site["export_w"].max() == 0.0
    assert site["load_bank_w"][45] > 5e5


def test_a_tank_runs_empty_and_no_more_is_burnt_than_it_held() -> None:
    """10 kWh; at full load the efficiency of the data sheet is 41.6 %, that is some 13.5 s of 1 MW."""
    case = case_of(
        {"a": 9.5e5},
        steps=60,
        import_mw=0.0,
        gensets={"g": DIESEL | {"fuel_mwh": 0.01}},
    )
    site = agreed(case).site
    burnt_j = site["genset.g.fuel_w"].sum()
    assert 0.985 * 0.01 * 3.6e9 < burnt_j <= 0.01 * 3.6e9 * (1 + 1e-12)
    given_j = site["genset.g.power_w"].sum()
    assert given_j / burnt_j == pytest.approx(0.416, abs=0.012)
    assert site["genset.g.running_frac"][24:].max() == 0.0
    assert site["formed_frac"][24:].max() == 0.0


@pytest.mark.parametrize(("redundancy", "sets", "most"), [("N", 3, 2 / 3), ("N+1", 4, 1.0), ("2N", 6, 1.0)])
def test_spares_carry_on_where_a_set_is_out(redundancy, sets, most) -> None:
    """Three sets of 0.4 MW needed; one is out: two thirds are left of N, all of N+1. Least load counts what runs."""
    sets_of = DIESEL | {"power_mw": 1.2, "units": 3, "redundancy": redundancy, "minimum_load_frac": 0.25}
    case = case_of(
        {"a": 9e5, "b": 2e5},
        steps=40,
        import_mw=0.0,
        gensets={"g": sets_of},
        events=[event("equipment-outage", 10, 40, of="gensets.g", units=1)],
        pods={"a": {"priority": 9}},
    )
    played = agreed(case)
    whole = 9e5 + 2e5 + played.site["cooling_w"][20]
    served = whole if whole <= most * 1.2e6 else max(whole - 9e5, 0.25 * (sets - 1) * 4e5)
    assert played.site["genset.g.power_w"][20] == pytest.approx(served)


def test_gensets_of_two_entries_give_the_same_share_of_their_range() -> None:
    """0.2 to 1 MW and 0 to 0.5 MW at 0.8 MW: (0.8 - 0.2) / 1.3 of both ranges."""
    case = case_of(
        {"a": 7e5},
        steps=20,
        import_mw=0.0,
        gensets={
            "large": DIESEL | {"minimum_load_frac": 0.2},
            "small": DIESEL | {"power_mw": 0.5},
        },
    )
    site = agreed(case).site
    need = 7e5 + site["cooling_w"]
    share = (need - 2e5) / 1.3e6
    assert site["genset.large.power_w"] == pytest.approx(2e5 + share * 8e5)
    assert site["genset.small.power_w"] == pytest.approx(share * 5e5)


# ---- storage -------------------------------------------------------------------------------------------


def test_a_reserve_is_kept_against_limits_and_set_points_and_used_without_the_grid() -> None:
    """100 kWh, 40 % of it for outages: a limit takes it to 40 %, an outage to nothing.

    What does not last for another step of the whole load stays in it: the pod is shed instead.
    """
    yard = FORMING | {"power_mw": 2.0, "energy_mwh": 0.1, "soc_initial_frac": 0.45, "reserve_frac": 0.4}
    case = case_of(
        {"a": 6e5},
        steps=600,
        events=[event("import-limit", 10, 100, limit_mw=0.2), event("supply-outage", 200, 600)],
        storage={"yard": yard},
    )
    case = set_points(case, (0, {"yard": 0.0}), (120, {"yard": -2e6}))
    played = agreed(case)
    step = 6.2e5 / (0.1 * 3.6e9)
    assert 0.4 - 1e-12 <= played.soc[99, 0] < 0.4 + step
    assert played.soc[:200, 0].min() == pytest.approx(0.4)
    assert 0.0 <= played.soc[-1, 0] < step
    used_j = 0.4 * 0.1 * 3.6e9
    held_s = used_j / (6e5 + played.site["cooling_w"][205])
    assert int(np.argmax(played.pods["shed_frac"][200:, 0])) == int(held_s)


def test_storages_at_the_site_share_by_what_they_can_give_and_lineups_by_what_they_can_spare() -> None:
    """0.9 MW is lacking. Yards give 0.2 and 0.1 MW; lineups can spare 0.8 and 0.4 MW and share 0.6 by 2 to 1."""
    near = YARD | {"energy_mwh": 1.0, "soc_initial_frac": 1.0}
    case = case_of(
        {"a": 8e5, "b": 4e5},
        steps=12,
        front=BATTERY,
        import_mw=2.0,
        events=[event("import-limit", 5, 12, limit_mw=0.0)],
        storage={"one": near | {"power_mw": 0.2}, "two": near | {"power_mw": 0.1}},
    )
    played = agreed(case)
    lack = 1.2e6 + played.site["cooling_w"][5] - 3e5
    assert played.store_w[5, :2] == pytest.approx([-2e5, -1e5])
    least = max(lack - 1.2e6, 0.0)
    share = min(lack / 1.2e6, 1.0)
    if least == 0.0:
        assert played.store_w[5, 2:] == pytest.approx([-8e5 * share, -4e5 * share])
    assert played.pods["shed_frac"][5].max() == 0.0


def test_recharging_takes_only_what_sun_and_grid_can_spare_lineups_first() -> None:
    """1 MW of limit, 0.9 MW of load: 0.1 MW less cooling for lineups that want 0.2 and 0.1 MW, in proportion."""
    ups = UPS | {"power_mw": 0.3, "energy_mwh": 0.3, "soc_initial_frac": 0.5, "at": ["line"]}
    yard = YARD | {"power_mw": 1.0, "energy_mwh": 1.0, "soc_initial_frac": 0.5}
    case = case_of(
        {"a": 6e5, "b": 3e5},
        steps=12,
        import_mw=1.0,
        storage={"ups": ups, "yard": yard},
        pods={"a": {"racks": 20}, "b": {"racks": 10}},
    )
    played = agreed(case)
    room = 1e6 - 9e5 - played.site["cooling_w"]
    taken = played.store_w[:, [i for i, name in enumerate(played.store_names) if name == "ups"]]
    # each asks for a tenth of its lineup's rating at most (the front end's recharging power)
    assert taken.sum(axis=1) == pytest.approx(room)
    assert taken[:, 0] == pytest.approx(2.0 * taken[:, 1])
    assert played.store_w[:, played.store_names.index("yard")] == pytest.approx(np.zeros(12), abs=ROUNDING_W)
    assert played.site["net_import_w"] == pytest.approx(np.full(12, 1e6))


def test_nothing_is_charged_while_a_pod_is_shed() -> None:
    yard = YARD | {"power_mw": 0.5, "energy_mwh": 0.5, "soc_initial_frac": 0.0, "reserve_frac": 1.0}
    case = case_of(
        {"a": 6e5, "b": 3e5},
        steps=40,
        import_mw=2.0,
        events=[event("import-limit", 10, 20, limit_mw=0.8)],
        storage={"yard": yard},
        pods={"b": {"priority": 5, "restart_s": 15.0}},
    )
    played = agreed(case)
    assert played.pods["shed_frac"][10:25, 1].min() == 1.0
    charged = played.store_w[:, 0]
    assert charged[5] == pytest.approx(5e5)
    first = int(np.argmin(played.pods["shed_frac"][10:, 1])) + 10
    assert charged[10:first] == pytest.approx(np.zeros(first - 10), abs=ROUNDING_W)
    assert charged[first] > 0.0


def test_photovoltaics_are_curtailed_only_beyond_load_charging_and_export() -> None:
    yard = YARD | {"power_mw": 0.2, "energy_mwh": 1.0, "soc_initial_frac": 0.5}
    case = case_of({"a": 4e5}, steps=10, export_mw=0.3, pv_w=1.5e6, storage={"yard": yard})
    site = agreed(case).site
    assert site["export_w"] == pytest.approx(np.full(10, 3e5))
    assert site["curtailed_w"] == pytest.approx(1.5e6 - 4e5 - 2e5 - 3e5 - site["cooling_w"])
