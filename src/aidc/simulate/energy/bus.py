"""Step 6 of the energy engine: one merit order that holds in every state.

From what every consumer wants: photovoltaics and wind, curtailed only beyond load, charging and export; the grid up
to its limit of the moment; running gensets, each the same share of its range; storage at the site; storage in the
lineups, by what each can spare; what is lacking then is shed (`shed.py`). Storages act of themselves (rule or set
point) within that order: they discharge into what is left after gensets, and charge from what photovoltaics, wind
and the grid have to spare, never while anything is shed. What running gensets give beyond the load at their least
output curtails renewables, then charges storages, then heats a load bank.
"""

from __future__ import annotations

from aidc.jit import inner, part
from aidc.simulate.energy.arrays import Fixed, Knobs, Scratch, Span, State
from aidc.simulate.energy.fields import (
    BusNow,
    Channel,
    Component,
    GensetRange,
    Plant,
    Pod,
    PodFlux,
    PodNow,
    Site,
    SiteNow,
    Star,
    Store,
)
from aidc.simulate.energy.lineup import refill_lineups, relieve_lineups
from aidc.simulate.energy.sources import dispatch_gensets
from aidc.simulate.energy.store import own_request_w, reach_w, settle_store

__all__ = ["ROUNDING", "balance_calm", "balance_foul", "lacks_of_wants"]

ROUNDING = 1e-9  # of the site's consumption: less than that is not lacking
_LAST = 3.0  # level at which auxiliaries are cut to what is left


@part
def _consume(p: Fixed, now: Scratch, at: Span, wanted: bool) -> tuple[float, float]:
    """Power of the lineups and of the cooling that hangs on the site bus [W]; books cooling and auxiliaries."""
    site = p.site[at.design]
    is_now = now.site[at.design]
    load = 0.0
    cooling = 0.0
    on_bus = 0.0
    for lane in at.lanes:
        load += now.flux[lane, PodFlux.BUS_W]
        pump, fan = now.pod[lane, PodNow.PUMP_W], now.pod[lane, PodNow.CRAH_W]
        cooling += pump + fan
        on_bus += pump * (1.0 - p.pod[lane, Pod.LOOP_ON_UPS]) + fan * (1.0 - p.pod[lane, Pod.AIR_ON_UPS])
    for plant in at.plants:
        part_of = now.plant[plant]
        drives = part_of[Component.PUMP_FACILITY_W] + part_of[Component.FAN_W]
        cooling += drives + part_of[Component.CHILLER_W]
        share = 1.0 - p.plant[plant, Plant.ON_UPS] if wanted else now.star[plant, Star.BUS_FRAC]
        on_bus += drives * share + part_of[Component.CHILLER_W]
    is_now[SiteNow.COOLING_W] = cooling
    auxiliary = site[Site.AUXILIARY_W] + site[Site.AUXILIARY_FRAC] * load
    is_now[SiteNow.AUXILIARY_W] = auxiliary + now.bus[at.design, BusNow.AUXILIARY_W]
    return load, on_bus


@part
def _transform(p: Fixed, now: Scratch, design: int, net_w: float) -> float:
    """Loss of the main transformer [W], taken at the exchange before storage; none without a grid."""
    bus = now.bus[design]
    through = min(max(net_w, -bus[BusNow.EXPORT_W]), bus[BusNow.LIMIT_W])
    site = p.site[design]
    loss = site[Site.TRANSFORMER_0_W] + site[Site.TRANSFORMER_2_PER_W] * through * through
    return loss * now.channel[design, Channel.GRID]


