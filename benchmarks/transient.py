"""The transient engine on the example campus: 8 pods at 1 ms, with every meter of normal operation.

`transient-solve-ivp` is a reduced set, said plainly: one bus, one grid-forming storage of three states
(angle, speed, filtered power) and one constant-power load behind the same source, through the same phase
jump, by SciPy's RK45 held to steps of 1 ms. It has no lineups, relays, buffers, waveforms or books. What
differs from the engine in power over the storage's rating stands beside its speed.
"""

from __future__ import annotations

import cmath
import math
import os
from fractions import Fraction

from benchmarks.measure import CAMPUS, Case, timed

STEP = Fraction(1, 1000)
HOUR_S = 3600
BLOCK = 60_000
REDUCED_S = 10.0
JUMP_S = 1.0
JUMP_DEG = 10.0
FORMING = [
    'storage.yard.converter.control="grid-forming"',
    'storage.yard.rule={use="reserve"}',
    "storage.yard.converter.inertia_s=1.0",
]


def _window(duration_s: float, overrides=(), events=(), *, days: float = 7, idle: bool = False):
    import aidc
    from aidc.simulate.transient.start import operating_point
    from aidc.simulate.transient.window import open_window

    site = aidc.load(CAMPUS, [f"scenario.days={days}", *overrides])
    if idle:  # racks without work draw constant power
        site = site.model_copy(update={"services": {}, "jobs": {}})
    point = operating_point(site)
    return site, open_window(site, point, events, duration_s=duration_s, step_s=STEP)


def _clauses() -> list:
    from pydantic import TypeAdapter

    from aidc.schema.code import Clause

    clauses = [
        {"rule": "oscillation", "low_hz": 0.1, "high_hz": 55, "limit_mw": 10},
        {"rule": "ramp", "form": "rate", "window_s": 600, "limit_mw_per_min": 20},
        {"rule": "ramp", "form": "change", "window_s": 5, "limit_mw": 25},
        {"rule": "flicker", "pst_planning": 0.8, "plt_planning": 0.6},
        {"rule": "voltage-step", "limit_frac": 0.03},
        {"rule": "power-factor", "least_pf": 0.95},
    ]
    told = {"clause": "benchmark", "status": "reference", "confidence": "estimated"}
    adapter = TypeAdapter(Clause)
    return [adapter.validate_python(one | told) for one in clauses]


def _meters(site) -> list:
    from aidc.measure.grid.meter import meter_of
    from aidc.measure.grid.verdict import Connection

    grid = site.grid
    connection = Connection(
        grid.import_limit_mw * 1e6,
        grid.voltage_kv * 1e3,
        grid.frequency_hz,
        grid.short_circuit_mva * 1e6,
        grid.x_over_r,
        system_va=1e9,
    )
    return [meter_of(clause, connection, STEP) for clause in _clauses()]


def _run(window, meters) -> None:
    while not window.done:
        block = window.advance(BLOCK)
        for meter in meters:
            meter.feed(block)
    for meter in meters:
        meter.verdicts()


def hour(overrides=(), *, judged: bool = True) -> dict[str, float]:
    """An hour in blocks of a minute, every block judged as it comes."""
    site, window = _window(HOUR_S, overrides)
    for meter in _meters(site):  # compile; filters too
        meter.feed(window.advance(BLOCK))
        window.reset()
    meters = _meters(site) if judged else []
    return timed(window.steps, lambda: _run(window, meters))


def python_body() -> dict[str, float]:
    """The engine's own Python body, uncompiled."""
    if os.environ.get("NUMBA_DISABLE_JIT") != "1":
        message = "run this case through `python -m benchmarks`, which switches the compiler off"
        raise RuntimeError(message)
    _, window = _window(2.0, days=0.02)
    return timed(1000, lambda: window.advance(1000))


def _constant_load(window) -> complex:
    """What everything but the storage draws from the bus, as the engine has it in its first step."""
    import numpy as np

    from aidc.simulate.transient.engine import advance
    from aidc.simulate.transient.fields import Drive, Out, SiteParam, Total
    from aidc.simulate.transient.initial import at_rest, work_of

    plan, work = window.plan, work_of(window.plan)
    none = np.zeros(0, dtype=np.int64)
    out, where = np.empty((len(Out), 1)), np.zeros(1, dtype=np.int64)
    advance(plan, at_rest(plan, window.point), work, out, where, none, 0, 1)
    p = work.total[Total.WANT_W] + work.drive_w.sum()
    p += plan.site[SiteParam.AUXILIARY_W] - plan.site[SiteParam.PV_W]
    return complex(p, work.total[Total.WANT_VAR] + (work.drive_w * plan.drive[Drive.TAN_PHI]).sum())


