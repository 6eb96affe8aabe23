"""Storage inside a lineup: what it does of itself, what it fills when the input falls short, how it is recharged.

A lineup is walked from the rack to the bus to learn what it draws (`feed_lane`), and from the bus to the rack to
learn what its storages must add where the bus gives less: each stage passes on what its input allows, storages at
its output fill the gap as far as they reach, the outermost first.
"""

from __future__ import annotations

from aidc.jit import inner, part
from aidc.plant.conversion import output_power_w
from aidc.simulate.energy.arrays import Fixed, Knobs, Scratch, Span, State
from aidc.simulate.energy.chain import cut_of, run_lane, stage_loss_w
from aidc.simulate.energy.fields import BusNow, Pod, PodFlux, PodNow, Stage, Store
from aidc.simulate.energy.store import own_request_w, reach_w

__all__ = ["act_lineups", "draw_lane", "refill_lineups", "relieve_lineups", "run_lane"]

_ALL_W = 1e15
_ROUNDING = 1e-9


@inner
def draw_lane(p: Fixed, state: State, now: Scratch, lane: int, emptying: float) -> float:
    """What a lineup would draw from an energised bus [W] with its storages giving all they can, or taking what they wish.

    `lane` is the number of the lineup; `emptying` is 1 where its storages give and 0 where they fill.
    """
    cut = cut_of(p, now, lane)
    power = now.pod[lane, PodNow.ACCELERATOR_W] + now.pod[lane, PodNow.OVERHEAD_W]
    for stage in range(p.stage.shape[1]):
        if stage == p.server_stages:
            power += now.pod[lane, PodNow.NETWORK_W]
        if stage >= p.server_stages and stage == p.pod[lane, Pod.UPS_STAGE]:
            power += now.flux[lane, PodFlux.UPS_LOAD_W]
        for place in range(p.node_first[lane, stage], p.node_first[lane, stage + 1]):
            store = int(p.node_store[place])
            if emptying > 0.0:
                gives, _ = reach_w(p, state, now, store)
                power -= min(gives, power)
            else:
                power += now.ask_w[store] + now.grant_w[store]
        loss = stage_loss_w(p, now, lane, stage, power, False)
        if power <= 0.0 and stage < cut:
            loss = 0.0
        power += loss * now.powered[lane] if stage < p.server_stages else loss
    return power


@inner
def _ask_lane(p: Fixed, knobs: Knobs, state: State, now: Scratch, lane: int, may_charge: bool) -> bool:
    """Ask each storage of a lineup for what it wants of itself; charging is a wish until there is room.

    Returns whether any of them discharges.
    """
    acts = False
    cut = cut_of(p, now, lane)
    power = now.pod[lane, PodNow.ACCELERATOR_W] + now.pod[lane, PodNow.OVERHEAD_W]
    for stage in range(p.stage.shape[1]):
        if stage == p.server_stages:
            power += now.pod[lane, PodNow.NETWORK_W]
        if stage >= p.server_stages and stage == p.pod[lane, Pod.UPS_STAGE]:
            power += now.flux[lane, PodFlux.UPS_LOAD_W]
        for place in range(p.node_first[lane, stage], p.node_first[lane, stage + 1]):
            store = int(p.node_store[place])
            request = own_request_w(p, knobs, state, now, store, power)
            gives, takes = reach_w(p, state, now, store)
            now.ask_w[store] = 0.0
            now.wish_w[store] = 0.0
            if request < 0.0:
                now.ask_w[store] = -min(-request, gives, power)  # a lineup does not feed back
                acts = acts or now.ask_w[store] < 0.0
            elif may_charge:
                now.wish_w[store] = min(request, takes)
            power += now.ask_w[store]
        loss = stage_loss_w(p, now, lane, stage, power, False)
        if power <= 0.0 and stage < cut:
            loss = 0.0
        power += loss * now.powered[lane] if stage < p.server_stages else loss
    return acts


@part
def _through_w(p: Fixed, now: Scratch, lane: int, stage: int, input_w: float, dead: float) -> float:
    """What a stage passes on of its input [W]."""
    whole = now.stage_part[lane, stage]
    if whole <= 0.0 or (dead > 0.0 and input_w <= 0.0):
        return 0.0
    one = p.stage[lane, stage]
    on = now.powered[lane] if stage < p.server_stages else 1.0
    output = output_power_w(
        input_w, one[Stage.A_W] * whole * on, one[Stage.B] * on, one[Stage.C_PER_W] / whole * on
    )
    return min(output, p.stage_full_w[lane, stage] * whole) if whole < 1.0 else output


@part
def _fill_at(p: Fixed, state: State, now: Scratch, lane: int, stage: int, missing_w: float) -> float:
    """Ask the storages at a stage's output for what is missing there; what they cannot give [W]."""
    for place in range(p.node_first[lane, stage], p.node_first[lane, stage + 1]):
        store = int(p.node_store[place])
        if missing_w > 0.0:
            gives, _ = reach_w(p, state, now, store)
            more = min(max(gives + now.ask_w[store], 0.0), missing_w)
            now.ask_w[store] -= more
            missing_w -= more
    return missing_w


