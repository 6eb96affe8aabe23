"""What compiling a site gives: arrays for the engine, and the names to read them by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from aidc.clock import Clock
from aidc.contract import Signal, SiteView
from aidc.simulate.arrays import FloatArray, Inputs, Knobs, Params, Records, Scratch, State
from aidc.simulate.fields import (
    Component,
    PodKnob,
    PodNow,
    Point,
    SiteNow,
    StoreNow,
)

__all__ = ["Compiled", "Labels", "Market", "scratch_of"]


@dataclass(frozen=True, slots=True)
class Labels:
    """Names in the order of the arrays; `stages[k][pod]` is "chain.stage" or "" where there is none."""

    pods: tuple[str, ...]
    plants: tuple[str, ...]
    stores: tuple[str, ...]
    stages: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Market:
    """Prices and carbon as functions of the starts of output steps (datetime64[us], UTC)."""

    price_usd_per_mwh: Callable[[np.ndarray], FloatArray]
    export_price_usd_per_mwh: Callable[[np.ndarray], FloatArray]
    carbon_kg_per_mwh: Callable[[np.ndarray], FloatArray]
    marginal_kg_per_mwh: Callable[[np.ndarray], FloatArray] | None = None


@dataclass(frozen=True)
class Compiled:
    """A site and its scenario, ready to be stepped."""

    clock: Clock
    steps_per_row: int
    params: Params
    inputs: Inputs
    start: State
    labels: Labels
    view: SiteView
    market: Market
    first_job: int
    jobs: tuple[str, ...] = ()
    signals: tuple[Signal, ...] = ()
    meta: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def initial_state(self) -> State:
        """A fresh copy of the state at tick 0."""
        parts: list[Any] = [np.array(part) for part in self.start]
        return State(*parts)

    def default_knobs(self) -> Knobs:
        """What is in force when nobody decides."""
        from aidc.contract import Knob

        lanes = self.params.pod.shape[1]
        pod = np.ones((len(PodKnob), lanes))
        rated = self.view.upper[Knob.POD_CAP_W]
        pod[PodKnob.CAP_FRAC] = self.view.default[Knob.POD_CAP_W] / rated
        return Knobs(
            pod=pod,
            storage_w=np.full(len(self.labels.stores), np.nan),
            supply_k=np.array(self.view.default[Knob.PLANT_SUPPLY_K]),
        )

    def records(self, rows: int) -> Records:
        """Room for a block of output."""
        params = self.params
        designs, lanes = params.site.shape[1], params.pod.shape[1]
        plants, stores = params.plant.shape[1], params.store.shape[1]
        out = Records(
            pod=np.zeros((rows, PodNow.SUPPLY_K + 1, lanes)),
            queue_tokens=np.zeros((rows, lanes)),
            case_k=np.full((rows, lanes), -np.inf),
            loop_k=np.zeros((rows, 2, lanes)),
            stage=np.zeros((rows, params.stage_a_w.shape[0], lanes)),
            plant=np.zeros((rows, len(Component), plants)),
            facility_k=np.zeros((rows, plants)),
            store=np.zeros((rows, len(StoreNow), stores)),
            soc_frac=np.zeros((rows, stores)),
            site=np.zeros((rows, len(SiteNow), designs)),
            net_import_w=np.zeros((rows, 2, designs)),
        )
        out.net_import_w[:, 0] = np.inf
        out.net_import_w[:, 1] = -np.inf
        return out


def scratch_of(compiled: Compiled) -> Scratch:
    """Working memory for one step of a compiled site."""
    params, inputs = compiled.params, compiled.inputs
    designs, lanes = params.site.shape[1], params.pod.shape[1]
    plants, stores, stages = params.plant.shape[1], params.store.shape[1], params.stage_a_w.shape[0]
    jobs = params.job_start.shape[0]
    return Scratch(
        row=np.zeros((lanes, params.operating.shape[2], len(Point))),
        row_cap=np.full(lanes, np.nan),
        channel=np.zeros(inputs.first.shape[0]),
        cursor=np.zeros((2, inputs.first.shape[0]), dtype=np.int64),
        pod=np.zeros((len(PodNow), lanes)),
        stage=np.zeros((stages, lanes)),
        plant=np.zeros((len(Component), plants)),
        store=np.zeros((len(StoreNow), stores)),
        soc_frac=np.zeros(stores),
        site=np.zeros(len(SiteNow)),
        demand_w=np.zeros(designs),
        genset_s=np.zeros(designs),
        conductance=np.zeros(plants),
        sink_k=np.zeros(plants),
        star=np.zeros((4, plants)),
        shed=np.zeros(lanes),
        share=np.zeros(compiled.first_job + jobs),
        able=np.zeros(lanes),
        powered=np.zeros(lanes),
        load_limit=np.ones(lanes),
        job_load=np.zeros(jobs),
        job_share=np.zeros(jobs),
        job_runs=np.zeros(jobs),
        job_fault=np.zeros(jobs, dtype=np.int64),
        node=np.zeros((2, lanes)),
        facility_k=np.zeros(plants),
        smooth_w=np.zeros(stores),
        sum_pod=np.zeros((PodNow.SUPPLY_K + 1, lanes)),
        sum_stage=np.zeros((stages, lanes)),
        sum_plant=np.zeros((len(Component), plants)),
        sum_store=np.zeros((len(StoreNow), stores)),
        sum_site=np.zeros((len(SiteNow), designs)),
    )
