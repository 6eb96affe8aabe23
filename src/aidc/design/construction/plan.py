"""From `build.toml` to a plan: read, resolved, connected, held against its site."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from aidc.design.construction.calendars import EVERY_DAY, WorkTables, tables_of
from aidc.design.construction.durations import Quantiles
from aidc.design.construction.fit import refuse_misfit
from aidc.design.construction.lots import Lot, lots_of
from aidc.design.construction.network import NetworkTask, refuse_broken
from aidc.design.construction.network_csv import read_network
from aidc.design.construction.steps import network_of, online_task, refuse_disordered
from aidc.design.construction.windows import windows_of
from aidc.errors import InputError, Problem
from aidc.schema.construction import BuildFile, Calendar, ModuleUse
from aidc.schema.module import PLACES
from aidc.schema.site import Assumption, Site
from aidc.site.refuse import problems_of
from aidc.site.resolve import Resolver, merged, split_own
from aidc.toml_file import read_toml

__all__ = ["Plan", "load_plan", "plan_file"]


@dataclass(frozen=True, slots=True)
class Plan:
    """How a site is built.

    `weather_rows` are rows of `tables` by weather year for tasks that wait for the wind, `told` what the plan got that
    no file names, `assumptions` the catalogue's figures in it. `known` are distributions of what is left of tasks,
    `under_way` tasks that have begun (`progress.py`).
    """

    site: Site
    path: Path
    file: BuildFile
    lots: tuple[Lot, ...]
    tasks: tuple[NetworkTask, ...]
    tables: WorkTables
    weather_rows: Mapping[str, tuple[int, ...]]
    told: tuple[str, ...]
    assumptions: tuple[Assumption, ...]
    known: Mapping[str, Quantiles] = field(default_factory=dict[str, Quantiles])
    under_way: frozenset[str] = frozenset()

    @property
    def halls(self) -> tuple[Lot, ...]:
        """Lots that are IT halls."""
        return tuple(lot for lot in self.lots if lot.module.role == "hall")


def plan_file(site: Site) -> Path:
    """Where the plan of a site is looked for: `build.toml` beside it."""
    return site.folder / "build.toml"


def load_plan(site: Site, path: Path | None = None) -> Plan:
    """The plan of a site.

    Parameters
    ----------
    site
        As loaded.
    path
        The plan's file; default: `build.toml` beside the site.

    Raises
    ------
    InputError
        Everything that is wrong with the plan, as far as it can be told at once.
    """
    path = plan_file(site) if path is None else path
    if not path.is_file():
        what = "is not there: a site is built as this file says"
        remedy = "Write one as in docs/build.md, or name it with --plan."
        raise InputError(Problem(what, remedy, path))
    file, assumptions = _validated(_on_base(read_toml(path), path), site, path)
    try:
        return _planned(site, path, file, assumptions)
    except InputError as error:
        raise InputError([replace(one, file=one.file or path) for one in error.problems]) from error


def _on_base(document: dict[str, Any], path: Path) -> dict[str, Any]:
    """The document laid over the plan that its `base` names, which stands on its own.

    Raises
    ------
    InputError
    """
    if "base" not in document:
        return document
    name = document["base"]
    if not isinstance(name, str):
        raise InputError(Problem("must name a file", 'Write base = "build.toml".', path, "base", name))
    below = read_toml(path.parent / name)
    if "base" in below:
        what, remedy = (
            "is laid over a plan that is itself laid over one",
            "Name the plan that stands on its own.",
        )
        raise InputError(Problem(what, remedy, path, "base", name))
    return merged(below, {key: value for key, value in document.items() if key != "base"})


def _planned(site: Site, path: Path, file: BuildFile, assumptions: tuple[Assumption, ...]) -> Plan:
    refuse_disordered(file)
    lots, told = lots_of(file)
    refuse_misfit(site, file, lots)
    calendars = {name: one for name, one in file.calendars.items() if name != EVERY_DAY}
    if EVERY_DAY in file.calendars:
        what, remedy = "is a calendar that every plan has", "Give yours another name."
        raise InputError(Problem(what, remedy, key=f"calendars.{EVERY_DAY}"))
    used = {step.place for lot in lots for step in lot.module.steps.values()} | {"site"}
    for name in PLACES:
        if name in used and name not in calendars:
            calendars[name] = Calendar()
            told.append(f"calendars.{name}: Monday to Friday without holidays, as the plan names none")
    tasks = network_of(file, lots)
    if file.network is not None:
        tasks = read_network(path.parent / file.network, file.start)
        _refuse_offline(tasks, lots, file)
    refuse_broken(tasks, [EVERY_DAY, *calendars], file.crews)
    named = {name for task in file.tasks.values() for name in task.renewables}
    told += [
        f"renewables.{name}: taken to be there from the first phase on, as no task of the plan names it"
        for name in site.renewables
        if name not in named
    ]
    tables = tables_of(calendars, file.start)
    tables, rows, more = windows_of(site, file, tasks, tables, calendars)
    lines = (*told, *more)
    return Plan(site, path, file, tuple(lots), tuple(tasks), tables, rows, lines, assumptions)


def _refuse_offline(tasks: list[NetworkTask], lots: list[Lot], file: BuildFile) -> None:
    """Refuse a network of one's own that lacks what dates of lots and milestones are read from."""
    there = {task.name for task in tasks}
    wanted = [*file.milestones, *(online_task(lot) for lot in lots)]
    missing = [name for name in wanted if name not in there]
    if missing:
        what = f"lacks {missing[0]}" + (f" and {len(missing) - 1} more" if len(missing) > 1 else "")
        remedy = (
            "Give every milestone and the last step of every lot a line; aidc build --out writes all of them."
        )
        raise InputError(Problem(what, remedy, key="network", value=file.network))


