"""`equipment`: what a site has, what its nameplate asks of it, and where it is too small for its weather."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aidc.clock import as_utc
from aidc.errors import InputError
from aidc.plant.design_check import Finding, Weather, design_findings
from aidc.plant.equipment import Item, equipment_of
from aidc.plant.freeze import frozen
from aidc.scenario.weather import Weather as RunWeather
from aidc.scenario.weather import load_weather
from aidc.schema.site import Site
from aidc.site import load

__all__ = ["Equipment", "equipment", "facts_of", "told_lines"]

_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Equipment:
    """A frozen site with its schedule and what the design check found.

    `weather` says which hours were looked at; "" where the site's weather is not to be had.
    """

    site: Site
    items: tuple[Item, ...]
    findings: tuple[Finding, ...]
    weather: str

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "schema": 1,
            "name": self.site.site.name,
            "equipment": [item.as_dict() for item in self.items],
            "findings": [_finding(one) for one in self.findings],
            "weather": self.weather,
            "defaults": list(self.site.defaults),
            "resized": list(self.site.resized),
        }


def equipment(site: Site | Path | str, *, settings: Sequence[str] = (), resize: bool = False) -> Equipment:
    """The equipment schedule of a site, judged against its weather.

    Parameters
    ----------
    site
        A loaded site, or the path of a site file.
    settings, resize
        As in `aidc.load`, where `site` is a path.

    Returns
    -------
    Equipment
        `site` has every size in it; `aidc.site.site_toml(found.site)` is a site file that runs to the same figures.

    Raises
    ------
    InputError
    """
    site = frozen(site if isinstance(site, Site) else load(site, settings, resize=resize))
    weather, told = _year_of(site)
    return Equipment(site, equipment_of(site), design_findings(site, weather), told)


def facts_of(site: Site, weather: RunWeather | None) -> dict[str, Any]:
    """What a run says of its plant: schedule, findings in the run's own hours, defaults, and what was resized."""
    start = as_utc(site.scenario.start)
    hours = None if weather is None else _hourly(weather, start, start + timedelta(days=site.scenario.days))
    return {
        "equipment": [item.as_dict() for item in equipment_of(site)],
        "findings": [_finding(one) for one in design_findings(site, hours)],
        "defaults": list(site.defaults),
        "resized": list(site.resized),
    }


def told_lines(facts: Mapping[str, Any]) -> list[str]:
    """What a reader must know of the plant before anything is run, one line each."""
    lines = [str(text) for text in facts["defaults"]]
    lines += [f"resized by a setting: {text}" for text in facts["resized"]]
    return lines + [f"undersized: {finding['text']}" for finding in facts["findings"]]


def _finding(one: Finding) -> dict[str, Any]:
    when = one.time.isoformat() if one.time else None
    facts = {"where": one.where, "need": one.need, "have": one.have, "unit": one.unit, "time": when}
    return {**facts, "text": one.text}


def _year_of(site: Site) -> tuple[Weather | None, str]:
    """The year of weather around the scenario where its source has one, else the scenario's own hours."""
    start = as_utc(site.scenario.start)
    first = datetime(start.year, 1, 1, tzinfo=UTC)
    spans = (
        (first, first + timedelta(days=365), f"the hours of {start.year}"),
        (start, start + timedelta(days=site.scenario.days), "the hours of the scenario"),
    )
    for begin, end, text in spans:
        try:
            return _hours(site, begin, end), text
        except InputError:
            continue
    return None, ""


def _hours(site: Site, start: datetime, end: datetime) -> Weather:
    """Weather at the full hours of a window."""
    found = load_weather(
        site.scenario.weather,
        start=start,
        end=end,
        base_dir=site.folder,
        elevation_m=site.site.location.elevation_m,
    )
    return _hourly(found, start, end)


def _hourly(weather: RunWeather, start: datetime, end: datetime) -> Weather:
    first = start.replace(minute=0, second=0, microsecond=0)
    if first < start:
        first += _HOUR
    count = max(int((end - first) / _HOUR), 0)
    times = [first + k * _HOUR for k in range(count)] or [start]
    return Weather(times, weather.dry_bulb_k.at(times), weather.wet_bulb_k.at(times))
