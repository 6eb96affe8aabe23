"""A `Replica` from a model, an accelerator and a deployment: the coefficients of `plant.inference`.

Traffic, arithmetic and memory follow from the published shapes of model and accelerator; the
constants of the accelerator say how much of its peaks a serving engine reaches. What decides:

- Weights outside the experts are split over the tensor-parallel group, experts over all accelerators;
  data-parallel attention keeps a whole copy of the former in each rank.
- KV cache is split over no more accelerators than there are KV heads; a latent cache is not split.
- The busiest accelerator of an expert-parallel group has more work: 1 + imbalance·log2(n).
- Under data-parallel attention the ranks run in lockstep, so a prefill on one holds up all of them.
- Quantised experts cost a time per local expert whether used or not, which at small batch is why an
  8-bit mixture of experts can be slower than its 16-bit original.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np

from aidc.errors import InputError, Problem
from aidc.plant.inference import Replica
from aidc.schema.accelerator import Accelerator
from aidc.schema.llm import BYTES_PER_PARAMETER, Llm, Precision

__all__ = ["Chip", "Deployment", "chip_of", "coefficients", "deployment", "max_batch", "replica"]

US: Final = 1e-6
GB: Final = 1e9
USABLE_MEMORY: Final = 0.9  # vLLM's default gpu_memory_utilization, of which the weights take their part
FP8_SPEED_UP: Final = 1.6  # of dense FP8 over BF16 in practice, against 2 on the datasheet


class Deployment(NamedTuple):
    """A model as it is served. Fields are floats, or arrays of equal length for the fit."""

    parameters: Any
    activated: Any
    layers: Any
    hidden: Any
    full_layers: Any
    window_layers: Any
    window_tokens: Any
    kv_layer_bytes: Any
    kv_shards: Any
    ssm_layers: Any
    ssm_bytes: Any
    experts: Any
    top_k: Any
    moe_layers: Any
    bytes_per_parameter: Any
    eight_bit: Any
    four_bit: Any
    accelerators: Any
    tensor: Any
    expert_parallel: Any
    input_tokens: Any
    output_tokens: Any
    host_s: Any


class Chip(NamedTuple):
    """Datasheet figures of the accelerator in SI, and its constants by name (floats or arrays)."""

    tdp_w: Any
    idle_w: Any
    ceiling_frac: Any
    bytes_per_s: Any
    flop_per_s: Any
    constants: Mapping[str, Any]


def chip_of(accelerator: Accelerator) -> Chip:
    """The accelerator as floats."""
    return Chip(
        accelerator.tdp_w,
        accelerator.idle_w,
        accelerator.power_ceiling_frac,
        accelerator.hbm_bytes_per_s,
        accelerator.bf16_flop_per_s,
        accelerator.inference.model_dump(),
    )


def guess_layers(parameters: float, activated: float) -> float:
    """Layers of a model of unknown shape: dense 32 at 8 B growing as N^⅓, sparse 48 at 30 B as N^0.2."""
    if activated < 0.999 * parameters:
        return 48.0 * (parameters / 30e9) ** 0.2
    return 32.0 * (parameters / 8e9) ** 0.34


def guess_hidden(parameters: float, activated: float) -> float:
    """Width of a model of unknown shape, from the parameters that work on each token."""
    if activated < 0.999 * parameters:
        return 2048.0 * (activated / 3e9) ** 0.45
    return 4096.0 * (parameters / 8e9) ** 0.33


def _or(value: float | None, default: float) -> float:
    return default if value is None else float(value)


def deployment(
    llm: Llm,
    accelerators: int,
    *,
    tensor_parallel: int | None = None,
    expert_parallel: int | None = None,
    precision: Precision | None = None,
    input_tokens: float,
    output_tokens: float,
    host_s: float = 0.0,
) -> Deployment:
    """The model as served; missing architecture figures are estimated from its size.

    `tensor_parallel` defaults to all accelerators; fewer means data-parallel attention in groups of
    that size. `expert_parallel` defaults to all accelerators for a mixture of experts.

    `precision` is that of the weights, by default the model's own. `input_tokens` and `output_tokens` are the mean
    lengths of a request, and `host_s` is the time that the host adds to each step [s].
    """
    tensor = tensor_parallel or accelerators
    bits = precision or llm.precision
    layers = _or(llm.layers, guess_layers(llm.parameters, llm.activated))
    attention = _or(llm.attention_layers, layers)
    windowed = float(llm.window_layers or 0)
    kv_bytes, shards = _cache(llm, accelerators, tensor)
    return Deployment(
        parameters=llm.parameters,
        activated=llm.activated,
        layers=layers,
        hidden=_or(llm.hidden, guess_hidden(llm.parameters, llm.activated)),
        full_layers=attention - windowed,
        window_layers=windowed,
        window_tokens=_or(llm.window_tokens, 1.0),
        kv_layer_bytes=kv_bytes,
        kv_shards=shards,
        ssm_layers=float(llm.ssm_layers or 0),
        ssm_bytes=1e6 * (llm.ssm_state_mb or 0.0),
        experts=_or(llm.experts, 128.0 if llm.is_moe else 1.0),
        top_k=_or(llm.experts_per_token, 8.0 if llm.is_moe else 1.0),
        moe_layers=_or(llm.moe_layers, layers) if llm.is_moe else 0.0,
        bytes_per_parameter=BYTES_PER_PARAMETER[bits],
        eight_bit=float(bits == "fp8"),
        four_bit=float(bits == "fp4"),
        accelerators=float(accelerators),
        tensor=float(tensor),
        expert_parallel=float(expert_parallel or (accelerators if llm.is_moe else 1)),
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        host_s=host_s,
    )


def _cache(llm: Llm, accelerators: int, tensor: int) -> tuple[float, float]:
    """KV-cache bytes per token and layer in 16 bit, and over how many accelerators they are split."""
    if llm.latent_dim is not None:
        return 2.0 * llm.latent_dim, accelerators / tensor
    kv_heads = _or(llm.kv_heads, 6.0 if llm.is_moe else 8.0)
    return 4.0 * kv_heads * _or(llm.head_dim, 128.0), min(float(tensor), kv_heads) * accelerators / tensor


class _Loads(NamedTuple):
    """What one step asks of one accelerator at its peaks: bytes and FLOPs as times, s."""

    shared_byte_s: Any
    expert_byte_s: Any
    kv_byte_s: Any
    shared_flop_s: Any
    expert_flop_s: Any
    imbalance: Any


def _loads(d: Deployment, chip: Chip) -> _Loads:
    """Weights and KV cache over the bandwidth (per accelerator), a token's FLOPs over the peak (undivided)."""
    n = d.accelerators
    active_frac = d.top_k / d.experts
    expert_params = _moe(d) * (d.parameters - d.activated) / np.maximum(1.0 - active_frac, 1e-9)
    shared_params = d.parameters - expert_params
    split = np.asarray(d.expert_parallel > 1.0, float)
    imbalance = 1.0 + _moe(d) * split * chip.constants["expert_imbalance"] * np.log2(n)
    context = d.input_tokens + d.output_tokens / 2.0
    attended = d.full_layers * context + d.window_layers * np.minimum(context, d.window_tokens)
    kv_bytes = d.kv_layer_bytes * attended / d.kv_shards + 2.0 * d.ssm_bytes / n
    return _Loads(
        d.bytes_per_parameter * shared_params / d.tensor / chip.bytes_per_s,
        d.bytes_per_parameter * expert_params / n / chip.bytes_per_s,
        kv_bytes / chip.bytes_per_s,
        2.0 * shared_params / chip.flop_per_s,
        2.0 * expert_params * active_frac * imbalance / chip.flop_per_s,
        imbalance,
    )


