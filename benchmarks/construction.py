"""Monte Carlo of schedules: 100,000 draws of 150 tasks with crews and correlation, with calendars and without."""

from __future__ import annotations

import time
from datetime import date
from functools import cache

from benchmarks.measure import CAMPUS, Case, timed

DRAWS, MODULES, STEPS = 100_000, 15, 10
CREWS = {"crane": 1, "electrical": 2, "mechanical": 2, "commissioning": 2}
NEEDED = {
    5: ("crane",),
    6: ("electrical", "mechanical"),
    7: ("commissioning",),
    8: ("commissioning",),
    9: ("commissioning",),
}
MODULAR = CAMPUS.parents[1] / "modular-campus" / "site.toml"


@cache
def _network(calendar: str):
    """Fifteen modules of ten steps; each is set only after the one before it has been tested in the factory."""
    import numpy as np

    from aidc.design.construction.calendars import tables_of
    from aidc.design.construction.draws import prepared
    from aidc.design.construction.network import NetworkTask
    from aidc.schema.construction import Calendar
    from aidc.schema.module import Work

    generator, tasks = np.random.default_rng(5), []
    for module in range(MODULES):
        for step in range(STEPS):
            least = float(generator.uniform(2, 20))
            after = (f"m{module}.{step - 1}",) if step else ()
            after += (f"m{module - 1}.3",) if step == 5 and module else ()
            work = Work(days=(least, 1.3 * least, 2 * least), crews=NEEDED.get(step, ()), factor="works")
            tasks.append(NetworkTask(f"m{module}.{step}", work, calendar, after))
    tables = tables_of({"site": Calendar(observes="us-federal")}, date(2026, 1, 5))
    return prepared(tasks, tables, CREWS, {"works": 0.3})


def _draw(calendar: str, draws: int = DRAWS) -> None:
    from aidc.design.construction.draws import draw

    draw(_network(calendar), draws, 1)


def draws(calendar: str) -> dict[str, float]:
    """A step is a task of a draw."""
    _draw(calendar, 100)
    return timed(DRAWS * MODULES * STEPS, lambda: _draw(calendar))


def ratio() -> dict[str, float]:
    """Both, alternating three times in one process: the least processor time of each."""
    spent: dict[str, list[float]] = {"every-day": [], "site": []}
    for calendar in spent:
        _draw(calendar, 100)
    for _ in range(3):
        for calendar, seconds in spent.items():
            began = time.thread_time()
            _draw(calendar)
            seconds.append(time.thread_time() - began)
    plain_s, site_s = (min(seconds) for seconds in spent.values())
    return {"without_cpu_s": plain_s, "with_cpu_s": site_s, "calendars_over_without": site_s / plain_s}


def study() -> dict[str, float]:
    """The whole of `aidc build --no-value` on the example, 10,000 draws of 208 tasks, a week less and more of 25."""
    import aidc

    aidc.build(MODULAR, draws=200, value=False)
    return timed(10_000 * 208, lambda: aidc.build(MODULAR, value=False))


def report() -> dict[str, float]:
    """One report of the example, without values."""
    import tempfile
    from pathlib import Path

    import aidc
    from aidc.report.build.page import write_build

    facts = aidc.build(MODULAR, draws=1000, value=False).as_dict()
    with tempfile.TemporaryDirectory() as folder:
        return timed(1, lambda: write_build(facts, Path(folder) / "report.html"))


CASES: dict[str, Case] = {
    "build-draws": lambda: draws("every-day"),
    "build-draws-calendars": lambda: draws("site"),
    "build-calendars-ratio": ratio,
    "build-study": study,
    "build-report": report,
}
