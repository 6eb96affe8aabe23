"""Made-up sites and observations for the contract suite: what a controller may meet, at its barest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

import numpy as np

from aidc.contract.messages import FloatArray, Forecast, Observation, Signal, SiteView
from aidc.contract.point import Knob, Point, Rows

__all__ = ["bare_site", "blind", "busy_site", "missing", "observations", "rows_of", "site_of_tiers", "stale"]

_MW = 1e6
_TYPICAL: Mapping[Point, float] = {
    Point.GRID_IMPORT_W: 5 * _MW,
    Point.PV_W: 0.5 * _MW,
    Point.WIND_W: 0.2 * _MW,
    Point.DRY_BULB_K: 295.0,
    Point.WET_BULB_K: 290.0,
    Point.PRICE_USD_PER_MWH: 50.0,
    Point.CARBON_KG_PER_MWH: 400.0,
    Point.POD_IT_W: 1.5 * _MW,
    Point.POD_ACCELERATOR_W: _MW,
    Point.POD_UNCAPPED_W: 1.2 * _MW,
    Point.POD_TOKENS_PER_S: 1e5,
    Point.POD_QUEUE_TOKENS: 1e4,
    Point.POD_SUPPLY_K: 313.0,
    Point.POD_CASE_K: 340.0,
    Point.STORAGE_W: -0.3 * _MW,
    Point.STORAGE_SOC_FRAC: 0.6,
    Point.PLANT_SUPPLY_K: 313.0,
    Point.PLANT_HEAT_W: 4 * _MW,
    Point.JOB_WIDTH: 48.0,
    Point.JOB_WORKING: 1.0,
    Point.JOB_TOKENS: 1e9,
}


def busy_site() -> SiteView:
    """Pods of every flexibility tier, an idle one, an elastic job, two storages, two plants."""
    return site_of_tiers((0, 1, 2, 3, 0), storages=2, plants=2, jobs=1, name="busy")


def bare_site() -> SiteView:
    """One pod, one plant, and no storage at all."""
    return site_of_tiers((0,), storages=0, plants=1, name="bare")


def rows_of(site: SiteView, rows: Rows) -> int:
    """How many values a point or knob of these rows has."""
    return len(site.names(rows))


def observations(site: SiteView, period_s: float, seed: int, count: int = 12) -> Iterator[Observation]:
    """A run in small: the first, blind observation, then a calm stretch, a request and its end.

    A demand response is announced at the third, in force from the fifth to the eighth and over
    afterwards; two observations are lost on the way, as on any network.

    `period_s` is the control period [s], `seed` that of the made-up values and `count` how many observations there
    are.
    """
    rng = np.random.default_rng(seed)
    steps = max(1, round(period_s / site.step_s))
    yield blind(site, 0)
    for number in (n for n in range(1, count + 2) if n not in (4, 10)):
        told = number >= 3
        yield _seen(site, number * steps, rng, _requests(steps) if told else ())


def blind(site: SiteView, tick: int) -> Observation:
    """Nothing has been measured: every value NaN, every age infinite."""
    value = {point: np.full(rows_of(site, point.rows), np.nan) for point in Point}
    age = {point: np.full(rows_of(site, point.rows), np.inf) for point in Point}
    return Observation(tick, _sealed(value), _sealed(age), (), _forecast(tick))


def missing(observation: Observation, point: Point) -> Observation:
    """The same observation without one point."""
    gone = np.full(observation.value[point].shape, np.nan)
    never = np.full(gone.shape, np.inf)
    return Observation(
        observation.tick,
        _sealed({**observation.value, point: gone}),
        _sealed({**observation.age_s, point: never}),
        observation.signals,
        observation.forecast,
    )


def stale(observation: Observation, point: Point, age_s: float) -> Observation:
    """The same observation with one point as it was some time ago: a value, and an age above 0."""
    old = np.full(observation.value[point].shape, age_s)
    age = _sealed({**observation.age_s, point: old})
    return Observation(observation.tick, observation.value, age, observation.signals, observation.forecast)


def site_of_tiers(
    tiers: tuple[int, ...], *, storages: int, plants: int, jobs: int = 0, name: str = "made up"
) -> SiteView:
    """A site with a pod for each of some flexibility `tiers`, the fifth of them idle, and so many elastic `jobs`.

    `storages` and `plants` are how many there are, `name` is the site's.
    """
    pods, width = np.ones(len(tiers)), np.full(jobs, 48.0)
    power, supply = np.full(storages, 2 * _MW), np.full(plants, 313.0)
    return SiteView(
        name=name,
        start=datetime(2025, 7, 7, tzinfo=UTC),
        step_s=1.0,
        pods=tuple(f"pod-{number}" for number in range(len(tiers))),
        storages=tuple(f"storage-{number}" for number in range(storages)),
        plants=tuple(f"plant-{number}" for number in range(plants)),
        import_limit_w=10 * _MW,
        export_limit_w=_MW,
        jobs=("train",)[:jobs],
        job_start_tick=(0.0,) * jobs,
        job_deadline_tick=(86_400.0,) * jobs,
        job_target_tokens=(1e10,) * jobs,
        job_tokens_per_s=(3e5,) * jobs,
        pod_workload=("chat", "chat", "train", "chat", "")[: len(tiers)],
        pod_flex_tier=tiers,
        pod_flex_window=tuple(("event", "day", "life")[tier % 3] for tier in tiers),
        pod_curtailment_usd_per_mwh=tuple(100.0 / (1 + tier) for tier in tiers),
        pod_rated_w=1.5 * _MW * pods,
        pod_idle_w=0.2 * _MW * pods,
        pod_meter_per_w=1.2 * pods,
        pod_kind=tuple("idle" if number == 4 else "service" for number in range(len(tiers))),
        storage_power_w=power,
        storage_energy_j=np.full(storages, 4 * 3.6e9),
        lower={
            Knob.POD_CAP_W: 0.3 * _MW * pods,
            Knob.POD_PAUSE: 0 * pods,
            Knob.POD_BATCH_FRAC: 0.05 * pods,
            Knob.POD_REPLICA_FRAC: 0.05 * pods,
            Knob.STORAGE_W: -power,
            Knob.JOB_WIDTH: width / 3,
            Knob.PLANT_SUPPLY_K: supply - 10.0,
        },
        upper={
            Knob.POD_CAP_W: 1.5 * _MW * pods,
            Knob.POD_PAUSE: pods.copy(),
            Knob.POD_BATCH_FRAC: pods.copy(),
            Knob.POD_REPLICA_FRAC: pods.copy(),
            Knob.STORAGE_W: power.copy(),
            Knob.JOB_WIDTH: width.copy(),
            Knob.PLANT_SUPPLY_K: supply + 10.0,
        },
        default={
            Knob.POD_CAP_W: 1.5 * _MW * pods,
            Knob.POD_PAUSE: 0 * pods,
            Knob.POD_BATCH_FRAC: pods.copy(),
            Knob.POD_REPLICA_FRAC: pods.copy(),
            Knob.STORAGE_W: np.full(storages, np.nan),
            Knob.JOB_WIDTH: width.copy(),
            Knob.PLANT_SUPPLY_K: supply.copy(),
        },
        step={Knob.JOB_WIDTH: width / 6},
    )


def _requests(steps: int) -> tuple[Signal, ...]:
    return (
        Signal("less", "demand-response", 3 * steps, 5 * steps, 9 * steps, reduce_frac=0.25),
        Signal("limit", "import-limit", 3 * steps, 6 * steps, 8 * steps, limit_w=4 * _MW),
        Signal("later", "demand-response", 3 * steps, 11 * steps, 40 * steps, limit_w=3 * _MW),
    )


def _seen(site: SiteView, tick: int, rng: np.random.Generator, signals: tuple[Signal, ...]) -> Observation:
    value = {
        point: typical * rng.uniform(0.8, 1.2, rows_of(site, point.rows))
        for point, typical in _TYPICAL.items()
    }
    age = {point: np.zeros(array.shape) for point, array in value.items()}
    return Observation(tick, _sealed(value), _sealed(age), signals, _forecast(tick))


def _forecast(tick: int) -> Forecast:
    hours = np.arange(24.0)
    return Forecast(tick, 3600.0, 50.0 + hours, 400.0 - hours)


def _sealed(arrays: Mapping[Point, FloatArray]) -> dict[Point, FloatArray]:
    for array in arrays.values():
        array.setflags(write=False)
    return dict(arrays)
