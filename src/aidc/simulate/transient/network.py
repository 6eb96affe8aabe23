"""The bus voltage of a step, solved together with everything that hangs on it."""

from __future__ import annotations

import cmath

from aidc.firmware.virtual_machine import limit_current
from aidc.jit import part, scalar
from aidc.plant.network.source import NO_SOLUTION, constant_power_voltage, mismatch
from aidc.simulate.transient.arrays import Plan, State, Work
from aidc.simulate.transient.fields import (
    Converter,
    Drive,
    Lane,
    SiteParam,
    SiteState,
    StoreState,
)

__all__ = ["DRIVE_KNEE_PU", "KNEE_PU", "draw", "form", "solve_bus"]

_PASSES = 60
_TOLERANCE = 1e-13
_CURRENT_PASSES = 30
DRIVE_KNEE_PU = 0.85  # below this a motor drive is current-limited (estimate, no checked source)
KNEE_PU = 0.9  # the same for auxiliaries and renewables


@part
def draw(plan: Plan, work: Work, v_pu: float) -> tuple[float, float]:
    """Power that all consumers and current-controlled sources take from the bus at a voltage [W, var].

    Everything draws constant power above a knee and constant current below it: lineups at their own
    current limit, the rest at stated voltages.
    """
    p = plan.site[SiteParam.AUXILIARY_W] * min(1.0, v_pu / KNEE_PU)
    q = 0.0
    for lane in range(plan.lane.shape[1]):
        one = min(work.want_w[lane], work.most_w[lane] * v_pu)
        p += one
        q += one * (plan.lane[Lane.TAN_PHI, lane] + plan.lane[Lane.X_PER_W, lane] * one)
    for plant in range(plan.drive.shape[1]):
        one = work.drive_w[plant] * min(1.0, v_pu / DRIVE_KNEE_PU)
        p += one
        q += one * plan.drive[Drive.TAN_PHI, plant]
    if v_pu > plan.site[SiteParam.PV_CUT_OFF_PU]:
        p -= plan.site[SiteParam.PV_W] * min(1.0, v_pu / KNEE_PU)
    for store in range(plan.store.shape[1]):
        most = plan.store[Converter.CURRENT_LIMIT, store] * plan.store[Converter.RATED_W, store] * v_pu
        if v_pu >= plan.store[Converter.CEASE_PU, store]:
            p += min(max(work.store_w[store], -most), most)
            q += min(max(work.store_var[store], -most), most)
    return p, q


@part
def solve_bus(
    plan: Plan, state: State, work: Work, e_pu: float, r: float, x: float, free_pu: float
) -> tuple[float, float, float, float]:
    """Voltage, power and reactive power of the bus, and 1 where constant power alone had no solution.

    The closed form answers while nothing is limited; otherwise a safeguarded secant finds the upper
    root of the exact equation.
    """
    p, q = draw(plan, work, 1.0)
    knee = max(free_pu, KNEE_PU)
    collapsed = 0.0
    if free_pu <= 1.0:
        v = constant_power_voltage(e_pu, r, x, p, q)
        if v == NO_SOLUTION:
            collapsed = 1.0
        elif v >= knee:
            return v, p, q, 0.0
    high = 1.5 * e_pu + 1e-9
    low = 0.0
    held = state.site[SiteState.V_BUS]
    v = held if 0.0 < held < high else e_pu
    last_v = high
    p, q = draw(plan, work, high)
    last_g = mismatch(e_pu, r, x, p, q, high)
    for _ in range(_PASSES):
        p, q = draw(plan, work, v)
        g = mismatch(e_pu, r, x, p, q, v)
        if g > 0.0:
            high = v
        else:
            low = v
        slope = g - last_g
        following = v - g * (v - last_v) / slope if slope != 0.0 else 0.5 * (low + high)
        if not (low < following < high):
            following = 0.5 * (low + high)
        if abs(following - v) <= _TOLERANCE * max(v, 1e-3):
            break
        last_v = v
        last_g = g
        v = following
    if v < 1e-6:
        v = 0.0
        p = 0.0
        q = 0.0
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
    plan: Plan, state: State, work: Work, grid: complex, r: float, x: float, closed: bool, free_pu: float
) -> tuple[float, float, float, float, float, float]:
    """Bus with grid-forming storages: the sources merge into one, and each current limit is met.

    Returns voltage, power and reactive power through the main transformer, the bus's own power and
    reactive power, and 1 for a collapse. Powers of the storages are left in `work.formed_w`.
    """
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
        v, p, q, collapsed = solve_bus(plan, state, work, abs(merged), z.real, z.imag, free_pu)
        bus = _bus_phasor(merged, z.real, z.imag, v, p, q)
        settled = True
        for store in range(plan.store.shape[1]):
            if plan.store[Converter.FORMING, store] > 0.0:
                kappa = state.store[StoreState.KAPPA, store]
                own = kappa / complex(plan.store[Converter.R, store], plan.store[Converter.X, store])
                current = own * (cmath.rect(1.0, state.store[StoreState.DELTA_RAD, store]) - bus)
                given = bus * current.conjugate()
                work.formed_w[store] = -given.real
                work.formed_var[store] = -given.imag
                if state.store[StoreState.TRIPPED, store] <= 0.0:
                    size = abs(current) / plan.store[Converter.RATED_W, store]
                    scale = limit_current(size, plan.store[Converter.CURRENT_LIMIT, store], kappa)
                    if abs(scale - kappa) > 1e-6 * kappa:
                        settled = False
                    state.store[StoreState.KAPPA, store] = scale
        if settled:
            break
    through = bus * (y_grid * (grid - bus)).conjugate()
    return v, through.real, through.imag, p, q, collapsed
