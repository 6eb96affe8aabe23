"""From a site and its course to a dispatch programme.

What is planned are storages at the site's own bus. Their loss curves become two efficiencies each: those that the
schedule itself would see, found by solving again until they stand (a programme is linear, a curve with no-load losses is
not). The twin, which has the curves, says afterwards what is left.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from aidc.dispatch.shapes import DemandCharge, FloatArray, Plan, Programme, StorageUnit
from aidc.errors import InputError, Problem
from aidc.measure.cost import peak_charges
from aidc.plant.storage import charge_stored_w, discharge_drawn_w, storage_params
from aidc.scenario.events import grid_present, import_limit_w
from aidc.scenario.series import Series
from aidc.schema.market import Tariff
from aidc.schema.site import Site
from aidc.schema.storage import Storage
from aidc.study.planning.course import Course
from aidc.units import J_PER_MWH, MEGA

__all__ = ["Seen", "planned", "programme_of", "seen_over", "set_points_mw"]

_AT_FRAC = 0.5  # of rated power: where the efficiencies are taken


@dataclass(frozen=True, slots=True)
class Seen:
    """How a storage answers to a schedule by its loss curves.

    Cells over AC while charging and AC over cells while discharging, over the schedule; and by how much its cells would
    leave their range below and above if the set points were followed [MWh].
    """

    charge_frac: float
    discharge_frac: float
    below_mwh: float = 0.0
    above_mwh: float = 0.0


def planned(site: Site) -> dict[str, Storage]:
    """Storages whose power a plan may set.

    Raises
    ------
    InputError
        There is none.
    """
    found = {name: one for name, one in site.storage.items() if one.node == "site"}
    if not found:
        what = "has no storage at node 'site', so there is nothing to plan"
        raise InputError(Problem(what, 'Add [storage.NAME] with use = "lfp-site".', site.file, "storage"))
    return found


def programme_of(
    site: Site,
    course: Course,
    seen: Mapping[str, Seen],
    *,
    wear_usd_per_mwh: float,
    end_as_begun: bool = True,
) -> Programme:
    """The programme.

    `seen` are the efficiencies of each storage by name; `wear_usd_per_mwh` is charged on AC energy discharged, and
    `end_as_begun` asks for as much energy at the end as at the beginning.
    """
    step_h = float(course.dt_s[0]) / 3600.0
    tariff = site.scenario.tariff or Tariff()
    charges, interval = peak_charges(course.time, course.dt_s, site.site.location.timezone, tariff)
    units = tuple(
        _unit(name, one, wear_usd_per_mwh, seen[name], end_as_begun=end_as_begun)
        for name, one in planned(site).items()
    )
    limit = _import_limit_mw(site, course)
    return Programme(
        step_h,
        course.load_mw,
        course.renewable_mw,
        limit,
        np.full(limit.size, site.grid.export_limit_mw) * (limit > 0),
        course.buy_usd_per_mwh,
        course.sell_usd_per_mwh,
        units,
        tuple(
            DemandCharge(f"{one.month}{' on-peak' if one.on_peak else ''}", 1e3 * one.usd_per_kw, one.counts)
            for one in charges
        ),
        interval,
    )


def _unit(name: str, one: Storage, wear_usd_per_mwh: float, seen: Seen, *, end_as_begun: bool) -> StorageUnit:
    params = storage_params(one)
    rated_mw = params.rated_w / MEGA
    least, initial, most = _range_mwh(one, params.capacity_j / J_PER_MWH)
    share = params.auxiliary_share_frac
    return StorageUnit(
        name,
        rated_mw * (1.0 + share),
        rated_mw * (1.0 - share),
        min(least + seen.below_mwh, initial),
        max(most - seen.above_mwh, initial),
        seen.charge_frac / (1.0 + share),
        seen.discharge_frac * (1.0 - share),
        wear_usd_per_mwh,
        initial,
        initial if end_as_begun else least,
    )


def set_points_mw(site: Site, best: Plan) -> FloatArray:
    """AC power of each planned storage, charging positive, (n_storage, n).

    The programme counts what a storage's auxiliaries draw for each MW that it moves with its power; the set point is
    the converter's alone.
    """
    shares = np.array([[one.auxiliary_share_frac] for one in planned(site).values()])
    return best.charge_mw / (1.0 + shares) - best.discharge_mw / (1.0 - shares)


def seen_over(site: Site, power_mw: FloatArray, step_h: float) -> dict[str, Seen]:
    """What the loss curves make of a schedule of set points (n_storage, n); of one at rest, as at half power."""
    found: dict[str, Seen] = {}
    for (name, one), row in zip(planned(site).items(), power_mw, strict=True):
        params = storage_params(one)
        stored = np.array([charge_stored_w(p, params) for p in np.maximum(row, 0.0) * MEGA]) / MEGA
        drawn = np.array([discharge_drawn_w(p, params) for p in np.maximum(-row, 0.0) * MEGA]) / MEGA
        at_w = _AT_FRAC * params.rated_w
        into, out = stored.sum(), drawn.sum()
        least, initial, most = _range_mwh(one, params.capacity_j / J_PER_MWH)
        energy = initial + step_h * np.cumsum(stored - drawn)
        found[name] = Seen(
            into / np.maximum(row, 0.0).sum() if into > 0 else charge_stored_w(at_w, params) / at_w,
            np.maximum(-row, 0.0).sum() / out if out > 0 else at_w / discharge_drawn_w(at_w, params),
            max(least - float(energy.min()), 0.0),
            max(float(energy.max()) - most, 0.0),
        )
    return found


def _range_mwh(one: Storage, capacity_mwh: float) -> tuple[float, float, float]:
    """Least, initial and most energy in the cells [MWh]."""
    least = one.soc_min_frac + one.reserve_frac
    return (
        least * capacity_mwh,
        max(one.soc_initial_frac, least) * capacity_mwh,
        one.soc_max_frac * capacity_mwh,
    )


def _import_limit_mw(site: Site, course: Course) -> FloatArray:
    """The lowest limit in force within each step; 0 where the grid is away at any time of it."""
    start = site.scenario.start
    end = start + timedelta(days=site.scenario.days)
    base_w = site.grid.import_limit_mw * MEGA
    limit = import_limit_w(site.scenario.events, start, end, base_w)
    there = grid_present(site.scenario.events, start, end, connected=base_w > 0)
    end_s = np.cumsum(course.dt_s)
    spans = list(zip(end_s - course.dt_s, end_s, strict=True))
    return np.array([min(_least(limit, *span), base_w * _least(there, *span)) / MEGA for span in spans])


def _least(series: Series, begin_s: float, end_s: float) -> float:
    """The least sample that a span of the run touches."""
    period_s = float(series.period_s)
    first = min(int(begin_s / period_s + 1e-9), len(series) - 1)
    return float(series.values[first : max(math.ceil(end_s / period_s - 1e-9), first + 1)].min())