def _validated(
    document: Mapping[str, Any], site: Site, path: Path
) -> tuple[BuildFile, tuple[Assumption, ...]]:
    resolver = Resolver(path, (path.resolve().parent / "catalogue", site.folder / "catalogue"))
    result = dict(document)
    if "modules" in result:
        tables = resolver.table(result["modules"], "modules")
        result["modules"] = {name: _module(name, table, resolver) for name, table in tables.items()}
    if isinstance(result.get("bridges"), Mapping):
        result["bridges"] = {name: _bridge(name, one, resolver) for name, one in result["bridges"].items()}
    if isinstance(result.get("weather"), list):
        result["weather"] = [_weather(place, one, resolver) for place, one in enumerate(result["weather"])]
    try:
        file = BuildFile.model_validate(result)
    except ValidationError as error:
        told = {problem.key for problem in resolver.problems}
        broken = tuple(f"{str(key).removesuffix('use')}" for key in told)
        new = [
            one
            for one in problems_of(error, BuildFile, path, ("module",))
            if one.key not in told and not (broken and f"{one.key}.".startswith(broken))
        ]
        raise InputError([*resolver.problems, *new]) from error
    if resolver.problems:
        raise InputError(resolver.problems)
    return file, tuple(resolver.assumptions)


def _module(name: str, node: Any, resolver: Resolver) -> Any:
    """A module's table with its entry in `module`, the keys that a use does not know laid over it."""
    key = f"modules.{name}"
    table = resolver.table(node, key)
    own, overrides = split_own(table, ModuleUse)
    own.pop("module", None)
    if "use" not in own:
        what, remedy = "is missing", 'Name a module: use = "…" (aidc catalogue module).'
        resolver.problems.append(Problem(what, remedy, resolver.file, f"{key}.use"))
        return own
    return {**own, "module": resolver.values("module", own["use"], f"{key}.use", overrides)}


def _weather(place: int, node: Any, resolver: Resolver) -> Any:
    """A weather year with its source's entry under it."""
    table = resolver.table(node, f"weather[{place}]")
    source = table.get("source")
    if not isinstance(source, Mapping) or "use" not in source:
        return table
    rest = {key: value for key, value in source.items() if key != "use"}
    values = resolver.values("weather", source["use"], f"weather[{place}].source.use", rest)
    return {**table, "source": {**values, "use": source["use"]}}


def _bridge(name: str, node: Any, resolver: Resolver) -> Any:
    """A bridge with the entries of its genset and storage under them."""
    table = resolver.table(node, f"bridges.{name}")
    for kind in ("genset", "storage"):
        source = table.get(kind)
        if isinstance(source, Mapping) and "use" in source:
            rest = {key: value for key, value in source.items() if key != "use"}
            table[kind] = resolver.values(kind, source["use"], f"bridges.{name}.{kind}.use", rest)
    return table
