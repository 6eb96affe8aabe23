"""The memory of the engine: how a compiled site is laid out for it, and how its rows are read by name."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import numpy as np

from aidc.plant.cooling.node import passed_fracs
from aidc.simulate.energy.arrays import (
    Fixed,
    FloatArray,
    IntArray,
    Knobs,
    Params,
    Records,
    Rows,
    Scratch,
    State,
)
from aidc.simulate.energy.fields import (
    BusNow,
    Cells,
    Component,
    GensetNow,
    GensetRange,
    PlantPart,
    PlantServed,
    Pod,
    PodCell,
    PodFlow,
    PodFlux,
    PodNow,
    PodServed,
    Point,
    SiteNow,
    Star,
    Store,
    StoreNow,
    Wanted,
)
from aidc.simulate.energy.tables import with_steps

__all__ = [
    "knobs_by_place",
    "lay_out",
    "name_rows",
    "rows_of",
    "scratch_of",
    "state_by_field",
    "state_by_place",
]


_TURNED = (
    "pod",
    "plant",
    "store",
    "storage",
    "site",
    "genset",
    "stage_full_w",
    "job_clock",
    "job_levels",
    "job_width",
)
_STATE_TURNED = ("pod", "plant", "genset")
_STAGE = ("stage_a_w", "stage_b", "stage_c_per_w", "stage_air_frac", "stage_liquid_frac")  # as fields.Stage


def lay_out(params: Params) -> Fixed:
    """Place what is fixed as the engine reads it."""
    kept: dict[str, Any] = {name: getattr(params, name) for name in Fixed._fields if name in Params._fields}
    params = _for_step(params)
    turned: dict[str, Any] = {name: np.ascontiguousarray(getattr(params, name).T) for name in _TURNED}
    stages = [getattr(params, name).T for name in _STAGE]
    stages.append(1.0 - stages[-2] - stages[-1])  # what warms neither air nor loop is outdoors
    own: dict[str, Any] = {
        "kind": params.pod[Pod.KIND].astype(np.int64),
        "workload": params.pod[Pod.WORKLOAD].astype(np.int64),
        "loop_plant": params.pod[Pod.PLANT].astype(np.uint64),
        "air_plant": params.pod[Pod.AIR_PLANT].astype(np.uint64),
        "flow": with_steps(params.flow.transpose(1, 2, 0)),
        "stage": np.ascontiguousarray(np.stack(stages, axis=-1)),
        "shed_order": _lanes_to_shed(params),
    }
    return Fixed(**kept | turned | own | _nodes(params))


def _for_step(params: Params) -> Params:
    """What the nodes of heat store in a step, and what share of their flow they pass on, so that no step divides."""
    pod, flow = params.pod.copy(), params.flow.copy()
    loop, air, case = (pod[row] / params.dt_s for row in (Pod.LOOP_J_K, Pod.AIR_J_K, Pod.CASE_J_K))
    pod[Pod.LOOP_STORE_W_K], pod[Pod.AIR_STORE_W_K], pod[Pod.CASE_STORE_W_K] = loop, air, case
    pod[Pod.PER_LOOP_STORE], pod[Pod.PER_AIR_STORE] = 1.0 / loop, 1.0 / air
    for row, conducts, store in (
        (PodFlow.LOOP_PASSED, flow[PodFlow.LOOP_W_K], loop),
        (PodFlow.AIR_PASSED, flow[PodFlow.AIR_W_K], air),
        (PodFlow.CASE_PASSED, 1.0 / flow[PodFlow.CASE_K_W], case),
    ):
        flow[row] = passed_fracs(store[:, None], conducts)
    return params._replace(pod=pod, flow=flow)


def _nodes(params: Params) -> dict[str, Any]:
    """Which storages stand at the output of each stage of each lineup, so that no step looks for them."""
    stages, lanes = params.stage_a_w.shape
    designs = params.site.shape[1]
    found = [
        np.flatnonzero((params.store[Store.LANE] == lane) & (params.store[Store.STAGE] == stage))
        for lane in range(lanes)
        for stage in range(stages)
    ]
    ends = np.cumsum([len(one) for one in found]).reshape(lanes, stages)
    starts = np.concatenate([[0], ends[:-1, -1]])
    first = np.column_stack([starts, ends]).astype(np.int64)
    return {
        "node_first": first,
        "node_store": np.concatenate(found).astype(np.int64),
        "site_store": np.flatnonzero(params.store[Store.LANE] < 0).astype(np.int64).reshape(designs, -1),
        "lane_store": np.ascontiguousarray(first[:, [0, -1]]),
    }


def _lanes_to_shed(params: Params) -> IntArray:
    designs, pods = params.shed_order.shape
    return params.shed_order + np.arange(designs, dtype=np.int64)[:, None] * pods


def knobs_by_place(knobs: Knobs) -> Knobs:
    """Knobs as [knob, lane], laid out for the engine."""
    return knobs._replace(pod=np.ascontiguousarray(knobs.pod.T))


def state_by_place(state: State) -> State:
    """A copy of a state as [field, place], laid out for the engine."""
    own = deepcopy(state)
    turned = {name: np.ascontiguousarray(getattr(own, name).T) for name in _STATE_TURNED}
    return own._replace(**turned)


def state_by_field(state: State) -> State:
    """The engine's state as [field, place]: views, so that they show every later step too."""
    return state._replace(**{name: getattr(state, name).T for name in _STATE_TURNED})


