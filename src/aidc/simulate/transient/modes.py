"""Modes of grid-forming converters against the grid: as the equations have them, and as the step makes of them.

One machine on an infinite bus behind the site's transformer and the normal short-circuit level, linear
around no load (P. Kundur, Power System Stability and Control, McGraw-Hill 1994, section 12.3), with the
power filter of the converter:

    dδ/dt = ω0·w,   2H·dw/dt = -m - (1/mp + D)·w   (or w = -mp·m at H = 0),   τ·dm/dt = K·δ - m,   K = X/|Z|²
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from aidc.errors import SimulationError
from aidc.simulate.transient.arrays import FloatArray, Plan
from aidc.simulate.transient.fields import Converter, SiteParam

__all__ = ["MachineMode", "machine_modes", "refuse_unstable"]

_ROUNDING = 1e-9


class MachineMode(NamedTuple):
    """The least damped mode of one grid-forming storage: its column, frequency, damping, growth in a step."""

    store: int
    frequency_hz: float
    damping_per_s: float  # decay rate; negative where the settings themselves are unstable
    step_growth: float  # largest eigenvalue of the stepped equations; above 1 they run away


def machine_modes(plan: Plan) -> list[MachineMode]:
    """One for every grid-forming storage of a plan."""
    found: list[MachineMode] = []
    for store in np.flatnonzero(plan.store[Converter.FORMING] > 0):
        row = plan.store[:, store]
        roots = np.linalg.eigvals(_continuous(plan, row))
        slowest = roots[int(np.argmax(roots.real))]
        fastest_hz = float(np.abs(roots.imag).max()) / (2.0 * math.pi)
        growth = float(np.abs(np.linalg.eigvals(_stepped(plan, row))).max())
        found.append(MachineMode(int(store), fastest_hz, -float(slowest.real), growth))
    return found


def refuse_unstable(plan: Plan) -> None:
    """Raise where the step would make a grid-forming converter run away.

    Raises
    ------
    SimulationError
        The stepped equations are unstable, by the step or by the settings.
    """
    for mode in machine_modes(plan):
        if mode.step_growth > 1.0 + _ROUNDING:
            place = f"grid-forming storage {mode.store + 1} at the site bus"
            if mode.damping_per_s < 0.0:
                raise SimulationError(
                    f"The {place} is unstable against this grid: a mode of {mode.frequency_hz:.1f} Hz grows by "
                    f"{-mode.damping_per_s:.2g} per second. Change droop_frac, inertia_s, damping_frac or "
                    "reactance_frac under [storage.….converter]."
                )
            raise SimulationError(
                f"The step of {1e3 * plan.site[SiteParam.DT_S]:g} ms is too long for the {place}, whose "
                f"fastest mode lies at {mode.frequency_hz:.1f} Hz. Choose a shorter step, or a larger "
                "reactance_frac or smaller droop_frac under [storage.….converter]."
            )


def _stiffness(plan: Plan, row: FloatArray) -> float:
    """Power over rated for each radian between converter and grid."""
    rated = float(row[Converter.RATED_W])
    site = plan.site
    r = rated * float(row[Converter.R] + site[SiteParam.R] + site[SiteParam.R_T])
    x = rated * float(row[Converter.X] + site[SiteParam.X] + site[SiteParam.X_T])
    return x / (r * r + x * x)


def _continuous(plan: Plan, row: FloatArray) -> FloatArray:
    """Matrix of δ, w and m."""
    w0 = 2.0 * math.pi * float(plan.site[SiteParam.NOMINAL_HZ])
    k, droop, inertia = _stiffness(plan, row), float(row[Converter.DROOP]), float(row[Converter.INERTIA_S])
    damping = 1.0 / droop + float(row[Converter.DAMPING])
    gain, dt = float(row[Converter.POWER_GAIN]), float(plan.site[SiteParam.DT_S])
    filtered = gain < 1.0
    rate = -math.log1p(-gain) / dt if filtered else 0.0
    if inertia > 0.0 and filtered:
        return np.array([[0, w0, 0], [0, -damping / (2 * inertia), -1 / (2 * inertia)], [k * rate, 0, -rate]])
    if inertia > 0.0:
        return np.array([[0, w0], [-k / (2 * inertia), -damping / (2 * inertia)]])
    if filtered:
        return np.array([[0, -w0 * droop], [k * rate, -rate]])
    return np.array([[-w0 * droop * k]])


def _stepped(plan: Plan, row: FloatArray) -> FloatArray:
    """The map of δ, w and m over one step, as the engine takes it: m, then w, then δ."""
    w0 = 2.0 * math.pi * float(plan.site[SiteParam.NOMINAL_HZ])
    k, droop, inertia = _stiffness(plan, row), float(row[Converter.DROOP]), float(row[Converter.INERTIA_S])
    damping = 1.0 / droop + float(row[Converter.DAMPING])
    gain, dt = float(row[Converter.POWER_GAIN]), float(plan.site[SiteParam.DT_S])
    m = np.array([gain * k, 0.0, 1.0 - gain])
    if inertia > 0.0:
        kept = math.exp(-dt * damping / (2.0 * inertia))
        w = np.array([0.0, kept, 0.0]) - (1.0 - kept) / damping * m
    else:
        w = -droop * m
    mean = 0.5 * (w + np.array([0.0, 1.0, 0.0])) if inertia > 0.0 and gain < 1.0 else w
    return np.array([np.array([1.0, 0.0, 0.0]) + w0 * dt * mean, w, m])
