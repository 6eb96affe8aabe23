"""A grid-forming storage through a phase jump, against SciPy's integrator on the same equations."""

from __future__ import annotations

import cmath
import math

import numpy as np
import pytest
from grids import MS, body_of, forming, open_site
from scipy.integrate import solve_ivp
from scipy.optimize import fsolve

from aidc.schema.disturbance import Sag
from aidc.simulate.transient.fields import Converter, Drive, Segment, SiteParam, StoreState, Total

JUMP_S, JUMP_RAD = 0.2, math.radians(8.0)


@pytest.mark.parametrize("inertia_s", [0.0, 1.0])
def test_power_after_a_phase_jump_is_that_of_an_integrator(inertia_s) -> None:
    """Within 0.5 % of the storage's rating at 1 ms; the bus is solved by a root finder in complex numbers."""
    event = Sag(
        use="sag", start_s=JUMP_S, residual_pu=1.0, duration_s=1.0, phase_jump_deg=math.degrees(JUMP_RAD)
    )
    body = body_of(busy=False, scr=10.0, storage=forming(2.0, inertia_s=inertia_s))
    window = open_site(body, [event], duration_s=0.9, step_s=MS)
    start = window.state.store[[StoreState.DELTA_RAD, StoreState.OMEGA_PU, StoreState.MEASURED_W], 0].copy()
    shown = -window.advance()["storage_w"]
    plan, work, row = window.plan, window._work, window.plan.store[:, 0]
    load = complex(
        work.total[Total.WANT_W] + work.drive_w.sum() + plan.site[SiteParam.AUXILIARY_W],
        work.total[Total.WANT_VAR] + (work.drive_w * plan.drive[Drive.TAN_PHI]).sum(),
    )
    site, rated = plan.site, row[Converter.RATED_W]
    z = complex(site[SiteParam.R] + site[SiteParam.R_T], site[SiteParam.X] + site[SiteParam.X_T])
    own = complex(row[Converter.R], row[Converter.X])
    rate = -math.log1p(-row[Converter.POWER_GAIN]) / float(MS)
    e = plan.segment[Segment.E_PU, 0]

    def given(time_s: float, delta: float) -> float:
        grid, form = cmath.rect(e, JUMP_RAD if time_s >= JUMP_S else 0.0), cmath.rect(1.0, delta)

        def residual(parts):
            v = complex(*parts)
            current = ((grid - v) / z + (form - v) / own - (load / v).conjugate()) * z
            return current.real, current.imag

        v = complex(*fsolve(residual, (1.0, 0.0), xtol=1e-12))
        return (v * ((form - v) / own).conjugate()).real

    def slope(time_s, state):
        delta, omega, measured = state
        power = given(time_s, delta)
        if inertia_s > 0:
            pull = -measured / rated - (omega - 1.0) / row[Converter.DROOP]
            speed, change = omega, pull / (2 * inertia_s)
        else:
            speed, change = 1.0 - row[Converter.DROOP] * measured / rated, 0.0
        return [2 * math.pi * 60 * (speed - 1.0), change, rate * (power - measured)]

    before = solve_ivp(slope, (0.0, JUMP_S - 1e-12), start, rtol=1e-8, atol=1e-9)
    after = solve_ivp(
        slope, (JUMP_S, 0.9), before.y[:, -1], rtol=1e-8, atol=1e-9, max_step=5e-3, dense_output=True
    )
    ticks = np.arange(round(JUMP_S * 1000), 900, 10)
    exact = np.array([given(k / 1000, after.sol(k / 1000)[0]) for k in ticks])
    assert np.ptp(exact) > 0.25 * rated
    assert np.abs(shown[ticks] - exact).max() < 5e-3 * rated
