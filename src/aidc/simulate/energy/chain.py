"""Step 4 of the energy engine: power from the rack back to the site bus, stage by stage."""

from __future__ import annotations

import math

from aidc.jit import inner, part
from aidc.plant.conversion import loss_w
from aidc.simulate.energy.arrays import Fixed, Knobs, Scratch, Span, State
from aidc.simulate.energy.fields import BusNow, Pod, PodFlux, PodNow, Stage, Store, StoreNow
from aidc.simulate.energy.store import own_request_w, settle_store

__all__ = ["count_help", "cut_of", "feed_chain", "load_ups", "run_lane", "stage_loss_w"]

_OPENED = 2.0  # level of `bus.take_down` from which the lineups' breakers are open
_NOTHING_W = 1e-6
_FULL_FRAC = 1e-12


@part
def stage_loss_w(p: Fixed, now: Scratch, lane: int, stage: int, power_w: float, plain: bool) -> float:
    """Loss of a stage [W] at an output, with the modules that are in service.

    `lane` and `stage` are numbers of the lineup and of the stage in it, `power_w` is the stage's output [W]; `plain`
    skips what is out of service, where the step has none.
    """
    one = p.stage[lane, stage]
    whole = 1.0 if plain else now.stage_part[lane, stage]
    if whole == 1.0:
        return loss_w(power_w, one[Stage.A_W], one[Stage.B], one[Stage.C_PER_W])
    if whole <= 0.0:
        return 0.0
    return loss_w(power_w, one[Stage.A_W] * whole, one[Stage.B], one[Stage.C_PER_W] / whole)


@part
def _book_store(p: Fixed, now: Scratch, lane: int, store: int) -> None:
    """The loss of a storage in a lineup warms the hall or the outdoors."""
    loss = now.store[store, StoreNow.LOSS_W]
    now.flux[lane, PodFlux.AIR_W] += loss * p.store[store, Store.AIR_FRAC]
    now.flux[lane, PodFlux.AMBIENT_W] += loss * (1.0 - p.store[store, Store.AIR_FRAC])


@part
def _act_asked(p: Fixed, state: State, now: Scratch, lane: int, stage: int, power_w: float) -> float:
    """Let the storages at the output of this stage do what they are asked for."""
    now.node_w[lane, stage] = power_w
    for place in range(p.node_first[lane, stage], p.node_first[lane, stage + 1]):
        store = p.node_store[place]
        if now.ask_w[store] < 0.0:  # scraps of one that further in nobody needs any more stay where they are
            now.ask_w[store] = max(now.ask_w[store], -max(power_w, 0.0))
        power_w += settle_store(p, state, now, store)
        _book_store(p, now, lane, store)
    return power_w


@part
def _act_own(
    p: Fixed, knobs: Knobs, state: State, now: Scratch, lane: int, stage: int, power_w: float, seen_w: float
) -> tuple[float, float]:
    """Let the storages at the output of this stage do what they want; a lineup does not feed back."""
    now.node_w[lane, stage] = power_w
    for place in range(p.node_first[lane, stage], p.node_first[lane, stage + 1]):
        store = p.node_store[place]
        now.ask_w[store] = max(own_request_w(p, knobs, state, now, store, seen_w), -seen_w)
        power = settle_store(p, state, now, store)
        now.ask_w[store] = power
        power_w += power
        seen_w += min(power, 0.0)
        _book_store(p, now, lane, store)
    return power_w, seen_w


@part
def _lead_heat(
    p: Fixed, lane: int, stage: int, loss_w: float, air_w: float, liquid_w: float, ambient_w: float
) -> tuple[float, float, float]:
    """Where the loss of a stage becomes heat, on top of what is there already [W]."""
    one = p.stage[lane, stage]
    return (
        air_w + one[Stage.AIR_FRAC] * loss_w,
        liquid_w + one[Stage.LIQUID_FRAC] * loss_w,
        ambient_w + one[Stage.AMBIENT_FRAC] * loss_w,
    )


