"""Outage -> battery -> gensets against the plain rules of `handover.py`: times within a step, energies within 1 %."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from grids import MS, body_of, calm, closed, open_site
from handover import Battery, Lineup, Sets, hand_over

from aidc.schema.disturbance import Islanding, Sag
from aidc.simulate.transient.fields import Drive, Energy, Lane, LaneState, SiteParam
from aidc.simulate.transient.window import Window

START_S = 2.0
CHAINS = {
    "ac": ({"use": "415vac-double-conversion"}, "ups-double-conversion"),
    "dc": ({}, "rectifier-800vdc"),
}
FRONT = {"battery_s": 300.0, "battery_frac": 1.2, "recharge_frac": 0.2, "return_s": 7.0, "walk_in_s": 9.0}
SETS = {"use": "diesel-standby", "power_mw": 1.6, "stop_s": 120.0}


def site_body(kind: str, *, front: dict | None = None, on_ups: bool = True, **more) -> dict:
    chain, name = CHAINS[kind]
    body = body_of(front={"use": name} | FRONT | (front or {}), chain=chain, more=more)
    body["pods"]["p0"]["restart_s"] = 5.0
    for plant in body["cooling"].values():
        plant["drives"] = {"on_ups": on_ups, "restart_s": 6.0, "ramp_s": 8.0}
    return body


def opened(body: dict, events: list, duration_s: float) -> Window:
    """A window of constant load; its racks bear any heat, so that supply alone decides."""
    window = open_site(body, events, duration_s=duration_s, step_s=MS)
    window.plan.lane[[Lane.THROTTLE_K, Lane.TRIP_K]] = 1e6
    return calm(window)


def lineup_of(window: Window) -> Lineup:
    """The one lineup as the oracle wants it; the load is the one that the first step found."""
    plan, work = window.plan, window._work
    return Lineup(
        load_w=float(work.need_w[0]),
        return_s=FRONT["return_s"],
        walk_in_s=FRONT["walk_in_s"],
        recharge_w=FRONT["recharge_frac"] * float(plan.lane[Lane.BUFFER_W, 0]),
        losses=tuple(zip(plan.up_a_w[:, 0], plan.up_b[:, 0], plan.up_c_per_w[:, 0], strict=True)),
        constant_w=float(plan.site[SiteParam.AUXILIARY_W]),
        drives_w=float(plan.drive[Drive.POWER_W].sum()),
        restart_s=6.0,
        ramp_s=8.0,
    )


def own_battery(window: Window, seconds: float = FRONT["battery_s"]) -> Battery:
    """The front end's own: what it delivers at rated power for its time, over 95 %; charged with 97.5 %."""
    rated_w = float(window.plan.lane[Lane.BUFFER_W, 0])
    return Battery(
        usable_j=seconds * rated_w / 0.95,
        rated_w=1.2 * rated_w,
        charge_eta=0.975,
        discharge_eta=0.95,
    )


DIESEL = Sets(
    power_w=1.6e6,
    call_s=3.0,
    start_s=10.0,
    synchronise_s=2.0,
    stop_s=120.0,
    ramp_frac_per_s=0.1,
    low_frac=0.3,
)


def compare(window: Window, battery: Battery, sets: Sets | None, outage_s: float, horizon_s: float):
    """Run a window through its outage, and hold times and energies against the oracle."""
    start = round(START_S * 1000)
    before = window.advance(start)
    lineup = lineup_of(window)
    energy0, cells0 = window.state.energy.copy(), window.state.lane[LaneState.BATTERY_FRAC, 0]
    told = hand_over(lineup, battery, sets, outage_s, horizon_s)
    wave = window.advance()
    closed(window)
    assert before["battery_w"] == pytest.approx(0.0, abs=1.0)
    spent = window.state.energy - energy0
    grid_j = spent[Energy.IMPORT] - spent[Energy.GRID_LOSS]
    bus_j = grid_j + spent[Energy.GENERATOR] - spent[Energy.LOAD_BANK]
    tolerance_j = 0.01 * min(told.battery_j, bus_j) + 1.0
    charge_w = wave["battery_w"].clip(0.0)
    given_w = -wave["battery_w"].clip(None, 0.0)
    assert given_w.sum() * 1e-3 == pytest.approx(told.battery_j, abs=tolerance_j)
    assert charge_w.sum() * 1e-3 == pytest.approx(told.recharge_j, rel=0.01, abs=tolerance_j)
    assert grid_j == pytest.approx(told.grid_j, rel=0.01)
    assert spent[Energy.GENERATOR] == pytest.approx(told.genset_j, rel=0.01, abs=1.0)
    assert spent[Energy.LOAD_BANK] == pytest.approx(told.bank_j, rel=0.01, abs=1.0)
    capacity_j = float(window.plan.battery[0, 0])
    taken_j = (cells0 - window.state.lane[LaneState.BATTERY_FRAC, 0]) * capacity_j
    assert taken_j == pytest.approx(told.cells_j, abs=0.01 * told.battery_j)
    if told.ready_s is not None and told.ready_s < outage_s:
        assert int(np.argmax(wave["genset_w"] > 0.0)) * 1e-3 == pytest.approx(told.ready_s, abs=2e-3)
    # the input takes up its first share one step after it was found good for long enough
    first_w = -wave["battery_w"][round(told.walks_s * 1000) - 50]
    rising = int(np.argmax(given_w[100:] < first_w * (1.0 - 1e-6))) + 100
    assert rising * 1e-3 == pytest.approx(told.walks_s, abs=0.01)
    ends = given_w.size - int(np.argmax(given_w[::-1] > 1e-4 * lineup.load_w))
    assert ends * 1e-3 == pytest.approx(told.battery_ends_s, abs=0.02)
    return told, wave


