"""The electricity bill: energy and fuel at their prices in each step, and charges by billing month.

Months, intervals and on-peak hours are those of the site's time zone; a change of the clock begins a new interval. A demand charge is the highest
mean import of an interval of the clock (15 min unless the tariff says otherwise) times its rate, and
due for the whole month even where the window covers only a part of it. The exception: where a window
in UTC spills less than a day into a neighbouring local month, that month is billed by the share that
is covered. `prorated` is every month by its covered share, for figures per token. A site that neither
imports nor exports needs no price of the grid: its bill is its fuel.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
from numpy.typing import NDArray

from aidc.measure.frames import Frames
from aidc.measure.gensets import PRICE, fuel_rates
from aidc.schema.market import Tariff
from aidc.units import DAY_S, J_PER_MWH, MINUTE_S

__all__ = ["PARTS", "Bill", "Month", "PeakCharge", "bill_of", "peak_charges", "tariff_of"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
PARTS = ("energy", "demand", "fixed", "fuel")  # of a bill; they add up to its total
_ROUNDING = 1e-9
_COLUMNS = ("grid_import_w", "grid_export_w", "price_usd_per_mwh", "export_price_usd_per_mwh")


@dataclass(frozen=True, slots=True)
class Month:
    """One billing month [USD]; `covered_frac` of it lies in the window, `billed_frac` of it is charged."""

    month: str
    import_mwh: float
    peak_mw: float
    on_peak_mw: float | None
    energy_usd: float
    demand_usd: float
    fixed_usd: float
    fuel_usd: float
    covered_frac: float
    billed_frac: float


@dataclass(frozen=True, slots=True)
class Bill:
    """The bill by month, and laid on the steps that caused it.

    `steps` has `time`, `energy_usd`, `demand_usd`, `fixed_usd`, `fuel_usd` and `prorated_usd`: a demand charge
    lies on the interval that set it, a fixed charge on every step of its month, fuel where it is burnt, so that
    workloads can share them; `prorated_usd` is energy, fuel and the covered share of both charges.
    """

    months: tuple[Month, ...]
    steps: pl.DataFrame
    priced: bool
    interval_min: int

    def total(self, column: str) -> float:
        return float(self.steps[column].sum())

    def summary(self) -> dict[str, Any]:
        """`cost_usd` of the summary; energy is None where the run has no prices and no tariff."""
        if not self.priced:
            return {**dict.fromkeys((*PARTS, "total", "prorated")), "months": []}
        parts = {key: self.total(f"{key}_usd") for key in PARTS}
        return {
            **parts,
            "total": sum(parts.values()),
            "prorated": self.total("prorated_usd"),
            "demand_interval_min": self.interval_min,
            "months": [
                {
                    "month": month.month,
                    "import_mwh": month.import_mwh,
                    "peak_mw": month.peak_mw,
                    "on_peak_mw": month.on_peak_mw,
                    "energy_usd": month.energy_usd,
                    "demand_usd": month.demand_usd,
                    "fixed_usd": month.fixed_usd,
                    "fuel_usd": month.fuel_usd,
                    "covered_frac": month.covered_frac,
                }
                for month in self.months
            ],
        }


def tariff_of(meta: Mapping[str, Any]) -> Tariff | None:
    """The tariff that the run was billed by; keys of the record that are no tariff's are passed over."""
    told = meta.get("tariff")
    if not isinstance(told, Mapping) or not told:
        return None
    return Tariff.model_validate({key: value for key, value in told.items() if key in Tariff.model_fields})


