"""What the inference fit knows before it sees a row, and what the shipped calibration found beside constants.

The catalogue's entries hold the fitted constants of each accelerator; prompt lengths and the state of the
benchmark's hosts belong to the benchmark, so they are kept here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

__all__ = [
    "CALIBRATED_FAMILIES",
    "CALIBRATED_MODELS",
    "CONSTANTS",
    "HOST_FREE_TOKENS",
    "HOST_MS",
    "INPUT_TOKENS",
    "NAMES",
    "SHIPPED_HOST_MS",
    "SHIPPED_INPUT_TOKENS",
    "UNKNOWN_INPUT",
    "Prior",
]


class Prior(NamedTuple):
    """Centre, spread of its logarithm, and spread of one accelerator's logarithm around the common one."""

    centre: float
    spread: float
    between: float


# Centres and spreads are engineering knowledge of serving engines, in the units of the catalogue;
# efficiencies and kernel launch times of this order are in Yuan et al., arXiv 2402.16363.
CONSTANTS: Final[Mapping[str, Prior]] = {
    "weight_bandwidth_frac": Prior(0.75, 0.20, 0.06),
    "expert_bandwidth_frac": Prior(0.70, 0.25, 0.06),
    "kv_bandwidth_frac": Prior(0.80, 0.30, 0.09),
    "decode_flops_frac": Prior(0.75, 0.15, 0.10),
    "expert_decode_flops_frac": Prior(0.45, 0.25, 0.10),
    "prefill_flops_frac": Prior(0.60, 0.20, 0.10),
    "expert_prefill_flops_frac": Prior(0.35, 0.25, 0.10),
    "step_us": Prior(1000.0, 0.60, 0.30),
    "sequence_us": Prior(45.0, 0.70, 0.24),
    "layer_us": Prior(60.0, 0.50, 0.18),
    "moe_layer_us": Prior(40.0, 0.60, 0.18),
    "expert_16bit_us": Prior(0.3, 0.80, 0.18),
    "expert_8bit_us": Prior(4.0, 0.60, 0.15),
    "expert_4bit_us": Prior(0.3, 0.60, 0.30),
    "quantised_layer_us": Prior(25.0, 0.60, 0.18),
    "collective_us": Prior(10.0, 0.60, 0.18),
    "collective_gb_per_s": Prior(250.0, 0.50, 0.24),
    "prefill_layer_us": Prior(200.0, 0.60, 0.18),
    "prefill_moe_layer_us": Prior(200.0, 0.60, 0.18),
    "prefill_ssm_layer_us": Prior(500.0, 0.60, 0.18),
    "expert_spread": Prior(0.80, 0.15, 0.05),
    "expert_imbalance": Prior(0.18, 0.50, 0.06),
    "active_power_frac": Prior(0.22, 0.25, 0.10),
    "memory_power_frac": Prior(0.60, 0.25, 0.15),
    "flop_power_frac": Prior(1.50, 0.25, 0.10),
    "expert_flop_power_frac": Prior(4.0, 0.40, 0.15),
    "quantised_power_frac": Prior(0.50, 0.50, 0.12),
}
NAMES: Final = tuple(CONSTANTS)

# Mean prompt of a task, tokens, with the spread of its logarithm.
INPUT_TOKENS: Final[Mapping[str, tuple[float, float]]] = {
    "lm-arena-chat": (200.0, 0.2),
    "gpqa": (200.0, 0.2),
    "sourcegraph-fim": (1500.0, 0.1),
    "image-chat": (1200.0, 0.4),
    "video-chat": (5000.0, 0.4),
    "v2-chat": (250.0, 0.2),
    "v2-code": (150.0, 0.2),
}
UNKNOWN_INPUT: Final = (400.0, 0.6)

# The benchmark's B200 hosts ran several single-accelerator jobs at once. With reasoning outputs their
# steps are ~25 ms longer at any batch while the GPU draws ~300 W: a property of those hosts, growing
# with output length beyond ~2000 tokens, in ms per 1000 tokens. Other accelerators do not show it.
HOST_MS: Final[Mapping[str, tuple[float, float]]] = {"b200": (2.0, 1.0)}
HOST_FREE_TOKENS: Final = 2000.0


# Found by `python -m aidc.calibrate.inference` on the rows that the catalogue's constants come from.
SHIPPED_INPUT_TOKENS: Final[Mapping[str, float]] = {
    "lm-arena-chat": 224.0,
    "gpqa": 191.0,
    "sourcegraph-fim": 1404.0,
}
SHIPPED_HOST_MS: Final[Mapping[str, float]] = {"b200": 4.37}
CALIBRATED_MODELS: Final = frozenset(
    {
        "deepseek-r1",
        "gemma-3-12b",
        "gemma-3-27b",
        "gpt-oss-20b",
        "llama-3.1-405b",
        "llama-3.1-70b",
        "llama-3.1-8b",
        "llama-4-maverick-17b-128e",
        "llama-4-scout-17b-16e",
        "nemotron-nano-12b-v2",
        "nemotron-nano-9b-v2",
        "qwen3-14b",
        "qwen3-235b-a22b",
        "qwen3-30b-a3b",
        "qwen3-480b-a35b",
        "qwen3-8b",
    }
)
CALIBRATED_FAMILIES: Final = frozenset({"deepseek-ai", "google", "meta-llama", "nvidia", "openai", "qwen"})
