"""Keys that loading fills in, taken from nobody but the complete form in which a run folder writes its site.

A person writes `use`; loading puts the equipment's figures into a slot (`rack`, `model`, `rejection`, …) and its
name beside it. Where the slot and all its figures stand in the document and no `use` does, as in a run folder's
`site.toml`, they are taken, so that it runs again. Anywhere else such a key would be dropped, or label figures
with what did not run: it is refused, with the key that was meant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, get_args

from pydantic import BaseModel

from aidc.catalogue import names, read
from aidc.errors import InputError, Problem
from aidc.schema.accelerator import Accelerator
from aidc.schema.cooling import (
    Cdu,
    ColdPlate,
    Crah,
    HeatRejection,
)
from aidc.schema.front_end import FrontEnd
from aidc.schema.llm import Llm
from aidc.schema.rack import Rack

__all__ = ["refuse_filled_keys"]


@dataclass(frozen=True, slots=True)
class _Slot:
    """A key that loading fills with figures: of what shapes and kind, the key of its name, and what is written."""

    key: str
    shapes: tuple[type[BaseModel], ...]
    kind: str
    label: str
    meant: str
    needed: bool = True


_REJECTIONS: Final[tuple[type[BaseModel], ...]] = get_args(get_args(HeatRejection)[0])
_SLOTS: Final[Mapping[str, tuple[_Slot, ...]]] = {
    "pods": (
        _Slot("rack", (Rack,), "rack", "rack_name", "use"),
        _Slot("accelerator", (Accelerator,), "accelerator", "accelerator_name", "use"),
        _Slot("cold_plate_curve", (ColdPlate,), "cold-plate", "", "cold_plate", needed=False),
    ),
    "services": (_Slot("model", (Llm,), "llm", "model_name", "use"),),
    "jobs": (_Slot("model", (Llm,), "llm", "use", "use"),),
    "cooling": (
        _Slot("rejection", _REJECTIONS, "heat-rejection", "rejection_name", "use"),
        _Slot("cdu_entry", (Cdu,), "cdu", "cdu", "cdu", needed=False),
        _Slot("crah_entry", (Crah,), "crah", "crah", "crah", needed=False),
    ),
    "chains": (_Slot("front_entry", (FrontEnd,), "front-end", "front", "front", needed=False),),
}
_OWN_LABELS: Final = ("use", "cdu", "crah", "front")  # labels that a person writes as well


def refuse_filled_keys(
    document: Mapping[str, Any], file: Path, search: Sequence[Path]
) -> tuple[dict[str, Any], list[Problem]]:
    """The document without keys that only loading fills in, and a problem for each.

    Parameters
    ----------
    document
        Tables as TOML gives them.
    file, search
        For messages, and the catalogues in which names are looked up.
    """
    cleaned, problems = dict(document), list[Problem]()
    for section, slots in _SLOTS.items():
        tables = document.get(section)
        if not isinstance(tables, Mapping):
            continue
        cleaned[section] = {
            name: _table(f"{section}.{name}", table, slots, file, search, problems)
            if isinstance(table, Mapping)
            else table
            for name, table in tables.items()
        }
    return cleaned, problems


def _table(
    key: str,
    table: Mapping[str, Any],
    slots: tuple[_Slot, ...],
    file: Path,
    search: Sequence[Path],
    problems: list[Problem],
) -> dict[str, Any]:
    filled = [name for name in _filled(slots) if name in table]
    if not filled:
        return dict(table)
    if _complete(key, table, slots):
        problems += _misnamed(key, table, slots, file, search)
        problems += _meant_inside(key, table, slots, file)
        return dict(table)
    for name in filled:
        problems.append(_refusal(key, name, table, slots, file))
    return {name: value for name, value in table.items() if name not in filled}


def _filled(slots: tuple[_Slot, ...]) -> list[str]:
    """Every key of a table that only loading writes."""
    keys = [key for slot in slots for key in (slot.key, slot.label) if key and key not in _OWN_LABELS]
    return list(dict.fromkeys(keys))


def _complete(key: str, table: Mapping[str, Any], slots: tuple[_Slot, ...]) -> bool:
    """Whether every slot is written out in full, and nothing asks for the catalogue."""
    if "use" in table and not key.startswith("jobs."):
        return False
    if key.startswith("chains.") and "stages" not in table:
        return False
    return all(
        _whole(table[slot.key], slot.shapes) if slot.key in table else not slot.needed for slot in slots
    )


def _whole(value: Any, shapes: tuple[type[BaseModel], ...]) -> bool:
    """Whether a table has every figure that one of the shapes must have."""
    return isinstance(value, Mapping) and any(
        all(
            (field.alias or name) in value
            for name, field in shape.model_fields.items()
            if field.is_required()
        )
        for shape in shapes
    )


def _refusal(key: str, name: str, table: Mapping[str, Any], slots: tuple[_Slot, ...], file: Path) -> Problem:
    slot = next(one for one in slots if name in (one.key, one.label))
    value = table[name]
    what = "is filled in by loading and is not written by hand"
    if "use" in table and isinstance(value, Mapping) and slot.meant == "use" and name == slot.key:
        figure = next(iter(value), "…")
        remedy = f"Write its figures beside `use`: {key}.{figure} = … ."
        return Problem(what, remedy, file, f"{key}.{name}")
    example = value if isinstance(value, str) and value else "…"
    where = f"{key}.{slot.meant}"
    remedy = f'Did you mean {where} = "{example}"? Names: aidc catalogue {slot.kind}.'
    if name == "accelerator":
        remedy = f"Choose a rack that has it: {key}.use (aidc catalogue rack)."
    shown = None if isinstance(value, Mapping) else value
    return Problem(what, remedy, file, f"{key}.{name}", shown)


def _meant_inside(key: str, table: Mapping[str, Any], slots: tuple[_Slot, ...], file: Path) -> list[Problem]:
    """Figures written beside a complete slot, which belong into it."""
    found: list[Problem] = []
    for slot in slots:
        if slot.meant != "use" or slot.key == "accelerator":
            continue
        inside = {field.alias or name for shape in slot.shapes for name, field in shape.model_fields.items()}
        own = {name for one in slots for name in (one.key, one.label)}
        for name in table:
            if name in inside and name not in own and name not in _outer_keys(key):
                what = f"stands beside {slot.key}, which is written out in full"
                remedy = f"Write {key}.{slot.key}.{name} = … ."
                found.append(Problem(what, remedy, file, f"{key}.{name}"))
    return found


def _outer_keys(key: str) -> set[str]:
    from aidc.schema.site import CoolingPlant, Job, Pod, Service

    shapes: dict[str, type[BaseModel]] = {
        "pods": Pod, "services": Service, "jobs": Job, "cooling": CoolingPlant,
    }  # fmt: skip
    shape = shapes.get(key.partition(".")[0])
    return set() if shape is None else {field.alias or name for name, field in shape.model_fields.items()}


def _misnamed(
    key: str, table: Mapping[str, Any], slots: tuple[_Slot, ...], file: Path, search: Sequence[Path]
) -> list[Problem]:
    """Names beside figures that are nearer to another entry's: the figures would run under a wrong name."""
    found: list[Problem] = []
    for slot in slots:
        value, label = table.get(slot.key), table.get(slot.label) if slot.label else None
        if not isinstance(value, Mapping) or label is None:
            continue
        if not isinstance(label, str):
            what, remedy = "names nothing beside figures written out in full", f"Take {slot.key} out."
            found.append(Problem(what, remedy, file, f"{key}.{slot.label}"))
            continue
        known = names(slot.kind, search)
        if label not in known:
            continue
        figures: Mapping[str, Any] = value  # pyright: ignore[reportUnknownVariableType]
        apart = {one: _apart(slot.kind, one, figures, search) for one in known}
        nearest = min(apart, key=lambda one: (apart[one], one != label))
        if apart[nearest] < apart[label]:
            what = f"names {label!r}, but the figures in {slot.key} are those of {nearest!r}"
            remedy = f"Change the figures in {key}.{slot.key}, or write the site with `use` and run that."
            found.append(Problem(what, remedy, file, f"{key}.{slot.label}", label))
    return found


def _apart(kind: str, name: str, figures: Mapping[str, Any], search: Sequence[Path]) -> int:
    """How many figures of an entry differ from these."""
    try:
        values = read(kind, name, search).values
    except InputError:
        return 1_000_000
    return sum(not _same(figures.get(key), value) for key, value in values.items())


def _same(one: Any, other: Any) -> bool:
    if isinstance(other, Mapping):
        return isinstance(one, Mapping) and all(_same(one.get(key), value) for key, value in other.items())
    if isinstance(other, (list, tuple)):
        return (
            isinstance(one, (list, tuple))
            and len(one) == len(other)
            and all(_same(a, b) for a, b in zip(one, other, strict=True))
        )
    return one == other
