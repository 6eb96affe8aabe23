"""Service levels: what was asked, delivered, dropped and still queued; latency; SLO attainment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aidc.measure.allocation import Part
from aidc.measure.frames import Frames
from aidc.measure.latency import latency_s

__all__ = ["service_latency", "service_levels"]


def service_levels(part: Part, latency: Mapping[str, float | None]) -> dict[str, Any]:
    """The figures of one service.

    `slo_attainment` is useful over delivered tokens: the share of tokens whose request met both its
    time to first token and its inter-token latency.
    """
    made = part["tokens_output"]
    return {
        "tokens_arrived": part["tokens_arrived"],
        "tokens_output": made,
        "tokens_useful": part["tokens_useful"],
        "tokens_input": part["tokens_input"],
        "tokens_dropped": part["tokens_dropped"],
        "tokens_queued": part["tokens_queued"],
        "requests": part["requests"],
        **latency,
        "slo_attainment": part["tokens_useful"] / made if made > 0 else None,
    }


def service_latency(frames: Frames) -> dict[str, dict[str, float | None]]:
    """TTFT (weighted by requests) and ITL (by tokens) of every service [s]."""
    asked = "requests" if "requests" in frames.pods_columns else "tokens_output"
    groups = {load.name: load.pods for load in frames.facts.of_kind("service")}
    return latency_s(frames.pods, groups, {"ttft": asked, "itl": "tokens_output"})
