"""`make bench`: one JSON object a line. Each case runs in its own process, pinned to one core."""

from __future__ import annotations

import importlib.util
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CAMPUS = Path(__file__).parents[1] / "examples" / "campus-100mw" / "site.toml"


def one_core() -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def twin(days: float, *settings: str):
    import aidc
    from aidc.simulate import compile_site

    return aidc.Twin(compile_site(aidc.load(CAMPUS, [f"scenario.days={days}", *settings])))


def engine(days: float) -> dict:
    """The kernel alone, after compilation: every pod, stage and loop in every step."""
    made = twin(days)
    made.advance(3600)
    made.reset()
    began, cpu = time.perf_counter(), time.thread_time()
    while not made.done:
        made.advance(86_400)
    return rate(made.tick, time.perf_counter() - began, time.thread_time() - cpu)


def recorded(days: float) -> dict:
    """The whole of `aidc.run`: inputs, engine, Parquet, measures (no report)."""
    import aidc

    engine(0.1)  # compile
    site = aidc.load(CAMPUS, [f"scenario.days={days}"])
    with tempfile.TemporaryDirectory() as folder:
        began, cpu = time.perf_counter(), time.thread_time()
        made = aidc.run(site, out=Path(folder) / "run")
        return rate(made.meta["steps"], time.perf_counter() - began, time.thread_time() - cpu)


def python_body() -> dict:
    """The engine's own Python body, uncompiled (NUMBA_DISABLE_JIT=1)."""
    made = twin(0.01)
    began, cpu = time.perf_counter(), time.thread_time()
    made.advance(120)
    return rate(120, time.perf_counter() - began, time.thread_time() - cpu)


def rate(steps: int, wall_s: float, cpu_s: float) -> dict:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "steps_per_s": steps / wall_s,
        "steps_per_cpu_s": steps / cpu_s,
        "wall_s": wall_s,
        "peak_rss_mb": peak,
    }


CASES = {
    "energy-python-body": python_body,
    "energy-engine-week": lambda: engine(7),
    "energy-engine-year": lambda: engine(365),
    "energy-campus-week": lambda: recorded(7),
    "energy-campus-year": lambda: recorded(365),
}


def main() -> None:
    if len(sys.argv) == 3 and sys.argv[1] == "--case":
        one_core()
        print(json.dumps(CASES[sys.argv[2]]()))
        return
    baseline = None
    for name in CASES:
        plain = {"NUMBA_DISABLE_JIT": "1"} if name == "energy-python-body" else {}
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks", "--case", name],
            env={**os.environ, **plain, "POLARS_MAX_THREADS": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            print(json.dumps({"name": name, "failed": done.stderr.strip().splitlines()[-1:]}), flush=True)
            continue
        row = json.loads(done.stdout.splitlines()[-1])
        baseline = baseline or row["steps_per_s"]
        row["ratio_to_baseline"] = row["steps_per_s"] / baseline
        print(json.dumps({"name": name, **{key: round(value, 3) for key, value in row.items()}}), flush=True)
    for peer in ("vessim", "openg2g"):
        state = "installed, not compared yet" if importlib.util.find_spec(peer) else "not installed"
        print(json.dumps({"name": f"energy-{peer}", "skipped": state}), flush=True)


if __name__ == "__main__":
    main()
