"""Outage -> battery -> gensets in the energy engine, against the same plain rules as the transient engine.

`test_handover.py` holds the millisecond engine against `handover.py` on these sites; here the energy engine is, at 1 s:
times within one step, energies within 1 %. One outage is played by both, and compared directly.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
import pytest
from handover import Battery, Lineup, hand_over
from sites import loaded
from test_handover import CHAINS, DIESEL, FRONT, SETS, opened, site_body

from aidc.schema.disturbance import Islanding
from aidc.simulate import Twin, compile_site
from aidc.simulate.energy.fields import GensetNow, Pod, PodNow, SiteNow, Store, StoreNow
from aidc.simulate.transient.fields import Energy

START_S = 30


def cold(body: dict) -> dict:
    """The same site in weather that needs no compressor, with auxiliaries that follow nothing."""
    body["scenario"]["weather"] = {"use": "constant", "dry_bulb_c": -5.0}
    body["site"] |= {"auxiliary_frac": 0.0, "auxiliary_mw": 0.01}
    body["grid"]["transformer"] = {"no_load_frac": 0.0, "load_frac": 0.0}
    return body


@dataclass
class Steps:
    """What the energy engine recorded, step by step [W]."""

    site: np.ndarray
    pod: np.ndarray
    store: np.ndarray
    genset: np.ndarray
    lineup: Lineup
    battery: Battery
    soc: np.ndarray
    capacity_j: float


def stepped(body: dict, outage_s: float, horizon_s: float) -> Steps:
    """The energy engine through an outage from `START_S` on; its racks bear any heat."""
    start = datetime.fromisoformat(body["scenario"]["start"])
    steps = START_S + round(horizon_s)
    outage = {
        "use": "supply-outage",
        "start": (start + timedelta(seconds=START_S)).isoformat(),
        "duration_min": outage_s / 60.0,
    }
    plan = {"days": (steps + 0.01) / 86400, "step_s": 1.0, "output_step_s": 1.0, "events": [outage]}
    body["scenario"] |= plan
    compiled = compile_site(loaded(body))
    params = compiled.params
    params.pod[[Pod.PER_CASE_BAND, Pod.PER_INLET_BAND]] = 0.0
    told = Twin(compiled).advance(steps).records
    slot = int(params.store[Store.STAGE, 0])
    before = START_S - 1
    # what passes the UPS bus: the racks' consumption and the losses up to it, and cooling that hangs on it
    flow = told.pod[before, PodNow.ACCELERATOR_W, 0] + told.pod[before, PodNow.OVERHEAD_W, 0]
    curve = list(zip(params.stage_a_w[:, 0], params.stage_b[:, 0], params.stage_c_per_w[:, 0], strict=True))
    for stage, (a, b, c) in enumerate(curve[:slot]):
        flow += told.pod[before, PodNow.NETWORK_W, 0] if stage == params.server_stages else 0.0
        flow += a + b * flow + c * flow * flow
    on_ups = body["cooling"]["warm"]["drives"]["on_ups"]
    cooling = told.site[before, SiteNow.COOLING_W, 0]
    rated_w = float(params.storage[1, 0])
    lineup = Lineup(
        load_w=float(flow + (cooling if on_ups else 0.0)),
        return_s=FRONT["return_s"],
        walk_in_s=FRONT["walk_in_s"],
        recharge_w=float(params.store[Store.CHARGE_LIMIT_W, 0]),
        losses=tuple(curve[slot:]),
        constant_w=1e4,
        drives_w=0.0 if on_ups else float(cooling),
        restart_s=6.0,
        ramp_s=8.0,
    )
    capacity_j = float(params.storage[0, 0])
    battery = Battery(capacity_j, rated_w, charge_eta=0.975, discharge_eta=0.95)
    return Steps(
        told.site[:, :, 0], told.pod[:, :, 0], (told.store[:, StoreNow.CHARGE_W, 0] - told.store[:, StoreNow.DISCHARGE_W, 0]),
        told.genset[:, GensetNow.POWER_W].sum(axis=1), lineup, battery, told.soc_frac[:, 0], capacity_j,
    )  # fmt: skip


def compared(steps: Steps, sets, outage_s: float, horizon_s: float):
    """Times within a step and energies within 1 % of the rules."""
    told = hand_over(steps.lineup, steps.battery, sets, outage_s, horizon_s, dt_s=0.05)
    after = slice(START_S, None)
    power, genset = steps.store[after], steps.genset[after]
    given = -power.clip(None, 0.0)
    assert given.sum() == pytest.approx(told.battery_j, rel=0.01)
    assert power.clip(0.0).sum() == pytest.approx(told.recharge_j, rel=0.01, abs=0.01 * told.battery_j)
    assert steps.site[after, SiteNow.IMPORT_W].sum() == pytest.approx(told.grid_j, rel=0.01)
    assert genset.sum() == pytest.approx(told.genset_j, rel=0.01, abs=1.0)
    assert steps.site[after, SiteNow.LOAD_BANK_W].sum() == pytest.approx(told.bank_j, rel=0.01, abs=1e6)
    taken_j = (steps.soc[START_S - 1] - steps.soc[-1]) * steps.capacity_j
    assert taken_j == pytest.approx(told.cells_j, abs=0.01 * told.battery_j)
    if told.ready_s is not None and told.ready_s < outage_s:
        assert int(np.argmax(genset > 0.0)) == pytest.approx(told.ready_s, abs=1.0)
    rising = int(np.argmax(given[1:] < given[1] * (1.0 - 1e-3))) + 1
    assert rising == pytest.approx(told.walks_s, abs=1.0)
    ends = given.size - int(np.argmax(given[::-1] > 1e-3 * steps.lineup.load_w))
    assert ends == pytest.approx(told.battery_ends_s, abs=1.0)
    return told


@pytest.mark.parametrize("kind", list(CHAINS))
@pytest.mark.parametrize("outage_s", [60.0, 300.0, 1800.0])
def test_gensets_take_an_outage_over_from_the_batteries(kind, outage_s) -> None:
    horizon_s = outage_s + 400.0
    steps = stepped(cold(site_body(kind, gensets={"standby": SETS})), outage_s, horizon_s)
    told = compared(steps, DIESEL, outage_s, horizon_s)
    assert told.lost_s is None
    assert steps.pod[:, PodNow.SHED_FRAC].max() == 0.0


@pytest.mark.parametrize("kind", list(CHAINS))
def test_a_short_outage_is_carried_by_the_batteries_alone(kind) -> None:
    steps = stepped(cold(site_body(kind)), 60.0, 700.0)
    told = compared(steps, None, 60.0, 700.0)
    assert told.carried_s == 76.0
    assert steps.pod[:, PodNow.SHED_FRAC].max() == 0.0


@pytest.mark.parametrize("kind", list(CHAINS))
def test_a_battery_ends_when_its_energy_less_losses_is_gone(kind) -> None:
    steps = stepped(cold(site_body(kind, front={"battery_s": 40.0})), 100.0, 90.0)
    told = hand_over(steps.lineup, steps.battery, None, 100.0, 90.0)
    assert told.lost_s is not None
    lost = int(np.argmax(steps.pod[START_S:, PodNow.SHED_FRAC] > 0.0))
    assert lost == pytest.approx(told.lost_s, abs=1.0)


@pytest.mark.parametrize("kind", list(CHAINS))
def test_motors_on_the_bus_come_back_on_the_gensets(kind) -> None:
    sets = SETS | {"minimum_load_frac": 0.0}
    steps = stepped(cold(site_body(kind, on_ups=False, gensets={"standby": sets})), 120.0, 300.0)
    compared(steps, replace(DIESEL, low_frac=0.0), 120.0, 300.0)


@pytest.mark.parametrize("kind", list(CHAINS))
def test_both_engines_give_the_same_energy_by_source(kind) -> None:
    """The same site and outage: the energy engine at 1 s, the transient engine at 1 ms."""
    outage_s, horizon_s = 60.0, 260.0
    steps = stepped(cold(site_body(kind, gensets={"standby": SETS})), outage_s, horizon_s)
    start_s = 2.0
    event = Islanding(use="islanding", start_s=start_s, duration_s=outage_s)
    window = opened(cold(site_body(kind, gensets={"standby": SETS})), [event], start_s + horizon_s)
    window.advance(round(start_s * 1000))
    before = window.state.energy.copy()
    wave = window.advance()
    spent = window.state.energy - before
    after = slice(START_S, None)
    power = steps.store[after]
    wave_w = wave["battery_w"]
    assert -power.clip(None, 0.0).sum() == pytest.approx(-wave_w.clip(None, 0.0).sum() * 1e-3, rel=0.01)
    assert power.clip(0.0).sum() == pytest.approx(wave_w.clip(0.0).sum() * 1e-3, rel=0.01)
    assert steps.genset[after].sum() == pytest.approx(spent[Energy.GENERATOR], rel=0.01)
    grid_j = spent[Energy.IMPORT] - spent[Energy.GRID_LOSS]
    assert steps.site[after, SiteNow.IMPORT_W].sum() == pytest.approx(grid_j, rel=0.01)
    carries_s = int(np.argmax(wave["genset_w"] > 0.0)) * 1e-3
    assert int(np.argmax(steps.genset[after] > 0.0)) == pytest.approx(carries_s, abs=1.0)