def _moe(d: Deployment) -> Any:
    return np.asarray(d.experts > 1.0, float)


def coefficients(d: Deployment, chip: Chip) -> Replica:
    """The coefficients of the kernels; arrays in, arrays out.

    Sources of the terms: see the module's docstring and `aidc.plant.inference`.
    """
    c, n = chip.constants, d.accelerators
    loads = _loads(d, chip)
    ranks = n / d.tensor
    several = np.asarray(n > 1.0, float)
    speed = 1.0 + (FP8_SPEED_UP - 1.0) * np.maximum(d.eight_bit, d.four_bit)
    flop_s = (
        loads.shared_flop_s / c["decode_flops_frac"] + loads.expert_flop_s / c["expert_decode_flops_frac"]
    )
    fill_s = (
        loads.shared_flop_s / c["prefill_flops_frac"] + loads.expert_flop_s / c["expert_prefill_flops_frac"]
    )
    link_s = several * d.hidden * d.layers / (c["collective_gb_per_s"] * GB)
    local_us = _local_expert_us(d, c)
    flop_power_s = (
        c["flop_power_frac"] * loads.shared_flop_s + c["expert_flop_power_frac"] * loads.expert_flop_s
    )
    fields = {
        "accelerators": n,
        "tdp_w": chip.tdp_w,
        "idle_w": chip.idle_w,
        "ceiling_frac": chip.ceiling_frac,
        "output_tokens": d.output_tokens,
        "shared_s": loads.shared_byte_s / c["weight_bandwidth_frac"],
        "expert_s": loads.expert_byte_s * loads.imbalance / c["expert_bandwidth_frac"],
        "miss_log": np.log1p(-_moe(d) * d.top_k / d.experts + 1e-12) * c["expert_spread"],
        "active_frac": d.top_k / d.experts,
        "kv_seq_s": loads.kv_byte_s / c["kv_bandwidth_frac"],
        "flop_seq_s": flop_s / n / speed,
        "layer_s": _layers_us(d, c, local_us) * US,
        "fixed_s": c["step_us"] * US + d.host_s,
        "collective_s": 2.0 * several * d.layers * c["collective_us"] * US * np.log2(n),
        "linear_seq_s": 4.0 * link_s + c["sequence_us"] * US / ranks,
        "prefill_request_s": d.input_tokens * (fill_s / d.tensor + 4.0 * link_s * ranks),
        "prefill_step_s": _prefill_layers_us(d, c) * US,
        "shared_byte_s": loads.shared_byte_s,
        "expert_byte_s": loads.expert_byte_s,
        "kv_byte_seq_s": loads.kv_byte_s,
        "base_frac": c["active_power_frac"],
        "memory_frac": c["memory_power_frac"],
        "flop_frac_seq_s": flop_power_s * (1.0 / n + d.input_tokens / d.output_tokens / d.tensor),
        "busy_frac_s": d.eight_bit * c["quantised_power_frac"] * d.moe_layers * local_us * US,
    }
    return Replica(**fields)


