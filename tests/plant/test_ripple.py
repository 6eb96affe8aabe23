"""The 100 ms power law: against an independent mixture oracle, against other measurements, and its own limits."""

import csv

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from aidc.calibrate.ripple import PRIOR, fit_ripple, main, read_traces, sample_of, shape_of
from aidc.errors import InputError
from aidc.plant.ripple import mixture_quantile, mixture_sd, pool_sd, ripple, ripple_law, synthesise
from aidc.site.devices import ripple_of

GPU, LAW = ripple_law(ripple_of("h100"))
LLAMA_70B = shape_of("Llama-3.1-70B")


@settings(max_examples=40, deadline=None)
@given(
    decode=st.floats(0.2, 0.9),
    rise=st.floats(0.01, 0.6),
    share=st.floats(0.001, 0.9),
    decode_sd=st.floats(0.005, 0.1),
    burst_sd=st.floats(0.005, 0.1),
)
def test_quantile_agrees_with_a_root_of_the_mixture_law(decode, rise, share, decode_sd, burst_sd):
    burst = decode + rise

    def missing(power):
        below = (1 - share) * stats.norm.cdf(power, decode, decode_sd)
        return below + share * stats.norm.cdf(power, burst, burst_sd) - 0.99

    oracle = optimize.brentq(missing, decode - 2, burst + 2, xtol=1e-12)
    mine = mixture_quantile(0.99, *(np.array([x]) for x in (decode, burst, share, decode_sd, burst_sd)))
    assert mine[0] == pytest.approx(oracle, abs=1e-8)


def test_moments_agree_with_a_large_sample():
    result = ripple(LLAMA_70B, 4, 32, GPU, LAW)
    sample = synthesise(result, 0, 400_000, np.random.default_rng(7), burst_samples=1.0)
    assert sample.mean() == pytest.approx(result.mean_frac[0], rel=0.005)
    assert sample.std() == pytest.approx(result.sd_frac[0], rel=0.02)
    assert np.quantile(sample, 0.99) == pytest.approx(result.p99_frac[0], rel=0.01)


def test_longer_bursts_keep_the_law_and_add_correlation():
    result = ripple(LLAMA_70B, 4, 32, GPU, LAW)
    short, long = (
        synthesise(result, 0, 200_000, np.random.default_rng(3), burst_samples=length)
        for length in (1.0, 3.0)
    )
    assert long.std() == pytest.approx(short.std(), rel=0.03)
    lag = [np.corrcoef(series[:-1], series[1:])[0, 1] for series in (short, long)]
    assert abs(lag[0]) < 0.05
    assert lag[1] > 0.2


def test_one_law_without_bursts_is_normal():
    law = [np.array([x]) for x in (0.5, 0.5, 0.3, 0.04, 0.04)]
    assert mixture_sd(*law)[0] == pytest.approx(0.04)
    assert mixture_quantile(0.99, *law)[0] == pytest.approx(0.5 + 2.3263479 * 0.04, abs=1e-7)


@pytest.mark.parametrize("label", ["Llama-3.1-8B", "Llama-3.1-70B", "Llama-3.1-405B", "Qwen3-235B-A22B"])
def test_power_rises_with_batch_and_stays_below_saturation(label):
    batch = 2.0 ** np.arange(12)
    result = ripple(shape_of(label), 8, batch, GPU, LAW)
    assert (np.diff(result.mean_frac) > -1e-3).all()
    assert (result.mean_frac < 0.97).all()
    assert (result.p99_frac > result.mean_frac).all()
    # the two levels of the mixture return the roofline's mean: energy is conserved by the split
    levels = result.decode_frac * (1 - result.burst_share) + result.burst_frac * result.burst_share
    assert levels == pytest.approx(result.mean_frac)


def test_replicas_together_ripple_by_the_root_of_their_number():
    rng = np.random.default_rng(5)
    together = rng.normal(0, 40, (64, 20_000)).sum(axis=0)
    assert pool_sd(40, 64) == pytest.approx(together.std(), rel=0.02)


@pytest.mark.parametrize(
    ("label", "billions", "active", "experts"),
    [
        ("Llama-3.1-70B-Instruct", 70.55, 70.55, 0),
        ("Some-New-34B", 34, 34, 0),
        ("Acme-MoE-100B-A10B", 100, 10, 128),
    ],
)
def test_shape_from_a_name(label, billions, active, experts):
    shape = shape_of(label)
    assert shape is not None
    assert (shape.params / 1e9, shape.active_params / 1e9) == pytest.approx((billions, active))
    assert shape.experts == experts


@pytest.mark.parametrize("label", ["", "gemini", "model-v2", "0B"])
def test_no_shape_without_a_size(label):
    assert shape_of(label) is None


def test_mean_power_of_other_models_measured_elsewhere(aidc_data):
    """ML.ENERGY v3 (NeurIPS D&B 2025), H100 chat rows of models that no constant here has seen."""
    errors = []
    with (aidc_data / "mlenergy_v3" / "llm_configurations.csv").open(newline="") as stream:
        for row in csv.DictReader(stream):
            name = row["nickname"].replace(" ", "-")
            shape = shape_of(name)
            seen = "Llama-3.1" in name or "235B" in name
            if row["gpu_model"] != "H100" or row["task"] != "lm-arena-chat" or shape is None or seen:
                continue
            chat = shape._replace(output_tokens=400.0)
            gpus = int(row["num_gpus"])
            mean_frac = ripple(chat, gpus, float(row["max_num_seqs"]), GPU, LAW).mean_frac[0]
            errors.append(mean_frac * gpus * GPU.tdp_w / float(row["avg_power_watts"]) - 1)
    assert len(errors) > 60
    assert np.median(np.abs(errors)) < 0.15


def test_shipped_constants_are_the_fit_of_the_measured_traces(aidc_data):
    traces = read_traces(aidc_data / "openg2g_h100_traces")
    rows = [row for row in (sample_of(trace, GPU) for trace in traces) if row is not None]
    assert len(rows) == len(traces) == 38
    assert np.array(fit_ripple(rows, GPU)) == pytest.approx(np.array(LAW), rel=0.02)


def test_without_rows_the_prior_stands():
    assert fit_ripple([], GPU) == PRIOR


def test_fit_needs_a_folder():
    with pytest.raises(InputError, match="DATA_DIR"):
        main([])
