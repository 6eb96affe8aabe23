"""What a site file says of flexibility reaches the controller, and changes no result by itself."""

from __future__ import annotations

import pytest
from sites import document, loaded

from aidc.contract.samples import busy_site
from aidc.control.following.tiers import Tiers
from aidc.errors import InputError
from aidc.schema.flexibility import SLOWDOWN_FRAC
from aidc.simulate.compiling.compile import compile_site

RACK = {"use": "8xb200-liquid", "racks": 1, "chain": "dc", "cooling": "warm", "air_cooling": "hall"}


def body(**keys: object) -> dict:
    made = document({"a": dict(RACK), "b": dict(RACK), "c": dict(RACK)}, minutes=2.0)
    made["services"] = {
        "chat": {
            "use": "llama-3.1-8b",
            "pods": ["a"],
            "demand": {"use": "constant", "output_tokens_per_s": 1e3},
        }
    }
    made["jobs"] = {"train": {"use": "llama-3.1-8b", "pods": ["b"], "start": "2025-07-07T00:00:00Z", **keys}}
    return made


def test_window_and_price_reach_the_controller_by_pod() -> None:
    view = compile_site(loaded(body(flex_window="day", curtailment_usd_per_mwh=120.0))).view
    assert view.pod_flex_tier == (0, 2, 0)
    assert view.pod_flex_window == ("event", "day", "event")
    assert view.pod_curtailment_usd_per_mwh == (0.0, 120.0, 0.0)


def test_the_tiers_are_those_of_the_shipped_controller() -> None:
    assert tuple(Tiers(busy_site()).tolerated[:4]) == SLOWDOWN_FRAC


@pytest.mark.parametrize("bad", [{"flex_window": "week"}, {"curtailment_usd_per_mwh": -1.0}])
def test_what_cannot_be_is_refused_by_its_key(bad: dict) -> None:
    with pytest.raises(InputError) as caught:
        loaded(body(**bad))
    assert f"jobs.train.{next(iter(bad))}" in str(caught.value)
