"""Files of prices and of emission factors as series, in USD/MWh and kg/MWh, each unit told or doubted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final

import numpy as np

from aidc.errors import InputError, Problem
from aidc.scenario.layouts import Role, column_for, read_layout
from aidc.scenario.regular import regular, repeated
from aidc.scenario.series import FloatArray, Series
from aidc.scenario.table import Table
from aidc.scenario.timeparse import laid_times
from aidc.scenario.unitnames import Unit, carbon_unit, price_unit
from aidc.schema.market import CarbonSeries, PriceSpec
from aidc.schema.source import Meaning

__all__ = ["carbon_series", "price_series"]

_MOST_USD_PER_MWH: Final = 100_000.0
_MOST_KG_PER_MWH: Final = 3000.0
_LEAST_PRICE: Final = 2.0  # a series that never exceeds it per MWh is one per kWh
_MOST_PER_KWH: Final = 100.0  # and one above it per kWh is one per MWh: the highest caps are 15 a kWh
_LEAST_CARBON: Final = 3.0  # kg/MWh: no mix of fuels is that clean for all of a file and not zero
_MOST_CARBON: Final = 1400.0  # kg/MWh: lignite in an old plant


def price_series(spec: PriceSpec, path: Path, start: datetime, end: datetime) -> Series:
    """Market prices [USD/MWh] over a run, repeated beyond the file where the user wants it.

    `path` is the file of `spec`, the run lasts from `start` to `end`.

    Raises
    ------
    InputError
        The file is malformed, or its figures can only be of another unit than stated.
    """
    table = read_layout(path, point=spec.point)
    name = spec.price_column or column_for(table, Role.PRICE, "price_usd_per_mwh", "price_column")
    unit = _stated(spec.unit, price_unit, "USD/MWh, EUR/kWh, ct/kWh") or price_unit(name)
    notes: list[str] = []
    if unit is None:
        unit = Unit("USD/MWh", 1.0, currency="")
        notes.append(f"column {name} states no unit; taken as {unit.label}")
    limit = _MOST_USD_PER_MWH / unit.factor
    widest = max(limit, _MOST_USD_PER_MWH)  # a slip of the unit is told as such
    values = table.numbers(name, -widest, widest, empty=True)
    if spec.unit is None and table.layout == "table":  # a published layout defines its unit
        _doubt_price(table, name, values, unit)
    values = table.numbers(name, -limit, limit, empty=True)
    rate = spec.usd_per_unit or 1.0
    if unit.currency not in ("", "USD") and spec.usd_per_unit is None:
        notes.append(f"prices are in {unit.currency} and counted as they are; `usd_per_unit` converts them")
    if unit.factor != 1.0:
        notes.append(f"column {name} is in {unit.label}; made {unit.currency or 'USD'}/MWh")
    return _series(table, spec, {name: values * unit.factor * rate}, start, end, notes)[name]


def carbon_series(
    spec: CarbonSeries, path: Path, start: datetime, end: datetime
) -> tuple[Series, Series | None]:
    """Average and, where named, marginal emission factors [kg/MWh] over a run.

    `path` is the file of `spec`, the run lasts from `start` to `end`.

    Raises
    ------
    InputError
        As of prices.
    """
    table = read_layout(path, point=spec.point)
    average = spec.average_column or column_for(table, Role.CARBON, "direct_gco2_per_kwh", "average_column")
    stated = _stated(spec.unit, carbon_unit, "g/kWh, kg/MWh, lb/MWh")
    columns: dict[str, FloatArray] = {}
    notes: list[str] = []
    for name in (average, *([spec.marginal_column] if spec.marginal_column else [])):
        unit = stated or carbon_unit(name)
        if unit is None:
            unit = Unit("g/kWh", 1.0)
            notes.append(f"column {name} states no unit; taken as {unit.label}")
        values = table.numbers(name, 0.0, _MOST_KG_PER_MWH / unit.factor, empty=True)
        if stated is None and table.layout == "table":  # a published layout defines its unit
            _doubt_carbon(table, name, values * unit.factor, unit)
        if unit.factor != 1.0:
            notes.append(f"column {name} is in {unit.label}; made kg/MWh")
        columns[name] = values * unit.factor
    found = _series(table, spec, columns, start, end, notes)
    return found[average], found[spec.marginal_column] if spec.marginal_column else None


def _series(
    table: Table,
    spec: PriceSpec | CarbonSeries,
    columns: dict[str, FloatArray],
    start: datetime,
    end: datetime,
    notes: list[str],
) -> dict[str, Series]:
    time = spec.time_column or column_for(table, Role.TIME, "time_utc", "time_column")
    times = laid_times(table, time, spec.start, start, time_unit=spec.time_unit, timezone=spec.timezone)
    meanings: dict[str, Meaning] = {
        name: spec.meaning or table.meanings.get(name, "holds") for name in columns
    }
    grid = regular(table.path, times, columns, meanings=meanings)
    repairs = (*table.notes, *notes, *grid.repairs)
    made = {name: replace(grid.series(name, meanings[name]), repairs=repairs) for name in columns}
    return {name: repeated(one, start, end) if spec.repeat else one for name, one in made.items()}


def _stated(text: str | None, reader: Callable[[str], Unit | None], examples: str) -> Unit | None:
    """The unit that a `unit` key names."""
    if text is None:
        return None
    found = reader(text)
    if found is None:
        raise InputError(Problem("is not a known unit", f"Write {examples}.", key="unit", value=text))
    return found


def _doubt_price(table: Table, name: str, values: FloatArray, unit: Unit) -> None:
    """Refuse figures that only a slip of a thousand explains."""
    known = values[np.isfinite(values)]
    highest = float(np.abs(known).max()) if known.size else 0.0
    currency = unit.currency or "USD"
    if unit.factor == 1.0 and 0 < highest < _LEAST_PRICE:
        what, other = f"never exceeds {highest:g} a MWh, which a price per kWh would", f"{currency}/kWh"
    elif unit.factor == 1e3 and highest > _MOST_PER_KWH:
        what, other = f"reaches {highest:g} a kWh, which a price per MWh would", f"{currency}/MWh"
    else:
        return
    remedy = f'State the unit: unit = "{other}" (or unit = "{unit.label}" if the figures are right).'
    if unit.label.startswith("money"):
        remedy = f'State the unit: unit = "{other}".'
    raise InputError(Problem(what, remedy, table.path, f"column {name}"))


def _doubt_carbon(table: Table, name: str, kg_per_mwh: FloatArray, unit: Unit) -> None:
    known = kg_per_mwh[np.isfinite(kg_per_mwh)]
    highest = float(known.max()) if known.size else 0.0
    if 0 < highest < _LEAST_CARBON and float(np.median(known)) > _LEAST_CARBON / 100:
        other = "kg/kWh"
        what = f"never exceeds {highest / unit.factor:.3g} {unit.label}, as a factor in kg/kWh would"
    elif highest > _MOST_CARBON:
        other = "lb/MWh"
        what = f"reaches {highest:,.0f} kg/MWh, more than any fuel; in lb/MWh it would be credible"
    else:
        return
    remedy = f'State the unit: unit = "{other}" (or unit = "{unit.label}" if the figures are right).'
    raise InputError(Problem(what, remedy, table.path, f"column {name}"))
