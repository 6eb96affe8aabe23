"""The operating table of a pod: what it does at each load under each cap, made once per run.

Rows are power caps (uniform from the lowest to 1, as shares of the accelerators' rated power),
columns are loads (uniform 0 … 1 of the uncapped maximum). Below the throughput of a batch of one
the replicas idle part of the time; above what a cap allows the pod is saturated and the rest queues.
"""

from __future__ import annotations

import numpy as np

from aidc.jit import engine
from aidc.plant.inference import Replica, power_w, throughput_tok_s
from aidc.plant.latency import itl_quantiles_s, meets_slo_frac, ttft_quantiles_s
from aidc.plant.powercap import CapCurve, capped_power_w, relative_throughput
from aidc.schema.sweep import SweepShape
from aidc.simulate.energy.arrays import FloatArray
from aidc.simulate.energy.fields import Point

__all__ = [
    "BATCH_SHARES",
    "CAPS",
    "LOADS",
    "job_table",
    "load_at_batch",
    "replay_table",
    "service_table",
    "sweep_caps_w",
    "sweep_table",
]

CAPS = 9
LOADS = 129
BATCH_SHARES = 17
_BATCHES = 65


def service_table(
    replica: Replica,
    curve: CapCurve,
    replicas: int,
    batch_limit: float,
    cap_min_frac: float,
    slo_ttft_s: float,
    slo_itl_s: float,
    rest_idle_w: float,
) -> tuple[FloatArray, float]:
    """Operating table [cap, load, Point] of a pod that serves a model, and its largest rate [tokens/s].

    Parameters
    ----------
    replica
        One replica: model, accelerators, lengths.
    curve
        What a cap costs the accelerator.
    replicas
        Replicas in the pod.
    batch_limit
        Highest batch per replica.
    cap_min_frac
        Lowest cap of the table, over rated power.
    slo_ttft_s, slo_itl_s
        What a request is promised [s].
    rest_idle_w
        Idle power of accelerators that make no whole replica [W].
    """
    batches = np.geomspace(1.0, max(batch_limit, 1.0 + 1e-9), _BATCHES)
    caps = np.linspace(cap_min_frac, 1.0, CAPS)
    loads = np.linspace(0.0, 1.0, LOADS)
    table = np.zeros((CAPS, LOADS, len(Point)))
    rate_max = _fill_service(
        table, batches, caps, loads, replica, curve, float(replicas), slo_ttft_s, slo_itl_s, rest_idle_w
    )
    return table, rate_max


@engine
def _fill_service(
    table: FloatArray,
    batches: FloatArray,
    caps: FloatArray,
    loads: FloatArray,
    replica: Replica,
    curve: CapCurve,
    replicas: float,
    slo_ttft_s: float,
    slo_itl_s: float,
    rest_idle_w: float,
) -> float:
    n = replica.accelerators
    idle_w = replica.idle_w * n
    top = 0.0
    for b in range(batches.shape[0]):
        top = max(top, throughput_tok_s(batches[b], replica))
    for c in range(caps.shape[0]):
        cap_w = caps[c] * replica.tdp_w
        for u in range(loads.shape[0]):
            wanted = loads[u] * top
            # the smallest batch whose capped throughput meets the demand, on the grid and between
            low, high = -1, -1
            best, best_b = 0.0, 0
            before = 0.0
            for b in range(batches.shape[0]):
                draw = power_w(batches[b], replica) / n
                rate = throughput_tok_s(batches[b], replica) * relative_throughput(cap_w, draw, curve)
                if rate > best:
                    best, best_b = rate, b
                if rate >= wanted:
                    low, high = b - 1, b
                    break
                before = rate
            duty = 1.0
            if high < 0:  # saturated: the batch with the highest throughput
                batch = batches[best_b]
                rate = best
            elif low < 0:  # below a batch of one: idle part of the time
                batch = 1.0
                draw = power_w(1.0, replica) / n
                one = throughput_tok_s(1.0, replica) * relative_throughput(cap_w, draw, curve)
                duty = wanted / one if one > 0.0 else 0.0
                rate = one
            else:
                draw = power_w(batches[high], replica) / n
                after = throughput_tok_s(batches[high], replica) * relative_throughput(cap_w, draw, curve)
                weight = (wanted - before) / (after - before) if after > before else 1.0
                batch = batches[low] + weight * (batches[high] - batches[low])
                rate = wanted
            free_w = power_w(batch, replica)
            held_w = capped_power_w(free_w / n, cap_w, curve.floor_w) * n
            slow = relative_throughput(cap_w, free_w / n, curve)
            utilisation = min(wanted / top, 1.0)
            point = table[c, u]
            point[Point.ACCELERATOR_W] = replicas * (idle_w + duty * (held_w - idle_w)) + rest_idle_w
            point[Point.UNCAPPED_W] = replicas * (idle_w + duty * (free_w - idle_w)) + rest_idle_w
            point[Point.RATE_PER_S] = replicas * rate * duty
            point[Point.BATCH] = batch * duty
            i50, i90, i99 = itl_quantiles_s(batch, replica)
            t50, t90, t99 = ttft_quantiles_s(batch, utilisation, 0.0, replica)
            point[Point.ITL_P50_S] = i50 / slow
            point[Point.ITL_P90_S] = i90 / slow
            point[Point.ITL_P99_S] = i99 / slow
            point[Point.TTFT_P50_S] = t50 / slow
            point[Point.TTFT_P90_S] = t90 / slow
            point[Point.TTFT_P99_S] = t99 / slow
            point[Point.MEETS_SLO_FRAC] = meets_slo_frac(
                batch, utilisation, 0.0, slo_ttft_s * slow, slo_itl_s * slow, replica
            )
    return top * replicas


