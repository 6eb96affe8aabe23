"""From a site file to a `Site`: read, resolve every `use`, validate, cross-check."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from aidc.errors import InputError, Problem
from aidc.schema.cooling import CoolingPlant
from aidc.schema.site import Job, Pod, Scenario, Service, Site
from aidc.site.air import with_air
from aidc.site.crosscheck import cross_check
from aidc.site.devices import note_devices
from aidc.site.read import apply_settings, changed_keys
from aidc.site.refuse import problems_of
from aidc.site.resolve import Resolver, merged, split_own
from aidc.site.sweep import read_sweep
from aidc.site.written_form import refuse_filled_keys
from aidc.toml_file import read_toml

__all__ = ["load", "site_of", "with_scenario"]

# what the resolver puts in; a reader never wrote these keys, so they are left out of messages
_HIDDEN = ("rack", "accelerator", "model", "rejection")
_LOADERS = (
    "folder",
    "file",
    "assumptions",
    "entries",
    "defaults",
    "resized",
    "changed",
    "written",
)  # of a site
_BUILT = {"site", "grid", "chains", "cooling", "pods", "storage", "gensets", "renewables", "replays"}


def load(path: Path | str, settings: Sequence[str] = (), *, resize: bool = False) -> Site:
    """Load a site file.

    Parameters
    ----------
    path
        The TOML file. A `catalogue/` folder beside it is searched before the shipped catalogue.
    settings
        `key.path=value` overrides, as with `--set`. They change how the plant is run, not what was bought: sizes
        follow the file as written, but for equipment whose own `use`, units or ratings a setting names.
    resize
        Size everything for the site with its settings instead, sizes that stand in the file included.

    Raises
    ------
    InputError
        Everything that is wrong with the site, at once.
    """
    path = Path(path)
    raw = read_toml(path)
    changed = changed_keys(settings)
    if resize:
        return site_of(_unsized(apply_settings(raw, settings)), path)
    if not any(key.partition(".")[0] in _BUILT for key in changed):
        return site_of(apply_settings(raw, settings), path)
    return _changed(raw, settings, changed, path)


def _changed(raw: dict[str, Any], settings: Sequence[str], changed: tuple[str, ...], path: Path) -> Site:
    """A site under settings that touch what is built, with the site as written beside it."""
    try:
        written = _plain(raw, path)
        completed, defaults = with_air(raw, written)
        if defaults:
            written = _plain(completed, path)
    except InputError:  # the settings may mend what is wrong with the file
        told = ("all of the plant: the site file is not valid without the settings",)
        return site_of(apply_settings(raw, settings), path).model_copy(update={"resized": told})
    document = apply_settings(completed, settings)
    site = _plain(document, path)
    pods = frozenset(
        name for name in site.pods if name not in written.pods or _names_another(changed, f"pods.{name}")
    )
    document, more = with_air(document, site, pods)
    if more:
        site = _plain(document, path)
    told = {"written": written, "changed": changed, "defaults": (*defaults, *more)}
    return site.model_copy(update=told)


def _names_another(changed: tuple[str, ...], pod: str) -> bool:
    """Whether settings give a pod other racks or another plant."""
    return any(key in (pod, "pods") or key.startswith((f"{pod}.use", f"{pod}.cooling")) for key in changed)


def _unsized(document: dict[str, Any]) -> dict[str, Any]:
    """The document without the sizes that were written into it."""
    result = dict(document)
    for section in ("pods", "cooling"):
        tables = result.get(section)
        if isinstance(tables, Mapping):
            result[section] = {
                name: {key: value for key, value in table.items() if key != "built"}
                if isinstance(table, Mapping)
                else table
                for name, table in tables.items()
            }
    grid = result.get("grid")
    transformer = grid.get("transformer") if isinstance(grid, Mapping) else None
    if isinstance(grid, Mapping) and isinstance(transformer, Mapping):
        kept = {key: value for key, value in transformer.items() if key != "built_mva"}
        result["grid"] = {**grid, "transformer": kept}
    return result


def site_of(document: Mapping[str, Any], path: Path) -> Site:
    """A `Site` from tables as TOML gives them; `path` is used for messages and relative files."""
    site = _plain(document, path)
    completed, defaults = with_air(document, site)
    return _plain(completed, path).model_copy(update={"defaults": defaults}) if defaults else site


def _plain(document: Mapping[str, Any], path: Path) -> Site:
    """The site of a document and of nothing else."""
    folder = path.resolve().parent
    resolver = Resolver(path, (folder / "catalogue",))
    document, filled = refuse_filled_keys(_with_scenario(document, folder, resolver), path, resolver.search)
    resolved = _resolve(document, resolver)
    try:
        site = Site.model_validate({**resolved, "folder": folder, "file": path})
    except ValidationError as error:
        told = {problem.key for problem in resolver.problems}
        new = [p for p in problems_of(error, Site, path, _HIDDEN) if p.key not in told]
        found = [*resolver.problems, *new]
        raise InputError([*filled, *_without_echoes(found)]) from error
    problems = [*filled, *resolver.problems, *cross_check(site, path)]
    if problems:
        raise InputError(problems)
    devices = note_devices(site, resolver)
    if resolver.problems:
        raise InputError(resolver.problems)
    return site.model_copy(
        update={
            "assumptions": tuple(resolver.assumptions),
            "entries": tuple(resolver.entries),
            "devices": devices,
        }
    )


def with_scenario(site: Site, scenario: Scenario | Mapping[str, Any] | Path | str) -> Site:
    """The same site under another scenario: a shape, tables as TOML gives them, or a TOML file.

    Relative files in it are looked for beside the site.

    Raises
    ------
    InputError
        Everything that is wrong with the scenario, at once.
    """
    file = Path(scenario) if isinstance(scenario, (Path, str)) else (site.file or Path("scenario"))
    if isinstance(scenario, Scenario):
        changed = site.model_copy(update={"scenario": scenario})
        problems = cross_check(changed, file)
        if problems:
            raise InputError(problems)
        return changed
    tables = read_toml(file) if isinstance(scenario, (Path, str)) else dict(scenario)
    resolver = Resolver(file, (site.folder / "catalogue",))
    resolved = _scenario(tables, resolver)
    try:
        shape = Scenario.model_validate(resolved)
    except ValidationError as error:
        raise InputError([*resolver.problems, *problems_of(error, Scenario, file)]) from error
    if resolver.problems:
        raise InputError(resolver.problems)
    kept = [one for one in site.assumptions if not one.where.startswith("scenario.")]
    entries = [one for one in site.entries if not one.where.startswith("scenario.")]
    update = {
        "scenario": shape,
        "assumptions": (*kept, *resolver.assumptions),
        "entries": (*entries, *resolver.entries),
    }
    return with_scenario(site.model_copy(update=update), shape)


def _without_echoes(problems: list[Problem]) -> list[Problem]:
    """Drop what only follows from an entry that could not be found."""
    broken = tuple(str(p.key).removesuffix("use") for p in problems if str(p.key).endswith(".use"))
    return [
        p for p in problems if str(p.key).endswith(".use") or not broken or not f"{p.key}.".startswith(broken)
    ]


def _with_scenario(document: Mapping[str, Any], folder: Path, resolver: Resolver) -> dict[str, Any]:
    """`scenario = "july.toml"` names a file beside the site."""
    result = dict(document)
    if isinstance(result.get("scenario"), str):
        result["scenario"] = read_toml(folder / result["scenario"])
    for reserved in _LOADERS:
        if reserved in result:
            resolver.problems.append(Problem("unknown key", "Remove it.", resolver.file, reserved))
            del result[reserved]
    return result


def _resolve(document: dict[str, Any], resolver: Resolver) -> dict[str, Any]:
    sections: dict[str, Callable[[str, dict[str, Any], Resolver], dict[str, Any]]] = {
        "chains": _chain,
        "storage": _flat("storage", "node"),
        "renewables": _flat("renewable", "kind"),
        "gensets": _flat("genset", "fuel"),
        "cooling": _cooling,
        "pods": _pod,
        "services": _service,
        "jobs": _job,
        "replays": _replay,
    }
    result = dict(document)
    for section, resolve in sections.items():
        if section in document:
            tables = resolver.table(document[section], section)
            result[section] = {
                name: resolve(f"{section}.{name}", resolver.table(body, f"{section}.{name}"), resolver)
                for name, body in tables.items()
            }
    if isinstance(result.get("scenario"), Mapping):
        result["scenario"] = _scenario(dict(result["scenario"]), resolver)
    return result


def _flat(kind: str, telling: str) -> Callable[[str, dict[str, Any], Resolver], dict[str, Any]]:
    """Equipment whose table is the entry itself with the site's keys over it.

    `telling` is the key that a table has which is written out in full, and one that only forgot
    its `use` has not.
    """

    def resolve(key: str, table: dict[str, Any], resolver: Resolver) -> dict[str, Any]:
        if "use" not in table and telling in table:
            return table
        if "use" not in table:
            what, remedy = "is missing", f'Name a {kind}: use = "…" (aidc catalogue {kind}).'
            resolver.problems.append(Problem(what, remedy, resolver.file, f"{key}.use"))
            return table
        rest = {name: value for name, value in table.items() if name != "use"}
        return resolver.values(kind, table["use"], f"{key}.use", rest)

    return resolve


def _chain(key: str, table: dict[str, Any], resolver: Resolver) -> dict[str, Any]:
    """A chain, with the front end that it or its entry names."""
    resolved = _flat("chain", "stages")(key, table, resolver)
    return _slot(key, resolved, "front", "front-end", resolver, "current_limit_frac")


def _slot(
    key: str, table: dict[str, Any], part: str, kind: str, resolver: Resolver, telling: str
) -> dict[str, Any]:
    """Resolve the entry that `part` names into `part_entry`; a table overrides figures of the entry."""
    name = table.get(part)
    if f"{part}_entry" in table or name is None:
        return table
    if isinstance(name, Mapping):  # an entry with overrides: { use = "…", pump_kw = … }
        own = dict(name)
        return {
            **table,
            part: own.get("use", "own"),
            f"{part}_entry": _flat(kind, telling)(f"{key}.{part}", own, resolver),
        }
    return {**table, f"{part}_entry": resolver.values(kind, name, f"{key}.{part}.use")}


def _nested(
    key: str, table: dict[str, Any], resolver: Resolver, kind: str, shape: type[BaseModel], slot: str
) -> dict[str, Any]:
    """Equipment in a slot of its own: keys that the outer shape does not know override the entry."""
    own, overrides = split_own(table, shape)
    if slot in own and not overrides:
        return own  # written out in full, as in the folder of a run
    name = overrides.pop("use", own.pop("use", None))
    if name is None and isinstance(own.get(slot), Mapping):
        return {**own, slot: merged(own[slot], overrides)}
    if name is None:
        resolver.problems.append(
            Problem(
                "is missing",
                f'Name a {kind}: use = "…" (aidc catalogue {kind}).',
                resolver.file,
                f"{key}.use",
            )
        )
        return own
    return {**own, slot: resolver.values(kind, name, f"{key}.use", overrides)}


def _pod(key: str, table: dict[str, Any], resolver: Resolver) -> dict[str, Any]:
    result = _nested(key, table, resolver, "rack", Pod, "rack")
    accelerator = result.get("rack", {}).get("accelerator")
    if accelerator is not None and "accelerator" not in result:
        result["accelerator_name"] = accelerator
        result["accelerator"] = resolver.accelerator(accelerator, f"{key}.accelerator")
        plate = result["rack"].get("cold_plate")
        if plate is not None:
            result["cold_plate_curve"] = resolver.values("cold-plate", plate, f"{key}.cold_plate")
    result.setdefault("rack_name", table.get("use", ""))
    return result


def _service(key: str, table: dict[str, Any], resolver: Resolver) -> dict[str, Any]:
    result = _nested(key, table, resolver, "llm", Service, "model")
    result.setdefault("model_name", table.get("use", ""))
    if "demand" in result:
        result["demand"] = _demand(f"{key}.demand", result["demand"], resolver)
    return result


def _replay(key: str, table: dict[str, Any], resolver: Resolver) -> dict[str, Any]:
    if "demand" in table:
        table = {**table, "demand": _demand(f"{key}.demand", table["demand"], resolver)}
    return table


def _job(key: str, table: dict[str, Any], resolver: Resolver) -> dict[str, Any]:
    own, overrides = split_own(table, Job)
    if isinstance(own.get("sweep"), dict):
        own["sweep"] = read_sweep(f"{key}.sweep", own["sweep"], resolver)
    if not overrides and ("model" in own or ("sweep" in own and "use" not in own)):
        return own
    return {**own, "model": resolver.values("llm", own.get("use"), f"{key}.use", overrides)}


def _demand(key: str, node: Any, resolver: Resolver) -> dict[str, Any]:
    return _keeping_use("demand", key, node, resolver)


def _keeping_use(kind: str, key: str, node: Any, resolver: Resolver) -> dict[str, Any]:
    """As `_flat`, but the shape keeps the entry's name in `use`."""
    table = resolver.table(node, key)
    if not table.get("use"):
        return table
    rest = {name: value for name, value in table.items() if name != "use"}
    return {**resolver.values(kind, table["use"], f"{key}.use", rest), "use": table["use"]}


def _scenario(table: dict[str, Any], resolver: Resolver) -> dict[str, Any]:
    for part in ("weather", "tariff", "carbon"):
        if part in table:
            table[part] = _keeping_use(part, f"scenario.{part}", table[part], resolver)
    return table


_AIR_HANDLER = "crah-chilled-water"  # where a plant names none: no rack gives all its heat to liquid


def _cooling(key: str, table: dict[str, Any], resolver: Resolver) -> dict[str, Any]:
    table = {"crah": _AIR_HANDLER, **table}
    for part in ("cdu", "crah"):
        table = _slot(key, table, part, part, resolver, "rated_heat_kw")
    table.setdefault("rejection_name", table.get("use", ""))
    return _nested(key, table, resolver, "heat-rejection", CoolingPlant, "rejection")
