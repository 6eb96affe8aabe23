"""Cooling that stops: closed forms of R C and P/C, books that stay closed, units that carry on for others."""

import numpy as np
import pytest
from sites import document, loaded

from aidc.jit import engine
from aidc.simulate import compile_site
from aidc.simulate.energy.arrays import Span
from aidc.simulate.energy.cool import cool_electric, exchange_heat
from aidc.simulate.energy.fields import (
    Channel,
    Component,
    Plant,
    PlantPart,
    PlantServed,
    PlantState,
    Pod,
    PodFlux,
    PodNow,
    PodServed,
    PodState,
    SiteNow,
    Star,
)
from aidc.simulate.energy.layout import knobs_by_place, lay_out, scratch_of, state_by_place
from aidc.units import kelvin

LIQUID_W, AIR_W, PLATE_W = 500e3, 80e3, 1000.0
WARM, HALL = 0, 1


@engine
def advance_plants(p, knobs, state, now, plate_w, steps):
    """Some steps at a constant heat; returns the worst residual of heat over its flows."""
    plants = p.plant.shape[0]
    at = Span(
        0, range(np.uint64(0), np.uint64(1)), range(np.uint64(0), np.uint64(plants)), range(0), range(0)
    )
    worst = 0.0
    for _ in range(steps):
        now.flux[0, PodFlux.LIQUID_W] = LIQUID_W
        now.flux[0, PodFlux.AIR_W] = AIR_W
        now.flux[0, PodFlux.AMBIENT_W] = 0.0
        now.pod[0, PodNow.ACCELERATOR_W] = plate_w / p.pod[0, Pod.PER_ACCELERATOR]
        cool_electric(p, knobs, state, now, at)
        # what is not served draws nothing
        now.pod[0, PodNow.PUMP_W] *= now.pod_served[0, PodServed.CDU_PUMPS]
        now.pod[0, PodNow.CRAH_W] *= now.pod_served[0, PodServed.CRAH_FANS]
        given = LIQUID_W + AIR_W + now.pod[0, PodNow.PUMP_W] + now.pod[0, PodNow.CRAH_W]
        for plant in range(plants):
            now.plant[plant, Component.PUMP_FACILITY_W] *= now.plant_served[plant, PlantServed.DRIVES]
            now.plant[plant, Component.FAN_W] *= now.plant_served[plant, PlantServed.DRIVES]
            now.plant[plant, Component.CHILLER_W] *= now.plant_served[plant, PlantServed.COMPRESSORS]
            given += now.plant[plant, Component.PUMP_FACILITY_W]
        stored = 0.0
        for sign in (-1.0, 1.0):
            if sign > 0.0:
                exchange_heat(p, state, now, at)
            stored += sign * p.pod[0, Pod.LOOP_J_K] * (state.pod[0, PodState.LOOP_K] - 300.0)
            stored += sign * p.pod[0, Pod.AIR_J_K] * (state.pod[0, PodState.AIR_K] - 300.0)
            for plant in range(plants):
                supply_k = state.plant[plant, PlantState.SUPPLY_K] - 300.0
                stored += sign * p.plant[plant, Plant.LOOP_J_K] * supply_k
        stored /= p.dt_s
        gone = now.site[0, SiteNow.REJECTED_W] + now.site[0, SiteNow.REUSED_W]
        worst = max(worst, abs(given - gone - stored) / (given + abs(gone) + abs(stored)))
    return worst


