"""Pads that cool a dry cooler's air by evaporation, towards wet bulb at constant enthalpy.

    T_air = T_db − wet · η (T_db − T_wb),   water = C_air · (T_db − T_air) / h_fg

Source: ASHRAE Handbook HVAC Systems and Equipment 2020, chapter 41 (evaporative air-cooling equipment), direct
saturation effectiveness. The pads' resistance to the air is neglected.
"""

from __future__ import annotations

from aidc.jit import scalar

__all__ = ["pad_air_k", "pad_share", "pad_water_kg_s"]

_EVAPORATION_J_KG = 2.45e6  # at 20 °C: 2501 + (1.86 - 4.186) t kJ/kg, ASHRAE Handbook Fundamentals, chapter 1


@scalar
def pad_share(heat_w: float, held_w_k: float, dry_span_k: float, wet_span_k: float) -> float:
    """How far the pads are wetted (0 to 1): as far as the fans need it to stay at a stated conductance.

    Fans first rise to it, then stay while the pads come on, then rise to full speed behind wet pads; so warmer air
    never draws less.

    Parameters
    ----------
    heat_w
        Heat to reject [W].
    held_w_k
        Conductance at which the fans are held [W/K].
    dry_span_k
        Supply above dry bulb [K].
    wet_span_k
        By how much wholly wetted pads cool the air [K].
    """
    if wet_span_k <= 0.0:
        return 1.0 if heat_w > held_w_k * dry_span_k else 0.0
    wanted_k = heat_w / max(held_w_k, 1e-9)
    return min(max((wanted_k - dry_span_k) / wet_span_k, 0.0), 1.0)


@scalar
def pad_air_k(dry_bulb_k: float, wet_bulb_k: float, share: float, pad_effectiveness: float) -> float:
    """Temperature of the air behind the pads [K].

    `dry_bulb_k` and `wet_bulb_k` are those of the outdoor air [K], `share` is the part of the air that passes wet
    pads (0 to 1), and `pad_effectiveness` the share of the wet-bulb depression that the pads take up.
    """
    return dry_bulb_k - share * pad_effectiveness * max(dry_bulb_k - wet_bulb_k, 0.0)


@scalar
def pad_water_kg_s(air_w_k: float, dry_bulb_k: float, air_k: float) -> float:
    """Water that evaporates from the pads [kg/s] into a heat capacity flow of air [W/K]."""
    return air_w_k * max(dry_bulb_k - air_k, 0.0) / _EVAPORATION_J_KG