def _layers_us(d: Deployment, c: Mapping[str, Any], local_us: Any) -> Any:
    """Launches and other work per layer of one decode step that no roofline explains, µs."""
    dense_low_bits = np.maximum(d.eight_bit, d.four_bit) * (1.0 - _moe(d))
    plain = d.layers * (c["layer_us"] + dense_low_bits * c["quantised_layer_us"])
    return plain + d.moe_layers * (c["moe_layer_us"] + local_us)


def _prefill_layers_us(d: Deployment, c: Mapping[str, Any]) -> Any:
    """What a step that carries prefill costs beyond its arithmetic, µs: it runs without a captured graph."""
    return (
        (d.layers - d.ssm_layers) * c["prefill_layer_us"]
        + d.ssm_layers * c["prefill_ssm_layer_us"]
        + d.moe_layers * c["prefill_moe_layer_us"]
    )


def _local_expert_us(d: Deployment, c: Mapping[str, Any]) -> Any:
    """Time per layer spent on the experts that an accelerator holds, whether touched or not, µs."""
    held = d.experts / np.maximum(d.expert_parallel, 1.0)
    sixteen = 1.0 - d.eight_bit - d.four_bit
    return held * (
        sixteen * c["expert_16bit_us"] + d.eight_bit * c["expert_8bit_us"] + d.four_bit * c["expert_4bit_us"]
    )