class Plants:
    """A pod of five liquid-cooled racks on a dry cooler and the hall's chillers, stepped by the room's own laws."""

    def __init__(self, dt_s=1.0, dry_c=20.0):
        body = document(
            {"a": {"use": "gb200-nvl72", "racks": 5, "chain": "dc", "cooling": "warm", "air_cooling": "hall"}}
        )
        compiled = compile_site(loaded(body))
        self.params = compiled.params
        self.p = lay_out(compiled.params._replace(dt_s=dt_s))
        self.knobs = knobs_by_place(compiled.default_knobs())
        self.state = state_by_place(compiled.start)
        self.now = scratch_of(compiled.params, compiled.inputs.first.size, 1)
        self.now.channel[0, [Channel.DRY_BULB_K, Channel.WET_BULB_K]] = kelvin(dry_c), kelvin(dry_c - 5)
        self.pod = self.p.pod[0]

    def step(self, times=1, plate_w=PLATE_W, part=(), plant_served=(), pod_served=()):
        """Some steps, with what is out of service or without supply; the books close in each."""
        now = self.now
        for array in (now.part, now.plant_served, now.pod_served):
            array[:] = 1.0
        for plant, which, share in part:
            now.part[plant, which] = share
        for plant, which in plant_served:
            now.plant_served[plant, which] = 0.0
        for which in pod_served:
            now.pod_served[0, which] = 0.0
        worst = advance_plants(self.p, self.knobs, self.state, now, plate_w, times)
        # temperatures are known to 1e-13, and a loop's heat capacity over the step is that much noise
        assert worst < 1e-9 * max(1.0, 1.0 / self.p.dt_s)
        return self

    loop_k = property(lambda self: self.state.pod[0, PodState.LOOP_K])
    air_k = property(lambda self: self.state.pod[0, PodState.AIR_K])
    case_k = property(lambda self: self.state.pod[0, PodState.CASE_K])
    hot = property(lambda self: self.state.pod[0, PodState.HOT_FRAC])

    def supply_k(self, plant):
        return self.state.plant[plant, PlantState.SUPPLY_K]


@pytest.fixture
def at_rest():
    return Plants().step(3600)


def test_at_rest_the_set_points_are_held(at_rest):
    assert at_rest.supply_k(WARM) == pytest.approx(kelvin(40.0), abs=0.02)
    assert at_rest.supply_k(HALL) == pytest.approx(kelvin(20.0), abs=0.05)


def test_stopped_cdu_pumps_heat_the_cases_by_p_over_c(at_rest):
    """1 kW into 300 J/K is 3.3 K/s: from rest to shutdown in seconds, under the published minute (InterPACK 2017)."""
    case_k = at_rest.case_k
    at_rest.step(6, pod_served=[PodServed.CDU_PUMPS])
    assert at_rest.case_k - case_k == pytest.approx(6 * PLATE_W / 300.0, rel=1e-9)
    trip_s = (at_rest.pod[Pod.TRIP_K] - case_k) / (PLATE_W / 300.0)
    taken_s = 6
    while at_rest.hot < 1.0:
        at_rest.step(pod_served=[PodServed.CDU_PUMPS])
        taken_s += 1
    assert taken_s == pytest.approx(trip_s, abs=1.0)
    assert taken_s < 60


def test_a_case_follows_its_coolant_with_r_c():
    plants = Plants().step(3600, plate_w=0.0)
    plants.p = lay_out(plants.params._replace(dt_s=0.01))
    inlet_k = plants.loop_k
    assert plants.case_k == pytest.approx(inlet_k, abs=0.05)
    r = plants.now.flux[0, PodFlux.CASE_K_W]
    tau_s = r * 300.0
    plants.step(round(tau_s / 0.01))
    risen = (plants.case_k - plants.loop_k) / (r * PLATE_W)
    assert risen == pytest.approx(1.0 - np.exp(-1.0), abs=0.01)


def test_a_rack_loop_without_a_facility_loop_warms_by_p_over_c(at_rest):
    lost = [(WARM, PlantServed.DRIVES)]
    at_rest.step(1, plant_served=lost)
    before_k, facility_k = at_rest.loop_k, at_rest.supply_k(WARM)
    at_rest.step(60, plant_served=lost)
    heat_w = LIQUID_W + at_rest.now.pod[0, PodNow.PUMP_W]
    assert at_rest.loop_k - before_k == pytest.approx(60 * heat_w / at_rest.pod[Pod.LOOP_J_K], rel=2e-3)
    assert at_rest.supply_k(WARM) == pytest.approx(facility_k, abs=1e-9)
    assert at_rest.now.plant[WARM, Component.HEAT_W] == 0.0


