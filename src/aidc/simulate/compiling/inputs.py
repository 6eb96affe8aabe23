"""From a scenario to the engine's input arrays, at native resolution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from aidc.clock import Clock
from aidc.errors import InputError, Problem
from aidc.scenario.demand import Demand, load_demand, load_replay
from aidc.scenario.events import (
    Planned,
    grid_present,
    import_limit_w,
    plan_events,
    with_carbon_peaks,
    with_spikes,
)
from aidc.scenario.market import Carbon, Prices, load_carbon, load_prices
from aidc.scenario.series import Series
from aidc.scenario.weather import Weather, load_weather
from aidc.schema.demand import PowerReplay
from aidc.schema.event import CarbonPeak
from aidc.schema.renewables import Pv
from aidc.schema.site import Site
from aidc.simulate.compiling.sky import photovoltaics, place_notes, wind
from aidc.simulate.energy.arrays import Inputs
from aidc.simulate.energy.fields import Hold
from aidc.units import MEGA

__all__ = ["Scenario", "inputs_of", "read_scenario"]

_MOST_OF_RATING, _LEAST_OF_RATING = (
    20.0,
    1e-4,
)  # of the accelerators of a replayed pod: beyond, a unit slipped


@dataclass(frozen=True, slots=True)
class Scenario:
    """Everything that happens to a site, as series."""

    weather: Weather
    pv_w: Series
    wind_w: Series
    prices: Prices
    carbon: Carbon | None
    demands: Mapping[str, Demand]  # by service
    replays: Mapping[str, Series]  # by pod
    import_limit_w: Series
    grid: Series  # 1 while the grid is there
    events: tuple[Planned, ...]
    repairs: tuple[str, ...]


def read_scenario(site: Site, clock: Clock, rng: np.random.Generator) -> Scenario:
    """Read or generate every series of the scenario.

    Raises
    ------
    InputError
        A source is missing, malformed, or does not cover the run.
    """
    facts, plan = site.site, site.scenario
    span = {"start": clock.start, "end": clock.end}
    sunny = any(isinstance(one, Pv) for one in site.renewables.values())
    weather = load_weather(
        plan.weather,
        **span,
        base_dir=site.folder,
        elevation_m=facts.location.elevation_m,
        sun_at=(facts.location.latitude_deg, facts.location.longitude_deg) if sunny else None,
    )
    prices = load_prices(
        plan.tariff, plan.prices, **span, timezone=facts.location.timezone, base_dir=site.folder
    )
    prices = _spiked(prices, site, clock)
    carbon = load_carbon(plan.carbon, **span, base_dir=site.folder) if plan.carbon else None
    carbon = _peaked(carbon, site, clock)
    demands = {
        name: load_demand(
            service.demand,
            clock_start=clock.start,
            days=float(clock.duration_s) / 86_400,
            timezone=facts.location.timezone,
            rng=rng,
            base_dir=site.folder,
        )
        for name, service in site.services.items()
    }
    replays = {pod: series for name in site.replays for pod, series in _replay(site, name, clock).items()}
    limit_w = site.grid.import_limit_mw * MEGA
    sources = (weather, prices, *([carbon] if carbon else []), *demands.values(), *replays.values())
    pv_w, told = photovoltaics(site, weather, clock)
    remarks = [*place_notes(site, weather), *told]
    repairs = tuple(
        dict.fromkeys(
            [
                *(f"{one.source}: {text}" for one in sources for text in one.repairs),
                *(f"{weather.source}: {text}" for text in remarks),
            ]
        )
    )
    return Scenario(
        weather=weather,
        pv_w=pv_w,
        wind_w=wind(site, weather, clock),
        prices=prices,
        carbon=carbon,
        demands=demands,
        replays=replays,
        import_limit_w=import_limit_w(plan.events, clock.start, clock.end, limit_w),
        grid=grid_present(plan.events, clock.start, clock.end, connected=limit_w > 0),
        events=plan_events(plan.events, clock, limit_w),
        repairs=repairs,
    )


def _spiked(prices: Prices, site: Site, clock: Clock) -> Prices:
    energy = with_spikes(prices.energy_usd_per_mwh, site.scenario.events, clock.start, clock.end)
    return Prices(energy, prices.export_usd_per_mwh, prices.source, prices.repairs)


def _peaked(carbon: Carbon | None, site: Site, clock: Clock) -> Carbon | None:
    """Average carbon with the carbon peaks of the scenario; marginal carbon stays as its source says."""
    peaks = [event for event in site.scenario.events if isinstance(event, CarbonPeak)]
    if not peaks:
        return carbon
    if carbon is None:
        remedy = 'Add one, such as carbon = { use = "us-average-2023" }, or leave the event out.'
        raise InputError(
            Problem(
                "is a carbon peak in a scenario without carbon",
                remedy,
                key="scenario.events",
                value=peaks[0].name,
            )
        )
    return replace(
        carbon, average_kg_per_mwh=with_carbon_peaks(carbon.average_kg_per_mwh, peaks, clock.start, clock.end)
    )


def _replay(site: Site, name: str, clock: Clock) -> Mapping[str, Series]:
    replay = site.replays[name]
    if not isinstance(replay.demand, PowerReplay):
        raise InputError(
            Problem(
                "is not measured power",
                'Use demand = { use = "power-replay", file = "…" }, or make it a service.',
                key=f"replays.{name}.demand",
                value=replay.demand.kind,
            )
        )
    found = load_replay(
        replay.demand, pods=replay.pods, clock_start=clock.start, clock_end=clock.end, base_dir=site.folder
    )
    for pod, series in found.items():
        _credible(site, name, pod, series)
    return found


def _credible(site: Site, name: str, pod: str, series: Series) -> None:
    """Refuse power that only a slip of a thousand or a million explains."""
    shape = site.pods.get(pod)
    spec = site.replays[name].demand
    peak_w = float(series.values.max())
    if shape is None or peak_w == 0 or getattr(spec, "unit", None) is not None:
        return
    share = peak_w / (shape.accelerators * shape.accelerator.tdp_w)
    if _LEAST_OF_RATING < share < _MOST_OF_RATING:
        return
    raise InputError(
        Problem(
            f"its highest power is {peak_w:.4g} W, {share:.3g} times what the accelerators of pod {pod!r} are rated",
            'State the unit: unit = "kW" (W, kW, MW or GW; "W" if the figures are right).',
            series.source,
            f"replays.{name}.demand",
        )
    )


def inputs_of(series: Sequence[Series], clock: Clock) -> Inputs:
    """Lay series end to end for the engine.

    A series whose spacing is no multiple of the step, or which does not begin on one, is averaged
    to steps first; all others are read at their own resolution.
    """
    laid = [_on_steps(one.window(clock.start, clock.end), clock) for one in series]
    lengths = np.array([len(one) for one in laid], dtype=np.int64)
    step = clock.step_s
    return Inputs(
        values=np.concatenate([one.values for one in laid]),
        first=np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(np.int64),
        length=lengths,
        ticks=np.array([int(one.period_s / step) for one in laid], dtype=np.int64),
        shift=np.array([-clock.tick_of(one.start) for one in laid], dtype=np.int64),
        hold=np.array([Hold.LINEAR if one.hold == "linear" else Hold.MEAN for one in laid], dtype=np.int64),
        scale=np.ones((len(laid), 1)),
    )


def _on_steps(series: Series, clock: Clock) -> Series:
    seconds = Fraction(round((clock.start - series.start).total_seconds() * 1_000_000), 1_000_000)
    fits = (series.period_s / clock.step_s).denominator == 1 and (seconds / clock.step_s).denominator == 1
    if fits and series.period_s >= clock.step_s:
        return series
    values = series.means(clock.start, clock.step_s, clock.steps)
    return Series(clock.start, clock.step_s, values, source=series.source, repairs=series.repairs)
