"""Step 5 of the energy engine: the loops between the racks and the weather.

Each pod has a rack loop (liquid) and the air of its hall; both give their heat to the facility loop
of their plant, which gives it to the weather. A node's temperature is its supply temperature. All
nodes of a plant advance together by backward Euler: the pods' nodes are eliminated, the facility
node is solved, and each exchange flux is computed once and applied to both its ends.

Units out of service (`Scratch.part`) leave more flow to each of the others; what has no supply
(`Scratch.plant_served`, `Scratch.pod_served`) neither moves nor cools, while its heat stays in the loops. The case
of an accelerator follows its coolant with R C; it is read off the loop and has no heat of its own in the books
(some 7 % of that of its coolant). Without flow it warms up by P/C.
"""

from __future__ import annotations

from aidc.jit import part
from aidc.plant.cooling.cold_plate import hot_frac
from aidc.plant.cooling.node import flux_w, hub_k, node_k, passed_of_share
from aidc.plant.cooling.pump_fan import pump_power_w
from aidc.plant.cooling.rejection import rejection_limit, rejection_power
from aidc.plant.cooling.reuse import reused_heat_w
from aidc.simulate.energy.arrays import Fixed, Knobs, Scratch, Span, State
from aidc.simulate.energy.fields import (
    Channel,
    Component,
    Plant,
    PlantPart,
    PlantServed,
    PlantState,
    Pod,
    PodFlow,
    PodFlux,
    PodNow,
    PodServed,
    PodState,
    SiteNow,
    Star,
)
from aidc.simulate.energy.tables import place_in, read_at

__all__ = ["cool_electric", "exchange_heat"]

_LEAST_SPAN_K = 0.05  # below this difference to the weather nothing is rejected
_NO_PART = 1e-6  # a share of units that stands for none


@part
def _move_coolant(p: Fixed, now: Scratch, lane: int) -> None:
    """Flow of a pod's rack loop: its conductances and its pumps."""
    pod = p.pod[lane]
    flux = now.flux[lane]
    whole = now.part[p.loop_plant[lane], PlantPart.CDUS]
    flow = max(flux[PodFlux.LIQUID_W] * pod[Pod.PER_LIQUID_RATED], pod[Pod.FLOW_MIN_FRAC])
    wanted = min(flow, 1.0) * pod[Pod.PER_LOOP_MOST]
    cell, frac = place_in(wanted * now.star[p.loop_plant[lane], Star.PER_CDUS], p.flow.shape[1])
    here = p.flow[lane, cell]
    flux[PodFlux.LOOP_W_K] = whole * read_at(here, PodFlow.LOOP_W_K, frac)
    now.pod[lane, PodNow.PUMP_W] = whole * read_at(here, PodFlow.PUMP_W, frac)
    flux[PodFlux.LOOP_PASSED] = read_at(here, PodFlow.LOOP_PASSED, frac)
    flux[PodFlux.CASE_FLOW] = 1.0
    if whole < 1.0:  # the plates see what the units that are left can give
        flux[PodFlux.LOOP_PASSED] = passed_of_share(flux[PodFlux.LOOP_PASSED], whole)
        given = min(wanted, whole)
        least = pod[Pod.FLOW_MIN_FRAC] * pod[Pod.PER_LOOP_MOST]
        flux[PodFlux.CASE_FLOW] = max(min(given / max(least, _NO_PART), 1.0), pod[Pod.CASE_ON_AIR])
        cell, frac = place_in(given, p.flow.shape[1])
        here = p.flow[lane, cell]
    flux[PodFlux.CASE_K_W] = read_at(here, PodFlow.CASE_K_W, frac)
    flux[PodFlux.CASE_PASSED] = read_at(here, PodFlow.CASE_PASSED, frac)


