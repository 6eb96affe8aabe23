"""The bus voltage of a step, solved together with everything that hangs on it."""

from __future__ import annotations

import cmath
import math

from aidc.firmware.virtual_machine import limit_current
from aidc.jit import part, scalar
from aidc.plant.network.source import NO_SOLUTION, constant_power_voltage, mismatch
from aidc.plant.storage import StorageParams, storage_step
from aidc.simulate.transient.arrays import Plan, State, Work
from aidc.simulate.transient.fields import (
    Converter,
    Drive,
    Lane,
    SiteParam,
    SiteState,
    StoreState,
    Total,
)

__all__ = [
    "DRIVE_KNEE_PU",
    "KNEE_PU",
    "draw",
    "form",
    "renewable_share",
    "solve_bus",
    "step_cells",
    "store_power",
]

_PASSES = 80
_TOLERANCE = 1e-13
_CURRENT_PASSES = 60
_SETTLED = 1e-7
_EXHAUSTED = 1e-9  # share of rated power that the cells may lack before a grid-forming converter trips
_SCAN = 22  # voltages at which the upper root is looked for
_RAMP_PU = 0.02  # over which a converter that gives up at low voltage does so, which keeps a solution
DRIVE_KNEE_PU = 0.85  # below this a motor drive is current-limited (estimate, no checked source)
KNEE_PU = 0.9  # the same for auxiliaries and renewables


@part
def renewable_share(plan: Plan, v_pu: float) -> float:
    """Share of their power that the inverters of the renewables give at a voltage."""
    above = (v_pu - plan.site[SiteParam.PV_CUT_OFF_PU]) / _RAMP_PU
    return min(1.0, v_pu / KNEE_PU) * min(max(above, 0.0), 1.0)


@part
def store_power(plan: Plan, work: Work, store: int, v_pu: float) -> tuple[float, float]:
    """Power and reactive power of a current-controlled converter at a voltage: active current goes first."""
    rated = plan.store[Converter.RATED_W, store]
    most = plan.store[Converter.CURRENT_LIMIT, store] * rated * v_pu
    cease = plan.store[Converter.CEASE_PU, store]
    if cease > 0.0:
        most *= min(max((v_pu - cease) / _RAMP_PU, 0.0), 1.0)
    p = min(max(work.store_w[store], -most), most)
    q = work.store_var[store] + work.var_per_pu[store] * (v_pu - 1.0)
    if q != 0.0:
        most = min(most, rated)
        room = math.sqrt(max(most * most - p * p, 0.0))
        q = min(max(q, -room), room)
    return p, q


@scalar
def draw(plan: Plan, work: Work, v_pu: float) -> tuple[float, float]:
    """Power that all consumers and current-controlled sources take from the bus at a voltage [W, var].

    Everything draws constant power above a knee and constant current below it: lineups at their own
    current limit, the rest at stated voltages.
    """
    p = plan.site[SiteParam.AUXILIARY_W] * min(1.0, v_pu / KNEE_PU)
    p -= plan.site[SiteParam.PV_W] * renewable_share(plan, v_pu)
    p -= work.total[Total.GIVEN_W] * min(1.0, v_pu / KNEE_PU)
    q = 0.0
    for lane in range(plan.lane.shape[1]):
        one = min(work.want_w[lane], work.most_w[lane] * v_pu)
        p += one
        q += one * (plan.lane[Lane.TAN_PHI, lane] + plan.lane[Lane.X_PER_W, lane] * one)
    for plant in range(plan.drive.shape[1]):
        one = work.drive_w[plant] * min(1.0, v_pu / DRIVE_KNEE_PU)
        p += one
        q += one * plan.drive[Drive.TAN_PHI, plant]
    for store in range(plan.store.shape[1]):
        one, var = store_power(plan, work, store, v_pu)
        p += one
        q += var
    return p, q


@scalar
def _lacks(plan: Plan, work: Work, v_pu: float, e_pu: float, r: float, x: float) -> float:
    """Source voltage squared that the draw at a voltage would need, less what there is."""
    p, q = draw(plan, work, v_pu)
    return mismatch(e_pu, r, x, p, q, v_pu) / (v_pu * v_pu)


@scalar
def _upper_root(plan: Plan, work: Work, e_pu: float, r: float, x: float) -> tuple[float, float, float]:
    """Highest voltage at which draw and source agree, with the draw; zeros where there is none.

    Compiled by itself, as it is needed in few steps and its draws would swell the engine.
    """
    high = 1.5 * e_pu
    f_high = _lacks(plan, work, high, e_pu, r, x)
    low = 0.0
    f_low = f_high
    for k in range(_SCAN):
        low = e_pu * (1.15 - 0.05 * k) if k < _SCAN - 1 else 1e-3 * e_pu
        f_low = _lacks(plan, work, low, e_pu, r, x)
        if f_low <= 0.0:
            break
        high = low
        f_high = f_low
    if f_low > 0.0:
        return 0.0, 0.0, 0.0
    v = low
    last_v = high
    last_f = f_high
    f = f_low
    for _ in range(_PASSES):
        following = v - f * (v - last_v) / (f - last_f) if f != last_f else 0.5 * (low + high)
        if not (low < following < high):
            following = 0.5 * (low + high)
        last_v = v
        last_f = f
        v = following
        f = _lacks(plan, work, v, e_pu, r, x)
        if f > 0.0:
            high = v
        else:
            low = v
        if abs(v - last_v) <= _TOLERANCE * v or f == 0.0:
            break
    p, q = draw(plan, work, v)
    return v, p, q


