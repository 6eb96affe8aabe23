"""Prices and carbon of a run, as series on UTC."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from aidc.clock import as_utc
from aidc.scenario.files import path_of
from aidc.scenario.localtime import local_times
from aidc.scenario.market_series import carbon_series, price_series
from aidc.scenario.series import FloatArray, Series
from aidc.schema.market import CarbonSeries, ConstantCarbon, EnergyPeriod, PriceSpec, Tariff

__all__ = [
    "Carbon",
    "Prices",
    "energy_price_usd_per_mwh",
    "load_carbon",
    "load_prices",
    "on_peak",
]

_QUARTER = Fraction(900)  # every time zone in use is a multiple of 15 minutes from UTC
_KWH_PER_MWH = 1000.0


@dataclass(frozen=True, slots=True)
class Prices:
    """What imported energy costs and exported energy earns [USD/MWh]."""

    energy_usd_per_mwh: Series
    export_usd_per_mwh: Series
    source: str
    repairs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Carbon:
    """Emissions of grid electricity [kg/MWh]: the average mix, and the marginal plant where known."""

    average_kg_per_mwh: Series
    marginal_kg_per_mwh: Series | None
    source: str
    repairs: tuple[str, ...] = ()


def load_prices(
    tariff: Tariff | None,
    prices: PriceSpec | None,
    *,
    start: datetime,
    end: datetime,
    timezone: str,
    base_dir: Path,
) -> Prices:
    """Energy prices over [start, end): the market series if there is one, else the tariff's, else zero.

    `timezone` is the zone of the tariff's hours; files are named relative to `base_dir`, the folder of the site file.

    Raises
    ------
    InputError
        The series is missing, malformed, or does not cover the run.
    """
    tariff = tariff or Tariff()
    export = _flat(start, tariff.export_usd_per_kwh * _KWH_PER_MWH, "export price")
    if prices is None:
        begin = datetime.fromtimestamp(as_utc(start).timestamp() // 900 * 900, tz=as_utc(start).tzinfo)
        count = int(-((begin - as_utc(end)).total_seconds() // 900))
        times = np.datetime64(begin.replace(tzinfo=None), "s") + np.arange(max(1, count)) * np.timedelta64(
            900, "s"
        )
        values = energy_price_usd_per_mwh(tariff, local_times(times, timezone))
        name = f"tariff {tariff.use}".strip()
        return Prices(Series(begin, _QUARTER, values, source=name), export, name)
    market = price_series(prices, path_of(prices, base_dir), start, end)
    market.window(start, end)  # refuses where it does not cover the run
    energy = replace(market, values=market.values + prices.adder_usd_per_kwh * _KWH_PER_MWH)
    return Prices(energy, market if prices.export_at_market else export, energy.source, energy.repairs)


def load_carbon(
    spec: CarbonSeries | ConstantCarbon, *, start: datetime, end: datetime, base_dir: Path
) -> Carbon:
    """Emission factors over [start, end).

    Files are named relative to `base_dir`, the folder of the site file.

    Raises
    ------
    InputError
        The series is missing, malformed, or does not cover the run.
    """
    if isinstance(spec, ConstantCarbon):
        name = f"constant emission factor {spec.use}".strip()
        marginal = None if spec.marginal_kg_per_mwh is None else _flat(start, spec.marginal_kg_per_mwh, name)
        return Carbon(_flat(start, spec.average_kg_per_mwh, name), marginal, name)
    average, marginal = carbon_series(spec, path_of(spec, base_dir), start, end)
    average.window(start, end)
    return Carbon(average, marginal, average.source, average.repairs)


def energy_price_usd_per_mwh(tariff: Tariff, times_local: NDArray[np.datetime64]) -> FloatArray:
    """The tariff's energy price [USD/MWh] at local wall-clock times (naive datetime64), (n,)."""
    price = np.full(times_local.size, tariff.base_usd_per_kwh)
    for period in reversed(tariff.periods):  # the first that matches is laid last
        price[_holds(period, times_local)] = period.usd_per_kwh
    return price * _KWH_PER_MWH


def on_peak(tariff: Tariff, times_local: NDArray[np.datetime64]) -> NDArray[np.bool_]:
    """Whether the period in force at local wall-clock times is marked on-peak, (n,)."""
    marked = np.zeros(times_local.size, dtype=np.bool_)
    for period in reversed(tariff.periods):
        marked[_holds(period, times_local)] = period.on_peak
    return marked


def _holds(period: EnergyPeriod, local: NDArray[np.datetime64]) -> NDArray[np.bool_]:
    days = local.astype("datetime64[D]")
    month = local.astype("datetime64[M]").astype(np.int64) % 12
    weekday = (days.astype(np.int64) + 3) % 7  # 1970-01-01 was a Thursday
    hour = (local - days).astype("timedelta64[h]").astype(np.int64)
    return (
        np.isin(month, list(period.month_numbers))
        & np.isin(weekday, list(period.weekdays))
        & np.isin(hour, list(period.hour_numbers))
    )


def _flat(start: datetime, value: float, source: str) -> Series:
    return Series(start, Fraction(3600), np.array([value]), tiled=True, source=source)
