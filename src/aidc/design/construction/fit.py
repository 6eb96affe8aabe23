"""Modules against the site that they make up: every pod has halls, and its chain and its cooling come with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches

from aidc.design.construction.lots import Lot
from aidc.errors import InputError, Problem
from aidc.plant.lineup import nameplate_w
from aidc.schema.construction import BuildFile, ModuleUse
from aidc.schema.site import Site
from aidc.units import MEGA

__all__ = ["givers_of", "refuse_misfit"]

_MAPS = {
    "hall": "pods",
    "power": "chains",
    "heat-rejection": "plants",
    "storage": "storage",
    "generator": "gensets",
}
_ENOUGH = 1e-6


def refuse_misfit(site: Site, plan: BuildFile, lots: Sequence[Lot]) -> None:
    """Refuse a plan that does not add up to its site.

    Raises
    ------
    InputError
        All that does not fit.
    """
    problems = [*_names(site, plan), *_unbuilt(site, plan)]
    if not problems:
        by_name = {lot.name: lot for lot in lots}
        problems = [*_too_small(site, plan), *_not_served(site, lots, by_name)]
    if problems:
        raise InputError(problems)


def givers_of(lot: Lot, lots: Mapping[str, Lot]) -> dict[str, Lot]:
    """All lots that a lot takes from, directly or through others."""
    found: dict[str, Lot] = {}
    left = [link.giver for link in lot.links]
    while left:
        name = left.pop()
        if name in lots and name not in found:
            found[name] = lots[name]
            left += [link.giver for link in lots[name].links]
    return found


def _names(site: Site, plan: BuildFile) -> Iterator[Problem]:
    """Names that are not in the site, and parts of the site at modules that cannot be them."""
    sections: dict[str, Sequence[str]] = {
        "pods": list(site.pods), "chains": list(site.chains), "plants": list(site.cooling),
        "storage": list(site.storage), "gensets": list(site.gensets),
    }  # fmt: skip
    for name, use in plan.modules.items():
        for section, known in sections.items():
            named: tuple[str, ...] = getattr(use, section)
            meant = _MAPS.get(use.module.role)
            if named and section != meant:
                what = f"belongs to no module of role {use.module.role}"
                remedy = f"Name {meant} here." if meant else "Take it out."
                yield Problem(what, remedy, key=f"modules.{name}.{section}")
            for one in named:
                if one not in known:
                    yield _unknown(f"modules.{name}.{section}", one, known)
        meant = _MAPS.get(use.module.role)
        if meant and not getattr(use, meant):
            what, remedy = "does not say what of the site it is", f'Write {meant} = ["…"].'
            yield Problem(what, remedy, key=f"modules.{name}.{meant}")
    for name, task in plan.tasks.items():
        for one in task.renewables:
            if one not in site.renewables:
                yield _unknown(f"tasks.{name}.renewables", one, list(site.renewables))


def _unknown(key: str, name: str, known: Sequence[str]) -> Problem:
    close = get_close_matches(name, known, n=1)
    remedy = f"Did you mean {close[0]!r}?" if close else f"The site has: {', '.join(known) or 'none'}."
    return Problem("names nothing of the site", remedy, key=key, value=name)


def _unbuilt(site: Site, plan: BuildFile) -> Iterator[Problem]:
    """What of the site no module is."""
    yard = {name for name, one in site.storage.items() if one.node == "site"}
    for section, known in (
        ("pods", list(site.pods)),
        ("storage", sorted(yard)),
        ("gensets", list(site.gensets)),
    ):
        named = {one for use in plan.modules.values() for one in getattr(use, section)}
        for one in known:
            if one not in named:
                remedy = f"Add it to the {section} of a module, or take it out of the site."
                yield Problem(
                    f"no module of the plan is this part of the site: {section}.{one}", remedy, key="modules"
                )


def _too_small(site: Site, plan: BuildFile) -> Iterator[Problem]:
    """Halls that carry less than their pods, and storage and generators that are less than the site's."""
    wants: dict[str, Mapping[str, float]] = {
        "pods": {name: nameplate_w(pod) / MEGA for name, pod in site.pods.items()},
        "storage": {name: one.power_mw or 0.0 for name, one in site.storage.items()},
        "gensets": {name: one.power_mw for name, one in site.gensets.items()},
    }
    for section, want in wants.items():
        have = dict.fromkeys(want, 0.0)
        for use in plan.modules.values():
            named: tuple[str, ...] = getattr(use, section)
            total = sum(want[one] for one in named)
            for one in named:
                have[one] += _power_mw(use) * want[one] / total if total else 0.0
        for one, mw in have.items():
            if any(one in getattr(use, section) for use in plan.modules.values()) and mw < want[one] * (
                1 - _ENOUGH
            ):
                what = f"{section}.{one} is {want[one]:.4g} MW, and its modules carry {mw:.4g} MW"
                yield Problem(what, "Add units or lots.", key="modules")


def _power_mw(use: ModuleUse) -> float:
    return use.module.power_mw * use.units * use.repeat


def _not_served(site: Site, lots: Sequence[Lot], by_name: Mapping[str, Lot]) -> Iterator[Problem]:
    """Halls whose pods hang on a chain or a cooling plant that none of their givers is."""
    for lot in lots:
        if lot.module.role != "hall" or lot.number > 0:
            continue
        givers = givers_of(lot, by_name).values()
        chains = {one for giver in givers for one in giver.use.chains}
        plants = {one for giver in givers for one in giver.use.plants}
        for name in lot.use.pods:
            pod = site.pods[name]
            if pod.chain not in chains:
                what = (
                    f"pods.{name} hangs on chain {pod.chain}, and the hall takes power from {_listed(chains)}"
                )
                remedy = f"Connect it to a power module with chains = [{pod.chain!r}]."
                yield Problem(what, remedy, key=f"modules.{lot.of}.connect")
            for plant in dict.fromkeys((pod.cooling, pod.air_plant)):
                if plant not in plants:
                    what = (
                        f"pods.{name} is cooled by {plant}, and the hall takes cooling from {_listed(plants)}"
                    )
                    remedy = f"Connect it to heat rejection with plants = [{plant!r}]."
                    yield Problem(what, remedy, key=f"modules.{lot.of}.connect")


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names)) or "none that is named"
