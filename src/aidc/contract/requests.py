"""What a set of grid signals asks of a site at one time: of overlapping requests the lowest limit in force holds.

Signals come from outside. One that asks for nothing (NaN), that ends before it begins, or that is over is no request;
shares and levels beyond what is possible are taken as the nearest that is (a share of more than all as all, a
level below nothing as nothing). A request that states several levels asks for the lowest of them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from aidc.contract.messages import Signal

__all__ = ["EVENTS", "REQUESTS", "in_force", "is_request", "level_w", "lowest"]

REQUESTS = frozenset({"demand-response", "emergency", "capacity-limit", "import-limit"})
"""Kinds that a controller answers by drawing less; an outage of supply leaves it nothing to decide."""
EVENTS = REQUESTS | {"supply-outage", "price-spike", "carbon-peak"}
"""Kinds in whose time a site does not draw what it would without them."""


def is_request(signal: Signal) -> bool:
    """Whether a signal asks for less, for any time at all."""
    asks = (signal.reduce_frac, signal.reduce_w, signal.limit_w)
    return (
        signal.kind in REQUESTS
        and signal.end_tick > signal.start_tick
        and any(math.isfinite(one) for one in asks)
    )


def in_force(signal: Signal, tick: int) -> bool:
    """Whether a signal acts at a tick."""
    return signal.start_tick <= tick < signal.end_tick


def level_w(signal: Signal, baseline_w: float, would_w: float) -> float:
    """The import that a request leaves a site [W]; NaN where what it refers to is not known.

    Parameters
    ----------
    baseline_w
        Mean import over the last hour without an event before the announcement [W]; NaN if never measured.
    would_w
        Import now if nothing had been asked [W], for `reduce_w`; NaN if not known.
    """
    levels: list[float] = []
    if math.isfinite(signal.limit_w):
        levels.append(max(0.0, signal.limit_w))
    if math.isfinite(signal.reduce_frac):
        levels.append(baseline_w * (1.0 - min(max(signal.reduce_frac, 0.0), 1.0)))
    if math.isfinite(signal.reduce_w):
        levels.append(would_w - max(signal.reduce_w, 0.0))
    known = [one for one in levels if math.isfinite(one)]
    return min(known) if known else math.nan


def lowest(
    signals: Iterable[Signal], tick: int, baselines_w: Mapping[str, float], would_w: float = math.nan
) -> tuple[Signal | None, float]:
    """The request that rules at a tick and the import that it leaves [W]: the lowest of those in force.

    (None, NaN) where nothing is in force; (a request, NaN) where none of them has a level that is known.

    `baselines_w` are the baselines of requests by share, by name [W]; `would_w` is what the site would draw now
    without any.
    """
    asked = [one for one in signals if is_request(one) and in_force(one, tick)]
    levels = [(level_w(one, baselines_w.get(one.name, math.nan), would_w), one) for one in asked]
    known = [one for one in levels if not math.isnan(one[0])]
    if known:
        level, ruling = min(known, key=lambda one: one[0])
        return ruling, level
    return (asked[0], math.nan) if asked else (None, math.nan)
