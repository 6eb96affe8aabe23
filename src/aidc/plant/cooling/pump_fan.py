"""Pumps and fans by the affinity laws: flow ∝ speed, head ∝ speed², power ∝ speed³ on a friction curve.

A pump that holds a fixed pressure difference draws power in proportion to flow. Efficiency is taken as
constant. Source: ASHRAE Handbook HVAC Systems and Equipment 2020, chapters 21 (fans) and 44 (pumps).
"""

from __future__ import annotations

from aidc.jit import scalar

__all__ = ["fan_power_w", "hydraulic_power_w", "pump_power_w"]


@scalar
def pump_power_w(flow_frac: float, rated_w: float, static_frac: float) -> float:
    """Power of a pump at a fraction of rated flow [W]; `static_frac` of its head is fixed."""
    return rated_w * flow_frac * (static_frac + (1.0 - static_frac) * flow_frac * flow_frac)


@scalar
def fan_power_w(speed_frac: float, rated_w: float) -> float:
    """Power of a variable-speed fan at a fraction of rated speed [W]."""
    return rated_w * speed_frac * speed_frac * speed_frac


def hydraulic_power_w(flow_m3_s: float, head_pa: float, efficiency_frac: float) -> float:
    """Electricity that moves a volume flow [m³/s] against a head [Pa], wire to water [W]."""
    return flow_m3_s * head_pa / efficiency_frac
