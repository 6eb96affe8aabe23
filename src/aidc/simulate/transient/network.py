"""The bus voltage of a step, solved together with everything that hangs on it."""

from __future__ import annotations

import cmath
import math

from aidc.firmware.virtual_machine import limit_current
from aidc.jit import part, scalar
from aidc.plant.network.source import NO_SOLUTION, constant_power_voltage, mismatch
from aidc.plant.storage import StorageParams, storage_step
from aidc.simulate.transient.arrays import Plan, State, Work
from aidc.simulate.transient.consumers import KNEE_PU, draw, next_kink_pu, note_kinks
from aidc.simulate.transient.fields import (
    Converter,
    Drive,
    Lane,
    LaneState,
    SiteParam,
    SiteState,
    StoreState,
    Total,
)

__all__ = ["form", "solve_bus", "step_cells"]

_PASSES = 80
_TOLERANCE = 1e-13
_CURRENT_PASSES = 60
_SETTLED = 1e-7
_EXHAUSTED = 1e-9  # share of rated power that the cells may lack before a grid-forming converter trips
_NOTHING_PU = 1e-9  # a source below this is none
_SCAN = 22  # voltages at which the upper root is looked for, ...
_LIFTED = 16  # ... and above those where what feeds the bus may lift it beyond them
_NEVER_FREE_PU = 10.0  # no voltage at which lineups may be left as they were
_GOLDEN = 0.381966
_NARROW = 24  # steps in which the least of a stretch is looked for


@scalar
def _lacks(plan: Plan, work: Work, v_pu: float, e_pu: float, r: float, x: float) -> float:
    """Source voltage squared that the draw at a voltage would need, less what there is."""
    p, q = draw(plan, work, v_pu)
    return mismatch(e_pu, r, x, p, q, v_pu) / (v_pu * v_pu)


@scalar
def _least(
    plan: Plan, work: Work, low: float, high: float, e_pu: float, r: float, x: float
) -> tuple[float, float]:
    """Where within a stretch of voltages the source lacks least, and by how much; by golden sections."""
    a = low
    b = high
    v = a + _GOLDEN * (b - a)
    w = b - _GOLDEN * (b - a)
    f_v = _lacks(plan, work, v, e_pu, r, x)
    f_w = _lacks(plan, work, w, e_pu, r, x)
    for _ in range(_NARROW):
        if min(f_v, f_w) <= 0.0:
            break
        if f_v < f_w:
            b = w
            w = v
            f_w = f_v
            v = a + _GOLDEN * (b - a)
            f_v = _lacks(plan, work, v, e_pu, r, x)
        else:
            a = v
            v = w
            f_v = f_w
            w = b - _GOLDEN * (b - a)
            f_w = _lacks(plan, work, w, e_pu, r, x)
    return (v, f_v) if f_v < f_w else (w, f_w)


@scalar
def _is_beyond(plan: Plan, work: Work, v_pu: float, p_w: float, q_var: float, r: float, x: float) -> bool:
    """Whether a current that is held at its limit lies beyond the network's greatest power.

    That is where the load's impedance is the source's; from there to E/X more current is less power, and a converter
    that must draw a power has no hold. One that states how it reduces its current is where its law puts it.
    """
    if (p_w * p_w + q_var * q_var) * (r * r + x * x) <= v_pu * v_pu * v_pu * v_pu:
        return False
    for lane in range(plan.lane.shape[1]):
        if plan.lane[Lane.ZERO_PU, lane] <= 0.0 and work.want_w[lane] > work.most_w[lane] * v_pu:
            return True
    for store in range(plan.store.shape[1]):
        states = plan.store[Converter.ZERO_PU, store] + work.cease_pu[store]
        most = plan.store[Converter.CURRENT_LIMIT, store] * plan.store[Converter.RATED_W, store] * v_pu
        if states <= 0.0 and abs(work.store_w[store]) > most:
            return True
    return False


@scalar
def _let_go(
    plan: Plan, state: State, work: Work, e_pu: float, r: float, x: float
) -> tuple[float, float, float]:
    """The bus where current limits ask for more than the network can carry: who states that it does so loses
    synchronism. If that is not enough, the others give no current in this step either, which nobody has
    stated: the step counts as unsolved.
    """
    work.total[Total.FREE_PU] = _NEVER_FREE_PU
    state.site[SiteState.LET_GO_NOW] = 1.0
    for lane in range(plan.lane.shape[1]):
        work.let_go[0, lane] = work.want_w[lane]
        work.let_go[1, lane] = work.supports[lane]
    for store in range(plan.store.shape[1]):
        work.store_let_go[0, store] = work.store_w[store]
        work.store_let_go[1, store] = work.store_var[store]
        work.store_let_go[2, store] = work.var_per_pu[store]
        work.store_let_go[3, store] = work.store_supports[store]
    found = False
    for lane in range(plan.lane.shape[1]):
        waited = state.lane[LaneState.SOUND_TICKS, lane] >= plan.lane[Lane.CEASE_TICKS, lane]
        waited = waited or state.lane[LaneState.LOST, lane] > 0.0
        may = plan.lane[Lane.LOST_PU, lane] > 0.0 and waited
        if may and max(work.want_w[lane], work.supports[lane]) > 0.0:
            state.lane[LaneState.LOST, lane] = 1.0
            state.lane[LaneState.SOUND_TICKS, lane] = 0.0
            _drop_lane(work, lane)
            found = True
    for store in range(plan.store.shape[1]):
        waited = state.store[StoreState.SOUND_TICKS, store] >= plan.store[Converter.CEASE_TICKS, store]
        waited = waited or state.store[StoreState.LOST, store] > 0.0
        may = plan.store[Converter.LOST_PU, store] > 0.0 and waited
        if may and plan.store[Converter.FORMING, store] <= 0.0:
            state.store[StoreState.LOST, store] = 1.0
            state.store[StoreState.SOUND_TICKS, store] = 0.0
            _drop_store(work, store)
            found = True
    if found:
        v, p, q = _upper_root(plan, work, e_pu, r, x)
        if v > 0.0 and not _is_beyond(plan, work, v, p, q, r, x):
            return v, p, q
    state.site[SiteState.UNSOLVED_NOW] = 1.0
    for lane in range(plan.lane.shape[1]):
        _drop_lane(work, lane)
    for store in range(plan.store.shape[1]):
        _drop_store(work, store)
    return _upper_root(plan, work, e_pu, r, x)


