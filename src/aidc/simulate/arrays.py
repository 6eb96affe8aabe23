"""The bundles of arrays that the energy engine works on: what is fixed, what is remembered, what comes out.

NamedTuples, because numba takes them as they are and a reader sees the names.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["FloatArray", "Inputs", "IntArray", "Knobs", "Params", "Records", "Scratch", "State"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


class Params(NamedTuple):
    """What does not change during a run."""

    dt_s: float
    pod: FloatArray  # [Pod, lane]
    operating: FloatArray  # [lane, cap, load, Point]
    batch_load: FloatArray  # [lane, batch fraction]: highest load at that share of the batch limit
    flow: FloatArray  # [PodFlow, lane, flow fraction]
    stage_a_w: FloatArray  # [stage, lane], rack first: loss = a + b P + c P^2
    stage_b: FloatArray
    stage_c_per_w: FloatArray
    stage_air_frac: FloatArray  # where a stage's loss becomes heat; the rest is outdoors
    stage_liquid_frac: FloatArray
    server_stages: int  # stages 0 … n-1 belong to the server, the rest to the site
    shed_order: IntArray  # [design, rank]: pod numbers, first to go first
    plant: FloatArray  # [Plant, plant]
    rejection: FloatArray  # [plant, figure]: columns of plant/cooling/rejection
    store: FloatArray  # [Store, storage]
    storage: FloatArray  # [parameter, storage], see plant/storage
    site: FloatArray  # [Site, design]
    job_start: IntArray  # [job] ticks
    job_end: IntArray
    job_tokens: FloatArray  # [job] target, inf if none
    job_restart: IntArray  # [job] ticks to restart after a fault
    job_clock: FloatArray  # [clock figure, job], see plant/training
    job_levels: FloatArray  # [level, job]
    fault_first: IntArray  # [job + 1] into `fault_tick`
    fault_tick: IntArray  # in ticks of the job's own clock


class Inputs(NamedTuple):
    """Native-resolution series, end to end in one array; read in place, never expanded."""

    values: FloatArray
    first: IntArray  # [channel] offset into values
    length: IntArray
    ticks: IntArray  # [channel] ticks per sample
    shift: IntArray  # [channel] ticks from the series' start to tick 0
    hold: IntArray  # [channel] Hold
    scale: FloatArray  # [channel, design]


class Knobs(NamedTuple):
    """What the controller has set, already admitted; NaN in `storage_w` leaves the rule in force."""

    pod: FloatArray  # [PodKnob, lane]
    storage_w: FloatArray  # [storage]
    supply_k: FloatArray  # [plant]


class State(NamedTuple):
    """What is remembered from one step to the next."""

    pod: FloatArray  # [PodState, lane]
    plant: FloatArray  # [PlantState, plant]
    soc_frac: FloatArray  # [storage]
    smooth_w: FloatArray  # [storage] running mean of the smoothing rule, NaN before the first step
    job_tick: IntArray  # [design * job] progress of each job's own clock
    job_fault: IntArray  # faults that lie behind
    job_tokens: FloatArray
    genset_s: FloatArray  # [design] how long the gensets have been called


class Scratch(NamedTuple):
    """Working memory of one step, kept to save allocations."""

    row: FloatArray  # [lane, load, Point]: the operating table at the cap in force
    row_cap: FloatArray  # [lane]
    channel: FloatArray  # [channel]
    cursor: IntArray  # [2, channel]: sample and ticks into it
    pod: FloatArray  # [PodNow, lane]
    stage: FloatArray  # [stage, lane] loss
    plant: FloatArray  # [Component, plant]
    store: FloatArray  # [StoreNow, storage]
    soc_frac: FloatArray
    site: FloatArray  # [SiteNow]
    demand_w: FloatArray  # [design] all consumption before anything is left unserved
    genset_s: FloatArray  # [design]
    conductance: FloatArray  # [plant]
    sink_k: FloatArray  # [plant]
    star: FloatArray  # [4, plant] sums over a plant's pods, see cool.py
    shed: FloatArray  # [lane]
    share: FloatArray  # [workload] share of its pods that can work
    able: FloatArray  # [lane] 1 where the pod can work
    powered: FloatArray  # [lane] 1 where it has power
    load_limit: FloatArray  # [lane] highest load under the batch limit in force
    job_load: FloatArray  # [job] power over rated
    job_share: FloatArray  # [job] share of the step in which tokens are made and kept
    job_runs: FloatArray  # [job] 1 while its clock advances
    job_fault: IntArray  # [job]
    node: FloatArray  # [2, lane] loop and air temperature at the end of the step
    facility_k: FloatArray  # [plant] the same for the facility loops
    smooth_w: FloatArray  # [storage] running mean of the smoothing rule
    sum_pod: FloatArray
    sum_stage: FloatArray
    sum_plant: FloatArray
    sum_store: FloatArray
    sum_site: FloatArray  # [SiteNow, design]


class Records(NamedTuple):
    """One row per output step."""

    pod: FloatArray  # [row, PodNow (recorded), lane] means
    queue_tokens: FloatArray  # [row, lane] at the end
    case_k: FloatArray  # [row, lane] maximum
    loop_k: FloatArray  # [row, 2, lane] loop and air temperature at the end
    stage: FloatArray  # [row, stage, lane]
    plant: FloatArray  # [row, Component, plant]
    facility_k: FloatArray  # [row, plant] at the end
    store: FloatArray  # [row, StoreNow, storage]
    soc_frac: FloatArray  # [row, storage] at the end
    site: FloatArray  # [row, SiteNow, design]
    net_import_w: FloatArray  # [row, 2, design] minimum and maximum