@part
def lacks_of_wants(p: Fixed, now: Scratch, at: Span, calm: bool) -> bool:
    """Whether photovoltaics, wind and grid lack anything of what all consumers want; books those wants.

    In a calm step storages of lineups have acted already: what they charge counts, and what they spare does not.
    """
    bus = now.bus[at.design]
    load, cooling = _consume(p, now, at, True)
    wanted = load + cooling + now.site[at.design, SiteNow.AUXILIARY_W]
    renewable = bus[BusNow.RENEWABLE_W]
    loss = _transform(p, now, at.design, wanted - renewable)
    now.site[at.design, SiteNow.TRANSFORMER_W] = loss
    bus[BusNow.NEED_W] = wanted + loss
    now.site[at.design, SiteNow.WANTED_W] = wanted + loss
    lack = wanted + loss - renewable - bus[BusNow.LIMIT_W]
    if calm:
        if bus[BusNow.MOVING] > 0.0:  # what storages of lineups take or give is not wanted
            bare = wanted + bus[BusNow.HELPED_W] * (1.0 + p.site[at.design, Site.AUXILIARY_FRAC])
            bare += _transform(p, now, at.design, bare - renewable)
            now.site[at.design, SiteNow.WANTED_W] = bare
        lack += bus[BusNow.SPARED_W]
    return bus[BusNow.OWN_FORMER] <= 0.0 or lack > ROUNDING * (wanted + 1.0)


@part
def _act_site_stores(
    p: Fixed,
    knobs: Knobs,
    state: State,
    now: Scratch,
    at: Span,
    net_w: float,
    room_w: float,
    spare_w: float,
    over_w: float,
) -> tuple[float, float]:
    """Let the storages at the site act of themselves; the net power with them, and what gensets give more for it [W].

    `room_w` is what photovoltaics, wind and grid have to spare for charging, `spare_w` what gensets could give
    more, and `over_w` what they give already beyond what lacks.
    """
    bus = now.bus[at.design]
    may_charge = 1.0 if bus[BusNow.OFF_PODS] <= 0.0 else 0.0
    drawn = 0.0
    for place in range(p.site_store.shape[1]):
        store = int(p.site_store[at.design, place])
        request = own_request_w(p, knobs, state, now, store, net_w)
        room = max(room_w, 0.0)
        most = (room + (over_w + spare_w) * p.store[store, Store.FROM_GENSETS]) * may_charge
        now.ask_w[store] = min(max(request, -max(net_w + bus[BusNow.EXPORT_W], 0.0)), most)
        power = settle_store(p, state, now, store)
        now.ask_w[store] = power
        from_gensets = max(power - room, 0.0)
        more = max(from_gensets - over_w, 0.0)
        over_w = max(over_w - from_gensets, 0.0)
        spare_w -= more
        drawn += more
        room_w -= power
        net_w += power - more
    return net_w, drawn


@inner
def _empty_site_stores(p: Fixed, state: State, now: Scratch, at: Span, lack_w: float) -> float:
    """Share a lack among the storages at the site by what each can still give; what is lacking still [W]."""
    total = 0.0
    for place in range(p.site_store.shape[1]):
        store = int(p.site_store[at.design, place])
        gives, _ = reach_w(p, state, now, store)
        total += max(gives + min(now.ask_w[store], 0.0), 0.0)
    if total <= 0.0:
        return lack_w
    share = min(lack_w / total, 1.0)
    for place in range(p.site_store.shape[1]):
        store = int(p.site_store[at.design, place])
        gives, _ = reach_w(p, state, now, store)
        now.ask_w[store] -= share * max(gives + min(now.ask_w[store], 0.0), 0.0)
    return lack_w - share * total


@inner
def _settle_site_stores(p: Fixed, state: State, now: Scratch, at: Span) -> None:
    """Let the storages at the site do what was asked of them beyond their own laws."""
    for place in range(p.site_store.shape[1]):
        store = int(p.site_store[at.design, place])
        settle_store(p, state, now, store)


@inner
def _fill_site_stores(p: Fixed, state: State, now: Scratch, at: Span, surplus_w: float) -> float:
    """Charge the storages at the site with what nobody else takes; what is left [W]."""
    total = 0.0
    for place in range(p.site_store.shape[1]):
        store = int(p.site_store[at.design, place])
        _, takes = reach_w(p, state, now, store)
        total += max(takes - max(now.ask_w[store], 0.0), 0.0)
    if total <= 0.0:
        return surplus_w
    share = min(surplus_w / total, 1.0)
    for place in range(p.site_store.shape[1]):
        store = int(p.site_store[at.design, place])
        _, takes = reach_w(p, state, now, store)
        now.ask_w[store] += share * max(takes - max(now.ask_w[store], 0.0), 0.0)
    return surplus_w - share * total