@inner
def _fill_from(
    p: Fixed, state: State, now: Scratch, lane: int, top: int, output_w: float, dead: float
) -> float:
    """Fill what `output_w` out of the stage `top` leaves open in a lineup, the outermost storage first.

    Returns what its storages cannot fill [W]. What hangs on the UPS bus and the network at the rack inlet cannot be
    fed from further in.
    """
    flow = output_w
    missing = 0.0
    for back in range(top + 1):
        stage = top - back
        if stage < top:
            if stage == p.server_stages - 1:
                network = now.pod[lane, PodNow.NETWORK_W]
                if flow < network * (1.0 - _ROUNDING):
                    return network - flow
                flow -= network
            flow = _through_w(p, now, lane, stage, max(flow, 0.0), dead)
        wanted = now.node_w[lane, stage]
        for place in range(p.node_first[lane, stage], p.node_first[lane, stage + 1]):
            wanted += now.ask_w[int(p.node_store[place])]
        missing = _fill_at(p, state, now, lane, stage, wanted - flow)
        if missing <= _ROUNDING * (wanted + 1.0):
            return 0.0
        for place in range(p.node_first[lane, stage], p.node_first[lane, stage + 1]):
            flow -= now.ask_w[int(p.node_store[place])]
        if stage >= p.server_stages and stage == p.pod[lane, Pod.UPS_STAGE]:
            cooling = now.flux[lane, PodFlux.UPS_LOAD_W]
            if flow < cooling * (1.0 - _ROUNDING):
                return cooling - flow
            flow -= cooling
    return missing


@part
def _fill_gap(p: Fixed, state: State, now: Scratch, lane: int, target_w: float, dead: float) -> float:
    """Ask the storages of a lineup to fill what `target_w` from the bus leaves open; what they cannot [W]."""
    top = p.stage.shape[1] - 1
    output = _through_w(p, now, lane, top, max(target_w, 0.0), dead)
    return _fill_from(p, state, now, lane, top, output, dead)


@inner
def _fill_caps(p: Fixed, state: State, now: Scratch, lane: int, design: int) -> float:
    """Ask the storages of a lineup to fill what stages with lost modules cannot pass; what they cannot [W]."""
    for stage in range(p.stage.shape[1]):
        whole = now.stage_part[lane, stage]
        if whole < 1.0:
            most = p.stage_full_w[lane, stage] * max(whole, 0.0)
            passed = now.node_w[lane, stage]
            for place in range(p.node_first[lane, stage], p.node_first[lane, stage + 1]):
                passed += now.ask_w[int(p.node_store[place])]
            if passed > most * (1.0 + _ROUNDING):
                missing = _fill_from(p, state, now, lane, stage, most, 0.0)
                run_lane(p, state, now, lane, design)
                if missing > 0.0:
                    return missing
    return 0.0


@part
def _capped(p: Fixed, now: Scratch, lane: int) -> bool:
    """Whether modules of a lineup are out of service."""
    least = 1.0
    for stage in range(p.stage.shape[1]):
        least = min(least, now.stage_part[lane, stage])
    return least < 1.0


@inner
def _lead_lane(
    p: Fixed, knobs: Knobs, state: State, now: Scratch, lane: int, design: int, may_charge: bool
) -> float:
    """Own laws of a lineup's storages, then what a dead bus, a walk-in or lost modules leave to them.

    Returns what the lineup lacks all the same [W].
    """
    dead = 1.0 - now.bus[design, BusNow.FORMED]
    frac = now.flux[lane, PodFlux.INPUT_FRAC]
    if dead > 0.0:
        for place in range(p.lane_store[lane, 0], p.lane_store[lane, 1]):
            now.wish_w[p.node_store[place]] = 0.0
    elif _ask_lane(p, knobs, state, now, lane, may_charge and frac >= 1.0):
        run_lane(p, state, now, lane, design)
    if dead <= 0.0 and frac >= 1.0 and not _capped(p, now, lane):
        return 0.0
    missing = _fill_caps(p, state, now, lane, design)
    if missing > 0.0 or (dead <= 0.0 and frac >= 1.0):
        return missing
    missing = _fill_gap(
        p, state, now, lane, 0.0 if dead > 0.0 else frac * now.flux[lane, PodFlux.BUS_W], dead
    )
    run_lane(p, state, now, lane, design)
    return missing


@inner
def act_lineups(p: Fixed, knobs: Knobs, state: State, now: Scratch, at: Span) -> None:
    """Let the storages of all lineups act of themselves, and note the lineups that cannot be carried."""
    bus = now.bus[at.design]
    bus[BusNow.WISHES] = 0.0
    may_charge = bus[BusNow.OFF_PODS] <= 0.0
    for lane in at.lanes:
        now.flux[lane, PodFlux.PASS_W] = now.flux[lane, PodFlux.BUS_W]
        now.missing_w[lane] = _lead_lane(p, knobs, state, now, lane, at.design, may_charge)
        for place in range(p.lane_store[lane, 0], p.lane_store[lane, 1]):
            bus[BusNow.WISHES] += now.wish_w[p.node_store[place]]


