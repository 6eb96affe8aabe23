"""What compiling a site gives: arrays for the engine, and the names to read them by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import gcd
from typing import Any

import numpy as np

from aidc.clock import Clock
from aidc.contract import Signal, SiteView
from aidc.scenario.series import Series
from aidc.scenario.weather import Weather
from aidc.simulate.energy.arrays import Inputs, Knobs, Params, State
from aidc.simulate.energy.fields import PodKnob

__all__ = ["Compiled", "Labels", "Market"]


@dataclass(frozen=True, slots=True)
class Labels:
    """Names in the order of the arrays; `stages[k][pod]` is "chain.stage" or "" where there is none."""

    pods: tuple[str, ...]
    plants: tuple[str, ...]
    stores: tuple[str, ...]
    stages: tuple[tuple[str, ...], ...]
    gensets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Market:
    """Prices and carbon; without carbon none is known."""

    price_usd_per_mwh: Series
    export_price_usd_per_mwh: Series
    carbon_kg_per_mwh: Series | None = None
    marginal_kg_per_mwh: Series | None = None


@dataclass(frozen=True)
class Compiled:
    """A site and its scenario, ready to be stepped.

    The engine records a row every `steps_per_row` steps, of which both an output step and a row of the books are
    whole multiples.
    """

    clock: Clock
    steps_per_output: int
    steps_per_book: int
    params: Params
    inputs: Inputs
    start: State
    labels: Labels
    view: SiteView
    market: Market
    first_job: int
    jobs: tuple[str, ...] = ()
    signals: tuple[Signal, ...] = ()
    withdrawn: Mapping[str, int] = field(default_factory=dict[str, int])  # by signal: from which tick on
    meta: Mapping[str, Any] = field(default_factory=dict[str, Any])
    weather: Weather | None = None

    @property
    def steps_per_row(self) -> int:
        return gcd(self.steps_per_output, self.steps_per_book)

    def told(self, tick: int) -> tuple[Signal, ...]:
        """The signals that the site hears at a tick: announced, and not withdrawn."""
        never = self.clock.steps + 1
        return tuple(
            one for one in self.signals if one.announced_tick <= tick < self.withdrawn.get(one.name, never)
        )

    def default_knobs(self) -> Knobs:
        """What is in force when nobody decides."""
        from aidc.contract import Knob

        lanes = self.params.pod.shape[1]
        pod = np.ones((len(PodKnob), lanes))
        rated = self.view.upper[Knob.POD_CAP_W]
        pod[PodKnob.CAP_FRAC] = self.view.default[Knob.POD_CAP_W] / rated
        return Knobs(
            pod=pod,
            job=np.ones(len(self.jobs)),
            storage_w=np.full(len(self.labels.stores), np.nan),
            supply_k=np.array(self.view.default[Knob.PLANT_SUPPLY_K]),
        )
