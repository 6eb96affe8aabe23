"""Steps 6 and 7 of the energy engine: sources, storage, the grid, and what happens when they are short."""

from __future__ import annotations

from aidc.jit import part
from aidc.simulate.arrays import Knobs, Params, Scratch, State
from aidc.simulate.fields import Channel, Component, PodNow, Site, SiteNow, Store, StoreNow
from aidc.simulate.store import run_store

__all__ = ["balance_bus", "leave_unserved", "shed_pods"]


@part
def balance_bus(
    p: Params, knobs: Knobs, state: State, now: Scratch, design: int, first: int, last: int
) -> float:
    """Balance the site bus within the import limit; return the power that is still short [W]."""
    site = now.site
    load = 0.0
    cooling = 0.0
    for lane in range(first, last):
        load += now.pod[PodNow.BUS_W, lane]
        cooling += now.pod[PodNow.PUMP_W, lane] + now.pod[PodNow.CRAH_W, lane]
    plants = p.plant.shape[1] // p.site.shape[1]
    for plant in range(design * plants, (design + 1) * plants):
        cooling += (
            now.plant[Component.PUMP_FACILITY_W, plant]
            + now.plant[Component.FAN_W, plant]
            + now.plant[Component.CHILLER_W, plant]
        )
    auxiliary = p.site[Site.AUXILIARY_W, design] + p.site[Site.AUXILIARY_FRAC, design] * load
    stores = p.store.shape[1] // p.site.shape[1]
    for store in range(design * stores, (design + 1) * stores):
        # of the step before: a thousandth of the power, and it saves an algebraic loop
        auxiliary += now.store[StoreNow.AUXILIARY_W, store]
    site[SiteNow.COOLING_W] = cooling
    site[SiteNow.AUXILIARY_W] = auxiliary
    renewable = now.channel[Channel.PV_W] + now.channel[Channel.WIND_W]
    net = load + cooling + auxiliary - renewable
    # the main transformer carries the net exchange; its loss is taken at the flow before storage
    through = net if net > 0.0 else -net
    transformer = (
        p.site[Site.TRANSFORMER_0_W, design] + p.site[Site.TRANSFORMER_2_PER_W, design] * through * through
    )
    site[SiteNow.TRANSFORMER_W] = transformer
    net += transformer

    limit = now.channel[Channel.IMPORT_LIMIT_W]
    for store in range(design * stores, (design + 1) * stores):
        if p.store[Store.LANE, store] < 0.0:
            net += run_store(p, knobs, state, now, store, net, limit)

    # gensets start when called and carry what the grid cannot, after their start time
    genset = 0.0
    now.genset_s[design] = 0.0
    if net > limit and p.site[Site.GENSET_W, design] > 0.0:
        now.genset_s[design] = state.genset_s[design] + p.dt_s
        if state.genset_s[design] >= p.site[Site.GENSET_START_S, design]:
            genset = min(net - limit, p.site[Site.GENSET_W, design])
            net -= genset
    site[SiteNow.GENSET_W] = genset

    # a grid that takes nothing in gives nothing out either
    exportable = p.site[Site.EXPORT_LIMIT_W, design] if limit > 0.0 else 0.0
    surplus = -net - exportable
    curtailed = min(max(surplus, 0.0), renewable)
    net += curtailed
    kept = 1.0 - curtailed / renewable if renewable > 0.0 else 1.0
    site[SiteNow.CURTAILED_W] = curtailed
    site[SiteNow.PV_W] = now.channel[Channel.PV_W] * kept
    site[SiteNow.WIND_W] = now.channel[Channel.WIND_W] * kept
    site[SiteNow.NET_IMPORT_W] = net
    site[SiteNow.UNSERVED_W] = 0.0
    consumed = load + cooling + auxiliary + transformer
    for store in range(design * stores, (design + 1) * stores):
        if p.store[Store.LANE, store] >= 0.0:  # what flows into or out of cells is not consumption
            consumed -= now.store[StoreNow.POWER_W, store]
    now.demand_w[design] = consumed
    return net - limit


@part
def shed_pods(p: Params, now: Scratch, design: int, first: int, short_w: float) -> None:
    """Take pods off in their order until the shortage is covered, or none is left."""
    relief = 0.0
    for rank in range(p.shed_order.shape[1]):
        lane = first + p.shed_order[design, rank]
        if relief < short_w and now.shed[lane] == 0.0:
            now.shed[lane] = 1.0
            relief += now.pod[PodNow.IT_W, lane]


@part
def leave_unserved(p: Params, now: Scratch, design: int, short_w: float, first: int, last: int) -> float:
    """Cut every consumer to what the sources can give; return the share that is served.

    What is not served makes no tokens and no heat: the caller scales those by the share returned.
    """
    served = max(1.0 - short_w / now.demand_w[design], 0.0)
    site = now.site
    site[SiteNow.UNSERVED_W] = now.demand_w[design] * (1.0 - served)
    site[SiteNow.NET_IMPORT_W] -= site[SiteNow.UNSERVED_W]
    for row in (SiteNow.COOLING_W, SiteNow.AUXILIARY_W, SiteNow.TRANSFORMER_W):
        site[row] *= served
    for row in range(PodNow.OUTPUT_TOKENS):
        if row != PodNow.UNCAPPED_W and row != PodNow.ARRIVED_TOKENS:
            for lane in range(first, last):
                now.pod[row, lane] *= served
    for lane in range(first, last):
        lost = now.pod[PodNow.OUTPUT_TOKENS, lane] * (1.0 - served)
        now.pod[PodNow.OUTPUT_TOKENS, lane] -= lost
        now.pod[PodNow.QUEUE_TOKENS, lane] += lost
        now.pod[PodNow.USEFUL_TOKENS, lane] *= served
        now.pod[PodNow.TRAINED_TOKENS, lane] *= served
        for row in (PodNow.PUMP_W, PodNow.CRAH_W, PodNow.LIQUID_W, PodNow.AIR_W, PodNow.AMBIENT_W):
            now.pod[row, lane] *= served
        for stage in range(now.stage.shape[0]):
            now.stage[stage, lane] *= served
    plants = p.plant.shape[1] // p.site.shape[1]
    for plant in range(design * plants, (design + 1) * plants):
        for row in (Component.PUMP_FACILITY_W, Component.FAN_W, Component.CHILLER_W, Component.WATER_KG_S):
            now.plant[row, plant] *= served
    for store in range(p.store.shape[1]):
        lane = int(p.store[Store.LANE, store])
        if first <= lane < last:  # the loss of a storage in the lineup was not scaled with the rest
            now.pod[PodNow.AMBIENT_W, lane] += now.store[StoreNow.LOSS_W, store] * (1.0 - served)
    return served
