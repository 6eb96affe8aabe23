"""Step 5 of the energy engine: the loops between the racks and the weather.

Each pod has a rack loop (liquid) and the air of its hall; both give their heat to the facility loop
of their plant, which gives it to the weather. A node's temperature is its supply temperature. All
nodes of a plant advance together by backward Euler: the pods' nodes are eliminated, the facility
node is solved, and each exchange flux is computed once and applied to both its ends.
"""

from __future__ import annotations

from aidc.jit import part
from aidc.plant.cooling.rejection import rejection_limit, rejection_power
from aidc.simulate.arrays import Fixed, Knobs, Scratch, Span, State
from aidc.simulate.fields import (
    Channel,
    Component,
    Plant,
    PlantState,
    Pod,
    PodFlow,
    PodFlux,
    PodNow,
    PodState,
    SiteNow,
    Star,
)
from aidc.simulate.tables import place_in, read_at

__all__ = ["cool_electric", "exchange_heat"]

_LEAST_SPAN_K = 0.05  # below this difference to the weather nothing is rejected


@part
def cool_electric(p: Fixed, knobs: Knobs, state: State, now: Scratch, at: Span) -> None:
    """Flows, conductances and electricity of the cooling plant, from start-of-step temperatures."""
    for plant in at.plants:
        now.star[plant, Star.HEAT_W] = 0.0
    for lane in at.lanes:
        pod = p.pod[lane]
        flux = now.flux[lane]
        flow = max(flux[PodFlux.LIQUID_W] * pod[Pod.PER_LIQUID_RATED], pod[Pod.FLOW_MIN_FRAC])
        cell, frac = place_in(flow, p.flow.shape[1])
        here = p.flow[lane, cell]
        loop = read_at(here, PodFlow.LOOP_W_K, frac)
        flux[PodFlux.LOOP_W_K] = loop
        flux[PodFlux.CASE_K_W] = read_at(here, PodFlow.CASE_K_W, frac)
        now.pod[lane, PodNow.PUMP_W] = read_at(here, PodFlow.PUMP_W, frac)
        flow = max(flux[PodFlux.AIR_W] * pod[Pod.PER_AIR_RATED], pod[Pod.FLOW_MIN_FRAC])
        cell, frac = place_in(flow, p.flow.shape[1])
        here = p.flow[lane, cell]
        air = read_at(here, PodFlow.AIR_W_K, frac)
        flux[PodFlux.AIR_W_K] = air
        now.pod[lane, PodNow.CRAH_W] = read_at(here, PodFlow.CRAH_W, frac)
        plant = p.loop_plant[lane]
        above_k = state.pod[lane, PodState.LOOP_K] - state.plant[plant, PlantState.SUPPLY_K]
        now.star[plant, Star.HEAT_W] += loop * above_k
        plant = p.air_plant[lane]
        above_k = state.pod[lane, PodState.AIR_K] - state.plant[plant, PlantState.SUPPLY_K]
        now.star[plant, Star.HEAT_W] += air * above_k
    dry_k = now.channel[at.design, Channel.DRY_BULB_K]
    wet_k = now.channel[at.design, Channel.WET_BULB_K]
    for plant in at.plants:
        fixed = p.plant[plant]
        is_now = now.plant[plant]
        heat = now.star[plant, Star.HEAT_W]
        flow = min(max(heat * fixed[Plant.PER_HEAT_RATED], fixed[Plant.FLOW_MIN_FRAC]), 1.0)
        static = fixed[Plant.PUMP_STATIC_FRAC]
        pump = fixed[Plant.PUMP_W] * flow * (static + (1.0 - static) * flow * flow)
        supply_k = state.plant[plant, PlantState.SUPPLY_K]
        return_k = supply_k + max(heat, 0.0) / (fixed[Plant.FLOW_W_K] * flow)
        most, sink_k = rejection_limit(dry_k, wet_k, supply_k, return_k, p.rejection[plant], flow)
        above_k = supply_k - knobs.supply_k[plant]
        wanted = heat + pump + fixed[Plant.LOOP_J_K] * above_k / fixed[Plant.APPROACH_S]
        span_k = supply_k - sink_k
        target = wanted / span_k if span_k > _LEAST_SPAN_K else 0.0
        target = min(max(target, 0.0), most)
        held = state.plant[plant, PlantState.CONDUCTANCE_W_K]
        conductance = held + (target - held) * p.dt_s / (fixed[Plant.FAN_LAG_S] + p.dt_s)
        conductance = min(conductance, most) if span_k > _LEAST_SPAN_K else 0.0
        fan, compressor, water = rejection_power(
            conductance, most, supply_k, return_k, dry_k, wet_k, p.rejection[plant], flow
        )
        now.star[plant, Star.CONDUCTANCE_W_K] = conductance
        now.star[plant, Star.SINK_K] = sink_k
        is_now[Component.PUMP_FACILITY_W] = pump
        is_now[Component.FAN_W] = fan
        is_now[Component.CHILLER_W] = compressor
        is_now[Component.WATER_KG_S] = water
        is_now[Component.RETURN_K] = return_k


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
        sink_k = star[Star.SINK_K]
        out = star[Star.CONDUCTANCE_W_K]
        store = fixed[Plant.LOOP_J_K] * per_dt
        inflow = store * state.plant[plant, PlantState.SUPPLY_K] + star[Star.IN_W]
        inflow += is_now[Component.PUMP_FACILITY_W]
        facility_k = (inflow + out * sink_k) / (store + star[Star.OUT_W_K] + out)
        if facility_k < sink_k:  # the weather would heat the loop: the bypass closes
            out = 0.0
            facility_k = inflow / (store + star[Star.OUT_W_K])
        heat = out * (facility_k - sink_k)
        reused = 0.0
        if is_now[Component.RETURN_K] >= fixed[Plant.REUSE_MIN_K]:
            reused = min(heat * fixed[Plant.REUSE_FRAC], fixed[Plant.REUSE_W])
        state.plant[plant, PlantState.SUPPLY_K] = facility_k
        state.plant[plant, PlantState.CONDUCTANCE_W_K] = out
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
def exchange_heat(p: Fixed, state: State, now: Scratch, at: Span) -> None:
    """Advance every node by backward Euler and book each flux once."""
    per_dt = 1.0 / p.dt_s
    for plant in at.plants:
        now.star[plant, Star.IN_W] = 0.0
        now.star[plant, Star.OUT_W_K] = 0.0
    for lane in at.lanes:
        # a node of capacity C at T, with heat Q and conductance G to the facility at F, ends the step at
        #   (C T/dt + Q + G F) / (C/dt + G), so its flux to the facility is a (C T/dt + Q) - a C/dt F
        flux = now.flux[lane]
        store = p.pod[lane, Pod.LOOP_J_K] * per_dt
        inflow = (
            store * state.pod[lane, PodState.LOOP_K] + flux[PodFlux.LIQUID_W] + now.pod[lane, PodNow.PUMP_W]
        )
        per = 1.0 / (store + flux[PodFlux.LOOP_W_K])
        part_out = flux[PodFlux.LOOP_W_K] * per
        flux[PodFlux.LOOP_IN_W] = inflow
        flux[PodFlux.LOOP_PER] = per
        star = now.star[p.loop_plant[lane]]
        star[Star.IN_W] += part_out * inflow
        star[Star.OUT_W_K] += part_out * store
        store = p.pod[lane, Pod.AIR_J_K] * per_dt
        inflow = store * state.pod[lane, PodState.AIR_K] + flux[PodFlux.AIR_W] + now.pod[lane, PodNow.CRAH_W]
        per = 1.0 / (store + flux[PodFlux.AIR_W_K])
        part_out = flux[PodFlux.AIR_W_K] * per
        flux[PodFlux.AIR_IN_W] = inflow
        flux[PodFlux.AIR_PER] = per
        star = now.star[p.air_plant[lane]]
        star[Star.IN_W] += part_out * inflow
        star[Star.OUT_W_K] += part_out * store
    _solve_plants(p, state, now, at)
    ambient = now.site[at.design, SiteNow.AMBIENT_W]
    for lane in at.lanes:
        flux = now.flux[lane]
        facility_k = state.plant[p.loop_plant[lane], PlantState.SUPPLY_K]
        loop_k = (flux[PodFlux.LOOP_IN_W] + flux[PodFlux.LOOP_W_K] * facility_k) * flux[PodFlux.LOOP_PER]
        facility_k = state.plant[p.air_plant[lane], PlantState.SUPPLY_K]
        air_k = (flux[PodFlux.AIR_IN_W] + flux[PodFlux.AIR_W_K] * facility_k) * flux[PodFlux.AIR_PER]
        on_air = p.pod[lane, Pod.CASE_ON_AIR]
        inlet_k = on_air * air_k + (1.0 - on_air) * loop_k
        per_plate = now.pod[lane, PodNow.ACCELERATOR_W] * p.pod[lane, Pod.PER_ACCELERATOR]
        now.pod[lane, PodNow.SUPPLY_K] = inlet_k
        state.pod[lane, PodState.LOOP_K] = loop_k
        state.pod[lane, PodState.AIR_K] = air_k
        state.pod[lane, PodState.CASE_K] = inlet_k + flux[PodFlux.CASE_K_W] * per_plate
        ambient += flux[PodFlux.AMBIENT_W]
    now.site[at.design, SiteNow.AMBIENT_W] = ambient
