"""Latency of a replica: inter-token times, time to first token, and the chance to meet a promise.

**Inter-token latency.** Most steps only decode (`itl_median_s`); those that carry the prefill of new
requests are longer, and they make the tail. With `a` arrivals per step, a quantile q sees them once
their share passes 1 - q:

    u = a / (1 - q),   p_q = median e^(0.10 z_q) + 0.41 extra (1 + u)^0.41 u⁶/(1 + u⁶)

where `extra` is what the prefill adds to a step that carries any. The four figures are fitted on the
p90, p95 and p99 of 459 text rows of the ML.ENERGY benchmark v3 (doi:10.48550/arXiv.2505.06371; H100
and B200, batch 8 to 4096): median absolute error 13, 16 and 22 % given the median, 16, 18 and 23 % with
the modelled one.

**Time to first token** has no open measurements here; it is built from the schedule: the request waits
for the running step to end, for prefills ahead of it (M/D/1), for a free slot (M/M/c by Sakasegawa,
Ann. Inst. Stat. Math. 29, 1977, doi:10.1007/BF02532775) and for the queue that the caller knows of, and
is then prefilled. Waits are taken as exponential.

**Service level.** Both latencies are treated as log-normal through their median and 99th percentile and
as independent of each other; a promise is a bound on each.
"""

from __future__ import annotations

import math

from aidc.jit import scalar
from aidc.plant.inference import Replica, work

__all__ = ["itl_quantiles_s", "lognormal_below_frac", "meets_slo_frac", "ttft_quantiles_s"]

JITTER = 0.10  # log-standard deviation of a step without prefill
TAIL_GAIN = 0.41
TAIL_GROWTH = 0.41
TAIL_EDGE = 6.0
Z90, Z99 = 1.2815515655446004, 2.3263478740408408
BUSIEST = 0.98  # beyond, the caller's queue holds the wait
LN10, LN100 = 2.302585092994046, 4.605170185988092


@scalar
def _itl_tail_s(quantile: float, z: float, arrivals: float, median_s: float, extra_s: float) -> float:
    """One quantile of the inter-token latency above the median, s."""
    load = arrivals / (1.0 - quantile)
    edge = load**TAIL_EDGE
    reached = edge / (1.0 + edge) if edge < 1e100 else 1.0
    return median_s * math.exp(JITTER * z) + TAIL_GAIN * extra_s * (1.0 + load) ** TAIL_GROWTH * reached


@scalar
def itl_quantiles_s(batch: float, r: Replica) -> tuple[float, float, float]:
    """Inter-token latency p50, p90, p99 at a steady batch, s."""
    median_s = work(batch, r)[0]
    arrivals = batch / r.output_tokens
    carrying = 1.0 - math.exp(-arrivals)
    per_step = arrivals / carrying if carrying > 0.0 else 1.0
    extra_s = per_step * r.prefill_request_s + r.prefill_step_s
    p90_s = _itl_tail_s(0.90, Z90, arrivals, median_s, extra_s)
    p99_s = _itl_tail_s(0.99, Z99, arrivals, median_s, extra_s)
    return median_s, p90_s, max(p90_s, p99_s)


@scalar
def _mean_wait_s(batch: float, utilisation: float, step_s: float, r: Replica) -> float:
    """Mean wait for prefills ahead and for a free slot, s."""
    prefill_load = min(batch / r.output_tokens * r.prefill_request_s / step_s, BUSIEST)
    prefill_wait_s = 0.5 * r.prefill_request_s * prefill_load / (1.0 - prefill_load)
    # Slots fill faster than the output rate grows: by the elasticity of throughput with batch.
    longer_s = work(1.1 * batch, r)[1]
    elasticity = min(max(1.0 - math.log(longer_s / step_s) / math.log(1.1), 0.2), 1.0)
    busy = min(max(utilisation, 1e-6) ** (1.0 / elasticity), BUSIEST)
    slots = max(batch, 1.0) / busy
    power = math.sqrt(2.0 * (slots + 1.0)) - 1.0
    slot_wait_s = busy**power / (slots * (1.0 - busy)) * r.output_tokens * step_s
    return prefill_wait_s + slot_wait_s


@scalar
def ttft_quantiles_s(
    batch: float, utilisation: float, wait_s: float, r: Replica
) -> tuple[float, float, float]:
    """Time to first token p50, p90, p99, s.

    Parameters
    ----------
    batch
        Sequences in the replica.
    utilisation
        Output rate over the highest that the replica reaches, 0 to 1.
    wait_s
        Mean wait in a queue outside the replica, s.
    r
        The replica.
    """
    decode_s, step_s, _ = work(batch, r)
    base_s = decode_s + r.prefill_request_s + r.prefill_step_s
    mean_s = _mean_wait_s(batch, utilisation, step_s, r) + max(wait_s, 0.0)
    p50_s = base_s + 0.5 * step_s + math.log(2.0) * mean_s
    p90_s = base_s + 0.9 * step_s + LN10 * mean_s
    p99_s = base_s + 0.99 * step_s + LN100 * mean_s
    return p50_s, p90_s, p99_s


@scalar
def lognormal_below_frac(bound: float, median: float, p99: float) -> float:
    """Share of a log-normal quantity with this median and 99th percentile that lies below a bound."""
    if bound <= 0.0:
        return 0.0
    spread = max(math.log(p99 / median) / Z99, 1e-3)
    return 0.5 * (1.0 + math.erf(math.log(bound / median) / spread / math.sqrt(2.0)))


@scalar
def meets_slo_frac(
    batch: float, utilisation: float, wait_s: float, slo_ttft_s: float, slo_itl_s: float, r: Replica
) -> float:
    """Probability that a request's first token and a token's interval both keep their bounds, 0 to 1.

    `batch` is the number of requests that decode together, `utilisation` the share of a replica's capacity in use (0
    to 1), `wait_s` the mean wait for a slot [s]; `slo_ttft_s` and `slo_itl_s` are the promised bounds [s].
    """
    t50_s, _, t99_s = ttft_quantiles_s(batch, utilisation, wait_s, r)
    i50_s, _, i99_s = itl_quantiles_s(batch, r)
    return lognormal_below_frac(slo_ttft_s, t50_s, t99_s) * lognormal_below_frac(slo_itl_s, i50_s, i99_s)
