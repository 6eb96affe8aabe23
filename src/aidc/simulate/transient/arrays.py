"""The bundles of arrays that the transient engine works on."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aidc.jit import bundle

__all__ = ["FloatArray", "IntArray", "Plan", "State", "Work"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@bundle
class Plan(NamedTuple):
    """What is fixed for a window: the plant, the grid's course, and the load's own wishes."""

    lane: FloatArray  # [Lane, lane]
    order: (
        IntArray  # [lane] who returns first, who is shed last: by priority, then as the site file names them
    )
    leave_below_pu: FloatArray  # [CURVE, lane], 0 where there is no point
    leave_below_ticks: FloatArray
    leave_above_pu: FloatArray  # [CURVE, lane], inf where there is no point
    leave_above_ticks: FloatArray
    down_a_w: FloatArray  # [stage, lane] between rack and buffer
    down_b: FloatArray
    down_c_per_w: FloatArray
    server_stages: int  # stages in front of which the network joins
    up_a_w: FloatArray  # [stage, lane] between buffer and bus
    up_b: FloatArray
    up_c_per_w: FloatArray
    service_w: FloatArray  # [lane, sample] accelerators of services, `sample_ticks` apart
    sample_ticks: int
    job_start: IntArray  # [job]
    job_clock: FloatArray  # [clock figure, job]
    job_levels: FloatArray  # [level, job]
    job_edge: FloatArray  # [job] step gain of the power's edges
    drive: FloatArray  # [Drive, plant]
    battery: FloatArray  # [StorageParams, lane], capacity 0 where there is none
    shelf: FloatArray  # [StorageParams, lane] capacitors of the racks, the same
    genset: FloatArray  # [Genset, genset]
    store: FloatArray  # [Converter, storage]
    storage: FloatArray  # [StorageParams, storage]
    site: FloatArray  # [SiteParam]
    service: FloatArray  # [Hz and share, point] curve of an offered frequency service
    segment_tick: IntArray  # [segment]
    segment: FloatArray  # [Segment, segment]
    action_tick: IntArray  # [action]
    action: FloatArray  # [kind, target, value; action]


@bundle
class State(NamedTuple):
    """What is remembered between steps."""

    lane: FloatArray  # [LaneState, lane]
    drive: FloatArray  # [DriveState, plant]
    store: FloatArray  # [StoreState, storage]
    genset: FloatArray  # [GensetState, genset]
    site: FloatArray  # [SiteState]
    job: FloatArray  # [4, job]: runs, power over rated behind its edge, what it goes for, until which tick it does
    energy: FloatArray  # [Energy]


@bundle
class Work(NamedTuple):
    """Working memory of one step."""

    per_rated: float  # 1 / rated_w
    rated_w: float  # of everything that can be connected
    drives_w: float  # the motors' part of it
    drop_pu: float  # highest voltage at which any motor may drop out
    watch_below_pu: float  # beyond these four some relay's clock may run
    watch_above_pu: float
    watch_below_hz: float
    watch_above_hz: float
    total: FloatArray  # [Total]
    refill_per_s: float  # how fast a buffer's capacitors are filled again
    per_most: FloatArray  # [lane] 1 / most_w
    most_w: FloatArray  # [lane] most that a lineup may draw, per unit of voltage
    asked_w: FloatArray  # [lane] what the work asks of the accelerators
    on: FloatArray  # [lane] share of the racks that has power
    wished_w: FloatArray  # [lane] what the racks would draw with power
    it_w: FloatArray  # [lane] what they draw, before a shortage
    shelf_w: FloatArray  # [lane] power into the rack's capacitors
    cooling_w: FloatArray  # [lane] pumps and fans that hang on the lineup
    need_w: FloatArray  # [lane] power leaving the buffer node
    buffer_w: FloatArray  # [lane] power wanted into it
    want_w: FloatArray  # [lane] the same at the bus
    drive_w: FloatArray  # [plant]
    store_w: FloatArray  # [storage] power of current-controlled converters, charging positive
    store_var: FloatArray  # what stays of their reactive power ...
    var_per_pu: FloatArray  # ... and what voltage control adds for each pu of voltage over nominal
    kink_pu: FloatArray  # [three, storage] voltages at which its laws bend, 0 for none
    reduced_pu: FloatArray  # [lane] below this voltage a law of its own limits its current; 0: none does
    supports: FloatArray  # [lane] 1 where a lineup is on the grid and in step with it, ...
    store_supports: FloatArray  # [storage] ... and a converter
    cease_pu: FloatArray  # [storage] voltage below which a converter gives no current in this step
    let_go: FloatArray  # [want and support, lane] what was asked for in a step that had no solution ...
    store_let_go: FloatArray  # [power, reactive power, its slope and support, storage] ... and of storages
    formed_w: FloatArray  # [storage] power of grid-forming ones, as the network has it
    formed_var: FloatArray
    before: FloatArray  # every state before a step that may stand, one after the other ...
    booked: FloatArray  # [Energy] ... and the sums up to it
