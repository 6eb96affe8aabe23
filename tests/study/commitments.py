"""Random commitments on the example campus, and what came of them at the meter, against the twin without the event."""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from aidc.contract import Point
from aidc.control.demand_response import DemandResponse, Options
from aidc.schema.event import event_of
from aidc.simulate import Twin, compile_site
from aidc.simulate.commissioning import commissioned
from aidc.site import load

CAMPUS = Path(__file__).parents[2] / "examples" / "campus-100mw" / "site.toml"
AFTER_MIN = 10
LEARN_H, LEAST_H, MOST_H = 24.0, 1.0, 4.0


class Commitment(NamedTuple):
    """What was promised, and delivered as a mean from ten minutes after the start to the end [MW]."""

    promised_mw: float
    delivered_mw: float
    plain_mw: float  # the same without the correction to the meter


@lru_cache(maxsize=4)
def base(days: int):
    """The campus from one of its days on, two days long, its storage kept for outages: site, import a minute, view."""
    start = load(CAMPUS).scenario.start + timedelta(days=days)
    settings = [
        "scenario.days=2.2", f"scenario.start={start.isoformat()}", 'storage.yard.rule={use="reserve"}',
    ]  # fmt: skip
    site = load(CAMPUS, settings)
    compiled = compile_site(site)
    return site, played(compiled, None, compiled.view, 0, 10**9), commissioned(compiled)


def played(compiled, options: Options | None, view, from_min: int, to_min: int) -> np.ndarray:
    """Import of each minute between two [W], with a follower that has these options or without one.

    Until an hour before, it decides every five minutes: that is enough to learn from.
    """
    twin, found = Twin(compiled), []
    follower = DemandResponse()
    follower.reset(view, options or Options(), np.random.default_rng(0))
    while not twin.done and twin.tick < 60 * to_min:
        if options:
            twin.apply(follower.decide(twin.observe()))
        calm = twin.tick < 60 * (from_min - 65)
        twin.advance(300 if calm else 60)
        if twin.tick > 60 * from_min:
            found.append(float(twin.observe().value[Point.GRID_IMPORT_W][0]))
    return np.array(found)


def commitment(seed: int, *, storage: bool) -> Commitment:
    """One drawn commitment: 5 to 9 % of the mean import, 1 to 4 h, at any minute of the second day, notice 10 min."""
    rng = np.random.default_rng(seed)
    site, free_w, view = base(int(rng.integers(0, 4)))
    at_min, long_min = int(rng.uniform(LEARN_H, 48.0) * 60), int(rng.uniform(LEAST_H, MOST_H) * 60)
    promised_mw = float(rng.uniform(0.05, 0.09) * free_w[at_min - 60 : at_min].mean() / 1e6)
    asked = event_of(
        {
            "use": "demand-response", "name": "promise", "start": site.scenario.start + timedelta(minutes=at_min),
            "notice_min": 10, "duration_min": long_min, "reduce_mw": promised_mw,
        }
    )  # fmt: skip
    scenario = site.scenario.model_copy(update={"events": (asked,)})
    compiled = compile_site(site.model_copy(update={"scenario": scenario}))
    first, last = at_min + AFTER_MIN, at_min + long_min
    delivered = [
        float((free_w[first:last] - played(compiled, options, view, first, last)).mean())
        for options in (
            Options(use_storage=storage),
            Options(use_storage=storage, meter_correction=False),
        )
    ]
    return Commitment(promised_mw, delivered[0] / 1e6, delivered[1] / 1e6)
