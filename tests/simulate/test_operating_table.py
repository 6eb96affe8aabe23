"""The operating table of a pod against the laws themselves, solved for a batch by SciPy instead of on a grid."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import brentq, minimize_scalar

from aidc.catalogue import read
from aidc.plant.inference import power_w, throughput_tok_s
from aidc.plant.inference_params import replica
from aidc.plant.latency import itl_quantiles_s, meets_slo_frac, ttft_quantiles_s
from aidc.plant.powercap import cap_curve, relative_throughput
from aidc.schema.accelerator import Accelerator
from aidc.schema.llm import Llm
from aidc.simulate.compiling.operating import (
    BATCH_SHARES,
    CAPS,
    LOADS,
    job_table,
    load_at_batch,
    replay_table,
    service_table,
)
from aidc.simulate.energy.fields import Point
from aidc.site.devices import powercap_of

REPLICAS, LIMIT, REST_IDLE_W = 7, 96.0, 311.0
TTFT_S, ITL_S = 1.5, 0.04


@pytest.fixture(scope="module")
def one():
    llm = Llm.model_validate(dict(read("llm", "llama-3.1-70b").values))
    chip = Accelerator.model_validate(dict(read("accelerator", "h100").values))
    return replica(llm, chip, 4, precision="bf16", input_tokens=700.0, output_tokens=300.0)


@pytest.fixture(scope="module")
def curve(one):
    return cap_curve(powercap_of("h100"), one.tdp_w)


@pytest.fixture(scope="module")
def table(one, curve):
    return service_table(one, curve, REPLICAS, LIMIT, curve.floor_w / one.tdp_w, TTFT_S, ITL_S, REST_IDLE_W)


def capped_rate(batch: float, cap_w: float, one, curve) -> float:
    """Tokens per second of a replica under a cap per accelerator."""
    draw_w = power_w(batch, one) / one.accelerators
    return throughput_tok_s(batch, one) * relative_throughput(cap_w, draw_w, curve)


def best_batch(cap_w: float, one, curve) -> float:
    """The batch of the highest rate under a cap, up to the limit."""
    tried = np.geomspace(1.0, LIMIT, 400)
    top = int(np.argmax([capped_rate(b, cap_w, one, curve) for b in tried]))
    low, high = tried[max(top - 1, 0)], tried[min(top + 1, 399)]
    found = minimize_scalar(
        lambda b: -capped_rate(b, cap_w, one, curve), bounds=(low, high), method="bounded"
    )
    return max((found.x, LIMIT, 1.0), key=lambda b: capped_rate(b, cap_w, one, curve))


def by_law(load: float, cap_frac: float, one, curve) -> dict[Point, float]:
    """Every column of the table at a load and a cap."""
    cap_w = cap_frac * one.tdp_w
    top = max(throughput_tok_s(b, one) for b in np.geomspace(1.0, LIMIT, 400))
    wanted, best = load * top, best_batch(cap_w, one, curve)
    single = capped_rate(1.0, cap_w, one, curve)
    duty = 1.0
    if wanted <= single:
        batch, duty = 1.0, wanted / single
    elif wanted >= capped_rate(best, cap_w, one, curve):
        batch = best
    else:
        batch = brentq(lambda b: capped_rate(b, cap_w, one, curve) - wanted, 1.0, best)
    free_w = power_w(batch, one)
    held_w = min(free_w, max(cap_w, curve.floor_w) * one.accelerators)
    slow = relative_throughput(cap_w, free_w / one.accelerators, curve)
    idle_w = one.idle_w * one.accelerators
    itl, ttft = itl_quantiles_s(batch, one), ttft_quantiles_s(batch, min(load, 1.0), 0.0, one)
    return {
        Point.ACCELERATOR_W: REPLICAS * (idle_w + duty * (held_w - idle_w)) + REST_IDLE_W,
        Point.UNCAPPED_W: REPLICAS * (idle_w + duty * (free_w - idle_w)) + REST_IDLE_W,
        Point.RATE_PER_S: REPLICAS * duty * capped_rate(batch, cap_w, one, curve),
        Point.BATCH: batch * duty,
        Point.ITL_P50_S: itl[0] / slow,
        Point.ITL_P90_S: itl[1] / slow,
        Point.ITL_P99_S: itl[2] / slow,
        Point.TTFT_P50_S: ttft[0] / slow,
        Point.TTFT_P90_S: ttft[1] / slow,
        Point.TTFT_P99_S: ttft[2] / slow,
        Point.MEETS_SLO_FRAC: meets_slo_frac(batch, min(load, 1.0), 0.0, TTFT_S * slow, ITL_S * slow, one),
    }


@pytest.mark.parametrize("cap", range(CAPS))
def test_every_column_is_what_the_laws_give_at_the_solved_batch(table, one, curve, cap):
    """Batches stand 7 % apart on the table's own grid; between them it is linear, which costs some parts in a thousand."""
    filled, rate_max = table
    least = curve.floor_w / one.tdp_w
    assert rate_max == pytest.approx(REPLICAS * throughput_tok_s(LIMIT, one), rel=1e-9)
    for load in range(0, LOADS, 8):
        share = load / (LOADS - 1)
        exact = by_law(share, least + cap / (CAPS - 1) * (1.0 - least), one, curve)
        for column, value in exact.items():
            assert filled[cap, load, column] == pytest.approx(value, rel=1e-2, abs=2e-2), (column, share)
        assert filled[cap, load, Point.ACCELERATOR_W] == pytest.approx(exact[Point.ACCELERATOR_W], rel=1e-3)
        assert filled[cap, load, Point.RATE_PER_S] == pytest.approx(exact[Point.RATE_PER_S], rel=1e-3)


