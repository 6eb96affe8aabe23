"""Names of the rows of the engine's arrays.

The kernel sees plain float arrays, `[lane, field]` for pods (lane = design x pod), `[plant, field]`,
`[storage, field]` and `[design, field]`; these enumerations name the fields, with the unit in each
name, so that `pod[lane, Pod.QUEUE_LIMIT_S]` reads as what it is. Python sees them as `[field, lane]`.
"""

from __future__ import annotations

from enum import IntEnum

__all__ = [
    "Channel",
    "Component",
    "Hold",
    "Kind",
    "Plant",
    "PlantPart",
    "PlantServed",
    "PlantState",
    "Pod",
    "PodFlow",
    "PodFlux",
    "PodKnob",
    "PodNow",
    "PodServed",
    "PodState",
    "Point",
    "Site",
    "SiteNow",
    "Stage",
    "Star",
    "Store",
    "StoreNow",
]


class Kind(IntEnum):
    """What drives a pod: nothing, requests, a job's schedule, or a measured power series."""

    IDLE = 0
    SERVICE = 1
    JOB = 2
    REPLAY = 3


class Hold(IntEnum):
    """How a native series is read between its samples."""

    MEAN = 0
    LINEAR = 1


class Channel(IntEnum):
    """Site-wide inputs; the demand of workload w is channel `DEMAND + w`."""

    DRY_BULB_K = 0
    WET_BULB_K = 1
    PV_W = 2
    WIND_W = 3
    IMPORT_LIMIT_W = 4
    DEMAND = 5


class Pod(IntEnum):
    """Parameters of a pod."""

    KIND = 0
    WORKLOAD = 1
    SHARE_FRAC = 2  # of its workload's demand
    RATE_MAX_PER_S = 3  # tokens/s (service, job) or W (replay) at load 1
    RATED_W = 4  # accelerators at rating: the 1.0 of the cap axis
    CAP_MIN_FRAC = 5
    QUEUE_LIMIT_S = 6
    SLO_TTFT_S = 7
    INPUT_PER_OUTPUT = 8
    OUTPUT_PER_REQUEST = 9
    OVERHEAD_0_W = 10  # host, fans: c0 + c1 P + c2 P^2
    OVERHEAD_1 = 11
    OVERHEAD_2_PER_W = 12
    NETWORK_W = 13
    LIQUID_FRAC = 14
    PER_LIQUID_RATED = 15  # 1 / the heat at which the loop runs at full flow [1/W]
    PER_AIR_RATED = 16
    PLANT = 17
    LOOP_J_K = 18
    AIR_J_K = 19
    CASE_ON_AIR = 20  # 1: accelerators are cooled by the hall's air
    THROTTLE_K = 21  # throttling starts here ...
    TRIP_K = 22  # ... and here the pod shuts down
    RAMP_UP_W_PER_S = 23
    IDLE_W = 24  # accelerators when powered without work
    PER_ACCELERATOR = 25  # 1 / number of accelerators
    FLOW_MIN_FRAC = 26
    RESTART_S = 27  # how long it stays off after a trip or after shedding
    AIR_PLANT = 28  # the plant whose air handlers take its air share
    PER_LOOP_MOST = 29  # design flow of the rack loop over the most that its CDUs can give
    PER_AIR_MOST = 30  # the same of the air handlers
    CASE_J_K = 31  # what warms up with the case, per accelerator
    PER_CASE_BAND = 32  # 1 / (shutdown less limit) of the case temperature [1/K] …
    COOLANT_LIMIT_K = 33
    AIR_LIMIT_K = 34
    PER_INLET_BAND = 35  # … and of coolant and air at the inlet
    LEAKAGE_PER_K = 36  # of the accelerators' power …
    REFERENCE_K = 37  # … above this inlet temperature
    CEILING_W = 38  # leakage takes no accelerator above its limit: theirs at a cap of 1
    FAN_0_W = 39  # the fans in OVERHEAD_0_W and OVERHEAD_2_PER_W …
    FAN_2_PER_W = 40
    FAN_PER_K = 41  # … which speed up by this …
    FAN_FROM_K = 42  # … from this air temperature
    FAN_MOST = 43
    LOOP_STORE_W_K = 44  # these follow from the step (`layout`): C/dt of the rack loop …
    PER_LOOP_STORE = 45  # … 1 over that …
    AIR_STORE_W_K = 46  # … of the air …
    PER_AIR_STORE = 47
    CASE_STORE_W_K = 48  # … and of a case