def bill_of(frames: Frames) -> Bill:
    """The bill of the window."""
    tariff = tariff_of(frames.facts.raw)
    minutes = tariff.demand_interval_min if tariff else 15
    fuels = fuel_rates(frames, PRICE)
    frame = frames.columns([*_COLUMNS, *fuels])
    clock = _Clock(frame["time"], frame["dt_s"].to_numpy(), frames.facts.timezone, minutes)
    imported, exported, price, paid = (frame[name].to_numpy() for name in _COLUMNS)
    energy_usd = (imported * price - exported * paid) * clock.dt_s / J_PER_MWH
    burnt = sum((frame[name].to_numpy() * rate for name, rate in fuels.items()), np.zeros(frame.height))
    fuel_usd = burnt * clock.dt_s / J_PER_MWH
    demand_usd, fixed_usd = np.zeros(frame.height), np.zeros(frame.height)
    months = tuple(_months(clock, tariff, imported, energy_usd, demand_usd, fixed_usd, fuel_usd))
    labels, place = np.unique(clock.month, return_inverse=True)
    share = np.array([month.covered_frac / month.billed_frac for month in months] or [1.0])
    prorated = (demand_usd + fixed_usd) * share[place] if labels.size else demand_usd
    has_prices = "price_usd_per_mwh" in frames.series_columns
    steps = pl.DataFrame(
        {
            "time": frame["time"],
            "energy_usd": energy_usd,
            "demand_usd": demand_usd,
            "fixed_usd": fixed_usd,
            "fuel_usd": fuel_usd,
            "prorated_usd": energy_usd + fuel_usd + prorated,
        }
    )
    priced = frames.facts.raw.get("has_prices") is not False and (tariff is not None or has_prices)
    if not priced and fuel_usd.any():
        priced = not imported.any() and not exported.any()
    return Bill(months, steps, priced, minutes)


@dataclass(frozen=True, slots=True)
class PeakCharge:
    """A demand charge of one month as `bill_of` bills it: its rate [USD/kW] on the highest of the intervals that it counts."""

    month: str
    on_peak: bool
    usd_per_kw: float
    counts: NDArray[np.bool_]  # (n_step,)


def peak_charges(
    time: pl.Series, dt_s: FloatArray, timezone: str, tariff: Tariff
) -> tuple[list[PeakCharge], IntArray]:
    """What steps a tariff's demand charges count, and the metering interval that each step lies in.

    `time` are the beginnings of the steps (UTC), `dt_s` their lengths [s], and `timezone` is that of the bill.
    """
    clock = _Clock(time, dt_s, timezone, tariff.demand_interval_min)
    on_peak = _on_peak(clock, tariff)
    found: list[PeakCharge] = []
    for label, billed_frac, _ in _billed(clock):
        here = clock.interval_month == label
        for only, rate in (
            (False, tariff.demand_usd_per_kw_month),
            (True, tariff.on_peak_demand_usd_per_kw_month),
        ):
            inside = here & on_peak if only else here
            if rate > 0 and inside.any():
                name = f"{label // 12:04d}-{label % 12 + 1:02d}"
                found.append(PeakCharge(name, only, rate * billed_frac, inside[clock.interval]))
    return found, clock.interval.astype(np.int64)


def _billed(clock: _Clock) -> list[tuple[int, float, float]]:
    """Each month with the share of it that is charged, and the share that the window covers."""
    labels = np.unique(clock.month)
    covered = {int(label): float(clock.dt_s[clock.month == label].sum()) for label in labels}
    longest = max(covered.values(), default=0.0)
    found: list[tuple[int, float, float]] = []
    for label, covered_s in covered.items():
        covered_frac = min(covered_s / clock.length_s(label), 1.0)
        found.append((label, covered_frac if covered_s < min(DAY_S, longest) else 1.0, covered_frac))
    return found


