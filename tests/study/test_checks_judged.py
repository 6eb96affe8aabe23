"""A few of the random checks of `make prove`, against the brute-force judge, and the search that one of them mended."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "transient"))

from checks_cases import tried

SEEDS = (3, 38, 84, 113)


@pytest.fixture(scope="module")
def judged():
    return {seed: tried(seed) for seed in SEEDS}


@pytest.mark.parametrize("seed", SEEDS)
def test_network_and_verdicts_are_those_of_the_judge(judged, seed) -> None:
    assert judged[seed].wrong == []


def test_the_sample_holds_what_it_is_to_judge(judged) -> None:
    """A sample without failures, passes, sequences or unsolvable cases would prove little."""
    counted = sum((Counter(one.counted) for one in judged.values()), Counter())
    for what in ("voltage-ride-through pass", "voltage-ride-through fail", "recovery pass", "load-loss fail"):
        assert counted[what] >= 1, counted
    assert counted["sequences"] == len(SEEDS)
    assert counted["unsolved"] >= 1, counted
