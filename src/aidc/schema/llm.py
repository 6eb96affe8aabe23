"""The shape of a large language model: what decides its traffic, its arithmetic and its memory."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from aidc.schema.base import Positive, Shape

__all__ = ["BYTES_PER_PARAMETER", "Llm", "Precision"]

Precision = Literal["bf16", "fp8", "fp4"]

# MXFP4 stores a block of 32 four-bit values with one eight-bit scale (OCP Microscaling v1.0); the
# attention and embedding weights of a 4-bit model stay in 16 bit, which brings the mean to ~0.6.
BYTES_PER_PARAMETER: dict[Precision, float] = {"bf16": 2.0, "fp8": 1.0, "fp4": 0.6}

Count = Annotated[int, Field(ge=1, le=100_000)]


class Llm(Shape):
    """An open-weight model. Architecture figures may be missing; they are then estimated from size.

    `window_layers` of the `attention_layers` attend to the last `window_tokens` only. `latent_dim`
    is the width of a compressed key-value cache (multi-head latent attention), which replaces
    `kv_heads` and `head_dim`. `ssm_state_mb` is the recurrent state of one sequence in FP32.
    """

    organisation: str
    """Who published it."""
    parameters_b: Positive = Field(description="total, in billions")
    activated_b: Positive = Field(description="used for one token, in billions")
    precision: Precision = "bf16"
    """Precision in which it is served where a service names none."""
    layers: Count | None = None
    """Number of layers."""
    hidden: Count | None = None
    """Width of the hidden state."""
    attention_layers: Count | None = None
    """Layers with attention."""
    kv_heads: Count | None = None
    """Key-value heads of a layer."""
    head_dim: Count | None = None
    """Width of a head."""
    latent_dim: Count | None = None
    """Width of a compressed key-value cache, in place of `kv_heads` and `head_dim`."""
    window_tokens: Count | None = None
    """Tokens that windowed layers attend to."""
    window_layers: Count | None = None
    """Attention layers with that window."""
    experts: Count | None = None
    """Experts of a mixture-of-experts layer."""
    experts_per_token: Count | None = None
    """Experts that work on one token."""
    moe_layers: Count | None = None
    """Layers with experts."""
    ssm_layers: Count | None = None
    """Recurrent layers."""
    ssm_state_mb: Positive | None = None
    """Recurrent state of one sequence in FP32 (10⁶ bytes)."""
    aliases: list[str] = Field(default_factory=list)
    """Other names of the same model."""

    @model_validator(mode="after")
    def _consistent(self) -> Llm:
        if self.activated_b > self.parameters_b:
            message = "activated_b must not exceed parameters_b"
            raise ValueError(message)
        if (self.experts is None) != (self.experts_per_token is None):
            message = "experts and experts_per_token belong together"
            raise ValueError(message)
        if self.experts is not None and (self.experts_per_token or 0) >= self.experts:
            message = "experts_per_token must be below experts"
            raise ValueError(message)
        if (self.window_tokens is None) != (self.window_layers is None):
            message = "window_tokens and window_layers belong together"
            raise ValueError(message)
        return self

    @property
    def parameters(self) -> float:
        return self.parameters_b * 1e9

    @property
    def activated(self) -> float:
        return self.activated_b * 1e9

    @property
    def is_moe(self) -> bool:
        """Whether only part of the parameters works on a token."""
        return self.activated_b < 0.999 * self.parameters_b