class PodFlow(IntEnum):
    """Columns of the tables over the flow of a pod's loops, as a share of the most that their units can give."""

    LOOP_W_K = 0  # CDU conductance between loop supply and facility supply
    PUMP_W = 1
    CASE_K_W = 2  # cold plate or heat sink, per accelerator
    AIR_W_K = 3
    CRAH_W = 4
    LOOP_PASSED = 5  # these follow from the others and the step (`layout`): G / (C/dt + G) of the rack loop …
    AIR_PASSED = 6  # … of the air …
    CASE_PASSED = 7  # … and of the case


class PodState(IntEnum):
    """What a pod remembers from step to step."""

    QUEUE_TOKENS = 0
    LOOP_K = 1
    AIR_K = 2
    CASE_K = 3
    ACCELERATOR_W = 4
    TRIP_S = 5  # how long it stays off after a thermal trip
    SHED_S = 6  # how long it stays off after load was shed
    HOT_FRAC = 7  # the worst of its temperatures from limit (0) to shutdown (1), unbounded


class PodKnob(IntEnum):
    """What a controller has set, in the device's terms."""

    CAP_FRAC = 0
    RUN = 1
    BATCH_FRAC = 2
    REPLICA_FRAC = 3


class Point(IntEnum):
    """Columns of a pod's operating table over load and cap."""

    ACCELERATOR_W = 0
    UNCAPPED_W = 1
    RATE_PER_S = 2
    MEETS_SLO_FRAC = 3
    BATCH = 4  # from here on nothing depends on them in a step; see `pods.leave_cell`
    TTFT_P50_S = 5
    TTFT_P90_S = 6
    TTFT_P99_S = 7
    ITL_P50_S = 8
    ITL_P90_S = 9
    ITL_P99_S = 10


class PodNow(IntEnum):
    """What a pod does in a step; recorded as means."""

    ACCELERATOR_W = 0
    UNCAPPED_W = 1
    OVERHEAD_W = 2
    SERVER_STAGE_W = 3
    SERVER_W = 4
    NETWORK_W = 5
    IT_W = 6
    CHAIN_LOSS_W = 7
    ARRIVED_TOKENS = 8
    OUTPUT_TOKENS = 9
    DROPPED_TOKENS = 10
    USEFUL_TOKENS = 11
    TRAINED_TOKENS = 12
    LOAD_FRAC = 13
    BATCH = 14  # these seven are booked by the cell of the operating table, see `pods.leave_cell`
    TTFT_P50_S = 15
    TTFT_P90_S = 16
    TTFT_P99_S = 17
    ITL_P50_S = 18
    ITL_P90_S = 19
    ITL_P99_S = 20
    CAP_FRAC = 21
    THROTTLE_FRAC = 22
    SHED_FRAC = 23
    PUMP_W = 24
    CRAH_W = 25
    SUPPLY_K = 26
    WAIT_S = 27  # in the queue, before the times to first token that the operating table knows
    TRIP_FRAC = 28  # off after a thermal shutdown
    AIR_K = 29  # the hall's supply air


class PodFlux(IntEnum):
    """What passes between the stretches of a step and is not recorded."""

    QUEUE_TOKENS = 0  # at the end of the step
    BUS_W = 1  # power on its way to the site bus
    LIQUID_W = 2  # heat into the rack loop ...
    AIR_W = 3  # ... into the air of the hall ...
    AMBIENT_W = 4  # ... and outdoors
    LOOP_W_K = 5  # conductance from the rack loop to the facility loop
    AIR_W_K = 6  # and from the air of the hall
    CASE_K_W = 7  # of the cold plates or heat sinks, per accelerator
    LOOP_IN_W = 8  # heat into the rack loop and its pumps' ...
    LOOP_PASSED = 9  # ... and G / (C/dt + G)
    AIR_IN_W = 10
    AIR_PASSED = 11
    CASE_PASSED = 12
    CASE_FLOW = 13  # flow through the cold plates over the least that they are rated for, at most 1


class Stage(IntEnum):
    """A stage of a power chain: loss = a + b P + c P^2, and where it becomes heat."""

    A_W = 0
    B = 1
    C_PER_W = 2
    AIR_FRAC = 3
    LIQUID_FRAC = 4
    AMBIENT_FRAC = 5


