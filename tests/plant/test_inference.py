"""The kernels of inference: limits that hold for any replica, published figures, and their own body."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aidc.catalogue import names, read
from aidc.errors import InputError
from aidc.plant.inference import (
    Replica,
    itl_median_s,
    power_w,
    predict,
    prefill_s,
    step_s,
    throughput_tok_s,
)
from aidc.plant.inference_params import max_batch, replica
from aidc.schema.accelerator import Accelerator
from aidc.schema.llm import Llm

BATCHES = (1.0, 3.5, 16.0, 128.0, 2048.0)


def _llm(name: str) -> Llm:
    return Llm(**read("llm", name).values)


def _chip(name: str) -> Accelerator:
    return Accelerator(**read("accelerator", name).values)


def _make(llm: str, chip: str, count: int, **lengths: float) -> Replica:
    lengths = {"input_tokens": 200.0, "output_tokens": 400.0, **lengths}
    return replica(_llm(llm), _chip(chip), count, **lengths)


@pytest.mark.parametrize(
    ("llm", "chip", "count"),
    [
        ("llama-3.1-8b", "h100", 1),
        ("qwen3-235b-a22b", "b200", 4),
        ("deepseek-r1", "gb200", 8),
        ("gpt-oss-20b", "h100", 1),
    ],
)
def test_jitted_kernels_equal_their_python_body(llm: str, chip: str, count: int) -> None:
    made = _make(llm, chip, count)
    for batch in BATCHES:
        rate, power, itl = predict(batch, made)
        assert throughput_tok_s(batch, made) == pytest.approx(float(rate), rel=1e-12)
        assert power_w(batch, made) == pytest.approx(float(power), rel=1e-12)
        assert itl_median_s(batch, made) == pytest.approx(float(itl), rel=1e-12)


def test_arrays_of_replicas_equal_single_ones() -> None:
    singles = [_make("llama-3.1-70b", "h100", 4), _make("qwen3-30b-a3b", "b200", 1)]
    stacked = Replica(*(np.array(column) for column in zip(*singles, strict=True)))
    rates, powers, itls = predict(np.array([8.0, 64.0]), stacked)
    for i, batch in enumerate((8.0, 64.0)):
        assert rates[i] == pytest.approx(throughput_tok_s(batch, singles[i]), rel=1e-12)
        assert powers[i] == pytest.approx(power_w(batch, singles[i]), rel=1e-12)
        assert itls[i] == pytest.approx(itl_median_s(batch, singles[i]), rel=1e-12)


@settings(max_examples=80, deadline=None)
@given(
    llm=st.sampled_from(names("llm")),
    chip=st.sampled_from(names("accelerator")),
    count=st.sampled_from([1, 2, 4, 8, 16]),
    input_tokens=st.floats(1, 2e4),
    output_tokens=st.floats(1, 2e4),
    batch=st.floats(1, 2000),
)
def test_more_batch_gives_more_tokens_longer_steps_and_bounded_power(
    llm: str, chip: str, count: int, input_tokens: float, output_tokens: float, batch: float
) -> None:
    try:
        made = _make(llm, chip, count, input_tokens=input_tokens, output_tokens=output_tokens)
    except InputError:
        return  # does not fit: refused, tested below
    more = 1.5 * batch
    assert throughput_tok_s(more, made) > throughput_tok_s(batch, made) * 0.999
    assert step_s(more, made) > step_s(batch, made) > itl_median_s(batch, made) > 0
    limit_w = made.ceiling_frac * made.tdp_w * made.accelerators
    assert made.accelerators * made.idle_w <= power_w(batch, made) <= limit_w
    assert prefill_s(made) > 0


def test_a_step_is_never_faster_than_reading_the_weights_at_peak_bandwidth() -> None:
    # Roofline, Williams et al., doi:10.1145/1498765.1498785: 2 bytes a parameter over n x 3.35 TB/s.
    made = _make("llama-3.1-70b", "h100", 4)
    bound_s = 2 * 70.55e9 / (4 * 3.35e12)
    assert itl_median_s(1.0, made) > bound_s


def test_throughput_converges_to_the_cost_of_one_sequence() -> None:
    made = _make("llama-3.1-8b", "h100", 1)
    rates = [throughput_tok_s(b, made) for b in (1e4, 1e5, 1e6)]
    assert abs(rates[2] / rates[1] - 1) < abs(rates[1] / rates[0] - 1) < 0.1


def test_experts_touched_follow_the_occupancy_of_a_random_choice() -> None:
    """k of E experts for each of B tokens: expected share 1 - (1 - k/E)^B, counted by sampling."""
    made = _make("qwen3-235b-a22b", "h100", 8)
    spread = _chip("h100").inference.expert_spread
    rng = np.random.default_rng(1)
    seen = [
        np.unique(np.array([rng.choice(128, 8, replace=False) for _ in range(16)])).size for _ in range(200)
    ]
    sampled_log = np.log(1 - np.mean(seen) / 128) / 16
    assert made.miss_log / spread == pytest.approx(sampled_log, rel=0.03)


def test_prefill_of_long_prompts_costs_throughput() -> None:
    short = _make("qwen3-14b", "h100", 1, input_tokens=100.0)
    long = _make("qwen3-14b", "h100", 1, input_tokens=4000.0)
    assert throughput_tok_s(32.0, long) < 0.7 * throughput_tok_s(32.0, short)


def test_power_agrees_with_100_ms_sensors(measured) -> None:
    """OpenG2G traces, arXiv 2605.05519: mean replica power of the middle of each run on H100."""
    folder = measured("openg2g_h100_traces")
    known = {
        "Llama-3.1-8B": ("llama-3.1-8b", "bf16"),
        "Llama-3.1-70B": ("llama-3.1-70b", "bf16"),
        "Llama-3.1-405B": ("llama-3.1-405b", "fp8"),
        "Qwen3-235B-A22B": ("qwen3-235b-a22b", "bf16"),
    }
    errors = []
    for path in sorted(folder.glob("*_num_gpus_*.csv")):
        label, count, batch = re.fullmatch(r"(.+)_num_gpus_(\d+)_max_num_seqs_(\d+)", path.stem).groups()
        name, precision = known[label]
        made = replica(
            _llm(name),
            _chip("h100"),
            int(count),
            precision=precision,
            input_tokens=224.0,
            output_tokens=500.0,
        )
        power = np.loadtxt(path, delimiter=",", skiprows=1)[:, 1]
        middle_w = power[len(power) // 4 : 3 * len(power) // 4].mean()
        errors.append(power_w(float(batch), made) / middle_w - 1)
    assert len(errors) > 30
    assert np.median(np.abs(errors)) < 0.12


def test_weights_that_do_not_fit_are_refused_with_the_way_out() -> None:
    with pytest.raises(InputError, match="do not fit") as caught:
        _make("llama-3.1-405b", "h100", 8)
    assert "lower precision" in str(caught.value)
    fits = replica(
        _llm("llama-3.1-405b"), _chip("h100"), 8, precision="fp8", input_tokens=200, output_tokens=400
    )
    assert fits.accelerators == 8


def test_a_group_that_does_not_divide_is_refused() -> None:
    with pytest.raises(InputError, match="does not divide"):
        replica(_llm("llama-3.1-8b"), _chip("h100"), 4, tensor_parallel=3, input_tokens=10, output_tokens=10)
    with pytest.raises(InputError, match="at least one token"):
        replica(_llm("llama-3.1-8b"), _chip("h100"), 1, input_tokens=0, output_tokens=10)


def test_batch_limit_comes_from_the_cache_that_fits() -> None:
    # Llama 3.1 70B: 80 layers x 8 heads x 128 x 2 (K, V) x 2 bytes = 327,680 bytes a token.
    free_bytes = 8 * 0.9 * 80e9 - 2 * 70.55e9
    expected = int(free_bytes / (327_680 * 1000))
    got = max_batch(_llm("llama-3.1-70b"), _chip("h100"), 8, input_tokens=400, output_tokens=600)
    assert got == pytest.approx(expected, abs=1)
    assert max_batch(_llm("llama-3.1-405b"), _chip("h100"), 1, input_tokens=400, output_tokens=600) == 0


def test_a_latent_cache_holds_more_requests_than_heads_would() -> None:
    chip = _chip("gb300")
    latent = _llm("deepseek-v3")
    heads = latent.model_copy(update={"latent_dim": None, "kv_heads": 128, "head_dim": 128})
    lengths = {"input_tokens": 2000.0, "output_tokens": 2000.0}
    assert max_batch(latent, chip, 8, **lengths) > max_batch(heads, chip, 8, **lengths) > 0