@part
def _move_air(p: Fixed, now: Scratch, lane: int) -> None:
    """Flow of the air of a pod's hall: its conductance and its fans."""
    pod = p.pod[lane]
    flux = now.flux[lane]
    whole = now.part[p.air_plant[lane], PlantPart.CRAHS]
    flow = max(flux[PodFlux.AIR_W] * pod[Pod.PER_AIR_RATED], pod[Pod.FLOW_MIN_FRAC])
    wanted = min(flow, 1.0) * pod[Pod.PER_AIR_MOST]
    cell, frac = place_in(wanted * now.star[p.air_plant[lane], Star.PER_CRAHS], p.flow.shape[1])
    here = p.flow[lane, cell]
    flux[PodFlux.AIR_W_K] = whole * read_at(here, PodFlow.AIR_W_K, frac)
    now.pod[lane, PodNow.CRAH_W] = whole * read_at(here, PodFlow.CRAH_W, frac)
    flux[PodFlux.AIR_PASSED] = read_at(here, PodFlow.AIR_PASSED, frac)
    if whole < 1.0:
        flux[PodFlux.AIR_PASSED] = passed_of_share(flux[PodFlux.AIR_PASSED], whole)


@part
def cool_electric(p: Fixed, knobs: Knobs, state: State, now: Scratch, at: Span) -> None:
    """Flows, conductances and electricity of the cooling plant, from start-of-step temperatures."""
    for plant in at.plants:
        now.star[plant, Star.HEAT_W] = 0.0
        now.star[plant, Star.PER_CDUS] = 1.0 / max(now.part[plant, PlantPart.CDUS], _NO_PART)
        now.star[plant, Star.PER_CRAHS] = 1.0 / max(now.part[plant, PlantPart.CRAHS], _NO_PART)
    for lane in at.lanes:
        _move_coolant(p, now, lane)
        _move_air(p, now, lane)
        plant = p.loop_plant[lane]
        above_k = state.pod[lane, PodState.LOOP_K] - state.plant[plant, PlantState.SUPPLY_K]
        now.star[plant, Star.HEAT_W] += now.flux[lane, PodFlux.LOOP_W_K] * above_k
        plant = p.air_plant[lane]
        above_k = state.pod[lane, PodState.AIR_K] - state.plant[plant, PlantState.SUPPLY_K]
        now.star[plant, Star.HEAT_W] += now.flux[lane, PodFlux.AIR_W_K] * above_k
    for plant in at.plants:
        _command_plant(p, knobs, state, now, at, plant)


@part
def _command_plant(p: Fixed, knobs: Knobs, state: State, now: Scratch, at: Span, plant: int) -> None:
    """Pumps of one facility loop, the command to its heat rejection, and what that costs.

    The command is a conductance that follows the need with the lag of the fans. Chillers load with it and unload
    at once: they never get more than the present need.
    """
    fixed = p.plant[plant]
    is_now = now.plant[plant]
    star = now.star[plant]
    whole = now.part[plant]
    dry_k = now.channel[at.design, Channel.DRY_BULB_K]
    wet_k = now.channel[at.design, Channel.WET_BULB_K]
    supply_k = state.plant[plant, PlantState.SUPPLY_K]
    wanted_flow = min(max(star[Star.HEAT_W] * fixed[Plant.PER_HEAT_RATED], fixed[Plant.FLOW_MIN_FRAC]), 1.0)
    flow = min(wanted_flow, whole[PlantPart.PUMPS])
    moved = flow / wanted_flow
    heat = star[Star.HEAT_W] * moved
    pump = pump_power_w(flow, fixed[Plant.PUMP_W], fixed[Plant.PUMP_STATIC_FRAC])
    return_k = supply_k + max(heat, 0.0) / (fixed[Plant.FLOW_W_K] * max(flow, _NO_PART))
    outdoor = whole[PlantPart.OUTDOOR]
    chillers = whole[PlantPart.CHILLERS]
    most, sink_k = rejection_limit(
        dry_k, wet_k, supply_k, return_k, p.rejection[plant], flow, outdoor, chillers
    )
    above_k = supply_k - knobs.supply_k[plant]
    wanted = heat + pump + fixed[Plant.LOOP_J_K] * above_k / fixed[Plant.APPROACH_S]
    span_k = supply_k - sink_k
    target = wanted / span_k if span_k > _LEAST_SPAN_K else 0.0
    target = min(max(target, 0.0), most)
    held = state.plant[plant, PlantState.CONDUCTANCE_W_K]
    held += (target - held) * p.dt_s / (fixed[Plant.FAN_LAG_S] + p.dt_s)
    held = min(held, most) if span_k > _LEAST_SPAN_K else 0.0
    conductance = min(held, target + (1.0 - fixed[Plant.FOLLOWS]) * most)
    fan, compressor, water, lifted = rejection_power(
        conductance, most, supply_k, return_k, dry_k, wet_k, p.rejection[plant], flow, outdoor, chillers
    )
    star[Star.CONDUCTANCE_W_K] = conductance
    star[Star.HELD_W_K] = held
    star[Star.SINK_K] = sink_k
    star[Star.LIFTED_FRAC] = lifted
    star[Star.MOVED_FRAC] = moved
    is_now[Component.PUMP_FACILITY_W] = pump
    is_now[Component.FAN_W] = fan
    is_now[Component.CHILLER_W] = compressor
    is_now[Component.WATER_KG_S] = water
    is_now[Component.RETURN_K] = return_k
    is_now[Component.ABOVE_K] = max(above_k, 0.0)


