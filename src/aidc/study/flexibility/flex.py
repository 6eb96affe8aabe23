"""`flex`: what a site can promise the grid over the window of its scenario."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from aidc.errors import InputError, Problem
from aidc.plant.freeze import frozen
from aidc.schema.site import Site
from aidc.site import load
from aidc.study.flexibility.course import Course, course_of
from aidc.study.flexibility.promise import Promise, promises
from aidc.study.flexibility.trial import Trial, tried

__all__ = ["Flexibility", "flex"]

_TRIAL_S = 4 * 3600.0
_LEAST_W = 1e3


@dataclass(frozen=True)
class Flexibility:
    """Promises of a site, one of them tried, and what stands behind them."""

    site: Site
    course: Course
    promises: Sequence[Promise]
    trial: Trial | None

    def as_dict(self) -> dict[str, Any]:
        """Plain figures: MW at the meter, hours, tokens per MWh."""
        course = self.course
        return {
            "name": self.site.site.name,
            "start": course.start.isoformat(),
            "hours": course.rows * course.row_s / 3600.0,
            "mean_import_mw": float(course.import_w.mean()) / 1e6,
            "held_frac": 0.95,
            "promises": [_told(one) for one in self.promises],
            "work": _work(self),
            "storage": {
                name: {"power_mw": float(power) / 1e6, "energy_mwh": float(energy) / 3.6e9}
                for name, power, energy in zip(
                    course.view.storages,
                    course.view.storage_power_w,
                    course.view.storage_energy_j,
                    strict=True,
                )
            },
            "trial": None if self.trial is None else _finite(asdict(self.trial)),
            "sheet": _sheet(self),
        }


def flex(site: Site | Path | str, *, settings: Sequence[str] = ()) -> Flexibility:
    """What a site can promise: runs its scenario without requests, and tries one promise.

    Parameters
    ----------
    site
        A loaded site, or the path of a site file.
    settings
        As in `aidc.load`, where `site` is a path.

    Raises
    ------
    InputError
        The site has no grid to promise anything to, or its window is shorter than a quarter of an hour.
    """
    site = frozen(site if isinstance(site, Site) else load(site, settings))
    if site.grid.import_limit_mw <= 0:
        raise InputError(
            Problem(
                "has no grid connection",
                "Promises are made at the meter.",
                site.file,
                "grid.import_limit_mw",
                0,
            )
        )
    course = course_of(site)
    found = promises(course, site.site.location.timezone)
    if not found:
        remedy = "Lengthen scenario.days: a promise of a quarter of an hour needs more than that."
        raise InputError(Problem("is too short to promise anything", remedy, site.file, "scenario.days"))
    return Flexibility(site, course, found, _tried(site, course, found))


def _tried(site: Site, course: Course, found: Sequence[Promise]) -> Trial | None:
    """The promise of an hour without notice, tried at its usual hour; None where there is none."""
    hour = [one for one in found if one.hour < 0 and one.duration_s == 3600.0]
    rows_after = int(_TRIAL_S / course.row_s)
    if not hour or hour[0].promised_w < _LEAST_W or course.rows <= rows_after + 12:
        return None
    middle = course.import_w[12 : course.rows - rows_after]
    first = 12 + int(np.abs(middle - np.median(middle)).argmin())
    return tried(site, course.view, first * course.row_s, hour[0].promised_w)


def _told(one: Promise) -> dict[str, Any]:
    gives_mw = sum(one.by_tier_w) / 1e6
    return {
        "hour": None if one.hour < 0 else one.hour,
        "duration_h": one.duration_s / 3600.0,
        "notice_s": one.notice_s,
        "promised_mw": one.promised_w / 1e6,
        "by_tier_mw": {f"Flex {tier}": watts / 1e6 for tier, watts in enumerate(one.by_tier_w, start=1)},
        "storage_mw": one.storage_w / 1e6,
        "tokens_per_mwh": one.tokens_per_s * 3600.0 / gives_mw if gives_mw > 0 else 0.0,
    }


def _work(found: Flexibility) -> list[dict[str, Any]]:
    """What each workload may be slowed down by, and the level that it is held to otherwise."""
    site = found.site
    rows: list[dict[str, Any]] = [
        {
            "name": name,
            "kind": "service",
            "tier": one.flex_tier,
            "window": one.flex_window,
            "price_usd_per_mwh": one.curtailment_usd_per_mwh,
            "level": f"TTFT p99 {one.slo.ttft_p99_s:g} s, ITL p99 {one.slo.itl_p99_ms:g} ms",
        }
        for name, one in site.services.items()
    ]
    rows += [
        {
            "name": name,
            "kind": "job",
            "tier": one.flex_tier,
            "window": one.flex_window,
            "price_usd_per_mwh": one.curtailment_usd_per_mwh,
            "level": "finished later",
        }
        for name, one in site.jobs.items()
    ]
    return rows


def _sheet(found: Flexibility) -> dict[str, Any]:
    """The four attributes by which EPRI's Flex MOSAIC (March 2026) describes flexibility; no class is told."""
    whole = [one for one in found.promises if one.hour < 0]
    hourly = [
        one for one in found.promises if one.hour >= 0 and one.duration_s == 3600.0 and one.notice_s == 600.0
    ]
    best = sorted(hourly, key=lambda one: -one.promised_w)
    storage_j = float(found.course.view.storage_energy_j.sum())
    power_w = float(found.course.view.storage_power_w.sum())
    return {
        "magnitude_mw": {
            f"{one.duration_s / 3600.0:g} h, notice {one.notice_s:g} s": one.promised_w / 1e6 for one in whole
        },
        "timing": {
            "notice_s": sorted({one.notice_s for one in whole}),
            "best_local_hours": sorted(one.hour for one in best[:4]),
            "least_local_hours": sorted(one.hour for one in best[-4:]),
        },
        "duration_h": sorted({one.duration_s / 3600.0 for one in whole}),
        "frequency": {
            "work": "as often as it is asked for tiers by event; once a day at this depth for tiers by day or life",
            "storage_recharge_h": storage_j / (0.25 * power_w) / 3600.0 if power_w > 0 else None,
        },
    }


def _finite(told: dict[str, Any]) -> dict[str, Any]:
    return {key: value if np.isfinite(value) else None for key, value in told.items()}
