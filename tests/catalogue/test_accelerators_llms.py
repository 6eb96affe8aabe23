"""Accelerators and language models of the catalogue: every figure in its range and consistent with others."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from aidc.catalogue import CONFIDENCE, names, read
from aidc.plant.inference_params import deployment
from aidc.schema.accelerator import Accelerator
from aidc.schema.llm import Llm

WANTED = {"a100-40gb", "a100-80gb", "h100", "h200", "b200", "gb200", "gb300", "ascend-910c"}
BOUNDS = {
    "tdp_w": (300, 2500),
    "floor_w": (50, 800),
    "idle_w": (30, 400),
    "hbm_gb": (32, 600),
    "hbm_tb_per_s": (1, 30),
    "bf16_tflops": (200, 6000),
    "link_gb_per_s": (300, 4000),
    "case_limit_c": (60, 110),
}


@pytest.mark.parametrize("name", names("accelerator"))
def test_an_accelerator_is_within_physical_ranges(name: str) -> None:
    entry = read("accelerator", name)
    chip = Accelerator(**entry.values)
    for key, (low, high) in BOUNDS.items():
        assert low <= getattr(chip, key) <= high, key
    for key, value in chip.inference.model_dump().items():
        if key.endswith(("bandwidth_frac", "flops_frac")):
            assert 0.15 < value < 1.6, key
        if key.endswith("layer_us"):
            assert 5 < value < 5000, key
    # Energy: no device of this decade reaches 10 TFLOP/s per W in 16 bit, none falls below 0.5.
    assert 0.5 < chip.bf16_tflops / chip.tdp_w < 10
    assert entry.figures["inference.layer_us"].confidence in CONFIDENCE


def test_the_accelerators_of_the_product_are_there() -> None:
    assert set(names("accelerator")) >= WANTED


def test_measured_constants_are_marked_so_and_derived_ones_are_not() -> None:
    marks = {name: read("accelerator", name).figures["inference.layer_us"].confidence for name in WANTED}
    assert {name for name, mark in marks.items() if mark == "measured"} == {"h100", "b200"}


@pytest.mark.parametrize("name", names("llm"))
def test_a_model_is_consistent_with_its_own_shape(name: str) -> None:
    llm = Llm(**read("llm", name).values)
    assert llm.layers is not None
    assert llm.hidden is not None
    assert (llm.attention_layers or llm.layers) + (llm.ssm_layers or 0) <= llm.layers
    assert (llm.window_layers or 0) < (llm.attention_layers or llm.layers)
    if not llm.is_moe and llm.ssm_layers is None:
        # A dense transformer has 12 h² parameters a layer with a feed-forward of 4 h (Kaplan et al.,
        # arXiv 2001.08361, section 2.1); gated ones of 8 h and large vocabularies reach 28.
        assert 8 < llm.parameters / (llm.layers * llm.hidden**2) < 30


@pytest.mark.parametrize(
    ("name", "bytes_per_token"),
    [
        ("llama-3.1-8b", 131_072),  # Llama 3 paper: 32 layers x 8 heads x 128 x 2 x 2 bytes
        ("llama-3.1-70b", 327_680),
        ("llama-3.1-405b", 516_096),
        ("deepseek-v3", 70_272),  # DeepSeek-V3 paper: (512 + 64) x 61 x 2 bytes
    ],
)
def test_cache_per_token_is_the_published_one(name: str, bytes_per_token: int) -> None:
    served = deployment(Llm(**read("llm", name).values), 8, input_tokens=1, output_tokens=1)
    assert served.kv_layer_bytes * served.full_layers == bytes_per_token


@pytest.mark.parametrize(
    "change",
    [
        {"activated_b": 900.0},
        {"experts": None},
        {"experts_per_token": 128},
        {"window_tokens": 128, "window_layers": None},
        {"parameters_b": float("nan")},
        {"colour": "red"},
    ],
)
def test_a_contradictory_model_is_refused(change: dict[str, object]) -> None:
    values = dict(read("llm", "qwen3-30b-a3b").values)
    with pytest.raises(ValidationError):
        Llm(**{**values, **change})


def test_powers_out_of_order_are_refused() -> None:
    values = dict(read("accelerator", "h100").values)
    with pytest.raises(ValidationError, match="idle_w <= floor_w"):
        Accelerator(**{**values, "idle_w": 300.0})


def test_a_model_of_unknown_shape_gets_a_plausible_one() -> None:
    known = Llm(**read("llm", "llama-3.1-70b").values)
    bare = Llm(organisation="acme", parameters_b=known.parameters_b, activated_b=known.activated_b)
    guess = deployment(bare, 4, input_tokens=1, output_tokens=1)
    assert guess.layers == pytest.approx(80, rel=0.2)
    assert guess.hidden == pytest.approx(8192, rel=0.2)