@pytest.mark.parametrize("kind", list(CHAINS))
@pytest.mark.parametrize("outage_s", [60.0, 300.0, 1800.0])
def test_gensets_take_an_outage_over_from_the_batteries(kind, outage_s) -> None:
    horizon_s = outage_s + 400.0
    event = Islanding(use="islanding", start_s=START_S, duration_s=outage_s)
    body = site_body(kind, gensets={"standby": SETS})
    window = opened(body, [event], START_S + horizon_s)
    told, wave = compare(window, own_battery(window), DIESEL, outage_s, horizon_s)
    assert told.lost_s is None
    assert told.ready_s == 15.0
    assert told.carried_s == 31.0
    assert wave["it_served_w"] == pytest.approx(wave["it_demand_w"])
    assert window.gensets() == {"standby": "at rest"}
    assert window.modes() == {"p0": "on grid"}


@pytest.mark.parametrize("kind", list(CHAINS))
def test_a_short_outage_is_carried_by_the_batteries_alone(kind) -> None:
    event = Islanding(use="islanding", start_s=START_S, duration_s=60.0)
    window = opened(site_body(kind), [event], START_S + 700.0)
    told, wave = compare(window, own_battery(window), None, 60.0, 700.0)
    assert told.carried_s == 76.0
    assert wave["it_served_w"] == pytest.approx(wave["it_demand_w"])
    assert told.recharge_j > told.battery_j  # full again, after losses both ways


@pytest.mark.parametrize("kind", list(CHAINS))
def test_a_battery_ends_when_its_energy_less_losses_is_gone(kind) -> None:
    """Deliverable energy over the load, to within the capacitors behind it (20 ms)."""
    seconds = 40.0
    event = Islanding(use="islanding", start_s=START_S)
    body = site_body(kind, front={"battery_s": seconds})
    window = opened(body, [event], 100.0)
    window.advance(round(START_S * 1000))
    told = hand_over(lineup_of(window), own_battery(window, seconds), None, 100.0, 90.0)
    wave = window.advance()
    closed(window)
    lost_s = int(np.argmax(wave["it_served_w"] <= 0.0)) * 1e-3
    assert told.lost_s is not None
    assert lost_s == pytest.approx(told.lost_s, abs=0.05)


@pytest.mark.parametrize("kind", list(CHAINS))
def test_motors_on_the_bus_come_back_on_the_gensets(kind) -> None:
    event = Islanding(use="islanding", start_s=START_S, duration_s=120.0)
    body = site_body(kind, on_ups=False, gensets={"standby": SETS | {"minimum_load_frac": 0.0}})
    window = opened(body, [event], START_S + 300.0)
    _, wave = compare(window, own_battery(window), replace(DIESEL, low_frac=0.0), 120.0, 300.0)
    full_w = wave["cooling_w"][-1]
    assert wave["cooling_w"][14_000] == 0.0
    half_s = int(np.argmax(wave["cooling_w"][15_000:] > 0.5 * full_w)) * 1e-3
    assert half_s == pytest.approx(6.0 + 4.0, abs=0.01)


