"""Sites without a grid, and who goes and returns first where gensets form the bus: both engines by one set of rules."""

from __future__ import annotations

import numpy as np
import pytest
from grids import MS, body_of, calm, closed, forming, open_site, ran
from sites import loaded
from test_handover import SETS, opened, site_body
from test_handover_energy import cold

from aidc.errors import InputError
from aidc.schema.disturbance import Islanding, LoadStep, Sag
from aidc.simulate import Twin, compile_site
from aidc.simulate.energy.fields import GensetNow, PodNow
from aidc.simulate.transient.fields import Lane, SiteState

NO_GRID = {"import_limit_mw": 0.0}


def island(kind: str, **more) -> dict:
    body = cold(site_body(kind, gensets={"prime": SETS | {"power_mw": 2.0}}, **more))
    body["grid"] |= NO_GRID
    return body


@pytest.mark.parametrize("kind", ["ac", "dc"])
def test_an_island_starts_on_running_gensets_in_both_engines(kind) -> None:
    """Prime power: the sets carry the same load from the first step on, at a frequency that does not move."""
    body = island(kind)
    body["grid"].pop("short_circuit_mva")
    steps = Twin(compile_site(loaded(body))).advance(4).records
    window = calm(open_site(body, duration_s=2.0))
    wave = window.advance()
    closed(window)
    energy_w = steps.genset[0, GensetNow.POWER_W].sum()
    assert wave["genset_w"] == pytest.approx(energy_w, rel=0.01)
    assert wave["it_served_w"] == pytest.approx(wave["it_demand_w"])
    assert steps.pod[:, PodNow.SHED_FRAC].max() == 0.0
    assert wave["p_w"].max() == 0.0
    assert np.ptp(wave["frequency_hz"]) < 1e-3
    assert wave["frequency_hz"][0] == pytest.approx(60.0 * (1.0 - 0.04 * wave["genset_w"][0] / 2e6), rel=1e-6)
    assert window.gensets() == {"prime": "forms the bus"}


def test_an_island_on_a_forming_storage_needs_no_gensets() -> None:
    body = body_of(storage=forming(4.0), grid=NO_GRID)
    window = calm(open_site(body, duration_s=2.0))
    wave = window.advance()
    closed(window)
    assert wave["it_served_w"] == pytest.approx(wave["it_demand_w"])
    assert -wave["storage_w"][-1] > wave["it_served_w"][-1]


def test_an_island_without_anything_that_forms_it_is_refused() -> None:
    with pytest.raises(InputError, match="nothing forms the bus"):
        open_site(body_of(grid=NO_GRID))


def test_an_event_of_a_grid_that_is_not_there_is_refused() -> None:
    with pytest.raises(InputError, match="neither import nor export"):
        open_site(island("dc"), [Sag(use="sag", start_s=0.1, residual_pu=0.5, duration_s=0.1)])
    step = LoadStep(use="load-step", start_s=0.1, load_frac=0.5, pods=["p0"])
    open_site(island("dc"), [step])


def _three(priorities: tuple[int, int, int], power_mw: float, *, restart_s: float = 3.0) -> dict:
    """Three pods alike without a battery, and gensets that carry `power_mw`."""
    body = cold(body_of(pods=3, front="psu-direct", more={"gensets": {"s": SETS | {"power_mw": power_mw}}}))
    for number, priority in enumerate(priorities):
        body["pods"][f"p{number}"] |= {"priority": priority, "restart_s": restart_s, "return_s": 2.0}
    body["chains"]["dc"]["front"] = {"use": "psu-direct", "return_s": 1.0, "walk_in_s": 1.0}
    return body


@pytest.mark.parametrize("priorities", [(3, 2, 1), (1, 3, 2), (2, 2, 1)])
def test_racks_return_by_priority_where_gensets_carry_not_all(priorities) -> None:
    """Sets for two and a half of three pods: those of the lowest numbers return, the first-named among equals."""
    event = Islanding(use="islanding", start_s=1.0)
    window = opened(_three(priorities, 3.0), [event], 60.0)
    window.advance(10)
    need_w = float((window._work.wished_w * window.plan.lane[Lane.PER_IT]).max())
    window = opened(_three(priorities, 2.5 * need_w / 1e6), [event], 60.0)
    window.advance()
    closed(window)
    best = sorted(range(3), key=lambda lane: (priorities[lane], lane))[:2]
    back = {f"p{lane}" for lane in best}
    assert {pod for pod, mode in window.modes().items() if mode == "on grid"} == back


def test_racks_that_were_down_return_after_restart_and_wait() -> None:
    """`restart_s` and `return_s` of the pod, as in the energy engine; the front end's own wait runs beside."""
    event = Islanding(use="islanding", start_s=1.0, duration_s=2.0)
    window = opened(_three((1, 1, 1), 3.0), [event], 20.0)
    wave = window.advance()
    lost_s = int(np.argmax(wave["it_served_w"] <= 0.0)) * 1e-3
    rises_s = int(np.argmax(wave["it_served_w"][3000:] > 0.0)) * 1e-3 + 3.0
    assert rises_s - lost_s == pytest.approx(3.0 + 2.0, abs=0.01)


def test_a_front_end_without_a_voltage_relay_leaves_a_bus_that_nothing_feeds() -> None:
    """It waits `return_s` and walks in, as the energy engine has it, and not as if nothing had been."""
    front = {
        "use": "ups-grid-friendly",
        "leave_below_pu": [],
        "leave_below_s": [],
        "return_s": 2.0,
        "walk_in_s": 1.0,
    }
    event = Islanding(use="islanding", start_s=1.0, duration_s=3.0)
    window, wave = ran(body_of(front=front), [event], duration_s=10.0, step_s=MS)
    assert wave["it_served_w"] == pytest.approx(wave["it_demand_w"])
    assert wave["p_w"][4100:5900].max() < 0.5 * wave["p_w"][0]
    assert wave["connected_frac"][5900] < 0.5 < wave["connected_frac"][7100]
    assert window.modes() == {"p0": "on grid"}


@pytest.mark.parametrize(("duration_s", "drops"), [(0.03, False), (0.3, True)])
def test_motors_that_ride_through_any_voltage_stop_on_a_bus_that_nothing_feeds(duration_s, drops) -> None:
    body = body_of()
    for plant in body["cooling"].values():
        plant["drives"] = {"drop_below_pu": 0.0, "restart_s": 1.0, "ramp_s": 1.0}
    wave = ran(body, [Islanding(use="islanding", start_s=0.5, duration_s=duration_s)], duration_s=3.0)[1]
    after = round(1000 * (0.5 + duration_s)) + 200
    assert bool(wave["cooling_w"][after] == 0.0) is drops
    sag = Sag(use="sag", start_s=0.5, residual_pu=0.0, duration_s=duration_s)
    kept = ran(body, [sag], duration_s=3.0)[1]
    assert kept["cooling_w"][after] > 0.0


def test_the_bus_is_dead_only_where_nothing_feeds_it() -> None:
    body = island("dc")
    window = open_site(body, duration_s=0.5)
    window.advance()
    assert window.state.site[SiteState.DEAD] == 0.0