@inner
def relieve_lineups(p: Fixed, state: State, now: Scratch, at: Span, lack_w: float) -> float:
    """Let lineups share a lack at the site bus by what each can spare it; what is lacking still [W].

    `lack_w` is what the sources lack for what is on [W].
    """
    spare = 0.0
    for lane in at.lanes:
        now.spare_w[lane] = 0.0
        if p.lane_store[lane, 0] < p.lane_store[lane, 1]:
            least = draw_lane(p, state, now, lane, 1.0)
            now.spare_w[lane] = max(now.flux[lane, PodFlux.BUS_W] - least, 0.0)
            spare += now.spare_w[lane]
    if spare <= 0.0:
        return lack_w
    share = min(lack_w / spare, 1.0)
    left = lack_w
    for lane in at.lanes:
        if now.spare_w[lane] > 0.0:
            was = now.flux[lane, PodFlux.BUS_W]
            _fill_gap(p, state, now, lane, was - share * now.spare_w[lane], 0.0)
            left -= was - run_lane(p, state, now, lane, at.design)
    return left


@inner
def _fill_lane(p: Fixed, now: Scratch, lane: int, target_w: float) -> None:
    """Let the storages of a lineup charge with what `target_w` from the bus leaves over, up to their wishes."""
    flow = target_w
    for back in range(p.stage.shape[1]):
        stage = p.stage.shape[1] - 1 - back
        if stage == p.server_stages - 1:
            flow -= now.pod[lane, PodNow.NETWORK_W]
        flow = _through_w(p, now, lane, stage, max(flow, 0.0), 0.0)
        over = flow - now.node_w[lane, stage]
        for place in range(p.node_first[lane, stage], p.node_first[lane, stage + 1]):
            over -= now.ask_w[int(p.node_store[place])]
        for place in range(p.node_first[lane, stage], p.node_first[lane, stage + 1]):
            store = int(p.node_store[place])
            if now.grant_w[store] > 0.0 and over > 0.0:
                more = min(now.grant_w[store], over)
                now.ask_w[store] += more
                now.wish_w[store] -= more
                over -= more
            flow -= now.ask_w[store]
        if stage >= p.server_stages and stage == p.pod[lane, Pod.UPS_STAGE]:
            flow -= now.flux[lane, PodFlux.UPS_LOAD_W]


@part
def _draw_filled(p: Fixed, state: State, now: Scratch, lane: int) -> float:
    """What a lineup would draw with all grants taken, as far as lost modules pass them [W]."""
    if not _capped(p, now, lane):
        return draw_lane(p, state, now, lane, 0.0)
    first, last = p.lane_store[lane, 0], p.lane_store[lane, 1]
    for place in range(first, last):
        store = int(p.node_store[place])
        now.kept_w[store] = now.ask_w[store]
    _fill_lane(p, now, lane, _ALL_W)
    for place in range(first, last):
        store = int(p.node_store[place])
        now.grant_w[store] = now.ask_w[store] - now.kept_w[store]
        now.ask_w[store] = now.kept_w[store]
        now.wish_w[store] += now.grant_w[store]
    return draw_lane(p, state, now, lane, 0.0)


@inner
def refill_lineups(
    p: Fixed, state: State, now: Scratch, at: Span, room_w: float, from_gensets: float
) -> float:
    """Grant the wishes of the lineups' storages, in proportion where the room is short; what they take [W].

    With `from_gensets` only those that gensets may fill are granted anything.

    `room_w` is what the sources can give beyond what is on [W].
    """
    wanted = 0.0
    for lane in at.lanes:
        now.spare_w[lane] = 0.0
        wishes = 0.0
        for place in range(p.lane_store[lane, 0], p.lane_store[lane, 1]):
            store = int(p.node_store[place])
            may = from_gensets <= 0.0 or p.store[store, Store.FROM_GENSETS] > 0.0
            now.grant_w[store] = now.wish_w[store] if may else 0.0
            wishes += now.grant_w[store]
        if wishes > 0.0:
            full = _draw_filled(p, state, now, lane)
            now.spare_w[lane] = max(full - now.flux[lane, PodFlux.BUS_W], 0.0)
            wanted += now.spare_w[lane]
    if wanted <= 0.0:
        return 0.0
    share = min(room_w / wanted, 1.0)
    taken = 0.0
    for lane in at.lanes:
        if now.spare_w[lane] > 0.0:
            was = now.flux[lane, PodFlux.BUS_W]
            _fill_lane(p, now, lane, was + share * now.spare_w[lane])
            taken += run_lane(p, state, now, lane, at.design) - was
    return taken