def load_at_batch(table: FloatArray) -> FloatArray:
    """Highest load at each share of the batch limit (uniform 0 … 1), uncapped."""
    batch = np.maximum.accumulate(table[-1, :, Point.BATCH])
    shares = np.linspace(0.0, 1.0, BATCH_SHARES) * batch[-1]
    return np.interp(shares, batch, np.linspace(0.0, 1.0, LOADS))


def job_table(
    rated_w: float, tokens_per_s: float, curve: CapCurve, accelerators: int, cap_min_frac: float
) -> FloatArray:
    """Operating table of a training pod; load is uncapped power over rated power.

    `rated_w` and `tokens_per_s` are those of the pod at full power, `accelerators` is how many it has, and
    `cap_min_frac` the lowest cap over rated power.
    """
    table = np.zeros((CAPS, LOADS, len(Point)))
    for c, cap in enumerate(np.linspace(cap_min_frac, 1.0, CAPS)):
        cap_w = cap * rated_w / accelerators
        for u, load in enumerate(np.linspace(0.0, 1.0, LOADS)):
            free_w = load * rated_w / accelerators
            held_w = capped_power_w(free_w, cap_w, curve.floor_w)
            table[c, u, Point.ACCELERATOR_W] = held_w * accelerators
            table[c, u, Point.UNCAPPED_W] = free_w * accelerators
            table[c, u, Point.RATE_PER_S] = tokens_per_s * relative_throughput(cap_w, free_w, curve)
    return table


def sweep_caps_w(sweep: SweepShape) -> FloatArray:
    """The caps of a sweep's operating table [W]: the measured ones, so that nothing is lost between them.

    Of more than the table has room for, those go first whose neighbours tell power and throughput best without them;
    of fewer, the widest gaps are halved.
    """
    caps = np.array(sweep.cap_w)
    while caps.size > CAPS:
        loss = [
            max(
                abs(np.interp(caps[k], caps[[k - 1, k + 1]], told[[k - 1, k + 1]]) / told[k] - 1.0)
                for told in (np.interp(caps, sweep.cap_w, one) for one in (sweep.power_w, sweep.throughput))
            )
            for k in range(1, caps.size - 1)
        ]
        caps = np.delete(caps, 1 + int(np.argmin(loss)))
    while caps.size < CAPS:
        wide = int(np.argmax(np.diff(caps)))
        caps = np.insert(caps, wide + 1, 0.5 * (caps[wide] + caps[wide + 1]))
    return caps


def sweep_table(sweep: SweepShape, rated_w: float, tokens_per_s: float, accelerators: int) -> FloatArray:
    """Operating table of a pod whose work is known by a sweep; load is uncapped power over rated power.

    A cap holds what the sweep measured under it; phases that draw less than that are not touched. Where the sweep
    shows no less power than without a limit, the cap does not bind.

    `rated_w` and `tokens_per_s` are those of the pod without a limit, `accelerators` is how many it has.
    """
    table = np.zeros((CAPS, LOADS, len(Point)))
    free_w = np.linspace(0.0, 1.0, LOADS) * rated_w / accelerators
    table[:, :, Point.UNCAPPED_W] = free_w * accelerators
    for c, cap_w in enumerate(sweep_caps_w(sweep)):
        held_w = float(np.interp(cap_w, sweep.cap_w, sweep.power_w))
        binds = held_w < sweep.power_w[-1]
        table[c, :, Point.ACCELERATOR_W] = (np.minimum(free_w, held_w) if binds else free_w) * accelerators
        done = float(np.interp(cap_w, sweep.cap_w, sweep.throughput))
        table[c, :, Point.RATE_PER_S] = tokens_per_s * done / sweep.throughput[-1]
    return table


def replay_table(rated_w: float) -> FloatArray:
    """Operating table of a replayed pod: it draws what was measured, whatever the cap."""
    table = np.zeros((CAPS, LOADS, len(Point)))
    table[:, :, Point.ACCELERATOR_W] = rated_w * np.linspace(0.0, 1.0, LOADS)
    table[:, :, Point.UNCAPPED_W] = table[:, :, Point.ACCELERATOR_W]
    return table
