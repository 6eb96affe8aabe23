"""Generator sets: when they are called and carry, what they can give in a step, fuel over output, and carbon.

Efficiency points of the data sheet become the loss curve of `conversion`, with fuel (lower heating
value) as the input: near a straight line of fuel over output, as engines have (Willans). Sets of one entry
start and stop together and share the load in proportion to their rating.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from aidc.jit import scalar
from aidc.plant.conversion import StageLoss, input_power_w, online_multiple, output_power_w
from aidc.plant.fit_conversion import fit_loss_curve
from aidc.schema.renewables import Genset
from aidc.units import MEGA

__all__ = [
    "GensetParams",
    "fuel_loss",
    "fuel_power_w",
    "genset_clock",
    "genset_params",
    "genset_range_w",
]

_ROUNDING_S = 1e-6  # of clocks that are summed step by step


class GensetParams(NamedTuple):
    """Figures of the sets of one entry; `fuel_*` is the loss curve over power per unit of rating."""

    power_w: float
    unit_w: float
    units: float
    minimum_frac: float
    call_s: float
    ready_s: float
    stop_s: float
    ramp_frac_per_s: float
    fuel_a: float
    fuel_b: float
    fuel_c: float


def genset_params(genset: Genset) -> GensetParams:
    """Parameters of the sets of one entry, spares counted in `units`."""
    fit = fit_loss_curve(list(zip(genset.load_frac, genset.efficiency_frac, strict=True)))
    return GensetParams(
        genset.power_mw * MEGA,
        genset.power_mw * MEGA / genset.units,
        round(genset.units * online_multiple(genset.redundancy, genset.units)),
        genset.minimum_load_frac,
        genset.call_s,
        genset.call_s + genset.start_time_s + genset.synchronise_s,
        genset.stop_s,
        genset.ramp_frac_per_s,
        fit.a,
        fit.b,
        fit.c,
    )


@scalar
def genset_clock(
    clock_s: float, sufficed_s: float, lacking: bool, dt_s: float, call_s: float, stop_s: float
) -> tuple[float, float]:
    """Advance the clock that started with a lack, and that of the time since the others suffice [s].

    A lack shorter than `call_s` calls nobody. Once called, sets start and run on until the others have
    sufficed for `stop_s`; then the clock stands at 0 again.

    `clock_s` and `sufficed_s` are the two clocks before the step [s], `lacking` says whether the sources lacked
    anything in it, and `dt_s` is its length [s].
    """
    if lacking:
        return clock_s + dt_s, 0.0
    if clock_s <= 0.0 or clock_s < call_s - _ROUNDING_S:
        return 0.0, 0.0
    if sufficed_s + dt_s >= stop_s - _ROUNDING_S:
        return 0.0, 0.0
    return clock_s + dt_s, sufficed_s + dt_s


@scalar
def genset_range_w(
    clock_s: float, power_w: float, fuel_j: float, part: float, dt_s: float, params: GensetParams
) -> tuple[float, float, float]:
    """What the sets can give in a step.

    Parameters
    ----------
    clock_s
        From `genset_clock`, at the start of the step [s].
    power_w
        What they gave in the step before [W]; they rise from there by at most their ramp, and fall at once.
    fuel_j
        In the tank (lower heating value) [J].
    part
        Share of the sets, spares counted, that is in service.
    dt_s
        Step [s].
    params
        From `genset_params`.

    Returns
    -------
    tuple
        Least and greatest output, and the rating of the sets that run [W]; zeros while none carries.
    """
    online_w = math.floor(part * params.units + 0.5) * params.unit_w
    if clock_s < params.ready_s - _ROUNDING_S or clock_s <= 0.0 or online_w <= 0.0:
        return 0.0, 0.0, 0.0
    fuel_w = output_power_w(fuel_j / dt_s, params.fuel_a * online_w, params.fuel_b, params.fuel_c / online_w)
    high_w = min(online_w, params.power_w, fuel_w)
    high_w = min(high_w, power_w + params.ramp_frac_per_s * online_w * dt_s)
    if high_w <= 0.0:
        return 0.0, 0.0, 0.0
    return min(params.minimum_frac * online_w, high_w), high_w, online_w


@scalar
def fuel_power_w(power_w: float, online_w: float, params: GensetParams) -> float:
    """Fuel (lower heating value) that running sets of a rating burn at an output [W]; 0 where none runs."""
    if online_w <= 0.0:
        return 0.0
    return input_power_w(power_w, params.fuel_a * online_w, params.fuel_b, params.fuel_c / online_w)


def fuel_loss(genset: Genset) -> StageLoss:
    """Fuel over output: `conversion.input_power_w(power_w, *fuel_loss(genset)[:3])` is fuel power [W]."""
    fit = fit_loss_curve(list(zip(genset.load_frac, genset.efficiency_frac, strict=True)))
    rated_w = genset.power_mw * MEGA
    return StageLoss(fit.a * rated_w, fit.b, fit.c / rated_w, rated_w)
