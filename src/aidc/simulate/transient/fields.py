"""Names of the rows of the transient engine's arrays: `[field, lane]`, `[field, plant]`, `[field, segment]`."""

from __future__ import annotations

from enum import IntEnum

__all__ = [
    "AWAY",
    "CURVE",
    "DOWN",
    "GENERATOR",
    "LOCKED",
    "ON_GRID",
    "SAGS",
    "WALK_IN",
    "Action",
    "Converter",
    "Drive",
    "DriveState",
    "Energy",
    "Genset",
    "GensetState",
    "Lane",
    "LaneState",
    "Law",
    "Mode",
    "Out",
    "Segment",
    "SiteParam",
    "SiteState",
    "StoreState",
    "Total",
]

CURVE = 4  # points of a leave curve, at most
SAGS = 8  # departures that a sag counter can remember


class Mode(IntEnum):
    """Where a lineup's power comes from."""

    ON_GRID = 0
    AWAY = 1  # on its battery or on its capacitors
    WALK_IN = 2
    LOCKED = 3  # off the grid until reset by hand
    GENERATOR = 4  # locked out, carried by a generator
    DOWN = 5  # the racks have lost power


ON_GRID, AWAY, WALK_IN, LOCKED, GENERATOR, DOWN = (float(mode) for mode in Mode)
"""The modes as they stand in the state array."""


class Law(IntEnum):
    """The fast law of a site storage."""

    NONE = 0
    SMOOTHING = 1
    RAMP = 2
    DROOP = 3


class Action(IntEnum):
    """What an event does to the load at one tick."""

    LOAD_FRAC = 0  # target: lane
    JOB_RUNS = 1  # target: job
    PUMPS = 2  # target: plant


class Lane(IntEnum):
    """Parameters of a lineup and of the pod behind it."""

    KIND = 0
    JOB = 1
    RATED_W = 2  # accelerators at rating
    IDLE_W = 3
    OVERHEAD_0_W = 4
    OVERHEAD_1 = 5
    OVERHEAD_2_PER_W = 6
    NETWORK_W = 7
    FLOOR_W = 8
    RISE_W = 9  # per step
    FALL_W = 10
    HOLD_TICKS = 11
    SHELF_J = 12
    AIR_PLANT = 13
    SHELF_GAIN = 14
    SHELF_STEER_PER_S = 15
    INPUT_W = 16  # rated, at the grid side
    BUFFER_W = 17  # rated, at the buffer node
    CURRENT_LIMIT = 18
    TAN_PHI = 19
    X_PER_W = 20
    LEAVE_LOW_HZ = 21
    LEAVE_HIGH_HZ = 22
    LEAVE_HZ_TICKS = 23
    RETURN_PU = 24
    RETURN_TICKS = 25
    WALK_STEP = 26  # share of the rated power per step
    HAS_UNIT = 27  # 1: a transformer stands in front of the lineup
    HOLD_UP_J = 28
    LEAVE_DC_FRAC = 29
    BATTERY_W = 30
    BATTERY_START_FRAC = 31  # state of charge at the start of the window
    BATTERY_TICKS = 32
    RECHARGE_W = 33
    SUPPLEMENTS = 34
    SAG_COUNT = 35
    SAG_WINDOW_TICKS = 36
    RESTART_TICKS = 37
    PLANT = 38
    LEAVE_CLOCKS = 39  # 1: it has a voltage or frequency relay at all
    WATCH_BELOW_PU = 40  # highest voltage at which any clock may run
    WATCH_ABOVE_PU = 41
    THROTTLE_K = 42
    TRIP_K = 43
    CASE_K_W = 44
    CASE_J_K = 45
    PER_ACCELERATOR = 46
    CAP_MIN_FRAC = 47
    AMBIENT_K = 48  # coolant at the start of the window
    SERVICE_UPS_W = 49  # what its battery, and its accelerators, give of an offered service
    SERVICE_LOAD_W = 50
    FROM_GENSETS = 51  # 1: gensets may fill its battery
    PER_IT = 52  # rated power at the grid side over that of the racks
    UPS_LOOP_W = 53  # pumps and fans on its UPS bus, of its plant ...
    UPS_AIR_W = 54  # ... and of that of its hall
    REFILL_FRAC = 55  # state of charge up to which its battery is refilled
    PRIORITY = 56  # the highest number is shed first
    RETURN_MARGIN = 57  # by which what it wants must fit before it starts on generators, over 1
    FULL_PU = 58  # voltages between which its active current is reduced, 0 where that is not stated
    ZERO_PU = 59
    PRIORITY_PU = 60  # below this reactive current goes first
    REACTIVE_GAIN = 61
    LOST_PU = 62  # below this it loses synchronism, 0 where that is not stated
    RESYNC_TICKS = 63
    RECOVERY_W = 64  # per step, 0 where that is not stated
    CEASE_TICKS = 65  # of low voltage, before which it does not give up


