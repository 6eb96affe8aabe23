"""Step 4 of the energy engine: power from the rack back to the site bus, stage by stage."""

from __future__ import annotations

from aidc.jit import part
from aidc.simulate.arrays import Knobs, Params, Scratch, State
from aidc.simulate.fields import Pod, PodNow, Store, StoreNow
from aidc.simulate.store import run_store

__all__ = ["feed_chain"]


@part
def _act_at(p: Params, knobs: Knobs, state: State, now: Scratch, design: int, stage: int) -> None:
    """Let the storages at the output of this stage act; their losses warm the hall or the outdoors."""
    stores = p.store.shape[1] // p.site.shape[1]
    for store in range(design * stores, (design + 1) * stores):
        lane = int(p.store[Store.LANE, store])
        if lane >= 0 and p.store[Store.STAGE, store] == stage:
            now.pod[PodNow.BUS_W, lane] += run_store(
                p, knobs, state, now, store, now.pod[PodNow.BUS_W, lane], p.store[Store.LIMIT_W, store]
            )
            loss = now.store[StoreNow.LOSS_W, store]
            now.pod[PodNow.AIR_W, lane] += loss * p.store[Store.AIR_FRAC, store]
            now.pod[PodNow.AMBIENT_W, lane] += loss * (1.0 - p.store[Store.AIR_FRAC, store])


@part
def feed_chain(
    p: Params, knobs: Knobs, state: State, now: Scratch, design: int, first: int, last: int
) -> None:
    """Add each stage's loss to the power that passes it, and note where the heat goes.

    Server-side stages come first; the network joins behind them, at the rack inlet. A shed pod's
    power shelves are off, while the site's stages stay energised and keep their no-load loss.
    """
    for lane in range(first, last):
        now.pod[PodNow.SERVER_STAGE_W, lane] = 0.0
        now.pod[PodNow.CHAIN_LOSS_W, lane] = 0.0
        server = now.pod[PodNow.ACCELERATOR_W, lane] + now.pod[PodNow.OVERHEAD_W, lane]
        now.pod[PodNow.BUS_W, lane] = server
        now.pod[PodNow.LIQUID_W, lane] = server * p.pod[Pod.LIQUID_FRAC, lane]
        now.pod[PodNow.AIR_W, lane] = (
            server * (1.0 - p.pod[Pod.LIQUID_FRAC, lane]) + now.pod[PodNow.NETWORK_W, lane]
        )
        now.pod[PodNow.AMBIENT_W, lane] = 0.0
    for stage in range(p.server_stages):
        _act_at(p, knobs, state, now, design, stage)
        for lane in range(first, last):
            power = now.pod[PodNow.BUS_W, lane]
            loss = (
                p.stage_a_w[stage, lane]
                + (p.stage_b[stage, lane] + p.stage_c_per_w[stage, lane] * power) * power
            ) * now.powered[lane]
            now.stage[stage, lane] = loss
            now.pod[PodNow.SERVER_STAGE_W, lane] += loss
            now.pod[PodNow.BUS_W, lane] = power + loss
    for lane in range(first, last):
        # what the server consumes, whether it comes from the grid side or from storage in the rack
        server = (
            now.pod[PodNow.ACCELERATOR_W, lane]
            + now.pod[PodNow.OVERHEAD_W, lane]
            + now.pod[PodNow.SERVER_STAGE_W, lane]
        )
        now.pod[PodNow.SERVER_W, lane] = server
        now.pod[PodNow.IT_W, lane] = server + now.pod[PodNow.NETWORK_W, lane]
        now.pod[PodNow.BUS_W, lane] += now.pod[PodNow.NETWORK_W, lane]
    for stage in range(p.server_stages, p.stage_a_w.shape[0]):
        _act_at(p, knobs, state, now, design, stage)
        for lane in range(first, last):
            power = now.pod[PodNow.BUS_W, lane]
            loss = (
                p.stage_a_w[stage, lane]
                + (p.stage_b[stage, lane] + p.stage_c_per_w[stage, lane] * power) * power
            )
            now.stage[stage, lane] = loss
            now.pod[PodNow.CHAIN_LOSS_W, lane] += loss
            now.pod[PodNow.BUS_W, lane] = power + loss
    for stage in range(p.stage_a_w.shape[0]):
        for lane in range(first, last):
            loss = now.stage[stage, lane]
            air = p.stage_air_frac[stage, lane]
            liquid = p.stage_liquid_frac[stage, lane]
            now.pod[PodNow.AIR_W, lane] += air * loss
            now.pod[PodNow.LIQUID_W, lane] += liquid * loss
            now.pod[PodNow.AMBIENT_W, lane] += (1.0 - air - liquid) * loss
