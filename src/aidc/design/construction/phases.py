"""A phase of construction as a site: what is installed on a date, out of the frozen equipment of the whole, never resized.

A lot is there when the median of its date is. Medians keep order: whoever waits for another in every draw has no earlier
median. Racks that the connection cannot carry at nameplate in the design weather stay dark, those of the lowest priority first.
What runs is not taken down for what comes later: lots whose own losses would cost more than they let run stay switched off until
the connection carries more, so that IT power online never falls from phase to phase.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from aidc.design.construction.built import Built
from aidc.design.construction.result import BuildResult
from aidc.errors import InputError, Problem
from aidc.plant.capacity import design_weather
from aidc.plant.design_check import design_peak_w
from aidc.schema.site import Site
from aidc.site.crosscheck import cross_check
from aidc.units import MEGA

__all__ = ["Phase", "Standing", "overstated", "phase_dates", "phase_of", "phases_of", "standing_of"]

_ENOUGH: Final = 1e-9
_LONGEST_NAME: Final = 64
_MOST_LOOKED: Final = 12
_DRAWING: Final = (
    "hall",
    "power",
    "cdu",
    "heat-rejection",
)  # roles whose lots draw power once they are switched on


@dataclass(frozen=True, slots=True)
class Phase:
    """A site on a date: IT power that is commissioned and that is online, the import limit [MW], what is told of it.

    `off` are lots that are there and stay switched off.
    """

    date: date
    site: Site
    commissioned_mw: float
    online_mw: float
    import_limit_mw: float
    off: tuple[str, ...]
    told: tuple[str, ...]


def phase_dates(found: BuildResult) -> list[date]:
    """Dates at which power online changes in the schedule of the medians, the first one first."""
    days = {lot.online.p50 for lot in found.lots if lot.it_mw > 0}
    days |= {
        found.milestones[name].p50 for name, one in found.plan.file.milestones.items() if one.import_limit_mw
    }
    first = min(lot.online.p50 for lot in found.lots if lot.it_mw > 0)
    return sorted(day for day in days if day >= first)


def phase_of(found: BuildResult, day: date) -> Phase:
    """The site as it stands on a date.

    Raises
    ------
    InputError
        Nothing is online yet, or the site replays measured power, which belongs to the whole of it.
    """
    standing = standing_of(found, day)
    if standing.lit() == standing.built.racks():  # nothing before matters where all runs
        return _phase(standing, standing)
    days = [one for one in phase_dates(found) if one < day]
    *_, last = _running(found, [*days, day])
    return _phase(*last)


def phases_of(found: BuildResult) -> list[Phase]:
    """Every phase in the order of its date, from the first in which anything runs.

    Raises
    ------
    InputError
        As `phase_of`.
    """
    started = [pair for pair in _running(found, phase_dates(found)) if pair[1].lit()]
    if not started:
        what = "let no rack run in any phase: their connection carries none at nameplate"
        raise InputError(Problem(what, "Raise an import_limit_mw.", found.plan.path, "milestones"))
    return [_phase(*pair) for pair in started]


def overstated(found: BuildResult) -> list[str]:
    """Where the curve of power has more online than the site of a date carries, by more than a rack.

    The curve takes the import per IT power of the whole site; a part of it may draw more per rack (auxiliary power, lineups at
    little load). A dozen dates at the most are looked at, ends included.
    """
    if found.plan.site.replays:
        return []
    days = phase_dates(found)
    some = sorted({days[round(k * (len(days) - 1) / (_MOST_LOOKED - 1))] for k in range(_MOST_LOOKED)})
    rack_mw = max(pod.rack.rated_power_kw for pod in found.plan.site.pods.values()) / 1e3
    told: list[str] = []
    for standing in (standing_of(found, day) for day in some):
        shown_mw = min(standing.it_mw(standing.built.racks()), standing.limit_mw / found.import_per_it)
        carried_mw = standing.lit_mw() if standing.limit_mw > 0.0 else 0.0
        if shown_mw > carried_mw + rack_mw * (1.0 + _ENOUGH):
            told.append(
                f"power: {shown_mw:.4g} MW of IT are shown as online on {standing.day}, and the site as it stands then carries"
                f" {carried_mw:.4g} MW behind {standing.limit_mw:.4g} MW: its parts draw more per rack than the whole"
            )
    return told


def _running(found: BuildResult, days: Sequence[date]) -> Iterator[tuple[Standing, Standing]]:
    """What stands on each date, and what of it is switched on."""
    before: Standing | None = None
    for day in days:
        standing = standing_of(found, day)
        chosen = standing
        if before is not None and standing.lit() != standing.built.racks():
            late = {
                name
                for name in standing.built.there - before.built.there
                if standing.built.role(name) in _DRAWING
            }
            held = replace(standing, built=standing.built.without(late))
            if held.lit_mw() > standing.lit_mw() * (1.0 + _ENOUGH):
                chosen = held
        yield standing, chosen
        before = chosen


def _phase(standing: Standing, chosen: Standing) -> Phase:
    day, limit_mw = standing.day, standing.limit_mw
    commissioned_mw = standing.it_mw(standing.built.racks())
    racks = chosen.lit()
    online_mw = chosen.it_mw(racks)
    if not racks:
        what = f"nothing can run: the connection carries {limit_mw:.4g} MW on {day}"
        raise InputError(Problem(what, "Choose a later date.", key="--site-at", value=str(day)))
    site = chosen.site(racks)
    problems = cross_check(site)
    if problems:
        raise InputError(problems)
    told = [
        f"{day}: {online_mw:.4g} MW of IT online of {commissioned_mw:.4g} MW commissioned, import limit {limit_mw:.4g} MW"
    ]
    if online_mw < commissioned_mw * (1.0 - _ENOUGH):
        told.append(
            f"{day}: {commissioned_mw - online_mw:.4g} MW of racks stay dark until the connection carries them"
        )
    off = tuple(sorted(standing.built.there - chosen.built.there))
    if off:
        told.append(
            f"{day}: {', '.join(off)} stay switched off: their own losses would cost more than they let run"
        )
    return Phase(day, site, commissioned_mw, online_mw, limit_mw, off, tuple(told))


@dataclass(frozen=True, slots=True)
class Standing:
    """What stands on a date, before it is decided which racks run."""

    day: date
    built: Built
    limit_mw: float
    renewables: frozenset[str]

    def site(self, racks: Mapping[str, int]) -> Site:
        """The site with these racks running."""
        name = f"{self.built.whole.site.name[: _LONGEST_NAME - 11]}-{self.day.isoformat()}"
        return self.built.site(racks, self.limit_mw, set(self.renewables), name)

    def it_mw(self, racks: Mapping[str, int]) -> float:
        """IT power of racks at nameplate [MW]."""
        pods = self.built.whole.pods
        return sum(count * pods[pod].rack.rated_power_kw for pod, count in racks.items()) / 1e3

    def lit_mw(self) -> float:
        """IT power of what the connection carries at nameplate [MW]."""
        return self.it_mw(self.lit())

    def first(self, count: int) -> dict[str, int]:
        """The first racks in the order of their pods' priorities."""
        pods, racks = self.built.whole.pods, self.built.racks()
        left, kept = count, dict[str, int]()
        for pod in sorted(racks, key=lambda name: (pods[name].priority, list(pods).index(name))):
            if left > 0:
                kept[pod] = min(racks[pod], left)
                left -= kept[pod]
        return kept

    def lit(self) -> dict[str, int]:
        """The racks that the connection carries at nameplate: as many as fit, the last priorities dark first."""

        def fits(count: int) -> bool:
            return count == 0 or _peak_mw(self.site(self.first(count))) <= self.limit_mw

        low, high = 0, sum(self.built.racks().values())
        if fits(high):
            return self.built.racks()
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if fits(middle) else (low, middle)
        return self.first(low)