class LaneState(IntEnum):
    """What a lineup remembers."""

    MODE = 0
    DRAWN_W = 1  # accelerators in the step before
    LOW_TICKS = 2
    SHELF_FRAC = 3  # state of charge
    SHELF_MEAN_W = 4
    HOLD_UP_J = 5
    BATTERY_FRAC = 6
    SHORT_TICKS = 7
    HEALTHY_TICKS = 8
    WALK_FRAC = 9
    AWAY_TICKS = 10
    HZ_TICKS = 11
    LOAD_FRAC = 12
    CASE_K = 13
    FLOW_FRAC = 14
    CLOCKS = 15  # 1 while any voltage clock runs
    BELOW = 16  # CURVE clocks
    ABOVE = 20
    SAG = 24  # SAGS ticks
    LOCKOUT = 32  # 1 from a lockout until somebody resets it, which nobody does within a window
    COLD = 33  # 1 while it walks in with racks that had lost power
    HOT = 34  # 1 once its accelerators have shut themselves down
    LOST = 35  # 1 while it has no synchronism with the grid
    SOUND_TICKS = 36  # of enough voltage since, or of too little before
    LIMIT_W = 37  # what it may draw while it recovers from a fault
    SIZE = 38


class Drive(IntEnum):
    """Parameters of a cooling plant's motors."""

    POWER_W = 0  # pumps and fans on the site bus
    TAN_PHI = 1
    DROP_PU = 2
    DROP_TICKS = 3
    RESTART_TICKS = 4
    RAMP_STEP = 5
    ON_UPS = 6
    COMPRESSOR_W = 7
    COMPRESSOR_TICKS = 8


class DriveState(IntEnum):
    RUNS_FRAC = 0  # 1 while at speed
    LOW_TICKS = 1
    OFF_TICKS = 2  # of good voltage since they dropped
    PUMPS = 3  # 1, or 0 while an event stops them
    COMPRESSORS_FRAC = 4  # 1 while at speed


class Genset(IntEnum):
    """Parameters of generator sets that are called together; ticks count from the beginning of a lack."""

    CALL_TICKS = 0
    READY_TICKS = 1
    STOP_TICKS = 2
    POWER_W = 3  # what may be drawn from them
    ONLINE_W = 4  # rating of all that run, spares too
    LOW_W = 5  # least load
    RAMP_W = 6  # per step


class GensetState(IntEnum):
    LACK_TICKS = 0  # since the lack began that called them; 0 at rest
    SUFFICED_TICKS = 1  # how long the others have sufficed since


