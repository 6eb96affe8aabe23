"""What the sources can give to the site bus in a step, and what holds its voltage: the grid, gensets, storage.

Something must form the bus. The grid does while it is there; on an island a running genset does, or a
grid-forming storage that is not empty. Without a former photovoltaics, wind and grid-following storage stop.
"""

from __future__ import annotations

from aidc.jit import inner, part
from aidc.plant.genset import GensetParams, fuel_power_w, genset_clock, genset_range_w
from aidc.simulate.energy.arrays import Fixed, Scratch, Span, State
from aidc.simulate.energy.fields import (
    BusNow,
    Channel,
    Equipment,
    GensetNow,
    GensetRange,
    GensetState,
    PlantServed,
    Pod,
    PodFlux,
    PodState,
    Site,
    Store,
)
from aidc.simulate.energy.store import keep_floors, reach_w

__all__ = ["burn_fuel", "call_gensets", "dispatch_gensets", "open_bus", "open_foul"]


@part
def _params(p: Fixed, genset: int) -> GensetParams:
    c = p.genset[genset]
    return GensetParams(c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7], c[8], c[9], c[10])


@part
def _count_equipment(p: Fixed, now: Scratch, design: int) -> bool:
    """Read the shares of equipment that are in service; whether all of it is."""
    whole = True
    for outage in range(p.outage.shape[0]):
        row, column = p.outage[outage, 1], p.outage[outage, 2]
        share = now.channel[design, p.first_outage + outage]
        if p.outage[outage, 0] == Equipment.GENSET:
            now.genset_part[row] = share
        elif p.outage[outage, 0] == Equipment.STAGE:
            now.stage_part[row, column] = share
        else:
            now.part[row, column] = share
        whole = whole and share >= 1.0
    return whole


@part
def _range_gensets(p: Fixed, state: State, now: Scratch, at: Span) -> float:
    """What running gensets can give; returns the most of all together [W]."""
    total = 0.0
    for genset in at.gensets:
        was = state.genset[genset]
        low, high, online = genset_range_w(
            was[GensetState.CLOCK_S],
            was[GensetState.POWER_W],
            was[GensetState.FUEL_J],
            now.genset_part[genset],
            p.dt_s,
            _params(p, genset),
        )
        can = now.genset_range[genset]
        can[GensetRange.LOW_W] = low
        can[GensetRange.HIGH_W] = high
        can[GensetRange.ONLINE_W] = online
        now.genset[genset, GensetNow.POWER_W] = 0.0
        now.genset[genset, GensetNow.FUEL_W] = 0.0
        now.genset[genset, GensetNow.RUNNING_FRAC] = 1.0 if online > 0.0 else 0.0
        total += high
    return total


@inner
def open_foul(p: Fixed, state: State, now: Scratch, at: Span) -> None:
    """What can be given, and what forms the bus, where the grid alone does not do."""
    state.calm[at.design] = 0.0
    bus = now.bus[at.design]
    bus[BusNow.OFF_PODS] = 0.0
    for plant in at.plants:  # what is wanted is wanted of all
        now.plant_served[plant, PlantServed.DRIVES] = 1.0
    grid = 1.0 if now.channel[at.design, Channel.GRID] > 0.0 else 0.0
    running = _range_gensets(p, state, now, at)
    own = grid > 0.0
    for store in at.stores:
        keep_floors(p, now, store, grid)
        if p.store[store, Store.FORMING] > 0.0 and not own:
            gives, _ = reach_w(p, state, now, store)
            own = gives > 0.0
    bus[BusNow.OWN_FORMER] = 1.0 if own else 0.0
    bus[BusNow.FORMED] = 1.0 if own or running > 0.0 else 0.0
    if bus[BusNow.FORMED] <= 0.0:
        bus[BusNow.RENEWABLE_W] = 0.0
    for lane in at.lanes:
        now.shed[lane] = 0.0
        pod = p.pod[lane]
        waited = state.pod[lane, PodState.INPUT_S] + 0.5 * p.dt_s - pod[Pod.INPUT_RETURN_S]
        walked = 1.0 if waited > 0.0 else 0.0
        if pod[Pod.WALK_IN_S] > 0.0:
            walked = min(max(waited / pod[Pod.WALK_IN_S], 0.0), 1.0)
        now.flux[lane, PodFlux.INPUT_FRAC] = walked