@part
def _drop_lane(work: Work, lane: int) -> None:
    work.buffer_w[lane] = 0.0
    work.want_w[lane] = 0.0
    work.supports[lane] = 0.0


@part
def _drop_store(work: Work, store: int) -> None:
    work.store_w[store] = 0.0
    work.store_var[store] = 0.0
    work.var_per_pu[store] = 0.0
    work.store_supports[store] = 0.0


@part
def _highest_pu(plan: Plan, work: Work, e_pu: float, z: float) -> float:
    """A voltage above which there is no solution: all that may feed the bus gives its whole current."""
    given = (plan.site[SiteParam.PV_W] + work.total[Total.GIVEN_W]) / KNEE_PU
    for lane in range(plan.lane.shape[1]):
        if plan.lane[Lane.PRIORITY_PU, lane] > 0.0:
            given += work.most_w[lane]
    for store in range(plan.store.shape[1]):
        given += plan.store[Converter.CURRENT_LIMIT, store] * plan.store[Converter.RATED_W, store]
    return max(1.5 * e_pu, e_pu + z * given)


@scalar
def _upper_root(plan: Plan, work: Work, e_pu: float, r: float, x: float) -> tuple[float, float, float]:
    """Highest voltage at which draw and source agree, with the draw; zeros where there is none.

    Compiled by itself, as it is needed in few steps and its draws would swell the engine.
    """
    note_kinks(plan, work)
    above = _highest_pu(plan, work, e_pu, math.hypot(r, x))
    f_above = _lacks(plan, work, above, e_pu, r, x)
    high = above
    f_high = f_above
    low = 0.0
    f_low = f_high
    k = -_LIFTED if above > 1.5 * e_pu else 0
    step = (above - 1.15 * e_pu) / (1 - k)
    while k < _SCAN:
        low = 1e-3 * e_pu
        if k < _SCAN - 1:
            low = e_pu * (1.15 - 0.05 * k) if k >= 0 else 1.15 * e_pu - k * step
        kink = next_kink_pu(plan, work, high)
        if kink > low:
            low = kink
        else:
            k += 1
        f_low = _lacks(plan, work, low, e_pu, r, x)
        if f_low <= 0.0:
            break
        if f_high <= f_above and f_high <= f_low:  # both roots may lie between three of the voltages tried
            dip, f_dip = _least(plan, work, low, above, e_pu, r, x)
            if f_dip <= 0.0:
                high = above
                f_high = f_above
                low = dip
                f_low = f_dip
                break
        above = high
        f_above = f_high
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
    plan: Plan, state: State, work: Work, e_pu: float, r: float, x: float, store_pu: float
) -> tuple[float, float, float, float]:
    """Voltage, power and reactive power of the bus, and 1 where a healthy source cannot carry what is asked.

    The closed form answers while nothing is limited. Otherwise a scan from above finds the highest interval
    in which the exact equation changes sign, and a safeguarded secant its root (`_upper_root`). Where there is
    none, see `_let_go`.

    `e_pu` is the voltage behind `r` + j `x` [pu of the site's base], `store_pu` the least voltage at which no storage
    is limited.
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
    if e_pu <= _NOTHING_PU:
        return 0.0, 0.0, 0.0, 0.0
    v, p, q = _upper_root(plan, work, e_pu, r, x)
    if v <= 0.0 or _is_beyond(plan, work, v, p, q, r, x):
        v, p, q = _let_go(plan, state, work, e_pu, r, x)
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

    `grid` is the phasor of the source behind `r` + j `x` [pu], `closed` says whether it feeds the bus, and `store_pu`
    as in `solve_bus`.
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
        v, p, q, collapsed = solve_bus(plan, state, work, abs(merged), z.real, z.imag, store_pu)
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
    missing = through - complex(p, q)
    for store in range(plan.store.shape[1]):
        missing -= complex(work.formed_w[store], work.formed_var[store])
    work.total[Total.FORMED_LACK_W] = abs(missing)
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
    """`storage_step` of one of the site's storages.

    `store` is the storage's number, `power_w` the power asked for, charging positive [W], `dt_s` the step [s].
    """
    c = plan.storage[:, store]
    params = StorageParams(
        c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7], c[8], c[9], c[10], c[11], c[12], c[13]
    )
    return storage_step(state.store[StoreState.SOC_FRAC, store], power_w, dt_s, params)
