"""A brute-force judge of a step: every consumer's law written out again, the highest root by scanning and SciPy.

Nothing of the product is imported: it takes what `Window.draws` exports. Voltages in pu, powers in W and var,
impedances in pu voltage squared over VA.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy.optimize import brentq

__all__ = [
    "asked_of",
    "held_at_limit",
    "highest_root",
    "highest_root_behind",
    "is_carried",
    "load_va",
    "residuals_pu",
]

_VOLTAGES = 600  # at which the equation is tried between nothing and half as much again as the source


def _passive(v: float, knee: float) -> float:
    return min(1.0, v / knee) * min(1.0, v / 0.5)


def _currents(one: dict, v: float) -> tuple[float, float]:
    """Active limit and reactive support over rated current, by the published form of the law."""
    active, reactive = one["current_limit"], 0.0
    if v < one["priority_pu"]:
        reactive = min(one["reactive_gain"] * (one["priority_pu"] - v), one["current_limit"])
        active = math.sqrt(one["current_limit"] ** 2 - reactive**2)
    if v < one["full_pu"]:
        active *= float(np.interp(v, [one["zero_pu"], one["full_pu"]], [0.0, 1.0]))
    return active, reactive * one["supports"]


def load_va(draws: dict, v: float) -> complex:
    """What everything on the bus draws at a voltage."""
    total = complex(draws["auxiliary_w"] - draws["genset_w"]) * _passive(v, 0.9)
    fades = float(np.clip((v - draws["renewable_cut_off_pu"]) / 0.02, 0.0, 1.0))
    total -= draws["renewable_w"] * min(1.0, v / 0.9) * fades
    for one in draws["motors"]:
        total += one["power_w"] * complex(1.0, one["tan_phi"]) * _passive(v, 0.85)
    for one in draws["lineups"]:
        active, reactive = _currents(one, v)
        p = min(one["want_w"], active * one["rated_w"] * v)
        q = p * (one["tan_phi"] + one["x_per_w"] * p) - reactive * one["rated_w"] * v
        total += complex(p, q)
    for one in draws["storages"]:
        active, reactive = _currents(one, v)
        fade = float(np.clip((v - one["cease_pu"]) / 0.02, 0.0, 1.0)) if one["cease_pu"] > 0 else 1.0
        most = active * one["rated_w"] * v * fade
        p = float(np.clip(one["want_w"], -most, most))
        q = one["want_var"] + one["var_per_pu"] * (v - 1.0)
        if q != 0.0:
            room = math.sqrt(max(min(most, one["rated_w"]) ** 2 - p * p, 0.0))
            q = float(np.clip(q, -room, room))
            whole = one["current_limit"] * one["rated_w"] * v * fade  # the converter's current is one current
            q = max(q, reactive * fade * one["rated_w"] * v - math.sqrt(max(whole**2 - p * p, 0.0)))
        total += complex(p, q - reactive * fade * one["rated_w"] * v)
    return total


def _source(draws: dict, v: float) -> complex:
    """Voltage that the source would need for a bus voltage v (at angle 0), element by element."""
    current = (load_va(draws, v) / v).conjugate()
    poi = v + complex(draws["transformer_r"], draws["transformer_x"]) * current
    current += draws["no_load_w"] * poi
    return poi + complex(draws["source_r"], draws["source_x"]) * current


def highest_root(draws: dict) -> float:
    """The highest bus voltage that the source carries [pu]; 0 where there is none."""
    return _highest(lambda v: abs(_source(draws, v)), draws["source_pu"])


def highest_root_behind(draws: dict, e_pu: float, z: complex) -> float:
    """The same behind any voltage and impedance, those of the draws left out."""
    return _highest(lambda v: abs(v + z * (load_va(draws, v) / v).conjugate()), e_pu)


def _highest(needed: Callable[[float], float], e: float) -> float:
    if e <= 1e-9:
        return 0.0

    def lacks(v: float) -> float:
        return needed(v) - e

    lifted = np.linspace(max(1.5, 3.0 * e), 1.5 * e, _VOLTAGES // 5, endpoint=False)
    tried = np.concatenate([lifted, np.linspace(1.5 * e, 1e-6 * e, _VOLTAGES)])
    found = [lacks(float(v)) for v in tried]
    for k in range(1, tried.size):
        if found[k - 1] > 0.0 >= found[k]:
            return float(brentq(lacks, tried[k], tried[k - 1], xtol=1e-14, rtol=1e-14))
        if k > 1 and found[k - 1] < min(found[k - 2], found[k]) and found[k - 1] < 1e-3:
            near = np.linspace(tried[k - 2], tried[k], 2000)  # two roots that nearly touch
            close = [lacks(float(v)) for v in near]
            for j in range(1, near.size):
                if close[j - 1] > 0.0 >= close[j]:
                    return float(brentq(lacks, near[j], near[j - 1], xtol=1e-14, rtol=1e-14))
    return 0.0


def held_at_limit(draws: dict, v: float) -> bool:
    """Whether some converter's current is held at its limit, and no law of its own reduces it."""
    return any(
        abs(one["want_w"]) > one["current_limit"] * one["rated_w"] * v
        and one["zero_pu"] + one.get("cease_pu", 0.0) <= 0.0
        for one in (*draws["lineups"], *draws["storages"])
    )


def is_carried(draws: dict) -> bool:
    """Whether the network carries what is asked: there is a root, on the near side of its greatest power.

    On the far side the load's impedance is less than the source's; a current that is held at its limit has no hold
    there, unless its law reduces it.
    """
    v = highest_root(draws)
    if v <= 0.0:
        return False
    source = complex(draws["source_r"], draws["source_x"])
    behind = source / (1.0 + source * draws["no_load_w"]) + complex(
        draws["transformer_r"], draws["transformer_x"]
    )
    return not held_at_limit(draws, v) or abs(load_va(draws, v)) * abs(behind) <= v * v


def asked_of(draws: dict) -> dict:
    """The same step with what was asked for before converters let go of a network without a solution."""

    def asked(one: dict) -> dict:
        known = {"asked_w": "want_w", "asked_var": "want_var", "asked_var_per_pu": "var_per_pu"}
        changed = {known.get(key, "supports"): value for key, value in one.items() if key.startswith("asked")}
        return one | changed

    return draws | {kind: [asked(one) for one in draws[kind]] for kind in ("lineups", "storages")}


def residuals_pu(
    draws: dict, poi_pu: float, poi_w: float, poi_var: float, bus_pu: float
) -> tuple[float, float]:
    """Complex residuals of Kirchhoff's laws at the bus and at the point of interconnection, of what was reported.

    At the bus: the current that leaves the transformer less the one that the consumers draw. At the point of
    interconnection: the source's current less that of the meter, over the rated current of all that is connected; in
    terms of the voltage where the source has no impedance.
    """
    if bus_pu <= 0.0 or poi_pu <= 0.0:
        return 0.0, abs(poi_pu - draws["source_pu"])
    rated = sum(one["rated_w"] for one in draws["lineups"]) + sum(one["power_w"] for one in draws["motors"])
    metered = (complex(poi_w, poi_var) / poi_pu).conjugate()  # at angle 0 of the point of interconnection
    through = metered - draws["no_load_w"] * poi_pu
    bus = poi_pu - complex(draws["transformer_r"], draws["transformer_x"]) * through
    drawn = (load_va(draws, bus_pu) / bus_pu).conjugate() * bus / abs(bus)
    source = poi_pu + complex(draws["source_r"], draws["source_x"]) * metered
    return max(abs(through - drawn) / rated, abs(abs(bus) - bus_pu)), abs(abs(source) - draws["source_pu"])
