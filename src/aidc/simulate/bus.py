"""Steps 6 and 7 of the energy engine: sources, storage, the grid, and what happens when they are short."""

from __future__ import annotations

from aidc.jit import part
from aidc.simulate.arrays import Fixed, Knobs, Scratch, Span, State
from aidc.simulate.fields import Channel, Component, PodFlux, PodNow, Site, SiteNow, Store, StoreNow
from aidc.simulate.store import run_store

__all__ = ["balance_bus", "leave_unserved", "shed_pods"]


@part
def balance_bus(p: Fixed, knobs: Knobs, state: State, now: Scratch, at: Span) -> float:
    """Balance the site bus within the import limit; return the power that is still short [W]."""
    site = p.site[at.design]
    channel = now.channel[at.design]
    is_now = now.site[at.design]
    load = 0.0
    cooling = 0.0
    for lane in at.lanes:
        load += now.flux[lane, PodFlux.BUS_W]
        cooling += now.pod[lane, PodNow.PUMP_W] + now.pod[lane, PodNow.CRAH_W]
    for plant in at.plants:
        cooling += (
            now.plant[plant, Component.PUMP_FACILITY_W]
            + now.plant[plant, Component.FAN_W]
            + now.plant[plant, Component.CHILLER_W]
        )
    auxiliary = site[Site.AUXILIARY_W] + site[Site.AUXILIARY_FRAC] * load
    for store in at.stores:
        # of the step before: a thousandth of the power, and it saves an algebraic loop
        auxiliary += now.store[store, StoreNow.AUXILIARY_W]
    is_now[SiteNow.COOLING_W] = cooling
    is_now[SiteNow.AUXILIARY_W] = auxiliary
    renewable = channel[Channel.PV_W] + channel[Channel.WIND_W]
    net = load + cooling + auxiliary - renewable
    # the main transformer carries the net exchange; its loss is taken at the flow before storage
    through = net if net > 0.0 else -net
    transformer = site[Site.TRANSFORMER_0_W] + site[Site.TRANSFORMER_2_PER_W] * through * through
    is_now[SiteNow.TRANSFORMER_W] = transformer
    net += transformer

    limit = channel[Channel.IMPORT_LIMIT_W]
    for store in at.stores:
        if p.store[store, Store.LANE] < 0.0:
            net += run_store(p, knobs, state, now, store, net, limit)

    # gensets start when called and carry what the grid cannot, after their start time
    genset = 0.0
    now.genset_s[at.design] = 0.0
    if net > limit and site[Site.GENSET_W] > 0.0:
        now.genset_s[at.design] = state.genset_s[at.design] + p.dt_s
        if state.genset_s[at.design] >= site[Site.GENSET_START_S]:
            genset = min(net - limit, site[Site.GENSET_W])
            net -= genset
    is_now[SiteNow.GENSET_W] = genset

    # a grid that takes nothing in gives nothing out either
    exportable = site[Site.EXPORT_LIMIT_W] if limit > 0.0 else 0.0
    surplus = -net - exportable
    curtailed = min(max(surplus, 0.0), renewable)
    net += curtailed
    kept = 1.0 - curtailed / renewable if renewable > 0.0 else 1.0
    is_now[SiteNow.CURTAILED_W] = curtailed
    is_now[SiteNow.PV_W] = channel[Channel.PV_W] * kept
    is_now[SiteNow.WIND_W] = channel[Channel.WIND_W] * kept
    is_now[SiteNow.NET_IMPORT_W] = net
    is_now[SiteNow.UNSERVED_W] = 0.0
    consumed = load + cooling + auxiliary + transformer
    for store in at.stores:
        if p.store[store, Store.LANE] >= 0.0:  # what flows into or out of cells is not consumption
            consumed -= now.store[store, StoreNow.POWER_W]
    now.demand_w[at.design] = consumed
    return net - limit


@part
def shed_pods(p: Fixed, now: Scratch, at: Span, short_w: float) -> None:
    """Take pods off in their order until the shortage is covered, or none is left."""
    relief = 0.0
    for rank in range(p.shed_order.shape[1]):
        lane = p.shed_order[at.design, rank]
        if relief < short_w and now.shed[lane] == 0.0:
            now.shed[lane] = 1.0
            relief += now.pod[lane, PodNow.IT_W]


@part
def leave_unserved(p: Fixed, now: Scratch, at: Span, short_w: float) -> float:
    """Cut every consumer to what the sources can give; return the share that is served.

    What is not served makes no tokens and no heat: the caller scales those by the share returned.
    """
    is_now = now.site[at.design]
    served = max(1.0 - short_w / now.demand_w[at.design], 0.0)
    is_now[SiteNow.UNSERVED_W] = now.demand_w[at.design] * (1.0 - served)
    is_now[SiteNow.NET_IMPORT_W] -= is_now[SiteNow.UNSERVED_W]
    for row in (SiteNow.COOLING_W, SiteNow.AUXILIARY_W, SiteNow.TRANSFORMER_W):
        is_now[row] *= served
    for row in range(PodNow.OUTPUT_TOKENS):
        if row != PodNow.UNCAPPED_W and row != PodNow.ARRIVED_TOKENS:
            for lane in at.lanes:
                now.pod[lane, row] *= served
    for lane in at.lanes:
        lost = now.pod[lane, PodNow.OUTPUT_TOKENS] * (1.0 - served)
        now.pod[lane, PodNow.OUTPUT_TOKENS] -= lost
        now.flux[lane, PodFlux.QUEUE_TOKENS] += lost
        now.pod[lane, PodNow.USEFUL_TOKENS] *= served
        now.pod[lane, PodNow.TRAINED_TOKENS] *= served
        now.pod[lane, PodNow.PUMP_W] *= served
        now.pod[lane, PodNow.CRAH_W] *= served
        now.flux[lane, PodFlux.LIQUID_W] *= served
        now.flux[lane, PodFlux.AIR_W] *= served
        now.flux[lane, PodFlux.AMBIENT_W] *= served
        for stage in range(now.stage.shape[1]):
            now.stage[lane, stage] *= served
    for plant in at.plants:
        for row in (Component.PUMP_FACILITY_W, Component.FAN_W, Component.CHILLER_W, Component.WATER_KG_S):
            now.plant[plant, row] *= served
    for store in at.stores:
        lane = int(p.store[store, Store.LANE])
        if lane >= 0:  # the loss of a storage in the lineup was not scaled with the rest
            now.flux[lane, PodFlux.AMBIENT_W] += now.store[store, StoreNow.LOSS_W] * (1.0 - served)
    return served