@inner
def _leave_dark(p: Fixed, state: State, now: Scratch, at: Span) -> None:
    """Nothing forms the bus: nothing flows on it."""
    is_now = now.site[at.design]
    channel = now.channel[at.design]
    is_now[SiteNow.AUXILIARY_UNSERVED_W] = is_now[SiteNow.AUXILIARY_W]
    is_now[SiteNow.AUXILIARY_W] = 0.0
    is_now[SiteNow.TRANSFORMER_W] = 0.0
    is_now[SiteNow.CURTAILED_W] = channel[Channel.PV_W] + channel[Channel.WIND_W]
    is_now[SiteNow.PV_W] = 0.0
    is_now[SiteNow.WIND_W] = 0.0
    is_now[SiteNow.LOAD_BANK_W] = 0.0
    is_now[SiteNow.NET_IMPORT_W] = 0.0
    for place in range(p.site_store.shape[1]):
        store = int(p.site_store[at.design, place])
        now.ask_w[store] = 0.0
        settle_store(p, state, now, store)


@inner
def _cover_lack(p: Fixed, state: State, now: Scratch, at: Span, lack_w: float, tolerance_w: float) -> float:
    """Take a lack from the storages at the site, then from those of the lineups; what is lacking still [W].

    Once all else is taken down, auxiliaries and the transformer get what is left.
    """
    lack = _empty_site_stores(p, state, now, at, lack_w)
    if lack > tolerance_w:
        lack = relieve_lineups(p, state, now, at, lack)
    if lack > tolerance_w and now.bus[at.design, BusNow.LEVEL] >= _LAST:
        is_now = now.site[at.design]
        cut = min(lack, is_now[SiteNow.AUXILIARY_W])
        is_now[SiteNow.AUXILIARY_W] -= cut
        is_now[SiteNow.AUXILIARY_UNSERVED_W] = cut
        lack -= cut
        cut = min(lack, is_now[SiteNow.TRANSFORMER_W])
        is_now[SiteNow.TRANSFORMER_W] -= cut
        lack -= cut
    return lack


@inner
def _spend_surplus(
    p: Fixed, state: State, now: Scratch, at: Span, surplus_w: float, renewable_w: float
) -> tuple[float, float]:
    """Curtail renewables, then charge storages, then heat the load bank; curtailed and heated [W]."""
    curtailed = min(surplus_w, renewable_w)
    left = surplus_w - curtailed
    if left > 0.0 and now.bus[at.design, BusNow.OFF_PODS] <= 0.0:
        left -= refill_lineups(p, state, now, at, left, 0.0)
        left = _fill_site_stores(p, state, now, at, left)
    return curtailed, max(left, 0.0)


@part
def _book(now: Scratch, design: int, net_w: float, curtailed_w: float, heated_w: float) -> None:
    """Note what came over the grid, and what was made of sun and wind."""
    channel = now.channel[design]
    is_now = now.site[design]
    made = channel[Channel.PV_W] + channel[Channel.WIND_W]
    kept = 1.0 - curtailed_w / made if made > 0.0 else 1.0
    is_now[SiteNow.CURTAILED_W] = curtailed_w
    is_now[SiteNow.PV_W] = channel[Channel.PV_W] * kept
    is_now[SiteNow.WIND_W] = channel[Channel.WIND_W] * kept
    is_now[SiteNow.LOAD_BANK_W] = heated_w
    is_now[SiteNow.NET_IMPORT_W] = net_w if channel[Channel.GRID] > 0.0 else 0.0


