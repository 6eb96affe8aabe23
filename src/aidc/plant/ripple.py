"""Power of an inference replica at 100 ms: mean, standard deviation and 99th percentile.

A replica spends most 100 ms windows decoding and a share φ of them with a prefill in flight. Its power
is modelled as a mixture of two normal laws, decode (P_d, σ_0) and burst (P_b > P_d, σ_1), whose mean is
the mean power of a roofline:

    t_w = (weight bytes + KV bytes) / (n·BW·e_w)      t_f = 2·N_a·B / (n·F·e_f)
    t_step = sqrt((L·t_l)² + sqrt(t_w⁴ + t_f⁴)) + 2·L·t_c·log2(n) + B·t_prefill/L_out
    P/(n·TDP) = (z⁻⁶ + 0.97⁻⁶)^(-1/6),   z = p_0 + a_m·u_bytes^0.8 + a_c·u_flop^0.8
    φ = 1 - exp(-requests_per_s·(t_prefill + τ)),   P = (1-φ)·P_d + φ·P_b

The burst level saturates near the power limit, so small batches have rare tall bursts (p99 far above
the mean, and many standard deviations away), large batches frequent low ones.

Calibrated on 100 ms board-sensor power of vLLM replicas on H100 (OpenG2G, arXiv 2605.05519, data of
https://github.com/gpu2grid/openg2g): dense 8B to 405B and one mixture of experts, 1 to 8 GPUs, batch 8
to 2048. Outside that range it is an extrapolation. `python -m aidc.calibrate.ripple` refits it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from aidc.schema.device import RippleShape

__all__ = [
    "GpuShape",
    "LlmShape",
    "Ripple",
    "RippleLaw",
    "mixture_quantile",
    "mixture_sd",
    "pool_sd",
    "ripple",
    "ripple_law",
    "stack",
    "synthesise",
]

Array = NDArray[np.float64]

P99: Final = 0.99
SATURATION: Final = 0.97  # board power settles here under a full load (roofline of the inference model)
EXPONENT: Final = 0.8  # utilisation to power, same source
EXPERT_SPREAD: Final = 0.6  # correlation of experts among the tokens of a batch, same source
IMBALANCE: Final = 0.18  # extra work of the busiest GPU per doubling, mixtures of experts, same source
USABLE_MEMORY: Final = 0.9  # vLLM's default gpu_memory_utilization
BURST_MARGIN: Final = 1.02  # the burst level stays above the mean
LEAST_FRAC: Final = 0.1
BISECTIONS: Final = 40


class LlmShape(NamedTuple):
    """Published figures of a model, and typical tokens per request; arrays of them broadcast."""

    params: float
    active_params: float
    layers: float
    kv_heads: float
    head_dim: float
    experts: float = 0.0
    experts_active: float = 0.0
    input_tokens: float = 200.0
    output_tokens: float = 400.0


class GpuShape(NamedTuple):
    """Published figures of an accelerator."""

    tdp_w: float
    bandwidth_b_s: float
    flops_16bit: float
    flops_8bit: float
    memory_b: float


class RippleLaw(NamedTuple):
    """Constants of the law, one set per accelerator class (fractions of the rated power)."""

    bandwidth_eff: float
    flops_eff: float
    layer_s: float
    link_s: float
    floor_frac: float
    bytes_gain: float
    flops_gain: float
    moe_flops_factor: float
    burst_s: float
    burst_frac: float
    moe_burst_frac: float
    noise_frac: float
    gpu_noise_frac: float
    burst_noise_frac: float


class Ripple(NamedTuple):
    """Power per GPU over its rated power: the judged statistics and the mixture behind them."""

    mean_frac: Array
    sd_frac: Array
    p99_frac: Array
    decode_frac: Array
    burst_frac: Array
    burst_share: Array
    decode_sd_frac: Array
    burst_sd_frac: Array


def ripple_law(shape: RippleShape) -> tuple[GpuShape, RippleLaw]:
    """The accelerator and its law, from its entry."""
    return (
        GpuShape(*(getattr(shape.gpu, key) for key in GpuShape._fields)),
        RippleLaw(*(getattr(shape.law, key) for key in RippleLaw._fields)),
    )


def stack(shapes: Sequence[LlmShape]) -> LlmShape:
    """Several models as one shape of arrays, so that one call answers for all of them."""
    return LlmShape(*(np.array(column, dtype=float) for column in zip(*shapes, strict=True)))  # type: ignore[arg-type]


def ripple(
    model: LlmShape, gpus: Array | float, batch: Array | float, gpu: GpuShape, law: RippleLaw
) -> Ripple:
    """Power statistics of one replica at 100 ms.

    Parameters
    ----------
    model, gpus, batch
        Model figures, GPUs of the replica, sequences in flight at most; all broadcast, shape (n,).
    gpu, law
        The accelerator and its constants.

    Returns
    -------
    Ripple
        Fractions of the rated power per GPU. Times gpus · TDP they are the replica's watts.
    """
    n, running = np.atleast_1d(np.asarray(gpus, float)), np.atleast_1d(np.asarray(batch, float))
    u_bytes, u_flops, requests_per_s, prefill_s = _utilisation(model, n, running, gpu, law)
    moe = np.asarray(model.experts) > 0
    gain = law.flops_gain * np.where(moe, law.moe_flops_factor, 1.0)
    z = law.floor_frac + law.bytes_gain * u_bytes**EXPONENT + gain * u_flops**EXPONENT
    mean = (z**-6 + SATURATION**-6) ** (-1 / 6)
    share = np.clip(1 - np.exp(-requests_per_s * (prefill_s + law.burst_s)), 1e-6, 0.95)
    burst = np.maximum(np.where(moe, law.moe_burst_frac, law.burst_frac), BURST_MARGIN * mean)
    decode = np.maximum((mean - share * burst) / (1 - share), LEAST_FRAC)
    decode_sd = np.sqrt(law.noise_frac**2 + law.gpu_noise_frac**2 / n) * mean
    burst_sd = np.sqrt(decode_sd**2 + law.burst_noise_frac**2)
    sd = mixture_sd(decode, burst, share, decode_sd, burst_sd)
    p99 = mixture_quantile(P99, decode, burst, share, decode_sd, burst_sd)
    return Ripple(mean, sd, p99, decode, burst, share, decode_sd, burst_sd)


def _utilisation(
    model: LlmShape, n: Array, batch: Array, gpu: GpuShape, law: RippleLaw
) -> tuple[Array, Array, Array, Array]:
    """Shares of peak bandwidth and peak FLOP/s, requests per second, and prefill time of one request.

    Weights are taken in 16 bit where they fit beside a KV cache, otherwise in 8 bit; sequences beyond the
    KV memory wait, so they do not count.
    """
    total, active = np.asarray(model.params, float), np.asarray(model.active_params, float)
    layers = np.asarray(model.layers, float)
    sixteen = 2 * total < 0.85 * n * gpu.memory_b
    width, peak = np.where(sixteen, 2.0, 1.0), np.where(sixteen, gpu.flops_16bit, gpu.flops_8bit)
    context = np.asarray(model.input_tokens) + np.asarray(model.output_tokens) / 2
    kv_b = 4.0 * np.asarray(model.kv_heads) * np.asarray(model.head_dim) * layers * context
    room = np.maximum((USABLE_MEMORY * n * gpu.memory_b - width * total) / kv_b, 1.0)
    running = np.minimum(batch, room)
    weights, busiest = _weights_read(model, n, running)
    read_b = width * weights + running * kv_b
    memory_s = (width * weights * busiest + running * kv_b) / (n * gpu.bandwidth_b_s * law.bandwidth_eff)
    per_token_s = 2 * active * busiest / (n * peak * law.flops_eff)
    prefill_s = per_token_s * np.asarray(model.input_tokens)
    roof_s = np.sqrt((layers * law.layer_s) ** 2 + np.sqrt(memory_s**4 + (per_token_s * running) ** 4))
    step_s = roof_s + 2 * layers * law.link_s * np.log2(n) + running * prefill_s / model.output_tokens
    tokens = running * (1 + np.asarray(model.input_tokens) / model.output_tokens)
    return (
        read_b / (n * gpu.bandwidth_b_s) / step_s,
        2 * active * tokens / (n * peak) / step_s,
        running / (model.output_tokens * step_s),
        prefill_s,
    )


def _weights_read(model: LlmShape, n: Array, running: Array) -> tuple[Array, Array]:
    """Parameters read in a step (experts covered by the batch), and the busiest GPU's factor."""
    total, active = np.asarray(model.params, float), np.asarray(model.active_params, float)
    experts = np.asarray(model.experts, float)
    moe = experts > 0
    chosen = np.where(moe, np.asarray(model.experts_active) / np.maximum(experts, 1.0), 0.0)
    spread = np.where(moe, (total - active) / np.maximum(1 - chosen, 1e-9), 0.0)
    covered = 1 - (1 - chosen) ** (EXPERT_SPREAD * running)
    busiest = np.where(moe, 1 + IMBALANCE * np.log2(n), 1.0)
    return total - spread + spread * covered, busiest


