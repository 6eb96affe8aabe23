"""What a storage takes so that the grid sees a smooth site: running mean, or a limited ramp."""

from __future__ import annotations

from aidc.jit import scalar

__all__ = ["follow_mean", "follow_ramp", "steer_soc_w"]


@scalar
def follow_mean(target_w: float, load_w: float, gain: float) -> float:
    """Advance the grid's target towards the load by a first-order lag of step gain `gain`."""
    return target_w + gain * (load_w - target_w)


@scalar
def follow_ramp(target_w: float, load_w: float, most_w: float) -> float:
    """Advance the grid's target towards the load by at most `most_w` in this step.

    A ramp of ΔP at rate r is bridged by ΔP²/(2r) of stored energy.
    """
    return target_w + min(max(load_w - target_w, -most_w), most_w)


@scalar
def steer_soc_w(soc_frac: float, middle_frac: float, capacity_j: float, gain_per_s: float) -> float:
    """Charging power that brings the state of charge back to its middle [W].

    `soc_frac` is the state of charge and `middle_frac` the one aimed at, `capacity_j` the energy between empty and
    full [J], and `gain_per_s` the share of the deviation that is made good in a second [1/s].
    """
    return (middle_frac - soc_frac) * capacity_j * gain_per_s