@part
def balance_calm(p: Fixed, knobs: Knobs, state: State, now: Scratch, at: Span) -> None:
    """`balance_foul` where nothing is lacking: what was wanted is drawn, and storages act of themselves."""
    bus = now.bus[at.design]
    is_now = now.site[at.design]
    is_now[SiteNow.AUXILIARY_UNSERVED_W] = 0.0
    is_now[SiteNow.COOLING_UNSERVED_W] = 0.0
    is_now[SiteNow.FORMED_FRAC] = 1.0
    renewable = bus[BusNow.RENEWABLE_W]
    need = bus[BusNow.NEED_W] - renewable
    net, _ = _act_site_stores(p, knobs, state, now, at, need, bus[BusNow.LIMIT_W] - need, 0.0, 0.0)
    curtailed = min(max(-net - bus[BusNow.EXPORT_W], 0.0), renewable)
    _book(now, at.design, net + curtailed, curtailed, 0.0)


@part
def _refill(
    p: Fixed, state: State, now: Scratch, at: Span, room_w: float, gensets_w: float
) -> tuple[float, float]:
    """Charge the lineups' storages from what the others, then what gensets have to spare; what each gives [W]."""
    taken = drawn = 0.0
    if room_w > 0.0:
        taken = refill_lineups(p, state, now, at, room_w, 0.0)
    if gensets_w > 0.0 and now.bus[at.design, BusNow.OFF_PODS] <= 0.0:
        drawn = refill_lineups(p, state, now, at, gensets_w, 1.0)
    return taken, drawn


@inner
def balance_foul(p: Fixed, knobs: Knobs, state: State, now: Scratch, at: Span) -> float:
    """Balance the site bus by the merit order; return the power that is still short [W]."""
    bus = now.bus[at.design]
    is_now = now.site[at.design]
    load, cooling = _consume(p, now, at, False)
    is_now[SiteNow.AUXILIARY_UNSERVED_W] = 0.0
    is_now[SiteNow.FORMED_FRAC] = bus[BusNow.FORMED]
    if bus[BusNow.FORMED] <= 0.0:
        _leave_dark(p, state, now, at)
        return 0.0
    limit = bus[BusNow.LIMIT_W]
    renewable = bus[BusNow.RENEWABLE_W]
    consumed = load + cooling + is_now[SiteNow.AUXILIARY_W]
    transformer = _transform(p, now, at.design, consumed - renewable)
    is_now[SiteNow.TRANSFORMER_W] = transformer
    tolerance = ROUNDING * (consumed + 1.0)
    need = consumed + transformer - renewable  # of the grid, gensets and storage
    bus[BusNow.NEED_W] = consumed + transformer - load
    for lane in at.lanes:
        bus[BusNow.NEED_W] += now.flux[lane, PodFlux.PASS_W]
    genset = dispatch_gensets(now, at, need - limit)
    spare = -genset
    for one in at.gensets:
        spare += now.genset_range[one, GensetRange.HIGH_W]
    room = limit - need
    net = need - genset
    over = max(
        genset - max(need - limit, 0.0), 0.0
    )  # what gensets at their least output give beyond what lacks
    if bus[BusNow.WISHES] > 0.0:
        taken, drawn = _refill(p, state, now, at, room, over + spare)
        more = max(drawn - over, 0.0)
        over = max(over - drawn, 0.0)
        room -= taken
        net += taken + drawn - more
        spare -= more
        genset += more
    net, drawn = _act_site_stores(p, knobs, state, now, at, net, room, spare, over)
    genset += drawn
    moved = False
    short = net - limit
    if short > tolerance:
        short = _cover_lack(p, state, now, at, short, tolerance)
        net = limit + short
        moved = True
    # what gensets give beyond the load is not exported
    stored = max(net - need + genset, 0.0)
    beyond = max(genset - max(need + stored, 0.0), 0.0)
    exportable = min(bus[BusNow.EXPORT_W], max(-net - beyond, 0.0))
    curtailed = heated = 0.0
    if -net > exportable:
        curtailed, heated = _spend_surplus(p, state, now, at, -net - exportable, renewable)
        net = -exportable
        moved = True
    if genset > 0.0:
        dispatch_gensets(now, at, genset)
    if moved:
        _settle_site_stores(p, state, now, at)
    _book(now, at.design, net, curtailed, heated)
    return short if short > tolerance else 0.0
