"""Entries that serve an accelerator without being named in a site file: power cap, training levels, ripple."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from aidc.schema.base import Frac, Positive, Shape
from aidc.schema.powercap import PowerCapShape

__all__ = ["Devices", "RippleShape", "TrainingShape"]

_Small = Annotated[float, Field(ge=0, le=100)]


class _Levels(Shape):
    """Power of the accelerators in each phase over their rated power."""

    compute_frac: Annotated[float, Field(gt=0, le=2)]
    """While computing."""
    communication_frac: Annotated[float, Field(ge=0, le=2)]
    """While communicating."""
    evaluation_frac: Annotated[float, Field(ge=0, le=2)]
    """In validation passes."""
    checkpoint_frac: Annotated[float, Field(ge=0, le=2)]
    """While saving the state."""
    restart_frac: Annotated[float, Field(ge=0, le=2)]
    """While a job restarts."""
    idle_frac: Annotated[float, Field(ge=0, le=2)]
    """Without work."""


class _Rate(Shape):
    """Share of communication, and utilisation at a number of accelerators with its decay."""

    communication_share: Annotated[float, Field(ge=0, lt=1)]
    """Share of an iteration spent communicating."""
    mfu_8bit: Annotated[float, Field(gt=0, le=1)]
    """Share of the dense 8-bit peak that a model's arithmetic reaches."""
    mfu_8bit_accelerators: Annotated[float, Field(ge=1, le=1e7)]
    """Number of accelerators that this was reached on."""
    mfu_16bit: Annotated[float, Field(gt=0, le=1)]
    """Share of the dense 16-bit peak that a model's arithmetic reaches."""
    mfu_16bit_accelerators: Annotated[float, Field(ge=1, le=1e7)]
    """Number of accelerators that this was reached on."""
    mfu_decay: Annotated[float, Field(ge=0, le=1)]
    """Decay of that share with the number of accelerators."""


class _TrainingServer(Shape):
    """Power at the wall over the rated power of the accelerators."""

    wall_per_tdp: Annotated[float, Field(ge=1, le=5)]
    """Power at the wall while training over the accelerators' rated power."""


class TrainingShape(Shape):
    """An entry of `training`: levels and rate of a class of accelerators."""

    levels: _Levels
    """Power of the accelerators in each phase over rated power."""
    rate: _Rate
    """How fast it trains."""
    server: _TrainingServer | None = None
    """Power at the wall of a whole server."""


class _Gpu(Shape):
    """Published figures of the accelerator."""

    tdp_w: Positive
    """Rated power."""
    bandwidth_b_s: Annotated[float, Field(gt=0, le=1e18)]
    """Peak memory bandwidth [B/s]."""
    flops_16bit: Annotated[float, Field(gt=0, le=1e21)]
    """Dense peak [FLOP/s]."""
    flops_8bit: Annotated[float, Field(gt=0, le=1e21)]
    """Dense peak [FLOP/s]."""
    memory_b: Positive
    """Memory [B]."""


class _Law(Shape):
    """Constants of `aidc.plant.ripple`."""

    bandwidth_eff: Annotated[float, Field(gt=0, le=1)]
    """Share of the peak bandwidth that is reached."""
    flops_eff: Annotated[float, Field(gt=0, le=1)]
    """Share of the peak FLOP/s that is reached."""
    layer_s: Annotated[float, Field(ge=0, le=1)]
    """Time per layer."""
    link_s: Annotated[float, Field(ge=0, le=1)]
    """Time per collective and doubling of accelerators."""
    floor_frac: Frac
    """Power at work before traffic and arithmetic, of rated power."""
    bytes_gain: _Small
    """Power that a fully busy memory adds, of rated power."""
    flops_gain: _Small
    """Power that fully busy arithmetic adds, of rated power."""
    moe_flops_factor: _Small
    """That gain of a mixture of experts over that of a dense model."""
    burst_s: Annotated[float, Field(ge=0, le=1)]
    """Time that a prefill adds to its burst."""
    burst_frac: Annotated[float, Field(ge=0, le=2)]
    """Power of a burst, of rated power."""
    moe_burst_frac: Annotated[float, Field(ge=0, le=2)]
    """Power of a burst of a mixture of experts, of rated power."""
    noise_frac: Annotated[float, Field(ge=0, le=1)]
    """Deviation between bursts, common to the replica, of rated power."""
    gpu_noise_frac: Annotated[float, Field(ge=0, le=1)]
    """Deviation between bursts of each accelerator, of rated power."""
    burst_noise_frac: Annotated[float, Field(ge=0, le=1)]
    """Deviation within bursts, of rated power."""


class RippleShape(Shape):
    """An entry of `ripple`: an accelerator and its law at 100 ms."""

    calibrated_on: tuple[str, ...] = ()
    """Models that the constants were fitted on."""
    gpu: _Gpu
    """Published figures of the accelerator."""
    law: _Law
    """Fitted constants."""


class Devices(Shape):
    """What the catalogue has for a pod's accelerator; training and ripple where a job or a service needs them."""

    powercap: PowerCapShape
    training: TrainingShape | None = None
    ripple: RippleShape | None = None

    @property
    def trained(self) -> TrainingShape:
        """The training entry of a pod that a job runs on."""
        if self.training is None:
            raise LookupError("no job runs on this pod")
        return self.training

    @property
    def served(self) -> RippleShape:
        """The ripple entry of a pod that serves."""
        if self.ripple is None:
            raise LookupError("no service runs on this pod")
        return self.ripple