class _Clock:
    """Billing months and metering intervals of the site's time zone, as indices of the steps."""

    def __init__(self, time: pl.Series, dt_s: FloatArray, timezone: str, minutes: int) -> None:
        self.dt_s = dt_s
        self.zone = ZoneInfo(timezone)
        local = time.dt.convert_time_zone(timezone)
        self.month: IntArray = (local.dt.year().cast(pl.Int64) * 12 + local.dt.month() - 1).to_numpy()
        second = local.dt.epoch("s")
        offset = (local.dt.base_utc_offset() + local.dt.dst_offset()).dt.total_seconds().to_numpy()
        key = (second.to_numpy() + offset) // round(minutes * MINUTE_S)
        # an interval begins wherever the local clock passes a boundary, and where it is changed: one that a change by
        # half an hour (Lord Howe) cuts is metered over its parts
        starts = np.flatnonzero(np.diff(key, prepend=key[:1] - 1) | np.diff(offset, prepend=offset[:1]))
        self.interval = np.repeat(np.arange(starts.size, dtype=np.int32), np.diff(starts, append=key.size))
        self.first = starts
        self.interval_month = self.month[starts]
        self.interval_s = np.bincount(self.interval, dt_s)
        at = local.gather(starts)
        self.hour: IntArray = at.dt.hour().to_numpy()
        self.weekday: IntArray = at.dt.weekday().to_numpy() - 1

    def length_s(self, month: int) -> float:
        """Length of a month of the local calendar; one with a clock change is not whole days [s]."""
        first, after = (
            datetime(label // 12, label % 12 + 1, 1, tzinfo=self.zone).astimezone(UTC)
            for label in (month, month + 1)
        )
        return (after - first).total_seconds()

    def mean(self, power_w: FloatArray) -> FloatArray:
        """Mean over each interval, or over the part of it that the window covers [W]."""
        return np.bincount(self.interval, power_w * self.dt_s) / np.maximum(self.interval_s, 1e-9)


def _months(
    clock: _Clock,
    tariff: Tariff | None,
    imported: FloatArray,
    energy_usd: FloatArray,
    demand_usd: FloatArray,
    fixed_usd: FloatArray,
    fuel_usd: FloatArray,
) -> Iterator[Month]:
    """Bill month after month; writes the charges of each step into `demand_usd` and `fixed_usd`."""
    tariff = tariff or Tariff()
    mean_w = clock.mean(imported)
    on_peak = _on_peak(clock, tariff)
    for label, billed_frac, covered_frac in _billed(clock):
        year, month = divmod(label, 12)
        here = clock.interval_month == label
        rates = (
            (here, tariff.demand_usd_per_kw_month),
            (here & on_peak, tariff.on_peak_demand_usd_per_kw_month),
        )
        due_usd, peaks_w = 0.0, list[float | None]()
        for inside, rate in rates:
            highest = np.where(inside, mean_w, -1.0)
            # of intervals that are equal but for rounding (an import at its limit) the first
            place = int(np.argmax(highest >= highest.max() * (1.0 - _ROUNDING)))
            peaks_w.append(float(mean_w[place]) if inside.any() else None)
            charge = (peaks_w[-1] or 0.0) / 1e3 * rate * billed_frac
            rows = clock.interval == place
            demand_usd[rows] += charge * clock.dt_s[rows] / clock.interval_s[place]
            due_usd += charge
        rows = clock.month == label
        fixed = tariff.fixed_usd_per_month * billed_frac
        fixed_usd[rows] = fixed * clock.dt_s[rows] / clock.dt_s[rows].sum()
        yield Month(
            month=f"{year:04d}-{month + 1:02d}",
            import_mwh=float((imported[rows] * clock.dt_s[rows]).sum()) / J_PER_MWH,
            peak_mw=(peaks_w[0] or 0.0) / 1e6,
            on_peak_mw=None if peaks_w[1] is None else peaks_w[1] / 1e6,
            energy_usd=float(energy_usd[rows].sum()),
            demand_usd=due_usd,
            fixed_usd=fixed,
            fuel_usd=float(fuel_usd[rows].sum()),
            covered_frac=covered_frac,
            billed_frac=billed_frac,
        )


def _on_peak(clock: _Clock, tariff: Tariff) -> NDArray[np.bool_]:
    """Which intervals are on-peak: the first period that matches an interval's start decides."""
    found = np.zeros(clock.first.size, dtype=bool)
    open_ = np.ones(clock.first.size, dtype=bool)
    month = clock.interval_month % 12
    for period in tariff.periods:
        match = (
            open_
            & np.isin(month, list(period.month_numbers))
            & np.isin(clock.weekday, list(period.weekdays))
            & np.isin(clock.hour, list(period.hour_numbers))
        )
        found |= match & period.on_peak
        open_ &= ~match
    return found
