"""The bundles of arrays that the energy engine works on: what is fixed, what is remembered, what comes out.

NamedTuples, because numba takes them as they are and a reader sees the names. `Params` and `Records` are
for Python and keep `[field, place]`. The engine's own bundles keep `[place, field]`, so that all that one
lane, plant or storage needs in a step lies together behind one pointer; that made a step a quarter faster.
`layout.py` leads from the one to the other.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aidc.jit import bundle

__all__ = [
    "Fixed",
    "FloatArray",
    "IndexArray",
    "Inputs",
    "IntArray",
    "Knobs",
    "Params",
    "Records",
    "Rows",
    "Scratch",
    "Span",
    "State",
]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
IndexArray = NDArray[np.uint64]  # unsigned, so that no index is tested for counting from the end


class Params(NamedTuple):
    """What does not change during a run."""

    dt_s: float
    pod: FloatArray  # [Pod, lane]
    operating: FloatArray  # [lane, cap, load, Point]
    cap_frac: FloatArray  # [lane, cap] the caps of the operating table, rising
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
    genset: FloatArray  # [Genset, genset]
    stage_full_w: FloatArray  # [stage, lane] what a stage carries with all its modules
    outage: IntArray  # [outage, 3]: Equipment, its row and column; channel `first_outage + k` is the share in service
    first_outage: int
    job_start: IntArray  # [job] ticks
    job_end: IntArray
    job_tokens: FloatArray  # [job] target, inf if none
    job_restart: IntArray  # [job] ticks to restart after a fault
    job_clock: FloatArray  # [clock figure, job], see plant/training
    job_levels: FloatArray  # [level, job]
    job_width: FloatArray  # [JobWidth, job]
    fault_first: IntArray  # [job + 1] into `fault_tick`
    fault_tick: IntArray  # in ticks of the job's own clock


class Span(NamedTuple):
    """The rows of one design in the arrays of all designs."""

    design: int
    lanes: range
    plants: range
    stores: range
    gensets: range


@bundle
class Fixed(NamedTuple):
    """`Params` as the engine reads them."""

    dt_s: float
    pod: FloatArray  # [lane, Pod]
    kind: IntArray  # [lane]
    workload: IntArray  # [lane]
    loop_plant: IndexArray  # [lane] the plant of the rack loop …
    air_plant: IndexArray  # … and of the air handlers
    operating: FloatArray  # [lane, cap, load, Point]
    cap_frac: FloatArray  # [lane, cap]
    batch_load: FloatArray  # [lane, batch fraction]
    flow: FloatArray  # [lane, flow fraction, 2 PodFlow], see `tables.with_steps`
    stage: FloatArray  # [lane, stage, Stage]
    server_stages: int
    node_first: IntArray  # [lane, stage + 1] into `node_store` …
    node_store: IntArray  # … the storages at each stage's output
    shed_order: IntArray  # [design, rank] lanes, first to go first
    plant: FloatArray  # [plant, Plant]
    rejection: FloatArray  # [plant, figure]
    store: FloatArray  # [storage, Store]
    storage: FloatArray  # [storage, parameter]
    site: FloatArray  # [design, Site]
    genset: FloatArray  # [genset, Genset]
    stage_full_w: FloatArray  # [lane, stage]
    outage: IntArray  # [outage, 3]
    first_outage: int
    site_store: IntArray  # [design, place] the storages at the site bus
    lane_store: IntArray  # [lane, 2] first and last + 1 of its places in `node_store`
    job_start: IntArray  # [job]
    job_end: IntArray
    job_tokens: FloatArray
    job_restart: IntArray
    job_clock: FloatArray  # [job, clock figure]
    job_levels: FloatArray  # [job, level]
    job_width: FloatArray  # [job, JobWidth]
    fault_first: IntArray  # [job + 1]
    fault_tick: IntArray


@bundle
class Inputs(NamedTuple):
    """Native-resolution series, end to end in one array; read in place, never expanded."""

    values: FloatArray
    first: IntArray  # [channel] offset into values
    length: IntArray
    ticks: IntArray  # [channel] ticks per sample
    shift: IntArray  # [channel] ticks from the series' start to tick 0
    hold: IntArray  # [channel] Hold
    scale: FloatArray  # [channel, design]


@bundle
class Knobs(NamedTuple):
    """What the controller has set, already admitted; NaN in `storage_w` leaves the rule in force."""

    pod: FloatArray  # [lane, PodKnob]
    job: FloatArray  # [design * job] share of its accelerators that a job is to work on
    storage_w: FloatArray  # [storage]
    supply_k: FloatArray  # [plant]


@bundle
class State(NamedTuple):
    """What is remembered from one step to the next; `Compiled.start` and `Twin.state` are turned for Python."""

    pod: FloatArray  # [lane, PodState]
    plant: FloatArray  # [plant, PlantState]
    soc_frac: FloatArray  # [storage]
    smooth_w: FloatArray  # [storage] running mean of the smoothing rule, NaN before the first step
    job_tick: IntArray  # [design * job] progress of each job's own clock
    job_fault: IntArray  # faults that lie behind
    job_tokens: FloatArray
    job_phase: IntArray  # of a change of width, see plant/width …
    job_left: IntArray  # … and the steps left in it
    job_width: FloatArray  # share of its accelerators that a job holds
    genset: FloatArray  # [genset, GensetState]; `Twin.state` has [GensetState, genset]
    calm: FloatArray  # [design] 1 while nothing is shed, starting, walking in or running that does not always


@bundle
class Scratch(NamedTuple):
    """Working memory of one step, kept to save allocations."""

    row: FloatArray  # [lane, load, 2 Point]: the operating table at the cap in force, with steps
    row_cap: FloatArray  # [lane]
    cell: IndexArray  # [lane] the cell of `row` that the pod is in …
    cell_frac: FloatArray  # … and how far into it
    held_cell: IndexArray  # [lane] the cell that it was in so far in this output step …
    held_steps: FloatArray  # … for how many steps …
    held_frac: FloatArray  # … and the sum of how far into it
    channel: FloatArray  # [design, channel]
    cursor: IntArray  # [channel, 2]: sample and ticks into it
    step: FloatArray  # [quantity] all that is recorded as a mean; the next six are views of it
    pod: FloatArray  # [lane, PodNow]
    stage: FloatArray  # [lane, stage] loss
    plant: FloatArray  # [plant, Component]
    store: FloatArray  # [storage, StoreNow]
    site: FloatArray  # [design, SiteNow]
    genset: FloatArray  # [genset, GensetNow]
    total: FloatArray  # [quantity] sums of `step` over the output step so far
    pod_total: FloatArray  # [lane, PodNow] a view of it …
    cell_total: FloatArray  # … and [lane, PodCell], behind what `step` has
    auxiliary_w: FloatArray  # [storage] cooling and control of each storage
    flux: FloatArray  # [lane, PodFlux]
    star: FloatArray  # [plant, Star] sums over a plant's pods
    part: FloatArray  # [plant, PlantPart] share of the units that are in service
    plant_served: FloatArray  # [plant, PlantServed] share that has supply and runs
    pod_served: FloatArray  # [lane, PodServed] the same
    soc_frac: FloatArray  # [storage]
    smooth_w: FloatArray  # [storage] running mean of the smoothing rule
    ask_w: FloatArray  # [storage] what it is to do at its node, charging positive
    wish_w: FloatArray  # [storage] what it would charge with, were there room
    kept_w: FloatArray  # [storage] what it was asked for before a trial
    grant_w: FloatArray  # [storage] of that, what may be granted now
    floor_frac: FloatArray  # [storage] state of charge down to which it may be emptied
    genset_range: FloatArray  # [genset, GensetRange]
    genset_part: FloatArray  # [genset] share of the sets that are in service
    stage_part: FloatArray  # [lane, stage] share of the modules that are in service
    node_w: FloatArray  # [lane, stage] asked of each stage's output by what lies behind it
    bus: FloatArray  # [design, BusNow]
    missing_w: FloatArray  # [lane] what its input and its storages together cannot give it
    spare_w: FloatArray  # [lane] what it can spare the bus, or would take from it, as storages go
    wanted: FloatArray  # [lane, Wanted] what each pod would take, had none been shed
    plain: FloatArray  # [lane] 1 where no storage acts and nothing else moves in the lineup
    shed: FloatArray  # [lane]
    able: FloatArray  # [lane] 1 where the pod can work
    powered: FloatArray  # [lane] 1 where it has power
    share: FloatArray  # [workload] share of its pods that can work
    per_share: FloatArray  # [workload] 1 / share
    per_step_max: FloatArray  # [lane] 1 / the tokens that a step could make [1/tokens]
    load_limit: FloatArray  # [lane] highest load under the batch limit in force
    job_load: FloatArray  # [job] power over rated
    job_share: FloatArray  # [job] share of the step in which tokens are made and kept
    job_runs: FloatArray  # [job] 1 while its clock advances
    job_fault: IntArray  # [job]
    job_phase: IntArray  # [job] of a change of width, this step …
    job_left: IntArray  # … and the steps left in it, this one among them
    job_width: FloatArray  # [job] share of its accelerators that it holds
    fill: FloatArray  # [lane] share of the pod's accelerators that its job holds


@bundle
class Rows(NamedTuple):
    """What the engine writes: rows of several steps."""

    mean: FloatArray  # [row, quantity]
    queue_tokens: FloatArray  # [row, lane] at the end
    case_k: FloatArray  # [row, lane] maximum
    loop_k: FloatArray  # [row, 2, lane] loop and air temperature at the end
    facility_k: FloatArray  # [row, plant] at the end
    soc_frac: FloatArray  # [row, storage] at the end
    job_width: FloatArray  # [row, job] share of its accelerators that it holds, at the end
    soc_path: FloatArray  # [row, step, storage] at the end of each step
    net_import_w: FloatArray  # [row, 2, design] minimum and maximum


class Records(NamedTuple):
    """`Rows` with its means by name, without the way of the storages."""

    pod: FloatArray  # [row, PodNow, lane]
    cell: FloatArray  # [row, PodCell, lane]
    stage: FloatArray  # [row, stage, lane]
    plant: FloatArray  # [row, Component, plant]
    store: FloatArray  # [row, StoreNow, storage]
    site: FloatArray  # [row, SiteNow, design]
    genset: FloatArray  # [row, GensetNow, genset]
    queue_tokens: FloatArray
    case_k: FloatArray
    loop_k: FloatArray
    facility_k: FloatArray
    soc_frac: FloatArray
    job_width: FloatArray
    net_import_w: FloatArray
