"""Voltage, power and reactive power at both ends of the main transformer, solved again by brute force.

Nothing of the product is imported: it takes what `Window.draws` exports. Grid-forming storages are voltages of 1 pu
behind an impedance, merged with the grid's into one source by the theorems of Thevenin and Millman; the load's law and
the search for its highest root are those of `judge`. Units are those of `judge`.
"""

from __future__ import annotations

import cmath
from dataclasses import dataclass

import numpy as np
from judge import asked_of, held_at_limit, highest_root_behind, load_va

__all__ = ["Ends", "formers_wrong", "nobody_states", "solved_ends"]

_NOTHING_PU = 1e-9
_LIMIT_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Ends:
    """A step as the judge has it; powers towards the load, the bus's without what forms it."""

    bus_pu: float
    bus_va: complex
    poi_pu: float
    poi_va: complex
    bus: complex
    carried: bool


def _seen_from_bus(draws: dict) -> tuple[complex, complex]:
    """The grid behind the main transformer: share of its voltage that is left, and the impedance."""
    source = complex(draws["source_r"], draws["source_x"])
    share = 1.0 / (1.0 + source * draws["no_load_w"])
    return share, source * share + complex(draws["transformer_r"], draws["transformer_x"])


def solved_ends(draws: dict, grid_rad: float, former_rad: list[float]) -> Ends:
    """The step solved from its draws, the grid's angle and those of the storages that form a voltage.

    Behind an open breaker these alone feed the bus; one that generators form is not told in the draws.
    """
    share, z_grid = _seen_from_bus(draws)
    e_grid = cmath.rect(draws["source_pu"], grid_rad) * share
    y_grid = 1.0 / z_grid if draws["grid"] else 0.0
    admittance, current = y_grid, y_grid * e_grid
    for one, angle in zip(draws["formers"], former_rad, strict=True):
        own = one["kappa"] / complex(one["r"], one["x"])
        admittance, current = admittance + own, current + own * cmath.rect(1.0, angle)
    e, z = current / admittance, 1.0 / admittance
    v = highest_root_behind(draws, abs(e), z)
    if v <= 0.0:
        return Ends(0.0, 0j, abs(e_grid), 0j, 0j, abs(e) <= _NOTHING_PU)
    drawn = load_va(draws, v)
    behind = v + z * (drawn / v).conjugate()
    bus = cmath.rect(v, cmath.phase(e) - cmath.phase(behind))
    carried = not held_at_limit(draws, v) or abs(drawn) * abs(z) <= v * v
    if not draws["grid"]:  # the meter stays with the grid
        return Ends(v, drawn, draws["source_pu"], 0j, bus, carried)
    through = (e_grid - bus) / z_grid
    poi = bus + _transformer(draws) * through
    metered = poi * (through + draws["no_load_w"] * poi).conjugate()
    return Ends(v, drawn, abs(poi), metered, bus, carried)


def _transformer(draws: dict) -> complex:
    return complex(draws["transformer_r"], draws["transformer_x"])


def nobody_states(draws: dict, grid_rad: float, former_rad: list[float]) -> bool:
    """Whether what was asked for has no solution, even once all have let go that state a voltage of lost synchronism."""
    asked = asked_of(draws)
    if _solvable(asked, grid_rad, former_rad):
        return False
    changed = False
    nothing = {"want_w": 0.0, "want_var": 0.0, "var_per_pu": 0.0, "supports": 0.0}
    for kind in ("lineups", "storages"):
        states = [one["lost_pu"] > 0.0 for one in asked[kind]]
        changed = changed or any(states)
        asked[kind] = [one | nothing if lets else one for one, lets in zip(asked[kind], states, strict=True)]
    return not changed or not _solvable(asked, grid_rad, former_rad)


def _solvable(draws: dict, grid_rad: float, former_rad: list[float]) -> bool:
    """Whether there is a solution; with a storage that forms a voltage, one that keeps to its current limit.

    Its impedance is raised until it does: every share of its admittance is tried, from the whole to almost nothing.
    """
    if len(former_rad) != 1:
        return solved_ends(draws, grid_rad, former_rad).carried
    one, above = draws["formers"][0], False
    for share in [1.0] if one["tripped"] > 0.0 else np.geomspace(1.0, 5e-3, 80):
        held = one | {"kappa": 0.0 if one["tripped"] > 0.0 else float(share)}
        ends = solved_ends(draws | {"formers": [held]}, grid_rad, former_rad)
        if ends.carried:
            current = abs(held["kappa"] * (cmath.rect(1.0, former_rad[0]) - ends.bus)) / abs(
                complex(one["r"], one["x"])
            )
            within = current <= one["current_limit"] * one["rated_w"]
            if within and (share >= 1.0 or above):
                return True
            above = not within
        else:
            above = False
    return False


def formers_wrong(draws: dict, ends: Ends, former_rad: list[float]) -> str:
    """What is wrong with the storages that form a voltage; empty where each gives what its circuit says.

    A converter is held at its limit exactly where its impedance is raised.
    """
    for one, angle in zip(draws["formers"], former_rad, strict=True):
        if ends.bus_pu <= 0.0:
            continue
        own = one["kappa"] / complex(one["r"], one["x"])
        current = own * (cmath.rect(1.0, angle) - ends.bus)
        given = ends.bus * current.conjugate()
        most = one["current_limit"] * one["rated_w"]
        if abs(-given - complex(one["power_w"], one["power_var"])) > 1e-6 * one["rated_w"]:
            return f"a grid-forming storage gives {given:.9g} VA, and {-one['power_w']:.9g} W were reported"
        if abs(current) > most * (1.0 + _LIMIT_TOLERANCE):
            return f"a grid-forming storage exceeds its current limit by {abs(current) / most - 1.0:.2e}"
        held = abs(current) >= most * (1.0 - _LIMIT_TOLERANCE)
        if one["tripped"] <= 0.0 and one["kappa"] < 1.0 - _LIMIT_TOLERANCE and not held:
            return f"a grid-forming storage is held at {abs(current) / most:.6f} of its limit (kappa {one['kappa']:.6f})"
    return ""