class Reduced:
    """One storage, one load, one source; see the top of this file for what that leaves out."""

    def __init__(self, window) -> None:
        from aidc.simulate.transient.fields import Converter, Segment, SiteParam

        site, store = window.plan.site, window.plan.store[:, 0]
        self.load = _constant_load(window)
        self.grid_pu = float(window.plan.segment[Segment.E_PU, 0])
        self.y_grid = 1.0 / complex(
            site[SiteParam.R] + site[SiteParam.R_T], site[SiteParam.X] + site[SiteParam.X_T]
        )
        self.y_own = 1.0 / complex(store[Converter.R], store[Converter.X])
        self.rated_w, self.droop = float(store[Converter.RATED_W]), float(store[Converter.DROOP])
        self.inertia_s = float(store[Converter.INERTIA_S])
        self.filter_per_s = -math.log1p(-float(store[Converter.POWER_GAIN])) / float(STEP)
        self.w0 = 2.0 * math.pi * float(site[SiteParam.NOMINAL_HZ])

    def given_w(self, time_s: float, delta_rad: float) -> float:
        """Power of the storage at an angle, by the closed form of the bus voltage."""
        from aidc.plant.network.source import constant_power_voltage

        grid = cmath.rect(self.grid_pu, math.radians(JUMP_DEG) if time_s >= JUMP_S else 0.0)
        form = cmath.rect(1.0, delta_rad)
        y = self.y_grid + self.y_own
        merged = (grid * self.y_grid + form * self.y_own) / y
        z = 1.0 / y
        v = constant_power_voltage(abs(merged), z.real, z.imag, self.load.real, self.load.imag)
        behind = v + z * (self.load / v).conjugate()
        bus = v * (merged / abs(merged)) * (behind.conjugate() / abs(behind))
        return (bus * (self.y_own * (form - bus)).conjugate()).real

    def slope(self, time_s: float, state) -> list[float]:
        delta_rad, omega, measured_w = state
        power_w = self.given_w(time_s, delta_rad)
        pull = -measured_w / self.rated_w - (omega - 1.0) / self.droop
        return [
            self.w0 * (omega - 1.0),
            pull / (2.0 * self.inertia_s),
            self.filter_per_s * (power_w - measured_w),
        ]


def solve_ivp() -> dict[str, float]:
    """SciPy on the equations of a storage, a load and a source."""
    import numpy as np
    from scipy.integrate import solve_ivp as solve

    from aidc.schema.disturbance import Sag
    from aidc.simulate.transient.fields import StoreState

    jump = Sag(
        use="sag", start_s=JUMP_S, residual_pu=1.0, duration_s=REDUCED_S - JUMP_S, phase_jump_deg=JUMP_DEG
    )
    _, window = _window(REDUCED_S, FORMING, [jump], days=0.02, idle=True)
    reduced = Reduced(window)
    rows = [StoreState.DELTA_RAD, StoreState.OMEGA_PU, StoreState.MEASURED_W]
    start = window.state.store[rows, 0].copy()
    engine_w = -window.advance()["storage_w"]
    found: list = []
    measured = timed(
        window.steps,
        lambda: found.append(
            solve(reduced.slope, (0.0, REDUCED_S), start, max_step=float(STEP), rtol=1e-6, dense_output=True)
        ),
    )
    ticks = np.arange(0, window.steps, 5)
    angles = found[0].sol(ticks * float(STEP))[0]
    own_w = [reduced.given_w(k * float(STEP), angle) for k, angle in zip(ticks, angles, strict=True)]
    worst_w = float(np.abs(np.array(own_w) - engine_w[ticks]).max())
    return measured | {"largest_difference_frac": worst_w / reduced.rated_w}


def ercot_battery() -> dict[str, float]:
    """Every fault that ERCOT's ride-through rule asks of the campus, each with and without, and judged."""
    from aidc.simulate.transient.window import short_circuit_levels
    from aidc.study.faults.battery import run_battery
    from aidc.study.faults.cases import PHASES, fault_cases
    from aidc.study.grid_check.codes import read_code

    site, window = _window(1.0)
    clauses = read_code("ercot-nogrr-282").clauses
    cases = fault_cases(clauses, short_circuit_levels(site), PHASES, 1 / site.grid.frequency_hz, float(STEP))
    run_battery(site, window.point, clauses, cases[:4], STEP)  # compile
    found = {}
    row = timed(1, lambda: found.update(done=run_battery(site, window.point, clauses, cases, STEP)))
    steps = found["done"].steps
    return {
        **row,
        "steps_per_s": row["steps_per_s"] * steps,
        "steps_per_cpu_s": steps / row["wall_s"],
        "cases": float(len(cases)),
    }


def first_steps() -> dict[str, float]:
    """A second from a cold start: with an empty cache this is mostly the compiler, in time and in memory."""
    _, window = _window(1.0, days=0.02)
    return timed(window.steps, lambda: _run(window, []))


CASES: dict[str, Case] = {
    "transient-first-second": first_steps,  # before the others, so that they find compiled kernels
    "transient-hour": hour,
    "transient-ercot-battery": ercot_battery,
    "transient-hour-engine": lambda: hour(judged=False),
    "transient-hour-forming": lambda: hour(FORMING, judged=False),
    "transient-python-body": python_body,
    "transient-solve-ivp": solve_ivp,
}
UNCOMPILED = {"transient-python-body"}
