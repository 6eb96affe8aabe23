"""Power smoothing inside accelerators: a floor that burns, and limits on the way up and down.

Parameters as NVIDIA NVML names them (nvmlDevicePowerSmoothing): floor, ramp-up, ramp-down, hysteresis.
"""

from __future__ import annotations

from aidc.jit import scalar

__all__ = ["smooth_power"]


@scalar
def smooth_power(
    wanted_w: float,
    last_w: float,
    floor_w: float,
    up_w: float,
    down_w: float,
    low_ticks: float,
    hold_ticks: float,
) -> tuple[float, float]:
    """Power that the device draws, and ticks for which its work has wanted less than the floor.

    Parameters
    ----------
    wanted_w, last_w
        What the work asks for now, and what was drawn in the step before.
    floor_w, up_w, down_w
        Floor, and the most by which power may rise or fall in one step; the fall is what burning costs.
    low_ticks, hold_ticks
        Ticks below the floor so far, and after how many the floor is given up (hysteresis).
    """
    low = low_ticks + 1.0 if wanted_w < floor_w else 0.0
    goal = max(wanted_w, floor_w) if low <= hold_ticks else wanted_w
    return min(max(goal, last_w - down_w), last_w + up_w), low
