"""How fast a replica of a language model generates tokens, and what power it draws.

A replica is a group of accelerators that serve one copy of a model with continuous batching. One
engine step gives each of `batch` sequences one token. The step lasts as long as reading the weights
(with a mixture of experts: those experts that the batch happens to touch) and the key-value cache,
the arithmetic, per-layer launches, collectives and per-sequence host work demand; new requests put
their prefill between the decode steps:

    cov     = max(1 - exp(miss_log B), k/E)                     share of experts touched
    weights = shared + expert cov
    stream  = (weights⁴ + (flop B)⁴)^¼ + kv B
    decode  = fixed + √(layer² + stream²) + collective + (collective_seq + seq) B
    step    = decode + (B/L_out) prefill_request + (1 - e^(-B/L_out)) prefill_step
    throughput = B / step
    z       = base + memory u_byte^0.8 + u_flop^0.8 + busy
    power   = n max(TDP (z⁻⁶ + ceiling⁻⁶)^(-1/6), idle)

`decode` is the median inter-token latency; it is shorter than `step`, which prefill lengthens. The
memory and arithmetic bounds are the roofline model (Williams, Waterman, Patterson, Commun. ACM
52(4), 2009, doi:10.1145/1498765.1498785); the expert coverage is the occupancy of k of E experts by
B tokens. The constants are fitted on the ML.ENERGY benchmark v3 (doi:10.48550/arXiv.2505.06371) by
`aidc.calibrate.inference`. Valid for 1 <= batch <= 4096 and 1 to 8 accelerators; more is extrapolation.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from aidc.jit import scalar

__all__ = [
    "Replica",
    "itl_median_s",
    "power_w",
    "predict",
    "prefill_s",
    "step_s",
    "throughput_tok_s",
]


class Replica(NamedTuple):
    """What the kernels need, from `aidc.plant.inference_params`: times in s, powers as shares of rated.

    A time "per sequence" is multiplied by the batch. The `*_byte_s` are times at peak bandwidth
    (they measure how busy the memory is), the others at the bandwidth that is reached.
    """

    accelerators: float
    tdp_w: float
    idle_w: float
    ceiling_frac: float
    output_tokens: float
    shared_s: float
    expert_s: float
    miss_log: float
    active_frac: float
    kv_seq_s: float
    flop_seq_s: float
    layer_s: float
    fixed_s: float
    collective_s: float
    linear_seq_s: float
    prefill_request_s: float
    prefill_step_s: float
    shared_byte_s: float
    expert_byte_s: float
    kv_byte_seq_s: float
    base_frac: float
    memory_frac: float
    flop_frac_seq_s: float
    busy_frac_s: float


def _work(batch: float, r: Replica) -> tuple[float, float, float]:
    """Decode step, whole step with its share of prefill, and power demand z; floats or arrays."""
    cov = np.maximum(1.0 - np.exp(r.miss_log * batch), r.active_frac)
    weights_s = r.shared_s + r.expert_s * cov
    stream_s = (weights_s**4 + (r.flop_seq_s * batch) ** 4) ** 0.25 + r.kv_seq_s * batch
    overlap_s = np.sqrt(r.layer_s**2 + stream_s**2)
    decode_s = r.fixed_s + overlap_s + r.collective_s + r.linear_seq_s * batch
    arrivals = batch / r.output_tokens
    whole_s = decode_s + arrivals * r.prefill_request_s + (1.0 - np.exp(-arrivals)) * r.prefill_step_s
    byte_frac = (r.shared_byte_s + r.expert_byte_s * cov + r.kv_byte_seq_s * batch) / whole_s
    demand = (
        r.base_frac
        + r.memory_frac * byte_frac**0.8
        + (r.flop_frac_seq_s * batch / whole_s) ** 0.8
        + r.busy_frac_s / whole_s
    )
    return decode_s, whole_s, demand


def _draw(demand: float, r: Replica) -> float:
    """Power in W from the demand z: a soft limit just below the rated power, and never below idle."""
    busy_w = r.tdp_w * (demand**-6 + r.ceiling_frac**-6) ** (-1.0 / 6.0)
    return r.accelerators * np.maximum(busy_w, r.idle_w)


work = scalar(_work)
draw = scalar(_draw)


@scalar
def itl_median_s(batch: float, r: Replica) -> float:
    """Median inter-token latency: most steps carry no prefill, s."""
    return work(batch, r)[0]


@scalar
def step_s(batch: float, r: Replica) -> float:
    """Mean time of a step, with the prefill that keeps the batch filled, s."""
    return work(batch, r)[1]


@scalar
def prefill_s(r: Replica) -> float:
    """Time that one request's prefill adds to the step that carries it, s."""
    return r.prefill_request_s + r.prefill_step_s


@scalar
def throughput_tok_s(batch: float, r: Replica) -> float:
    """Output tokens per second of the whole replica at a steady batch."""
    return batch / work(batch, r)[1]


@scalar
def power_w(batch: float, r: Replica) -> float:
    """Power of all the replica's accelerators at a steady batch, W, uncapped."""
    return draw(work(batch, r)[2], r)


def predict(batch: Any, r: Any) -> tuple[Any, Any, Any]:
    """Throughput (tok/s), power (W) and median inter-token latency (s), for arrays of replicas.

    The same bodies as the kernels, on a `Replica` whose fields are arrays: the fit uses it.
    """
    decode_s, whole_s, demand = _work(batch, r)
    return batch / whole_s, _draw(demand, r), decode_s