class Converter(IntEnum):
    """Parameters of a site storage's converter."""

    FORMING = 0
    RATED_W = 1
    LAG_GAIN = 2
    PLL_GAIN = 3
    CURRENT_LIMIT = 4
    CEASE_PU = 5
    LAW = 6
    LAW_GAIN = 7  # smoothing: step gain; ramp: W per step
    STEER_PER_S = 8
    DEADBAND_HZ = 9
    FULL_HZ = 10
    SHARE = 11
    DROOP = 12
    INERTIA_S = 13
    DAMPING = 14
    R = 15  # 1/VA
    X = 16
    POWER_GAIN = 17
    VOLT_VAR = 18
    SOC_MIDDLE = 19
    SERVICE_W = 20  # its part of an offered service
    FULL_PU = 21  # as in Lane
    ZERO_PU = 22
    PRIORITY_PU = 23
    REACTIVE_GAIN = 24
    LOST_PU = 25
    RESYNC_TICKS = 26
    RECOVERY_W = 27
    CEASE_TICKS = 28
    ROCOF_HZ = 29  # change of frequency in a step beyond which its relay counts; inf: it has none
    ROCOF_TICKS = 30
    JUMP_RAD = 31
    RELAY = 32  # CURVE levels a side: voltage below, above, frequency below, above
    RELAY_TICKS = 48  # ... and for how long
    SET_W = 64  # what one without a law of its own is set to, charging positive
    SIZE = 65


class StoreState(IntEnum):
    SOC_FRAC = 0
    POWER_W = 1  # at its terminals, charging positive
    TARGET_W = 2  # what the grid is meant to see
    HZ = 3  # as its PLL has it
    DELTA_RAD = 4
    OMEGA_PU = 5
    MEASURED_W = 6
    KAPPA = 7  # on its virtual admittance: 1, or less while its current is limited
    TRIPPED = 8
    VAR = 9  # reactive power of its voltage control
    LOST = 10  # as in LaneState
    SOUND_TICKS = 11
    LIMIT_W = 12
    LOW_TICKS = 13  # below the voltage at which it ceases
    GRID_RAD = 14  # what the grid's angle had jumped by in the last step
    ROCOF_TICKS = 15
    CLOCK = 16  # CURVE clocks a side, as in Converter
    LAST_HZ = 32
    SIZE = 33


class SiteParam(IntEnum):
    DT_S = 0
    NOMINAL_HZ = 1
    R = 2  # source
    X = 3
    R_T = 4  # main transformer
    X_T = 5
    IRON_W = 6
    AUXILIARY_W = 7
    GENSET_X = 8  # times the rating that runs
    GENSET_DROOP = 9
    GENSET_INERTIA_S = 10
    PV_W = 11
    PV_CUT_OFF_PU = 12  # below this the inverters of the renewables give nothing
    GENSET_R = 13
    SERVICE_GAIN = 14  # of the frequency that a service sees; 0: none is offered
    LOAD_GAIN = 15
    EXPORT_W = 16  # what the connection takes back
    ISLAND = 17  # 1: the site has no grid, so that its breaker stays open


class SiteState(IntEnum):
    V_BUS = 0
    GENSET_BUSY = 1  # 1 while any generator is not at rest
    GENSET_OMEGA = 2
    FRAME_RAD = 3  # grid angle against nominal
    SEGMENT = 4
    ACTION = 5
    COLLAPSED = 6  # steps in which the source could not carry the load's constant power
    HZ = 7
    GENSET_W = 8  # output of all generators
    ISLAND = 9  # 1 while the breaker to the grid is open
    TRIM_PU = 10  # by which a synchroniser moves the speed of the grid-forming converters
    BUS_RAD = 11
    GENSET_TRIPPED = 12
    COASTING = 13  # 1 while any motor or any coolant is not at its full speed
    FLIPS = 14  # steps in a row in which the voltage jumped back and forth
    JUMPED_PU = 15
    SERVICE_HZ = 16
    ANSWER = 17  # share of the offer, positive at low frequency
    LOAD_ANSWER = 18  # the same behind the lag of power caps
    CARRIES = 19  # 1 while generators form the bus
    GENSET_CAN_W = 20  # what those that are ready may give, ...
    GENSET_ONLINE_W = 21  # ... their rating, ...
    GENSET_LOW_W = 22  # ... least load, ...
    GENSET_RAMP_W = 23  # ... and how much they may add in a step
    GENSET_REACHED_W = 24  # load that they have taken up so far
    GENSET_LANES_W = 25  # what lineups that are locked out take from them
    BANK_W = 26  # burnt in a load bank, so that they have their least load
    CURTAILED_W = 27  # of the renewables, for the same
    ROOM_W = 28  # what lineups may still add on generators in this step, ...
    FREE_W = 29  # ... and what stays of these for lineups that are down
    SHORT = 30  # 1 while any lineup gets less than it needs
    DEAD = 31  # 1 while nothing feeds the bus: the breaker is open and nothing forms it
    UNSOLVED = 32  # steps in which the network had no solution and no law stated what then happens
    UNSOLVED_NOW = 33  # 1 in such a step
    KIRCHHOFF_PU = 34  # largest residual of the network's equations so far
    LET_GO_NOW = 35  # 1 in a step in which what was asked for had no solution, stated or not
    CLOSED = 36  # 1 where the grid fed the bus in the last step


