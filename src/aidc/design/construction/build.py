"""`build`: when each prefabricated megawatt comes online, with which probability, and what holds it up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

from aidc.design.construction.plan import Plan, load_plan
from aidc.design.construction.plausibility import plausibility_of
from aidc.design.construction.progress import progressed, read_progress
from aidc.design.construction.result import BuildResult
from aidc.design.construction.slips import beside, with_progress
from aidc.design.construction.studied import Wanted, studied, unvalued
from aidc.errors import InputError, Problem
from aidc.plant.freeze import frozen
from aidc.schema.site import Site
from aidc.site import load

__all__ = ["MOST_DRAWS", "build"]

MOST_DRAWS: Final = 1_000_000
_LEAST_DRAWS: Final = 100
_MOST_CELLS: Final = 60_000_000  # draws times tasks: half a gigabyte of dates


def build(
    site: Site | Path | str,
    *,
    plan: Path | str | None = None,
    draws: int = 10_000,
    seed: int | None = None,
    settings: Sequence[str] = (),
    value: bool = True,
    follow: bool = False,
    bridges: bool = False,
    against: Path | str | None = None,
    actual: Path | str | None = None,
    today: date | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> BuildResult:
    """When the modules of a site are online.

    Parameters
    ----------
    site
        A loaded site, or the path of a site file.
    plan
        The file that says how it is built; default: `build.toml` beside the site.
    draws, seed
        Schedules to draw, 100 to 1,000,000, and the seed of their luck; default: the plan's.
    settings
        As in `aidc.load`, where `site` is a path.
    value
        Whether to work out values where the plan asks for them: it runs up to 8 phases.
    follow
        Whether to run every phase as a site, with or without values.
    bridges
        Whether to try the plan's bridges on the energy model: about six runs for each at each date.
    against
        Another plan of the same site, to stand beside this one (stick-built, another supplier).
    actual, today
        A progress file (TOML), and the date after which it is from the future (default: that of the clock).
    progress
        Called with runs done and runs in all, where phases or bridges are run.

    Returns
    -------
    BuildResult
        Dates and powers with probabilities 0.1, 0.5 and 0.9; `as_dict()` gives plain values.

    Raises
    ------
    InputError
        Everything that is wrong with the site or its plan.
    """
    _refuse_draws(draws)
    site = site if isinstance(site, Site) else load(site, settings)
    made = _loaded(frozen(site), None if plan is None else Path(plan), draws, value=value)
    wanted = Wanted(
        draws, made.file.seed if seed is None else seed, follow=follow, bridges=bridges, progress=progress
    )
    if actual is None:
        found = studied(made, wanted)
    else:
        found = _forecast(made, Path(actual), today or datetime.now(UTC).date(), wanted)
    if against is not None:
        other = _loaded(made.site, Path(against), draws, value=value)
        found = beside(found, studied(other, replace(wanted, weeks=False, bridges=False)), Path(against).name)
    return replace(found, plausibility=plausibility_of(found))


def _refuse_draws(draws: int) -> None:
    if not _LEAST_DRAWS <= draws <= MOST_DRAWS:
        what = f"lies outside {_LEAST_DRAWS} to {MOST_DRAWS:,}"
        raise InputError(Problem(what, "Draw a few thousand.", key="--draws", value=draws))


def _loaded(site: Site, path: Path | None, draws: int, *, value: bool) -> Plan:
    """A plan whose draws fit into memory, without its values where they are not wanted."""
    made = load_plan(site, path)
    if draws * len(made.tasks) > _MOST_CELLS:
        what = f"are too many for {len(made.tasks)} tasks: their dates would not fit into memory"
        most = _MOST_CELLS // len(made.tasks)
        raise InputError(Problem(what, f"Draw {most:,} or fewer.", key="--draws", value=draws))
    return made if value else unvalued(made)


def _forecast(plan: Plan, actual: Path, today: date, wanted: Wanted) -> BuildResult:
    """The study of what is left, with what has moved since the plan."""
    file = read_progress(actual, today)
    before = studied(unvalued(plan), Wanted(wanted.draws, wanted.seed, weeks=False))
    return with_progress(studied(progressed(plan, file, actual), wanted), before, file)