@part
def _feed_plain(p: Fixed, now: Scratch, lane: int) -> None:
    """`run_lane` where no storage acts, nothing else hangs in the lineup, and it is whole and fed."""
    pod = now.pod[lane]
    flux = now.flux[lane]
    consumed = pod[PodNow.ACCELERATOR_W] + pod[PodNow.OVERHEAD_W]
    liquid = consumed * p.pod[lane, Pod.LIQUID_FRAC]
    air = consumed * (1.0 - p.pod[lane, Pod.LIQUID_FRAC]) + pod[PodNow.NETWORK_W]
    ambient = 0.0
    power = consumed
    for stage in range(p.server_stages):
        loss = stage_loss_w(p, now, lane, stage, power, True) * now.powered[lane]
        now.stage[lane, stage] = loss
        power += loss
        air, liquid, ambient = _lead_heat(p, lane, stage, loss, air, liquid, ambient)
    pod[PodNow.SERVER_W] = power
    power += pod[PodNow.NETWORK_W]
    pod[PodNow.IT_W] = power
    inlet = power
    for stage in range(p.server_stages, p.stage.shape[1]):
        loss = stage_loss_w(p, now, lane, stage, power, True)
        now.stage[lane, stage] = loss
        power += loss
        air, liquid, ambient = _lead_heat(p, lane, stage, loss, air, liquid, ambient)
    pod[PodNow.CHAIN_LOSS_W] = power - inlet
    flux[PodFlux.BUS_W] = power
    flux[PodFlux.PASS_W] = power
    flux[PodFlux.LIQUID_W] = liquid
    flux[PodFlux.AIR_W] = air
    flux[PodFlux.AMBIENT_W] = ambient


@part
def _feed_own(p: Fixed, knobs: Knobs, state: State, now: Scratch, lane: int) -> None:
    """`run_lane` where the storages do what they want, nothing else hangs in the lineup, and it is whole and fed.

    Beside what it draws it tells what it would draw without any storage.
    """
    pod = now.pod[lane]
    flux = now.flux[lane]
    consumed = pod[PodNow.ACCELERATOR_W] + pod[PodNow.OVERHEAD_W]
    liquid = consumed * p.pod[lane, Pod.LIQUID_FRAC]
    air = consumed * (1.0 - p.pod[lane, Pod.LIQUID_FRAC]) + pod[PodNow.NETWORK_W]
    flux[PodFlux.AIR_W] = 0.0
    flux[PodFlux.AMBIENT_W] = 0.0
    ambient = 0.0
    power = consumed
    bare = consumed
    seen = consumed  # by storages further out: what charges is not load to them
    lost = 0.0
    for stage in range(p.stage.shape[1]):
        on = 1.0
        if stage < p.server_stages:
            on = now.powered[lane]
        if stage == p.server_stages:
            _book_server(now, lane, consumed + lost)
            power += pod[PodNow.NETWORK_W]
            bare += pod[PodNow.NETWORK_W]
            seen += pod[PodNow.NETWORK_W]
            lost = 0.0
        if stage == p.pod[lane, Pod.UPS_STAGE]:
            flux[PodFlux.BARE_W] = bare
        power, seen = _act_own(p, knobs, state, now, lane, stage, power, seen)
        bare += stage_loss_w(p, now, lane, stage, bare, True) * on
        seen += stage_loss_w(p, now, lane, stage, seen, True) * on
        loss = stage_loss_w(p, now, lane, stage, power, True) * on
        now.stage[lane, stage] = loss
        power += loss
        lost += loss
        air, liquid, ambient = _lead_heat(p, lane, stage, loss, air, liquid, ambient)
    _book_lineup(now, lane, power, lost, air, liquid, ambient)
    flux[PodFlux.PASS_W] = bare


@part
def _book_server(now: Scratch, lane: int, server_w: float) -> None:
    """What the server consumes, whether it comes from the grid side or from storage in the rack."""
    pod = now.pod[lane]
    pod[PodNow.SERVER_W] = server_w
    pod[PodNow.IT_W] = server_w + pod[PodNow.NETWORK_W]


