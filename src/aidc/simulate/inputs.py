"""From a scenario to the engine's input arrays, at native resolution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from fractions import Fraction

import numpy as np

from aidc.clock import Clock
from aidc.errors import InputError, Problem
from aidc.plant.photovoltaic import Irradiance, Place, irradiance_from_cloud_cover, pv_ac_power_w
from aidc.plant.wind import wind_power_w
from aidc.scenario.demand import Demand, load_demand, load_replay
from aidc.scenario.events import Planned, grid_present, import_limit_w, plan_events, with_spikes
from aidc.scenario.market import Carbon, Prices, load_carbon, load_prices
from aidc.scenario.series import FloatArray, Series
from aidc.scenario.weather import Weather, load_weather
from aidc.schema.demand import PowerReplay
from aidc.schema.renewables import Pv, Wind
from aidc.schema.site import Site
from aidc.simulate.arrays import Inputs
from aidc.simulate.fields import Hold
from aidc.units import MEGA

__all__ = ["Scenario", "inputs_of", "read_scenario"]

_HOUR = Fraction(3600)


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
    weather = load_weather(plan.weather, **span, base_dir=site.folder, elevation_m=facts.location.elevation_m)
    prices = load_prices(
        plan.tariff, plan.prices, **span, timezone=facts.location.timezone, base_dir=site.folder
    )
    prices = _spiked(prices, site, clock)
    carbon = load_carbon(plan.carbon, **span, base_dir=site.folder) if plan.carbon else None
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
    repairs = tuple(dict.fromkeys(f"{one.source}: {text}" for one in sources for text in one.repairs))
    return Scenario(
        weather=weather,
        pv_w=_photovoltaics(site, weather, clock),
        wind_w=_wind(site, weather, clock),
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
    return load_replay(replay.demand, pods=replay.pods, clock_start=clock.start, base_dir=site.folder)


def _hours(clock: Clock) -> tuple[np.ndarray, int]:
    """Starts of the clock hours that cover the run, naive UTC."""
    start = np.datetime64(clock.start.replace(minute=0, second=0, microsecond=0, tzinfo=None), "us")
    end = np.datetime64(clock.end.replace(tzinfo=None), "us")
    count = int(np.ceil((end - start) / np.timedelta64(1, "h"))) + 1
    return start + np.arange(count) * np.timedelta64(3_600_000_000, "us"), count


def _photovoltaics(site: Site, weather: Weather, clock: Clock) -> Series:
    fields = [field for field in site.renewables.values() if isinstance(field, Pv)]
    if not fields:
        return _nothing(clock)
    times, _ = _hours(clock)
    location = site.site.location
    place = Place(location.latitude_deg, location.longitude_deg, location.elevation_m)
    if weather.ghi_w_m2 is not None and weather.dni_w_m2 is not None and weather.dhi_w_m2 is not None:
        sun = Irradiance(
            _hourly(weather.ghi_w_m2, times),
            _hourly(weather.dni_w_m2, times),
            _hourly(weather.dhi_w_m2, times),
        )
    elif weather.cloud_frac is not None:
        sun = irradiance_from_cloud_cover(times, _hourly(weather.cloud_frac, times), place)
    else:
        raise InputError(
            Problem(
                "has neither irradiance nor cloud cover, and the site has photovoltaics",
                "Use weather with ghi, dni and dhi, or with cloud cover.",
                weather.source,
                "scenario.weather",
            )
        )
    wind = weather.wind_m_s
    wind_m_s = _hourly(wind, times) if wind is not None else np.ones(times.size)
    temp_k = _hourly(weather.dry_bulb_k, times)
    power = np.sum([pv_ac_power_w(times, sun, temp_k, wind_m_s, place, field) for field in fields], axis=0)
    return _from_hours(power, times)


def _wind(site: Site, weather: Weather, clock: Clock) -> Series:
    farms = [farm for farm in site.renewables.values() if isinstance(farm, Wind)]
    if not farms:
        return _nothing(clock)
    if weather.wind_m_s is None:
        raise InputError(
            Problem(
                "has no wind speed, and the site has wind turbines",
                "Use other weather.",
                weather.source,
                "scenario.weather",
            )
        )
    times, _ = _hours(clock)
    speed = _hourly(weather.wind_m_s, times)
    return _from_hours(np.sum([wind_power_w(speed, farm) for farm in farms], axis=0), times)


def _hourly(series: Series, times: np.ndarray) -> FloatArray:
    """Means over the hours that begin at `times`."""
    first = times[0].astype("datetime64[us]").item()
    return series.means(first.replace(tzinfo=UTC), _HOUR, times.size)


def _from_hours(power_w: FloatArray, times: np.ndarray) -> Series:
    start = times[0].astype("datetime64[us]").item().replace(tzinfo=UTC)
    return Series(start, _HOUR, np.maximum(power_w, 0.0), "mean", source="renewables")


def _nothing(clock: Clock) -> Series:
    return Series(clock.start, _HOUR, np.zeros(1), tiled=True, source="none")


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
