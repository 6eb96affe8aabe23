"""Counterflow heat exchangers by effectiveness and number of transfer units (ε-NTU).

    ε = (1 − e^(−N(1−C))) / (1 − C·e^(−N(1−C))),   N = UA/Cmin,   C = Cmin/Cmax

Source: Kays and London, Compact Heat Exchangers, 3rd ed. (1984), eq. 2-13; Incropera et al., Fundamentals
of Heat and Mass Transfer, 7th ed., table 11.3 and 11.4. Valid without phase change, heat capacities constant.

The engine's nodes are at *supply* temperature, so it needs the conductance between two supplies: a hot
stream that leaves at T_s and entered at T_s + Q/C_hot gives Q = G (T_s − T_cold,in) with
G = ε·Cmin / (1 − ε·Cmin/C_hot).
"""

from __future__ import annotations

import math

from aidc.jit import scalar

__all__ = [
    "effectiveness",
    "film_conductance_w_k",
    "supply_conductance_w_k",
    "transfer_units",
]

_BALANCED = 1e-6  # below this difference of the capacity flows the limit of the formula is used


@scalar
def effectiveness(ntu: float, capacity_ratio: float) -> float:
    """Effectiveness of a counterflow exchanger, from transfer units and Cmin/Cmax (0 to 1)."""
    if ntu <= 0.0:
        return 0.0
    slack = 1.0 - capacity_ratio
    if slack < _BALANCED:
        return ntu / (1.0 + ntu)
    decay = math.exp(-ntu * slack)
    return (1.0 - decay) / (1.0 - capacity_ratio * decay)


@scalar
def transfer_units(effectiveness_frac: float, capacity_ratio: float) -> float:
    """Transfer units of a counterflow exchanger of known effectiveness (below 1)."""
    slack = 1.0 - capacity_ratio
    if slack < _BALANCED:
        return effectiveness_frac / (1.0 - effectiveness_frac)
    return math.log((1.0 - effectiveness_frac * capacity_ratio) / (1.0 - effectiveness_frac)) / slack


@scalar
def film_conductance_w_k(
    design_w_k: float, first_over_second: float, first_factor: float, second_factor: float
) -> float:
    """UA of two films in series off their design point [W/K].

    Parameters
    ----------
    design_w_k
        UA at design; the wall is neglected.
    first_over_second
        Ratio of the films' conductances at design.
    first_factor, second_factor
        Each film's conductance over its own at design, usually flow fraction to a power.
    """
    if first_factor <= 0.0 or second_factor <= 0.0:
        return 0.0
    share = 1.0 / (1.0 + first_over_second)  # of the resistance that is the first film's
    return design_w_k / (share / first_factor + (1.0 - share) / second_factor)


@scalar
def supply_conductance_w_k(ua_w_k: float, hot_w_k: float, cold_w_k: float) -> float:
    """Conductance between the hot stream's outlet and the cold stream's inlet [W/K].

    Parameters
    ----------
    ua_w_k
        Overall conductance.
    hot_w_k, cold_w_k
        Heat capacity flows.
    """
    least = min(hot_w_k, cold_w_k)
    if least <= 0.0:
        return 0.0
    ratio = least / max(hot_w_k, cold_w_k)
    moved_w_k = effectiveness(ua_w_k / least, ratio) * least
    return moved_w_k / max(1.0 - moved_w_k / hot_w_k, 1e-9)