@part
def _book_lineup(
    now: Scratch, lane: int, power_w: float, lost_w: float, air_w: float, liquid_w: float, ambient_w: float
) -> None:
    """What a lineup draws and loses, and its heat on top of that of its storages."""
    flux = now.flux[lane]
    now.pod[lane, PodNow.CHAIN_LOSS_W] = lost_w
    flux[PodFlux.BUS_W] = power_w
    flux[PodFlux.LIQUID_W] = liquid_w
    flux[PodFlux.AIR_W] += air_w
    flux[PodFlux.AMBIENT_W] += ambient_w


@inner
def run_lane(p: Fixed, state: State, now: Scratch, lane: int, design: int) -> float:
    """Walk one lineup with what its storages are asked for; its power from the bus [W].

    Adds each stage's loss to the power that passes it, and notes where the heat goes. Server-side stages come
    first; the network joins behind them, at the rack inlet, and cooling that hangs on the lineup's UPS at its
    stage. A shed pod's power shelves are off, while the site's stages stay energised and keep their no-load loss as
    long as the bus does.

    `lane` is the number of the lineup, `design` that of the site among those that are stepped together.
    """
    cut = cut_of(p, now, lane)
    pod = now.pod[lane]
    flux = now.flux[lane]
    consumed = pod[PodNow.ACCELERATOR_W] + pod[PodNow.OVERHEAD_W]
    liquid = consumed * p.pod[lane, Pod.LIQUID_FRAC]
    air = consumed * (1.0 - p.pod[lane, Pod.LIQUID_FRAC]) + pod[PodNow.NETWORK_W]
    flux[PodFlux.AIR_W] = 0.0
    flux[PodFlux.AMBIENT_W] = 0.0
    ambient = 0.0
    power = consumed
    lost = 0.0
    for stage in range(p.stage.shape[1]):
        on = 1.0
        if stage < p.server_stages:
            on = now.powered[lane]
        if stage == p.server_stages:
            _book_server(now, lane, consumed + lost)
            power += pod[PodNow.NETWORK_W]
            lost = 0.0
        if stage == p.pod[lane, Pod.UPS_STAGE]:
            power += flux[PodFlux.UPS_LOAD_W]
        power = _act_asked(p, state, now, lane, stage, power)
        loss = stage_loss_w(p, now, lane, stage, power, False) * on
        if power <= _NOTHING_W and (stage < cut or _is_open(now, design)):
            loss = 0.0  # nothing feeds this stage: it is dead
        now.stage[lane, stage] = loss
        power += loss
        lost += loss
        air, liquid, ambient = _lead_heat(p, lane, stage, loss, air, liquid, ambient)
    _book_lineup(now, lane, power, lost, air, liquid, ambient)
    return power


@part
def cut_of(p: Fixed, now: Scratch, lane: int) -> int:
    """The outermost stage that has no module left, below which nothing comes from the bus; 0 where there is none."""
    cut = 0
    for stage in range(p.stage.shape[1]):
        if now.stage_part[lane, stage] <= 0.0:
            cut = stage
    return cut


@part
def _is_open(now: Scratch, design: int) -> bool:
    """Whether a stage that nothing feeds is dead: no bus behind it, or its breaker open."""
    return now.bus[design, BusNow.FORMED] <= 0.0 or now.bus[design, BusNow.LEVEL] >= _OPENED


@part
def _idle(p: Fixed, knobs: Knobs, state: State, now: Scratch, lane: int, first: int) -> bool:
    """Whether every storage of a lineup from a place on is full, stays so, has no set point and did nothing."""
    idle = True
    for place in range(first, p.lane_store[lane, 1]):
        store = p.node_store[place]
        free = math.isnan(knobs.storage_w[store]) and p.store[store, Store.STAYS_FULL] > 0.0
        full = state.soc_frac[store] >= p.storage[store, 3] - _FULL_FRAC
        idle = idle and free and full and now.ask_w[store] == 0.0
    return idle