@part
def _solve_plants(p: Fixed, state: State, now: Scratch, at: Span) -> None:
    """End-of-step temperature of each facility loop, and what it gives to the weather."""
    per_dt = 1.0 / p.dt_s
    rejected = 0.0
    reused_w = 0.0
    ambient = 0.0
    for plant in at.plants:
        fixed = p.plant[plant]
        is_now = now.plant[plant]
        star = now.star[plant]
        served = now.plant_served[plant]
        sink_k = star[Star.SINK_K]
        stopped = (1.0 - served[PlantServed.COMPRESSORS]) * star[Star.LIFTED_FRAC]
        out = star[Star.CONDUCTANCE_W_K] * served[PlantServed.DRIVES] * (1.0 - stopped)
        held = star[Star.HELD_W_K] * served[PlantServed.DRIVES]
        store = fixed[Plant.LOOP_J_K] * per_dt
        inflow = store * state.plant[plant, PlantState.SUPPLY_K] + star[Star.IN_W]
        inflow += is_now[Component.PUMP_FACILITY_W]
        facility_k, heat = hub_k(inflow, store + star[Star.OUT_W_K], out, sink_k)
        if facility_k < sink_k:  # the weather would heat the loop: the bypass closed
            held = 0.0
        reused = reused_heat_w(
            heat,
            is_now[Component.RETURN_K],
            fixed[Plant.REUSE_FRAC],
            fixed[Plant.REUSE_W],
            fixed[Plant.REUSE_MIN_K],
        )
        state.plant[plant, PlantState.SUPPLY_K] = facility_k
        state.plant[plant, PlantState.CONDUCTANCE_W_K] = held
        is_now[Component.HEAT_W] = heat - reused
        is_now[Component.REUSED_W] = reused
        is_now[Component.SUPPLY_K] = facility_k
        rejected += heat - reused
        reused_w += reused
        ambient += is_now[Component.FAN_W] + is_now[Component.CHILLER_W]
    now.site[at.design, SiteNow.REJECTED_W] = rejected
    now.site[at.design, SiteNow.REUSED_W] = reused_w
    now.site[at.design, SiteNow.AMBIENT_W] = ambient


@part
def _collect(p: Fixed, state: State, now: Scratch, at: Span) -> None:
    """What the pods' nodes pass on to the facility loop (`plant.cooling.node`), and their part of its weight."""
    for plant in at.plants:
        now.star[plant, Star.IN_W] = 0.0
        now.star[plant, Star.OUT_W_K] = 0.0
        now.star[plant, Star.MOVED_FRAC] *= now.plant_served[plant, PlantServed.DRIVES]
    for lane in at.lanes:
        pod = p.pod[lane]
        flux = now.flux[lane]
        served = now.pod_served[lane]
        star = now.star[p.loop_plant[lane]]
        share = served[PodServed.CDU_PUMPS] * star[Star.MOVED_FRAC]
        passed = flux[PodFlux.LOOP_PASSED]
        if share < 1.0:
            passed = passed_of_share(passed, share)
        heat = flux[PodFlux.LIQUID_W] + now.pod[lane, PodNow.PUMP_W]
        store = pod[Pod.LOOP_STORE_W_K]
        flux[PodFlux.LOOP_PASSED] = passed
        flux[PodFlux.LOOP_IN_W] = heat
        star[Star.IN_W] += flux_w(passed, store, heat, state.pod[lane, PodState.LOOP_K])
        star[Star.OUT_W_K] += passed * store
        star = now.star[p.air_plant[lane]]
        share = served[PodServed.CRAH_FANS] * star[Star.MOVED_FRAC]
        passed = flux[PodFlux.AIR_PASSED]
        if share < 1.0:
            passed = passed_of_share(passed, share)
        heat = flux[PodFlux.AIR_W] + now.pod[lane, PodNow.CRAH_W]
        store = pod[Pod.AIR_STORE_W_K]
        flux[PodFlux.AIR_PASSED] = passed
        flux[PodFlux.AIR_IN_W] = heat
        star[Star.IN_W] += flux_w(passed, store, heat, state.pod[lane, PodState.AIR_K])
        star[Star.OUT_W_K] += passed * store