def standing_of(found: BuildResult, day: date) -> Standing:
    """What stands on a date.

    Raises
    ------
    InputError
        As `phase_of`.
    """
    plan = found.plan
    there = {lot.name for lot in found.lots if lot.online.p50 <= day}
    _refuse_early(found, there, day)
    if plan.site.replays:
        what = "replays measured power, which belongs to the whole site and not to a phase"
        raise InputError(Problem(what, "Take [replays] out of the site.", plan.site.file, "replays"))
    built = Built(plan.site, plan.lots, there)
    return Standing(day, built, _limit_mw(found, built, day), frozenset(_renewables(found, day)))


def _refuse_early(found: BuildResult, there: set[str], day: date) -> None:
    halls = [lot for lot in found.lots if lot.it_mw > 0]
    if not any(lot.name in there for lot in halls):
        first = min(halls, key=lambda lot: lot.online.p50)
        what = f"lies before the first hall is online ({first.name}, {first.online.p50} with 50 %)"
        raise InputError(Problem(what, "Choose that date or a later one.", key="--site-at", value=str(day)))


def _limit_mw(found: BuildResult, built: Built, day: date) -> float:
    """The import limit on a date: the best milestone by then, within the substations by then and the site's own [MW]."""
    plan = found.plan
    limits = [
        one.import_limit_mw or 0.0
        for name, one in plan.file.milestones.items()
        if found.milestones[name].p50 <= day
    ]
    return min(max(limits, default=0.0), built.stations_mw(), plan.site.grid.import_limit_mw)


def _renewables(found: BuildResult, day: date) -> set[str]:
    """Renewables that are there: those of tasks that are done, and those that no task names."""
    ends = {task.name: task.finish.p50 for task in found.tasks}
    late = {
        name
        for task, one in found.plan.file.tasks.items()
        for name in one.renewables
        if task in ends and ends[task] > day
    }
    return set(found.plan.site.renewables) - late


def _peak_mw(site: Site) -> float:
    """Import with every pod at nameplate, cooling in its design weather [MW]."""
    return (
        design_peak_w(site, plants={name: design_weather(plant) for name, plant in site.cooling.items()})
        / MEGA
    )