@inner
def _want_lanes(p: Fixed, state: State, now: Scratch, at: Span) -> None:
    """Walk all lineups with their storages at rest."""
    for lane in at.lanes:
        now.plain[lane] = 0.0
        now.flux[lane, PodFlux.UPS_LOAD_W] = 0.0
        for place in range(p.lane_store[lane, 0], p.lane_store[lane, 1]):
            store = p.node_store[place]
            now.ask_w[store] = 0.0
            now.wish_w[store] = 0.0
        now.flux[lane, PodFlux.PASS_W] = run_lane(p, state, now, lane, at.design)


@part
def feed_chain(p: Fixed, knobs: Knobs, state: State, now: Scratch, at: Span, calm: bool) -> None:
    """What every pod draws from the site bus: in a calm step with what its storages want, else with them at rest.

    Storages that are full, stay so and have no set point are not asked again until something moves them.
    """
    bus = now.bus[at.design]
    if not calm:
        bus[BusNow.MOVING] = 1.0
        _want_lanes(p, state, now, at)
        return
    bus[BusNow.MOVING] = 0.0
    bus[BusNow.ACTING] = 0.0
    for lane in at.lanes:
        if now.plain[lane] > 0.0:
            _feed_plain(p, now, lane)
            continue
        bus[BusNow.MOVING] += 1.0
        _feed_own(p, knobs, state, now, lane)
        if _idle(p, knobs, state, now, lane, p.lane_store[lane, 0]):
            now.plain[lane] = 1.0
        elif not _idle(p, knobs, state, now, lane, p.node_first[lane, int(p.pod[lane, Pod.UPS_STAGE])]):
            bus[BusNow.ACTING] += 1.0


@part
def count_help(p: Fixed, now: Scratch, at: Span) -> None:
    """What storages of lineups spare the bus in a calm step, and that less what they take from it [W]."""
    bus = now.bus[at.design]
    bus[BusNow.SPARED_W] = 0.0
    bus[BusNow.HELPED_W] = 0.0
    if bus[BusNow.MOVING] <= 0.0:
        return
    for lane in at.lanes:
        if now.plain[lane] > 0.0:
            continue
        flux = now.flux[lane]
        bare = flux[PodFlux.PASS_W]
        if flux[PodFlux.UPS_LOAD_W] > 0.0:
            bare = flux[PodFlux.BARE_W] + flux[PodFlux.UPS_LOAD_W]
            for stage in range(int(p.pod[lane, Pod.UPS_STAGE]), p.stage.shape[1]):
                bare += stage_loss_w(p, now, lane, stage, bare, True)
        helped = bare - flux[PodFlux.BUS_W]
        bus[BusNow.HELPED_W] += helped
        bus[BusNow.SPARED_W] += max(helped, 0.0)


@part
def load_ups(p: Fixed, now: Scratch, lane: int, load_w: float, whole: bool) -> None:
    """Lay a load [W] on the UPS bus of a lineup that is fed, behind what `feed_chain` found.

    `lane` is the number of the lineup; `whole` as `plain` of `stage_loss_w`.

    `load_w` replaces what lay there before.
    """
    pod = now.pod[lane]
    flux = now.flux[lane]
    flux[PodFlux.UPS_LOAD_W] = load_w
    first = int(p.pod[lane, Pod.UPS_STAGE])
    power = flux[PodFlux.BUS_W]
    for stage in range(first, p.stage.shape[1]):
        power -= now.stage[lane, stage]
    power += load_w
    for stage in range(first, p.stage.shape[1]):
        one = p.stage[lane, stage]
        loss = stage_loss_w(p, now, lane, stage, power, whole)
        more = loss - now.stage[lane, stage]
        now.stage[lane, stage] = loss
        power += loss
        pod[PodNow.CHAIN_LOSS_W] += more
        flux[PodFlux.AIR_W] += one[Stage.AIR_FRAC] * more
        flux[PodFlux.LIQUID_W] += one[Stage.LIQUID_FRAC] * more
        flux[PodFlux.AMBIENT_W] += one[Stage.AMBIENT_FRAC] * more
    flux[PodFlux.BUS_W] = power