def test_a_table_has_loads_below_a_batch_of_one_between_and_beyond_the_cap(table, one):
    """The three branches of the table are all there to be compared."""
    filled, rate_max = table
    single = REPLICAS * throughput_tok_s(1.0, one)
    assert 0 < single < 0.2 * rate_max
    assert filled[0, -1, Point.RATE_PER_S] < 0.9 * rate_max
    assert filled[0, 0, Point.ACCELERATOR_W] == REPLICAS * one.accelerators * one.idle_w + REST_IDLE_W
    assert (filled[-1, :, Point.ACCELERATOR_W] == filled[-1, :, Point.UNCAPPED_W]).all()
    assert (filled[0, :, Point.UNCAPPED_W] >= filled[0, :, Point.ACCELERATOR_W]).all()


def test_the_load_at_a_share_of_the_batch_limit(table, one):
    loads = load_at_batch(table[0])
    assert loads[0] == pytest.approx(0.0, abs=1e-12)
    assert loads[-1] == pytest.approx(1.0)
    for number in range(4, BATCH_SHARES):
        batch = LIMIT * number / (BATCH_SHARES - 1)
        exact = throughput_tok_s(batch, one) / throughput_tok_s(LIMIT, one)
        assert loads[number] == pytest.approx(exact, rel=5e-3)


def test_the_table_of_a_job_follows_the_cap_law_and_that_of_a_replay_does_not(one, curve):
    rated_w, least = 32 * one.tdp_w, curve.floor_w / one.tdp_w
    job = job_table(rated_w, 5e4, curve, 32, least)
    for cap, load in ((0, 128), (3, 100), (8, 128), (8, 40), (0, 16)):
        free_w = load / 128 * one.tdp_w
        cap_w = (least + cap / 8 * (1.0 - least)) * one.tdp_w
        assert job[cap, load, Point.ACCELERATOR_W] == pytest.approx(32 * min(free_w, cap_w), rel=1e-12)
        assert job[cap, load, Point.UNCAPPED_W] == pytest.approx(32 * free_w, rel=1e-12)
        kept = relative_throughput(cap_w, free_w, curve)
        assert job[cap, load, Point.RATE_PER_S] == pytest.approx(5e4 * kept, rel=1e-12)
    measured = replay_table(rated_w)
    assert measured[0, 32, Point.ACCELERATOR_W] == measured[8, 32, Point.UNCAPPED_W] == rated_w / 4
    assert not measured[:, :, Point.RATE_PER_S].any()


def test_a_limit_of_one_request_is_idle_or_full(one, curve):
    least = curve.floor_w / one.tdp_w
    filled, rate_max = service_table(one, curve, 2, 1.0, least, TTFT_S, ITL_S, 0.0)
    assert rate_max == pytest.approx(2 * throughput_tok_s(1.0, one), rel=1e-6)
    idle_w, full_w = 2 * one.accelerators * one.idle_w, 2 * power_w(1.0, one)
    assert filled[-1, 64, Point.ACCELERATOR_W] == pytest.approx(0.5 * (idle_w + full_w), rel=1e-6)
    assert filled[-1, 64, Point.BATCH] == pytest.approx(0.5, rel=1e-6)