def test_lost_heat_rejection_warms_all_the_water_by_p_over_c(at_rest):
    """Loops in series warm at one rate in the end: heat over the inventory of both (2 to 4 l/kW: 0.06 to 0.13 K/s)."""
    out = [(WARM, PlantPart.OUTDOOR, 0.0)]
    at_rest.step(300, part=out)
    before_k = at_rest.supply_k(WARM)
    at_rest.step(60, part=out)
    rate_k_s = (at_rest.supply_k(WARM) - before_k) / 60
    inventory_j_k = at_rest.pod[Pod.LOOP_J_K] + at_rest.p.plant[WARM, Plant.LOOP_J_K]
    heat_w = LIQUID_W + at_rest.now.pod[0, PodNow.PUMP_W] + at_rest.now.plant[WARM, Component.PUMP_FACILITY_W]
    assert rate_k_s == pytest.approx(heat_w / inventory_j_k, rel=0.02)
    assert 0.02 < rate_k_s < 0.13


def test_a_hall_without_fans_warms_by_p_over_c(at_rest):
    before_k = at_rest.air_k
    at_rest.step(30, pod_served=[PodServed.CRAH_FANS])
    assert at_rest.air_k - before_k == pytest.approx(30 * AIR_W / at_rest.pod[Pod.AIR_J_K], rel=1e-9)


def test_without_compressors_the_economiser_is_left():
    shares = []
    for dry_c in (40.0, 30.0, 24.0, -10.0):
        plants = Plants(dry_c=dry_c).step(3600)
        share = plants.now.star[HALL, Star.LIFTED_FRAC]
        shares.append(share)
        given_w = plants.now.plant[HALL, Component.HEAT_W]
        plants.step(plant_served=[(HALL, PlantServed.COMPRESSORS)])
        kept = plants.now.plant[HALL, Component.HEAT_W] / given_w
        assert kept == pytest.approx(1.0 - share, abs=0.01)
    assert shares[0] == pytest.approx(1.0)
    assert 0.0 < shares[2] < shares[1] < 1.0
    assert shares[3] == 0.0


def test_spare_units_carry_on_and_missing_ones_show():
    """Of two CDUs one carries the pod (N+1): less approach to spare, the same flow. Without any, nothing flows."""
    plants = Plants().step(3600)
    loop_k, supply_k = plants.loop_k, plants.supply_k(WARM)
    resists = plants.now.flux[0, PodFlux.CASE_K_W]
    plants.step(3600, part=[(WARM, PlantPart.CDUS, 0.5)])
    assert plants.now.flux[0, PodFlux.CASE_K_W] == pytest.approx(resists, rel=1e-3)
    assert plants.loop_k - plants.supply_k(WARM) > loop_k - supply_k + 0.1
    assert plants.loop_k < loop_k + 3.0
    plants.step(5, part=[(WARM, PlantPart.CDUS, 0.0)])
    assert plants.now.flux[0, PodFlux.LOOP_PASSED] == 0.0
    assert plants.now.flux[0, PodFlux.CASE_FLOW] == 0.0


def test_half_the_facility_pumps_move_half_the_water():
    plants = Plants().step(3600)
    power_w = plants.now.plant[WARM, Component.PUMP_FACILITY_W]
    plants.step(1, part=[(WARM, PlantPart.PUMPS, 0.25)])
    fixed = plants.p.plant[WARM]
    wanted = min(plants.now.star[WARM, Star.HEAT_W] * fixed[Plant.PER_HEAT_RATED], 1.0)
    assert plants.now.star[WARM, Star.MOVED_FRAC] == pytest.approx(0.25 / wanted)
    assert plants.now.plant[WARM, Component.PUMP_FACILITY_W] < 0.5 * power_w


def test_fewer_outdoor_units_turn_faster():
    plants = Plants().step(3600)
    fan_w = plants.now.plant[WARM, Component.FAN_W]
    plants.step(3600, part=[(WARM, PlantPart.OUTDOOR, 0.5)])
    assert plants.supply_k(WARM) == pytest.approx(kelvin(40.0), abs=0.05)
    # half the air at 2^(1/0.8) or more of the speed per film: never less than fans by their cube
    assert plants.now.plant[WARM, Component.FAN_W] > 2.0 * fan_w


@pytest.mark.parametrize("dt_s", [1.0, 60.0, 3600.0])
def test_any_step_is_stable(dt_s):
    plants = Plants(dt_s=dt_s).step(round(max(7200 / dt_s, 50)))
    assert plants.supply_k(WARM) == pytest.approx(kelvin(40.0), abs=0.1)
    assert np.isfinite(plants.state.pod).all()
    assert plants.case_k < kelvin(80.0)
