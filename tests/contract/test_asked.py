"""What signals ask for: the lowest limit in force, and nothing from signals that make no sense."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aidc.contract import Signal
from aidc.contract.requests import level_w, lowest

NAN = math.nan


def ask(name: str, start: int, end: int, **levels: float) -> Signal:
    return Signal(name, "demand-response", 0, start, end, **levels)


def test_of_overlapping_requests_the_lowest_limit_holds() -> None:
    signals = [ask("share", 0, 100, reduce_frac=0.25), ask("level", 50, 80, limit_w=7.0)]
    baselines = {"share": 8.0}
    assert [lowest(signals, tick, baselines)[1] for tick in (0, 49, 50, 79, 80, 99)] == [6, 6, 6, 6, 6, 6]
    baselines = {"share": 12.0}
    assert [lowest(signals, tick, baselines)[1] for tick in (0, 49, 50, 79, 80, 99)] == [9, 9, 7, 7, 9, 9]
    assert lowest(signals, 100, baselines) == (None, pytest.approx(NAN, nan_ok=True))


@pytest.mark.parametrize(
    "signal",
    [
        ask("nothing", 0, 9),
        ask("backwards", 9, 3, limit_w=1.0),
        ask("no time", 0, 0, limit_w=1.0),
        ask("past", -9, 0, limit_w=1.0),
        Signal("price", "price-spike", 0, 0, 9, price_usd_per_mwh=900.0),
        Signal("unknown", "sing", 0, 0, 9, limit_w=1.0),
        ask("infinite", 0, 9, limit_w=math.inf),
    ],
    ids=lambda signal: signal.name,
)
def test_what_asks_for_nothing_is_no_request(signal: Signal) -> None:
    assert lowest([signal], 0, {})[0] is None


def test_a_share_of_an_unknown_baseline_has_no_level_and_does_not_hide_one_that_has() -> None:
    share, level = ask("share", 0, 9, reduce_frac=0.5), ask("level", 0, 9, limit_w=5.0)
    assert lowest([share], 0, {})[0] is share
    assert math.isnan(lowest([share], 0, {})[1])
    assert lowest([share, level], 0, {}) == (level, 5.0)


@given(
    frac=st.floats(-5, 5) | st.just(NAN),
    limit=st.floats(-1e9, 1e9) | st.just(NAN) | st.just(math.inf),
    less=st.floats(-1e9, 1e9) | st.just(NAN),
)
def test_no_level_asks_for_more_than_the_site_draws_or_less_than_nothing_of_a_share(
    frac, limit, less
) -> None:
    told = level_w(Signal("x", "emergency", 0, 0, 1, frac, limit, less), 100.0, 90.0)
    if math.isnan(frac) and math.isnan(less):
        assert math.isnan(told) or told >= 0.0
    else:
        assert told <= 100.0