def _shapes(params: Params) -> dict[str, tuple[int, int]]:
    """What is recorded as a mean, in the order in which it lies in memory."""
    lanes = params.pod.shape[1]
    return {
        "pod": (lanes, len(PodNow)),
        "stage": (lanes, params.stage_a_w.shape[0]),
        "plant": (params.plant.shape[1], len(Component)),
        "store": (params.store.shape[1], len(StoreNow)),
        "site": (params.site.shape[1], len(SiteNow)),
        "genset": (params.genset.shape[1], len(GensetNow)),
    }


def _all_shapes(params: Params) -> dict[str, tuple[int, int]]:
    """The same with what is booked by the cells of operating tables, behind what is summed in each step."""
    return {**_shapes(params), "cell": (params.pod.shape[1], len(PodCell))}


def _width(shapes: Mapping[str, tuple[int, int]]) -> int:
    return sum(places * fields for places, fields in shapes.values())


def _views(shapes: Mapping[str, tuple[int, int]], flat: FloatArray) -> dict[str, FloatArray]:
    """Cut [..., quantity] into its parts [..., place, field]."""
    ends = np.cumsum([places * fields for places, fields in shapes.values()])[:-1]
    return {
        name: one.reshape(*flat.shape[:-1], *shape)
        for (name, shape), one in zip(shapes.items(), np.split(flat, ends, axis=-1), strict=True)
    }


def rows_of(params: Params, rows: int, steps_per_row: int) -> Rows:
    """Room for a block of rows of one length."""
    designs, lanes = params.site.shape[1], params.pod.shape[1]
    plants, stores = params.plant.shape[1], params.store.shape[1]
    out = Rows(
        mean=np.zeros((rows, _width(_all_shapes(params)))),
        queue_tokens=np.zeros((rows, lanes)),
        case_k=np.full((rows, lanes), -np.inf),
        loop_k=np.zeros((rows, 2, lanes)),
        facility_k=np.zeros((rows, plants)),
        soc_frac=np.zeros((rows, stores)),
        job_width=np.zeros((rows, params.job_start.shape[0])),
        soc_path=np.zeros((rows, steps_per_row, stores)),
        net_import_w=np.zeros((rows, 2, designs)),
    )
    out.net_import_w[:, 0] = np.inf
    out.net_import_w[:, 1] = -np.inf
    return out


def name_rows(params: Params, rows: Rows) -> Records:
    """The rows with their means by name, as views."""
    named = rows._asdict()
    del named["soc_path"]
    means = {
        name: np.swapaxes(one, 1, 2) for name, one in _views(_all_shapes(params), named.pop("mean")).items()
    }
    return Records(**means, **named)


def scratch_of(params: Params, channels: int, workloads: int) -> Scratch:
    """Working memory for one step."""
    designs, lanes = params.site.shape[1], params.pod.shape[1]
    plants, stores, jobs = params.plant.shape[1], params.store.shape[1], params.job_start.shape[0]
    gensets, stages = params.genset.shape[1], params.stage_a_w.shape[0]
    flux = np.zeros((lanes, len(PodFlux)))
    flux[:, PodFlux.INPUT_FRAC] = 1.0
    step, total = np.zeros(_width(_shapes(params))), np.zeros(_width(_all_shapes(params)))
    totals = _views(_all_shapes(params), total)
    return Scratch(
        row=np.zeros((lanes, params.operating.shape[2], 2 * len(Point))),
        row_cap=np.full(lanes, np.nan),
        cell=np.zeros(lanes, dtype=np.uint64),
        cell_frac=np.zeros(lanes),
        held_cell=np.zeros(lanes, dtype=np.uint64),
        held_steps=np.zeros(lanes),
        held_frac=np.zeros(lanes),
        channel=np.zeros((designs, channels)),
        cursor=np.zeros((channels, 2), dtype=np.int64),
        step=step,
        **_views(_shapes(params), step),
        total=total,
        pod_total=totals["pod"],
        cell_total=totals["cell"],
        auxiliary_w=np.zeros(stores),
        flux=flux,
        star=np.zeros((plants, len(Star))),
        part=np.ones((plants, len(PlantPart))),
        plant_served=np.ones((plants, len(PlantServed))),
        pod_served=np.ones((lanes, len(PodServed))),
        soc_frac=np.zeros(stores),
        smooth_w=np.zeros(stores),
        ask_w=np.zeros(stores),
        wish_w=np.zeros(stores),
        grant_w=np.zeros(stores),
        kept_w=np.zeros(stores),
        floor_frac=params.storage[Cells.SOC_MIN_FRAC] + params.store[Store.RESERVE_FRAC],
        genset_range=np.zeros((gensets, len(GensetRange))),
        genset_part=np.ones(gensets),
        stage_part=np.ones((lanes, stages)),
        node_w=np.zeros((lanes, stages)),
        bus=np.zeros((designs, len(BusNow))),
        missing_w=np.zeros(lanes),
        spare_w=np.zeros(lanes),
        wanted=np.zeros((lanes, len(Wanted))),
        plain=np.zeros(lanes),
        shed=np.zeros(lanes),
        able=np.zeros(lanes),
        powered=np.zeros(lanes),
        share=np.zeros(workloads),
        per_share=np.zeros(workloads),
        per_step_max=np.zeros(lanes),
        load_limit=np.ones(lanes),
        job_load=np.zeros(jobs),
        job_share=np.zeros(jobs),
        job_runs=np.zeros(jobs),
        job_fault=np.zeros(jobs, dtype=np.int64),
        job_phase=np.zeros(jobs, dtype=np.int64),
        job_left=np.zeros(jobs, dtype=np.int64),
        job_width=np.ones(jobs),
        fill=np.ones(lanes),
    )
