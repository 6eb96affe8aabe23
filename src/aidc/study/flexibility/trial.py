"""One promise tried on the twin: when it reaches the meter, what it costs, what comes after."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction

import numpy as np

from aidc.contract import FloatArray, Point, SiteView
from aidc.control.demand_response import DemandResponse, Options
from aidc.schema.event import event_of
from aidc.schema.site import Site
from aidc.simulate import Twin, compile_site
from aidc.simulate.compiling.compiled import Compiled
from aidc.study.flexibility.course import unasked

__all__ = ["Trial", "tried"]

_REACHED = 0.95
_AFTER_S = 7200.0


@dataclass(frozen=True, slots=True)
class Trial:
    """An event of an hour without notice, followed from its signal; times in seconds, powers in W."""

    promised_w: float
    delivered_w: float  # mean from ten minutes after the signal, against the twin without the event
    decided_s: float  # from the signal to the decision, at worst a control period
    acted_s: float  # from the decision until pods and storages have changed: the next step
    reached_s: float  # from the signal to 95 % of the promise at the meter
    tokens_lost: float  # in the event and the two hours after it
    rebound_w: float  # highest rise of import over the twin without the event, in the two hours after


def tried(site: Site, view: SiteView, first_s: float, promised_w: float) -> Trial:
    """Ask for a promise of an hour at some seconds from the start, without notice, and follow it.

    `first_s` is that time [s], `promised_w` the promise [W].
    """
    free = unasked(site)
    asked = event_of(
        {
            "use": "demand-response",
            "name": "trial",
            "start": free.scenario.start + timedelta(seconds=first_s),
            "duration_min": 60.0,
            "reduce_mw": promised_w / 1e6,
        }
    )
    scenario = free.scenario.model_copy(update={"events": (asked,)})
    compiled = compile_site(free.model_copy(update={"scenario": scenario}))
    period_s = site.control.period_s
    with_w, with_tokens = _played(compiled, view, first_s, period_s, follow=True)
    free_w, free_tokens = _played(compiled, view, first_s, period_s, follow=False)
    less_w = free_w - with_w
    step_s = view.step_s
    hour = round(3600.0 / step_s)
    reached = np.flatnonzero(less_w[:hour] >= _REACHED * promised_w)
    return Trial(
        promised_w=promised_w,
        delivered_w=float(less_w[round(600.0 / step_s) : hour].mean()),
        decided_s=period_s,
        acted_s=step_s,
        reached_s=float((reached[0] + 1) * step_s) if len(reached) else float("nan"),
        tokens_lost=free_tokens - with_tokens,
        rebound_w=float(np.max(-less_w[hour:], initial=0.0)),
    )


def _played(
    compiled: Compiled, view: SiteView, first_s: float, period_s: float, *, follow: bool
) -> tuple[FloatArray, float]:
    """Import in each step from the signal until two hours after the event [W], and tokens made meanwhile."""
    twin = Twin(compiled)
    follower = DemandResponse()
    follower.period_s = Fraction(period_s).limit_denominator(1_000_000)
    follower.reset(view, Options(), np.random.default_rng(0))
    steps = max(1, round(period_s / view.step_s))
    first, last = round(first_s / view.step_s), round((first_s + 3600.0 + _AFTER_S) / view.step_s)
    found, tokens = list[float](), 0.0
    while twin.tick < min(last, compiled.clock.steps):
        if follow:
            twin.apply(follower.decide(twin.observe()))
        if twin.tick + steps <= first:
            twin.advance(steps)
            continue
        total = 0.0
        for _ in range(min(steps, compiled.clock.steps - twin.tick)):
            twin.advance(1)
            value = twin.observe().value
            found.append(float(value[Point.GRID_IMPORT_W][0]))
            total += float(value[Point.POD_TOKENS_PER_S].sum()) * view.step_s
        tokens += total
    return np.array(found), tokens
