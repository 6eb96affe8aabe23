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
    communication_frac: Annotated[float, Field(ge=0, le=2)]
    evaluation_frac: Annotated[float, Field(ge=0, le=2)]
    checkpoint_frac: Annotated[float, Field(ge=0, le=2)]
    restart_frac: Annotated[float, Field(ge=0, le=2)]
    idle_frac: Annotated[float, Field(ge=0, le=2)]


class _Rate(Shape):
    """Share of communication, and utilisation at a number of accelerators with its decay."""

    communication_share: Annotated[float, Field(ge=0, lt=1)]
    mfu_8bit: Annotated[float, Field(gt=0, le=1)]
    mfu_8bit_accelerators: Annotated[float, Field(ge=1, le=1e7)]
    mfu_16bit: Annotated[float, Field(gt=0, le=1)]
    mfu_16bit_accelerators: Annotated[float, Field(ge=1, le=1e7)]
    mfu_decay: Annotated[float, Field(ge=0, le=1)]


class _TrainingServer(Shape):
    """Power at the wall over the rated power of the accelerators."""

    wall_per_tdp: Annotated[float, Field(ge=1, le=5)]


class TrainingShape(Shape):
    """An entry of `training`: levels and rate of a class of accelerators."""

    levels: _Levels
    rate: _Rate
    server: _TrainingServer | None = None


class _Gpu(Shape):
    """Published figures of the accelerator."""

    tdp_w: Positive
    bandwidth_b_s: Annotated[float, Field(gt=0, le=1e18)]
    flops_16bit: Annotated[float, Field(gt=0, le=1e21)]
    flops_8bit: Annotated[float, Field(gt=0, le=1e21)]
    memory_b: Positive


class _Law(Shape):
    """Constants of `aidc.plant.ripple`."""

    bandwidth_eff: Annotated[float, Field(gt=0, le=1)]
    flops_eff: Annotated[float, Field(gt=0, le=1)]
    layer_s: Annotated[float, Field(ge=0, le=1)]
    link_s: Annotated[float, Field(ge=0, le=1)]
    floor_frac: Frac
    bytes_gain: _Small
    flops_gain: _Small
    moe_flops_factor: _Small
    burst_s: Annotated[float, Field(ge=0, le=1)]
    burst_frac: Annotated[float, Field(ge=0, le=2)]
    moe_burst_frac: Annotated[float, Field(ge=0, le=2)]
    noise_frac: Annotated[float, Field(ge=0, le=1)]
    gpu_noise_frac: Annotated[float, Field(ge=0, le=1)]
    burst_noise_frac: Annotated[float, Field(ge=0, le=1)]


class RippleShape(Shape):
    """An entry of `ripple`: an accelerator and its law at 100 ms."""

    calibrated_on: tuple[str, ...] = ()
    gpu: _Gpu
    law: _Law


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
