"""The shape of an accelerator: what its datasheet says, and the constants of its inference model."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from aidc.schema.base import Frac, NonNegative, Positive, Shape, TempC

__all__ = ["Accelerator", "InferenceConstants"]

_Watts = Annotated[float, Field(gt=0, le=100_000)]


class InferenceConstants(Shape):
    """Fitted constants of `aidc.plant.inference`, one set per accelerator.

    `*_frac` of bandwidth or FLOP/s are the shares of the datasheet peak that a serving engine
    reaches; they may pass 1 where the nominal traffic overstates what is moved. `*_us` are times
    per layer, expert, sequence, collective or step that no roofline explains (launch, scheduling).
    Powers are shares of the rated power.
    """

    weight_bandwidth_frac: Positive
    expert_bandwidth_frac: Positive
    kv_bandwidth_frac: Positive
    decode_flops_frac: Positive
    expert_decode_flops_frac: Positive
    prefill_flops_frac: Positive
    expert_prefill_flops_frac: Positive
    step_us: Positive
    sequence_us: Positive
    layer_us: Positive
    moe_layer_us: Positive
    expert_16bit_us: Positive
    expert_8bit_us: Positive
    expert_4bit_us: Positive
    quantised_layer_us: Positive
    collective_us: Positive
    collective_gb_per_s: Positive
    prefill_layer_us: Positive
    prefill_moe_layer_us: Positive
    prefill_ssm_layer_us: Positive
    expert_spread: Positive
    expert_imbalance: NonNegative
    active_power_frac: Positive
    memory_power_frac: Positive
    flop_power_frac: Positive
    expert_flop_power_frac: Positive
    quantised_power_frac: NonNegative


class Accelerator(Shape):
    """One accelerator package as the server sees it (a GPU, or a dual-die NPU)."""

    vendor: str
    tdp_w: _Watts = Field(description="rated board or module power")
    floor_w: _Watts = Field(description="lowest power limit that the device accepts")
    idle_w: _Watts = Field(description="clocks up, no work")
    hbm_gb: Positive
    hbm_tb_per_s: Positive
    bf16_tflops: Positive = Field(description="dense, without sparsity")
    fp8_tflops: Positive | None = None
    fp4_tflops: Positive | None = None
    link_gb_per_s: Positive = Field(description="scale-up link, both directions together")
    case_limit_c: TempC
    power_ceiling_frac: Annotated[Frac, Field(gt=0.05)] = 0.97
    inference: InferenceConstants

    @model_validator(mode="after")
    def _powers_in_order(self) -> Accelerator:
        if not self.idle_w <= self.floor_w <= self.tdp_w:
            message = "needs idle_w <= floor_w <= tdp_w"
            raise ValueError(message)
        return self

    @property
    def hbm_bytes(self) -> float:
        return self.hbm_gb * 1e9

    @property
    def hbm_bytes_per_s(self) -> float:
        return self.hbm_tb_per_s * 1e12

    @property
    def bf16_flop_per_s(self) -> float:
        return self.bf16_tflops * 1e12

    @property
    def fp8_flop_per_s(self) -> float:
        """Dense FP8 rate; a device without FP8 units computes in 16 bit."""
        return (self.fp8_tflops or self.bf16_tflops) * 1e12
