"""Step 5 of the energy engine: the loops between the racks and the weather.

Each pod has a rack loop (liquid) and the air of its hall; both give their heat to the facility loop
of their plant, which gives it to the weather. A node's temperature is its supply temperature. All
nodes of a plant advance together by backward Euler: the pods' nodes are eliminated, the facility
node is solved, and each exchange flux is computed once and applied to both its ends.
"""

from __future__ import annotations

from aidc.jit import part, scalar
from aidc.plant.cooling.rejection import rejection_limit, rejection_power
from aidc.simulate.arrays import FloatArray, Knobs, Params, Scratch, State
from aidc.simulate.fields import (
    Channel,
    Component,
    Plant,
    PlantState,
    Pod,
    PodFlow,
    PodNow,
    PodState,
    SiteNow,
)

__all__ = ["cool_electric", "exchange_heat"]

_LEAST_SPAN_K = 0.05  # below this difference to the weather nothing is rejected


@scalar
def _at(table: FloatArray, frac: float) -> float:
    """Read a table that is uniform over 0 … 1."""
    last = table.shape[0] - 1
    place = frac * last
    low = min(int(place), last - 1)
    return table[low] + (place - low) * (table[low + 1] - table[low])


@part
def cool_electric(
    p: Params, knobs: Knobs, state: State, now: Scratch, design: int, first: int, last: int
) -> None:
    """Flows, conductances and electricity of the cooling plant, from start-of-step temperatures."""
    plants = p.plant.shape[1] // p.site.shape[1]
    for plant in range(design * plants, (design + 1) * plants):
        now.star[0, plant] = 0.0
    for lane in range(first, last):
        plant = int(p.pod[Pod.PLANT, lane])
        floor = p.pod[Pod.FLOW_MIN_FRAC, lane]
        flow = min(max(now.pod[PodNow.LIQUID_W, lane] * p.pod[Pod.PER_LIQUID_RATED, lane], floor), 1.0)
        loop = _at(p.flow[PodFlow.LOOP_W_K, lane], flow)
        now.pod[PodNow.PUMP_W, lane] = _at(p.flow[PodFlow.PUMP_W, lane], flow)
        now.pod[PodNow.CASE_K_W, lane] = _at(p.flow[PodFlow.CASE_K_W, lane], flow)
        flow = min(max(now.pod[PodNow.AIR_W, lane] * p.pod[Pod.PER_AIR_RATED, lane], floor), 1.0)
        air = _at(p.flow[PodFlow.AIR_W_K, lane], flow)
        now.pod[PodNow.CRAH_W, lane] = _at(p.flow[PodFlow.CRAH_W, lane], flow)
        now.pod[PodNow.LOOP_W_K, lane] = loop
        now.pod[PodNow.AIR_W_K, lane] = air
        now.star[0, plant] += loop * (
            state.pod[PodState.LOOP_K, lane] - state.plant[PlantState.SUPPLY_K, plant]
        )
        plant = int(p.pod[Pod.AIR_PLANT, lane])
        now.star[0, plant] += air * (
            state.pod[PodState.AIR_K, lane] - state.plant[PlantState.SUPPLY_K, plant]
        )
    dry_k = now.channel[Channel.DRY_BULB_K]
    wet_k = now.channel[Channel.WET_BULB_K]
    for plant in range(design * plants, (design + 1) * plants):
        heat = now.star[0, plant]
        flow = min(max(heat * p.plant[Plant.PER_HEAT_RATED, plant], p.plant[Plant.FLOW_MIN_FRAC, plant]), 1.0)
        static = p.plant[Plant.PUMP_STATIC_FRAC, plant]
        pump = p.plant[Plant.PUMP_W, plant] * flow * (static + (1.0 - static) * flow * flow)
        supply_k = state.plant[PlantState.SUPPLY_K, plant]
        flow_w_k = p.plant[Plant.FLOW_W_K, plant] * flow
        return_k = supply_k + max(heat, 0.0) / flow_w_k
        most, sink_k = rejection_limit(dry_k, wet_k, supply_k, return_k, p.rejection[plant], flow)
        above_k = supply_k - knobs.supply_k[plant]
        wanted = heat + pump + p.plant[Plant.LOOP_J_K, plant] * above_k / p.plant[Plant.APPROACH_S, plant]
        span_k = supply_k - sink_k
        target = wanted / span_k if span_k > _LEAST_SPAN_K else 0.0
        target = min(max(target, 0.0), most)
        held = state.plant[PlantState.CONDUCTANCE_W_K, plant]
        conductance = held + (target - held) * p.dt_s / (p.plant[Plant.FAN_LAG_S, plant] + p.dt_s)
        conductance = min(conductance, most) if span_k > _LEAST_SPAN_K else 0.0
        fan, compressor, water = rejection_power(
            conductance,
            most,
            supply_k,
            return_k,
            dry_k,
            wet_k,
            p.rejection[plant],
            flow,
        )
        now.conductance[plant] = conductance
        now.sink_k[plant] = sink_k
        now.plant[Component.PUMP_FACILITY_W, plant] = pump
        now.plant[Component.FAN_W, plant] = fan
        now.plant[Component.CHILLER_W, plant] = compressor
        now.plant[Component.WATER_KG_S, plant] = water
        now.plant[Component.RETURN_K, plant] = return_k


