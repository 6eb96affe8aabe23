"""A commissioning test on the twin: what a watt of each pod's accelerators is at the meter once cooling has answered.

What a site would measure before it promises anything: in six hours of its weather, from cold to hot, each pod is
capped by a seventh for half an hour while the others work on, and the change at the meter is divided by that of the
accelerators. Demand and weather are those of the same time without the cap, so that nothing else changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace

import numpy as np

from aidc.contract import Command, FloatArray, Knob, Point, SiteView
from aidc.simulate.compiling.compiled import Compiled
from aidc.simulate.twin import Twin

__all__ = ["commissioned"]

_SETTLE_S, _TEST_S, _READ_S = 2400.0, 1800.0, 600.0
_CAPPED = 6.0 / 7.0
_HOURS = 6  # from the coldest to the hottest: compressors make the slope bend
_LEAST_STEP_S = 0.1  # below, a test would take longer than what it is for
_LEAST_DRAW = 0.05  # of the rating: a pod that idles cannot be tested


def commissioned(compiled: Compiled) -> SiteView:
    """The site's view with the outcome of the test; as it is where no test is possible (an island, tiny steps)."""
    view = compiled.view
    if view.import_limit_w <= 0 or view.step_s < _LEAST_STEP_S:
        return view
    twin = Twin(compiled)
    found = [_tested(twin, tick) for tick in _hours(compiled)]
    known = [(dry, slope) for dry, slope in found if np.isfinite(slope).any()]
    if not known:
        return view
    order = np.argsort([dry for dry, _ in known])
    slopes = np.array([known[place][1] for place in order])
    usual = np.nanmean(slopes / view.pod_meter_per_w)
    return replace(
        view,
        meter_dry_bulb_k=np.array([known[place][0] for place in order]),
        pod_meter_settled_per_w=np.where(np.isfinite(slopes), slopes, usual * view.pod_meter_per_w),
    )


def _hours(compiled: Compiled) -> Iterator[int]:
    """First ticks of tests from cold to hot, at which nothing is asked; of a short run its beginning."""
    clock, step_s = compiled.clock, compiled.view.step_s
    span = round((_SETTLE_S + _TEST_S) / step_s)
    quiet = [
        tick
        for tick in range(0, clock.steps - span, max(1, round(3600.0 / step_s)))
        if not any(one.start_tick < tick + span and tick < one.end_tick for one in compiled.signals)
    ]
    if not quiet or compiled.weather is None:
        yield 0
        return
    dry = compiled.weather.dry_bulb_k.at([clock.at(tick + span) for tick in quiet])  # when it is read
    ranked = np.argsort(dry, kind="stable")
    shares = np.linspace(0.0, 1.0, _HOURS)
    places = dict.fromkeys(int(ranked[round(share * (len(ranked) - 1))]) for share in shares)
    yield from (quiet[place] for place in places)


def _tested(twin: Twin, tick: int) -> tuple[float, FloatArray]:
    """Dry bulb [K] and slope of each pod (NaN where it could not be tested) from a tick on."""
    view = twin.view
    steps = twin.compiled.clock.steps - tick
    settle = min(round(_SETTLE_S / view.step_s), steps // 2) if tick else 0
    test = min(max(1, round(_TEST_S / view.step_s)), steps - settle)
    read = min(max(1, round(_READ_S / view.step_s)), test)
    twin.start_at(tick)
    twin.apply(_still(view))
    if settle:
        twin.advance(settle)
    at = deepcopy(twin)
    load_w, drawn_w, dry_k = _read(at, test, read)
    slopes = np.full(len(view.pods), np.nan)
    for pod in np.flatnonzero(drawn_w > _LEAST_DRAW * view.pod_rated_w):
        one = deepcopy(twin)
        cap = np.full(len(view.pods), np.nan)
        cap[pod] = max(_CAPPED * drawn_w[pod], view.lower[Knob.POD_CAP_W][pod])
        one.apply([Command(Knob.POD_CAP_W, cap, 10 * _TEST_S, "commissioning")])
        capped_w, less_w, _ = _read(one, test, read)
        cut_w = float((drawn_w - less_w).sum())
        if cut_w > 0.2 * (1.0 - _CAPPED) * drawn_w[pod]:
            slopes[pod] = (load_w - capped_w) / cut_w
    return dry_k, slopes


def _still(view: SiteView) -> list[Command]:
    """Storages at rest."""
    return [Command(Knob.STORAGE_W, np.zeros(len(view.storages)), 1e9, "")] if view.storages else []


def _read(twin: Twin, test: int, read: int) -> tuple[float, FloatArray, float]:
    """The site's load, its pods and the dry bulb over the last steps of a test."""
    if test > read:
        twin.advance(test - read)
    twin.advance(read)
    value = twin.observe().value
    load_w = value[Point.GRID_IMPORT_W][0] - value[Point.STORAGE_W].sum()
    load_w += value[Point.PV_W][0] + value[Point.WIND_W][0]
    return float(load_w), value[Point.POD_ACCELERATOR_W], float(value[Point.DRY_BULB_K][0])