class Star(IntEnum):
    """What a facility loop takes from all its pods and gives to the weather; passes between stretches of a step."""

    HEAT_W = 0  # at the temperatures of the step's start
    IN_W = 1  # the part of the pods' inflows that reaches it ...
    OUT_W_K = 2  # ... and what its own temperature takes off that
    CONDUCTANCE_W_K = 3  # to the weather, in force
    SINK_K = 4  # the temperature that it counts against
    HELD_W_K = 5  # the conductance that the lagged command stands at
    LIFTED_FRAC = 6  # share of the rejected heat that goes through the chillers
    MOVED_FRAC = 7  # flow of the facility loop over what its pods want
    PER_CDUS = 8  # 1 / the share of its CDUs that is in service …
    PER_CRAHS = 9  # … and of its CRAHs


class Plant(IntEnum):
    """Parameters of a cooling plant, beside those of its heat rejection."""

    LOOP_J_K = 0
    SET_K = 1
    FAN_LAG_S = 2
    APPROACH_S = 3  # time constant with which the set point is approached
    FLOW_W_K = 4  # heat capacity flow of the facility loop at full flow
    PER_HEAT_RATED = 5  # 1 / the heat at which the loop runs at full flow [1/W]
    PUMP_W = 6
    REUSE_W = 7
    REUSE_MIN_K = 8
    FLOW_MIN_FRAC = 9
    PUMP_STATIC_FRAC = 10
    REUSE_FRAC = 11
    FOLLOWS = 12  # 1: what the command exceeds the present need by is not used (chillers unload at once)


class PlantPart(IntEnum):
    """Units of a cooling plant that can be out of service; see `Scratch.part`."""

    OUTDOOR = 0  # dry coolers, towers, the coils of chillers
    CHILLERS = 1
    CDUS = 2
    CRAHS = 3
    PUMPS = 4  # of the facility loop


class PlantServed(IntEnum):
    """Consumers of a cooling plant that stop without supply; see `Scratch.plant_served`."""

    DRIVES = 0  # facility pumps and outdoor fans
    COMPRESSORS = 1


class PodServed(IntEnum):
    """Cooling consumers of one pod that stop without supply; see `Scratch.pod_served`."""

    CDU_PUMPS = 0
    CRAH_FANS = 1


class PlantState(IntEnum):
    """What a cooling plant remembers."""

    SUPPLY_K = 0
    CONDUCTANCE_W_K = 1


class Component(IntEnum):
    """Where a cooling plant's electricity goes, and what it does; all recorded as means."""

    PUMP_FACILITY_W = 0
    FAN_W = 1
    CHILLER_W = 2
    HEAT_W = 3
    REUSED_W = 4
    WATER_KG_S = 5
    SUPPLY_K = 6
    RETURN_K = 7
    ABOVE_K = 8  # supply above its set point, at least 0


class Store(IntEnum):
    """Parameters of a storage that the dispatch rule needs."""

    CHARGE_BELOW_W = 0
    DISCHARGE_ABOVE_W = 1
    SMOOTH_S = 2  # window of the smoothing rule, 0 for the threshold rules
    LANE = 3  # the pod whose lineup it serves, -1 at the site bus
    STAGE = 4  # it acts at the output of this stage of the lineup
    LIMIT_W = 5  # a node above this power never charges
    AIR_FRAC = 6  # share of its loss that warms the hall


class StoreNow(IntEnum):
    """What a storage does in a step; recorded as means."""

    POWER_W = 0
    CHARGE_W = 1
    DISCHARGE_W = 2
    LOSS_W = 3
    AUXILIARY_W = 4


class Site(IntEnum):
    """Parameters of a design's site bus."""

    EXPORT_LIMIT_W = 0
    AUXILIARY_W = 1
    AUXILIARY_FRAC = 2
    TRANSFORMER_0_W = 3
    TRANSFORMER_2_PER_W = 4
    GENSET_W = 5
    GENSET_START_S = 6


class SiteNow(IntEnum):
    """What the site bus does in a step; recorded as means."""

    NET_IMPORT_W = 0
    IMPORT_W = 1
    EXPORT_W = 2
    PV_W = 3
    WIND_W = 4
    GENSET_W = 5
    CURTAILED_W = 6
    COOLING_W = 7
    AUXILIARY_W = 8
    TRANSFORMER_W = 9
    UNSERVED_W = 10
    REJECTED_W = 11
    REUSED_W = 12
    AMBIENT_W = 13
    DRY_BULB_K = 14
    WET_BULB_K = 15
