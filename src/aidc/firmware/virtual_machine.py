"""A grid-forming converter as a voltage behind an impedance: virtual synchronous machine, or droop.

    dδ/dt = ω0 (ω - ω_grid)
    2H dω/dt = (Pref - P) - (ω - 1)/mp - D (ω - ω_grid)          H > 0
    ω = 1 + mp (Pref - P)                                          H = 0 (droop)

with powers over the rating and ω over nominal. WECC, Droop-Controlled and Virtual Synchronous Machine
Grid-Forming Inverter Models (REGFM_A1, REGFM_B1), 2023. Closed forms: Δω = -mp·ΔP in steady state, an
initial dω/dt of ΔP/2H, a time constant of 2H·mp at D = 0.
"""

from __future__ import annotations

import math

from aidc.jit import scalar

__all__ = ["limit_current", "swing"]


@scalar
def swing(
    omega_pu: float,
    surplus_pu: float,
    grid_pu: float,
    dt_s: float,
    inertia_s: float,
    droop_pu: float,
    damping_pu: float,
) -> float:
    """Speed at the end of a step, by the exact answer to a held surplus Pref - P.

    `omega_pu` is the speed at the start, `surplus_pu` reference less measured power, `grid_pu` the grid's frequency,
    `dt_s` the step [s], `inertia_s` the inertia constant H times two [s], `droop_pu` the speed droop and `damping_pu`
    the damping towards the grid, on the converter's base.
    """
    if inertia_s <= 0.0:
        return 1.0 + droop_pu * surplus_pu
    stiffness = 1.0 / droop_pu + damping_pu
    goal = (surplus_pu + 1.0 / droop_pu + damping_pu * grid_pu) / stiffness
    return goal + (omega_pu - goal) * math.exp(-dt_s * stiffness / (2.0 * inertia_s))


@scalar
def limit_current(current_pu: float, limit_pu: float, scale: float) -> float:
    """Factor on the virtual admittance for the next pass, so that the current settles at its limit."""
    if current_pu <= limit_pu and scale >= 1.0:
        return 1.0
    return min(1.0, scale * limit_pu / max(current_pu, 1e-12))
