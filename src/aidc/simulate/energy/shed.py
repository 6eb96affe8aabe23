"""Step 7 of the energy engine: who is taken off when the sources are short, and who comes back when they have room.

Pods go one at a time, the highest priority number first, and each pass starts from the state at the start of the
step. One that went comes back after its restart and waiting time, once photovoltaics, wind, grid and running gensets
(not storages: they bridge, they do not carry) have room for what it wants and its margin, the best priority first.
With every pod off, what is short still takes down cooling, then the lineups' own losses, then auxiliaries.
"""

from __future__ import annotations

from aidc.jit import inner, part
from aidc.simulate.energy.arrays import Fixed, Knobs, Scratch, Span, State
from aidc.simulate.energy.bus import ROUNDING, balance_foul
from aidc.simulate.energy.fields import BusNow, GensetRange, Pod, PodFlux, PodNow, PodState, Wanted
from aidc.simulate.energy.lineup import act_lineups
from aidc.simulate.energy.served import serve_cooling
from aidc.simulate.energy.sources import call_gensets

__all__ = ["MOST_LEVEL", "foul_pass", "note_wants"]

MOST_LEVEL = 3.0


@inner
def note_wants(p: Fixed, state: State, now: Scratch, at: Span, lacking: bool) -> float:
    """Note what every pod wants while all are on, call gensets for what is lacking, and keep off those that are not back.

    Returns how many are off.
    """
    call_gensets(p, state, at, lacking)
    bus = now.bus[at.design]
    bus[BusNow.CAME] = 0.0
    off = 0.0
    for lane in at.lanes:
        now.wanted[lane, Wanted.IT_W] = now.pod[lane, PodNow.IT_W]
        now.wanted[lane, Wanted.BUS_W] = now.flux[lane, PodFlux.PASS_W]
        now.wanted[lane, Wanted.CARRIED] = 1.0 if now.flux[lane, PodFlux.INPUT_FRAC] >= 1.0 else 0.0
        for stage in range(p.stage.shape[1]):
            whole = now.stage_part[lane, stage]
            most = p.stage_full_w[lane, stage] * whole * (1.0 + ROUNDING)
            if whole < 1.0 and now.node_w[lane, stage] > most:
                now.wanted[lane, Wanted.CARRIED] = 0.0
        now.shed[lane] = state.pod[lane, PodState.OFF]
        off += now.shed[lane]
    bus[BusNow.OFF_PODS] = off
    return off


@inner
def _come_back(p: Fixed, state: State, now: Scratch, at: Span) -> bool:
    """Let pods come back for which the sources have room; whether any does."""
    bus = now.bus[at.design]
    room = bus[BusNow.RENEWABLE_W] + bus[BusNow.LIMIT_W]
    for genset in at.gensets:
        room += now.genset_range[genset, GensetRange.HIGH_W]
    room -= bus[BusNow.NEED_W]
    came = False
    for back in range(p.shed_order.shape[1]):
        lane = p.shed_order[at.design, p.shed_order.shape[1] - 1 - back]
        if (
            now.shed[lane] <= 0.0
            or state.pod[lane, PodState.OFF] <= 0.0
            or state.pod[lane, PodState.SHED_S] > 0.0
        ):
            continue
        if now.wanted[lane, Wanted.CARRIED] <= 0.0:
            continue  # storages bridge what is on; they do not start what is off
        wants = now.wanted[lane, Wanted.BUS_W] * (1.0 + p.pod[lane, Pod.RETURN_MARGIN_FRAC])
        if wants <= room:
            now.shed[lane] = 0.0
            room -= wants
            came = True
    return came


@inner
def _go_next(p: Fixed, now: Scratch, at: Span, short_w: float) -> bool:
    """Shed the lineups that cannot be carried, else the next pod in order, else the next of the rest."""
    lost = False
    for lane in at.lanes:
        if now.missing_w[lane] > 0.0 and now.shed[lane] <= 0.0:
            now.shed[lane] = 1.0
            lost = True
    if lost or short_w <= 0.0:
        return lost
    for rank in range(p.shed_order.shape[1]):
        lane = p.shed_order[at.design, rank]
        if now.shed[lane] <= 0.0:
            now.shed[lane] = 1.0
            return True
    bus = now.bus[at.design]
    if bus[BusNow.LEVEL] < MOST_LEVEL:
        bus[BusNow.LEVEL] += 1.0
        return True
    return False


@part
def _take_down(p: Fixed, state: State, now: Scratch, at: Span, short_w: float, may_return: float) -> bool:
    """Change who is on after a pass; returns whether another pass is needed."""
    bus = now.bus[at.design]
    again = _go_next(p, now, at, short_w)
    if not again and may_return > 0.0 and bus[BusNow.FORMED] > 0.0 and bus[BusNow.LEVEL] <= 0.0:
        again = _come_back(p, state, now, at)
        bus[BusNow.CAME] = 1.0 if again else 0.0
    off = 0.0
    for lane in at.lanes:
        off += now.shed[lane]
    bus[BusNow.OFF_PODS] = off
    return again


@inner
def foul_pass(p: Fixed, knobs: Knobs, state: State, now: Scratch, at: Span, may_return: float) -> bool:
    """Serve what can be served of a pass, and change who is on; returns whether another pass is needed.

    `may_return` is 1 where pods that are off may come back in this pass, else 0.
    """
    serve_cooling(p, state, now, at)
    act_lineups(p, knobs, state, now, at)
    short_w = balance_foul(p, knobs, state, now, at)
    return _take_down(p, state, now, at, short_w, may_return)
