"""Conversion stages: transformer, UPS, rectifier, power shelf, busbar, each by one loss curve.

A stage of rating R with m times its N capacity on line loses, at output P [W],

    loss = m·R·(a + b·x + c·x²)  with  x = P / (m·R),   that is   A + B·P + C·P²

so that the engine needs no division. The form is that of Notton et al., Renewable Energy 35 (2010)
541-554, doi:10.1016/j.renene.2009.07.013, for inverters; a transformer is a (no load) and c (load).
Valid from no load to the rating; beyond it the curve extrapolates and the engine reports the overload.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

from aidc.jit import scalar
from aidc.schema.chain import Chain, LossCurve, Redundancy, Stage

__all__ = [
    "ChainStage",
    "StageLoss",
    "chain_efficiency",
    "chain_stages",
    "efficiency",
    "input_power_w",
    "loss_w",
    "online_multiple",
    "output_power_w",
    "stage_coefficients",
    "stage_efficiency",
]


class StageLoss(NamedTuple):
    """Loss [W] of a stage at output P [W]: `no_load_w + linear·P + quadratic_per_w·P²`.

    `capacity_w` is what the stage may carry at N, spare modules not counted.
    """

    no_load_w: float
    linear: float
    quadratic_per_w: float
    capacity_w: float


class ChainStage(NamedTuple):
    """A stage of a pod's lineup, sized and ready for the engine."""

    stage: Stage
    loss: StageLoss


@scalar
def loss_w(output_w: float, no_load_w: float, linear: float, quadratic_per_w: float) -> float:
    """Loss of a stage [W]; power flowing backwards loses by its magnitude.

    `output_w` is the power put out [W]. `no_load_w` [W], `linear` [W/W] and `quadratic_per_w` [1/W] are the
    coefficients of the stage's loss over its output.
    """
    size_w = abs(output_w)
    return no_load_w + (linear + quadratic_per_w * size_w) * size_w


@scalar
def input_power_w(output_w: float, no_load_w: float, linear: float, quadratic_per_w: float) -> float:
    """Power that a stage takes in to put out `output_w` [W].

    `no_load_w` [W], `linear` [W/W] and `quadratic_per_w` [1/W] are the coefficients of the stage's loss over its
    output.
    """
    return output_w + loss_w(output_w, no_load_w, linear, quadratic_per_w)


@scalar
def output_power_w(input_w: float, no_load_w: float, linear: float, quadratic_per_w: float) -> float:
    """Power that a stage puts out from `input_w` [W]; 0 where the input does not cover the no-load loss.

    `no_load_w` [W], `linear` [W/W] and `quadratic_per_w` [1/W] are the coefficients of the stage's loss over its
    output.
    """
    surplus_w = input_w - no_load_w
    if surplus_w <= 0.0:
        return 0.0
    slope = 1.0 + linear
    return 2.0 * surplus_w / (slope + math.sqrt(slope * slope + 4.0 * quadratic_per_w * surplus_w))


@scalar
def efficiency(output_w: float, no_load_w: float, linear: float, quadratic_per_w: float) -> float:
    """Output over input of a stage, 0 at no load.

    `output_w` is the power put out [W]. `no_load_w` [W], `linear` [W/W] and `quadratic_per_w` [1/W] are the
    coefficients of the stage's loss over its output.
    """
    if output_w <= 0.0:
        return 0.0
    return output_w / input_power_w(output_w, no_load_w, linear, quadratic_per_w)


def online_multiple(redundancy: Redundancy, modules: int) -> float:
    """Capacity on line over the N capacity: 1 for N, (modules + 1)/modules for N+1, 2 for 2N."""
    if redundancy == "2N":
        return 2.0
    return (modules + 1.0) / modules if redundancy == "N+1" else 1.0


def stage_coefficients(stage: Stage, rated_w: float, redundancy: Redundancy = "N") -> StageLoss:
    """Loss coefficients of a stage.

    Parameters
    ----------
    stage
        Loss curve, sizing and modules; its own `redundancy` goes before the argument.
    rated_w
        Power that leaves the stage when the pod draws its rated power [W].
    redundancy
        The chain's.
    """
    capacity_w = rated_w * stage.sizing
    online_w = capacity_w * online_multiple(stage.redundancy or redundancy, stage.modules)
    return StageLoss(stage.a * online_w, stage.b, stage.c / online_w, capacity_w)


def chain_stages(
    chain: Chain, inlet_w: float, network_w: float = 0.0, built_w: Mapping[str, float] | None = None
) -> tuple[ChainStage, ...]:
    """The stages of one lineup, rack side first, each sized for what flows out of it at nameplate.

    The nameplate is what enters the racks: it leaves the last stage of the site, and what passes the stages of the
    server is the nameplate less the network, less the losses of the stages in front.

    Parameters
    ----------
    chain
        Stages with the grid side first.
    inlet_w
        Nameplate of the pod's racks at their inlet, network included [W].
    network_w
        The part of it that branches off in front of the servers' stages [W].
    built_w
        What stages may carry at N that have been sized already [W], by name.
    """
    built_w = built_w or {}
    rated_w: dict[str, float] = {}
    power_w = max(inlet_w - network_w, 0.0)
    for stage in chain.stages:
        if stage.boundary == "server":
            power_w /= _input_over_rated(stage, chain.redundancy)
            rated_w[stage.name] = power_w
    power_w = inlet_w
    for stage in reversed(chain.stages):
        if stage.boundary == "site":
            rated_w[stage.name] = power_w
            power_w *= _input_over_rated(stage, chain.redundancy)
    return tuple(
        ChainStage(
            stage,
            stage_coefficients(
                stage,
                built_w[stage.name] / stage.sizing if stage.name in built_w else rated_w[stage.name],
                chain.redundancy,
            ),
        )
        for stage in reversed(chain.stages)
    )


def _input_over_rated(stage: Stage, redundancy: Redundancy) -> float:
    """What enters a stage over what leaves it at the flow that it is sized for."""
    online = stage.sizing * online_multiple(stage.redundancy or redundancy, stage.modules)
    return 1.0 + stage.a * online + stage.b + stage.c / online


def stage_efficiency(stage: LossCurve, load_frac: float) -> float:
    """Efficiency of a stage at a load per unit of the capacity on line."""
    if load_frac <= 0.0:
        return 0.0
    return load_frac / (load_frac + stage.a + stage.b * load_frac + stage.c * load_frac * load_frac)


def chain_efficiency(chain: Chain, load_frac: float) -> float:
    """Product of the stage efficiencies with every stage at `load_frac` of its capacity on line."""
    return math.prod(stage_efficiency(stage, load_frac) for stage in chain.stages)