@part
def exchange_heat(p: Params, state: State, now: Scratch, design: int, first: int, last: int) -> None:
    """Advance every node by backward Euler and book each flux once."""
    plants = p.plant.shape[1] // p.site.shape[1]
    per_dt = 1.0 / p.dt_s
    for plant in range(design * plants, (design + 1) * plants):
        now.star[1, plant] = 0.0
        now.star[2, plant] = 0.0
    for lane in range(first, last):
        # a node at T, with heat Q and conductance G to the facility at F, ends the step at
        #   (C T/dt + Q + G F) / (C/dt + G), so its flux to the facility is a (C T/dt + Q) - a C/dt F
        plant = int(p.pod[Pod.PLANT, lane])
        store = p.pod[Pod.LOOP_J_K, lane] * per_dt
        part_out = now.pod[PodNow.LOOP_W_K, lane] / (store + now.pod[PodNow.LOOP_W_K, lane])
        heat = now.pod[PodNow.LIQUID_W, lane] + now.pod[PodNow.PUMP_W, lane]
        now.star[1, plant] += part_out * (store * state.pod[PodState.LOOP_K, lane] + heat)
        now.star[2, plant] += part_out * store
        plant = int(p.pod[Pod.AIR_PLANT, lane])
        store = p.pod[Pod.AIR_J_K, lane] * per_dt
        part_out = now.pod[PodNow.AIR_W_K, lane] / (store + now.pod[PodNow.AIR_W_K, lane])
        heat = now.pod[PodNow.AIR_W, lane] + now.pod[PodNow.CRAH_W, lane]
        now.star[1, plant] += part_out * (store * state.pod[PodState.AIR_K, lane] + heat)
        now.star[2, plant] += part_out * store
    for plant in range(design * plants, (design + 1) * plants):
        store = p.plant[Plant.LOOP_J_K, plant] * per_dt
        inflow = (
            store * state.plant[PlantState.SUPPLY_K, plant]
            + now.star[1, plant]
            + now.plant[Component.PUMP_FACILITY_W, plant]
        )
        out = now.conductance[plant]
        facility_k = (inflow + out * now.sink_k[plant]) / (store + now.star[2, plant] + out)
        if facility_k < now.sink_k[plant]:  # the weather would heat the loop: the bypass closes
            out = 0.0
            facility_k = inflow / (store + now.star[2, plant])
        now.facility_k[plant] = facility_k
        heat = out * (facility_k - now.sink_k[plant])
        now.conductance[plant] = out
        reused = 0.0
        if now.plant[Component.RETURN_K, plant] >= p.plant[Plant.REUSE_MIN_K, plant]:
            reused = min(heat * p.plant[Plant.REUSE_FRAC, plant], p.plant[Plant.REUSE_W, plant])
        now.plant[Component.HEAT_W, plant] = heat - reused
        now.plant[Component.REUSED_W, plant] = reused
        now.plant[Component.SUPPLY_K, plant] = facility_k
        now.site[SiteNow.REJECTED_W] += heat - reused
        now.site[SiteNow.REUSED_W] += reused
        now.site[SiteNow.AMBIENT_W] += (
            now.plant[Component.FAN_W, plant] + now.plant[Component.CHILLER_W, plant]
        )
    for lane in range(first, last):
        facility_k = now.facility_k[int(p.pod[Pod.PLANT, lane])]
        store = p.pod[Pod.LOOP_J_K, lane] * per_dt
        loop = now.pod[PodNow.LOOP_W_K, lane]
        heat = now.pod[PodNow.LIQUID_W, lane] + now.pod[PodNow.PUMP_W, lane]
        loop_k = (store * state.pod[PodState.LOOP_K, lane] + heat + loop * facility_k) / (store + loop)
        now.node[0, lane] = loop_k
        facility_k = now.facility_k[int(p.pod[Pod.AIR_PLANT, lane])]
        store = p.pod[Pod.AIR_J_K, lane] * per_dt
        air = now.pod[PodNow.AIR_W_K, lane]
        heat = now.pod[PodNow.AIR_W, lane] + now.pod[PodNow.CRAH_W, lane]
        air_k = (store * state.pod[PodState.AIR_K, lane] + heat + air * facility_k) / (store + air)
        now.node[1, lane] = air_k
        on_air = p.pod[Pod.CASE_ON_AIR, lane]
        inlet_k = on_air * air_k + (1.0 - on_air) * loop_k
        now.pod[PodNow.SUPPLY_K, lane] = inlet_k
        per_plate = now.pod[PodNow.ACCELERATOR_W, lane] * p.pod[Pod.PER_ACCELERATOR, lane]
        now.pod[PodNow.CASE_K, lane] = inlet_k + now.pod[PodNow.CASE_K_W, lane] * per_plate
        now.site[SiteNow.AMBIENT_W] += now.pod[PodNow.AMBIENT_W, lane]
