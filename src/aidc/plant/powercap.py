"""What a power limit on an accelerator costs in throughput.

The limit acts on the power that the accelerator would draw without it. A device under a limit
lowers its clock; the power that moves with the clock is what lies above the static power, so

    x = (cap - static) / (uncapped - static)          share of the moving power that is left
    f = x^(1/alpha)                                   clock, relative to the uncapped one
    g = ((beta / f)^m + 1 - beta^m)^(-1/m)            throughput, relative to the uncapped one

The last line is a roofline with a rounded knee: a step takes about the longer of its clock-bound
part (`beta` of the uncapped step, growing as 1/f) and of what the clock does not move (memory,
host). `m = 1` adds the two parts up, large `m` takes the longer. Small limits cost little, because
`beta < 1` is hidden behind the rest; deep ones cost more than they save.

A limit at or above the uncapped power costs nothing. Below the device's floor (the lowest limit
that it enforces) the device stays at its floor.

The form is ours; its constants are fitted on measured sweeps by `fit_powercap` and stand in the
catalogue under `powercap`. Range: limits from the floor to the rated power. Its error, with the
workload left out of the fit, is the validation case `power-cap`.
"""

from __future__ import annotations

from typing import NamedTuple

from aidc.jit import scalar
from aidc.schema.powercap import PowerCapShape

__all__ = [
    "CapCurve",
    "cap_curve",
    "cap_for_throughput_w",
    "capped_power_w",
    "relative_throughput",
]


class CapCurve(NamedTuple):
    """The constants of one accelerator, in watts per accelerator."""

    static_w: float
    floor_w: float
    alpha: float
    beta: float
    knee: float


@scalar
def capped_power_w(uncapped_w: float, cap_w: float, floor_w: float) -> float:
    """Power of an accelerator under a limit, W: the uncapped power, the limit, or the floor."""
    return min(uncapped_w, max(cap_w, floor_w))


@scalar
def relative_throughput(cap_w: float, uncapped_w: float, curve: CapCurve) -> float:
    """Throughput under a limit over throughput without it, 0 < g <= 1.

    Parameters
    ----------
    cap_w
        Limit per accelerator, W.
    uncapped_w
        Mean power that the accelerator would draw without the limit, W.
    curve
        Constants of the accelerator.

    Returns
    -------
    float
        Rises with the limit, falls with the uncapped power, exactly 1 where the limit does not bind.
    """
    held_w = max(cap_w, curve.floor_w)
    if held_w >= uncapped_w:
        return 1.0
    moving = (held_w - curve.static_w) / (uncapped_w - curve.static_w)
    clock = moving ** (1.0 / curve.alpha)
    hidden = 1.0 - curve.beta**curve.knee
    return ((curve.beta / clock) ** curve.knee + hidden) ** (-1.0 / curve.knee)


@scalar
def cap_for_throughput_w(target_frac: float, uncapped_w: float, curve: CapCurve) -> float:
    """The lowest limit that keeps a share of the throughput, W: the inverse of `relative_throughput`.

    Not below the floor; the uncapped power for a target of 1 or more.
    """
    if target_frac >= 1.0:
        return uncapped_w
    if target_frac <= 0.0:
        return curve.floor_w
    slow = target_frac**-curve.knee - (1.0 - curve.beta**curve.knee)
    clock = curve.beta / slow ** (1.0 / curve.knee)
    cap_w = curve.static_w + clock**curve.alpha * (uncapped_w - curve.static_w)
    return max(curve.floor_w, min(cap_w, uncapped_w))


def cap_curve(shape: PowerCapShape, tdp_w: float) -> CapCurve:
    """The cap curve of an accelerator of the given rated power (W)."""
    return CapCurve(shape.static_frac * tdp_w, shape.floor_frac * tdp_w, shape.alpha, shape.beta, shape.knee)