@part
def _warm_case(p: Fixed, state: State, now: Scratch, lane: int, inlet_k: float) -> float:
    """Case temperature of a pod's accelerators at the end of the step."""
    pod = p.pod[lane]
    flux = now.flux[lane]
    per_plate = now.pod[lane, PodNow.ACCELERATOR_W] * pod[Pod.PER_ACCELERATOR]
    case_k = state.pod[lane, PodState.CASE_K]
    # server fans carry on without the hall's; a cold plate without its pump does not
    share = max(now.pod_served[lane, PodServed.CDU_PUMPS], pod[Pod.CASE_ON_AIR]) * flux[PodFlux.CASE_FLOW]
    if share < 1.0:
        conducts = share / flux[PodFlux.CASE_K_W]
        store = pod[Pod.CASE_STORE_W_K]
        return node_k(case_k, store, per_plate, conducts, inlet_k)
    steady_k = inlet_k + flux[PodFlux.CASE_K_W] * per_plate
    return case_k + flux[PodFlux.CASE_PASSED] * (steady_k - case_k)


@part
def exchange_heat(p: Fixed, state: State, now: Scratch, at: Span) -> None:
    """Advance every node by backward Euler and book each flux once."""
    _collect(p, state, now, at)
    _solve_plants(p, state, now, at)
    ambient = now.site[at.design, SiteNow.AMBIENT_W]
    for lane in at.lanes:
        flux = now.flux[lane]
        pod = p.pod[lane]
        facility_k = state.plant[p.loop_plant[lane], PlantState.SUPPLY_K]
        loop_k = state.pod[lane, PodState.LOOP_K]
        heat = flux[PodFlux.LOOP_IN_W]
        given = flux_w(flux[PodFlux.LOOP_PASSED], pod[Pod.LOOP_STORE_W_K], heat, loop_k - facility_k)
        loop_k += (heat - given) * pod[Pod.PER_LOOP_STORE]
        facility_k = state.plant[p.air_plant[lane], PlantState.SUPPLY_K]
        air_k = state.pod[lane, PodState.AIR_K]
        heat = flux[PodFlux.AIR_IN_W]
        given = flux_w(flux[PodFlux.AIR_PASSED], pod[Pod.AIR_STORE_W_K], heat, air_k - facility_k)
        air_k += (heat - given) * pod[Pod.PER_AIR_STORE]
        on_air = pod[Pod.CASE_ON_AIR]
        inlet_k = on_air * air_k + (1.0 - on_air) * loop_k
        now.pod[lane, PodNow.SUPPLY_K] = inlet_k
        now.pod[lane, PodNow.AIR_K] = air_k
        state.pod[lane, PodState.LOOP_K] = loop_k
        state.pod[lane, PodState.AIR_K] = air_k
        case_k = _warm_case(p, state, now, lane, inlet_k)
        state.pod[lane, PodState.CASE_K] = case_k
        hot = hot_frac(case_k, pod[Pod.THROTTLE_K], pod[Pod.PER_CASE_BAND])
        inlet = max(loop_k - pod[Pod.COOLANT_LIMIT_K], air_k - pod[Pod.AIR_LIMIT_K])
        state.pod[lane, PodState.HOT_FRAC] = max(hot, inlet * pod[Pod.PER_INLET_BAND])
        ambient += flux[PodFlux.AMBIENT_W]
    now.site[at.design, SiteNow.AMBIENT_W] = ambient
