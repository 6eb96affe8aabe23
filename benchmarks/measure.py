"""What a case measures, and the site that the cases share."""

from __future__ import annotations

import importlib.util
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

CAMPUS = Path(__file__).parents[1] / "examples" / "campus-100mw" / "site.toml"

Case = Callable[[], dict[str, float]]


def timed(steps: int, work: Callable[[], object]) -> dict[str, float]:
    """Run once; steps per second of the wall and of this thread, and the peak memory of the process."""
    began, cpu = time.perf_counter(), time.thread_time()
    work()
    wall_s, cpu_s = time.perf_counter() - began, time.thread_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "steps_per_s": steps / wall_s,
        "steps_per_cpu_s": steps / cpu_s,
        "wall_s": wall_s,
        "peak_rss_mb": peak / (1024 * 1024 if sys.platform == "darwin" else 1024),
    }


def installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None