def mixture_sd(decode: Array, burst: Array, share: Array, decode_sd: Array, burst_sd: Array) -> Array:
    """Standard deviation of a mixture of two normal laws, in the unit of its arguments.

    `decode` and `burst` are the means of the two laws, `decode_sd` and `burst_sd` their standard deviations, and
    `share` is the weight of the burst (0 to 1).
    """
    within = (1 - share) * decode_sd**2 + share * burst_sd**2
    return np.sqrt(within + share * (1 - share) * (burst - decode) ** 2)


def mixture_quantile(
    q: float, decode: Array, burst: Array, share: Array, decode_sd: Array, burst_sd: Array
) -> Array:
    """Quantile of a mixture of two normal laws by bisection, in the unit of its arguments.

    `q` is the quantile asked for (0 to 1); the others as in `mixture_sd`.

    `decode`, `burst`, `share`, `decode_sd` and `burst_sd` as in `mixture_sd`.
    """
    spread = 10 * np.maximum(decode_sd, burst_sd)
    low, high = np.minimum(decode, burst) - spread, np.maximum(decode, burst) + spread
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        below = (1 - share) * ndtr((middle - decode) / decode_sd) + share * ndtr((middle - burst) / burst_sd)
        low, high = np.where(below < q, middle, low), np.where(below < q, high, middle)
    return (low + high) / 2


