"""Which cooling consumers run: pumps, fans and compressors stop without supply and start again one after another."""

from __future__ import annotations

from aidc.jit import inner, part
from aidc.simulate.energy.arrays import Fixed, Scratch, Span, State
from aidc.simulate.energy.chain import load_ups, run_lane
from aidc.simulate.energy.fields import (
    BusNow,
    Component,
    Plant,
    PlantServed,
    PlantState,
    Pod,
    PodFlux,
    PodNow,
    PodServed,
    Site,
    SiteNow,
    Star,
)

__all__ = ["hang_on_ups", "serve_cooling"]


@part
def _started_frac(up_s: float, restart_s: float, ramp_s: float) -> float:
    """How far drives have come since their supply is back."""
    run_s = up_s - restart_s
    if ramp_s <= 0.0:
        return 1.0 if run_s > 0.0 else 0.0
    return min(max(run_s / ramp_s, 0.0), 1.0)


@part
def _serve_plants(p: Fixed, state: State, now: Scratch, at: Span, alive: bool) -> float:
    """Shares of pumps, fans and compressors that run, and their electricity; what is not served [W]."""
    unserved = 0.0
    for plant in at.plants:
        fixed = p.plant[plant]
        served = now.plant_served[plant]
        up_s = state.plant[plant, PlantState.BUS_S] + 0.5 * p.dt_s
        drives = _started_frac(up_s, fixed[Plant.RESTART_S], fixed[Plant.RAMP_S]) if alive else 0.0
        machines = 1.0 if alive and up_s > fixed[Plant.COMPRESSOR_RESTART_S] else 0.0
        on_bus = (1.0 - fixed[Plant.ON_UPS]) * drives
        drives = on_bus
        if fixed[Plant.ON_UPS] > 0.0:
            drives += served[PlantServed.DRIVES]  # found by `_serve_pods`
        served[PlantServed.DRIVES] = drives
        now.star[plant, Star.BUS_FRAC] = on_bus / max(drives, 1e-9)
        served[PlantServed.COMPRESSORS] = machines
        part_of = now.plant[plant]
        for row in (Component.PUMP_FACILITY_W, Component.FAN_W):
            unserved += part_of[row] * (1.0 - drives)
            part_of[row] *= drives
        unserved += part_of[Component.CHILLER_W] * (1.0 - machines)
        part_of[Component.CHILLER_W] *= machines
        part_of[Component.WATER_KG_S] *= drives
    return unserved


@part
def _serve_pods(p: Fixed, state: State, now: Scratch, at: Span, alive: bool, held_by_bus: bool) -> float:
    """The same for CDU pumps and hall fans; counts the UPS buses that are alive for their plants."""
    unserved = 0.0
    for plant in at.plants:
        if p.plant[plant, Plant.ON_UPS] > 0.0:
            now.plant_served[plant, PlantServed.DRIVES] = 0.0
    for lane in at.lanes:
        pod = p.pod[lane]
        held = 1.0 if held_by_bus or now.shed[lane] <= 0.0 else 0.0  # its UPS bus has supply
        for air in range(2):
            plant = p.air_plant[lane] if air == 1 else p.loop_plant[lane]
            fixed = p.plant[plant]
            up_s = state.plant[plant, PlantState.BUS_S] + 0.5 * p.dt_s
            runs = _started_frac(up_s, fixed[Plant.RESTART_S], fixed[Plant.RAMP_S]) if alive else 0.0
            share = pod[Pod.AIR_DRIVES_FRAC] if air == 1 else pod[Pod.LOOP_DRIVES_FRAC]
            on_ups = pod[Pod.AIR_ON_UPS] if air == 1 else pod[Pod.LOOP_ON_UPS]
            if on_ups > 0.0:
                runs = held
                now.plant_served[plant, PlantServed.DRIVES] += share * held
            electric = PodNow.CRAH_W if air == 1 else PodNow.PUMP_W
            unserved += now.pod[lane, electric] * (1.0 - runs)
            now.pod[lane, electric] *= runs
            now.pod_served[lane, PodServed.CRAH_FANS if air == 1 else PodServed.CDU_PUMPS] = runs
    return unserved


@part
def ups_load_w(p: Fixed, now: Scratch, lane: int) -> float:
    """Cooling that hangs on the UPS bus of a lineup whose bus has supply [W]."""
    pod = p.pod[lane]
    load = 0.0
    for air in range(2):
        plant = p.air_plant[lane] if air == 1 else p.loop_plant[lane]
        if (pod[Pod.AIR_ON_UPS] if air == 1 else pod[Pod.LOOP_ON_UPS]) > 0.0:
            # the electricity is what runs already: share it among the lineups that are alive
            alive = max(now.plant_served[plant, PlantServed.DRIVES], 1e-9)
            share = (pod[Pod.AIR_DRIVES_FRAC] if air == 1 else pod[Pod.LOOP_DRIVES_FRAC]) / alive
            part_of = now.plant[plant]
            load += share * (part_of[Component.PUMP_FACILITY_W] + part_of[Component.FAN_W])
            load += now.pod[lane, PodNow.CRAH_W if air == 1 else PodNow.PUMP_W]
    return load


@part
def hang_on_ups(p: Fixed, now: Scratch, at: Span, calm: bool) -> None:
    """Lay the cooling that hangs on a lineup's UPS on its bus, in a calm step or among what is wanted."""
    for lane in at.lanes:
        load_ups(p, now, lane, ups_load_w(p, now, lane), calm)


@inner
def serve_cooling(p: Fixed, state: State, now: Scratch, at: Span) -> None:
    """Take off the cooling that has no supply in this pass, and lay what hangs on a UPS on its lineup."""
    bus = now.bus[at.design]
    alive = bus[BusNow.FORMED] > 0.0 and bus[BusNow.LEVEL] <= 0.0
    unserved = _serve_pods(p, state, now, at, alive, alive)
    unserved += _serve_plants(p, state, now, at, alive)
    now.site[at.design, SiteNow.COOLING_UNSERVED_W] = unserved
    if p.site[at.design, Site.ON_UPS] <= 0.0:
        return
    for lane in at.lanes:
        held = alive or now.shed[lane] <= 0.0
        now.flux[lane, PodFlux.UPS_LOAD_W] = ups_load_w(p, now, lane) if held else 0.0
        run_lane(p, state, now, lane, at.design)