@part
def open_bus(p: Fixed, state: State, now: Scratch, at: Span) -> bool:
    """Find what the sources can give at the start of a step; returns whether all is calm, else `open_foul` goes on."""
    bus = now.bus[at.design]
    channel = now.channel[at.design]
    grid = channel[Channel.GRID]
    whole = _count_equipment(p, now, at.design)
    # of the step before: a thousandth of the power, and it saves an algebraic loop
    auxiliary = bus[BusNow.LINEUP_AUXILIARY_W]
    for place in range(p.site_store.shape[1]):
        auxiliary += now.auxiliary_w[p.site_store[at.design, place]]
    bus[BusNow.AUXILIARY_W] = auxiliary
    bus[BusNow.LEVEL] = 0.0
    # the limit of a step that an outage shares is a mean already
    bus[BusNow.LIMIT_W] = max(channel[Channel.IMPORT_LIMIT_W], 0.0) if grid > 0.0 else 0.0
    bus[BusNow.EXPORT_W] = p.site[at.design, Site.EXPORT_LIMIT_W] * grid
    bus[BusNow.RENEWABLE_W] = channel[Channel.PV_W] + channel[Channel.WIND_W]
    if whole and grid > 0.0 and state.calm[at.design] > 0.0:
        bus[BusNow.FORMED] = 1.0
        bus[BusNow.OWN_FORMER] = 1.0
        return True
    return False


@part
def call_gensets(p: Fixed, state: State, at: Span, lacking: bool) -> None:
    """Advance the clocks of all gensets with what the step's wants lack.

    `lacking` says whether the wants of the step exceed what the other sources can give.
    """
    for genset in at.gensets:
        was = state.genset[genset]
        params = _params(p, genset)
        clock, sufficed = genset_clock(
            was[GensetState.CLOCK_S],
            was[GensetState.SUFFICED_S],
            lacking,
            p.dt_s,
            params.call_s,
            params.stop_s,
        )
        was[GensetState.CLOCK_S] = clock
        was[GensetState.SUFFICED_S] = sufficed


@inner
def dispatch_gensets(now: Scratch, at: Span, need_w: float) -> float:
    """Let running gensets carry a need, each the same share of its range; returns what they give [W]."""
    low = 0.0
    high = 0.0
    for genset in at.gensets:
        low += now.genset_range[genset, GensetRange.LOW_W]
        high += now.genset_range[genset, GensetRange.HIGH_W]
    share = min(max((need_w - low) / (high - low), 0.0), 1.0) if high > low else 1.0
    total = 0.0
    for genset in at.gensets:
        can = now.genset_range[genset]
        power = can[GensetRange.LOW_W] + share * (can[GensetRange.HIGH_W] - can[GensetRange.LOW_W])
        now.genset[genset, GensetNow.POWER_W] = power
        total += power
    return total


@inner
def burn_fuel(p: Fixed, state: State, now: Scratch, at: Span) -> None:
    """Book the fuel of the step, and remember what the gensets gave."""
    for genset in at.gensets:
        power = now.genset[genset, GensetNow.POWER_W]
        fuel = fuel_power_w(power, now.genset_range[genset, GensetRange.ONLINE_W], _params(p, genset))
        now.genset[genset, GensetNow.FUEL_W] = fuel
        state.genset[genset, GensetState.POWER_W] = power
        left = state.genset[genset, GensetState.FUEL_J] - fuel * p.dt_s
        state.genset[genset, GensetState.FUEL_J] = max(left, 0.0)
