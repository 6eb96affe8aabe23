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
    """Share of the peak bandwidth reached while reading shared weights."""
    expert_bandwidth_frac: Positive
    """Share of the peak bandwidth reached while reading weights of experts."""
    kv_bandwidth_frac: Positive
    """Share of the peak bandwidth reached while reading the key-value cache."""
    decode_flops_frac: Positive
    """Share of the peak FLOP/s reached while decoding, shared layers."""
    expert_decode_flops_frac: Positive
    """Share of the peak FLOP/s reached while decoding, experts."""
    prefill_flops_frac: Positive
    """Share of the peak FLOP/s reached in prefill, shared layers."""
    expert_prefill_flops_frac: Positive
    """Share of the peak FLOP/s reached in prefill, experts."""
    step_us: Positive
    """Time of an engine step that nothing else explains."""
    sequence_us: Positive
    """Host time per sequence and step."""
    layer_us: Positive
    """Time per layer and step."""
    moe_layer_us: Positive
    """Further time per mixture-of-experts layer and step."""
    expert_16bit_us: Positive
    """Time per local expert, layer and step at 16 bit."""
    expert_8bit_us: Positive
    """Time per local expert, layer and step at 8 bit."""
    expert_4bit_us: Positive
    """Time per local expert, layer and step at 4 bit."""
    quantised_layer_us: Positive
    """Further time per layer and step of a dense model at 8 or 4 bit."""
    collective_us: Positive
    """Latency of a collective, per doubling of the accelerators."""
    collective_gb_per_s: Positive
    """Bandwidth that collectives reach."""
    prefill_layer_us: Positive
    """Time per layer of a prefill."""
    prefill_moe_layer_us: Positive
    """Time per mixture-of-experts layer of a prefill."""
    prefill_ssm_layer_us: Positive
    """Time per recurrent layer of a prefill."""
    expert_spread: Positive
    """How independently the tokens of a batch choose experts (1: wholly)."""
    expert_imbalance: NonNegative
    """Further work of the busiest accelerator per doubling, with experts spread over several."""
    active_power_frac: Positive
    """Power of an accelerator at work before any traffic or arithmetic, of the rated power."""
    memory_power_frac: Positive
    """Power that a fully busy memory adds, of the rated power."""
    flop_power_frac: Positive
    """Power that fully busy arithmetic adds, shared layers, of the rated power."""
    expert_flop_power_frac: Positive
    """Power that fully busy arithmetic adds, experts, of the rated power."""
    quantised_power_frac: NonNegative
    """Power that dequantising of experts adds, of the rated power."""


class Accelerator(Shape):
    """One accelerator package as the server sees it (a GPU, or a dual-die NPU)."""

    vendor: str
    """Who makes it."""
    tdp_w: _Watts = Field(description="rated board or module power")
    floor_w: _Watts = Field(description="lowest power limit that the device accepts")
    idle_w: _Watts = Field(description="clocks up, no work")
    hbm_gb: Positive
    """Memory (10⁹ bytes)."""
    hbm_tb_per_s: Positive
    """Peak memory bandwidth."""
    bf16_tflops: Positive = Field(description="dense, without sparsity")
    fp8_tflops: Positive | None = None
    """Dense, without sparsity. Default: none, it computes in 16 bit."""
    fp4_tflops: Positive | None = None
    """Dense, without sparsity. Default: none."""
    link_gb_per_s: Positive = Field(description="scale-up link, both directions together")
    case_limit_c: TempC
    """Case temperature at which it throttles."""
    power_ceiling_frac: Annotated[Frac, Field(gt=0.05)] = 0.97
    """Where the power settles under a full load, over rated power (fitted on boards' own sensors)."""
    inference: InferenceConstants
    """Fitted constants of the inference model."""

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