def test_a_slow_engine_loads_along_its_ramp_and_the_batteries_give_the_rest() -> None:
    slow = {"ramp_frac_per_s": 0.01, "minimum_load_frac": 0.1}
    event = Islanding(use="islanding", start_s=START_S, duration_s=150.0)
    window = opened(site_body("dc", gensets={"standby": SETS | slow}), [event], START_S + 500.0)
    sets = replace(DIESEL, ramp_frac_per_s=0.01, low_frac=0.1)
    told, wave = compare(window, own_battery(window), sets, 150.0, 500.0)
    assert told.battery_ends_s > told.carried_s + 10.0
    assert np.diff(wave["genset_w"][16_000:150_000]).max() <= 0.01 * 1.6e6 * 1e-3 * 1.001
    assert wave["it_served_w"] == pytest.approx(wave["it_demand_w"])


@pytest.mark.parametrize("charge", [False, True])
def test_a_storage_at_the_ups_keeps_its_curve_and_charges_from_gensets_where_it_says_so(charge) -> None:
    event = Islanding(use="islanding", start_s=START_S, duration_s=200.0)
    storage = {
        "string": {
            "use": "ups-battery-string",
            "power_mw": 1.5,
            "energy_mwh": 0.08,
            "charge_from_gensets": charge,
        }
    }
    body = site_body("ac", gensets={"standby": SETS}, storage=storage)
    window = opened(body, [event], START_S + 420.0)
    battery = Battery(
        usable_j=0.95 * 0.08 * 3.6e9,
        rated_w=1.5e6,
        a=0.004,
        c=0.012,
        charge_eta=0.975,
        discharge_eta=0.95,
    )
    told, wave = compare(window, battery, replace(DIESEL, charge=charge), 200.0, 420.0)
    charged = bool(wave["battery_w"][:200_000].max() > 1e3)
    assert charged is charge
    assert told.recharge_j > 0.0


def test_what_the_least_load_leaves_over_charges_the_batteries() -> None:
    event = Islanding(use="islanding", start_s=START_S, duration_s=240.0)
    large = SETS | {"power_mw": 3.5}
    window = opened(site_body("dc", gensets={"standby": large}), [event], START_S + 420.0)
    _, wave = compare(window, own_battery(window), replace(DIESEL, power_w=3.5e6), 240.0, 420.0)
    assert wave["battery_w"][40_000:100_000].min() > 0.0


def test_a_dead_grid_is_cut_off_once_the_gensets_are_ready() -> None:
    """A bolted fault that lasts is an outage too: the same hand-over as where the breaker opened."""
    event = Sag(use="sag", start_s=START_S, residual_pu=0.0, duration_s=60.0)
    window = opened(site_body("dc", gensets={"standby": SETS}), [event], START_S + 300.0)
    compare(window, own_battery(window), DIESEL, 60.0, 300.0)


def test_a_lack_shorter_than_the_call_calls_nothing() -> None:
    event = Islanding(use="islanding", start_s=START_S, duration_s=2.9)
    window = opened(site_body("dc", gensets={"standby": SETS}), [event], START_S + 60.0)
    wave = window.advance()
    closed(window)
    assert wave["genset_w"].max() == 0.0
    assert window.gensets() == {"standby": "at rest"}


def test_gensets_are_called_start_and_stop_by_the_clock() -> None:
    event = Islanding(use="islanding", start_s=START_S, duration_s=30.0)
    window = opened(site_body("dc", gensets={"standby": SETS}), [event], START_S + 200.0)
    seen = []
    for until_s in (4.999, 5.002, 16.999, 17.001, 31.999, 32.002, 151.9, 152.1):
        window.advance(round(until_s * 1000) - window.tick)
        seen.append(window.gensets()["standby"])
    assert seen == [
        "at rest",
        "starting",
        "starting",
        "forms the bus",
        "forms the bus",
        "runs beside",
        "runs beside",
        "at rest",
    ]


def test_spares_run_along_and_a_second_kind_joins() -> None:
    """2N of 1 MW forms the bus with a rating of 2 MW; a slower kind joins it later."""
    sets = {
        "fast": SETS | {"power_mw": 1.0, "redundancy": "2N", "minimum_load_frac": 0.2},
        "slow": SETS | {"power_mw": 1.0, "start_time_s": 40.0, "minimum_load_frac": 0.1},
    }
    event = Islanding(use="islanding", start_s=START_S, duration_s=100.0)
    window = opened(site_body("dc", gensets=sets), [event], 100.0)
    wave = window.advance()
    closed(window)
    idle_w = wave["genset_w"][round(1000 * (START_S + 20.0))]
    assert idle_w == pytest.approx(0.2 * 2e6, rel=1e-6)
    assert wave["it_served_w"] == pytest.approx(wave["it_demand_w"])
    slip = 1.0 - wave["frequency_hz"] / 60.0
    before, after = slip[round(1000 * (START_S + 40.0))], slip[-1]
    assert after / before == pytest.approx(2.0 / 3.0, rel=0.01)