class Total(IntEnum):
    """Sums over the lineups, kept while none of them moves."""

    WANT_W = 0
    WANT_VAR = 1
    FREE_PU = 2  # least voltage at which every lineup may draw all that it wants
    WISHED_W = 3
    IT_W = 4
    DOWN_W = 5  # loss between racks and buffers
    UP_W = 6  # loss in front of them
    CONNECTED_W = 7
    STEADY = 8  # 1 after a step that left nothing moving in any lineup
    SAMPLE = 9  # of the services' waveforms in that step
    COOLING_W = 10  # pumps and fans that hang on lineups
    GIVEN_W = 11  # by generators to a bus that something else forms, less what renewables are curtailed
    DRAWN_W = 12  # by the lineups at the voltage that was found, ...
    DRAWN_VAR = 13
    STORED_W = 14  # by the current-controlled converters of storages, the same
    STORED_VAR = 15
    IDLE_W = 16  # rated power of lineups that are connected, but give and take no current
    FORMED_LACK_W = 17  # what currents into a bus with grid-forming converters lack (VA)


class Segment(IntEnum):
    """The grid between two breakpoints; source voltage and frequency are linear in between."""

    E_PU = 0
    E_PER_TICK = 1
    Z_FRAC = 2
    JUMP_RAD = 3
    HZ = 4
    HZ_PER_TICK = 5
    CLOSED = 6
    PN_MIN = 7
    PN_MAX = 8
    PP_MIN = 9
    PP_MAX = 10
    BUS_MIN = 11  # phase ratios behind the main transformer ...
    BUS_MAX = 12
    UNIT_MIN = 13  # ... and behind that of the lineup too
    UNIT_MAX = 14
    SEEN_PU = 15  # what the bus sees of the source behind the no-load loss of the transformer: size, ...
    SEEN_RAD = 16  # ... angle, ...
    SEEN_R = 17  # ... and impedance with the transformer [1/VA]
    SEEN_X = 18


class Out(IntEnum):
    """What is recorded in every step."""

    V1_PU = 0
    P_W = 1
    Q_VAR = 2
    FREQUENCY_HZ = 3
    ANGLE_RAD = 4
    CONNECTED = 5
    IT_DEMAND_W = 6
    IT_SERVED_W = 7
    DC_BUS_PU = 8
    STORAGE_W = 9
    SOC_FRAC = 10
    COOLING_W = 11
    BATTERY_W = 12
    V_BUS_PU = 13
    GENSET_W = 14
    IN_OPERATION = 15  # share of the load that is connected and whose converters work
    STORES_CONNECTED = 16  # the same two of the storages at the site
    STORES_IN_OPERATION = 17


class Energy(IntEnum):
    """Energy sums over a window [J]; with the stored energies at both ends they close."""

    IMPORT = 0
    IT = 1
    DOWNSTREAM_LOSS = 2
    UPSTREAM_LOSS = 3
    GRID_LOSS = 4  # main transformer
    COOLING = 5
    AUXILIARY = 6
    PV = 7
    GENERATOR = 8
    STORAGE_LOSS = 9
    BATTERY_LOSS = 10  # of the lineups' batteries and the racks' capacitors
    LOAD_BANK = 11
