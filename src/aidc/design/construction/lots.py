"""From modules to lots: who gets what from whom, and that nothing is left half connected.

A module of `repeat` lots connects to another by shares: lot k of K takes from those lots j of J whose share of the whole
((j - 1)/J, j/J] overlaps its own, in proportion. Equal repeats pair one to one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fractions import Fraction

from aidc.errors import InputError, Problem
from aidc.schema.construction import BuildFile, ModuleUse
from aidc.schema.module import Interface, Module

__all__ = ["GRID", "Link", "Lot", "lots_of"]

GRID = "grid"
_BOTH_WAYS = ("storage", "generator")  # on a busbar they give as well as take: they add nothing to its load
_ENOUGH = 1e-9


@dataclass(frozen=True, slots=True)
class Link:
    """What a lot takes through an interface: from which lot (`grid` for the connection), and how much [MW]."""

    interface: str
    medium: str
    giver: str
    power_mw: float


@dataclass(frozen=True, slots=True)
class Lot:
    """Units of a module that are built, moved and tested together: lot `number` of `repeat`."""

    name: str
    of: str
    number: int
    use: ModuleUse
    links: tuple[Link, ...] = ()

    @property
    def module(self) -> Module:
        return self.use.module

    @property
    def power_mw(self) -> float:
        """What its units carry together [MW]."""
        return self.use.units * self.module.power_mw


def lots_of(plan: BuildFile) -> tuple[list[Lot], list[str]]:
    """All lots with their links, and in words what was connected without being named.

    Raises
    ------
    InputError
        An interface without a partner, of another medium, that nobody takes, or that is asked for more than it gives.
    """
    problems: list[Problem] = []
    partners: dict[tuple[str, str], tuple[str, ...]] = {}
    alone: dict[tuple[str, str], list[str]] = {}  # medium and its only giver, and who takes it unnamed
    for name, use in plan.modules.items():
        problems += _misnamed(name, use)
        for interface, shape in use.module.takes.items():
            found, own = _partners(plan, name, interface, shape, alone)
            problems += own
            partners[name, interface] = found
    problems += _not_taken(plan, partners)
    if problems:
        raise InputError(problems)
    lots = [
        _lot(plan, name, number, partners)
        for name, use in plan.modules.items()
        for number in range(use.repeat)
    ]
    problems = _overloaded(plan, lots)
    if problems:
        raise InputError(problems)
    told = [
        f"connect: {medium} of {', '.join(takers)} comes from {giver}, the only one that gives it"
        for (medium, giver), takers in alone.items()
    ]
    return lots, told


def lot_name(name: str, number: int, repeat: int) -> str:
    """The name of lot `number` (from 0): that of the module where there is one lot."""
    return name if repeat == 1 else f"{name}-{number + 1}"


def _misnamed(name: str, use: ModuleUse) -> list[Problem]:
    """Interfaces in `connect` that the module has not."""
    found: list[Problem] = []
    for interface in use.connect:
        if interface not in use.module.takes:
            known = list(use.module.takes)
            close = get_close_matches(interface, known, n=1)
            remedy = f"Did you mean {close[0]!r}?" if close else f"It takes: {', '.join(known) or 'nothing'}."
            found.append(
                Problem(
                    "is no interface that this module takes",
                    remedy,
                    key=f"modules.{name}.connect.{interface}",
                )
            )
    return found


def _partners(
    plan: BuildFile, name: str, interface: str, shape: Interface, alone: dict[tuple[str, str], list[str]]
) -> tuple[tuple[str, ...], list[Problem]]:
    """Modules that an interface is connected to: those named, else the only one that gives its medium."""
    key = f"modules.{name}.connect.{interface}"
    use = plan.modules[name]
    givers = [
        other for other, one in plan.modules.items() if other != name and _gives(one.module, shape.medium)
    ]
    if shape.medium == "hv-ac":
        givers.append(GRID)
    named = use.connect.get(interface)
    if not named:
        if len(givers) == 1:
            alone.setdefault((shape.medium, givers[0]), []).append(name)
            return (givers[0],), []
        what = f"has no partner for its interface {interface} ({shape.medium})"
        some = f'Write connect.{interface} = ["…"] with one or more of: {", ".join(givers)}.'
        remedy = some if givers else f"Add a module that gives {shape.medium} (aidc catalogue module)."
        return (), [Problem(what, remedy, key=f"modules.{name}")]
    found: list[Problem] = []
    for other in named:
        if other in givers:
            continue
        if other not in plan.modules:
            close = get_close_matches(other, givers, n=1)
            remedy = (
                f"Did you mean {close[0]!r}?"
                if close
                else f"These give {shape.medium}: {', '.join(givers) or 'none'}."
            )
            found.append(Problem("names no module", remedy, key=key, value=other))
        else:
            gives = ", ".join(one.medium for one in plan.modules[other].module.gives.values()) or "nothing"
            what = f"connects {shape.medium} to a module that gives {gives}"
            found.append(
                Problem(
                    what, f"These give {shape.medium}: {', '.join(givers) or 'none'}.", key=key, value=other
                )
            )
    return tuple(dict.fromkeys(named)), found


def _gives(module: Module, medium: str) -> bool:
    return any(one.medium == medium for one in module.gives.values())


def _not_taken(plan: BuildFile, partners: Mapping[tuple[str, str], tuple[str, ...]]) -> list[Problem]:
    """Modules that give what nobody takes from them."""
    found: list[Problem] = []
    for name, use in plan.modules.items():
        for interface, shape in use.module.gives.items():
            taken = any(
                name in others and plan.modules[taker].module.takes[theirs].medium == shape.medium
                for (taker, theirs), others in partners.items()
            )
            if not taken:
                what = f"has no partner for its interface {interface}: nobody takes {shape.medium} from it"
                found.append(
                    Problem(
                        what,
                        "Name it in the connect of a module that takes it, or remove it.",
                        key=f"modules.{name}",
                    )
                )
    return found


def _lot(plan: BuildFile, name: str, number: int, partners: Mapping[tuple[str, str], tuple[str, ...]]) -> Lot:
    use = plan.modules[name]
    links: list[Link] = []
    for interface, shape in use.module.takes.items():
        others = partners[name, interface]
        wanted_mw = (shape.power_mw or 0.0) * use.units
        weights = {other: _given_mw(plan, other, shape.medium) for other in others}
        total = sum(weights.values()) or 1.0
        for other in others:
            part_mw = wanted_mw * (weights[other] / total if shape.power_mw else 1.0)
            if other == GRID:
                links.append(Link(interface, shape.medium, GRID, part_mw))
                continue
            repeat = plan.modules[other].repeat
            links += [
                Link(interface, shape.medium, lot_name(other, giver, repeat), part_mw * float(share))
                for giver, share in _shares(number, use.repeat, repeat)
            ]
    return Lot(lot_name(name, number, use.repeat), name, number, use, tuple(links))


def _given_mw(plan: BuildFile, name: str, medium: str) -> float:
    """What all lots of a module give of a medium [MW]."""
    if name == GRID:
        return 1.0
    use = plan.modules[name]
    per_unit = sum(one.power_mw or 0.0 for one in use.module.gives.values() if one.medium == medium)
    return per_unit * use.units * use.repeat


def _shares(number: int, repeat: int, others: int) -> list[tuple[int, Fraction]]:
    """Lots of the other module that lot `number` of `repeat` takes from, with the share of its need."""
    low, high = Fraction(number, repeat), Fraction(number + 1, repeat)
    found: list[tuple[int, Fraction]] = []
    for other in range(others):
        overlap = min(high, Fraction(other + 1, others)) - max(low, Fraction(other, others))
        if overlap > 0:
            found.append((other, overlap / (high - low)))
    return found


def _overloaded(plan: BuildFile, lots: Sequence[Lot]) -> list[Problem]:
    """Lots that are asked for more than they give."""
    asked: dict[tuple[str, str], float] = {}
    for lot in lots:
        if lot.module.role in _BOTH_WAYS:
            continue
        for link in lot.links:
            asked[link.giver, link.medium] = asked.get((link.giver, link.medium), 0.0) + link.power_mw
    found: list[Problem] = []
    for lot in lots:
        media = {one.medium for one in lot.module.gives.values() if one.power_mw}
        for medium in sorted(media):
            give_mw = _given_mw(plan, lot.of, medium) / lot.use.repeat
            need_mw = asked.get((lot.name, medium), 0.0)
            if need_mw > give_mw * (1.0 + _ENOUGH):
                what = (
                    f"lot {lot.name} gives {give_mw:.4g} MW of {medium}, and {need_mw:.4g} MW are asked of it"
                )
                remedy = "Add units or lots, or connect some of those who take it to another module."
                found.append(Problem(what, remedy, key=f"modules.{lot.of}"))
    return found
