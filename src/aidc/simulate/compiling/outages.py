"""Equipment that is out of service at times, in the engine's arrays: what it is, and its share in service over time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np

from aidc.clock import Clock
from aidc.errors import InputError, Problem
from aidc.plant.conversion import online_multiple
from aidc.plant.genset import genset_params
from aidc.scenario.events import units_out
from aidc.scenario.series import Series
from aidc.schema.event import EquipmentOutage
from aidc.schema.site import Site
from aidc.simulate.energy.arrays import IntArray
from aidc.simulate.energy.fields import Equipment, PlantPart

__all__ = ["Outages", "compile_outages"]

_PARTS = {
    "outdoor": PlantPart.OUTDOOR,
    "chillers": PlantPart.CHILLERS,
    "cdus": PlantPart.CDUS,
    "crahs": PlantPart.CRAHS,
    "pumps": PlantPart.PUMPS,
}


@dataclass(frozen=True, slots=True)
class Outages:
    """`rows` is `Params.outage`; `shares` are the series of its channels, in the same order."""

    rows: IntArray
    shares: tuple[Series, ...]


@dataclass(frozen=True, slots=True)
class _Equipment:
    """A piece of equipment that can lose units: how many there are, and its rows in the arrays."""

    units: int
    rows: tuple[tuple[int, int, int], ...]


def compile_outages(
    site: Site,
    clock: Clock,
    labels: tuple[tuple[str, ...], ...],
    cooling_units: Mapping[tuple[str, int], int],
) -> Outages:
    """The equipment outages of a scenario.

    Parameters
    ----------
    site, clock
        What is built, and when.
    labels
        "chain.stage" of each stage and pod, as in `Labels.stages`.
    cooling_units
        Units by plant and `PlantPart`.

    Raises
    ------
    InputError
        An event names equipment that the site does not have, or more units than it has.
    """
    events = [event for event in site.scenario.events if isinstance(event, EquipmentOutage)]
    known = dict(_equipment(site, labels, cooling_units)) if events else {}
    problems = [_problem(event, known) for event in events]
    if found := [problem for problem in problems if problem is not None]:
        raise InputError(found)
    rows: list[tuple[int, int, int]] = []
    shares: list[Series] = []
    for of in dict.fromkeys(event.of for event in events):
        out = units_out(events, of, clock.start, clock.end)
        share = np.maximum(1.0 - out.values / known[of].units, 0.0)
        for row in known[of].rows:
            rows.append(row)
            shares.append(Series(out.start, out.period_s, share, source=out.source))
    return Outages(np.array(rows, dtype=np.int64).reshape(len(rows), 3), tuple(shares))


def _equipment(
    site: Site, labels: tuple[tuple[str, ...], ...], cooling_units: Mapping[tuple[str, int], int]
) -> Iterator[tuple[str, _Equipment]]:
    """Everything that can lose units, by the name that events use."""
    for number, (name, genset) in enumerate(site.gensets.items()):
        units = int(genset_params(genset).units)
        yield f"gensets.{name}", _Equipment(units, ((Equipment.GENSET, number, 0),))
    for name, chain in site.chains.items():
        for stage in chain.stages:
            wanted = f"{name}.{stage.name}"
            rows = tuple(
                (int(Equipment.STAGE), lane, slot)
                for slot, row in enumerate(labels)
                for lane, label in enumerate(row)
                if label == wanted
            )
            units = round(
                stage.modules * online_multiple(stage.redundancy or chain.redundancy, stage.modules)
            )
            if rows:
                yield f"chains.{wanted}", _Equipment(units, rows)
    for number, name in enumerate(site.cooling):
        for part, column in _PARTS.items():
            units = cooling_units.get((name, int(column)), 0)
            if units > 0:
                yield f"cooling.{name}.{part}", _Equipment(units, ((Equipment.PLANT, number, column),))


def _problem(event: EquipmentOutage, known: Mapping[str, _Equipment]) -> Problem | None:
    if event.of not in known:
        close = get_close_matches(event.of, list(known), n=1)
        remedy = f"Did you mean {close[0]!r}?" if close else f"Known: {', '.join(known)}."
        return Problem("names no equipment of the site", remedy, key="scenario.events.of", value=event.of)
    if event.units > known[event.of].units:
        return Problem(
            f"takes out more units than the {known[event.of].units} of {event.of}",
            "Lower units.",
            key="scenario.events.units",
            value=event.units,
        )
    return None
