"""Latency: order and monotony, the log-normal against SciPy, and the measured tail."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import lognorm

from aidc.calibrate.inference_priors import SHIPPED_INPUT_TOKENS
from aidc.calibrate.inference_rows import accelerator_entry, read_v3
from aidc.catalogue import read
from aidc.plant.inference import Replica, itl_median_s, prefill_s, step_s
from aidc.plant.inference_params import chip_of, coefficients, deployment, replica
from aidc.plant.latency import itl_quantiles_s, lognormal_below_frac, meets_slo_frac, ttft_quantiles_s
from aidc.schema.accelerator import Accelerator
from aidc.schema.llm import Llm


def _replica(output_tokens: float = 350.0) -> Replica:
    llm = Llm(**read("llm", "llama-3.1-70b").values)
    chip = Accelerator(**read("accelerator", "h100").values)
    return replica(llm, chip, 4, input_tokens=224.0, output_tokens=output_tokens)


@settings(max_examples=60, deadline=None)
@given(
    batch=st.floats(1, 4000), utilisation=st.floats(0, 1), wait_s=st.floats(0, 1e4), output=st.floats(1, 1e5)
)
def test_quantiles_are_ordered_and_above_what_the_schedule_needs(
    batch: float, utilisation: float, wait_s: float, output: float
) -> None:
    made = _replica(output)
    i50, i90, i99 = itl_quantiles_s(batch, made)
    assert itl_median_s(batch, made) == i50 <= i90 <= i99 < np.inf
    t50, t90, t99 = ttft_quantiles_s(batch, utilisation, wait_s, made)
    assert prefill_s(made) < t50 <= t90 <= t99 < np.inf
    assert 0 <= meets_slo_frac(batch, utilisation, wait_s, 2.0, 0.05, made) <= 1


def test_the_tail_appears_when_prefill_steps_are_frequent_enough() -> None:
    made = _replica(10_000.0)
    calm = itl_quantiles_s(8.0, made)  # 0.08 % of steps carry a prefill: beyond the 99th percentile
    busy = itl_quantiles_s(400.0, made)  # 4 %
    assert calm[2] / calm[0] < 1.4
    assert busy[2] / busy[0] > calm[2] / calm[0]


@settings(max_examples=100, deadline=None)
@given(bound=st.floats(1e-4, 1e3), median=st.floats(1e-3, 1e2), ratio=st.floats(1.01, 50))
def test_share_below_a_bound_equals_scipy(bound: float, median: float, ratio: float) -> None:
    sigma = np.log(ratio) / 2.3263478740408408
    oracle = lognorm.cdf(bound, s=sigma, scale=median)
    assert lognormal_below_frac(bound, median, median * ratio) == pytest.approx(oracle, abs=1e-9)


def test_a_request_meets_generous_promises_and_misses_impossible_ones() -> None:
    made = _replica()
    assert meets_slo_frac(32.0, 0.3, 0.0, 1e3, 1e3, made) == pytest.approx(1.0, abs=1e-6)
    assert meets_slo_frac(32.0, 0.3, 0.0, 1e-6, 1e3, made) < 1e-6
    assert meets_slo_frac(32.0, 0.3, 0.0, 0.0, 1.0, made) == 0
    at_p99 = itl_quantiles_s(32.0, made)[2]
    assert meets_slo_frac(32.0, 0.3, 0.0, 1e3, at_p99, made) == pytest.approx(0.99, abs=1e-6)


def test_waiting_outside_delays_the_first_token_by_the_quantile_of_an_exponential() -> None:
    made = _replica()
    calm = np.array(ttft_quantiles_s(32.0, 0.3, 0.0, made))
    late = np.array(ttft_quantiles_s(32.0, 0.3, 10.0, made))
    assert late - calm == pytest.approx(10.0 * np.log([2.0, 10.0, 100.0]), rel=1e-9)


def test_a_full_replica_makes_requests_wait() -> None:
    made = _replica()
    assert ttft_quantiles_s(64.0, 1.0, 0.0, made)[1] > 3 * ttft_quantiles_s(64.0, 0.5, 0.0, made)[1]
    assert ttft_quantiles_s(64.0, 0.5, 0.0, made)[0] < 3 * step_s(64.0, made) + prefill_s(made)


def test_the_tail_agrees_with_measured_quantiles(measured) -> None:
    """ML.ENERGY v3, H100 text rows: modelled p90 and p99 against measured ones, ms against ms."""
    path = measured("mlenergy_v3/llm_configurations.csv")
    with path.open(newline="") as handle:
        measured = list(csv.DictReader(handle))
    errors = []
    for row, figures in zip(read_v3(path), measured, strict=True):
        if row.accelerator != "h100" or row.task not in SHIPPED_INPUT_TOKENS or row.llm is None:
            continue
        served = deployment(
            row.llm,
            row.count,
            tensor_parallel=row.tensor,
            expert_parallel=row.expert,
            precision=row.precision,
            input_tokens=SHIPPED_INPUT_TOKENS[row.task],
            output_tokens=row.output_tokens,
        )
        made = Replica(*(float(x) for x in coefficients(served, chip_of(accelerator_entry("h100")))))
        _, p90_s, p99_s = itl_quantiles_s(0.98 * row.batch, made)
        errors.append(
            (1e3 * p90_s / float(figures["p90_itl_ms"]) - 1, 1e3 * p99_s / float(figures["p99_itl_ms"]) - 1)
        )
    assert len(errors) > 200
    p90_error, p99_error = np.median(np.abs(np.array(errors)), axis=0)
    assert p90_error < 0.20
    assert p99_error < 0.30
