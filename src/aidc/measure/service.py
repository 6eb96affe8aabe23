"""Service levels: what was asked, delivered, dropped and still queued; latency; SLO attainment."""

from __future__ import annotations

from typing import Any

import polars as pl

from aidc.measure.allocation import Part
from aidc.measure.frames import Frames, collect
from aidc.measure.latency import latency_s
from aidc.measure.meta import Workload

__all__ = ["queued_tokens", "service_levels"]


def service_levels(frames: Frames, load: Workload, part: Part) -> dict[str, Any]:
    """The figures of one service.

    `slo_attainment` is useful over delivered tokens: the share of tokens whose request met both its
    time to first token and its inter-token latency. TTFT is weighted by requests, ITL by tokens.
    """
    rows = frames.pods.filter(pl.col("pod").cast(pl.String).is_in(list(load.pods)))
    asked = "requests" if "requests" in frames.pods_columns else "tokens_output"
    made = part["tokens_output"]
    return {
        "tokens_arrived": part["tokens_arrived"],
        "tokens_output": made,
        "tokens_useful": part["tokens_useful"],
        "tokens_input": part["tokens_input"],
        "tokens_dropped": part["tokens_dropped"],
        "tokens_queued": queued_tokens(frames, rows),
        "requests": part["requests"],
        **latency_s(rows, "ttft", asked),
        **latency_s(rows, "itl", "tokens_output"),
        "slo_attainment": part["tokens_useful"] / made if made > 0 else None,
    }


def queued_tokens(frames: Frames, rows: pl.LazyFrame) -> float:
    """Tokens that wait when the window ends."""
    if "queue_tokens" not in frames.pods_columns:
        return 0.0
    last = rows.filter(pl.col("time") == frames.last_time)
    return float(collect(last.select(pl.col("queue_tokens").sum())).item() or 0.0)
