"""Names of the rows of the engine's arrays.

The kernel sees plain float arrays, `[lane, field]` for pods (lane = design x pod), `[plant, field]`,
`[storage, field]` and `[design, field]`; these enumerations name the fields, with the unit in each
name, so that `pod[lane, Pod.QUEUE_LIMIT_S]` reads as what it is. Python sees them as `[field, lane]`.
"""

from __future__ import annotations

from enum import IntEnum

__all__ = [
    "BusNow",
    "Cells",
    "Channel",
    "Component",
    "Equipment",
    "Genset",
    "GensetNow",
    "GensetRange",
    "GensetState",
    "Hold",
    "JobWidth",
    "Kind",
    "Plant",
    "PlantPart",
    "PlantServed",
    "PlantState",
    "Pod",
    "PodCell",
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
    "Wanted",
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
    GRID = 5  # 1 while the grid is there, 0 in an outage and on an island
    DEMAND = 6


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
    INPUT_RETURN_S = 29  # the lineup's input must have been good for so long before it walks in ...
    WALK_IN_S = 30  # ... over so long
    RETURN_WAIT_S = 31  # a shed pod comes back after this at the earliest ...
    RETURN_MARGIN_FRAC = 32  # ... where the sources have room for what it wants and this much more
    UPS_STAGE = 33  # the stage whose output is the lineup's UPS bus
    LOOP_ON_UPS = 34  # 1: pumps of its rack loop hang on that bus ...
    AIR_ON_UPS = 35  # ... and the fans of its hall
    LOOP_DRIVES_FRAC = 36  # share of its plant's pumps and fans that hangs on its UPS bus ...
    AIR_DRIVES_FRAC = 37  # ... and of the plant of its hall
    PER_LOOP_MOST = 38  # design flow of the rack loop over the most that its CDUs can give
    PER_AIR_MOST = 39  # the same of the air handlers
    CASE_J_K = 40  # what warms up with the case, per accelerator
    PER_CASE_BAND = 41  # 1 / (shutdown less limit) of the case temperature [1/K] …
    COOLANT_LIMIT_K = 42
    AIR_LIMIT_K = 43
    PER_INLET_BAND = 44  # … and of coolant and air at the inlet
    LEAKAGE_PER_K = 45  # of the accelerators' power …
    REFERENCE_K = 46  # … above this inlet temperature
    CEILING_W = 47  # leakage takes no accelerator above its limit: theirs at a cap of 1
    FAN_0_W = 48  # the fans in OVERHEAD_0_W and OVERHEAD_2_PER_W …
    FAN_2_PER_W = 49
    FAN_PER_K = 50  # … which speed up by this …
    FAN_FROM_K = 51  # … from this air temperature
    FAN_MOST = 52
    LOOP_STORE_W_K = 53  # these follow from the step (`layout`): C/dt of the rack loop …
    PER_LOOP_STORE = 54  # … 1 over that …
    AIR_STORE_W_K = 55  # … of the air …
    PER_AIR_STORE = 56
    CASE_STORE_W_K = 57  # … and of a case
    SHARE_FROM = 58  # share of its job's accelerators that stand in the pods before it


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
    SHED_S = 6  # how long it stays off at least after load was shed
    OFF = 7  # 1 from the moment it is shed until it comes back
    INPUT_S = 8  # how long the lineup's input has been good since it was lost
    HOT_FRAC = 9  # the worst of its temperatures from limit (0) to shutdown (1), unbounded


class JobWidth(IntEnum):
    """What a change of a job's width costs."""

    STOP_TICKS = 0
    START_TICKS = 1  # restart and loading …
    LOADING_TICKS = 2  # … of which the last are loading
    LOADING_FRAC = 3  # power over rated while loading


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


class PodCell(IntEnum):
    """What a pod does in a step that is booked by the cell of its operating table; see `pods.leave_cell`."""

    BATCH = 0
    TTFT_P50_S = 1
    TTFT_P90_S = 2
    TTFT_P99_S = 3
    ITL_P50_S = 4
    ITL_P90_S = 5
    ITL_P99_S = 6


class PodNow(IntEnum):
    """What a pod does in a step; recorded as means."""

    ACCELERATOR_W = 0
    UNCAPPED_W = 1
    OVERHEAD_W = 2
    SERVER_W = 3
    NETWORK_W = 4
    IT_W = 5
    CHAIN_LOSS_W = 6
    ARRIVED_TOKENS = 7
    OUTPUT_TOKENS = 8
    DROPPED_TOKENS = 9
    USEFUL_TOKENS = 10
    TRAINED_TOKENS = 11
    LOAD_FRAC = 12
    CAP_FRAC = 13
    THROTTLE_FRAC = 14
    SHED_FRAC = 15
    PUMP_W = 16
    CRAH_W = 17
    SUPPLY_K = 18
    WAIT_S = 19  # in the queue, before the times to first token that the operating table knows
    NOT_SUPPLIED_W = 20  # at the rack inlet: what shedding and the time to come back cost
    BUS_WANTED_W = 21  # at the site bus, before any storage of the lineup, had it not been shed
    BUS_W = 22  # drawn from the site bus
    TRIP_FRAC = 23  # off after a thermal shutdown, and not shed
    AIR_K = 24  # the hall's supply air


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
    UPS_LOAD_W = 11  # cooling that hangs on the lineup's UPS bus
    PASS_W = 12  # what it wants from the bus in this pass, before any storage of the lineup
    INPUT_FRAC = 13  # of what the lineup wants from the bus, as much as its input may draw
    AIR_PASSED = 14
    CASE_PASSED = 15
    BARE_W = 16  # power at its UPS bus in a calm step, before any storage of the lineup and any cooling
    CASE_FLOW = 17  # flow through the cold plates over the least that they are rated for, at most 1


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
    BUS_FRAC = 10  # of the pumps and fans that run, what the site bus feeds


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
    ON_UPS = 12  # share of its pumps and fans that hangs on the UPS buses of its lineups
    RESTART_S = 13  # pumps and fans start again so long after their supply is back ...
    RAMP_S = 14  # ... over so long
    COMPRESSOR_RESTART_S = 15
    FOLLOWS = 16  # 1: what the command exceeds the present need by is not used (chillers unload at once)


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
    BUS_S = 2  # how long the bus has been formed since it was lost


class Cells(IntEnum):
    """Rows of a storage's parameters, in the order of `plant.storage.StorageParams`."""

    CAPACITY_J = 0
    RATED_W = 1
    SOC_MIN_FRAC = 2
    SOC_MAX_FRAC = 3


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
    CHARGE_LIMIT_W = 5  # under its own rule
    AIR_FRAC = 6  # share of its loss that warms the hall
    RESERVE_FRAC = 7  # kept for outages, above the minimum
    FORMING = 8  # 1: it can form the site bus
    FROM_GENSETS = 9  # 1: gensets may fill it
    STAYS_FULL = 10  # 1: its rule never discharges, and fills it when there is room


class StoreNow(IntEnum):
    """What a storage does in a step; recorded as means."""

    CHARGE_W = 0
    DISCHARGE_W = 1
    LOSS_W = 2


class Site(IntEnum):
    """Parameters of a design's site bus."""

    EXPORT_LIMIT_W = 0
    AUXILIARY_W = 1
    AUXILIARY_FRAC = 2
    TRANSFORMER_0_W = 3
    TRANSFORMER_2_PER_W = 4
    ON_UPS = 5  # 1: cooling hangs on UPS buses


class Genset(IntEnum):
    """Parameters of generator sets that are called together."""

    POWER_W = 0  # what may be drawn from them
    UNIT_W = 1
    UNITS = 2  # spares counted
    MINIMUM_FRAC = 3
    CALL_S = 4  # lack that calls them
    READY_S = 5  # from the beginning of a lack until they carry
    STOP_S = 6
    RAMP_FRAC_PER_S = 7
    FUEL_A = 8  # fuel over output, per unit of rating: x + a + b x + c x^2
    FUEL_B = 9
    FUEL_C = 10


class GensetState(IntEnum):
    """What generator sets remember."""

    CLOCK_S = 0  # since the lack began that called them; 0 at rest
    SUFFICED_S = 1  # how long the others have sufficed since
    POWER_W = 2
    FUEL_J = 3  # in the tank


class GensetNow(IntEnum):
    """What generator sets do in a step; recorded as means."""

    POWER_W = 0
    FUEL_W = 1
    RUNNING_FRAC = 2


class GensetRange(IntEnum):
    """What running generator sets can give in a step."""

    LOW_W = 0
    HIGH_W = 1
    ONLINE_W = 2  # rating of the sets that run


class Equipment(IntEnum):
    """What an outage of equipment takes units from; see `Params.outage`."""

    GENSET = 0
    STAGE = 1
    PLANT = 2


class BusNow(IntEnum):
    """What the sources can give to the site bus in a step, and how far the site is taken down."""

    FORMED = 0  # 1: the grid, a running genset or a grid-forming storage holds voltage and frequency
    LIMIT_W = 1  # import that the grid allows, 0 without it
    EXPORT_W = 2
    RENEWABLE_W = 3
    AUXILIARY_W = 4  # of the storages, from the step before
    LEVEL = 5  # 0: all is served; see `bus.take_down`
    OWN_FORMER = 6  # 1: something other than a genset forms the bus
    OFF_PODS = 7  # how many pods are shed in this pass
    WISHES = 8  # 1: storages of lineups wish to charge
    NEED_W = 9  # consumption of what is on, before any storage
    CAME = 10  # 1: pods come back in this step
    SPARED_W = 11  # what storages of lineups spare the bus of themselves in a calm step
    LINEUP_AUXILIARY_W = 12  # of the storages in lineups
    HELPED_W = 13  # what they spare it less what they take
    MOVING = 14  # how many lineups are not plain …
    MOVED = 15  # … and were not in the step before
    ACTING = 16  # how many have a storage at their UPS bus or further out that is not full and at rest


class Wanted(IntEnum):
    """What a pod would take, had none been shed."""

    IT_W = 0
    BUS_W = 1
    CARRIED = 2  # 1: its input and its modules carry that without its storages


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
    LOAD_BANK_W = 16
    WANTED_W = 17  # all consumption, had nothing been shed and no storage of a lineup helped
    FORMED_FRAC = 18  # share of the time in which something formed the bus
    COOLING_UNSERVED_W = 19
    AUXILIARY_UNSERVED_W = 20
