"""The energy engine on the example campus: 8 pods, 1 s; the first case is what the others are held against."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from benchmarks.measure import CAMPUS, Case, timed


def _twin(days: float):
    import aidc
    from aidc.simulate import compile_site

    return aidc.Twin(compile_site(aidc.load(CAMPUS, [f"scenario.days={days}"])))


def _advance(twin) -> None:
    while not twin.done:
        twin.advance(86_400)


def engine(days: float) -> dict[str, float]:
    """The kernel alone, after compilation: every pod, stage and loop in every step."""
    twin = _twin(days)
    twin.advance(3600)
    twin.reset()
    return timed(twin.compiled.clock.steps, lambda: _advance(twin))


def recorded(days: float) -> dict[str, float]:
    """The whole of `aidc.run`: inputs, engine, Parquet, measures (no report)."""
    import aidc

    _advance(_twin(0.1))  # compile
    site = aidc.load(CAMPUS, [f"scenario.days={days}"])
    with tempfile.TemporaryDirectory() as folder:
        return timed(int(days * 86_400), lambda: aidc.run(site, out=Path(folder) / "run"))


def python_body() -> dict[str, float]:
    """The engine's own Python body, uncompiled."""
    if os.environ.get("NUMBA_DISABLE_JIT") != "1":
        message = "run this case through `python -m benchmarks`, which switches the compiler off"
        raise RuntimeError(message)
    twin = _twin(0.01)
    return timed(120, lambda: twin.advance(120))


CASES: dict[str, Case] = {
    "energy-python-body": python_body,
    "energy-engine-week": lambda: engine(7),
    "energy-engine-year": lambda: engine(365),
    "energy-campus-week": lambda: recorded(7),
    "energy-campus-year": lambda: recorded(365),
}
UNCOMPILED = {"energy-python-body"}