def pool_sd(sd_w: float, replicas: int) -> float:
    """Standard deviation of independent replicas together: bursts of different replicas do not align."""
    return sd_w * float(np.sqrt(replicas))


def synthesise(
    statistics: Ripple, index: int, samples: int, rng: np.random.Generator, burst_samples: float = 2.0
) -> Array:
    """A 100 ms power series (fraction of rated) with the statistics of one element of a `Ripple`.

    Bursts come as a two-state Markov chain with a mean length of `burst_samples` windows (measured
    lag-1 autocorrelation 0.2 to 0.8, estimated here as one figure); the marginal law is the mixture.

    `index` is the element, `samples` the number of 100 ms windows to make and `rng` the source of chance.
    """
    share = float(statistics.burst_share[index])
    leave = min(1.0, 1.0 / burst_samples)
    enter = min(1.0, leave * share / (1 - share))
    draws = rng.random(samples)
    bursting = np.empty(samples, dtype=bool)
    now = bool(rng.random() < share)
    for k in range(samples):
        now = bool(draws[k] >= leave) if now else bool(draws[k] < enter)
        bursting[k] = now
    level = np.where(bursting, statistics.burst_frac[index], statistics.decode_frac[index])
    noise = np.where(bursting, statistics.burst_sd_frac[index], statistics.decode_sd_frac[index])
    return level + noise * rng.standard_normal(samples)
