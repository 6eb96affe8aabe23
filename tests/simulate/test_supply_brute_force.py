"""Every flow of random sites in foul weather, against a merit order in plain Python (`supply_judge.py`).

`make prove` judges as many sites as one likes; here is the beginning of the same row.
"""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from supply_compare import disagreements
from supply_play import Played, play
from supply_sites import random_case

SEEDS = range(40)


@cache
def played(seed: int) -> Played:
    with tempfile.TemporaryDirectory() as folder:
        return play(random_case(seed), Path(folder))


@pytest.mark.parametrize("seed", SEEDS)
def test_every_flow_of_a_random_site_is_that_of_the_merit_order(seed) -> None:
    assert disagreements(played(seed)) == []


def test_the_random_sites_see_all_kinds_of_foul_weather() -> None:
    """A row of sites on which nothing happens would prove nothing: each kind is seen on some of them."""
    seen: dict[str, int] = {}
    for seed in SEEDS:
        one = played(seed)
        site, shed = one.site, one.pods["shed_frac"]
        running = [site[name] for name in site if name.endswith("running_frac")]
        kinds = {
            "dead bus": (site["formed_frac"] < 1.0).any(),
            "some shed": ((shed.min(axis=1) == 0.0) & (shed.max(axis=1) == 1.0)).any(),
            "back": (np.diff(shed, axis=0) < 0.0).any(),
            "auxiliaries cut": ((site["auxiliary_unserved_w"] > 0.0) & (site["formed_frac"] > 0.0)).any(),
            "curtailed": (site["curtailed_w"] > 0.0).any(),
            "exported": (site["export_w"] > 0.0).any(),
            "load bank": (site["load_bank_w"] > 0.0).any(),
            "gensets start": any((np.diff(one_set) > 0.0).any() for one_set in running),
            "gensets stop": any((np.diff(one_set) < 0.0).any() for one_set in running),
            "lineups discharge": (one.store_w[:, [s.lane >= 0 for s in one.plan.stores]] < -1.0).any(),
            "the site charges": (one.store_w[:, [s.lane < 0 for s in one.plan.stores]] > 1.0).any(),
            "set points": bool(one.case.set_points),
            "lost modules": any(step.stage_share for step in one.steps),
        }
        for kind, here in kinds.items():
            seen[kind] = seen.get(kind, 0) + bool(here)
    assert min(seen.values()) >= 1, seen