def replica(
    llm: Llm,
    accelerator: Accelerator,
    accelerators: int,
    *,
    tensor_parallel: int | None = None,
    expert_parallel: int | None = None,
    precision: Precision | None = None,
    input_tokens: float,
    output_tokens: float,
) -> Replica:
    """The replica for the kernels, refused if the weights do not fit.

    Parameters
    ----------
    llm, accelerator
        Catalogue entries, validated.
    accelerators
        Accelerators of one replica.
    tensor_parallel, expert_parallel
        Group sizes; default all accelerators. A smaller `tensor_parallel` means data-parallel attention.
    precision
        Of the weights; default the model's own.
    input_tokens, output_tokens
        Mean lengths of a request, tokens.

    Raises
    ------
    InputError
        Where the replica cannot hold the weights and one request, or the figures make no sense.
    """
    served = deployment(
        llm,
        accelerators,
        tensor_parallel=tensor_parallel,
        expert_parallel=expert_parallel,
        precision=precision,
        input_tokens=input_tokens,
        output_tokens=output_tokens,
    )
    _refuse(served, accelerator)
    made = coefficients(served, chip_of(accelerator))
    return Replica(*(float(field) for field in made))


def _refuse(d: Deployment, accelerator: Accelerator) -> None:
    problems: list[Problem] = []
    if d.accelerators % d.tensor:
        problems.append(
            Problem(
                "does not divide the accelerators of the replica",
                f"Choose a divisor of {d.accelerators:g}.",
                key="tensor_parallel",
                value=int(d.tensor),
            )
        )
    if min(d.input_tokens, d.output_tokens) < 1.0:
        problems.append(
            Problem(
                "a request needs at least one token in and one out",
                "Give mean lengths of 1 token or more.",
                key="input_tokens, output_tokens",
                value=(d.input_tokens, d.output_tokens),
            )
        )
    if not problems and _free_sequences(d, accelerator) < 1.0:
        need_gb = d.bytes_per_parameter * d.parameters / 1e9
        have_gb = USABLE_MEMORY * accelerator.hbm_gb * d.accelerators
        problems.append(
            Problem(
                f"the weights ({need_gb:.0f} GB) and one request do not fit in {have_gb:.0f} GB",
                "Use more accelerators per replica, ones with more memory, or a lower precision.",
                key="accelerators",
                value=int(d.accelerators),
            )
        )
    if problems:
        raise InputError(problems)


def _free_sequences(d: Deployment, accelerator: Accelerator) -> float:
    """Requests of mean final length that fit beside the weights."""
    moe = d.experts > 1.0
    expert_params = (d.parameters - d.activated) / (1.0 - d.top_k / d.experts) if moe else 0.0
    weights = d.bytes_per_parameter * (
        (d.parameters - expert_params) / d.tensor + expert_params / d.accelerators
    )
    context = d.input_tokens + d.output_tokens
    kv = d.kv_layer_bytes * (d.full_layers * context + d.window_layers * min(context, d.window_tokens))
    free = USABLE_MEMORY * accelerator.hbm_bytes - weights
    return free / (kv / d.kv_shards + d.ssm_bytes / d.accelerators)


def max_batch(
    llm: Llm,
    accelerator: Accelerator,
    accelerators: int,
    *,
    tensor_parallel: int | None = None,
    precision: Precision | None = None,
    input_tokens: float,
    output_tokens: float,
) -> int:
    """The largest batch whose key-value cache fits beside the weights at full length; 0 if none does.

    `accelerators` is the number in one replica, split as `tensor_parallel` and `precision` say (see `deployment`);
    `input_tokens` and `output_tokens` are the lengths of a request, whose sum is the full length.
    """
    served = deployment(
        llm,
        accelerators,
        tensor_parallel=tensor_parallel,
        precision=precision,
        input_tokens=input_tokens,
        output_tokens=output_tokens,
    )
    return max(0, int(_free_sequences(served, accelerator)))
