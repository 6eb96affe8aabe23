"""Step 4 of the energy engine: power from the rack back to the site bus, stage by stage."""

from __future__ import annotations

from aidc.jit import part
from aidc.simulate.arrays import Fixed, Knobs, Scratch, Span, State
from aidc.simulate.fields import Pod, PodFlux, PodNow, Stage, Store, StoreNow
from aidc.simulate.store import run_store

__all__ = ["feed_chain"]


@part
def _act_at(
    p: Fixed, knobs: Knobs, state: State, now: Scratch, lane: int, stage: int, power_w: float
) -> float:
    """Let the storages at the output of this stage act; their losses warm the hall or the outdoors."""
    for place in range(p.node_first[lane, stage], p.node_first[lane, stage + 1]):
        store = p.node_store[place]
        power_w += run_store(p, knobs, state, now, store, power_w, p.store[store, Store.LIMIT_W])
        loss = now.store[store, StoreNow.LOSS_W]
        now.flux[lane, PodFlux.AIR_W] += loss * p.store[store, Store.AIR_FRAC]
        now.flux[lane, PodFlux.AMBIENT_W] += loss * (1.0 - p.store[store, Store.AIR_FRAC])
    return power_w


@part
def feed_chain(p: Fixed, knobs: Knobs, state: State, now: Scratch, at: Span) -> None:
    """Add each stage's loss to the power that passes it, and note where the heat goes.

    Server-side stages come first; the network joins behind them, at the rack inlet. A shed pod's
    power shelves are off, while the site's stages stay energised and keep their no-load loss.
    """
    for lane in at.lanes:
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
        for stage in range(p.server_stages):
            power = _act_at(p, knobs, state, now, lane, stage, power)
            one = p.stage[lane, stage]
            loss = one[Stage.A_W] + (one[Stage.B] + one[Stage.C_PER_W] * power) * power
            loss *= now.powered[lane]
            now.stage[lane, stage] = loss
            power += loss
            lost += loss
            air += one[Stage.AIR_FRAC] * loss
            liquid += one[Stage.LIQUID_FRAC] * loss
            ambient += one[Stage.AMBIENT_FRAC] * loss
        # what the server consumes, whether it comes from the grid side or from storage in the rack
        server = consumed + lost
        pod[PodNow.SERVER_STAGE_W] = lost
        pod[PodNow.SERVER_W] = server
        pod[PodNow.IT_W] = server + pod[PodNow.NETWORK_W]
        power += pod[PodNow.NETWORK_W]
        lost = 0.0
        for stage in range(p.server_stages, p.stage.shape[1]):
            power = _act_at(p, knobs, state, now, lane, stage, power)
            one = p.stage[lane, stage]
            loss = one[Stage.A_W] + (one[Stage.B] + one[Stage.C_PER_W] * power) * power
            now.stage[lane, stage] = loss
            power += loss
            lost += loss
            air += one[Stage.AIR_FRAC] * loss
            liquid += one[Stage.LIQUID_FRAC] * loss
            ambient += one[Stage.AMBIENT_FRAC] * loss
        pod[PodNow.CHAIN_LOSS_W] = lost
        flux[PodFlux.BUS_W] = power
        flux[PodFlux.LIQUID_W] = liquid
        flux[PodFlux.AIR_W] += air
        flux[PodFlux.AMBIENT_W] += ambient