@part
def solve_bus(
    plan: Plan, work: Work, e_pu: float, r: float, x: float, store_pu: float
) -> tuple[float, float, float, float]:
    """Voltage, power and reactive power of the bus, and 1 where a healthy source cannot carry what is asked.

    The closed form answers while nothing is limited. Otherwise a scan from above finds the highest interval
    in which the exact equation changes sign, and a safeguarded secant its root (`_upper_root`).
    """
    p = work.total[Total.WANT_W] + plan.site[SiteParam.AUXILIARY_W] - plan.site[SiteParam.PV_W]
    p -= work.total[Total.GIVEN_W]
    q = work.total[Total.WANT_VAR]
    for plant in range(plan.drive.shape[1]):
        p += work.drive_w[plant]
        q += work.drive_w[plant] * plan.drive[Drive.TAN_PHI, plant]
    for store in range(plan.store.shape[1]):
        p += work.store_w[store]
        q += work.store_var[store]
    v = constant_power_voltage(e_pu, r, x, p, q)
    if v >= max(work.total[Total.FREE_PU], store_pu, KNEE_PU):
        return v, p, q, 0.0
    collapsed = 1.0 if v == NO_SOLUTION and e_pu >= KNEE_PU else 0.0
    if e_pu <= 0.0:
        return 0.0, 0.0, 0.0, 0.0
    v, p, q = _upper_root(plan, work, e_pu, r, x)
    return v, p, q, collapsed


@scalar
def _bus_phasor(e: complex, r: float, x: float, v_pu: float, p_w: float, q_var: float) -> complex:
    """The bus voltage as a phasor, from the source's and the bus's own solution."""
    if v_pu <= 0.0:
        return 0j
    behind = complex(v_pu + (r * p_w + x * q_var) / v_pu, (x * p_w - r * q_var) / v_pu)
    size = abs(behind)
    return v_pu * (e / abs(e)) * behind.conjugate() / size if size > 0.0 else 0j


@part
def form(
    plan: Plan, state: State, work: Work, grid: complex, r: float, x: float, closed: bool, store_pu: float
) -> tuple[float, float, float, float, float, float]:
    """Bus with grid-forming storages: the sources merge into one, and each current limit is met.

    Returns voltage, power and reactive power through the main transformer, the bus's own power and
    reactive power, and 1 for a collapse. Powers of the storages are left in `work.formed_w`; one whose
    cells cannot give or take it trips before the step is solved, so that no energy comes from nowhere.
    """
    dt_s = plan.site[SiteParam.DT_S]
    v = 0.0
    p = 0.0
    q = 0.0
    bus = 0j
    collapsed = 0.0
    y_grid = 1.0 / complex(r, x) if closed else 0j
    for _ in range(_CURRENT_PASSES):
        y = y_grid
        source = y_grid * grid
        for store in range(plan.store.shape[1]):
            work.formed_w[store] = 0.0
            work.formed_var[store] = 0.0
            if plan.store[Converter.FORMING, store] > 0.0:
                own = state.store[StoreState.KAPPA, store] / complex(
                    plan.store[Converter.R, store], plan.store[Converter.X, store]
                )
                y += own
                source += own * cmath.rect(1.0, state.store[StoreState.DELTA_RAD, store])
        if abs(y) <= 0.0:
            return 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        merged = source / y
        z = 1.0 / y
        v, p, q, collapsed = solve_bus(plan, work, abs(merged), z.real, z.imag, store_pu)
        bus = _bus_phasor(merged, z.real, z.imag, v, p, q)
        settled = True
        for store in range(plan.store.shape[1]):
            if plan.store[Converter.FORMING, store] > 0.0 and state.store[StoreState.TRIPPED, store] <= 0.0:
                kappa = state.store[StoreState.KAPPA, store]
                own = kappa / complex(plan.store[Converter.R, store], plan.store[Converter.X, store])
                current = own * (cmath.rect(1.0, state.store[StoreState.DELTA_RAD, store]) - bus)
                given = bus * current.conjugate()
                work.formed_w[store] = -given.real
                work.formed_var[store] = -given.imag
                size = abs(current) / plan.store[Converter.RATED_W, store]
                scale = limit_current(size, plan.store[Converter.CURRENT_LIMIT, store], kappa)
                if abs(scale - kappa) > _SETTLED * kappa:
                    settled = False
                    state.store[StoreState.KAPPA, store] = scale
        if settled and not _trip(plan, state, work, dt_s):
            break
    state.site[SiteState.BUS_RAD] = cmath.phase(bus)
    through = bus * (y_grid * (grid - bus)).conjugate()
    return v, through.real, through.imag, p, q, collapsed


@part
def _trip(plan: Plan, state: State, work: Work, dt_s: float) -> bool:
    """Trip the grid-forming converters whose cells cannot do what the network asks; true if there is one."""
    found = False
    for store in range(plan.store.shape[1]):
        if plan.store[Converter.FORMING, store] > 0.0 and state.store[StoreState.TRIPPED, store] <= 0.0:
            asked = work.formed_w[store]
            possible, _, _ = step_cells(plan, state, store, asked, dt_s)
            if abs(possible - asked) > _EXHAUSTED * plan.store[Converter.RATED_W, store]:
                state.store[StoreState.TRIPPED, store] = 1.0
                state.store[StoreState.KAPPA, store] = 0.0
                found = True
    return found


@part
def step_cells(
    plan: Plan, state: State, store: int, power_w: float, dt_s: float
) -> tuple[float, float, float]:
    """`storage_step` of one of the site's storages."""
    c = plan.storage[:, store]
    params = StorageParams(
        c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7], c[8], c[9], c[10], c[11], c[12], c[13]
    )
    return storage_step(state.store[StoreState.SOC_FRAC, store], power_w, dt_s, params)
